//! The signatures that programs elsewhere are compiled against, each used once as they use it.

use keras::prelude::*;
use ndarray::{Array1, Array2, Array4, ArrayD};

sequential! {
    Mlp<32>;
    Dense(64, activation = relu),
    Dense(10, activation = softmax),
}

#[model]
fn two_heads(image: Input<8, 8, 1>, meta: Input<4>) -> TwoHeads {
    let hidden = Concatenate()([Flatten()(image), meta]);
    let class = Dense(10, activation = softmax, name = "class")(hidden);
    let score = Dense(1, name = "score")(hidden);
    Model((image, meta), Dict { class, score })
}

#[model]
fn full_model(inputs: Input<_, _, 3>) -> FullModel {
    let processed = RandomCrop(32, 32)(inputs);
    let conv = Conv2D(2, 3)(processed);
    let feature = Dense(10)(GlobalAveragePooling2D()(conv));
    let backbone = Model(processed, conv);
    let activations = Model(conv, feature);
    Model(inputs, feature)
}

/// Counts what it hears, and stops after a while.
#[derive(Default)]
struct Counter {
    batches: usize,
}

impl Callback for Counter {
    fn on_train_begin(&mut self, cx: &mut CallbackContext, _logs: &Logs) -> keras::Result<()> {
        assert_eq!(cx.params().epochs, 3);
        Ok(())
    }

    fn on_epoch_end(
        &mut self,
        cx: &mut CallbackContext,
        epoch: usize,
        logs: &mut Logs,
    ) -> keras::Result<()> {
        logs.insert("learning_rate_now", cx.model().learning_rate()?);
        if epoch == 1 {
            cx.stop_training();
        }
        Ok(())
    }

    fn on_train_batch_end(
        &mut self,
        _cx: &mut CallbackContext,
        _batch: usize,
        logs: &Logs,
    ) -> keras::Result<()> {
        assert!(logs.get("loss").is_some());
        self.batches += 1;
        Ok(())
    }
}

fn data() -> (Array2<f32>, Array1<u8>) {
    let x = Array2::from_shape_fn((96, 32), |(i, j)| ((i * 32 + j) as f32 * 0.37).sin());
    (x, Array1::from_shape_fn(96, |i| (i % 10) as u8))
}

fn one_hot(labels: &Array1<u8>) -> Array2<f32> {
    Array2::from_shape_fn((labels.len(), 10), |(i, j)| {
        f32::from(usize::from(labels[i]) == j)
    })
}

#[test]
fn made_and_inspected() -> keras::Result<()> {
    let mut model = Mlp::with_seed(42);
    model.build(&[None, Some(32)])?;
    model.summary();
    assert!(model.summary_string().contains("dense_1 (Dense)"));
    assert_eq!(model.count_params(), 32 * 64 + 64 + 64 * 10 + 10);
    let weights: Vec<ArrayD<f32>> = model.get_weights();
    model.set_weights(&weights)?;
    assert_eq!(model.layers().len(), 2);
    assert_eq!(model.get_layer("dense_1")?.name(), "dense_1");
    assert_eq!(Mlp::on(Cpu::default()).count_params(), model.count_params());
    assert_eq!(Mlp::new().name(), "mlp");
    Ok(())
}

#[test]
fn trained_in_every_way() -> keras::Result<()> {
    let (x, labels) = data();
    let y = one_hot(&labels);
    let mut model = Mlp::with_seed(42);
    model.compile(
        Compile::new(RMSprop::new(0.01), CategoricalCrossentropy::new())
            .metric(CategoricalAccuracy::new()),
    )?;
    let val = Dataset::from_tensor_slices((&x, &y))?.batch(32);
    let data = Dataset::from_tensor_slices((x.view(), y.view()))?
        .shuffle(7)
        .batch(32);
    let history = model.fit(
        &data,
        Fit::epochs(2)
            .validation(&val)
            .callback(EarlyStopping::new("val_loss").patience(3))
            .verbose(0),
    )?;
    assert_eq!(history.get("val_loss").map(<[f32]>::len), Some(2));
    assert_eq!(history.epochs(), [0, 1]);
    assert_eq!(history.names().count(), 4);

    model.compile(Compile::new("adam", "mse").metric("mae").metric("acc"))?;
    let mut counter = Counter::default();
    let history = model.fit(
        (&x, &y),
        Fit::epochs(3)
            .batch_size(32)
            .validation_split(0.25)
            .shuffle(false)
            .callback(&mut counter)
            .verbose(0),
    )?;
    assert_eq!((history.epochs().len(), counter.batches), (2, 6));
    assert!(history.get("learning_rate_now").is_some());

    let logs = model.evaluate((&x, &y), Evaluate::batch_size(32).verbose(0))?;
    assert!(logs.get("loss").is_some());
    let predicted: ArrayD<f32> = model.predict(&x, Predict::batch_size(256).verbose(0))?;
    assert_eq!(predicted.shape(), [96, 10]);
    let logs = model.train_on_batch((&x, &y))?;
    assert!(logs.get("mae").is_some());
    model.test_on_batch((&x, &y))?;
    model.predict_on_batch(&x)?;
    let names: Vec<String> = model.metrics_names();
    assert_eq!(names, ["loss", "mae", "acc"]);
    model.make_train_function(true);
    Ok(())
}

