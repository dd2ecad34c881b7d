//! What every optimizer can be told, and what is the same for all of them because of it.

use super::Variable;
use crate::config::arguments;
use crate::error::{Error, Result};
use crate::schedules::LearningRate;

/// The arguments that all optimizers have. Every optimizer has a builder method for each.
#[derive(Clone, Debug)]
pub struct Settings {
    pub(super) name: Option<String>,
    pub(super) learning_rate: LearningRate,
    pub(super) weight_decay: Option<f32>,
    pub(super) excluded: Vec<String>,
    pub(super) clipnorm: Option<f32>,
    pub(super) clipvalue: Option<f32>,
    pub(super) global_clipnorm: Option<f32>,
    pub(super) use_ema: bool,
    pub(super) ema_momentum: f32,
    pub(super) ema_overwrite_frequency: Option<u64>,
    pub(super) loss_scale_factor: Option<f32>,
    pub(super) gradient_accumulation_steps: Option<u64>,
    /// Whether several optimizers have a learning rate each.
    pub(super) is_of_several: bool,
}

arguments!(Settings {
    "name": name,
    "learning_rate": learning_rate,
    "weight_decay": weight_decay,
    "clipnorm": clipnorm,
    "global_clipnorm": global_clipnorm,
    "clipvalue": clipvalue,
    "use_ema": use_ema,
    "ema_momentum": ema_momentum,
    "ema_overwrite_frequency": ema_overwrite_frequency,
    "loss_scale_factor": loss_scale_factor,
    "gradient_accumulation_steps": gradient_accumulation_steps,
});

impl Settings {
    /// Keras' defaults.
    pub fn new(learning_rate: impl Into<LearningRate>) -> Self {
        Self {
            name: None,
            learning_rate: learning_rate.into(),
            weight_decay: None,
            excluded: Vec::new(),
            clipnorm: None,
            clipvalue: None,
            global_clipnorm: None,
            use_ema: false,
            ema_momentum: 0.99,
            ema_overwrite_frequency: None,
            loss_scale_factor: None,
            gradient_accumulation_steps: None,
            is_of_several: false,
        }
    }

    /// Those of several optimizers, each of which has its own.
    pub(super) fn of_several() -> Self {
        Self {
            is_of_several: true,
            ..Self::new(0.0)
        }
    }

    /// The step size.
    pub fn learning_rate(&self) -> &LearningRate {
        &self.learning_rate
    }

    /// Whether there is one step size for all variables.
    ///
    /// # Errors
    /// If there are several optimizers.
    pub(crate) fn one_learning_rate(&self) -> Result<&LearningRate> {
        if self.is_of_several {
            return Err(Error::value(
                "Learning rate cannot be accessed on a MultiOptimizer. Access the learning rate on the individual \
                 sub-optimizers instead.",
            ));
        }
        Ok(&self.learning_rate)
    }

    /// Whether a schedule determines the step size.
    pub fn is_scheduled(&self) -> bool {
        matches!(self.learning_rate, LearningRate::Schedule(_))
    }

    /// Whether a moving average of the weights is kept.
    pub fn use_ema(&self) -> bool {
        self.use_ema
    }

    /// Changes the step size.
    ///
    /// # Errors
    /// If a schedule determines it, or several optimizers have one each.
    pub fn set_learning_rate(&mut self, learning_rate: f32) -> Result<()> {
        if self.is_of_several {
            return Err(Error::value(
                "Learning rate cannot be set on a MultiOptimizer. Set the learning rate on the individual \
                 sub-optimizers instead.",
            ));
        }
        if self.is_scheduled() {
            return Err(Error::value(
                "This optimizer was created with a `LearningRateSchedule` object as its \
                 `learning_rate` constructor argument, hence its learning rate is not settable. If \
                 you need the learning rate to be settable, you should instantiate the optimizer \
                 with a float `learning_rate` argument.",
            ));
        }
        self.learning_rate = learning_rate.into();
        Ok(())
    }

    /// How much of a variable, times the learning rate, is taken away in each step.
    pub(super) fn weight_decay(&self, decay: Option<f32>, variable: &Variable) -> f32 {
        let is_excluded = |pattern: &String| variable.name().contains(pattern.as_str());
        match decay {
            Some(decay) if !self.excluded.iter().any(is_excluded) => decay,
            _ => 0.0,
        }
    }

