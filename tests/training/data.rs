//! What `fit`, `evaluate` and `predict` read: data sets, streams, tensors, and what they refuse.

use dfdx::prelude::{AsArray, Const, HasShape, Tensor, TensorFrom, TensorFromVec};
use keras::prelude::*;
use ndarray::{Array1, Array2, s};

use super::{Classifier, Counter, compiled, sentence, x, y};

type Batch = (Array2<f32>, Array1<f32>);

/// Batches of 8 of the first 20 samples: two whole ones and one of 4.
fn batches() -> impl Iterator<Item = Batch> + Send {
    let x = x(20);
    let y = y(&x);
    (0..3).map(move |at| {
        let rows = ndarray::Slice::from(8 * at..20.min(8 * at + 8));
        (
            x.slice(s![rows, ..]).to_owned(),
            y.slice(s![rows]).to_owned(),
        )
    })
}

fn quiet(epochs: usize) -> Fit<'static> {
    Fit::epochs(epochs).verbose(0)
}

#[test]
fn a_generator_trains_as_the_arrays_it_is_cut_from() -> keras::Result<()> {
    let x = x(20);
    let y = y(&x);
    let (mut of_arrays, mut of_batches) = (compiled(3)?, compiled(3)?);
    let arrays = quiet(3).batch_size(8).shuffle(false);
    let expected = of_arrays.fit((&x, &y), arrays)?;
    let generator = Dataset::from_generator(batches);
    assert_eq!(expected, of_batches.fit(&generator, quiet(3))?);
    assert_eq!(of_arrays.get_weights(), of_batches.get_weights());
    let of = |model: &mut super::Mlp| {
        let evaluate = Evaluate::batch_size(8).verbose(0);
        model.evaluate(&generator, evaluate)
    };
    assert_eq!(of(&mut of_arrays)?, of(&mut of_batches)?);
    let predicted = of_batches.predict(&generator, Predict::default())?;
    assert_eq!(predicted, of_batches.predict(&x, Predict::batch_size(8))?);
    // What is read ahead, or kept, or repeated, is the same.
    let mut ahead = compiled(3)?;
    let kept = Dataset::from_generator(batches).cache().prefetch(2);
    ahead.fit(&kept, quiet(3))?;
    assert_eq!(of_arrays.get_weights(), ahead.get_weights());
    let mut repeated = compiled(3)?;
    let endless = Dataset::from_generator(batches).repeat(None);
    repeated.fit(endless, quiet(3).steps_per_epoch(3))?;
    assert_eq!(of_arrays.get_weights(), repeated.get_weights());
    Ok(())
}

#[test]
fn data_sets_count_their_batches() -> keras::Result<()> {
    let x = x(20);
    let y = y(&x);
    let trained = |data: Dataset<'_>, fit: Fit<'_>| -> keras::Result<usize> {
        let mut counter = Counter::default();
        compiled(1)?.fit(&data, fit.callback(&mut counter))?;
        Ok(counter.batches)
    };
    let data = || Dataset::from_tensor_slices((&x, &y));
    assert_eq!(trained(data()?.batch(8), quiet(2))?, 6);
    assert_eq!(trained(data()?.take(9).batch(8), quiet(2))?, 4);
    assert_eq!(trained(data()?.batch(8).take(1), quiet(2))?, 2);
    assert_eq!(trained(data()?.skip(12).batch(8), quiet(2))?, 2);
    assert_eq!(trained(data()?.batch(8).repeat(2), quiet(2))?, 12);
    assert_eq!(trained(data()?.batch(8).drop_remainder(), quiet(2))?, 4);
    let endless = data()?.shuffle(1).repeat(None).batch(8);
    assert_eq!(endless.cardinality(), None);
    assert_eq!(trained(endless, quiet(2).steps_per_epoch(7))?, 14);
    let stream = |skip, take| Dataset::from_generator(batches).skip(skip).take(take);
    assert_eq!(trained(stream(1, 9), quiet(2))?, 4);
    assert_eq!(trained(stream(0, 2), quiet(2))?, 4);
    Ok(())
}

