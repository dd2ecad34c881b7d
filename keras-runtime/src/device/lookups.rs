//! Rows of a table by their numbers: the work of `Embedding`.

use super::host::on_hosts;
use super::{Memory, cpu};

/// Reading rows by their numbers, and adding to them. A number that is not that of a row names none.
pub trait Lookups: Memory {
    /// Row i of `y` (indices, width) becomes row `indices[i]` of the table (rows, width), NaN where there
    /// is no such row.
    fn look_up(
        &self,
        table: Self::Slice<'_>,
        width: usize,
        indices: Self::Slice<'_>,
        y: Self::SliceMut<'_>,
    );

    /// The gradient of the table: each of its rows becomes the sum of the rows of `dy` that it was read
    /// for, added up in their order.
    fn look_up_gradient(
        &self,
        indices: Self::Slice<'_>,
        width: usize,
        dy: Self::Slice<'_>,
        d_table: Self::SliceMut<'_>,
    );
}

on_hosts! {
    impl Lookups {
        fn look_up(
            &self,
            table: Self::Slice<'_>,
            width: usize,
            indices: Self::Slice<'_>,
            y: Self::SliceMut<'_>,
        ) {
            cpu::lookups::look_up(table, width, indices, y);
        }

        fn look_up_gradient(
            &self,
            indices: Self::Slice<'_>,
            width: usize,
            dy: Self::Slice<'_>,
            d_table: Self::SliceMut<'_>,
        ) {
            cpu::lookups::look_up_gradient(indices, width, dy, d_table);
        }
    }
}
