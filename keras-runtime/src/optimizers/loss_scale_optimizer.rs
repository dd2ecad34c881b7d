//! The loss is multiplied by a scale that is halved whenever a gradient is not finite, in which case
//! no step is taken, and doubled after `dynamic_growth_steps` steps without that.

use super::{Configured, Listed, Optimizer, Settings, Slot, Step, Variable, Wrapper};
use crate::config::{self, Config, Json};
use crate::device::Device;
use crate::error::{Error, Result};
use crate::shape::Shape;

/// Another optimizer, with a loss scale that finds its own size:
/// `keras.optimizers.LossScaleOptimizer`.
#[derive(Clone, Debug)]
pub struct LossScaleOptimizer {
    inner: Box<Listed>,
    name: Option<String>,
    initial_scale: f32,
    dynamic_growth_steps: u64,
}

impl LossScaleOptimizer {
    /// The optimizer that takes the steps. Its own `loss_scale_factor` is not used.
    pub fn new(inner_optimizer: impl Into<Listed>) -> Self {
        Self {
            inner: Box::new(inner_optimizer.into()),
            name: None,
            initial_scale: 32768.0,
            dynamic_growth_steps: 2000,
        }
    }

    /// The scale to begin with; 2¹⁵ by default.
    #[must_use]
    pub fn initial_scale(mut self, initial_scale: f32) -> Self {
        self.initial_scale = initial_scale;
        self
    }

    /// The steps after which the scale is doubled; 2000 by default.
    #[must_use]
    pub fn dynamic_growth_steps(mut self, steps: u64) -> Self {
        self.dynamic_growth_steps = steps;
        self
    }

    /// Its name in saved files and messages; `loss_scale_optimizer` by default.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }
}

impl LossScaleOptimizer {
    /// The optimizer of a configuration.
    pub(super) fn from_config(config: &Config) -> Result<Self> {
        let inner = config.config.get("inner_optimizer").unwrap_or(&Json::Null);
        let inner = Config::from_json(inner)?;
        if inner.class_name.eq_ignore_ascii_case("LossScaleOptimizer") {
            return Err(Error::value(
                "A LossScaleOptimizer expects another optimizer. Received: a LossScaleOptimizer",
            ));
        }
        let mut optimizer = Self::new(super::from_config(&inner)?);
        for (name, value) in config.config.iter() {
            match name {
                "inner_optimizer" => {}
                "name" => config::read(&mut optimizer.name, name, value)?,
                "initial_scale" => config::read(&mut optimizer.initial_scale, name, value)?,
                "dynamic_growth_steps" => {
                    config::read(&mut optimizer.dynamic_growth_steps, name, value)?;
                }
                _ => return Err(config.unexpected(name)),
            }
        }
        Ok(optimizer)
    }
}

impl Configured for LossScaleOptimizer {
    fn class(&self) -> &'static str {
        "LossScaleOptimizer"
    }

    fn name(&self) -> &str {
        self.name.as_deref().unwrap_or("loss_scale_optimizer")
    }

    fn config(&self) -> Config {
        Config::keras("keras.optimizers", self.class())
            .with("name", Configured::name(self).to_owned())
            .with(
                "inner_optimizer",
                self.inner.configured().config().to_json(),
            )
            .with("initial_scale", self.initial_scale)
            .with("dynamic_growth_steps", self.dynamic_growth_steps)
    }

    fn settings(&self) -> &Settings {
        self.inner.configured().settings()
    }

    fn settings_mut(&mut self) -> &mut Settings {
        self.inner.configured_mut().settings_mut()
    }

    fn member_settings_mut(&mut self, at: usize) -> &mut Settings {
        self.inner.configured_mut().member_settings_mut(at)
    }
}

/// The numbers it remembers before those of the inner optimizer: the steps since the scale changed,
/// and the scale.
const OWN: usize = 2;

impl<D: Device> Optimizer<D> for LossScaleOptimizer {
    fn check(&self) -> Result<()> {
        self.inner.optimizer::<D>().check()
    }

    fn slots(&self) -> Vec<Slot> {
        self.inner.optimizer::<D>().slots()
    }

    fn slot_shape(&self, slot: usize, variable: &Variable) -> Option<Shape> {
        self.inner.optimizer::<D>().slot_shape(slot, variable)
    }

    fn scalars(&self) -> Vec<f32> {
        let mut scalars = vec![0.0, self.initial_scale];
        scalars.extend(self.inner.optimizer::<D>().scalars());
        scalars
    }

    fn wrapper(&self) -> Option<Wrapper<'_>> {
        Some(Wrapper {
            inner: self.inner.configured().name(),
            counts: &["step_counter"],
            scalars: &["dynamic_scale"],
        })
    }

    fn scratch(&self, variables: &[Variable]) -> usize {
        self.inner.optimizer::<D>().scratch(variables)
    }

    fn is_elementwise(&self) -> bool {
        self.inner.optimizer::<D>().is_elementwise()
    }

    fn weight_decay(&self, variable: &Variable) -> f32 {
        self.inner.optimizer::<D>().weight_decay(variable)
    }

    fn loss_scale(&self, scalars: &[f32]) -> f32 {
        scalars.get(1).copied().unwrap_or(1.0)
    }

    fn accepts(
        &self,
        device: &D,
        grads: &D::Buffer,
        variables: &[Variable],
        scalars: &mut [f32],
    ) -> bool {
        let [steps, scale, ..] = scalars else {
            return true;
        };
        let ranges = variables.iter().map(|variable| variable.range.clone());
        if !device.is_finite(grads, ranges) {
            *steps = 0.0;
            *scale *= 0.5;
            return false;
        }
        *steps += 1.0;
        if *steps >= self.dynamic_growth_steps as f32 {
            *steps = 0.0;
            *scale *= 2.0;
        }
        true
    }

    fn members(&self) -> usize {
        self.inner.optimizer::<D>().members()
    }

    fn member(&self, at: usize) -> Option<&dyn Optimizer<D>> {
        self.inner.optimizer::<D>().member(at)
    }

    fn member_of(&self, variable: &Variable) -> Result<usize> {
        self.inner.optimizer::<D>().member_of(variable)
    }

    fn update(&self, step: Step<'_, D>) {
        let Some(scalars) = step.scalars.get_mut(OWN..) else {
            return;
        };
        self.inner.optimizer::<D>().update(Step { scalars, ..step });
    }
}
