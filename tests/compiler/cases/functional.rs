use keras::prelude::*;

#[model]
fn early(x: Input<3>) -> Early {
    let a = Dense(2)(b); //~ `b` is not defined
    let b = Dense(2)(x);
    Model(x, a)
}

#[model]
fn unused(x: Input<3>, y: Input<4>) -> Unused { //~ `y`
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
fn nothing(x: Input<3>) -> Nothing { //~ Model
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
    while true {} //~ 
    Model(x, a)
}

#[model]
fn operators(x: Input<3>) -> Operators {
    let a = Dense(2)(x);
    Model(x, a / a) //~ 
}

fn main() {}
