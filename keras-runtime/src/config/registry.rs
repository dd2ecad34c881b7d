//! Classes of the user's by their names: what a file of Keras says of a loss, a metric or a layer that is
//! none of Keras' own.
//!
//! A name is registered by a call, and not by where the type is defined: no code runs before `main`,
//! and a program that names a class says where it comes from.

use std::any::{Any, TypeId};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Config;

/// What was registered.
struct Registered {
    /// What makes an object of a class, by its own type and the name. The type says what is made, and on which
    /// device.
    makers: BTreeMap<(TypeId, String), Box<dyn Any + Send>>,
    /// The first name of each type of the user's.
    names: BTreeMap<&'static str, String>,
}

static REGISTERED: Mutex<Registered> = Mutex::new(Registered {
    makers: BTreeMap::new(),
    names: BTreeMap::new(),
});

fn registry() -> MutexGuard<'static, Registered> {
    REGISTERED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes objects of the type T be found by these names, by what makes them; `package>Name` also by `Name`, as which files
/// have the class. A later maker of a name replaces an earlier one.
pub(crate) fn register<T, M: Clone + Send + 'static>(names: &[&str], maker: &M) {
    let mut registry = registry();
    if let Some(first) = names.first() {
        let of_type = std::any::type_name::<T>();
        registry.names.insert(of_type, (*first).to_owned());
    }
    let classes = names.iter().filter_map(|name| name.split_once('>'));
    let classes = classes.map(|(_, class)| class);
    for name in names.iter().copied().chain(classes) {
        let key = (TypeId::of::<M>(), name.to_owned());
        registry.makers.insert(key, Box::new(maker.clone()));
    }
}

/// What was registered under a name.
pub(crate) fn registered<M: Clone + 'static>(name: &str) -> Option<M> {
    let registry = registry();
    let maker = registry.makers.get(&(TypeId::of::<M>(), name.to_owned()))?;
    maker.downcast_ref::<M>().cloned()
}

/// The same for the class of a configuration, which is known by the name that it is registered under in Python, or by its
/// own.
pub(crate) fn registered_class<M: Clone + 'static>(config: &Config) -> Option<M> {
    if config.is_keras() {
        return None;
    }
    let name = config.registered_name.as_deref();
    name.and_then(registered)
        .or_else(|| registered(&config.class_name))
}

/// The name that a type was registered under.
pub(crate) fn name_of<T: ?Sized>() -> Option<String> {
    registry().names.get(std::any::type_name::<T>()).cloned()
}
