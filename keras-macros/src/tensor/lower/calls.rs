//! Calls of functions: their arguments, and what they are in the graph.

use super::Lower;
use super::arguments::Arguments;
use crate::names::nearest;
use crate::parse::At;
use crate::parse::tensor::{Binary, Call, Kind, Term};
use crate::tensor::functions::{FUNCTIONS, Rule, function};
use crate::tensor::graph::{Id, Input, Op, Space, Unary};

impl Lower<'_> {
    /// The value of a call.
    pub(super) fn call(&mut self, call: &Call, at: At) -> Option<Id> {
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
}
