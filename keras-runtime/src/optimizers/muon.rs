//! For matrices: `m = momentum · m + g`, `x = g + momentum · m` with Nesterov's momentum and `x = m`
//! without, `w -= learning_rate · rms_rate · √max(rows, columns) · orthogonal(x)`, where all singular values
//! of `orthogonal(x)` are about 1: `x = x / |x|` and then, `ns_steps` times,
//! `x = a x + (b x xᵀ + c (x xᵀ)²) x`. Everything else: [`AdamW`](super::AdamW).

use super::moments::Moments;
use super::sgd::Descent;
use super::step::{Combine, Part};
use super::{Optimizer, Settings, Slot, Step, Variable};
use crate::config::arguments;
use crate::device::{Device, Float, NormRule, UpdateRule};
use crate::schedules::LearningRate;
use crate::shape::Shape;

/// Momentum, orthogonalized by Newton and Schulz's iteration, for the matrices inside a network
/// (Jordan et al., 2024): `keras.optimizers.Muon`.
#[derive(Clone, Debug)]
pub struct Muon {
    pub(super) settings: Settings,
    adam: Moments,
    adam_weight_decay: f32,
    adam_lr_ratio: f32,
    exclude_layers: Vec<String>,
    exclude_embeddings: bool,
    coefficients: (f32, f32, f32),
    momentum: f32,
    ns_steps: u64,
    nesterov: bool,
    rms_rate: Option<f32>,
}

impl Muon {
    /// The optimizer with Keras' defaults. Keras' default learning rate is 0.001.
    pub fn new(learning_rate: impl Into<LearningRate>) -> Self {
        Self {
            settings: Settings {
                weight_decay: Some(0.004),
                ..Settings::new(learning_rate)
            },
            adam: Moments::DEFAULT,
            adam_weight_decay: 0.004,
            adam_lr_ratio: 1.0,
            exclude_layers: Vec::new(),
            exclude_embeddings: true,
            coefficients: (3.4445, -4.775, 2.0315),
            momentum: 0.95,
            ns_steps: 5,
            nesterov: true,
            rms_rate: Some(0.2),
        }
    }

    /// AdamW's `beta_1`; 0.9 by default.
    #[must_use]
    pub fn adam_beta_1(mut self, beta_1: f32) -> Self {
        self.adam.beta_1 = beta_1;
        self
    }

    /// AdamW's `beta_2`; 0.999 by default.
    #[must_use]
    pub fn adam_beta_2(mut self, beta_2: f32) -> Self {
        self.adam.beta_2 = beta_2;
        self
    }

    /// AdamW's `epsilon`; 1e-7 by default.
    #[must_use]
    pub fn epsilon(mut self, epsilon: f32) -> Self {
        self.adam.epsilon = epsilon;
        self
    }

    /// The weight decay of AdamW; 0.004 by default.
    #[must_use]
    pub fn adam_weight_decay(mut self, weight_decay: f32) -> Self {
        self.adam_weight_decay = weight_decay;
        self
    }

    /// AdamW's learning rate, as a multiple of the optimizer's; 1 by default.
    #[must_use]
    pub fn adam_lr_ratio(mut self, ratio: f32) -> Self {
        self.adam_lr_ratio = ratio;
        self
    }

    /// Variables whose path contains one of these texts are left to AdamW.
    #[must_use]
    pub fn exclude_layers<S: Into<String>>(
        mut self,
        keywords: impl IntoIterator<Item = S>,
    ) -> Self {
        self.exclude_layers = keywords.into_iter().map(Into::into).collect();
        self
    }

    /// Whether embeddings are left to AdamW; they are by default.
    #[must_use]
    pub fn exclude_embeddings(mut self, exclude: bool) -> Self {
        self.exclude_embeddings = exclude;
        self
    }

    /// The first coefficient of the iteration; 3.4445 by default.
    #[must_use]
    pub fn muon_a(mut self, a: f32) -> Self {
        self.coefficients.0 = a;
        self
    }

