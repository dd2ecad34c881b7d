//! The same choice as [`dispatch!`](super::simd), for bodies with generics of their own: a kernel
//! is a value that holds its arguments.

use super::simd::{Arith, Separate};
use crate::device::float::Float;

/// A computation whose body is `#[inline(always)]`. Like those of `dispatch!` without tile sizes it is
/// compiled for AVX2 and for the baseline.
pub trait Kernel {
    /// What it computes with.
    type Number: Float;
    /// What it computes.
    type Output;
    /// Runs it.
    fn run<A: Arith>(self) -> Self::Output;
}

/// Runs a kernel compiled for the best vector units of the machine.
#[inline]
pub fn run<K: Kernel>(kernel: K) -> K::Output {
    #[cfg(target_arch = "x86_64")]
    if const { K::Number::IS_VECTORISED } {
        use super::simd::{Fused, Level, level};

        #[target_feature(enable = "avx2,fma")]
        fn avx2<K: Kernel>(kernel: K) -> K::Output {
            kernel.run::<Fused>()
        }
        if level() != Level::Portable {
            // SAFETY: `level` found these instructions on this machine.
            return unsafe { avx2(kernel) };
        }
    }
    portable(kernel)
}

/// Out of line, so that a kernel that is run in two places is compiled once.
#[inline(never)]
fn portable<K: Kernel>(kernel: K) -> K::Output {
    kernel.run::<Separate>()
}
