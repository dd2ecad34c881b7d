use keras::prelude::*;

sequential! {
    Empty<3>; //~ 
}

sequential! {
    Names<3>;
    Dense(4, name = "a"),
    Dense(4, name = "a"), //~ All layers added to a Sequential model should have unique names. Name 'a' is already the name of a layer in this model.
    Dense(4, name = "b/c"), //~ must be a string and cannot contain character `/`
    Dense(4, name = 3), //~ name
    Dense(4, trainable = 1), //~ trainable
    Dense(units = 4, units = 5), //~ units
}

fn main() {}
