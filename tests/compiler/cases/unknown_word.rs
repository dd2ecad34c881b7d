use keras::prelude::*;

sequential! {
    Words<3>;
    Dense(4, activation = rleu), //~ cannot find value `rleu`
}

fn main() {}
