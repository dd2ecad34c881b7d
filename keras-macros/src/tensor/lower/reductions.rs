//! `sum(x, axis = -1)` and its kin: along the last axis, along the rows, over everything.

use syn::Ident;

use super::Lower;
use crate::parse::At;
use crate::parse::tensor::{Call, Kind, Term};
use crate::tensor::functions::{Over, Reduction, reduce};
use crate::tensor::graph::{Id, Space};

impl Lower<'_> {
    /// The value of a reduction of x, which stands at a place.
    pub(super) fn reduction(
        &mut self,
        call: &Call,
        reduction: Reduction,
        (at, x): (At, Id),
        axis: Option<(Ident, &Term)>,
        keepdims: Option<(Ident, &Term)>,
    ) -> Option<Id> {
        let name = &call.function;
        let is_kept = match keepdims {
            None => false,
            Some((_, term)) => match term.kind {
                Kind::Flag(flag) => flag,
                _ => {
                    self.ctxt.error(term.at, "`keepdims` is `true` or `false`.");
                    return None;
                }
            },
        };
        let Some((_, axis)) = axis else {
            return self.everything(name, reduction, x);
        };
        if matches!(axis.kind, Kind::Number(0.0)) && self.scope.has_totals {
            return self.over_rows(axis, name, reduction, x);
        }
        self.check_last_axis(axis)?;
        self.check_has_last_axis(at, &name.to_string(), x)?;
        let space = if is_kept { Space::Kept } else { Space::Row };
        Some(reduce(self.graph, reduction, x, Over::Row(space)))
    }

    /// A reduction along axis 0, in a metric: a number for each place along the last axis.
    fn over_rows(&mut self, axis: &Term, name: &Ident, reduction: Reduction, x: Id) -> Option<Id> {
        if self.graph.space(x) != Space::Elements {
            return self.everything(name, reduction, x);
        }
        let is_simple = matches!(
            reduction,
            Reduction::Sum
                | Reduction::Mean
                | Reduction::Max
                | Reduction::Min
                | Reduction::CountNonzero
        );
        if !is_simple || !self.scope.has_vectors {
            let message = if is_simple {
                "What is taken along axis 0 goes into a weight with a number for each place: `#[weight(zeros)] name: \
                 [f32; N]`."
            } else {
                "Along axis 0 there are `sum`, `mean`, `max`, `min` and `count_nonzero`."
            };
            self.ctxt.error(axis.at, message);
            return None;
        }
        Some(reduce(self.graph, reduction, x, Over::Place))
    }

    /// A reduction without an axis.
    fn everything(&mut self, name: &Ident, reduction: Reduction, x: Id) -> Option<Id> {
        let what = self.scope.what;
        if matches!(reduction, Reduction::ArgMax | Reduction::ArgMin) {
            self.ctxt.error(
                name,
                format!("A place along which axis? Write `{name}(x, axis = -1)`."),
            );
            return None;
        }
        if !self.scope.has_totals && !matches!(self.graph.space(x), Space::Scalar | Space::Channel)
        {
            self.ctxt.error(
                name,
                format!(
                    "Without an axis, `{name}` takes the samples of a batch together; a {what} has a value for each of \
                     them. Write `{name}(x, axis = -1)`."
                ),
            );
            return None;
        }
        match self.graph.space(x) {
            // One number is its own sum.
            Space::Scalar => return Some(x),
            Space::Channel => return Some(reduce(self.graph, reduction, x, Over::Row(Space::Row))),
            _ => {}
        }
        Some(reduce(self.graph, reduction, x, Over::Everything))
    }

    /// That an axis is the last one.
    pub(super) fn check_last_axis(&mut self, axis: &Term) -> Option<()> {
        if matches!(axis.kind, Kind::Number(-1.0)) {
            return Some(());
        }
        self.ctxt.error(
            axis.at,
            "Expressions work along the last axis: `axis = -1` is the only one they know.",
        );
        None
    }

    /// That a value has a last axis.
    pub(super) fn check_has_last_axis(&mut self, at: At, name: &str, x: Id) -> Option<()> {
        let space = self.graph.space(x);
        if space.is_along_row() {
            return Some(());
        }
        self.ctxt.error(
            at,
            format!(
                "`{name}` works along the last axis, which this value does not have: its shape is {}.",
                space.text()
            ),
        );
        None
    }
}
