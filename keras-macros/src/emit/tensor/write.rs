//! Values -> Rust expressions and `let`s, under the names the user gave them.

use std::collections::HashMap;

use proc_macro2::{Ident, TokenStream};
use quote::quote;

use crate::graph::generated;
use crate::names::{UniqueNames, identifier};
use crate::parse::tensor::Binary;
use crate::tensor::{Graph, Id, Op, Space, Unary};

/// How tightly an expression holds together, as in Rust's grammar.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Tight {
    Branch,
    Comparison,
    Or,
    And,
    Sum,
    Product,
    Prefix,
    Atom,
}

/// Writes a function.
pub struct Writer<'g> {
    /// What is written.
    pub graph: &'g Graph,
    /// The variables that there are.
    pub bound: HashMap<Id, Ident>,
    /// The arrays with a number for each place along the last axis.
    pub arrays: Vec<(Id, Ident)>,
    names: UniqueNames,
    /// What the code that is being written needs.
    pub uses: Uses,
}

/// What a piece of code needs.
pub struct Uses {
    /// Which values.
    pub needed: Vec<bool>,
    /// How often each is asked for, by those that are needed and by the results.
    counts: Vec<usize>,
    /// Which are results.
    results: Vec<bool>,
}

impl<'g> Writer<'g> {
    /// A writer of a function with these results.
    pub fn new(graph: &'g Graph, results: &[Id], reserved: &[&str]) -> Self {
        let mut names = UniqueNames::default();
        for name in reserved {
            names.reserve(name);
        }
        let uses = Uses::of(graph, results, |_| false);
        Self {
            graph,
            bound: HashMap::new(),
            arrays: Vec::new(),
            names,
            uses,
        }
    }

    /// Whether a value, or each of its numbers, has been computed already.
    pub fn is_known(&self, id: Id) -> bool {
        self.bound.contains_key(&id) || self.arrays.iter().any(|(array, _)| *array == id)
    }

    /// Whether a value is needed.
    pub fn is_needed(&self, id: Id) -> bool {
        self.uses.needed[id]
    }

    /// A variable for a value, under the user's name or one that says what it is.
    pub fn variable(&mut self, id: Id) -> Ident {
        let node = &self.graph.nodes[id];
        let wanted = match &node.name {
            Some(name) => identifier(name),
            None => what(&node.op).to_string(),
        };
        self.variable_named(id, &wanted)
    }

    /// A variable of a name, or of one like it.
    pub fn variable_named(&mut self, id: Id, wanted: &str) -> Ident {
        let name = generated(&self.names.unique(wanted));
        self.bound.insert(id, name.clone());
        name
    }

    /// Whether a value is worth a `let`.
    pub fn is_let(&self, id: Id) -> bool {
        self.uses.is_let(self.graph, id)
    }

