//! The code examples of the document that this project follows (Keras as shipped with TensorFlow 2.11: `Model`,
//! `Metric`, `Callback`), each under a name that says which: what they print there is what they give here.
//!
//! | row | what | tests |
//! |---|---|---|
//! | M1 | layers, grouped into an object that trains and predicts | `models::m1_..` |
//! | M2 | the functional form | `models::m2_..` |
//! | M3 | inputs and outputs as dictionaries, lists and tuples | `models::m3_..`; nested inputs do not compile: `tests/compiler/cases/functional.rs` |
//! | M4 | new models from intermediate tensors | `parts::m4_..` |
//! | M5 | the subclassed form, with and without `training` | `subclassed::m5_..` |
//! | M6 | `compile`, `fit`, `evaluate`, `predict` | `models::m6_..` |
//! | M7 | `build` and its four errors | `build::m7_..` |
//! | M8 | `train_step` of one's own | `train_step::m8_..` |
//! | M9 | `make_train_function` of one's own | `train_function::m9_..` |
//! | M10 | `metrics` before and after training | `model_metrics::m10_..` |
//! | M11 | the log names of one layer that is two outputs | `model_metrics::m11_..` |
//! | M12 | `Sequential` without an input shape | `models::m12_..` |
//! | M13 | losses, metrics and optimizers by name or as objects | `models::m13_..` |
//! | M14 | the same program on the device that there is | `models::m14_..` |
//! | T1 | the name and the type of a metric | `metrics::t1_..` |
//! | T2 | a metric on its own, in a loop | `metrics::t2_..` |
//! | T3 | a metric in `compile` | `metrics::t3_..` |
//! | T4 | a metric of one's own | `metrics::t4_..` |
//! | C1 | the hooks, `params`, `model` and `logs` of a callback | `callbacks::c1_..` |
//! | C2 | a callback of one's own | `callbacks::c2_..` |
//! | C3 | `CallbackList` in a loop of one's own | `callbacks::c3_..` |
//! | C4 | `EarlyStopping` | `callbacks::c4_..`; every table of decisions: `tests/conformance/traces.rs` |
//! | C5 | `ModelCheckpoint` | `callbacks::c5_..`; the names and messages: `tests/conformance/traces.rs` |
//! | C6 | saving and loading | `callbacks::c6_..` |

mod build;
mod callbacks;
mod metrics;
mod model_metrics;
mod models;
mod parts;
mod subclassed;
mod train_function;
mod train_step;

use ndarray::{Array, Dimension, ShapeBuilder};

/// Numbers between 0 and 1 that look drawn at random: `np.random.random(shape)`.
fn random<S: ShapeBuilder<Dim = D>, D: Dimension>(shape: S, seed: u64) -> Array<f32, D> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    Array::from_shape_simple_fn(shape, || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1u64 << 24) as f32
    })
}

/// Holds two arrays of numbers to each other.
#[track_caller]
fn assert_close<'a>(
    found: impl IntoIterator<Item = &'a f32>,
    expected: impl IntoIterator<Item = &'a f32>,
) {
    let (mut found, mut expected) = (found.into_iter(), expected.into_iter());
    loop {
        match (found.next(), expected.next()) {
            (None, None) => return,
            (Some(a), Some(b)) if (a - b).abs() <= 1e-5 * (1.0 + b.abs()) => {}
            (a, b) => panic!("{a:?}, expected {b:?}"),
        }
    }
}
