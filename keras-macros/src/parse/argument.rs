//! One argument of a layer: passed as it is, or a number in one of several forms.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::punctuated::Punctuated;
use syn::{Expr, ExprBlock, Lit, LitFloat, LitInt, Stmt, Token, UnOp};

use super::{as_ident, bare};

/// One argument of a layer.
#[derive(Clone)]
pub enum Argument {
    /// A word of the language, a bool, or what stands in `{ .. }`: passed as it is.
    AsItIs(Expr),
    /// A text: passed as it is, unless the argument is one of [`Named`].
    Text(Expr),
    /// A text in the place of a word: `activation = "relu"`.
    Named(Named, Expr),
    /// Any other constant expression: a number, several, or what the user calls so. It goes through
    /// `Arg(..).get()`, with which one argument can have several forms.
    Constant(Expr),
}

/// What is called by words, and may be called by texts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Named {
    /// `"relu"`.
    Activation,
    /// `"he_normal"`.
    Initializer,
    /// `"l2"`.
    Regularizer,
    /// `"non_neg"`.
    Constraint,
    /// `"same"`.
    Padding,
}

impl Named {
    /// What an argument of this name is, of a layer of Keras' own or of another. The names of its own
    /// arguments mean what its author likes, but for those that all of Keras' layers share.
    pub fn of(name: &str, is_own: bool) -> Option<Named> {
        let kinds = [
            ("activation", Named::Activation),
            ("_initializer", Named::Initializer),
            ("_regularizer", Named::Regularizer),
            ("_constraint", Named::Constraint),
        ];
        let found = kinds.iter().find(|(end, _)| name.ends_with(end));
        match found {
            Some((_, kind)) => Some(*kind),
            None => (is_own && name == "padding").then_some(Named::Padding),
        }
    }

    /// The runtime's function that finds it.
    pub fn function(self) -> &'static str {
        match self {
            Named::Activation => "activation",
            Named::Initializer => "initializer",
            Named::Regularizer => "regularizer",
            Named::Constraint => "constraint",
            Named::Padding => "padding",
        }
    }
}

impl Argument {
    /// Tells them apart.
    pub fn new(expr: &Expr) -> Argument {
        match bare(expr) {
            Expr::Block(block) if block.attrs.is_empty() && block.label.is_none() => {
                Argument::AsItIs(contents(block))
            }
            Expr::Lit(lit) if matches!(lit.lit, Lit::Str(_)) => Argument::Text(expr.clone()),
            Expr::Lit(lit) if matches!(lit.lit, Lit::Bool(_)) => Argument::AsItIs(expr.clone()),
            Expr::Call(call) if is_word(&call.func) => Argument::AsItIs(expr.clone()),
            inner if is_word(inner) => Argument::AsItIs(expr.clone()),
            inner => Argument::Constant(inner.clone()),
        }
    }

    /// The user's tokens.
    pub fn expr(&self) -> &Expr {
        match self {
            Argument::AsItIs(expr)
            | Argument::Text(expr)
            | Argument::Named(_, expr)
            | Argument::Constant(expr) => expr,
        }
    }

    /// The same as the argument of a name: a text may stand for a word there.
    pub fn named(self, name: &str, is_own: bool) -> Argument {
        match (self, Named::of(name, is_own)) {
            (Argument::Text(expr), Some(kind)) => Argument::Named(kind, expr),
            (argument, _) => argument,
        }
    }

    /// The same with types on literals that have none: whole numbers are `usize`, or `isize` if
    /// one is negative; others are `f32`, as all are that stand for a real number.
    pub fn typed(mut self, is_real: bool) -> Argument {
        if let Argument::Constant(expr) = &mut self {
            let whole = match (is_real, has_negative(expr)) {
                (true, _) => Type::Real,
                (false, true) => Type::Signed,
                (false, false) => Type::Unsigned,
            };
            type_literals(expr, whole);
        }
        self
    }
}

impl ToTokens for Argument {
    /// The user's tokens.
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.expr().to_tokens(tokens);
    }
}

