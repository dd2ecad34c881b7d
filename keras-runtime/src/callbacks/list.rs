//! Several callbacks, called one after the other.

use super::hooks::hooks;
use super::{BackupAndRestore, Callback, CallbackContext, Record};
use crate::error::{Error, Result};
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

    /// The values of the logs that they watch, up to the first callback that watches none: it may add
    /// what those after it wait for.
    pub(crate) fn monitored(&self) -> impl Iterator<Item = &str> {
        let callbacks = self.callbacks.iter();
        callbacks.map_while(|callback| callback.monitors())
    }

    /// What each of them remembers.
    fn record(&mut self) -> Result<Record> {
        let states = self.callbacks.iter_mut().map(Callback::state);
        let states: Vec<Record> = states.collect::<Result<_>>()?;
        Ok(Record::new("CallbackList").with_records("callbacks", states))
    }

    /// Gives each of them back what it remembered.
    fn restore_all(&mut self, cx: &mut CallbackContext, state: &Record) -> Result<()> {
        let (own, saved) = (self.record()?, state.records("callbacks")?);
        let classes = |records: &[Record]| -> Vec<String> {
            records
                .iter()
                .map(|record| record.class().to_owned())
                .collect()
        };
        let (own, expected) = (classes(own.records("callbacks")?), classes(saved));
        if own != expected {
            return Err(Error::value(format!(
                "A training goes on with the callbacks that it began with, in their order. Expected {expected:?}. \
                 Received: {own:?}"
            )));
        }
        let mut callbacks = self.callbacks.iter_mut().zip(saved);
        callbacks.try_for_each(|(callback, state)| callback.restore(cx, state))
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
            fn monitors(&self) -> Option<&str> {
                let is_validation = |name: &&str| name.starts_with("val_");
                self.monitored().find(is_validation).or_else(|| self.monitored().next())
            }
            $(fn $hook(&mut self, cx: &mut CallbackContext, $($argument: $ty),*) -> Result<()> {
                CallbackList::$hook(self, cx, $($argument),*)
            })*

            fn is_progress_bar(&self) -> bool {
                self.callbacks.iter().any(Callback::is_progress_bar)
            }

            fn state(&mut self) -> Result<Record> {
                self.record()
            }

            fn restore(&mut self, cx: &mut CallbackContext, state: &Record) -> Result<()> {
                self.restore_all(cx, state)
            }

            fn backup(&mut self) -> Option<&mut BackupAndRestore> {
                self.callbacks.iter_mut().find_map(Callback::backup)
            }
        }

        // A borrowed callback can be looked at after the training.
        pass_on!(&mut C; $($hook($($argument: $ty),*);)*);
        pass_on!(Box<C>; $($hook($($argument: $ty),*);)*);
    };
    ($pointer:ty; $($hook:ident($($argument:ident: $ty:ty),*);)*) => {
        impl<C: Callback + ?Sized> Callback for $pointer {
            fn monitors(&self) -> Option<&str> {
                C::monitors(self)
            }
            $(fn $hook(&mut self, cx: &mut CallbackContext, $($argument: $ty),*) -> Result<()> {
                C::$hook(self, cx, $($argument),*)
            })*

            fn is_progress_bar(&self) -> bool {
                C::is_progress_bar(self)
            }

            fn state(&mut self) -> Result<Record> {
                C::state(self)
            }

            fn restore(&mut self, cx: &mut CallbackContext, state: &Record) -> Result<()> {
                C::restore(self, cx, state)
            }

            fn backup(&mut self) -> Option<&mut BackupAndRestore> {
                C::backup(self)
            }
        }
    };
}

hooks! {
    pass_on {
        /// Tells the callbacks that `cx` has a model.
        set_model();
        /// Tells the callbacks that `cx` has the arguments of a call.
        set_params();
        /// The older name of [`on_train_batch_begin`](Callback::on_train_batch_begin).
        on_batch_begin(batch: usize, logs: &Logs);
        /// The older name of [`on_train_batch_end`](Callback::on_train_batch_end).
        on_batch_end(batch: usize, logs: &Logs);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::callbacks::testing::{Fake, context};
    use crate::error::Error;

    /// Remembers the batches that it is told of, under their older name.
    #[derive(Default)]
    struct Batches(Vec<usize>);

    impl Callback for Batches {
        fn on_batch_end(&mut self, _: &mut CallbackContext, batch: usize, _: &Logs) -> Result<()> {
            self.0.push(batch);
            Ok(())
        }
        fn on_epoch_end(
            &mut self,
            _: &mut CallbackContext,
            _: usize,
            logs: &mut Logs,
        ) -> Result<()> {
            logs.insert("batches", self.0.len() as f32);
            Ok(())
        }
    }

    struct Fails;

    impl Callback for Fails {
        fn on_epoch_end(
            &mut self,
            _: &mut CallbackContext,
            _: usize,
            logs: &mut Logs,
        ) -> Result<()> {
            let seen = logs.get("batches").unwrap_or(f32::NAN);
            Err(Error::Callback(format!("failed after {seen} batches")))
        }
    }

    #[test]
    fn a_loop_of_ones_own_reads_a_borrowed_callback_afterwards() -> Result<()> {
        let (mut batches, mut model) = (Batches::default(), Fake::default());
        {
            let mut list = CallbackList::new([&mut batches]).with(Batches::default());
            assert_eq!(list.len(), 2);
            list.on_train_batch_end(&mut context(&mut model), 3, &Logs::new())?;
            list.on_test_batch_end(&mut context(&mut model), 4, &Logs::new())?;
            list.on_batch_end(&mut context(&mut model), 5, &Logs::new())?;
        }
        assert_eq!(batches.0, [3, 5]);
        Ok(())
    }

    #[test]
    fn later_callbacks_see_what_earlier_ones_log_until_one_fails() {
        let mut model = Fake::default();
        let mut last = Batches::default();
        let mut list = CallbackList::empty()
            .with(Batches::default())
            .with(Fails)
            .with(&mut last);
        let mut logs = Logs::new();
        let failed = list.on_epoch_end(&mut context(&mut model), 0, &mut logs);
        assert_eq!(
            failed,
            Err(Error::Callback("failed after 0 batches".into()))
        );
        assert_eq!(logs.get("batches"), Some(0.0));
    }
}
