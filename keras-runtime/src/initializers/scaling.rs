//! Variance `scale / n`, where n is the number of inputs of a unit, of its outputs, or their mean.

use super::{normal, uniform};
use crate::config::{Json, Read};
use crate::error::{Error, Result};
use crate::random::Key;
use crate::shape::{Shape, Text};
use crate::texts::is;

/// The standard deviation of a standard normal truncated at ±2.
const TRUNCATED_STDDEV: f64 = 0.879_625_661_034_239_8;

/// What the variance is divided by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Mode {
    Inputs,
    Outputs,
    Mean,
}

impl Mode {
    #[track_caller]
    pub const fn named(name: &str) -> Self {
        if is(name, "fan_in") {
            return Self::Inputs;
        }
        if is(name, "fan_out") {
            return Self::Outputs;
        }
        if is(name, "fan_avg") {
            return Self::Mean;
        }
        refuse("mode", name, "{'fan_in', 'fan_out', 'fan_avg'}")
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::Inputs => "fan_in",
            Self::Outputs => "fan_out",
            Self::Mean => "fan_avg",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Distribution {
    TruncatedNormal,
    UntruncatedNormal,
    Uniform,
}

impl Distribution {
    #[track_caller]
    pub const fn named(name: &str) -> Self {
        if is(name, "truncated_normal") || is(name, "normal") {
            return Self::TruncatedNormal;
        }
        if is(name, "untruncated_normal") {
            return Self::UntruncatedNormal;
        }
        if is(name, "uniform") {
            return Self::Uniform;
        }
        refuse(
            "distribution",
            name,
            "{'uniform', 'truncated_normal', 'untruncated_normal'}",
        )
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::TruncatedNormal => "truncated_normal",
            Self::UntruncatedNormal => "untruncated_normal",
            Self::Uniform => "uniform",
        }
    }
}

#[track_caller]
const fn refuse(argument: &str, name: &str, known: &str) -> ! {
    let text = Text::new()
        .str("Invalid `")
        .str(argument)
        .str("` argument: ");
    let text = text.str(name).str(". Please use one of ").str(known);
    panic!("{}", text.as_str())
}

/// Axes of a weight; negative ones are counted from the end.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Axes {
    list: [i8; Axes::MAX],
    len: u8,
}

impl Axes {
    const MAX: usize = 6;

    #[track_caller]
    const fn new(axes: &[isize]) -> Self {
        assert!(axes.len() <= Self::MAX, "at most six axes fit here");
        let (mut list, mut at) = ([0; Self::MAX], 0);
        while at < axes.len() {
            assert!(
                -100 < axes[at] && axes[at] < 100,
                "a weight has no such axis"
            );
            list[at] = axes[at] as i8;
            at += 1;
        }
        let len = axes.len() as u8;
        Self { list, len }
    }

    fn list(&self) -> &[i8] {
        &self.list[..self.len as usize]
    }

    /// The size of an axis.
    fn dim(axis: i8, dims: &[usize]) -> Option<usize> {
        let axis = isize::from(axis);
        let from_front = if axis < 0 {
            axis + dims.len() as isize
        } else {
            axis
        };
        dims.get(usize::try_from(from_front).ok()?).copied()
    }

