//! The struct of a model, how it is made, and its `impl Model`.

use proc_macro2::{Ident, Literal, TokenStream};
use quote::{format_ident, quote};
use syn::{Attribute, ImplItem};

use super::Emitter;
use crate::graph::{Kind, Network, Part, Structure};
use crate::parse::Head;

impl Emitter<'_> {
    /// The model's struct.
    pub fn structs(&self) -> TokenStream {
        let Head { attrs, vis, ident } = self.head;
        let keras = &self.keras;
        let parts = self.part_fields();
        let part_structs = self.part_structs();
        quote! {
            #(#attrs)*
            #vis struct #ident<D: #keras::__private::Device = #keras::__private::AutoDevice> {
                core: #keras::__private::Core<D>,
                run: #keras::__private::Run<D>,
                #(#parts: #keras::__private::Run<D>,)*
            }
            #part_structs
        }
    }

    /// Everything about the model but its struct.
    pub fn model(&self) -> TokenStream {
        let keras = &self.keras;
        let (layers, layers_type) = (self.layers(), self.layers_type());
        let (shapes, budget) = (self.shapes(), self.budget_check());
        let (constructors, gradcheck) = (self.constructors(), self.gradcheck());
        let (functions, model) = (self.call_functions(), self.whole());
        let call = self.call_on_tensors();
        let parts = self.graph.parts.iter().map(|part| self.part(part));
        let network = self.network(&self.network_function(None), &self.graph.whole);
        let layers_alias = self.layers_alias();
        let alias = (!self.graph.layers.is_empty() || !self.graph.whole.inputs.is_empty())
            .then(|| quote! { type #layers_alias = #layers_type; });
        // Tokens with the user's spans count as the user's own for lints.
        quote! {
            #layers
            #[allow(clippy::all, clippy::pedantic)]
            const _: () = {
                use #keras::__private as keras;
                #alias
                #shapes
                #budget
                #constructors
                #call
                #network
                #model
                #functions
                #(#parts)*
            };
            #gradcheck
        }
    }

    fn constructors(&self) -> TokenStream {
        let Head { ident, .. } = self.head;
        let network = self.network_function(None);
        let parts = self.graph.parts.iter().map(|part| {
            let (field, network) = (&part.ident, self.network_function(Some(part)));
            quote! { #field: keras::Run::new(#network()), }
        });
        let (on, first) = self.on();
        let [new, with_seed] = self.docs();
        quote! {
            #[allow(dead_code)]
            impl #ident {
                #[doc = #new]
                pub fn new() -> Self {
                    Self::on(::core::default::Default::default())
                }
                /// The model that `save`, here or in Keras, has written to a file: compiled as it was, it goes on
                /// with its training.
                pub fn load(path: impl ::core::convert::AsRef<::std::path::Path>) -> keras::Result<Self> {
                    keras::load(path.as_ref(), Self::with_seed)
                }
                /// The same with arguments, such as `Load::new().compile(false)`.
                pub fn load_with(
                    path: impl ::core::convert::AsRef<::std::path::Path>,
                    arguments: keras::Load,
                ) -> keras::Result<Self> {
                    keras::load_with(path.as_ref(), arguments, Self::with_seed)
                }
                #[doc = #with_seed]
                pub fn with_seed(seed: u64) -> Self {
                    Self::on_with_seed(::core::default::Default::default(), seed)
                }
            }
            #[allow(dead_code)]
            impl<D: keras::Device> #ident<D> {
                #[doc = #on]
                pub fn on(device: D) -> Self {
                    #first
                }
                /// A model on a device, whose random numbers follow from a seed.
                pub fn on_with_seed(device: D, seed: u64) -> Self {
                    let mut model = Self {
                        core: keras::Core::new(#network(), device, seed),
                        run: keras::Run::new(#network()),
                        #(#parts)*
                    };
                    keras::build_declared(&mut model);
                    model
                }
            }
            #[automatically_derived]
            impl ::core::default::Default for #ident {
                fn default() -> Self {
                    Self::new()
                }
            }
        }
    }

    fn whole(&self) -> TokenStream {
        let Head { ident, .. } = self.head;
        let passes = self.passes(&self.graph.whole, |step| {
            self.function("backward", step.call)
        });
        let steps = self.steps();
        quote! {
            #[automatically_derived]
            impl<D: keras::Device> keras::Model for #ident<D> {
                type Device = D;
                fn core(&self) -> &keras::Core<D> {
                    &self.core
                }
                fn run(&self) -> &keras::Run<D> {
                    &self.run
                }
                fn split(&mut self) -> (&mut keras::Core<D>, &mut keras::Run<D>) {
                    (&mut self.core, &mut self.run)
                }
                #passes
                #steps
            }
        }
    }

    /// `train_step` and the steps that the user wrote.
    fn steps(&self) -> TokenStream {
        // The user's function is one of the type's own, which come before the trait's.
        let own = self.own_steps.iter().map(|step| {
            if step.to_string().starts_with("make_") {
                return quote! {
                    fn #step(&mut self, force: bool) -> keras::StepFunction {
                        Self::#step(self, force)
                    }
                };
            }
            let logs = quote! { Self::#step(self, batch) };
            let result = if step == "predict_step" {
                logs
            } else {
                // They may return logs of their own.
                quote! {
                    let logs = #logs?;
                    keras::keep_logs(self, logs);
                    Ok(())
                }
            };
            quote! {
                fn #step(&mut self, batch: &keras::Batch<'_>) -> keras::Result<()> {
                    #result
                }
            }
        });
        let generated =
            (!self.own_steps.iter().any(|step| step == "train_step")).then(|| self.train_step());
        quote! { #generated #(#own)* }
    }

    /// The functions of a struct's own, in the user's scope.
    pub fn own_functions(&self, attrs: &[Attribute], items: &[ImplItem]) -> TokenStream {
        let (keras, Head { ident, .. }) = (&self.keras, self.head);
        if items.is_empty() {
            return TokenStream::new();
        }
        quote! {
            #(#attrs)*
            impl<D: #keras::__private::Device> #ident<D> {
                #(#items)*
            }
        }
    }

    /// One step of training.
    pub(super) fn train_step(&self) -> TokenStream {
        quote! {
            fn train_step(&mut self, batch: &keras::Batch<'_>) -> keras::Result<()> {
                keras::Model::load(self, batch, true)?;
                keras::Model::forward(self, true)?;
                keras::Model::compute_loss(self)?;
                keras::Model::backward(self)?;
                keras::Model::apply_gradients(self)?;
                keras::Model::update_metrics(self)
            }
        }
    }

    /// The function that gives the network of the model, or of a part.
    pub(super) fn network_function(&self, part: Option<&Part>) -> Ident {
        match part {
            Some(part) => format_ident!("network_{}", part.ident),
            None => format_ident!("network"),
        }
    }

    /// The description of a network, as a function.
    pub(super) fn network(&self, function: &Ident, network: &Network) -> TokenStream {
        let name = &network.name;
        let kind = match network.kind {
            Kind::Sequential => format_ident!("Sequential"),
            Kind::Functional => format_ident!("Functional"),
            Kind::Part => format_ident!("Part"),
            Kind::Subclassed => format_ident!("Subclassed"),
        };
        let structure = match network.structure {
            Structure::Single => format_ident!("Single"),
            Structure::Tuple => format_ident!("Tuple"),
            Structure::List => format_ident!("List"),
            Structure::Dict => format_ident!("Dict"),
        };
        let values = Literal::usize_unsuffixed(self.graph.values.len());
        let layers = self.graph.layers.iter().map(|layer| {
            let (name, class, trainable) = (&layer.name, &layer.class, layer.trainable());
            let field = &layer.field;
            quote! {
                keras::LayerInfo {
                    name: keras::Borrowed(#name),
                    class: keras::Borrowed(#class),
                    field: keras::Borrowed(#field),
                    trainable: #trainable,
                }
            }
        });
        let inputs = network.inputs.iter().map(|input| {
            let (name, value) = (&input.name, self.value(input.value));
            let shape = self.value_constant("S", input.value);
            quote! { keras::Input { name: keras::Borrowed(#name), value: #value, shape: #shape } }
        });
        let outputs = network.outputs.iter().map(|output| {
            let name = &output.name;
            let (training, inference) = (self.value(output.training), self.value(output.inference));
            quote! {
                keras::Output {
                    name: keras::Borrowed(#name),
                    training: #training,
                    inference: #inference,
                }
            }
        });
        let losses = network.losses.iter().map(|&loss| self.value(loss));
        let metrics = network.metrics.iter().map(|metric| {
            let value = |value: Option<usize>| match value {
                Some(value) => {
                    let value = self.value(value);
                    quote! { ::core::option::Option::Some(#value) }
                }
                None => quote! { ::core::option::Option::None },
            };
            let (name, training, inference) = (
                &metric.name,
                value(metric.training),
                value(metric.inference),
            );
            quote! {
                keras::AddedMetric {
                    name: keras::Borrowed(#name),
                    training: #training,
                    inference: #inference,
                }
            }
        });
        quote! {
            /// The layers, the inputs and the outputs.
            fn #function() -> &'static keras::Network {
                const {
                    &keras::Network {
                        name: keras::Borrowed(#name),
                        kind: keras::Kind::#kind,
                        values: #values,
                        layers: keras::Borrowed(&[#(#layers),*]),
                        inputs: keras::Borrowed(&[#(#inputs),*]),
                        outputs: keras::Borrowed(&[#(#outputs),*]),
                        structure: keras::Structure::#structure,
                        losses: keras::Borrowed(&[#(#losses),*]),
                        metrics: keras::Borrowed(&[#(#metrics),*]),
                    }
                }
            }
        }
    }
}
