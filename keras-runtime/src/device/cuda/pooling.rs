//! Pooling of images.

use super::context::{Area, Argument, Driver, ViewMut, blocks, count};
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

/// Launches a kernel with a thread for each number of `to`, the first `len` of which are written.
fn over<R: Driver>(
    kernel: &'static str,
    to: &ViewMut<'_, R>,
    len: usize,
    arguments: &[Argument<'_>],
) {
    to.context
        .launch(&POOLING, kernel, None, blocks(len), arguments);
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
            let (words, len) = (words(geometry), batch * geometry.output_size());
            let arguments = [x.argument(), y.argument(), Argument::Words(&words), count(len)];
            over("max_pool", &y, len, &arguments);
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
            over("max_pool_gradient", &dx, len, &arguments);
        }
        fn average_pool2d(
            &self,
            geometry: &Pool2dGeometry,
            batch: usize,
            x: Self::Slice<'_>,
            y: Self::SliceMut<'_>,
        ) {
            let (words, len) = (words(geometry), batch * geometry.output_size());
            let arguments = [x.argument(), y.argument(), Argument::Words(&words), count(len)];
            over("average_pool", &y, len, &arguments);
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
            over("average_pool_gradient", &dx, len, &arguments);
        }
    }
}
