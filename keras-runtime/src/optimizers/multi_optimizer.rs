//! Every variable is changed by one of several optimizers: by its path, or by what a function says of it.

use std::sync::Arc;

use super::pattern::Pattern;
use super::{Configured, Listed, Optimizer, Settings, Step, Variable};
use crate::config::{self, Config, Json, Object};
use crate::device::Device;
use crate::error::{Error, Result};

/// Which optimizer changes which variables: `keras.optimizers.OptimizerMap`.
///
/// ```
/// use keras_runtime::prelude::*;
///
/// let map = OptimizerMap::new(SGD::new(0.1))
///     .with("embedding/embeddings", Adam::new(0.01))
///     .with("dense.*/bias", SGD::new(0.2))
///     .with_those(|variable| variable.shape.rank() > 2, Muon::new(0.02));
/// let optimizer = MultiOptimizer::new(map);
/// ```
#[derive(Clone, Debug)]
pub struct OptimizerMap {
    default: Listed,
    entries: Vec<Entry>,
}

#[derive(Clone, Debug)]
struct Entry {
    key: Key,
    optimizer: Listed,
}

/// What variables are chosen by.
#[derive(Clone)]
enum Key {
    /// A path, or a pattern for paths.
    Path(String),
    Function(Arc<dyn Fn(&Variable) -> bool + Send + Sync>),
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Path(path) => write!(f, "{path:?}"),
            Self::Function(_) => f.write_str("a function"),
        }
    }
}

impl OptimizerMap {
    /// A map with the optimizer of every variable that is not named.
    pub fn new(default_optimizer: impl Into<Listed>) -> Self {
        Self {
            default: default_optimizer.into(),
            entries: Vec::new(),
        }
    }

    /// The optimizer of a variable by its path, such as `dense_1/kernel`, or of all whose whole path is as
    /// a regular expression says, such as `(encoder|decoder)/.*`: characters, `.`, sets, `\d`, `\w` and
    /// `\s`, groups, `|`, `*`, `+`, `?` and `{2,3}` as Python has them. Look-around and references are
    /// errors. A path counts before patterns.
    #[must_use]
    pub fn with(mut self, key: impl Into<String>, optimizer: impl Into<Listed>) -> Self {
        self.entries.push(Entry {
            key: Key::Path(key.into()),
            optimizer: optimizer.into(),
        });
        self
    }

    /// The optimizer of all variables that a function says yes to. Files do not keep it.
    #[must_use]
    pub fn with_those(
        mut self,
        those: impl Fn(&Variable) -> bool + Send + Sync + 'static,
        optimizer: impl Into<Listed>,
    ) -> Self {
        self.entries.push(Entry {
            key: Key::Function(Arc::new(those)),
            optimizer: optimizer.into(),
        });
        self
    }

    /// The optimizers, in Keras' order: the default last.
    fn optimizers(&self) -> impl Iterator<Item = &Listed> {
        let named = self.entries.iter().map(|entry| &entry.optimizer);
        named.chain([&self.default])
    }

    /// Which of them is that of a variable.
    fn position(&self, variable: &Variable) -> Result<usize> {
        let is_path =
            |entry: &Entry| matches!(&entry.key, Key::Path(path) if *path == variable.path);
        if let Some(at) = self.entries.iter().position(is_path) {
            return Ok(at);
        }
        let mut found = None;
        for (at, entry) in self.entries.iter().enumerate() {
            let is_meant = match &entry.key {
                Key::Path(path) => Pattern::new(path)?.matches(&variable.path),
                Key::Function(is_meant) => is_meant(variable),
            };
            if !is_meant {
                continue;
            }
            if found.replace(at).is_some() {
                return Err(Error::value(format!(
                    "Multiple optimizers assigned to variable {}.",
                    variable.path
                )));
            }
        }
        Ok(found.unwrap_or(self.entries.len()))
    }

    /// As Keras' files have it.
    fn config(&self) -> Config {
        let mut named = Object::new();
        for Entry { key, optimizer } in &self.entries {
            if let Key::Path(path) = key {
                named.set(path, optimizer.config().to_json());
            }
        }
        Config::keras("keras.optimizers", "OptimizerMap")
            .with("default_optimizer", self.default.config().to_json())
            .with("optimizer_map", Json::from(named))
    }

    /// What [`config`](Self::config) gives.
    fn from_config(config: &Config) -> Result<Self> {
        let optimizer = |json: &Json| super::from_config(&Config::from_json(json)?);
        let default = config
            .config
            .get("default_optimizer")
            .unwrap_or(&Json::Null);
        let mut map = Self::new(optimizer(default)?);
        if let Some(Json::Object(named)) = config.config.get("optimizer_map") {
            for (path, json) in named.iter() {
                map = map.with(path, optimizer(json)?);
            }
        }
        Ok(map)
    }

