//! Constraints: what weights have to be after each step of training.
//!
//! In a model they are words: `Dense(64, kernel_constraint = max_norm(2.0), bias_constraint = non_neg)`.

use ndarray::{ArrayD, IxDyn};

use crate::config::{Argument, Config, Json, Read, named};
use crate::device::{Cpu, Device, NormBounds};
use crate::error::{Error, Result};
use crate::shape::{Shape, Text};
use crate::texts;

/// What a weight has to be, as `keras.constraints` has it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Constraint {
    /// Anything.
    #[default]
    None,
    /// Nowhere negative.
    NonNeg,
    /// Of norms within bounds: norms are those of the vectors along the axes.
    Norm {
        /// The bounds.
        bounds: NormBounds,
        /// The first and the last axis that a norm is taken over.
        axes: (isize, isize),
    },
}

impl Argument for Constraint {
    const EXPECTED: &'static str = "a constraint";

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

/// An axis, or several side by side.
fn read_axes(value: &Json) -> Result<(isize, isize)> {
    if let Ok(axis) = value.read::<isize>("axis") {
        return Ok((axis, axis));
    }
    let axes: Vec<isize> = value.read("axis")?;
    match axes[..] {
        [first, .., last] if axes.iter().copied().eq(first..=last) => Ok((first, last)),
        [axis] => Ok((axis, axis)),
        _ => Err(Error::value(format!(
            "The axes of a constraint must lie side by side. Received: axis={value}"
        ))),
    }
}

impl Constraint {
    /// The constraints by their names, with Keras' defaults.
    pub(crate) const NAMES: &[(&str, Self)] = &[
        ("max_norm", Self::max_norm(2.0)),
        ("MaxNorm", Self::max_norm(2.0)),
        ("min_max_norm", Self::min_max_norm(0.0, 1.0, 1.0)),
        ("MinMaxNorm", Self::min_max_norm(0.0, 1.0, 1.0)),
        ("non_neg", Self::NonNeg),
        ("NonNeg", Self::NonNeg),
        ("unit_norm", Self::unit_norm()),
        ("UnitNorm", Self::unit_norm()),
    ];

    /// Norms of at most `max_value`, along axis 0: `keras.constraints.MaxNorm`.
    pub const fn max_norm(max_value: f32) -> Self {
        Self::min_max_norm(0.0, max_value, 1.0)
    }

    /// Norms of 1, along axis 0: `keras.constraints.UnitNorm`.
    pub const fn unit_norm() -> Self {
        Self::min_max_norm(1.0, 1.0, 1.0)
    }

    /// Norms from `min_value` to `max_value`, along axis 0, to which a step goes `rate` of the way:
    /// `keras.constraints.MinMaxNorm`.
    pub const fn min_max_norm(min_value: f32, max_value: f32, rate: f32) -> Self {
        Self::Norm {
            bounds: NormBounds {
                min: min_value,
                max: max_value,
                rate,
            },
            axes: (0, 0),
        }
    }

    /// The same with norms along another axis.
    #[must_use]
    pub const fn axis(self, axis: isize) -> Self {
        self.axes(axis, axis)
    }

    /// The same with norms over several axes, which lie side by side: 0 to 2 are all weights of one
    /// filter of a `Conv2D`.
    #[must_use]
    pub const fn axes(self, first: isize, last: isize) -> Self {
        match self {
            Self::Norm { bounds, .. } => Self::Norm {
                bounds,
                axes: (first, last),
            },
            other => other,
        }
    }

    /// The constraint of a name with its defaults, as `keras.constraints.get` finds it.
    ///
    /// # Errors
    /// If there is none; the message suggests the nearest.
    pub fn by_name(name: &str) -> Result<Self> {
        texts::by_name("constraint", name, Self::NAMES)
    }

