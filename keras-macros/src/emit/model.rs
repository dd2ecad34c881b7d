//! The struct of a model, how it is made, and its `impl Model`.

use proc_macro2::{Ident, Literal, TokenStream};
use quote::{format_ident, quote};
use syn::{Attribute, ImplItem};

use super::Emitter;
use crate::graph::{Kind, Nesting, Network, Part, Structure};
use crate::parse::Head;

impl Emitter<'_> {
    /// The model's struct.
    pub fn structs(&self) -> TokenStream {
        let Head { attrs, vis, ident } = self.head;
        let keras = &self.keras;
        let parts = self.part_fields();
        let (part_structs, summary) = (self.part_structs(), self.summary());
        quote! {
            #(#attrs)*
            #summary
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
        let (shapes, budgets) = (self.shapes(), self.budget_checks());
        let (constructors, gradcheck) = (self.constructors(), self.gradcheck());
        let training = self.training();
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
                #budgets
                #constructors
                #call
                #network
                #model
                #functions
                #(#parts)*
            };
            #training
            #gradcheck
        }
    }

    /// The table of the layers, as documentation.
    fn summary(&self) -> TokenStream {
        let lines = crate::summary::lines(self.graph).unwrap_or_default();
        quote! { #(#[doc = #lines])* }
    }

    fn constructors(&self) -> TokenStream {
        let Head { ident, .. } = self.head;
        let network = self.network_function(None);
        let parts = self.graph.parts.iter().map(|part| {
            let (field, network) = (&part.ident, self.network_function(Some(part)));
            quote! { #field: keras::Run::new(#network()), }
        });
        // The struct of a subclassed model has been emitted before its `call` was known.
        let has_call = self.graph.whole.kind == Kind::Subclassed && !self.options.in_order;
        let summary = has_call.then(|| self.summary());
        let [new, with_seed, on] = self.docs();
        let (weights, file) = self.weights_of_file();
        quote! {
            #summary
            #[allow(dead_code)]
            impl #ident {
                #[doc = #new]
                pub fn new() -> Self {
                    with_core(keras::Core::on_default(#network(), keras::fresh_seed()) #weights)
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
                    with_core(keras::Core::on_default(#network(), seed))
                }
            }
            #[allow(dead_code)]
            impl<D: keras::Device> #ident<D> {
                #[doc = #on]
                pub fn on(device: D) -> Self {
                    with_core(keras::Core::new(#network(), device, keras::fresh_seed()) #weights)
                }
                /// A model on a device, whose random numbers follow from a seed.
                pub fn on_with_seed(device: D, seed: u64) -> Self {
                    with_core(keras::Core::new(#network(), device, seed))
                }
            }
            fn with_core<D: keras::Device>(core: keras::Core<D>) -> #ident<D> {
                let mut model = #ident {
                    core,
                    run: keras::Run::new(#network()),
                    #(#parts)*
                };
                keras::build_declared(&mut model);
                model
            }
            #file
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
        let (steps, structure) = (self.steps(), self.output_structure(&self.graph.whole));
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
                #structure
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

    /// How nested outputs are put together; of others the network says enough.
    pub(super) fn output_structure(&self, network: &Network) -> Option<TokenStream> {
        let mut names = network.outputs.iter().map(|output| output.name.as_str());
        let nested = nested(network.nesting.as_ref()?, &mut names);
        Some(quote! {
            fn output_structure(&self) -> keras::Nested<::std::string::String> {
                #nested
            }
        })
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
        let structure = structure_name(network.structure);
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

/// `Nested::List(..)` of the names of outputs.
fn nested<'n>(nesting: &Nesting, names: &mut impl Iterator<Item = &'n str>) -> TokenStream {
    let Nesting::Several(structure, items) = nesting else {
        let name = names.next().unwrap_or_default();
        return quote! { keras::Nested::One(#name.into()) };
    };
    let kind = structure_name(*structure);
    let items = items.iter().map(|(key, item)| {
        let item = nested(item, names);
        match key {
            Some(key) => quote! { (#key.into(), #item) },
            None => item,
        }
    });
    quote! { keras::Nested::#kind(::std::vec![#(#items),*]) }
}

/// The runtime's name of a structure.
fn structure_name(structure: Structure) -> Ident {
    match structure {
        Structure::Single => format_ident!("Single"),
        Structure::Tuple => format_ident!("Tuple"),
        Structure::List => format_ident!("List"),
        Structure::Dict => format_ident!("Dict"),
    }
}
