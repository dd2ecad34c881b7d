//! Values, their shapes, and the checks that rustc does: a wrong shape is an error under the call.
//!
//! The shape and the check are apart, so that every independent mistake is reported and none that
//! only follows from another.

use std::collections::{HashMap, HashSet};

use proc_macro2::{Ident, Literal, TokenStream};
use quote::{quote, quote_spanned};

use super::{Emitter, call_at};
use crate::graph::{Call, CallId, LayerId, ValueId};

impl Emitter<'_> {
    /// `const X`, `S_X`, `R_X` and the checks.
    pub(super) fn shapes(&self) -> TokenStream {
        let values = (0..self.graph.values.len()).map(|value| {
            let (constant, number) = (self.value(value), Literal::usize_unsuffixed(value));
            quote! { const #constant: keras::Value = keras::Value(#number); }
        });
        let inputs = self.graph.whole.inputs.iter().map(|input| {
            let shape = self.value_constant("S", input.value);
            let declared = self.value_constant("INPUT", input.value);
            let layers = self.layers_alias();
            quote! { const #shape: keras::Shape = #layers::#declared; }
        });
        let needed = self.needed_shapes();
        let mut first_calls = HashMap::new();
        let calls = self.graph.calls.iter().enumerate().map(|(id, call)| {
            let first = *first_calls.entry(call.layer).or_insert(id);
            self.call_shape(id, call, first, &needed)
        });
        let calls: Vec<_> = calls.collect();
        quote! { #(#values)* #(#inputs)* #(#calls)* }
    }

    fn call_shape(
        &self,
        id: CallId,
        call: &Call,
        first: CallId,
        needed: &HashSet<ValueId>,
    ) -> TokenStream {
        let result = self.value_constant("R", call.output);
        let layer = self.layer_constant(call.layer);
        let inputs = self.input_shapes(call);
        let (class, name) = self.called(call.layer);
        let rule = quote_spanned! {call.at.start=> #layer.output_shape };
        let check = call_at(
            call.at,
            quote_spanned! {call.at.start=> keras::check },
            quote! { &#result, #class, #name },
        );
        // An output whose shape nothing else needs has only its check.
        let shape = needed.contains(&call.output).then(|| {
            let shape = self.value_constant("S", call.output);
            quote! { const #shape: keras::Shape = keras::or_unknown(&#result); }
        });
        let shared = (first != id).then(|| self.check_shared(call, &self.graph.calls[first]));
        quote! {
            const #result: ::core::result::Result<keras::Shape, keras::ShapeError> = #rule(#inputs);
            #shape
            const _: () = #check;
            #shared
        }
    }

    /// A layer called again has the weights of its first call.
    fn check_shared(&self, call: &Call, first: &Call) -> TokenStream {
        let (class, name) = self.called(call.layer);
        let layer = self.layer_constant(call.layer);
        let (before, now) = (self.input_shapes(first), self.input_shapes(call));
        let (result, result_before) = (
            self.value_constant("R", call.output),
            self.value_constant("R", first.output),
        );
        let check = call_at(
            call.at,
            quote_spanned! {call.at.start=> keras::check_shared },
            quote! { #class, #name, #before, &#layer.weights(#before), #now, &#layer.weights(#now) },
        );
        quote! {
            const _: () = if #result_before.is_ok() && #result.is_ok()
                && keras::known(#before) && keras::known(#now)
            {
                #check
            };
        }
    }

    /// `&[S_A, S_B]`.
    pub(super) fn input_shapes(&self, call: &Call) -> TokenStream {
        let inputs = call
            .inputs
            .iter()
            .map(|&input| self.value_constant("S", input));
        quote! { &[#(#inputs),*] }
    }

    /// The values whose shapes something refers to.
    fn needed_shapes(&self) -> HashSet<ValueId> {
        let read = self
            .graph
            .calls
            .iter()
            .flat_map(|call| call.inputs.iter().copied());
        let networks = self.networks().flat_map(|network| &network.inputs);
        read.chain(networks.map(|input| input.value)).collect()
    }

    /// `L::DENSE`.
    pub(super) fn layer_constant(&self, layer: LayerId) -> TokenStream {
        let constant = &self.constants[layer];
        // A constant that rustc could not compute is reported under the layer.
        let span = self.graph.layers[layer].source.at().start;
        let constant = Ident::new(&constant.to_string(), span);
        let mut alias = self.layers_alias();
        alias.set_span(span);
        quote_spanned! {span=> #alias::#constant }
    }

    /// The class and the name that errors call a layer by.
    fn called(&self, layer: LayerId) -> (&str, &str) {
        let layer = &self.graph.layers[layer];
        (&layer.class, &layer.name)
    }
}
