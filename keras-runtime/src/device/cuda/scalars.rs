//! Numbers of whole tensors, on the host: once for each added loss or metric in a step.

use super::{host, on_gpus};
use crate::device::{Scalars, Term, cpu};

on_gpus! {
    impl Scalars {
        fn add_scalar(&self, term: Term, x: Self::Slice<'_>, to: Self::SliceMut<'_>) {
            let x = host::fetch(x);
            host::change(&to, |to| cpu::scalars::add_scalar(term, &x, to));
        }

        fn scalar_gradient(
            &self,
            term: Term,
            x: Self::Slice<'_>,
            d: Self::Slice<'_>,
            d_x: Self::SliceMut<'_>,
        ) {
            let (x, d) = (host::fetch(x), host::fetch(d));
            host::write(&d_x, |d_x| cpu::scalars::scalar_gradient(term, &x, &d, d_x));
        }
    }
}
