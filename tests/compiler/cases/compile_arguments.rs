use keras::prelude::*;

sequential! {
    Net<3>;
    Dense(4),
}

fn main() -> keras::Result<()> {
    let mut model = Net::new();
    model.compile(Compile::new("adam", CategoricalAccuracy::new()))?; //~ `keras_runtime::metrics::CategoricalAccuracy` is not a loss
    model.compile(Compile::new(MeanSquaredError::new(), "mse"))?; //~ `keras_runtime::losses::MeanSquaredError` is not an optimizer
    model.compile(Compile::new("adam", "mse").metric(Adam::new(0.1)))?; //~ `keras_runtime::optimizers::Adam` is not a metric
    model.fit(&[1.0, 2.0], Fit::epochs(1))?; //~ is not data to train or evaluate on
    model.predict("x", Predict::default())?; //~ `&str` is not an input of a model
    Ok(())
}
