//! Regularizers: penalties on weights or outputs that are added to the loss.
//!
//! In a model they are words: `Dense(64, kernel_regularizer = l2(1e-4), bias_regularizer = L1(0.01))`.

use ndarray::ArrayD;

use crate::config::{Argument, Config, Json, Read, named};
use crate::device::{Cpu, Device, Float, Memory, UpdateRule, Vectors};
use crate::error::{Error, Result};
use crate::shape::{Shape, Text};
use crate::texts;

/// A penalty, as `keras.regularizers` has them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Regularizer {
    /// No penalty.
    #[default]
    None,
    /// `l1 Σ |x| + l2 Σ x²`.
    L1L2 {
        /// The weight of the magnitudes.
        l1: f32,
        /// The weight of the squares.
        l2: f32,
    },
    /// `factor` times the mean, over all pairs of rows or columns, of the magnitude of the cosine
    /// between them.
    Orthogonal {
        /// The weight of the mean.
        factor: f32,
        /// What is to be orthogonal.
        mode: OrthogonalMode,
    },
}

/// What an orthogonal regularizer compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrthogonalMode {
    /// The rows of the matrix.
    Rows,
    /// Its columns.
    Columns,
}

impl Argument for Regularizer {
    const EXPECTED: &'static str = "a regularizer";

    fn to_json(&self) -> Json {
        self.config().map_or(Json::Null, |config| config.to_json())
    }

    fn from_json(json: &Json) -> Result<Option<Self>> {
        if json.is_null() {
            return Ok(Some(Self::None));
        }
        named(json, Self::by_name, Self::from_config)
    }
}

/// Keras keeps some numbers as tensors of 32 bits, and writes all of their digits.
fn digits(number: f32) -> Json {
    Json::Float(number.into())
}

impl Regularizer {
    /// The regularizers by their names, with Keras' defaults.
    pub(crate) const NAMES: &[(&str, Self)] = &[
        ("l1", Self::l1(0.01)),
        ("L1", Self::l1(0.01)),
        ("l2", Self::l2(0.01)),
        ("L2", Self::l2(0.01)),
        ("l1_l2", Self::l1_l2(0.0, 0.0)),
        ("L1L2", Self::l1_l2(0.0, 0.0)),
        (
            "orthogonal_regularizer",
            Self::orthogonal(0.01, OrthogonalMode::Rows),
        ),
        (
            "OrthogonalRegularizer",
            Self::orthogonal(0.01, OrthogonalMode::Rows),
        ),
    ];

    /// `l1 Σ |x|`: `keras.regularizers.L1`.
    ///
    /// # Panics
    /// If `l1` is negative or not finite; in a model this is a compile error.
    #[track_caller]
    pub const fn l1(l1: f32) -> Self {
        Self::l1_l2(l1, 0.0)
    }

    /// `l2 Σ x²`: `keras.regularizers.L2`.
    ///
    /// # Panics
    /// If `l2` is negative or not finite; in a model this is a compile error.
    #[track_caller]
    pub const fn l2(l2: f32) -> Self {
        Self::l1_l2(0.0, l2)
    }

    /// `l1 Σ |x| + l2 Σ x²`: `keras.regularizers.L1L2`.
    ///
    /// # Panics
    /// If one of them is negative or not finite; in a model this is a compile error.
    #[track_caller]
    pub const fn l1_l2(l1: f32, l2: f32) -> Self {
        check("l1", l1);
        check("l2", l2);
        Self::L1L2 { l1, l2 }
    }

    /// Rows or columns of a matrix are pushed apart: `keras.regularizers.OrthogonalRegularizer`.
    ///
    /// # Panics
    /// If `factor` is negative or not finite; in a model this is a compile error.
    #[track_caller]
    pub const fn orthogonal(factor: f32, mode: OrthogonalMode) -> Self {
        check("factor", factor);
        Self::Orthogonal { factor, mode }
    }

    /// The regularizer of a name with its defaults, as `keras.regularizers.get` finds it.
    ///
    /// # Errors
    /// If there is none; the message suggests the nearest.
    pub fn by_name(name: &str) -> Result<Self> {
        texts::by_name("regularizer", name, Self::NAMES)
    }

