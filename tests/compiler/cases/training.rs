use keras::prelude::*;

sequential! {
    #[model(
        compile(
            optimizer = Adam(0.01),
            loss = SparseCategoricalCrossentropy(from_logits = true), //~ The loss received `from_logits = true`, but the output of `dense_1` is produced by a softmax activation and thus does not represent logits.
            metrics = ["categorical_accuracy"], //~ The labels of the loss are the numbers of classes, and `categorical_accuracy` expects one-hot labels. Did you mean `sparse_categorical_accuracy`?
        ),
        callbacks(EarlyStopping("val_acuracy", patience = 3)), //~ Nothing is logged as `val_acuracy`. The logs: loss, categorical_accuracy, and each with `val_` where there is validation data.
    )]
    Classes<784>;
    Dense(32, activation = relu),
    Dense(10, "softmax"),
}

#[model(
    compile(optimizer = "adam", loss = "categorical_crossentropy", metrics = ["acc", AUC, CategoricalAccuracy(name = "right")]), //~ The loss is of several classes, and `score` has one unit. Use 'binary_crossentropy' for two classes.
    callbacks(
        EarlyStopping("val_class_right"),
        ReduceLROnPlateau("score_auc_1"),
        ModelCheckpoint("best.keras", monitor = "class_los"), //~ Nothing is logged as `class_los`. The logs: loss, class_loss, score_loss, class_acc, class_auc, class_right, score_acc, score_auc, score_right, size, and each with `val_` where there is validation data. Did you mean `class_loss`?
    ),
)]
fn outputs(x: Input<4>) -> Outputs {
    let class = Dense(3, activation = softmax)(x);
    add_metric(sum(x), name = "size");
    Model(x, Dict { class, score: Dense(1, name = "score")(x) })
}

#[model(
    input = [4],
    compile(optimizer = "adam", loss = BinaryCrossentropy(from_logits = true)), //~ The loss received `from_logits = true`, but the output of `last` is produced by a sigmoid activation and thus does not represent logits.
)]
struct Sigmoid {
    #[layer(1)]
    dense: Dense,
    #[layer(sigmoid)]
    last: Activation,
}

#[model]
impl Sigmoid {
    fn call(&self, x: Tensor) -> Tensor {
        self.last(self.dense(x))
    }
}

sequential! {
    #[model(compile(optimizer = "adam"))] //~ `compile` takes an optimizer and a loss: `compile(optimizer = "adam", loss = "mse")`.
    NoLoss<3>;
    Dense(1),
}

sequential! {
    #[model(compile(optimizer = 3, loss = "mse", weights = 1))] //~ A name in quotes, a class such as `Adam(0.01)`, or a value in braces is expected here. Received: 3
    //~^ `compile` takes `optimizer = "adam"`, `loss = "mse"` and `metrics = ["mae"]` here, `loss_weights`, `weighted_metrics` and `steps_per_execution`. Received: weights = 1
    Wrong<3>;
    Dense(1),
}

sequential! {
    #[model(compile(optimizer = Adam(0.1), loss = CategoricalAccuracy))] //~ `keras_runtime::metrics::CategoricalAccuracy` is not a loss
    NotALoss<3>;
    Dense(4),
}

/// It may add to the logs what those after it wait for.
struct Adds;
impl Callback for Adds {}

sequential! {
    #[model(
        compile(optimizer = Adam(0.1, beta_1 = 0.8, beta_1 = 0.9), loss = "mse", loss = "mae"), //~ The keyword argument `beta_1` is repeated.
        //~^ The keyword argument `loss` is repeated.
        callbacks(
            EarlyStopping("added", patience = 3, 4), //~ A positional argument follows the keyword argument `patience`.
            //~^ Nothing is logged as `added`. The logs: loss, and each
            { Adds },
            EarlyStopping("added"),
        ),
    )]
    Repeated<3>;
    Dense(1),
}

