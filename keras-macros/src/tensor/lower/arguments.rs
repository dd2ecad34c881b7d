//! The arguments of a call, in the order of the function.

use syn::Ident;

use crate::ctxt::Ctxt;
use crate::parse::tensor::{Call, Term};

/// The arguments of a call: tensors in the order of the function, and the rest.
pub(super) struct Arguments<'t> {
    pub tensors: Vec<Option<&'t Term>>,
    pub more: Vec<&'t Term>,
    pub named: Vec<(&'t Ident, &'t Term)>,
}

impl<'t> Arguments<'t> {
    /// Puts the arguments in order. `None` if one is missing or there twice.
    pub fn read(ctxt: &Ctxt, call: &'t Call, order: &[(&str, Option<f64>)]) -> Option<Self> {
        let mut named: Vec<(&Ident, &Term)> =
            call.named.iter().map(|(key, term)| (key, term)).collect();
        let mut positional = call.positional.iter();
        let mut tensors = Vec::new();
        let mut missing = Vec::new();
        for (name, default) in order {
            let by_name = named.iter().position(|(key, _)| key == name);
            let by_name = by_name.map(|at| named.remove(at));
            match (positional.next(), by_name) {
                (Some(_), Some((key, _))) => {
                    ctxt.error(
                        key,
                        format!(
                            "{} got multiple values for argument `{key}`.",
                            call.function
                        ),
                    );
                    return None;
                }
                (Some(term), None) | (None, Some((_, term))) => tensors.push(Some(term)),
                (None, None) if default.is_some() => tensors.push(None),
                (None, None) => missing.push(format!("`{name}`")),
            }
        }
        if !missing.is_empty() {
            let (count, missing) = (missing.len(), missing.join(" and "));
            let plural = if count == 1 { "" } else { "s" };
            ctxt.error(
                &call.function,
                format!(
                    "{} is missing {count} required argument{plural}: {missing}",
                    call.function
                ),
            );
            return None;
        }
        Some(Self {
            tensors,
            more: positional.collect(),
            named,
        })
    }

    /// An option that is no tensor, by name or by position.
    pub fn take(&mut self, name: &str) -> Option<(Ident, &'t Term)> {
        let at = self.named.iter().position(|(key, _)| *key == name)?;
        let (key, term) = self.named.remove(at);
        Some((key.clone(), term))
    }

    /// Nothing may be left.
    pub fn finish(&self, ctxt: &Ctxt, function: &str) -> Option<()> {
        for (key, _) in &self.named {
            ctxt.error(key, format!("`{function}` has no argument `{key}`."));
        }
        for term in &self.more {
            let takes = self.tensors.len();
            let plural = if takes == 1 { "" } else { "s" };
            ctxt.error(
                term.at,
                format!(
                    "`{function}` takes {takes} tensor{plural} by position; what else it is told has a name, such as \
                     `axis = -1`."
                ),
            );
        }
        (self.named.is_empty() && self.more.is_empty()).then_some(())
    }

    /// As many tensors as there are.
    pub fn all<const N: usize>(&self) -> Option<[&'t Term; N]> {
        let terms: Vec<&Term> = self.tensors.iter().copied().collect::<Option<_>>()?;
        terms.try_into().ok()
    }
}