    /// Its class and arguments in Keras, if there is a penalty.
    pub fn config(&self) -> Option<Config> {
        let keras = |class| Config::keras("keras.regularizers", class);
        Some(match *self {
            Self::None => return None,
            Self::L1L2 { l1, l2: 0.0 } if l1 != 0.0 => keras("L1").with("l1", digits(l1)),
            Self::L1L2 { l1: 0.0, l2 } => keras("L2").with("l2", l2),
            Self::L1L2 { l1, l2 } => keras("L1L2").with("l1", l1).with("l2", l2),
            Self::Orthogonal { factor, mode } => {
                let mode = match mode {
                    OrthogonalMode::Rows => "rows",
                    OrthogonalMode::Columns => "columns",
                };
                keras("OrthogonalRegularizer")
                    .with("factor", digits(factor))
                    .with("mode", mode)
            }
        })
    }

    /// The regularizer of a configuration.
    ///
    /// # Errors
    /// If there is no such regularizer, or a value does not fit its argument.
    pub fn from_config(config: &Config) -> Result<Self> {
        let mut regularizer = Self::by_name(&config.class_name)?;
        for (name, value) in config.config.iter() {
            match (&mut regularizer, name) {
                (Self::L1L2 { l1: strength, .. }, "l1")
                | (Self::L1L2 { l2: strength, .. }, "l2")
                | (
                    Self::Orthogonal {
                        factor: strength, ..
                    },
                    "factor",
                ) => {
                    *strength = value.read(name)?;
                    if !(strength.is_finite() && *strength >= 0.0) {
                        return Err(Error::value(format!(
                            "Invalid value for argument {name}: expected a non-negative float. Received: {name}={value}"
                        )));
                    }
                }
                (Self::Orthogonal { mode, .. }, "mode") => {
                    *mode = match value.as_str() {
                        Some("rows") => OrthogonalMode::Rows,
                        Some("columns") => OrthogonalMode::Columns,
                        _ => {
                            return Err(Error::value(format!(
                                "Invalid value for argument mode. Expected one of {{\"rows\", \"columns\"}}. \
                                 Received: mode={value}"
                            )));
                        }
                    };
                }
                _ => {
                    return Err(config.unexpected(name));
                }
            }
        }
        Ok(regularizer)
    }

    /// Whether there is no penalty.
    pub const fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }

    /// Whether a weight of this shape can be penalized.
    ///
    /// # Errors
    /// With Keras' sentence, if it cannot.
    pub fn check(&self, shape: &Shape) -> Result<()> {
        if !matches!(self, Self::Orthogonal { .. }) || shape.rank() == 2 {
            return Ok(());
        }
        Err(Error::value(format!(
            "Inputs to OrthogonalRegularizer must have rank 2. Received: inputs.shape={}",
            Text::new().shape(shape).as_str()
        )))
    }

    /// The penalty on an array.
    ///
    /// # Errors
    /// If its rank does not fit.
    pub fn penalty(&self, x: &ArrayD<f32>) -> Result<f32> {
        self.check(&Shape::new(x.shape()))?;
        let device = Cpu::default();
        let values: Vec<f32> = x.iter().copied().collect();
        let mut sums = device.alloc(1)?;
        let dims = matrix(x.shape());
        self.add_penalty(&device, dims, 1.0, &values, Cpu::slice_mut(&mut sums, 0..1));
        Ok(sums[0])
    }

    /// The derivative of the penalty on an array.
    ///
    /// # Errors
    /// If its rank does not fit.
    pub fn gradient(&self, x: &ArrayD<f32>) -> Result<ArrayD<f32>> {
        self.check(&Shape::new(x.shape()))?;
        let values: Vec<f32> = x.iter().copied().collect();
        let mut gradient = vec![0.0; values.len()];
        let dims = matrix(x.shape());
        self.add_gradient(&Cpu::default(), dims, 1.0, &values, &mut gradient);
        ArrayD::from_shape_vec(x.shape(), gradient).map_err(|error| Error::value(error.to_string()))
    }

    /// `sums[0] += weight · penalty(x)`, x (rows, columns).
    pub(crate) fn add_penalty<D: Device>(
        &self,
        device: &D,
        dims: [usize; 2],
        weight: f32,
        x: D::Slice<'_>,
        sums: D::SliceMut<'_>,
    ) {
        match *self {
            Self::None => {}
            Self::L1L2 { l1, l2 } => device.l1_l2(l1, l2, weight, x, sums),
            Self::Orthogonal { factor, mode } => {
                let vectors = mode.vectors(dims);
                device.orthogonality(vectors, weight * factor, x, Some(sums), None);
            }
        }
    }

    /// `gradient += factor · d penalty / dx`, x (rows, columns).
    pub(crate) fn add_gradient<D: Device>(
        &self,
        device: &D,
        dims: [usize; 2],
        factor: f32,
        x: D::Slice<'_>,
        gradient: D::SliceMut<'_>,
    ) {
        match *self {
            Self::None => {}
            Self::L1L2 { l1, l2 } => {
                let rule = Slope {
                    l1: factor * l1,
                    twice_l2: factor * 2.0 * l2,
                };
                device.update(rule, gradient, x, []);
            }
            Self::Orthogonal { factor: own, mode } => {
                let vectors = mode.vectors(dims);
                device.orthogonality(vectors, 0.0, x, None, Some((gradient, factor * own)));
            }
        }
    }
}