    /// Whether the arguments are valid.
    ///
    /// # Errors
    /// With Keras' sentence, if they are not.
    pub(super) fn check(&self) -> Result<()> {
        self.learning_rate.check()?;
        if let Some(steps) = self.gradient_accumulation_steps.filter(|&steps| steps < 2) {
            return Err(Error::value(format!(
                "`gradient_accumulation_steps` must be an integer >= 2. Received: \
                 gradient_accumulation_steps={steps}"
            )));
        }
        if self.use_ema && !(0.0..=1.0).contains(&self.ema_momentum) {
            return Err(Error::value(format!(
                "`ema_momentum` must be in the range [0, 1]. Received: ema_momentum={}",
                self.ema_momentum
            )));
        }
        if self.use_ema && self.ema_overwrite_frequency == Some(0) {
            return Err(Error::value(
                "`ema_overwrite_frequency` must be an integer >= 1 or None. Received: \
                 ema_overwrite_frequency=0",
            ));
        }
        let clips = [self.clipnorm, self.clipvalue, self.global_clipnorm];
        if clips.iter().flatten().count() > 1 {
            let [clipnorm, clipvalue, global_clipnorm] =
                clips.map(|clip| clip.map_or("None".to_owned(), |clip| clip.to_string()));
            return Err(Error::value(format!(
                "Only one of `clipnorm`, `clipvalue` and `global_clipnorm` can be set. Received: \
                 clipnorm={clipnorm}, clipvalue={clipvalue}, global_clipnorm={global_clipnorm}"
            )));
        }
        Ok(())
    }
}

/// The builder methods of an optimizer with a field `settings`.
macro_rules! shared_arguments {
    () => {
        /// Its name in saved files and messages; by default that of its class.
        #[must_use]
        pub fn name(mut self, name: impl Into<String>) -> Self {
            self.settings.name = Some(name.into());
            self
        }

        /// How much of every weight, times the learning rate, is taken away in each step.
        #[must_use]
        pub fn weight_decay(mut self, weight_decay: f32) -> Self {
            self.settings.weight_decay = Some(weight_decay);
            self
        }

        /// No weight decay for variables in whose name one of these texts appears, such as `bias`.
        #[must_use]
        pub fn exclude_from_weight_decay<S: Into<String>>(
            mut self,
            var_names: impl IntoIterator<Item = S>,
        ) -> Self {
            let names = var_names.into_iter().map(Into::into);
            self.settings.excluded.extend(names);
            self
        }

        /// The gradient of each variable is scaled down to this norm where its own is larger.
        #[must_use]
        pub fn clipnorm(mut self, clipnorm: f32) -> Self {
            self.settings.clipnorm = Some(clipnorm);
            self
        }

        /// Every element of the gradients is clipped to this magnitude.
        #[must_use]
        pub fn clipvalue(mut self, clipvalue: f32) -> Self {
            self.settings.clipvalue = Some(clipvalue);
            self
        }

        /// All gradients are scaled down together to this norm where theirs is larger.
        #[must_use]
        pub fn global_clipnorm(mut self, global_clipnorm: f32) -> Self {
            self.settings.global_clipnorm = Some(global_clipnorm);
            self
        }

        /// Whether an exponential moving average of the weights is kept, which `fit` puts in the
        /// place of the weights at its end.
        #[must_use]
        pub fn use_ema(mut self, use_ema: bool) -> Self {
            self.settings.use_ema = use_ema;
            self
        }

        /// How much of the average is kept in each step; 0.99 by default.
        #[must_use]
        pub fn ema_momentum(mut self, ema_momentum: f32) -> Self {
            self.settings.ema_momentum = ema_momentum;
            self
        }

        /// The average is put in the place of the weights after every so many steps; by default at
        /// the end of training only.
        #[must_use]
        pub fn ema_overwrite_frequency(mut self, steps: u64) -> Self {
            self.settings.ema_overwrite_frequency = Some(steps);
            self
        }

        /// What the loss is multiplied with before its gradients are computed, and the gradients
        /// are divided by afterwards.
        #[must_use]
        pub fn loss_scale_factor(mut self, loss_scale_factor: f32) -> Self {
            self.settings.loss_scale_factor = Some(loss_scale_factor);
            self
        }

        /// The weights change in every so many steps only, by the mean of the gradients since.
        #[must_use]
        pub fn gradient_accumulation_steps(mut self, steps: u64) -> Self {
            self.settings.gradient_accumulation_steps = Some(steps);
            self
        }
    };
}
pub(super) use shared_arguments;
