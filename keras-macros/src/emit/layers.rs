//! The layers as constants: `Dense(64, activation = relu)` -> `Dense::new(64).activation(relu)`.
//!
//! Around a layer's arguments only the user's scope and Keras' words are visible, so that no
//! generated name stands before a constant of the user's.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use super::Emitter;
use crate::graph::{Layer, Source, generated};
use crate::parse;
use crate::parse::call::scalars::{Elementary, Formula};
use crate::parse::shape::Dim;
use crate::parse::{Argument, At};

impl Emitter<'_> {
    /// The constants of the layers and of the declared input shapes.
    pub(super) fn layers(&self) -> TokenStream {
        let name = self.layers_type();
        let constants = self.graph.layers.iter().zip(&self.constants);
        let layers = constants.map(|(layer, constant)| {
            let (class, value) = self.layer(layer);
            quote! { const #constant: #class = #value; }
        });
        let budgets = self.budgets();
        let inputs = self.graph.whole.inputs.iter().map(|input| {
            let constant = self.value_constant("INPUT", input.value);
            let keras = &self.keras;
            let shape = self.shape(&self.graph.values[input.value].shape);
            quote! { const #constant: #keras::__private::Shape = #shape; }
        });
        quote! {
            #[doc(hidden)]
            #[allow(non_camel_case_types)]
            struct #name;
            const _: () = {
                impl #name {
                    #budgets
                    #(#inputs)*
                    #(#layers)*
                }
            };
        }
    }

    /// The type and the value of a layer.
    fn layer(&self, layer: &Layer) -> (TokenStream, TokenStream) {
        match &layer.source {
            Source::Written(written) => {
                let class = &written.class;
                (quote! { #class }, self.written(written))
            }
            Source::Merge(at) => {
                let keras = self.keras_at(at.start);
                let class = syn::Ident::new(&layer.class, at.start);
                let class = quote_spanned! {at.start=> #keras::layers::#class };
                (class.clone(), quote_spanned! {at.start=> #class::new() })
            }
            Source::Scalar(formula, _) => {
                let keras = &self.keras;
                let class = quote! { #keras::__private::Scalar };
                (class.clone(), self.scalar(&class, formula))
            }
        }
    }

    fn written(&self, layer: &parse::Layer) -> TokenStream {
        let class = &layer.class;
        let required = layer
            .required
            .iter()
            .map(|argument| self.argument(argument));
        // As a type, like that of the constant, so that rustc misses an unknown class once.
        let new = quote_spanned! {layer.at.start=> <#class>::new };
        let new = super::call_at(layer.at, new, quote! { #(#required),* });
        let options = layer.options.iter().map(|(key, argument)| {
            let value = self.argument(argument);
            let arguments = At {
                start: key.span(),
                end: argument.expr().span(),
            };
            super::call_at(arguments, quote! { .#key }, value)
        });
        let value = quote! { #new #(#options)* };
        if layer.required.is_empty() && layer.options.is_empty() {
            return value;
        }
        let keras = &self.keras;
        quote! {
            {
                #[allow(unused_imports)]
                use #keras::words::*;
                #value
            }
        }
    }

    /// The number that `add_loss` or `add_metric` is called with.
    fn scalar(&self, class: &TokenStream, formula: &Formula) -> TokenStream {
        let keras = &self.keras;
        let elementary = |function: &Elementary| match function {
            Elementary::Scale(factor) => quote! { Elementary::Scale(#factor) },
            Elementary::Shift(offset) => quote! { Elementary::Shift(#offset) },
            Elementary::Function(name) => {
                let name = generated(name);
                quote! { Elementary::#name }
            }
        };
        let qualified = |function: &Elementary| {
            let function = elementary(function);
            quote! { #keras::__private::#function }
        };
        let terms = formula.terms.iter().map(|term| {
            let before = term.before.iter().map(qualified);
            let after = term.after.iter().map(qualified);
            let reduce = generated(term.reduce);
            quote! {
                #keras::__private::Term {
                    before: &[#(#before),*],
                    reduce: #keras::__private::Reduce::#reduce,
                    after: &[#(#after),*],
                }
            }
        });
        let offset = formula.offset.clone().unwrap_or(quote! { 0f32 });
        quote! { #class::new(&[#(#terms),*], #offset) }
    }

    fn argument(&self, argument: &Argument) -> TokenStream {
        match argument {
            Argument::AsItIs(expr) | Argument::Text(expr) => quote! { #expr },
            Argument::Named(kind, expr) => {
                let span = expr.span();
                let keras = self.keras_at(span);
                let function = syn::Ident::new(kind.function(), span);
                let function = quote_spanned! {span=> #keras::__private::texts::#function };
                super::call_at(
                    At {
                        start: span,
                        end: span,
                    },
                    function,
                    quote! { #expr },
                )
            }
            Argument::Constant(expr) => {
                // A value of the wrong type is an error under the user's argument.
                let span = expr.span();
                let keras = self.keras_at(span);
                quote_spanned! {span=> #keras::__private::Arg(#expr).get() }
            }
        }
    }

    fn shape(&self, shape: &parse::Shape) -> TokenStream {
        let keras = &self.keras;
        let Some(dims) = shape else {
            return quote! { #keras::__private::Shape::UNKNOWN };
        };
        let dims = dims.iter().map(|dim| match dim {
            Dim::Size(expr) => quote! { #expr },
            Dim::Unknown => quote! { #keras::__private::Shape::NONE },
        });
        quote! { #keras::__private::Shape::new(&[#(#dims),*]) }
    }
}
