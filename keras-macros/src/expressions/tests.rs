//! What is emitted for expressions, and what is said about mistakes in them.

use proc_macro2::TokenStream;
use quote::quote;

use super::*;
use crate::snapshots::check;

fn keras() -> TokenStream {
    quote! { ::keras }
}

fn loss_of(item: TokenStream) -> TokenStream {
    loss(&keras(), TokenStream::new(), item)
}

#[test]
fn a_mean_of_pairs() {
    let emitted = loss_of(quote! {
        /// Squares of small errors, sizes of large ones.
        #[must_use]
        pub fn my_huber(y_true: Tensor, y_pred: Tensor, #[default(1.0)] delta: f32) -> Tensor {
            let error = abs(y_pred - y_true);
            let small = 0.5 * square(error);
            let large = delta * error - 0.5 * square(delta);
            mean(if error <= delta { small } else { large }, axis = -1)
        }
    });
    check("loss_of_pairs", emitted);
}

#[test]
fn a_row_as_a_whole() {
    let emitted = loss_of(quote! {
        fn cosine(y_true: Tensor, y_pred: Tensor, epsilon: f32) -> Tensor {
            let dot = sum(y_true * y_pred, axis = -1);
            let size = sqrt(sum(square(y_pred), axis = -1) + epsilon);
            -dot / size
        }
    });
    check("loss_of_rows", emitted);
}

#[test]
fn softmax_in_loops() {
    let emitted = loss_of(quote! {
        fn sparse(label: Tensor, logits: Tensor) -> Tensor {
            -sum(one_hot(label) * log_softmax(logits), axis = -1)
        }
    });
    check("loss_with_softmax", emitted);
}

#[test]
fn a_metric_that_is_a_mean() {
    let emitted = metric(
        &keras(),
        TokenStream::new(),
        quote! {
            pub fn mean_prediction(y_true: Tensor, y_pred: Tensor) -> Tensor {
                mean(y_pred, axis = -1)
            }
        },
    );
    check("metric_mean", emitted);
}

