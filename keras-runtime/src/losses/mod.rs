//! Losses: one file each, with its formula, value and gradient.

mod mean_squared_error;

pub use mean_squared_error::MeanSquaredError;
pub(crate) use mean_squared_error::SquaredError;

use std::sync::Arc;

use crate::device::{Activation, Device, RowLoss, Rows};
use crate::error::{Error, Result};
use crate::shape::Shape;

/// How the losses of a batch's rows become one number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reduction {
    /// Their (weighted) sum over the number of rows, weights or not.
    #[default]
    SumOverBatchSize,
    /// Their (weighted) sum.
    Sum,
    /// Their weighted sum over the sum of the weights.
    MeanWithSampleWeight,
}

/// What a loss is computed from, and where it goes.
pub struct LossInput<'a, D: Device> {
    /// The device.
    pub device: &'a D,
    /// The number of samples.
    pub batch: usize,
    /// The targets: (batch, ..y_true_shape).
    pub y_true: D::Slice<'a>,
    /// The shape of one sample's target.
    pub y_true_shape: Shape,
    /// The predictions: (batch, ..y_pred_shape).
    pub y_pred: D::Slice<'a>,
    /// The shape of one sample's prediction.
    pub y_pred_shape: Shape,
    /// The input of the model's last activation, where [`Loss::fuses`] has asked for it; then
    /// `gradient` is the gradient with regard to it.
    pub logits: Option<D::Slice<'a>>,
    /// A weight for each sample: (batch,), or for each row: (batch, ..).
    pub sample_weight: Option<D::Slice<'a>>,
    /// How many numbers `sample_weight` has for one sample.
    pub weights_per_sample: usize,
    /// To be written, all of it: the gradient of `weight` times the loss, as long as `y_pred`.
    pub gradient: Option<D::SliceMut<'a>>,
    /// The weight of this loss in the model's.
    pub weight: f32,
    /// The sum of the weights of all rows, if there are weights.
    pub weight_sum: Option<f32>,
    /// One number: the loss of the batch times `batch` is added to it.
    pub sums: D::SliceMut<'a>,
}

impl<D: Device> LossInput<'_, D> {
    /// The rows along the last axis.
    pub fn rows(&self) -> Rows {
        Rows::of(
            self.batch,
            &self.y_true_shape,
            &self.y_pred_shape,
            self.weights_per_sample,
        )
    }
}

/// A function that training makes small.
pub trait Loss<D: Device>: Send + Sync {
    /// Its name, such as `mean_squared_error`.
    fn name(&self) -> &str;

    /// Whether targets of one shape can be compared with predictions of another.
    ///
    /// # Errors
    /// With Keras' sentence, if they cannot.
    fn check(&self, y_true: &Shape, y_pred: &Shape) -> Result<()> {
        same_shape(y_true, y_pred)
    }

    /// Whether the targets themselves are valid, such as the numbers of classes.
    ///
    /// # Errors
    /// With Keras' sentence, if they are not.
    fn check_targets(&self, y_true: &[f32], y_pred: &Shape) -> Result<()> {
        let _ = (y_true, y_pred);
        Ok(())
    }

    /// Whether the loss is computed together with this last activation of the model.
    fn fuses(&self, activation: Activation) -> bool {
        let _ = activation;
        false
    }

