//! The model language of Keras in Rust. Use these macros through the crate `keras-runtime`, which
//! re-exports them and which their code runs on.
//!
//! The stages, each of which can be tested without rustc: `parse` (tokens -> syntax), `graph`
//! (syntax -> values and layer calls), `backward` (graph -> steps), `emit` (steps -> Rust). None of
//! them knows any layer: `Dense(64, activation = relu)` becomes
//! `Dense::new(64).activation(relu)`, and rustc knows the rest.
//!
//! The examples run with the runtime. It depends on this crate, and this crate's tests alone on it.

mod backward;
mod ctxt;
mod emit;
mod expand;
mod expressions;
mod graph;
mod handover;
mod manifest;
mod names;
mod parse;
#[cfg(test)]
mod snapshots;
mod summary;
mod tensor;

use proc_macro::TokenStream;

/// A model whose layers follow each other: Keras' `Sequential`.
///
/// As an item it declares a type. The sizes after the name are the shape of one sample, without the
/// batch; `_` stands for a size that is not known before data arrives, and without any of them the
/// model is built on its first data (or by `build`). Layers have Keras' names and take Keras'
/// arguments, by position or by name.
///
/// ```
/// use keras::prelude::*;
///
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
/// let model = Convnet::new();
/// assert_eq!(model.count_params(), 54_410);
/// ```
///
/// `#[model(..)]` before the name takes the arguments `max_params`, `max_memory`, `max_flops`, `gradcheck`,
/// `compile(..)` and `callbacks(..)` of [`macro@model`]. Where every size is a literal, the documentation of the struct shows
/// the summary of the model.
///
/// As an expression it is a model of a type without a name:
///
/// ```
/// # use keras::prelude::*;
/// let mut model = sequential![Dense(64, activation = relu), Dense(10, activation = softmax)];
/// ```
///
/// Arguments are words of the language (`relu`, `same`, `glorot_uniform`: lower case), numbers,
/// tuples and arrays of numbers, strings, bools, constants (`Dense(HIDDEN * 2)`), or any other value
/// in braces (`Lookup({ TABLE })`). A word may be a string, as in Python: `activation = "relu"`. `name = ".."` and `trainable = false` go with every layer.
///
/// Between the layers, `add_loss(0.01 * mean(square(x)))` adds a number to the model's loss and
/// `add_metric(mean(x), name = "mean")` logs one: `x` is there what the layers before give. See
/// [`macro@model`] for what the number may be.
#[proc_macro]
pub fn sequential(tokens: TokenStream) -> TokenStream {
    expand::sequential(&expand::keras(), tokens.into()).into()
}

/// A model written as a function from inputs to `Model(inputs, outputs)`: Keras' functional form.
///
/// The function itself disappears; in its place there is the struct that its return type names.
///
/// ```
/// use keras::prelude::*;
///
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
/// # fn main() {}
/// ```
///
/// `add_loss(0.1 * mean(square(a)))` adds a number of the model to its loss, with its gradient;
/// `add_metric(sum(a), name = "sum")` logs one as a mean over batches. The number is a sum of `sum`,
/// `mean`, `max` or `min` of all elements of tensors; `square`, `abs`, `sqrt`, `exp`, `log` and
/// constants may stand within and around them. In `call` of a struct, both are also methods of `self`.
///
/// The attribute takes budgets, which are compile errors with the numbers where a model takes more:
/// `max_params = 100_000` of its weights, `max_memory` in bytes and `max_flops` of what a prediction takes
/// for one sample. Memory is the weights, the inputs and what the layers give, four bytes a number:
/// training takes gradients and what the optimizer keeps beside it. Operations are those of the
/// layers' products, two for a multiply-add; a layer of the user's counts by its weights called
/// `kernel`. With `gradcheck` there is a test beside the model that holds its gradients against finite
/// differences; it needs the runtime's feature `testing` in `[dev-dependencies]`.
///
/// What the model is to be trained with can be declared there, too, and is checked against its layers
/// and against itself while it compiles: `from_logits` after a softmax, labels that the loss and a
/// metric see in different ways, a callback that monitors what nothing logs.
///
/// ```
/// use keras::prelude::*;
///
/// #[model(
///     compile(
///         optimizer = Adam(0.01),
///         loss = "sparse_categorical_crossentropy",
///         metrics = ["accuracy"],
///     ),
///     callbacks(EarlyStopping("val_accuracy", patience = 3)),
/// )]
/// fn classes(x: Input<4>) -> Classes {
///     Model(x, Dense(3, activation = softmax)(x))
/// }
///
/// # fn main() -> Result<()> {
/// let mut model = Classes::new();
/// model.compile(Classes::compile_arguments())?;
/// let fit = Fit::epochs(10).callback(Classes::callbacks());
/// # let _ = fit;
/// # Ok(())
/// # }
/// ```
///
/// Arguments have Keras' names and order: `EarlyStopping(monitor = "val_loss", patience = 3)`. `loss`,
/// `loss_weights`, `metrics` and `weighted_metrics` may say something of each output, by its name, `loss =
/// Dict { class: "sparse_categorical_crossentropy", score: Huber(2.0) }`, or as a list in the order of the outputs,
/// `loss_weights = [1.0, 0.2]`.
///
/// Outputs may be nested, `Model(x, Dict { a: [b, c], d })`: `output_structure` says how, and
/// `predict_nested` gives them so; inputs may not.
///
/// `let part = Model(..)` makes a method `part()` of the model: a model of some of its layers, with
/// their weights.
///
/// On a struct and its impl it is Keras' subclassed form: the fields are the layers, `call` is the
/// network, once for training and once for inference.
///
/// ```
/// use keras::prelude::*;
///
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
/// # fn main() {}
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

