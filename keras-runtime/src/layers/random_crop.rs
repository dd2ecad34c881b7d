//! A window of each image: `y[i, j] = x[top + i, left + j]`, at random while training.

use super::{Backward, Forward, Layer, Weights, exact_rank, one_input};
use crate::arg::Size;
use crate::config::{Config, arguments};
use crate::device::{Device, Resize, Runs, Window};
use crate::random::Key;
use crate::shape::{Shape, ShapeError};

/// Cuts images (height, width, channels) to a size: `keras.layers.RandomCrop`.
///
/// In training the window lies at random, for all images of a batch at the same place. In
/// inference, and for images that are smaller than the window, the largest window in the middle of
/// the image that has the proportions asked for is resized, bilinearly.
#[derive(Clone, Copy, Debug)]
pub struct RandomCrop {
    height: usize,
    width: usize,
    seed: Option<u64>,
}

impl RandomCrop {
    /// A layer that gives images of `height` rows and `width` columns.
    ///
    /// # Panics
    /// If one of them is not one positive number; in a model this is a compile error.
    #[track_caller]
    pub const fn new(height: Size, width: Size) -> Self {
        Self {
            height: height.positive("RandomCrop", "height"),
            width: width.positive("RandomCrop", "width"),
            seed: None,
        }
    }

    /// A number that is mixed into the seed of the model: another one, other places.
    ///
    /// # Panics
    /// If it is not one number; in a model this is a compile error.
    #[must_use]
    #[track_caller]
    pub const fn seed(mut self, seed: Size) -> Self {
        self.seed = Some(seed.single("RandomCrop", "seed") as u64);
        self
    }

    /// (.., .., channels) -> (height, width, channels).
    ///
    /// # Errors
    /// If the input is no image.
    pub const fn output_shape(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        let input = match one_input(inputs) {
            Ok(input) => input,
            Err(error) => return Err(error),
        };
        if let Err(error) = exact_rank(&input, 3) {
            return Err(error);
        }
        if !input.is_known() {
            return Ok(Shape::UNKNOWN);
        }
        Ok(input.with_dim(0, self.height).with_dim(1, self.width))
    }

    /// None.
    pub const fn weights(&self, _inputs: &[Shape]) -> Weights {
        Weights::NONE
    }

    /// What the output shows of images of this shape.
    fn window(&self, input: &Shape, training: bool, key: Key) -> Window {
        let (height, width) = (input.dim(0), input.dim(1));
        if training && height >= self.height && width >= self.width {
            let key = match self.seed {
                Some(seed) => key.fold(seed),
                None => key,
            };
            return Window {
                top: key.below(0, height - self.height + 1),
                left: key.below(1, width - self.width + 1),
                height: self.height,
                width: self.width,
            };
        }
        let window_height = (width * self.height / self.width).clamp(1, height.max(1));
        let window_width = (height * self.width / self.height).clamp(1, width.max(1));
        Window {
            top: (height - window_height) / 2,
            left: (width - window_width) / 2,
            height: window_height,
            width: window_width,
        }
    }

    /// The window as it is, if it need not be resized: where its rows begin in the images and in
    /// the output, how many there are, and their length.
    fn rows(
        &self,
        input: &Shape,
        window: &Window,
        batch: usize,
    ) -> Option<(Runs, Runs, [usize; 2], usize)> {
        if (window.height, window.width) != (self.height, self.width) {
            return None;
        }
        let channels = input.dim(2);
        let row = input.dim(1) * channels;
        let images = Runs {
            offset: window.top * row + window.left * channels,
            strides: [input.dim(0) * row, row],
        };
        let len = self.width * channels;
        let output = Runs {
            offset: 0,
            strides: [self.height * len, len],
        };
        Some((images, output, [batch, self.height], len))
    }

    fn resize(&self, input: &Shape, window: Window, batch: usize) -> Resize {
        Resize {
            batch,
            input: [input.dim(0), input.dim(1), input.dim(2)],
            window,
            output: [self.height, self.width],
        }
    }
}

arguments!(RandomCrop {
    "data_format" = "channels_last",
    "height": height,
    "width": width,
    "seed": seed,
});

impl Layer for RandomCrop {
    fn config(&self) -> Config {
        Config::keras("keras.layers", "RandomCrop").arguments(self)
    }

