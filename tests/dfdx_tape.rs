//! dfdx's tape as the independent judge: the generated backward passes have its gradients, for
//! what dfdx can express on stable Rust.

use dfdx::prelude as df;
use dfdx::prelude::{
    Axis, Backward, BroadcastTo, Const, MeanTo, SumTo, TensorFromVec, Trace, TryMatMul,
};
use keras::data::{Batch, IntoTable, Table};
use keras::prelude::*;
use ndarray::{Array1, Array2, ArrayD};

type Matrix<const M: usize, const N: usize> = df::Tensor<df::Rank2<M, N>, f32, df::Cpu>;
type Vector<const N: usize> = df::Tensor<df::Rank1<N>, f32, df::Cpu>;
/// A matrix with the tape of everything that led to it.
type Taped<const M: usize, const N: usize> =
    df::Tensor<df::Rank2<M, N>, f32, df::Cpu, df::OwnedTape<f32, df::Cpu>>;

const BATCH: usize = 6;

/// Numbers between -1 and 1, different for each seed.
fn noise(seed: u32, rows: usize, columns: usize) -> Array2<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9) | 1;
    Array2::from_shape_simple_fn((rows, columns), || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        (state as f32 / u32::MAX as f32) * 2.0 - 1.0
    })
}

fn matrix<const M: usize, const N: usize>(values: impl IntoIterator<Item = f32>) -> Matrix<M, N> {
    df::Cpu::default().tensor_from_vec(values.into_iter().collect(), (Const::<M>, Const::<N>))
}

fn weight<const M: usize, const N: usize>(weights: &[ArrayD<f32>], at: usize) -> Matrix<M, N> {
    matrix(weights[at].iter().copied())
}

fn bias<const N: usize>(weights: &[ArrayD<f32>], at: usize) -> Vector<N> {
    df::Cpu::default().tensor_from_vec(weights[at].iter().copied().collect(), (Const::<N>,))
}

/// A dense layer's two weights on dfdx's side.
struct Linear<const K: usize, const N: usize> {
    kernel: Matrix<K, N>,
    bias: Vector<N>,
}

impl<const K: usize, const N: usize> Linear<K, N> {
    /// The weights at `at` and after.
    fn new(weights: &[ArrayD<f32>], at: usize) -> Self {
        Self {
            kernel: weight(weights, at),
            bias: bias(weights, at + 1),
        }
    }

    fn call<const M: usize>(&self, x: Taped<M, K>) -> Taped<M, N> {
        let z = x.matmul(self.kernel.clone());
        let bias: Matrix<M, N> = self.bias.clone().broadcast::<_, Axis<0>>();
        z + bias
    }

    fn gradients(&self, grads: &df::Gradients<f32, df::Cpu>) -> [Vec<f32>; 2] {
        [
            grads.get(&self.kernel).as_vec(),
            grads.get(&self.bias).as_vec(),
        ]
    }
}

/// Cross-entropy of logits with one-hot targets, mean over the batch.
fn crossentropy<const M: usize, const N: usize>(
    logits: Taped<M, N>,
    y: Matrix<M, N>,
) -> df::Gradients<f32, df::Cpu> {
    let picked = logits.log_softmax::<Axis<1>>() * y;
    (picked.sum() * (-1.0 / M as f32)).backward()
}

fn squared_error<const M: usize, const N: usize>(
    pred: Taped<M, N>,
    y: Matrix<M, N>,
) -> df::Gradients<f32, df::Cpu> {
    (pred - y).square().mean().backward()
}

/// The gradients of our model on one batch.
fn gradients<M: Model>(
    model: &mut M,
    loss: &str,
    inputs: &[&Array2<f32>],
    y: &Array2<f32>,
) -> keras::Result<Vec<ArrayD<f32>>>
where
    for<'a> &'a str: keras::losses::IntoLoss<M::Device>,
{
    model.compile(Compile::new("sgd", loss))?;
    let inputs: Vec<Table<'_>> = inputs
        .iter()
        .map(|x| x.into_table())
        .collect::<Result<_, _>>()?;
    let targets = [y.into_table()?];
    let rows: Vec<u32> = (0..BATCH as u32).collect();
    let batch = Batch {
        inputs: &inputs,
        targets: &targets,
        sample_weights: &[],
        rows: &rows,
    };
    model.begin(&batch, true)?;
    model.load(&batch, true)?;
    model.forward(true)?;
    model.compute_loss()?;
    model.backward()?;
    Ok(model.gradients())
}

