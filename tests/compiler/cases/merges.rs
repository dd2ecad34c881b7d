use keras::prelude::*;

#[model]
fn added(a: Input<3>, b: Input<4>) -> Added {
    let sum = a + b; //~ Add layer `add`: Inputs have incompatible shapes. Received shapes (3,) and (4,)
    let difference = a - b; //~ Subtract layer `subtract`: Inputs have incompatible shapes. Received shapes (3,) and (4,)
    let product = Multiply()([a, b]); //~ Multiply layer `multiply`: Inputs have incompatible shapes. Received shapes (3,) and (4,)
    let average = Average()([a, b]); //~ Average layer `average`: Inputs have incompatible shapes. Received shapes (3,) and (4,)
    let maximum = Maximum()([a, b]); //~ Maximum layer `maximum`: Inputs have incompatible shapes. Received shapes (3,) and (4,)
    let minimum = Minimum()([a, b]); //~ Minimum layer `minimum`: Inputs have incompatible shapes. Received shapes (3,) and (4,)
    Model((a, b), [sum, difference, product, average, maximum, minimum])
}

#[model]
fn joined(a: Input<2, 3>, b: Input<4, 3>, c: Input<3>) -> Joined {
    let last = Concatenate()([a, b]); //~ A `Concatenate` layer requires inputs with matching shapes except for the concatenation axis. Received: input_shape=[(None, 2, 3), (None, 4, 3)]
    let ranks = Concatenate()([a, c]); //~ A `Concatenate` layer requires inputs with matching shapes except for the concatenation axis. Received: input_shape=[(None, 2, 3), (None, 3)]
    let none = Concatenate(axis = 3)([a, a]); //~ A `Concatenate` layer cannot work along axis 3 of its inputs
    let three = Subtract()([a, a, a]); //~ Subtract layer `subtract`:
    let dense = Dense(2)([a, b]); //~ Dense layer `dense`: expects 1 input, but it received 2 input tensors
    Model((a, b, c), [last, ranks, none, three, dense])
}

#[model]
fn shared(a: Input<3>, b: Input<4>) -> Shared {
    let encoder = Dense(8);
    let first = encoder(a);
    let second = encoder(b); //~ Dense layer `dense`: called before on input of shape (None, 3), it shares its weights with this call and cannot take shape (None, 4)
    Model((a, b), first + second)
}

fn main() {}
