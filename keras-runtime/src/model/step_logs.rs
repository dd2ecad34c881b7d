//! What a step of the user's own returns, and where it goes.
//!
//! As in Keras, the values that an own `train_step` returns reach `on_train_batch_end`. The logs of
//! an epoch are those of its last step, unless their names are those of the model's loss and
//! metrics: then they are the means of the epoch.

use super::Model;
use super::history::Logs;

/// What `train_step` and `test_step` of the user's own may return: nothing, for the running means
/// of the loss and the metrics, or logs of their own.
pub trait StepLogs {
    /// The logs, if there are any.
    fn into_logs(self) -> Option<Logs>;
}

impl StepLogs for () {
    fn into_logs(self) -> Option<Logs> {
        None
    }
}

impl StepLogs for Logs {
    fn into_logs(self) -> Option<Logs> {
        Some(self)
    }
}

impl<N: AsRef<str>, const COUNT: usize> StepLogs for [(N, f32); COUNT] {
    fn into_logs(self) -> Option<Logs> {
        let mut logs = Logs::new();
        for (name, value) in self {
            logs.insert(name.as_ref(), value);
        }
        Some(logs)
    }
}

/// Keeps what a step of the user's own returned. The generated step has no part in it.
pub fn keep_logs<M: Model>(model: &mut M, logs: impl StepLogs) {
    model.split().1.own_logs = logs.into_logs();
}

/// The logs of the last step.
pub(crate) fn of_batch<M: Model>(model: &mut M) -> Logs {
    match &model.run().own_logs {
        Some(logs) => logs.clone(),
        None => model.logs(),
    }
}

/// The logs of the steps since the metrics were reset.
pub(crate) fn of_epoch<M: Model>(model: &mut M) -> Logs {
    let Some(mut own) = model.run().own_logs.clone() else {
        return model.logs();
    };
    let names = model.metrics_names();
    let is_same = names.len() == own.len() && names.iter().all(|name| own.get(name).is_some());
    if is_same {
        return model.logs();
    }
    own.sort();
    own
}
