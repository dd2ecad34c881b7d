//! Losses and metrics of lines, rows and whole batches.

use super::{Lab, Own};
use crate::device::{Axes, Device, Reduction};
use crate::losses::{
    CTC, CategoricalCrossentropy, CategoricalFocalCrossentropy, CategoricalGeneralizedCrossEntropy,
    CategoricalHinge, CosineSimilarity, Dice, Hinge, KLDivergence, Loss, LossInput,
    MeanSquaredError, SparseCategoricalCrossentropy, SquaredHinge, Tversky,
};
use crate::metrics::{ConcordanceCorrelation, Metric, MetricInput, PearsonCorrelation};
use crate::shape::Shape;

const REDUCTIONS: [Reduction; 4] = [
    Reduction::SumOverBatchSize,
    Reduction::Sum,
    Reduction::None,
    Reduction::MeanWithSampleWeight,
];

/// Targets and predictions of a batch.
struct Batch<D: Device> {
    samples: usize,
    y_true: Own<D>,
    y_true_shape: Shape,
    y_pred: Own<D>,
    y_pred_shape: Shape,
}

impl<D: Device> Batch<D> {
    /// Probabilities beside probabilities.
    fn of_probabilities(lab: &mut Lab<D>, samples: usize, shape: &[usize]) -> Self {
        let shape = Shape::new(shape);
        let len = samples * shape.size();
        Self {
            samples,
            y_true: lab.probabilities(len),
            y_true_shape: shape,
            y_pred: lab.probabilities(len),
            y_pred_shape: shape,
        }
    }

    /// The batch without its last sample.
    fn without_last(&self, lab: &Lab<D>) -> Self {
        let part = |own: &Own<D>, size: usize| {
            let mut numbers = vec![0.0; (self.samples - 1) * size];
            let all = 0..numbers.len();
            lab.device.download(D::part(own.read(), all), &mut numbers);
            lab.of(&numbers)
        };
        Self {
            samples: self.samples - 1,
            y_true: part(&self.y_true, self.y_true_shape.size()),
            y_pred: part(&self.y_pred, self.y_pred_shape.size()),
            ..*self
        }
    }

    /// Numbers of classes, of which some are none, beside probabilities.
    fn of_classes(lab: &mut Lab<D>, samples: usize, shape: &[usize]) -> Self {
        let y_pred_shape = Shape::new(shape);
        let classes = y_pred_shape.last();
        let y_true_shape = Shape::new(&shape[..shape.len() - 1]);
        let numbers: Vec<f32> = (0..samples * y_true_shape.size())
            .map(|at| ((at * 7) % (classes + 1)) as f32)
            .collect();
        Self {
            samples,
            y_true: lab.of(&numbers),
            y_true_shape,
            y_pred: lab.probabilities(samples * y_pred_shape.size()),
            y_pred_shape,
        }
    }
}

/// A loss with and without weights, a gradient and values, for which there is room.
fn loss<D: Device>(
    lab: &mut Lab<D>,
    loss: &dyn Loss<D>,
    batch: &Batch<D>,
    weights_per_sample: Option<usize>,
) {
    let weights = weights_per_sample.map(|count| lab.probabilities(batch.samples * count));
    let rest = loss
        .axes()
        .rest(batch.samples, &batch.y_true_shape, &batch.y_pred_shape);
    let (mut sums, mut gradient) = (lab.random(1), lab.poisoned(batch.y_pred.len));
    let mut values = lab.poisoned(rest.iter().product());
    for with_gradient in [true, false] {
        loss.compute(LossInput {
            device: &lab.device,
            batch: batch.samples,
            y_true: batch.y_true.read(),
            y_true_shape: batch.y_true_shape,
            y_pred: batch.y_pred.read(),
            y_pred_shape: batch.y_pred_shape,
            logits: None,
            sample_weight: weights.as_ref().map(Own::read),
            weights_per_sample: weights_per_sample.unwrap_or(1),
            gradient: with_gradient.then(|| gradient.write()),
            weight: 1.5,
            values: (!with_gradient).then(|| values.write()),
            sums: sums.write(),
        });
    }
    let name = format!("{}, weights: {weights_per_sample:?}", loss.name());
    lab.keep(&name, &sums);
    lab.keep(format!("the gradient of {name}"), &gradient);
    lab.keep(format!("the values of {name}"), &values);
}

