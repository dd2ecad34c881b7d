use keras::prelude::*;

const EPSILON: f64 = 1e-7;

#[loss]
fn constants(y_true: Tensor, y_pred: Tensor) -> Tensor {
    mean(square(y_pred + EPSILON + MISSING), axis = -1) //~ cannot find value `MISSING` in this scope
    //~^ mismatched types
}

#[loss]
fn configured(y_true: Tensor, y_pred: Tensor, delta: f32) -> Tensor {
    mean(delta * y_pred, axis = -1)
}

#[layer]
struct Scale {
    #[weight(ones)]
    by: Tensor,
}

#[layer]
impl Scale {
    fn call(&self, x: Tensor) -> Tensor {
        self.by * x
    }
}

sequential! {
    Net<4>;
    Scale(by = 3.0), //~ no method named `by` found for struct `Scale` in the current scope
}

#[model]
fn two_inputs(a: Input<4>, b: Input<4>) -> TwoInputs {
    let y = Scale()(a, b); //~ Scale layer `scale`: expects 1 input, but it received 2 input tensors
    Model((a, b), y)
}

fn main() {
    let _ = Configured::new(); //~ this function takes 1 argument but 0 arguments were supplied
}
