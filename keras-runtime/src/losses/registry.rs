//! Losses of the user's by their names.

use std::sync::Arc;

use super::Loss;
use crate::config::{Config, registry};
use crate::device::Device;
use crate::error::Result;

/// Makes a loss of a configuration for the devices of one type.
pub(super) type Make<D> = Arc<dyn Fn(&Config) -> Result<Box<dyn Loss<D>>> + Send + Sync>;

/// Makes [`by_name`](super::by_name), and with it `compile` and `load_model`, find a loss by these names on devices
/// of the type D; files name it by the first. A later one of a name replaces an earlier one; Keras' own names stay Keras'.
/// A loss of `#[loss]` has a method `register` that does it.
///
/// What `keras.saving.register_keras_serializable(package="my")` registers in Python is named `my>Name`.
///
/// ```
/// use keras_runtime::config::Config;
/// use keras_runtime::device::Cpu;
/// use keras_runtime::losses::{self, Huber};
///
/// losses::register::<Cpu, _>(&["my>Careful"], |config: &Config| Ok(Huber::new().delta(config.argument("width")?)));
///
/// let config = r#"{"class_name": "Careful", "config": {"width": 0.5}, "registered_name": "my>Careful"}"#;
/// let loss = losses::from_config::<Cpu>(&Config::parse(config)?)?;
/// assert_eq!(loss.name(), "huber_loss");
/// # Ok::<(), keras_runtime::Error>(())
/// ```
pub fn register<D: Device, L: Loss<D> + 'static>(
    names: &[&str],
    from_config: fn(&Config) -> Result<L>,
) {
    let make: Make<D> = Arc::new(move |config| Ok(Box::new(from_config(config)?)));
    registry::register::<L, _>(names, &make);
}
