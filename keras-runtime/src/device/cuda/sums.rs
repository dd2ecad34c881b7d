//! Sums over columns and over everything, of which other operations are made.

use super::context::{Area, Argument, Context, Driver, THREADS, View, ViewMut, count};

static SUMS: Area = Area {
    name: "sums",
    source: include_str!("sums.cu"),
};

/// The most parts that a sum over everything is made of.
const PARTS: usize = 512;

/// How many parts a sum over so many numbers is made of, a block for each.
pub fn parts(len: usize) -> usize {
    len.div_ceil(4 * THREADS).clamp(1, PARTS)
}

/// What is summed.
#[derive(Clone, Copy)]
pub enum Of {
    Numbers,
    Sizes,
    Squares,
    /// 0 times each number: 0 unless one is infinite or none.
    Zeros,
}

/// `y[j] = Σ x[i][j]`: x (rows, width), y (width).
pub fn columns<R: Driver>(x: View<'_, R>, y: &ViewMut<'_, R>) {
    let (context, width) = (x.context, y.len);
    let rows = x.len.checked_div(width).unwrap_or(0);
    // As many parts as keep some thousand threads busy, of at least 32 rows.
    let wanted = (16 * 1024 / (width + 1)).clamp(1, 64);
    let rows_per_part = rows.div_ceil(wanted).max(32);
    let parts = rows.div_ceil(rows_per_part).max(1);
    let grid = [width.div_ceil(32), parts];
    let sum = |to: u64| {
        let arguments = [
            x.argument(),
            Argument::Address(to),
            count(rows),
            count(width),
            count(rows_per_part),
        ];
        context.launch(&SUMS, "column_parts", None, grid, &arguments);
    };
    if parts == 1 {
        return sum(y.address);
    }
    let (_lock, scratch) = context.scratch(parts * width);
    sum(scratch);
    let arguments = [
        Argument::Address(scratch),
        y.argument(),
        count(parts),
        count(width),
    ];
    let grid = [width.div_ceil(THREADS), 1];
    context.launch(&SUMS, "add_parts", None, grid, &arguments);
}

/// `to[n] += factor · scale · Σ parts[p][n]`: parts (count, numbers). `scale` is the address of a
/// number, or 0 for 1.
pub fn finish<R: Driver>(
    context: &Context<R>,
    parts: u64,
    [parts_count, numbers]: [usize; 2],
    factor: f32,
    scale: u64,
    to: &ViewMut<'_, R>,
) {
    let arguments = [
        Argument::Address(parts),
        to.argument(),
        count(parts_count),
        count(numbers),
        Argument::Number(factor),
        Argument::Address(scale),
    ];
    context.launch(&SUMS, "finish", None, [1, 1], &arguments);
}

/// The sums of the parts of `scale · x`, to `to`: (parts,).
pub fn total_parts<R: Driver>(scale: f32, x: View<'_, R>, of: Of, to: u64) {
    let arguments = [
        x.argument(),
        Argument::Address(to),
        Argument::Count(of as u32),
        Argument::Number(scale),
        count(x.len),
    ];
    x.context
        .launch(&SUMS, "total_parts", None, [parts(x.len), 1], &arguments);
}

/// The sum of some parts, to one number; or one over it, and 0 if the sum is.
pub fn total<R: Driver>(
    context: &Context<R>,
    parts: u64,
    parts_count: usize,
    to: u64,
    is_scale: bool,
) {
    let arguments = [
        Argument::Address(parts),
        Argument::Address(to),
        count(parts_count),
        Argument::Count(is_scale.into()),
    ];
    context.launch(&SUMS, "total", None, [1, 1], &arguments);
}