#[track_caller]
fn assert_same(ours: &[ArrayD<f32>], theirs: &[Vec<f32>]) {
    assert_eq!(ours.len(), theirs.len());
    for (at, (ours, theirs)) in ours.iter().zip(theirs).enumerate() {
        assert_eq!(ours.len(), theirs.len());
        assert!(
            theirs.iter().any(|value| value.abs() > 1e-4),
            "weight {at} has no gradient"
        );
        for (ours, theirs) in ours.iter().zip(theirs) {
            assert!(
                (ours - theirs).abs() <= 1e-5 * (1.0 + theirs.abs()),
                "weight {at}: {ours}, dfdx has {theirs}"
            );
        }
    }
}

fn one_hot(classes: usize) -> Array2<f32> {
    Array2::from_shape_fn((BATCH, classes), |(row, class)| {
        f32::from(u8::from(row * 7 % classes == class))
    })
}

sequential! {
    Classifier<5>;
    Dense(7, activation = relu),
    Dense(6, activation = tanh),
    Dense(4, activation = softmax),
}

#[test]
fn a_classifier() -> keras::Result<()> {
    let mut model = Classifier::with_seed(1);
    let weights = model.get_weights();
    let (x, y) = (noise(1, BATCH, 5), one_hot(4));
    let ours = gradients(&mut model, "categorical_crossentropy", &[&x], &y)?;
    let (a, b, c) = (
        Linear::<5, 7>::new(&weights, 0),
        Linear::<7, 6>::new(&weights, 2),
        Linear::<6, 4>::new(&weights, 4),
    );
    let h = a
        .call(matrix::<BATCH, 5>(x.iter().copied()).leaky_trace())
        .relu();
    let logits = c.call(b.call(h).tanh());
    let theirs = crossentropy(logits, matrix(y.iter().copied()));
    assert_same(
        &ours,
        &[
            a.gradients(&theirs),
            b.gradients(&theirs),
            c.gradients(&theirs),
        ]
        .concat(),
    );
    Ok(())
}

sequential! {
    Regression<3>;
    Dense(8, activation = sigmoid),
    Dense(8, activation = softplus),
    // dfdx's derivative of the exact gelu lacks the factor 1/sqrt(2) of its inner derivative.
    Activation(gelu_with(true)),
    Dense(5, activation = exponential),
    Dense(2),
}

#[test]
fn a_regression() -> keras::Result<()> {
    let mut model = Regression::with_seed(2);
    let weights = model.get_weights();
    let (x, y) = (noise(2, BATCH, 3), noise(3, BATCH, 2));
    let ours = gradients(&mut model, "mse", &[&x], &y)?;
    let (a, b) = (
        Linear::<3, 8>::new(&weights, 0),
        Linear::<8, 8>::new(&weights, 2),
    );
    let (c, d) = (
        Linear::<8, 5>::new(&weights, 4),
        Linear::<5, 2>::new(&weights, 6),
    );
    let h = a
        .call(matrix::<BATCH, 3>(x.iter().copied()).leaky_trace())
        .sigmoid();
    let h = (b.call(h).exp() + 1.0).ln();
    let y_pred = d.call(c.call(h.fast_gelu()).exp());
    let theirs = squared_error(y_pred, matrix(y.iter().copied()));
    let of_layers = [
        a.gradients(&theirs),
        b.gradients(&theirs),
        c.gradients(&theirs),
        d.gradients(&theirs),
    ];
    assert_same(&ours, &of_layers.concat());
    Ok(())
}

#[model]
fn shared(left: Input<4>, right: Input<4>) -> Shared {
    let encoder = Dense(6, activation = tanh);
    let a = encoder(left);
    let b = encoder(right);
    let mixed = (a + b) * (a - b);
    let y = Dense(3)(mixed);
    Model((left, right), y)
}

#[test]
fn shared_weights_and_arithmetic() -> keras::Result<()> {
    let mut model = Shared::with_seed(3);
    let weights = model.get_weights();
    let (left, right, y) = (noise(4, BATCH, 4), noise(5, BATCH, 4), noise(6, BATCH, 3));
    let ours = gradients(&mut model, "mse", &[&left, &right], &y)?;
    let (encoder, head) = (
        Linear::<4, 6>::new(&weights, 0),
        Linear::<6, 3>::new(&weights, 2),
    );
    let a = || {
        encoder
            .call(matrix::<BATCH, 4>(left.iter().copied()).leaky_trace())
            .tanh()
    };
    let b = || {
        encoder
            .call(matrix::<BATCH, 4>(right.iter().copied()).leaky_trace())
            .tanh()
    };
    let y_pred = head.call((a() + b()) * (a() - b()));
    let theirs = squared_error(y_pred, matrix(y.iter().copied()));
    assert_same(
        &ours,
        &[encoder.gradients(&theirs), head.gradients(&theirs)].concat(),
    );
    Ok(())
}

