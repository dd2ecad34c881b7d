//! What the code of `#[layer]` calls.

use super::{Backward, Forward};
use crate::device::{Device, LayerFunction};

/// The output of a layer whose function is known as an expression.
pub fn layer_forward<D: Device, L: LayerFunction<N>, const N: usize>(
    function: L,
    cx: Forward<'_, D>,
) {
    let [x] = cx.inputs else { return };
    let weights = std::array::from_fn(|weight| cx.weights.get(weight));
    let width = x.shape.last();
    cx.device.layer(function, width, x.data, weights, cx.output);
}

/// The gradients of its input and of its weights.
pub fn layer_backward<D: Device, L: LayerFunction<N>, const N: usize>(
    function: L,
    mut cx: Backward<'_, D>,
) {
    let [x] = cx.inputs else { return };
    let d_x = cx.d_input(0);
    let weights = std::array::from_fn(|weight| cx.weights.get(weight));
    let d_weights = cx.d_weights.map(|d_weights| d_weights.slice);
    cx.device.layer_gradient(
        function,
        x.shape.last(),
        x.data,
        weights,
        D::read(&cx.d_output),
        d_x,
        d_weights,
    );
}
