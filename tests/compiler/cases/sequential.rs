use keras::prelude::*;

sequential! {
    Empty<3>; //~ Sequential model empty cannot be built because it has no layers.
}

sequential! {
    Names<3>;
    Dense(4, name = "a"),
    Dense(4, name = "a"), //~ All layers added to a Sequential model should have unique names. Name 'a' is already the name of a layer in this model.
    Dense(4, name = "b/c"), //~ must be a string and cannot contain character `/`
    Dense(4, name = 3), //~ Argument `name` must be a string and cannot contain character `/`. Received: name=3
    Dense(4, trainable = 1), //~ Argument `trainable` must be `true` or `false`. Received: trainable=1
    Dense(units = 4, units = 5), //~ The keyword argument `units` is repeated.
}

sequential! {
    D<3>; //~ `D` is what generated code calls the device. Give the model another name.
    Dense(4),
}

mod subclassed {
    use keras::prelude::*;

    #[model(input = [3])]
    struct D { //~ `D` is what generated code calls the device. Give the model another name.
        #[layer(1)]
        dense: Dense,
    }

    #[model]
    impl D {
        fn call(&self, x: Tensor) -> Tensor {
            self.dense(x)
        }
    }
}

fn main() {}
