//! `y = offset + Σ after(reduce(before(x)))`: one number of whole tensors, the same for each sample.

use super::{Backward, Forward, Layer, Weights};
use crate::config::Config;
use crate::device::{Device, Term};
use crate::shape::{Shape, ShapeError};

/// What `add_loss` and `add_metric` compute: a sum of terms, one for each input.
#[derive(Clone, Copy, Debug)]
pub struct Scalar {
    terms: &'static [Term],
    offset: f32,
}

impl Scalar {
    /// The sum of the terms of the inputs, in order, and of `offset`.
    pub const fn new(terms: &'static [Term], offset: f32) -> Self {
        Self { terms, offset }
    }

    /// One number, whatever the inputs.
    ///
    /// # Errors
    /// Never.
    pub const fn output_shape(&self, _inputs: &[Shape]) -> Result<Shape, ShapeError> {
        Ok(Shape::SCALAR)
    }

    /// None.
    pub const fn weights(&self, _inputs: &[Shape]) -> Weights {
        Weights::NONE
    }
}

impl Scalar {
    /// What stands for its module: Keras has no such layer, and files are written without it.
    const MODULE: &'static str = "keras_runtime";

    /// Whether a configuration is that of one.
    pub(crate) fn is(config: &Config) -> bool {
        config.module.as_deref() == Some(Self::MODULE)
    }
}

impl Layer for Scalar {
    fn config(&self) -> Config {
        Config::keras(Self::MODULE, "Scalar")
    }

    fn forward<D: Device>(&self, cx: Forward<'_, D>) {
        let mut output = cx.output;
        cx.device.fill(D::reborrow(&mut output), self.offset);
        for (&term, x) in self.terms.iter().zip(cx.inputs) {
            cx.device.add_scalar(term, x.data, D::reborrow(&mut output));
        }
    }

    fn backward<D: Device>(&self, mut cx: Backward<'_, D>) {
        for (at, (&term, x)) in self.terms.iter().zip(cx.inputs).enumerate() {
            if let Some(d_x) = cx.d_input(at) {
                let d = D::read(&cx.d_output);
                cx.device.scalar_gradient(term, x.data, d, d_x);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::{Cpu, Elementary, Reduce};
    use crate::testing::layer;

    const OF_BOTH: &[Term] = &[
        Term {
            before: &[Elementary::Square],
            reduce: Reduce::Mean,
            after: &[Elementary::Scale(0.5)],
        },
        Term {
            before: &[],
            reduce: Reduce::Sum,
            after: &[Elementary::Square],
        },
    ];

    #[test]
    fn gradients() {
        let shapes = [Shape::new(&[3]), Shape::new(&[2, 2])];
        let test = layer!(Scalar::new(OF_BOTH, 1.0), shapes).unwrap();
        test.check_gradients(3);
    }

    #[test]
    fn every_sample_has_the_number_of_the_batch() {
        let test = layer!(Scalar::new(OF_BOTH, 1.0), [Shape::new(&[2]), Shape::SCALAR]).unwrap();
        let inputs = [vec![1.0, 2.0, 3.0, 0.0], vec![2.0, -4.0]];
        let run = test.forward::<Cpu>(&inputs, &[]).unwrap();
        assert_eq!(run.output, [1.0 + 0.5 * 3.5 + 4.0; 2]);
    }
}
