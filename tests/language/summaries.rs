//! The table in the documentation of a model is the summary that the model prints: the models of the
//! macros' snapshots, in which the tables are.

use std::path::Path;

use keras::prelude::*;

const BUDGET: usize = 100;
const RATE: f32 = 0.1;

sequential! {
    Convnet<28, 28, 1>;
    Conv2D(32, 3, activation = relu),
    MaxPooling2D(2),
    Conv2D(64, kernel_size = 3, activation = relu, trainable = false),
    MaxPooling2D(2),
    Flatten,
    Dropout(0.5),
    Dense(10, activation = softmax, name = "probs"),
}

sequential! {
    OfAnySize<_, 17, 4>;
    RandomCrop(16, 15),
    Conv2D(6, (2, 3), strides = (1, 2), padding = same, groups = 2, use_bias = false),
    Conv2D(4, 3, dilation_rate = (1, 2), padding = "valid"),
    add_loss(0.1 * mean(square(x))),
    BatchNormalization,
    BatchNormalization(scale = false, trainable = false),
    Activation("relu"),
    AveragePooling2D((2, 3), strides = 1, padding = same),
    AveragePooling2D,
    GlobalMaxPooling2D(keepdims = true),
    Reshape((-1, 2)),
    Rescaling(2),
    Dense(7),
}

sequential! {
    #[model(max_params = BUDGET, max_memory = 108, max_flops = 30, gradcheck)]
    Regularized<4>;
    Dense(3, "relu", kernel_initializer = "he_normal"),
    add_loss(0.1 * mean(square(x))),
    Dense(1),
    add_metric(max(x), name = "peak"),
}

#[model]
fn two_heads(image: Input<28, 28, 1>, meta: Input<4>) -> TwoHeads {
    let shared = Dense(32, activation = relu);
    let a = shared(Flatten()(image));
    let b = shared(Dense(784)(meta));
    let joined = Concatenate()([a, b]);
    let class = Dense(10, activation = softmax, name = "class")(joined);
    let score = Dense(1, name = "score")(a + b);
    Model((image, meta), Dict { class, score })
}

#[model]
fn full_model(inputs: Input<_, _, 3>) -> FullModel {
    let processed = RandomCrop(32, 32)(inputs);
    let conv = Conv2D(2, 3)(processed);
    let pooling = GlobalAveragePooling2D()(conv);
    let feature = Dense(10)(pooling);
    Model(inputs, feature)
}

#[model]
fn shared_output(inputs: Input<3>) -> SharedOutput {
    let d = Dense(2, name = "out");
    let output_1 = d(inputs);
    let output_2 = d(inputs);
    add_metric(sum(output_2), name = "mean", aggregation = mean);
    add_loss(RATE * mean(square(output_1 - 0.5)));
    Model(inputs, [output_1, output_2])
}

#[model(input = [3])]
pub struct MyModel {
    #[layer(4, activation = relu)]
    dense1: Dense,
    #[layer(5, activation = softmax)]
    dense2: Dense,
    #[layer(0.5)]
    dropout: Dropout,
}

#[model]
impl MyModel {
    fn call(&self, inputs: Tensor, training: bool) -> Tensor {
        let x = self.dense1(inputs);
        let x = if training { self.dropout(x) } else { x };
        self.dense2(x)
    }
}

/// The cells of the rows of a drawn table, inputs left out, and the numbers of weights under it.
fn drawn(summary: &str) -> (Vec<String>, String) {
    let mut rows: Vec<[String; 3]> = Vec::new();
    let mut is_new = true;
    for line in summary.lines() {
        let Some(line) = line.strip_prefix('│') else {
            is_new = true;
            continue;
        };
        let mut cells = line.split('│').map(str::trim);
        let cells = [(); 3].map(|()| cells.next().unwrap_or_default().to_owned());
        match rows.last_mut() {
            Some(row) if !is_new => {
                for (cell, more) in row.iter_mut().zip(cells) {
                    *cell = format!("{cell} {more}").trim().to_owned();
                }
            }
            _ => rows.push(cells),
        }
        is_new = false;
    }
    rows.retain(|[name, ..]| !name.ends_with("(InputLayer)"));
    let total = |what: &str| {
        let start = format!(" {what} params: ");
        let line = summary.lines().find_map(|line| line.strip_prefix(&start));
        line.and_then(|line| line.split(' ').next())
            .unwrap_or_default()
    };
    let totals = format!(
        "Total params: {}, trainable: {}, non-trainable: {}",
        total("Total"),
        total("Trainable"),
        total("Non-trainable")
    );
    (rows.iter().map(|row| row.join(" | ")).collect(), totals)
}

/// The same of the documentation in a snapshot.
fn documented(snapshot: &str) -> (Vec<String>, String) {
    let path = format!("keras-macros/src/snapshots/{snapshot}.snap");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let lines = text.lines().map(str::trim);
    let lines: Vec<&str> = lines.filter_map(|line| line.strip_prefix("/// ")).collect();
    let rows = lines
        .iter()
        .filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    let totals = lines.iter().find(|line| line.starts_with("Total params: "));
    (
        rows.skip(1).map(str::to_owned).collect(),
        totals.map(|line| (*line).to_owned()).unwrap_or_default(),
    )
}

#[test]
fn every_table_is_the_summary_of_its_model() -> keras::Result<()> {
    let mut any = OfAnySize::new();
    any.build(&[None, Some(17), Some(17), Some(4)])?;
    for (snapshot, summary) in [
        ("convnet", Convnet::new().summary_string()),
        ("of_any_size", any.summary_string()),
        ("list_with_additions", Regularized::new().summary_string()),
        ("two_heads", TwoHeads::new().summary_string()),
        ("parts", FullModel::new().summary_string()),
        ("shared_output", SharedOutput::new().summary_string()),
        ("subclassed", MyModel::new().summary_string()),
    ] {
        assert_eq!(
            documented(snapshot),
            drawn(&summary),
            "{snapshot}\n{summary}"
        );
    }
    Ok(())
}
