//! Losses: one file each, with its formula, value and gradient.

mod binary_crossentropy;
mod categorical_crossentropy;
mod check;
mod crossentropy;
pub(crate) mod expression;
mod mean_absolute_error;
mod mean_squared_error;
mod sparse_categorical_crossentropy;
#[cfg(test)]
mod tests;

pub use crate::device::Reduction;

pub use binary_crossentropy::BinaryCrossentropy;
pub(crate) use binary_crossentropy::BinaryEntropy;
pub use categorical_crossentropy::CategoricalCrossentropy;
pub(crate) use categorical_crossentropy::CategoricalEntropy;
pub(crate) use check::{broadcast, classes, same_shape};
use crossentropy::Crossentropy;
pub(crate) use mean_absolute_error::AbsoluteError;
pub use mean_absolute_error::MeanAbsoluteError;
pub use mean_squared_error::MeanSquaredError;
pub(crate) use mean_squared_error::SquaredError;
pub use sparse_categorical_crossentropy::SparseCategoricalCrossentropy;
pub(crate) use sparse_categorical_crossentropy::SparseEntropy;

use std::borrow::Cow;
use std::sync::Arc;

use crate::device::on_hosts;
use crate::device::{Activation, ClassTargets, Device, RowLoss, Rows};
use crate::error::{Error, Result};
use crate::shape::Shape;

/// What every loss can be told, by the builder methods `name` and `reduction`.
#[derive(Clone, Debug)]
pub struct Options {
    name: Cow<'static, str>,
    /// How the rows of a batch become one number.
    pub reduction: Reduction,
}

impl Options {
    /// Keras' defaults, with a name.
    pub const fn new(name: &'static str) -> Self {
        Self {
            name: Cow::Borrowed(name),
            reduction: Reduction::SumOverBatchSize,
        }
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Gives the loss another name.
    pub fn rename(&mut self, name: impl Into<String>) {
        self.name = Cow::Owned(name.into());
    }
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
        broadcast(y_true, y_pred)
    }

    /// Whether the targets themselves are valid, such as the numbers of classes. Their shape and
    /// that of the predictions have been checked.
    ///
    /// # Errors
    /// With Keras' sentence, if they are not.
    fn check_targets(&self, values: &[f32], y_true: &Shape, y_pred: &Shape) -> Result<()> {
        let _ = (values, y_true, y_pred);
        Ok(())
    }

    /// Whether the loss is computed together with this last activation of the model, for targets
    /// and predictions of these shapes.
    fn fuses(&self, activation: Activation, y_true: &Shape, y_pred: &Shape) -> bool {
        let _ = (activation, y_true, y_pred);
        false
    }

    /// Adds the loss of a batch to the sums and writes its gradient.
    fn compute(&self, input: LossInput<'_, D>);
}

/// Computes a loss of rows: what most losses are.
pub(crate) fn row_loss<D: Device, L: RowLoss>(loss: L, options: &Options, input: LossInput<'_, D>) {
    let rows = input.rows();
    let gradient = input.gradient.map(|gradient| (gradient, input.weight));
    let y_pred = input.logits.unwrap_or(input.y_pred);
    input.device.row_loss(
        loss,
        options.reduction,
        rows,
        input.y_true,
        y_pred,
        input.sample_weight,
        gradient,
        input.sums,
    );
}

/// Computes the cross-entropy after a softmax whose input is `logits`.
pub(crate) fn softmax_loss<'a, D: Device>(
    targets: ClassTargets,
    logits: D::Slice<'a>,
    options: &Options,
    input: LossInput<'a, D>,
) {
    let rows = input.rows();
    input.device.softmax_loss(
        targets,
        options.reduction,
        rows,
        input.y_true,
        [logits, input.y_pred],
        input.sample_weight,
        input.gradient.map(|gradient| (gradient, input.weight)),
        input.sums,
    );
}

/// What [`Compile::new`](crate::model::Compile::new) takes as a loss: an object or a name.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a loss",
    label = "expected a loss such as `MeanSquaredError::new()`, or its name in Keras"
)]
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
    losses: Vec<(String, Result<BoxedLoss<D>>)>,
}

type BoxedLoss<D> = Box<dyn Loss<D>>;

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
        let named = |(name, loss): (String, Result<BoxedLoss<D>>)| Ok((name, loss?.into()));
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

impl<D: LossCatalogue> IntoLoss<D> for &str {
    fn into_loss(self) -> Result<Box<dyn Loss<D>>> {
        by_name(self)
    }
}

/// The losses of a device by their names. Implemented for each device and not for all at once, so
/// that they are compiled in this crate and not in every crate that names one.
pub trait LossCatalogue: Device {
    /// See [`by_name`].
    ///
    /// # Errors
    /// If there is none; the message suggests the nearest.
    fn loss(name: &str) -> Result<Box<dyn Loss<Self>>>;
}

on_hosts! {
    impl LossCatalogue {
        fn loss(name: &str) -> Result<Box<dyn Loss<Self>>> {
            find(name)
        }
    }
}

/// Lists the losses with the names Keras knows them by, and gives each the builder methods that all
/// losses have.
macro_rules! catalogue {
    ($($ty:ident: $($name:literal)|+;)*) => {
        $(impl $ty {
            /// Another name than the default one.
            #[must_use]
            pub fn name(mut self, name: impl Into<String>) -> Self {
                self.options.name = Cow::Owned(name.into());
                self
            }

            /// How the rows of a batch become one number.
            #[must_use]
            pub const fn reduction(mut self, reduction: Reduction) -> Self {
                self.options.reduction = reduction;
                self
            }
        }

        impl Default for $ty {
            fn default() -> Self {
                Self::new()
            }
        }

        impl<D: Device> IntoLoss<D> for $ty {
            fn into_loss(self) -> Result<Box<dyn Loss<D>>> {
                Ok(Box::new(self))
            }
        })*

        /// The loss of a name, as `keras.losses.get` finds it; `crossentropy` and `ce` are the one
        /// that fits the shapes of the data.
        ///
        /// # Errors
        /// If there is none; the message suggests the nearest.
        pub fn by_name<D: LossCatalogue>(name: &str) -> Result<Box<dyn Loss<D>>> {
            D::loss(name)
        }

        fn find<D: Device>(name: &str) -> Result<Box<dyn Loss<D>>> {
            match name {
                $($($name)|+ => Ok(Box::new($ty::new())),)*
                _ if ["crossentropy", "ce"].contains(&name.to_lowercase().as_str()) => {
                    Ok(Box::new(Crossentropy::new()))
                }
                _ => Err(Error::unknown("loss", name, &["crossentropy", $($($name),+),*])),
            }
        }
    };
}

catalogue! {
    MeanSquaredError: "MeanSquaredError" | "mean_squared_error" | "mse" | "MSE";
    MeanAbsoluteError: "MeanAbsoluteError" | "mean_absolute_error" | "mae" | "MAE";
    BinaryCrossentropy: "BinaryCrossentropy" | "binary_crossentropy" | "bce" | "BCE";
    CategoricalCrossentropy: "CategoricalCrossentropy" | "categorical_crossentropy";
    SparseCategoricalCrossentropy: "SparseCategoricalCrossentropy" | "sparse_categorical_crossentropy";
}
