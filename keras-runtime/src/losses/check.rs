//! Which shapes of targets fit which predictions, in Keras' words.

use crate::device::Axes;
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
