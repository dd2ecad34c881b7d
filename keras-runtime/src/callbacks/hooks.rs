//! The hooks of [`Callback`](super::Callback), for whatever has all of them.

/// Calls another macro with the documentation, the name and the arguments of every hook, and with
/// `more` of the same.
macro_rules! hooks {
    ($then:ident $({ $($more:tt)* })?) => {
        $then! {
            /// Before the first epoch.
            on_train_begin(logs: &Logs);
            /// After the last epoch.
            on_train_end(logs: &Logs);
            /// Before an epoch.
            on_epoch_begin(epoch: usize, logs: &Logs);
            /// After an epoch.
            on_epoch_end(epoch: usize, logs: &mut Logs);
            /// Before a batch of training.
            on_train_batch_begin(batch: usize, logs: &Logs);
            /// After a batch of training.
            on_train_batch_end(batch: usize, logs: &Logs);
            /// Before `evaluate`, or a validation.
            on_test_begin(logs: &Logs);
            /// After `evaluate`, or a validation.
            on_test_end(logs: &Logs);
            /// Before a batch of `evaluate`, or of a validation.
            on_test_batch_begin(batch: usize, logs: &Logs);
            /// After a batch of `evaluate`, or of a validation.
            on_test_batch_end(batch: usize, logs: &Logs);
            /// Before `predict`.
            on_predict_begin(logs: &Logs);
            /// After `predict`.
            on_predict_end(logs: &Logs);
            /// Before a batch of `predict`.
            on_predict_batch_begin(batch: usize, logs: &Logs);
            /// After a batch of `predict`.
            on_predict_batch_end(batch: usize, logs: &Logs);
            $($($more)*)?
        }
    };
}

pub(super) use hooks;