    /// `let` for each of the values that are worth it.
    pub fn lets(&mut self) -> TokenStream {
        let mut lets = TokenStream::new();
        for id in 0..self.graph.nodes.len() {
            if self.uses.needed[id]
                && !self.bound.contains_key(&id)
                && self.uses.is_let(self.graph, id)
            {
                let value = self.value(id);
                let name = self.variable(id);
                lets.extend(quote! { let #name = #value; });
            }
        }
        lets
    }

    /// A value: its variable, or its expression.
    pub fn value(&self, id: Id) -> TokenStream {
        self.written(id).0
    }

    fn written(&self, id: Id) -> (TokenStream, Tight) {
        match self.bound.get(&id) {
            Some(name) => (quote! { #name }, Tight::Atom),
            None => self.expression(id),
        }
    }

    /// An operand, in parentheses if it holds together less tightly.
    fn operand(&self, id: Id, least: Tight) -> TokenStream {
        let (tokens, tight) = self.written(id);
        if tight < least {
            quote! { (#tokens) }
        } else {
            tokens
        }
    }

    fn expression(&self, id: Id) -> (TokenStream, Tight) {
        let atom = |tokens| (tokens, Tight::Atom);
        match &self.graph.nodes[id].op {
            Op::Number(bits) => atom(number(f64::from_bits(*bits))),
            Op::Flag(flag) => atom(quote! { #flag }),
            Op::Constant(at) => {
                let path = &self.graph.constants[*at];
                atom(quote! { F::from_f32(#path) })
            }
            Op::Place => atom(quote! { F::from_usize(i) }),
            Op::Unary(f, x) => self.unary(*f, *x),
            Op::Binary(f, a, b) => self.binary(*f, *a, *b),
            Op::Share(a, b) => {
                let (a, b) = (self.value(*a), self.value(*b));
                atom(quote! { math::share(#a, #b) })
            }
            Op::Select(c, a, b) => {
                let (c, a, b) = (self.value(*c), self.value(*a), self.value(*b));
                (quote! { if #c { #a } else { #b } }, Tight::Branch)
            }
            // These have variables before they are read.
            Op::Input(_) | Op::Width | Op::Rows | Op::Reduce(..) | Op::Total(..) => {
                let name = generated(what(&self.graph.nodes[id].op));
                atom(quote! { #name })
            }
        }
    }

    fn unary(&self, f: Unary, x: Id) -> (TokenStream, Tight) {
        let receiver = || self.operand(x, Tight::Atom);
        let of = |name: &str| {
            let (name, x) = (generated(name), self.value(x));
            quote! { math::#name::<F, A>(#x) }
        };
        let tokens = match f {
            Unary::Neg => {
                let x = self.operand(x, Tight::Prefix);
                return (quote! { -#x }, Tight::Prefix);
            }
            Unary::Not => {
                let x = self.operand(x, Tight::Prefix);
                return (quote! { !#x }, Tight::Prefix);
            }
            Unary::Abs
            | Unary::Sqrt
            | Unary::Sin
            | Unary::Cos
            | Unary::Floor
            | Unary::Ceil
            | Unary::StopGradient => {
                let (name, x) = (generated(unary_name(f)), receiver());
                quote! { #x.#name() }
            }
            Unary::Sign | Unary::Round => {
                let (name, x) = (generated(unary_name(f)), self.value(x));
                quote! { math::#name(#x) }
            }
            Unary::Number => {
                let x = self.value(x);
                quote! { math::number::<F>(#x) }
            }
            Unary::Exp
            | Unary::Expm1
            | Unary::Log
            | Unary::Log1p
            | Unary::Tanh
            | Unary::Sigmoid
            | Unary::Softplus => of(unary_name(f)),
        };
        (tokens, Tight::Atom)
    }

    fn binary(&self, f: Binary, a: Id, b: Id) -> (TokenStream, Tight) {
        let called = |name: &str| {
            let (name, a, b) = (generated(name), self.value(a), self.value(b));
            (quote! { math::#name(#a, #b) }, Tight::Atom)
        };
        let (operator, tight) = match f {
            Binary::Max => return called("maximum"),
            Binary::Min => return called("minimum"),
            Binary::Pow => {
                let base = self.operand(a, Tight::Atom);
                let whole = self
                    .graph
                    .as_number(b)
                    .filter(|b| b.fract() == 0.0 && b.abs() < 64.0);
                if let Some(exponent) = whole {
                    let exponent = proc_macro2::Literal::i32_unsuffixed(exponent as i32);
                    return (quote! { #base.powi(#exponent) }, Tight::Atom);
                }
                let exponent = self.value(b);
                return (quote! { #base.powf(#exponent) }, Tight::Atom);
            }
            Binary::Add => (quote! { + }, Tight::Sum),
            Binary::Sub => (quote! { - }, Tight::Sum),
            Binary::Mul => (quote! { * }, Tight::Product),
            Binary::Div => (quote! { / }, Tight::Product),
            Binary::Greater => (quote! { > }, Tight::Comparison),
            Binary::GreaterEqual => (quote! { >= }, Tight::Comparison),
            Binary::Less => (quote! { < }, Tight::Comparison),
            Binary::LessEqual => (quote! { <= }, Tight::Comparison),
            Binary::Equal => (quote! { == }, Tight::Comparison),
            Binary::NotEqual => (quote! { != }, Tight::Comparison),
            Binary::And => (quote! { & }, Tight::And),
            Binary::Or => (quote! { | }, Tight::Or),
        };
        // Operators group to the left; comparisons do not group at all.
        let after = match tight {
            Tight::Comparison => Tight::Or,
            Tight::Or => Tight::And,
            Tight::And => Tight::Sum,
            Tight::Sum => Tight::Product,
            _ => Tight::Prefix,
        };
        let before = if f.is_comparison() { after } else { tight };
        let (a, b) = (self.operand(a, before), self.operand(b, after));
        (quote! { #a #operator #b }, tight)
    }
}

impl Uses {
    /// Those of code with these results, in which what is `known` is not computed.
    pub fn of(graph: &Graph, results: &[Id], known: impl Fn(Id) -> bool) -> Self {
        let mut needed = vec![false; graph.nodes.len()];
        let mut counts = vec![0; graph.nodes.len()];
        let mut is_result = vec![false; graph.nodes.len()];
        for result in results {
            is_result[*result] = true;
            needed[*result] = true;
            counts[*result] += 1;
        }
        for id in (0..graph.nodes.len()).rev() {
            if !needed[id] || known(id) {
                continue;
            }
            for operand in graph.operands(id) {
                needed[operand] = true;
                counts[operand] += 1;
            }
        }
        Self {
            needed,
            counts,
            results: is_result,
        }
    }

    /// Whether a value is worth a `let`: the user named it, or it is asked for more than once.
    pub fn is_let(&self, graph: &Graph, id: Id) -> bool {
        let node = &graph.nodes[id];
        match node.op {
            Op::Number(_) | Op::Flag(_) | Op::Constant(_) | Op::Place | Op::Input(_) => false,
            // Computed whatever the branch, so that a test can count on it.
            Op::Unary(Unary::StopGradient, _) => true,
            // A choice stands at the end of something only.
            Op::Select(..) => node.name.is_some() || self.counts[id] > 1 || !self.results[id],
            _ => node.name.is_some() || self.counts[id] > 1,
        }
    }
}

fn number(number: f64) -> TokenStream {
    if number == 0.0 && number.is_sign_positive() {
        quote! { F::zero() }
    } else if number == 1.0 {
        quote! { F::one() }
    } else {
        let literal = proc_macro2::Literal::f64_unsuffixed(number);
        quote! { F::from_f64(#literal) }
    }
}

/// The runtime's name of a function.
fn unary_name(f: Unary) -> &'static str {
    match f {
        Unary::Neg => "negative",
        Unary::Not => "not",
        Unary::Abs => "abs",
        Unary::Sqrt => "sqrt",
        Unary::Exp => "exp",
        Unary::Expm1 => "exp_m1",
        Unary::Log => "ln",
        Unary::Log1p => "ln_1p",
        Unary::Sin => "sin",
        Unary::Cos => "cos",
        Unary::Tanh => "tanh",
        Unary::Sigmoid => "sigmoid",
        Unary::Softplus => "softplus",
        Unary::Sign => "sign",
        Unary::Floor => "floor",
        Unary::Ceil => "ceil",
        Unary::Round => "round",
        Unary::Number => "number",
        Unary::StopGradient => "held",
    }
}

/// What a value is called that the user has not named.
fn what(op: &Op) -> &'static str {
    use crate::tensor::Reduce;
    match op {
        Op::Unary(f, _) => unary_name(*f),
        Op::Binary(f, a, b) => match f {
            Binary::Add => "total",
            Binary::Sub => "difference",
            Binary::Mul if a == b => "square",
            Binary::Mul => "product",
            Binary::Div => "quotient",
            Binary::Pow => "power",
            Binary::Max => "larger",
            Binary::Min => "smaller",
            Binary::Greater | Binary::GreaterEqual => "is_greater",
            Binary::Less | Binary::LessEqual => "is_less",
            Binary::Equal => "is_equal",
            Binary::NotEqual => "differs",
            Binary::And => "both",
            Binary::Or => "either",
        },
        Op::Share(..) => "share",
        Op::Select(..) => "chosen",
        Op::Reduce(f, _) | Op::Total(f, _) => match f {
            Reduce::Sum => "sum",
            Reduce::Max => "largest",
            Reduce::Min => "smallest",
            Reduce::ArgMax | Reduce::ArgMin => "place",
        },
        Op::Width => "count",
        Op::Rows => "rows",
        Op::Place => "place",
        Op::Number(_) | Op::Flag(_) | Op::Constant(_) | Op::Input(_) => "value",
    }
}

/// Whether a value is one for the row or for everything.
pub fn is_of_row(graph: &Graph, id: Id) -> bool {
    !matches!(graph.space(id), Space::Channel | Space::Elements)
}
