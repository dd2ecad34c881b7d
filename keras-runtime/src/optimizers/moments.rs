//! The arguments of Adam and of its relatives.

/// How much of the running means is kept, and what keeps the divisor from 0.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moments {
    pub beta_1: f32,
    pub beta_2: f32,
    pub epsilon: f32,
}

impl Moments {
    /// Keras' defaults for nearly all of them.
    pub const DEFAULT: Self = Self {
        beta_1: 0.9,
        beta_2: 0.999,
        epsilon: 1e-7,
    };
}

/// The builder methods of an optimizer with a field `moments`; what follows describes `beta_1`, `beta_2`
/// and `epsilon`.
macro_rules! moment_arguments {
    ($beta_1:literal, $beta_2:literal, $epsilon:literal) => {
        #[doc = $beta_1]
        #[must_use]
        pub fn beta_1(mut self, beta_1: f32) -> Self {
            self.moments.beta_1 = beta_1;
            self
        }

        #[doc = $beta_2]
        #[must_use]
        pub fn beta_2(mut self, beta_2: f32) -> Self {
            self.moments.beta_2 = beta_2;
            self
        }

        #[doc = $epsilon]
        #[must_use]
        pub fn epsilon(mut self, epsilon: f32) -> Self {
            self.moments.epsilon = epsilon;
            self
        }
    };
}
pub(super) use moment_arguments;
