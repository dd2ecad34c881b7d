//! `#[loss] fn` -> a type with the value and the gradient of a row in one pass.

use proc_macro2::TokenStream;
use quote::quote;

use super::functions::{Form, Function, is_of_classes, row_struct, row_value};
use super::types;
use crate::parse::loss::Loss;
use crate::tensor::{Graph, Id};

/// A loss. `derived` is its graph with the value and the gradient; without one, after an error, the
/// type does nothing.
pub fn loss(keras: &TokenStream, loss: &Loss, derived: Option<(&Graph, Id, Id)>) -> TokenStream {
    let Loss {
        head,
        name,
        settings,
        inputs,
        ..
    } = loss;
    let (attrs, vis, ident) = (&head.attrs, &head.vis, &head.ident);
    let (fields, initial) = (types::fields(settings), types::initial(settings));
    let (parameters, builders) = (types::parameters(settings), types::builders(settings));
    let default = types::default(ident, settings);
    let body = derived.map(|(graph, value, gradient)| {
        let function = Function::new(graph, inputs, settings, value);
        let (value, gradient) = (function.value(), function.value_and_gradient(gradient));
        let (row, of_self) = (row_struct(settings), function.wrapped(row_value(settings)));
        let (computed, axes) = match function.form() {
            Form::Pairs(_) => (
                quote! { keras::element_loss },
                Some(quote! {
                    fn axes(&self) -> device::Axes {
                        device::Axes::NONE
                    }
                }),
            ),
            _ => (quote! { keras::row_loss }, None),
        };
        let check = is_of_classes(graph).then(|| {
            quote! {
                fn check(&self, y_true: &keras::Shape, y_pred: &keras::Shape) -> keras::Result<()> {
                    keras::classes(y_true, y_pred)
                }
            }
        });
        let compute = quote! { #computed(#of_self, &self.options, input); };
        (
            quote! { #row #value #gradient },
            quote! { #check #axes },
            compute,
        )
    });
    let (row, check, compute) = body.unwrap_or_default();
    let kept = types::Kept {
        settings,
        others: Vec::new(),
        has_options: true,
    };
    let (config, from_config) = (kept.config(), kept.reader());
    let class = ident.to_string();
    let register =
        format!(" Makes `compile` and `load_model` find it by the names `{class}` and `{name}`.");
    let doc = format!(" The loss with its defaults; its name is `{name}`.");
    quote! {
        #(#attrs)*
        #[derive(Clone, Debug)]
        #vis struct #ident {
            options: #keras::losses::Options,
            #fields
        }
        #[allow(clippy::all, clippy::pedantic, unused_variables)]
        const _: () = {
            use #keras::__private as keras;
            #[allow(unused_imports)]
            use #keras::{device::{self, Arith, Float}, losses, metrics, __private::math};
            #[allow(dead_code)]
            impl #ident {
                #[doc = #doc]
                pub const fn new(#(#parameters),*) -> Self {
                    Self { options: losses::Options::new(#name), #initial }
                }
                #builders
                /// Another name than the default one.
                #[must_use]
                pub fn name(mut self, name: impl ::core::convert::Into<::std::string::String>) -> Self {
                    self.options.rename(name);
                    self
                }
                /// How the rows of a batch become one number.
                #[must_use]
                pub const fn reduction(mut self, reduction: losses::Reduction) -> Self {
                    self.options.reduction = reduction;
                    self
                }
                #from_config
                #[doc = #register]
                pub fn register() {
                    losses::register::<keras::AutoDevice, Self>(&[#class, #name], Self::from_config);
                }
            }
            #default
            #[automatically_derived]
            impl<D: device::Device> losses::Loss<D> for #ident {
                fn name(&self) -> &str {
                    self.options.name()
                }
                #config
                #check
                fn compute(&self, input: losses::LossInput<'_, D>) {
                    #compute
                }
            }
            #[automatically_derived]
            impl<D: device::Device> losses::IntoLoss<D> for #ident {
                fn into_loss(self) -> keras::Result<::std::boxed::Box<dyn losses::Loss<D>>> {
                    ::core::result::Result::Ok(::std::boxed::Box::new(self))
                }
            }
            #[automatically_derived]
            impl<D: device::Device> metrics::IntoMetric<D> for #ident {
                fn into_metric(self) -> metrics::MetricArg<D> {
                    metrics::of_loss(::std::boxed::Box::new(self))
                }
            }
            #row
        };
    }
}
