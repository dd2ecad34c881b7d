//! `call`: dfdx tensors of static shapes in and out.

use proc_macro2::{Literal, TokenStream};
use quote::{format_ident, quote};

use super::Emitter;
use crate::graph::{Structure, ValueId};
use crate::parse::shape::Dim;

/// The most inputs or outputs of a tuple of tensors.
const MOST: usize = 8;

/// The most axes of a sample in a tensor of dfdx.
const MOST_AXES: usize = 5;

impl Emitter<'_> {
    /// `call`, if the shapes of all inputs are written down.
    pub(super) fn call_on_tensors(&self) -> TokenStream {
        let network = &self.graph.whole;
        let is_static = |input: ValueId| {
            let shape = &self.graph.values[input].shape;
            shape.as_ref().is_some_and(|dims| {
                dims.len() <= MOST_AXES && dims.iter().all(|dim| matches!(dim, Dim::Size(_)))
            })
        };
        let (inputs, outputs) = (&network.inputs, &network.outputs);
        let fits = |count: usize| (1..=MOST).contains(&count);
        let are_static = inputs.iter().all(|input| is_static(input.value));
        if !(fits(inputs.len()) && fits(outputs.len()) && are_static) {
            return TokenStream::new();
        }
        let names: Vec<_> = (0..inputs.len())
            .map(|number| match inputs.len() {
                1 => format_ident!("x"),
                _ => format_ident!("x{number}"),
            })
            .collect();
        let input_types = inputs.iter().map(|input| self.batched(input.value));
        let output_types = outputs.iter().map(|output| self.batched(output.inference));
        let output_type = match network.structure {
            Structure::Single => quote! { #(#output_types)* },
            _ if outputs.len() == 1 => quote! { #(#output_types)* },
            _ => quote! { (#(#output_types,)*) },
        };
        let given = match names.as_slice() {
            [name] => quote! { #name },
            names => quote! { (#(#names,)*) },
        };
        let ident = &self.head.ident;
        quote! {
            #[allow(dead_code)]
            impl<D: keras::Device> #ident<D> {
                /// The outputs for a batch of tensors; a tensor of another shape does not compile.
                pub fn call<N: keras::Dim>(&mut self, #(#names: &#input_types),*) -> keras::Result<#output_type> {
                    keras::call(self, #given)
                }
            }
        }
    }

    /// The type of a batch of a value.
    fn batched(&self, value: ValueId) -> TokenStream {
        let shape = match self.graph.values[value].producer {
            None => {
                let shape = self.value_constant("S", value);
                quote! { #shape }
            }
            Some(_) => {
                let result = self.value_constant("R", value);
                quote! { keras::or_unknown(&#result) }
            }
        };
        let axes = (0..MOST_AXES).map(Literal::usize_unsuffixed);
        quote! {
            keras::Batched<N, { keras::static_rank(&#shape) }, #({ keras::static_dim(&#shape, #axes) }),*>
        }
    }
}
