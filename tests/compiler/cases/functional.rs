use keras::prelude::*;

#[model]
fn early(x: Input<3>) -> Early {
    let a = Dense(2)(b); //~ `b` is not defined here. Known tensors: x
    let b = Dense(2)(x);
    Model(x, a)
}

#[model]
fn unused(x: Input<3>, y: Input<4>) -> Unused { //~ The input `y` is not used: it is not among the inputs of `Model(..)`.
    Model(x, Dense(2)(x))
}

#[model]
fn disconnected(x: Input<3>, y: Input<3>) -> Disconnected {
    let a = Dense(2)(x);
    let part = Model(y, a); //~ Output with path `` is not connected to `inputs`: it depends on `x`, which is not among the inputs of this Model.
    Model((x, y), a + y)
}

#[model]
fn twice(x: Input<3>) -> Twice {
    let a = Dense(2, name = "same")(x);
    let b = Dense(2, name = "same")(a); //~ The name "same" is used 2 times in the model. All operation names should be unique.
    Model(x, b)
}

#[model]
fn nothing(x: Input<3>) -> Nothing { //~ The function of a model ends with the model: `Model(inputs, outputs)`.
    let a = Dense(2)(x);
}

#[model]
fn outputs(x: Input<3>) -> Outputs {
    let a = Dense(2)(x);
    Model(x, c) //~ `c` is not defined
}

#[model]
fn statements(x: Input<3>) -> Statements {
    let a = Dense(2)(x);
    while true {} //~ `while` is not part of the model language. Allowed are `let`, layer calls
    Model(x, a)
}

#[model]
fn operators(x: Input<3>) -> Operators {
    let a = Dense(2)(x);
    Model(x, a / a) //~ Tensors are combined by `+`, `-` and `*`; everything else is a layer.
}

#[model]
fn unfed(x: Input<3>) -> Unfed {
    let a = Add()([]); //~ A layer is called on at least one tensor.
    let b = Dense(2)(x);
    Model(x, [a, b])
}

#[model]
fn uncalled(x: Input<3>) -> Uncalled {
    let a = Dense(2);
    Model(x, a) //~ A tensor is expected here. Received: a layer, which is yet to be called: `Dense(10)(x)`
}

#[model]
fn inputs(x: [f32; 3]) -> Inputs { //~ Input
    Model(x, Dense(2)(x))
}

#[model]
fn no_inputs() -> NoInputs { //~ A functional model has at least one input: a parameter such as `x: Input<28, 28, 1>`.
    Model((), ()) //~ A model has at least one input and one output.
    //~^ A model has at least one input and one output.
}

fn main() {}