    /// Adds the loss of a batch to the sums and writes its gradient.
    fn compute(&self, input: LossInput<'_, D>);
}

/// Whether targets have the shape of the predictions, or can be broadcast to it.
///
/// # Errors
/// If they cannot.
pub(crate) fn same_shape(y_true: &Shape, y_pred: &Shape) -> Result<()> {
    if y_true.size() == y_pred.size() {
        return Ok(());
    }
    Err(Error::value(format!(
        "Targets and predictions must have the same shape. Expected targets of shape {y_pred}. Received: targets of \
         shape {y_true}."
    )))
}

/// Computes a loss of rows: what most losses are.
pub(crate) fn row_loss<D: Device, L: RowLoss>(
    loss: L,
    reduction: Reduction,
    input: LossInput<'_, D>,
) {
    let rows = input.rows();
    let denominator = match reduction {
        Reduction::SumOverBatchSize => rows.rows as f32,
        Reduction::Sum => 1.0,
        Reduction::MeanWithSampleWeight => input.weight_sum.unwrap_or(rows.rows as f32),
    };
    let scale = if denominator == 0.0 {
        0.0
    } else {
        1.0 / denominator
    };
    let gradient = input
        .gradient
        .map(|gradient| (gradient, input.weight * scale));
    let batch = input.batch as f32;
    let y_pred = input.logits.unwrap_or(input.y_pred);
    input.device.row_loss(
        loss,
        rows,
        input.y_true,
        y_pred,
        input.sample_weight,
        gradient,
        scale * batch,
        input.sums,
    );
}

/// What [`Compile::new`](crate::model::Compile::new) takes as a loss: an object or a name.
pub trait IntoLoss<D: Device> {
    /// The loss.
    ///
    /// # Errors
    /// If there is no loss of this name.
    fn into_loss(self) -> Result<Box<dyn Loss<D>>>;

    /// The loss of each output: this one for all, unless [`Losses`] names them.
    ///
    /// # Errors
    /// If there is no loss of a name.
    fn into_losses(self) -> Result<LossArg<D>>
    where
        Self: Sized,
    {
        Ok(LossArg::Every(self.into_loss()?.into()))
    }
}

/// The losses of a model's outputs.
pub enum LossArg<D: Device> {
    /// One for every output.
    Every(Arc<dyn Loss<D>>),
    /// By the name of the output.
    ByOutput(Vec<(String, Arc<dyn Loss<D>>)>),
}

/// A loss for each output, by name.
pub struct Losses<D: Device> {
    losses: Vec<(String, Result<Box<dyn Loss<D>>>)>,
}

impl<D: Device> Losses<D> {
    /// Pairs of an output's name and its loss. An output that is not named has no loss.
    pub fn by_output<L: IntoLoss<D>>(
        losses: impl IntoIterator<Item = (impl Into<String>, L)>,
    ) -> Self {
        Self {
            losses: losses
                .into_iter()
                .map(|(name, loss)| (name.into(), loss.into_loss()))
                .collect(),
        }
    }

    /// One more output and its loss.
    #[must_use]
    pub fn and(mut self, output: impl Into<String>, loss: impl IntoLoss<D>) -> Self {
        self.losses.push((output.into(), loss.into_loss()));
        self
    }
}

impl<D: Device> IntoLoss<D> for Losses<D> {
    fn into_loss(self) -> Result<Box<dyn Loss<D>>> {
        Err(Error::value(
            "Expected one loss. Received: a loss for each output",
        ))
    }

    fn into_losses(self) -> Result<LossArg<D>> {
        let named = |(name, loss): (String, Result<Box<dyn Loss<D>>>)| Ok((name, loss?.into()));
        Ok(LossArg::ByOutput(
            self.losses.into_iter().map(named).collect::<Result<_>>()?,
        ))
    }
}

impl<D: Device> IntoLoss<D> for Box<dyn Loss<D>> {
    fn into_loss(self) -> Result<Box<dyn Loss<D>>> {
        Ok(self)
    }
}

impl<D: Device> IntoLoss<D> for &str {
    fn into_loss(self) -> Result<Box<dyn Loss<D>>> {
        by_name(self)
    }
}

/// Lists the losses with the names Keras knows them by.
macro_rules! catalogue {
    ($($ty:ident: $($name:literal)|+;)*) => {
        $(impl<D: Device> IntoLoss<D> for $ty {
            fn into_loss(self) -> Result<Box<dyn Loss<D>>> {
                Ok(Box::new(self))
            }
        })*

        /// The loss of a name, as `keras.losses.get` finds it.
        ///
        /// # Errors
        /// If there is none; the message suggests the nearest.
        pub fn by_name<D: Device>(name: &str) -> Result<Box<dyn Loss<D>>> {
            match name {
                $($($name)|+ => Ok(Box::new($ty::new())),)*
                _ => Err(Error::unknown("loss", name, &[$($($name),+),*])),
            }
        }
    };
}

catalogue! {
    MeanSquaredError: "MeanSquaredError" | "mean_squared_error" | "mse" | "MSE";
}