    /// Its class and arguments in Keras, if not everything is allowed.
    pub fn config(&self) -> Option<Config> {
        let keras = |class| Config::keras("keras.constraints", class);
        let Self::Norm { bounds, axes } = *self else {
            return matches!(self, Self::NonNeg).then(|| keras("NonNeg"));
        };
        let NormBounds { min, max, rate } = bounds;
        let config = match (min, max, rate) {
            (0.0, _, 1.0) => keras("MaxNorm").with("max_value", max),
            (1.0, 1.0, 1.0) => keras("UnitNorm"),
            _ => keras("MinMaxNorm")
                .with("min_value", min)
                .with("max_value", max)
                .with("rate", rate),
        };
        Some(if axes.0 == axes.1 {
            config.with("axis", axes.0)
        } else {
            config.with("axis", (axes.0..=axes.1).collect::<Vec<isize>>())
        })
    }

    /// The constraint of a configuration.
    ///
    /// # Errors
    /// If there is no such constraint, or a value does not fit its argument.
    pub fn from_config(config: &Config) -> Result<Self> {
        let mut constraint = Self::by_name(&config.class_name)?;
        let is = |class: &str| config.class_name == class;
        for (name, value) in config.config.iter() {
            let Self::Norm { bounds, axes } = &mut constraint else {
                return Err(config.unexpected(name));
            };
            let bound = match name {
                "axis" => {
                    *axes = read_axes(value)?;
                    continue;
                }
                "max_value" if !is("UnitNorm") => &mut bounds.max,
                "min_value" if is("MinMaxNorm") => &mut bounds.min,
                "rate" if is("MinMaxNorm") => &mut bounds.rate,
                _ => return Err(config.unexpected(name)),
            };
            *bound = value.read(name)?;
        }
        Ok(constraint)
    }

    /// Whether everything is allowed.
    pub const fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }

    /// Whether a weight of this shape can be constrained.
    ///
    /// # Errors
    /// If it does not have the axes.
    pub fn check(&self, shape: &Shape) -> Result<()> {
        let Self::Norm { axes, .. } = *self else {
            return Ok(());
        };
        if resolve(axes, shape.rank()).is_some() {
            return Ok(());
        }
        Err(Error::value(format!(
            "The axis of a constraint must be one of the weight's, of shape {}. Received: axis={axes:?}",
            Text::new().shape(shape).as_str()
        )))
    }

    /// An array that keeps the constraint.
    ///
    /// # Errors
    /// If it does not have the axes.
    pub fn apply(&self, w: &ArrayD<f32>) -> Result<ArrayD<f32>> {
        let shape = Shape::new(w.shape());
        self.check(&shape)?;
        let mut values: Vec<f32> = w.iter().copied().collect();
        self.hold(&Cpu::default(), &shape, &mut values[..]);
        ArrayD::from_shape_vec(IxDyn(w.shape()), values)
            .map_err(|error| Error::value(error.to_string()))
    }

    /// Makes a weight keep the constraint.
    pub(crate) fn hold<D: Device>(&self, device: &D, shape: &Shape, w: D::SliceMut<'_>) {
        match *self {
            Self::None => {}
            Self::NonNeg => device.bound_below(w),
            Self::Norm { bounds, axes } => {
                if let Some((first, last)) = resolve(axes, shape.rank()) {
                    let dims = shape.dims();
                    let size = |dims: &[usize]| dims.iter().product::<usize>();
                    let (outer, rest) = dims.split_at(first);
                    let (axes, inner) = rest.split_at(last + 1 - first);
                    let dims = [size(outer), size(axes), size(inner)];
                    device.bound_norms(bounds, dims, w);
                }
            }
        }
    }
}

/// The axes counted from the front, if there are such.
fn resolve((first, last): (isize, isize), rank: usize) -> Option<(usize, usize)> {
    let rank = rank as isize;
    let from_front = |axis: isize| if axis < 0 { axis + rank } else { axis };
    let (first, last) = (from_front(first), from_front(last));
    (0 <= first && first <= last && last < rank).then_some((first as usize, last as usize))
}
