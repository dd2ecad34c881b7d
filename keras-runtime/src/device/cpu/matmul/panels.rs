//! B cut into panels: the columns of a tile, row after row, so that a tile reads memory in order.
//!
//! Panels follow each other; the one that begins at column j begins at number `j * depth`. The
//! last one may be wider than what is left of B; what is computed of the rest goes nowhere.

use super::super::simd::{self, Arith, Level, dispatch};
use crate::device::Float;

/// A panel begins at every multiple of this, whatever the widths.
pub const ALIGNMENT: usize = 96;

/// As wide as a panel may be.
const WIDEST: usize = 32;

/// The widths of panels where many columns are left, where fewer are, and at the end: multiples of
/// [`GROUP`]. The tiles read what is packed, so both have them from here.
pub struct Widths;

impl Widths {
    pub const AVX512: [usize; 3] = [32, 16, 8];
    pub const AVX2: [usize; 3] = [16, 8, 8];
    pub const PORTABLE: [usize; 3] = [8, 8, 8];
}

/// The columns that are transposed together.
const GROUP: usize = 8;

/// The rows that are transposed together.
const SHORT: usize = 64;

/// The width of the next panel where `columns` are left: `W` while there are many, then what
/// leaves the fewest lanes idle.
#[inline(always)]
pub const fn width<const W: usize, const W2: usize, const W3: usize>(columns: usize) -> usize {
    width_of([W, W2, W3], columns)
}

/// The same of widths that are not known to rustc.
#[inline(always)]
pub const fn width_of([wide, narrow, narrowest]: [usize; 3], columns: usize) -> usize {
    if columns + narrowest > wide {
        wide
    } else if columns > narrowest {
        narrow
    } else {
        narrowest
    }
}

impl Widths {
    /// Those of this machine.
    pub fn of<F: Float>() -> [usize; 3] {
        match simd::level_of::<F>() {
            Level::Avx512 => Self::AVX512,
            Level::Avx2 => Self::AVX2,
            Level::Portable => Self::PORTABLE,
        }
    }
}

/// The columns of whole tiles, which can be read where they are.
pub fn whole<F: Float>(columns: usize) -> usize {
    let widths = Widths::of::<F>();
    let mut at = columns / widths[0] * widths[0];
    loop {
        let next = at + width_of(widths, columns - at);
        if next > columns {
            return at;
        }
        at = next;
    }
}

/// The numbers that the panels of `columns` take.
pub const fn len(columns: usize, depth: usize) -> usize {
    columns.next_multiple_of(WIDEST) * depth
}

/// A part of B: `depth` rows of `columns`, either as `data[p * stride + j]` or, transposed, as
/// `data[j * stride + p]`.
#[derive(Clone, Copy)]
pub struct Source<'a, F> {
    /// The matrix.
    pub data: &'a [F],
    /// From one row to the next.
    pub stride: usize,
    /// Whether the rows of `data` are the columns of B.
    pub transposed: bool,
    /// The rows of B.
    pub depth: usize,
    /// The columns of B.
    pub columns: usize,
}

impl<F> Source<'_, F> {
    /// The same matrix from a row and a column on, `columns` wide.
    pub fn part(&self, row: usize, depth: usize, column: usize, columns: usize) -> Self {
        let at = if self.transposed {
            column * self.stride + row
        } else {
            row * self.stride + column
        };
        Source {
            data: self.data.get(at..).unwrap_or_default(),
            depth,
            columns,
            ..*self
        }
    }
}

dispatch! {
    /// Copies a part of B into panels.
    pub fn pack<F: Float>(source: Source<'_, F>, panels: &mut [F]) = pack_body
        [
            avx512: Widths::AVX512[0], Widths::AVX512[1], Widths::AVX512[2];
            avx2: Widths::AVX2[0], Widths::AVX2[1], Widths::AVX2[2];
            portable: Widths::PORTABLE[0], Widths::PORTABLE[1], Widths::PORTABLE[2]
        ]
}

#[inline(always)]
fn pack_body<F: Float, A: Arith, const W: usize, const W2: usize, const W3: usize>(
    source: Source<'_, F>,
    panels: &mut [F],
) {
    let mut column = 0;
    while column < source.columns {
        let left = source.columns - column;
        let part = source.part(0, source.depth, column, left);
        let panel = &mut panels[column * source.depth..];
        let wide = width::<W, W2, W3>(left);
        let panel = &mut panel[..source.depth * wide];
        if wide == W {
            pack_panel::<F, W>(part, panel.as_chunks_mut().0);
        } else if wide == W2 {
            pack_panel::<F, W2>(part, panel.as_chunks_mut().0);
        } else {
            pack_panel::<F, W3>(part, panel.as_chunks_mut().0);
        }
        column += wide;
    }
}

/// Copies the first columns of B, as many as a panel has.
#[inline(always)]
fn pack_panel<F: Float, const W: usize>(source: Source<'_, F>, panel: &mut [[F; W]]) {
    let Source {
        data,
        stride,
        columns,
        ..
    } = source;
    let columns = columns.min(W);
    if source.transposed {
        return pack_transposed(data, stride, columns, panel);
    }
    for (p, to) in panel.iter_mut().enumerate() {
        let from = &data[p * stride..];
        match from.first_chunk::<W>() {
            Some(from) if columns == W => *to = *from,
            _ => {
                *to = [F::zero(); W];
                to[..columns].copy_from_slice(&from[..columns]);
            }
        }
    }
}

/// Panel row p, number j becomes `data[j * stride + p]`: first `GROUP` columns at a time into a
/// small buffer, by a loop that rustc turns into shuffles of registers, then from there.
#[inline(always)]
fn pack_transposed<F: Float, const W: usize>(
    data: &[F],
    stride: usize,
    columns: usize,
    panel: &mut [[F; W]],
) {
    let mut groups = [[F::zero(); GROUP]; SHORT];
    for (chunk, panel) in panel.chunks_mut(SHORT).enumerate() {
        let groups = &mut groups[..panel.len()];
        for column in (0..W).step_by(GROUP) {
            // Beyond the last column it is repeated.
            let rows = std::array::from_fn(|j| {
                let column = (column + j).min(columns - 1);
                &data[column * stride + chunk * SHORT..][..panel.len()]
            });
            interleave(rows, groups);
            for (to, group) in panel.iter_mut().zip(&*groups) {
                to[column..column + GROUP].copy_from_slice(group);
            }
        }
    }
}

/// `groups[p][j] = rows[j][p]`.
#[inline(always)]
fn interleave<F: Float>(rows: [&[F]; GROUP], groups: &mut [[F; GROUP]]) {
    let rows = rows.map(|row| &row[..groups.len()]);
    for (p, group) in groups.iter_mut().enumerate() {
        for j in 0..GROUP {
            group[j] = rows[j][p];
        }
    }
}
