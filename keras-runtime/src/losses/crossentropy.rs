//! `"crossentropy"`: the cross-entropy that fits the shapes of the data.

use super::{
    BinaryCrossentropy, CategoricalCrossentropy, Loss, LossInput, SparseCategoricalCrossentropy,
};
use crate::device::{Activation, Device};
use crate::error::Result;
use crate::metrics::Targets;
use crate::shape::Shape;

/// Binary, categorical or sparse categorical cross-entropy, with their defaults.
#[derive(Clone, Debug)]
pub(super) struct Crossentropy {
    binary: BinaryCrossentropy,
    categorical: CategoricalCrossentropy,
    sparse: SparseCategoricalCrossentropy,
}

impl Crossentropy {
    pub const fn new() -> Self {
        Self {
            binary: BinaryCrossentropy::new(),
            categorical: CategoricalCrossentropy::new(),
            sparse: SparseCategoricalCrossentropy::new(),
        }
    }

    fn of<D: Device>(&self, y_true: &Shape, y_pred: &Shape) -> &dyn Loss<D> {
        match Targets::of(y_true, y_pred) {
            Targets::Binary => &self.binary,
            Targets::Categorical => &self.categorical,
            Targets::Sparse => &self.sparse,
        }
    }
}

impl<D: Device> Loss<D> for Crossentropy {
    fn name(&self) -> &str {
        "crossentropy"
    }

    fn check(&self, y_true: &Shape, y_pred: &Shape) -> Result<()> {
        self.of::<D>(y_true, y_pred).check(y_true, y_pred)
    }

    fn check_targets(&self, values: &[f32], y_true: &Shape, y_pred: &Shape) -> Result<()> {
        self.of::<D>(y_true, y_pred)
            .check_targets(values, y_true, y_pred)
    }

    fn fuses(&self, activation: Activation, y_true: &Shape, y_pred: &Shape) -> bool {
        self.of::<D>(y_true, y_pred)
            .fuses(activation, y_true, y_pred)
    }

    fn compute(&self, input: LossInput<'_, D>) {
        self.of::<D>(&input.y_true_shape, &input.y_pred_shape)
            .compute(input);
    }
}
