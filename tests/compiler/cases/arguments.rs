use keras::prelude::*;

sequential! {
    Named<3>;
    Dense(4, activaton = relu), //~ no method named `activaton` found
}

sequential! {
    Types<3>;
    Dense(4, activation = same), //~ mismatched types
    Dense(4, use_bias = relu), //~ mismatched types
    Dropout(relu), //~ mismatched types
}

sequential! {
    Missing<8, 8, 1>;
    Conv2D(4), //~ Conv2D is missing 1 required positional argument: `kernel_size`
}

fn main() {}
