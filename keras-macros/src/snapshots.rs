//! What the macros emit, in full, for a fixed set of models: `src/snapshots/*.snap`.
//!
//! A change of them is a change of what users read in `cargo expand`: look at it as such, then
//! accept it with `cargo insta accept`.

use proc_macro2::TokenStream;
use quote::quote;

use crate::expand;

pub fn check(name: &str, emitted: TokenStream) {
    let file = syn::parse2(emitted).expect("what is emitted is Rust");
    let text = prettyplease::unparse(&file);
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

fn keras() -> TokenStream {
    quote! { ::keras }
}

fn sequential(tokens: TokenStream) -> TokenStream {
    expand::sequential(&keras(), tokens)
}

fn model(item: TokenStream) -> TokenStream {
    expand::model(&keras(), TokenStream::new(), item)
}

#[test]
fn mlp() {
    let emitted = sequential(quote! {
        /// Two layers.
        pub Mlp<784>;
        Dense(HIDDEN * 2, activation = relu),
        Dense(10, activation = softmax, kernel_initializer = he_normal),
    });
    check("mlp", emitted);
}

#[test]
fn convnet() {
    let emitted = sequential(quote! {
        /// A small convolutional network for 28x28 grey images.
        pub Convnet<28, 28, 1>;
        Conv2D(32, 3, activation = relu),
        MaxPooling2D(2),
        Conv2D(64, kernel_size = 3, activation = relu, trainable = false),
        MaxPooling2D(2),
        Flatten,
        Dropout(0.5),
        Dense(10, activation = softmax, name = "probs"),
    });
    check("convnet", emitted);
}

#[test]
fn keras_file() {
    let arguments = quote! { keras = "../tests/reference/fixtures/models/mlp.keras" };
    let item = quote! {
        /// A model of Python's.
        pub struct FromKeras;
    };
    check("keras_file", expand::model(&keras(), arguments, item));
}

#[test]
fn expression() {
    let model = sequential(quote! { Dense(64, activation = relu), Dense(10) });
    check("expression", quote! { fn main() { let model = #model; } });
}

#[test]
fn of_any_size() {
    let emitted = sequential(quote! {
        OfAnySize<_, 17, 4>;
        RandomCrop(16, 15),
        Conv2D(6, (2, 3), strides = (1, 2), padding = same, groups = 2, use_bias = false),
        Conv2D(4, 3, dilation_rate = (1, 2), padding = "valid"),
        add_loss(0.1 * mean(square(x))),
        BatchNormalization,
        BatchNormalization(scale = false, trainable = false),
        Activation("relu"),
        AveragePooling2D((2, 3), strides = 1, padding = same),
        AveragePooling2D,
        GlobalMaxPooling2D(keepdims = true),
        Reshape((-1, 2)),
        Rescaling(2),
        Dense(7),
    });
    check("of_any_size", emitted);
}

#[test]
fn list_with_additions() {
    let emitted = sequential(quote! {
        #[model(max_params = BUDGET, max_flops = 10, gradcheck)]
        Regularized<4>;
        Dense(3, "relu", kernel_initializer = "he_normal"),
        add_loss(0.1 * mean(square(x))),
        Dense(1),
        add_metric(max(x), name = "peak"),
    });
    check("list_with_additions", emitted);
}

#[test]
fn user_layer() {
    let emitted = sequential(quote! {
        Mine<_, 3>;
        low_rank::LowRank::<2>(4, { Table::new(3) }, scale = -0.5, path = "table.csv"),
    });
    check("user_layer", emitted);
}

#[test]
fn two_heads() {
    let emitted = model(quote! {
        fn two_heads(image: Input<28, 28, 1>, meta: Input<4>) -> TwoHeads {
            let shared = Dense(32, activation = relu);
            let a = shared(Flatten()(image));
            let b = shared(Dense(784)(meta));
            let joined = Concatenate()([a, b]);
            let class = Dense(10, activation = softmax, name = "class")(joined);
            let score = Dense(1, name = "score")(a + b);
            Model((image, meta), Dict { class, score })
        }
    });
    check("two_heads", emitted);
}

#[test]
fn parts() {
    let emitted = model(quote! {
        /// A model and two parts of it.
        pub fn full_model(inputs: Input<_, _, 3>) -> FullModel {
            let processed = RandomCrop(32, 32)(inputs);
            let conv = Conv2D(2, 3)(processed);
            let pooling = GlobalAveragePooling2D()(conv);
            let feature = Dense(10)(pooling);
            let backbone = Model(processed, conv);
            let activations = Model(conv, feature);
            Model(inputs, feature)
        }
    });
    check("parts", emitted);
}

#[test]
fn shared_output() {
    let emitted = model(quote! {
        fn shared_output(inputs: Input<3>) -> SharedOutput {
            let d = Dense(2, name = "out");
            let output_1 = d(inputs);
            let output_2 = d(inputs);
            add_metric(sum(output_2), name = "mean", aggregation = mean);
            add_loss(RATE * mean(square(output_1 - 0.5)));
            Model(inputs, [output_1, output_2])
        }
    });
    check("shared_output", emitted);
}

#[test]
fn subclassed() {
    let arguments = quote! { input = [3] };
    let item = quote! {
        pub struct MyModel {
            #[layer(4, activation = relu)]
            dense1: Dense,
            #[layer(5, activation = softmax)]
            dense2: Dense,
            #[layer(0.5)]
            dropout: Dropout,
        }
    };
    let implementation = quote! {
        impl MyModel {
            fn call(&self, inputs: Tensor, training: bool) -> Tensor {
                let x = self.dense1(inputs);
                let x = if training { self.dropout(x) } else { x };
                self.dense2(x)
            }
            fn train_step(&mut self, batch: &Batch<'_>) -> Result<()> {
                self.one_step(batch)
            }
        }
    };
    let the_struct = expand::model(&keras(), arguments.clone(), item.clone());
    let the_impl = model(implementation.clone());
    let both = quote! { [#arguments] { #item } { #implementation } };
    let both = expand::model_impl(&keras(), both);
    check("subclassed", quote! { #the_struct #the_impl #both });
}

#[test]
fn after_an_error_the_rest_still_compiles() {
    let emitted = model(quote! {
        fn broken(inputs: Input<3>) -> Broken {
            let part = Model(inputs, missing);
            Model(inputs, missing)
        }
    });
    check("after_an_error", emitted);
}

/// The tokens of a deep network, as characters.
fn emitted_by(layers: usize) -> usize {
    let layers = (0..layers).map(|_| quote! { Dense(64, activation = relu) });
    sequential(quote! { Deep<64>; #(#layers),* })
        .to_string()
        .len()
}

#[test]
fn what_is_emitted_grows_with_the_layers_and_no_faster() {
    let (fewer, more) = (
        emitted_by(200) - emitted_by(100),
        emitted_by(400) - emitted_by(300),
    );
    // Numbers and names with more digits are all that may be added.
    assert!(
        more < fewer + fewer / 20,
        "100 layers after 100: {fewer}, after 300: {more}"
    );
}
