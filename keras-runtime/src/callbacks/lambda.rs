//! A callback made of closures.

use super::hooks::hooks;
use super::{Callback, CallbackContext};
use crate::error::Result;
use crate::model::Logs;

/// Declares the struct, its builder and its hooks from the list of all hooks.
macro_rules! lambda {
    ($($(#[$meta:meta])* $hook:ident($($argument:ident: $ty:ty),*);)*) => {
        /// Calls closures at the stages of `fit`, `evaluate` and `predict`:
        /// `keras.callbacks.LambdaCallback`.
        ///
        /// The closures take what the hooks of [`Callback`] take.
        ///
        /// ```
        /// use keras_runtime::callbacks::{CallbackContext, LambdaCallback};
        ///
        /// let mut losses = Vec::new();
        /// let callback = LambdaCallback::new()
        ///     .on_epoch_end(|_, epoch, logs| {
        ///         losses.push((epoch, logs.get("loss")));
        ///         Ok(())
        ///     })
        ///     .on_train_end(|cx, _| {
        ///         println!("{} is trained", cx.model().name());
        ///         Ok(())
        ///     });
        /// ```
        #[derive(Default)]
        pub struct LambdaCallback<'a> {
            $($hook: Option<Box<dyn FnMut(&mut CallbackContext, $($ty),*) -> Result<()> + Send + 'a>>,)*
        }

        impl<'a> LambdaCallback<'a> {
            $($(#[$meta])*
            #[must_use]
            pub fn $hook(
                mut self,
                call: impl FnMut(&mut CallbackContext, $($ty),*) -> Result<()> + Send + 'a,
            ) -> Self {
                self.$hook = Some(Box::new(call));
                self
            })*
        }

        impl Callback for LambdaCallback<'_> {
            $(fn $hook(&mut self, cx: &mut CallbackContext, $($argument: $ty),*) -> Result<()> {
                match &mut self.$hook {
                    Some(call) => call(cx, $($argument),*),
                    None => Ok(()),
                }
            })*
        }
    };
}

hooks!(lambda);

impl LambdaCallback<'_> {
    /// A callback that does nothing yet.
    pub fn new() -> Self {
        Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::callbacks::CallbackList;
    use crate::callbacks::testing::{Fake, context};

    #[test]
    fn closures_are_called_at_their_stage_only() -> Result<()> {
        let mut seen = Vec::new();
        let mut model = Fake::default();
        {
            let stopping = LambdaCallback::new().on_epoch_end(|cx, epoch, logs| {
                seen.push((epoch, logs.get("loss")));
                logs.insert("seen", seen.len() as f32);
                cx.stop_training();
                Ok(())
            });
            let mut callbacks = CallbackList::new([stopping]);
            let mut logs = Logs::new();
            logs.insert("loss", 0.5);
            callbacks.on_epoch_begin(&mut context(&mut model), 3, &logs)?;
            callbacks.on_epoch_end(&mut context(&mut model), 3, &mut logs)?;
            assert_eq!(logs.get("seen"), Some(1.0));
        }
        assert_eq!(seen, [(3, Some(0.5))]);
        assert!(model.stopped);
        Ok(())
    }
}
