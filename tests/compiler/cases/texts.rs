use keras::prelude::*;

sequential! {
    Texts<8, 8, 1>;
    Conv2D(4, 3, activation = "rleu"), //~ Could not interpret activation function identifier: rleu. Did you mean `relu`?
    Conv2D(4, 3, padding = "some"), //~ Could not interpret padding identifier: some. Did you mean `same`?
    Dense(4, "tahn"), //~ Could not interpret activation function identifier: tahn. Did you mean `tanh`?
    Dense(4, kernel_initializer = "he_norml"), //~ Could not interpret initializer identifier: he_norml. Did you mean `he_normal`?
    Dense(4, bias_regularizer = "l4"), //~ Could not interpret regularizer identifier: l4. Did you mean `l1`?
    Dense(4, kernel_constraint = "positive"), //~ Could not interpret constraint identifier: positive.
    Dense(4, use_bias = "yes"), //~ mismatched types
    Activation("convolve"), //~ Could not interpret activation function identifier: convolve.
}

fn main() {}
