//! Gradients against central differences.

use super::LayerTest;
use super::bench::Bench;
use crate::device::{Cpu64, held};
use crate::error::Error;
use crate::layers::{Layer, Logits};
use crate::random::Key;

/// Half the distance between the two values that a difference is taken of: the error of the
/// difference is of the order of its square.
const STEP: f64 = 1e-5;

/// Compares the gradient of `sum(weight * output)` for random weights with differences.
pub(super) fn differences<L: Layer, const N: usize>(
    test: &LayerTest<L, N>,
    batch: usize,
    from_logits: bool,
) -> Result<(), String> {
    let told = |error: Error| error.to_string();
    let mut bench = Bench::<Cpu64, N>::new(test, batch).map_err(told)?;
    let random = |stream: u64, values: &mut [f64]| {
        let key = Key::new(1).fold(stream);
        for (at, value) in (0..).zip(values) {
            *value = 2.0 * key.uniform(at) - 1.0;
        }
    };
    let mut d_output = vec![0.0; bench.output.len()];
    random(0, &mut d_output);
    random(1, &mut bench.params.buffer);
    random(2, &mut bench.state.buffer);
    // A variance is positive.
    let state: Vec<f64> = bench.state.buffer.iter().map(|value| value.abs()).collect();
    let indices_below = test.layer.indices_below();
    for (stream, input) in (3..).zip(&mut bench.inputs) {
        random(stream, input);
        if let Some(below) = indices_below {
            let index = |value: f64| (0.5 * (value + 1.0) * below as f64).floor();
            input.iter_mut().for_each(|value| *value = index(*value));
        }
    }

    let loss = |bench: &mut Bench<Cpu64, N>| -> Result<f64, String> {
        bench.state.buffer.copy_from_slice(&state);
        bench.forward(test).map_err(told)?;
        let values = match test.layer.logits() {
            Logits::Kept(_) if from_logits => &bench.kept[..d_output.len()],
            Logits::Input(_) if from_logits => &bench.inputs[0][..],
            _ => &bench.output[..],
        };
        Ok(values.iter().zip(&d_output).map(|(y, d)| y * d).sum())
    };
    let (passed, values) = held::record(|| loss(&mut bench));
    passed?;
    let moved = |bench: &mut Bench<Cpu64, N>| held::replay(&values, || loss(bench));
    bench.d_output.copy_from_slice(&d_output);
    bench.backward(test, from_logits, [true; N]).map_err(told)?;
    let d_inputs = bench.d_inputs.clone();
    let d_params = bench.d_params.clone();

    for (input, found) in d_inputs.iter().enumerate() {
        if indices_below.is_some() {
            match found.iter().all(|&gradient| gradient == 0.0) {
                true => continue,
                false => return Err(format!("input {input} has no gradient, found {found:?}")),
            }
        }
        compare(&format!("input {input}"), found, &mut |at, step| {
            let value = bench.inputs[input][at];
            bench.inputs[input][at] = value + step;
            let loss = moved(&mut bench);
            bench.inputs[input][at] = value;
            loss
        })?;
    }
    if test.trainable {
        compare("the trained weights", &d_params, &mut |at, step| {
            let value = bench.params.buffer[at];
            bench.params.buffer[at] = value + step;
            let loss = moved(&mut bench);
            bench.params.buffer[at] = value;
            loss
        })?;
    }

    // The gradients are the same if nobody needs some of them.
    let wanted = (0..N).map(|input| std::array::from_fn(|other| other == input));
    for wants in wanted.chain([[false; N]]) {
        loss(&mut bench)?;
        bench.d_output.copy_from_slice(&d_output);
        bench.backward(test, from_logits, wants).map_err(told)?;
        let found = bench.d_inputs.iter().zip(&d_inputs).zip(wants);
        let same_inputs = found
            .filter(|(_, wanted)| *wanted)
            .all(|((a, b), _)| a == b);
        if !same_inputs || (test.trainable && bench.d_params != d_params) {
            return Err(format!(
                "they change if only some inputs need theirs: {wants:?}"
            ));
        }
    }
    Ok(())
}

/// Compares `found` with the differences of a loss: `loss(at, step)` is its value with the number
/// at `at` moved by `step`.
fn compare(
    what: &str,
    found: &[f64],
    loss: &mut dyn FnMut(usize, f64) -> Result<f64, String>,
) -> Result<(), String> {
    for (at, &found) in found.iter().enumerate() {
        let expected = (loss(at, STEP)? - loss(at, -STEP)?) / (2.0 * STEP);
        let error = (found - expected).abs();
        if error.is_nan() || error > 1e-6 + 1e-4 * expected.abs() {
            return Err(format!(
                "{what}, number {at}: {found}, by differences {expected}"
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arg::Size;
    use crate::device::{Activation, Device};
    use crate::error::Result;
    use crate::layers::{Backward, Dense, Forward, Weights};
    use crate::shape::Shape;
    use crate::testing::layer;

    #[test]
    fn dense_is_differentiated() {
        use Activation::{Linear, Relu, Sigmoid, Softmax};
        for activation in [Linear, Relu, Sigmoid, Softmax] {
            let dense = Dense::new(Size::new(&[3])).activation(activation);
            for input in [Shape::new(&[4]), Shape::new(&[2, 4])] {
                layer!(dense, [input]).unwrap().check_gradients(2);
                layer!(dense.use_bias(false), [input])
                    .unwrap()
                    .check_gradients(2);
            }
        }
    }

    /// `y = 2 x`, with a mistake on the way back.
    #[derive(Clone, Copy)]
    struct Twice(Mistake);

    #[derive(Clone, Copy)]
    enum Mistake {
        None,
        WrongFactor,
        NothingWritten,
    }

    impl Layer for Twice {
        fn forward<D: Device>(&self, mut cx: Forward<'_, D>) {
            cx.device
                .copy(cx.inputs[0].data, D::reborrow(&mut cx.output));
            cx.device.add(cx.inputs[0].data, cx.output);
        }

        fn backward<D: Device>(&self, mut cx: Backward<'_, D>) {
            let Some(mut d_x) = cx.d_input(0) else { return };
            if let Mistake::NothingWritten = self.0 {
                return;
            }
            cx.device.copy(D::read(&cx.d_output), D::reborrow(&mut d_x));
            if let Mistake::None = self.0 {
                cx.device.add(D::read(&cx.d_output), d_x);
            }
        }
    }

    fn differences_of(mistake: Mistake) -> Result<(), String> {
        let shapes = [Shape::new(&[3])];
        let rule = |inputs: &[Shape]| Ok(inputs[0]);
        let test = LayerTest::new(Twice(mistake), rule, |_| Weights::NONE, shapes);
        differences(&test.unwrap(), 2, false)
    }

    #[test]
    fn mistakes_are_found() {
        differences_of(Mistake::None).unwrap();
        assert!(differences_of(Mistake::WrongFactor).is_err());
        let error = differences_of(Mistake::NothingWritten).unwrap_err();
        assert!(error.contains("NaN"), "{error}");
    }
}
