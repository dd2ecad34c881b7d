//! Pooling of images.

use super::context::{Area, Argument, Driver, View, ViewMut, blocks, count};
use super::convolutions::axis;
use super::on_gpus;
use crate::device::{Pool2dGeometry, Pooling, Ties};

static POOLING: Area = Area {
    name: "pooling",
    source: include_str!("pooling.cu"),
};

/// (rows, columns, channels) in the words of the kernels.
fn words(g: &Pool2dGeometry) -> [u32; 13] {
    let mut words = [0; 13];
    words[..6].copy_from_slice(&axis(&g.rows));
    words[6..12].copy_from_slice(&axis(&g.columns));
    words[12] = g.channels as u32;
    words
}

/// Pools, with a thread for each output.
fn pool<R: Driver>(
    kernel: &'static str,
    g: &Pool2dGeometry,
    batch: usize,
    x: View<'_, R>,
    y: &ViewMut<'_, R>,
) {
    let (words, len) = (words(g), batch * g.output_size());
    let arguments = [
        x.argument(),
        y.argument(),
        Argument::Words(&words),
        count(len),
    ];
    y.context
        .launch(&POOLING, kernel, None, blocks(len), &arguments);
}

on_gpus! {
    impl Pooling {
        fn max_pool2d(
            &self,
            geometry: &Pool2dGeometry,
            batch: usize,
            x: Self::Slice<'_>,
            y: Self::SliceMut<'_>,
        ) {
            pool("max_pool", geometry, batch, x, &y);
        }
        fn max_pool2d_gradient(
            &self,
            geometry: &Pool2dGeometry,
            batch: usize,
            ties: Ties,
            x: Self::Slice<'_>,
            y: Self::Slice<'_>,
            dy: Self::Slice<'_>,
            dx: Self::SliceMut<'_>,
        ) {
            let (words, len) = (words(geometry), batch * geometry.input_size());
            let arguments = [
                x.argument(),
                y.argument(),
                dy.argument(),
                dx.argument(),
                Argument::Words(&words),
                Argument::Count((ties == Ties::Shared).into()),
                count(len),
            ];
            let grid = blocks(len);
            dx.context.launch(&POOLING, "max_pool_gradient", None, grid, &arguments);
        }
        fn average_pool2d(
            &self,
            geometry: &Pool2dGeometry,
            batch: usize,
            x: Self::Slice<'_>,
            y: Self::SliceMut<'_>,
        ) {
            pool("average_pool", geometry, batch, x, &y);
        }
        fn average_pool2d_gradient(
            &self,
            geometry: &Pool2dGeometry,
            batch: usize,
            dy: Self::Slice<'_>,
            dx: Self::SliceMut<'_>,
        ) {
            let (words, len) = (words(geometry), batch * geometry.input_size());
            let arguments = [dy.argument(), dx.argument(), Argument::Words(&words), count(len)];
            let grid = blocks(len);
            dx.context.launch(&POOLING, "average_pool_gradient", None, grid, &arguments);
        }
    }
}
