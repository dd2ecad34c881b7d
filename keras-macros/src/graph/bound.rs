//! What the names and expressions of the model language stand for.

use syn::Ident;

use super::network::{End, Ends};
use super::{LayerId, Structure, ValueId};
use crate::ctxt::Ctxt;
use crate::parse::At;

/// What an expression gives.
#[derive(Clone)]
pub enum Bound {
    /// A tensor, and the tokens that stand for it.
    Tensor(ValueId, At),
    /// A layer that is bound to a name.
    Layer(LayerId, At),
    /// Several of them, with keys in a `Dict`.
    Several(Structure, Vec<(Option<Ident>, Bound)>, At),
    /// `Model(..)`; without ends if they are in error.
    Model(Option<Box<Ends>>, Option<String>, At),
    /// Nothing: a block without a value.
    Nothing(At),
    /// What has been reported already.
    Invalid,
}

/// A `Model(..)` that was bound to a name.
pub struct BoundModel {
    /// The name.
    pub ident: Ident,
    /// Its inputs and outputs, unless they are in error.
    pub ends: Option<Ends>,
    /// Its argument `name`.
    pub name: Option<String>,
}

impl Bound {
    /// All tensors of a value, in order.
    pub fn flat(self, ctxt: &Ctxt) -> Option<Vec<End>> {
        match self {
            Bound::Tensor(value, at) => Some(vec![End {
                value,
                key: None,
                at,
            }]),
            Bound::Several(_, items, _) => {
                let mut ends = Vec::new();
                let mut is_right = true;
                for (key, item) in items {
                    match item.flat(ctxt) {
                        Some(mut found) => {
                            if let [end] = found.as_mut_slice() {
                                end.key = key.or(end.key.take());
                            }
                            ends.append(&mut found);
                        }
                        None => is_right = false,
                    }
                }
                is_right.then_some(ends)
            }
            Bound::Layer(_, at) => {
                let message = "A tensor is expected here. Received: a layer, which is yet to be called: `Dense(10)(x)`";
                ctxt.error(at, message);
                None
            }
            Bound::Model(_, _, at) => {
                ctxt.error(at, "A tensor is expected here. Received: a model");
                None
            }
            Bound::Nothing(at) => {
                let message =
                    "A tensor is expected here. Received: a block that ends without a value";
                ctxt.error(at, message);
                None
            }
            Bound::Invalid => None,
        }
    }

    /// Keras' rule for inputs; outputs may be nested.
    pub fn not_nested(&self, ctxt: &Ctxt) {
        let Bound::Several(_, items, _) = self else {
            return;
        };
        for (_, item) in items {
            if let Bound::Several(_, _, at) = item {
                ctxt.error(
                    at,
                    "The inputs of a model are one tensor, or a tuple, an array or a `Dict` of tensors; they are not \
                     nested.",
                );
            }
        }
    }
}

/// The inputs and outputs of a network.
pub fn ends(ctxt: &Ctxt, inputs: Bound, outputs: Bound) -> Option<Ends> {
    let structure = match &outputs {
        Bound::Several(structure, ..) => *structure,
        _ => Structure::Single,
    };
    let places = [&inputs, &outputs].map(|bound| match bound {
        Bound::Several(_, items, at) if items.is_empty() => Some(*at),
        _ => None,
    });
    for at in places.into_iter().flatten() {
        ctxt.error(at, "A model has at least one input and one output.");
    }
    let inputs = inputs.flat(ctxt);
    let outputs = outputs.flat(ctxt);
    Some(Ends {
        inputs: inputs?,
        outputs: outputs?,
        structure,
        added: Vec::new(),
    })
}
