//! How weights begin: Keras' initializers.
//!
//! In a model they are words: `Dense(64, kernel_initializer = he_normal, bias_initializer = Constant(0.1))`,
//! `Dense(64, kernel_initializer = orthogonal.gain(2.0).seed(1))`.

mod config;
mod orthogonal;
mod scaling;
mod stft;

use ndarray::{ArrayD, IxDyn};

use crate::error::{Error, Result};
use crate::random::{Key, fresh_seed};
use crate::shape::{Shape, Text};
use crate::texts;
use scaling::{Distribution, Mode, Scaling};
use stft::Stft;

/// The distribution that a weight's first values are drawn from, as `keras.initializers` has it.
///
/// `fan_in` and `fan_out` are the numbers of inputs and outputs of one unit: for a dense kernel
/// its two sizes, for a convolution's kernel these times the size of its window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Initializer {
    class: Class,
    seed: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Class {
    Constant(f32),
    Identity {
        gain: f32,
    },
    Orthogonal {
        gain: f32,
    },
    Normal {
        mean: f32,
        stddev: f32,
        truncated: bool,
    },
    Uniform {
        min: f32,
        max: f32,
    },
    Scaling(Scaling),
    Stft(Stft),
}

/// The initializers of Keras with their default arguments, under the names of their classes and of
/// their functions.
macro_rules! catalogue {
    ($($(#[$meta:meta])* $class:ident $name:literal $($alias:literal)* = $value:expr;)*) => {
        #[allow(non_upper_case_globals)]
        impl Initializer {
            $(
                $(#[$meta])*
                pub const $class: Self = Self::of($value);
            )*

            /// Their classes.
            pub const CLASSES: &[&str] = &["Constant", $(stringify!($class)),*];

            /// The initializers by their names, with Keras' defaults.
            pub(crate) const NAMES: &[(&str, Self)] = &[
                ("constant", Self::constant(0.0)),
                ("Constant", Self::constant(0.0)),
                $(($name, Self::$class), (stringify!($class), Self::$class), $(($alias, Self::$class),)*)*
            ];
        }
    };
}

catalogue! {
    /// All zeros.
    Zeros "zeros" "zero" = Class::Constant(0.0);
    /// All ones.
    Ones "ones" "one" = Class::Constant(1.0);
    /// The identity matrix, times [`gain`](Self::gain).
    Identity "identity" "IdentityInitializer" = Class::Identity { gain: 1.0 };
    /// A random matrix with orthonormal rows or columns, whichever are fewer, times
    /// [`gain`](Self::gain) (Saxe et al., 2014). All axes but the last count as rows.
    Orthogonal "orthogonal" "OrthogonalInitializer" = Class::Orthogonal { gain: 1.0 };
    /// Uniform within ±sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio, 2010).
    GlorotUniform "glorot_uniform"
        = Class::Scaling(Scaling::new(1.0, Mode::Mean, Distribution::Uniform));
    /// Truncated normal, variance 2 / (fan_in + fan_out).
    GlorotNormal "glorot_normal"
        = Class::Scaling(Scaling::new(1.0, Mode::Mean, Distribution::TruncatedNormal));
    /// Uniform within ±sqrt(6 / fan_in) (He et al., 2015).
    HeUniform "he_uniform"
        = Class::Scaling(Scaling::new(2.0, Mode::Inputs, Distribution::Uniform));
    /// Truncated normal, variance 2 / fan_in.
    HeNormal "he_normal"
        = Class::Scaling(Scaling::new(2.0, Mode::Inputs, Distribution::TruncatedNormal));
    /// Uniform within ±sqrt(3 / fan_in) (LeCun et al., 1998).
    LecunUniform "lecun_uniform"
        = Class::Scaling(Scaling::new(1.0, Mode::Inputs, Distribution::Uniform));
    /// Truncated normal, variance 1 / fan_in.
    LecunNormal "lecun_normal"
        = Class::Scaling(Scaling::new(1.0, Mode::Inputs, Distribution::TruncatedNormal));
    /// Of variance `scale / n`, where n is `fan_in`, `fan_out` or their mean: see
    /// [`variance_scaling`](Self::variance_scaling). Truncated normal, variance 1 / fan_in.
    VarianceScaling "variance_scaling"
        = Class::Scaling(Scaling::new(1.0, Mode::Inputs, Distribution::TruncatedNormal));
    /// Normal, of mean 0 and standard deviation 0.05.
    RandomNormal "random_normal" "normal"
        = Class::Normal { mean: 0.0, stddev: 0.05, truncated: false };
    /// Normal, of mean 0 and standard deviation 0.05, drawn again beyond two standard deviations.
    TruncatedNormal "truncated_normal"
        = Class::Normal { mean: 0.0, stddev: 0.05, truncated: true };
    /// Uniform within ±0.05.
    RandomUniform "random_uniform" "uniform" = Class::Uniform { min: -0.05, max: 0.05 };
    /// The kernel of a short-time Fourier transformation, of shape (frame, 1, frequencies): see
    /// [`stft`](Self::stft). The real side with Hann's window, scaled to a norm of 1.
    STFT "stft" "STFTInitializer" = Class::Stft(Stft::new());
}

impl Initializer {
    /// The initializer of a name with its defaults, as `keras.initializers.get` finds it.
    ///
    /// # Errors
    /// If there is none; the message suggests the nearest.
    pub fn by_name(name: &str) -> Result<Self> {
        texts::by_name("initializer", name, Self::NAMES)
    }

    const fn of(class: Class) -> Self {
        Self { class, seed: None }
    }

    /// One value everywhere: `keras.initializers.Constant`.
    pub const fn constant(value: f32) -> Self {
        Self::of(Class::Constant(value))
    }

    /// The same as [`constant`](Self::constant), under the name of Keras' class.
    #[allow(non_snake_case)]
    pub const fn Constant(value: f32) -> Self {
        Self::constant(value)
    }

    /// Normal: `keras.initializers.RandomNormal`.
    pub const fn random_normal(mean: f32, stddev: f32) -> Self {
        let truncated = false;
        Self::of(Class::Normal {
            mean,
            stddev,
            truncated,
        })
    }

    /// Normal, drawn again beyond two standard deviations: `keras.initializers.TruncatedNormal`. The
    /// standard deviation is that before truncation.
    pub const fn truncated_normal(mean: f32, stddev: f32) -> Self {
        let truncated = true;
        Self::of(Class::Normal {
            mean,
            stddev,
            truncated,
        })
    }

    /// Uniform from `min` to `max`: `keras.initializers.RandomUniform`.
    pub const fn random_uniform(min: f32, max: f32) -> Self {
        Self::of(Class::Uniform { min, max })
    }

    /// Of mean 0 and variance `scale / n`: `keras.initializers.VarianceScaling`. The mode says what n is:
    /// `"fan_in"`, `"fan_out"` or `"fan_avg"`; the distribution is `"truncated_normal"`,
    /// `"untruncated_normal"` or `"uniform"`.
    ///
    /// # Panics
    /// If the scale is not positive, or there is no such mode or distribution; in a model this is a
    /// compile error.
    #[track_caller]
    pub const fn variance_scaling(scale: f32, mode: &str, distribution: &str) -> Self {
        let (mode, distribution) = (Mode::named(mode), Distribution::named(distribution));
        Self::of(Class::Scaling(
            Scaling::new(scale, mode, distribution).checked(),
        ))
    }

    /// The kernel of a short-time Fourier transformation: `keras.initializers.STFT`. The side is
    /// `"real"` or `"imag"`, the window `"hann"`, `"hamming"`, `"blackman"`, `"boxcar"` or `None`, the scaling
    /// `"density"`, `"spectrum"` or `None`.
    ///
    /// # Panics
    /// If there is no such side, window or scaling; in a model this is a compile error.
    #[track_caller]
    pub const fn stft(
        side: &str,
        window: Option<&str>,
        scaling: Option<&str>,
        periodic: bool,
    ) -> Self {
        Self::of(Class::Stft(Stft::named(side, window, scaling, periodic)))
    }

    /// The same with a factor, of [`Identity`](Self::Identity) and [`Orthogonal`](Self::Orthogonal).
    #[must_use]
    pub const fn gain(mut self, gain: f32) -> Self {
        match &mut self.class {
            Class::Identity { gain: old } | Class::Orthogonal { gain: old } => *old = gain,
            _ => {}
        }
        self
    }

    /// The same with a seed of its own: weights of the same shape begin with the same values then,
    /// in every layer and every model.
    #[must_use]
    pub const fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// The same with other axes to compute `fan_in` and `fan_out` from, of those that depend on them.
    /// Axes can be counted from the end: -1 is the last.
    ///
    /// # Panics
    /// If there are more than six; in a model this is a compile error.
    #[must_use]
    #[track_caller]
    pub const fn axes(mut self, input_axes: &[isize], output_axes: &[isize]) -> Self {
        if let Class::Scaling(scaling) = self.class {
            self.class = Class::Scaling(scaling.axes(input_axes, output_axes));
        }
        self
    }

    /// Whether a weight of this shape can begin so.
    ///
    /// # Errors
    /// With Keras' sentence, if it can not.
    pub fn check(&self, shape: &Shape) -> Result<()> {
        let text = Text::new().shape(shape);
        let (shape_text, rank) = (text.as_str(), shape.rank());
        match &self.class {
            Class::Identity { .. } if rank != 2 => Err(Error::value(format!(
                "Identity matrix initializer can only be used for 2D matrices. Received: \
                 shape={shape_text} of rank {rank}."
            ))),
            Class::Orthogonal { .. } if rank < 2 => Err(Error::value(format!(
                "The tensor to initialize must be at least two-dimensional. Received: \
                 shape={shape_text} of rank {rank}."
            ))),
            Class::Scaling(scaling) => scaling.check(shape),
            Class::Stft(_) if !matches!(shape.dims(), [_, 1, _]) => Err(Error::value(format!(
                "STFT initializer can only be used for kernels of shape (frame_length, 1, \
                 frequencies). Received: shape={shape_text}"
            ))),
            _ => Ok(()),
        }
    }

    /// A tensor of first values. Without a seed they differ from call to call.
    ///
    /// # Errors
    /// If a tensor of this shape can not begin so.
    pub fn values(&self, shape: &[usize]) -> Result<ArrayD<f32>> {
        let of = Shape::new(shape);
        self.check(&of)?;
        let mut values = vec![0.0; shape.iter().product()];
        self.fill(&of, Key::new(fresh_seed()), &mut values);
        ArrayD::from_shape_vec(IxDyn(shape), values)
            .map_err(|error| Error::value(error.to_string()))
    }

    /// Writes the first values of a weight whose shape has been [checked](Self::check), drawn with
    /// the key unless the initializer has a seed of its own.
    pub fn fill(&self, shape: &Shape, key: Key, values: &mut [f32]) {
        let key = self.seed.map_or(key, Key::new);
        let dims = shape.dims();
        match self.class {
            Class::Constant(value) => values.fill(value),
            Class::Identity { gain } => {
                values.fill(0.0);
                let columns = dims.last().copied().unwrap_or(1).max(1);
                for (at, row) in values.chunks_exact_mut(columns).enumerate() {
                    row.iter_mut()
                        .skip(at)
                        .take(1)
                        .for_each(|value| *value = gain);
                }
            }
            Class::Orthogonal { gain } => orthogonal::fill(dims, gain, key, values),
            Class::Normal {
                mean,
                stddev,
                truncated,
            } => {
                normal([mean.into(), stddev.into()], truncated, key, values);
            }
            Class::Uniform { min, max } => uniform([min.into(), max.into()], key, values),
            Class::Scaling(scaling) => scaling.fill(dims, key, values),
            Class::Stft(stft) => stft.fill(dims, values),
        }
    }
}

fn uniform([low, high]: [f64; 2], key: Key, values: &mut [f32]) {
    for (i, value) in values.iter_mut().enumerate() {
        *value = (low + (high - low) * key.uniform(i as u64)) as f32;
    }
}

fn normal([mean, stddev]: [f64; 2], truncated: bool, key: Key, values: &mut [f32]) {
    for (i, value) in values.iter_mut().enumerate() {
        let draw = if truncated {
            let draws = key.fold(i as u64);
            // A draw is kept with probability 0.954: sixty-four never run out in practice.
            let mut draws = (0..64).map(|j| draws.normal(j));
            draws.find(|draw| draw.abs() <= 2.0).unwrap_or(0.0)
        } else {
            key.normal(i as u64)
        };
        *value = (mean + stddev * draw) as f32;
    }
}

#[cfg(test)]
mod tests;
