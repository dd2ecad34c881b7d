//! What is not valid, in the sentences of Keras.

use super::*;

#[test]
fn arguments_are_checked_with_the_sentences_of_keras() {
    let error = |name: &str, config: &[(&str, Json)]| {
        let loss = of_config::<Cpu>(name, config);
        loss.err()
            .map(|error| error.to_string())
            .unwrap_or_default()
    };
    assert_eq!(
        error("CategoricalGeneralizedCrossEntropy", &[("q", 1.5.into())]),
        "q must be in the interval (0, 1). Received: q=1.5"
    );
    assert!(IntoLoss::<Cpu>::into_loss(CategoricalGeneralizedCrossEntropy::new().q(0.0)).is_err());
    assert_eq!(
        error("Huber", &[("reduction", "average".into())]),
        "Invalid value for argument `reduction`. Expected one of {None, 'none', 'mean', 'sum', \
         'sum_over_batch_size', 'mean_with_sample_weight'}. Received: reduction=average"
    );
    assert_eq!(
        error("Huber", &[("delta", "large".into())]),
        "Invalid value for argument `delta`. Expected a number. Received: delta=\"large\""
    );
    assert_eq!(
        error("Huber", &[("slope", 1.0.into())]),
        "Huber got an unexpected keyword argument `slope`"
    );
    // What is null has its default; numbers are computed in `f32`.
    let config = [
        ("axis", Json::Null),
        ("name", "mine".into()),
        ("dtype", "float32".into()),
    ];
    let loss = of_config::<Cpu>("Dice", &config).expect("arguments of Keras");
    assert_eq!((loss.name(), loss.axes()), ("mine", Axes::All));
}

#[test]
fn shapes_and_targets_are_checked_with_the_sentences_of_keras() {
    let (image, row) = (Shape::new(&[4, 5]), Shape::new(&[5]));
    let error = |loss: &dyn Loss<Cpu>, y_true: &Shape, y_pred: &Shape| {
        loss.check(y_true, y_pred)
            .map_err(|error| error.to_string())
            .unwrap_err()
    };
    let outside = "axis 5 is out of bounds for array of dimension 3";
    assert_eq!(error(&Dice::new().axis([1, 5]), &image, &image), outside);
    assert_eq!(
        error(&CosineSimilarity::new().axis(5), &image, &image),
        outside
    );
    assert_eq!(
        error(&BinaryCrossentropy::new().axis(5), &image, &image),
        outside
    );
    assert!(
        error(&Dice::new(), &row, &image).starts_with("Arguments `target` and `output` must have")
    );
    assert_eq!(
        error(
            &CategoricalFocalCrossentropy::new().alpha([0.5, 0.5]),
            &row,
            &row
        ),
        "`alpha` must be one number, or one for each of the 5 classes. Received: alpha=[0.5, 0.5]"
    );
    assert_eq!(
        error(&CTC::new(), &image, &image),
        "Targets `y_true` are expected to be a tensor of shape `(batch_size, max_length)` in integer format. \
         Received: y_true.shape=(None, 4, 5)"
    );
    assert_eq!(
        error(&CTC::new(), &row, &row),
        "Logits `y_pred` are expected to be a tensor of shape `(batch_size, max_length, num_classes)`. \
         Received: y_pred.shape=(None, 5)"
    );
    let sparse = SparseCategoricalCrossentropy::new().axis(1);
    assert!(Loss::<Cpu>::check(&sparse, &row, &image).is_ok());
    assert!(Loss::<Cpu>::check(&sparse, &Shape::new(&[4]), &image).is_err());

    let refused = |loss: &dyn Loss<Cpu>, values: &[f32], y_true: &Shape| {
        let checked = loss.check_targets(values, y_true, &image);
        checked.map_err(|error| error.to_string()).unwrap_err()
    };
    assert_eq!(
        refused(&CTC::new(), &[5.0], &Shape::new(&[1])),
        "Received a label value of 5 which is outside the valid range of [0, 5)."
    );
    assert_eq!(
        refused(&CTC::new(), &[1.0, 1.0, 1.0], &Shape::new(&[3])),
        "A label of 3 symbols, 2 of them like the one before, needs 5 steps. Received: y_pred.shape=(None, 4, 5)"
    );
    assert!(
        Loss::<Cpu>::check_targets(&CTC::new(), &[1.0, 1.0, 2.0], &Shape::new(&[3]), &image)
            .is_ok()
    );
    // The axis of the classes has size 4.
    assert!(Loss::<Cpu>::check_targets(&sparse, &[3.0], &row, &image).is_ok());
    assert!(Loss::<Cpu>::check_targets(&sparse, &[4.0], &row, &image).is_err());
}