#[model]
fn residual(x: Input<5>) -> Residual {
    let a = Dense(5, activation = relu)(x);
    let b = Dense(5, activation = relu)(a);
    let sum = x + a + b;
    let wide = Concatenate()([sum, a]);
    Model(x, Dense(3, activation = softmax)(wide))
}

#[test]
fn values_that_are_used_more_than_once() -> keras::Result<()> {
    let mut model = Residual::with_seed(4);
    let weights = model.get_weights();
    let (x, y) = (noise(7, BATCH, 5), one_hot(3));
    let ours = gradients(&mut model, "categorical_crossentropy", &[&x], &y)?;
    let (first, second) = (
        Linear::<5, 5>::new(&weights, 0),
        Linear::<5, 5>::new(&weights, 2),
    );
    // A kernel over a concatenation is the sum of two kernels over its parts.
    let kernel: Vec<f32> = weights[4].iter().copied().collect();
    let (upper, lower) = (
        matrix::<5, 3>(kernel[..15].to_vec()),
        matrix::<5, 3>(kernel[15..].to_vec()),
    );
    let head_bias = bias::<3>(&weights, 5);
    let traced = || matrix::<BATCH, 5>(x.iter().copied()).leaky_trace();
    let a = || first.call(traced()).relu();
    let sum = second.call(a()).relu() + (a() + matrix::<BATCH, 5>(x.iter().copied()));
    let broadcast: Matrix<BATCH, 3> = head_bias.clone().broadcast::<_, Axis<0>>();
    let logits = sum.matmul(upper.clone()) + a().matmul(lower.clone()) + broadcast;
    let theirs = crossentropy(logits, matrix(y.iter().copied()));
    let kernel = [theirs.get(&upper).as_vec(), theirs.get(&lower).as_vec()].concat();
    let of_head = [kernel, theirs.get(&head_bias).as_vec()];
    assert_same(
        &ours,
        &[first.gradients(&theirs), second.gradients(&theirs), of_head].concat(),
    );
    Ok(())
}

sequential! {
    Sequence<4, 6>;
    Dense(5, activation = relu),
    Flatten,
    Dense(1, activation = sigmoid),
}

#[test]
fn a_dense_layer_over_a_sequence() -> keras::Result<()> {
    let mut model = Sequence::with_seed(5);
    let weights = model.get_weights();
    let x = noise(8, BATCH, 24);
    let y = Array1::from_shape_fn(BATCH, |row| (row % 2) as f32).insert_axis(ndarray::Axis(1));
    let shaped = x
        .clone()
        .into_shape_with_order((BATCH, 4, 6))
        .expect("24 = 4 x 6");
    let input = [(&shaped).into_table()?];
    let target = [(&y).into_table()?];
    let rows: Vec<u32> = (0..BATCH as u32).collect();
    let batch = Batch {
        inputs: &input,
        targets: &target,
        sample_weights: &[],
        rows: &rows,
    };
    model.compile(Compile::new("sgd", "binary_crossentropy"))?;
    model.begin(&batch, true)?;
    model.load(&batch, true)?;
    model.forward(true)?;
    model.compute_loss()?;
    model.backward()?;
    let ours = model.gradients();
    let dense = Linear::<6, 5>::new(&weights, 0);
    let head = Linear::<20, 1>::new(&weights, 2);
    // All time steps of all samples are rows of one product.
    const STEPS: usize = BATCH * 4;
    let logits = || {
        let h = dense
            .call(matrix::<STEPS, 6>(x.iter().copied()).leaky_trace())
            .relu();
        let h: Taped<BATCH, 20> = df::ReshapeTo::reshape(h);
        head.call(h)
    };
    // softplus(z) - y z, stable enough for these small numbers.
    let y_true: Matrix<BATCH, 1> = matrix(y.iter().copied());
    let theirs = ((logits().exp() + 1.0).ln() - logits() * y_true)
        .mean()
        .backward();
    assert_same(
        &ours,
        &[dense.gradients(&theirs), head.gradients(&theirs)].concat(),
    );
    Ok(())
}
