//! `y = [x₁, x₂, ..]`, side by side along one axis.

use super::{Backward, Forward, Layer, Weights};
use crate::arg::Size;
use crate::config::{Config, arguments};
use crate::device::{Device, Runs};
use crate::shape::{Shape, ShapeError, Text};

/// Puts its inputs side by side: `keras.layers.Concatenate`.
#[derive(Clone, Copy, Debug)]
pub struct Concatenate {
    axis: isize,
}

impl Default for Concatenate {
    fn default() -> Self {
        Self::new()
    }
}

impl Concatenate {
    /// A layer that works along the last axis.
    pub const fn new() -> Self {
        Self { axis: -1 }
    }

    /// The axis along which the inputs lie side by side, the batch counted; -1 by default.
    ///
    /// # Panics
    /// If it is not one number, or 0, which is the batch; in a model this is a compile error.
    #[must_use]
    #[track_caller]
    pub const fn axis(mut self, axis: Size) -> Self {
        self.axis = axis.single("Concatenate", "axis");
        if let Some(mistake) = self.mistake() {
            panic!("{}", mistake.as_str());
        }
        self
    }

    /// What is wrong with the arguments.
    pub(super) const fn mistake(&self) -> Option<Text> {
        if self.axis != 0 {
            return None;
        }
        let text = "A `Concatenate` layer cannot work along the batch axis. Received: axis=0";
        Some(Text::new().str(text))
    }

    /// The shape of the first input, with the sum of all sizes along the axis.
    ///
    /// # Errors
    /// If the inputs differ in another axis, or have no such axis.
    pub const fn output_shape(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        if inputs.is_empty() {
            let text = Text::new()
                .str("A `Concatenate` layer should be called on a list of at least 1 input. ")
                .str("Received: input_shape=[]");
            return Err(ShapeError::new(text));
        }
        let mut output = inputs[0];
        let mut at = 0;
        while at < inputs.len() {
            if !inputs[at].is_known() {
                return Ok(Shape::UNKNOWN);
            }
            at += 1;
        }
        let Some(axis) = self.sample_axis(output.rank()) else {
            let text = Text::new()
                .str("A `Concatenate` layer cannot work along axis ")
                .int(self.axis)
                .str(" of its inputs. Received: input_shape=");
            return Err(ShapeError::new(text.batched_list(inputs)));
        };
        at = 1;
        while at < inputs.len() {
            let size = inputs[at];
            if size.rank() != output.rank() || !output.accepts(&size.with_dim(axis, Shape::NONE)) {
                let text = Text::new()
                    .str("A `Concatenate` layer requires inputs with matching shapes except for ")
                    .str("the concatenation axis. Received: input_shape=");
                return Err(ShapeError::new(text.batched_list(inputs)));
            }
            let (a, b) = (output.dim(axis), size.dim(axis));
            output = output.with_dim(
                axis,
                if a == Shape::NONE || b == Shape::NONE {
                    Shape::NONE
                } else {
                    a + b
                },
            );
            at += 1;
        }
        Ok(output)
    }

    /// None.
    pub const fn weights(&self, _inputs: &[Shape]) -> Weights {
        Weights::NONE
    }

    /// The axis of a sample of `rank` axes.
    const fn sample_axis(&self, rank: usize) -> Option<usize> {
        let axis = if self.axis < 0 {
            self.axis + rank as isize
        } else {
            self.axis - 1
        };
        if axis >= 0 && axis < rank as isize {
            Some(axis as usize)
        } else {
            None
        }
    }

    /// Calls `visit` for each input with where its runs begin in the input and in the output, how
    /// many there are, and their length.
    fn each_input(
        &self,
        batch: usize,
        shapes: impl Iterator<Item = Shape>,
        output: &Shape,
        mut visit: impl FnMut(usize, Runs, Runs, [usize; 2], usize),
    ) {
        let Some(axis) = self.sample_axis(output.rank()) else {
            return;
        };
        let [outside, inside] = [&output.dims()[..axis], &output.dims()[axis + 1..]]
            .map(|dims| dims.iter().product::<usize>());
        let counts = [batch * outside, 1];
        let mut before = 0;
        for (at, shape) in shapes.enumerate() {
            let len = shape.dim(axis) * inside;
            let input = Runs {
                offset: 0,
                strides: [len, 0],
            };
            let output = Runs {
                offset: before,
                strides: [output.dim(axis) * inside, 0],
            };
            visit(at, input, output, counts, len);
            before += len;
        }
    }
}

arguments!(Concatenate {
    "axis": axis,
});

