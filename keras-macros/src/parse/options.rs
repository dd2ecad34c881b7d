//! What stands in `#[model(..)]`: `input = [3]`, `in_order`, `keras = "model.keras"`,
//! `max_params = 100_000` and other budgets, `gradcheck`, `compile(..)`, `callbacks(..)`.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::parse::Parser;
use syn::{Attribute, Expr, Ident, Meta, Path};

use super::arguments::Arguments;
use super::layer::class_of;
use super::part::Part;
use super::signatures::Role;
use super::training::Compile;
use super::{At, Shape, as_ident, bare, shape};
use crate::ctxt::Ctxt;

/// The form of the model that an attribute stands on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// The item that `sequential!` declares.
    Sequential,
    /// A function.
    Functional,
    /// A struct.
    Subclassed,
    /// A struct whose layers are in a file.
    KerasFile,
}

impl Form {
    /// What the attribute takes, for errors.
    fn takes(self) -> String {
        let (place, before, after) = match self {
            Form::Sequential => ("in `sequential!`", "", ""),
            Form::Functional => ("on a function", "", "; its parameters are the inputs"),
            Form::Subclassed => (
                "on a struct",
                "`input = [28, 28, 1]` (`input = ([3], [4])` for several inputs), `in_order`, ",
                "",
            ),
            Form::KerasFile => (
                "on a struct whose layers are in a file",
                "`keras = \"model.keras\"`, `custom_objects(MyLayer(units))`, ",
                "",
            ),
        };
        format!(
            "`#[model]` {place} takes {before}`max_params = 100_000`, `max_memory`, `max_flops`, `gradcheck`, \
             `compile(..)` and `callbacks(..)`{after}"
        )
    }
}

/// What a budget is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// `max_params`: the numbers of the weights.
    Params,
    /// `max_memory`: the bytes of a prediction.
    Memory,
    /// `max_flops`: the operations of a prediction.
    Flops,
}

impl Limit {
    /// The limit that an argument sets.
    fn named(argument: &str) -> Option<Limit> {
        match argument {
            "max_params" => Some(Limit::Params),
            "max_memory" => Some(Limit::Memory),
            "max_flops" => Some(Limit::Flops),
            _ => None,
        }
    }
}

/// A limit that rustc holds a model to.
#[derive(Clone)]
pub struct Budget {
    /// What is limited.
    pub limit: Limit,
    /// The argument, `max_params = 100_000`.
    pub at: At,
    /// The limit.
    pub most: Expr,
}

/// A layer of the user's that a file names, and the arguments of its `new` in order: `MyLayer(units)`.
#[derive(Clone)]
pub struct OwnLayer {
    /// Its type.
    pub class: Path,
    /// The names of the arguments by position.
    pub required: Vec<String>,
}

impl OwnLayer {
    fn parse(ctxt: &Ctxt, given: &Expr) -> Option<Self> {
        let (class, arguments) = match bare(given) {
            Expr::Call(call) => (class_of(&call.func), call.args.iter().collect()),
            class => (class_of(class), Vec::new()),
        };
        let names = arguments.into_iter().map(as_ident);
        let required: Option<Vec<&Ident>> = names.collect();
        let (Some(class), Some(required)) = (class, required) else {
            let received = given.to_token_stream();
            ctxt.error(
                given,
                format!(
                    "`custom_objects` takes types of layers, each with the names of the arguments that its `new` takes: \
                     `custom_objects(Swish, LowRank(units, rank))`. Received: {received}"
                ),
            );
            return None;
        };
        let required = required.into_iter().map(Ident::to_string).collect();
        Some(Self { class, required })
    }
}

/// The arguments of the attribute.
#[derive(Clone, Default)]
pub struct Options {
    /// `input = ..`: one shape for each input; `None` if it is not there.
    pub inputs: Option<Vec<Shape>>,
    /// `in_order`: there is no `call`, the layers follow each other.
    pub in_order: bool,
    /// `keras = ..`: the path of a file.
    pub keras: Option<Expr>,
    /// `custom_objects(..)`: layers of the user's that the file names.
    pub custom_objects: Vec<OwnLayer>,
    /// `max_params = ..`, `max_memory = ..`, `max_flops = ..`.
    pub budgets: Vec<Budget>,
    /// `gradcheck`: the word.
    pub gradcheck: Option<Ident>,
    /// `compile(..)`.
    pub compile: Option<Compile>,
    /// `callbacks(..)`.
    pub callbacks: Vec<Part>,
}

impl Options {
    /// Reads the arguments of an attribute.
    pub fn parse(ctxt: &Ctxt, form: Form, arguments: TokenStream) -> Options {
        let mut options = Options::default();
        options.read(ctxt, form, arguments);
        options
    }

