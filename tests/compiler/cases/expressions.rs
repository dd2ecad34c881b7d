use keras::prelude::*;

#[loss]
fn names(y_true: Tensor, y_pred: Tensor) -> Tensor {
    let error = y_pred - y_tru; //~ There is no value `y_tru` here. Did you mean `y_true`?
    let size = sqare(y_pred); //~ The tensor language has no function `sqare`. Did you mean `square`?
    mean(error * size, axis = -1)
}

#[loss]
fn ranks(y_true: Tensor, y_pred: Tensor) -> Tensor {
    let centered = y_pred - mean(y_pred, axis = -1); //~ Shapes (batch, features) and (batch) cannot be combined
    let everything = mean(y_true); //~ Without an axis, `mean` takes the samples of a batch together; a loss has a value for each of them.
    let first = sum(y_pred, axis = 0); //~ `axis = -1` is the only one they know.
    sum(centered, axis = -1)
}

#[loss]
fn gradients(y_true: Tensor, y_pred: Tensor) -> Tensor {
    let steps = floor(y_pred); //~ A rounded number has no gradient
    let hit = y_pred > 0.5; //~ A yes or no has no gradient
    let class = argmax(y_pred, axis = -1); //~ A place has no gradient
    mean(steps + hit, axis = -1) + class
}

#[loss]
fn constant(y_true: Tensor, y_pred: Tensor) -> Tensor { //~ The loss has no gradient with regard to `y_pred`
    mean(y_true, axis = -1)
}

#[loss]
fn statements(y_true: Tensor, y_pred: Tensor) -> Tensor {
    let mut sum = 0.0; //~ Values of an expression do not change
    for i in 0..3 { //~ `for` is not part of the tensor language. Allowed are `let`
        sum += 1.0;
    }
    println!("{sum}"); //~ A macro is not part of the tensor language.
    return y_pred; //~ `return` is not part of the tensor language.
}

#[loss]
fn missing_value(y_true: Tensor, y_pred: Tensor) -> Tensor { //~ `missing_value` ends in its value: an expression without `;`.
    let error = y_pred - y_true;
}

#[loss]
fn signature(y_pred: Tensor) -> f32 { //~ A loss compares two tensors
    //~^ A loss gives a `Tensor`: write `-> Tensor`. Received: f32
    y_pred
}

#[loss(delta = 1.0)] //~ `#[loss]` takes no arguments: what configures it is a parameter
fn arguments(y_true: Tensor, y_pred: Tensor, delta: u8) -> Tensor { //~ A parameter is a `Tensor`, or an `f32` or a `bool` that configures. Received: u8
    mean(y_pred, axis = -1)
}

#[loss]
fn types(y_true: Tensor, y_pred: Tensor) -> Tensor {
    let both = y_true & y_pred; //~ An operand of `&` and `|` is yes or no. Received: numbers
    //~^ An operand of `&` and `|` is yes or no. Received: numbers
    let chosen = if y_pred { 1.0 } else { 0.0 }; //~ The condition of an `if` is yes or no. Received: numbers
    mean(y_pred, axis = -1)
}

#[metric]
struct Hits {
    threshold: f32,
    #[weight(zeros)]
    hits: f32,
    #[weight(glorot_uniform)]
    wrong_start: f32,
    names: String, //~ A field is an `f32` or a `bool` that configures, or a weight
}

#[metric]
struct Counts {
    threshold: f32,
    #[weight(zeros)]
    count: f32,
}

#[metric]
impl Counts {
    fn update_state(&mut self, y_true: Tensor, y_pred: Tensor, sample_weight: Option<Tensor>) {
        self.cuont += sum(y_pred); //~ The metric has no weight `cuont`. Its weights: count
        self.threshold += sum(y_pred); //~ `threshold` is no weight of the metric
        self.count += y_pred; //~ `count` is one number. Received: a value of shape (batch, features)
        self.count += sum(y_pred * sample_weight); //~ `sample_weight` may be missing
    }
    fn result(&self) -> f32 {
        self.total //~ The metric has no field `total`. Its fields: count, threshold
    }
}

#[metric]
struct Halves {
    #[weight(zeros)]
    count: f32,
}

#[metric]
impl Halves { //~ The metric has no `result`: write `fn result(&self) -> f32 { .. }`.
    fn update_state(&self, y_true: Tensor) {} //~ The signature is `fn update_state(&mut self, y_true: Tensor, y_pred: Tensor, sample_weight: Option<Tensor>)`
    fn helper(&self) {} //~ The impl of a metric consists of `update_state` and `result`
}

#[layer]
struct Shift {
    #[weight(zeros)]
    by: Tensor,
}

#[layer]
impl Shift {
    fn call(&self, x: Tensor) -> Tensor {
        mean(x + self.offset, axis = -1) //~ The layer has no field `offset`. Its fields: by
    }
}

#[layer]
struct Narrow {
    #[weight(zeros)]
    by: Tensor,
}

#[layer]
impl Narrow {
    fn call(&self, x: Tensor) -> Tensor {
        mean(x + self.by, axis = -1) //~ The output of a layer that is an expression has the shape of its input, (batch, features). Received: (batch)
    }
}

#[loss]
struct NotAFunction; //~ `#[loss]` belongs on a function of targets and predictions.

fn main() {
    let _ = Counts::new(0.5);
}
