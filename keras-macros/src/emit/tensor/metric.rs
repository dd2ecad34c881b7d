//! `#[metric]` -> a type that `compile` takes, and that has a state of its own.

use proc_macro2::{Ident, Literal, TokenStream};
use quote::{format_ident, quote};
use syn::Expr;

use super::batch::{Change, Place, update};
use super::functions::{Form, Function, is_of_classes, of_settings, row_struct, row_value};
use super::row::{Body, Output, Read, Source, state_row};
use super::{functions, types};
use crate::parse::Head;
use crate::parse::loss::Loss;
use crate::parse::metric::Metric;
use crate::parse::tensor::{InputKind, Settings};
use crate::parse::weighted::{Size, Weight, Weighted};
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

/// Where the weights lie in the state: single numbers first, then the rows.
struct Layout<'w> {
    weights: &'w [Weight],
    /// How many single numbers there are.
    numbers: usize,
    /// How many numbers a row has, if there are rows.
    width: Option<&'w Expr>,
}

impl<'w> Layout<'w> {
    fn of(weights: &'w [Weight]) -> Self {
        let width = weights.iter().find_map(|weight| match &weight.size {
            Size::Several(width) => Some(width),
            Size::One | Size::Channels => None,
        });
        Self {
            weights,
            numbers: weights.iter().filter(|weight| !weight.is_vector()).count(),
            width,
        }
    }

    /// The number of single numbers or of rows before a weight.
    fn index(&self, at: usize) -> usize {
        let kind = self.weights[at].is_vector();
        let before = self.weights[..at].iter();
        before.filter(|weight| weight.is_vector() == kind).count()
    }

    fn place(&self, at: usize) -> Place {
        if self.weights[at].is_vector() {
            Place::Row(state_row(&self.weights[at].ident.to_string()))
        } else {
            Place::Number(self.index(at))
        }
    }

    /// How the weights are read.
    fn sources(&self) -> impl Iterator<Item = Source> {
        self.weights.iter().enumerate().map(|(at, weight)| Source {
            input: Input::State(at),
            name: weight.ident.to_string(),
            read: match self.place(at) {
                Place::Number(at) => Read::State(at),
                Place::Row(_) => Read::StateRow,
            },
        })
    }

