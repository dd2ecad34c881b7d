//! The language of `#[model] fn` and of `call`: what of Rust's syntax describes a network.

mod expressions;
pub mod scalars;
mod statements;

use quote::ToTokens;
use syn::{BinOp, Ident};

use super::{At, Layer};
use crate::ctxt::Ctxt;

/// Statements and what they give.
#[derive(Default)]
pub struct Body {
    /// The statements, in order.
    pub statements: Vec<Statement>,
    /// The expression at the end.
    pub value: Option<Box<Expression>>,
}

/// A statement.
pub enum Statement {
    /// `let pattern = value;`
    Let(Pattern, Expression),
    /// `name = value;`
    Assign(Ident, Expression),
    /// `for _ in 0..times { .. }`
    Repeat(usize, Body, At),
    /// An expression whose value nobody takes.
    Do(Expression),
}

/// What a value is bound to.
pub enum Pattern {
    /// A name.
    Name(Ident),
    /// `_`.
    Ignored,
    /// `(a, b)` or `[a, b]`.
    Several(Vec<Pattern>, At),
}

/// An expression, and its tokens.
pub struct Expression {
    /// Where it is.
    pub at: At,
    /// What it is.
    pub kind: Kind,
}

/// The kinds of expressions.
pub enum Kind {
    /// A tensor or a layer by its name.
    Name(Ident),
    /// A layer of a functional model: `Dense(10)`.
    Layer(Box<Layer>),
    /// A layer called on tensors; the place is that of the layer, not of what it is called on.
    Call(Box<Expression>, Vec<Expression>),
    /// A layer of a struct called on tensors: `self.dense(x)`.
    Field(Ident, Vec<Expression>),
    /// `+`, `-`, `*`: the merge layer of this class.
    Merge(&'static str, Box<Expression>, Box<Expression>),
    /// `(a, b)`.
    Tuple(Vec<Expression>),
    /// `[a, b]`.
    List(Vec<Expression>),
    /// `Dict { a, b: c }`.
    Dict(Vec<(Ident, Expression)>),
    /// `if training { .. } else { .. }`; the second is what happens in inference.
    IfTraining(Body, Body),
    /// `{ .. }`.
    Block(Body),
    /// `Model(inputs, outputs)`.
    Model(Box<Model>),
    /// `add_loss(..)` or `add_metric(..)`.
    Added(Box<scalars::Added>),
    /// What has been reported already.
    Invalid,
}

/// `Model(inputs, outputs, name = "..")`.
pub struct Model {
    /// The inputs.
    pub inputs: Expression,
    /// The outputs.
    pub outputs: Expression,
    /// The model's name.
    pub name: Option<String>,
}

/// Which of the places the language is used in.
#[derive(Clone)]
pub enum Form {
    /// The list of `sequential!`: what is added to the loss and the logs, of the tensor `x`.
    Sequential,
    /// `#[model] fn`: layers are made where they are used.
    Functional,
    /// `call`: layers are fields; the name of the parameter `training`, if there is one.
    Call(Option<Ident>),
}

impl Form {
    /// What is allowed, for errors.
    fn allowed(&self) -> &'static str {
        match self {
            Form::Sequential => {
                "What a list of layers adds is a number of `x`, the output of the layers before it: `mean(square(x))`."
            }
            Form::Functional => {
                "Allowed are `let`, layer calls such as `Dense(10)(x)`, `+`, `-` and `*` on tensors, tuples, arrays, \
                 loops over a constant range, and `Model(inputs, outputs)`."
            }
            Form::Call(_) => {
                "Allowed are `let`, calls of the struct's layers such as `self.dense(x)`, `+`, `-` and `*` on tensors, \
                 tuples, arrays, `if training` and loops over a constant range."
            }
        }
    }
}

/// Reads the language.
pub struct Reader<'a> {
    /// Where errors go.
    pub ctxt: &'a Ctxt,
    /// Which of them it is.
    pub form: Form,
}

impl Reader<'_> {
    fn is_training(&self, name: &Ident) -> bool {
        matches!(&self.form, Form::Call(Some(training)) if training == name)
    }

    /// What is Rust but not a network.
    fn refuse(&self, tokens: &impl ToTokens, what: &str) {
        let allowed = self.form.allowed();
        self.ctxt.error(
            tokens,
            format!("{what} is not part of the model language. {allowed}"),
        );
    }
}

/// Whether a function adds a number of the model to its loss or to its logs.
pub fn adds(name: &Ident) -> bool {
    name == "add_loss" || name == "add_metric"
}

/// The merge layer of an operator, or of its assigning form.
fn merges(op: &BinOp, assigns: bool) -> Option<&'static str> {
    match (op, assigns) {
        (BinOp::Add(_), false) | (BinOp::AddAssign(_), true) => Some("Add"),
        (BinOp::Sub(_), false) | (BinOp::SubAssign(_), true) => Some("Subtract"),
        (BinOp::Mul(_), false) | (BinOp::MulAssign(_), true) => Some("Multiply"),
        _ => None,
    }
}