#[model(compile(
    optimizer = Adam(learning_rate = 0.01, beta_1 = 0.8),
    loss = Dict {
        class: SparseCategoricalCrossentropy(from_logits = true), //~ The loss received `from_logits = true`, but the output of `class` is produced by a softmax activation
        score: "categorical_crossentropy", //~ The loss is of several classes, and `score` has one unit.
    },
    loss_weights = [("class", 1), ("scor", 0.5)], //~ `loss_weights` names the output 'scor', which the model does not have. Expected one of ["class", "score"]. Received: loss_weights=scor. Did you mean `score`?
    metrics = Dict { class: ["acc", "categorical_accuracy"] }, //~ The labels of the loss are the numbers of classes, and `categorical_accuracy` expects one-hot labels.
    weighted_metrics = [["mae"], [], ["mse"]], //~ Invalid `weighted_metrics`. `weighted_metrics` should contain metrics objects and either be a dict or a list matching the output names of the functional model ["class", "score"]. Received: 3 lists
))]
fn by_output(x: Input<4>) -> ByOutput {
    let class = Dense(3, activation = softmax, name = "class")(x);
    let score = Dense(1, name = "score")(x);
    Model(x, Dict { class, score })
}

#[model(
    compile(
        optimizer = "adam",
        loss = ["mse", None, "mae"], //~ `loss` has an entry for each output. Model 'in_order' has 2 output(s): ["a", "b"]. Received: 3 losses
        loss_weights = 2.0, //~ `loss_weights` must match the number of losses, got 2 losses and 1 weights.
    ),
    callbacks(
        EarlyStopping(patience = 3, monitor = "val_b_loss"), //~ Nothing is logged as `val_b_loss`. The logs: loss, and each with `val_` where there is validation data.
    ),
)]
fn in_order(x: Input<4>) -> InOrder {
    Model(x, [Dense(1, name = "a")(x), Dense(2, name = "b")(x)])
}

sequential! {
    #[model(
        compile(
            optimizer = Adam(beta1 = 0.8, learning_rate = ExponentialDecay(0.1, decay_steps = 100)), //~ Adam got an unexpected keyword argument `beta1`. Did you mean `beta_1`?
            //~^ ExponentialDecay is missing 1 required positional argument: `decay_rate`
            loss = Huber(2.0, delta = 1.0), //~ Huber got multiple values for argument `delta`.
        ),
        callbacks(
            ReduceLROnPlateau("loss", monitor = "val_loss"), //~ ReduceLROnPlateau got multiple values for argument `monitor`.
            ModelCheckpoint(monitor = "val_loss"), //~ ModelCheckpoint is missing 1 required positional argument: `filepath`
            TerminateOnNaN(raises = true), //~ TerminateOnNaN got an unexpected keyword argument `raises`. Its arguments: `raise_error`.
        ),
    )]
    Named<3>;
    Dense(1),
}

sequential! {
    #[model(
        compile(
            optimizer = SGD(learning_rate = PolynomialDecay(0.1, 100, name = "decay")), //~ `name` is an argument of Keras' PolynomialDecay that this library does not have.
            loss = Huber(dtype = "float32"), //~ `dtype` is an argument of Keras' Huber that this library does not have.
            metrics = [
                LogCosh(dtype = "float32"), //~ `dtype` is an argument of Keras' LogCosh that this library does not have.
                MeanMetricWrapper(first, direct = 1), //~ MeanMetricWrapper got an unexpected keyword argument `direct`. Did you mean `direction`?
                MeanMetricWrapper(name = "first"), //~ MeanMetricWrapper is missing 1 required positional argument: `fn`
            ],
        ),
        callbacks(
            TensorBoard(histogram_freq = 1, write_images = true), //~ `write_images` is an argument of Keras' TensorBoard that this library does not have.
            LambdaCallback(on_epoch_ends = |_, _, _| Ok(())), //~ LambdaCallback got an unexpected keyword argument `on_epoch_ends`. Did you mean `on_epoch_end`?
        ),
    )]
    Lacking<3>;
    Dense(1),
}

#[model(compile(optimizer = "adam", loss = Dict { a: "mse" }))] //~ Expected keys ["a", "b"] in loss dict, but found loss.keys()=["a"]
fn missing(x: Input<4>) -> Missing {
    Model(x, [Dense(1, name = "a")(x), Dense(2, name = "b")(x)])
}

fn main() {}
