//! Numbers of whole tensors: once for each added loss or metric in a step.

use std::sync::MutexGuard;

use super::context::{Area, Argument, Driver, Scratch, View, ViewMut, blocks, count};
use super::{host, on_gpus, sums};
use crate::device::{Elementary, Reduce, Scalars, Term, cpu};

static SCALARS: Area = Area {
    name: "scalars",
    source: include_str!("scalars.cu"),
};

/// The functions before and after that a kernel has room for. A term of more is computed on the host.
const FUNCTIONS: usize = 8;

type Words = [u32; 3 + 4 * FUNCTIONS];

/// A term in the words of the kernels.
fn words(term: Term) -> Option<Words> {
    let mut words = [0; 3 + 4 * FUNCTIONS];
    let reduce = match term.reduce {
        Reduce::Sum => 0,
        Reduce::Mean => 1,
        Reduce::Max => 2,
        Reduce::Min => 3,
    };
    words[..3].copy_from_slice(&[term.before.len() as u32, term.after.len() as u32, reduce]);
    for (first, functions) in [(0, term.before), (FUNCTIONS, term.after)] {
        if functions.len() > FUNCTIONS {
            return None;
        }
        for (at, function) in functions.iter().enumerate() {
            let (number, argument) = match *function {
                Elementary::Scale(factor) => (0, factor),
                Elementary::Shift(offset) => (1, offset),
                Elementary::Square => (2, 0.0),
                Elementary::Abs => (3, 0.0),
                Elementary::Sqrt => (4, 0.0),
                Elementary::Exp => (5, 0.0),
                Elementary::Log => (6, 0.0),
            };
            words[3 + first + at] = number;
            words[3 + 2 * FUNCTIONS + first + at] = argument.to_bits();
        }
    }
    Some(words)
}

/// Scratch memory: the value, the share, and parts.
struct Places<'a> {
    _lock: MutexGuard<'a, Scratch>,
    value: Argument<'static>,
    share: Argument<'static>,
    parts: Argument<'static>,
    parts_count: usize,
}

/// Has the value of a term computed, before the functions after it.
fn value<'a, R: Driver>(term: &Words, x: View<'a, R>) -> Places<'a> {
    let parts_count = sums::parts(x.len);
    let (lock, scratch) = x.context.scratch(2 + parts_count);
    let [value, share, parts] = [0, 4, 8].map(|offset| Argument::Address(scratch + offset));
    let launch = |kernel, grid, arguments: &[Argument<'_>]| {
        x.context.launch(&SCALARS, kernel, None, grid, arguments);
    };
    let term = Argument::Words(term);
    let arguments = [x.argument(), parts, term, count(x.len)];
    launch("scalar_parts", [parts_count, 1], &arguments);
    let arguments = [parts, value, term, count(parts_count), count(x.len)];
    launch("scalar_value", [1, 1], &arguments);
    Places {
        _lock: lock,
        value,
        share,
        parts,
        parts_count,
    }
}

fn add_scalar<R: Driver>(term: &Words, x: View<'_, R>, to: &ViewMut<'_, R>) {
    let places = value(term, x);
    let arguments = [
        places.value,
        to.argument(),
        Argument::Words(term),
        count(to.len),
    ];
    let grid = blocks(to.len);
    to.context
        .launch(&SCALARS, "add_scalar", None, grid, &arguments);
}

fn gradient<R: Driver>(term: &Words, x: View<'_, R>, d: View<'_, R>, d_x: &ViewMut<'_, R>) {
    let places = value(term, x);
    let launch = |kernel, grid, arguments: &[Argument<'_>]| {
        x.context.launch(&SCALARS, kernel, None, grid, arguments);
    };
    let (words, len) = (Argument::Words(term), count(x.len));
    let Places {
        value,
        share,
        parts,
        parts_count,
        ..
    } = places;
    let arguments = [x.argument(), value, parts, words, len];
    launch("tie_parts", [parts_count, 1], &arguments);
    let arguments = [
        value,
        parts,
        d.argument(),
        share,
        words,
        count(parts_count),
        count(d.len),
        len,
    ];
    launch("scalar_share", [1, 1], &arguments);
    let arguments = [x.argument(), value, share, d_x.argument(), words, len];
    launch("scalar_gradient", blocks(x.len), &arguments);
}

on_gpus! {
    impl Scalars {
        fn add_scalar(&self, term: Term, x: Self::Slice<'_>, to: Self::SliceMut<'_>) {
            if let Some(term) = words(term) {
                return add_scalar(&term, x, &to);
            }
            let x = host::fetch(x);
            host::change(&to, |to| cpu::scalars::add_scalar(term, &x, to));
        }

        fn scalar_gradient(
            &self,
            term: Term,
            x: Self::Slice<'_>,
            d: Self::Slice<'_>,
            d_x: Self::SliceMut<'_>,
        ) {
            if let Some(term) = words(term) {
                return gradient(&term, x, d, &d_x);
            }
            let (x, d) = (host::fetch(x), host::fetch(d));
            host::write(&d_x, |d_x| cpu::scalars::scalar_gradient(term, &x, &d, d_x));
        }
    }
}
