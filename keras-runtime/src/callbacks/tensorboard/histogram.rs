//! Histograms as TensorBoard makes them: thirty buckets of one width from the smallest value to the
//! largest.

/// The number of buckets.
pub(super) const BUCKETS: usize = 30;

/// `[left edge, right edge, count]` of every bucket. Values that are no numbers, or infinite, are not
/// counted.
pub(super) fn buckets(values: impl Iterator<Item = f32> + Clone) -> [[f64; 3]; BUCKETS] {
    let finite = values.map(f64::from).filter(|value| value.is_finite());
    let mut buckets = [[0.0; 3]; BUCKETS];
    let min = finite.clone().fold(f64::INFINITY, f64::min);
    let max = finite.clone().fold(f64::NEG_INFINITY, f64::max);
    if min > max {
        return buckets;
    }
    let width = (max - min) / BUCKETS as f64;
    for (at, bucket) in buckets.iter_mut().enumerate() {
        bucket[0] = min + width * at as f64;
        bucket[1] = min + width * (at + 1) as f64;
    }
    buckets[BUCKETS - 1][1] = max;
    for value in finite {
        // One value everywhere belongs to the last bucket.
        let at = if width > 0.0 {
            ((value - min) / width) as usize
        } else {
            BUCKETS
        };
        buckets[at.min(BUCKETS - 1)][2] += 1.0;
    }
    buckets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_finite_value_is_in_its_bucket() {
        let values = [0.0, 1.0, 2.0, 29.5, 30.0, f32::NAN, f32::INFINITY];
        let buckets = buckets(values.into_iter());
        let counted = |at: usize| buckets[at][2];
        let counts = (counted(0), counted(1), counted(2), counted(29));
        assert_eq!(counts, (1.0, 1.0, 1.0, 2.0));
        assert_eq!(buckets[29], [29.0, 30.0, 2.0]);
    }

    #[test]
    fn one_value_and_none_are_no_range() {
        let one = buckets([0.5; 4].into_iter());
        assert_eq!((one[0], one[29]), ([0.5, 0.5, 0.0], [0.5, 0.5, 4.0]));
        assert_eq!(buckets([f32::NAN].into_iter()), [[0.0; 3]; BUCKETS]);
    }
}
