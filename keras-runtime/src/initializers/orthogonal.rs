//! A random matrix with orthonormal columns: the Q of the QR decomposition of a matrix of normal numbers,
//! where the diagonal of R is positive. Every such matrix is as likely as any other.

use crate::random::Key;

/// Fills a matrix (rows, columns), or its transpose if there are fewer rows than columns. All axes
/// but the last are rows.
pub(super) fn fill(dims: &[usize], gain: f32, key: Key, values: &mut [f32]) {
    let columns = dims.last().copied().unwrap_or(1);
    let rows = values.len().checked_div(columns).unwrap_or(0);
    let (len, count) = (rows.max(columns), rows.min(columns));
    if count == 0 {
        return;
    }
    // `count` vectors of `len` numbers, each made orthogonal to those before it.
    let mut vectors: Vec<f64> = (0..len * count).map(|i| key.normal(i as u64)).collect();
    for at in 0..count {
        let (done, rest) = vectors.split_at_mut(at * len);
        let vector = &mut rest[..len];
        for other in done.chunks_exact(len) {
            let along = dot(vector, other);
            vector
                .iter_mut()
                .zip(other)
                .for_each(|(v, o)| *v -= along * o);
        }
        let norm = dot(vector, vector).sqrt();
        vector.iter_mut().for_each(|v| *v /= norm);
    }
    let gain = f64::from(gain);
    for (at, value) in values.iter_mut().enumerate() {
        let (row, column) = (at / columns, at % columns);
        let (vector, place) = if rows < columns {
            (row, column)
        } else {
            (column, row)
        };
        *value = (gain * vectors[vector * len + place]) as f32;
    }
}

/// `Σ a b` in eight sums that a compiler computes side by side.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; 8];
    let (pairs, rest) = (a.chunks_exact(8).zip(b.chunks_exact(8)), a.len() / 8 * 8);
    for (a, b) in pairs {
        for (sum, (a, b)) in sums.iter_mut().zip(a.iter().zip(b)) {
            *sum += a * b;
        }
    }
    let rest = a[rest..].iter().zip(&b[rest..]);
    sums.iter().sum::<f64>() + rest.map(|(a, b)| a * b).sum::<f64>()
}
