use keras::prelude::*;

const HIDDEN: usize = 0;

sequential! {
    Zero<8>;
    Dense(0), //~ Received an invalid value for `units`, expected a positive integer. Received: units=0
    Dense(-3), //~ Received an invalid value for `units`, expected a positive integer. Received: units=-3
    Dense(HIDDEN * 2), //~ Received an invalid value for `units`, expected a positive integer. Received: units=0
    Dense((2, 3)), //~ Dense: units must be one number. Received: (2, 3)
}

sequential! {
    UnknownFeatures<_>;
    Dense(4), //~ Dense layer `dense`: The last dimension of the inputs to a Dense layer should be defined. Found None. Full input shape received: (None, None)
}

fn main() {}
