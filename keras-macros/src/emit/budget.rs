//! `max_params`, `max_memory`, `max_flops`: limits that rustc holds the model to, counting what its layer
//! calls take.

use std::collections::HashSet;

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};

use super::{Emitter, call_at};
use crate::graph::{CallId, Source, generated};
use crate::parse::options::Limit;

impl Limit {
    /// The constant of the limit, beside those of the layers, where the user's names are in scope.
    pub const fn constant(self) -> &'static str {
        match self {
            Limit::Params => "MAX_PARAMS",
            Limit::Memory => "MAX_MEMORY",
            Limit::Flops => "MAX_FLOPS",
        }
    }
}

impl Emitter<'_> {
    /// `const MAX_PARAMS: usize = 100_000;`
    pub(super) fn budgets(&self) -> TokenStream {
        let constants = self.options.budgets.iter().map(|budget| {
            let (constant, most) = (generated(budget.limit.constant()), &budget.most);
            quote! { const #constant: usize = #most; }
        });
        constants.collect()
    }

    /// The checks of the limits: errors under `max_params = ..` and its kin.
    pub(super) fn budget_checks(&self) -> Option<TokenStream> {
        if self.options.budgets.is_empty() || self.graph.calls.is_empty() {
            return None;
        }
        let sizes = self.call_sizes();
        let (name, layers) = (&self.graph.whole.name, self.layers_alias());
        let checks = self.options.budgets.iter().map(|budget| {
            let constant = generated(budget.limit.constant());
            let limit = generated(&format!("{:?}", budget.limit));
            let start = budget.at.start;
            let check = call_at(
                budget.at,
                quote_spanned! {start=> keras::check_budget },
                quote! { keras::Budget::#limit, #name, #layers::#constant, call_sizes() },
            );
            quote! { const _: () = #check; }
        });
        Some(quote! { #sizes #(#checks)* })
    }

    /// What the inputs and each layer call take.
    fn call_sizes(&self) -> TokenStream {
        let inputs = self.graph.whole.inputs.iter().map(|input| {
            let (name, shape) = (&input.name, self.value_constant("S", input.value));
            quote! { keras::CallSize::input(#name, &#shape) }
        });
        let mut seen = HashSet::new();
        // What is added by `add_loss` and `add_metric` is a number or two.
        let calls = (0..self.graph.calls.len()).filter(|&id| {
            let layer = self.graph.calls[id].layer;
            !matches!(self.graph.layers[layer].source, Source::Scalar(..))
        });
        let calls = calls.map(|id| {
            let is_first = seen.insert(self.graph.calls[id].layer);
            self.call_size(id, is_first)
        });
        quote! {
            /// What the inputs and the calls take.
            const fn call_sizes() -> &'static [keras::CallSize] {
                const { &[#(#inputs,)* #(#calls),*] }
            }
        }
    }

    fn call_size(&self, id: CallId, is_first: bool) -> TokenStream {
        let call = &self.graph.calls[id];
        let result = self.value_constant("R", call.output);
        let (layer, inputs) = (self.layer_constant(call.layer), self.input_shapes(call));
        let name = &self.graph.layers[call.layer].name;
        let again = (!is_first).then(|| quote! { .again() });
        let is_training = !self.graph.whole.inference.contains(&id);
        let in_training = is_training.then(|| quote! { .in_training() });
        quote! {
            keras::CallSize::call(
                #name,
                &#result,
                if #result.is_ok() && keras::known(#inputs) {
                    ::core::option::Option::Some(#layer.weights(#inputs))
                } else {
                    ::core::option::Option::None
                },
            )
            #again
            #in_training
        }
    }
}
