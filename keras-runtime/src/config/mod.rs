//! Configurations: what an object of Keras' is made of, as its files say it.
//!
//! A layer, a loss, a metric, an optimizer is a class and the arguments of its constructor. [`Config`]
//! is both, and the JSON of it is Keras' own:
//!
//! ```
//! use keras_runtime::config::Config;
//!
//! let config = Config::keras("keras.layers", "Dropout").with("rate", 0.5f32).with("seed", None::<u64>);
//! let json = config.to_json().to_string();
//! assert_eq!(
//!     json,
//!     r#"{"module": "keras.layers", "class_name": "Dropout", "config": {"rate": 0.5, "seed": null}, "registered_name": null}"#
//! );
//! assert_eq!(Config::parse(&json)?, config);
//! # Ok::<(), keras_runtime::Error>(())
//! ```

mod argument;
pub(crate) mod registry;
#[cfg(feature = "serde")]
pub(crate) mod serde;

pub(crate) use argument::argument;
pub use argument::{Argument, Read};
pub use keras_config::{Json, Object};

use crate::error::{Error, Result};

/// A class and the arguments of its constructor.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Where Python finds the class, such as `keras.layers`; `None` for one of the user's own.
    pub module: Option<String>,
    /// The class, such as `Dense`.
    pub class_name: String,
    /// The arguments, in Keras' order.
    pub config: Object,
    /// The name that a class of the user's is registered under.
    pub registered_name: Option<String>,
}

impl Config {
    /// A class of Keras' without arguments.
    pub fn keras(module: &str, class_name: &str) -> Self {
        Self {
            module: Some(module.into()),
            class_name: class_name.into(),
            config: Object::new(),
            registered_name: None,
        }
    }

    /// A class of the user's own, registered under its name: Python loads it if it is given a class of
    /// this name as one of its `custom_objects`.
    pub fn own(class_name: &str) -> Self {
        Self {
            module: None,
            class_name: class_name.into(),
            config: Object::new(),
            registered_name: Some(class_name.into()),
        }
    }

    /// A class of the user's own whose name is that of a type; it is registered under the name that the program
    /// registered the type by, if it did.
    pub fn of_type<T: ?Sized>() -> Self {
        let name = std::any::type_name::<T>();
        let name = name.split('<').next().unwrap_or(name);
        let mut config = Self::own(name.rsplit("::").next().unwrap_or(name));
        if let Some(name) = registry::name_of::<T>() {
            config.registered_name = Some(name);
        }
        config
    }

    /// The same with one more argument.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Argument) -> Self {
        self.config.set(name, value.to_json());
        self
    }

    /// The same with arguments after those that are there.
    #[must_use]
    pub(crate) fn arguments(mut self, of: &dyn Arguments) -> Self {
        of.write(&mut self.config);
        self
    }

    /// Whether it is one of Keras' own classes.
    pub fn is_keras(&self) -> bool {
        let module = self.module.as_deref().unwrap_or_default();
        module == "keras" || module.starts_with("keras.")
    }

    /// As it stands in Keras' files.
    pub fn to_json(&self) -> Json {
        Object::new()
            .with("module", self.module.clone())
            .with("class_name", self.class_name.as_str())
            .with("config", self.config.clone())
            .with("registered_name", self.registered_name.clone())
            .into()
    }

    /// What stands in Keras' files. Only the class has to be there.
    ///
    /// # Errors
    /// If it is no such object.
    pub fn from_json(json: &Json) -> Result<Self> {
        let mistake = || {
            Error::value(format!(
                "Expected an object with a `class_name` and a `config`. Received: {}",
                json.shortened()
            ))
        };
        let text = |name: &str| match json.get(name) {
            None | Some(Json::Null) => Ok(None),
            Some(Json::Text(text)) => Ok(Some(text.clone())),
            Some(_) => Err(mistake()),
        };
        Ok(Self {
            module: text("module")?,
            class_name: text("class_name")?.ok_or_else(mistake)?,
            config: match json.get("config") {
                None | Some(Json::Null) => Object::new(),
                Some(Json::Object(config)) => config.clone(),
                Some(_) => return Err(mistake()),
            },
            registered_name: text("registered_name")?,
        })
    }

    /// The configuration in a text of JSON.
    ///
    /// # Errors
    /// If it is no JSON, or no configuration.
    pub fn parse(text: &str) -> Result<Self> {
        Self::from_json(&Json::parse(text).map_err(Error::Value)?)
    }

    /// The value of an argument, for the `from_config` of a class of the user's.
    ///
    /// # Errors
    /// If it is not there, or is no such value.
    pub fn argument<T: Argument>(&self, name: &str) -> Result<T> {
        let value = self.config.get(name).ok_or_else(|| {
            Error::value(format!(
                "{}: expected the argument `{name}`. Received: none",
                self.class_name
            ))
        });
        value?.read(name)
    }

    /// Sets arguments to those of the configuration.
    ///
    /// # Errors
    /// If there is no argument of a name, or a value does not fit it.
    pub(crate) fn read_into(&self, of: &mut dyn Arguments) -> Result<()> {
        for (name, value) in self.config.iter() {
            if !of.read(name, value)? {
                return Err(self.unexpected(name));
            }
        }
        Ok(())
    }

    /// The error that there is no argument of a name.
    pub fn unexpected(&self, name: &str) -> Error {
        Error::value(format!(
            "{} got an unexpected keyword argument `{name}`",
            self.class_name
        ))
    }
}

