//! Losses: one file each, with its formula, value and gradient.
//!
//! In a model they are named in [`Compile`](crate::model::Compile); on their own they are called with
//! arrays:
//!
//! ```
//! use keras_runtime::losses::{self, Huber};
//! use ndarray::array;
//!
//! let (y_true, y_pred) = (array![[0.0, 1.0], [0.0, 0.0]], array![[0.5, 1.0], [3.0, 0.0]]);
//! assert_eq!(Huber::new().call(&y_true, &y_pred, None)?, 0.65625);
//! assert_eq!(losses::huber(&y_true, &y_pred)?, array![0.0625, 1.25].into_dyn());
//! # Ok::<(), keras_runtime::Error>(())
//! ```

mod binary_crossentropy;
mod binary_focal_crossentropy;
mod catalogue;
mod categorical_crossentropy;
mod categorical_focal_crossentropy;
mod categorical_generalized_cross_entropy;
mod categorical_hinge;
mod check;
mod circle;
mod cosine_similarity;
mod crossentropy;
mod ctc;
mod dice;
pub(crate) mod expression;
mod hinge;
mod huber;
mod kl_divergence;
mod log_cosh;
mod mean_absolute_error;
mod mean_absolute_percentage_error;
mod mean_squared_error;
mod mean_squared_logarithmic_error;
mod poisson;
mod registry;
mod sparse_categorical_crossentropy;
mod squared_hinge;
mod standalone;
#[cfg(test)]
mod tests;
mod tversky;

pub use crate::device::Reduction;

pub use binary_crossentropy::BinaryCrossentropy;
pub(crate) use binary_crossentropy::BinaryEntropy;
pub use binary_focal_crossentropy::BinaryFocalCrossentropy;
pub use catalogue::*;
pub use categorical_crossentropy::CategoricalCrossentropy;
pub(crate) use categorical_crossentropy::CategoricalEntropy;
pub use categorical_focal_crossentropy::{Alpha, CategoricalFocalCrossentropy};
pub use categorical_generalized_cross_entropy::CategoricalGeneralizedCrossEntropy;
pub use categorical_hinge::CategoricalHinge;
pub(crate) use categorical_hinge::CategoricalMargin;
pub(crate) use check::{broadcast, classes, classes_along, same_shape, weights as check_weights};
pub use circle::Circle;
pub use cosine_similarity::CosineSimilarity;
pub(crate) use cosine_similarity::NegativeCosine;
pub use ctc::CTC;
pub use dice::Dice;
pub use hinge::Hinge;
pub(crate) use hinge::{Margin, Margins};
pub use huber::Huber;
pub(crate) use kl_divergence::Divergence;
pub use kl_divergence::KLDivergence;
pub use log_cosh::LogCosh;
pub(crate) use log_cosh::LogCoshError;
pub(crate) use mean_absolute_error::AbsoluteError;
pub use mean_absolute_error::MeanAbsoluteError;
pub(crate) use mean_absolute_percentage_error::AbsolutePercentageError;
pub use mean_absolute_percentage_error::MeanAbsolutePercentageError;
pub use mean_squared_error::MeanSquaredError;
pub(crate) use mean_squared_error::SquaredError;
pub use mean_squared_logarithmic_error::MeanSquaredLogarithmicError;
pub(crate) use mean_squared_logarithmic_error::SquaredLogarithmicError;
pub use poisson::Poisson;
pub(crate) use poisson::PoissonLikelihood;
pub use registry::register;
pub use sparse_categorical_crossentropy::SparseCategoricalCrossentropy;
pub(crate) use sparse_categorical_crossentropy::SparseEntropy;
pub use squared_hinge::SquaredHinge;
pub(crate) use squared_hinge::SquaredMargin;
pub use standalone::{call, values};
pub use tversky::Tversky;

use std::borrow::Cow;
use std::sync::Arc;

