//! `y = max(x)` over the rows and columns of an image.

use super::pool::{global_geometry, global_pool_arguments};
use super::{Backward, Forward, Layer, Weights};
use crate::config::{Config, arguments};
use crate::device::{Device, Ties};
use crate::shape::{Shape, ShapeError};

/// The largest value of each channel of an image: `keras.layers.GlobalMaxPooling2D`.
///
/// Where several values are the largest, they share the gradient.
///
/// | | shape |
/// |---|---|
/// | input | (batch, rows, columns, channels) |
/// | output | (batch, channels), with `keepdims` (batch, 1, 1, channels) |
#[derive(Clone, Copy, Debug, Default)]
pub struct GlobalMaxPooling2D {
    keepdims: bool,
}

impl GlobalMaxPooling2D {
    global_pool_arguments!();
}

arguments!(GlobalMaxPooling2D {
    "data_format" = "channels_last",
    "keepdims": keepdims,
});

impl Layer for GlobalMaxPooling2D {
    fn config(&self) -> Config {
        Config::keras("keras.layers", "GlobalMaxPooling2D").arguments(self)
    }

    fn forward<D: Device>(&self, cx: Forward<'_, D>) {
        let [x] = cx.inputs else { return };
        let geometry = global_geometry(&x.shape);
        cx.device.max_pool2d(&geometry, cx.batch, x.data, cx.output);
    }

    fn backward<D: Device>(&self, mut cx: Backward<'_, D>) {
        let [x] = *cx.inputs else { return };
        let Some(d_x) = cx.d_input(0) else { return };
        let geometry = global_geometry(&x.shape);
        let d_y = D::read(&cx.d_output);
        let ties = Ties::Shared;
        cx.device
            .max_pool2d_gradient(&geometry, cx.batch, ties, x.data, cx.output, d_y, d_x);
    }
}
