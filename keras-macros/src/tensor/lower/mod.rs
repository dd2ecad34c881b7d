//! Syntax -> graph, with the checks: names, functions, arguments, shapes, kinds of values.

mod arguments;
mod calls;
mod reductions;

use std::collections::HashMap;

use syn::Ident;

use super::graph::{Graph, Id, Op, Space, Unary};
use crate::ctxt::Ctxt;
use crate::names::nearest;
use crate::parse::At;
use crate::parse::tensor::{Binary, Body, Kind, Statement, Term};

/// What names mean, and what is possible here.
#[derive(Clone, Default)]
pub struct Scope {
    /// What is being described, for errors: `loss`, `metric`, `layer`.
    pub what: &'static str,
    /// The values by name.
    pub names: HashMap<String, Id>,
    /// The fields of the type, `self.name`.
    pub fields: HashMap<String, Id>,
    /// The fields that can be changed.
    pub state: Vec<String>,
    /// The name of the sample weights.
    pub sample_weight: Option<String>,
    /// Whether values of all rows can be taken together: `sum(x)`.
    pub has_totals: bool,
    /// Whether there are weights with a number for each place along the last axis.
    pub has_vectors: bool,
}

/// What a body gives.
pub enum Lowered {
    /// A value.
    Value(Id),
    /// Several, with names.
    Dict(Vec<(Ident, Id)>),
}

/// Adds a body to a graph. What its fields are afterwards is in the scope. `None` if it has no
/// value, or one in error.
pub fn lower(ctxt: &Ctxt, graph: &mut Graph, scope: &mut Scope, body: &Body) -> Option<Lowered> {
    let mut lower = Lower { ctxt, graph, scope };
    lower.statements(&body.statements);
    let value = body.value.as_deref()?;
    if let Kind::Dict(items) = &value.kind {
        let items = items.iter();
        let values: Option<Vec<_>> = items
            .map(|(key, term)| Some((key.clone(), lower.number(term)?)))
            .collect();
        return values.map(Lowered::Dict);
    }
    lower.term(value).map(Lowered::Value)
}

struct Lower<'a> {
    ctxt: &'a Ctxt,
    graph: &'a mut Graph,
    scope: &'a mut Scope,
}

