//! Rows of a table by their numbers.

use super::context::{Area, blocks, count};
use super::on_gpus;
use crate::device::Lookups;

static LOOKUPS: Area = Area {
    name: "lookups",
    source: include_str!("lookups.cu"),
};

on_gpus! {
    impl Lookups {
        fn look_up(
            &self,
            table: Self::Slice<'_>,
            width: usize,
            indices: Self::Slice<'_>,
            y: Self::SliceMut<'_>,
        ) {
            let rows = table.len.checked_div(width).unwrap_or(0);
            let arguments = [
                table.argument(),
                indices.argument(),
                y.argument(),
                count(rows),
                count(width),
                count(y.len),
            ];
            y.context
                .launch(&LOOKUPS, "look_up", None, blocks(y.len), &arguments);
        }

        fn look_up_gradient(
            &self,
            indices: Self::Slice<'_>,
            width: usize,
            dy: Self::Slice<'_>,
            d_table: Self::SliceMut<'_>,
        ) {
            let arguments = [
                indices.argument(),
                dy.argument(),
                d_table.argument(),
                count(indices.len),
                count(width),
                count(d_table.len),
            ];
            let grid = blocks(d_table.len);
            d_table
                .context
                .launch(&LOOKUPS, "look_up_gradient", None, grid, &arguments);
        }
    }
}
