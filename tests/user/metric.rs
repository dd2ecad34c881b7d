//! `#[metric]`: means of functions, and structs with weights.

use keras::metrics::{Metric, Values};
use keras::prelude::*;
use ndarray::{Array1, Array2, ArrayD, arr1, arr2};

#[metric]
pub struct BinaryTruePositives {
    #[weight(zeros)]
    true_positives: f32,
}

#[metric]
impl BinaryTruePositives {
    fn update_state(&mut self, y_true: Tensor, y_pred: Tensor, sample_weight: Option<Tensor>) {
        let hit = y_true.cast_bool() & y_pred.cast_bool();
        self.true_positives += sum(weighted(hit, sample_weight));
    }
    fn result(&self) -> f32 {
        self.true_positives
    }
}

#[metric]
fn mean_prediction(y_true: Tensor, y_pred: Tensor) -> Tensor {
    mean(y_pred, axis = -1)
}

#[metric]
fn squares(y_true: Tensor, y_pred: Tensor) -> Tensor {
    mean(square(y_true - y_pred), axis = -1)
}

/// How often the class is the likeliest.
#[metric]
fn right_class(label: Tensor, p: Tensor) -> Tensor {
    argmax(p, axis = -1) == max(label, axis = -1)
}

/// The share of predictions on the right side, each element for itself.
#[metric]
fn sides(y_true: Tensor, y_pred: Tensor, #[default(0.5)] threshold: f32) -> Tensor {
    equal((y_pred > threshold).cast_float(), y_true)
}

/// Precision and recall in one, from two passes over the batch, for predictions that are compared
/// with their own mean.
#[metric]
pub struct Quality {
    /// Added below.
    #[default(0.0)]
    smoothing: f32,
    #[weight(zeros)]
    hits: f32,
    #[weight(zeros)]
    predicted: f32,
    #[weight(ones)]
    positives: f32,
    #[weight(-1.0)]
    largest: f32,
}

#[metric]
impl Quality {
    fn update_state(&mut self, y_true: Tensor, y_pred: Tensor, sample_weight: Option<Tensor>) {
        let limit = mean(y_pred);
        let is_predicted = y_pred > limit;
        self.hits += sum(weighted(is_predicted & y_true.cast_bool(), sample_weight));
        self.predicted += sum(weighted(is_predicted, sample_weight));
        self.positives += sum(weighted(y_true, sample_weight));
        self.largest = maximum(self.largest, max(sum(y_pred, axis = -1)));
    }
    fn result(&self) -> Dict {
        Dict {
            precision: self.hits / (self.predicted + self.smoothing),
            recall: self.hits / (self.positives - 1 + self.smoothing),
            largest: self.largest,
        }
    }
}

const CLASSES: usize = 3;

/// The accuracy of each class, and how often each was the likeliest.
#[metric]
pub struct ClassAccuracy {
    #[weight(0.5)]
    batches: f32,
    #[weight(zeros)]
    hits: [f32; CLASSES],
    #[weight(ones)]
    seen: [f32; CLASSES],
}

#[metric]
impl ClassAccuracy {
    fn update_state(&mut self, label: Tensor, p: Tensor, sample_weight: Option<Tensor>) {
        let class = one_hot(label);
        let chosen = one_hot(argmax(p, axis = -1, keepdims = true));
        self.hits += sum(weighted(class * chosen, sample_weight), axis = 0);
        self.seen += sum(weighted(class, sample_weight), axis = 0);
        self.batches += 1;
    }
    fn result(&self) -> [f32; CLASSES] {
        self.hits / (self.seen - 1)
    }
}

/// Statistics of columns in one number each.
#[metric]
pub struct Columns {
    #[weight(-1.0)]
    largest: [f32; 2],
    #[weight(zeros)]
    squares: [f32; 2],
}

#[metric]
impl Columns {
    fn update_state(&mut self, y_true: Tensor, y_pred: Tensor) {
        let centered = y_pred - mean(y_pred, axis = 0);
        self.squares = self.squares + sum(square(centered), axis = 0);
        self.largest = maximum(self.largest, max(y_pred, axis = 0));
    }
    fn result(&self) -> Dict {
        Dict {
            largest: max(self.largest),
            spread: sqrt(sum(self.squares)),
        }
    }
}

