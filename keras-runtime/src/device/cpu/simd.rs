//! One kernel body, compiled for each level of vector unit and chosen when the program runs.
//!
//! A kernel is written once as plain array code, generic over the number type and over
//! [`Arith`], which says whether a fused multiply-add is one instruction. `dispatch!` compiles
//! it for the baseline of the target, for AVX2 and, where arithmetic is what it waits for, for
//! AVX-512; rustc vectorises each. In `f64`, which only tests compute with, there is the baseline.

use std::sync::OnceLock;

use crate::device::Float;

/// The vector units that kernels are compiled for, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// 512-bit registers, 32 of them.
    Avx512,
    /// 256-bit registers, 16 of them, with fused multiply-add.
    Avx2,
    /// Whatever the target has by default.
    Portable,
}

/// The best level of this machine, found once. The environment variable `KERAS_CPU_LEVEL` (`avx512`,
/// `avx2` or `portable`) asks for a lower one.
#[inline]
pub fn level() -> Level {
    #[cfg(test)]
    if let Some(level) = forced::get() {
        return level;
    }
    static LEVEL: OnceLock<Level> = OnceLock::new();
    *LEVEL.get_or_init(|| match std::env::var("KERAS_CPU_LEVEL").as_deref() {
        Ok("portable") => Level::Portable,
        Ok("avx2") if detect() != Level::Portable => Level::Avx2,
        _ => detect(),
    })
}

/// The level that kernels of this number type run at.
#[inline]
pub fn level_of<F: Float>() -> Level {
    if F::IS_VECTORISED {
        level()
    } else {
        Level::Portable
    }
}

/// Tests run kernels at every level that the machine has.
#[cfg(test)]
pub mod forced {
    use std::cell::Cell;

    use super::{Level, detect};

    thread_local! {
        static FORCED: Cell<Option<Level>> = const { Cell::new(None) };
    }

    pub(super) fn get() -> Option<Level> {
        FORCED.get()
    }

    /// Whether the tiles of AVX-512 are to be computed with the instructions of AVX2.
    pub fn lacks_avx512() -> bool {
        detect() != Level::Avx512
    }

    /// Runs a test at each level in turn, in a pool of threads that all have it. A machine that has AVX2
    /// at best computes the tiles of AVX-512 with it: their sizes are tested, if not their instructions.
    pub fn at_every_level(test: impl Fn() + Sync) {
        let levels: &[Level] = match detect() {
            Level::Avx512 | Level::Avx2 => &[Level::Avx512, Level::Avx2, Level::Portable],
            Level::Portable => &[Level::Portable],
        };
        for &level in levels {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(2)
                .start_handler(move |_| FORCED.set(Some(level)))
                .build()
                .expect("a pool of threads");
            pool.install(|| {
                eprintln!("{level:?}");
                test();
            });
        }
    }
}

