//! Optimizers: the formula of a rule in a pass over flat buffers.

use super::context::{Area, Argument, Driver, View, ViewMut, blocks, count};
use super::sums::{self, Of};
use super::trace::{Formula, Traced};
use super::{host, on_gpus};
use crate::device::{Cpu, FactoredMoments, UpdateRule, Updates};

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

/// The sum of the parts of a sum, on the host.
fn total<R: Driver>(scale: f32, x: View<'_, R>, of: Of) -> f64 {
    if x.len == 0 {
        return 0.0;
    }
    let mut parts = vec![0.0; sums::parts(x.len)];
    let (_lock, scratch) = x.context.scratch(parts.len());
    sums::total_parts(scale, x, of, scratch);
    x.context.download_from(scratch, &mut parts);
    parts.iter().map(|part| f64::from(*part)).sum()
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

        fn sum_of_squares(&self, scale: f32, x: Self::Slice<'_>) -> f64 {
            total(scale, x, Of::Squares)
        }

        fn is_finite(&self, x: Self::Slice<'_>) -> bool {
            total(1.0, x, Of::Zeros) == 0.0
        }
    }
}