#[test]
fn several_inputs_and_outputs() -> keras::Result<()> {
    let image = Array4::<f32>::from_elem((8, 8, 8, 1), 0.5);
    let meta = Array2::<f32>::from_elem((8, 4), 0.25);
    let class = Array1::from_shape_fn(8, |i| i as i64);
    let score = Array1::<f64>::zeros(8);
    let mut model = TwoHeads::new();
    model.compile(
        Compile::new(
            "adam",
            Losses::by_output([
                ("class", "sparse_categorical_crossentropy"),
                ("score", "mse"),
            ]),
        )
        .loss_weights([("class", 1.0), ("score", 0.2)])
        .metric_for("class", "acc"),
    )?;
    let history = model.fit(
        ((&image, &meta), (&class, &score)),
        Fit::epochs(2).verbose(0),
    )?;
    let names: Vec<&str> = history.names().collect();
    assert_eq!(names, ["class_acc", "class_loss", "loss", "score_loss"]);
    let outputs = model.predict_all((&image, &meta), Predict::batch_size(4).verbose(0))?;
    assert_eq!(outputs.len(), 2);
    Ok(())
}

#[test]
fn parts_predict_and_have_weights() -> keras::Result<()> {
    let x = Array4::<f32>::from_elem((2, 40, 36, 3), 0.5);
    let mut model = FullModel::new();
    model.predict(&x, Predict::batch_size(4).verbose(0))?;
    let cropped = Array4::<f32>::from_elem((2, 32, 32, 3), 0.5);
    let conv = model
        .backbone()
        .predict(&cropped, Predict::batch_size(4).verbose(0))?;
    assert_eq!(conv.shape(), [2, 30, 30, 2]);
    assert_eq!(model.backbone().get_weights().len(), 2);
    assert_eq!(model.backbone().layers().len(), 1);
    assert!(model.backbone().get_layer("dense").is_err());
    let zeros: Vec<ArrayD<f32>> = (model.backbone().get_weights().iter())
        .map(|weight| ArrayD::zeros(weight.shape()))
        .collect();
    model.backbone().set_weights(&zeros)?;
    assert_eq!(model.get_weights()[..2], zeros[..]);
    assert_eq!(model.activations().get_weights().len(), 2);
    Ok(())
}

#[test]
fn metrics_and_builders_on_their_own() -> keras::Result<()> {
    let mut metric = BinaryAccuracy::new();
    let (y_true, y_pred) = (
        ndarray::array![1.0, 0.0].into_dyn(),
        ndarray::array![0.9, 0.6].into_dyn(),
    );
    metric.update_state(&y_true, &y_pred, None)?;
    metric.update_state(
        &y_true,
        &y_pred,
        Some(&ndarray::array![1.0, 0.0].into_dyn()),
    )?;
    let result: f32 = metric.result();
    assert!((result - 2.0 / 3.0).abs() < 1e-6, "{result}");
    metric.reset_state();
    assert_eq!(metric.result(), 0.0);
    let _ = SGD::new(0.05).momentum(0.9).nesterov(true);
    let _ = AdamW::new(0.002).weight_decay(0.01);
    let _ = SparseCategoricalCrossentropy::new().from_logits(true);
    let _ = EarlyStopping::new("loss")
        .patience(3)
        .restore_best_weights(true);
    let _ = CallbackList::new([EarlyStopping::new("loss")]);
    Ok(())
}

#[test]
fn kept_in_files() -> keras::Result<()> {
    let (x, labels) = data();
    let folder = std::env::temp_dir().join(format!("keras_contract_{}", std::process::id()));
    std::fs::create_dir_all(&folder).map_err(|error| Error::value(error.to_string()))?;
    let path = |name: &str| folder.join(name);
    let mut model = Mlp::with_seed(1);
    model.compile(Compile::new("adam", "sparse_categorical_crossentropy"))?;
    let checkpoint = ModelCheckpoint::new(path("best.keras"))
        .monitor("val_loss")
        .save_best_only(true);
    model.fit(
        (&x, &labels),
        Fit::epochs(2)
            .validation_split(0.25)
            .callback(checkpoint)
            .verbose(0),
    )?;
    model.save_weights(path("a.weights.h5"))?;
    let mut other = Mlp::with_seed(2);
    other.load_weights(path("a.weights.h5"))?;
    assert_eq!(other.get_weights(), model.get_weights());
    model.save(path("a.keras"))?;
    assert_eq!(
        Mlp::load(path("a.keras"))?.get_weights(),
        model.get_weights()
    );
    assert!(path("best.keras").exists());
    let _ = std::fs::remove_dir_all(folder);
    Ok(())
}
