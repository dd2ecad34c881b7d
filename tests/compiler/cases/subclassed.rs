use keras::prelude::*;

#[model(input = [3])]
struct Language {
    #[layer(4)]
    dense: Dense,
}

#[model]
impl Language {
    fn call(&self, x: Tensor) -> Tensor {
        let y = self.missing(x); //~ missing
        let z = if x > 0.0 { y } else { x }; //~ 
        println!("{z}"); //~ 
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
    fn call(&self, x: Tensor, training: f32) -> Tensor { //~ 
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
        for _ in 0..steps() { //~ 
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
        return self.dense(x); //~ 
    }
}

fn main() {}
