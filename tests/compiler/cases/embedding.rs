use keras::prelude::*;

sequential! {
    Arguments<5>;
    Embedding(0, 4), //~ `input_dim` must be a positive integer. Received: input_dim=0
    Embedding(10, (3, 4)), //~ `output_dim` must be a positive integer. Received: output_dim=(3, 4)
    Embedding(20000000, 4), //~ Embedding: `input_dim` is at most 16777216, as inputs are `f32`. Received: input_dim=20000000
    Embedding(10, 4, mask_zero = true), //~ `mask_zero` makes a mask for the layers that follow, and none of them reads one.
}

sequential! {
    Missing<5>;
    Embedding(10), //~ Embedding is missing 1 required positional argument: `output_dim`
}

sequential! {
    Axes<2, 2, 2, 2, 2, 2>;
    Embedding(10, 4), //~ Embedding layer `embedding`: input is incompatible with the layer: expected max_ndim=6, found ndim=7
}

#[model]
fn nested(a: Input<3>, b: Input<3>, c: Input<3>) -> Nested {
    Model([a, [b, c]], a + b + c) //~ Only dicts, lists, and tuples of input tensors are supported. Nested inputs are not supported
}

fn main() {}