    /// The rows of the state as slices of their own.
    fn split(&self, how: &str) -> TokenStream {
        let (how, width) = (format_ident!("{how}"), self.width);
        let numbers = Literal::usize_unsuffixed(self.numbers);
        let rows = self.weights.iter().filter(|weight| weight.is_vector());
        let rows = rows.map(|weight| {
            let row = state_row(&weight.ident.to_string());
            quote! { let (#row, rest) = rest.#how(#width); }
        });
        let rows: TokenStream = rows.collect();
        if rows.is_empty() {
            return rows;
        }
        quote! {
            let (state, rest) = state.#how(#numbers);
            #rows
        }
    }

    /// How many numbers there are.
    fn size(&self) -> TokenStream {
        let numbers = Literal::usize_unsuffixed(self.numbers);
        let rows = self.weights.len() - self.numbers;
        match (self.width, rows) {
            (None, _) => quote! { #numbers },
            (Some(width), 1) => quote! { #numbers + #width },
            (Some(width), rows) => {
                let rows = Literal::usize_unsuffixed(rows);
                quote! { #numbers + #rows * (#width) }
            }
        }
    }

    fn initialize(&self, first: &[f64]) -> Option<TokenStream> {
        let first = first.iter().enumerate().filter(|(_, first)| **first != 0.0);
        let first = first.map(|(at, first)| {
            let first = Literal::f64_unsuffixed(*first);
            match self.place(at) {
                Place::Number(at) => {
                    let at = Literal::usize_unsuffixed(at);
                    quote! { state[#at] = #first; }
                }
                Place::Row(row) => quote! { #row.fill(#first); },
            }
        });
        let first: TokenStream = first.collect();
        let split = self.split("split_at_mut");
        (!first.is_empty()).then(|| {
            quote! {
                fn initialize(&self, state: &mut [f32]) {
                    #split
                    #first
                }
            }
        })
    }
}

fn parts(declared: &Weighted, metric: &Metric, computed: &Computed) -> Parts {
    let settings = &declared.settings;
    let layout = Layout::of(&declared.weights);
    let (row, of_self) = (row_struct(settings), row_value(settings));
    let update = of_batch(declared, &layout, metric, computed);
    let results = of_state(declared, &layout, computed);
    let (size, initialize) = (layout.size(), layout.initialize(&computed.first));
    let keys = &computed.keys;
    let keys = (!keys.is_empty()).then(|| {
        quote! {
            fn keys(&self) -> ::std::vec::Vec<&str> {
                ::std::vec![#(#keys),*]
            }
        }
    });
    let is_elementwise = layout.width.is_none() && is_elementwise(&computed.update);
    let (rows, elementwise) = (rows(is_elementwise), elementwise(is_elementwise));
    let check = match layout.width {
        None => check(&computed.update),
        Some(width) => {
            let rule = rule(&computed.update);
            quote! {
                fn check(&self, y_true: &keras::Shape, y_pred: &keras::Shape) -> keras::Result<()> {
                    keras::#rule(y_true, y_pred)?;
                    keras::check_width(self.own.name(), #width, y_pred)
                }
            }
        }
    };
    Parts {
        functions: quote! {
            #check
            #elementwise
            fn variables(&self, _: &keras::Shape, _: &keras::Shape) -> usize {
                #size
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
                #results
            }
        },
    }
}

/// What a batch does to the state.
fn of_batch(
    declared: &Weighted,
    layout: &Layout<'_>,
    metric: &Metric,
    computed: &Computed,
) -> TokenStream {
    let mut sources = functions::sources(&metric.inputs, &declared.settings);
    sources.extend(layout.sources());
    let weights = metric.inputs.iter();
    let weights = weights.filter(|input| input.kind == InputKind::Optional);
    sources.extend(weights.map(|parameter| Source {
        input: Input::SampleWeight,
        name: parameter.ident.to_string(),
        read: Read::Value,
    }));
    let names = [0, 1].map(|at| metric.inputs[at].ident.to_string());
    let changes = computed.changes.iter().map(|(at, value)| Change {
        to: layout.place(*at),
        value: *value,
    });
    let changes: Vec<Change> = changes.collect();
    let split = layout.split("split_at_mut");
    let update = update(&computed.update, &sources, &names, layout.width, &changes);
    quote! { #split #update }
}

/// What is read from the state.
fn of_state(declared: &Weighted, layout: &Layout<'_>, computed: &Computed) -> TokenStream {
    let mut sources: Vec<Source> = of_settings(&declared.settings).collect();
    sources.extend(layout.sources());
    let graph = &computed.result;
    let split = layout.split("split_at");
    let rows = declared.weights.iter().filter(|weight| weight.is_vector());
    let row = rows
        .map(|weight| state_row(&weight.ident.to_string()))
        .next();
    let row = row.map_or("state".into(), |row| row.to_string());
    if let [value] = computed.values[..]
        && graph.space(value) == Space::Channel
    {
        let outputs = [Output {
            value,
            store: Box::new(|value| quote! { results[i] = #value; }),
        }];
        let width = layout.width;
        let body = Body::new(graph, &sources, &row, &[], &outputs);
        let (statements, _) = body.write(&[], &outputs);
        return quote! {
            fn results<F: Float, A: Arith>(&self, state: &[F]) -> [F; #width] {
                #split
                let mut results = [F::zero(); #width];
                #statements
                results
            }
        };
    }
    let len = Literal::usize_unsuffixed(computed.values.len());
    let body = Body::new(graph, &sources, &row, &computed.values, &[]);
    let (statements, values) = body.write(&computed.values, &[]);
    quote! {
        fn results<F: Float, A: Arith>(&self, state: &[F]) -> [F; #len] {
            #split
            #statements
            [#(#values),*]
        }
    }
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
fn rule(graph: &Graph) -> Ident {
    let is_of_classes = is_of_classes(graph);
    format_ident!(
        "{}",
        if is_of_classes {
            "classes"
        } else {
            "broadcast"
        }
    )
}

fn check(graph: &Graph) -> TokenStream {
    let rule = rule(graph);
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
