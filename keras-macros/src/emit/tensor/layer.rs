//! `#[layer]` -> a layer like those of the runtime: what rustc asks it, and what runs.

use proc_macro2::{Ident, Literal, TokenStream};
use quote::{ToTokens, format_ident, quote};

use super::functions::{of_settings, row_struct, row_value};
use super::row::{Body, Output, Read, Source};
use super::types;
use super::write::is_of_row;
use crate::graph::generated;
use crate::parse::row_layer::RowLayer;
use crate::parse::tensor::Settings;
use crate::parse::weighted::{Size, Weight, Weighted};
use crate::tensor::{Graph, Id, Input};

/// What a layer computes.
pub struct Derived {
    /// The values.
    pub graph: Graph,
    /// The output.
    pub output: Id,
    /// The gradient of the input, if there is one.
    pub input: Option<Id>,
    /// The gradients of the weights, if there are some: what a row adds to one.
    pub weights: Vec<Option<Id>>,
}

/// The struct of a layer.
pub fn layer_structure(keras: &TokenStream, declared: &Weighted) -> TokenStream {
    let (attrs, vis, ident) = (
        &declared.head.attrs,
        &declared.head.vis,
        &declared.head.ident,
    );
    let fields = types::fields(&declared.settings);
    let initializers = declared.weights.iter().map(|weight| {
        let name = initializer(weight);
        quote! { #name: #keras::initializers::Initializer, }
    });
    quote! {
        #(#attrs)*
        #[derive(Clone, Copy, Debug)]
        #vis struct #ident {
            #fields
            #(#initializers)*
        }
    }
}

/// `alpha_initializer`, as Keras calls it.
fn initializer(weight: &Weight) -> Ident {
    format_ident!("{}_initializer", weight.ident)
}

/// Everything about a layer but its struct; without what it computes, after an error, it does
/// nothing.
pub fn layer(
    keras: &TokenStream,
    declared: &Weighted,
    layer: Option<(&RowLayer, &Derived)>,
) -> TokenStream {
    let Weighted {
        head,
        settings,
        weights,
    } = declared;
    let ident = &head.ident;
    let (parameters, builders) = (types::parameters(settings), types::builders(settings));
    let (initial, default) = (types::initial(settings), types::default(ident, settings));
    let first = weights.iter().map(|weight| first_value(keras, weight));
    let of_weights = weights.iter().map(weight_builder);
    let rules = rules(declared);
    let count = Literal::usize_unsuffixed(weights.len());
    let value = row_value(settings);
    let kept = types::Kept {
        settings,
        others: weights.iter().map(initializer).collect(),
        has_options: false,
    };
    let (config, from_config) = (kept.config(), kept.reader());
    let class = ident.to_string();
    let register = format!(" Makes `load_model` find it by the name `{class}`.");
    let (forward, backward, row) = match layer {
        Some((layer, derived)) => (
            quote! { keras::layer_forward::<D, Row, #count>(#value, cx) },
            quote! { keras::layer_backward::<D, Row, #count>(#value, cx) },
            row(declared, layer, derived),
        ),
        None => (
            quote! { let _ = cx; },
            quote! { let _ = cx; },
            TokenStream::new(),
        ),
    };
    quote! {
        // In the user's scope: it evaluates what the user wrote as defaults.
        #[allow(clippy::all, clippy::pedantic, dead_code)]
        impl #ident {
            /// The layer with its defaults.
            pub const fn new(#(#parameters),*) -> Self {
                Self { #initial #(#first)* }
            }
        }
        #[allow(clippy::all, clippy::pedantic, unused_variables)]
        const _: () = {
            use #keras::__private as keras;
            #[allow(unused_imports)]
            use #keras::{device::{self, Arith, Float}, layers, __private::math};
            #[allow(dead_code)]
            impl #ident {
                #builders
                #(#of_weights)*
                #rules
                #from_config
                #[doc = #register]
                pub fn register() {
                    keras::register_layer::<Self>(
                        &[#class],
                        Self::from_config,
                        |layer, inputs| layer.output_shape(inputs),
                        |layer, inputs| layer.weights(inputs),
                    );
                }
            }
            #default
            #[automatically_derived]
            impl layers::Layer for #ident {
                #config
                fn forward<D: device::Device>(&self, cx: layers::Forward<'_, D>) {
                    #forward
                }
                fn backward<D: device::Device>(&self, cx: layers::Backward<'_, D>) {
                    #backward
                }
            }
            #row
        };
    }
}

/// How a weight begins, as a field: a number, or words and values that layers take.
fn first_value(keras: &TokenStream, weight: &Weight) -> TokenStream {
    let (name, words) = (initializer(weight), &weight.initializer);
    if let Some(number) = weight.number() {
        let number = Literal::f64_unsuffixed(number);
        return quote! { #name: #keras::initializers::Initializer::Constant(#number), };
    }
    quote! {
        #name: {
            #[allow(unused_imports)]
            use #keras::words::*;
            #words
        },
    }
}

fn weight_builder(weight: &Weight) -> TokenStream {
    let name = initializer(weight);
    let doc = format!(
        " How `{}` begins; `{}` unless it is given.",
        weight.ident,
        weight.initializer.to_token_stream()
    );
    quote! {
        #[doc = #doc]
        #[must_use]
        pub const fn #name(mut self, initializer: keras::Initializer) -> Self {
            self.#name = initializer;
            self
        }
    }
}

