//! What the names and expressions of the model language stand for.

use syn::Ident;

use super::network::{End, Ends};
use super::{LayerId, Nesting, Structure, ValueId};
use crate::ctxt::Ctxt;
use crate::parse::{At, NESTED_INPUTS};

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
                    let is_tensor = matches!(item, Bound::Tensor(..));
                    match item.flat(ctxt) {
                        Some(mut found) => {
                            if let ([end], true) = (found.as_mut_slice(), is_tensor) {
                                end.key = key;
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

    /// How its tensors are put together.
    fn nesting(&self) -> Nesting {
        match self {
            Bound::Several(structure, items, _) => {
                let items = items.iter().map(|(key, item)| {
                    let key = key
                        .as_ref()
                        .map(|key| crate::names::identifier(&key.to_string()));
                    (key, item.nesting())
                });
                Nesting::Several(*structure, items.collect())
            }
            _ => Nesting::Output,
        }
    }

    /// Whether several tensors are within several.
    fn is_nested(&self) -> bool {
        let is_several = |item: &Bound| matches!(item, Bound::Several(..));
        matches!(self, Bound::Several(_, items, _) if items.iter().any(|(_, item)| is_several(item)))
    }

    /// Keras' rule for inputs; outputs may be nested.
    pub fn not_nested(&self, ctxt: &Ctxt) {
        let Bound::Several(_, items, _) = self else {
            return;
        };
        for (_, item) in items {
            if let Bound::Several(_, _, at) = item {
                ctxt.error(at, NESTED_INPUTS);
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
    let nesting = outputs.is_nested().then(|| outputs.nesting());
    let inputs = inputs.flat(ctxt);
    let outputs = outputs.flat(ctxt);
    Some(Ends {
        inputs: inputs?,
        outputs: outputs?,
        structure,
        nesting,
        added: Vec::new(),
    })
}