use crate::config::{self, Arguments, Config, Json, Read};
use crate::device::{
    Activation, Axes, BatchLoss, BatchView, ClassTargets, Device, LineLoss, Lines, RowLoss, Rows,
};
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

    /// A configuration with these options before its own arguments.
    pub fn describe(&self, config: Config) -> Config {
        config
            .with("name", self.name.to_string())
            .with("reduction", self.reduction)
    }

    /// Sets the option of a name; whether there is one.
    ///
    /// # Errors
    /// If the value does not fit it.
    pub fn read(&mut self, argument: &str, value: &Json) -> Result<bool> {
        match argument {
            "reduction" => config::read(&mut self.reduction, argument, value)?,
            "name" if !value.is_null() => self.rename(value.read::<String>(argument)?),
            // Everything is computed in `f32`.
            "name" | "dtype" => {}
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// The configuration of a loss of Keras' with these options.
    fn config(&self, class: &str, arguments: &dyn Arguments) -> Config {
        self.describe(Config::keras("keras.losses", class))
            .arguments(arguments)
    }

    /// Whether the reduction leaves one number.
    fn one_number(&self) -> Result<()> {
        if self.reduction != Reduction::None {
            return Ok(());
        }
        Err(Error::value(
            "A loss with the reduction `none` is not one number. Use `values` for the loss of each sample.",
        ))
    }
}

/// Defines a loss: its type, `new` with Keras' defaults, and a builder method for each argument. The
/// arguments after `into` are converted to their types; `config` is the table of [`arguments!`], for a
/// loss that has any.
macro_rules! loss {
    (
        $(#[$meta:meta])*
        $ty:ident, $name:literal {
            $($(#[$doc:meta])* $argument:ident: $kind:ty = $default:expr,)*
        }
        $(into { $($(#[$into_doc:meta])* $into:ident: $into_kind:ty = $into_default:expr,)+ })?
        $(config { $($config:tt)* })?
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug)]
        pub struct $ty {
            pub(super) options: $crate::losses::Options,
            $($argument: $kind,)*
            $($($into: $into_kind,)+)?
        }

        impl $ty {
            /// The loss with Keras' defaults.
            pub const fn new() -> Self {
                Self {
                    options: $crate::losses::Options::new($name),
                    $($argument: $default,)*
                    $($($into: $into_default,)+)?
                }
            }

            $($(#[$doc])*
            #[must_use]
            pub const fn $argument(mut self, $argument: $kind) -> Self {
                self.$argument = $argument;
                self
            })*

            $($($(#[$into_doc])*
            #[must_use]
            pub fn $into(mut self, $into: impl Into<$into_kind>) -> Self {
                self.$into = $into.into();
                self
            })+)?
        }

        $crate::losses::loss_config! { $ty { $($($config)*)? } }
    };
}
use loss;

/// The configuration of a loss with a field `options`, by the table of its arguments.
macro_rules! loss_config {
    ($ty:ident { $($arguments:tt)* }) => {
        impl $ty {
            /// Its class and arguments in Keras.
            pub fn config(&self) -> $crate::config::Config {
                self.options.config(stringify!($ty), self)
            }
        }

        $crate::config::arguments!($ty { $($arguments)* });
    };
}
use loss_config;

/// What a loss with a field `options` does in the same way as every other one.
macro_rules! options {
    () => {
        fn name(&self) -> &str {
            &self.options.name
        }

        fn config(&self) -> $crate::config::Config {
            self.config()
        }
    };
}
use options;

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
    /// To be written, where somebody wants them: the values that the loss is the sum or the mean of,
    /// without weights; see [`Loss::axes`].
    pub values: Option<D::SliceMut<'a>>,
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

    /// Computes a loss of whole batches: adds it to the sums, and writes the gradient and the values.
    pub fn batch_loss(self, loss: &dyn BatchLoss<D::Elem>, reduction: Reduction) {
        let batch = BatchView {
            samples: self.batch,
            y_true: self.y_true,
            y_true_shape: self.y_true_shape,
            y_pred: self.logits.unwrap_or(self.y_pred),
            y_pred_shape: self.y_pred_shape,
        };
        let gradient = self.gradient.map(|gradient| (gradient, self.weight));
        self.device.batch_loss(
            loss,
            reduction,
            batch,
            self.sample_weight,
            gradient,
            self.values,
            self.sums,
        );
    }

    /// Computes a loss of each line along some axes, as [`LossInput::batch_loss`] does.
    pub fn line_loss(self, loss: &dyn LineLoss<D::Elem>, axes: &Axes, reduction: Reduction) {
        let lines = Lines {
            function: loss,
            axes,
        };
        self.batch_loss(&lines, reduction);
    }
}

/// A function that training makes small.
pub trait Loss<D: Device>: Send + Sync {
    /// Its name, such as `mean_squared_error`.
    fn name(&self) -> &str;

    /// Its class and the arguments of its constructor, as Keras' files have them. By default it is a
    /// class of the user's own without arguments.
    fn config(&self) -> Config {
        Config::of_type::<Self>()
    }

    /// Whether its arguments are valid.
    ///
    /// # Errors
    /// With Keras' sentence, if they are not.
    fn check_arguments(&self) -> Result<()> {
        Ok(())
    }

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

    /// What Keras warns of before the first step: that predictions which end in this activation are
    /// probably not what the loss expects.
    fn warning(&self, activation: Activation, y_pred: &Shape) -> Option<String> {
        let _ = (activation, y_pred);
        None
    }

    /// The axes that its values do without: one value stands for each line along them.
    fn axes(&self) -> Axes {
        Axes::LAST
    }

    /// Adds the loss of a batch to the sums and writes its gradient.
    fn compute(&self, input: LossInput<'_, D>);
}

/// Computes a loss of rows that has vector units: along the last axis, and reduced to one number.
/// What is rarer is left to the same loss as one of lines.
pub(crate) fn row_loss<D: Device, L: RowLoss>(
    loss: L,
    of_line: &dyn LineLoss<D::Elem>,
    axis: isize,
    options: &Options,
    input: LossInput<'_, D>,
) {
    let rows = input.rows();
    let is_last = Axes::One(axis).is_last(&input.y_true_shape, &input.y_pred_shape);
    if !is_last || !is_common(rows, options, &input) {
        return input.line_loss(of_line, &Axes::One(axis), options.reduction);
    }
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

/// Computes the cross-entropy after a softmax whose input is the input's `logits`.
pub(crate) fn softmax_loss<D: Device>(
    targets: ClassTargets,
    of_logits: &dyn LineLoss<D::Elem>,
    options: &Options,
    input: LossInput<'_, D>,
) {
    let rows = input.rows();
    match input.logits {
        Some(logits) if is_common(rows, options, &input) => input.device.softmax_loss(
            targets,
            options.reduction,
            rows,
            input.y_true,
            [logits, input.y_pred],
            input.sample_weight,
            input.gradient.map(|gradient| (gradient, input.weight)),
            input.sums,
        ),
        _ => input.line_loss(of_logits, &Axes::LAST, options.reduction),
    }
}

/// Whether a loss of rows is reduced to one number, with no more than one weight for each row.
fn is_common<D: Device>(rows: Rows, options: &Options, input: &LossInput<'_, D>) -> bool {
    input.values.is_none()
        && options.reduction != Reduction::None
        && input.batch * input.weights_per_sample <= rows.rows
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

    /// The name, if it is one.
    fn given_name(&self) -> Option<&str> {
        None
    }

    /// The loss of each output: this one for all, unless [`Losses`] names them.
    ///
    /// # Errors
    /// If there is no loss of a name.
    fn into_losses(self) -> Result<LossArg<D>>
    where
        Self: Sized,
    {
        Ok(LossArg::Every(GivenLoss::new(self)?))
    }
}

/// A loss and the name it was given by, if it was.
pub struct GivenLoss<D: Device> {
    /// The loss.
    pub loss: Arc<dyn Loss<D>>,
    name: Option<String>,
}

impl<D: Device> Clone for GivenLoss<D> {
    fn clone(&self) -> Self {
        Self::named(self.loss.clone(), self.name.as_deref())
    }
}

impl<D: Device> GivenLoss<D> {
    /// A loss as it was given.
    ///
    /// # Errors
    /// If there is no loss of a name.
    pub fn new(loss: impl IntoLoss<D>) -> Result<Self> {
        Ok(Self {
            name: loss.given_name().map(str::to_owned),
            loss: loss.into_loss()?.into(),
        })
    }

    /// A loss that was found by this name, if there is one.
    pub(crate) fn named(loss: Arc<dyn Loss<D>>, name: Option<&str>) -> Self {
        Self {
            loss,
            name: name.map(str::to_owned),
        }
    }

    /// As Keras' files have it: the name it was given by, or its class and arguments.
    pub fn to_json(&self) -> Json {
        match &self.name {
            Some(name) if !is_known(name) => config::function(name),
            Some(name) => Json::from(name.as_str()),
            None => self.loss.config().to_json(),
        }
    }
}

/// The losses of a model's outputs.
pub enum LossArg<D: Device> {
    /// One for every output.
    Every(GivenLoss<D>),
    /// In the order of the outputs; those without one, and those after the last, have no loss.
    InOrder(Vec<Option<GivenLoss<D>>>),
    /// By the name of the output.
    ByOutput(Vec<(String, GivenLoss<D>)>),
}

/// A loss for each output, by name or in order.
pub struct Losses<D: Device> {
    losses: Vec<(Option<String>, MaybeLoss<D>)>,
}

/// A loss as it was given, or that there is none.
type MaybeLoss<D> = Option<Result<GivenLoss<D>>>;

impl<D: Device> Default for Losses<D> {
    fn default() -> Self {
        Self::new()
    }
}

impl<D: Device> Losses<D> {
    /// None yet: [`and`](Self::and) adds one by the name of its output, [`then`](Self::then) in their order.
    pub const fn new() -> Self {
        Self { losses: Vec::new() }
    }

    /// Pairs of an output's name and its loss. Where the outputs are a dictionary, one that is not
    /// named has no loss.
    pub fn by_output<L: IntoLoss<D>>(
        losses: impl IntoIterator<Item = (impl Into<String>, L)>,
    ) -> Self {
        Self {
            losses: losses
                .into_iter()
                .map(|(name, loss)| (Some(name.into()), Some(GivenLoss::new(loss))))
                .collect(),
        }
    }

    /// The losses of the outputs in their order; outputs after the last have no loss.
    pub fn in_order<L: IntoLoss<D>>(losses: impl IntoIterator<Item = L>) -> Self {
        Self {
            losses: losses
                .into_iter()
                .map(|loss| (None, Some(GivenLoss::new(loss))))
                .collect(),
        }
    }

    /// One more output and its loss.
    #[must_use]
    pub fn and(mut self, output: impl Into<String>, loss: impl IntoLoss<D>) -> Self {
        self.losses
            .push((Some(output.into()), Some(GivenLoss::new(loss))));
        self
    }

    /// The loss of the next output.
    #[must_use]
    pub fn then(mut self, loss: impl IntoLoss<D>) -> Self {
        self.losses.push((None, Some(GivenLoss::new(loss))));
        self
    }

    /// The next output has no loss.
    #[must_use]
    pub fn without(mut self) -> Self {
        self.losses.push((None, None));
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
        let (mut named, mut in_order) = (Vec::new(), Vec::new());
        for (name, loss) in self.losses {
            match (name, loss.transpose()?) {
                (Some(name), loss) => named.extend(loss.map(|loss| (name, loss))),
                (None, loss) => in_order.push(loss),
            }
        }
        match (named.is_empty(), in_order.is_empty()) {
            (true, _) => Ok(LossArg::InOrder(in_order)),
            (_, true) => Ok(LossArg::ByOutput(named)),
            _ => Err(Error::value(
                "`loss` names every output, or has the losses in the order of the outputs. Received: both",
            )),
        }
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

    fn given_name(&self) -> Option<&str> {
        Some(self)
    }
}
