//! What users write as expressions and what is neither a loss nor a mean: how a batch changes the
//! state of a metric, and layers of rows.

use super::cpu::{kernel, kernel::Kernel, threads::over_rows};
use super::host::on_hosts;
use super::{Arith, Float, Memory, Rows};

/// How a batch changes the state of a metric.
pub trait StateFunction: Copy + Send + Sync {
    /// Changes the state.
    fn update<F: Float, A: Arith>(&self, batch: &BatchRows<'_, F>, state: &mut [F]);
}

/// The rows of a batch of targets and predictions.
#[derive(Clone, Copy, Debug)]
pub struct BatchRows<'a, F> {
    rows: Rows,
    y_true: &'a [F],
    y_pred: &'a [F],
    weights: Option<&'a [F]>,
}

impl<'a, F: Float> BatchRows<'a, F> {
    /// How many there are.
    #[inline(always)]
    pub fn len(&self) -> usize {
        self.rows.rows
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The length of a row of predictions.
    #[inline(always)]
    pub fn width(&self) -> usize {
        self.rows.width
    }

    /// A row of targets and its row of predictions.
    #[inline(always)]
    pub fn row(&self, row: usize) -> (&'a [F], &'a [F]) {
        self.rows.pair(row, self.y_true, self.y_pred)
    }

    /// The sample weight of a row; 1 if there are none.
    #[inline(always)]
    pub fn weight(&self, row: usize) -> F {
        self.rows.weight(row, self.weights)
    }
}

/// A layer whose output is a function of each row along the last axis, with N weights.
pub trait LayerFunction<const N: usize>: Copy + Send + Sync {
    /// Writes the output of a row: x (width), y (width).
    fn forward<F: Float, A: Arith>(&self, x: &[F], weights: [&[F]; N], y: &mut [F]);

    /// Writes the gradient of a row's input and adds to those of the weights.
    fn backward<F: Float, A: Arith>(
        &self,
        x: &[F],
        weights: [&[F]; N],
        d_y: &[F],
        d_x: &mut [F],
        d_weights: [&mut [F]; N],
    );
}

/// Functions that are known as expressions.
pub trait Expressions: Memory {
    /// Changes the state of a metric by a batch.
    fn update_state<S: StateFunction>(
        &self,
        function: S,
        rows: Rows,
        y_true: Self::Slice<'_>,
        y_pred: Self::Slice<'_>,
        weights: Option<Self::Slice<'_>>,
        state: Self::SliceMut<'_>,
    );

    /// The output of a layer: x and y (rows, width).
    fn layer<L: LayerFunction<N>, const N: usize>(
        &self,
        function: L,
        width: usize,
        x: Self::Slice<'_>,
        weights: [Self::Slice<'_>; N],
        y: Self::SliceMut<'_>,
    );

    /// The gradients of a layer's input and of its weights, as far as somebody needs them: d_y and d_x
    /// (rows, width), and those of the weights one after the other. All of them are written.
    #[allow(clippy::too_many_arguments)]
    fn layer_gradient<L: LayerFunction<N>, const N: usize>(
        &self,
        function: L,
        width: usize,
        x: Self::Slice<'_>,
        weights: [Self::Slice<'_>; N],
        d_y: Self::Slice<'_>,
        d_x: Option<Self::SliceMut<'_>>,
        d_weights: Option<Self::SliceMut<'_>>,
    );
}

on_hosts! {
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
            let batch = BatchRows { rows, y_true, y_pred, weights };
            kernel::run(StateOfRows { function, batch, state });
        }

        fn layer<L: LayerFunction<N>, const N: usize>(
            &self,
            function: L,
            width: usize,
            x: Self::Slice<'_>,
            weights: [Self::Slice<'_>; N],
            y: Self::SliceMut<'_>,
        ) {
            layer(function, width, x, weights, y);
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
            layer_gradient(function, width, x, weights, d_y, d_x, d_weights);
        }
    }
}

struct StateOfRows<'a, F, S> {
    function: S,
    batch: BatchRows<'a, F>,
    state: &'a mut [F],
}

impl<F: Float, S: StateFunction> Kernel for StateOfRows<'_, F, S> {
    type Number = F;
    type Output = ();

