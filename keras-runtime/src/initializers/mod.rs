//! How weights begin: Keras' initializers.

use crate::random::Key;
use crate::shape::Shape;

/// The distribution that a weight's first values are drawn from, as `keras.initializers` has it.
///
/// `fan_in` and `fan_out` are the numbers of inputs and outputs of one unit: for a dense kernel
/// its two sizes, for a convolution's kernel these times the size of its window.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Initializer {
    /// All zeros.
    Zeros,
    /// All ones.
    Ones,
    /// One value everywhere.
    Constant(f32),
    /// Uniform within ±sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio, 2010).
    GlorotUniform,
    /// Truncated normal, variance 2 / (fan_in + fan_out).
    GlorotNormal,
    /// Uniform within ±sqrt(6 / fan_in) (He et al., 2015).
    HeUniform,
    /// Truncated normal, variance 2 / fan_in.
    HeNormal,
    /// Uniform within ±sqrt(3 / fan_in) (LeCun et al., 1998).
    LecunUniform,
    /// Truncated normal, variance 1 / fan_in.
    LecunNormal,
    /// Normal.
    RandomNormal {
        /// The mean.
        mean: f32,
        /// The standard deviation.
        stddev: f32,
    },
    /// Normal, drawn again beyond two standard deviations.
    TruncatedNormal {
        /// The mean.
        mean: f32,
        /// The standard deviation before truncation.
        stddev: f32,
    },
    /// Uniform.
    RandomUniform {
        /// The lower bound.
        min: f32,
        /// The upper bound.
        max: f32,
    },
}

/// The standard deviation of a standard normal truncated at ±2.
const TRUNCATED_STDDEV: f64 = 0.879_625_661_034_239_8;

impl Initializer {
    /// Writes the first values of a weight of the given shape.
    pub fn fill(&self, shape: &Shape, key: Key, values: &mut [f32]) {
        let (fan_in, fan_out) = fans(shape.dims());
        let uniform = |limit: f64| (-limit, limit);
        let (low, high) = match *self {
            Self::Zeros => return values.fill(0.0),
            Self::Ones => return values.fill(1.0),
            Self::Constant(value) => return values.fill(value),
            Self::GlorotUniform => uniform((6.0 / (fan_in + fan_out)).sqrt()),
            Self::HeUniform => uniform((6.0 / fan_in).sqrt()),
            Self::LecunUniform => uniform((3.0 / fan_in).sqrt()),
            Self::RandomUniform { min, max } => (f64::from(min), f64::from(max)),
            Self::GlorotNormal => return scaled_normal(2.0 / (fan_in + fan_out), key, values),
            Self::HeNormal => return scaled_normal(2.0 / fan_in, key, values),
            Self::LecunNormal => return scaled_normal(1.0 / fan_in, key, values),
            Self::TruncatedNormal { mean, stddev } => {
                return truncated_normal(f64::from(mean), f64::from(stddev), key, values);
            }
            Self::RandomNormal { mean, stddev } => {
                for (i, value) in values.iter_mut().enumerate() {
                    *value = (f64::from(mean) + f64::from(stddev) * key.normal(i as u64)) as f32;
                }
                return;
            }
        };
        for (i, value) in values.iter_mut().enumerate() {
            *value = (low + (high - low) * key.uniform(i as u64)) as f32;
        }
    }
}

/// `fan_in` and `fan_out` of a weight, as Keras' `compute_fans` counts them.
fn fans(dims: &[usize]) -> (f64, f64) {
    let (fan_in, fan_out) = match *dims {
        [] => (1, 1),
        [n] => (n, n),
        [.., input, output] => {
            let window: usize = dims[..dims.len() - 2].iter().product();
            (window * input, window * output)
        }
    };
    (fan_in.max(1) as f64, fan_out.max(1) as f64)
}

fn scaled_normal(variance: f64, key: Key, values: &mut [f32]) {
    truncated_normal(0.0, variance.sqrt() / TRUNCATED_STDDEV, key, values);
}

fn truncated_normal(mean: f64, stddev: f64, key: Key, values: &mut [f32]) {
    for (i, value) in values.iter_mut().enumerate() {
        let draws = key.fold(i as u64);
        // A draw is kept with probability 0.954: sixty-four never run out in practice.
        let draw = (0..64)
            .map(|j| draws.normal(j))
            .find(|draw| draw.abs() <= 2.0);
        *value = (mean + stddev * draw.unwrap_or(0.0)) as f32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moments(initializer: Initializer, shape: &Shape) -> (f64, f64, f32) {
        let mut values = vec![0.0; shape.size()];
        initializer.fill(shape, Key::new(5), &mut values);
        let n = values.len() as f64;
        let mean = values.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
        let variance = values
            .iter()
            .map(|&v| (f64::from(v) - mean).powi(2))
            .sum::<f64>()
            / n;
        (
            mean,
            variance,
            values.iter().fold(0.0, |a, v| v.abs().max(a)),
        )
    }

    #[test]
    fn the_distributions_have_the_variance_of_keras() {
        let dense = Shape::new(&[100, 200]);
        let conv = Shape::new(&[3, 3, 20, 40]);
        for (initializer, shape, expected) in [
            (Initializer::GlorotUniform, &dense, 2.0 / 300.0),
            (Initializer::GlorotNormal, &dense, 2.0 / 300.0),
            (Initializer::GlorotUniform, &conv, 2.0 / (9.0 * 60.0)),
            (Initializer::HeNormal, &conv, 2.0 / (9.0 * 20.0)),
            (Initializer::HeUniform, &dense, 2.0 / 100.0),
            (Initializer::LecunNormal, &dense, 1.0 / 100.0),
            (Initializer::LecunUniform, &dense, 1.0 / 100.0),
        ] {
            let (mean, variance, _) = moments(initializer, shape);
            assert!(mean.abs() < 0.01, "{initializer:?}: mean {mean}");
            assert!(
                (variance / expected - 1.0).abs() < 0.05,
                "{initializer:?}: {variance} for {expected}"
            );
        }
        let (_, _, limit) = moments(Initializer::GlorotUniform, &dense);
        assert!(f64::from(limit) <= (6.0f64 / 300.0).sqrt() && limit > 0.14);
    }
}
