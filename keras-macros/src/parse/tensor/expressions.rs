//! Expressions: what gives a tensor, a number or a yes-or-no.

use std::collections::HashSet;

use quote::ToTokens;
use syn::{BinOp, Expr, Ident, Lit, Member, UnOp};

use super::{Binary, Body, Call, Kind, Reader, Term};
use crate::parse::{At, as_ident, bare};

impl Reader<'_> {
    /// An expression.
    pub(super) fn term(&self, expr: &Expr) -> Term {
        let expr = bare(expr);
        Term {
            at: At::of(expr),
            kind: self.kind(expr),
        }
    }

    fn boxed(&self, expr: &Expr) -> Box<Term> {
        Box::new(self.term(expr))
    }

    fn kind(&self, expr: &Expr) -> Kind {
        match expr {
            Expr::Lit(lit) => self.literal(&lit.lit),
            Expr::Path(path) => match as_ident(expr) {
                Some(name) if name == "self" => self.refused(path, "`self` on its own"),
                Some(name) if !is_constant(name) => Kind::Name(name.clone()),
                _ => Kind::Constant(path.path.clone()),
            },
            Expr::Field(field) if as_ident(&field.base).is_some_and(|base| base == "self") => {
                match &field.member {
                    Member::Named(name) => Kind::Field(name.clone()),
                    Member::Unnamed(index) => self.refused(index, "A field without a name"),
                }
            }
            Expr::Field(field) => self.refused(&field.member, "A field of a tensor"),
            Expr::Unary(unary) => match unary.op {
                UnOp::Neg(_) => match self.term(&unary.expr).kind {
                    Kind::Number(number) => Kind::Number(-number),
                    _ => Kind::Negative(self.boxed(&unary.expr)),
                },
                UnOp::Not(_) => Kind::Not(self.boxed(&unary.expr)),
                _ => self.refused(&unary.op, "This operator"),
            },
            Expr::Binary(binary) => match operator(&binary.op) {
                Some(operator) => Kind::Binary(
                    operator,
                    At::of(&binary.op),
                    self.boxed(&binary.left),
                    self.boxed(&binary.right),
                ),
                None => self.refused(&binary.op, "This operator"),
            },
            Expr::Call(call) => match as_ident(&call.func) {
                Some(function) => self.call(function, None, &call.args),
                None => self.refused(&call.func, "A function with a path"),
            },
            Expr::MethodCall(call) => {
                let is_self = as_ident(&call.receiver).is_some_and(|receiver| receiver == "self");
                if is_self || call.turbofish.is_some() {
                    return self.refused(&call.method, "A method of the type");
                }
                self.call(&call.method, Some(&call.receiver), &call.args)
            }
            Expr::If(branch) => {
                let Some((_, otherwise)) = &branch.else_branch else {
                    self.ctxt.error(
                        branch.if_token,
                        "An `if` has an `else` here: it gives one of two values for every element.",
                    );
                    return Kind::Invalid;
                };
                if let Expr::Let(condition) = bare(&branch.cond) {
                    return self.refused(condition, "`if let`");
                }
                let otherwise = match bare(otherwise) {
                    Expr::Block(block) => self.body(&block.block),
                    other => Body {
                        statements: Vec::new(),
                        value: Some(self.boxed(other)),
                    },
                };
                let then = self.body(&branch.then_branch);
                Kind::If(self.boxed(&branch.cond), then, otherwise)
            }
            Expr::Block(block) if block.label.is_none() => Kind::Block(self.body(&block.block)),
            Expr::Struct(dict) if dict.path.is_ident("Dict") => self.dict(dict),
            Expr::Return(_) => self.refused(expr, "`return`"),
            Expr::Match(matched) => self.refused(&matched.match_token, "`match`"),
            Expr::While(looped) => self.refused(&looped.while_token, "`while`"),
            Expr::Loop(looped) => self.refused(&looped.loop_token, "`loop`"),
            Expr::ForLoop(looped) => self.refused(&looped.for_token, "`for`"),
            Expr::Closure(_) => self.refused(expr, "A closure"),
            Expr::Macro(_) => self.refused(expr, "A macro"),
            Expr::Try(tried) => self.refused(&tried.question_token, "`?`"),
            Expr::Index(index) => self.refused(index, "An index"),
            Expr::Cast(cast) => self.refused(&cast.as_token, "`as`"),
            Expr::Reference(reference) => self.refused(&reference.and_token, "A reference"),
            Expr::Tuple(_) => self.refused(expr, "A tuple"),
            Expr::Array(_) => self.refused(expr, "An array"),
            _ => self.refused(expr, "This expression"),
        }
    }

    fn literal(&self, lit: &Lit) -> Kind {
        let number = match lit {
            Lit::Int(int) => int.base10_parse::<f64>().ok(),
            Lit::Float(float) => float.base10_parse::<f64>().ok(),
            Lit::Bool(flag) => return Kind::Flag(flag.value),
            _ => None,
        };
        match number {
            Some(number) => Kind::Number(number),
            None => self.refused(lit, "This literal"),
        }
    }

    fn call<'e>(
        &self,
        function: &Ident,
        receiver: Option<&Expr>,
        args: impl IntoIterator<Item = &'e Expr>,
    ) -> Kind {
        let mut call = Call {
            function: function.clone(),
            positional: receiver.into_iter().map(|x| self.term(x)).collect(),
            named: Vec::new(),
        };
        for arg in args {
            let Expr::Assign(assign) = arg else {
                if let Some((last, _)) = call.named.last() {
                    self.ctxt.error(
                        arg,
                        format!("A positional argument follows the keyword argument `{last}`."),
                    );
                    continue;
                }
                call.positional.push(self.term(arg));
                continue;
            };
            match as_ident(&assign.left) {
                Some(key) => call.named.push((key.clone(), self.term(&assign.right))),
                None => self
                    .ctxt
                    .error(&assign.left, "The name of an argument is expected here."),
            }
        }
        Kind::Call(call)
    }

    fn dict(&self, dict: &syn::ExprStruct) -> Kind {
        let mut keys = HashSet::new();
        let mut items = Vec::new();
        for field in &dict.fields {
            let Member::Named(key) = &field.member else {
                self.ctxt
                    .error(&field.member, "The key of a `Dict` is a name.");
                continue;
            };
            if !keys.insert(key.to_string()) {
                self.ctxt
                    .error(key, format!("The key `{key}` is there twice."));
                continue;
            }
            items.push((key.clone(), self.term(&field.expr)));
        }
        if let Some(rest) = &dict.rest {
            self.refuse(rest, "`..`");
        }
        Kind::Dict(items)
    }

    fn refused(&self, tokens: &impl ToTokens, what: &str) -> Kind {
        self.refuse(tokens, what);
        Kind::Invalid
    }
}

/// Whether a name is that of a constant: it has no lower-case letter.
fn is_constant(name: &Ident) -> bool {
    let name = name.to_string();
    name.contains(char::is_uppercase) && !name.contains(char::is_lowercase)
}

fn operator(op: &BinOp) -> Option<Binary> {
    Some(match op {
        BinOp::Add(_) => Binary::Add,
        BinOp::Sub(_) => Binary::Sub,
        BinOp::Mul(_) => Binary::Mul,
        BinOp::Div(_) => Binary::Div,
        BinOp::Gt(_) => Binary::Greater,
        BinOp::Ge(_) => Binary::GreaterEqual,
        BinOp::Lt(_) => Binary::Less,
        BinOp::Le(_) => Binary::LessEqual,
        BinOp::Eq(_) => Binary::Equal,
        BinOp::Ne(_) => Binary::NotEqual,
        BinOp::BitAnd(_) | BinOp::And(_) => Binary::And,
        BinOp::BitOr(_) | BinOp::Or(_) => Binary::Or,
        _ => return None,
    })
}
