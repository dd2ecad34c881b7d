//! The mean of `TP / (TP + FP + FN)` over all classes, from one-hot rows.

use super::Own;
use super::iou::{Overlap, overlap_metric};

/// The mean overlap of all classes: `keras.metrics.OneHotMeanIoU`.
///
/// The class of a target or a prediction is where the maximum of its row is. Classes that are neither
/// targets nor predictions do not count.
#[derive(Clone, Debug)]
pub struct OneHotMeanIoU {
    pub(super) own: Own,
    overlap: Overlap,
}

impl OneHotMeanIoU {
    /// The overlap of `num_classes` classes.
    pub fn new(num_classes: usize) -> Self {
        let mut own = Own::numbered("one_hot_mean_io_u");
        let mut overlap = Overlap::of_all(&mut own, num_classes);
        (overlap.sparse_y_true, overlap.sparse_y_pred) = (false, false);
        Self { overlap, own }
    }
}

overlap_metric!(
    OneHotMeanIoU(num_classes, name, dtype, ignore_class, sparse_y_pred, axis),
    ignore_class,
    sparse_y_pred,
    axis
);
