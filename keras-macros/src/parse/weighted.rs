//! A struct of settings and weights: `#[metric] struct` and `#[layer] struct`.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{Expr, Field, Fields, Ident, ItemStruct, Lit, Type, UnOp};

use super::Head;
use super::tensor::{Setting, Settings};
use super::{as_ident, bare};
use crate::ctxt::Ctxt;

/// A struct of settings and weights.
pub struct Weighted {
    /// The struct.
    pub head: Head,
    /// What configures it.
    pub settings: Settings,
    /// Its weights.
    pub weights: Vec<Weight>,
}

/// A weight.
pub struct Weight {
    /// Its name.
    pub ident: Ident,
    /// How it begins, as the user wrote it.
    pub initializer: Expr,
    /// How many numbers it has.
    pub size: Size,
}

/// How many numbers a weight has.
pub enum Size {
    /// `f32`: one.
    One,
    /// `[f32; N]`: as many as this.
    Several(Expr),
    /// `Tensor`: one for each place along the last axis.
    Channels,
}

impl Weighted {
    /// Reads the struct; `what` is the attribute's name, `arguments` are the attribute's.
    pub fn parse(ctxt: &Ctxt, what: &str, arguments: TokenStream, item: &ItemStruct) -> Weighted {
        if !arguments.is_empty() {
            ctxt.error(
                arguments,
                format!(
                    "`#[{what}]` on a struct takes no arguments: what configures it is a field."
                ),
            );
        }
        if !item.generics.params.is_empty() {
            ctxt.error(
                &item.generics,
                format!("A {what} that is an expression has no generic parameters."),
            );
        }
        let mut weighted = Weighted {
            head: Head {
                attrs: item.attrs.clone(),
                vis: item.vis.clone(),
                ident: item.ident.clone(),
            },
            settings: Vec::new(),
            weights: Vec::new(),
        };
        match &item.fields {
            Fields::Named(fields) => {
                for field in &fields.named {
                    weighted.field(ctxt, what, field);
                }
            }
            Fields::Unit => {}
            Fields::Unnamed(fields) => {
                ctxt.error(fields, format!("The fields of a {what} have names."));
            }
        }
        weighted
    }

    fn field(&mut self, ctxt: &Ctxt, what: &str, field: &Field) {
        let Some(ident) = &field.ident else { return };
        let Some(weight) = field
            .attrs
            .iter()
            .find(|attr| attr.path().is_ident("weight"))
        else {
            match Setting::parse(ctxt, &field.attrs, ident, &field.ty) {
                Some(setting) => self.settings.push(setting),
                None => ctxt.error(
                    &field.ty,
                    format!(
                        "A field is an `f32` or a `bool` that configures, or a weight: `#[weight(zeros)] {ident}: \
                         {}`. Received: {}",
                        if what == "layer" { "Tensor" } else { "f32" },
                        field.ty.to_token_stream()
                    ),
                ),
            }
            return;
        };
        let Some(initializer) = ctxt.ok(weight.parse_args::<Expr>()) else {
            return;
        };
        let size = match (&field.ty, field.ty.to_token_stream().to_string().as_str()) {
            (_, "f32") => Some(Size::One),
            (_, "Tensor") if what == "layer" => Some(Size::Channels),
            (Type::Array(array), _) if what == "metric" && is_f32(&array.elem) => {
                Some(Size::Several(array.len.clone()))
            }
            _ => None,
        };
        let Some(size) = size else {
            let types = if what == "layer" {
                "`Tensor`, a number for each place along the last axis, or `f32`, one number"
            } else {
                "`f32`, one number, or `[f32; N]`, one for each place along the last axis"
            };
            ctxt.error(
                &field.ty,
                format!(
                    "The type of a weight of a {what} is {types}. Received: {}",
                    field.ty.to_token_stream()
                ),
            );
            return;
        };
        self.weights.push(Weight {
            ident: ident.clone(),
            initializer,
            size,
        });
    }
}

fn is_f32(ty: &Type) -> bool {
    ty.to_token_stream().to_string() == "f32"
}

impl Weight {
    /// The number that it begins with: `zeros`, `ones` or a number.
    pub fn first_value(&self, ctxt: &Ctxt) -> Option<f64> {
        let first = match as_ident(&self.initializer) {
            Some(word) if word == "zeros" => Some(0.0),
            Some(word) if word == "ones" => Some(1.0),
            _ => self.number(),
        };
        if first.is_none() {
            ctxt.error(
                &self.initializer,
                format!(
                    "A weight of a metric begins as `zeros`, `ones` or a number. Received: {}",
                    self.initializer.to_token_stream()
                ),
            );
        }
        first
    }

    /// Whether it has several numbers.
    pub fn is_vector(&self) -> bool {
        !matches!(self.size, Size::One)
    }

    /// The number that its initializer is, if it is one.
    pub fn number(&self) -> Option<f64> {
        number(&self.initializer)
    }
}

fn number(expr: &Expr) -> Option<f64> {
    match bare(expr) {
        Expr::Lit(lit) => match &lit.lit {
            Lit::Float(float) => float.base10_parse().ok(),
            Lit::Int(int) => int.base10_parse().ok(),
            _ => None,
        },
        Expr::Unary(unary) if matches!(unary.op, UnOp::Neg(_)) => Some(-number(&unary.expr)?),
        _ => None,
    }
}
