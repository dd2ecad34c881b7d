//! Convolutions of images: the work of `Conv2D`.

use super::geometry::Conv2dGeometry;
use super::host::on_hosts;
use super::{Memory, cpu};

/// Where the gradients of a convolution go; `None` where nobody needs one.
pub struct Conv2dGradients<'a, M: Memory> {
    /// dw: (window rows, window columns, channels / groups, filters).
    pub kernel: Option<M::SliceMut<'a>>,
    /// db: (filters,).
    pub bias: Option<M::SliceMut<'a>>,
    /// dx: (batch, rows, columns, channels).
    pub input: Option<M::SliceMut<'a>>,
}

/// Convolutions with their epilogues. Images are (batch, rows, columns, channels).
///
/// Each call is lent [`Conv2dGeometry::scratch`] numbers of memory.
pub trait Convolutions: Memory {
    /// `y = conv(x, w) (+ bias) (then relu)`.
    #[allow(clippy::too_many_arguments)]
    fn conv2d(
        &self,
        geometry: &Conv2dGeometry,
        batch: usize,
        x: Self::Slice<'_>,
        w: Self::Slice<'_>,
        bias: Option<Self::Slice<'_>>,
        relu: bool,
        y: Self::SliceMut<'_>,
        scratch: Self::SliceMut<'_>,
    );
    /// The gradients of `y = conv(x, w) + bias`, from that of `y`; `dy` may be overwritten.
    ///
    /// Where `relu` is given, it is the output of a relu that came last, and `dy` belongs to it.
    #[allow(clippy::too_many_arguments)]
    fn conv2d_gradient(
        &self,
        geometry: &Conv2dGeometry,
        batch: usize,
        x: Self::Slice<'_>,
        w: Self::Slice<'_>,
        relu: Option<Self::Slice<'_>>,
        dy: Self::SliceMut<'_>,
        gradients: Conv2dGradients<'_, Self>,
        scratch: Self::SliceMut<'_>,
    );
}

on_hosts! {
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
            scratch: Self::SliceMut<'_>,
        ) {
            cpu::conv2d::forward(geometry, batch, x, w, bias, relu, y, scratch);
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
            scratch: Self::SliceMut<'_>,
        ) {
            let gradients = cpu::conv2d::Gradients {
                kernel: gradients.kernel,
                bias: gradients.bias,
                input: gradients.input,
            };
            cpu::conv2d::gradient(geometry, batch, x, w, relu, dy, gradients, scratch);
        }
    }
}
