//! Matrix products, by cuBLAS on the device's stream.

use super::context::{
    Area, Argument, Driver, Matrix, Product, View, ViewMut, blocks, count, optional,
};
use super::memory::fill;
use super::on_gpus;
use crate::device::Products;

static PRODUCTS: Area = Area {
    name: "products",
    source: include_str!("products.cu"),
};

/// A matrix that fills a view from its beginning, with so many numbers from row to row.
pub fn matrix<R: Driver>(view: View<'_, R>, stride: usize) -> Matrix {
    Matrix {
        address: view.address,
        stride,
        transposed: false,
    }
}

/// The transpose of what [`matrix`] is.
pub fn transposed<R: Driver>(view: View<'_, R>, stride: usize) -> Matrix {
    Matrix {
        transposed: true,
        ..matrix(view, stride)
    }
}

/// `y = y + bias`, then relu, for rows as long as `width`.
pub fn bias_relu<R: Driver>(
    y: &ViewMut<'_, R>,
    bias: Option<View<'_, R>>,
    relu: bool,
    width: usize,
) {
    if bias.is_none() && !relu {
        return;
    }
    let arguments = [
        y.argument(),
        optional(bias),
        Argument::Count(relu.into()),
        count(width),
        count(y.len),
    ];
    y.context
        .launch(&PRODUCTS, "bias_relu", None, blocks(y.len), &arguments);
}

/// `dy` becomes the gradient of the input of a relu with the output y.
pub fn relu_gradient<R: Driver>(y: View<'_, R>, dy: &ViewMut<'_, R>) {
    let arguments = [y.argument(), dy.argument(), count(dy.len)];
    y.context
        .launch(&PRODUCTS, "relu_gradient", None, blocks(dy.len), &arguments);
}

/// `c = a b`.
fn product<R: Driver>(a: Matrix, b: Matrix, c: &ViewMut<'_, R>, dims: [usize; 3]) {
    if dims[1] == 0 {
        return fill(c, 0.0);
    }
    c.context.product(Product {
        dims,
        a,
        b,
        c: matrix(c.read(), dims[2]),
        adds: false,
    });
}

on_gpus! {
    impl Products {
        fn affine(
            &self,
            x: Self::Slice<'_>,
            w: Self::Slice<'_>,
            bias: Option<Self::Slice<'_>>,
            relu: bool,
            y: Self::SliceMut<'_>,
            [m, k, n]: [usize; 3],
        ) {
            let (x, w) = (x.part(0..m * k), w.part(0..k * n));
            let (y, _) = y.split(m * n);
            product(matrix(x, k), matrix(w, n), &y, [m, k, n]);
            bias_relu(&y, bias, relu, n);
        }
        fn weight_gradient(
            &self,
            x: Self::Slice<'_>,
            dz: Self::Slice<'_>,
            dw: Self::SliceMut<'_>,
            [m, k, n]: [usize; 3],
        ) {
            let (x, dz) = (x.part(0..m * k), dz.part(0..m * n));
            let (dw, _) = dw.split(k * n);
            product(transposed(x, k), matrix(dz, n), &dw, [k, m, n]);
        }
        fn input_gradient(
            &self,
            dz: Self::Slice<'_>,
            w: Self::Slice<'_>,
            dx: Self::SliceMut<'_>,
            [m, k, n]: [usize; 3],
        ) {
            let (dz, w) = (dz.part(0..m * n), w.part(0..k * n));
            let (dx, _) = dx.split(m * k);
            product(matrix(dz, n), transposed(w, n), &dx, [m, n, k]);
        }
    }
}
