use keras::prelude::*;

sequential! {
    Net<3>;
    Dense(4),
}

fn main() -> keras::Result<()> {
    let mut model = Net::new();
    model.compile(Compile::new("adam", CategoricalAccuracy::new()))?; //~ `CategoricalAccuracy: IntoLoss
    model.compile(Compile::new(MeanSquaredError::new(), "mse"))?; //~ `keras::losses::MeanSquaredError: IntoOptimizer
    model.compile(Compile::new("adam", "mse").metric(Adam::new(0.1)))?; //~ `Adam: IntoMetric
    model.fit(&[1.0, 2.0], Fit::epochs(1))?; //~ IntoData
    Ok(())
}