    /// The second coefficient of the iteration; -4.775 by default.
    #[must_use]
    pub fn muon_b(mut self, b: f32) -> Self {
        self.coefficients.1 = b;
        self
    }

    /// The third coefficient of the iteration; 2.0315 by default.
    #[must_use]
    pub fn muon_c(mut self, c: f32) -> Self {
        self.coefficients.2 = c;
        self
    }

    /// How much of the momentum is kept in each step; 0.95 by default.
    #[must_use]
    pub fn momentum(mut self, momentum: f32) -> Self {
        self.momentum = momentum;
        self
    }

    /// The steps of the iteration; 5 by default.
    #[must_use]
    pub fn ns_steps(mut self, steps: u64) -> Self {
        self.ns_steps = steps;
        self
    }

    /// Whether the gradient is taken as if after the momentum's step; it is by default.
    #[must_use]
    pub fn nesterov(mut self, nesterov: bool) -> Self {
        self.nesterov = nesterov;
        self
    }

    /// The root mean square of a step at a learning rate of 1; 0.2 by default. With `None` steps have
    /// singular values of about 1.
    #[must_use]
    pub fn rms_rate(mut self, rms_rate: impl Into<Option<f32>>) -> Self {
        self.rms_rate = rms_rate.into();
        self
    }

    /// The rows and columns of a variable that is not left to AdamW.
    fn matrix(&self, variable: &Variable) -> Option<[usize; 2]> {
        let [rows, columns] = *variable.shape.dims() else {
            return None;
        };
        let path = &variable.path;
        let is_embedding = path.to_lowercase().contains("embedding");
        let is_excluded = self
            .exclude_layers
            .iter()
            .any(|keyword| path.contains(keyword.as_str()));
        if is_excluded || (is_embedding && self.exclude_embeddings) {
            return None;
        }
        Some([rows, columns])
    }

    /// One step of a matrix.
    fn matrix_step<D: Device>(
        &self,
        step: &mut Step<'_, D>,
        part: &Part,
        [rows, columns]: [usize; 2],
    ) {
        let (device, len) = (step.device, part.range.len());
        let g = part.read::<D>(step.grads);
        device.update(
            part.decay(step.learning_rate),
            part.write::<D>(step.params),
            g,
            [],
        );
        let rule = part.without_decay(
            Momentum {
                momentum: self.momentum,
                nesterov: self.nesterov,
            },
            step.clip,
        );
        device.update(
            rule,
            D::slice_mut(step.scratch, len..2 * len),
            g,
            [part.write::<D>(&mut step.slots[0])],
        );
        let own = std::iter::once(len..2 * len);
        let factor = device.norm_factor(UnitNorm, None, 1.0, step.scratch, own);
        let side = rows.min(columns);
        let all = D::slice_mut(step.scratch, 0..2 * (len + side * side));
        let (mut x, rest) = D::split(all, len);
        let (mut y, rest) = D::split(rest, len);
        let (mut square, mut fourth) = D::split(rest, side * side);
        device.rescale(factor, 0.0, D::read(&y), D::reborrow(&mut x));
        let (a, b, c) = self.coefficients;
        for _ in 0..self.ns_steps {
            // The smaller of x xᵀ and xᵀ x, which do the same from either side.
            let (at, to) = (D::read(&x), D::reborrow(&mut square));
            if rows > columns {
                device.weight_gradient(at, at, to, [rows, columns, columns]);
            } else {
                device.input_gradient(at, at, to, [rows, rows, columns]);
            }
            let (at, to) = (D::read(&square), D::reborrow(&mut fourth));
            device.affine(at, at, None, false, to, [side, side, side]);
            let sum = Combine { keep: c, new: b };
            device.update(sum, D::reborrow(&mut fourth), D::read(&square), []);
            let (by, at, to) = (D::read(&fourth), D::read(&x), D::reborrow(&mut y));
            if rows > columns {
                device.affine(at, by, None, false, to, [rows, columns, columns]);
            } else {
                device.affine(by, at, None, false, to, [rows, rows, columns]);
            }
            let sum = Combine { keep: 1.0, new: a };
            device.update(sum, D::reborrow(&mut y), D::read(&x), []);
            std::mem::swap(&mut x, &mut y);
        }
        let size = (rows.max(columns) as f32).sqrt();
        let rule = Descent {
            rate: step.learning_rate * self.rms_rate.map_or(1.0, |rate| size * rate),
        };
        device.update(rule, part.write::<D>(step.params), D::read(&x), []);
    }
}

