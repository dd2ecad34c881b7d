//! Output shapes and weights of Keras' layers, for arguments that are literals.

use syn::{Expr, UnOp};

use super::Shape;
use crate::parse::{Argument, Layer, bare, literals};

/// The numbers of a layer's weights.
#[derive(Clone, Copy)]
pub struct Weights {
    /// Those that are trained.
    pub trained: usize,
    /// Those that the layer updates itself.
    pub other: usize,
}

impl Weights {
    /// None.
    pub const NONE: Weights = Weights {
        trained: 0,
        other: 0,
    };
}

/// What a layer of a class makes of inputs of these shapes, and its weights; `None` for a class that is
/// not here, and for arguments that are no literals.
pub fn of(class: &str, layer: &Layer, inputs: &[Shape]) -> Option<(Shape, Weights)> {
    let arguments = Arguments { layer };
    let single = || match inputs {
        [input] => Some(input.clone()),
        _ => None,
    };
    let weightless = |shape: Shape| Some((shape, Weights::NONE));
    match class {
        "Dense" => {
            let mut shape = single()?;
            let units = arguments.size(0)?;
            let last = shape.last_mut()?;
            let kernel = product([last.replace(units), Some(units)])?;
            Some((shape, arguments.affine(kernel, units)?))
        }
        "Activation" => {
            let activation = literals::word(layer.required.first()?.expr())?;
            let is_glu = activation.starts_with("glu");
            (!is_glu).then(single)?.and_then(weightless)
        }
        "Dropout" | "Rescaling" => weightless(single()?),
        "Flatten" => {
            let size = product(single()?);
            weightless(vec![size])
        }
        "Reshape" => weightless(arguments.reshaped(&single()?)?),
        "Conv2D" => {
            let image = single()?;
            let &[rows, columns, Some(channels)] = image.as_slice() else {
                return None;
            };
            let (filters, size) = (
                arguments.size(0)?,
                arguments.pair_of(layer.required.get(1)?)?,
            );
            let strides = arguments.pair("strides", (1, 1))?;
            let dilation = arguments.pair("dilation_rate", (1, 1))?;
            let groups = arguments.number("groups", 1)?;
            let is_same = arguments.is_same()?;
            let axis = |len, size: usize, stride, rate: usize| {
                let covered = rate.checked_mul(size - 1)?.checked_add(1)?;
                windows(len, covered, stride, is_same)
            };
            let output = vec![
                axis(rows, size.0, strides.0, dilation.0)?,
                axis(columns, size.1, strides.1, dilation.1)?,
                Some(filters),
            ];
            let channels = channels.checked_div(groups);
            let kernel = product([Some(size.0), Some(size.1), channels, Some(filters)])?;
            Some((output, arguments.affine(kernel, filters)?))
        }
        "MaxPooling2D" | "AveragePooling2D" => {
            let image = single()?;
            let &[rows, columns, channels] = image.as_slice() else {
                return None;
            };
            let size = arguments.pair_of(layer.required.first()?)?;
            let strides = arguments.pair("strides", size)?;
            let is_same = arguments.is_same()?;
            weightless(vec![
                windows(rows, size.0, strides.0, is_same)?,
                windows(columns, size.1, strides.1, is_same)?,
                channels,
            ])
        }
        "GlobalMaxPooling2D" | "GlobalAveragePooling2D" => {
            let channels = *single()?.get(2)?;
            let keeps = arguments.flag("keepdims", false)?;
            weightless(if keeps {
                vec![Some(1), Some(1), channels]
            } else {
                vec![channels]
            })
        }
        "RandomCrop" => {
            let channels = *single()?.get(2)?;
            weightless(vec![
                Some(arguments.size(0)?),
                Some(arguments.size(1)?),
                channels,
            ])
        }
        "BatchNormalization" if arguments.option("axis").is_none() => {
            let shape = single()?;
            let channels = (*shape.last()?)?;
            let (center, scale) = (
                arguments.flag("center", true)?,
                arguments.flag("scale", true)?,
            );
            let weights = Weights {
                trained: channels.checked_mul(usize::from(center) + usize::from(scale))?,
                other: channels.checked_mul(2)?,
            };
            Some((shape, weights))
        }
        "Concatenate" if arguments.option("axis").is_none() => {
            let (first, rest) = inputs.split_first()?;
            let mut output = first.clone();
            for input in rest {
                let [outer @ .., last] = input.as_slice() else {
                    return None;
                };
                let (joined, own) = output.split_last_mut()?;
                if own != outer {
                    return None;
                }
                *joined = Some((*joined)?.checked_add((*last)?)?);
            }
            weightless(output)
        }
        "Add" | "Subtract" | "Multiply" | "Average" | "Maximum" | "Minimum" => {
            weightless(merged(inputs)?)
        }
        _ => None,
    }
}

