//! Errors of one expansion, reported together, each under its own tokens.

use std::cell::RefCell;

use proc_macro2::TokenStream;
use quote::ToTokens;

/// Collects the errors of an expansion.
///
/// Stages go on after an error with what they have; only at the end is the model emitted as a stub.
#[derive(Default)]
pub struct Ctxt {
    errors: RefCell<Vec<syn::Error>>,
}

impl Ctxt {
    /// No errors yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// An error under `tokens`.
    pub fn error(&self, tokens: impl ToTokens, message: impl std::fmt::Display) {
        self.push(syn::Error::new_spanned(tokens, message));
    }

    /// An error of syn, unless the same one is there already: `call` is read once for training and
    /// once for inference.
    pub fn push(&self, error: syn::Error) {
        let key = |error: &syn::Error| format!("{:?} {error}", error.span());
        let mut errors = self.errors.borrow_mut();
        if !errors.iter().any(|other| key(other) == key(&error)) {
            errors.push(error);
        }
    }

    /// The value of a result; its error is collected.
    pub fn ok<T>(&self, result: syn::Result<T>) -> Option<T> {
        result.map_err(|error| self.push(error)).ok()
    }

    /// Whether there are errors.
    pub fn has_errors(&self) -> bool {
        !self.errors.borrow().is_empty()
    }

    /// All errors as `compile_error!`s.
    pub fn compile_errors(&self) -> TokenStream {
        self.errors
            .borrow()
            .iter()
            .map(syn::Error::to_compile_error)
            .collect()
    }

    /// The sentences of all errors.
    #[cfg(test)]
    pub fn messages(&self) -> Vec<String> {
        self.errors
            .borrow()
            .iter()
            .flat_map(|error| error.clone().into_iter())
            .map(|error| error.to_string())
            .collect()
    }
}
