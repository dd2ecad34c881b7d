//! Syntax -> graph, with the checks: names, functions, arguments, shapes, kinds of values.

use std::collections::HashMap;

use syn::Ident;

use super::functions::{FUNCTIONS, Over, Reduction, Rule, function, reduce};
use super::graph::{Graph, Id, Input, Op, Space, Unary};
use crate::ctxt::Ctxt;
use crate::names::nearest;
use crate::parse::At;
use crate::parse::tensor::{Binary, Body, Call, Kind, Statement, Term};

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

    fn call(&mut self, call: &Call, at: At) -> Option<Id> {
        let name = call.function.to_string();
        let Some(function) = function(&name) else {
            let names = || {
                FUNCTIONS
                    .iter()
                    .flat_map(|function| function.names)
                    .copied()
            };
            let hint = nearest(&name, names())
                .map(|near| format!(" Did you mean `{near}`?"))
                .unwrap_or_else(|| {
                    format!(" Its functions: {}", names().collect::<Vec<_>>().join(", "))
                });
            self.ctxt.error(
                &call.function,
                format!("The tensor language has no function `{name}`.{hint}"),
            );
            return None;
        };
        let mut arguments = Arguments::read(self.ctxt, call, function.tensors)?;
        if let Rule::Weighted = function.rule {
            return self.weighted(call, arguments);
        }
        let axis = arguments.take("axis");
        let keepdims = arguments.take("keepdims");
        let takes = match function.rule {
            Rule::Reduction(_) => &["axis", "keepdims"][..],
            Rule::Rowwise(_) => &["axis"],
            _ => &[],
        };
        for (key, given) in [("axis", &axis), ("keepdims", &keepdims)] {
            if let (Some((ident, _)), false) = (given, takes.contains(&key)) {
                self.ctxt
                    .error(ident, format!("`{name}` has no argument `{key}`."));
                return None;
            }
        }
        arguments.finish(self.ctxt, &name)?;
        let first = || arguments.tensors.first().copied().flatten();
        match function.rule {
            Rule::Unary(f) => {
                let x = self.number(first()?)?;
                Some(self.graph.unary(f, x))
            }
            Rule::Binary(f) => {
                let [a, b] = self.numbers(arguments.all()?)?;
                self.binary(f, at, a, b)
            }
            Rule::Logical(f) => {
                let [a, b] = self.bools(arguments.all()?)?;
                self.binary(f, at, a, b)
            }
            Rule::Not => {
                let x = self.bool(first()?, "What `logical_not` turns round")?;
                Some(self.graph.unary(Unary::Not, x))
            }
            Rule::Composed(compose) => {
                let mut values = Vec::new();
                for (term, (_, default)) in arguments.tensors.iter().zip(function.tensors) {
                    values.push(match (term, default) {
                        (Some(term), _) => self.number(term),
                        (None, default) => default.map(|default| self.graph.number(default)),
                    });
                }
                let values: Vec<Id> = values.into_iter().collect::<Option<_>>()?;
                for (index, a) in values.iter().enumerate() {
                    for b in &values[index + 1..] {
                        self.check_broadcast(at, *a, *b)?;
                    }
                }
                Some(compose(self.graph, &values))
            }
            Rule::CastBool => {
                let term = first()?;
                let value = self.term(term)?;
                if self.graph.nodes[value].is_bool {
                    return Some(value);
                }
                let zero = self.graph.number(0.0);
                Some(self.graph.binary(Binary::NotEqual, value, zero))
            }
            Rule::Where => {
                let [condition, a, b] = arguments.all()?;
                let condition = self.bool(condition, "The condition of `where_`");
                let (a, b) = (self.term(a), self.term(b));
                self.select(at, condition?, a?, b?)
            }
            Rule::Rowwise(compose) => {
                let term = first()?;
                let x = self.number(term)?;
                if let Some((_, axis)) = axis {
                    self.check_last_axis(axis)?;
                }
                self.check_has_last_axis(term.at, &name, x)?;
                Some(compose(self.graph, x))
            }
            Rule::Reduction(reduction) => {
                let term = first()?;
                let x = self.number(term)?;
                self.reduction(call, reduction, (term.at, x), axis, keepdims)
            }
            Rule::OneHot => {
                let term = first()?;
                let x = self.number(term)?;
                let place = self.graph.node(Op::Place, Space::Elements);
                let is_class = self.binary(Binary::Equal, term.at, place, x)?;
                Some(self.graph.unary(Unary::Number, is_class))
            }
            Rule::Like(number) => {
                let x = self.term(first()?)?;
                let space = self.graph.space(x);
                Some(self.graph.node(Op::Number(number.to_bits()), space))
            }
            Rule::Weighted => None,
        }
    }

    /// `weighted(values, sample_weight)`.
    fn weighted(&mut self, call: &Call, arguments: Arguments<'_>) -> Option<Id> {
        let weight = arguments.more.first().copied().or_else(|| {
            let named = arguments
                .named
                .iter()
                .find(|(key, _)| *key == "sample_weight");
            named.map(|(_, term)| *term)
        });
        let is_weight = |term: &Term| match (&term.kind, &self.scope.sample_weight) {
            (Kind::Name(name), Some(weight)) => name == weight,
            _ => false,
        };
        if !weight.is_some_and(is_weight) {
            self.ctxt.error(
                &call.function,
                "`weighted(values, sample_weight)` takes the parameter `sample_weight: Option<Tensor>` as its second \
                 argument.",
            );
            return None;
        }
        let values = self.number(arguments.tensors[0]?)?;
        let space = match self.graph.space(values) {
            Space::Elements | Space::Channel | Space::Kept => Space::Kept,
            Space::Row | Space::Scalar => Space::Row,
        };
        let weight = self.graph.input(Input::SampleWeight, space);
        Some(self.graph.mul(values, weight))
    }

    fn reduction(
        &mut self,
        call: &Call,
        reduction: Reduction,
        (at, x): (At, Id),
        axis: Option<(Ident, &Term)>,
        keepdims: Option<(Ident, &Term)>,
    ) -> Option<Id> {
        let name = &call.function;
        let is_kept = match keepdims {
            None => false,
            Some((_, term)) => match term.kind {
                Kind::Flag(flag) => flag,
                _ => {
                    self.ctxt.error(term.at, "`keepdims` is `true` or `false`.");
                    return None;
                }
            },
        };
        let Some((_, axis)) = axis else {
            return self.everything(name, reduction, x);
        };
        if matches!(axis.kind, Kind::Number(0.0)) && self.scope.has_totals {
            return self.over_rows(axis, name, reduction, x);
        }
        self.check_last_axis(axis)?;
        self.check_has_last_axis(at, &name.to_string(), x)?;
        let space = if is_kept { Space::Kept } else { Space::Row };
        Some(reduce(self.graph, reduction, x, Over::Row(space)))
    }

    /// A reduction along axis 0, in a metric: a number for each place along the last axis.
    fn over_rows(&mut self, axis: &Term, name: &Ident, reduction: Reduction, x: Id) -> Option<Id> {
        if self.graph.space(x) != Space::Elements {
            return self.everything(name, reduction, x);
        }
        let is_simple = matches!(
            reduction,
            Reduction::Sum
                | Reduction::Mean
                | Reduction::Max
                | Reduction::Min
                | Reduction::CountNonzero
        );
        if !is_simple || !self.scope.has_vectors {
            let message = if is_simple {
                "What is taken along axis 0 goes into a weight with a number for each place: `#[weight(zeros)] name: \
                 [f32; N]`."
            } else {
                "Along axis 0 there are `sum`, `mean`, `max`, `min` and `count_nonzero`."
            };
            self.ctxt.error(axis.at, message);
            return None;
        }
        Some(reduce(self.graph, reduction, x, Over::Place))
    }

    /// A reduction without an axis.
    fn everything(&mut self, name: &Ident, reduction: Reduction, x: Id) -> Option<Id> {
        let what = self.scope.what;
        if matches!(reduction, Reduction::ArgMax | Reduction::ArgMin) {
            self.ctxt.error(
                name,
                format!("A place along which axis? Write `{name}(x, axis = -1)`."),
            );
            return None;
        }
        if !self.scope.has_totals && !matches!(self.graph.space(x), Space::Scalar | Space::Channel)
        {
            self.ctxt.error(
                name,
                format!(
                    "Without an axis, `{name}` takes the samples of a batch together; a {what} has a value for each of \
                     them. Write `{name}(x, axis = -1)`."
                ),
            );
            return None;
        }
        match self.graph.space(x) {
            // One number is its own sum.
            Space::Scalar => return Some(x),
            Space::Channel => return Some(reduce(self.graph, reduction, x, Over::Row(Space::Row))),
            _ => {}
        }
        Some(reduce(self.graph, reduction, x, Over::Everything))
    }

    fn check_last_axis(&mut self, axis: &Term) -> Option<()> {
        if matches!(axis.kind, Kind::Number(-1.0)) {
            return Some(());
        }
        self.ctxt.error(
            axis.at,
            "Expressions work along the last axis: `axis = -1` is the only one they know.",
        );
        None
    }

    fn check_has_last_axis(&mut self, at: At, name: &str, x: Id) -> Option<()> {
        let space = self.graph.space(x);
        if space.is_along_row() {
            return Some(());
        }
        self.ctxt.error(
            at,
            format!(
                "`{name}` works along the last axis, which this value does not have: its shape is {}.",
                space.text()
            ),
        );
        None
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

/// The arguments of a call: tensors in the order of the function, and the rest.
struct Arguments<'t> {
    tensors: Vec<Option<&'t Term>>,
    more: Vec<&'t Term>,
    named: Vec<(&'t Ident, &'t Term)>,
}

