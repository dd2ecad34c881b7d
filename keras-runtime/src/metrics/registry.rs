//! Metrics of the user's by their names.
//!
//! A name is registered by a call, and not by where the type is defined: no code runs before `main`,
//! and a program that names a metric says where it comes from.

use std::any::{Any, TypeId};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::Metric;
use crate::device::Device;

/// Makes a metric for the devices of one type.
type Make<D> = Arc<dyn Fn() -> Box<dyn Metric<D>> + Send + Sync>;

/// The makers, a [`Make`] each, by the type of the device and the name.
static REGISTERED: Mutex<BTreeMap<(TypeId, String), Box<dyn Any + Send>>> =
    Mutex::new(BTreeMap::new());

/// Makes [`by_name`](super::by_name), and with it `compile`, find a metric by these names on devices
/// of the type D. A later one of a name replaces an earlier one; Keras' own names stay Keras'.
pub fn register<D: Device, M: Metric<D> + 'static>(names: &[&str], make: fn() -> M) {
    let make: Make<D> = Arc::new(move || Box::new(make()));
    let mut registered = REGISTERED.lock().unwrap_or_else(PoisonError::into_inner);
    for name in names {
        let key = (TypeId::of::<D>(), (*name).to_owned());
        registered.insert(key, Box::new(make.clone()));
    }
}

/// Whether a metric was registered under a name.
pub(super) fn is_registered<D: Device>(name: &str) -> bool {
    let registered = REGISTERED.lock().unwrap_or_else(PoisonError::into_inner);
    registered.contains_key(&(TypeId::of::<D>(), name.to_owned()))
}

/// The metric that was registered under a name.
pub(super) fn registered<D: Device>(name: &str) -> Option<Box<dyn Metric<D>>> {
    let make = {
        let registered = REGISTERED.lock().unwrap_or_else(PoisonError::into_inner);
        let make = registered.get(&(TypeId::of::<D>(), name.to_owned()))?;
        make.downcast_ref::<Make<D>>()?.clone()
    };
    Some(make())
}