#[cfg(target_arch = "x86_64")]
fn detect() -> Level {
    let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
    let avx512 = is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512vl")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512dq");
    match (avx512 && avx2, avx2) {
        (true, _) => Level::Avx512,
        (false, true) => Level::Avx2,
        (false, false) => Level::Portable,
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn detect() -> Level {
    Level::Portable
}

/// Multiply and add as the level does it best.
pub trait Arith: Copy {
    /// `a * b + c`.
    fn mul_add<F: Float>(a: F, b: F, c: F) -> F;
}

/// A fused multiply-add is one instruction here.
#[derive(Clone, Copy)]
pub struct Fused;

/// A fused multiply-add would be a library call here.
#[derive(Clone, Copy)]
pub struct Separate;

impl Arith for Fused {
    #[inline(always)]
    fn mul_add<F: Float>(a: F, b: F, c: F) -> F {
        a.mul_add(b, c)
    }
}

impl Arith for Separate {
    #[inline(always)]
    fn mul_add<F: Float>(a: F, b: F, c: F) -> F {
        a * b + c
    }
}

/// Defines `fn name<F: Float>(..)` that runs `body` at the best level of the machine.
///
/// `body` is an `#[inline(always)]` function whose generics are `<F: Float, A: Arith, ..consts>`;
/// the constants (tile sizes) are given for each level. A body without tile sizes is bound by memory
/// and not by arithmetic: AVX2 is enough for it, and it is compiled once less.
macro_rules! dispatch {
    (
        $(#[$meta:meta])*
        $vis:vis fn $name:ident<$float:ident: Float $(, $generic:ident: $bound:path)*>($($arg:ident: $ty:ty),* $(,)?) $(-> $ret:ty)?
        = $body:ident
    ) => {
        $(#[$meta])*
        $vis fn $name<$float: $crate::device::float::Float $(, $generic: $bound)*>($($arg: $ty),*) $(-> $ret)? {
            #[cfg(target_arch = "x86_64")]
            if const { <$float as $crate::device::float::Float>::IS_VECTORISED } {
                $crate::device::cpu::simd::dispatch! {
                    @at "avx2,fma"; fn avx2<$float $(, $generic: $bound)*>($($arg: $ty),*) $(-> $ret)?; $body;
                }
                if $crate::device::cpu::simd::level() != $crate::device::cpu::simd::Level::Portable {
                    // SAFETY: `level` found these instructions on this machine.
                    return unsafe { avx2::<$float $(, $generic)*>($($arg),*) };
                }
            }
            $body::<$float $(, $generic)*, $crate::device::cpu::simd::Separate>($($arg),*)
        }
    };
    (
        $(#[$meta:meta])*
        $vis:vis fn $name:ident<$float:ident: Float $(, $generic:ident: $bound:path)*>($($arg:ident: $ty:ty),* $(,)?) $(-> $ret:ty)?
        = $body:ident [avx512: $($c512:expr),*; avx2: $($c2:expr),*; portable: $($c0:expr),*]
    ) => {
        $(#[$meta])*
        $vis fn $name<$float: $crate::device::float::Float $(, $generic: $bound)*>($($arg: $ty),*) $(-> $ret)? {
            #[cfg(target_arch = "x86_64")]
            if const { <$float as $crate::device::float::Float>::IS_VECTORISED } {
                $crate::device::cpu::simd::dispatch! {
                    @at "avx512f,avx512vl,avx512bw,avx512dq,avx2,fma";
                    fn avx512<$float $(, $generic: $bound)*>($($arg: $ty),*) $(-> $ret)?; $body; $($c512),*
                }
                $crate::device::cpu::simd::dispatch! {
                    @at "avx2,fma"; fn avx2<$float $(, $generic: $bound)*>($($arg: $ty),*) $(-> $ret)?; $body; $($c2),*
                }
                #[cfg(test)]
                $crate::device::cpu::simd::dispatch! {
                    @at "avx2,fma"; fn large<$float $(, $generic: $bound)*>($($arg: $ty),*) $(-> $ret)?; $body; $($c512),*
                }
                match $crate::device::cpu::simd::level() {
                    #[cfg(test)]
                    $crate::device::cpu::simd::Level::Avx512 if $crate::device::cpu::simd::forced::lacks_avx512() => {
                        // SAFETY: a test asks for this level where there are the instructions of AVX2.
                        return unsafe { large::<$float $(, $generic)*>($($arg),*) };
                    }
                    // SAFETY: `level` found these instructions on this machine.
                    $crate::device::cpu::simd::Level::Avx512 => return unsafe { avx512::<$float $(, $generic)*>($($arg),*) },
                    // SAFETY: as above.
                    $crate::device::cpu::simd::Level::Avx2 => return unsafe { avx2::<$float $(, $generic)*>($($arg),*) },
                    $crate::device::cpu::simd::Level::Portable => {}
                }
            }
            $body::<$float $(, $generic)*, $crate::device::cpu::simd::Separate, $({$c0}),*>($($arg),*)
        }
    };
    // A body compiled with the vector units of one level.
    (
        @at $features:literal;
        fn $name:ident<$float:ident $(, $generic:ident: $bound:path)*>($($arg:ident: $ty:ty),*) $(-> $ret:ty)?;
        $body:ident; $($constant:expr),*
    ) => {
        #[target_feature(enable = $features)]
        fn $name<$float: $crate::device::float::Float $(, $generic: $bound)*>($($arg: $ty),*) $(-> $ret)? {
            $body::<$float $(, $generic)*, $crate::device::cpu::simd::Fused, $({$constant}),*>($($arg),*)
        }
    };
}
pub(crate) use dispatch;

#[cfg(test)]
mod tests {
    use super::*;

    #[inline(always)]
    fn axpy_body<F: Float, A: Arith>(a: F, x: &[F], y: &mut [F]) {
        for (y, &x) in y.iter_mut().zip(x) {
            *y = A::mul_add(a, x, *y);
        }
    }

    dispatch! {
        /// `y += a * x`.
        fn axpy<F: Float>(a: F, x: &[F], y: &mut [F]) = axpy_body
    }

    #[test]
    fn every_level_computes_the_same() {
        forced::at_every_level(|| {
            let x: Vec<f32> = (0..37).map(|i| i as f32).collect();
            let mut y = vec![1.0; 37];
            axpy(2.0, &x, &mut y);
            let expected = |i: usize| 2.0 * i as f32 + 1.0;
            assert!(y.iter().enumerate().all(|(i, &y)| y == expected(i)));
        });
    }
}
