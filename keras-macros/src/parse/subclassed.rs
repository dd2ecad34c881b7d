//! `#[model(input = [3])] struct Name { #[layer(4)] dense: Dense, .. }` and `#[model] impl Name`.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::parse::Parser;
use syn::{
    Field, Fields, FnArg, Ident, ImplItem, ImplItemFn, ItemImpl, ItemStruct, Meta, Pat, Type,
    TypePath,
};

use super::arguments::Arguments;
use super::call::{Body, Form, Pattern, Reader};
use super::options::Form as On;
use super::{At, Head, Layer, NESTED_INPUTS, Options, literals};
use crate::ctxt::Ctxt;

/// The functions of `Model` that a model can have of its own.
const STEPS: &[&str] = &[
    "train_step",
    "test_step",
    "predict_step",
    "make_train_function",
    "make_test_function",
    "make_predict_function",
];

/// A struct of layers.
pub struct Declared {
    /// The struct.
    pub head: Head,
    /// What the attribute says.
    pub options: Options,
    /// The layers.
    pub fields: Vec<(Ident, Layer)>,
}

impl Declared {
    /// Reads the struct; `arguments` are those of the attribute.
    pub fn parse(ctxt: &Ctxt, arguments: TokenStream, item: &ItemStruct) -> Declared {
        let options = Options::parse(ctxt, On::Subclassed, arguments);
        if !item.generics.params.is_empty() {
            ctxt.error(
                &item.generics,
                "A model has no generic parameters of its own: rustc checks its shapes once, for constants.",
            );
        }
        let fields = match &item.fields {
            Fields::Named(fields) => fields.named.iter().filter_map(|f| field(ctxt, f)).collect(),
            Fields::Unnamed(_) | Fields::Unit => {
                ctxt.error(
                    &item.ident,
                    "The fields of a model are its layers, with their names.",
                );
                Vec::new()
            }
        };
        Declared {
            head: Head {
                attrs: item.attrs.clone(),
                vis: item.vis.clone(),
                ident: item.ident.clone(),
            },
            options,
            fields,
        }
    }
}

fn field(ctxt: &Ctxt, field: &Field) -> Option<(Ident, Layer)> {
    let ident = field.ident.clone()?;
    let mut layers = field.attrs.iter().filter(|a| a.path().is_ident("layer"));
    let Some(attribute) = layers.next() else {
        ctxt.error(
            &ident,
            format!(
                "The field `{ident}` says nothing of its arguments. A layer is declared as `#[layer(4, activation = \
                 relu)] {ident}: Dense`, or `#[layer]` if it takes none."
            ),
        );
        return None;
    };
    if let Some(second) = layers.next() {
        ctxt.error(second, format!("The field `{ident}` has two `#[layer]`s."));
    }
    let Type::Path(TypePath { qself: None, path }) = &field.ty else {
        ctxt.error(
            &field.ty,
            "The type of a layer is expected here, such as `Dense`.",
        );
        return None;
    };
    let mut at = At::of(path);
    let args = match &attribute.meta {
        Meta::Path(_) => Arguments::new(),
        Meta::List(list) => {
            // A constructor that fails is reported under the arguments.
            at.start = list.delimiter.span().join();
            at.end = at.start;
            ctxt.ok(Arguments::parse_terminated.parse2(list.tokens.clone()))?
        }
        Meta::NameValue(_) => {
            ctxt.error(
                attribute,
                "The arguments of a layer are in parentheses: `#[layer(4)]`.",
            );
            return None;
        }
    };
    Some((ident, Layer::new(ctxt, path.clone(), at, &args)))
}

/// A parameter of `call`.
pub struct Parameter {
    /// Its name, or the names of its parts.
    pub pattern: Pattern,
    /// Its tokens.
    pub at: At,
    /// How many tensors it stands for; `None` for one that is a tensor itself.
    pub several: Option<usize>,
}

/// The impl of a model.
pub struct Implemented {
    /// The parameters of `call` that are tensors.
    pub parameters: Vec<Parameter>,
    /// The body of `call`; `None` if there is none.
    pub call: Option<Body>,
    /// The names of the steps that the user wrote.
    pub steps: Vec<Ident>,
    /// Everything but `call`.
    pub rest: Vec<ImplItem>,
}

