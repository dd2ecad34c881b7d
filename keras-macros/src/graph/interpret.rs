//! The model language, run once for each mode: what it computes is a graph.

use std::collections::HashMap;

use syn::Ident;

use super::bound::{Bound, BoundModel, ends};
use super::draft::Draft;
use super::{LayerId, Structure, ValueId};
use crate::ctxt::Ctxt;
use crate::parse::At;
use crate::parse::call::{Body, Expression, Kind, Pattern, Statement};

/// The most rounds that all loops of a model may have together.
const MOST_ROUNDS: usize = 100_000;

/// Runs the language on a draft.
pub struct Interpreter<'a> {
    /// Where errors go.
    pub ctxt: &'a Ctxt,
    /// Where layers and calls go.
    pub draft: &'a mut Draft,
    /// The layers of a struct, by their fields.
    pub fields: HashMap<String, LayerId>,
    /// Training or inference.
    pub training: bool,
    /// The names in scope, innermost last.
    pub names: Vec<(Ident, Bound)>,
    /// The models that were bound to names.
    pub models: Vec<BoundModel>,
    /// The rounds of loops so far.
    pub rounds: usize,
}

impl Interpreter<'_> {
    /// What a body gives; the names it introduces end with it.
    pub fn body(&mut self, body: &Body, at: At) -> Bound {
        let outer = self.names.len();
        for statement in &body.statements {
            self.statement(statement);
        }
        let value = match &body.value {
            Some(value) => self.expression(value),
            None => Bound::Nothing(at),
        };
        self.names.truncate(outer);
        value
    }

    fn statement(&mut self, statement: &Statement) {
        match statement {
            Statement::Let(pattern, value) => {
                let bound = self.expression(value);
                self.bind(pattern, bound);
            }
            Statement::Assign(name, value) => {
                let bound = self.expression(value);
                self.name(name, &bound);
                match self.names.iter_mut().rev().find(|(n, _)| n == name) {
                    Some((_, old)) => *old = bound,
                    None => self.unknown(name),
                }
            }
            Statement::Repeat(times, body, at) => {
                for _ in 0..*times {
                    self.rounds += 1;
                    if self.rounds > MOST_ROUNDS {
                        let message = format!(
                            "The loops of a model have at most {MOST_ROUNDS} rounds in all."
                        );
                        self.ctxt.error(at, message);
                        return;
                    }
                    self.body(body, *at);
                }
            }
            Statement::Do(value) => {
                self.expression(value);
            }
        }
    }

    /// Binds a pattern.
    pub fn bind(&mut self, pattern: &Pattern, bound: Bound) {
        match (pattern, bound) {
            (Pattern::Ignored, _) => {}
            (Pattern::Name(name), bound) => {
                self.name(name, &bound);
                if let Bound::Model(ends, own_name, _) = &bound {
                    self.models.push(BoundModel {
                        ident: name.clone(),
                        ends: ends.as_deref().cloned(),
                        name: own_name.clone(),
                    });
                }
                self.names.push((name.clone(), bound));
            }
            (Pattern::Several(patterns, _), Bound::Several(_, items, _))
                if patterns.len() == items.len() =>
            {
                for (pattern, (_, item)) in patterns.iter().zip(items) {
                    self.bind(pattern, item);
                }
            }
            (Pattern::Several(patterns, at), bound) => {
                let received = match &bound {
                    Bound::Several(_, items, _) => format!("{} values", items.len()),
                    Bound::Invalid => String::new(),
                    _ => "one value".to_string(),
                };
                if !matches!(bound, Bound::Invalid) {
                    self.ctxt.error(
                        at,
                        format!(
                            "Expected {} values for these names. Received: {received}",
                            patterns.len()
                        ),
                    );
                }
                for pattern in patterns {
                    self.bind(pattern, Bound::Invalid);
                }
            }
        }
    }

    /// A tensor that has just been made gets the user's name.
    fn name(&mut self, name: &Ident, bound: &Bound) {
        if let Bound::Tensor(value, _) = bound {
            self.draft.name(*value, &name.to_string());
        }
    }

    /// What an expression gives.
    pub fn expression(&mut self, expression: &Expression) -> Bound {
        let at = expression.at;
        match &expression.kind {
            Kind::Name(name) => self.look_up(name, at),
            Kind::Layer(layer) => Bound::Layer(self.draft.layer((**layer).clone()), at),
            Kind::Call(callee, inputs) => {
                let place = callee.at;
                let callee = self.expression(callee);
                let inputs = self.tensors(inputs, at);
                match callee {
                    Bound::Layer(layer, _) => self.call(layer, inputs, place, at),
                    Bound::Invalid => Bound::Invalid,
                    Bound::Model(..) => self.error(
                        place,
                        "A part of a model cannot be called in it: its layers can.",
                    ),
                    _ => self.error(place, "Only a layer can be called on tensors."),
                }
            }
            Kind::Field(field, inputs) => {
                let inputs = self.tensors(inputs, at);
                match self.fields.get(&field.to_string()) {
                    Some(&layer) => self.call(layer, inputs, at, at),
                    None => {
                        let mut known: Vec<&str> = self.fields.keys().map(String::as_str).collect();
                        known.sort_unstable();
                        let known = known.join(", ");
                        self.error(
                            field,
                            format!("The model has no layer `{field}`. Its layers: {known}"),
                        )
                    }
                }
            }
            Kind::Merge(class, left, right) => {
                let left = self.tensor(left);
                let right = self.tensor(right);
                match (left, right) {
                    (Some(left), Some(right)) => {
                        Bound::Tensor(self.draft.merge(class, vec![left, right], at), at)
                    }
                    _ => Bound::Invalid,
                }
            }
            Kind::Tuple(items) => self.several(Structure::Tuple, items, at),
            Kind::List(items) => self.several(Structure::List, items, at),
            Kind::Dict(items) => {
                let items = items
                    .iter()
                    .map(|(key, item)| (Some(key.clone()), self.expression(item)));
                let items = items.collect();
                Bound::Several(Structure::Dict, items, at)
            }
            Kind::IfTraining(then, otherwise) => {
                let branch = if self.training { then } else { otherwise };
                self.body(branch, at)
            }
            Kind::Block(body) => self.body(body, at),
            Kind::Model(model) => {
                let inputs = self.expression(&model.inputs);
                let outputs = self.expression(&model.outputs);
                inputs.not_nested(self.ctxt);
                let ends = ends(self.ctxt, inputs, outputs).map(Box::new);
                Bound::Model(ends, model.name.clone(), at)
            }
            Kind::Added(added) => {
                let inputs = added.inputs.iter().map(|input| self.tensor(input));
                let inputs: Vec<Option<ValueId>> = inputs.collect();
                let Some(inputs) = inputs.into_iter().collect() else {
                    return Bound::Invalid;
                };
                self.draft.add(&added.purpose, &added.formula, inputs, at);
                Bound::Nothing(at)
            }
            Kind::Invalid => Bound::Invalid,
        }
    }

    fn call(&mut self, layer: LayerId, inputs: Option<Vec<ValueId>>, place: At, at: At) -> Bound {
        match inputs {
            Some(inputs) => Bound::Tensor(self.draft.call(layer, inputs, place), at),
            None => Bound::Invalid,
        }
    }

    fn several(&mut self, structure: Structure, items: &[Expression], at: At) -> Bound {
        let items = items.iter().map(|item| (None, self.expression(item)));
        let items = items.collect();
        Bound::Several(structure, items, at)
    }

    fn look_up(&mut self, name: &Ident, at: At) -> Bound {
        let found = self.names.iter().rev().find(|(known, _)| known == name);
        let Some((_, bound)) = found else {
            self.unknown(name);
            return Bound::Invalid;
        };
        // An error about it belongs here, not where it was made.
        match bound.clone() {
            Bound::Tensor(value, _) => Bound::Tensor(value, at),
            Bound::Layer(layer, _) => Bound::Layer(layer, at),
            Bound::Several(structure, items, _) => Bound::Several(structure, items, at),
            Bound::Model(ends, name, _) => Bound::Model(ends, name, at),
            Bound::Nothing(_) => Bound::Nothing(at),
            Bound::Invalid => Bound::Invalid,
        }
    }

    fn unknown(&self, name: &Ident) {
        let mut known: Vec<String> = Vec::new();
        for (name, bound) in &self.names {
            let name = name.to_string();
            if matches!(bound, Bound::Tensor(..) | Bound::Several(..)) && !known.contains(&name) {
                known.push(name);
            }
        }
        self.ctxt.error(
            name,
            format!(
                "`{name}` is not defined here. Known tensors: {}",
                known.join(", ")
            ),
        );
    }

    /// The tensors that a layer is called on: one, several, or several as a tuple or an array.
    fn tensors(&mut self, inputs: &[Expression], at: At) -> Option<Vec<ValueId>> {
        let mut tensors = Vec::new();
        let mut is_right = true;
        for input in inputs {
            let bound = self.expression(input);
            match bound.flat(self.ctxt) {
                Some(ends) => tensors.extend(ends.into_iter().map(|end| end.value)),
                None => is_right = false,
            }
        }
        if tensors.is_empty() && is_right {
            self.ctxt
                .error(at, "A layer is called on at least one tensor.");
            is_right = false;
        }
        is_right.then_some(tensors)
    }

    fn tensor(&mut self, expression: &Expression) -> Option<ValueId> {
        match self.expression(expression) {
            Bound::Tensor(value, _) => Some(value),
            Bound::Several(_, _, at) => {
                self.ctxt
                    .error(at, "One tensor is expected here. Received: several");
                None
            }
            bound => {
                bound.flat(self.ctxt);
                None
            }
        }
    }

    fn error(&self, place: impl quote::ToTokens, message: impl std::fmt::Display) -> Bound {
        self.ctxt.error(place, message);
        Bound::Invalid
    }
}
