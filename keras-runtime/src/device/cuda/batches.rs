//! Losses and metrics of whole batches: the means of functions of pairs by their formulas, the others,
//! which are rare, on the host.

use super::context::{Driver, View};
use super::rows::Batch;
use super::{host, on_gpus};
use crate::device::{BatchFunction, BatchLoss, BatchSums, BatchView, Reduction, Rows, cpu};

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
            let (y_true, y_pred) = (&batch.y_true_shape, &batch.y_pred_shape);
            let is_common = values.is_none() && reduction != Reduction::None;
            if is_common
                && let Some(rows) = rows(&batch, weights)
                && let Some(formula) = loss.formula(y_true, y_pred, true)
            {
                let to = gradient.as_ref().map(|(gradient, factor)| (gradient, *factor));
                return rows.pair_loss(&formula, reduction, to, &sums);
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
            let (y_true, y_pred) = (&batch.y_true_shape, &batch.y_pred_shape);
            if let Some(rows) = rows(&batch, weights)
                && let Some(formula) = function.formula(y_true, y_pred, false)
            {
                return rows.mean(None, Some(&formula), &sums);
            }
            fetched!(batch as batch);
            let weights = host::fetch_optional(weights);
            host::change(&sums, |sums| {
                cpu::batches::mean(function, batch, weights.as_deref(), sums);
            });
        }
    }
}
