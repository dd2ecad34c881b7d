//! Pooling of images: the work of the pooling layers.

use super::geometry::Pool2dGeometry;
use super::host::on_hosts;
use super::{Memory, cpu};

/// Where the gradient goes if several values of a window are the largest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ties {
    /// To the first of them.
    First,
    /// To all of them, in even shares.
    Shared,
}

/// The largest or the mean value under each window, a channel at a time. Images are (batch, rows,
/// columns, channels); what lies beside the image does not count.
pub trait Pooling: Memory {
    /// `y = max(window of x)`.
    fn max_pool2d(
        &self,
        geometry: &Pool2dGeometry,
        batch: usize,
        x: Self::Slice<'_>,
        y: Self::SliceMut<'_>,
    );
    /// `dx`: each `dy` goes to the largest value of its window.
    #[allow(clippy::too_many_arguments)]
    fn max_pool2d_gradient(
        &self,
        geometry: &Pool2dGeometry,
        batch: usize,
        ties: Ties,
        x: Self::Slice<'_>,
        y: Self::Slice<'_>,
        dy: Self::Slice<'_>,
        dx: Self::SliceMut<'_>,
    );
    /// `y = mean(window of x)`.
    fn average_pool2d(
        &self,
        geometry: &Pool2dGeometry,
        batch: usize,
        x: Self::Slice<'_>,
        y: Self::SliceMut<'_>,
    );
    /// `dx`: each `dy` is shared out evenly over its window.
    fn average_pool2d_gradient(
        &self,
        geometry: &Pool2dGeometry,
        batch: usize,
        dy: Self::Slice<'_>,
        dx: Self::SliceMut<'_>,
    );
}

on_hosts! {
    impl Pooling {
        fn max_pool2d(
            &self,
            geometry: &Pool2dGeometry,
            batch: usize,
            x: Self::Slice<'_>,
            y: Self::SliceMut<'_>,
        ) {
            cpu::pool2d::max(geometry, batch, x, y);
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
            cpu::pool2d::max_gradient(geometry, batch, ties, x, y, dy, dx);
        }
        fn average_pool2d(
            &self,
            geometry: &Pool2dGeometry,
            batch: usize,
            x: Self::Slice<'_>,
            y: Self::SliceMut<'_>,
        ) {
            cpu::pool2d::average(geometry, batch, x, y);
        }
        fn average_pool2d_gradient(
            &self,
            geometry: &Pool2dGeometry,
            batch: usize,
            dy: Self::Slice<'_>,
            dx: Self::SliceMut<'_>,
        ) {
            cpu::pool2d::average_gradient(geometry, batch, dy, dx);
        }
    }
}
