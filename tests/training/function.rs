//! `make_train_function` and its siblings.

use keras::prelude::*;

use super::{Counter, compiled, x, y};

#[model(input = [4])]
pub struct Twice {
    #[layer(1)]
    dense: Dense,
}

/// Every batch is trained on twice.
#[model]
impl Twice {
    fn call(&self, inputs: Tensor) -> Tensor {
        self.dense(inputs)
    }

    fn make_train_function(&mut self, _force: bool) -> StepFunction {
        StepFunction::new(|model, batches| {
            let Some(batch) = batches.next()? else {
                return Ok(0);
            };
            model.train_step(&batch)?;
            model.train_step(&batch)?;
            Ok(1)
        })
    }
}

sequential! {
    Once<4>;
    Dense(1),
}

#[test]
fn a_models_own_train_function_is_what_fit_calls() -> keras::Result<()> {
    let x = x(8);
    let y = y(&x);
    let (mut twice, mut once) = (Twice::with_seed(1), Once::with_seed(1));
    once.set_weights(&twice.get_weights())?;
    let compile = || Compile::<AutoDevice>::new(SGD::new(0.05), "mse");
    twice.compile(compile())?;
    once.compile(compile())?;
    let fit = |epochs| Fit::epochs(epochs).verbose(0).shuffle(false);
    twice.fit((&x, &y), fit(2))?;
    once.fit((&x, &y), fit(4))?;
    assert_eq!(twice.get_weights(), once.get_weights());
    twice.train_on_batch((&x, &y))?;
    once.fit((&x, &y), fit(2))?;
    assert_eq!(twice.get_weights(), once.get_weights());
    Ok(())
}

#[test]
fn several_steps_are_one_execution() -> keras::Result<()> {
    let x = x(20);
    let y = y(&x);
    let mut model = compiled(1)?;
    let before = model.make_train_function(false);
    model.compile(Compile::again().steps_per_execution(3))?;
    let mut counter = Counter::default();
    let fit = Fit::epochs(1).batch_size(4).verbose(0);
    model.fit((&x, &y), fit.callback(&mut counter))?;
    assert_eq!(counter.batches, 2, "five batches, three of them in one");
    model.make_train_function(true);
    model.make_test_function(false);
    model.make_predict_function(false);
    drop(before);
    Ok(())
}
