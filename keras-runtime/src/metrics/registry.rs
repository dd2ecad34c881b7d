//! Metrics of the user's by their names.

use std::sync::Arc;

use super::Metric;
use crate::config::registry;
use crate::device::Device;

/// Makes a metric for the devices of one type.
pub(super) type Make<D> = Arc<dyn Fn() -> Box<dyn Metric<D>> + Send + Sync>;

/// Makes [`by_name`](super::by_name), and with it `compile`, find a metric by these names on devices
/// of the type D; files name it by the first. A later one of a name replaces an earlier one; Keras' own names
/// stay Keras'.
pub fn register<D: Device, M: Metric<D> + 'static>(names: &[&str], make: fn() -> M) {
    let make: Make<D> = Arc::new(move || Box::new(make()));
    registry::register::<M, _>(names, &make);
}