impl Implemented {
    /// Reads the impl.
    pub fn parse(ctxt: &Ctxt, item: &ItemImpl) -> Implemented {
        if let Some((_, path, _)) = &item.trait_ {
            ctxt.error(
                path,
                "`#[model]` belongs on the impl with `call`, not on that of a trait.",
            );
        }
        if !item.generics.params.is_empty() {
            ctxt.error(
                &item.generics,
                "The device is a parameter that `#[model]` adds: write `impl Name`.",
            );
        }
        let mut implemented = Implemented {
            parameters: Vec::new(),
            call: None,
            steps: Vec::new(),
            rest: Vec::new(),
        };
        let mut has_call = false;
        for item in &item.items {
            match item {
                ImplItem::Fn(function) if function.sig.ident == "call" => {
                    has_call = true;
                    implemented.read_call(ctxt, function);
                }
                other => {
                    if let ImplItem::Fn(function) = other
                        && STEPS.iter().any(|step| function.sig.ident == step)
                    {
                        implemented.steps.push(function.sig.ident.clone());
                    }
                    implemented.rest.push(other.clone());
                }
            }
        }
        if !has_call {
            let name = item.self_ty.to_token_stream();
            ctxt.error(
                &item.self_ty,
                format!(
                    "Model {name} does not have a `call()` method implemented. If its layers follow each other, write \
                     `#[model(in_order)]` on the struct instead."
                ),
            );
        }
        implemented
    }

    fn read_call(&mut self, ctxt: &Ctxt, function: &ImplItemFn) {
        let signature = &function.sig;
        if !signature.generics.params.is_empty() {
            ctxt.error(
                &signature.generics,
                "`call` has no generic parameters: nobody calls it, it describes a model.",
            );
        }
        if let Some(token) = &signature.asyncness {
            ctxt.error(
                token,
                "`call` is not `async`: nobody calls it, it describes a model.",
            );
        }
        if signature.receiver().is_none() {
            ctxt.error(
                &signature.ident,
                "`call` takes `&self`, whose fields are the layers.",
            );
        }
        let mut training = None;
        let mut tensors = Vec::new();
        let mut is_right = true;
        for parameter in &signature.inputs {
            let FnArg::Typed(typed) = parameter else {
                continue;
            };
            match (&*typed.ty, &*typed.pat) {
                (Type::Path(path), Pat::Ident(name)) if path.path.is_ident("bool") => {
                    training = Some(name.ident.clone());
                }
                (ty, pattern) => match tensors_of(ty) {
                    Some(several) => tensors.push((pattern, several)),
                    None => {
                        is_right = false;
                        if is_nested(ty) {
                            ctxt.error(ty, NESTED_INPUTS);
                            continue;
                        }
                        ctxt.error(
                            ty,
                            format!(
                                "The parameters of `call` are tensors (`Tensor`, `(Tensor, Tensor)`) and `training: \
                                 bool`. Received: {}",
                                ty.to_token_stream()
                            ),
                        );
                    }
                },
            }
        }
        let reader = Reader {
            ctxt,
            form: Form::Call(training),
        };
        for (pattern, several) in tensors {
            self.parameters.push(Parameter {
                pattern: reader.pattern(pattern),
                at: At::of(pattern),
                several,
            });
        }
        if self.parameters.is_empty() && is_right {
            ctxt.error(
                &signature.ident,
                "`call` has at least one input: a parameter such as `inputs: Tensor`.",
            );
        }
        // Names that stand for nothing are no mistakes of their own.
        let body = reader.body(&function.block);
        self.call = is_right.then_some(body);
    }
}

/// Whether a type is one of several tensors within several.
fn is_nested(ty: &Type) -> bool {
    let is_several = |ty: &Type| tensors_of(ty).is_some() || is_nested(ty);
    match ty {
        Type::Tuple(tuple) => tuple.elems.iter().all(is_several),
        Type::Array(array) => is_several(&array.elem),
        Type::Reference(reference) => is_nested(&reference.elem),
        _ => false,
    }
}

/// For `Tensor` that it is one, for a tuple or an array of it how many they are.
fn tensors_of(ty: &Type) -> Option<Option<usize>> {
    let is_tensor = |ty: &Type| matches!(ty, Type::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == "Tensor"));
    match ty {
        Type::Tuple(tuple) => tuple
            .elems
            .iter()
            .all(is_tensor)
            .then_some(Some(tuple.elems.len())),
        Type::Array(array) => {
            let len = literals::whole(&array.len)?;
            is_tensor(&array.elem).then_some(Some(len))
        }
        Type::Reference(reference) => tensors_of(&reference.elem),
        ty => is_tensor(ty).then_some(None),
    }
}
