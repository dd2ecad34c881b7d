//! The model language of Keras in Rust. Use these macros through the crate `keras-runtime`, which
//! re-exports them and which their code runs on.
//!
//! The stages, each of which can be tested without rustc: `parse` (tokens -> syntax), `graph`
//! (syntax -> values and layer calls), `backward` (graph -> steps), `emit` (steps -> Rust). None of
//! them knows any layer: `Dense(64, activation = relu)` becomes
//! `Dense::new(64).activation(relu)`, and rustc knows the rest.

mod backward;
mod ctxt;
mod emit;
mod expand;
mod graph;
mod names;
mod parse;
#[cfg(test)]
mod snapshots;

use proc_macro::TokenStream;

/// A model whose layers follow each other: Keras' `Sequential`.
///
/// As an item it declares a type. The sizes after the name are the shape of one sample, without the
/// batch; `_` stands for a size that is not known before data arrives, and without any of them the
/// model is built on its first data (or by `build`). Layers have Keras' names and take Keras'
/// arguments, by position or by name.
///
/// ```ignore
/// sequential! {
///     /// A small convolutional network for 28x28 grey images.
///     pub Convnet<28, 28, 1>;
///     Conv2D(32, 3, activation = relu),
///     MaxPooling2D(2),
///     Flatten,
///     Dropout(0.5),
///     Dense(10, activation = softmax, name = "probs"),
/// }
///
/// let mut model = Convnet::new();
/// ```
///
/// As an expression it is a model of a type without a name:
///
/// ```ignore
/// let mut model = sequential![Dense(64, activation = relu), Dense(10, activation = softmax)];
/// ```
///
/// Arguments are words of the language (`relu`, `same`, `glorot_uniform`: lower case), numbers,
/// tuples and arrays of numbers, strings, bools, constants (`Dense(HIDDEN * 2)`), or any other value
/// in braces (`Lookup({ TABLE })`). `name = ".."` and `trainable = false` go with every layer.
#[proc_macro]
pub fn sequential(tokens: TokenStream) -> TokenStream {
    expand::sequential(&expand::keras(), tokens.into()).into()
}

/// A model written as a function from inputs to `Model(inputs, outputs)`: Keras' functional form.
///
/// The function itself disappears; in its place there is the struct that its return type names.
///
/// ```ignore
/// /// Two inputs, two outputs, and a layer that is called twice.
/// #[model]
/// fn two_heads(image: Input<28, 28, 1>, meta: Input<4>) -> TwoHeads {
///     let shared = Dense(32, activation = relu);
///     let a = shared(Flatten()(image));
///     let b = shared(Dense(784)(meta));
///     let class = Dense(10, activation = softmax)(Concatenate()([a, b]));
///     let score = Dense(1)(a + b);
///     Model((image, meta), Dict { class, score })
/// }
/// ```
///
/// `let part = Model(..)` makes a method `part()` of the model: a model of some of its layers, with
/// their weights.
///
/// On a struct and its impl it is Keras' subclassed form: the fields are the layers, `call` is the
/// network, once for training and once for inference.
///
/// ```ignore
/// #[model(input = [3])]
/// pub struct MyModel {
///     #[layer(4, activation = relu)]
///     dense1: Dense,
///     #[layer(5, activation = softmax)]
///     dense2: Dense,
///     #[layer(0.5)]
///     dropout: Dropout,
/// }
///
/// #[model]
/// impl MyModel {
///     fn call(&self, inputs: Tensor, training: bool) -> Tensor {
///         let x = self.dense1(inputs);
///         let x = if training { self.dropout(x) } else { x };
///         self.dense2(x)
///     }
/// }
/// ```
///
/// `call` is a small language that looks like Rust: `let`, calls of the layers, `+`, `-` and `*` on
/// tensors, tuples, arrays, `if training`, loops over a constant range. The impl may replace
/// `train_step`, `test_step` and `predict_step`; its other functions are the struct's own. The first
/// two return `Result<()>`, or logs of their own (`Result<Logs>`), which reach the callbacks and the
/// history.
/// `#[model(in_order)]` on the struct does without an impl: its layers follow each other. Several
/// inputs have several shapes: `input = ([3], [4])`; without `input` the model is built on its
/// first data.
#[proc_macro_attribute]
pub fn model(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand::model(&expand::keras(), arguments.into(), item.into()).into()
}

/// Both halves of a subclassed model, as the struct's macro and the impl's put them together.
#[doc(hidden)]
#[proc_macro]
pub fn __model_impl(tokens: TokenStream) -> TokenStream {
    expand::model_impl(&expand::keras(), tokens.into()).into()
}