/// What stands in a configuration as a name or as an object; `None` if it is neither.
pub(crate) fn named<T>(
    json: &Json,
    by_name: impl FnOnce(&str) -> Result<T>,
    from_config: impl FnOnce(&Config) -> Result<T>,
) -> Result<Option<T>> {
    match json {
        Json::Text(name) => by_name(name).map(Some),
        // A function of Keras': its name is where arguments would be.
        Json::Object(object)
            if object.get("class_name").and_then(Json::as_str) == Some("function") =>
        {
            let name = object.get("config").and_then(Json::as_str);
            by_name(name.unwrap_or_default()).map(Some)
        }
        Json::Object(_) => from_config(&Config::from_json(json)?).map(Some),
        _ => Ok(None),
    }
}

/// A function of the user's by the name that it is registered under, as Keras' files have it.
pub(crate) fn function(name: &str) -> Json {
    Object::new()
        .with("module", "builtins")
        .with("class_name", "function")
        .with("config", name)
        .with("registered_name", "function")
        .into()
}

/// Arguments of a constructor, to configurations and back: see the macro `arguments!`.
pub trait Arguments {
    /// Appends them, in Keras' order.
    fn write(&self, config: &mut Object);

    /// Sets the argument of a name; whether there is one.
    ///
    /// # Errors
    /// If the value does not fit the argument.
    fn read(&mut self, name: &str, value: &Json) -> Result<bool>;
}

/// Says which field of a type is which argument in Keras' configurations, in Keras' order.
///
/// * `"units": units` is a field, also one of a field;
/// * `"axis" unless -1: axis` is one that is only written where it is another value;
/// * `"data_format" = "channels_last"` is the only value that there is here.
///
/// `Type: own { .. }` has those of the field `own` before.
macro_rules! arguments {
    ($ty:ident $(: $own:ident)? { $($name:literal $(unless $default:tt)? $(: $field:ident $(. $of:tt)*)? $(= $only:expr)?),* $(,)? }) => {
        impl $crate::config::Arguments for $ty {
            fn write(&self, config: &mut $crate::config::Object) {
                let _ = &config;
                $(self.$own.write(config);)?
                $($crate::config::arguments!(
                    @write config, $name $(unless $default)? $(= $only)? $(: self.$field $(.$of)*)?
                );)*
            }

            fn read(
                &mut self,
                name: &str,
                value: &$crate::config::Json,
            ) -> $crate::Result<bool> {
                let _ = value;
                $(if self.$own.read(name, value)? {
                    return Ok(true);
                })?
                match name {
                    $($name => $crate::config::arguments!(
                        @read name, value $(= $only)? $(: self.$field $(.$of)*)?
                    ),)*
                    _ => return Ok(false),
                }
                #[allow(unreachable_code)]
                Ok(true)
            }
        }
    };
    (@write $config:ident, $name:literal = $only:expr) => {
        $config.set($name, $crate::config::Argument::to_json(&$only))
    };
    (@write $config:ident, $name:literal: $field:expr) => {
        $config.set($name, $crate::config::Argument::to_json(&$field))
    };
    (@write $config:ident, $name:literal unless $default:tt: $field:expr) => {
        if $field != $default {
            $config.set($name, $crate::config::Argument::to_json(&$field));
        }
    };
    (@read $name:ident, $value:ident = $only:expr) => {
        $crate::config::only($name, $value, &$crate::config::Argument::to_json(&$only))?
    };
    (@read $name:ident, $value:ident: $field:expr) => {
        $crate::config::read(&mut $field, $name, $value)?
    };
}
pub(crate) use arguments;

/// Sets an argument; what is `null` and cannot be stays as it is.
pub(crate) fn read<T: Argument>(argument: &mut T, name: &str, value: &Json) -> Result<()> {
    match value.read(name) {
        Ok(value) => *argument = value,
        Err(_) if value.is_null() => {}
        Err(error) => return Err(error),
    }
    Ok(())
}

/// Whether an argument has the only value that there is here.
pub(crate) fn only(name: &str, value: &Json, expected: &Json) -> Result<()> {
    let is_same = value == expected
        || (value.as_f64().is_some() && value.as_f64() == expected.as_f64())
        || value.is_null();
    if is_same {
        return Ok(());
    }
    Err(Error::value(format!(
        "`{name}` must be {expected} here. Received: {name}={}",
        value.shortened()
    )))
}
