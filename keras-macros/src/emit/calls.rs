//! The passes of a network, and one small function for each call and direction.
//!
//! A single long function makes rustc's time explode; thousands of small ones do not.

use std::collections::HashMap;

use proc_macro2::{Ident, TokenStream};
use quote::{quote, quote_spanned};

use super::Emitter;
use crate::backward::{Backward, backward, forward};
use crate::graph::{CallId, Group, Network};

impl Emitter<'_> {
    /// `infer_h1`, `forward_h1`, `backward_h1`, ..
    pub(super) fn call_functions(&self) -> TokenStream {
        let backward = backward(self.graph, &self.graph.whole);
        let backward: HashMap<CallId, &Backward> =
            backward.iter().map(|step| (step.call, step)).collect();
        let of_call = |call: CallId| {
            let forward = self.forward_functions(call);
            // A call of inference alone has no way back.
            let backward = backward.get(&call).map(|step| {
                let name = self.function("backward", call);
                self.backward_function(&name, step)
            });
            quote! { #forward #backward }
        };
        (0..self.graph.calls.len()).map(of_call).collect()
    }

    fn forward_functions(&self, id: CallId) -> TokenStream {
        let call = &self.graph.calls[id];
        let (infer, forward) = (self.function("infer", id), self.function("forward", id));
        let (number, layer) = (number(id), number(call.layer));
        let config = self.layer_constant(call.layer);
        let inputs: Vec<Ident> = call.inputs.iter().map(|&input| self.value(input)).collect();
        let output = self.value(call.output);
        let doc = self.doc(id);
        // A layer that lacks one of its two halves is an error under its name.
        let pass = if self.graph.whole.losses.contains(&call.output) {
            quote! { add_loss }
        } else {
            quote! { forward }
        };
        let rules = quote_spanned! {call.at.start=>
            |inputs| #config.output_shape(inputs), |inputs| #config.weights(inputs)
        };
        let config = quote_spanned! {call.at.start=> &#config };
        quote! {
            #[doc = #doc]
            fn #infer(trace: &mut keras::Trace) -> keras::Result<()> {
                trace.call(#number, #layer, #config, [#(#inputs),*], #output, #rules)
            }
            #[doc = #doc]
            fn #forward<D: keras::Device>(pass: &mut keras::Pass<'_, D>) {
                pass.#pass(#number, #layer, #config, [#(#inputs),*], #output);
            }
        }
    }

    /// The way back through a call.
    pub(super) fn backward_function(&self, name: &Ident, step: &Backward) -> TokenStream {
        let call = &self.graph.calls[step.call];
        let (number, layer) = (number(step.call), number(call.layer));
        let config = self.layer_constant(call.layer);
        let config = quote_spanned! {call.at.start=> &#config };
        let output = self.value(call.output);
        let gradients = step.gradients.iter().map(|gradient| {
            let value = self.value(gradient.value);
            if gradient.adds {
                quote! { keras::add(#value) }
            } else {
                quote! { keras::set(#value) }
            }
        });
        let inputs = self.names(&call.inputs);
        let layer_name = &self.graph.layers[call.layer].name;
        let doc = format!(
            " `{layer_name}`: d_{} -> {}.",
            self.graph.values[call.output].name,
            inputs
                .iter()
                .map(|name| format!("d_{name}"))
                .collect::<Vec<_>>()
                .join(", ")
        );
        let pass = if self.graph.whole.losses.contains(&call.output) {
            quote! { added_loss_backward }
        } else {
            quote! { backward }
        };
        quote! {
            #[doc = #doc]
            fn #name<D: keras::Device>(pass: &mut keras::Pass<'_, D>) {
                pass.#pass(#number, #layer, #config, [#(#gradients),*], #output);
            }
        }
    }

    /// The required functions of `Model` that run a network's calls. `backward_function` names the
    /// function of a step back.
    pub(super) fn passes(
        &self,
        network: &Network,
        backward_function: impl Fn(&Backward) -> Ident,
    ) -> TokenStream {
        let groups = forward(network);
        let trace = if groups.is_empty() {
            quote! { _ }
        } else {
            quote! { trace }
        };
        let training = |group: &Group| matches!(group, Group::Either { .. });
        let training = if groups.iter().any(training) {
            quote! { trace.training() }
        } else {
            quote! {}
        };
        let infer = self.grouped(&groups, &training, |call| {
            let function = self.function("infer", call);
            quote! { #function(trace)?; }
        });
        let forward = self.grouped(&groups, &quote! { training }, |call| {
            let function = self.function("forward", call);
            quote! { #function(pass); }
        });
        let backward = backward(self.graph, network);
        let backward = backward.iter().map(|step| {
            let function = backward_function(step);
            quote! { #function(pass); }
        });
        let unused = groups.is_empty().then(|| quote! { let _ = pass; });
        quote! {
            fn infer(&self, #trace: &mut keras::Trace) -> keras::Result<()> {
                #infer
                Ok(())
            }
            fn forward(&mut self, training: bool) -> keras::Result<()> {
                let pass = &mut keras::begin_forward(self, training)?;
                #unused
                #forward
                Ok(())
            }
            fn backward(&mut self) -> keras::Result<()> {
                let pass = &mut keras::Model::pass(self, true)?;
                #unused
                #(#backward)*
                Ok(())
            }
        }
    }

    fn grouped(
        &self,
        groups: &[Group],
        training: &TokenStream,
        call: impl Fn(CallId) -> TokenStream,
    ) -> TokenStream {
        let calls = |calls: &[CallId]| calls.iter().map(|&id| call(id)).collect::<TokenStream>();
        let group = |group: &Group| match group {
            Group::Always(id) => call(*id),
            Group::Either {
                training: t,
                inference: i,
            } => {
                let (then, otherwise) = (calls(t), calls(i));
                match (t.is_empty(), i.is_empty()) {
                    (false, true) => quote! { if #training { #then } },
                    (true, _) => quote! { if !#training { #otherwise } },
                    (false, false) => quote! { if #training { #then } else { #otherwise } },
                }
            }
        };
        groups.iter().map(group).collect()
    }

    fn names(&self, values: &[usize]) -> Vec<&str> {
        let name = |&value: &usize| self.graph.values[value].name.as_str();
        values.iter().map(name).collect()
    }

    /// `` `conv2d`: x -> h1.``
    fn doc(&self, id: CallId) -> String {
        let call = &self.graph.calls[id];
        format!(
            " `{}`: {} -> {}.",
            self.graph.layers[call.layer].name,
            self.names(&call.inputs).join(", "),
            self.graph.values[call.output].name
        )
    }
}

fn number(number: usize) -> proc_macro2::Literal {
    proc_macro2::Literal::usize_unsuffixed(number)
}
