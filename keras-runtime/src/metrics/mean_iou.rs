//! The mean of `TP / (TP + FP + FN)` over all classes.

use super::Own;
use super::iou::{Overlap, overlap_metric};

/// The mean overlap of all classes: `keras.metrics.MeanIoU`.
///
/// Targets and predictions are numbers of classes. Classes that are neither targets nor predictions
/// do not count.
#[derive(Clone, Debug)]
pub struct MeanIoU {
    pub(super) own: Own,
    overlap: Overlap,
}

impl MeanIoU {
    /// The overlap of `num_classes` classes.
    pub fn new(num_classes: usize) -> Self {
        let mut own = Own::numbered("mean_io_u");
        Self {
            overlap: Overlap::of_all(&mut own, num_classes),
            own,
        }
    }
}

overlap_metric!(
    MeanIoU(
        num_classes,
        name,
        dtype,
        ignore_class,
        sparse_y_true,
        sparse_y_pred,
        axis
    ),
    ignore_class,
    sparse_y_true,
    sparse_y_pred,
    axis
);
