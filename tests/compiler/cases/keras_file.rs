use keras::prelude::*;

#[model(keras = "no/such/model.keras")] //~ Expected a `.keras` file at
struct Missing;

#[model(keras = "Cargo.toml")] //~ Received: something else, which is no zip archive
struct NoArchive;

#[model(keras = "tests/reference/fixtures/models/mlp.h5")] //~ Received: something else, which is no zip archive
struct Older;

#[model(keras = "tests/reference/fixtures/archives/zip64.zip")] //~ Received: an archive without `model.weights.h5`
struct OtherArchive;

#[model(keras = "tests/reference/fixtures/models/unsupported.keras")]
//~^ Layer `first` of the file: Conv2D: `data_format` must be "channels_last" here. Received: data_format="channels_first"
//~^^ Layer `lstm` of the file: LSTM: this class is not supported. Supported classes: Activation, Add,
//~^^^ Layer `noise` of the file: GaussianNoise: this class is not supported. Supported classes: Activation, Add,
struct Unsupported;

#[model(keras = "tests/reference/fixtures/models/mlp.keras", custom_objects(3))] //~ `custom_objects` takes types of layers, each with
struct NoType;

#[model(keras = PATH)] //~ The path of a Keras file is a text: `#[model(keras = "model.keras")]`.
struct NoText;

#[model(keras = "tests/reference/fixtures/models/mlp.keras", in_order)] //~ `#[model]` on a struct whose layers are in a file takes
struct Further;

#[model(keras = "tests/reference/fixtures/models/mlp.keras")]
struct WithFields { //~ The layers of `WithFields` are in the file: it is written `struct WithFields;`.
    #[layer(3)]
    dense: Dense,
}

fn main() {
    // The struct is there after an error, with its functions.
    let _ = Missing::new().summary_string();
}