    /// The product of the sizes.
    fn product(&self, dims: &[usize]) -> usize {
        self.list()
            .iter()
            .filter_map(|&axis| Self::dim(axis, dims))
            .product()
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Scaling {
    pub scale: f32,
    pub mode: Mode,
    pub distribution: Distribution,
    axes: Option<[Axes; 2]>,
}

impl Scaling {
    pub const fn new(scale: f32, mode: Mode, distribution: Distribution) -> Self {
        Self {
            scale,
            mode,
            distribution,
            axes: None,
        }
    }

    #[track_caller]
    pub const fn checked(self) -> Self {
        if self.scale <= 0.0 || self.scale.is_nan() {
            let text = Text::new().str("Argument `scale` must be positive float. Received: scale=");
            panic!("{}", text.float(self.scale).as_str());
        }
        self
    }

    #[track_caller]
    pub const fn axes(mut self, inputs: &[isize], outputs: &[isize]) -> Self {
        self.axes = Some([Axes::new(inputs), Axes::new(outputs)]);
        self
    }

    /// Whether the other one differs in its axes at most.
    pub fn is_like(&self, other: &Self) -> bool {
        Self {
            axes: other.axes,
            ..*self
        } == *other
    }

    /// The axes of the inputs and of the outputs, where they are given.
    pub fn axes_lists(&self) -> [Option<Vec<isize>>; 2] {
        let list = |axes: Axes| axes.list().iter().map(|&axis| axis.into()).collect();
        match self.axes {
            Some(axes) => axes.map(|axes| Some(list(axes))),
            None => [None, None],
        }
    }

    /// Sets an argument that Keras calls so; whether there is one.
    pub fn read(&mut self, name: &str, value: &Json) -> Result<bool> {
        let at = match name {
            "scale" => {
                self.scale = value.read(name)?;
                return Ok(true);
            }
            "mode" => {
                let modes = [Mode::Inputs, Mode::Outputs, Mode::Mean];
                self.mode = one_of(&modes, Mode::name, name, value)?;
                return Ok(true);
            }
            "distribution" => {
                let distributions = [
                    Distribution::TruncatedNormal,
                    Distribution::UntruncatedNormal,
                    Distribution::Uniform,
                ];
                self.distribution = one_of(&distributions, Distribution::name, name, value)?;
                return Ok(true);
            }
            "input_axes" => 0,
            "output_axes" => 1,
            _ => return Ok(false),
        };
        let given: Option<Vec<isize>> = value.read(name)?;
        if let Some(given) = given {
            let fits = given.len() <= Axes::MAX && given.iter().all(|axis| axis.abs() < 100);
            if !fits {
                return Err(Error::value(format!(
                    "Expected at most {} axes of a weight. Received: {name}={given:?}",
                    Axes::MAX
                )));
            }
            let axes = self.axes.get_or_insert([Axes::new(&[]); 2]);
            axes[at] = Axes::new(&given);
        }
        Ok(true)
    }

    /// Whether the arguments are in range.
    pub fn check_arguments(&self) -> Result<()> {
        if self.scale > 0.0 {
            return Ok(());
        }
        Err(Error::value(format!(
            "Argument `scale` must be positive float. Received: scale={}",
            self.scale
        )))
    }

    /// Whether the weight has the axes.
    pub fn check(&self, shape: &Shape) -> Result<()> {
        let axes = self.axes.iter().flatten().flat_map(Axes::list);
        match axes
            .copied()
            .find(|&axis| Axes::dim(axis, shape.dims()).is_none())
        {
            None => Ok(()),
            Some(axis) => Err(Error::value(format!(
                "The axes of an initializer must be those of the weight, of shape {}. Received: axis={axis}",
                Text::new().shape(shape).as_str()
            ))),
        }
    }

    pub fn fill(&self, dims: &[usize], key: Key, values: &mut [f32]) {
        let (fan_in, fan_out) = self.fans(dims);
        let n = match self.mode {
            Mode::Inputs => fan_in as f64,
            Mode::Outputs => fan_out as f64,
            Mode::Mean => (fan_in + fan_out) as f64 / 2.0,
        };
        let variance = f64::from(self.scale) / n.max(1.0);
        match self.distribution {
            Distribution::TruncatedNormal => {
                normal([0.0, variance.sqrt() / TRUNCATED_STDDEV], true, key, values);
            }
            Distribution::UntruncatedNormal => normal([0.0, variance.sqrt()], false, key, values),
            Distribution::Uniform => {
                let limit = (3.0 * variance).sqrt();
                uniform([-limit, limit], key, values);
            }
        }
    }

    /// `fan_in` and `fan_out` of a weight, as Keras' `compute_fans` counts them.
    fn fans(&self, dims: &[usize]) -> (usize, usize) {
        if let Some([inputs, outputs]) = &self.axes {
            return (inputs.product(dims), outputs.product(dims));
        }
        match *dims {
            [] => (1, 1),
            [n] => (n, n),
            [ref window @ .., input, output] => {
                let window: usize = window.iter().product();
                (window * input, window * output)
            }
        }
    }
}

/// The one of a name.
fn one_of<T: Copy>(
    all: &[T],
    name_of: fn(T) -> &'static str,
    name: &str,
    value: &Json,
) -> Result<T> {
    let wanted = match value.as_str() {
        Some("normal") => Some("truncated_normal"),
        wanted => wanted,
    };
    let found = all.iter().find(|&&one| Some(name_of(one)) == wanted);
    found.copied().ok_or_else(|| {
        let known: Vec<&str> = all.iter().map(|&one| name_of(one)).collect();
        Error::value(format!(
            "Invalid `{name}` argument: {value}. Please use one of {known:?}"
        ))
    })
}
