//! `compile(..)` and `callbacks(..)`: what the model declares to be trained with, as functions.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::Emitter;
use crate::parse::outputs::Outputs;
use crate::parse::part::Part;
use crate::parse::training::{Argument, Compile};

impl Emitter<'_> {
    /// `compile_arguments` and `callbacks`, in the user's scope.
    pub(super) fn training(&self) -> TokenStream {
        let (keras, ident) = (&self.keras, &self.head.ident);
        let compile = self.options.compile.as_ref().map(|compile| {
            let optimizer = compile.optimizer.written();
            let (loss, set) = (self.loss(&compile.loss.outputs), self.settings(compile));
            quote! {
                #[allow(dead_code)]
                impl<D: #keras::__private::Device> #ident<D> {
                    /// The arguments of `compile` that the model declares.
                    pub fn compile_arguments() -> #keras::model::Compile<D> {
                        #keras::model::Compile::new(#optimizer, #loss) #set
                    }
                }
            }
        });
        let callbacks = (!self.options.callbacks.is_empty()).then(|| {
            let callbacks = self.options.callbacks.iter();
            let callbacks = callbacks.map(|callback| callback.written());
            quote! {
                #[allow(dead_code)]
                impl #ident {
                    /// The callbacks that the model declares.
                    pub fn callbacks() -> #keras::callbacks::CallbackList<'static> {
                        #keras::callbacks::CallbackList::empty() #(.with(#callbacks))*
                    }
                }
            }
        });
        quote! { #compile #callbacks }
    }

    /// The loss, or the losses.
    fn loss(&self, loss: &Outputs<Part>) -> TokenStream {
        let keras = &self.keras;
        let methods: Vec<_> = match loss {
            Outputs::Every(loss) => return loss.written(),
            Outputs::Named(losses) => losses
                .iter()
                .map(|(output, loss)| {
                    let loss = loss.written();
                    quote! { .and(#output, #loss) }
                })
                .collect(),
            Outputs::InOrder(losses) => losses
                .iter()
                .map(|loss| match loss.as_ref().map(Part::written) {
                    Some(loss) => quote! { .then(#loss) },
                    None => quote! { .without() },
                })
                .collect(),
        };
        quote! { #keras::losses::Losses::new() #(#methods)* }
    }

    /// The other arguments, as methods.
    fn settings(&self, compile: &Compile) -> TokenStream {
        let weights = compile.loss_weights.as_ref().map(|weights| {
            let weights = match &weights.outputs {
                Outputs::Every(weight) => quote! { #weight },
                Outputs::Named(weights) => {
                    let pairs = weights
                        .iter()
                        .map(|(output, weight)| quote! { (#output, #weight) });
                    quote! { [#(#pairs),*] }
                }
                Outputs::InOrder(weights) => {
                    let weights = weights.iter().flatten();
                    quote! { [#(#weights),*] }
                }
            };
            quote! { .loss_weights(#weights) }
        });
        let metrics = compile.metrics.as_ref();
        let metrics = metrics.map(|given| self.metrics(given, ["metric", "metric_for"]));
        let weighted = compile.weighted_metrics.as_ref();
        let weighted =
            weighted.map(|given| self.metrics(given, ["weighted_metric", "weighted_metric_for"]));
        let steps = compile.steps_per_execution.as_ref();
        let steps = steps.map(|steps| quote! { .steps_per_execution(#steps) });
        quote! { #weights #metrics #weighted #steps }
    }

    /// Metrics, by methods for those of every output and for those of one.
    fn metrics(&self, given: &Argument<Vec<Part>>, methods: [&str; 2]) -> TokenStream {
        let [every, one] = methods.map(|name| format_ident!("{name}"));
        let of_one = |output: &str, metrics: &[Part]| {
            let metrics = metrics.iter().map(Part::written);
            quote! { #(.#one(#output, #metrics))* }
        };
        match &given.outputs {
            Outputs::Every(metrics) => {
                let metrics = metrics.iter().map(Part::written);
                quote! { #(.#every(#metrics))* }
            }
            Outputs::Named(lists) => lists
                .iter()
                .map(|(output, metrics)| of_one(output, metrics))
                .collect(),
            Outputs::InOrder(lists) => {
                let outputs = self.graph.whole.outputs.iter().zip(lists);
                let lists = outputs.map(|(output, metrics)| {
                    of_one(&output.name, metrics.as_deref().unwrap_or_default())
                });
                lists.collect()
            }
        }
    }
}
