//! Rows of a table by their numbers.

use super::threads::over_slice;
use crate::device::float::Float;

/// The row that a number names, if it names one.
#[inline(always)]
fn row<F: Float>(index: F, rows: usize) -> Option<usize> {
    let index = index.to_f64();
    let is_row = index >= 0.0 && index < rows as f64 && index.fract() == 0.0;
    is_row.then_some(index as usize)
}

/// See [`Lookups::look_up`](crate::device::Lookups::look_up).
pub fn look_up<F: Float>(table: &[F], width: usize, indices: &[F], y: &mut [F]) {
    let (width, rows) = (width.max(1), table.len() / width.max(1));
    over_slice(indices.len(), 1, y.len(), y, width, &|at, y| {
        for (y, &index) in y.chunks_exact_mut(width).zip(&indices[at]) {
            match row(index, rows) {
                Some(row) => y.copy_from_slice(&table[row * width..][..width]),
                None => y.fill(F::from_f64(f64::NAN)),
            }
        }
    });
}

/// See [`Lookups::look_up_gradient`](crate::device::Lookups::look_up_gradient). Each thread has rows of
/// the table and adds to these alone, so that the order of a row's sum does not depend on the threads.
pub fn look_up_gradient<F: Float>(indices: &[F], width: usize, dy: &[F], d_table: &mut [F]) {
    let (width, rows) = (width.max(1), d_table.len() / width.max(1));
    let operations = dy.len() + d_table.len();
    over_slice(rows, 1, operations, d_table, width, &|own, d_table| {
        d_table.fill(F::zero());
        for (dy, &index) in dy.chunks_exact(width).zip(indices) {
            let Some(row) = row(index, rows).filter(|row| own.contains(row)) else {
                continue;
            };
            let to = &mut d_table[(row - own.start) * width..][..width];
            for (to, dy) in to.iter_mut().zip(dy) {
                *to += *dy;
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_names_no_row_reads_nothing() {
        let table = [1.0f32, 2.0, 3.0, 4.0];
        let mut y = [0.0; 12];
        look_up(&table, 2, &[1.0, 0.0, 2.0, -1.0, 0.5, f32::NAN], &mut y);
        assert_eq!(y[..4], [3.0, 4.0, 1.0, 2.0]);
        assert!(y[4..].iter().all(|y| y.is_nan()), "{y:?}");
        let mut d_table = [9.0f32; 4];
        look_up_gradient(&[1.0, 7.0, 1.0, -1.0], 2, &[1.0; 8], &mut d_table);
        assert_eq!(d_table, [0.0, 0.0, 2.0, 2.0]);
    }

    /// Enough work for several threads.
    #[test]
    fn large_tables_are_read_and_summed() {
        let (rows, width, count) = (512, 64, 4096);
        let table: Vec<f32> = (0..rows * width).map(|at| (at % 1013) as f32).collect();
        let named = |at: usize| (at * 37 + at / 7) % rows;
        let indices: Vec<f32> = (0..count).map(|at| named(at) as f32).collect();
        let mut y = vec![0.0; count * width];
        look_up(&table, width, &indices, &mut y);
        let mut expected = vec![0.0f32; rows * width];
        for at in 0..count {
            let row = named(at) * width..(named(at) + 1) * width;
            let y = &y[at * width..(at + 1) * width];
            assert_eq!(*y, table[row.clone()]);
            expected[row]
                .iter_mut()
                .zip(y)
                .for_each(|(sum, y)| *sum += y);
        }
        let mut d_table = vec![f32::NAN; rows * width];
        look_up_gradient(&indices, width, &y, &mut d_table);
        assert_eq!(d_table, expected);
    }
}