impl Layer for Concatenate {
    fn config(&self) -> Config {
        Config::keras("keras.layers", "Concatenate").arguments(self)
    }

    fn forward<D: Device>(&self, mut cx: Forward<'_, D>) {
        let shapes = cx.inputs.iter().map(|input| input.shape);
        let output = &mut cx.output;
        self.each_input(
            cx.batch,
            shapes,
            &cx.output_shape,
            |at, x, y, counts, len| {
                let from = cx.inputs[at].data;
                cx.device
                    .copy_runs(from, x, D::reborrow(output), y, counts, len);
            },
        );
    }

    fn backward<D: Device>(&self, mut cx: Backward<'_, D>) {
        let (batch, output_shape) = (cx.batch, cx.output_shape);
        let shapes = cx.inputs.iter().map(|input| input.shape);
        self.each_input(batch, shapes, &output_shape, |at, x, y, counts, len| {
            if let Some(d_x) = cx.d_input(at) {
                let from = D::read(&cx.d_output);
                cx.device.copy_runs(from, y, d_x, x, counts, len);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::Cpu;
    use crate::testing::layer;

    fn along(axis: isize) -> Concatenate {
        Concatenate::new().axis(Size::new(&[axis]))
    }

    fn rule(axis: isize, inputs: &[&[usize]]) -> Result<Shape, String> {
        let inputs: Vec<Shape> = inputs.iter().map(|dims| Shape::new(dims)).collect();
        let shape = along(axis).output_shape(&inputs);
        shape.map_err(|error| error.message().to_string())
    }

    #[test]
    fn gradients() {
        let [a, b, c] = [[2, 3, 2], [2, 1, 2], [2, 4, 2]].map(|dims| Shape::new(&dims));
        for axis in [2, -2] {
            layer!(along(axis), [a, b, c]).unwrap().check_gradients(2);
        }
        layer!(along(-1), [a, a]).unwrap().check_gradients(2);
        layer!(along(1), [a, a]).unwrap().check_gradients(3);
        layer!(along(1), [a]).unwrap().check_gradients(1);
    }

    #[test]
    fn inputs_lie_side_by_side() {
        let shapes = [Shape::new(&[2]), Shape::new(&[1])];
        let test = layer!(Concatenate::new(), shapes).unwrap();
        let inputs = [vec![1.0, 2.0, 3.0, 4.0], vec![10.0, 20.0]];
        let output = test.forward::<Cpu>(&inputs, &[]).unwrap().output;
        assert_eq!(output, [1.0, 2.0, 10.0, 3.0, 4.0, 20.0]);
    }

    #[test]
    fn shapes() {
        let none = Shape::NONE;
        assert_eq!(rule(-1, &[&[3], &[4]]), Ok(Shape::new(&[7])));
        assert_eq!(rule(1, &[&[3, 2], &[4, 2]]), Ok(Shape::new(&[7, 2])));
        assert_eq!(rule(-1, &[&[none, 2], &[5, 2]]), Ok(Shape::new(&[none, 4])));
        assert_eq!(rule(1, &[&[none, 2], &[5, 2]]), Ok(Shape::new(&[none, 2])));
        let unknown = Concatenate::new().output_shape(&[Shape::UNKNOWN, Shape::new(&[3])]);
        assert_eq!(unknown.unwrap(), Shape::UNKNOWN);
    }

    #[test]
    fn other_axes_match() {
        let error = "A `Concatenate` layer requires inputs with matching shapes except for the \
                     concatenation axis. Received: input_shape=[(None, 2, 3), (None, 4, 3)]";
        assert_eq!(rule(-1, &[&[2, 3], &[4, 3]]), Err(error.into()));
        let error = "A `Concatenate` layer requires inputs with matching shapes except for the \
                     concatenation axis. Received: input_shape=[(None, 3), (None, 1, 3)]";
        assert_eq!(rule(-1, &[&[3], &[1, 3]]), Err(error.into()));
    }

    #[test]
    fn the_axis_exists() {
        let error = "A `Concatenate` layer cannot work along axis 3 of its inputs. \
                     Received: input_shape=[(None, 2, 3), (None, 2, 3)]";
        assert_eq!(rule(3, &[&[2, 3], &[2, 3]]), Err(error.into()));
        let error = "A `Concatenate` layer should be called on a list of at least 1 input. \
                     Received: input_shape=[]";
        assert_eq!(rule(-1, &[]), Err(error.into()));
    }

    #[test]
    #[should_panic(
        expected = "A `Concatenate` layer cannot work along the batch axis. Received: axis=0"
    )]
    fn the_batch_is_no_axis() {
        let _ = along(0);
    }
}