/// A real number whose literals have their type: `1` -> `1.0f32`.
pub fn real(expr: &Expr) -> Expr {
    let mut real = bare(expr).clone();
    type_literals(&mut real, Type::Real);
    real
}

/// What stands in `{ .. }`: one expression without its braces, a block with statements with them.
fn contents(block: &ExprBlock) -> Expr {
    match block.block.stmts.as_slice() {
        [Stmt::Expr(expr, None)] => expr.clone(),
        _ => Expr::Block(block.clone()),
    }
}

/// A lower-case name such as `relu`: a constant of the user's is in capitals.
fn is_word(expr: &Expr) -> bool {
    as_ident(expr).is_some_and(|ident| ident.to_string().starts_with(char::is_lowercase))
}

/// The type of a whole number without one.
#[derive(Clone, Copy)]
enum Type {
    Unsigned,
    Signed,
    Real,
}

impl Type {
    fn literal(self, int: &LitInt) -> Lit {
        let typed = match self {
            Type::Unsigned => format!("{int}usize"),
            Type::Signed => format!("{int}isize"),
            Type::Real => {
                let typed = format!("{}.0f32", int.base10_digits());
                return Lit::Float(LitFloat::new(&typed, int.span()));
            }
        };
        Lit::Int(LitInt::new(&typed, int.span()))
    }
}

/// Whether one of the literals of an argument is negative: then its numbers are whole.
fn has_negative(expr: &Expr) -> bool {
    match bare(expr) {
        Expr::Unary(unary) => matches!(unary.op, UnOp::Neg(_)),
        Expr::Tuple(tuple) => tuple.elems.iter().any(has_negative),
        Expr::Array(array) => array.elems.iter().any(has_negative),
        Expr::Repeat(repeat) => has_negative(&repeat.expr),
        Expr::Binary(binary) => has_negative(&binary.left) || has_negative(&binary.right),
        _ => false,
    }
}

/// Whether nothing but its literals tells the type of an expression: `2 * 3`, but not `2 * SIZE`.
fn is_of_literals(expr: &Expr) -> bool {
    match bare(expr) {
        Expr::Lit(_) => true,
        Expr::Unary(unary) => is_of_literals(&unary.expr),
        Expr::Binary(binary) => is_of_literals(&binary.left) && is_of_literals(&binary.right),
        _ => false,
    }
}

/// `3` -> `3usize`, `0.5` -> `0.5f32`; also inside tuples and arrays.
fn type_literals(expr: &mut Expr, whole: Type) {
    match expr {
        Expr::Lit(lit) => match &lit.lit {
            Lit::Int(int) if int.suffix().is_empty() => lit.lit = whole.literal(int),
            Lit::Float(float) if float.suffix().is_empty() => {
                // `1.` with a suffix would be a field.
                let digits = float.to_string();
                let zero = if digits.ends_with('.') { "0" } else { "" };
                let typed = format!("{digits}{zero}f32");
                lit.lit = Lit::Float(LitFloat::new(&typed, float.span()));
            }
            _ => {}
        },
        Expr::Unary(unary) if matches!(unary.op, UnOp::Neg(_)) => {
            type_literals(&mut unary.expr, whole);
        }
        Expr::Binary(binary) if is_of_literals(&binary.left) && is_of_literals(&binary.right) => {
            type_literals(&mut binary.left, whole);
            type_literals(&mut binary.right, whole);
        }
        Expr::Tuple(tuple) => each(&mut tuple.elems, whole),
        Expr::Array(array) => each(&mut array.elems, whole),
        Expr::Repeat(repeat) => type_literals(&mut repeat.expr, whole),
        Expr::Paren(paren) => type_literals(&mut paren.expr, whole),
        Expr::Group(group) => type_literals(&mut group.expr, whole),
        _ => {}
    }
}

fn each(exprs: &mut Punctuated<Expr, Token![,]>, whole: Type) {
    for expr in exprs {
        type_literals(expr, whole);
    }
}
