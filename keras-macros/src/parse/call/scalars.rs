//! `add_loss(0.1 * mean(square(h)))`, `add_metric(sum(h), name = "sum")`: one number of whole tensors.

use std::fmt;

use proc_macro2::{Literal, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{BinOp, Expr, ExprBinary, ExprCall, Ident, Lit, LitStr, UnOp};

use super::{Expression, Form, Kind, Reader};
use crate::parse::arguments::Arguments;
use crate::parse::{At, as_ident, bare, literals};

/// What makes one number of a tensor, and the runtime's name for it.
const REDUCTIONS: &[(&str, &str)] = &[
    ("sum", "Sum"),
    ("mean", "Mean"),
    ("max", "Max"),
    ("min", "Min"),
];

/// Functions of one number.
const FUNCTIONS: &[(&str, &str)] = &[
    ("square", "Square"),
    ("abs", "Abs"),
    ("sqrt", "Sqrt"),
    ("exp", "Exp"),
    ("log", "Log"),
];

/// What a number of a model is added to.
#[derive(Clone)]
pub enum Purpose {
    /// The loss.
    Loss,
    /// The logs, as a mean under a name.
    Metric(LitStr),
}

impl Purpose {
    /// Keras' name of the layer that does it.
    pub fn class(&self) -> &'static str {
        match self {
            Purpose::Loss => "AddLoss",
            Purpose::Metric(_) => "AddMetric",
        }
    }
}

/// `add_loss(..)` or `add_metric(..)`.
pub struct Added {
    /// What for.
    pub purpose: Purpose,
    /// What the number is of: one tensor for each term.
    pub inputs: Vec<Expression>,
    /// The number.
    pub formula: Formula,
}

/// `offset + Σ after(reduce(before(x)))`.
#[derive(Clone, Default)]
pub struct Formula {
    /// One for each input.
    pub terms: Vec<Term>,
    /// The sum of the constants, if there are any.
    pub offset: Option<TokenStream>,
}

/// What becomes of one input.
#[derive(Clone)]
pub struct Term {
    /// Functions of each element, in order.
    pub before: Vec<Elementary>,
    /// The runtime's name of the reduction.
    pub reduce: &'static str,
    /// Functions of the number, in order.
    pub after: Vec<Elementary>,
}

/// What becomes of one number.
#[derive(Clone)]
pub enum Elementary {
    /// It is multiplied by a constant.
    Scale(TokenStream),
    /// A constant is added.
    Shift(TokenStream),
    /// A function, by the runtime's name.
    Function(&'static str),
}

impl Formula {
    fn constant(value: TokenStream) -> Self {
        let offset = Some(value);
        Self {
            terms: Vec::new(),
            offset,
        }
    }

    /// With a function applied to the only term; the offset becomes a part of it.
    fn after(mut self, function: Elementary) -> Self {
        for term in &mut self.terms {
            term.after.extend(self.offset.take().map(Elementary::Shift));
            term.after.push(function.clone());
        }
        self
    }

