//! Models as Keras 3.15 writes them, shortened to what is read.

use super::*;

fn described(text: &str) -> Result<Description, Vec<String>> {
    let json = Json::parse(text).expect("valid JSON");
    read(&json).map_err(|problems| {
        let text = |problem: &Problem| format!("{}: {}", problem.layer, problem.message);
        problems.iter().map(text).collect()
    })
}

/// `name: class(inputs)` of each call; inputs are `#n`, what calls give follows them.
fn calls(description: &Description) -> Vec<String> {
    let text = |call: &Call| {
        let layer = &description.layers[call.layer];
        let inputs: Vec<String> = call
            .inputs
            .iter()
            .map(|value| format!("#{value}"))
            .collect();
        format!(
            "{}: {}({})",
            layer.name,
            layer.class_name,
            inputs.join(", ")
        )
    };
    description.calls.iter().map(text).collect()
}

fn outputs(description: &Description) -> Vec<String> {
    let outputs = description.outputs.iter();
    outputs
        .map(|output| format!("{} #{}", output.name, output.value))
        .collect()
}

fn tensor(layer: &str, node: usize) -> String {
    format!(
        r#"{{"class_name": "__keras_tensor__", "config": {{"shape": [null, 3], "keras_history": ["{layer}", {node}, 0]}}}}"#
    )
}

fn node(args: &[String]) -> String {
    format!(
        r#"{{"args": [{}], "kwargs": {{"mask": null}}}}"#,
        args.join(", ")
    )
}

fn layer(module: &str, class: &str, name: &str, config: &str, nodes: &[String]) -> String {
    format!(
        r#"{{"module": "{module}", "class_name": "{class}", "config": {{"name": "{name}"{config}}}, "name": "{name}",
            "inbound_nodes": [{}]}}"#,
        nodes.join(", ")
    )
}

fn dense(name: &str, on: &[String]) -> String {
    let nodes: Vec<String> = on.iter().map(|on| node(std::slice::from_ref(on))).collect();
    layer("keras.layers", "Dense", name, r#", "units": 3"#, &nodes)
}

fn input(name: &str) -> String {
    layer(
        "keras.layers",
        "InputLayer",
        name,
        r#", "batch_shape": [null, 3]"#,
        &[],
    )
}

fn functional(
    name: &str,
    layers: &[String],
    inputs: &str,
    outputs: &str,
    nodes: &[String],
) -> String {
    let layers = layers.join(", ");
    let config =
        format!(r#", "layers": [{layers}], "input_layers": {inputs}, "output_layers": {outputs}"#);
    layer(
        "keras.src.models.functional",
        "Functional",
        name,
        &config,
        nodes,
    )
}

#[test]
fn a_sequential_model_is_a_chain() {
    let description = described(
        r#"{"module": "keras", "class_name": "Sequential", "config": {"name": "net", "trainable": true, "layers": [
            {"class_name": "InputLayer", "config": {"batch_shape": [null, 8, null, 1], "name": "pixels"}},
            {"class_name": "Flatten", "config": {"name": "flatten"}},
            {"class_name": "Dense", "config": {"name": "dense", "trainable": false, "units": 3}},
            {"class_name": "Dense", "config": {"name": "dense_1", "units": 2}}]}}"#,
    )
    .expect("it can be expressed");
    assert_eq!(description.kind, Kind::Sequential);
    let expected = [
        "flatten: Flatten(#0)",
        "dense: Dense(#1)",
        "dense_1: Dense(#2)",
    ];
    assert_eq!(calls(&description), expected);
    assert_eq!(outputs(&description), ["dense_1 #3"]);
    let input = Input {
        name: "pixels".into(),
        shape: Some(vec![Some(8), None, Some(1)]),
    };
    assert_eq!(description.inputs, [input]);
    let groups: Vec<&str> = description
        .layers
        .iter()
        .map(|l| l.group.as_str())
        .collect();
    assert_eq!(groups, ["layers/flatten", "layers/dense", "layers/dense_1"]);
    let trainable: Vec<bool> = description.layers.iter().map(|l| l.trainable).collect();
    assert_eq!(trainable, [true, false, true]);
}

#[test]
fn calls_come_after_what_they_depend_on() {
    // A layer that is called on what comes of its first call stands before the other in the file.
    let layers = [
        input("x"),
        dense("shared", &[tensor("x", 0), tensor("between", 0)]),
        dense("between", &[tensor("shared", 0)]),
    ];
    let model = functional(
        "net",
        &layers,
        r#"["x", 0, 0]"#,
        r#"{"a": ["shared", 1, 0], "b": ["shared", 0, 0]}"#,
        &[],
    );
    let description = described(&model).expect("it can be expressed");
    let expected = [
        "shared: Dense(#0)",
        "between: Dense(#1)",
        "shared: Dense(#2)",
    ];
    assert_eq!(calls(&description), expected);
    assert_eq!(outputs(&description), ["a #3", "b #1"]);
    assert_eq!(description.structure, Structure::Dict);
}

