//! `#[metric]` -> a type that `compile` takes, and that has a state of its own.

use proc_macro2::{Literal, TokenStream};
use quote::{format_ident, quote};

use super::batch::update;
use super::functions::{Form, Function, is_of_classes, of_settings, row_struct, row_value};
use super::row::{Body, Read, Source};
use super::{functions, types};
use crate::parse::Head;
use crate::parse::loss::Loss;
use crate::parse::metric::Metric;
use crate::parse::tensor::{InputKind, Settings};
use crate::parse::weighted::Weighted;
use crate::tensor::{Graph, Id, Input, Op, Space};

/// What makes a metric this one.
struct Parts {
    /// The functions of `impl Metric` besides `name`, `validate` and `direction`.
    functions: TokenStream,
    /// What they call.
    row: TokenStream,
}

/// A metric that is the mean of a function; without a graph, after an error, it does nothing.
pub fn mean(keras: &TokenStream, metric: &Loss, value: Option<(&Graph, Id)>) -> TokenStream {
    let parts = value.map(|(graph, value)| {
        let function = Function::new(graph, &metric.inputs, &metric.settings, value);
        let (row, value) = (row_struct(&metric.settings), function.value());
        let of_self = function.wrapped(row_value(&metric.settings));
        let is_elementwise = matches!(function.form(), Form::Pairs(_));
        let (check, rows) = (check(graph), rows(is_elementwise));
        let elementwise = elementwise(is_elementwise);
        Parts {
            functions: quote! {
                #check
                #elementwise
                fn update(&self, input: metrics::MetricInput<'_, D>) -> keras::Result<()> {
                    let rows = #rows;
                    input.row_mean(#of_self, rows);
                    ::core::result::Result::Ok(())
                }
            },
            row: quote! { #row #value },
        }
    });
    let structure = structure(keras, &metric.head, &metric.settings);
    let methods = methods(keras, &metric.head, &metric.name, &metric.settings, parts);
    quote! { #structure #methods }
}

/// The struct of a metric.
pub fn structure(keras: &TokenStream, head: &Head, settings: &Settings) -> TokenStream {
    let Head { attrs, vis, ident } = head;
    let fields = types::fields(settings);
    quote! {
        #(#attrs)*
        #[derive(Clone, Debug)]
        #vis struct #ident {
            own: #keras::metrics::Own,
            #fields
        }
    }
}

/// What a metric with weights computes.
#[derive(Default)]
pub struct Computed {
    /// The values of a batch.
    pub update: Graph,
    /// The weights that it changes, and what they become.
    pub changes: Vec<(usize, Id)>,
    /// The values of the state.
    pub result: Graph,
    /// The results.
    pub values: Vec<Id>,
    /// Their names, if they have some.
    pub keys: Vec<String>,
    /// What the weights begin with.
    pub first: Vec<f64>,
}

/// Everything about a metric with weights but its struct; without what it computes, after an error,
/// it does nothing.
pub fn with_weights(
    keras: &TokenStream,
    declared: &Weighted,
    name: &str,
    metric: Option<(&Metric, &Computed)>,
) -> TokenStream {
    let parts = metric.map(|(metric, computed)| parts(declared, metric, computed));
    methods(keras, &declared.head, name, &declared.settings, parts)
}

fn parts(declared: &Weighted, metric: &Metric, computed: &Computed) -> Parts {
    let settings = &declared.settings;
    let (row, of_self) = (row_struct(settings), row_value(settings));
    let update = of_batch(declared, metric, computed);
    let (statements, values) = of_state(declared, computed);
    let count = Literal::usize_unsuffixed(declared.weights.len());
    let len = Literal::usize_unsuffixed(values.len());
    let initialize = initialize(&computed.first);
    let keys = &computed.keys;
    let keys = (!keys.is_empty()).then(|| {
        quote! {
            fn keys(&self) -> ::std::vec::Vec<&str> {
                ::std::vec![#(#keys),*]
            }
        }
    });
    let is_elementwise = is_elementwise(&computed.update);
    let (rows, elementwise) = (rows(is_elementwise), elementwise(is_elementwise));
    let check = check(&computed.update);
    Parts {
        functions: quote! {
            #check
            #elementwise
            fn variables(&self, _: &keras::Shape, _: &keras::Shape) -> usize {
                #count
            }
            #initialize
            fn update(&self, input: metrics::MetricInput<'_, D>) -> keras::Result<()> {
                let rows = #rows;
                keras::update_state(#of_self, rows, input);
                ::core::result::Result::Ok(())
            }
            #keys
            fn results(&self, state: &[f32], values: &mut ::std::vec::Vec<f32>) {
                values.extend(#of_self.results::<f32, keras::Separate>(state));
            }
        },
        row: quote! {
            #row
            impl device::StateFunction for Row {
                #[inline(always)]
                fn update<F: Float, A: Arith>(&self, batch: &device::BatchRows<'_, F>, state: &mut [F]) {
                    #update
                }
            }
            impl Row {
                fn results<F: Float, A: Arith>(&self, state: &[F]) -> [F; #len] {
                    #statements
                    [#(#values),*]
                }
            }
        },
    }
}

/// What a batch does to the state.
fn of_batch(declared: &Weighted, metric: &Metric, computed: &Computed) -> TokenStream {
    let mut sources = functions::sources(&metric.inputs, &declared.settings);
    sources.extend(states(declared));
    let weights = metric.inputs.iter();
    let weights = weights.filter(|input| input.kind == InputKind::Optional);
    sources.extend(weights.map(|parameter| Source {
        input: Input::SampleWeight,
        name: parameter.ident.to_string(),
        read: Read::Value,
    }));
    let names = [0, 1].map(|at| metric.inputs[at].ident.to_string());
    update(&computed.update, &sources, &names, &computed.changes)
}

/// What is read from the state.
fn of_state(declared: &Weighted, computed: &Computed) -> (TokenStream, Vec<TokenStream>) {
    let mut sources: Vec<Source> = of_settings(&declared.settings).collect();
    sources.extend(states(declared));
    let body = Body::new(&computed.result, &sources, "state", &computed.values, &[]);
    body.write_elements(&computed.values)
}

fn states(declared: &Weighted) -> impl Iterator<Item = Source> {
    let weights = declared.weights.iter().enumerate();
    weights.map(|(at, weight)| Source {
        input: Input::State(at),
        name: weight.ident.to_string(),
        read: Read::State(at),
    })
}

fn initialize(first: &[f64]) -> Option<TokenStream> {
    let first = first.iter().enumerate().filter(|(_, first)| **first != 0.0);
    let first = first.map(|(at, first)| {
        let (at, first) = (
            Literal::usize_unsuffixed(at),
            Literal::f64_unsuffixed(*first),
        );
        quote! { state[#at] = #first; }
    });
    let first: TokenStream = first.collect();
    (!first.is_empty()).then(|| {
        quote! {
            fn initialize(&self, state: &mut [f32]) {
                #first
            }
        }
    })
}

/// The type's own methods, and `impl Metric`.
fn methods(
    keras: &TokenStream,
    head: &Head,
    name: &str,
    settings: &Settings,
    parts: Option<Parts>,
) -> TokenStream {
    let ident = &head.ident;
    let (parameters, initial) = (types::parameters(settings), types::initial(settings));
    let (builders, default) = (types::builders(settings), types::default(ident, settings));
    let Parts { functions, row } = parts.unwrap_or_else(|| Parts {
        functions: quote! {
            fn update(&self, _: metrics::MetricInput<'_, D>) -> keras::Result<()> {
                ::core::result::Result::Ok(())
            }
        },
        row: TokenStream::new(),
    });
    let doc = format!(" The metric with its defaults; it is logged as `{name}`.");
    let register = parameters.is_empty().then(|| {
        let class = ident.to_string();
        let doc = format!(" Makes `compile` find it by the names `{name}` and `{class}`.");
        quote! {
            #[doc = #doc]
            pub fn register() {
                metrics::register::<keras::AutoDevice, Self>(&[#name, #class], Self::new);
            }
        }
    });
    quote! {
        #[allow(clippy::all, clippy::pedantic, unused_variables)]
        const _: () = {
            use #keras::__private as keras;
            #[allow(unused_imports)]
            use #keras::{device::{self, Arith, Float}, metrics, __private::math};
            #[allow(dead_code)]
            impl #ident {
                #[doc = #doc]
                pub const fn new(#(#parameters),*) -> Self {
                    Self { own: metrics::Own::new(#name), #initial }
                }
                #builders
                #register
            }
            #default
            metrics::standalone!(#ident);
            #[automatically_derived]
            impl<D: device::Device> metrics::Metric<D> for #ident {
                fn name(&self) -> &str {
                    self.own.name()
                }
                fn validate(&self) -> keras::Result<()> {
                    self.own.validate()
                }
                #functions
                fn direction(&self) -> metrics::Direction {
                    metrics::Direction::None
                }
            }
            #row
        };
    }
}

/// Targets are compared element by element, or are the numbers of classes.
fn check(graph: &Graph) -> TokenStream {
    let rule = if is_of_classes(graph) {
        "classes"
    } else {
        "broadcast"
    };
    let rule = format_ident!("{rule}");
    quote! {
        fn check(&self, y_true: &keras::Shape, y_pred: &keras::Shape) -> keras::Result<()> {
            keras::#rule(y_true, y_pred)
        }
    }
}

fn rows(is_elementwise: bool) -> TokenStream {
    if is_elementwise {
        quote! { input.elements() }
    } else {
        quote! { input.rows() }
    }
}

fn elementwise(is_elementwise: bool) -> Option<TokenStream> {
    is_elementwise.then(|| {
        quote! {
            fn values(&self, y_true: &keras::Shape, y_pred: &keras::Shape) -> keras::Shape {
                keras::elements(y_true, y_pred)
            }
        }
    })
}

/// Whether no row is seen as a whole, so that every element may be one.
fn is_elementwise(graph: &Graph) -> bool {
    graph.nodes.iter().all(|node| match node.op {
        Op::Reduce(..) | Op::Place => false,
        Op::Input(Input::SampleWeight) => node.space == Space::Kept,
        _ => true,
    })
}