#[test]
fn weights_with_a_number_for_each_class() -> keras::Result<()> {
    let p = arr2(&[
        [0.7, 0.2, 0.1],
        [0.1, 0.1, 0.8],
        [0.3, 0.4, 0.3],
        [0.6, 0.3, 0.1],
    ]);
    let mut accuracy = ClassAccuracy::new();
    accuracy.update_state(&arr1(&[0, 2, 0, 0]), &p, None)?;
    accuracy.update_state(&arr1(&[1, 2, 1, 1]), &p, None)?;
    let results = accuracy.results();
    assert_eq!(results, [2.0 / 3.0, 1.0 / 3.0, 1.0]);
    assert_eq!(accuracy.result(), results.iter().sum::<f32>() / 3.0);
    let weights = arr1(&[0.0, 2.0, 0.0, 1.0]).into_dyn();
    accuracy.reset_state();
    accuracy.update_state(&arr1(&[2, 2, 1, 2]), &p, Some(&weights))?;
    assert_eq!(accuracy.results()[2], 2.0 / 3.0);
    let wide = arr2(&[[0.1, 0.9]]);
    let error = ClassAccuracy::new()
        .update_state(&arr1(&[0]), &wide, None)
        .unwrap_err();
    let expected = "The metric 'class_accuracy' has weights for 3 numbers along the last axis. \
                    Received: y_pred.shape=(None, 2)";
    assert_eq!(error.to_string(), expected);

    let mut columns = Columns::new();
    assert_eq!(columns.results(), [-1.0, 0.0]);
    let y = arr2(&[[1.0, 2.0], [3.0, 2.0]]);
    columns.update_state(&y, &y, None)?;
    columns.update_state(&y, &(2.0 * &y), None)?;
    assert_eq!(columns.results(), [6.0, 10.0f32.sqrt()]);
    Ok(())
}

#[test]
fn true_positives_of_the_documentation() -> keras::Result<()> {
    let (y_true, y_pred) = (arr1(&[0, 1, 1, 1]), arr1(&[0, 1, 0, 1]));
    let mut metric = BinaryTruePositives::new();
    assert_eq!(Metric::<Cpu>::name(&metric), "binary_true_positives");
    assert_eq!(metric.result(), 0.0);
    metric.update_state(&y_true, &y_pred, None)?;
    assert_eq!(metric.result(), 2.0);
    metric.update_state(&y_true, &y_pred, None)?;
    assert_eq!(metric.result(), 4.0);
    let mut other = BinaryTruePositives::new();
    assert_eq!(other.call(&y_true, &y_pred)?, 2.0);
    metric.merge_state(&other)?;
    assert_eq!(metric.result(), 6.0);
    metric.reset_state();
    assert_eq!(metric.result(), 0.0);
    let weights = arr1(&[0.5, 0.5, 0.5, 2.0]).into_dyn();
    metric.update_state(&y_true, &y_pred, Some(&weights))?;
    assert_eq!(metric.result(), 2.5);
    metric.reset_state();
    metric.update_state(&y_true, &y_pred, Some(&ArrayD::from_elem(vec![], 0.5)))?;
    assert_eq!(metric.result(), 1.0, "one weight for all");
    let wrong = arr1(&[1.0; 3]).into_dyn();
    assert!(metric.update_state(&y_true, &y_pred, Some(&wrong)).is_err());
    let named = BinaryTruePositives::default().name("tp").dtype("float32");
    assert_eq!(Metric::<Cpu>::name(&named), "tp");
    Ok(())
}

sequential! {
    Line<1>;
    Dense(1, kernel_initializer = ones, bias_initializer = ones),
}

/// 12 rows in batches of 5, and 7 rows for validation: what TensorFlow logs as 7 is 12.
#[test]
fn a_model_counts_training_and_validation_apart() -> keras::Result<()> {
    let rows = |count| {
        (
            Array2::<f32>::ones((count, 1)),
            Array2::<f32>::ones((count, 1)),
        )
    };
    let ((x, y), (val_x, val_y)) = (rows(12), rows(7));
    let mut model = Line::new();
    BinaryTruePositives::register();
    for metric in [true, false] {
        let compile = Compile::new(SGD::new(0.0), "mse");
        model.compile(if metric {
            compile.metric(BinaryTruePositives::new())
        } else {
            compile.metric("binary_true_positives")
        })?;
        let fit = Fit::epochs(2)
            .batch_size(5)
            .verbose(0)
            .validation((&val_x, &val_y));
        let history = model.fit((&x, &y), fit)?;
        assert_eq!(
            history.get("binary_true_positives"),
            Some(&[12.0, 12.0][..])
        );
        assert_eq!(
            history.get("val_binary_true_positives"),
            Some(&[7.0, 7.0][..])
        );
    }
    let unknown = model.compile(Compile::new("sgd", "mse").metric("binary_true_positive"));
    let trained = unknown.and_then(|()| model.train_on_batch((&x, &y)).map(drop));
    assert!(trained.is_err(), "a name that nobody has registered");
    Ok(())
}

