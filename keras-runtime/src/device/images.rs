//! Images (batch, height, width, channels) of another size: what `RandomCrop` does where it
//! cannot crop.

use super::host::on_hosts;
use super::{Memory, cpu};

/// A part of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The first row.
    pub top: usize,
    /// The first column.
    pub left: usize,
    /// The number of rows.
    pub height: usize,
    /// The number of columns.
    pub width: usize,
}

/// The sizes of a [`resize`](Images::resize).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resize {
    /// The number of images.
    pub batch: usize,
    /// (height, width, channels) of the images.
    pub input: [usize; 3],
    /// The part of them that is seen.
    pub window: Window,
    /// (height, width) that it is resized to.
    pub output: [usize; 2],
}

/// Bilinear interpolation between the centres of pixels, the border repeated outwards.
pub trait Images: Memory {
    /// `y` becomes the window of `x`, resized.
    fn resize(&self, sizes: Resize, x: Self::Slice<'_>, y: Self::SliceMut<'_>);

    /// `dx` becomes the gradient with regard to `x`.
    fn resize_gradient(&self, sizes: Resize, dy: Self::Slice<'_>, dx: Self::SliceMut<'_>);
}

on_hosts! {
    impl Images {
        fn resize(&self, sizes: Resize, x: Self::Slice<'_>, y: Self::SliceMut<'_>) {
            cpu::images::resize(sizes, x, y);
        }

        fn resize_gradient(&self, sizes: Resize, dy: Self::Slice<'_>, dx: Self::SliceMut<'_>) {
            cpu::images::resize_gradient(sizes, dy, dx);
        }
    }
}
