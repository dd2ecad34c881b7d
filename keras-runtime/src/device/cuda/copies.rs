//! Copies between tensors of different layouts.

use super::context::{Area, Argument, blocks, count};
use super::on_gpus;
use crate::device::{Copies, Runs};

static COPIES: Area = Area {
    name: "copies",
    source: include_str!("copies.cu"),
};

/// (offset, strides) in the words of the kernel.
fn words(runs: Runs) -> [u32; 3] {
    [runs.offset, runs.strides[0], runs.strides[1]]
        .map(|size| u32::try_from(size).unwrap_or(u32::MAX))
}

on_gpus! {
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
            let (from_words, to_words) = (words(from_runs), words(to_runs));
            let all = counts[0] * counts[1] * len;
            let arguments = [
                from.argument(),
                Argument::Words(&from_words),
                to.argument(),
                Argument::Words(&to_words),
                count(counts[1]),
                count(len),
                count(all),
            ];
            to.context
                .launch(&COPIES, "copy_runs", None, blocks(all), &arguments);
        }
    }
}
