//! The same choice as [`dispatch!`](super::simd), for bodies with generics of their own: a kernel
//! is a value that holds its arguments.

use super::simd::{Arith, Fused, Level, Separate, level};

/// A computation whose body is `#[inline(always)]`.
pub trait Kernel {
    /// What it computes.
    type Output;
    /// Runs it.
    fn run<A: Arith>(self) -> Self::Output;
}

/// Runs a kernel compiled for the best vector units of the machine.
#[inline]
pub fn run<K: Kernel>(kernel: K) -> K::Output {
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512dq,avx2,fma")]
        fn avx512<K: Kernel>(kernel: K) -> K::Output {
            kernel.run::<Fused>()
        }
        #[target_feature(enable = "avx2,fma")]
        fn avx2<K: Kernel>(kernel: K) -> K::Output {
            kernel.run::<Fused>()
        }
        match level() {
            // SAFETY: `level` found these instructions on this machine.
            Level::Avx512 => return unsafe { avx512(kernel) },
            // SAFETY: as above.
            Level::Avx2 => return unsafe { avx2(kernel) },
            Level::Portable => {}
        }
    }
    kernel.run::<Separate>()
}
