//! Activations: those of single numbers by their formulas, the others by kernels of their own.

use super::context::{Area, Argument, Driver, THREADS, View, ViewMut, blocks, count};
use super::trace::{Formula, Traced, Written};
use super::{on_gpus, sums};
use crate::device::cpu::activation::functions::{Function, Visitor, visit};
use crate::device::cpu::simd::Separate;
use crate::device::{Activation, Activations};

static ACTIVATIONS: Area = Area {
    name: "activations",
    source: include_str!("activations.cu"),
};

/// The formula of a function, or that of its derivative.
struct Trace<'a> {
    slope: bool,
    formula: &'a mut Option<Formula>,
}

impl Visitor for Trace<'_> {
    fn visit(self, function: impl Function) {
        *self.formula = if self.slope {
            Formula::of(2, &|x, y| {
                y.push(function.slope::<Traced, Separate>(x[0], x[1]));
            })
        } else {
            Formula::of(1, &|x, y| y.push(function.value::<Traced, Separate>(x[0])))
        };
    }
}

fn formula(f: Activation, slope: bool) -> Option<Formula> {
    let mut formula = None;
    let trace = Trace {
        slope,
        formula: &mut formula,
    };
    visit(f, trace);
    formula
}

/// The kernel of a function of rows and that of its gradient.
fn of_rows(f: Activation) -> Option<[&'static str; 2]> {
    match f {
        Activation::Softmax => Some(["softmax", "softmax_gradient"]),
        Activation::LogSoftmax => Some(["log_softmax", "log_softmax_gradient"]),
        Activation::Sparsemax => Some(["sparsemax", "sparsemax_gradient"]),
        _ => None,
    }
}

/// Blocks for rows that are taken by warps.
pub fn warps(rows: usize) -> [usize; 2] {
    [rows.div_ceil(THREADS / 32).min(4096), 1]
}

/// `y = f(x)`; x and y may be the same memory.
fn value<R: Driver>(f: Activation, x: View<'_, R>, y: &ViewMut<'_, R>, width: usize) {
    let context = y.context;
    if f == Activation::Glu {
        let arguments = [x.argument(), y.argument(), count(width / 2), count(y.len)];
        return context.launch(&ACTIVATIONS, "glu", None, blocks(y.len), &arguments);
    }
    if let Some([kernel, _]) = of_rows(f) {
        let rows = y.len.checked_div(width).unwrap_or(0);
        let arguments = [x.argument(), y.argument(), count(rows), count(width)];
        return context.launch(&ACTIVATIONS, kernel, None, warps(rows), &arguments);
    }
    if let Some(formula) = formula(f, false) {
        let arguments = [
            x.argument(),
            y.argument(),
            Argument::Numbers(formula.constants()),
            count(y.len),
        ];
        let variant = Some(("VALUE", &formula as &dyn Written));
        context.launch(&ACTIVATIONS, "activate", variant, blocks(y.len), &arguments);
    }
}

/// `dx = f'(x) dy`; dy and dx may be the same memory.
fn slope<R: Driver>(
    f: Activation,
    x: View<'_, R>,
    y: View<'_, R>,
    dy: View<'_, R>,
    dx: &ViewMut<'_, R>,
    width: usize,
) {
    let context = dx.context;
    if f == Activation::Glu {
        let arguments = [
            x.argument(),
            dy.argument(),
            dx.argument(),
            count(width / 2),
            count(dy.len),
        ];
        let grid = blocks(dy.len);
        return context.launch(&ACTIVATIONS, "glu_gradient", None, grid, &arguments);
    }
    if let Some([_, kernel]) = of_rows(f) {
        let rows = y.len.checked_div(width).unwrap_or(0);
        let arguments = [
            y.argument(),
            dy.argument(),
            dx.argument(),
            count(rows),
            count(width),
        ];
        return context.launch(&ACTIVATIONS, kernel, None, warps(rows), &arguments);
    }
    if let Some(formula) = formula(f, true) {
        let arguments = [
            x.argument(),
            y.argument(),
            dy.argument(),
            dx.argument(),
            Argument::Numbers(formula.constants()),
            count(dx.len),
        ];
        let variant = Some(("SLOPE", &formula as &dyn Written));
        let grid = blocks(dx.len);
        context.launch(
            &ACTIVATIONS,
            "activation_gradient",
            variant,
            grid,
            &arguments,
        );
    }
}

on_gpus! {
    impl Activations {
        fn activate(&self, f: Activation, x: Self::Slice<'_>, y: Self::SliceMut<'_>, width: usize) {
            match f {
                Activation::Linear => y.context.copy(x, &y),
                _ => value(f, x, &y, width),
            }
        }
        fn activate_in_place(&self, f: Activation, y: Self::SliceMut<'_>, width: usize) {
            if f != Activation::Linear {
                value(f, y.read(), &y, width);
            }
        }
        fn activation_gradient(
            &self,
            f: Activation,
            x: Option<Self::Slice<'_>>,
            y: Self::Slice<'_>,
            dy: Self::Slice<'_>,
            dx: Self::SliceMut<'_>,
            width: usize,
        ) {
            match f {
                Activation::Linear => dx.context.copy(dy, &dx),
                _ => slope(f, x.unwrap_or(y), y, dy, &dx, width),
            }
        }
        fn bias_activation_gradient(
            &self,
            f: Activation,
            z: Option<Self::Slice<'_>>,
            y: Self::Slice<'_>,
            dy: Self::SliceMut<'_>,
            db: Option<Self::SliceMut<'_>>,
            width: usize,
        ) {
            if f != Activation::Linear {
                slope(f, z.unwrap_or(y), y, dy.read(), &dy, width);
            }
            if let Some(db) = &db {
                sums::columns(dy.read(), db);
            }
        }
    }
}
