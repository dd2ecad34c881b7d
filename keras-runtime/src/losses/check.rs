//! Which shapes of targets fit which predictions, in Keras' words.

use crate::device::{Activation, Axes};
use crate::error::{Error, Result};
use crate::shape::Shape;

/// Whether targets can be compared with predictions element by element: they have the same shape,
/// give or take a last axis of size 1.
///
/// # Errors
/// If they cannot.
pub(crate) fn same_shape(y_true: &Shape, y_pred: &Shape) -> Result<()> {
    if squeezed(y_true, y_pred) == squeezed(y_pred, y_true) {
        return Ok(());
    }
    Err(Error::value(format!(
        "Arguments `target` and `output` must have the same shape. Received: target.shape={y_true}, \
         output.shape={y_pred}"
    )))
}

/// As [`same_shape`], or one target stands beside a whole row of predictions.
///
/// # Errors
/// If the targets fit neither way.
pub(crate) fn broadcast(y_true: &Shape, y_pred: &Shape) -> Result<()> {
    let (targets, outer) = match (y_true.dims(), y_pred.dims()) {
        ([targets @ .., 1], [outer @ .., _]) => (targets, outer),
        // (batch,) are (batch, 1).
        ([], [_]) => return Ok(()),
        _ => return same_shape(y_true, y_pred),
    };
    if targets == outer {
        return Ok(());
    }
    same_shape(y_true, y_pred)
}

/// Whether there is one class number for each row of predictions.
///
/// # Errors
/// If there is not.
pub(crate) fn classes(y_true: &Shape, y_pred: &Shape) -> Result<()> {
    let fits = match (y_true.dims(), y_pred.dims()) {
        ([targets @ .., 1], [outer @ .., _]) if targets == outer => true,
        (targets, [outer @ .., _]) => targets == outer,
        (_, []) => false,
    };
    if fits {
        return Ok(());
    }
    Err(Error::value(format!(
        "Arguments `target` and `output` must have the same shape up until the last dimension: \
         target.shape={y_true}, output.shape={y_pred}"
    )))
}

/// As [`classes`], for classes along another axis of the predictions, the samples being axis 0.
///
/// # Errors
/// If there is not one class number for each of the other places.
pub(crate) fn classes_along(axis: isize, y_true: &Shape, y_pred: &Shape) -> Result<()> {
    let axes = Axes::One(axis);
    axes.check(y_true, y_pred)?;
    if axes.is_last(y_true, y_pred) {
        return classes(y_true, y_pred);
    }
    let places = axes.rest(1, y_true, y_pred);
    let is_single = axes.width(y_true, y_pred).is_some() && places.len() == y_pred.rank();
    let fits = match y_true.rank() == y_pred.rank() {
        true => axes.width(y_pred, y_true) == Some(1) && axes.rest(1, y_pred, y_true) == places,
        false => y_true.dims() == &places[1..],
    };
    if is_single && fits {
        return Ok(());
    }
    Err(Error::value(format!(
        "Arguments `target` and `output` must have the same shape up until the last dimension: \
         target.shape={y_true}, output.shape={y_pred}"
    )))
}

/// Whether the weights of a sample go with the values of a loss that does without some axes: one for
/// the sample, or one for each place of the values' first axes.
///
/// # Errors
/// If they do not.
pub(crate) fn weights(axes: &Axes, y_true: &Shape, y_pred: &Shape, weights: &Shape) -> Result<()> {
    let ones = weights.dims().iter().rev().take_while(|dim| **dim == 1);
    let dims = &weights.dims()[..weights.rank() - ones.count()];
    if dims.is_empty() {
        return Ok(());
    }
    let values = axes.rest(1, y_true, y_pred);
    // One value of everything takes any number of weights.
    let Some((_, values)) = values.split_first() else {
        return Ok(());
    };
    if values.starts_with(dims) {
        return Ok(());
    }
    Err(Error::value(format!(
        "`sample_weight` must be broadcastable to the values of the loss, which have shape {}. Received: \
         sample_weight.shape={weights}",
        Shape::new(values)
    )))
}

/// Whether every target is the number of one of `count` classes, or `ignored`.
///
/// # Errors
/// If one is not.
pub(crate) fn class_numbers(y_true: &[f32], count: usize, ignored: Option<f32>) -> Result<()> {
    let is_class = |label: f32| label >= 0.0 && label < count as f32 && label.fract() == 0.0;
    let wrong = y_true
        .iter()
        .find(|label| !is_class(**label) && Some(**label) != ignored);
    let Some(label) = wrong else { return Ok(()) };
    if label.fract() == 0.0 {
        return Err(Error::value(format!(
            "Received a label value of {label} which is outside the valid range of [0, {count})."
        )));
    }
    Err(Error::value(format!(
        "Expected the number of a class as the label. Received a label value of {label} which is not a whole number."
    )))
}

/// Keras' warning about a loss of logits whose predictions are probabilities already.
pub(super) fn no_logits(name: &str, from_logits: bool, activation: Activation) -> Option<String> {
    let producer = match activation {
        Activation::Softmax => "Softmax",
        Activation::Sigmoid => "Sigmoid",
        _ => return None,
    };
    from_logits.then(|| {
        format!(
            "`{name}` received `from_logits=True`, but the `output` argument was produced by a {producer} activation \
             and thus does not represent logits. Was this intended?"
        )
    })
}

