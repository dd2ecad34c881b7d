//! What is computed of one row, as straight-line code: a loop for each time that everything along
//! the row has to be known before the next thing can be computed.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote};

use super::write::{Uses, Writer, is_of_row};
use crate::graph::generated;
use crate::names::identifier;
use crate::tensor::{Graph, Id, Input, Op, Reduce, Space};

/// How what is given is read.
pub struct Source {
    /// What it is.
    pub input: Input,
    /// The variable that holds it, or its row.
    pub name: String,
    /// How.
    pub read: Read,
}

/// How something given is read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Read {
    /// It is a number already.
    Value,
    /// It is a row, whose elements are read one by one.
    Row,
    /// It is a row, or one number for all of it.
    RowOrOne,
    /// It is a slice of one number.
    Single,
    /// It is a number of a metric's state, in this place of it.
    State(usize),
    /// It is a row of a metric's state, `name_state`, whose elements are read one by one.
    StateRow,
    /// It is a number of the type's own: `self.name`.
    Setting,
    /// It is a flag of the type's own.
    Flag,
}

/// What is written for each element of a row.
pub struct Output {
    /// The value.
    pub value: Id,
    /// What takes it, given the expression; `i` is its place.
    pub store: Box<dyn Fn(TokenStream) -> TokenStream>,
}

/// The body of a function of a row.
pub struct Body<'g> {
    pub(super) writer: Writer<'g>,
    pub(super) graph: &'g Graph,
    sources: &'g [Source],
    levels: Vec<usize>,
    /// The slice whose length is that of the row.
    pub(super) row: Ident,
}

/// How many loops have to be over before each value is known.
fn levels(graph: &Graph) -> Vec<usize> {
    let mut levels = vec![0; graph.nodes.len()];
    for id in 0..graph.nodes.len() {
        let operands = graph.operands(id);
        let level = operands.iter().map(|x| levels[*x]).max().unwrap_or(0);
        levels[id] = match graph.nodes[id].op {
            Op::Reduce(..) => level + 1,
            // Known before any row is looked at, or a result of all of them.
            Op::Total(..) => 0,
            _ => level,
        };
    }
    levels
}

impl<'g> Body<'g> {
    /// A body with these results for the row and these outputs for its elements.
    pub fn new(
        graph: &'g Graph,
        sources: &'g [Source],
        row: &str,
        results: &[Id],
        outputs: &[Output],
    ) -> Self {
        let wanted = results.iter().copied();
        let wanted: Vec<Id> = wanted
            .chain(outputs.iter().map(|output| output.value))
            .collect();
        let mut reserved = vec![
            "i",
            "width",
            "count",
            "rows",
            "gradient",
            "self",
            "batch",
            "state",
            "row",
            "weights",
            "output",
            "d_input",
            "d_weights",
        ];
        reserved.extend(sources.iter().map(|source| source.name.as_str()));
        Self {
            writer: Writer::new(graph, &wanted, &reserved),
            graph,
            sources,
            levels: levels(graph),
            row: generated(row),
        }
    }

