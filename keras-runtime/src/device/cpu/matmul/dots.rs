//! `C[i][j] = Σ_p a[i][p] b[j][p]`: products of rows with rows.
//!
//! Nothing is packed, which pays where packing would cost as much as the product: few rows of a,
//! or few of b. The lanes of a register hold parts of one sum and are added up at the end.

use super::super::simd::{Arith, dispatch};
use super::super::threads::over_slice;
use super::product::Epilogue;
use super::store::at_least;
use crate::device::Float;

/// Where the rows of C may be cut between threads: a multiple of every tile's height.
const ROW_STEP: usize = 4;

/// Writes C (rows of a, rows of b), both of `depth` numbers.
pub fn dots<F: Float>(
    a: &[F],
    b: &[F],
    depth: usize,
    epilogue: Epilogue<'_, F>,
    c: &mut [F],
    [rows, columns]: [usize; 2],
) {
    over_slice(
        rows,
        ROW_STEP,
        rows * columns * depth,
        c,
        columns,
        &|part, c| {
            part_of_dots(
                &a[part.start * depth..part.end * depth],
                b,
                depth,
                epilogue,
                c,
                columns,
            )
        },
    );
}

/// The same where b is transposed, (depth, columns): few columns are quickly made rows.
pub fn dots_of_columns<F: Float>(
    a: &[F],
    b: &[F],
    depth: usize,
    epilogue: Epilogue<'_, F>,
    c: &mut [F],
    dims @ [_, columns]: [usize; 2],
) {
    if columns == 1 {
        return dots(a, b, depth, epilogue, c, dims);
    }
    F::with_scratch(columns * depth, |b_rows| {
        for (j, row) in b_rows.chunks_exact_mut(depth).enumerate() {
            for (to, from) in row.iter_mut().zip(b.chunks_exact(columns)) {
                *to = from[j];
            }
        }
        dots(a, b_rows, depth, epilogue, c, dims);
    });
}

dispatch! {
    fn part_of_dots<F: Float>(
        a: &[F],
        b: &[F],
        depth: usize,
        epilogue: Epilogue<'_, F>,
        c: &mut [F],
        columns: usize,
    ) = part_body [avx512: 4, 4, 16; avx2: 2, 4, 8; portable: 2, 2, 4]
}

/// Rows R at a time with C rows of b at a time, L lanes each.
#[inline(always)]
fn part_body<F: Float, A: Arith, const R: usize, const C: usize, const L: usize>(
    a: &[F],
    b: &[F],
    depth: usize,
    epilogue: Epilogue<'_, F>,
    c: &mut [F],
    columns: usize,
) {
    let rows = c.len() / columns;
    let (whole_rows, whole_columns) = (rows / R * R, columns / C * C);
    for j in (0..whole_columns).step_by(C) {
        for i in (0..whole_rows).step_by(R) {
            tile::<F, A, R, C, L>(a, b, depth, epilogue, c, columns, [i, j]);
        }
        for i in whole_rows..rows {
            tile::<F, A, 1, C, L>(a, b, depth, epilogue, c, columns, [i, j]);
        }
    }
    for j in whole_columns..columns {
        for i in (0..whole_rows).step_by(R) {
            tile::<F, A, R, 1, L>(a, b, depth, epilogue, c, columns, [i, j]);
        }
        for i in whole_rows..rows {
            tile::<F, A, 1, 1, L>(a, b, depth, epilogue, c, columns, [i, j]);
        }
    }
}

/// The R x C numbers of C from row i and column j on.
#[inline(always)]
fn tile<F: Float, A: Arith, const R: usize, const C: usize, const L: usize>(
    a: &[F],
    b: &[F],
    depth: usize,
    epilogue: Epilogue<'_, F>,
    c: &mut [F],
    columns: usize,
    [i, j]: [usize; 2],
) {
    let a: [&[F]; R] = std::array::from_fn(|r| &a[(i + r) * depth..][..depth]);
    let b: [&[F]; C] = std::array::from_fn(|s| &b[(j + s) * depth..][..depth]);
    let parts = depth / L;
    let (a_parts, b_parts) = (
        a.map(|a| &a.as_chunks::<L>().0[..parts]),
        b.map(|b| &b.as_chunks::<L>().0[..parts]),
    );
    let mut acc = [[[F::zero(); L]; C]; R];
    for p in 0..parts {
        for r in 0..R {
            for s in 0..C {
                for l in 0..L {
                    acc[r][s][l] = A::mul_add(a_parts[r][p][l], b_parts[s][p][l], acc[r][s][l]);
                }
            }
        }
    }
    // Other numbers than the accumulators: what a function gets is in memory, also in a loop before.
    let mut sums = [[[F::zero(); L]; C]; R];
    for r in 0..R {
        for s in 0..C {
            for l in 0..L / 2 {
                sums[r][s][l] = acc[r][s][l] + acc[r][s][l + L / 2];
            }
        }
    }
    finish(&sums, a, b, epilogue, j, &mut c[i * columns + j..], columns);
}

/// Adds up the lanes, and what is left of the depth. Out of line, as in a tile of columns: only so
/// the accumulators stay in their registers.
#[inline(never)]
fn finish<F: Float, const R: usize, const C: usize, const L: usize>(
    acc: &[[[F; L]; C]; R],
    a: [&[F]; R],
    b: [&[F]; C],
    epilogue: Epilogue<'_, F>,
    j: usize,
    c: &mut [F],
    columns: usize,
) {
    for (r, a) in a.iter().enumerate() {
        let rest = a.as_chunks::<L>().1;
        for (s, b) in b.iter().enumerate() {
            let mut sum = add_up(acc[r][s]);
            for (&a, &b) in rest.iter().zip(b.as_chunks::<L>().1) {
                sum += a * b;
            }
            if let Some(bias) = epilogue.bias {
                sum += bias[j + s];
            }
            c[r * columns + s] = at_least(epilogue.floor(), sum);
        }
    }
}

/// Half of the lanes to the other half, and so on.
#[inline(always)]
fn add_up<F: Float, const L: usize>(mut lanes: [F; L]) -> F {
    let mut half = L / 4;
    while half > 0 {
        for l in 0..half {
            lanes[l] += lanes[l + half];
        }
        half /= 2;
    }
    lanes[0]
}
