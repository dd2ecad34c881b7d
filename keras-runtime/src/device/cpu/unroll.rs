//! Loops that rustc is not left to unroll.

/// Runs a block for each number below a small constant, one copy of the block after the other.
///
/// A tile of numbers stays in registers only if each of its rows is named by a constant. rustc
/// unrolls a plain loop over the rows in some surroundings and not in others; then it keeps the
/// tile in memory, which makes a kernel several times slower.
macro_rules! unroll {
    ($i:ident < $count:ident => $body:block) => {
        $crate::device::cpu::unroll::unroll!(@ $i $count $body 0 1 2 3 4 5 6 7 8 9 10 11)
    };
    (@ $i:ident $count:ident $body:block $($number:literal)*) => {$(
        if $number < $count {
            let $i: usize = $number;
            $body
        }
    )*};
}
pub(crate) use unroll;

#[cfg(test)]
mod tests {
    fn below<const N: usize>() -> Vec<usize> {
        let mut numbers = Vec::new();
        unroll!(i < N => { numbers.push(i); });
        numbers
    }

    #[test]
    fn every_number_has_its_turn() {
        assert_eq!(below::<0>(), []);
        assert_eq!(below::<4>(), [0, 1, 2, 3]);
        assert_eq!(below::<12>(), (0..12).collect::<Vec<_>>());
    }
}
