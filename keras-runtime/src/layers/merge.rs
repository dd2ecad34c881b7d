//! `y = f(f(x₁, x₂), x₃) ..`: what `Add`, `Multiply`, `Maximum` and their kin share.
//!
//! Each of these layers is a function of two numbers. Inputs of different shapes are repeated along
//! the axes that they lack or in which they have the size 1, except along the batch.

use super::{Backward, Forward, Tensor, Workspace};
use crate::device::{Broadcast, Device, Float, MergeFunction};
use crate::shape::{Shape, ShapeError, Text};

/// A layer that merges its inputs two by two.
pub(super) trait Merge: Copy {
    /// The function that does it.
    type Function: MergeFunction;

    /// The function that merges input `at`, from 1, of `count` inputs with those before it.
    fn function(&self, at: usize, count: usize) -> Self::Function;
}

/// Defines a merge layer by its documentation and its name; its file implements [`Merge`].
macro_rules! merge_layer {
    ($(#[$meta:meta])* $name:ident, $rule:path) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, Default)]
        pub struct $name;

        impl $name {
            /// The layer; it has no arguments.
            pub const fn new() -> Self {
                Self
            }

            /// The shape that all inputs can be repeated to.
            ///
            /// # Errors
            /// If the inputs do not fit together.
            pub const fn output_shape(
                &self,
                inputs: &[$crate::shape::Shape],
            ) -> Result<$crate::shape::Shape, $crate::shape::ShapeError> {
                $rule(inputs)
            }

            /// None.
            pub const fn weights(&self, _inputs: &[$crate::shape::Shape]) -> super::Weights {
                super::Weights::NONE
            }
        }

        $crate::config::arguments!($name {});

        impl super::Layer for $name {
            fn config(&self) -> $crate::config::Config {
                $crate::config::Config::keras("keras.layers", stringify!($name))
            }

            fn workspace(
                &self,
                inputs: &[$crate::shape::Shape],
                output: &$crate::shape::Shape,
                batch: usize,
            ) -> super::Workspace {
                super::merge::workspace::<Self>(inputs.len(), batch * output.size())
            }

            fn forward<D: $crate::device::Device>(&self, cx: super::Forward<'_, D>) {
                super::merge::forward(self, cx);
            }

            fn backward<D: $crate::device::Device>(&self, cx: super::Backward<'_, D>) {
                super::merge::backward(self, cx);
            }
        }
    };
}
pub(super) use merge_layer;

/// The shape that all inputs can be repeated to.
pub(super) const fn merged_shape(inputs: &[Shape]) -> Result<Shape, ShapeError> {
    if inputs.is_empty() {
        return Err(ShapeError::new(Text::new().str(
            "A merge layer should be called on a list of at least 1 input. Received 0 inputs. \
             Full input_shape received: []",
        )));
    }
    let mut merged = inputs[0];
    let mut at = 1;
    while at < inputs.len() {
        merged = match merged_pair(&merged, &inputs[at]) {
            Ok(merged) => merged,
            Err(error) => return Err(error),
        };
        at += 1;
    }
    Ok(merged)
}

const fn merged_pair(first: &Shape, second: &Shape) -> Result<Shape, ShapeError> {
    if !first.is_known() || !second.is_known() {
        return Ok(Shape::UNKNOWN);
    }
    let (long, short) = if first.rank() < second.rank() {
        (second, first)
    } else {
        (first, second)
    };
    let mut merged = *long;
    let missing = long.rank() - short.rank();
    let mut axis = 0;
    while axis < short.rank() {
        let (a, b) = (long.dim(missing + axis), short.dim(axis));
        let size = if a == Shape::NONE || b == Shape::NONE {
            Shape::NONE
        } else if a == 1 {
            b
        } else if b == 1 || a == b {
            a
        } else {
            let text = Text::new().str("Inputs have incompatible shapes. Received shapes ");
            return Err(ShapeError::new(text.shape(long).str(" and ").shape(short)));
        };
        merged = merged.with_dim(missing + axis, size);
        axis += 1;
    }
    Ok(merged)
}

/// What is merged so far is kept for the way back, unless the derivatives do not depend on it.
pub(super) fn workspace<L: Merge>(inputs: usize, output_len: usize) -> Workspace {
    let merged = inputs.saturating_sub(2) * output_len;
    if L::Function::LINEAR {
        Workspace {
            kept: 0,
            scratch: merged,
        }
    } else {
        Workspace {
            kept: merged,
            scratch: 0,
        }
    }
}

/// How the input `at` and what has been merged before it are repeated.
fn axes<D: Device>(batch: usize, inputs: &[Tensor<'_, D>], at: usize, output: &Shape) -> Broadcast {
    let left = if at == 1 { &inputs[0].shape } else { output };
    Broadcast::new(batch, output, left, &inputs[at].shape)
}

pub(super) fn forward<L: Merge, D: Device>(layer: &L, cx: Forward<'_, D>) {
    let (inputs, count) = (cx.inputs, cx.inputs.len());
    let merge = |at: usize, left: D::Slice<'_>, y: D::SliceMut<'_>| {
        let axes = axes(cx.batch, inputs, at, &cx.output_shape);
        let f = layer.function(at, count);
        cx.device.merge(f, axes, left, inputs[at].data, y);
    };
    match inputs {
        [] => {}
        [x] => cx.device.copy(x.data, cx.output),
        [x, _] => merge(1, x.data, cx.output),
        [x, .., _] => {
            let len = cx.batch * cx.output_shape.size();
            let memory = if L::Function::LINEAR {
                cx.scratch
            } else {
                cx.kept
            };
            let (mut merged, mut free) = D::split(memory, len);
            merge(1, x.data, D::reborrow(&mut merged));
            for at in 2..count - 1 {
                let (mut next, rest) = D::split(free, len);
                merge(at, D::read(&merged), D::reborrow(&mut next));
                (merged, free) = (next, rest);
            }
            merge(count - 1, D::read(&merged), cx.output);
        }
    }
}

pub(super) fn backward<L: Merge, D: Device>(layer: &L, mut cx: Backward<'_, D>) {
    let (inputs, count) = (cx.inputs, cx.inputs.len());
    let Some(first) = inputs.first() else { return };
    let len = cx.batch * cx.output_shape.size();
    // d_output becomes the gradient of what had been merged before each input.
    for at in (1..count).rev() {
        let d_x = cx.d_input(at);
        let d_left = D::reborrow(&mut cx.d_output);
        let back = |left: D::Slice<'_>| {
            let axes = axes(cx.batch, inputs, at, &cx.output_shape);
            let f = layer.function(at, count);
            cx.device
                .merge_gradient(f, axes, left, inputs[at].data, d_left, d_x);
        };
        if at == 1 {
            back(first.data);
        } else if L::Function::LINEAR {
            back(cx.output);
        } else {
            back(D::part(D::read(&cx.kept), (at - 2) * len..(at - 1) * len));
        }
    }
    let Some(d_x) = cx.d_input(0) else { return };
    if first.shape == cx.output_shape {
        return cx.device.copy(D::read(&cx.d_output), d_x);
    }
    let axes = Broadcast::new(cx.batch, &cx.output_shape, &cx.output_shape, &first.shape);
    let d_x = Some(d_x);
    cx.device
        .merge_gradient(Repeat, axes, cx.output, first.data, cx.d_output, d_x);
}

/// `f(left, right) = right`: the first input on its way into the output.
#[derive(Clone, Copy)]
struct Repeat;

impl MergeFunction for Repeat {
    const LINEAR: bool = true;

    #[inline(always)]
    fn value<F: Float>(self, _: F, right: F) -> F {
        right
    }

    #[inline(always)]
    fn gradient<F: Float>(self, _: F, _: F) -> (F, F) {
        (F::zero(), F::one())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::{Add, Average, Layer, Maximum, Minimum, Multiply, Subtract};
    use crate::testing::layer;

    fn shape(dims: &[usize]) -> Shape {
        Shape::new(dims)
    }

    /// Every shape of two inputs and, for layers that take them, of one and three.
    macro_rules! check_gradients {
        ($layer:expr) => {{
            for (a, b) in [
                (shape(&[3, 4]), shape(&[3, 4])),
                (shape(&[]), shape(&[])),
                (shape(&[4, 1]), shape(&[4, 3])),
                (shape(&[4, 3]), shape(&[4, 1])),
                (shape(&[4, 1]), shape(&[1, 3])),
                (shape(&[3]), shape(&[2, 3])),
                (shape(&[2, 3, 4]), shape(&[2, 1, 4])),
                (shape(&[1, 3, 1]), shape(&[2, 1, 4])),
            ] {
                for batch in [1, 3] {
                    layer!($layer, [a, b]).unwrap().check_gradients(batch);
                }
            }
        }};
        ($layer:expr, any number) => {{
            check_gradients!($layer);
            layer!($layer, [shape(&[3])]).unwrap().check_gradients(2);
            let test = layer!($layer, [shape(&[3]), shape(&[3]), shape(&[3])]);
            test.unwrap().check_gradients(2);
            let shapes = [shape(&[3, 1]), shape(&[1, 2]), shape(&[1]), shape(&[3, 2])];
            layer!($layer, shapes).unwrap().check_gradients(2);
        }};
    }

    #[test]
    fn gradients() {
        check_gradients!(Subtract::new());
        check_gradients!(Add::new(), any number);
        check_gradients!(Multiply::new(), any number);
        check_gradients!(Average::new(), any number);
        check_gradients!(Maximum::new(), any number);
        check_gradients!(Minimum::new(), any number);
    }

    #[test]
    fn threads_change_nothing() {
        use crate::device::Cpu;
        let shapes = [shape(&[1001, 1]), shape(&[1001, 3])];
        let batch = 200;
        let inputs = shapes.map(|shape| {
            let len = batch * shape.size();
            (0..len).map(|i| (i % 97) as f32).collect::<Vec<f32>>()
        });
        let test = layer!(Multiply::new(), shapes).unwrap();
        let d_output = vec![1.0; batch * 3003];
        let run = test.backward::<Cpu>(&inputs, &[], &d_output).unwrap();
        for (row, x) in inputs[0].iter().enumerate() {
            let y = &inputs[1][3 * row..][..3];
            assert_eq!(run.output[3 * row..][..3], [x * y[0], x * y[1], x * y[2]]);
            assert_eq!(run.d_inputs[0][row], y[0] + y[1] + y[2]);
            assert_eq!(run.d_inputs[1][3 * row..][..3], [*x; 3]);
        }
    }

    fn rule(inputs: &[Shape]) -> Result<Shape, String> {
        merged_shape(inputs).map_err(|error| error.message().to_string())
    }

    #[test]
    fn shapes_are_repeated() {
        let none = Shape::NONE;
        assert_eq!(rule(&[shape(&[3])]), Ok(shape(&[3])));
        assert_eq!(rule(&[shape(&[4, 1]), shape(&[3])]), Ok(shape(&[4, 3])));
        assert_eq!(
            rule(&[shape(&[none, 1]), shape(&[4, 3])]),
            Ok(shape(&[none, 3]))
        );
        assert_eq!(rule(&[Shape::UNKNOWN, shape(&[3])]), Ok(Shape::UNKNOWN));
    }

    #[test]
    fn shapes_that_do_not_fit() {
        let error = "Inputs have incompatible shapes. Received shapes (3,) and (4,)";
        assert_eq!(rule(&[shape(&[3]), shape(&[4])]), Err(error.into()));
        let error = "Inputs have incompatible shapes. Received shapes (2, 3) and (4,)";
        assert_eq!(rule(&[shape(&[4]), shape(&[2, 3])]), Err(error.into()));
        let error = "A merge layer should be called on a list of at least 1 input. Received 0 inputs. \
                     Full input_shape received: []";
        assert_eq!(rule(&[]), Err(error.into()));
    }

    #[test]
    fn sums_keep_nothing() {
        let output = shape(&[3]);
        let workspace = Add::new().workspace(&[output; 4], &output, 5);
        assert_eq!((workspace.kept, workspace.scratch), (0, 30));
        let workspace = Multiply::new().workspace(&[output; 4], &output, 5);
        assert_eq!((workspace.kept, workspace.scratch), (30, 0));
    }
}
