//! The model language around real programs: where models can stand, which names mean what.

mod nested;
mod summaries;

use keras::data::Batch;
use keras::prelude::*;
use ndarray::Array2;

// Names that the generated code has, too.
const X: usize = 4;
const H1: usize = 5;
const S_X: usize = 6;
const DENSE: usize = 7;
const INPUT_X: usize = 8;

sequential! {
    /// Sizes that are constants of this file, and of a model that is called like generated names.
    L<X, { H1 - 2 }>;
    Dense(S_X),
    Dense(DENSE * 2 + 1, relu),
    Dense({ keras::arg::Size::new(&[INPUT_X as isize]) }, name = "my layer-1"),
}

#[test]
fn the_users_constants_are_the_users() {
    let model = L::new();
    let expected = 3 * 6 + 6 + 6 * 15 + 15 + 15 * 8 + 8;
    assert_eq!(model.count_params(), expected);
    assert!(model.get_layer("my layer-1").is_ok());
}

#[test]
fn an_expression_sees_the_constants_around_it() -> keras::Result<()> {
    const UNITS: usize = 3;
    let mut model = {
        const UNITS: usize = 2;
        sequential![Dense(UNITS), Dense(1)]
    };
    let mut other = sequential![Dense(UNITS)];
    model.build(&[None, Some(5)])?;
    other.build(&[None, Some(5)])?;
    assert_eq!((model.count_params(), other.count_params()), (15, 18));
    Ok(())
}

macro_rules! tower {
    ($name:ident, $input:literal, $($units:expr),*) => {
        sequential! { $name<$input>; $(Dense($units, activation = relu)),* }
    };
}

tower!(Tower, 3, 2 + 2, X * 2, 1);

#[test]
fn a_macro_of_the_users_can_write_models() {
    assert_eq!(Tower::new().count_params(), 16 + 40 + 9);
}

mod layers_after_their_call {
    use keras::prelude::*;

    #[model]
    impl Late {
        fn call(&self, (a, b): (Tensor, Tensor)) -> Tensor {
            self.dense(a + b) * self.dense(b)
        }
    }

    #[model(input = ([3], [3]))]
    pub struct Late {
        #[layer(2, trainable = false)]
        dense: Dense,
    }

    /// Another model of the same name.
    pub mod within {
        use keras::prelude::*;

        #[model(input = [3])]
        pub struct Late {
            #[layer(3)]
            dense: Dense,
        }

        #[model]
        impl Late {
            fn call(&self, x: Tensor) -> Tensor {
                self.dense(x)
            }
        }
    }
}

#[test]
fn the_impl_may_come_before_the_struct() {
    use layers_after_their_call::{Late, within};
    assert_eq!(Late::new().count_params(), 8);
    assert_eq!(within::Late::new().count_params(), 12);
}

#[model(input = [3], in_order)]
struct InOrder {
    #[layer(2)]
    first: Dense,
    #[layer]
    flat: Flatten,
    #[layer(units = 4, activation = softmax)]
    last: Dense,
}

#[test]
fn a_struct_may_do_without_an_impl() {
    let model = InOrder::new();
    assert_eq!(model.count_params(), 8 + 12);
    assert!(model.get_layer("flat").is_ok());
}

#[model(input = [3])]
struct Accumulates {
    #[layer(2)]
    dense: Dense,
}

#[model]
impl Accumulates {
    fn call(&self, inputs: Tensor) -> Tensor {
        self.dense(inputs)
    }

    /// Two steps on each batch.
    fn train_step(&mut self, batch: &Batch<'_>) -> keras::Result<()> {
        self.load(batch, true)?;
        for _ in 0..Self::STEPS {
            self.forward(true)?;
            self.compute_loss()?;
            self.backward()?;
            self.apply_gradients()?;
        }
        self.update_metrics()
    }

    const STEPS: usize = 2;
}

#[test]
fn a_train_step_of_ones_own_replaces_the_generated_one() -> keras::Result<()> {
    let (x, y) = (Array2::<f32>::ones((4, 3)), Array2::<f32>::zeros((4, 2)));
    let mut own = Accumulates::with_seed(3);
    own.compile(Compile::new(SGD::new(0.1), "mse"))?;
    own.train_on_batch((&x, &y))?;

    let mut twice = sequential![Dense(2)];
    twice.build(&[None, Some(3)])?;
    twice.set_weights(&Accumulates::with_seed(3).get_weights())?;
    twice.compile(Compile::new(SGD::new(0.1), "mse"))?;
    twice.train_on_batch((&x, &y))?;
    twice.train_on_batch((&x, &y))?;
    assert_eq!(own.get_weights(), twice.get_weights());
    Ok(())
}

sequential! {
    Words<6, 6, 1>;
    Conv2D(2, 3, padding = same, activation = relu, kernel_initializer = he_normal, name = "a"),
    Flatten,
    Dense(3, tanh, kernel_regularizer = l2(0.01), bias_constraint = non_neg, name = "b"),
    Activation(softmax),
}

sequential! {
    Texts<6, 6, 1>;
    Conv2D(2, 3, padding = "same", activation = "relu", kernel_initializer = "HeNormal", name = "a"),
    Flatten,
    Dense(3, "tanh", kernel_regularizer = "l2", bias_constraint = "NonNeg", name = "b"),
    Activation("softmax"),
}

#[test]
fn texts_are_words() -> keras::Result<()> {
    let (mut words, mut texts) = (Words::with_seed(5), Texts::with_seed(5));
    let x =
        ndarray::Array4::from_shape_fn((4, 6, 6, 1), |(i, j, k, _)| ((i + j * 7 + k) as f32).sin());
    let y = Array2::from_shape_fn((4, 3), |(i, j)| if i % 3 == j { 1.0f32 } else { 0.0 });
    words.compile(Compile::new(SGD::new(0.5), "categorical_crossentropy"))?;
    texts.compile(Compile::new(SGD::new(0.5), "categorical_crossentropy"))?;
    for _ in 0..3 {
        assert_eq!(
            words.train_on_batch((&x, &y))?,
            texts.train_on_batch((&x, &y))?
        );
    }
    assert_eq!(words.get_weights(), texts.get_weights());
    Ok(())
}