#[test]
fn a_metric_with_weights() {
    let item = quote! {
        /// Where both are true.
        pub struct BinaryTruePositives {
            #[weight(zeros)]
            true_positives: f32,
        }
    };
    let implementation = quote! {
        impl BinaryTruePositives {
            fn update_state(&mut self, y_true: Tensor, y_pred: Tensor, sample_weight: Option<Tensor>) {
                let hit = y_true.cast_bool() & y_pred.cast_bool();
                self.true_positives += sum(weighted(hit, sample_weight));
            }
            fn result(&self) -> f32 {
                self.true_positives
            }
        }
    };
    let the_struct = metric(&keras(), TokenStream::new(), item.clone());
    let both = metric_impl(&keras(), quote! { [] { #item } { #implementation } });
    check("metric_with_weights", quote! { #the_struct #both });
}

#[test]
fn a_metric_with_rows_of_weights() {
    let item = quote! {
        struct ColumnErrors {
            #[weight(ones)]
            count: f32,
            #[weight(zeros)]
            errors: [f32; WIDTH],
        }
    };
    let implementation = quote! {
        impl ColumnErrors {
            fn update_state(&mut self, y_true: Tensor, y_pred: Tensor) {
                self.errors += mean(abs(y_pred - y_true), axis = 0);
                self.count += 1;
            }
            fn result(&self) -> [f32; WIDTH] {
                self.errors / self.count
            }
        }
    };
    let both = metric_impl(&keras(), quote! { [] { #item } { #implementation } });
    check("metric_with_rows", both);
}

#[test]
fn a_layer() {
    let item = quote! {
        pub struct Swish {
            #[default(1.0)]
            scale: f32,
            #[weight(ones)]
            beta: Tensor,
            #[weight(zeros)]
            offset: f32,
        }
    };
    let implementation = quote! {
        impl Swish {
            fn call(&self, x: Tensor) -> Tensor {
                let gate = sigmoid(self.beta * x);
                self.scale * (x * gate + self.offset)
            }
        }
    };
    let the_struct = layer(&keras(), TokenStream::new(), item.clone());
    let both = layer_impl(&keras(), quote! { [] { #item } { #implementation } });
    check("layer", quote! { #the_struct #both });
}

/// The errors in the body of a loss.
fn errors(body: &str) -> Vec<String> {
    let item = format!("fn f(y_true: Tensor, y_pred: Tensor, delta: f32) -> Tensor {{ {body} }}");
    errors_of(loss_of(item.parse().unwrap()))
}

fn errors_of(emitted: TokenStream) -> Vec<String> {
    let file: syn::File = syn::parse2(emitted).expect("what is emitted is Rust");
    let message = |item: Item| match item {
        Item::Macro(item) if item.mac.path.segments.last()?.ident == "compile_error" => item
            .mac
            .parse_body::<syn::LitStr>()
            .ok()
            .map(|text| text.value()),
        _ => None,
    };
    file.items.into_iter().filter_map(message).collect()
}

#[test]
fn mistakes_in_expressions_are_named() {
    for (body, expected) in [
        (
            "mean(square(y_pred - y_tru), axis = -1)",
            "There is no value `y_tru` here. Did you mean `y_true`?",
        ),
        (
            "mean(sqare(y_pred), axis = -1)",
            "The tensor language has no function `sqare`. Did you mean `square`?",
        ),
        (
            "mean(square(y_pred))",
            "Without an axis, `mean` takes the samples of a batch together",
        ),
        (
            "mean(y_pred, axis = 1)",
            "`axis = -1` is the only one they know.",
        ),
        ("mean(y_pred, axes = -1)", "`mean` has no argument `axes`."),
        ("mean(y_pred, -1)", "`mean` takes 1 tensor by position"),
        ("abs(y_pred, axis = -1)", "`abs` has no argument `axis`."),
        (
            "maximum(y_pred)",
            "maximum is missing 1 required argument: `x2`",
        ),
        (
            "clip(y_pred, 0, 1, x_max = 1)",
            "clip got multiple values for argument `x_max`.",
        ),
        (
            "y_pred - mean(y_pred, axis = -1)",
            "Shapes (batch, features) and (batch) cannot be combined",
        ),
        (
            "sum(mean(y_pred, axis = -1), axis = -1)",
            "its shape is (batch).",
        ),
        (
            "mean(y_pred & y_true, axis = -1)",
            "An operand of `&` and `|` is yes or no. Received: numbers",
        ),
        (
            "mean(if y_pred { 1 } else { y_pred }, axis = -1)",
            "The condition of an `if` is yes or no.",
        ),
        (
            "mean(if y_pred > 0 { y_pred }, axis = -1)",
            "An `if` has an `else` here",
        ),
        (
            "mean(floor(y_pred), axis = -1)",
            "A rounded number has no gradient",
        ),
        (
            "mean(sign(y_pred) * y_pred, axis = -1)",
            "A sign has no gradient",
        ),
        (
            "mean((y_pred > y_true).cast_float(), axis = -1)",
            "A yes or no has no gradient",
        ),
        (
            "argmax(y_pred, axis = -1) - argmax(y_true, axis = -1)",
            "A place has no gradient",
        ),
        (
            "mean(y_true, axis = -1)",
            "The loss has no gradient with regard to `y_pred`",
        ),
        (
            "mean(stop_gradient(y_pred), axis = -1)",
            "The loss has no gradient with regard to `y_pred`",
        ),
        ("y_pred.sum(axis = -1);", "Nobody takes this value"),
        (
            "let mut x = y_pred; x",
            "Values of an expression do not change",
        ),
        ("let (a, b) = y_pred; y_pred", "a tensor has no parts"),
        (
            "for i in 0..3 {} y_pred",
            "`for` is not part of the tensor language. Allowed are",
        ),
        (
            "return y_pred",
            "`return` is not part of the tensor language.",
        ),
        ("y_pred[0]", "An index is not part of the tensor language."),
        ("y_pred as f32", "`as` is not part of the tensor language."),
        (
            "println!(\"x\"); y_pred",
            "A macro is not part of the tensor language.",
        ),
        (
            "keras::exp(y_pred)",
            "A function with a path is not part of the tensor language.",
        ),
        (
            "self.delta * y_pred",
            "A loss that is a function has no fields",
        ),
        ("delta += 1.0; y_pred", "Nothing can be assigned to here"),
        ("Dict { a: y_pred }", "has one value, and no `Dict`"),
        ("let x = y_pred;", "`f` ends in its value"),
    ] {
        let found = errors(body);
        assert!(
            found.len() == 1 && found[0].contains(expected),
            "{body}: {found:?}, expected one with {expected}"
        );
    }
    let two = errors("let a = y_prd; let b = foo(y_pred); mean(a + b, axis = -1)");
    assert_eq!(
        two.len(),
        2,
        "what follows from an error is not reported: {two:?}"
    );
}

#[test]
fn mistakes_in_signatures_are_named() {
    for (item, expected) in [
        (
            "fn f(y_pred: Tensor) -> Tensor { y_pred }",
            "A loss compares two tensors",
        ),
        (
            "fn f(t: Tensor, p: Tensor) { p }",
            "A loss gives a `Tensor`",
        ),
        ("fn f(t: Tensor, p: Tensor) -> f32 { p }", "Received: f32"),
        (
            "fn f(t: Tensor, p: Tensor, n: usize) -> Tensor { p }",
            "A parameter is a `Tensor`",
        ),
        (
            "fn f(&self, t: Tensor, p: Tensor) -> Tensor { p }",
            "has no `self`",
        ),
        (
            "async fn f(t: Tensor, p: Tensor) -> Tensor { p }",
            "`async` is not part of an expression",
        ),
        ("struct Loss;", "`#[loss]` belongs on a function"),
    ] {
        let found = errors_of(loss_of(item.parse().unwrap()));
        assert!(
            found.len() == 1 && found[0].contains(expected),
            "{item}: {found:?}"
        );
    }
}

#[test]
fn mistakes_in_metrics_and_layers_are_named() {
    let fields = "#[weight(zeros)] total: f32, threshold: f32";
    let update = |body: &str| {
        format!("fn update_state(&mut self, t: Tensor, p: Tensor, w: Option<Tensor>) {{ {body} }}")
    };
    let result = "fn result(&self) -> f32 { self.total }";
    let of_metric = |implementation: String| {
        let tokens =
            format!("[] {{ struct M {{ {fields} }} }} {{ impl M {{ {implementation} }} }}");
        errors_of(metric_impl(&keras(), tokens.parse().unwrap()))
    };
    for (body, expected) in [
        (
            "self.totl += sum(p);",
            "The metric has no weight `totl`. Its weights: total",
        ),
        (
            "self.threshold += sum(p);",
            "`threshold` is no weight of the metric",
        ),
        (
            "self.total += p;",
            "`total` is one number. Received: a value of shape (batch, features)",
        ),
        (
            "self.total += sum(p * w);",
            "`w` may be missing, so it is only used in `weighted(values, w)`.",
        ),
        (
            "self.total += sum(weighted(p, t));",
            "takes the parameter `sample_weight: Option<Tensor>`",
        ),
        (
            "self.total += self.count;",
            "The metric has no field `count`. Its fields: threshold, total",
        ),
        ("sum(p)", "gives no value"),
        (
            "self.total += sum(p, axis = 0);",
            "goes into a weight with a number for each place",
        ),
    ] {
        let found = of_metric(update(body) + result);
        assert!(
            found.len() == 1 && found[0].contains(expected),
            "{body}: {found:?}"
        );
    }
    let found = of_metric(result.into());
    assert!(
        found[0].contains("The metric has no `update_state`"),
        "{found:?}"
    );
    let found = of_metric(update("self.total += sum(p);"));
    assert!(found[0].contains("The metric has no `result`"), "{found:?}");

    let of_layer = |body: &str| {
        let tokens = format!(
            "[] {{ struct L {{ #[weight(zeros)] a: Tensor }} }} \
             {{ impl L {{ fn call(&self, x: Tensor) -> Tensor {{ {body} }} }} }}"
        );
        errors_of(layer_impl(&keras(), tokens.parse().unwrap()))
    };
    for (body, expected) in [
        (
            "mean(x, axis = -1)",
            "has the shape of its input, (batch, features). Received: (batch)",
        ),
        ("x - mean(x)", "a layer has a value for each of them"),
        ("self.b * x", "The layer has no field `b`. Its fields: a"),
        ("x * round(x)", "A rounded number has no gradient"),
    ] {
        let found = of_layer(body);
        assert!(
            found.len() == 1 && found[0].contains(expected),
            "{body}: {found:?}"
        );
    }
}