/// Two metrics of arrays have one value.
fn result(mut update: impl FnMut() -> keras::Result<f32>) -> f32 {
    update().unwrap()
}

#[test]
fn means_of_functions() -> keras::Result<()> {
    let y_true = arr2(&[[1.0, 0.0, 1.0], [0.0, 0.0, 1.0]]);
    let y_pred = arr2(&[[0.9, 0.2, 0.4], [0.1, 0.7, 0.8]]);
    let weights = arr1(&[1.0, 3.0]).into_dyn();
    let mut mean = MeanPrediction::new();
    mean.update_state(&y_true, &y_pred, Some(&weights))?;
    assert!((mean.result() - (0.5 + 1.6) / 4.0).abs() < 1e-6);

    let (mut written, mut built_in) = (Squares::new(), keras::metrics::MeanSquaredError::new());
    written.update_state(&y_true, &y_pred, Some(&weights))?;
    built_in.update_state(&y_true, &y_pred, Some(&weights))?;
    assert_eq!(written.result(), built_in.result());

    let labels = arr1(&[0, 1]);
    let (mut written, mut built_in) = (RightClass::new(), SparseCategoricalAccuracy::new());
    written.update_state(&labels, &y_pred, None)?;
    built_in.update_state(&labels, &y_pred, None)?;
    assert_eq!((written.result(), built_in.result()), (0.5, 0.5));

    let per_element = arr2(&[[1.0, 0.0, 2.0], [0.0, 1.0, 0.5]]).into_dyn();
    for threshold in [0.5, 0.3] {
        let mut written = Sides::new().threshold(threshold);
        let mut built_in = BinaryAccuracy::new().threshold(threshold);
        written.update_state(&y_true, &y_pred, Some(&per_element))?;
        built_in.update_state(&y_true, &y_pred, Some(&per_element))?;
        assert_eq!(written.result(), built_in.result());
    }
    Ok(())
}

#[test]
fn several_weights_and_results() -> keras::Result<()> {
    let y_true = arr2(&[[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]);
    let y_pred = arr2(&[[0.9, 0.2], [0.8, 0.7], [0.1, 0.9]]);
    let mut quality = Quality::new();
    quality.update_state(&y_true, &y_pred, None)?;
    // The mean is 0.6: predicted are 0.9, 0.8, 0.7 and 0.9, of which three are right.
    assert_eq!(
        Metric::<Cpu>::keys(&quality),
        ["precision", "recall", "largest"]
    );
    assert_eq!(quality.results(), [0.75, 0.75, 1.5]);
    quality.update_state(&y_true, &y_pred, Some(&arr1(&[1.0, 0.0, 0.0]).into_dyn()))?;
    assert_eq!(quality.results(), [0.8, 0.8, 1.5]);
    quality.reset_state();
    let smooth = Quality::new().smoothing(1.0);
    assert_eq!(smooth.results(), [0.0, 0.0, -1.0]);
    Ok(())
}

#[test]
fn several_results_are_logged_by_their_names() -> keras::Result<()> {
    let x = Array2::from_shape_fn((8, 1), |(i, _)| i as f32);
    let y = Array1::from_shape_fn(8, |i| (i > 3) as u8);
    let mut model = Line::new();
    model.compile(Compile::new(SGD::new(0.0), "mse").metric(Quality::new()))?;
    let history = model.fit(
        (&x, &y),
        Fit::epochs(1).batch_size(8).verbose(0).shuffle(false),
    )?;
    let names: Vec<String> = history.names().map(str::to_owned).collect();
    for name in ["precision", "recall", "largest"] {
        assert!(names.iter().any(|known| known.ends_with(name)), "{names:?}");
    }
    let precision = names
        .iter()
        .find(|name| name.ends_with("precision"))
        .unwrap();
    assert_eq!(history.get(precision), Some(&[1.0][..]));
    Ok(())
}

#[test]
fn no_samples_are_no_error() -> keras::Result<()> {
    let empty = Array2::<f32>::zeros((0, 3));
    let of = |values: &dyn Values| values.dims().len();
    assert_eq!(of(&empty), 2);
    let mut metric = BinaryTruePositives::new();
    metric.update_state(&empty, &empty, None)?;
    assert_eq!(result(|| Ok(metric.result())), 0.0);
    Ok(())
}
