//! Several callbacks, called one after the other.

use super::{Callback, CallbackContext};
use crate::error::Result;
use crate::model::Logs;

/// Callbacks that are told of everything in the order they were added, for `fit` and for loops of
/// one's own: `keras.callbacks.CallbackList`.
#[derive(Default)]
pub struct CallbackList<'a> {
    callbacks: Vec<Box<dyn Callback + 'a>>,
}

impl<'a> CallbackList<'a> {
    /// The callbacks of an array or a `Vec`, all of one type; [`with`](Self::with) adds others.
    pub fn new(callbacks: impl IntoIterator<Item = impl Callback + 'a>) -> Self {
        callbacks.into_iter().fold(Self::default(), Self::with)
    }

    /// No callbacks.
    pub fn empty() -> Self {
        Self::default()
    }

    /// One more callback.
    #[must_use]
    pub fn with(mut self, callback: impl Callback + 'a) -> Self {
        self.push(callback);
        self
    }

    /// Adds a callback.
    pub fn push(&mut self, callback: impl Callback + 'a) {
        self.callbacks.push(Box::new(callback));
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.callbacks.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.callbacks.len()
    }
}

/// The hooks, for everything that passes them on.
macro_rules! pass_on {
    ($($(#[$meta:meta])* $hook:ident($($argument:ident: $ty:ty),*);)*) => {
        impl CallbackList<'_> {
            $($(#[$meta])*
            ///
            /// # Errors
            /// The first error of a callback; those after it are not called.
            pub fn $hook(&mut self, cx: &mut CallbackContext, $($argument: $ty),*) -> Result<()> {
                self.callbacks.iter_mut().try_for_each(|callback| callback.$hook(cx, $($argument),*))
            })*
        }

        impl Callback for CallbackList<'_> {
            $(fn $hook(&mut self, cx: &mut CallbackContext, $($argument: $ty),*) -> Result<()> {
                CallbackList::$hook(self, cx, $($argument),*)
            })*
        }

        /// A borrowed callback can be looked at after the training.
        impl<C: Callback + ?Sized> Callback for &mut C {
            $(fn $hook(&mut self, cx: &mut CallbackContext, $($argument: $ty),*) -> Result<()> {
                C::$hook(self, cx, $($argument),*)
            })*
        }

        impl<C: Callback + ?Sized> Callback for Box<C> {
            $(fn $hook(&mut self, cx: &mut CallbackContext, $($argument: $ty),*) -> Result<()> {
                C::$hook(self, cx, $($argument),*)
            })*
        }
    };
}

pass_on! {
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
}