/// What makes the norm of a direction 1.
#[derive(Clone, Copy)]
struct UnitNorm;

impl NormRule for UnitNorm {
    fn factor<F: Float>(&self, _of_others: F, of_own: F) -> F {
        (of_own.sqrt() + F::from_f64(1e-7)).recip()
    }
}

arguments!(Muon {
    "adam_beta_1": adam.beta_1,
    "adam_beta_2": adam.beta_2,
    "epsilon": adam.epsilon,
    "exclude_layers": exclude_layers,
    "muon_a": coefficients.0,
    "muon_b": coefficients.1,
    "muon_c": coefficients.2,
    "adam_lr_ratio": adam_lr_ratio,
    "momentum": momentum,
    "ns_steps": ns_steps,
    "nesterov": nesterov,
    "exclude_embeddings": exclude_embeddings,
    "adam_weight_decay": adam_weight_decay,
    "rms_rate": rms_rate,
});

impl<D: Device> Optimizer<D> for Muon {
    fn slots(&self) -> Vec<Slot> {
        vec![Slot::new("momentum"), Slot::new("velocity")]
    }

    fn slot_shape(&self, slot: usize, variable: &Variable) -> Option<Shape> {
        (slot == 0 || self.matrix(variable).is_none()).then_some(variable.shape)
    }

    fn is_elementwise(&self) -> bool {
        false
    }

    /// Two matrices of the size of the variable, and two squares of its shorter side.
    fn scratch(&self, variables: &[Variable]) -> usize {
        let of = |variable: &Variable| {
            let [rows, columns] = self.matrix(variable)?;
            Some(2 * (rows * columns + rows.min(columns).pow(2)))
        };
        variables.iter().filter_map(of).max().unwrap_or(0)
    }

    fn weight_decay(&self, variable: &Variable) -> f32 {
        let decay = match self.matrix(variable) {
            Some(_) => self.settings.weight_decay,
            None => Some(self.adam_weight_decay),
        };
        self.settings.weight_decay(decay, variable)
    }

    fn update(&self, mut step: Step<'_, D>) {
        let rate = step.learning_rate * self.adam_lr_ratio;
        let adam = self.adam.rule(rate, step.iteration);
        for (part, variable) in step.parts.iter().zip(step.variables) {
            if let Some(dims) = self.matrix(variable) {
                self.matrix_step(&mut step, part, dims);
                continue;
            }
            let [momentum, velocity] = &mut *step.slots else {
                return;
            };
            let g = part.read::<D>(step.grads);
            let rule = part.prepared(adam, step.learning_rate, step.clip);
            let slots = [part.write::<D>(momentum), part.write::<D>(velocity)];
            step.device
                .update(rule, part.write::<D>(step.params), g, slots);
        }
    }
}

/// Writes what is to be orthogonalized in the place of the parameter.
#[derive(Clone, Copy)]
struct Momentum {
    momentum: f32,
    nesterov: bool,
}

impl UpdateRule<1> for Momentum {
    #[inline(always)]
    fn update<F: Float>(&self, _parameter: F, gradient: F, [momentum]: [F; 1]) -> (F, [F; 1]) {
        let keep = F::from_f32(self.momentum);
        let momentum = momentum + (gradient + momentum * F::from_f32(self.momentum - 1.0));
        let ahead = gradient + keep * momentum;
        (if self.nesterov { ahead } else { momentum }, [momentum])
    }
}
