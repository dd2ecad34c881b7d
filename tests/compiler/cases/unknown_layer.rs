use keras::prelude::*;

sequential! {
    Typo<3>;
    Dens(4), //~ cannot find type `Dens`
    Dense(4),
}

fn main() {}
