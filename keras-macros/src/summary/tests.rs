//! What has a table; what is in it is held against the models' own summaries by `tests/language`.

use crate::ctxt::Ctxt;
use crate::graph::{self, Graph};
use crate::parse::sequential::{Sequential, unnamed};

fn sequential_graph(tokens: &str) -> Graph {
    let ctxt = Ctxt::new();
    let parsed = Sequential::parse(&ctxt, tokens.parse().unwrap());
    let head = parsed.head.clone().unwrap_or_else(unnamed);
    let graph = graph::sequential::graph(&ctxt, &head, &parsed);
    assert_eq!(ctxt.messages(), [""; 0]);
    graph
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
        "Dense(9_999_999_999), Dense(9_999_999_999)",
        "Conv2D(1, 9_999_999_999, dilation_rate = 9_999_999_999, padding = same)",
    ] {
        let graph = sequential_graph(&format!("Net<8, 8, 1>; {layers}"));
        assert_eq!(super::lines(&graph), None, "{layers}");
    }
    assert_eq!(super::lines(&sequential_graph("Net<SIZE>; Dense(3)")), None);
    assert_eq!(super::lines(&sequential_graph("Net; Dense(3)")), None);
}
