//! Moving averages of the weights in the place of the weights.

use keras::prelude::*;

use super::{Line, line};

#[test]
fn averages_of_weights_are_swapped_in_to_be_validated_and_saved() -> keras::Result<()> {
    let (x, y) = line(8);
    let mut model = Line::with_seed(1);
    let optimizer = SGD::new(0.1).use_ema(true).ema_momentum(0.9);
    model.compile(Compile::new(optimizer, "mse"))?;
    let (mut weights, mut saved) = (Vec::new(), Vec::new());
    {
        let trained = LambdaCallback::new().on_train_batch_end(|cx, _, _| {
            weights.push(cx.model().get_weights());
            Ok(())
        });
        let at_end = LambdaCallback::new().on_epoch_end(|cx, _, _| {
            saved.push(cx.model().get_weights());
            Ok(())
        });
        let fit = Fit::epochs(3).batch_size(8).validation((&x, &y)).verbose(0);
        let swap = SwapEMAWeights::new().swap_on_epoch(true);
        model.fit(
            (&x, &y),
            fit.callback(trained).callback(swap).callback(at_end),
        )?;
    }
    // The average begins with the weights after the first step.
    let mut average = weights[0].clone();
    for (epoch, (weights, saved)) in weights.iter().zip(&saved).enumerate() {
        for ((average, weights), saved) in average.iter_mut().zip(weights).zip(saved) {
            if epoch > 0 {
                *average = &*average * 0.9 + weights * 0.1;
            }
            let distance = (&*average - saved).mapv(f32::abs).sum();
            assert!(distance < 1e-5, "epoch {epoch}: {distance}");
        }
    }
    assert_eq!(Some(&model.get_weights()), saved.last());

    model.compile(Compile::new(SGD::new(0.1), "mse"))?;
    let fit = Fit::epochs(1).verbose(0).validation((&x, &y));
    let error = model.fit((&x, &y), fit.callback(SwapEMAWeights::new()));
    let error = error.unwrap_err().to_string();
    assert!(error.contains("use_ema=True"), "{error}");
    Ok(())
}
