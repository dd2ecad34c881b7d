//! Means, variances and normalization of channels: two passes over the numbers, one for sums and
//! one that computes `y = a x + b` or `dx = a dy + b x + c`.
//!
//! Sums are made of [`Channels::parts`] partial sums, added in order.

mod passes;

use self::passes::{add_up, map};
use crate::device::{Channels, Float};

/// A mean and a variance, or what is kept of it, for each channel.
pub type Pair<T> = (T, T);

/// See [`Normalizations::normalize_batch`](crate::device::Normalizations::normalize_batch).
#[allow(clippy::too_many_arguments)]
pub fn batch<F: Float>(
    channels: &Channels,
    x: &[F],
    (gamma, beta): Pair<Option<&[F]>>,
    epsilon: f32,
    momentum: f32,
    moving: Pair<&mut [F]>,
    kept: Pair<&mut [F]>,
    y: &mut [F],
    scratch: &mut [F],
) {
    let n = channels.channels;
    let (sums, rest) = scratch.split_at_mut(2 * n * channels.parts());
    let (a, b) = rest.split_at_mut(n);
    let (mean, scale) = kept;
    // Sums of differences from the first sample: of the numbers themselves, much larger than
    // their deviation, the variance would lose its digits.
    for (shift, x) in mean.iter_mut().zip(x.iter().step_by(channels.inner)) {
        *shift = *x;
    }
    add_up(channels, x, None, mean, sums);
    let count = F::from_usize(channels.outer * channels.inner);
    let (epsilon, momentum) = (F::from_f32(epsilon), F::from_f32(momentum));
    for c in 0..n {
        let difference = sums[c] / count;
        let variance = (sums[n + c] / count - difference * difference).max(F::zero());
        mean[c] += difference;
        scale[c] = (variance + epsilon).sqrt().recip();
        moving.0[c] = moving.0[c] * momentum + mean[c] * (F::one() - momentum);
        moving.1[c] = moving.1[c] * momentum + variance * (F::one() - momentum);
        a[c] = scale[c] * gamma.map_or(F::one(), |gamma| gamma[c]);
        b[c] = beta.map_or(F::zero(), |beta| beta[c]) - mean[c] * a[c];
    }
    map(channels, x, a, None, &b[..n], y);
}

/// See [`Normalizations::normalize`](crate::device::Normalizations::normalize).
pub fn given<F: Float>(
    channels: &Channels,
    x: &[F],
    (gamma, beta): Pair<Option<&[F]>>,
    (mean, variance): Pair<&[F]>,
    epsilon: f32,
    y: &mut [F],
    scratch: &mut [F],
) {
    let n = channels.channels;
    let (a, b) = scratch.split_at_mut(n);
    for c in 0..n {
        a[c] = scale(variance[c], epsilon, gamma.map(|gamma| gamma[c]));
        b[c] = beta.map_or(F::zero(), |beta| beta[c]) - mean[c] * a[c];
    }
    map(channels, x, a, None, &b[..n], y);
}

fn scale<F: Float>(variance: F, epsilon: f32, gamma: Option<F>) -> F {
    (variance + F::from_f32(epsilon)).sqrt().recip() * gamma.unwrap_or(F::one())
}

/// The gradients of one normalization; what nobody needs is `None`.
pub struct Gradients<'a, F> {
    /// (channels,)
    pub gamma: Option<&'a mut [F]>,
    /// (channels,)
    pub beta: Option<&'a mut [F]>,
    /// As x.
    pub input: Option<&'a mut [F]>,
}

/// See
/// [`Normalizations::normalize_batch_gradient`](crate::device::Normalizations::normalize_batch_gradient).
pub fn batch_gradient<F: Float>(
    channels: &Channels,
    x: &[F],
    gamma: Option<&[F]>,
    (mean, scale): Pair<&[F]>,
    dy: &[F],
    gradients: Gradients<'_, F>,
    scratch: &mut [F],
) {
    let n = channels.channels;
    let (sums, rest) = scratch.split_at_mut(2 * n * channels.parts());
    add_up(channels, x, Some(dy), mean, sums);
    let (sum, product) = (&sums[..n], &sums[n..2 * n]);
    weights_gradient(sum, product, |c| scale[c], gradients.gamma, gradients.beta);
    let Some(dx) = gradients.input else { return };
    // dx = a (dy - mean(dy) - z mean(dy z)), where z = (x - mean) scale and a = gamma scale.
    let (a, rest) = rest.split_at_mut(n);
    let (b, c) = rest.split_at_mut(n);
    let count = F::from_usize(channels.outer * channels.inner);
    for i in 0..n {
        a[i] = scale[i] * gamma.map_or(F::one(), |gamma| gamma[i]);
        b[i] = -a[i] * scale[i] * scale[i] * product[i] / count;
        c[i] = -a[i] * sum[i] / count - b[i] * mean[i];
    }
    map(channels, dy, a, Some((x, b)), &c[..n], dx);
}

/// See [`Normalizations::normalize_gradient`](crate::device::Normalizations::normalize_gradient).
#[allow(clippy::too_many_arguments)]
pub fn given_gradient<F: Float>(
    channels: &Channels,
    x: &[F],
    gamma: Option<&[F]>,
    (mean, variance): Pair<&[F]>,
    epsilon: f32,
    dy: &[F],
    gradients: Gradients<'_, F>,
    scratch: &mut [F],
) {
    let n = channels.channels;
    let (sums, rest) = scratch.split_at_mut(2 * n * channels.parts());
    if gradients.gamma.is_some() || gradients.beta.is_some() {
        add_up(channels, x, Some(dy), mean, sums);
        let (sum, product) = (&sums[..n], &sums[n..2 * n]);
        let scale = |c: usize| scale(variance[c], epsilon, None);
        weights_gradient(sum, product, scale, gradients.gamma, gradients.beta);
    }
    let Some(dx) = gradients.input else { return };
    let (a, zeros) = rest.split_at_mut(n);
    for c in 0..n {
        a[c] = scale(variance[c], epsilon, gamma.map(|gamma| gamma[c]));
        zeros[c] = F::zero();
    }
    map(channels, dy, a, None, &zeros[..n], dx);
}

/// From the sums of `dy` and of `dy (x - mean)`.
fn weights_gradient<F: Float>(
    sum: &[F],
    product: &[F],
    scale: impl Fn(usize) -> F,
    gamma: Option<&mut [F]>,
    beta: Option<&mut [F]>,
) {
    if let Some(d_beta) = beta {
        d_beta.copy_from_slice(sum);
    }
    for (c, d_gamma) in gamma.into_iter().flatten().enumerate() {
        *d_gamma = product[c] * scale(c);
    }
}