#[test]
fn a_batch_that_is_wrong_is_an_error_when_it_comes() -> keras::Result<()> {
    let x = x(8);
    let labels = |last: f32| {
        let mut labels = Array1::<f32>::zeros(4);
        labels[3] = last;
        labels
    };
    let part = |at: usize| x.slice(s![4 * at..4 * at + 4, ..]).to_owned();
    let mut model = Classifier::with_seed(1);
    model.compile(Compile::new("sgd", "sparse_categorical_crossentropy"))?;
    let wrong = Dataset::from_batches([(part(0), labels(2.0)), (part(1), labels(3.0))]);
    let error = sentence(model.fit(wrong, quiet(1)));
    assert!(error.contains("Received a label value of 3"), "{error}");
    let shapes = Dataset::from_batches([
        (part(0), labels(1.0).insert_axis(ndarray::Axis(1))),
        (part(1), Array2::zeros((4, 3))),
    ]);
    let error = sentence(model.fit(shapes, quiet(1)));
    assert!(error.contains("Received: shape=(None, 3)"), "{error}");
    let none: [Batch; 0] = [];
    let error = sentence(model.fit(Dataset::from_batches(none), quiet(1)));
    assert!(error.contains("at least one sample"), "{error}");
    Ok(())
}

#[test]
fn arguments_that_do_not_go_together_are_refused() -> keras::Result<()> {
    let (x, weights) = (x(8), Array1::<f32>::ones(8));
    let y = y(&x);
    let mut model = compiled(1)?;
    let data = Dataset::from_tensor_slices((&x, &y))?.batch(4);
    let cases = [
        (
            sentence(model.fit((&x, &y, &weights), quiet(1).class_weight([(0, 1.0)]))),
            "You cannot `class_weight` and `sample_weight` at the same time.",
        ),
        (
            sentence(model.fit(&data, quiet(1).sample_weight(&weights))),
            "should be included as part of the data set",
        ),
        (
            sentence(model.fit(
                Dataset::from_generator(batches),
                quiet(1).validation_split(0.5),
            )),
            "Argument `validation_split` is only supported for tensors or NumPy arrays.",
        ),
        (
            sentence(model.fit((&x, &y), quiet(1).validation_freq(0))),
            "validation_freq=0",
        ),
        (
            sentence(model.fit((&x, &y), quiet(1).shuffle("batches"))),
            "Received: shuffle=\"batches\"",
        ),
        (
            sentence(model.fit(data.clone().batch(2), quiet(1))),
            "A data set is batched once",
        ),
        (sentence(model.fit(&x, quiet(1))), "needs targets"),
    ];
    for (error, expected) in cases {
        assert!(
            error.contains(expected),
            "{error}\ndoes not say: {expected}"
        );
    }
    Ok(())
}

#[test]
fn shuffling_within_batches_leaves_every_batch_its_samples() -> keras::Result<()> {
    let x = x(20);
    let y = y(&x);
    let trained = |fit: Fit<'static>| -> keras::Result<f32> {
        let mut model = compiled(1)?;
        let history = model.fit((&x, &y), fit.batch_size(5))?;
        Ok(history.get("loss").map_or(f32::NAN, |loss| loss[0]))
    };
    let (given, within) = (
        trained(quiet(1).shuffle(false))?,
        trained(quiet(1).shuffle("batch"))?,
    );
    let shuffled = trained(quiet(1))?;
    assert!(
        (given - within).abs() < 1e-4 * given,
        "{given} and {within}"
    );
    assert!(
        (given - shuffled).abs() > 1e-4 * given,
        "{given} and {shuffled}"
    );
    Ok(())
}

