//! Copying parts of tensors: the work of `Concatenate` and of a crop.

use super::host::on_hosts;
use super::{Memory, cpu};

/// Where runs of numbers begin in memory: run `(i, j)` at `offset + i · strides[0] + j · strides[1]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Runs {
    /// Where the first run begins.
    pub offset: usize,
    /// From one run to the next along the outer and the inner axis.
    pub strides: [usize; 2],
}

/// Copies between tensors of different layouts.
pub trait Copies: Memory {
    /// Copies `counts[0] · counts[1]` runs of `len` numbers each. The runs of `to` do not overlap
    /// and lie in order.
    fn copy_runs(
        &self,
        from: Self::Slice<'_>,
        from_runs: Runs,
        to: Self::SliceMut<'_>,
        to_runs: Runs,
        counts: [usize; 2],
        len: usize,
    );
}

on_hosts! {
    impl Copies {
        fn copy_runs(
            &self,
            from: Self::Slice<'_>,
            from_runs: Runs,
            to: Self::SliceMut<'_>,
            to_runs: Runs,
            counts: [usize; 2],
            len: usize,
        ) {
            cpu::copies::copy_runs(from, from_runs, to, to_runs, counts, len);
        }
    }
}