/// Keras' warning about the probability of a single class.
pub(super) fn one_class(name: &str, y_pred: &Shape) -> Option<String> {
    (y_pred.rank() > 0 && y_pred.last() == 1).then(|| {
        format!(
            "In loss {name}, expected y_pred.shape to be (batch_size, num_classes) with num_classes > 1. Received: \
             y_pred.shape={y_pred}. Consider using 'binary_crossentropy' if you only have 2 classes."
        )
    })
}

/// As [`same_shape`], for targets that are one-hot labels, or probabilities of classes.
pub(super) fn one_hot(y_true: &Shape, y_pred: &Shape) -> Result<()> {
    let are_numbers = classes(y_true, y_pred).is_ok();
    let right = "Labels that are the numbers of classes go with 'sparse_categorical_crossentropy'.";
    same_shape(y_true, y_pred).map_err(|error| with_hint(error, are_numbers, right))
}

/// As [`classes_along`], for a loss that has a sibling for one-hot labels.
pub(super) fn sparse(axis: isize, y_true: &Shape, y_pred: &Shape) -> Result<()> {
    let are_one_hot = y_true == y_pred;
    let right = "One-hot labels go with 'categorical_crossentropy'.";
    classes_along(axis, y_true, y_pred).map_err(|error| with_hint(error, are_one_hot, right))
}

/// What would be right for labels of the other kind.
fn with_hint(error: Error, is_other: bool, hint: &str) -> Error {
    match error {
        Error::Value(message) if is_other => Error::Value(format!("{message}. {hint}")),
        error => error,
    }
}

/// A shape without a last axis of size 1 that the other one does not have.
fn squeezed<'a>(shape: &'a Shape, other: &Shape) -> &'a [usize] {
    match shape.dims() {
        [outer @ .., 1] if outer.len() == other.rank() => outer,
        dims => dims,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLASSES: Shape = Shape::new(&[5, 3]);

    #[test]
    fn a_last_axis_of_one_makes_no_difference() {
        let (scalar, one) = (Shape::SCALAR, Shape::new(&[1]));
        for (y_true, y_pred) in [(scalar, one), (one, scalar), (one, one), (scalar, scalar)] {
            assert_eq!(same_shape(&y_true, &y_pred), Ok(()));
        }
        assert_eq!(same_shape(&CLASSES, &Shape::new(&[5, 3, 1])), Ok(()));
    }

    #[test]
    fn one_target_stands_beside_a_row_of_predictions() {
        assert_eq!(broadcast(&Shape::new(&[1]), &Shape::new(&[10])), Ok(()));
        assert_eq!(broadcast(&Shape::SCALAR, &Shape::new(&[10])), Ok(()));
        assert_eq!(broadcast(&Shape::new(&[5, 1]), &CLASSES), Ok(()));
        assert!(broadcast(&Shape::new(&[3, 5]), &CLASSES).is_err());
        assert!(broadcast(&Shape::new(&[15]), &CLASSES).is_err());
    }

    #[test]
    fn shapes_that_differ_are_named() {
        let error = same_shape(&Shape::new(&[1]), &Shape::new(&[10])).unwrap_err();
        let expected = "Arguments `target` and `output` must have the same shape. Received: \
                        target.shape=(None, 1), output.shape=(None, 10)";
        assert_eq!(error.to_string(), expected);
        let error = classes(&Shape::new(&[3]), &Shape::new(&[3])).unwrap_err();
        let expected = "Arguments `target` and `output` must have the same shape up until the last dimension: \
                        target.shape=(None, 3), output.shape=(None, 3)";
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn labels_of_the_other_kind_are_recognised() {
        let (numbers, probabilities) = (Shape::SCALAR, Shape::new(&[10]));
        let error = one_hot(&numbers, &probabilities).unwrap_err();
        let expected = "Arguments `target` and `output` must have the same shape. Received: target.shape=(None,), \
                        output.shape=(None, 10). Labels that are the numbers of classes go with \
                        'sparse_categorical_crossentropy'.";
        assert_eq!(error.to_string(), expected);
        let error = sparse(-1, &probabilities, &probabilities).unwrap_err();
        let expected = "Arguments `target` and `output` must have the same shape up until the last dimension: \
                        target.shape=(None, 10), output.shape=(None, 10). One-hot labels go with \
                        'categorical_crossentropy'.";
        assert_eq!(error.to_string(), expected);
        let error = one_hot(&Shape::new(&[3]), &probabilities).unwrap_err();
        assert!(!error.to_string().contains("go with"), "{error}");
    }

    #[test]
    fn classes_have_one_axis_less_or_a_last_axis_of_one() {
        for y_true in [Shape::new(&[5]), Shape::new(&[5, 1])] {
            assert_eq!(classes(&y_true, &CLASSES), Ok(()));
        }
        assert_eq!(classes(&Shape::SCALAR, &Shape::new(&[3])), Ok(()));
        assert!(classes(&Shape::new(&[3]), &CLASSES).is_err());
    }

    #[test]
    fn labels_are_numbers_of_classes() {
        assert_eq!(class_numbers(&[0.0, 1.0], 2, None), Ok(()));
        assert_eq!(class_numbers(&[0.0, -1.0], 2, Some(-1.0)), Ok(()));
        let error = class_numbers(&[0.0, 5.0], 2, None).unwrap_err();
        let expected = "Received a label value of 5 which is outside the valid range of [0, 2).";
        assert_eq!(error.to_string(), expected);
        for label in [-1.0, 0.5, f32::NAN, f32::INFINITY] {
            assert!(class_numbers(&[label], 2, None).is_err(), "{label}");
        }
    }
}
