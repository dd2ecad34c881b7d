use keras::prelude::sequential;

sequential! {
    NoLayers<3>;
    Dense(4), //~ cannot find type `Dense`
}

fn main() {}