/// A loss written as an expression of targets and predictions. Its gradient is derived while the
/// user's crate is compiled.
///
/// In the place of the function there is a type, called as the function is but in capitals, which
/// `compile` takes as it takes any loss: value and gradient are computed in one pass, without a
/// tape. Further parameters configure it: one with a default is a method, one without is an argument
/// of `new`.
///
/// ```
/// use keras::prelude::*;
///
/// /// Squares of small errors, sizes of large ones.
/// #[loss]
/// fn my_huber(y_true: Tensor, y_pred: Tensor, #[default(1.0)] delta: f32) -> Tensor {
///     let error = abs(y_pred - y_true);
///     let small = 0.5 * square(error);
///     let large = delta * error - 0.5 * square(delta);
///     mean(if error <= delta { small } else { large }, axis = -1)
/// }
///
/// # fn main() -> Result<()> {
/// let mut model = sequential![Dense(1)];
/// model.compile(Compile::new("adam", MyHuber::new().delta(2.0)).metric(MyHuber::new()))?;
/// # Ok(())
/// # }
/// ```
///
/// The language is that of expressions over tensors, under Keras' names: `let`, numbers, constants,
/// `+ - * /`, comparisons, `&`, `|`, `!`, `if` with `else` (or `where_`), functions such as
/// `exp(x)`, also as methods, and along the last axis `sum`, `mean`, `max`, `min`, `argmax`, `var`,
/// `std`, `logsumexp`, `softmax`, `log_softmax`, with `axis = -1` and `keepdims = true`. A loss has
/// one value for each row; if its value has the last axis still, every element is one.
#[proc_macro_attribute]
pub fn loss(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expressions::loss(&expand::keras(), arguments.into(), item.into()).into()
}

/// A metric written as an expression of targets and predictions.
///
/// On a function it is the mean of the function's values, under the function's name:
///
/// ```
/// use keras::prelude::*;
///
/// #[metric]
/// fn mean_prediction(y_true: Tensor, y_pred: Tensor) -> Tensor {
///     mean(y_pred, axis = -1)
/// }
///
/// # fn main() {
/// let metric = MeanPrediction::new();
/// # }
/// ```
///
/// On a struct and its impl it has weights, which `update_state` changes and `result` reads; the
/// result is one number, or a `Dict` of several:
///
/// ```
/// use keras::prelude::*;
///
/// #[metric]
/// pub struct BinaryTruePositives {
///     #[weight(zeros)]
///     true_positives: f32,
/// }
///
/// #[metric]
/// impl BinaryTruePositives {
///     fn update_state(&mut self, y_true: Tensor, y_pred: Tensor, sample_weight: Option<Tensor>) {
///         let hit = y_true.cast_bool() & y_pred.cast_bool();
///         self.true_positives += sum(weighted(hit, sample_weight));
///     }
///     fn result(&self) -> f32 {
///         self.true_positives
///     }
/// }
/// # fn main() {}
/// ```
///
/// Fields and parameters that are no weights and no tensors configure it, as with [`macro@loss`],
/// whose language it is. Without an axis, `sum(x)` and its kin take the whole batch together; with
/// `axis = 0` its rows, for a weight of type `[f32; N]` with a number for each place along the last
/// axis.
/// Generated are `new`, the builder methods, `name`, `dtype`, `update_state` and `result` on arrays,
/// `reset_state`, `merge_state`, and `register`, after which `compile` finds it by name.
#[proc_macro_attribute]
pub fn metric(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expressions::metric(&expand::keras(), arguments.into(), item.into()).into()
}

/// A layer whose output is an expression of its input: element by element, or of each row along the
/// last axis. Its gradients are derived while the user's crate is compiled.
///
/// ```
/// use keras::prelude::*;
///
/// /// `x` where it is positive, `alpha x` elsewhere, with a trained `alpha` for each channel.
/// #[layer]
/// pub struct LearnedSlope {
///     #[weight(zeros)]
///     alpha: Tensor,
/// }
///
/// #[layer]
/// impl LearnedSlope {
///     fn call(&self, x: Tensor) -> Tensor {
///         maximum(x, 0) + self.alpha * minimum(x, 0)
///     }
/// }
/// # fn main() {}
/// ```
///
/// A weight of type `Tensor` has a number for each place along the last axis, one of type `f32` is
/// one number; `#[weight(..)]` says how it begins: a number, or one of the words and values that
/// layers take. The other fields configure the layer, and the language is that of [`macro@loss`]. The output has the
/// shape of the input.
///
/// Generated are `new`, a method for each field with a default and for each weight's initializer,
/// `output_shape`, `weights`, and the trait `Layer`.
#[proc_macro_attribute]
pub fn layer(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expressions::layer(&expand::keras(), arguments.into(), item.into()).into()
}

/// Both halves of a layer that is an expression, as the struct's macro and the impl's put them
/// together.
#[doc(hidden)]
#[proc_macro]
pub fn __layer_impl(tokens: TokenStream) -> TokenStream {
    expressions::layer_impl(&expand::keras(), tokens.into()).into()
}

/// Both halves of a metric with weights, as the struct's macro and the impl's put them together.
#[doc(hidden)]
#[proc_macro]
pub fn __metric_impl(tokens: TokenStream) -> TokenStream {
    expressions::metric_impl(&expand::keras(), tokens.into()).into()
}

/// Both halves of a subclassed model, as the struct's macro and the impl's put them together.
#[doc(hidden)]
#[proc_macro]
pub fn __model_impl(tokens: TokenStream) -> TokenStream {
    expand::model_impl(&expand::keras(), tokens.into()).into()
}
