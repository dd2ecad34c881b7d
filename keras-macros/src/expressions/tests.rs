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
