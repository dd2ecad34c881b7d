//! Devices whose memory is the host's: dfdx's `Cpu`, and one of `f64` for the tests that hold
//! gradients against finite differences. Every operation is implemented once for both.

use std::ops::Range;

use dfdx::tensor::{Cpu, Storage};

use super::{Float, Memory, cpu};
use crate::error::{Error, Result};

/// A device whose views are Rust slices.
pub trait Host:
    for<'a> Memory<
        Elem = <Self as Host>::Number,
        Slice<'a> = &'a [<Self as Host>::Number],
        SliceMut<'a> = &'a mut [<Self as Host>::Number],
    >
{
    /// The number type.
    type Number: Float;
}

/// The CPU with `f64`: slow, exact, for gradient checks.
#[cfg(any(test, feature = "testing"))]
#[derive(Clone, Debug, Default)]
pub struct Cpu64;

#[cfg(any(test, feature = "testing"))]
// SAFETY: it is `Send` and `Sync` by itself.
unsafe impl super::AnyThread for Cpu64 {}

impl Host for Cpu {
    type Number = f32;
}

#[cfg(any(test, feature = "testing"))]
impl Host for Cpu64 {
    type Number = f64;
}

/// Implements operations for every host device. The implementations are concrete, so that their
/// kernels are compiled in this crate, once, and not again in every crate that uses them.
macro_rules! on_hosts {
    (impl $operations:ident { $($body:tt)* }) => {
        impl $operations for $crate::device::Cpu {
            $($body)*
        }
        #[cfg(any(test, feature = "testing"))]
        impl $operations for $crate::device::Cpu64 {
            $($body)*
        }
    };
}
pub(crate) use on_hosts;

/// The part of [`Memory`] that is the same on every host device.
macro_rules! slices {
    ($number:ty) => {
        type Elem = $number;
        type Slice<'a> = &'a [$number];
        type SliceMut<'a> = &'a mut [$number];

        fn len(buffer: &Self::Buffer) -> usize {
            buffer.len()
        }
        fn slice(buffer: &Self::Buffer, range: Range<usize>) -> &[$number] {
            &buffer[range]
        }
        fn slice_mut(buffer: &mut Self::Buffer, range: Range<usize>) -> &mut [$number] {
            &mut buffer[range]
        }
        fn part<'a: 'b, 'b>(slice: Self::Slice<'a>, range: Range<usize>) -> Self::Slice<'b> {
            &slice[range]
        }
        fn split<'a>(
            slice: Self::SliceMut<'a>,
            at: usize,
        ) -> (Self::SliceMut<'a>, Self::SliceMut<'a>) {
            slice.split_at_mut(at)
        }
        fn reborrow<'a>(slice: &'a mut Self::SliceMut<'_>) -> Self::SliceMut<'a> {
            slice
        }
        fn read<'a>(slice: &'a Self::SliceMut<'_>) -> Self::Slice<'a> {
            slice
        }
        fn copy(&self, from: &[$number], to: &mut [$number]) {
            to.copy_from_slice(from);
        }
        fn fill(&self, to: &mut [$number], value: f32) {
            to.fill(<$number>::from_f32(value));
        }
        fn add(&self, from: &[$number], to: &mut [$number]) {
            for (to, from) in to.iter_mut().zip(from) {
                *to += from;
            }
        }
        fn upload(&self, from: &[f32], to: &mut [$number]) {
            for (to, from) in to.iter_mut().zip(from) {
                *to = <$number>::from_f32(*from);
            }
        }
        fn download(&self, from: &[$number], to: &mut [f32]) {
            for (to, from) in to.iter_mut().zip(from) {
                *to = from.to_f32();
            }
        }
        fn gather(&self, table: &[f32], width: usize, rows: &[u32], to: &mut [$number]) {
            if width == 1 {
                for (to, &row) in to.iter_mut().zip(rows) {
                    *to = <$number>::from_f32(table[row as usize]);
                }
                return;
            }
            cpu::copies::gather(rows, width, to, &|rows, to| {
                for (to, &row) in to.chunks_exact_mut(width.max(1)).zip(rows) {
                    self.upload(&table[row as usize * width..][..width], to);
                }
            });
        }
    };
}

impl Memory for Cpu {
    type Buffer = <Cpu as Storage<f32>>::Vec;
    slices!(f32);

    fn host(buffer: &Self::Buffer, range: Range<usize>) -> Option<&[f32]> {
        Some(&buffer[range])
    }

    fn alloc(&self, len: usize) -> Result<Self::Buffer> {
        // Where there is not as much memory, dfdx ends the program.
        let room = Vec::<f32>::new().try_reserve_exact(len);
        room.map_err(|error| Error::Device(error.to_string()))?;
        self.try_alloc_len(len)
            .map_err(|error| Error::Device(format!("{error:?}")))
    }
}

#[cfg(any(test, feature = "testing"))]
impl Memory for Cpu64 {
    type Buffer = Vec<f64>;
    slices!(f64);

    fn alloc(&self, len: usize) -> Result<Self::Buffer> {
        Ok(vec![0.0; len])
    }
}