    /// Takes the attributes `#[model(..)]` out of those of an item in `sequential!`.
    pub fn take(ctxt: &Ctxt, attrs: &mut Vec<Attribute>) -> Options {
        let mut options = Options::default();
        let is_own = |attribute: &Attribute| attribute.path().is_ident("model");
        for attribute in attrs.extract_if(.., |attribute| is_own(attribute)) {
            match attribute.meta {
                Meta::List(list) => options.read(ctxt, Form::Sequential, list.tokens),
                other => ctxt.error(&other, format!("{}.", Form::Sequential.takes())),
            }
        }
        options
    }

    fn read(&mut self, ctxt: &Ctxt, form: Form, arguments: TokenStream) {
        let parsed = Arguments::parse_terminated.parse2(arguments);
        let mut given: Vec<String> = Vec::new();
        for argument in ctxt.ok(parsed).into_iter().flatten() {
            let (key, value) = match &argument {
                Expr::Assign(assign) => (as_ident(&assign.left), Some(&*assign.right)),
                Expr::Call(call) => (as_ident(&call.func), Some(&argument)),
                word => (as_ident(word), None),
            };
            let name = key.map(Ident::to_string).unwrap_or_default();
            let on_struct = form == Form::Subclassed;
            let limit = Limit::named(&name);
            match (name.as_str(), key, value) {
                (_, Some(key), _) if given.contains(&name) => {
                    ctxt.error(key, format!("The argument `{name}` is repeated."));
                }
                ("input", _, Some(value)) if on_struct => {
                    self.inputs = Some(inputs(ctxt, value));
                }
                ("keras", _, Some(value)) if form == Form::KerasFile => {
                    self.keras = Some(bare(value).clone());
                }
                ("custom_objects", _, Some(Expr::Call(call))) if form == Form::KerasFile => {
                    let layers = call.args.iter();
                    let layers = layers.filter_map(|layer| OwnLayer::parse(ctxt, layer));
                    self.custom_objects = layers.collect();
                }
                ("in_order", _, None) if on_struct => self.in_order = true,
                (_, _, Some(value)) if let (Some(limit), Expr::Assign(_)) = (limit, &argument) => {
                    self.budgets.push(Budget {
                        limit,
                        at: At::of(&argument),
                        most: bare(value).clone(),
                    })
                }
                ("compile", _, Some(Expr::Call(call))) => self.compile = Compile::parse(ctxt, call),
                ("callbacks", _, Some(Expr::Call(call))) => {
                    let parts = call.args.iter();
                    let part = |expr| Part::parse(ctxt, Role::Callback, expr);
                    self.callbacks = parts.filter_map(part).collect();
                }
                ("gradcheck", Some(key), None) => self.gradcheck = Some(key.clone()),
                _ => {
                    let (takes, received) = (form.takes(), argument.to_token_stream());
                    ctxt.error(&argument, format!("{takes}. Received: {received}"));
                }
            }
            given.push(name);
        }
    }
}

/// `[3]`, or `([3], [4])` for several inputs.
fn inputs(ctxt: &Ctxt, value: &Expr) -> Vec<Shape> {
    let shapes = match value {
        Expr::Tuple(tuple) => tuple.elems.iter().collect(),
        one => vec![one],
    };
    let shapes = shapes.into_iter();
    shapes.map(|s| shape::from_array(ctxt, s)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(form: Form, arguments: &str) -> Vec<String> {
        let ctxt = Ctxt::new();
        Options::parse(&ctxt, form, arguments.parse().unwrap());
        ctxt.messages()
    }

    #[test]
    fn each_form_has_its_arguments() {
        let none: [&str; 0] = [];
        let all = "input = [3], max_params = 2 * BUDGET, gradcheck, in_order";
        assert_eq!(messages(Form::Subclassed, all), none);
        assert_eq!(
            messages(
                Form::Functional,
                "gradcheck, max_params = 3, max_flops = 1, max_memory = 2"
            ),
            none
        );
        let takes = "`#[model]` on a function takes `max_params = 100_000`, `max_memory`, `max_flops`, `gradcheck`, \
                     `compile(..)` and `callbacks(..)`; its parameters are the inputs. Received: ";
        let wrong = [
            "input = [3]",
            "in_order",
            "max_params",
            "max_flops (3)",
            "gradcheck = 1",
        ];
        for argument in wrong {
            let message = messages(Form::Functional, argument);
            assert_eq!(message, [format!("{takes}{argument}")]);
        }
        let message = messages(Form::Sequential, "gradcheck, gradcheck");
        assert_eq!(message, ["The argument `gradcheck` is repeated."]);
    }
}
