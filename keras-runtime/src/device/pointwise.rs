//! Functions of single numbers that are no activations: the work of `Rescaling` and `Dropout`.

use super::host::on_hosts;
use super::{Memory, cpu};
use crate::random::Key;

/// The numbers that a dropout drops, the same on every device.
///
/// Number `i` of a tensor is dropped if `hash(i) < rate · 2³²`, where in 32-bit arithmetic
///
/// ```text
/// h = (i · 0x9e3779b9) ^ words[0]
/// h = (h ^ h >> 16) · 0x7feb352d + words[1]
/// h = (h ^ h >> 15) · 0x846ca68b
/// hash = h ^ h >> 16
/// ```
///
/// with the two [`words`](Key::words) of the key. Nothing has to be kept for the way back.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DropoutMask {
    words: [u32; 2],
    /// Numbers whose hash is below it are dropped.
    threshold: u32,
    /// What the numbers that are kept are multiplied with.
    scale: f32,
}

impl DropoutMask {
    /// Drops the fraction `rate`, from 0 to 1, and multiplies the others with `1 / (1 - rate)`, so
    /// that the expected value stays.
    pub fn new(key: Key, rate: f32) -> Self {
        let keep = 1.0 - f64::from(rate);
        Self {
            words: key.words(),
            threshold: (f64::from(rate) * (1u64 << 32) as f64) as u32,
            scale: if keep > 0.0 { (1.0 / keep) as f32 } else { 0.0 },
        }
    }

    /// Its words, its threshold and its scale, for kernels that compute it themselves.
    #[cfg(any(feature = "cuda", feature = "testing", test))]
    pub(crate) fn parts(self) -> ([u32; 2], u32, f32) {
        (self.words, self.threshold, self.scale)
    }

    /// What number `index` of a tensor is multiplied with.
    #[inline(always)]
    pub fn factor(self, index: u32) -> f32 {
        let mut h = index.wrapping_mul(0x9e37_79b9) ^ self.words[0];
        h = (h ^ (h >> 16))
            .wrapping_mul(0x7feb_352d)
            .wrapping_add(self.words[1]);
        h = (h ^ (h >> 15)).wrapping_mul(0x846c_a68b);
        h ^= h >> 16;
        if h < self.threshold { 0.0 } else { self.scale }
    }
}

/// Functions of every number of a tensor.
pub trait Pointwise: Memory {
    /// `y = scale · x + offset`.
    fn rescale(&self, scale: f32, offset: f32, x: Self::Slice<'_>, y: Self::SliceMut<'_>);

    /// `y = mask · x`.
    fn dropout(&self, mask: DropoutMask, x: Self::Slice<'_>, y: Self::SliceMut<'_>);
}

on_hosts! {
    impl Pointwise {
        fn rescale(&self, scale: f32, offset: f32, x: Self::Slice<'_>, y: Self::SliceMut<'_>) {
            cpu::pointwise::rescale(scale, offset, x, y);
        }

        fn dropout(&self, mask: DropoutMask, x: Self::Slice<'_>, y: Self::SliceMut<'_>) {
            cpu::pointwise::dropout(mask, x, y);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The mask is part of the format of a run that goes on elsewhere: it does not change.
    #[test]
    fn the_mask_is_what_it_was() {
        let mask = DropoutMask::new(Key::new(1), 0.5);
        let kept: String = (0..24)
            .map(|i| if mask.factor(i) > 0.0 { '1' } else { '0' })
            .collect();
        assert_eq!(kept, "001010011000100010010011");
    }

    #[test]
    fn a_mask_drops_its_rate_and_keys_are_independent() {
        let n = 100_000;
        for rate in [0.1_f32, 0.5, 0.9] {
            let [a, b] = [3, 4].map(|seed| DropoutMask::new(Key::new(seed), rate));
            let dropped = |mask: DropoutMask, i: u32| (mask.factor(i) == 0.0) as u32;
            let of_a: u32 = (0..n).map(|i| dropped(a, i)).sum();
            let of_both: u32 = (0..n).map(|i| dropped(a, i) * dropped(b, i)).sum();
            let neighbours: u32 = (0..n).map(|i| dropped(a, i) * dropped(a, i + 1)).sum();
            let share = |count: u32| f64::from(count) / f64::from(n);
            let rate = f64::from(rate);
            // Four standard deviations of a share of 100,000 trials are below 0.0064.
            assert!((share(of_a) - rate).abs() < 0.0064);
            assert!((share(of_both) - rate * rate).abs() < 0.0064);
            assert!((share(neighbours) - rate * rate).abs() < 0.0064);
        }
    }

    #[test]
    fn the_ends_of_the_rate_are_exact() {
        for i in 0..10_000 {
            assert_eq!(DropoutMask::new(Key::new(5), 0.0).factor(i), 1.0);
            assert_eq!(DropoutMask::new(Key::new(5), 1.0).factor(i), 0.0);
        }
    }
}
