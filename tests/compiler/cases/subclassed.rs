use keras::prelude::*;

#[model(input = [3])]
struct Language {
    #[layer(4)]
    dense: Dense,
}

#[model]
impl Language {
    fn call(&self, x: Tensor) -> Tensor {
        let y = self.missing(x); //~ The model has no layer `missing`. Its layers: dense
        let z = if x > 0.0 { y } else { x }; //~ The only condition that a model knows is `training`
        println!("{z}"); //~ A macro is not part of the model language.
        self.dense(z)
    }
}

#[model(input = [3])]
struct Types {
    #[layer(4)]
    dense: Dense,
}

#[model]
impl Types {
    fn call(&self, x: Tensor, training: f32) -> Tensor { //~ The parameters of `call` are tensors (`Tensor`, `(Tensor, Tensor)`) and `training: bool`. Received: f32
        self.dense(x)
    }
}

#[model(input = [3])]
struct Loops {
    #[layer(3)]
    dense: Dense,
}

#[model]
impl Loops {
    fn call(&self, x: Tensor) -> Tensor {
        let mut h = x;
        for _ in 0..steps() { //~ A loop of a model is over a constant range of at most 10000 rounds, such as `0..3`. Received: 0 .. steps()
            h = self.dense(h);
        }
        h
    }
}

#[model(input = [3])]
struct Returns {
    #[layer(3)]
    dense: Dense,
}

#[model]
impl Returns {
    fn call(&self, x: Tensor) -> Tensor {
        return self.dense(x); //~ `return` is not part of the model language.
    }
}

fn main() {}