    #[inline(always)]
    fn run<A: Arith>(self) {
        self.function.update::<F, A>(&self.batch, self.state);
    }
}

/// Operations that an element of a layer is taken for: an exponential or two.
const OPERATIONS: usize = 16;

fn layer<F: Float, L: LayerFunction<N>, const N: usize>(
    function: L,
    width: usize,
    x: &[F],
    weights: [&[F]; N],
    y: &mut [F],
) {
    let rows = x.len() / width.max(1);
    // Tests of gradients, which alone are in `f64`, hold the values of one thread.
    let operations = if F::IS_VECTORISED {
        OPERATIONS * x.len()
    } else {
        0
    };
    over_rows(
        rows,
        1,
        operations,
        y,
        &|y: &mut [F], at| y.split_at_mut(at * width),
        &|range, y| {
            let x = &x[range.start * width..range.end * width];
            kernel::run(LayerOfRows {
                function,
                width,
                x,
                weights,
                y,
            });
        },
    );
}

struct LayerOfRows<'a, F, L, const N: usize> {
    function: L,
    width: usize,
    x: &'a [F],
    weights: [&'a [F]; N],
    y: &'a mut [F],
}

impl<F: Float, L: LayerFunction<N>, const N: usize> Kernel for LayerOfRows<'_, F, L, N> {
    type Number = F;
    type Output = ();

    #[inline(always)]
    fn run<A: Arith>(self) {
        let width = self.width.max(1);
        for (x, y) in self
            .x
            .chunks_exact(width)
            .zip(self.y.chunks_exact_mut(width))
        {
            self.function.forward::<F, A>(x, self.weights, y);
        }
    }
}

/// What nobody needs is computed into scratch memory: every layer is compiled once.
fn layer_gradient<F: Float, L: LayerFunction<N>, const N: usize>(
    function: L,
    width: usize,
    x: &[F],
    weights: [&[F]; N],
    d_y: &[F],
    d_x: Option<&mut [F]>,
    d_weights: Option<&mut [F]>,
) {
    let of_row = if d_x.is_none() { width } else { 0 };
    let of_weights = if d_weights.is_none() {
        weights.iter().map(|weight| weight.len()).sum()
    } else {
        0
    };
    F::with_scratch(of_row + of_weights, |scratch| {
        let (row, unneeded) = scratch.split_at_mut(of_row);
        let (d_x, stride) = match d_x {
            Some(d_x) => (d_x, width),
            None => (row, 0),
        };
        let mut rest = d_weights.unwrap_or(unneeded);
        rest.fill(F::zero());
        let d_weights = weights.map(|weight| {
            let (own, others) = std::mem::take(&mut rest).split_at_mut(weight.len());
            rest = others;
            own
        });
        kernel::run(GradientOfRows {
            function,
            width,
            x,
            weights,
            d_y,
            d_x,
            stride,
            d_weights,
        });
    });
}

struct GradientOfRows<'a, F, L, const N: usize> {
    function: L,
    width: usize,
    x: &'a [F],
    weights: [&'a [F]; N],
    d_y: &'a [F],
    d_x: &'a mut [F],
    /// How far the gradients of two rows are apart: 0 if they are thrown away.
    stride: usize,
    d_weights: [&'a mut [F]; N],
}

impl<F: Float, L: LayerFunction<N>, const N: usize> Kernel for GradientOfRows<'_, F, L, N> {
    type Number = F;
    type Output = ();

    #[inline(always)]
    fn run<A: Arith>(mut self) {
        let width = self.width.max(1);
        let rows = self.x.chunks_exact(width).zip(self.d_y.chunks_exact(width));
        for (row, (x, d_y)) in rows.enumerate() {
            let d_x = &mut self.d_x[row * self.stride..][..width];
            let d_weights = self.d_weights.each_mut().map(|d_weight| &mut **d_weight);
            self.function
                .backward::<F, A>(x, self.weights, d_y, d_x, d_weights);
        }
    }
}
