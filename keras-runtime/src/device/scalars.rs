//! One number of a whole tensor: its sum, mean or an extreme, of each element's square, magnitude, and so on.

use super::host::on_hosts;
use super::{Memory, cpu};

/// What becomes of one number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Elementary {
    /// `factor · x`.
    Scale(f32),
    /// `x + offset`.
    Shift(f32),
    /// `x²`.
    Square,
    /// `|x|`, with the derivative 0 at 0.
    Abs,
    /// `√x`.
    Sqrt,
    /// `eˣ`.
    Exp,
    /// `ln x`.
    Log,
}

/// How a tensor becomes one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reduce {
    /// The sum of its elements.
    Sum,
    /// Their mean.
    Mean,
    /// The largest; equal ones share its gradient.
    Max,
    /// The smallest; equal ones share its gradient.
    Min,
}

/// `after(reduce(before(x)))` over all elements of a batch, the functions applied in order.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Term {
    /// Functions of each element.
    pub before: &'static [Elementary],
    /// What makes one number of them.
    pub reduce: Reduce,
    /// Functions of that number.
    pub after: &'static [Elementary],
}

/// Numbers of whole tensors, and their gradients.
pub trait Scalars: Memory {
    /// Adds the term of x, a tensor of at least one element, to each element of `to`.
    fn add_scalar(&self, term: Term, x: Self::Slice<'_>, to: Self::SliceMut<'_>);
    /// `d_x = Σ d · ∂term/∂x`.
    fn scalar_gradient(
        &self,
        term: Term,
        x: Self::Slice<'_>,
        d: Self::Slice<'_>,
        d_x: Self::SliceMut<'_>,
    );
}

on_hosts! {
    impl Scalars {
        fn add_scalar(&self, term: Term, x: Self::Slice<'_>, to: Self::SliceMut<'_>) {
            cpu::scalars::add_scalar(term, x, to);
        }

        fn scalar_gradient(
            &self,
            term: Term,
            x: Self::Slice<'_>,
            d: Self::Slice<'_>,
            d_x: Self::SliceMut<'_>,
        ) {
            cpu::scalars::scalar_gradient(term, x, d, d_x);
        }
    }
}
