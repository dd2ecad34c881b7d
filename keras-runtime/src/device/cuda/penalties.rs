//! What regularizers and constraints do with whole weights.

use super::activations::warps;
use super::context::{Area, Argument, Driver, Matrix, Product, View, ViewMut, blocks, count};
use super::on_gpus;
use super::sums::{self, Of};
use crate::device::{NormBounds, Penalties, Vectors};

static PENALTIES: Area = Area {
    name: "penalties",
    source: include_str!("penalties.cu"),
};

/// `to[0] += factor · Σ of x`.
fn add<R: Driver>(x: View<'_, R>, of: Of, factor: f32, to: &ViewMut<'_, R>) {
    let parts = sums::parts(x.len);
    let (_lock, scratch) = x.context.scratch(parts);
    sums::total_parts(1.0, x, of, scratch);
    sums::finish(x.context, scratch, [parts, 1], factor, 0, to);
}

fn orthogonality<R: Driver>(
    vectors: Vectors,
    weight: f32,
    x: View<'_, R>,
    to: Option<&ViewMut<'_, R>>,
    gradient: Option<(&ViewMut<'_, R>, f32)>,
) {
    let Vectors {
        count: n,
        len,
        stride,
        step,
    } = vectors;
    // One vector alone is orthogonal.
    if n < 2 {
        return;
    }
    let context = x.context;
    let (_lock, scratch) = context.scratch(2 * n + 2 * n * len + n * n);
    let at = |numbers: usize| scratch + 4 * numbers as u64;
    let (norms, magnitudes, units, sums) = (at(0), at(n), at(2 * n), at(2 * n + n * len));
    let cosines = at(2 * n + 2 * n * len);
    let launch = |kernel, grid, arguments: &[Argument<'_>]| {
        context.launch(&PENALTIES, kernel, None, grid, arguments);
    };
    let matrix = |address, stride, transposed| Matrix {
        address,
        stride,
        transposed,
    };
    let [units_at, norms_at, magnitudes_at] = [units, norms, magnitudes].map(Argument::Address);
    let layout = [count(len), count(stride), count(step)];
    let [of_len, of_stride, of_step] = layout;
    let arguments = [
        x.argument(),
        units_at,
        norms_at,
        count(n),
        of_len,
        of_stride,
        of_step,
    ];
    launch("unit_vectors", warps(n), &arguments);
    context.product(Product {
        dims: [n, len, n],
        a: matrix(units, len, false),
        b: matrix(units, len, true),
        c: matrix(cosines, n, false),
        adds: false,
    });
    let arguments = [Argument::Address(cosines), magnitudes_at, count(n)];
    launch("cosine_signs", warps(n), &arguments);
    let pairs = n as f32 * (n - 1) as f32 / 2.0;
    if let Some(to) = to {
        // Every pair has been counted twice.
        sums::finish(context, magnitudes, [n, 1], weight / (2.0 * pairs), 0, to);
    }
    let Some((gradient, factor)) = gradient else {
        return;
    };
    context.product(Product {
        dims: [n, n, len],
        a: matrix(cosines, n, false),
        b: matrix(units, len, false),
        c: matrix(sums, len, false),
        adds: false,
    });
    let arguments = [
        units_at,
        Argument::Address(sums),
        magnitudes_at,
        norms_at,
        gradient.argument(),
        of_len,
        of_stride,
        of_step,
        Argument::Number(factor / pairs),
        count(n * len),
    ];
    launch("add_orthogonality", blocks(n * len), &arguments);
}

on_gpus! {
    impl Penalties {
        fn l1_l2(
            &self,
            l1: f32,
            l2: f32,
            weight: f32,
            x: Self::Slice<'_>,
            sums: Self::SliceMut<'_>,
        ) {
            for (factor, of) in [(l1, Of::Sizes), (l2, Of::Squares)] {
                if factor != 0.0 {
                    add(x, of, weight * factor, &sums);
                }
            }
        }

        fn orthogonality(
            &self,
            vectors: Vectors,
            weight: f32,
            x: Self::Slice<'_>,
            sums: Option<Self::SliceMut<'_>>,
            gradient: Option<(Self::SliceMut<'_>, f32)>,
        ) {
            let gradient = gradient.as_ref().map(|(gradient, factor)| (gradient, *factor));
            orthogonality(vectors, weight, x, sums.as_ref(), gradient);
        }

        fn bound_norms(&self, bounds: NormBounds, dims: [usize; 3], w: Self::SliceMut<'_>) {
            let [outer, length, inner] = dims;
            let arguments = [
                w.argument(),
                count(length),
                count(inner),
                Argument::Number(bounds.min),
                Argument::Number(bounds.max),
                Argument::Number(bounds.rate),
                count(outer * inner),
            ];
            let grid = blocks(outer * inner);
            w.context
                .launch(&PENALTIES, "bound_norms", None, grid, &arguments);
        }

        fn bound_below(&self, w: Self::SliceMut<'_>) {
            let arguments = [w.argument(), count(w.len)];
            w.context
                .launch(&PENALTIES, "bound_below", None, blocks(w.len), &arguments);
        }
    }
}
