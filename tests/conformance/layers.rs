//! Every layer's output, its gradients and what it does to its state, as in `layers.json` and
//! `more_layers.json`.

use keras::arg::Size;
use keras::device::{self, Cpu, Device, Emulated};
use keras::layers::{
    Activation, Add, Average, AveragePooling2D, BatchNormalization, Concatenate, Conv2D, Dense,
    Dropout, Embedding, Flatten, GlobalAveragePooling2D, GlobalMaxPooling2D, Layer, MaxPooling2D,
    Maximum, Minimum, Multiply, Padding, RandomCrop, Rescaling, Reshape, Subtract,
};
use keras::shape::Shape;
use keras::testing::{self, LayerTest};
use ndarray::ArrayD;
use serde_json::Value;

use crate::fixture::{assert_close, load, number, tensor, tensors};

#[test]
fn layers_compute_what_keras_computes() {
    for (fixture, least) in [("layers", 150), ("more_layers", 5)] {
        let fixture = load(fixture);
        let cases = fixture["cases"].as_array().expect("a list of cases");
        assert!(cases.len() >= least, "only {} cases", cases.len());
        cases.iter().for_each(replay);
    }
}

/// Makes the layer of a case and compares.
fn replay(case: &Value) {
    let config = &case["config"];
    /// `Class(required = reader, ..), optional = reader, ..`: makes the layer with the arguments
    /// that the case has.
    macro_rules! row {
        ($class:ident($($required:ident = $read:ident),*) $(, $optional:ident = $reader:ident)*) => {{
            let known = [$(stringify!($required),)* $(stringify!($optional),)* "trainable"];
            for argument in config.as_object().into_iter().flat_map(|config| config.keys()) {
                assert!(known.contains(&argument.as_str()), "{argument} of {}", case["name"]);
            }
            #[allow(unused_mut)]
            let mut layer = $class::new($($read(&config[stringify!($required)])),*);
            $(if !config[stringify!($optional)].is_null() {
                layer = layer.$optional($reader(&config[stringify!($optional)]));
            })*
            match samples(&case["inputs"])[..] {
                [a] => compare(case, testing::layer!(layer, [a])),
                [a, b] => compare(case, testing::layer!(layer, [a, b])),
                [a, b, c] => compare(case, testing::layer!(layer, [a, b, c])),
                _ => panic!("{} has neither one, two nor three inputs", case["name"]),
            }
        }};
    }
    match text(&case["class"]) {
        "Activation" => row!(Activation(activation = activation)),
        "Add" => row!(Add()),
        "Average" => row!(Average()),
        "AveragePooling2D" => row!(
            AveragePooling2D(pool_size = pool_size),
            strides = size,
            padding = padding
        ),
        "BatchNormalization" => row!(
            BatchNormalization(),
            axis = size,
            momentum = number,
            epsilon = number,
            center = flag,
            scale = flag
        ),
        "Concatenate" => row!(Concatenate(), axis = size),
        "Conv2D" => row!(
            Conv2D(filters = size, kernel_size = size),
            strides = size,
            padding = padding,
            dilation_rate = size,
            groups = size,
            activation = activation,
            use_bias = flag
        ),
        "Dense" => row!(
            Dense(units = size),
            activation = activation,
            use_bias = flag
        ),
        "Dropout" => row!(Dropout(rate = number)),
        "Embedding" => row!(Embedding(input_dim = size, output_dim = size)),
        "Flatten" => row!(Flatten()),
        "GlobalAveragePooling2D" => row!(GlobalAveragePooling2D(), keepdims = flag),
        "GlobalMaxPooling2D" => row!(GlobalMaxPooling2D(), keepdims = flag),
        "MaxPooling2D" => row!(
            MaxPooling2D(pool_size = pool_size),
            strides = size,
            padding = padding
        ),
        "Maximum" => row!(Maximum()),
        "Minimum" => row!(Minimum()),
        "Multiply" => row!(Multiply()),
        "RandomCrop" => row!(RandomCrop(height = size, width = size)),
        "Rescaling" => row!(Rescaling(scale = number), offset = number),
        "Reshape" => row!(Reshape(target_shape = size)),
        "Subtract" => row!(Subtract()),
        class => panic!("nothing replays `{class}`"),
    }
}