    fn negated(mut self) -> Self {
        for term in &mut self.terms {
            term.after.push(Elementary::Scale(quote! { -1f32 }));
        }
        self.offset = self.offset.map(|offset| quote! { -(#offset) });
        self
    }

    fn scaled(mut self, factor: &TokenStream) -> Self {
        for term in &mut self.terms {
            term.after.push(Elementary::Scale(factor.clone()));
        }
        self.offset = self.offset.map(|offset| quote! { (#factor) * (#offset) });
        self
    }

    fn plus(mut self, other: Self) -> Self {
        self.terms.extend(other.terms);
        self.offset = match (self.offset, other.offset) {
            (Some(a), Some(b)) => Some(quote! { (#a) + (#b) }),
            (a, b) => a.or(b),
        };
        self
    }
}

/// As text, which tells formulas apart.
impl fmt::Display for Formula {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |f: &mut fmt::Formatter<'_>, functions: &[Elementary]| {
            functions.iter().try_for_each(|function| match function {
                Elementary::Scale(factor) => write!(f, " * {factor}"),
                Elementary::Shift(offset) => write!(f, " + {offset}"),
                Elementary::Function(name) => write!(f, " {name}"),
            })
        };
        for term in &self.terms {
            list(f, &term.before)?;
            write!(f, " {}", term.reduce)?;
            list(f, &term.after)?;
            write!(f, ";")?;
        }
        match &self.offset {
            Some(offset) => write!(f, " {offset}"),
            None => Ok(()),
        }
    }
}

impl Reader<'_> {
    /// The call of `add_loss` or `add_metric`, alone or as a method of `self`.
    pub(super) fn added(&self, name: &Ident, args: &Arguments, at: At) -> Kind {
        let is_metric = name == "add_metric";
        let mut value = None;
        let mut metric = None;
        for arg in args {
            let (key, given) = match arg {
                Expr::Assign(assign) => (as_ident(&assign.left), bare(&assign.right)),
                given => (None, bare(given)),
            };
            let key = key.map(Ident::to_string);
            let text = literals::text(given);
            match (key.as_deref(), is_metric) {
                (None, _) if value.is_none() && !matches!(arg, Expr::Assign(_)) => {
                    value = Some(given);
                }
                (Some("name"), true) => match text {
                    Some(text) if !text.value().is_empty() => metric = Some(text.clone()),
                    _ => self
                        .ctxt
                        .error(given, "The name of a metric is a text: `name = \"mean\"`."),
                },
                (Some("aggregation"), true) => {
                    if literals::word(given).is_none_or(|word| word != "mean") {
                        let message = format!(
                            "The aggregation of an added metric is the mean over the batches: `aggregation = mean`. \
                             Received: {}",
                            given.to_token_stream()
                        );
                        self.ctxt.error(given, message);
                    }
                }
                _ => {
                    let takes = if is_metric {
                        "one number, `name` and `aggregation`"
                    } else {
                        "one number"
                    };
                    let received = arg.to_token_stream();
                    let message = format!("`{name}` takes {takes}. Received: {received}");
                    self.ctxt.error(arg, message);
                }
            }
        }
        let purpose = match (is_metric, metric) {
            (false, _) => Purpose::Loss,
            (true, Some(metric)) => Purpose::Metric(metric),
            (true, None) => {
                self.ctxt.error(
                    at,
                    "Please provide a name for your metric like `add_metric(sum(inputs), name = \"mean_activation\")`.",
                );
                return Kind::Invalid;
            }
        };
        let Some(value) = value else {
            let message =
                format!("`{name}` takes a number, such as `{name}(mean(square(h)), ..)`.");
            self.ctxt.error(at, message);
            return Kind::Invalid;
        };
        let mut inputs = Vec::new();
        match self.number(value, &mut inputs) {
            Some(formula) if formula.terms.is_empty() => {
                self.ctxt.error(
                    value,
                    format!(
                        "`{name}` takes a number that depends on the model. Received: a constant"
                    ),
                );
                Kind::Invalid
            }
            Some(formula) => Kind::Added(Box::new(Added {
                purpose,
                inputs,
                formula,
            })),
            None => Kind::Invalid,
        }
    }

    /// One number: reductions of tensors, and constants. The tensors are added to `inputs`.
    fn number(&self, expr: &Expr, inputs: &mut Vec<Expression>) -> Option<Formula> {
        let expr = bare(expr);
        if let Some(value) = constant(expr) {
            return Some(Formula::constant(value));
        }
        match expr {
            Expr::Unary(unary) if matches!(unary.op, UnOp::Neg(_)) => {
                let value = self.number(&unary.expr, inputs)?;
                Some(value.negated())
            }
            Expr::Binary(binary) => self.combined(binary, inputs),
            Expr::Call(call) if named(call, REDUCTIONS).is_some() => self.reduced(call, inputs),
            Expr::Call(call) if named(call, FUNCTIONS).is_some() => {
                let function = named(call, FUNCTIONS)?;
                let value = self.number(self.only(call)?, inputs)?;
                if value.terms.len() != 1 {
                    let message = "A function is applied to one reduced tensor here, not to several or to none.";
                    self.ctxt.error(call, message);
                    return None;
                }
                Some(value.after(Elementary::Function(function)))
            }
            _ => {
                let message = format!(
                    "One number is expected here: a tensor is reduced by `sum`, `mean`, `max` or `min`, over all of its \
                     elements. Received: {}",
                    expr.to_token_stream()
                );
                self.ctxt.error(expr, message);
                None
            }
        }
    }

    fn combined(&self, binary: &ExprBinary, inputs: &mut Vec<Expression>) -> Option<Formula> {
        let left = self.number(&binary.left, inputs);
        let right = self.number(&binary.right, inputs);
        let (left, right) = (left?, right?);
        let factor = |formula: &Formula| {
            let offset = formula.offset.clone();
            offset.filter(|_| formula.terms.is_empty())
        };
        match (&binary.op, factor(&left), factor(&right)) {
            (BinOp::Add(_), ..) => Some(left.plus(right)),
            (BinOp::Sub(_), ..) => Some(left.plus(right.negated())),
            (BinOp::Mul(_), Some(factor), _) => Some(right.scaled(&factor)),
            (BinOp::Mul(_), _, Some(factor)) => Some(left.scaled(&factor)),
            (BinOp::Div(_), _, Some(divisor)) => Some(left.scaled(&quote! { 1f32 / (#divisor) })),
            _ => {
                self.ctxt.error(
                    binary.op,
                    "Numbers of tensors are added and subtracted, multiplied by constants and divided by them.",
                );
                None
            }
        }
    }

    /// `mean(square(h))`.
    fn reduced(&self, call: &ExprCall, inputs: &mut Vec<Expression>) -> Option<Formula> {
        let reduce = named(call, REDUCTIONS)?;
        let mut before = Vec::new();
        let input = self.elements(self.only(call)?, &mut before);
        inputs.push(input);
        Some(Formula {
            terms: vec![Term {
                before,
                reduce,
                after: Vec::new(),
            }],
            offset: None,
        })
    }

    /// A tensor, and the functions of its elements.
    fn elements(&self, expr: &Expr, functions: &mut Vec<Elementary>) -> Expression {
        let expr = bare(expr);
        let (inner, own) = match expr {
            Expr::Unary(unary) if matches!(unary.op, UnOp::Neg(_)) => {
                (&*unary.expr, vec![Elementary::Scale(quote! { -1f32 })])
            }
            Expr::Call(call) if let Some(function) = named(call, FUNCTIONS) => {
                let Some(inner) = self.only(call) else {
                    let (at, kind) = (At::of(call), Kind::Invalid);
                    return Expression { at, kind };
                };
                (inner, vec![Elementary::Function(function)])
            }
            Expr::Binary(binary) => match with_constant(binary) {
                Some(found) => found,
                None => return self.operand(expr),
            },
            _ => return self.operand(expr),
        };
        let tensor = self.elements(inner, functions);
        functions.extend(own);
        tensor
    }

    /// The tensor itself. A list of layers has only one, by its name.
    fn operand(&self, expr: &Expr) -> Expression {
        match (&self.form, as_ident(expr)) {
            (Form::Sequential, None) => {
                let kind = self.refused(expr, "This expression");
                let at = At::of(expr);
                Expression { at, kind }
            }
            _ => self.expression(expr),
        }
    }

    /// The only argument of a reduction or a function.
    fn only<'e>(&self, call: &'e ExprCall) -> Option<&'e Expr> {
        let mut args = call.args.iter();
        match (args.next(), args.next()) {
            (Some(arg), None) if !matches!(arg, Expr::Assign(_)) => Some(arg),
            _ => {
                let message = format!(
                    "`{}` takes one argument here, and all of its elements. Received: {}",
                    call.func.to_token_stream(),
                    call.args.to_token_stream()
                );
                self.ctxt.error(call, message);
                None
            }
        }
    }
}

/// A tensor combined with a constant: the tensor, and what becomes of its elements.
fn with_constant(binary: &ExprBinary) -> Option<(&Expr, Vec<Elementary>)> {
    use Elementary::{Scale, Shift};
    let (left, right) = (constant(&binary.left), constant(&binary.right));
    Some(match (&binary.op, left, right) {
        (BinOp::Add(_), None, Some(c)) => (&*binary.left, vec![Shift(c)]),
        (BinOp::Add(_), Some(c), None) => (&*binary.right, vec![Shift(c)]),
        (BinOp::Sub(_), None, Some(c)) => (&*binary.left, vec![Shift(quote! { -(#c) })]),
        (BinOp::Sub(_), Some(c), None) => (&*binary.right, vec![Scale(quote! { -1f32 }), Shift(c)]),
        (BinOp::Mul(_), None, Some(c)) => (&*binary.left, vec![Scale(c)]),
        (BinOp::Mul(_), Some(c), None) => (&*binary.right, vec![Scale(c)]),
        (BinOp::Div(_), None, Some(c)) => (&*binary.left, vec![Scale(quote! { 1f32 / (#c) })]),
        _ => return None,
    })
}

/// A number, a constant of the user's in capitals, or arithmetic of them.
fn constant(expr: &Expr) -> Option<TokenStream> {
    let expr = bare(expr);
    match expr {
        Expr::Lit(lit) => {
            let value: f32 = match &lit.lit {
                Lit::Int(int) if int.suffix().is_empty() => int.base10_parse().ok()?,
                Lit::Float(float) if float.suffix().is_empty() => float.base10_parse().ok()?,
                Lit::Int(_) | Lit::Float(_) => return Some(lit.to_token_stream()),
                _ => return None,
            };
            let mut literal = Literal::f32_suffixed(value);
            literal.set_span(lit.span());
            Some(literal.to_token_stream())
        }
        Expr::Path(path) if path.qself.is_none() => {
            let name = path.path.segments.last()?.ident.to_string();
            let is_constant = !name.contains(char::is_lowercase);
            (is_constant && name.contains(char::is_uppercase)).then(|| path.to_token_stream())
        }
        Expr::Unary(unary) if matches!(unary.op, UnOp::Neg(_)) => {
            let value = constant(&unary.expr)?;
            Some(quote! { -(#value) })
        }
        Expr::Binary(binary) => {
            let is_arithmetic = matches!(
                binary.op,
                BinOp::Add(_) | BinOp::Sub(_) | BinOp::Mul(_) | BinOp::Div(_)
            );
            let (left, op) = (constant(&binary.left)?, &binary.op);
            let right = constant(&binary.right)?;
            is_arithmetic.then(|| quote_spanned! {op.span()=> (#left) #op (#right) })
        }
        _ => None,
    }
}

/// The runtime's name of a function that is called.
fn named(call: &ExprCall, known: &[(&str, &'static str)]) -> Option<&'static str> {
    let name = as_ident(&call.func)?;
    let found = known.iter().find(|(known, _)| name == known);
    found.map(|(_, runtime)| *runtime)
}
