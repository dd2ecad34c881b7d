use keras::prelude::*;

const RATE: usize = 3;

#[model]
fn tensors(x: Input<3>) -> Tensors {
    let a = Dense(2)(x);
    add_loss(a); //~ One number is expected here: a tensor is reduced by `sum`, `mean`, `max` or `min`, over all of its elements. Received: a
    add_loss(mean(a) * mean(a)); //~ Numbers of tensors are added and subtracted, multiplied by constants and divided by them.
    add_loss(mean(a, axis = -1)); //~ `mean` takes one argument here, and all of its elements.
    add_loss(0.5); //~ `add_loss` takes a number that depends on the model. Received: a constant
    add_loss(sqrt(mean(a) + sum(x))); //~ A function is applied to one reduced tensor here
    add_loss(mean(b)); //~ `b` is not defined here. Known tensors: x, a
    Model(x, a)
}

#[model]
fn metrics(x: Input<3>) -> Metrics {
    let a = Dense(2)(x);
    add_metric(mean(a)); //~ Please provide a name for your metric
    add_metric(mean(a), name = "m", aggregation = sum); //~ The aggregation of an added metric is the mean over the batches
    add_metric(mean(a), name = "n", axis = 1); //~ `add_metric` takes one number, `name` and `aggregation`.
    Model(x, a)
}

#[model]
fn twice(x: Input<3>) -> Twice {
    let a = Dense(2)(x);
    add_metric(mean(a), name = "m");
    add_metric(sum(a), name = "m"); //~ There are two metrics named "m".
    Model(x, a)
}

#[model]
fn types(x: Input<3>) -> Types {
    let a = Dense(2)(x);
    add_loss(RATE * mean(a)); //~ mismatched types
    Model(x, a)
}

sequential! {
    Listed<3>;
    add_metric(mean(x)), //~ Please provide a name for your metric
    Dense(2),
    add_loss(x), //~ One number is expected here: a tensor is reduced by `sum`, `mean`, `max` or `min`, over all of its elements. Received: x
    add_loss(mean(y)), //~ `y` is not defined here. Known tensors: x
    add_loss(mean(x * x)), //~ This expression is not part of the model language. What a list of layers adds is a number of `x`
    add_loss(mean(Dense(2)(x))), //~ This expression is not part of the model language. What a list of layers adds is a number of `x`
}

sequential! {
    OnlyAdded<3>; //~ Sequential model only_added cannot be built because it has no layers.
    add_loss(mean(x)),
}

fn main() {}
