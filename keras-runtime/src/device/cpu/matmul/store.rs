//! What the numbers of a tile begin with, and where they go.

use super::product::Epilogue;
use crate::device::Float;

/// The rows of C from a tile's first one on.
pub trait Rows<F> {
    /// The numbers of a row, and perhaps more.
    fn row(&self, i: usize) -> &[F];
    /// The same, to write.
    fn row_mut(&mut self, i: usize) -> &mut [F];
}

/// Rows at the same distance.
pub struct Strided<'a, F> {
    pub data: &'a mut [F],
    pub stride: usize,
}

impl<F> Rows<F> for Strided<'_, F> {
    #[inline(always)]
    fn row(&self, i: usize) -> &[F] {
        &self.data[i * self.stride..]
    }

    #[inline(always)]
    fn row_mut(&mut self, i: usize) -> &mut [F] {
        &mut self.data[i * self.stride..]
    }
}

impl<F> Rows<F> for [&mut [F]] {
    #[inline(always)]
    fn row(&self, i: usize) -> &[F] {
        self[i]
    }

    #[inline(always)]
    fn row_mut(&mut self, i: usize) -> &mut [F] {
        self[i]
    }
}

/// How tiles begin and end in a part of a product.
#[derive(Clone, Copy)]
pub struct Frame<'a, F> {
    /// C has the sum over the depth before this part.
    adds: bool,
    bias: Option<&'a [F]>,
    /// The least number that may stand in C.
    floor: F,
    /// The columns of the part.
    columns: usize,
}

impl<'a, F: Float> Frame<'a, F> {
    /// Part of the depth of some columns; `epilogue` begins with the first of them.
    pub fn new(epilogue: Epilogue<'a, F>, columns: usize, is_first: bool, is_last: bool) -> Self {
        Self {
            adds: !is_first,
            bias: epilogue.bias,
            floor: if is_last {
                epilogue.floor()
            } else {
                F::neg_infinity()
            },
            columns,
        }
    }

    /// The numbers that a tile begins with, of which there are `rows` rows in C. Never returned early:
    /// that would keep them in memory.
    #[inline(always)]
    #[allow(clippy::needless_range_loop)]
    pub fn begin<const R: usize, const W: usize, C: Rows<F> + ?Sized>(
        &self,
        rows: usize,
        column: usize,
        c: &C,
    ) -> [[F; W]; R] {
        let columns = (self.columns - column).min(W);
        let mut acc = [[F::zero(); W]; R];
        if self.adds {
            if columns < W || rows < R {
                acc = load_part(c, column, [rows, columns]);
            } else {
                for i in 0..R {
                    acc[i].copy_from_slice(&c.row(i)[column..][..W]);
                }
            }
        } else if let Some(bias) = self.bias {
            let bias = match bias[column..].first_chunk::<W>() {
                Some(bias) => *bias,
                None => copy_part(&bias[column..]),
            };
            acc = [bias; R];
        }
        acc
    }

    /// Writes a tile, of which there are `rows` rows in C.
    #[inline(always)]
    #[allow(clippy::needless_range_loop)]
    pub fn store<const R: usize, const W: usize, C: Rows<F> + ?Sized>(
        &self,
        rows: usize,
        column: usize,
        acc: [[F; W]; R],
        c: &mut C,
    ) {
        let columns = (self.columns - column).min(W);
        if columns < W || rows < R {
            return store_part(acc, self.floor, c, column, [rows, columns]);
        }
        for i in 0..R {
            let to = &mut c.row_mut(i)[column..][..W];
            for j in 0..W {
                to[j] = at_least(self.floor, acc[i][j]);
            }
        }
    }
}

/// One instruction, and NaN stays NaN.
#[inline(always)]
pub fn at_least<F: Float>(floor: F, x: F) -> F {
    if x < floor { floor } else { x }
}

/// Accumulators whose last rows or columns are not in C. Out of line: a run-time index into
/// accumulators would force them out of their registers.
#[inline(never)]
fn load_part<F: Float, const R: usize, const W: usize, C: Rows<F> + ?Sized>(
    c: &C,
    column: usize,
    [rows, columns]: [usize; 2],
) -> [[F; W]; R] {
    let mut acc = [[F::zero(); W]; R];
    for (i, row) in acc.iter_mut().take(rows).enumerate() {
        row[..columns].copy_from_slice(&c.row(i)[column..][..columns]);
    }
    acc
}

#[inline(never)]
fn copy_part<F: Float, const W: usize>(from: &[F]) -> [F; W] {
    let mut row = [F::zero(); W];
    row[..from.len()].copy_from_slice(from);
    row
}

/// The opposite of [`load_part`].
#[inline(never)]
fn store_part<F: Float, const R: usize, const W: usize, C: Rows<F> + ?Sized>(
    acc: [[F; W]; R],
    floor: F,
    c: &mut C,
    column: usize,
    [rows, columns]: [usize; 2],
) {
    for (i, row) in acc.iter().take(rows).enumerate() {
        let to = &mut c.row_mut(i)[column..][..columns];
        for (to, &x) in to.iter_mut().zip(row) {
            *to = at_least(floor, x);
        }
    }
}
