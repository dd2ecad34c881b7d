//! `max_params`: a limit that rustc holds the model to, counting the weights of its layers.

use std::collections::HashSet;

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};

use super::{Emitter, call_at};
use crate::graph::{Call, Source, generated};

/// The constant of the limit, beside those of the layers, where the user's names are in scope.
pub const MAX_PARAMS: &str = "MAX_PARAMS";

impl Emitter<'_> {
    /// `const MAX_PARAMS: usize = 100_000;`
    pub(super) fn budget(&self) -> Option<TokenStream> {
        let budget = self.options.max_params.as_ref()?;
        let (constant, most) = (generated(MAX_PARAMS), &budget.most);
        Some(quote! { const #constant: usize = #most; })
    }

    /// The check of the limit: an error under `max_params = ..`.
    pub(super) fn budget_check(&self) -> Option<TokenStream> {
        let budget = self.options.max_params.as_ref()?;
        if self.graph.calls.is_empty() {
            return None;
        }
        let mut seen = HashSet::new();
        let is_added = |call: &Call| {
            let source = &self.graph.layers[call.layer].source;
            matches!(source, Source::Scalar(..))
        };
        // Layers that are called again have the weights of their first call.
        let calls = self.graph.calls.iter();
        let first = calls.filter(|call| !is_added(call) && seen.insert(call.layer));
        let sizes = first.map(|call| self.layer_size(call));
        let (name, layers) = (&self.graph.whole.name, self.layers_alias());
        let constant = generated(MAX_PARAMS);
        let start = budget.at.start;
        let check = call_at(
            budget.at,
            quote_spanned! {start=> keras::check_max_params },
            quote! { #name, #layers::#constant, &[#(#sizes),*] },
        );
        Some(quote! { const _: () = #check; })
    }

    /// The numbers of a layer's weights, unless it is in error.
    fn layer_size(&self, call: &Call) -> TokenStream {
        let result = self.value_constant("R", call.output);
        let (layer, inputs) = (self.layer_constant(call.layer), self.input_shapes(call));
        let name = &self.graph.layers[call.layer].name;
        quote! {
            keras::LayerSize {
                name: #name,
                is_right: #result.is_ok(),
                params: if #result.is_ok() && keras::known(#inputs) {
                    #layer.weights(#inputs).size()
                } else {
                    ::core::option::Option::None
                },
            }
        }
    }
}
