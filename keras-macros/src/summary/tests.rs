//! The tables against the summaries that the models themselves print.

use keras_runtime::model::Model as _;
use keras_runtime::prelude::*;

use crate::ctxt::Ctxt;
use crate::graph::{self, Graph};
use crate::parse;

/// The cells of the rows of a drawn table, inputs left out.
fn drawn(summary: &str) -> Vec<[String; 3]> {
    let mut rows: Vec<[String; 3]> = Vec::new();
    let mut is_new = true;
    for line in summary.lines() {
        let Some(line) = line.strip_prefix('│') else {
            is_new = true;
            continue;
        };
        let mut cells = line.split('│').map(str::trim);
        let cells = [(); 3].map(|()| cells.next().unwrap_or_default().to_string());
        match rows.last_mut() {
            Some(row) if !is_new => {
                for (cell, more) in row.iter_mut().zip(cells) {
                    *cell = format!("{cell} {more}").trim().to_string();
                }
            }
            _ => rows.push(cells),
        }
        is_new = false;
    }
    rows.retain(|[name, ..]| !name.ends_with("(InputLayer)"));
    rows
}

/// The cells of the rows of the documentation's table.
fn documented(graph: &Graph) -> Vec<[String; 3]> {
    let lines = super::lines(graph).expect("a table");
    let rows = lines.iter().filter_map(|line| line.strip_prefix(" | "));
    let cells = |row: &str| {
        let mut cells = row.trim_end_matches(" |").split(" | ");
        [(); 3].map(|()| cells.next().unwrap_or_default().to_string())
    };
    rows.skip(1).map(cells).collect()
}

/// The lines under the table, as the documentation has them.
fn totals(summary: &str) -> String {
    let total = |what: &str| {
        let mut lines = summary.lines();
        let line = lines.find_map(|line| line.strip_prefix(&format!(" {what} params: ")));
        let number = line.and_then(|line| line.split(' ').next());
        number.unwrap_or_default().to_string()
    };
    format!(
        " Total params: {}, trainable: {}, non-trainable: {}",
        total("Total"),
        total("Trainable"),
        total("Non-trainable")
    )
}

fn check(graph: &Graph, summary: &str) {
    assert_eq!(documented(graph), drawn(summary), "{summary}");
    let lines = super::lines(graph).unwrap_or_default();
    assert_eq!(lines.last(), Some(&totals(summary)));
}

fn sequential_graph(tokens: &str) -> Graph {
    let ctxt = Ctxt::new();
    let parsed = parse::sequential::Sequential::parse(&ctxt, tokens.parse().unwrap());
    let head = parsed
        .head
        .clone()
        .unwrap_or_else(parse::sequential::unnamed);
    let graph = graph::sequential::graph(&ctxt, &head, &parsed);
    assert_eq!(ctxt.messages(), [""; 0]);
    graph
}

fn functional_graph(tokens: &str) -> Graph {
    let ctxt = Ctxt::new();
    let function = syn::parse_str(tokens).unwrap();
    let parsed =
        parse::functional::Functional::parse(&ctxt, Default::default(), &function).unwrap();
    let graph = graph::functional::graph(&ctxt, &parsed);
    assert_eq!(ctxt.messages(), [""; 0]);
    graph
}

/// Declares a model and gives the graph of the same tokens.
macro_rules! sequential_model {
    ($graph:ident, $($tokens:tt)*) => {
        sequential! { $($tokens)* }
        fn $graph() -> Graph {
            sequential_graph(stringify!($($tokens)*))
        }
    };
}

macro_rules! functional_model {
    ($graph:ident, $($tokens:tt)*) => {
        #[model]
        $($tokens)*
        fn $graph() -> Graph {
            functional_graph(stringify!($($tokens)*))
        }
    };
}

sequential_model! { convnet,
    Convnet<28, 28, 1>;
    Conv2D(32, 3, activation = relu),
    MaxPooling2D(2),
    Conv2D(64, kernel_size = 3, activation = relu, trainable = false),
    MaxPooling2D(2),
    Flatten,
    Dropout(0.5),
    Dense(10, activation = softmax, name = "probs"),
}

sequential_model! { of_any_size,
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

functional_model! { two_heads,
    fn two_heads(image: Input<28, 28, 1>, meta: Input<4>) -> TwoHeads {
        let shared = Dense(32, activation = relu);
        let a = shared(Flatten()(image));
        let b = shared(Dense(784)(meta));
        let joined = Concatenate()([a, b]);
        let class = Dense(10, activation = softmax, name = "class")(joined);
        let score = Dense(1, name = "score")(a + b);
        Model((image, meta), Dict { class, score })
    }
}

functional_model! { full_model,
    fn full_model(inputs: Input<_, _, 3>) -> FullModel {
        let processed = RandomCrop(32, 32)(inputs);
        let conv = Conv2D(2, 3)(processed);
        let pooling = GlobalAveragePooling2D()(conv);
        let feature = Dense(10)(pooling);
        Model(inputs, feature)
    }
}

functional_model! { shared_output,
    fn shared_output(inputs: Input<3>) -> SharedOutput {
        let d = Dense(2, name = "out");
        let output_1 = d(inputs);
        let output_2 = d(inputs);
        add_metric(sum(output_2), name = "mean", aggregation = mean);
        Model(inputs, [output_1, output_2])
    }
}

#[test]
fn every_table_is_the_summary_of_its_model() {
    check(&convnet(), &Convnet::new().summary_string());
    let mut model = OfAnySize::new();
    assert_eq!(model.build(&[None, Some(17), Some(17), Some(4)]), Ok(()));
    check(&of_any_size(), &model.summary_string());
    check(&two_heads(), &TwoHeads::new().summary_string());
    check(&full_model(), &FullModel::new().summary_string());
    check(&shared_output(), &SharedOutput::new().summary_string());
}

#[test]
fn what_is_no_literal_has_no_table() {
    for layers in [
        "Dense(HIDDEN)",
        "Dense(2 * 3)",
        "Mine(3)",
        "mine::Dense(3)",
        "Conv2D(3, 30)",
        "BatchNormalization(axis = 1)",
        "Activation(glu)",
    ] {
        let graph = sequential_graph(&format!("Net<8, 8, 1>; {layers}"));
        assert_eq!(super::lines(&graph), None, "{layers}");
    }
    assert_eq!(super::lines(&sequential_graph("Net<SIZE>; Dense(3)")), None);
    assert_eq!(super::lines(&sequential_graph("Net; Dense(3)")), None);
}
