//! A layer as it is written everywhere: `Conv2D(32, 3, activation = relu, name = "c")`.

use syn::{Expr, Ident, LitStr, Path};

use super::arguments::{self, Arguments};
use super::{Argument, At, bare, literals};
use crate::ctxt::Ctxt;

/// A layer with its arguments in order.
#[derive(Clone)]
pub struct Layer {
    /// Its type, as the user wrote it.
    pub class: Path,
    /// All of it.
    pub at: At,
    /// The argument `name`, which is the macro's.
    pub name: Option<LitStr>,
    /// The argument `trainable`, which is the macro's.
    pub trainable: bool,
    /// The arguments of `new`.
    pub required: Vec<Argument>,
    /// The arguments that are methods.
    pub options: Vec<(Ident, Argument)>,
}

impl Layer {
    /// `Dense(10)` or `Flatten`.
    pub fn from_expr(ctxt: &Ctxt, expr: &Expr) -> Option<Layer> {
        match bare(expr) {
            Expr::Call(call) => {
                let class = class_of(&call.func)?;
                let at = At {
                    end: call.paren_token.span.join(),
                    ..At::of(&class)
                };
                Some(Layer::new(ctxt, class, at, &call.args))
            }
            expr => {
                let class = class_of(expr)?;
                let at = At::of(&class);
                Some(Layer::new(ctxt, class, at, &Arguments::new()))
            }
        }
    }

    /// A layer of a class with its arguments.
    pub fn new(ctxt: &Ctxt, class: Path, at: At, args: &Arguments) -> Layer {
        let mut layer = Layer {
            class,
            at,
            name: None,
            trainable: true,
            required: Vec::new(),
            options: Vec::new(),
        };
        let (positional, keywords) = arguments::split(ctxt, args);
        let positional = positional.into_iter().map(Argument::new).collect();
        let mut named: Vec<(Ident, Argument)> = Vec::new();
        for (key, value) in keywords {
            match key.to_string().as_str() {
                "name" => layer.name = name(ctxt, value),
                "trainable" => layer.trainable = trainable(ctxt, value),
                _ => named.push((key.clone(), Argument::new(value))),
            }
        }
        let class = layer.class_name();
        (layer.required, layer.options) = arguments::order(ctxt, &class, at, positional, named);
        layer
    }

    /// The name of its type: `Dense` for `keras::layers::Dense`.
    pub fn class_name(&self) -> String {
        let last = self.class.segments.last();
        last.map_or_else(String::new, |segment| segment.ident.to_string())
    }
}

/// The type that an expression names, if it looks like one.
pub fn class_of(expr: &Expr) -> Option<Path> {
    let Expr::Path(path) = bare(expr) else {
        return None;
    };
    let last = path.path.segments.last()?.ident.to_string();
    let is_class = last.starts_with(char::is_uppercase);
    (path.qself.is_none() && is_class).then(|| path.path.clone())
}

/// Keras' rule: names are parts of paths in files, hence no `/`.
fn name(ctxt: &Ctxt, expr: &Expr) -> Option<LitStr> {
    let is_name = |text: &&LitStr| !text.value().contains('/') && !text.value().is_empty();
    if let Some(name) = literals::text(expr).filter(is_name) {
        return Some(name.clone());
    }
    let received = quote::ToTokens::to_token_stream(expr);
    ctxt.error(
        expr,
        format!(
            "Argument `name` must be a string and cannot contain character `/`. Received: name={received}"
        ),
    );
    None
}

/// Known to the macro, because nothing below a frozen layer needs a gradient.
fn trainable(ctxt: &Ctxt, expr: &Expr) -> bool {
    if let Some(trainable) = literals::flag(expr) {
        return trainable;
    }
    let received = quote::ToTokens::to_token_stream(expr);
    ctxt.error(
        expr,
        format!("Argument `trainable` must be `true` or `false`. Received: trainable={received}"),
    );
    true
}
