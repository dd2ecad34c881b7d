//! The order in which rows are read: what `shuffle`, `batch`, `take`, `skip` and `repeat` make of the
//! rows of some arrays.
//!
//! A pipeline gives elements: rows at first, batches of rows once they are batched. Every pass over
//! the data opens it anew.

use crate::random::Key;

/// The stream of random numbers that orders samples.
const SHUFFLE: u64 = 3;

/// A step of a pipeline.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Op {
    /// The elements in a new order for each pass, from a seed.
    Shuffle(u64),
    /// The same with a number that is another one whenever the pipeline is opened.
    ShuffleEach,
    /// The rows within each batch in a new order.
    ShuffleInside,
    /// So many elements in one; the last may have fewer unless it is dropped.
    Batch { size: usize, drop_remainder: bool },
    /// The first elements alone.
    Take(usize),
    /// All but the first elements.
    Skip(usize),
    /// So many passes in one; without a number, without an end.
    Repeat(Option<usize>),
}

/// The number of elements that a pipeline makes of some rows; `None` if there is no end.
pub(crate) fn cardinality(ops: &[Op], rows: usize) -> Option<usize> {
    let mut count = Some(rows);
    for op in ops {
        count = match (*op, count) {
            (Op::Shuffle(_) | Op::ShuffleEach | Op::ShuffleInside, count) => count,
            (Op::Take(most), None) => Some(most),
            (_, None) => None,
            (Op::Take(most), Some(count)) => Some(count.min(most)),
            (Op::Skip(first), Some(count)) => Some(count.saturating_sub(first)),
            (Op::Repeat(Some(times)), Some(count)) => Some(count * times),
            (Op::Repeat(None), Some(count)) => (count == 0).then_some(0),
            (
                Op::Batch {
                    size,
                    drop_remainder,
                },
                Some(count),
            ) => Some(if drop_remainder {
                count / size.max(1)
            } else {
                count.div_ceil(size.max(1))
            }),
        };
    }
    count
}

/// A pass over the data: what its order depends on.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Pass {
    /// The number of the pass; that of the epoch, where each epoch is one pass.
    pub number: u64,
    /// The model's seed.
    pub seed: u64,
    /// The steps of training that the model has taken.
    pub step: u64,
}

/// Opens a pipeline on the rows `0..rows`.
pub(crate) fn open(ops: &[Op], rows: usize, pass: Pass) -> Box<dyn Elements> {
    let Some((op, before)) = ops.split_last() else {
        return Box::new(Order {
            rows: (0..rows as u32).collect(),
            at: 0,
        });
    };
    let inner = || open(before, rows, pass);
    let shuffled = |key: Key| -> Box<dyn Elements> {
        let mut order = Order {
            rows: (0..rows as u32).collect(),
            at: 0,
        };
        if before.is_empty() {
            key.shuffle(&mut order.rows);
            return Box::new(order);
        }
        Box::new(Shuffle::new(inner(), key))
    };
    match *op {
        Op::Shuffle(seed) => shuffled(Key::new(seed).fold(SHUFFLE).fold(pass.number)),
        Op::ShuffleEach => shuffled(Key::new(pass.seed).fold(SHUFFLE).fold(pass.step)),
        Op::ShuffleInside => Box::new(Inside {
            inner: inner(),
            key: Key::new(pass.seed).fold(SHUFFLE).fold(pass.step),
            batch: 0,
        }),
        Op::Batch {
            size,
            drop_remainder,
        } => Box::new(Batched {
            inner: inner(),
            size: size.max(1),
            drop_remainder,
        }),
        Op::Take(left) => Box::new(Take {
            inner: inner(),
            left,
        }),
        Op::Skip(first) => Box::new(Skip {
            inner: inner(),
            first,
        }),
        Op::Repeat(times) => Box::new(Repeat {
            ops: before.to_vec(),
            rows,
            pass,
            inner: inner(),
            left: times.map(|times| times.saturating_sub(1)),
            is_empty: times == Some(0),
        }),
    }
}

/// Elements, each of one row or of a batch of them.
pub(crate) trait Elements: Send {
    /// Appends the rows of up to `count` further elements, and says how many there were.
    fn next(&mut self, count: usize, rows: &mut Vec<u32>) -> usize;

    /// Leaves out up to `count` further elements, and says how many there were.
    fn skip(&mut self, count: usize) -> usize;
}

/// Rows one by one.
struct Order {
    rows: Vec<u32>,
    at: usize,
}

impl Elements for Order {
    fn next(&mut self, count: usize, rows: &mut Vec<u32>) -> usize {
        let end = self.rows.len().min(self.at.saturating_add(count));
        let found = &self.rows[self.at..end];
        rows.extend_from_slice(found);
        self.at = end;
        found.len()
    }

    fn skip(&mut self, count: usize) -> usize {
        let found = count.min(self.rows.len() - self.at);
        self.at += found;
        found
    }
}

/// Elements that were all read and put into another order.
struct Shuffle {
    elements: Vec<Vec<u32>>,
    order: Order,
}

