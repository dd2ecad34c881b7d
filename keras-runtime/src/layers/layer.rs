//! The trait of everything that runs as a layer, and what it is given to run with.

use std::mem::ManuallyDrop;
use std::ops::Range;

use crate::config::Config;
use crate::device::{Activation, Device};
use crate::random::Key;
use crate::regularizers::Regularizer;
use crate::shape::Shape;

/// A value with its shape: what a layer reads.
pub struct Tensor<'a, D: Device> {
    /// The numbers: (batch, ..shape).
    pub data: D::Slice<'a>,
    /// The shape of one sample.
    pub shape: Shape,
}

impl<D: Device> Clone for Tensor<'_, D> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<D: Device> Copy for Tensor<'_, D> {}

/// Weights of one layer, to read, in the order of its `weights`.
pub struct Params<'a, D: Device> {
    pub(crate) buffer: &'a D::Buffer,
    pub(crate) ranges: &'a [Range<usize>],
}

impl<'a, D: Device> Params<'a, D> {
    /// The weight at `index`.
    pub fn get(&self, index: usize) -> D::Slice<'a> {
        D::slice(self.buffer, self.ranges[index].clone())
    }
}

/// Weights of one layer, or their gradients, to write: taken one after the other, in order.
pub struct ParamsMut<'a, D: Device> {
    pub(crate) slice: D::SliceMut<'a>,
    pub(crate) ranges: &'a [Range<usize>],
}

impl<'a, D: Device> ParamsMut<'a, D> {
    /// How many are left.
    pub fn count(&self) -> usize {
        self.ranges.len()
    }

    /// The next one and the rest.
    pub fn next(self) -> (D::SliceMut<'a>, Self) {
        let Some((range, ranges)) = self.ranges.split_first() else {
            let (empty, slice) = D::split(self.slice, 0);
            return (empty, Self { slice, ranges: &[] });
        };
        let (first, slice) = D::split(self.slice, range.len());
        (first, Self { slice, ranges })
    }
}

/// Memory a call asks for besides its output, in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Workspace {
    /// What the forward pass leaves for the backward pass.
    pub kept: usize,
    /// What is needed only while a pass runs.
    pub scratch: usize,
}

/// Where a layer that ends in an activation has the input of that activation.
///
/// Softmax and sigmoid followed by their cross-entropy are computed from it together, which is
/// stable and cheaper.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Logits {
    /// Nowhere, or there is no activation.
    None,
    /// It is the layer's input.
    Input(Activation),
    /// It is the first part of [`Forward::kept`], as long as the output.
    Kept(Activation),
}

/// What a forward pass through a layer reads and writes.
pub struct Forward<'a, D: Device> {
    /// The device.
    pub device: &'a D,
    /// The number of samples.
    pub batch: usize,
    /// Training or inference.
    pub training: bool,
    /// False if the layer is frozen.
    pub trainable: bool,
    /// The inputs.
    pub inputs: &'a [Tensor<'a, D>],
    /// To be written, all of it: (batch, ..output_shape).
    pub output: D::SliceMut<'a>,
    /// The shape of one sample of the output.
    pub output_shape: Shape,
    /// The trained weights.
    pub weights: Params<'a, D>,
    /// The weights that the layer updates by itself; only training may change them.
    pub state: ParamsMut<'a, D>,
    /// As long as [`Layer::workspace`] asked for, kept for the backward pass.
    pub kept: D::SliceMut<'a>,
    /// As long as [`Layer::workspace`] asked for, at least.
    pub scratch: D::SliceMut<'a>,
    /// The key of this layer's random numbers in this step.
    pub key: Key,
}

/// What a backward pass through a layer reads and writes.
pub struct Backward<'a, D: Device> {
    /// The device.
    pub device: &'a D,
    /// The number of samples.
    pub batch: usize,
    /// Whether the forward pass was one of training.
    pub training: bool,
    /// False if the layer is frozen.
    pub trainable: bool,
    /// The inputs of the forward pass.
    pub inputs: &'a [Tensor<'a, D>],
    /// Its output: (batch, ..output_shape).
    pub output: D::Slice<'a>,
    /// The shape of one sample of the output.
    pub output_shape: Shape,
    /// The gradient of the loss with regard to the output; the layer may overwrite it.
    pub d_output: D::SliceMut<'a>,
    /// True if `d_output` is the gradient with regard to the layer's logits, see [`Logits`]: its
    /// last activation has been dealt with.
    pub from_logits: bool,
    /// See [`d_input`](Backward::d_input). Without destructors, so that the slice may be borrowed
    /// for as long as its views live.
    pub(crate) d_inputs: &'a mut [ManuallyDrop<Option<D::SliceMut<'a>>>],
    /// The trained weights.
    pub weights: Params<'a, D>,
    /// To be written, all of it: the gradients of the trained weights; `None` if the layer is
    /// frozen.
    pub d_weights: Option<ParamsMut<'a, D>>,
    /// The weights that the layer updates by itself.
    pub state: Params<'a, D>,
    /// What the forward pass left.
    pub kept: D::SliceMut<'a>,
    /// As long as [`Layer::workspace`] asked for, at least.
    pub scratch: D::SliceMut<'a>,
    /// The key that the forward pass had.
    pub key: Key,
}

impl<'a, D: Device> Backward<'a, D> {
    /// The place for the gradient with regard to the input at `index`, to be written, all of it;
    /// `None` if nobody needs it. Taken once.
    pub fn d_input(&mut self, index: usize) -> Option<D::SliceMut<'a>> {
        self.d_inputs
            .get_mut(index)
            .and_then(|d_input| d_input.take())
    }
}

/// What runs as a layer of a model, on every device.
///
/// The other half of a layer are its inherent `const fn`s `output_shape` and `weights`; see the
/// [module](crate::layers).
pub trait Layer: Copy + Send + Sync + 'static {
    /// Its class and the arguments of its constructor, as Keras' files have them. By default it is a
    /// class of the user's own without arguments.
    fn config(&self) -> Config {
        Config::of_type::<Self>()
    }

    /// The memory that a call on `batch` samples needs besides its output.
    fn workspace(&self, inputs: &[Shape], output: &Shape, batch: usize) -> Workspace {
        let _ = (inputs, output, batch);
        Workspace::default()
    }

    /// Whether the output is the input, number for number: then nothing is computed or copied,
    /// and neither [`forward`](Layer::forward) nor [`backward`](Layer::backward) is called.
    fn is_view(&self, training: bool) -> bool {
        let _ = training;
        false
    }

    /// Where the input of the layer's last activation is.
    fn logits(&self) -> Logits {
        Logits::None
    }

    /// For a layer whose input are numbers of rows: how many rows there are. Whatever the user feeds to
    /// such a layer has to be whole numbers below that, which is checked before the first step.
    fn indices_below(&self) -> Option<usize> {
        None
    }

    /// The penalty on the output that is added to the loss, divided by the number of samples. The
    /// layer has no [`logits`](Layer::logits) where there is one.
    fn activity_regularizer(&self) -> Regularizer {
        Regularizer::None
    }

    /// Writes the output.
    fn forward<D: Device>(&self, cx: Forward<'_, D>);

    /// Writes the gradients of the inputs and of the weights.
    fn backward<D: Device>(&self, cx: Backward<'_, D>);
}