#[test]
fn operations_are_layers() {
    let number = |number: &str| number.to_owned();
    let op = |class: &str, name: &str, args: &[String]| {
        layer("keras.src.ops.numpy", class, name, "", &[node(args)])
    };
    let list = format!("[{}, {}]", tensor("add", 0), tensor("x", 0));
    let layers = [
        input("x"),
        op("Multiply", "multiply", &[tensor("x", 0), number("2")]),
        op(
            "Subtract",
            "subtract",
            &[number("1.5"), tensor("multiply", 0)],
        ),
        op("Add", "add", &[tensor("subtract", 0), tensor("x", 0)]),
        layer(
            "keras.src.ops.numpy",
            "Concatenate",
            "concatenate",
            r#", "axis": 1"#,
            &[node(&[list])],
        ),
        layer(
            "keras.src.ops.nn",
            "Relu",
            "relu",
            "",
            &[node(&[tensor("concatenate", 0)])],
        ),
    ];
    let model = functional("net", &layers, r#"["x", 0, 0]"#, r#"["relu", 0, 0]"#, &[]);
    let description = described(&model).expect("it can be expressed");
    let expected = [
        "multiply: Rescaling(#0)",
        "subtract: Rescaling(#1)",
        "add: Add(#2, #0)",
        "concatenate: Concatenate(#3, #0)",
        "relu: Activation(#4)",
    ];
    assert_eq!(calls(&description), expected);
    let config = |at: usize| Json::from(description.layers[at].config.clone()).to_string();
    assert_eq!(config(0), r#"{"scale": 2.0, "offset": 0.0}"#);
    assert_eq!(config(1), r#"{"scale": -1.0, "offset": 1.5}"#);
    assert_eq!(config(3), r#"{"axis": 1}"#);
    assert_eq!(config(4), r#"{"activation": "relu"}"#);
    assert!(
        description
            .layers
            .iter()
            .all(|layer| layer.group.is_empty())
    );
}

#[test]
fn nested_models_become_their_layers() {
    let inner = |nodes: &[String]| {
        let layers = [
            input("in"),
            dense("dense", &[tensor("in", 0)]),
            dense("last", &[tensor("dense", 0)]),
        ];
        functional(
            "inner",
            &layers,
            r#"["in", 0, 0]"#,
            r#"[["last", 0, 0], ["dense", 0, 0]]"#,
            nodes,
        )
    };
    let second =
        r#"{"class_name": "__keras_tensor__", "config": {"keras_history": ["inner", 0, 1]}}"#;
    let layers = [
        input("x"),
        dense("dense", &[tensor("x", 0)]),
        inner(&[node(&[tensor("dense", 0)]), node(&[second.to_owned()])]),
    ];
    // Keras counts the calls of a functional model from 1 here.
    let model = functional(
        "net",
        &layers,
        r#"[["x", 0, 0]]"#,
        r#"[["inner", 2, 0], ["inner", 1, 0]]"#,
        &[],
    );
    let description = described(&model).expect("it can be expressed");
    let expected = [
        "dense: Dense(#0)",
        "inner_dense: Dense(#1)",
        "last: Dense(#2)",
        "inner_dense: Dense(#2)",
        "last: Dense(#4)",
    ];
    assert_eq!(calls(&description), expected);
    assert_eq!(outputs(&description), ["inner #5", "inner_1 #3"]);
    let place = |layer: &Layer| format!("{} {}", layer.outermost, layer.group);
    let places: Vec<String> = description.layers.iter().map(place).collect();
    let expected = [
        "dense layers/dense",
        "inner layers/functional/layers/dense",
        "inner layers/functional/layers/dense_1",
    ];
    assert_eq!(places, expected);
}

#[test]
fn the_files_of_keras_2_are_read() {
    let description = described(
        r#"{"class_name": "Functional", "config": {"name": "model", "layers": [
            {"class_name": "InputLayer", "config": {"batch_input_shape": [null, 3], "name": "a"}, "name": "a", "inbound_nodes": []},
            {"class_name": "Dense", "config": {"name": "d", "units": 3}, "name": "d", "inbound_nodes": [[["a", 0, 0, {}]]]},
            {"class_name": "Add", "config": {"name": "add"}, "name": "add", "inbound_nodes": [[["a", 0, 0, {}], ["d", 0, 0, {}]]]}],
            "input_layers": [["a", 0, 0]], "output_layers": [["add", 0, 0]]}}"#,
    )
    .expect("it can be expressed");
    assert_eq!(calls(&description), ["d: Dense(#0)", "add: Add(#0, #1)"]);
    assert_eq!(description.inputs[0].shape, Some(vec![Some(3)]));
    assert_eq!(description.structure, Structure::Single);
}

#[test]
fn all_problems_are_found_at_once() {
    let op = layer(
        "keras.src.ops.numpy",
        "Sort",
        "sort",
        "",
        &[node(&[tensor("x", 0)])],
    );
    let power = layer(
        "keras.src.ops.numpy",
        "Power",
        "power",
        "",
        &[node(&[tensor("x", 0), "2".into()])],
    );
    let abs = layer(
        "keras.src.ops.numpy",
        "Absolute",
        "absolute",
        "",
        &[node(&[tensor("sort", 0)])],
    );
    let layers = [input("x"), op, power, abs];
    let model = functional(
        "net",
        &layers,
        r#"["x", 0, 0]"#,
        r#"[["absolute", 0, 0], ["power", 0, 0]]"#,
        &[],
    );
    let problems = described(&model).expect_err("nothing of this is supported");
    assert_eq!(problems.len(), 3, "{problems:#?}");
    assert!(problems[0].starts_with("sort: the operation Sort is not supported"));
    assert!(problems[1].starts_with("power: the operation Power is not supported"));
    assert!(problems[2].starts_with("absolute: the operation Absolute is not supported"));
}

/// Keras 3 writes the default of a Dropout's `training` into each of its calls.
#[test]
fn a_mode_that_is_written_down_is_no_matter() {
    for training in [false, true] {
        let call = format!(
            r#"{{"args": [{}], "kwargs": {{"training": {training}}}}}"#,
            tensor("x", 0)
        );
        let dropout = layer(
            "keras.layers",
            "Dropout",
            "dropout",
            r#", "rate": 0.5"#,
            &[call],
        );
        let model = functional(
            "net",
            &[input("x"), dropout],
            r#"["x", 0, 0]"#,
            r#"["dropout", 0, 0]"#,
            &[],
        );
        let description = described(&model).expect("a Dropout is supported");
        assert_eq!(description.layers.len(), 1);
    }
}

#[test]
fn layers_are_listed_whether_or_not_the_model_makes_sense() {
    let inner = functional("inner", &[input("x"), dense("b", &[])], "3", "null", &[]);
    let model = functional(
        "net",
        &[input("x"), dense("a", &[tensor("y", 0)]), inner],
        "3",
        "null",
        &[],
    );
    let json = Json::parse(&model).expect("valid JSON");
    let names = layers(&json)
        .into_iter()
        .map(|layer| format!("{} {}", layer.name, layer.class_name));
    assert_eq!(names.collect::<Vec<_>>(), ["a Dense", "b Dense"]);
}

#[test]
fn what_is_no_model_is_an_error() {
    let circle = [
        input("x"),
        dense("a", &[tensor("b", 0)]),
        dense("b", &[tensor("a", 0)]),
    ];
    let circle = functional("net", &circle, r#"["x", 0, 0]"#, r#"["b", 0, 0]"#, &[]);
    let missing = [input("x"), dense("a", &[tensor("y", 0)])];
    let missing = functional("net", &missing, r#"["x", 0, 0]"#, r#"["a", 0, 0]"#, &[]);
    let often = [input("x"), dense("a", &[tensor("x", 0)])];
    let often = functional("net", &often, r#"["x", 0, 0]"#, r#"["a", 7, 0]"#, &[]);
    let mut deep = dense("dense", &[]);
    for name in ["a", "b"] {
        deep = format!(
            r#"{{"class_name": "Sequential", "config": {{"name": "{name}", "layers": [{deep}]}}}}"#
        );
    }
    assert_eq!(
        calls(&described(&deep).expect("a chain in a chain")),
        ["dense: Dense(#0)"]
    );
    for (model, message) in [
        (
            "3",
            "model: expected an object with a `class_name` and a `config`. Received: 3",
        ),
        (
            r#"{"class_name": "Sequential", "config": {"name": "s", "layers": []}}"#,
            "s: a Sequential model without layers cannot be built",
        ),
        (
            r#"{"class_name": "MyModel", "config": {"name": "m"}}"#,
            "m: models of the class MyModel are made by Python code, which the file does not have. Supported models: \
             Sequential, Functional",
        ),
        (
            r#"{"class_name": "Sequential", "config": {"layers": [{"class_name": "Dense"}]}}"#,
            "model: expected a layer with a `class_name` and a `config`. Received: {\"class_name\": \"Dense\"}",
        ),
        (
            &circle,
            "net: the calls of its layers depend on each other in a circle",
        ),
        (&missing, "net: there is no layer `y`"),
        (
            &often,
            "net: the layer `a` is used as if it had been called 8 times",
        ),
    ] {
        assert_eq!(described(model), Err(vec![message.to_owned()]), "{model}");
    }
}

/// A model that is called twice in a model that is called twice, and so on: two to the 30th calls.
#[test]
fn models_within_models_have_an_end() {
    let twice = |name: &str| {
        let first = node(&[tensor("x", 0)]);
        [first, node(&[tensor(name, 0)])]
    };
    let nodes = twice("m0");
    let mut model = layer("keras.layers", "Dense", "m0", "", &nodes);
    for depth in 1..=30 {
        let (inner, name) = (depth - 1, format!("m{depth}"));
        // Keras counts the calls of a functional model from 1 here.
        let last = if inner == 0 { 1 } else { 2 };
        let layers = [input("x"), model];
        let output = format!(r#"["m{inner}", {last}, 0]"#);
        model = functional(&name, &layers, r#"["x", 0, 0]"#, &output, &twice(&name));
    }
    let problems = described(&model).expect_err("too many calls");
    assert_eq!(
        problems,
        ["m0: the model calls layers more than 100000 times"]
    );
}