impl Shuffle {
    fn new(mut inner: Box<dyn Elements>, key: Key) -> Self {
        let mut elements = Vec::new();
        loop {
            let mut rows = Vec::new();
            if inner.next(1, &mut rows) == 0 {
                break;
            }
            elements.push(rows);
        }
        let mut rows: Vec<u32> = (0..elements.len() as u32).collect();
        key.shuffle(&mut rows);
        Self {
            elements,
            order: Order { rows, at: 0 },
        }
    }
}

impl Elements for Shuffle {
    fn next(&mut self, count: usize, rows: &mut Vec<u32>) -> usize {
        let mut chosen = Vec::new();
        let found = self.order.next(count, &mut chosen);
        for element in chosen {
            rows.extend_from_slice(&self.elements[element as usize]);
        }
        found
    }

    fn skip(&mut self, count: usize) -> usize {
        self.order.skip(count)
    }
}

struct Inside {
    inner: Box<dyn Elements>,
    key: Key,
    batch: u64,
}

impl Elements for Inside {
    fn next(&mut self, count: usize, rows: &mut Vec<u32>) -> usize {
        for done in 0..count {
            let start = rows.len();
            if self.inner.next(1, rows) == 0 {
                return done;
            }
            self.key.fold(self.batch).shuffle(&mut rows[start..]);
            self.batch += 1;
        }
        count
    }

    fn skip(&mut self, count: usize) -> usize {
        let found = self.inner.skip(count);
        self.batch += found as u64;
        found
    }
}

struct Batched {
    inner: Box<dyn Elements>,
    size: usize,
    drop_remainder: bool,
}

impl Elements for Batched {
    fn next(&mut self, count: usize, rows: &mut Vec<u32>) -> usize {
        for done in 0..count {
            let start = rows.len();
            let found = self.inner.next(self.size, rows);
            if found == 0 || (self.drop_remainder && found < self.size) {
                rows.truncate(start);
                return done;
            }
        }
        count
    }

    fn skip(&mut self, count: usize) -> usize {
        let found = self.inner.skip(count.saturating_mul(self.size));
        if self.drop_remainder {
            found / self.size
        } else {
            found.div_ceil(self.size)
        }
    }
}

struct Take {
    inner: Box<dyn Elements>,
    left: usize,
}

impl Elements for Take {
    fn next(&mut self, count: usize, rows: &mut Vec<u32>) -> usize {
        let found = self.inner.next(count.min(self.left), rows);
        self.left -= found;
        found
    }

    fn skip(&mut self, count: usize) -> usize {
        let found = self.inner.skip(count.min(self.left));
        self.left -= found;
        found
    }
}

struct Skip {
    inner: Box<dyn Elements>,
    first: usize,
}

impl Elements for Skip {
    fn next(&mut self, count: usize, rows: &mut Vec<u32>) -> usize {
        self.inner.skip(std::mem::take(&mut self.first));
        self.inner.next(count, rows)
    }

    fn skip(&mut self, count: usize) -> usize {
        self.inner.skip(std::mem::take(&mut self.first));
        self.inner.skip(count)
    }
}

struct Repeat {
    ops: Vec<Op>,
    rows: usize,
    pass: Pass,
    inner: Box<dyn Elements>,
    /// The passes after this one.
    left: Option<usize>,
    is_empty: bool,
}

impl Elements for Repeat {
    fn next(&mut self, count: usize, rows: &mut Vec<u32>) -> usize {
        let mut done = 0;
        while done < count && !self.is_empty {
            let found = self.inner.next(count - done, rows);
            done += found;
            if done == count {
                break;
            }
            if self.left == Some(0) {
                self.is_empty = true;
                break;
            }
            self.left = self.left.map(|left| left - 1);
            self.pass.number += 1;
            self.inner = open(&self.ops, self.rows, self.pass);
            // Data without rows has no end to wait for.
            if found == 0 {
                let more = self.inner.next(1, rows);
                done += more;
                self.is_empty = more == 0;
            }
        }
        done
    }

