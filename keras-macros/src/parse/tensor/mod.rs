//! The language of `#[loss]`, `#[metric]` and `#[layer]`: expressions over tensors that look like
//! Rust.

mod expressions;
mod signature;

use quote::ToTokens;
use syn::{Block, Expr, Ident, Local, Member, Pat, Stmt};

use super::{At, as_ident, bare};
use crate::ctxt::Ctxt;

pub use signature::{Input, Kind as InputKind, Setting, Settings, inputs, plain};

/// What of Rust is in the language; the end of every error about what is not.
pub const ALLOWED: &str = "Allowed are `let`, numbers, `+`, `-`, `*`, `/`, comparisons, `&`, `|`, `!`, `if` with `else`, and \
                           functions such as `mean(x, axis = -1)` or `x.abs()`.";

/// Statements and what they give.
#[derive(Default)]
pub struct Body {
    /// The statements, in order.
    pub statements: Vec<Statement>,
    /// The expression at the end.
    pub value: Option<Box<Term>>,
}

/// A statement.
pub enum Statement {
    /// `let name = value;`
    Let(Ident, Term),
    /// `self.field = value;`, or with an operator: `self.field += value;`
    Assign(Ident, Option<Binary>, Term),
}

/// An expression, and its tokens.
pub struct Term {
    /// Where it is.
    pub at: At,
    /// What it is.
    pub kind: Kind,
}

/// The kinds of expressions.
pub enum Kind {
    /// A value by its name.
    Name(Ident),
    /// `self.field`.
    Field(Ident),
    /// A number.
    Number(f64),
    /// `true` or `false`.
    Flag(bool),
    /// A constant of the user's.
    Constant(syn::Path),
    /// A function or a method.
    Call(Call),
    /// `-x`.
    Negative(Box<Term>),
    /// `!x`.
    Not(Box<Term>),
    /// `a + b` and its kin.
    Binary(Binary, At, Box<Term>, Box<Term>),
    /// `if condition { .. } else { .. }`.
    If(Box<Term>, Body, Body),
    /// `{ .. }`.
    Block(Body),
    /// `Dict { a, b: c }`.
    Dict(Vec<(Ident, Term)>),
    /// What has been reported already.
    Invalid,
}

/// `function(positional.., name = value..)`, or `x.function(..)` with `x` as the first of them.
pub struct Call {
    /// The name.
    pub function: Ident,
    /// The arguments without names.
    pub positional: Vec<Term>,
    /// The arguments with names.
    pub named: Vec<(Ident, Term)>,
}

/// An operator between two values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Binary {
    /// `+`
    Add,
    /// `-`
    Sub,
    /// `*`
    Mul,
    /// `/`
    Div,
    /// To the power of.
    Pow,
    /// The larger one.
    Max,
    /// The smaller one.
    Min,
    /// `>`
    Greater,
    /// `>=`
    GreaterEqual,
    /// `<`
    Less,
    /// `<=`
    LessEqual,
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `&`
    And,
    /// `|`
    Or,
}

/// Reads the language.
pub struct Reader<'a> {
    /// Where errors go.
    pub ctxt: &'a Ctxt,
    /// Whether there is a state that `self.name += value` changes.
    pub has_state: bool,
}

impl Reader<'_> {
    /// `{ statements; value }`.
    pub fn body(&self, block: &Block) -> Body {
        let mut body = Body::default();
        for (index, statement) in block.stmts.iter().enumerate() {
            let is_last = index + 1 == block.stmts.len();
            match statement {
                Stmt::Local(local) => body.statements.extend(self.binding(local)),
                Stmt::Expr(expr, None) if is_last && !self.is_assignment(expr) => {
                    body.value = Some(Box::new(self.term(expr)));
                }
                Stmt::Expr(expr, _) => match self.assignment(expr) {
                    Ok(assignment) => body.statements.push(assignment),
                    // Refused as the value, such as `return`: nothing else is missing.
                    Err(()) if is_last => body.value = Some(Box::new(self.invalid(expr))),
                    Err(()) => {}
                },
                Stmt::Item(item) => self.refuse(item, "An item"),
                Stmt::Macro(call) => self.refuse(call, "A macro"),
            }
        }
        body
    }

    fn binding(&self, local: &Local) -> Option<Statement> {
        let Some(init) = &local.init else {
            self.ctxt.error(
                local,
                "A `let` of an expression gives its name a value at once.",
            );
            return None;
        };
        if let Some((otherwise, _)) = &init.diverge {
            self.refuse(otherwise, "`let .. else`");
        }
        let value = self.term(&init.expr);
        let mut pattern = &local.pat;
        if let Pat::Type(typed) = pattern {
            pattern = &typed.pat;
        }
        match pattern {
            Pat::Ident(name) if name.by_ref.is_none() && name.subpat.is_none() => {
                if name.mutability.is_some() {
                    self.ctxt.error(
                        &local.pat,
                        "Values of an expression do not change: give the new value a `let` of its own.",
                    );
                }
                Some(Statement::Let(name.ident.clone(), value))
            }
            other => {
                self.ctxt
                    .error(other, "A name is expected here: a tensor has no parts.");
                None
            }
        }
    }

    fn is_assignment(&self, expr: &Expr) -> bool {
        match bare(expr) {
            Expr::Assign(_) => true,
            Expr::Binary(binary) => assigning(&binary.op).is_some(),
            _ => false,
        }
    }

    /// `self.field = value` or `self.field += value`; an error has been reported.
    fn assignment(&self, expr: &Expr) -> Result<Statement, ()> {
        let (left, operator, right) = match bare(expr) {
            Expr::Assign(assign) => (&assign.left, None, &assign.right),
            Expr::Binary(binary) if assigning(&binary.op).is_some() => {
                (&binary.left, assigning(&binary.op), &binary.right)
            }
            other => {
                if !matches!(self.term(other).kind, Kind::Invalid) {
                    self.ctxt.error(
                        other,
                        "Nobody takes this value: bind it by `let`, or leave out the `;` behind the last expression.",
                    );
                }
                return Err(());
            }
        };
        let field = match bare(left) {
            Expr::Field(field) if as_ident(&field.base).is_some_and(|base| base == "self") => {
                match &field.member {
                    Member::Named(name) => Some(name),
                    Member::Unnamed(_) => None,
                }
            }
            _ => None,
        };
        let value = self.term(right);
        match (field, self.has_state) {
            (Some(field), true) => Ok(Statement::Assign(field.clone(), operator, value)),
            (None, true) => {
                self.ctxt.error(
                    left,
                    "Only a weight of the metric can be changed: `self.name += value`.",
                );
                Err(())
            }
            (_, false) => {
                self.ctxt.error(
                    expr,
                    "Nothing can be assigned to here: an expression has values and no state.",
                );
                Err(())
            }
        }
    }

    fn invalid(&self, tokens: &impl ToTokens) -> Term {
        Term {
            at: At::of(tokens),
            kind: Kind::Invalid,
        }
    }

    /// What is Rust but not in the language.
    fn refuse(&self, tokens: &impl ToTokens, what: &str) {
        self.ctxt.error(
            tokens,
            format!("{what} is not part of the tensor language. {ALLOWED}"),
        );
    }
}

/// The operator of `+=` and its kin.
fn assigning(op: &syn::BinOp) -> Option<Binary> {
    match op {
        syn::BinOp::AddAssign(_) => Some(Binary::Add),
        syn::BinOp::SubAssign(_) => Some(Binary::Sub),
        syn::BinOp::MulAssign(_) => Some(Binary::Mul),
        syn::BinOp::DivAssign(_) => Some(Binary::Div),
        _ => None,
    }
}
