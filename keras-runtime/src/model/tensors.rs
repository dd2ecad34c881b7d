//! dfdx tensors of static shapes, in and out: what the generated `call` is made of.
//!
//! A shape that rustc has computed becomes a type through a [`Tag`], since a constant of this type
//! cannot be a generic argument itself. A tensor of another shape then does not compile.

use dfdx::shapes::{Const, Dim, Shape as DfdxShape};
use dfdx::tensor::{Tensor, TensorFromVec};
use ndarray::ArrayD;

use super::{Model, on_batch};
use crate::data::IntoColumns;
use crate::device::Cpu;
use crate::error::{Error, Result};
use crate::shape::Shape;

/// The shape of one sample: its rank, then the sizes of its axes, 0 where there is none.
pub struct Tag<
    const RANK: usize,
    const A: usize,
    const B: usize,
    const C: usize,
    const D: usize,
    const E: usize,
>;

/// A batch of samples of a shape.
pub trait StaticShape {
    /// Its shape, the samples first.
    type Batched<N: Dim>: DfdxShape;
}

macro_rules! ranks {
    ($($rank:literal: $($used:ident)*, $($unused:literal)*;)*) => {$(
        impl<$(const $used: usize),*> StaticShape for Tag<$rank, $($used,)* $($unused),*> {
            type Batched<N: Dim> = (N, $(Const<$used>,)*);
        }
    )*};
}

ranks! {
    0: , 0 0 0 0 0;
    1: A, 0 0 0 0;
    2: A B, 0 0 0;
    3: A B C, 0 0;
    4: A B C D, 0;
    5: A B C D E, ;
}

/// A batch of `N` samples of a shape.
pub type Batched<
    N,
    const RANK: usize,
    const A: usize,
    const B: usize,
    const C: usize,
    const D: usize,
    const E: usize,
> = Tensor<<Tag<RANK, A, B, C, D, E> as StaticShape>::Batched<N>, f32, Cpu>;

/// The rank of a `Tag`. What is not known, or has more axes than a tensor of dfdx, is no shape that
/// data has.
pub const fn static_rank(shape: &Shape) -> usize {
    if shape.is_full() && shape.rank() <= 5 {
        shape.rank()
    } else {
        0
    }
}

/// The size of an axis of a `Tag`.
pub const fn static_dim(shape: &Shape, axis: usize) -> usize {
    if axis < static_rank(shape) {
        shape.dim(axis)
    } else {
        0
    }
}

/// What `call` gives: a tensor for one output, a tuple for several.
pub trait FromOutputs: Sized {
    /// The tensors of the outputs, in order.
    ///
    /// # Errors
    /// If an output has another shape than was known when the model was compiled.
    fn from_outputs(outputs: &mut dyn Iterator<Item = ArrayD<f32>>) -> Result<Self>;
}

impl<S: DfdxShape> FromOutputs for Tensor<S, f32, Cpu> {
    fn from_outputs(outputs: &mut dyn Iterator<Item = ArrayD<f32>>) -> Result<Self> {
        let output = outputs.next().unwrap_or_default();
        let misfit = || {
            Error::value(format!(
                "`call` expects outputs whose shapes are known when the model is compiled. Received: an output of \
                 shape {:?}; `predict` takes all",
                output.shape()
            ))
        };
        let mut dims = S::Concrete::default();
        if output.ndim() != S::NUM_DIMS {
            return Err(misfit());
        }
        for (axis, &size) in output.shape().iter().enumerate() {
            dims[axis] = size;
        }
        let shape = S::from_concrete(&dims).ok_or_else(misfit)?;
        let values = output.into_raw_vec_and_offset().0;
        Cpu::default()
            .try_tensor_from_vec(values, shape)
            .map_err(|error| Error::Device(format!("{error:?}")))
    }
}

macro_rules! tuples {
    ($(($($output:ident)*))*) => {$(
        impl<$($output: FromOutputs),*> FromOutputs for ($($output,)*) {
            fn from_outputs(outputs: &mut dyn Iterator<Item = ArrayD<f32>>) -> Result<Self> {
                Ok(($($output::from_outputs(outputs)?,)*))
            }
        }
    )*};
}

tuples! { (A B) (A B C) (A B C D) (A B C D E) (A B C D E F) (A B C D E F G) (A B C D E F G H) }

/// The outputs of a model for a batch of tensors.
///
/// # Errors
/// As `predict`.
pub fn call<'a, M: Model, O: FromOutputs>(
    model: &mut M,
    inputs: impl IntoColumns<'a>,
) -> Result<O> {
    let outputs = on_batch::predict(model, inputs.into_inputs()?)?;
    O::from_outputs(&mut outputs.into_iter())
}
