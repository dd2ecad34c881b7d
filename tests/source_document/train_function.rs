//! Row M9: `make_train_function`, as the library has it and of one's own.

use std::sync::atomic::{AtomicUsize, Ordering};

use keras::prelude::*;
use ndarray::array;

/// How often the function was made, and how often it was called.
static MADE: AtomicUsize = AtomicUsize::new(0);
static CALLED: AtomicUsize = AtomicUsize::new(0);

#[model(input = [1])]
struct Counted {
    #[layer(1)]
    dense: Dense,
}

#[model]
impl Counted {
    fn call(&self, x: Tensor) -> Tensor {
        self.dense(x)
    }

    fn make_train_function(&mut self, _force: bool) -> StepFunction {
        MADE.fetch_add(1, Ordering::Relaxed);
        StepFunction::new(|model, batches| {
            CALLED.fetch_add(1, Ordering::Relaxed);
            let Some(batch) = batches.next()? else {
                return Ok(0);
            };
            model.train_step(&batch)?;
            Ok(1)
        })
    }
}

/// How often it was made and called since the last time.
fn counts() -> [usize; 2] {
    [&MADE, &CALLED].map(|count| count.swap(0, Ordering::Relaxed))
}

#[test]
fn m9_it_is_made_once_after_compile_and_used_by_fit_and_train_on_batch() -> keras::Result<()> {
    let (x, y) = (array![[1.0f32], [2.0], [3.0]], array![2.0f32, 4.0, 6.0]);
    let mut model = Counted::with_seed(1);
    model.compile(Compile::new("sgd", "mse"))?;
    model.fit((&x, &y), Fit::epochs(2).batch_size(1).verbose(0))?;
    assert_eq!(counts(), [1, 6], "six batches");
    model.train_on_batch((&x, &y))?;
    model.fit((&x, &y), Fit::epochs(1).verbose(0))?;
    assert_eq!(counts(), [0, 2], "it is kept");
    model.evaluate((&x, &y), Evaluate::default().verbose(0))?;
    assert_eq!(counts(), [0, 0], "evaluation has a function of its own");
    model.compile(Compile::new("sgd", "mse"))?;
    model.train_on_batch((&x, &y))?;
    assert_eq!(counts(), [1, 1], "compile forgets it");
    model.make_train_function(true);
    assert_eq!(counts(), [1, 0]);
    Ok(())
}

sequential! {
    Line<1>;
    Dense(1),
}

/// The numbers of the batches that callbacks are told of.
#[derive(Default)]
struct Batches(Vec<[usize; 2]>);

impl Callback for Batches {
    fn on_train_batch_begin(
        &mut self,
        _: &mut CallbackContext,
        batch: usize,
        _: &Logs,
    ) -> keras::Result<()> {
        self.0.push([batch, 0]);
        Ok(())
    }

    fn on_train_batch_end(
        &mut self,
        _: &mut CallbackContext,
        batch: usize,
        _: &Logs,
    ) -> keras::Result<()> {
        if let Some(last) = self.0.last_mut() {
            last[1] = batch;
        }
        Ok(())
    }
}

#[test]
fn m9_it_runs_as_many_steps_as_an_execution_has() -> keras::Result<()> {
    let (x, y) = (
        array![[1.0f32], [2.0], [3.0], [4.0], [5.0]],
        array![2.0f32, 4.0, 6.0, 8.0, 10.0],
    );
    let trained = |steps: usize, seen: &mut Batches| -> keras::Result<Line> {
        let mut model = Line::with_seed(2);
        model.compile(Compile::new("sgd", "mse").steps_per_execution(steps))?;
        let fit = Fit::epochs(1).batch_size(1).shuffle(false).verbose(0);
        model.fit((&x, &y), fit.callback(seen))?;
        Ok(model)
    };
    let [mut one, mut three] = [Batches::default(), Batches::default()];
    let (step_by_step, three_at_once) = (trained(1, &mut one)?, trained(3, &mut three)?);
    assert_eq!(one.0, [[0, 0], [1, 1], [2, 2], [3, 3], [4, 4]]);
    assert_eq!(three.0, [[0, 2], [3, 5]]);
    assert_eq!(step_by_step.get_weights(), three_at_once.get_weights());
    Ok(())
}
