use keras::prelude::*;

const BUDGET: usize = 100_000;
const MAX_PARAMS: usize = 1_000;
const MAX_FLOPS: usize = 50;

sequential! {
    #[model(max_params = BUDGET)] //~ Model `mlp` has 101,770 parameters, more than the 100,000 of max_params. Its largest layer is `dense` with 100,480.
    Mlp<784>;
    Dense(128, activation = relu),
    Dense(10, activation = softmax),
}

#[model(max_params = 2 * MAX_PARAMS)] //~ Model `shared` has 2,210 parameters, more than the 2,000 of max_params.
fn shared(x: Input<10>) -> Shared {
    let dense = Dense(10);
    let h = dense(dense(dense(x)));
    Model(x, Dense(100, name = "max_params")(h) + Dense(100, use_bias = false, trainable = false)(h))
}

#[model(
    input = [4],
    max_params = 39, //~ Model `struct_of_layers` has 40 parameters, more than the 39 of max_params.
)]
struct StructOfLayers {
    #[layer(4)]
    dense: Dense,
    #[layer(4)]
    other: Dense,
}

#[model]
impl StructOfLayers {
    fn call(&self, x: Tensor) -> Tensor {
        self.other(self.dense(x))
    }
}

/// One mistake is one error.
#[model(max_params = 1)]
fn wrong(x: Input<3>) -> Wrong {
    Model(x, Dense(100)(Conv2D(2, 2)(x))) //~ Conv2D layer `conv2d`
}

sequential! {
    #[model(max_params = 10)] //~ Model `deferred`: max_params cannot be checked, as the sizes of `dense` are not known before data arrives. Declare the shape of the input.
    Deferred;
    Dense(3),
}

#[model(
    max_memory = 4_000, //~ Model `one_of_each` takes 4,304 bytes for a sample, more than the 4,000 of max_memory. Its largest layer is `max_flops` with 2,944.
    max_flops = 10 * MAX_PARAMS, //~ Model `one_of_each` takes 10,688 operations for a sample, more than the 10,000 of max_flops. Its largest layer is `max_flops` with 10,368.
    max_params = MAX_FLOPS, //~ Model `one_of_each` has 330 parameters, more than the 50 of max_params. Its largest layer is `dense` with 170.
)]
fn one_of_each(image: Input<12, 12, 1>) -> OneOfEach {
    let h = Conv2D(16, 3, padding = same, strides = 2, name = "max_flops")(image);
    Model(image, Dense(10)(GlobalAveragePooling2D()(h)))
}

#[model(max_flops = 1, max_memory = 1)] //~ Model `of_any_size`: max_memory cannot be checked, as the sizes of `conv2d` are not known before data arrives.
fn of_any_size(image: Input<_, _, 1>) -> OfAnySize { //~^ Model `of_any_size`: max_flops cannot be checked, as the sizes of `conv2d` are not known before data arrives.
    Model(image, GlobalAveragePooling2D()(Conv2D(16, 3)(image)))
}

sequential! {
    #[model(gradcheck)] //~ `gradcheck` makes data of its own for the model: it needs the shape of each input.
    Shapeless;
    Dense(3),
}

sequential! {
    #[model(max_params = "10")] //~ mismatched types
    Text<3>;
    Dense(3),
}

sequential! {
    #[model(input = [3])] //~ `#[model]` in `sequential!` takes `max_params = 100_000`, `max_memory`, `max_flops`, `gradcheck`, `compile(..)` and `callbacks(..)`. Received: input = [3]
    Input<3>;
    Dense(3),
}

sequential! {
    #[model] //~ `#[model]` in `sequential!` takes `max_params = 100_000`, `max_memory`, `max_flops`, `gradcheck`, `compile(..)` and `callbacks(..)`.
    Nothing<3>;
    Dense(3),
}

#[model(input = [3])] //~ `#[model]` on a function takes `max_params = 100_000`, `max_memory`, `max_flops`, `gradcheck`, `compile(..)` and `callbacks(..)`; its parameters are the inputs. Received: input = [3]
fn function(x: Input<3>) -> Function {
    Model(x, Dense(3)(x))
}

fn main() {}
