use keras::prelude::*;

sequential! {
    TooMany<3, 4>;
    Reshape((5, 2)), //~ Reshape layer `reshape`: The total size of the tensor must be unchanged. Received: input_shape=(3, 4), target_shape=(5, 2)
}

sequential! {
    Odd<7>;
    Reshape((-1, 2)), //~ cannot by divided by the specified dimensions in target_shape. Received: input_shape=(7,), target_shape=(-1, 2)
}

sequential! {
    Targets<12>;
    Reshape((-1, -1)), //~ There must be at most one unknown dimension (-1) in `target_shape`. Received: target_shape=(-1, -1).
    Reshape((2, -3)), //~ Each dimension in `target_shape` must be a non-negative integer, or `-1` for a single unknown dimension. Received: target_shape=(2, -3).
    Dropout(1.5), //~ Invalid value received for argument `rate`. Expected a float value between 0 and 1. Received: rate=1.5
    Dropout(-0.1), //~ Invalid value received for argument `rate`. Expected a float value between 0 and 1. Received: rate=-0.1
    Concatenate(axis = 0), //~ A `Concatenate` layer cannot work along the batch axis. Received: axis=0
}

sequential! {
    Several<8>;
    Dense(4),
    Reshape((3, 3)), //~ Reshape layer `reshape`: The total size of the tensor must be unchanged. Received: input_shape=(4,), target_shape=(3, 3)
    Dense(7),
    Reshape((2, 2)),
    Dense(0), //~ Received an invalid value for `units`, expected a positive integer. Received: units=0
}

fn main() {}
