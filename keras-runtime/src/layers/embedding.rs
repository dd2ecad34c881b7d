//! `y[.., :] = embeddings[x[..], :]`: the rows of a table by their numbers.

use super::{Backward, Forward, Layer, Weight, Weights, one_input};
use crate::arg::Size;
use crate::config::{Config, arguments};
use crate::constraints::Constraint;
use crate::device::Device;
use crate::initializers::Initializer;
use crate::regularizers::Regularizer;
use crate::shape::{Shape, ShapeError, Text};

/// Turns whole numbers, such as those of words, into vectors that are trained: `keras.layers.Embedding`.
///
/// | | shape |
/// |---|---|
/// | input | (batch, ..), whole numbers from 0 to `input_dim` - 1 |
/// | embeddings | (input_dim, output_dim) |
/// | output | (batch, .., output_dim) |
///
/// Data of any number type will do whose numbers are whole; others, and numbers that are not in the
/// table, are an error before the first step. What another layer computes is not looked at beforehand:
/// a number that is not in the table gives NaN there.
#[derive(Clone, Copy, Debug)]
pub struct Embedding {
    input_dim: usize,
    output_dim: usize,
    embeddings_initializer: Initializer,
    embeddings_regularizer: Regularizer,
    activity_regularizer: Regularizer,
    embeddings_constraint: Constraint,
}

impl Embedding {
    /// A table of `input_dim` vectors of `output_dim` numbers.
    ///
    /// # Panics
    /// If one of them is not one positive number, or `input_dim` is above 16,777,216, up to which all
    /// whole numbers are exact in `f32`; in a model this is a compile error.
    #[track_caller]
    pub const fn new(input_dim: Size, output_dim: Size) -> Self {
        let rows = dimension(input_dim, "input_dim");
        if rows > MOST_ROWS {
            let text = Text::new()
                .str("Embedding: `input_dim` is at most ")
                .num(MOST_ROWS);
            let text = input_dim.write(text.str(", as inputs are `f32`. Received: input_dim="));
            panic!("{}", text.as_str());
        }
        Self {
            input_dim: rows,
            output_dim: dimension(output_dim, "output_dim"),
            embeddings_initializer: Initializer::RandomUniform,
            embeddings_regularizer: Regularizer::None,
            activity_regularizer: Regularizer::None,
            embeddings_constraint: Constraint::None,
        }
    }

    /// How the vectors begin; `random_uniform` by default.
    #[must_use]
    pub const fn embeddings_initializer(mut self, initializer: Initializer) -> Self {
        self.embeddings_initializer = initializer;
        self
    }

    /// The penalty on the vectors that is added to the loss; none by default.
    #[must_use]
    pub const fn embeddings_regularizer(mut self, regularizer: Regularizer) -> Self {
        self.embeddings_regularizer = regularizer;
        self
    }

    /// The penalty on the output, over the samples of a batch, that is added to the loss; none by default.
    #[must_use]
    pub const fn activity_regularizer(mut self, regularizer: Regularizer) -> Self {
        self.activity_regularizer = regularizer;
        self
    }

    /// What the vectors have to be after each step; anything by default.
    #[must_use]
    pub const fn embeddings_constraint(mut self, constraint: Constraint) -> Self {
        self.embeddings_constraint = constraint;
        self
    }

    /// Whether the number 0 stands for nothing; it does not by default.
    ///
    /// # Panics
    /// If it is `true`: no layer here reads masks. In a model this is a compile error.
    #[must_use]
    #[track_caller]
    pub const fn mask_zero(self, mask_zero: bool) -> Self {
        assert!(
            !mask_zero,
            "Embedding: `mask_zero` makes a mask for the layers that follow, and none of them reads one. Expected: \
             mask_zero=false. Received: mask_zero=true"
        );
        self
    }

    /// (..) -> (.., output_dim).
    ///
    /// # Errors
    /// If the input has as many axes as a sample can have.
    pub const fn output_shape(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        let input = match one_input(inputs) {
            Ok(input) => input,
            Err(error) => return Err(error),
        };
        if !input.is_known() {
            return Ok(Shape::UNKNOWN);
        }
        let rank = input.rank();
        if rank == Shape::MAX_RANK {
            let text = Text::new().str("input is incompatible with the layer: expected max_ndim=");
            let text = text.num(Shape::MAX_RANK).str(", found ndim=").num(rank + 1);
            return Err(ShapeError::new(
                text.str(". Full shape received: ").batched(&input),
            ));
        }
        let mut dims = [self.output_dim; Shape::MAX_RANK];
        let mut axis = 0;
        while axis < rank {
            dims[axis] = input.dim(axis);
            axis += 1;
        }
        let (dims, _) = dims.split_at(rank + 1);
        Ok(Shape::new(dims))
    }

