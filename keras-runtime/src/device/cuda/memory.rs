//! Buffers, views and copies.

use std::cell::Cell;
use std::ops::Range;

use super::context::{Area, Argument, Buffer, Driver, Gpu, View, ViewMut, blocks, count};
use crate::device::Memory;
use crate::error::Result;

static MEMORY: Area = Area {
    name: "memory",
    source: include_str!("memory.cu"),
};

/// The part of [`Memory`] that is the same on every GPU.
macro_rules! views {
    ($driver:ty, $owner:ty) => {
        type Elem = f32;
        type Buffer = Buffer<$driver, $owner>;
        type Slice<'a> = View<'a, $driver>;
        type SliceMut<'a> = ViewMut<'a, $driver>;

        fn alloc(&self, len: usize) -> Result<Self::Buffer> {
            self.buffer(len)
        }
        fn check(&self) -> Result<()> {
            Self::state()
        }
        fn len(buffer: &Self::Buffer) -> usize {
            buffer.len()
        }
        fn slice(buffer: &Self::Buffer, range: Range<usize>) -> Self::Slice<'_> {
            buffer.view(range)
        }
        fn slice_mut(buffer: &mut Self::Buffer, range: Range<usize>) -> Self::SliceMut<'_> {
            buffer.view_mut(range)
        }
        fn part<'a: 'b, 'b>(slice: Self::Slice<'a>, range: Range<usize>) -> Self::Slice<'b> {
            slice.part(range)
        }
        fn split<'a>(
            slice: Self::SliceMut<'a>,
            at: usize,
        ) -> (Self::SliceMut<'a>, Self::SliceMut<'a>) {
            slice.split(at)
        }
        fn reborrow<'a>(slice: &'a mut Self::SliceMut<'_>) -> Self::SliceMut<'a> {
            slice.reborrow()
        }
        fn read<'a>(slice: &'a Self::SliceMut<'_>) -> Self::Slice<'a> {
            slice.read()
        }
        fn upload(&self, from: &[f32], to: Self::SliceMut<'_>) {
            to.context.upload(from, &to);
        }
        fn download(&self, from: Self::Slice<'_>, to: &mut [f32]) {
            from.context.download(from, to);
        }
        fn gather(&self, table: &[f32], width: usize, rows: &[u32], to: Self::SliceMut<'_>) {
            gather(table, width, rows, &to);
        }
        fn copy(&self, from: Self::Slice<'_>, to: Self::SliceMut<'_>) {
            to.context.copy(from, &to);
        }
        fn fill(&self, to: Self::SliceMut<'_>, value: f32) {
            fill(&to, value);
        }
        fn add(&self, from: Self::Slice<'_>, to: Self::SliceMut<'_>) {
            add(from, &to);
        }
    };
}

#[cfg(feature = "cuda")]
impl Memory for super::Cuda {
    views!(super::nvidia::Nvidia, super::nvidia::Owned);

    /// The first GPU. Its `default` panics where there is none.
    fn open() -> Result<Self> {
        super::open(0)
    }
}

#[cfg(any(test, feature = "testing"))]
impl Memory for super::Emulated {
    views!(super::emulator::Emulator, super::emulator::Owned);
}

/// Sets every number of a view.
pub fn fill<R: Driver>(to: &ViewMut<'_, R>, value: f32) {
    let arguments = [to.argument(), Argument::Number(value), count(to.len)];
    to.context
        .launch(&MEMORY, "fill", None, blocks(to.len), &arguments);
}

/// `to += from`.
pub fn add<R: Driver>(from: View<'_, R>, to: &ViewMut<'_, R>) {
    let arguments = [from.argument(), to.argument(), count(to.len)];
    to.context
        .launch(&MEMORY, "add", None, blocks(to.len), &arguments);
}

/// Rows of a table on the host, one after the other. Without memory that the device reads by itself they are
/// uploaded from where they are if they already lie so, else from a copy.
fn gather<R: Driver>(table: &[f32], width: usize, rows: &[u32], to: &ViewMut<'_, R>) {
    let Some(&first) = rows.first().filter(|_| width > 0) else {
        return;
    };
    let write = |staged: &mut [f32]| {
        for (to, &row) in staged.chunks_exact_mut(width).zip(rows) {
            to.copy_from_slice(&table[row as usize * width..][..width]);
        }
    };
    if to.len == rows.len() * width && to.context.stage(to, &write) {
        return;
    }
    if rows.iter().zip(first..).all(|(row, next)| *row == next) {
        let start = first as usize * width;
        return to
            .context
            .upload(&table[start..start + rows.len() * width], to);
    }
    thread_local! {
        /// It only ever grows.
        static STAGED: Cell<Vec<f32>> = const { Cell::new(Vec::new()) };
    }
    let mut staged = STAGED.take();
    staged.clear();
    for &row in rows {
        staged.extend_from_slice(&table[row as usize * width..][..width]);
    }
    to.context.upload(&staged, to);
    STAGED.set(staged);
}
