//! `y = mean(x)` over the rows and columns of an image.

use super::pool::{global_geometry, global_pool_arguments};
use super::{Backward, Forward, Layer, Weights};
use crate::config::{Config, arguments};
use crate::device::Device;
use crate::shape::{Shape, ShapeError};

/// The mean of each channel of an image: `keras.layers.GlobalAveragePooling2D`.
///
/// | | shape |
/// |---|---|
/// | input | (batch, rows, columns, channels) |
/// | output | (batch, channels), with `keepdims` (batch, 1, 1, channels) |
#[derive(Clone, Copy, Debug, Default)]
pub struct GlobalAveragePooling2D {
    keepdims: bool,
}

impl GlobalAveragePooling2D {
    global_pool_arguments!();
}

arguments!(GlobalAveragePooling2D {
    "data_format" = "channels_last",
    "keepdims": keepdims,
});

impl Layer for GlobalAveragePooling2D {
    fn config(&self) -> Config {
        Config::keras("keras.layers", "GlobalAveragePooling2D").arguments(self)
    }

    fn forward<D: Device>(&self, cx: Forward<'_, D>) {
        let [x] = cx.inputs else { return };
        let geometry = global_geometry(&x.shape);
        cx.device
            .average_pool2d(&geometry, cx.batch, x.data, cx.output);
    }

    fn backward<D: Device>(&self, mut cx: Backward<'_, D>) {
        let [x] = *cx.inputs else { return };
        let Some(d_x) = cx.d_input(0) else { return };
        let geometry = global_geometry(&x.shape);
        let d_y = D::read(&cx.d_output);
        cx.device
            .average_pool2d_gradient(&geometry, cx.batch, d_y, d_x);
    }
}
