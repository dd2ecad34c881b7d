//! Functions that users write as expressions, and that look at whole rows: on the host.

use super::{host, on_gpus};
use crate::device::{Cpu, Expressions, LayerFunction, Rows, StateFunction};

on_gpus! {
    impl Expressions {
        fn update_state<S: StateFunction>(
            &self,
            function: S,
            rows: Rows,
            y_true: Self::Slice<'_>,
            y_pred: Self::Slice<'_>,
            weights: Option<Self::Slice<'_>>,
            state: Self::SliceMut<'_>,
        ) {
            let (y_true, y_pred) = (host::fetch(y_true), host::fetch(y_pred));
            let weights = host::fetch_optional(weights);
            host::change(&state, |state| {
                let weights = weights.as_deref();
                Cpu::default().update_state(function, rows, &y_true, &y_pred, weights, state);
            });
        }

        fn layer<L: LayerFunction<N>, const N: usize>(
            &self,
            function: L,
            width: usize,
            x: Self::Slice<'_>,
            weights: [Self::Slice<'_>; N],
            y: Self::SliceMut<'_>,
        ) {
            let (x, weights) = (host::fetch(x), weights.map(host::fetch));
            host::write(&y, |y| {
                let weights = weights.each_ref().map(|weight| &weight[..]);
                Cpu::default().layer(function, width, &x, weights, y);
            });
        }

        fn layer_gradient<L: LayerFunction<N>, const N: usize>(
            &self,
            function: L,
            width: usize,
            x: Self::Slice<'_>,
            weights: [Self::Slice<'_>; N],
            d_y: Self::Slice<'_>,
            d_x: Option<Self::SliceMut<'_>>,
            d_weights: Option<Self::SliceMut<'_>>,
        ) {
            let (x, weights, d_y) = (host::fetch(x), weights.map(host::fetch), host::fetch(d_y));
            let weights = weights.each_ref().map(|weight| &weight[..]);
            let mut of_x = d_x.as_ref().map(|d_x| vec![0.0; d_x.len]);
            let mut of_weights = d_weights.as_ref().map(|d| vec![0.0; d.len]);
            Cpu::default().layer_gradient(
                function,
                width,
                &x,
                weights,
                &d_y,
                of_x.as_deref_mut(),
                of_weights.as_deref_mut(),
            );
            for (to, from) in [(d_x, of_x), (d_weights, of_weights)] {
                if let (Some(to), Some(from)) = (to, from) {
                    to.context.upload(&from, &to);
                }
            }
        }
    }
}
