//! `initial_learning_rate / (1 + decay_rate · step / decay_steps)`.

use super::periods::periodic;

periodic! {
    /// A learning rate that falls with the inverse of the step:
    /// `keras.optimizers.schedules.InverseTimeDecay`.
    InverseTimeDecay;
    /// The first learning rate, and by how much its inverse grows in how many steps.
    new;
    |initial, decay_rate, periods| initial / (1.0 + decay_rate * periods)
}