impl OrthogonalMode {
    /// The vectors in a matrix.
    fn vectors(self, [rows, columns]: [usize; 2]) -> Vectors {
        match self {
            Self::Rows => Vectors {
                count: rows,
                len: columns,
                stride: columns,
                step: 1,
            },
            Self::Columns => Vectors {
                count: columns,
                len: rows,
                stride: 1,
                step: columns,
            },
        }
    }
}

/// An array as a matrix whose rows lie along its first axis.
pub(crate) fn matrix(dims: &[usize]) -> [usize; 2] {
    match dims {
        [] => [1, 1],
        [rows, columns @ ..] => [*rows, columns.iter().product()],
    }
}

/// `gradient += l1 sign(x) + 2 l2 x`, the pass over the gradient that any device can do.
#[derive(Clone, Copy)]
struct Slope {
    l1: f32,
    twice_l2: f32,
}

impl UpdateRule<0> for Slope {
    #[inline(always)]
    fn update<F: Float>(&self, gradient: F, x: F, []: [F; 0]) -> (F, [F; 0]) {
        let l1 = F::from_f32(self.l1);
        // At 0 the slope of the magnitude is 1, as JAX has it.
        let of_size = if x >= F::zero() { l1 } else { -l1 };
        (gradient + of_size + F::from_f32(self.twice_l2) * x, [])
    }
}

#[track_caller]
const fn check(name: &str, value: f32) {
    if value >= 0.0 && value < f32::INFINITY {
        return;
    }
    let text = Text::new()
        .str("Invalid value for argument ")
        .str(name)
        .str(": expected a non-negative float. Received: ")
        .str(name)
        .str("=");
    panic!("{}", text.float(value).as_str());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::Cpu64;

    /// The gradients of penalties, in `f64`, against central differences.
    #[test]
    fn gradients_are_those_of_finite_differences() {
        let dims = [4, 5];
        let x: Vec<f64> = (0..20).map(|i| f64::from(i * 7 % 11) * 0.3 - 1.4).collect();
        let modes = [OrthogonalMode::Rows, OrthogonalMode::Columns];
        let orthogonal = modes.map(|mode| Regularizer::orthogonal(0.7, mode));
        for of in [
            Regularizer::l1(0.3),
            Regularizer::l1_l2(0.1, 0.4),
            orthogonal[0],
            orthogonal[1],
        ] {
            let penalty = |x: &[f64]| {
                let mut sums = [0.0];
                of.add_penalty(&Cpu64, dims, 1.0, x, &mut sums[..]);
                sums[0]
            };
            let mut gradient = vec![0.0; x.len()];
            of.add_gradient(&Cpu64, dims, 1.0, &x, &mut gradient);
            for i in 0..x.len() {
                let [above, below] = [1e-5, -1e-5].map(|step| {
                    let mut moved = x.clone();
                    moved[i] += step;
                    penalty(&moved)
                });
                let slope = (above - below) / 2e-5;
                let error = (gradient[i] - slope).abs();
                assert!(error < 1e-7, "{of:?} at {i}: {} for {slope}", gradient[i]);
            }
        }
    }
}
