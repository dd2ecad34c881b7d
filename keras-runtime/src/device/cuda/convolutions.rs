//! Convolutions: the patches under the windows, a few images at a time, and matrix products of them.

use std::ops::Range;

use super::context::{Area, Argument, Driver, Matrix, Product, View, ViewMut, blocks, count};
use super::memory::fill;
use super::products::{bias_relu, relu_gradient};
use super::{on_gpus, sums};
use crate::device::{Axis, Conv2dGeometry, Conv2dGradients, Convolutions};

static CONVOLUTIONS: Area = Area {
    name: "convolutions",
    source: include_str!("convolutions.cu"),
};

/// The numbers that the patches of some images may have: 64 MB.
const PATCHES: usize = 1 << 24;

/// An axis in the words of the kernels.
pub fn axis(axis: &Axis) -> [u32; 6] {
    [
        axis.input,
        axis.output,
        axis.window,
        axis.stride,
        axis.dilation,
        axis.padding.0,
    ]
    .map(|size| u32::try_from(size).unwrap_or(u32::MAX))
}

/// One group of a convolution.
struct Group<'a> {
    g: &'a Conv2dGeometry,
    number: usize,
    /// (rows, columns, channels, first, count)
    words: [u32; 15],
}

impl<'a> Group<'a> {
    fn all(g: &'a Conv2dGeometry) -> impl Iterator<Item = Group<'a>> {
        (0..g.groups).map(move |number| {
            let mut words = [0; 15];
            words[..6].copy_from_slice(&axis(&g.rows));
            words[6..12].copy_from_slice(&axis(&g.columns));
            let channels = g.group_channels();
            words[12..].copy_from_slice(
                &[g.channels, number * channels, channels].map(|count| count as u32),
            );
            Group { g, number, words }
        })
    }

    /// The numbers of an image's patches.
    fn patches(&self) -> usize {
        self.g.rows.output * self.g.columns.output * self.g.depth()
    }

    /// Whether the image is its own patches.
    fn is_plain(&self) -> bool {
        let is_plain = |axis: &Axis| axis.window == 1 && axis.stride == 1 && axis.padding == (0, 0);
        self.g.groups == 1 && is_plain(&self.g.rows) && is_plain(&self.g.columns)
    }

    /// Images that are worked on together.
    fn chunks(&self, batch: usize) -> impl Iterator<Item = Range<usize>> + use<> {
        let together = (PATCHES / self.patches().max(1)).max(1);
        (0..batch)
            .step_by(together)
            .map(move |first| first..batch.min(first + together))
    }

    /// (depth, filters of the group), in a kernel (depth, filters).
    fn kernel(&self, address: u64) -> Matrix {
        self.filters(address)
    }

    /// (windows, filters of the group), in outputs (windows, filters).
    fn filters(&self, address: u64) -> Matrix {
        let first = self.number * self.g.group_filters();
        Matrix {
            address: address + 4 * first as u64,
            stride: self.g.filters,
            transposed: false,
        }
    }

    /// The patches of some images, at `to` unless they are the images.
    fn im2col<R: Driver>(&self, x: View<'_, R>, images: &Range<usize>, to: u64) -> Matrix {
        let size = self.g.input_size();
        let x = x.part(images.start * size..images.end * size);
        let patches = Matrix {
            address: if self.is_plain() { x.address } else { to },
            stride: self.g.depth(),
            transposed: false,
        };
        if !self.is_plain() {
            let len = images.len() * self.patches();
            let arguments = [
                x.argument(),
                Argument::Address(to),
                Argument::Words(&self.words),
                count(len),
            ];
            x.context
                .launch(&CONVOLUTIONS, "im2col", None, blocks(len), &arguments);
        }
        patches
    }

    /// The gradients of some images from those of their patches.
    fn col2im<R: Driver>(&self, patches: u64, dx: &ViewMut<'_, R>, images: &Range<usize>) {
        let size = self.g.input_size();
        let dx = dx.read().part(images.start * size..images.end * size);
        let len = dx.len / self.g.groups;
        let arguments = [
            Argument::Address(patches),
            dx.argument(),
            Argument::Words(&self.words),
            count(len),
        ];
        dx.context
            .launch(&CONVOLUTIONS, "col2im", None, blocks(len), &arguments);
    }
}

/// Where the outputs of some images begin.
fn outputs(g: &Conv2dGeometry, address: u64, images: &Range<usize>) -> u64 {
    address + (4 * images.start * g.output_size()) as u64
}

fn transpose(matrix: Matrix) -> Matrix {
    Matrix {
        transposed: !matrix.transposed,
        ..matrix
    }
}

fn forward<R: Driver>(
    g: &Conv2dGeometry,
    batch: usize,
    x: View<'_, R>,
    w: View<'_, R>,
    y: &ViewMut<'_, R>,
) {
    let context = y.context;
    for group in Group::all(g) {
        for images in group.chunks(batch) {
            let (_lock, scratch) = context.scratch(images.len() * group.patches());
            let windows = images.len() * g.rows.output * g.columns.output;
            context.product(Product {
                dims: [windows, g.depth(), g.group_filters()],
                a: group.im2col(x, &images, scratch),
                b: group.kernel(w.address),
                c: group.filters(outputs(g, y.address, &images)),
                adds: false,
            });
        }
    }
}

/// The gradients of the kernel and the input.
fn backward<R: Driver>(
    g: &Conv2dGeometry,
    batch: usize,
    x: View<'_, R>,
    w: View<'_, R>,
    dy: View<'_, R>,
    dw: Option<&ViewMut<'_, R>>,
    dx: Option<&ViewMut<'_, R>>,
) {
    let context = x.context;
    if let (0, Some(dw)) = (batch, dw) {
        fill(dw, 0.0);
    }
    for group in Group::all(g) {
        for images in group.chunks(batch) {
            let (_lock, scratch) = context.scratch(images.len() * group.patches());
            let windows = images.len() * g.rows.output * g.columns.output;
            let d = group.filters(outputs(g, dy.address, &images));
            if let Some(dw) = dw {
                context.product(Product {
                    dims: [g.depth(), windows, g.group_filters()],
                    a: transpose(group.im2col(x, &images, scratch)),
                    b: d,
                    c: group.kernel(dw.address),
                    adds: images.start > 0,
                });
            }
            if let Some(dx) = dx {
                let is_plain = group.is_plain();
                let first = (4 * images.start * g.input_size()) as u64;
                let d_patches = Matrix {
                    address: if is_plain {
                        dx.address + first
                    } else {
                        scratch
                    },
                    stride: g.depth(),
                    transposed: false,
                };
                context.product(Product {
                    dims: [windows, g.group_filters(), g.depth()],
                    a: d,
                    b: transpose(group.kernel(w.address)),
                    c: d_patches,
                    adds: false,
                });
                if !is_plain {
                    group.col2im(scratch, dx, &images);
                }
            }
        }
    }
}

on_gpus! {
    impl Convolutions {
        fn conv2d(
            &self,
            geometry: &Conv2dGeometry,
            batch: usize,
            x: Self::Slice<'_>,
            w: Self::Slice<'_>,
            bias: Option<Self::Slice<'_>>,
            relu: bool,
            y: Self::SliceMut<'_>,
            _scratch: Self::SliceMut<'_>,
        ) {
            forward(geometry, batch, x, w, &y);
            bias_relu(&y, bias, relu, geometry.filters);
        }
        fn conv2d_gradient(
            &self,
            geometry: &Conv2dGeometry,
            batch: usize,
            x: Self::Slice<'_>,
            w: Self::Slice<'_>,
            relu: Option<Self::Slice<'_>>,
            dy: Self::SliceMut<'_>,
            gradients: Conv2dGradients<'_, Self>,
            _scratch: Self::SliceMut<'_>,
        ) {
            if let Some(y) = relu {
                relu_gradient(y, &dy);
            }
            if let Some(bias) = &gradients.bias {
                sums::columns(dy.read(), bias);
            }
            let (dw, dx) = (gradients.kernel.as_ref(), gradients.input.as_ref());
            if dw.is_some() || dx.is_some() {
                backward(geometry, batch, x, w, dy.read(), dw, dx);
            }
        }
    }
}
