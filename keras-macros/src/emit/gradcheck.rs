//! `gradcheck`: a test beside the model that holds its gradients against finite differences.

use proc_macro2::{Delimiter, Group, TokenStream};
use quote::{format_ident, quote, quote_spanned};

use super::Emitter;
use crate::names::snake_case;

impl Emitter<'_> {
    /// The test, of the whole model and of each of its parts. Without the runtime's feature `testing` it
    /// is an error that says what is missing.
    pub(super) fn gradcheck(&self) -> Option<TokenStream> {
        let word = self.options.gradcheck.as_ref()?;
        if self.graph.calls.is_empty() {
            return None;
        }
        let (keras, ident) = (self.keras_at(word.span()), &self.head.ident);
        let name = snake_case(&ident.to_string());
        let test = format_ident!("gradcheck_{name}", span = word.span());
        let doc = format!(" The gradients of [`{ident}`] are those of finite differences.");
        let parts = self.graph.parts.iter().map(|part| &part.ident);
        let span = word.span();
        let body = quote! {
            #[doc = #doc]
            #[::core::prelude::v1::test]
            fn #test() {
                let mut model = #ident::on_with_seed(#keras::device::Cpu64, 0);
                #keras::testing::check_model(&mut model);
                #(#keras::testing::check_model(&mut model.#parts());)*
            }
        };
        let mut body = Group::new(Delimiter::Brace, body);
        body.set_span(span);
        // What is missing is an error under the word.
        Some(quote_spanned! {span=>
            #[cfg(test)]
            #keras::__gradcheck! #body
        })
    }
}
