//! A layer of the user's own, in all three forms of the language.

use keras::arg::Size;
use keras::device::{self, Device};
use keras::initializers::Initializer;
use keras::layers::{Backward, Forward, Layer, Weight, Weights, Workspace, min_rank, one_input};
use keras::prelude::*;
use keras::shape::{Shape, ShapeError};
use keras::testing;
use ndarray::{Array1, Array2};

/// `y = (x A) B + b`: a dense layer of low rank, as in `docs/writing-a-layer.md`.
#[derive(Clone, Copy, Debug)]
pub struct LowRank {
    units: usize,
    rank: usize,
    use_bias: bool,
}

impl LowRank {
    #[track_caller]
    pub const fn new(units: Size, rank: Size) -> Self {
        Self {
            units: units.positive("LowRank", "units"),
            rank: rank.positive("LowRank", "rank"),
            use_bias: true,
        }
    }

    pub const fn use_bias(mut self, use_bias: bool) -> Self {
        self.use_bias = use_bias;
        self
    }

    /// (.., features) -> (.., units)
    pub const fn output_shape(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        let input = match one_input(inputs) {
            Ok(input) => input,
            Err(error) => return Err(error),
        };
        if let Err(error) = min_rank(&input, 1) {
            return Err(error);
        }
        if input.is_known() {
            Ok(input.with_last(self.units))
        } else {
            Ok(Shape::UNKNOWN)
        }
    }

    /// a (features, rank), b (rank, units), bias (units,)
    pub const fn weights(&self, inputs: &[Shape]) -> Weights {
        let a = Shape::new(&[inputs[0].last(), self.rank]);
        let b = Shape::new(&[self.rank, self.units]);
        let weights = Weights::NONE
            .with(Weight::new("a", a, Initializer::GlorotUniform))
            .with(Weight::new("b", b, Initializer::GlorotUniform));
        if !self.use_bias {
            return weights;
        }
        weights.with(Weight::new(
            "bias",
            Shape::new(&[self.units]),
            Initializer::Zeros,
        ))
    }
}

impl Layer for LowRank {
    fn workspace(&self, inputs: &[Shape], _output: &Shape, batch: usize) -> Workspace {
        let rows = batch * inputs[0].size() / inputs[0].last().max(1);
        // x A is kept for the gradient of B; its own gradient is scratch.
        Workspace {
            kept: rows * self.rank,
            scratch: rows * self.rank,
        }
    }

    fn forward<D: Device>(&self, mut cx: Forward<'_, D>) {
        let x = cx.inputs[0];
        let features = x.shape.last();
        let rows = cx.batch * x.shape.size() / features;
        let bias = self.use_bias.then(|| cx.weights.get(2));
        cx.device.affine(
            x.data,
            cx.weights.get(0),
            None,
            false,
            D::reborrow(&mut cx.kept),
            [rows, features, self.rank],
        );
        cx.device.affine(
            D::read(&cx.kept),
            cx.weights.get(1),
            bias,
            false,
            cx.output,
            [rows, self.rank, self.units],
        );
    }

    fn backward<D: Device>(&self, mut cx: Backward<'_, D>) {
        let x = cx.inputs[0];
        let features = x.shape.last();
        let rows = cx.batch * x.shape.size() / features;
        let d_x = cx.d_input(0);
        let (d_h, _) = D::split(cx.scratch, rows * self.rank);
        let mut d_h = d_h;
        cx.device.input_gradient(
            D::read(&cx.d_output),
            cx.weights.get(1),
            D::reborrow(&mut d_h),
            [rows, self.rank, self.units],
        );
        if let Some(d_weights) = cx.d_weights {
            let (d_a, rest) = d_weights.next();
            let (d_b, rest) = rest.next();
            cx.device
                .weight_gradient(x.data, D::read(&d_h), d_a, [rows, features, self.rank]);
            cx.device.weight_gradient(
                D::read(&cx.kept),
                D::read(&cx.d_output),
                d_b,
                [rows, self.rank, self.units],
            );
            if self.use_bias {
                let (d_bias, _) = rest.next();
                let linear = device::Activation::Linear;
                cx.device.bias_activation_gradient(
                    linear,
                    None,
                    cx.output,
                    cx.d_output,
                    Some(d_bias),
                    self.units,
                );
            }
        }
        if let Some(d_x) = d_x {
            cx.device.input_gradient(
                D::read(&d_h),
                cx.weights.get(0),
                d_x,
                [rows, features, self.rank],
            );
        }
    }
}

sequential! {
    InOrder<6>;
    LowRank(5, 2),
    LowRank(3, 2, use_bias = false),
}

#[model]
fn functional(x: Input<6>) -> Functional {
    let h = LowRank(5, 2)(x);
    let y = LowRank(3, 2, use_bias = false)(h);
    Model(x, y)
}

#[model(input = [6])]
struct Subclassed {
    #[layer(5, 2)]
    first: LowRank,
    #[layer(3, 2, use_bias = false)]
    second: LowRank,
}

#[model]
impl Subclassed {
    fn call(&self, x: Tensor) -> Tensor {
        self.second(self.first(x))
    }
}

/// The losses of some steps from the same weights.
fn losses<M: Model>(mut model: M, weights: &[ndarray::ArrayD<f32>]) -> keras::Result<Vec<f32>> {
    let x = Array2::from_shape_fn((8, 6), |(i, j)| ((i * 6 + j) as f32).sin());
    let y = Array2::from_shape_fn((8, 3), |(i, j)| ((i * 3 + j) as f32).cos());
    model.set_weights(weights)?;
    model.compile(Compile::new(SGD::new(0.05), "mse"))?;
    let step = |_| {
        Ok(model
            .train_on_batch((&x, &y))?
            .get("loss")
            .unwrap_or(f32::NAN))
    };
    (0..30).map(step).collect()
}

#[test]
fn the_three_forms_train_alike() -> keras::Result<()> {
    let model = InOrder::with_seed(3);
    let weights = model.get_weights();
    assert_eq!(weights.len(), 5);
    let expected = losses(model, &weights)?;
    assert!(expected[29] < 0.85 * expected[0], "{expected:?}");
    assert_eq!(losses(Functional::with_seed(4), &weights)?, expected);
    assert_eq!(losses(Subclassed::with_seed(5), &weights)?, expected);
    Ok(())
}

#[test]
fn its_gradients_are_those_of_differences() -> keras::Result<()> {
    let layer = LowRank::new(Size::new(&[5]), Size::new(&[2]));
    testing::layer!(layer, [Shape::new(&[4, 6])])?.check_gradients(3);
    Ok(())
}

#[test]
fn it_is_checked_at_run_time_too() {
    let mut model = sequential![LowRank(5, 2), Dense(1)];
    let x = Array1::<f32>::zeros(4);
    assert!(
        model.predict(&x, Predict::default()).is_ok(),
        "numbers are rows of one"
    );
    let error = model.build(&[None]).unwrap_err().to_string();
    assert!(
        error.contains("already been configured to use input shape (None, 1)"),
        "{error}"
    );
}
