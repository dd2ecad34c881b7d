//! Numbers of whole tensors: once for each added loss or metric in a step, far from hot.

use crate::device::{Elementary, Float, Reduce, Term};

/// The elements that are summed before their sum is added to the others', which keeps rounding small.
const CHUNK: usize = 256;

/// Adds the term of x to each element of `to`.
pub fn add_scalar<F: Float>(term: Term, x: &[F], to: &mut [F]) {
    let (value, _) = along(term.after, reduced(term, x), F::one());
    for to in to {
        *to += value;
    }
}

/// `d_x = Σ d · ∂term/∂x`.
pub fn scalar_gradient<F: Float>(term: Term, x: &[F], d: &[F], d_x: &mut [F]) {
    let value = reduced(term, x);
    let d = d.iter().fold(F::zero(), |sum, &d| sum + d);
    let (_, d) = along(term.after, value, d);
    let chosen = |x: F| along(term.before, x, F::one()).0 == value;
    let share = match term.reduce {
        Reduce::Sum => d,
        Reduce::Mean => d / F::from_usize(x.len()),
        Reduce::Max | Reduce::Min => {
            d / F::from_usize(x.iter().filter(|&&x| chosen(x)).count().max(1))
        }
    };
    let all = matches!(term.reduce, Reduce::Sum | Reduce::Mean);
    for (d_x, &x) in d_x.iter_mut().zip(x) {
        *d_x = if all || chosen(x) {
            along(term.before, x, share).1
        } else {
            F::zero()
        };
    }
}

/// `reduce(before(x))`.
fn reduced<F: Float>(term: Term, x: &[F]) -> F {
    let value = |&x: &F| along(term.before, x, F::one()).0;
    let sum = || {
        let parts = x.chunks(CHUNK);
        let parts = parts.map(|part| part.iter().map(value).fold(F::zero(), |a, b| a + b));
        parts.fold(F::zero(), |a, b| a + b)
    };
    // What is no number stays none.
    let extreme = |is_better: fn(F, F) -> bool| {
        let best = |best: F, x: F| {
            if best.is_nan() || !(is_better(x, best) || x.is_nan()) {
                best
            } else {
                x
            }
        };
        x.iter().map(value).reduce(best).unwrap_or_else(F::nan)
    };
    match term.reduce {
        Reduce::Sum => sum(),
        Reduce::Mean => sum() / F::from_usize(x.len()),
        Reduce::Max => extreme(|a, b| a > b),
        Reduce::Min => extreme(|a, b| a < b),
    }
}

/// The functions applied to x one after the other, and `slope` times the derivative.
fn along<F: Float>(functions: &[Elementary], x: F, slope: F) -> (F, F) {
    let apply = |(x, slope): (F, F), function: &Elementary| match *function {
        Elementary::Scale(factor) => (F::from_f32(factor) * x, F::from_f32(factor) * slope),
        Elementary::Shift(offset) => (x + F::from_f32(offset), slope),
        Elementary::Square => (x * x, (x + x) * slope),
        Elementary::Abs if x == F::zero() => (x, F::zero()),
        Elementary::Abs => (x.abs(), x.signum() * slope),
        Elementary::Sqrt => {
            let root = x.sqrt();
            (root, slope / (root + root))
        }
        Elementary::Exp => (x.exp(), x.exp() * slope),
        Elementary::Log => (x.ln(), slope / x),
    };
    functions.iter().fold((x, slope), apply)
}

#[cfg(test)]
mod tests {
    use super::*;
    use Elementary::{Abs, Exp, Log, Scale, Shift, Sqrt, Square};

    const fn term(
        before: &'static [Elementary],
        reduce: Reduce,
        after: &'static [Elementary],
    ) -> Term {
        Term {
            before,
            reduce,
            after,
        }
    }

    fn value(term: Term, x: &[f64]) -> f64 {
        let mut to = [0.0; 2];
        add_scalar(term, x, &mut to);
        assert_eq!(to[0].to_bits(), to[1].to_bits());
        to[0]
    }

    #[test]
    fn functions_are_applied_in_order() {
        let x = [1.0, -2.0, 4.0];
        assert_eq!(value(term(&[], Reduce::Sum, &[]), &x), 3.0);
        assert_eq!(
            value(term(&[Square], Reduce::Mean, &[Scale(2.0)]), &x),
            14.0
        );
        assert_eq!(value(term(&[Shift(1.0), Abs], Reduce::Max, &[]), &x), 5.0);
        assert_eq!(
            value(term(&[], Reduce::Min, &[Square, Shift(-1.0)]), &x),
            3.0
        );
        assert!(value(term(&[], Reduce::Max, &[]), &[1.0, f64::NAN, 3.0]).is_nan());
    }

    #[test]
    fn gradients_are_those_of_differences() {
        let x = [0.5, -1.25, 2.0, 0.75];
        for term in [
            term(&[Square, Scale(0.5)], Reduce::Mean, &[Sqrt]),
            term(&[Abs, Shift(1.0), Log], Reduce::Sum, &[Scale(3.0)]),
            term(&[Exp], Reduce::Max, &[Log, Square]),
            term(&[Scale(-2.0)], Reduce::Min, &[Shift(1.0), Exp]),
        ] {
            let mut found = [0.0; 4];
            scalar_gradient(term, &x, &[0.5, 1.5], &mut found);
            for (at, found) in found.into_iter().enumerate() {
                let moved = |step: f64| {
                    let mut x = x;
                    x[at] += step;
                    value(term, &x)
                };
                let expected = 2.0 * (moved(1e-6) - moved(-1e-6)) / 2e-6;
                assert!(
                    (found - expected).abs() < 1e-6 * expected.abs().max(1.0),
                    "{term:?}"
                );
            }
        }
    }

    #[test]
    fn equal_extremes_share_the_gradient() {
        let mut found = [0.0; 4];
        let x = [2.0, 1.0, -2.0, 2.0];
        scalar_gradient(term(&[Abs], Reduce::Max, &[]), &x, &[3.0], &mut found);
        assert_eq!(found, [1.0, 0.0, -1.0, 1.0]);
    }
}
