//! Optimizers: the formula of a rule in a pass over flat buffers.

use std::ops::Range;

use super::context::{Area, Argument, Driver, View, ViewMut, blocks, count};
use super::merges::no_formula;
use super::sums::{self, Of};
use super::trace::{Formula, Traced, Written};
use super::{host, on_gpus};
use crate::device::{Cpu, FactoredMoments, NormRule, UpdateRule, Updates};

static UPDATES: Area = Area {
    name: "updates",
    source: include_str!("updates.cu"),
};

/// The slots of a rule that the kernel has room for.
const SLOTS: usize = 8;

fn update<R: Driver>(
    formula: &Formula,
    parameters: &ViewMut<'_, R>,
    gradients: View<'_, R>,
    slots: &[u64; SLOTS],
    slots_count: usize,
) {
    let arguments = [
        parameters.argument(),
        gradients.argument(),
        Argument::Addresses(slots),
        count(slots_count),
        Argument::Numbers(formula.constants()),
        count(gradients.len),
    ];
    let (context, grid) = (parameters.context, blocks(gradients.len));
    context.launch(
        &UPDATES,
        "update",
        Some(("RULE", formula)),
        grid,
        &arguments,
    );
}

fn factored<R: Driver>(
    rule: FactoredMoments,
    [outer, rows, columns]: [usize; 3],
    g: &ViewMut<'_, R>,
    [r, c, v]: [&ViewMut<'_, R>; 3],
) {
    let context = g.context;
    let (keep, epsilon) = (Argument::Number(rule.keep), Argument::Number(rule.epsilon));
    let all = [g.argument(), r.argument(), count(columns), keep, epsilon];
    let blocks_of_rows = [outer * rows, 1];
    context.launch(&UPDATES, "factored_rows", None, blocks_of_rows, &all);
    let all = [
        g.argument(),
        c.argument(),
        count(rows),
        count(columns),
        keep,
        epsilon,
        count(outer * columns),
    ];
    let grid = blocks(outer * columns);
    context.launch(&UPDATES, "factored_columns", None, grid, &all);
    let all = [
        g.argument(),
        r.argument(),
        c.argument(),
        v.argument(),
        count(rows),
        count(columns),
    ];
    context.launch(&UPDATES, "factored_apply", None, blocks_of_rows, &all);
}

/// Ranges of a buffer, those that lie side by side as one.
fn joined(ranges: impl Iterator<Item = Range<usize>>) -> Vec<Range<usize>> {
    let mut joined: Vec<Range<usize>> = Vec::new();
    for range in ranges.filter(|range| !range.is_empty()) {
        match joined.last_mut() {
            Some(last) if last.end == range.start => last.end = range.end,
            _ => joined.push(range),
        }
    }
    joined
}

/// Sums over some views, one part after the other at `to`; how many there are.
fn parts<'a, R: Driver>(
    of: Of,
    scale: f32,
    views: impl Iterator<Item = View<'a, R>>,
    to: u64,
) -> usize {
    let mut count = 0;
    for view in views.filter(|view| view.len > 0) {
        sums::total_parts(scale, view, of, to + 4 * count as u64);
        count += sums::parts(view.len);
    }
    count
}

/// Multiplies views with what a formula makes of the sums of squares of others and of their own.
fn scale_by_norms<R: Driver>(
    formula: &Formula,
    others: Option<View<'_, R>>,
    scale: f32,
    own: &[ViewMut<'_, R>],
) {
    let Some(first) = own.first() else { return };
    let context = first.context;
    let lens = others
        .iter()
        .map(|view| view.len)
        .chain(own.iter().map(|view| view.len));
    let (_lock, scratch) = context.scratch(1 + lens.map(sums::parts).sum::<usize>());
    let of_others = scratch + 4;
    let others = parts(Of::Squares, 1.0, others.into_iter(), of_others);
    let of_own = of_others + 4 * others as u64;
    let own_parts = parts(Of::Squares, scale, own.iter().map(ViewMut::read), of_own);
    let factor = Argument::Address(scratch);
    let arguments = [
        Argument::Address(of_others),
        Argument::Address(of_own),
        factor,
        count(others),
        count(own_parts),
        Argument::Numbers(formula.constants()),
    ];
    let variant = Some(("NORM", formula as &dyn Written));
    context.launch(&UPDATES, "norm_factor", variant, [1, 1], &arguments);
    for view in own {
        let arguments = [view.argument(), factor, count(view.len)];
        context.launch(&UPDATES, "scale_by", None, blocks(view.len), &arguments);
    }
}

on_gpus! {
    impl Updates {
        fn update<const N: usize, R: UpdateRule<N>>(
            &self,
            rule: R,
            parameters: Self::SliceMut<'_>,
            gradients: Self::Slice<'_>,
            slots: [Self::SliceMut<'_>; N],
        ) {
            let formula = Formula::of(2 + N, &|x, y| {
                let before: [Traced; N] = std::array::from_fn(|n| x[2 + n]);
                let (parameter, after) = rule.update(x[0], x[1], before);
                y.push(parameter);
                y.extend(after);
            });
            if let (Some(formula), true) = (formula, N <= SLOTS) {
                let mut addresses = [0; SLOTS];
                for (address, slot) in addresses.iter_mut().zip(&slots) {
                    *address = slot.address;
                }
                return update(&formula, &parameters, gradients, &addresses, N);
            }
            let gradients = host::fetch(gradients);
            let mut kept: [Vec<f32>; N] = slots.each_ref().map(|slot| host::fetch(slot.read()));
            host::change(&parameters, |parameters| {
                let slots = kept.each_mut().map(|slot| &mut slot[..]);
                Cpu::default().update(rule, parameters, &gradients, slots);
            });
            for (slot, kept) in slots.iter().zip(&kept) {
                slot.context.upload(kept, slot);
            }
        }

        fn factored(
            &self,
            rule: FactoredMoments,
            dims: [usize; 3],
            gradients: Self::SliceMut<'_>,
            slots: [Self::SliceMut<'_>; 3],
        ) {
            factored(rule, dims, &gradients, slots.each_ref());
        }

        fn norm_factor<R: NormRule>(
            &self,
            rule: R,
            others: Option<Self::Slice<'_>>,
            scale: f32,
            buffer: &mut Self::Buffer,
            ranges: impl Iterator<Item = Range<usize>> + Clone,
        ) -> f32 {
            let Some(formula) = Formula::of(2, &|x, y| y.push(rule.factor(x[0], x[1]))) else {
                buffer.context.note(Err(no_formula()));
                return f32::NAN;
            };
            let mut rest = buffer.view_mut(0..buffer.len());
            let (mut own, mut start) = (Vec::new(), 0);
            for range in joined(ranges) {
                let (_, after) = rest.split(range.start - start);
                let (view, after) = after.split(range.len());
                own.push(view);
                (rest, start) = (after, range.end);
            }
            scale_by_norms(&formula, others, scale, &own);
            1.0
        }

        fn is_finite(&self, buffer: &Self::Buffer, ranges: impl Iterator<Item = Range<usize>>) -> bool {
            let views: Vec<_> = joined(ranges).into_iter().map(|range| buffer.view(range)).collect();
            let mut found = vec![0.0; views.iter().map(|view| sums::parts(view.len)).sum()];
            let Some(first) = views.first() else { return true };
            let (_lock, scratch) = first.context.scratch(found.len());
            parts(Of::Zeros, 1.0, views.iter().copied(), scratch);
            first.context.download_from(scratch, &mut found);
            found.iter().all(|part| *part == 0.0)
        }
    }
}