/// `output_shape` and `weights`.
fn rules(declared: &Weighted) -> TokenStream {
    let least =
        Literal::usize_unsuffixed(usize::from(declared.weights.iter().any(Weight::is_vector)));
    let weights = declared.weights.iter().map(|weight| {
        let (name, initializer) = (weight.ident.to_string(), initializer(weight));
        let shape = match weight.size {
            Size::One => quote! { keras::Shape::SCALAR },
            _ => quote! { keras::Shape::new(&[inputs[0].last()]) },
        };
        quote! { .with(layers::Weight::new(#name, #shape, self.#initializer)) }
    });
    quote! {
        /// The shape of the input.
        ///
        /// # Errors
        /// If there are several inputs, or the input has no axis for the weights.
        pub const fn output_shape(
            &self,
            inputs: &[keras::Shape],
        ) -> ::core::result::Result<keras::Shape, keras::ShapeError> {
            let input = match layers::one_input(inputs) {
                ::core::result::Result::Ok(input) => input,
                ::core::result::Result::Err(error) => return ::core::result::Result::Err(error),
            };
            match layers::min_rank(&input, #least) {
                ::core::result::Result::Ok(()) => ::core::result::Result::Ok(input),
                ::core::result::Result::Err(error) => ::core::result::Result::Err(error),
            }
        }
        /// The trained weights for inputs of these shapes.
        pub const fn weights(&self, inputs: &[keras::Shape]) -> keras::Weights {
            let _ = inputs;
            keras::Weights::NONE #(#weights)*
        }
    }
}

/// How the input, the weights and what configures are read.
fn sources(settings: &Settings, weights: &[Weight], input: &str) -> Vec<Source> {
    let of_weights = weights.iter().enumerate().map(|(at, weight)| Source {
        input: Input::Weight(at),
        name: weight.ident.to_string(),
        read: match weight.size {
            Size::One => Read::Single,
            _ => Read::Row,
        },
    });
    let row = |input, name: &str| Source {
        input,
        name: name.into(),
        read: Read::Row,
    };
    let given = [row(Input::X, input), row(Input::DOutput, "d_output")];
    of_settings(settings)
        .chain(of_weights)
        .chain(given)
        .collect()
}

/// The function of a row, forward and backward.
fn row(declared: &Weighted, layer: &RowLayer, derived: &Derived) -> TokenStream {
    let Weighted {
        settings, weights, ..
    } = declared;
    let graph = &derived.graph;
    let sources = sources(settings, weights, &layer.input);
    let (row, input) = (row_struct(settings), generated(&layer.input));
    let count = Literal::usize_unsuffixed(weights.len());
    let names: Vec<_> = weights
        .iter()
        .map(|weight| generated(&weight.ident.to_string()))
        .collect();
    let of_weights: Vec<_> = names
        .iter()
        .map(|name| format_ident!("to_{name}"))
        .collect();

    let outputs = [Output {
        value: derived.output,
        store: Box::new(|value| quote! { output[i] = #value; }),
    }];
    let body = Body::new(graph, &sources, &layer.input, &[], &outputs);
    let (forward, _) = body.write(&[], &outputs);

    let mut outputs = Vec::new();
    let (mut of_rows, mut added) = (Vec::new(), Vec::new());
    if let Some(gradient) = derived.input {
        outputs.push(Output {
            value: gradient,
            store: Box::new(|value| quote! { d_input[i] = #value; }),
        });
    }
    for ((weight, gradient), name) in weights.iter().zip(&derived.weights).zip(&of_weights) {
        let Some(gradient) = *gradient else { continue };
        let name = name.clone();
        match weight.size {
            Size::One => {
                debug_assert!(is_of_row(graph, gradient), "its copies are summed up");
                of_rows.push(gradient);
                added.push(name);
            }
            _ => outputs.push(Output {
                value: gradient,
                store: Box::new(move |value| quote! { #name[i] += #value; }),
            }),
        }
    }
    let body = Body::new(graph, &sources, &layer.input, &of_rows, &outputs);
    let (backward, values) = body.write(&of_rows, &outputs);
    let nothing = derived
        .input
        .is_none()
        .then(|| quote! { d_input.fill(F::zero()); });
    let weights_in = unpacked(&names, "weights");
    let weights_out = unpacked(&of_weights, "d_weights");
    quote! {
        #row
        impl device::LayerFunction<#count> for Row {
            #[inline(always)]
            fn forward<F: Float, A: Arith>(&self, #input: &[F], weights: [&[F]; #count], output: &mut [F]) {
                #weights_in
                #forward
            }
            #[inline(always)]
            fn backward<F: Float, A: Arith>(
                &self,
                #input: &[F],
                weights: [&[F]; #count],
                d_output: &[F],
                d_input: &mut [F],
                d_weights: [&mut [F]; #count],
            ) {
                #weights_in
                #weights_out
                #nothing
                #backward
                #(#added[0] += #values;)*
            }
        }
    }
}

/// `let [alpha, beta] = weights;`
fn unpacked(names: &[Ident], from: &str) -> Option<TokenStream> {
    let from = generated(from);
    (!names.is_empty()).then(|| quote! { let [#(#names),*] = #from; })
}
