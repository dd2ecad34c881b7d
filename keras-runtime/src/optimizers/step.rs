//! What an optimizer changes in one step, and how: its rule, around which go what all optimizers do
//! to gradients and weights.

use std::ops::Range;

use crate::device::{Device, Float, UpdateRule};
use crate::shape::Shape;

/// A trained weight of the model.
#[derive(Clone, Debug, PartialEq)]
pub struct Variable {
    /// Where it is in Keras, such as `dense_1/kernel`.
    pub path: String,
    /// Its shape.
    pub shape: Shape,
    /// Where its values are among all parameters.
    pub range: Range<usize>,
}

impl Variable {
    /// Its name, the last part of its path.
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    /// The name of its layer, the path before that.
    pub(crate) fn layer(&self) -> &str {
        self.path.rsplit_once('/').map_or("", |(layer, _)| layer)
    }
}

/// Parameters that are treated alike: a variable, or several side by side.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub range: Range<usize>,
    /// Its weight decay.
    pub decay: f32,
    /// What its gradients are multiplied with.
    pub scale: f32,
}

impl Part {
    /// Its numbers in a buffer as long as all parameters.
    pub fn read<'a, D: Device>(&self, buffer: &'a D::Buffer) -> D::Slice<'a> {
        D::slice(buffer, self.range.clone())
    }

    /// The same, to write.
    pub fn write<'a, D: Device>(&self, buffer: &'a mut D::Buffer) -> D::SliceMut<'a> {
        D::slice_mut(buffer, self.range.clone())
    }

    /// A rule, after scaling, clipping and the decay of the weights.
    pub fn prepared<R>(&self, rule: R, rate: f32, clip: f32) -> Prepared<R> {
        Prepared {
            rule,
            scale: self.scale,
            clip,
            decay: self.decay,
            rate,
        }
    }

    /// A rule, after scaling and clipping alone.
    pub fn without_decay<R>(&self, rule: R, clip: f32) -> Prepared<R> {
        let decay = 0.0;
        Prepared {
            decay,
            ..self.prepared(rule, 0.0, clip)
        }
    }

    /// The decay of its weights alone.
    pub fn decay(&self, rate: f32) -> Decay {
        Decay {
            decay: self.decay,
            rate,
        }
    }
}

/// What an optimizer changes in one step.
pub struct Step<'a, D: Device> {
    /// The device.
    pub device: &'a D,
    /// All trained weights of the model.
    pub params: &'a mut D::Buffer,
    /// Their gradients, before they are scaled and clipped.
    pub grads: &'a D::Buffer,
    /// One buffer as long as `params` for each [`Slot`](super::Slot).
    pub slots: &'a mut [D::Buffer],
    /// The numbers that the optimizer remembers of the whole model.
    pub scalars: &'a mut [f32],
    /// Memory for any use, as long as the optimizer asked for.
    pub scratch: &'a mut D::Buffer,
    /// The weights that are trained: those of layers that are not frozen.
    pub variables: &'a [Variable],
    /// The step size.
    pub learning_rate: f32,
    /// The number of this step, from 1.
    pub iteration: u64,
    /// All of the variables: one part each, unless the optimizer is elementwise.
    pub(super) parts: &'a [Part],
    /// The largest magnitude of an element of the gradients.
    pub(super) clip: f32,
}

impl<D: Device> Step<'_, D> {
    /// Takes away the decay of the weights and applies a rule, in one pass over what is trained.
    pub(super) fn apply<const N: usize, R: UpdateRule<N>>(&mut self, rule: R) {
        // The state has made as many slots as the optimizer asked for.
        let Ok(slots) = <&mut [D::Buffer; N]>::try_from(&mut *self.slots) else {
            return;
        };
        for part in self.parts {
            let slots = slots
                .each_mut()
                .map(|slot| D::slice_mut(slot, part.range.clone()));
            let params = D::slice_mut(self.params, part.range.clone());
            let grads = D::slice(self.grads, part.range.clone());
            let rule = part.prepared(rule, self.learning_rate, self.clip);
            self.device.update(rule, params, grads, slots);
        }
    }
}

/// A rule for gradients that are scaled and clipped and weights that decay before it:
/// `w -= w · weight_decay · learning_rate`.
#[derive(Clone, Copy)]
pub(super) struct Prepared<R> {
    pub rule: R,
    pub scale: f32,
    pub clip: f32,
    pub decay: f32,
    pub rate: f32,
}

impl<const N: usize, R: UpdateRule<N>> UpdateRule<N> for Prepared<R> {
    #[inline(always)]
    fn update<F: Float>(&self, parameter: F, gradient: F, slots: [F; N]) -> (F, [F; N]) {
        let (gradient, clip) = (gradient * F::from_f32(self.scale), F::from_f32(self.clip));
        // NaN stays NaN.
        let gradient = if gradient > clip { clip } else { gradient };
        let gradient = if gradient < -clip { -clip } else { gradient };
        let decayed = parameter - parameter * F::from_f32(self.decay) * F::from_f32(self.rate);
        // An infinite weight that does not decay stays infinite.
        let parameter = if self.decay == 0.0 {
            parameter
        } else {
            decayed
        };
        self.rule.update(parameter, gradient, slots)
    }
}

/// `w -= w · weight_decay · learning_rate`.
#[derive(Clone, Copy)]
pub(super) struct Decay {
    decay: f32,
    rate: f32,
}

impl UpdateRule<0> for Decay {
    #[inline(always)]
    fn update<F: Float>(&self, parameter: F, _gradient: F, []: [F; 0]) -> (F, [F; 0]) {
        let decay = parameter * F::from_f32(self.decay) * F::from_f32(self.rate);
        // An infinite weight that does not decay stays infinite.
        let decay = if self.decay == 0.0 { F::zero() } else { decay };
        (parameter - decay, [])
    }
}

/// `w = keep · w + new · g`: an average, a sum of two, or a copy.
#[derive(Clone, Copy)]
pub(crate) struct Combine {
    pub keep: f32,
    pub new: f32,
}

impl UpdateRule<0> for Combine {
    #[inline(always)]
    fn update<F: Float>(&self, parameter: F, gradient: F, []: [F; 0]) -> (F, [F; 0]) {
        let (keep, new) = (F::from_f32(self.keep), F::from_f32(self.new));
        (keep * parameter + new * gradient, [])
    }
}

/// The numbers of the largest variable.
pub(super) fn longest(variables: &[Variable]) -> usize {
    let lens = variables.iter().map(|variable| variable.range.len());
    lens.max().unwrap_or(0)
}

/// `1 - kept`, of the decimal number that was written: 1 - 0.999 is 0.001 in Keras, where Python
/// computes it, but 0.00099998713 in `f32`.
pub(super) fn one_minus(kept: f32) -> f32 {
    let decimal = (f64::from(kept) * 1e7).round() / 1e7;
    (1.0 - decimal) as f32
}