    fn skip(&mut self, count: usize) -> usize {
        if self.is_empty {
            return 0;
        }
        let mut done = self.inner.skip(count);
        // Whole passes need not be opened.
        if let Some(in_pass @ 1..) = cardinality(&self.ops, self.rows) {
            let passes = (count - done) / in_pass;
            let passes = self.left.map_or(passes, |left| passes.min(left));
            self.left = self.left.map(|left| left - passes);
            self.pass.number += passes as u64;
            done += passes * in_pass;
        }
        let mut rows = Vec::new();
        while done < count && self.next(1, &mut rows) == 1 {
            rows.clear();
            done += 1;
        }
        done
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn batch(size: usize) -> Op {
        Op::Batch {
            size,
            drop_remainder: false,
        }
    }

    /// The elements of a pass.
    fn all(ops: &[Op], rows: usize, number: u64) -> Vec<Vec<u32>> {
        let pass = Pass {
            number,
            ..Pass::default()
        };
        let mut elements = open(ops, rows, pass);
        let mut found = Vec::new();
        loop {
            let mut rows = Vec::new();
            if found.len() == 100 || elements.next(1, &mut rows) == 0 {
                return found;
            }
            found.push(rows);
        }
    }

    #[test]
    fn what_comes_before_batch_counts_rows_and_what_comes_after_counts_batches() {
        assert_eq!(all(&[batch(2)], 5, 0), [vec![0, 1], vec![2, 3], vec![4]]);
        assert_eq!(all(&[Op::Take(3), batch(2)], 5, 0), [vec![0, 1], vec![2]]);
        assert_eq!(
            all(&[batch(2), Op::Take(2)], 5, 0),
            [vec![0, 1], vec![2, 3]]
        );
        assert_eq!(
            all(&[Op::Skip(1), batch(2), Op::Skip(1)], 5, 0),
            [vec![3, 4]]
        );
        let dropped = Op::Batch {
            size: 2,
            drop_remainder: true,
        };
        assert_eq!(all(&[dropped], 5, 0), [vec![0, 1], vec![2, 3]]);
    }

    #[test]
    fn rows_that_are_repeated_are_batched_across_the_passes() {
        let ops = [Op::Repeat(Some(2)), batch(2)];
        assert_eq!(all(&ops, 3, 0), [vec![0, 1], vec![2, 0], vec![1, 2]]);
        let ops = [batch(2), Op::Repeat(Some(2))];
        assert_eq!(all(&ops, 3, 0), [vec![0, 1], vec![2], vec![0, 1], vec![2]]);
        assert_eq!(all(&[batch(2), Op::Repeat(None)], 3, 0).len(), 100);
        assert_eq!(all(&[batch(2), Op::Repeat(None)], 0, 0).len(), 0);
    }

    #[test]
    fn a_shuffle_is_another_one_in_each_pass() {
        let sorted = |ops: &[Op], number| {
            let mut rows = all(ops, 20, number).concat();
            rows.sort_unstable();
            rows
        };
        let ops = [Op::Shuffle(1), batch(7)];
        assert_eq!(sorted(&ops, 0), (0..20).collect::<Vec<u32>>());
        assert_eq!(all(&ops, 20, 0), all(&ops, 20, 0));
        assert_ne!(all(&ops, 20, 0), all(&ops, 20, 1));
        let twice = [Op::Shuffle(1), Op::Repeat(Some(2)), batch(20)];
        let twice = all(&twice, 20, 0);
        assert_ne!(twice[0], twice[1]);
        let batches = all(&[batch(7), Op::Shuffle(4)], 20, 0);
        assert!(batches.contains(&(0..7).collect()), "{batches:?}");
        let inside = all(&[batch(7), Op::ShuffleInside], 20, 0);
        let mut first = inside[0].clone();
        first.sort_unstable();
        assert_ne!(inside[0], first);
        assert_eq!(first, (0..7).collect::<Vec<u32>>());
    }

    #[test]
    fn what_is_left_out_is_what_would_have_been_read() {
        let dropped = Op::Batch {
            size: 3,
            drop_remainder: true,
        };
        for ops in [
            &[batch(3)][..],
            &[dropped],
            &[Op::ShuffleEach, batch(3)],
            &[batch(3), Op::ShuffleInside],
            &[batch(3), Op::Shuffle(2), Op::Skip(1)],
            &[Op::Take(8), batch(3), Op::Repeat(Some(3)), Op::Skip(2)],
            &[Op::Shuffle(1), Op::Repeat(Some(4)), batch(3), Op::Take(9)],
            &[Op::Shuffle(1), batch(3), Op::Repeat(None)],
            &[Op::Shuffle(1), Op::Repeat(None), dropped],
        ] {
            let every = all(ops, 10, 5);
            for (first, expected) in every.iter().enumerate().take(30) {
                let pass = Pass {
                    number: 5,
                    ..Pass::default()
                };
                let mut elements = open(ops, 10, pass);
                assert_eq!(elements.skip(first), first, "{ops:?}");
                let mut rows = Vec::new();
                assert_eq!(elements.next(1, &mut rows), 1, "{ops:?}");
                assert_eq!(&rows, expected, "{ops:?} after {first}");
            }
            let mut elements = open(ops, 10, Pass::default());
            let end = if every.len() == 100 {
                1000
            } else {
                every.len()
            };
            assert_eq!(elements.skip(1000), end, "{ops:?}");
        }
    }

    #[test]
    fn the_elements_are_counted_without_reading_them() {
        for ops in [
            &[batch(3)][..],
            &[Op::Take(4), batch(3), Op::Repeat(Some(3)), Op::Skip(2)],
            &[Op::Repeat(Some(2)), batch(3), Op::Shuffle(1)],
            &[batch(3), Op::Repeat(None), Op::Take(9)],
        ] {
            assert_eq!(cardinality(ops, 10), Some(all(ops, 10, 0).len()), "{ops:?}");
        }
        assert_eq!(cardinality(&[Op::Repeat(None), batch(3)], 10), None);
    }
}
