//! `stop_gradient` under finite differences. A difference sees through it: what is meant as a constant
//! moves with the weight that is moved. So a test records the values when nothing is moved, and holds
//! them while something is.
//!
//! Generated code computes each of them once in every pass, whatever branch is taken, and on the
//! thread that runs the pass; hence they come in the same order each time.

use std::cell::RefCell;

/// The values of a pass.
#[derive(Default)]
enum Held {
    /// No test is running.
    #[default]
    Not,
    /// Those that have come.
    Recording(Vec<f64>),
    /// Those that were recorded, and how many of them have come again.
    Replaying(Vec<f64>, usize),
}

thread_local! {
    static HELD: RefCell<Held> = const { RefCell::new(Held::Not) };
}

/// The value as it was recorded.
pub fn held(value: f64) -> f64 {
    HELD.with_borrow_mut(|held| match held {
        Held::Not => value,
        Held::Recording(values) => {
            values.push(value);
            value
        }
        Held::Replaying(values, next) => {
            *next += 1;
            values.get(*next - 1).copied().unwrap_or(value)
        }
    })
}

/// What `pass` gives, and the values that it stopped gradients at.
pub fn record<T>(pass: impl FnOnce() -> T) -> (T, Vec<f64>) {
    HELD.set(Held::Recording(Vec::new()));
    let result = pass();
    match HELD.take() {
        Held::Recording(values) => (result, values),
        _ => (result, Vec::new()),
    }
}

/// What `pass` gives if these values are held.
pub fn replay<T>(values: &[f64], pass: impl FnOnce() -> T) -> T {
    HELD.set(Held::Replaying(values.to_vec(), 0));
    let result = pass();
    HELD.set(Held::Not);
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_held_while_they_are_replayed() {
        assert_eq!(held(1.0), 1.0);
        let (sum, values) = record(|| held(1.0) + held(2.0));
        assert_eq!((sum, &values[..]), (3.0, &[1.0, 2.0][..]));
        assert_eq!(replay(&values, || held(5.0) + held(5.0)), 3.0);
        assert_eq!(held(5.0), 5.0);
    }
}
