//! Sorting short lists: the standard library's sort is eight kilobytes of machine code for each type.

/// Puts the items in order, equal ones as they were. It takes as many steps as pairs are out of order: for
/// lists of layers, metrics or thresholds.
pub(crate) fn sort_by<T>(items: &mut [T], is_before: impl Fn(&T, &T) -> bool) {
    for next in 1..items.len() {
        let mut at = next;
        while at > 0 && is_before(&items[at], &items[at - 1]) {
            items.swap(at, at - 1);
            at -= 1;
        }
    }
}

/// The same by a key of each item.
pub(crate) fn sort_by_key<T, K: PartialOrd>(items: &mut [T], key: impl Fn(&T) -> K) {
    sort_by(items, |a, b| key(a) < key(b));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_items_stay_in_their_order() {
        let mut items: Vec<(u32, usize)> = (0..50).map(|i| (i * 7919 % 10, i as usize)).collect();
        let mut expected = items.clone();
        expected.sort_by_key(|item| item.0);
        sort_by_key(&mut items, |item| item.0);
        assert_eq!(items, expected);
        sort_by_key::<u32, u32>(&mut [], |item| *item);
    }
}
