//! What a loss is to a model: a name, which targets fit which predictions, and the loss of a batch with its
//! gradient.

use super::{Options, Reduction, broadcast};
use crate::config::Config;
use crate::device::{
    Activation, Axes, BatchLoss, BatchView, ClassTargets, Device, LineLoss, Lines, RowLoss, Rows,
};
use crate::error::Result;
use crate::shape::Shape;

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