    fn forward<D: Device>(&self, cx: Forward<'_, D>) {
        let [x] = cx.inputs else { return };
        let window = self.window(&x.shape, cx.training, cx.key);
        match self.rows(&x.shape, &window, cx.batch) {
            Some((images, rows, counts, len)) => {
                cx.device
                    .copy_runs(x.data, images, cx.output, rows, counts, len);
            }
            None => {
                let sizes = self.resize(&x.shape, window, cx.batch);
                cx.device.resize(sizes, x.data, cx.output);
            }
        }
    }

    fn backward<D: Device>(&self, mut cx: Backward<'_, D>) {
        let [x] = *cx.inputs else { return };
        let Some(mut d_x) = cx.d_input(0) else { return };
        let d_output = D::read(&cx.d_output);
        let window = self.window(&x.shape, cx.training, cx.key);
        match self.rows(&x.shape, &window, cx.batch) {
            Some((images, rows, counts, len)) => {
                cx.device.fill(D::reborrow(&mut d_x), 0.0);
                cx.device
                    .copy_runs(d_output, rows, d_x, images, counts, len);
            }
            None => {
                let sizes = self.resize(&x.shape, window, cx.batch);
                cx.device.resize_gradient(sizes, d_output, d_x);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::Cpu;
    use crate::testing::layer;

    fn crop(height: isize, width: isize) -> RandomCrop {
        RandomCrop::new(Size::new(&[height]), Size::new(&[width]))
    }

    #[test]
    fn gradients() {
        for (height, width) in [(3, 2), (5, 4), (5, 2), (7, 6), (3, 6), (1, 1)] {
            for seed in 0..3 {
                let test = layer!(crop(height, width), [Shape::new(&[5, 4, 2])]).unwrap();
                test.key(Key::new(seed)).check_gradients(2);
                test.training(false).check_gradients(2);
            }
        }
    }

    #[test]
    fn training_cuts_all_images_at_one_place() {
        let shape = Shape::new(&[4, 5, 1]);
        let image: Vec<f32> = (0..20).map(|i| i as f32).collect();
        let images = [[&image[..], &image[..]].concat()];
        let test = layer!(crop(2, 3), [shape]).unwrap();
        let mut corners = std::collections::BTreeSet::new();
        for seed in 0..100 {
            let test = test.key(Key::new(seed));
            let y = test.forward::<Cpu>(&images, &[]).unwrap().output;
            let corner = y[0];
            let window = [0.0, 1.0, 2.0, 5.0, 6.0, 7.0].map(|offset| corner + offset);
            assert_eq!(y, [window, window].concat());
            corners.insert(corner as usize);
        }
        assert_eq!(Vec::from_iter(corners), [0, 1, 2, 5, 6, 7, 10, 11, 12]);
    }

    #[test]
    fn inference_shows_the_middle() {
        // (2, 6) shown in (1, 1): the two columns in the middle, averaged.
        let test = layer!(crop(1, 1), [Shape::new(&[2, 6, 1])]).unwrap();
        let image = [(0..12).map(|i| i as f32).collect::<Vec<f32>>()];
        let test = test.training(false);
        let outcome = test.forward::<Cpu>(&image, &[]).unwrap();
        assert_eq!(outcome.output, [(2.0 + 3.0 + 8.0 + 9.0) / 4.0]);

        let test = layer!(crop(2, 6), [Shape::new(&[2, 6, 1])]).unwrap();
        let test = test.training(false);
        let outcome = test.forward::<Cpu>(&image, &[]).unwrap();
        assert_eq!(outcome.output, image[0]);
    }

    #[test]
    fn small_images_are_resized() {
        let test = layer!(crop(1, 4), [Shape::new(&[1, 2, 1])]).unwrap();
        let outcome = test.forward::<Cpu>(&[vec![0.0, 4.0]], &[]).unwrap();
        assert_eq!(outcome.output, [0.0, 1.0, 3.0, 4.0]);
    }

    #[test]
    fn shapes() {
        let none = Shape::NONE;
        let rule = |dims: &[usize]| crop(32, 30).output_shape(&[Shape::new(dims)]);
        let expected = Shape::new(&[32, 30, 3]);
        assert_eq!(rule(&[none, none, 3]).unwrap(), expected);
        assert_eq!(rule(&[40, 40, 3]).unwrap(), expected);
        let error = rule(&[40, 3]).unwrap_err();
        let expected = "input is incompatible with the layer: expected ndim=4, found ndim=3. \
                        Full shape received: (None, 40, 3)";
        assert_eq!(error.message(), expected);
    }

    #[test]
    #[should_panic(
        expected = "Received an invalid value for `height`, expected a positive integer. Received: height=0"
    )]
    fn sizes_are_positive() {
        let _ = crop(0, 3);
    }
}
