//! The devices that models run on.

use crate::device::Device;
use crate::losses::LossCatalogue;
use crate::metrics::MetricCatalogue;
use crate::optimizers::OptimizerCatalogue;

/// A device with its losses, metrics and optimizers.
pub trait Backend: Device + LossCatalogue + MetricCatalogue + OptimizerCatalogue {}

impl<D: Device + LossCatalogue + MetricCatalogue + OptimizerCatalogue> Backend for D {}
