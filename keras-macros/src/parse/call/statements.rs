//! Blocks and their statements.

use quote::ToTokens;
use syn::{Block, Expr, Ident, Local, Pat, RangeLimits, Stmt};

use super::{Body, Expression, Kind, Pattern, Reader, Statement, merges};
use crate::parse::{At, as_ident, bare, literals};

/// The most rounds that a loop may have: each is a call of its own in the model.
const MOST_ROUNDS: usize = 10_000;

impl Reader<'_> {
    /// `{ statements; value }`.
    pub fn body(&self, block: &Block) -> Body {
        let mut body = Body::default();
        for (index, statement) in block.stmts.iter().enumerate() {
            let is_last = index + 1 == block.stmts.len();
            match statement {
                Stmt::Local(local) => body.statements.extend(self.binding(local)),
                Stmt::Expr(expr, None) if is_last && gives_value(expr) => {
                    body.value = Some(Box::new(self.expression(expr)));
                }
                Stmt::Expr(expr, _) => body.statements.extend(self.statement(expr)),
                Stmt::Item(item) => self.refuse(item, "An item"),
                Stmt::Macro(call) => self.refuse(call, "A macro"),
            }
        }
        // What has been refused, such as `return`, may have been meant as the value.
        if body.value.is_none()
            && let Some(Statement::Do(last)) = body.statements.last()
            && matches!(last.kind, Kind::Invalid)
        {
            let (kind, at) = (Kind::Invalid, last.at);
            body.value = Some(Box::new(Expression { at, kind }));
        }
        body
    }

    fn binding(&self, local: &Local) -> Option<Statement> {
        let Some(init) = &local.init else {
            self.ctxt
                .error(local, "A `let` of a model gives its name a value at once.");
            return None;
        };
        if let Some((otherwise, _)) = &init.diverge {
            self.refuse(otherwise, "`let .. else`");
        }
        Some(Statement::Let(
            self.pattern(&local.pat),
            self.expression(&init.expr),
        ))
    }

    /// The pattern of a `let` or of a parameter.
    pub fn pattern(&self, pattern: &Pat) -> Pattern {
        match pattern {
            Pat::Ident(name) if name.by_ref.is_none() && name.subpat.is_none() => {
                Pattern::Name(name.ident.clone())
            }
            Pat::Wild(_) => Pattern::Ignored,
            Pat::Type(typed) => self.pattern(&typed.pat),
            Pat::Paren(paren) => self.pattern(&paren.pat),
            Pat::Tuple(tuple) => Pattern::Several(self.patterns(&tuple.elems), At::of(pattern)),
            Pat::Slice(slice) => Pattern::Several(self.patterns(&slice.elems), At::of(pattern)),
            other => {
                self.ctxt.error(
                    other,
                    "A name, `_` or a tuple of them is expected here: a tensor has no other parts.",
                );
                Pattern::Ignored
            }
        }
    }

    fn patterns<'p>(&self, patterns: impl IntoIterator<Item = &'p Pat>) -> Vec<Pattern> {
        patterns.into_iter().map(|pat| self.pattern(pat)).collect()
    }

    fn statement(&self, expr: &Expr) -> Option<Statement> {
        match bare(expr) {
            Expr::Assign(assign) => {
                let name = self.assigned(&assign.left)?;
                Some(Statement::Assign(name, self.expression(&assign.right)))
            }
            Expr::Binary(binary) if merges(&binary.op, true).is_some() => {
                let class = merges(&binary.op, true)?;
                let name = self.assigned(&binary.left)?;
                let value = self.merge(class, binary, At::of(expr));
                Some(Statement::Assign(name, value))
            }
            Expr::ForLoop(looped) => self.repeat(looped),
            expr => Some(Statement::Do(self.expression(expr))),
        }
    }

    fn assigned(&self, left: &Expr) -> Option<Ident> {
        let name = as_ident(left);
        if name.is_none() {
            self.ctxt
                .error(left, "Only a name can be assigned to in a model.");
        }
        name.cloned()
    }

    fn repeat(&self, looped: &syn::ExprForLoop) -> Option<Statement> {
        if let Some(label) = &looped.label {
            self.refuse(label, "A label");
        }
        match &*looped.pat {
            Pat::Wild(_) => {}
            Pat::Ident(name) if name.ident.to_string().starts_with('_') => {}
            other => self.ctxt.error(
                other,
                "The rounds of a loop in a model are all alike: write `for _ in ..`.",
            ),
        }
        let times = rounds(bare(&looped.expr));
        if times.is_none() {
            self.ctxt.error(
                &looped.expr,
                format!(
                    "A loop of a model is over a constant range of at most {MOST_ROUNDS} rounds, such as `0..3`. \
                     Received: {}",
                    looped.expr.to_token_stream()
                ),
            );
        }
        let body = self.body(&looped.body);
        Some(Statement::Repeat(times?, body, At::of(&looped.for_token)))
    }
}

/// Whether an expression at the end of a block is the block's value.
fn gives_value(expr: &Expr) -> bool {
    match bare(expr) {
        Expr::Assign(_) | Expr::ForLoop(_) => false,
        Expr::Binary(binary) => merges(&binary.op, true).is_none(),
        _ => true,
    }
}

/// The rounds of a loop over `0..3` or `1..=3`.
fn rounds(range: &Expr) -> Option<usize> {
    let Expr::Range(range) = range else {
        return None;
    };
    let start = literals::whole(range.start.as_deref()?)?;
    let end = literals::whole(range.end.as_deref()?)?;
    let end = match range.limits {
        RangeLimits::HalfOpen(_) => end,
        RangeLimits::Closed(_) => end.checked_add(1)?,
    };
    Some(end.saturating_sub(start)).filter(|&rounds| rounds <= MOST_ROUNDS)
}
