//! `y = mask · x / (1 - rate)` in training, `y = x` otherwise.

use super::{Backward, Forward, Layer, Weights, one_input};
use crate::arg::Size;
use crate::config::{Config, arguments};
use crate::device::{Device, DropoutMask};
use crate::random::Key;
use crate::shape::{Shape, ShapeError, Text};

/// Sets a random part of its input to zero while training: `keras.layers.Dropout`.
///
/// What is left is scaled up, so that sums stay the same on average, and inference has nothing to
/// do. The mask depends on the model's seed, the step, the layer and on nothing else, see
/// [`DropoutMask`].
#[derive(Clone, Copy, Debug)]
pub struct Dropout {
    rate: f32,
    seed: Option<u64>,
}

impl Dropout {
    /// A layer that drops the fraction `rate` of its input.
    ///
    /// # Panics
    /// If `rate` is not between 0 and 1; in a model this is a compile error.
    #[track_caller]
    pub const fn new(rate: f32) -> Self {
        let layer = Self { rate, seed: None };
        if let Some(mistake) = layer.mistake() {
            panic!("{}", mistake.as_str());
        }
        layer
    }

    /// What is wrong with the arguments.
    pub(super) const fn mistake(&self) -> Option<Text> {
        if self.rate >= 0.0 && self.rate <= 1.0 {
            return None;
        }
        let text = Text::new()
            .str("Invalid value received for argument `rate`. ")
            .str("Expected a float value between 0 and 1. Received: rate=");
        Some(text.float(self.rate))
    }

    /// A number that is mixed into the seed of the model: another one, another mask.
    ///
    /// # Panics
    /// If it is not one number; in a model this is a compile error.
    #[must_use]
    #[track_caller]
    pub const fn seed(mut self, seed: Size) -> Self {
        self.seed = Some(seed.single("Dropout", "seed") as u64);
        self
    }

    /// The shape of the input.
    ///
    /// # Errors
    /// If there are several inputs.
    pub const fn output_shape(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        one_input(inputs)
    }

    /// None.
    pub const fn weights(&self, _inputs: &[Shape]) -> Weights {
        Weights::NONE
    }

    fn mask(&self, key: Key) -> DropoutMask {
        let key = match self.seed {
            Some(seed) => key.fold(seed),
            None => key,
        };
        DropoutMask::new(key, self.rate)
    }
}

arguments!(Dropout {
    "rate": rate,
    "seed": seed,
    "noise_shape" = None::<&str>,
});

impl Layer for Dropout {
    fn config(&self) -> Config {
        Config::keras("keras.layers", "Dropout").arguments(self)
    }

    fn is_view(&self, training: bool) -> bool {
        !training || self.rate == 0.0
    }

    fn forward<D: Device>(&self, cx: Forward<'_, D>) {
        let [x] = cx.inputs else { return };
        cx.device.dropout(self.mask(cx.key), x.data, cx.output);
    }

    fn backward<D: Device>(&self, mut cx: Backward<'_, D>) {
        // The mask is computed again, from the same key.
        if let Some(d_x) = cx.d_input(0) {
            let d_output = D::read(&cx.d_output);
            cx.device.dropout(self.mask(cx.key), d_output, d_x);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::Cpu;
    use crate::testing::layer;

    const SHAPE: Shape = Shape::new(&[50, 20]);

    #[test]
    fn gradients() {
        for rate in [0.0, 0.3, 1.0] {
            let test = layer!(Dropout::new(rate), [Shape::new(&[3, 4])]).unwrap();
            test.key(Key::new(9)).check_gradients(3);
        }
    }

    #[test]
    fn training_drops_and_scales_the_rest() {
        let test = layer!(Dropout::new(0.75), [SHAPE]).unwrap();
        let run = |key| {
            let outcome = test
                .key(Key::new(key))
                .forward::<Cpu>(&[vec![1.0; 4000]], &[]);
            outcome.unwrap().output
        };
        let output = run(1);
        assert!(output.iter().all(|&y| y == 0.0 || y == 4.0));
        let kept = output.iter().filter(|&&y| y > 0.0).count();
        assert!((900..1100).contains(&kept), "{kept} of 4000");
        assert_eq!(output, run(1));
        assert_ne!(output, run(2));
    }

    #[test]
    fn a_seed_is_another_mask() {
        let x = [vec![1.0; 1000]];
        let run = |dropout: Dropout| {
            let test = layer!(dropout, [SHAPE]).unwrap();
            test.forward::<Cpu>(&x, &[]).unwrap().output
        };
        let dropout = Dropout::new(0.5);
        let seeded = run(dropout.seed(Size::new(&[1])));
        assert_eq!(seeded, run(dropout.seed(Size::new(&[1]))));
        assert_ne!(seeded, run(dropout.seed(Size::new(&[2]))));
        assert_ne!(seeded, run(dropout));
    }

    #[test]
    fn threads_change_nothing() {
        let len = 1_000_001;
        let test = layer!(Dropout::new(0.5), [Shape::new(&[len])]).unwrap();
        let output = test.forward::<Cpu>(&[vec![1.0; len]], &[]).unwrap().output;
        let mask = DropoutMask::new(Key::new(0), 0.5);
        assert!((0..).zip(output).all(|(i, y)| y == mask.factor(i)));
    }

    #[test]
    fn inference_does_nothing() {
        assert!(Dropout::new(0.5).is_view(false));
        assert!(!Dropout::new(0.5).is_view(true));
    }

    #[test]
    #[should_panic(
        expected = "Invalid value received for argument `rate`. Expected a float value between 0 and 1. Received: rate=1.5"
    )]
    fn the_rate_is_a_fraction() {
        let _ = Dropout::new(1.5);
    }

    #[test]
    #[should_panic(expected = "Received: rate=nan")]
    fn the_rate_is_a_number() {
        let _ = Dropout::new(f32::NAN);
    }
}
