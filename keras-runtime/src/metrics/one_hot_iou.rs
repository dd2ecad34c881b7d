//! The mean of `TP / (TP + FP + FN)` of some classes, from one-hot rows.

use super::Own;
use super::iou::{Overlap, overlap_metric};

/// The mean overlap of some classes: `keras.metrics.OneHotIoU`.
///
/// The class of a target or a prediction is where the maximum of its row is. Classes that are neither
/// targets nor predictions do not count.
#[derive(Clone, Debug)]
pub struct OneHotIoU {
    pub(super) own: Own,
    overlap: Overlap,
}

impl OneHotIoU {
    /// The overlap of the classes `target_class_ids` of `num_classes`.
    pub fn new(num_classes: usize, target_class_ids: impl Into<Vec<usize>>) -> Self {
        let mut own = Own::numbered("one_hot_io_u");
        let mut overlap = Overlap::new(&mut own, num_classes, target_class_ids.into());
        (overlap.sparse_y_true, overlap.sparse_y_pred) = (false, false);
        Self { overlap, own }
    }
}

overlap_metric!(
    OneHotIoU(
        num_classes,
        target_class_ids,
        name,
        dtype,
        ignore_class,
        sparse_y_pred,
        axis
    ),
    ignore_class,
    sparse_y_pred,
    axis
);