impl<'t> Arguments<'t> {
    /// Puts the arguments in order. `None` if one is missing or there twice.
    fn read(ctxt: &Ctxt, call: &'t Call, order: &[(&str, Option<f64>)]) -> Option<Self> {
        let mut named: Vec<(&Ident, &Term)> =
            call.named.iter().map(|(key, term)| (key, term)).collect();
        let mut positional = call.positional.iter();
        let mut tensors = Vec::new();
        let mut missing = Vec::new();
        for (name, default) in order {
            let by_name = named.iter().position(|(key, _)| key == name);
            let by_name = by_name.map(|at| named.remove(at));
            match (positional.next(), by_name) {
                (Some(_), Some((key, _))) => {
                    ctxt.error(
                        key,
                        format!(
                            "{} got multiple values for argument `{key}`.",
                            call.function
                        ),
                    );
                    return None;
                }
                (Some(term), None) | (None, Some((_, term))) => tensors.push(Some(term)),
                (None, None) if default.is_some() => tensors.push(None),
                (None, None) => missing.push(format!("`{name}`")),
            }
        }
        if !missing.is_empty() {
            let (count, missing) = (missing.len(), missing.join(" and "));
            let plural = if count == 1 { "" } else { "s" };
            ctxt.error(
                &call.function,
                format!(
                    "{} is missing {count} required argument{plural}: {missing}",
                    call.function
                ),
            );
            return None;
        }
        Some(Self {
            tensors,
            more: positional.collect(),
            named,
        })
    }

    /// An option that is no tensor, by name or by position.
    fn take(&mut self, name: &str) -> Option<(Ident, &'t Term)> {
        let at = self.named.iter().position(|(key, _)| *key == name)?;
        let (key, term) = self.named.remove(at);
        Some((key.clone(), term))
    }

    /// Nothing may be left.
    fn finish(&self, ctxt: &Ctxt, function: &str) -> Option<()> {
        for (key, _) in &self.named {
            ctxt.error(key, format!("`{function}` has no argument `{key}`."));
        }
        for term in &self.more {
            let takes = self.tensors.len();
            let plural = if takes == 1 { "" } else { "s" };
            ctxt.error(
                term.at,
                format!(
                    "`{function}` takes {takes} tensor{plural} by position; what else it is told has a name, such as \
                     `axis = -1`."
                ),
            );
        }
        (self.named.is_empty() && self.more.is_empty()).then_some(())
    }

    /// As many tensors as there are.
    fn all<const N: usize>(&self) -> Option<[&'t Term; N]> {
        let terms: Vec<&Term> = self.tensors.iter().copied().collect::<Option<_>>()?;
        terms.try_into().ok()
    }
}
