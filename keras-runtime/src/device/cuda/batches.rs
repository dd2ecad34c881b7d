//! Losses and metrics of whole batches: means of functions of pairs and functions of lines by what has been
//! written down of them, the others on the host.

use super::context::{Driver, View};
use super::lines::{BatchKernel, OnDevice, Run};
use super::rows::Batch;
use super::{host, on_gpus};
use crate::device::{BatchFunction, BatchLoss, BatchSums, BatchView, Reduction, Rows, cpu};

/// The shapes of a batch.
fn shapes<S>(batch: &BatchView<S>) -> BatchView<()> {
    BatchView {
        samples: batch.samples,
        y_true: (),
        y_true_shape: batch.y_true_shape,
        y_pred: (),
        y_pred_shape: batch.y_pred_shape,
    }
}

/// The rows of a batch along the last axis, if no weight is for less than one of them.
fn rows<'a, R: Driver>(
    batch: &BatchView<View<'a, R>>,
    weights: Option<View<'a, R>>,
) -> Option<Batch<'a, R>> {
    let weights_len = weights.map_or(0, |weights| weights.len);
    let per_sample = weights_len.checked_div(batch.samples)?;
    let rows = Rows::of(
        batch.samples,
        &batch.y_true_shape,
        &batch.y_pred_shape,
        per_sample,
    );
    (weights_len <= rows.rows && rows.rows > 0).then_some(Batch {
        rows,
        ignored: None,
        y_true: batch.y_true,
        y_pred: batch.y_pred,
        weights,
    })
}

/// A batch as it is on the host.
macro_rules! fetched {
    ($batch:ident as $on_host:ident) => {
        let (y_true, y_pred) = (host::fetch($batch.y_true), host::fetch($batch.y_pred));
        let $on_host = BatchView {
            samples: $batch.samples,
            y_true: &y_true[..],
            y_true_shape: $batch.y_true_shape,
            y_pred: &y_pred[..],
            y_pred_shape: $batch.y_pred_shape,
        };
    };
}

on_gpus! {
    impl BatchSums {
        fn batch_loss(
            &self,
            loss: &dyn BatchLoss<Self::Elem>,
            reduction: Reduction,
            batch: BatchView<Self::Slice<'_>>,
            weights: Option<Self::Slice<'_>>,
            gradient: Option<(Self::SliceMut<'_>, f32)>,
            values: Option<Self::SliceMut<'_>>,
            sums: Self::SliceMut<'_>,
        ) {
            let to = gradient.as_ref().map(|(gradient, factor)| (gradient, *factor));
            let is_common = values.is_none() && reduction != Reduction::None;
            let of_rows = rows(&batch, weights).filter(|_| is_common);
            match (loss.on_gpu(&shapes(&batch), true, of_rows.is_some()), of_rows) {
                (Some(BatchKernel::Pairs(formula)), Some(rows)) => {
                    return rows.pair_loss(&formula, reduction, to, &sums);
                }
                (Some(BatchKernel::Lines { function, places, ignored }), _) => {
                    let BatchView { samples, y_true, y_pred, .. } = batch;
                    let lines = OnDevice::of(&places, samples, weights.map(|weights| weights.len));
                    let run = Run { lines, function: &function, ignored, y_true, y_pred, weights };
                    return run.loss(reduction, to, values.as_ref(), &sums);
                }
                _ => {}
            }
            fetched!(batch as batch);
            let weights = host::fetch_optional(weights);
            let mut d = gradient.as_ref().map(|(gradient, _)| vec![0.0; gradient.len]);
            let factor = gradient.as_ref().map_or(0.0, |(_, factor)| *factor);
            let mut kept = values.as_ref().map(|values| vec![0.0; values.len]);
            host::change(&sums, |sums| {
                let d = d.as_deref_mut().map(|d| (d, factor));
                let (weights, kept) = (weights.as_deref(), kept.as_deref_mut());
                cpu::batches::loss(loss, reduction, batch, weights, d, kept, sums);
            });
            if let (Some((gradient, _)), Some(d)) = (gradient, d) {
                gradient.context.upload(&d, &gradient);
            }
            if let (Some(values), Some(kept)) = (values, kept) {
                values.context.upload(&kept, &values);
            }
        }
        fn batch_mean(
            &self,
            function: &dyn BatchFunction<Self::Elem>,
            batch: BatchView<Self::Slice<'_>>,
            weights: Option<Self::Slice<'_>>,
            sums: Self::SliceMut<'_>,
        ) {
            let of_rows = rows(&batch, weights);
            match (function.on_gpu(&shapes(&batch), false, of_rows.is_some()), of_rows) {
                (Some(BatchKernel::Pairs(formula)), Some(rows)) => {
                    return rows.mean(None, Some(&formula), &sums);
                }
                (Some(BatchKernel::Lines { function, places, ignored }), _) => {
                    let BatchView { samples, y_true, y_pred, .. } = batch;
                    let lines = OnDevice::of(&places, samples, weights.map(|weights| weights.len));
                    let run = Run { lines, function: &function, ignored, y_true, y_pred, weights };
                    return run.mean(places.samples(), &sums);
                }
                _ => {}
            }
            fetched!(batch as batch);
            let weights = host::fetch_optional(weights);
            host::change(&sums, |sums| {
                cpu::batches::mean(function, batch, weights.as_deref(), sums);
            });
        }
    }
}
