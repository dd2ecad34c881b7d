//! What the code of `#[loss]` calls.

use super::{LossInput, Options, check};
use crate::device::{Axes, Device, OfRow, Reduction, RowLoss, Rows};
use crate::error::Result;
use crate::shape::Shape;

/// Computes a loss that has a value for each row along the last axis.
pub fn row_loss<D: Device, L: RowLoss>(loss: L, options: &Options, input: LossInput<'_, D>) {
    super::row_loss(loss, &OfRow(loss), -1, options, input);
}

/// Computes a loss that has a value for each element.
pub fn element_loss<D: Device, L: RowLoss>(loss: L, options: &Options, input: LossInput<'_, D>) {
    if input.values.is_some() || options.reduction == Reduction::None {
        return input.line_loss(&OfRow(loss), &Axes::NONE, options.reduction);
    }
    let rows = Rows::of_elements(
        input.batch,
        &input.y_true_shape,
        &input.y_pred_shape,
        input.weights_per_sample,
    );
    input.device.row_loss(
        loss,
        options.reduction,
        rows,
        input.y_true,
        input.y_pred,
        input.sample_weight,
        input.gradient.map(|gradient| (gradient, input.weight)),
        input.sums,
    );
}

/// Whether targets can be compared with predictions element by element, or one with a whole row.
///
/// # Errors
/// With Keras' sentence, if they cannot.
pub fn broadcast(y_true: &Shape, y_pred: &Shape) -> Result<()> {
    check::broadcast(y_true, y_pred)
}

/// Whether targets are the numbers of classes.
///
/// # Errors
/// With Keras' sentence, if their shapes do not fit.
pub fn classes(y_true: &Shape, y_pred: &Shape) -> Result<()> {
    check::classes(y_true, y_pred)
}
