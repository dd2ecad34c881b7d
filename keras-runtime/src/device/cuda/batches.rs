//! Losses and metrics of whole batches, on the host: they are the rare ones.

use super::{host, on_gpus};
use crate::device::{BatchFunction, BatchLoss, BatchSums, BatchView, Reduction, cpu};

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
            fetched!(batch as batch);
            let weights = host::fetch_optional(weights);
            host::change(&sums, |sums| {
                cpu::batches::mean(function, batch, weights.as_deref(), sums);
            });
        }
    }
}