#[test]
fn dfdx_tensors_are_data() -> keras::Result<()> {
    let x = x(8);
    let y = y(&x);
    let device = Cpu::default();
    let x_tensor = device.tensor_from_vec(x.iter().copied().collect(), (8, Const::<4>));
    let y_tensor = device.tensor(<[f32; 8]>::try_from(y.to_vec()).unwrap_or_default());
    let (mut of_arrays, mut of_tensors) = (compiled(2)?, compiled(2)?);
    of_arrays.fit((&x, &y), quiet(2))?;
    of_tensors.fit((&x_tensor, &y_tensor), quiet(2))?;
    assert_eq!(of_arrays.get_weights(), of_tensors.get_weights());
    Ok(())
}

/// Watches a value of the logs.
struct Watches(&'static str);

impl Callback for Watches {
    fn monitors(&self) -> Option<&str> {
        Some(self.0)
    }
}

#[test]
fn a_validation_metric_needs_validation_data() -> keras::Result<()> {
    let x = x(8);
    let y = y(&x);
    let mut model = compiled(1)?;
    let before = model.get_weights();
    let error = sentence(model.fit((&x, &y), quiet(1).callback(Watches("val_loss"))));
    assert!(
        error.contains("monitors `val_loss`, but there is no validation data"),
        "{error}"
    );
    assert_eq!(model.get_weights(), before);
    model.fit((&x, &y), quiet(1).callback(Watches("loss")))?;
    let validated = quiet(1).validation_split(0.5);
    model.fit((&x, &y), validated.callback(Watches("val_loss")))?;
    Ok(())
}

sequential! {
    OnTensors<4>;
    Dense(8, activation = relu),
    Dense(3, activation = softmax),
}

#[model]
fn sum_and_product(a: Input<2, 3>, b: Input<2, 3>) -> SumAndProduct {
    Model((a, b), (a + b, a * b))
}

#[test]
fn a_model_is_called_on_tensors_of_static_shapes() -> keras::Result<()> {
    let device = Cpu::default();
    let numbers: Vec<f32> = (0..20).map(|i| (i as f32 * 0.3).sin()).collect();
    let x = device.tensor_from_vec(numbers.clone(), (Const::<5>, Const::<4>));
    let mut model = OnTensors::with_seed(3);
    let y: Tensor<(Const<5>, Const<3>), f32, Cpu> = model.call(&x)?;
    let expected = model.predict(&x, Predict::batch_size(5))?;
    assert_eq!(y.as_vec(), expected.into_raw_vec_and_offset().0);

    // The number of samples may be one of run time.
    let x = device.tensor_from_vec(numbers[..12].to_vec(), (3, Const::<4>));
    assert_eq!(model.call(&x)?.shape().0, 3);

    let a = device.tensor([[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]]);
    let b = device.tensor([[[2.0; 3]; 2]]);
    let (sum, product) = SumAndProduct::new().call(&a, &b)?;
    assert_eq!(sum.array(), [[[3.0, 4.0, 5.0], [6.0, 7.0, 8.0]]]);
    assert_eq!(product.array(), [[[2.0, 4.0, 6.0], [8.0, 10.0, 12.0]]]);
    Ok(())
}

#[test]
fn callbacks_are_told_the_batch_size_of_the_data() -> keras::Result<()> {
    let x = x(20);
    let y = y(&x);
    let mut model = compiled(3)?;
    let mut told = |data: keras::data::Data<'_>| -> keras::Result<Option<usize>> {
        let mut size = None;
        let listening = LambdaCallback::new().on_train_begin(|cx, _| {
            size = cx.params().batch_size;
            Ok(())
        });
        model.fit(data, quiet(1).batch_size(5).callback(listening))?;
        Ok(size)
    };
    assert_eq!(told((&x, &y).into_data()?)?, Some(5));
    let batched = Dataset::from_tensor_slices((&x, &y))?.batch(4);
    assert_eq!(told(batched.into_data()?)?, Some(4));
    // Batches of a stream may have any size.
    assert_eq!(told(Dataset::from_batches(batches()).into_data()?)?, None);
    Ok(())
}
