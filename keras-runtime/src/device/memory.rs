//! The memory of a device: buffers, views into them, and moving numbers in and out.

use std::ops::{Deref, Range};

use super::float::Float;
use crate::error::{Error, Result};

/// A device that may be used from any thread, whether its type says so or not: dfdx's `Cuda` holds a
/// pointer of the driver, which is for every thread.
///
/// # Safety
/// The device may be moved to another thread, and used by several at a time.
pub unsafe trait AnyThread {}

// SAFETY: it is `Send` and `Sync` by itself.
unsafe impl AnyThread for dfdx::tensor::Cpu {}

/// The device of a model, with the promise of [`AnyThread`], or why it could not be opened.
pub(crate) struct Shared<D>(Result<D>);

// SAFETY: what `AnyThread` promises.
unsafe impl<D: AnyThread> Send for Shared<D> {}
// SAFETY: as above.
unsafe impl<D: AnyThread> Sync for Shared<D> {}

impl<D> Shared<D> {
    pub fn new(device: Result<D>) -> Self {
        Self(device)
    }

    /// The device, where it is not known yet whether there is one.
    pub fn get(&self) -> Result<&D> {
        self.0.as_ref().map_err(Error::clone)
    }
}

/// For what works with buffers: where there are any, there is a device.
impl<D> Deref for Shared<D> {
    type Target = D;

    fn deref(&self) -> &D {
        match &self.0 {
            Ok(device) => device,
            Err(error) => panic!("{error}"),
        }
    }
}

/// Memory that kernels read and write.
///
/// A [`Buffer`](Memory::Buffer) owns numbers; a kernel takes views of it. Views are types of the
/// device, because a view into GPU memory is no Rust slice.
pub trait Memory: AnyThread + Clone + 'static {
    /// The number type: `f32`, except in the tests that need more digits.
    type Elem: Float;
    /// Memory that belongs to the device.
    type Buffer: Send + Sync;
    /// A view to read from.
    type Slice<'a>: Copy + Send + Sync;
    /// A view to write to.
    type SliceMut<'a>: Send;

    /// The device that is used where none is named.
    ///
    /// # Errors
    /// If there is none, or it does not work.
    fn open() -> Result<Self>
    where
        Self: Default,
    {
        Ok(Self::default())
    }
    /// A buffer of `len` zeros.
    ///
    /// # Errors
    /// If the device has no memory left.
    fn alloc(&self, len: usize) -> Result<Self::Buffer>;
    /// Whether everything that the device was asked for has worked so far. What a device does later
    /// than it is asked for can fail later; numbers that are downloaded then are NaN.
    ///
    /// # Errors
    /// The first failure.
    fn check(&self) -> Result<()> {
        Ok(())
    }
    /// How many numbers a buffer holds.
    fn len(buffer: &Self::Buffer) -> usize;
    /// A part of a buffer, to read.
    fn slice(buffer: &Self::Buffer, range: Range<usize>) -> Self::Slice<'_>;
    /// A part of a buffer, to write.
    fn slice_mut(buffer: &mut Self::Buffer, range: Range<usize>) -> Self::SliceMut<'_>;

    /// A part of a view, for as long or for a shorter time.
    fn part<'a: 'b, 'b>(slice: Self::Slice<'a>, range: Range<usize>) -> Self::Slice<'b>;
    /// A view cut in two.
    fn split<'a>(slice: Self::SliceMut<'a>, at: usize) -> (Self::SliceMut<'a>, Self::SliceMut<'a>);
    /// The same view for a shorter time.
    fn reborrow<'a>(slice: &'a mut Self::SliceMut<'_>) -> Self::SliceMut<'a>;
    /// The same view, to read.
    fn read<'a>(slice: &'a Self::SliceMut<'_>) -> Self::Slice<'a>;

    /// A part of a buffer as the host sees it, if it lies in the host's memory.
    fn host(buffer: &Self::Buffer, range: Range<usize>) -> Option<&[f32]> {
        let _ = (buffer, range);
        None
    }
    /// Copies numbers from the host.
    fn upload(&self, from: &[f32], to: Self::SliceMut<'_>);
    /// Copies numbers to the host, waiting for the kernels that make them.
    fn download(&self, from: Self::Slice<'_>, to: &mut [f32]);
    /// Copies rows of `width` numbers from a table on the host: row `i` of `to` is row `rows[i]`.
    fn gather(&self, table: &[f32], width: usize, rows: &[u32], to: Self::SliceMut<'_>);
    /// Copies a view.
    fn copy(&self, from: Self::Slice<'_>, to: Self::SliceMut<'_>);
    /// Sets every number.
    fn fill(&self, to: Self::SliceMut<'_>, value: f32);
    /// `to += from`.
    fn add(&self, from: Self::Slice<'_>, to: Self::SliceMut<'_>);
}
