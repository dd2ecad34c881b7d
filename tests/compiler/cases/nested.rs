use keras::prelude::*;

#[model]
fn lists(x: Input<3>, y: Input<3>, z: Input<3>) -> Lists {
    Model([x, [y, z]], x + y + z) //~ Only dicts, lists, and tuples of input tensors are supported. Nested inputs are not supported (e.g. lists of list or dicts of dict).
}

#[model]
fn dicts(x: Input<3>, y: Input<3>) -> Dicts {
    Model(Dict { a: Dict { b: x }, c: (y,) }, x + y) //~ Only dicts, lists, and tuples of input tensors are supported.
    //~^ Only dicts, lists, and tuples of input tensors are supported.
}

#[model(input = ([3], [3], [3]))]
struct Call {
    #[layer(2)]
    dense: Dense,
}

#[model]
impl Call {
    fn call(&self, (x, (y, z)): (Tensor, (Tensor, Tensor))) -> Tensor { //~ Nested inputs are not supported
        self.dense(x + y + z)
    }
}

#[model(input = [3])]
struct Modes {
    #[layer(2)]
    dense: Dense,
}

#[model]
impl Modes {
    fn call(&self, x: Tensor, training: bool) -> Tensor {
        let y = self.dense(x);
        if training {
            [[y, x], y] //~ `call` puts its outputs together in another way in training than in inference.
        } else {
            [y, [x, y]]
        }
    }
}

fn main() {}
