//! Initializers in Keras' configurations.

use super::scaling::Scaling;
use super::stft::Stft;
use super::{Class, Initializer};
use crate::config::{Argument, Config, Json, Read, named};
use crate::error::Result;

impl Argument for Initializer {
    const EXPECTED: &'static str = "an initializer";

    fn to_json(&self) -> Json {
        self.config().to_json()
    }

    fn from_json(json: &Json) -> Result<Option<Self>> {
        named(json, Self::by_name, Self::from_config)
    }
}

impl Initializer {
    /// Its class and arguments in Keras.
    pub fn config(&self) -> Config {
        let keras = |class| Config::keras("keras.initializers", class);
        let random = |class| keras(class).with("seed", self.seed);
        match self.class {
            Class::Constant(0.0) => keras("Zeros"),
            Class::Constant(1.0) => keras("Ones"),
            Class::Constant(value) => keras("Constant").with("value", value),
            // Keras itself forgets the factor.
            Class::Identity { gain: 1.0 } => keras("Identity"),
            Class::Identity { gain } => keras("Identity").with("gain", gain),
            Class::Orthogonal { gain } => random("Orthogonal").with("gain", gain),
            Class::Normal {
                mean,
                stddev,
                truncated,
            } => random(if truncated {
                "TruncatedNormal"
            } else {
                "RandomNormal"
            })
            .with("mean", mean)
            .with("stddev", stddev),
            Class::Uniform { min, max } => random("RandomUniform")
                .with("minval", min)
                .with("maxval", max),
            Class::Scaling(scaling) => scaling.config(&random),
            Class::Stft(stft) => stft.config(keras("STFT")),
        }
    }

    /// The initializer of a configuration.
    ///
    /// # Errors
    /// If there is no such initializer, or it has no such argument.
    pub fn from_config(config: &Config) -> Result<Self> {
        let mut initializer = Self::by_name(&config.class_name)?;
        for (name, value) in config.config.iter() {
            if name == "seed" {
                initializer.seed = seed(value)?;
                continue;
            }
            let is_known = match &mut initializer.class {
                Class::Scaling(scaling) => scaling.read(name, value)?,
                Class::Stft(_) => Stft::ARGUMENTS.contains(&name),
                of => match of.argument(name) {
                    Some(argument) => {
                        *argument = value.read(name)?;
                        true
                    }
                    None => false,
                },
            };
            if !is_known {
                return Err(config.unexpected(name));
            }
        }
        match &mut initializer.class {
            Class::Scaling(scaling) => scaling.check_arguments()?,
            Class::Stft(stft) => *stft = Stft::from_config(&config.config)?,
            _ => {}
        }
        Ok(initializer)
    }
}

/// A seed, or what Keras keeps one in.
fn seed(value: &Json) -> Result<Option<u64>> {
    match value.get("config").and_then(|config| config.get("seed")) {
        Some(seed) => seed.read("seed"),
        None => value.read("seed"),
    }
}

impl Class {
    /// The number of a name.
    fn argument(&mut self, name: &str) -> Option<&mut f32> {
        match (self, name) {
            (Self::Constant(value), "value")
            | (Self::Identity { gain: value } | Self::Orthogonal { gain: value }, "gain")
            | (Self::Normal { mean: value, .. }, "mean")
            | (Self::Normal { stddev: value, .. }, "stddev")
            | (Self::Uniform { min: value, .. }, "minval")
            | (Self::Uniform { max: value, .. }, "maxval") => Some(value),
            _ => None,
        }
    }
}

/// The initializers that are a scaling with arguments of their own.
const NAMED: [(&str, Initializer); 6] = [
    ("GlorotUniform", Initializer::GlorotUniform),
    ("GlorotNormal", Initializer::GlorotNormal),
    ("HeUniform", Initializer::HeUniform),
    ("HeNormal", Initializer::HeNormal),
    ("LecunUniform", Initializer::LecunUniform),
    ("LecunNormal", Initializer::LecunNormal),
];

impl Scaling {
    fn config(&self, random: &dyn Fn(&'static str) -> Config) -> Config {
        let named = NAMED.iter().find(
            |(_, named)| matches!(&named.class, Class::Scaling(named) if self.is_like(named)),
        );
        let config = match named {
            Some((class, _)) => random(class),
            None => random("VarianceScaling")
                .with("scale", self.scale)
                .with("mode", self.mode.name())
                .with("distribution", self.distribution.name()),
        };
        let [inputs, outputs] = self.axes_lists();
        config
            .with("input_axes", inputs)
            .with("output_axes", outputs)
    }
}
