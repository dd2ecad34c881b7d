//! A layer as it is written everywhere: `Conv2D(32, 3, activation = relu, name = "c")`.

use syn::punctuated::Punctuated;
use syn::{Expr, ExprLit, Ident, Lit, LitStr, Path, Token};

use super::{Argument, At, arguments, as_ident, bare};
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

/// The arguments of a layer.
pub type Arguments = Punctuated<Expr, Token![,]>;

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
        let mut positional = Vec::new();
        let mut named: Vec<(Ident, Argument)> = Vec::new();
        for arg in args {
            let Expr::Assign(assign) = arg else {
                if let Some((last, _)) = named.last() {
                    // Python's rule: after a name, which place would a nameless argument be in?
                    ctxt.error(
                        arg,
                        format!("A positional argument follows the keyword argument `{last}`."),
                    );
                    continue;
                }
                positional.push(Argument::new(arg));
                continue;
            };
            let Some(key) = as_ident(&assign.left) else {
                ctxt.error(&assign.left, "The name of an argument is expected here.");
                continue;
            };
            match key.to_string().as_str() {
                "name" => layer.name = name(ctxt, &assign.right),
                "trainable" => layer.trainable = trainable(ctxt, &assign.right),
                _ if named.iter().any(|(other, _)| other == key) => {
                    ctxt.error(key, format!("The keyword argument `{key}` is repeated."));
                }
                _ => named.push((key.clone(), Argument::new(&assign.right))),
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
    if let Expr::Lit(ExprLit {
        lit: Lit::Str(name),
        ..
    }) = bare(expr)
        && !name.value().contains('/')
        && !name.value().is_empty()
    {
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
    if let Expr::Lit(ExprLit {
        lit: Lit::Bool(value),
        ..
    }) = bare(expr)
    {
        return value.value;
    }
    let received = quote::ToTokens::to_token_stream(expr);
    ctxt.error(
        expr,
        format!("Argument `trainable` must be `true` or `false`. Received: trainable={received}"),
    );
    true
}
