//! Expressions: what gives tensors.

use std::collections::HashSet;

use quote::ToTokens;
use syn::{Expr, Lit, UnOp};

use super::{Body, Expression, Form, Kind, Model, Reader, adds, merges};
use crate::parse::layer::{Layer, class_of};
use crate::parse::{At, as_ident, bare, literals};

impl Reader<'_> {
    fn expressions<'e>(&self, exprs: impl IntoIterator<Item = &'e Expr>) -> Vec<Expression> {
        exprs.into_iter().map(|e| self.expression(e)).collect()
    }

    /// An expression of any kind.
    pub fn expression(&self, expr: &Expr) -> Expression {
        let expr = bare(expr);
        let mut at = At::of(expr);
        let kind = match expr {
            Expr::Path(path) => match (as_ident(expr), class_of(expr)) {
                (_, Some(_)) => self.layer(expr),
                (Some(name), None) if self.is_training(name) => {
                    self.ctxt.error(
                        name,
                        format!("`{name}` is no tensor; it is the condition of `if {name}`."),
                    );
                    Kind::Invalid
                }
                (Some(name), None) if name == "self" => self.refused(path, "`self` on its own"),
                (Some(name), None) => Kind::Name(name.clone()),
                (None, None) => self.refused(path, "A path"),
            },
            Expr::Call(call) if as_ident(&call.func).is_some_and(|f| f == "Model") => {
                self.model(call)
            }
            Expr::Call(call) if class_of(&call.func).is_some() => self.layer(expr),
            Expr::Call(call) if let Some(name) = as_ident(&call.func).filter(|name| adds(name)) => {
                self.added(name, &call.args, at)
            }
            Expr::Call(call) => {
                let callee = match bare(&call.func) {
                    // The parentheses that follow a name are the call's.
                    callee @ Expr::Path(_) => {
                        let mut callee = self.expression(callee);
                        callee.at.end = call.paren_token.span.join();
                        callee
                    }
                    callee => self.expression(callee),
                };
                Kind::Call(Box::new(callee), self.inputs(&call.args))
            }
            Expr::MethodCall(call) => self.method(call),
            Expr::Field(field) if as_ident(&field.base).is_some_and(|base| base == "self") => {
                let name = field.member.to_token_stream();
                self.ctxt.error(
                    field,
                    format!("A layer is called on a tensor here: `self.{name}(x)`."),
                );
                Kind::Invalid
            }
            Expr::Binary(binary) => match merges(&binary.op, false) {
                Some(class) => {
                    let merged = self.merge(class, binary, at);
                    at = merged.at;
                    merged.kind
                }
                None => {
                    self.ctxt.error(
                        binary.op,
                        "Tensors are combined by `+`, `-` and `*`; everything else is a layer.",
                    );
                    Kind::Invalid
                }
            },
            Expr::Tuple(tuple) => Kind::Tuple(self.expressions(&tuple.elems)),
            Expr::Array(array) => Kind::List(self.expressions(&array.elems)),
            Expr::Struct(dict) if dict.path.is_ident("Dict") => self.dict(dict),
            Expr::Block(block) if block.label.is_none() => Kind::Block(self.body(&block.block)),
            Expr::If(branch) => self.branch(branch),
            Expr::Lit(lit) if matches!(lit.lit, Lit::Int(_) | Lit::Float(_)) => {
                self.ctxt.error(
                    lit,
                    "A number is no tensor; `Rescaling(scale, offset)` is the layer that multiplies by numbers and \
                     adds them.",
                );
                Kind::Invalid
            }
            Expr::Return(_) => self.refused(expr, "`return`"),
            Expr::Match(matched) => self.refused(&matched.match_token, "`match`"),
            Expr::While(looped) => self.refused(&looped.while_token, "`while`"),
            Expr::Loop(looped) => self.refused(&looped.loop_token, "`loop`"),
            Expr::ForLoop(looped) => self.refused(&looped.for_token, "The value of a loop"),
            Expr::Closure(_) => self.refused(expr, "A closure"),
            Expr::Macro(_) => self.refused(expr, "A macro"),
            Expr::Unary(unary) => self.refused(&unary.op, "This operator"),
            Expr::Try(tried) => self.refused(&tried.question_token, "`?`"),
            _ => self.refused(expr, "This expression"),
        };
        Expression { at, kind }
    }

    /// A layer that is made here: only in a functional model.
    fn layer(&self, expr: &Expr) -> Kind {
        if let Form::Call(_) = self.form {
            self.ctxt.error(
                expr,
                "The layers of this model are the fields of its struct: declare it there and call `self.name(x)`.",
            );
            return Kind::Invalid;
        }
        match Layer::from_expr(self.ctxt, expr) {
            Some(layer) => Kind::Layer(Box::new(layer)),
            None => Kind::Invalid,
        }
    }

    /// What a layer is called on.
    fn inputs<'e>(&self, args: impl IntoIterator<Item = &'e Expr>) -> Vec<Expression> {
        let mut inputs = Vec::new();
        for arg in args {
            match arg {
                // As people write it in Python: the layer knows the mode anyway.
                Expr::Assign(assign) if as_ident(&assign.left).is_some_and(|k| k == "training") => {
                    if !as_ident(&assign.right).is_some_and(|value| self.is_training(value)) {
                        self.ctxt.error(
                            arg,
                            "A layer runs in the mode of the model; write `if training` around its call.",
                        );
                    }
                }
                Expr::Assign(assign) => self.ctxt.error(
                    arg,
                    format!(
                        "A layer is called on tensors. `{}` is an argument of the layer itself.",
                        assign.left.to_token_stream()
                    ),
                ),
                arg => inputs.push(self.expression(arg)),
            }
        }
        inputs
    }

    fn method(&self, call: &syn::ExprMethodCall) -> Kind {
        let is_self = as_ident(&call.receiver).is_some_and(|receiver| receiver == "self");
        if !is_self || call.turbofish.is_some() {
            return self.refused(&call.method, "A method");
        }
        if adds(&call.method) {
            return self.added(&call.method, &call.args, At::of(call));
        }
        Kind::Field(call.method.clone(), self.inputs(&call.args))
    }

    pub(super) fn merge(
        &self,
        class: &'static str,
        binary: &syn::ExprBinary,
        at: At,
    ) -> Expression {
        let left = self.expression(&binary.left);
        let right = self.expression(&binary.right);
        Expression {
            at,
            kind: Kind::Merge(class, Box::new(left), Box::new(right)),
        }
    }

    fn dict(&self, dict: &syn::ExprStruct) -> Kind {
        let mut keys = HashSet::new();
        let mut items = Vec::new();
        for field in &dict.fields {
            let syn::Member::Named(key) = &field.member else {
                self.ctxt
                    .error(&field.member, "The key of a `Dict` is a name.");
                continue;
            };
            if !keys.insert(key.to_string()) {
                self.ctxt
                    .error(key, format!("The key `{key}` is there twice."));
                continue;
            }
            items.push((key.clone(), self.expression(&field.expr)));
        }
        if let Some(rest) = &dict.rest {
            self.refuse(rest, "`..`");
        }
        Kind::Dict(items)
    }

    fn model(&self, call: &syn::ExprCall) -> Kind {
        if let Form::Call(_) = self.form {
            return self.refused(call, "`Model(..)`");
        }
        let (mut inputs, mut outputs, mut name) = (None, None, None);
        let mut is_right = true;
        for (position, arg) in call.args.iter().enumerate() {
            let (key, value) = match arg {
                Expr::Assign(assign) => (as_ident(&assign.left), &*assign.right),
                value => (None, value),
            };
            let key = match (key, position) {
                (Some(key), _) => key.to_string(),
                (None, 0) => "inputs".to_string(),
                (None, 1) => "outputs".to_string(),
                (None, _) => String::new(),
            };
            match (key.as_str(), bare(value)) {
                ("inputs", value) if inputs.is_none() => inputs = Some(self.expression(value)),
                ("outputs", value) if outputs.is_none() => outputs = Some(self.expression(value)),
                ("name", value) if let Some(text) = literals::text(value) => {
                    name = Some(text.value());
                }
                _ => is_right = false,
            }
        }
        match (inputs, outputs) {
            (Some(inputs), Some(outputs)) if is_right => Kind::Model(Box::new(Model {
                inputs,
                outputs,
                name,
            })),
            _ => {
                self.ctxt.error(
                    call,
                    format!(
                        "A model is made of its inputs and outputs: `Model(inputs, outputs)`. Received: {}",
                        call.to_token_stream()
                    ),
                );
                Kind::Invalid
            }
        }
    }

    /// `if training { .. } else { .. }` or `if !training { .. }`.
    fn branch(&self, branch: &syn::ExprIf) -> Kind {
        let (condition, negated) = match bare(&branch.cond) {
            Expr::Unary(unary) if matches!(unary.op, UnOp::Not(_)) => (bare(&unary.expr), true),
            condition => (condition, false),
        };
        if !as_ident(condition).is_some_and(|name| self.is_training(name)) {
            let message = match &self.form {
                Form::Sequential | Form::Functional => {
                    "A functional model is the same in training and inference, but for layers such as `Dropout` that \
                     know the mode by themselves. Other conditions are not known when the model is compiled."
                        .to_string()
                }
                Form::Call(Some(training)) => {
                    format!("The only condition that a model knows is `{training}`.")
                }
                Form::Call(None) => {
                    "The only condition that a model knows is `training`: add the parameter `training: bool` to `call`."
                        .to_string()
                }
            };
            self.ctxt.error(&branch.cond, message);
            return Kind::Invalid;
        }
        let then = self.body(&branch.then_branch);
        let otherwise = match &branch.else_branch {
            None => Body::default(),
            Some((_, otherwise)) => match bare(otherwise) {
                Expr::Block(block) => self.body(&block.block),
                other => Body {
                    statements: Vec::new(),
                    value: Some(Box::new(self.expression(other))),
                },
            },
        };
        if negated {
            Kind::IfTraining(otherwise, then)
        } else {
            Kind::IfTraining(then, otherwise)
        }
    }

    pub(super) fn refused(&self, tokens: &impl ToTokens, what: &str) -> Kind {
        self.refuse(tokens, what);
        Kind::Invalid
    }
}