/// On the CPU, and with the kernels of the GPU.
fn compare<L: Layer, const N: usize>(case: &Value, test: keras::Result<LayerTest<L, N>>) {
    compare_on::<Cpu, L, N>(case, test.clone());
    if Emulated::is_available() {
        compare_on::<Emulated, L, N>(case, test);
    }
}

fn compare_on<D: Device, L: Layer, const N: usize>(
    case: &Value,
    test: keras::Result<LayerTest<L, N>>,
) {
    let name = text(&case["name"]);
    let trainable = case["config"]["trainable"].as_bool().unwrap_or(true);
    let test = test
        .unwrap_or_else(|error| panic!("{name}: {error}"))
        .training(flag(&case["training"]))
        .trainable(trainable);
    let output = tensor(&case["output"]);
    assert_eq!(test.output_shape(), sample(&output), "{name}");

    let weights = numbers(&case["weights"]);
    let d_output = values(tensor(&case["d_output"]));
    let found = test
        .backward::<D>(&numbers(&case["inputs"]), &weights, &d_output)
        .unwrap_or_else(|error| panic!("{name}: {error}"));
    // Keras computes a variance in f32 as mean(x²) - mean(x)², which loses digits: in the one case
    // that needs this, its gradient is 3e-5 from that in f64, ours 3e-6.
    let rtol = match text(&case["class"]) {
        "BatchNormalization" => 5e-5,
        _ => 1e-5,
    };
    let close = |what: &str, found: &[f32], expected: &[f32]| {
        assert_close(&format!("{name}: {what}"), found, expected, rtol, 1e-6);
    };
    let all_close = |what: &str, found: &[Vec<f32>], expected: &[Vec<f32>]| {
        assert_eq!(found.len(), expected.len(), "{name}: the number of {what}");
        for (found, expected) in found.iter().zip(expected) {
            close(what, found, expected);
        }
    };
    close("output", &found.output, &values(output));
    all_close("d_inputs", &found.d_inputs, &numbers(&case["d_inputs"]));
    all_close("d_weights", &found.d_weights, &numbers(&case["d_weights"]));
    let state = weights.len() - found.state.len();
    let state_after = match numbers(&case["state_after"]) {
        after if after.is_empty() => weights[state..].to_vec(),
        // To Keras all weights of a frozen layer are such: the trained ones come first.
        after => after[after.len() - found.state.len()..].to_vec(),
    };
    all_close("state", &found.state, &state_after);
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

fn flag(value: &Value) -> bool {
    value.as_bool().expect("true or false")
}

/// One whole number or a list of them.
fn size(value: &Value) -> Size {
    let whole = |value: &Value| value.as_i64().expect("a whole number") as isize;
    match value.as_array() {
        Some(list) => Size::new(&list.iter().map(whole).collect::<Vec<_>>()),
        None => Size::new(&[whole(value)]),
    }
}

/// What `MaxPooling2D()` leaves out is 2.
fn pool_size(value: &Value) -> Size {
    match value {
        Value::Null => Size::new(&[2]),
        value => size(value),
    }
}

fn padding(value: &Value) -> Padding {
    match text(value) {
        "same" => Padding::Same,
        _ => Padding::Valid,
    }
}

fn activation(value: &Value) -> device::Activation {
    let name = text(value);
    device::Activation::by_name(name).unwrap_or_else(|error| panic!("{error}"))
}

/// The shape of one sample.
fn sample(tensor: &ArrayD<f32>) -> Shape {
    Shape::new(&tensor.shape()[1..])
}

fn samples(list: &Value) -> Vec<Shape> {
    tensors(list).iter().map(sample).collect()
}

fn values(tensor: ArrayD<f32>) -> Vec<f32> {
    tensor.into_iter().collect()
}

fn numbers(list: &Value) -> Vec<Vec<f32>> {
    tensors(list).into_iter().map(values).collect()
}
