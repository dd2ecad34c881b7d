//! `initial_learning_rate · decay_rate ^ (step / decay_steps)`.

use super::periods::periodic;

periodic! {
    /// A learning rate that falls by a factor every so many steps:
    /// `keras.optimizers.schedules.ExponentialDecay`.
    ExponentialDecay;
    /// The first learning rate, and by which factor it falls in how many steps.
    new;
    |initial, decay_rate, periods| initial * decay_rate.powf(periods)
}