    /// embeddings (input_dim, output_dim).
    pub const fn weights(&self, _inputs: &[Shape]) -> Weights {
        let shape = Shape::new(&[self.input_dim, self.output_dim]);
        let weight = Weight::new("embeddings", shape, self.embeddings_initializer)
            .regularizer(self.embeddings_regularizer)
            .constraint(self.embeddings_constraint);
        Weights::NONE.with(weight)
    }
}

arguments!(Embedding {
    "input_dim": input_dim,
    "output_dim": output_dim,
    "embeddings_initializer": embeddings_initializer,
    "embeddings_regularizer": embeddings_regularizer,
    "activity_regularizer": activity_regularizer,
    "embeddings_constraint": embeddings_constraint,
    "mask_zero" = false,
    "quantization_config" = None::<&str>,
});

/// The largest table whose numbers are all exact in `f32`.
const MOST_ROWS: usize = 1 << 24;

/// One positive number, or Keras' sentence.
#[track_caller]
const fn dimension(size: Size, argument: &str) -> usize {
    if size.count() == 1 && size.get(0) > 0 {
        return size.get(0) as usize;
    }
    let text = Text::new().str("`").str(argument);
    let text = text.str("` must be a positive integer. Received: ");
    let text = size.write(text.str(argument).str("="));
    panic!("{}", text.as_str());
}

impl Layer for Embedding {
    fn config(&self) -> Config {
        let config = Config::keras("keras.layers", "Embedding");
        // To Keras it is an argument of every layer, which comes first where there is one.
        let config = match self.activity_regularizer {
            Regularizer::None => config,
            regularizer => config.with("activity_regularizer", regularizer),
        };
        config.arguments(self)
    }

    fn indices_below(&self) -> Option<usize> {
        Some(self.input_dim)
    }

    fn activity_regularizer(&self) -> Regularizer {
        self.activity_regularizer
    }

    fn forward<D: Device>(&self, cx: Forward<'_, D>) {
        let [x] = cx.inputs else { return };
        cx.device
            .look_up(cx.weights.get(0), self.output_dim, x.data, cx.output);
    }

    /// No output depends on an input in a way that has a gradient.
    fn backward<D: Device>(&self, mut cx: Backward<'_, D>) {
        let [x] = *cx.inputs else { return };
        if let Some(d_x) = cx.d_input(0) {
            cx.device.fill(d_x, 0.0);
        }
        if let Some(d_weights) = cx.d_weights {
            let (d_embeddings, _) = d_weights.next();
            let d_output = D::read(&cx.d_output);
            cx.device
                .look_up_gradient(x.data, self.output_dim, d_output, d_embeddings);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::Cpu;
    use crate::testing::layer;

    fn embedding(input_dim: isize, output_dim: isize) -> Embedding {
        Embedding::new(Size::new(&[input_dim]), Size::new(&[output_dim]))
    }

    #[test]
    fn gradients() {
        for (layer, input) in [
            (embedding(7, 3), Shape::new(&[5])),
            (embedding(2, 4), Shape::new(&[3, 2])),
            (embedding(5, 1), Shape::SCALAR),
        ] {
            layer!(layer, [input]).unwrap().check_gradients(3);
        }
    }

    #[test]
    fn it_reads_rows() {
        let test = layer!(embedding(3, 2), [Shape::new(&[2])]).unwrap();
        let table = vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        let outcome = test.forward::<Cpu>(&[vec![2.0, 0.0]], &[table]).unwrap();
        assert_eq!(outcome.output, [5.0, 6.0, 1.0, 2.0]);
    }

    #[test]
    fn shapes() {
        let rule = |dims: &[usize]| embedding(10, 4).output_shape(&[Shape::new(dims)]);
        assert_eq!(rule(&[5]).unwrap(), Shape::new(&[5, 4]));
        assert_eq!(rule(&[]).unwrap(), Shape::new(&[4]));
        let unknown = rule(&[Shape::NONE, 2]).unwrap();
        assert_eq!(unknown, Shape::new(&[Shape::NONE, 2, 4]));
        let error = rule(&[1; Shape::MAX_RANK]).unwrap_err();
        let expected = "input is incompatible with the layer: expected max_ndim=6, found ndim=7. \
                        Full shape received: (None, 1, 1, 1, 1, 1, 1)";
        assert_eq!(error.message(), expected);
    }

    #[test]
    #[should_panic(expected = "`input_dim` must be a positive integer. Received: input_dim=0")]
    fn there_is_a_row() {
        let _ = embedding(0, 4);
    }
}
