//! `y = mean(x[row · stride + i, column · stride + j])` over the `i`, `j` of a window.

use super::pool::{geometry, pool_arguments};
use super::windows::Windows;
use super::{Backward, Forward, Layer, Padding, Weights};
use crate::arg::Size;
use crate::config::{Config, arguments};
use crate::device::Device;
use crate::shape::{Shape, ShapeError};

/// The mean of each window, a channel at a time: `keras.layers.AveragePooling2D`.
///
/// What a window sees beside the image does not count.
///
/// | | shape |
/// |---|---|
/// | input | (batch, rows, columns, channels) |
/// | output | (batch, new rows, new columns, channels) |
#[derive(Clone, Copy, Debug)]
pub struct AveragePooling2D {
    windows: Windows,
}

impl AveragePooling2D {
    pool_arguments!("AveragePooling2D");
}

arguments!(AveragePooling2D {
    "pool_size": windows.size,
    "padding": windows.padding,
    "strides": windows.strides,
    "data_format" = "channels_last",
});

impl Layer for AveragePooling2D {
    fn config(&self) -> Config {
        Config::keras("keras.layers", "AveragePooling2D").arguments(self)
    }

    fn forward<D: Device>(&self, cx: Forward<'_, D>) {
        let [x] = cx.inputs else { return };
        let Some(geometry) = geometry(&self.windows, &x.shape) else {
            return;
        };
        cx.device
            .average_pool2d(&geometry, cx.batch, x.data, cx.output);
    }

    fn backward<D: Device>(&self, mut cx: Backward<'_, D>) {
        let [x] = *cx.inputs else { return };
        let (Some(geometry), Some(d_x)) = (geometry(&self.windows, &x.shape), cx.d_input(0)) else {
            return;
        };
        let d_y = D::read(&cx.d_output);
        cx.device
            .average_pool2d_gradient(&geometry, cx.batch, d_y, d_x);
    }
}
