//! What regularizers and constraints do with whole weights.

use super::context::{Area, Argument, Driver, View, ViewMut, blocks, count};
use super::sums::{self, Of};
use super::{host, on_gpus};
use crate::device::{NormBounds, Penalties, Vectors, cpu};

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

        /// On the host, as it is rare.
        fn orthogonality(
            &self,
            vectors: Vectors,
            weight: f32,
            x: Self::Slice<'_>,
            sums: Option<Self::SliceMut<'_>>,
            gradient: Option<(Self::SliceMut<'_>, f32)>,
        ) {
            let x = host::fetch(x);
            if let Some(sums) = sums {
                host::change(&sums, |sums| {
                    cpu::penalties::orthogonality(vectors, weight, &x, Some(sums), None);
                });
            }
            if let Some((gradient, factor)) = gradient {
                host::change(&gradient, |d| {
                    cpu::penalties::orthogonality(vectors, weight, &x, None, Some((d, factor)));
                });
            }
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
