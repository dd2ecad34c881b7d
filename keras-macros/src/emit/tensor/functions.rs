//! A graph as a function of a row: `RowFunction`, and with its gradient `RowLoss`; of single pairs
//! where the row's value is their mean.

use proc_macro2::TokenStream;
use quote::quote;

use super::row::{Body, Output, Read, Source, is_elementwise};
use crate::graph::generated;
use crate::parse::tensor;
use crate::parse::tensor::{Binary, InputKind, Setting, Settings};
use crate::tensor::{Graph, Id, Input, Op, Reduce, Space};

/// A function of a row of targets and a row of predictions.
pub struct Function<'f> {
    /// What is computed.
    pub graph: &'f Graph,
    /// How what is given is read.
    pub sources: Vec<Source>,
    /// The names of the targets and of the predictions.
    pub names: [String; 2],
    /// The value of the row, or of each element.
    pub value: Id,
}

/// What the value of a function is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// The mean of a function of pairs.
    Mean(Id),
    /// A function of pairs; each is a value of its own.
    Pairs(Id),
    /// Anything else of a row.
    Row,
}

/// The function of pairs that a value is, or is the mean of.
pub fn pairs(graph: &Graph, value: Id) -> Option<Id> {
    match form(graph, value) {
        Form::Mean(pair) | Form::Pairs(pair) => Some(pair),
        Form::Row => None,
    }
}

fn form(graph: &Graph, value: Id) -> Form {
    let is_pair = |x| graph.space(x) == Space::Elements && is_elementwise(graph, x);
    if let Op::Binary(Binary::Div, sum, count) = graph.nodes[value].op
        && let Op::Reduce(Reduce::Sum, x) = graph.nodes[sum].op
        && graph.nodes[count].op == Op::Width
        && is_pair(x)
    {
        return Form::Mean(x);
    }
    if is_pair(value) {
        return Form::Pairs(value);
    }
    Form::Row
}

impl<'f> Function<'f> {
    /// A function of the parameters' tensors.
    pub fn new(
        graph: &'f Graph,
        inputs: &[tensor::Input],
        settings: &[Setting],
        value: Id,
    ) -> Self {
        let name = |at: usize| {
            inputs
                .get(at)
                .map_or(String::new(), |input| input.ident.to_string())
        };
        Self {
            graph,
            sources: sources(inputs, settings),
            names: [name(0), name(1)],
            value,
        }
    }

    /// What the value is.
    pub fn form(&self) -> Form {
        form(self.graph, self.value)
    }

