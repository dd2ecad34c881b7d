//! Copying runs of numbers.

use super::threads::over_slice;
use crate::device::Runs;
use crate::device::float::Float;

/// See [`Copies::copy_runs`](crate::device::Copies::copy_runs).
pub fn copy_runs<F: Float>(
    from: &[F],
    from_runs: Runs,
    to: &mut [F],
    to_runs: Runs,
    counts: [usize; 2],
    len: usize,
) {
    if counts.contains(&0) {
        return;
    }
    let to_stride = to_runs.strides[0];
    over_slice(
        counts[0],
        1,
        counts[0] * counts[1] * len,
        &mut to[to_runs.offset..],
        to_stride,
        &|rows, to| {
            for (at, row) in rows.enumerate() {
                for run in 0..counts[1] {
                    let start =
                        from_runs.offset + row * from_runs.strides[0] + run * from_runs.strides[1];
                    let to_start = at * to_stride + run * to_runs.strides[1];
                    to[to_start..to_start + len].copy_from_slice(&from[start..start + len]);
                }
            }
        },
    );
}

/// A number of a row that is far from the one before takes as long as so many multiply-adds: it is not
/// in any cache.
const FAR: usize = 4;

/// Shares the rows that are gathered from a table out over the threads: `copy` is given the numbers of
/// some rows, and where they go.
pub fn gather<F: Float>(
    rows: &[u32],
    width: usize,
    to: &mut [F],
    copy: &(dyn Fn(&[u32], &mut [F]) + Sync),
) {
    let operations = FAR * rows.len() * width;
    over_slice(rows.len(), 1, operations, to, width, &|part, to| {
        copy(&rows[part], to)
    });
}
