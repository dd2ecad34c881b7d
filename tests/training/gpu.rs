//! The same trainings on the CPU and with the kernels of the GPU, which the emulated GPU runs.

use keras::device::Emulated;
use keras::model::Backend;
use keras::prelude::*;
use ndarray::{Array2, Array4, ArrayD};

sequential! {
    Convnet<8, 8, 1>;
    Conv2D(4, 3, activation = relu, padding = same),
    BatchNormalization,
    MaxPooling2D(2),
    Dropout(0.25),
    Flatten,
    Dense(8, activation = gelu, kernel_regularizer = l2(0.01)),
    Dense(3, activation = softmax),
}

#[model]
fn two_ways(x: Input<5>) -> TwoWays {
    let shared = Dense(6, activation = tanh);
    let wide = Dense(6, activation = sigmoid)(x);
    let joined = Concatenate()([shared(x) * wide, wide]);
    Model(x, Dense(1)(joined))
}

/// What a training leaves behind.
struct Trained {
    weights: Vec<ArrayD<f32>>,
    predictions: ArrayD<f32>,
    numbers: Vec<(String, f32)>,
}

/// Trains for two epochs, with and without weights of the samples.
fn trained<M: Model>(
    mut model: M,
    compile: Compile<M::Device>,
    x: &ArrayD<f32>,
    y: &Array2<f32>,
) -> keras::Result<Trained> {
    model.compile(compile)?;
    let fit = || Fit::epochs(2).batch_size(9).verbose(0);
    let history = model.fit((x, y), fit().validation_split(0.25))?;
    let weights: Vec<f32> = (0..x.shape()[0]).map(|at| (at % 3) as f32 + 0.5).collect();
    model.fit((x, y, ndarray::Array1::from(weights)), fit())?;
    let logs = model.evaluate((x, y), Evaluate::batch_size(7).verbose(0))?;
    let mut numbers: Vec<(String, f32)> = Vec::new();
    for name in history.names() {
        let values = history.get(name).unwrap_or_default();
        numbers.extend(values.iter().map(|value| (name.to_owned(), *value)));
    }
    numbers.extend(logs.iter().map(|(name, value)| (name.to_owned(), value)));
    Ok(Trained {
        weights: model.get_weights(),
        predictions: model.predict(x, Predict::batch_size(11))?,
        numbers,
    })
}

fn near(what: &str, found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (found, expected) in found.iter().zip(expected) {
        let is_near = (found - expected).abs() <= 1e-5 + 1e-4 * expected.abs();
        assert!(is_near, "{what}: {found}, on the CPU {expected}");
    }
}

fn compare(on_gpu: &Trained, on_cpu: &Trained) {
    let all = |trained: &Trained| -> Vec<f32> {
        let weights = trained.weights.iter().flatten();
        weights.chain(&trained.predictions).copied().collect()
    };
    near("weights and predictions", &all(on_gpu), &all(on_cpu));
    assert_eq!(on_gpu.numbers.len(), on_cpu.numbers.len());
    for ((name, found), (_, expected)) in on_gpu.numbers.iter().zip(&on_cpu.numbers) {
        near(name, &[*found], &[*expected]);
    }
}

#[test]
fn a_convnet_is_trained_as_on_the_cpu() -> keras::Result<()> {
    fn of<D: Backend>(device: D) -> keras::Result<Trained> {
        let x = Array4::from_shape_fn((36, 8, 8, 1), |(n, i, j, _)| {
            ((n * 13 + i * 7 + j * 3) as f32 * 0.37).sin()
        });
        let y = Array2::from_shape_fn((36, 3), |(n, class)| f32::from(u8::from(n % 3 == class)));
        let compile = Compile::new(SGD::new(0.05).momentum(0.9), "categorical_crossentropy")
            .metrics(["accuracy", "AUC"]);
        let model = Convnet::<D>::on_with_seed(device, 3);
        trained(model, compile, &x.into_dyn(), &y)
    }
    if Emulated::is_available() {
        compare(&of(Emulated)?, &of(Cpu::default())?);
    }
    Ok(())
}

#[test]
fn a_graph_is_trained_as_on_the_cpu() -> keras::Result<()> {
    fn of<D: Backend>(device: D) -> keras::Result<Trained> {
        let x = Array2::from_shape_fn((40, 5), |(n, i)| ((n * 5 + i) as f32 * 0.61).sin());
        let y = Array2::from_shape_fn((40, 1), |(n, _)| x[[n, 0]] * x[[n, 1]] - x[[n, 2]]);
        let compile = Compile::new(Adam::new(0.01).clipnorm(0.8), Huber::new()).metric("mae");
        let model = TwoWays::<D>::on_with_seed(device, 4);
        trained(model, compile, &x.into_dyn(), &y)
    }
    if Emulated::is_available() {
        compare(&of(Emulated)?, &of(Cpu::default())?);
    }
    Ok(())
}
