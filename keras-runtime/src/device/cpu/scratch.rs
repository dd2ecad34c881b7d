//! Memory that a kernel needs while it runs. Each thread keeps its own, which only ever grows:
//! once warm, nothing is allocated.

use std::cell::Cell;

/// Numbers to a cache line of 64 bytes, at the least.
const LINE: usize = 16;

/// A number type whose threads keep scratch memory.
pub trait Scratch: Copy + Default + 'static {
    /// Runs `work` on `len` numbers of any value that begin on a cache line.
    fn with_scratch<T>(len: usize, work: impl FnOnce(&mut [Self]) -> T) -> T;
}

macro_rules! scratch {
    ($($float:ty)*) => {$(
        impl Scratch for $float {
            fn with_scratch<T>(len: usize, work: impl FnOnce(&mut [Self]) -> T) -> T {
                thread_local! {
                    /// As many as have been used at once.
                    static KEPT: Cell<Vec<Vec<$float>>> = const { Cell::new(Vec::new()) };
                }
                // Taken, not borrowed: a kernel may call another one, and while this thread waits for
                // another thread, rayon may run a second kernel on it.
                let mut kept = KEPT.take();
                let mut memory = kept.pop().unwrap_or_default();
                KEPT.set(kept);
                if memory.len() < len + LINE {
                    memory.resize(len + LINE, 0.0);
                }
                let start = memory.as_ptr().align_offset(64).min(LINE);
                let result = work(&mut memory[start..start + len]);
                let mut kept = KEPT.take();
                kept.push(memory);
                KEPT.set(kept);
                result
            }
        }
    )*};
}

scratch! { f32 f64 }

#[cfg(test)]
mod tests {
    use super::Scratch;

    #[test]
    fn scratch_is_aligned_and_kept() {
        let first = f32::with_scratch(100, |memory| {
            memory.fill(1.0);
            assert_eq!((memory.len(), memory.as_ptr() as usize % 64), (100, 0));
            memory.as_ptr() as usize
        });
        assert_eq!(
            f32::with_scratch(50, |memory| memory.as_ptr() as usize),
            first
        );
    }

    #[test]
    fn scratch_within_scratch_is_another() {
        f64::with_scratch(8, |outer| {
            outer.fill(1.0);
            f64::with_scratch(8, |inner| inner.fill(2.0));
            assert_eq!(outer, [1.0; 8]);
        });
        let two = || f64::with_scratch(9, |a| f64::with_scratch(9, |b| [a.as_ptr(), b.as_ptr()]));
        assert_eq!(two(), two());
    }
}