impl Lower<'_> {
    fn statements(&mut self, statements: &[Statement]) {
        for statement in statements {
            match statement {
                Statement::Let(name, term) => {
                    let value = self.term(term);
                    self.bind(name, value);
                }
                Statement::Assign(field, operator, term) => self.assign(field, *operator, term),
            }
        }
    }

    /// A name for a value. After an error it is known, so that nothing else is said about it.
    fn bind(&mut self, name: &Ident, value: Option<Id>) {
        let value = value.unwrap_or(INVALID);
        if let Some(node) = self.graph.nodes.get_mut(value) {
            let is_leaf = matches!(
                node.op,
                Op::Input(_) | Op::Number(_) | Op::Flag(_) | Op::Constant(_)
            );
            if !is_leaf && node.name.is_none() {
                node.name = Some(name.to_string());
            }
        }
        self.scope.names.insert(name.to_string(), value);
    }

    fn assign(&mut self, field: &Ident, operator: Option<Binary>, term: &Term) {
        let value = self.number(term);
        let name = field.to_string();
        if !self.scope.state.contains(&name) {
            let known = self.scope.state.join(", ");
            let message = if self.scope.fields.contains_key(&name) {
                format!(
                    "`{name}` is no weight of the metric: only weights change. Its weights: {known}"
                )
            } else {
                format!("The metric has no weight `{name}`. Its weights: {known}")
            };
            self.ctxt.error(field, message);
            return;
        }
        let Some(mut value) = value else { return };
        let before = self.scope.fields[&name];
        let (found, own) = (self.graph.space(value), self.graph.space(before));
        if found != Space::Scalar && found != own {
            let (what, how) = if own == Space::Scalar {
                ("one number", "sum(x)")
            } else {
                (
                    "one number for each place along the last axis",
                    "sum(x, axis = 0)",
                )
            };
            self.ctxt.error(
                term.at,
                format!(
                    "`{name}` is {what}. Received: a value of shape {}; take it together, by `{how}` for instance",
                    found.text()
                ),
            );
            return;
        }
        if let Some(operator) = operator {
            value = self.graph.binary(operator, before, value);
        }
        self.scope.fields.insert(name, value);
    }

    /// The value of a term; `None` after an error.
    fn term(&mut self, term: &Term) -> Option<Id> {
        let value = self.value(term)?;
        let node = &mut self.graph.nodes[value];
        node.at.get_or_insert(term.at);
        Some(value)
    }

    /// A number; yes is 1 and no is 0.
    fn number(&mut self, term: &Term) -> Option<Id> {
        let value = self.term(term)?;
        let number = self.graph.unary(Unary::Number, value);
        self.graph.nodes[number].at.get_or_insert(term.at);
        Some(number)
    }

    /// A yes or no.
    fn bool(&mut self, term: &Term, whose: &str) -> Option<Id> {
        let value = self.term(term)?;
        if !self.graph.nodes[value].is_bool {
            self.ctxt.error(
                term.at,
                format!(
                    "{whose} is yes or no. Received: numbers; compare them, such as in `x > 0.5`, or write \
                     `x.cast_bool()`"
                ),
            );
            return None;
        }
        Some(value)
    }

    fn value(&mut self, term: &Term) -> Option<Id> {
        match &term.kind {
            Kind::Invalid => None,
            Kind::Number(number) => Some(self.graph.number(*number)),
            Kind::Flag(flag) => Some(self.graph.node(Op::Flag(*flag), Space::Scalar)),
            Kind::Constant(path) => Some(self.graph.constant(path)),
            Kind::Name(name) => self.name(name),
            Kind::Field(name) => self.field(name),
            Kind::Negative(x) => {
                let x = self.number(x)?;
                Some(self.graph.unary(Unary::Neg, x))
            }
            Kind::Not(x) => {
                let x = self.bool(x, "What `!` turns round")?;
                Some(self.graph.unary(Unary::Not, x))
            }
            Kind::Binary(f, operator, a, b) => {
                let operands = [&**a, &**b];
                let [a, b] = if f.is_logical() {
                    self.bools(operands)
                } else {
                    self.numbers(operands)
                }?;
                self.binary(*f, *operator, a, b)
            }
            Kind::If(condition, then, otherwise) => {
                let condition = self.bool(condition, "The condition of an `if`");
                let [then, otherwise] = [then, otherwise].map(|body| self.branch(body, term.at));
                self.select(term.at, condition?, then?, otherwise?)
            }
            Kind::Block(body) => self.branch(body, term.at),
            Kind::Dict(_) => {
                self.ctxt.error(
                    term.at,
                    "A `Dict` is what the `result` of a metric may be, and nothing else.",
                );
                None
            }
            Kind::Call(call) => self.call(call, term.at),
        }
    }

    fn numbers<const N: usize>(&mut self, terms: [&Term; N]) -> Option<[Id; N]> {
        all(terms.map(|term| self.number(term)))
    }

    fn bools<const N: usize>(&mut self, terms: [&Term; N]) -> Option<[Id; N]> {
        all(terms.map(|term| self.bool(term, "An operand of `&` and `|`")))
    }

    /// A block: its names end with it.
    fn branch(&mut self, body: &Body, at: At) -> Option<Id> {
        let outside = self.scope.names.clone();
        self.statements(&body.statements);
        let value = body.value.as_deref();
        if value.is_none() {
            self.ctxt
                .error(at, "A block ends in its value: an expression without `;`.");
        }
        let value = value.and_then(|value| self.term(value));
        self.scope.names = outside;
        value
    }

    fn name(&mut self, name: &Ident) -> Option<Id> {
        let text = name.to_string();
        if self.scope.sample_weight.as_ref() == Some(&text) {
            self.ctxt.error(
                name,
                format!(
                    "`{text}` may be missing, so it is only used in `weighted(values, {text})`."
                ),
            );
            return None;
        }
        let Some(value) = self.scope.names.get(&text) else {
            let mut known: Vec<&str> = self.scope.names.keys().map(String::as_str).collect();
            known.sort_unstable();
            let hint = nearest(&text, known.iter().copied())
                .map(|near| format!(" Did you mean `{near}`?"))
                .unwrap_or_else(|| format!(" Known: {}", known.join(", ")));
            self.ctxt
                .error(name, format!("There is no value `{text}` here.{hint}"));
            return None;
        };
        (*value != INVALID).then_some(*value)
    }

    fn field(&mut self, name: &Ident) -> Option<Id> {
        let text = name.to_string();
        if let Some(value) = self.scope.fields.get(&text) {
            return Some(*value);
        }
        let mut known: Vec<&str> = self.scope.fields.keys().map(String::as_str).collect();
        known.sort_unstable();
        let what = self.scope.what;
        let message = if known.is_empty() {
            format!(
                "A {what} that is a function has no fields: its parameters are named on their own."
            )
        } else {
            format!(
                "The {what} has no field `{text}`. Its fields: {}",
                known.join(", ")
            )
        };
        self.ctxt.error(name, message);
        None
    }

    /// Checks that two values can be combined element by element.
    fn check_broadcast(&mut self, at: At, a: Id, b: Id) -> Option<()> {
        let (a, b) = (self.graph.space(a), self.graph.space(b));
        let lost = |space| space == Space::Row;
        let wide = |space| matches!(space, Space::Kept | Space::Channel | Space::Elements);
        if !(lost(a) && wide(b) || wide(a) && lost(b)) {
            return Some(());
        }
        self.ctxt.error(
            at,
            format!(
                "Shapes {} and {} cannot be combined: a reduction whose result meets the elements of its row keeps \
                 the axis, `mean(x, axis = -1, keepdims = true)`.",
                a.text(),
                b.text()
            ),
        );
        None
    }

    fn binary(&mut self, f: Binary, at: At, a: Id, b: Id) -> Option<Id> {
        self.check_broadcast(at, a, b)?;
        Some(self.graph.binary(f, a, b))
    }

    fn select(&mut self, at: At, condition: Id, a: Id, b: Id) -> Option<Id> {
        let (mut a, mut b) = (a, b);
        if self.graph.nodes[a].is_bool != self.graph.nodes[b].is_bool {
            [a, b] = [a, b].map(|x| self.graph.unary(Unary::Number, x));
        }
        self.check_broadcast(at, condition, a)?;
        self.check_broadcast(at, condition, b)?;
        self.check_broadcast(at, a, b)?;
        Some(self.graph.select(condition, a, b))
    }
}

/// A name that stands for what is in error.
const INVALID: Id = usize::MAX;

fn all<const N: usize>(values: [Option<Id>; N]) -> Option<[Id; N]> {
    let mut all = [0; N];
    for (to, value) in all.iter_mut().zip(values) {
        *to = value?;
    }
    Some(all)
}
