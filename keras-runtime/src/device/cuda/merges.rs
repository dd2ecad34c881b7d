//! Functions of two tensors, by their formulas.

use super::context::{Area, Argument, Driver, View, ViewMut, blocks, count, optional_mut};
use super::on_gpus;
use super::trace::{Formula, Written};
use crate::device::{Broadcast, MergeFunction, Merges};
use crate::error::Error;

static MERGES: Area = Area {
    name: "merges",
    source: include_str!("merges.cu"),
};

const AXES: usize = Broadcast::MAX_RANK;

// The number in `merges.cu`.
const _: () = assert!(AXES == 7);

/// Axes in the words of the kernels: (dims, left, right, rank).
#[derive(Clone, Copy)]
struct Words([u32; 3 * AXES + 1]);

impl Words {
    fn empty() -> Self {
        Self([0; 3 * AXES + 1])
    }

    fn push(&mut self, dims: usize, left: usize, right: usize) {
        let rank = self.0[3 * AXES] as usize;
        for (at, size) in [dims, left, right].into_iter().enumerate() {
            self.0[at * AXES + rank] = u32::try_from(size).unwrap_or(u32::MAX);
        }
        self.0[3 * AXES] += 1;
    }

    fn of(axes: &Broadcast) -> Self {
        let mut words = Self::empty();
        for axis in 0..axes.rank {
            words.push(axes.dims[axis], axes.left[axis], axes.right[axis]);
        }
        words
    }

    /// The axes along which the right operand is, or is not, repeated, with the output's strides in
    /// place of its own.
    fn right(axes: &Broadcast, repeated: bool) -> Self {
        let mut words = Self::empty();
        for axis in 0..axes.rank {
            if (axes.right[axis] == 0) == repeated {
                let stride = axes.dims[axis + 1..axes.rank].iter().product();
                words.push(axes.dims[axis], axes.left[axis], stride);
            }
        }
        words
    }

    fn len(&self) -> usize {
        let rank = self.0[3 * AXES] as usize;
        self.0[..rank].iter().map(|&dim| dim as usize).product()
    }

    fn argument(&self) -> Argument<'_> {
        Argument::Words(&self.0)
    }
}

fn merge<R: Driver>(
    formula: Option<Formula>,
    axes: &Broadcast,
    left: View<'_, R>,
    right: View<'_, R>,
    y: &ViewMut<'_, R>,
) {
    let Some(formula) = formula else {
        return y.context.note(Err(no_formula()));
    };
    let (words, len) = (Words::of(axes), axes.len());
    let arguments = [
        left.argument(),
        right.argument(),
        y.argument(),
        words.argument(),
        Argument::Numbers(formula.constants()),
        count(len),
    ];
    let variant = Some(("VALUE", &formula as &dyn Written));
    y.context
        .launch(&MERGES, "merge", variant, blocks(len), &arguments);
}

fn merge_gradient<R: Driver>(
    formula: Option<Formula>,
    axes: &Broadcast,
    left: View<'_, R>,
    right: View<'_, R>,
    dy: &ViewMut<'_, R>,
    d_right: Option<&ViewMut<'_, R>>,
) {
    let context = dy.context;
    let Some(formula) = formula else {
        return context.note(Err(no_formula()));
    };
    let variant = Some(("SLOPE", &formula as &dyn Written));
    let constants = Argument::Numbers(formula.constants());
    let summed = d_right.filter(|_| axes.repeats_right());
    if let Some(d_right) = summed {
        let (single, repeated) = (Words::right(axes, false), Words::right(axes, true));
        let arguments = [
            left.argument(),
            right.argument(),
            dy.argument(),
            d_right.argument(),
            single.argument(),
            repeated.argument(),
            constants,
            count(repeated.len()),
        ];
        let (kernel, grid) = ("merge_gradient_right_summed", [single.len(), 1]);
        context.launch(&MERGES, kernel, variant, grid, &arguments);
    }
    let (words, len) = (Words::of(axes), axes.len());
    let arguments = [
        left.argument(),
        right.argument(),
        dy.argument(),
        optional_mut(d_right.filter(|_| summed.is_none())),
        words.argument(),
        constants,
        count(len),
    ];
    let grid = blocks(len);
    context.launch(&MERGES, "merge_gradient", variant, grid, &arguments);
}

pub fn no_formula() -> Error {
    Error::Device(String::from(
        "expected a function that only computes with its numbers, which the GPU can be told about",
    ))
}

on_gpus! {
    impl Merges {
        fn merge<M: MergeFunction>(
            &self,
            f: M,
            axes: Broadcast,
            left: Self::Slice<'_>,
            right: Self::Slice<'_>,
            y: Self::SliceMut<'_>,
        ) {
            let formula = Formula::of(2, &|x, y| y.push(f.value(x[0], x[1])));
            merge(formula, &axes, left, right, &y);
        }

        fn merge_gradient<M: MergeFunction>(
            &self,
            f: M,
            axes: Broadcast,
            left: Self::Slice<'_>,
            right: Self::Slice<'_>,
            dy: Self::SliceMut<'_>,
            d_right: Option<Self::SliceMut<'_>>,
        ) {
            let formula = Formula::of(2, &|x, y| {
                let (of_left, of_right) = f.gradient(x[0], x[1]);
                y.extend([of_left, of_right]);
            });
            merge_gradient(formula, &axes, left, right, &dy, d_right.as_ref());
        }
    }
}
