//! The mean of `TP / (TP + FP + FN)` of the classes 0 and 1, from probabilities of class 1.

use super::Own;
use super::iou::{Overlap, overlap_metric};

/// The mean overlap of two classes, or of one of them, where probabilities are on the side of the
/// threshold where their targets, 0 or 1, are: `keras.metrics.BinaryIoU`.
#[derive(Clone, Debug)]
pub struct BinaryIoU {
    pub(super) own: Own,
    overlap: Overlap,
}

impl BinaryIoU {
    /// The overlap of both classes, with a threshold of 0.5.
    pub fn new() -> Self {
        let mut own = Own::numbered("binary_io_u");
        let mut overlap = Overlap::of_all(&mut own, 2);
        overlap.threshold = Some(0.5);
        Self { overlap, own }
    }

    /// The classes whose overlap counts: both, by default.
    #[must_use]
    pub fn target_class_ids(mut self, ids: impl Into<Vec<usize>>) -> Self {
        self.overlap.set_targets(&mut self.own, ids.into());
        self
    }

    /// Predictions that are not below it are class 1.
    #[must_use]
    pub const fn threshold(mut self, threshold: f32) -> Self {
        self.overlap.threshold = Some(threshold);
        self
    }
}

overlap_metric!(BinaryIoU(target_class_ids, threshold, name, dtype));