    /// The statements before the results, and the results.
    pub fn write(mut self, results: &[Id], outputs: &[Output]) -> (TokenStream, Vec<TokenStream>) {
        let given = self.given();
        let (statements, results) = self.row(results, outputs);
        (quote! { #given #statements }, results)
    }

    /// The statements of a row before its results, and the results.
    pub(super) fn row(
        &mut self,
        results: &[Id],
        outputs: &[Output],
    ) -> (TokenStream, Vec<TokenStream>) {
        let last = (0..self.graph.nodes.len())
            .filter(|id| self.writer.is_needed(*id))
            .map(|id| self.levels[id]);
        let last = last.max().unwrap_or(0);
        let mut loops = TokenStream::new();
        for level in 0..=last {
            loops.extend(self.between(level));
            loops.extend(self.along(level, outputs));
        }
        let count = self.count();
        let width = (self.has_loops(outputs) || !count.is_empty()).then(|| {
            let row = &self.row;
            quote! { let width = #row.len(); }
        });
        let statements = quote! { #width #count #loops };
        let results = results.iter().map(|result| self.writer.value(*result));
        (statements, results.collect())
    }

    /// The statements of a function of single elements, and the results.
    pub fn write_elements(mut self, results: &[Id]) -> (TokenStream, Vec<TokenStream>) {
        let mut statements = self.given();
        for (id, source) in self.inputs() {
            if source.read != Read::Setting && source.read != Read::Flag {
                let name = generated(&source.name);
                self.writer.bound.insert(id, name);
            }
        }
        statements.extend(self.writer.lets());
        let results = results.iter().map(|result| self.writer.value(*result));
        (statements, results.collect())
    }

    /// The inputs that are needed.
    fn inputs(&self) -> Vec<(Id, &'g Source)> {
        let sources = self.sources;
        let input = |id: Id| match self.graph.nodes[id].op {
            Op::Input(input) if self.writer.is_needed(id) => {
                let source = sources.iter().find(|source| source.input == input)?;
                Some((id, source))
            }
            _ => None,
        };
        (0..self.graph.nodes.len()).filter_map(input).collect()
    }

    /// Variables for what is one number and given.
    pub(super) fn given(&mut self) -> TokenStream {
        let mut statements = TokenStream::new();
        for (id, source) in self.inputs() {
            let name = generated(&source.name);
            match source.read {
                Read::Value => {}
                Read::Setting => statements.extend(quote! { let #name = F::from_f32(self.#name); }),
                Read::Flag => statements.extend(quote! { let #name = self.#name; }),
                Read::State(at) => {
                    let at = proc_macro2::Literal::usize_unsuffixed(at);
                    statements.extend(quote! { let #name = state[#at]; });
                }
                Read::Single => statements.extend(quote! { let #name = #name[0]; }),
                Read::Row | Read::RowOrOne | Read::StateRow => continue,
            }
            self.writer.bound.insert(id, name);
        }
        statements
    }

    /// The number of elements, as a number to compute with.
    fn count(&self) -> TokenStream {
        let mut nodes = 0..self.graph.nodes.len();
        let is_count = |id| {
            self.writer.is_needed(id)
                && self.graph.nodes[id].op == Op::Width
                && !self.writer.bound.contains_key(&id)
        };
        if nodes.any(is_count) {
            quote! { let count = F::from_usize(width); }
        } else {
            TokenStream::new()
        }
    }

    fn has_loops(&self, outputs: &[Output]) -> bool {
        let is_reduced =
            |id: Id| self.writer.is_needed(id) && matches!(self.graph.nodes[id].op, Op::Reduce(..));
        !outputs.is_empty() || (0..self.graph.nodes.len()).any(is_reduced)
    }

    /// Variables for what is one number for the row and known after `level` loops.
    fn between(&mut self, level: usize) -> TokenStream {
        let graph = self.graph;
        // What a loop reads is computed before it.
        let is_read = |id: Id| {
            (0..graph.nodes.len()).any(|by| {
                self.writer.is_needed(by)
                    && (!is_of_row(graph, by) || matches!(graph.nodes[by].op, Op::Reduce(..)))
                    && graph.operands(by).contains(&id)
            })
        };
        let is_computed = |id: Id| {
            let op = &graph.nodes[id].op;
            matches!(op, Op::Unary(..) | Op::Binary(..) | Op::Share(..))
        };
        let mut statements = TokenStream::new();
        let known: Vec<Id> = (0..graph.nodes.len())
            .filter(|id| {
                self.writer.is_needed(*id)
                    && is_of_row(graph, *id)
                    && self.levels[*id] == level
                    && !self.writer.bound.contains_key(id)
                    && !matches!(graph.nodes[*id].op, Op::Reduce(..) | Op::Width | Op::Rows)
                    && (self.writer.is_let(*id) || is_computed(*id) && is_read(*id))
            })
            .collect();
        for id in known {
            let value = self.writer.value(id);
            let name = self.writer.variable(id);
            statements.extend(quote! { let #name = #value; });
        }
        statements
    }

    /// The loop along the row for what `level` loops have made possible.
    fn along(&mut self, level: usize, outputs: &[Output]) -> TokenStream {
        let graph = self.graph;
        let reduced: Vec<(Id, Reduce, Id)> = (0..graph.nodes.len())
            .filter_map(|id| match graph.nodes[id].op {
                Op::Reduce(f, x) if self.writer.is_needed(id) && self.levels[id] == level + 1 => {
                    Some((id, f, x))
                }
                _ => None,
            })
            .collect();
        let outputs = outputs
            .iter()
            .filter(|output| self.levels[output.value] == level);
        let outputs: Vec<&Output> = outputs.collect();
        if reduced.is_empty() && outputs.is_empty() {
            return TokenStream::new();
        }
        let mut before = TokenStream::new();
        let variables: Vec<(Id, Ident)> = reduced
            .iter()
            .map(|(id, f, _)| {
                let name = self.writer.variable(*id);
                let first = start(*f);
                before.extend(quote! { let mut #name = #first; });
                (*id, name)
            })
            .collect();
        // Inside of the loop these are not known yet, and what belongs to an element ends with it.
        let outside = self.writer.bound.clone();
        for (id, _) in &variables {
            self.writer.bound.remove(id);
        }
        let roots = reduced.iter().map(|(_, _, x)| *x);
        let roots: Vec<Id> = roots
            .chain(outputs.iter().map(|output| output.value))
            .collect();
        let mut inside = self.elements(&roots);
        for ((_, f, x), (_, name)) in reduced.iter().zip(&variables) {
            inside.extend(step(*f, name, self.writer.value(*x)));
        }
        for output in outputs {
            inside.extend((output.store)(self.writer.value(output.value)));
        }
        self.writer.bound = outside;
        let after = variables
            .iter()
            .zip(&reduced)
            .map(|((_, name), (_, f, _))| end(*f, name));
        let after: TokenStream = after.collect();
        quote! { #before for i in 0..width { #inside } #after }
    }

    /// Variables for the elements that the roots are made of.
    fn elements(&mut self, roots: &[Id]) -> TokenStream {
        let graph = self.graph;
        // What is known before the loop is not computed in it.
        let inner = Uses::of(graph, roots, |id| self.writer.is_known(id));
        let mut statements = TokenStream::new();
        for (id, source) in self.inputs() {
            let is_row = matches!(source.read, Read::Row | Read::RowOrOne | Read::StateRow);
            if !is_row || !inner.needed[id] {
                continue;
            }
            let name = generated(&source.name);
            let element = match source.read {
                Read::RowOrOne => quote! { math::at(#name, i) },
                Read::StateRow => {
                    let row = state_row(&source.name);
                    quote! { #row[i] }
                }
                _ => quote! { #name[i] },
            };
            statements.extend(quote! { let #name = #element; });
            self.writer.bound.insert(id, name);
        }
        // What all rows have made of each place is an array.
        for (id, array) in &self.writer.arrays.clone() {
            if inner.needed[*id] && !self.writer.bound.contains_key(id) {
                let name = self.writer.variable(*id);
                statements.extend(quote! { let #name = #array[i]; });
            }
        }
        for id in 0..graph.nodes.len() {
            let is_here = inner.needed[id] && !is_of_row(graph, id);
            if is_here && !self.writer.bound.contains_key(&id) && inner.is_let(graph, id) {
                let value = self.writer.value(id);
                let name = self.writer.variable(id);
                statements.extend(quote! { let #name = #value; });
            }
        }
        statements
    }
}

/// The slice of a metric's state that is a weight of several numbers.
pub fn state_row(name: &str) -> Ident {
    generated(&format!("{}_state", identifier(name)))
}

/// What a reduction begins with.
pub fn start(f: Reduce) -> TokenStream {
    match f {
        Reduce::Sum => quote! { F::zero() },
        Reduce::Max => quote! { F::neg_infinity() },
        Reduce::Min => quote! { F::infinity() },
        Reduce::ArgMax => quote! { (F::neg_infinity(), 0) },
        Reduce::ArgMin => quote! { (F::infinity(), 0) },
    }
}

/// What a reduction does with a value.
pub fn step(f: Reduce, name: impl ToTokens, value: TokenStream) -> TokenStream {
    match f {
        Reduce::Sum => quote! { #name += #value; },
        Reduce::Max => quote! { #name = math::maximum(#name, #value); },
        Reduce::Min => quote! { #name = math::minimum(#name, #value); },
        Reduce::ArgMax => quote! { #name = math::larger(#name, #value, i); },
        Reduce::ArgMin => quote! { #name = math::smaller(#name, #value, i); },
    }
}

/// What a reduction ends with.
pub fn end(f: Reduce, name: &Ident) -> TokenStream {
    match f {
        Reduce::ArgMax | Reduce::ArgMin => quote! { let #name = F::from_usize(#name.1); },
        _ => TokenStream::new(),
    }
}

/// Whether a value is made of elements only, each by itself.
pub fn is_elementwise(graph: &Graph, id: Id) -> bool {
    let is_simple = match graph.nodes[id].op {
        Op::Reduce(..) | Op::Total(..) | Op::Width | Op::Rows | Op::Place => false,
        Op::Input(_) => !matches!(graph.space(id), Space::Row | Space::Kept),
        _ => true,
    };
    is_simple && graph.operands(id).iter().all(|x| is_elementwise(graph, *x))
}
