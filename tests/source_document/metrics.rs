//! Metrics: rows T1 to T4.

use keras::metrics::Metric;
use keras::prelude::*;
use ndarray::{Array1, Array2, ArrayD, arr1, array};

use crate::random;

#[test]
fn t1_a_metric_has_a_name_a_type_and_a_state() -> keras::Result<()> {
    let mut metric = BinaryAccuracy::new().name("how_often").dtype("float32");
    assert_eq!(Metric::<Cpu>::name(&metric), "how_often");
    assert_eq!(metric.result(), 0.0);
    metric.update_state(&arr1(&[1.0, 0.0, 1.0]), &arr1(&[0.9, 0.8, 0.7]), None)?;
    assert_eq!(metric.result(), 2.0 / 3.0);
    metric.reset_state();
    assert_eq!(metric.result(), 0.0);
    let wrong = BinaryAccuracy::new().dtype("float31");
    let mut model = Net::new();
    let error = model
        .compile(Compile::new("sgd", "mse").metric(wrong))
        .err();
    let message = error.map(|error| error.to_string()).unwrap_or_default();
    assert!(message.starts_with("Invalid dtype: float31."), "{message}");
    Ok(())
}

#[test]
fn t2_a_metric_is_updated_in_a_loop() -> keras::Result<()> {
    let mut m = Mean::new();
    for input in [[0.0, 1.0], [2.0, 3.0], [4.0, 8.0]] {
        m.update_state(&arr1(&input), None)?;
    }
    assert_eq!(format!("Final result: {}", m.result()), "Final result: 3");
    m.reset_state();
    m.update_state(&5.0, None)?;
    assert_eq!(m.result(), 5.0);
    Ok(())
}

sequential! {
    Net<32>;
    Dense(64, activation = relu),
    Dense(64, activation = relu),
    Dense(10, activation = softmax),
}

#[test]
fn t3_metrics_are_given_to_compile() -> keras::Result<()> {
    let mut model = Net::with_seed(3);
    model.compile(
        Compile::new(RMSprop::new(0.01), CategoricalCrossentropy::new())
            .metrics([CategoricalAccuracy::new()]),
    )?;
    let (x, y) = (random((64, 32), 31), random((64, 10), 32));
    let logs = model.evaluate((&x, &y), Evaluate::default().verbose(0))?;
    let predicted = model.predict(&x, Predict::default().verbose(0))?;
    let mut alone = CategoricalAccuracy::new();
    alone.update_state(&y, &predicted, None)?;
    assert_eq!(logs.get("categorical_accuracy"), Some(alone.result()));
    Ok(())
}

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

#[test]
fn t4_binary_true_positives_counts_where_both_are_true() -> keras::Result<()> {
    let mut m = BinaryTruePositives::new();
    assert_eq!(Metric::<Cpu>::name(&m), "binary_true_positives");
    let (y_true, y_pred) = (arr1(&[0.0, 1.0, 1.0, 1.0]), arr1(&[0.0, 1.0, 0.0, 1.0]));
    assert_eq!(m.result(), 0.0);
    m.update_state(&y_true, &y_pred, None)?;
    assert_eq!(m.result(), 2.0);
    m.update_state(&y_true, &y_pred, None)?;
    assert_eq!(m.result(), 4.0);
    m.reset_state();
    assert_eq!(m.result(), 0.0);
    m.update_state(
        &y_true,
        &y_pred,
        Some(&arr1(&[0.5, 0.5, 0.5, 2.0]).into_dyn()),
    )?;
    assert_eq!(m.result(), 2.5);
    // A weight for each row is broadcast to its elements.
    m.reset_state();
    let y_true = array![[1.0, 1.0], [1.0, 0.0]];
    let weights: ArrayD<f32> = array![[3.0], [0.25]].into_dyn();
    m.update_state(&y_true, &y_true, Some(&weights))?;
    assert_eq!(m.result(), 6.25);
    Ok(())
}

sequential! {
    Line<1>;
    Dense(1, kernel_initializer = ones),
}

/// What the batches log.
#[derive(Default)]
struct Batches(Vec<f32>);

impl Callback for Batches {
    fn on_train_batch_end(
        &mut self,
        _: &mut CallbackContext,
        _: usize,
        logs: &Logs,
    ) -> keras::Result<()> {
        self.0.extend(logs.get("binary_true_positives"));
        Ok(())
    }
}

/// Every target and prediction is true: the metric counts the samples.
#[test]
fn t4_a_metric_of_ones_own_begins_anew_in_every_epoch_and_for_validation() -> keras::Result<()> {
    let ones = |samples: usize| {
        (
            Array2::<f32>::ones((samples, 1)),
            Array1::<f32>::ones(samples),
        )
    };
    let ((x, y), (val_x, val_y)) = (ones(12), ones(7));
    let mut model = Line::new();
    model.compile(Compile::new(SGD::new(0.0), "mse").metric(BinaryTruePositives::new()))?;
    let mut batches = Batches::default();
    let fit = Fit::epochs(2).batch_size(5).verbose(0);
    let fit = fit.validation((&val_x, &val_y)).callback(&mut batches);
    let history = model.fit((&x, &y), fit)?;
    assert_eq!(batches.0, [5.0, 10.0, 12.0, 5.0, 10.0, 12.0]);
    assert_eq!(
        history.get("binary_true_positives"),
        Some(&[12.0, 12.0][..])
    );
    assert_eq!(
        history.get("val_binary_true_positives"),
        Some(&[7.0, 7.0][..])
    );
    Ok(())
}

#[metric]
pub struct Hits {
    #[weight(zeros)]
    hits: f32,
    #[weight(zeros)]
    seen: f32,
}

#[metric]
impl Hits {
    fn update_state(&mut self, y_true: Tensor, y_pred: Tensor, sample_weight: Option<Tensor>) {
        let hit = y_true.cast_bool() & y_pred.cast_bool();
        self.hits += sum(weighted(hit, sample_weight));
        self.seen += sum(weighted(abs(y_true) * 0 + 1, sample_weight));
    }
    fn result(&self) -> Dict {
        Dict {
            hits: self.hits,
            share_of_hits: self.hits / self.seen,
        }
    }
}

#[test]
fn t4_a_result_may_be_a_dictionary() -> keras::Result<()> {
    let (x, y) = (Array2::<f32>::ones((4, 1)), arr1(&[1.0f32, 0.0, 1.0, 1.0]));
    let mut model = Line::new();
    model.compile(Compile::new("sgd", "mse").metric(Hits::new()))?;
    let logs = model.evaluate((&x, &y), Evaluate::default().verbose(0))?;
    assert_eq!(
        (logs.get("hits"), logs.get("share_of_hits")),
        (Some(3.0), Some(0.75))
    );
    Ok(())
}