    /// The type of the function: a `MeanOf` of pairs, or of rows itself.
    pub fn wrapped(&self, value: TokenStream) -> TokenStream {
        match self.form() {
            Form::Mean(_) | Form::Pairs(_) => quote! { device::MeanOf(#value) },
            Form::Row => value,
        }
    }

    /// `impl PairFunction` or `impl RowFunction`.
    pub fn value(&self) -> TokenStream {
        let [y_true, y_pred] = [0, 1].map(|at| generated(&self.names[at]));
        match self.form() {
            Form::Mean(x) | Form::Pairs(x) => {
                let body = Body::new(self.graph, &self.sources, &self.names[1], &[x], &[]);
                let (statements, values) = body.write_elements(&[x]);
                quote! {
                    impl device::PairFunction for Row {
                        #[inline(always)]
                        fn value<F: Float, A: Arith>(&self, #y_true: F, #y_pred: F) -> F {
                            #statements
                            #(#values)*
                        }
                    }
                }
            }
            Form::Row => {
                let results = [self.value];
                let body = Body::new(self.graph, &self.sources, &self.names[1], &results, &[]);
                let (statements, values) = body.write(&results, &[]);
                quote! {
                    impl device::RowFunction for Row {
                        #[inline(always)]
                        fn value<F: Float, A: Arith>(&self, #y_true: &[F], #y_pred: &[F]) -> F {
                            #statements
                            #(#values)*
                        }
                    }
                }
            }
        }
    }

    /// `impl PairLoss` or `impl RowLoss`; `gradient` is that of the pair's value, or `factor` times
    /// that of the row's.
    pub fn value_and_gradient(&self, gradient: Id) -> TokenStream {
        let [y_true, y_pred] = [0, 1].map(|at| generated(&self.names[at]));
        match self.form() {
            Form::Mean(x) | Form::Pairs(x) => {
                let results = [x, gradient];
                let body = Body::new(self.graph, &self.sources, &self.names[1], &results, &[]);
                let (statements, values) = body.write_elements(&results);
                quote! {
                    impl device::PairLoss for Row {
                        #[inline(always)]
                        fn value_and_gradient<F: Float, A: Arith>(&self, #y_true: F, #y_pred: F) -> (F, F) {
                            #statements
                            (#(#values),*)
                        }
                    }
                }
            }
            Form::Row => {
                let results = [self.value];
                let outputs = [Output {
                    value: gradient,
                    store: Box::new(|value| quote! { gradient[i] = #value; }),
                }];
                let body = Body::new(
                    self.graph,
                    &self.sources,
                    &self.names[1],
                    &results,
                    &outputs,
                );
                let (statements, values) = body.write(&results, &outputs);
                quote! {
                    impl device::RowLoss for Row {
                        #[inline(always)]
                        fn value_and_gradient<F: Float, A: Arith>(
                            &self,
                            #y_true: &[F],
                            #y_pred: &[F],
                            factor: F,
                            gradient: &mut [F],
                        ) -> F {
                            #statements
                            #(#values)*
                        }
                    }
                }
            }
        }
    }
}

/// How targets, predictions and what configures are read.
pub fn sources(inputs: &[tensor::Input], settings: &[Setting]) -> Vec<Source> {
    let tensors = inputs
        .iter()
        .filter(|input| input.kind == InputKind::Tensor);
    let tensors = tensors.zip([(Input::YTrue, Read::RowOrOne), (Input::YPred, Read::Row)]);
    let tensors = tensors.map(|(parameter, (input, read))| Source {
        input,
        name: parameter.ident.to_string(),
        read,
    });
    let factor = Source {
        input: Input::Factor,
        name: "factor".into(),
        read: Read::Value,
    };
    tensors
        .chain(of_settings(settings))
        .chain([factor])
        .collect()
}

/// How what configures is read.
pub fn of_settings(settings: &[Setting]) -> impl Iterator<Item = Source> {
    settings.iter().enumerate().map(|(at, setting)| Source {
        input: Input::Setting(at),
        name: setting.ident.to_string(),
        read: if setting.is_flag {
            Read::Flag
        } else {
            Read::Setting
        },
    })
}

/// `struct Row { delta: f32 }`: what configures, and nothing else.
pub fn row_struct(settings: &Settings) -> TokenStream {
    let fields = settings.iter().map(|setting| {
        let (ident, ty) = (&setting.ident, &setting.ty);
        quote! { #ident: #ty }
    });
    quote! {
        #[derive(Clone, Copy)]
        struct Row { #(#fields),* }
    }
}

/// `Row { delta: self.delta }`.
pub fn row_value(settings: &Settings) -> TokenStream {
    let fields = settings.iter().map(|setting| {
        let ident = &setting.ident;
        quote! { #ident: self.#ident }
    });
    quote! { Row { #(#fields),* } }
}

/// Whether the targets are read as the numbers of classes only.
pub fn is_of_classes(graph: &Graph) -> bool {
    let is_target = |id: &Id| graph.nodes[*id].op == Op::Input(Input::YTrue);
    let mut reads = (0..graph.nodes.len()).filter(|id| graph.operands(*id).iter().any(is_target));
    let place = graph
        .nodes
        .iter()
        .position(|node| node.op == Op::Place && node.space == Space::Elements);
    let is_class = |id: Id| match graph.nodes[id].op {
        Op::Binary(_, a, _) => Some(a) == place,
        _ => false,
    };
    place.is_some() && reads.all(is_class)
}