    fn check(&self) -> Result<()> {
        for (at, entry) in self.entries.iter().enumerate() {
            let Key::Path(path) = &entry.key else {
                continue;
            };
            let same = |other: &&Entry| matches!(&other.key, Key::Path(other) if other == path);
            if let Some(other) = self.entries[..at].iter().find(same) {
                return Err(Error::value(format!(
                    "'{path}' already exists in the OptimizerMap with value {}. Please make sure to not use duplicated \
                     keys.",
                    other.optimizer.configured().name()
                )));
            }
            Pattern::new(path)?;
        }
        for optimizer in self.optimizers() {
            if let Listed::LossScaleOptimizer(_) | Listed::MultiOptimizer(_) = optimizer {
                return Err(Error::value(format!(
                    "optimizer cannot be {}.",
                    optimizer.configured().class()
                )));
            }
        }
        Ok(())
    }
}

/// Several optimizers, each with variables of its own: `keras.optimizers.MultiOptimizer`.
///
/// It has no learning rate; each of the optimizers has.
#[derive(Clone, Debug)]
pub struct MultiOptimizer {
    settings: Settings,
    map: Box<OptimizerMap>,
}

impl MultiOptimizer {
    /// The optimizers of a map.
    pub fn new(optimizer_map: OptimizerMap) -> Self {
        Self {
            settings: Settings::of_several(),
            map: Box::new(optimizer_map),
        }
    }

    /// What the loss is multiplied with before its gradients are computed, in place of what the optimizers
    /// say themselves.
    #[must_use]
    pub fn loss_scale_factor(mut self, loss_scale_factor: f32) -> Self {
        self.settings.loss_scale_factor = Some(loss_scale_factor);
        self
    }

    /// Its name in saved files and messages; `multi_optimizer` by default.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.settings.name = Some(name.into());
        self
    }
}

impl MultiOptimizer {
    /// The optimizer of a configuration.
    pub(super) fn from_config(config: &Config) -> Result<Self> {
        let map = config.config.get("optimizer_map").unwrap_or(&Json::Null);
        let mut optimizer = Self::new(OptimizerMap::from_config(&Config::from_json(map)?)?);
        for (name, value) in config.config.iter() {
            match name {
                "optimizer_map" => {}
                "name" => config::read(&mut optimizer.settings.name, name, value)?,
                "loss_scale_factor" => {
                    config::read(&mut optimizer.settings.loss_scale_factor, name, value)?;
                }
                _ => return Err(config.unexpected(name)),
            }
        }
        Ok(optimizer)
    }
}

impl Configured for MultiOptimizer {
    fn class(&self) -> &'static str {
        "MultiOptimizer"
    }

    fn name(&self) -> &str {
        self.settings.name.as_deref().unwrap_or("multi_optimizer")
    }

    fn config(&self) -> Config {
        Config::keras("keras.optimizers", self.class())
            .with("optimizer_map", self.map.config().to_json())
            .with("loss_scale_factor", self.settings.loss_scale_factor)
            .with("name", Configured::name(self).to_owned())
    }

    fn settings(&self) -> &Settings {
        &self.settings
    }

    fn settings_mut(&mut self) -> &mut Settings {
        &mut self.settings
    }

    fn member_settings_mut(&mut self, at: usize) -> &mut Settings {
        let OptimizerMap { default, entries } = &mut *self.map;
        let optimizer = match entries.get_mut(at) {
            Some(entry) => &mut entry.optimizer,
            None => default,
        };
        optimizer.configured_mut().settings_mut()
    }
}

impl<D: Device> Optimizer<D> for MultiOptimizer {
    fn check(&self) -> Result<()> {
        self.map.check()?;
        for optimizer in self.map.optimizers() {
            optimizer.configured().settings().check()?;
            optimizer.optimizer::<D>().check()?;
        }
        Ok(())
    }

    fn scalars(&self) -> Vec<f32> {
        let scalars = |optimizer: &Listed| optimizer.optimizer::<D>().scalars();
        self.map.optimizers().flat_map(scalars).collect()
    }

    fn members(&self) -> usize {
        self.map.optimizers().count()
    }

    fn member(&self, at: usize) -> Option<&dyn Optimizer<D>> {
        self.map.optimizers().nth(at).map(Listed::optimizer)
    }

    fn member_of(&self, variable: &Variable) -> Result<usize> {
        self.map.position(variable)
    }

    /// Its members take the steps.
    fn update(&self, _: Step<'_, D>) {}
}