/// The shape of inputs that are combined element by element, if they have one.
pub fn merged(inputs: &[Shape]) -> Option<Shape> {
    let (first, rest) = inputs.split_first()?;
    rest.iter()
        .all(|input| input == first)
        .then(|| first.clone())
}

/// How many windows there are along an axis; `Some(None)` if its length is not known.
fn windows(len: Option<usize>, size: usize, stride: usize, is_same: bool) -> Option<Option<usize>> {
    let Some(len) = len else { return Some(None) };
    let windows = if is_same {
        len.div_ceil(stride)
    } else {
        len.checked_sub(size)?.checked_div(stride)? + 1
    };
    Some(Some(windows))
}

/// A positive whole number.
pub fn number(expr: &Expr) -> Option<usize> {
    literals::whole(expr).filter(|&number| number > 0)
}

/// One or several.
fn elements(expr: &Expr) -> Vec<&Expr> {
    match bare(expr) {
        Expr::Tuple(tuple) => tuple.elems.iter().collect(),
        Expr::Array(array) => array.elems.iter().collect(),
        one => vec![one],
    }
}

/// The product of sizes; `None` if there is none, or none that a `usize` holds.
fn product(sizes: impl IntoIterator<Item = Option<usize>>) -> Option<usize> {
    sizes
        .into_iter()
        .try_fold(1_usize, |product, size| product.checked_mul(size?))
}

/// The arguments of a layer, as literals.
struct Arguments<'a> {
    layer: &'a Layer,
}

impl Arguments<'_> {
    fn option(&self, name: &str) -> Option<&Argument> {
        let found = self.layer.options.iter().find(|(key, _)| key == name);
        found.map(|(_, argument)| argument)
    }

    /// A required number.
    fn size(&self, at: usize) -> Option<usize> {
        number(self.layer.required.get(at)?.expr())
    }

    /// An option that is a number.
    fn number(&self, name: &str, default: usize) -> Option<usize> {
        self.option(name)
            .map_or(Some(default), |argument| number(argument.expr()))
    }

    /// An option that is `true` or `false`.
    fn flag(&self, name: &str, default: bool) -> Option<bool> {
        let Some(argument) = self.option(name) else {
            return Some(default);
        };
        literals::flag(argument.expr())
    }

    /// An option that is one number or two.
    fn pair(&self, name: &str, default: (usize, usize)) -> Option<(usize, usize)> {
        self.option(name)
            .map_or(Some(default), |argument| self.pair_of(argument))
    }

    fn pair_of(&self, argument: &Argument) -> Option<(usize, usize)> {
        match elements(argument.expr())[..] {
            [one] => Some((number(one)?, number(one)?)),
            [first, second] => Some((number(first)?, number(second)?)),
            _ => None,
        }
    }

    /// Whether the padding is `same`.
    fn is_same(&self) -> Option<bool> {
        let Some(padding) = self.option("padding") else {
            return Some(false);
        };
        match literals::word(padding.expr())?.as_str() {
            "same" => Some(true),
            "valid" => Some(false),
            _ => None,
        }
    }

    /// A kernel, and a bias unless there is none.
    fn affine(&self, kernel: usize, units: usize) -> Option<Weights> {
        let bias = if self.flag("use_bias", true)? {
            units
        } else {
            0
        };
        Some(Weights {
            trained: kernel.checked_add(bias)?,
            other: 0,
        })
    }

    /// The target shape of a `Reshape`, in which -1 stands for what is left.
    fn reshaped(&self, input: &Shape) -> Option<Shape> {
        let elements = elements(self.layer.required.first()?.expr());
        let is_rest = |expr: &Expr| match bare(expr) {
            Expr::Unary(unary) => {
                matches!(unary.op, UnOp::Neg(_)) && number(&unary.expr) == Some(1)
            }
            _ => false,
        };
        let all = product(input.iter().copied())?;
        let sizes = elements.iter().filter(|expr| !is_rest(expr));
        let known = product(sizes.map(|expr| number(expr)))?;
        let size = |expr: &&Expr| {
            if is_rest(expr) {
                all.checked_div(known)
            } else {
                number(expr)
            }
        };
        elements.iter().map(|expr| size(expr).map(Some)).collect()
    }
}