pub fn losses<D: Device>(lab: &mut Lab<D>) {
    for reduction in REDUCTIONS {
        let alpha = [0.1, 0.3, 0.2, 0.4, 0.7];
        let of_probabilities: [Box<dyn Loss<D>>; 7] = [
            Box::new(CosineSimilarity::new().reduction(reduction)),
            Box::new(CosineSimilarity::new().axis(1).reduction(reduction)),
            Box::new(KLDivergence::new().reduction(reduction)),
            Box::new(CategoricalHinge::new().reduction(reduction)),
            Box::new(
                CategoricalFocalCrossentropy::new()
                    .alpha(alpha)
                    .reduction(reduction),
            ),
            Box::new(
                CategoricalCrossentropy::new()
                    .label_smoothing(0.1)
                    .axis(1)
                    .reduction(reduction),
            ),
            Box::new(MeanSquaredError::new().reduction(reduction)),
        ];
        let batch = Batch::of_probabilities(lab, 7, &[3, 5]);
        for of in &of_probabilities {
            loss(lab, &**of, &batch, None);
            loss(lab, &**of, &batch, Some(1));
        }
        let of_classes: [Box<dyn Loss<D>>; 2] = [
            Box::new(
                CategoricalGeneralizedCrossEntropy::new()
                    .q(0.7)
                    .reduction(reduction),
            ),
            Box::new(
                SparseCategoricalCrossentropy::new()
                    .ignore_class(2)
                    .reduction(reduction),
            ),
        ];
        let batch = Batch::of_classes(lab, 9, &[2, 4]);
        for of in &of_classes {
            loss(lab, &**of, &batch, None);
            loss(lab, &**of, &batch, Some(2));
        }
        // One value for the whole batch, for each sample, and for each pixel; more weights than values.
        for axis in [Axes::All, Axes::from([1, 2, 3]), Axes::from([0, 2])] {
            let of_masks: [Box<dyn Loss<D>>; 2] = [
                Box::new(Dice::new().axis(axis.clone()).reduction(reduction)),
                Box::new(Tversky::new().alpha(0.3).axis(axis).reduction(reduction)),
            ];
            let batch = Batch::of_probabilities(lab, 3, &[9, 13, 4]);
            for of in &of_masks {
                loss(lab, &**of, &batch, None);
                loss(lab, &**of, &batch, Some(1));
            }
        }
    }
    // A line of more elements than a warp takes.
    let batch = Batch::of_probabilities(lab, 2, &[2051]);
    for of in [
        &CategoricalHinge::new() as &dyn Loss<D>,
        &CategoricalFocalCrossentropy::new().from_logits(true),
        &CategoricalCrossentropy::new().from_logits(true),
    ] {
        loss(lab, of, &batch, None);
    }
}

/// Targets 0 and 1, which are read as -1 and 1, and others.
pub fn hinges<D: Device>(lab: &mut Lab<D>) {
    for numbers in [[0.0, 1.0, 1.0], [-1.0, 1.0, 0.0]] {
        let mut batch = Batch::of_probabilities(lab, 11, &[3, 7]);
        let y_true: Vec<f32> = (0..batch.y_true.len)
            .map(|at| numbers[at * at % 3])
            .collect();
        batch.y_true = lab.of(&y_true);
        for reduction in REDUCTIONS {
            let hinge = Hinge::new().reduction(reduction);
            loss(lab, &hinge, &batch, None);
            loss(
                lab,
                &SquaredHinge::new().reduction(reduction),
                &batch,
                Some(3),
            );
        }
    }
}

/// Labels of every length, one of which no path spells.
pub fn sequences<D: Device>(lab: &mut Lab<D>) {
    let labels = [
        [1.0, 2.0, 2.0, 3.0],
        [4.0, 0.0, 0.0, 0.0],
        [0.0; 4],
        [1.0, 3.0, 1.0, 0.0],
        [2.0, 2.0, 2.0, 2.0],
    ];
    for steps in [6, 40] {
        let y_pred_shape = Shape::new(&[steps, 5]);
        let batch = Batch {
            samples: labels.len(),
            y_true: lab.of(labels.as_flattened()),
            y_true_shape: Shape::new(&[4]),
            y_pred: lab.random(labels.len() * y_pred_shape.size()),
            y_pred_shape,
        };
        for reduction in REDUCTIONS {
            let ctc = CTC::new().reduction(reduction);
            // The last label has no path of six steps: its loss is infinite.
            let batch = if steps == 6 {
                &batch.without_last(lab)
            } else {
                &batch
            };
            loss(lab, &ctc, batch, None);
            loss(lab, &ctc, batch, Some(1));
        }
    }
}

pub fn metrics<D: Device>(lab: &mut Lab<D>) {
    let metrics: [Box<dyn Metric<D>>; 4] = [
        Box::new(PearsonCorrelation::new()),
        Box::new(ConcordanceCorrelation::new()),
        Box::new(PearsonCorrelation::new().axis(0)),
        Box::new(ConcordanceCorrelation::new().axis(1)),
    ];
    for metric in &metrics {
        for weights_per_sample in [None, Some(1)] {
            let batch = Batch::of_probabilities(lab, 6, &[5, 7]);
            let weights = weights_per_sample.map(|count| lab.probabilities(batch.samples * count));
            let mut state = lab.random(2);
            let updated = metric.update(MetricInput {
                device: &lab.device,
                batch: batch.samples,
                y_true: batch.y_true.read(),
                y_true_shape: batch.y_true_shape,
                y_pred: batch.y_pred.read(),
                y_pred_shape: batch.y_pred_shape,
                sample_weight: weights.as_ref().map(Own::read),
                weights_per_sample: weights_per_sample.unwrap_or(1),
                state: state.write(),
            });
            assert_eq!(updated, Ok(()));
            lab.keep(
                format!("{}, weights: {weights_per_sample:?}", metric.name()),
                &state,
            );
        }
    }
}

/// Equal maxima, margins that are kept, distributions with zeros, vectors without length.
pub fn edges<D: Device>(lab: &mut Lab<D>) {
    let y_true = [0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0];
    let y_pred = [0.7, 0.2, 0.7, 4.0, 0.5, 0.0, 0.0, 0.0, 0.0];
    let shape = Shape::new(&[3]);
    let batch = Batch {
        samples: 3,
        y_true: lab.of(&y_true),
        y_true_shape: shape,
        y_pred: lab.of(&y_pred),
        y_pred_shape: shape,
    };
    for of in [
        &CategoricalHinge::new() as &dyn Loss<D>,
        &KLDivergence::new(),
        &CosineSimilarity::new(),
        &Dice::new(),
        &CategoricalFocalCrossentropy::new()
            .gamma(0.5)
            .from_logits(true),
    ] {
        loss(lab, of, &batch, None);
    }
}
