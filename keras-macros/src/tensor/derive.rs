//! Differentiation, from the result back to what it is made of: reverse mode, once, when the user's
//! crate is compiled. A gradient is an expression like any other and becomes part of the graph.

use proc_macro2::TokenStream;

use super::graph::{Graph, Id, Op, Reduce, Space, Unary};
use crate::ctxt::Ctxt;
use crate::parse::tensor::Binary;

/// The gradients of `result` with regard to `wanted`, times `seed`; `None` where the result does not
/// depend on it.
///
/// The gradient of one number for the row (or for everything) is its part of this row; that of one
/// number for each place is its part of each element. What they sum up to over the rows is up to
/// who asks.
pub fn gradients(
    ctxt: &Ctxt,
    graph: &mut Graph,
    result: Id,
    seed: Id,
    wanted: &[Id],
) -> Vec<Option<Id>> {
    let depends = graph.depends(wanted);
    let mut derive = Derive {
        ctxt,
        graph,
        gradients: vec![None; depends.len()],
        depends,
    };
    if derive.depends[result] {
        derive.gradients[result] = Some(seed);
    }
    for id in (0..=result).rev() {
        if let Some(gradient) = derive.gradients[id]
            && derive.depends[id]
        {
            derive.name(id, gradient);
            derive.back(id, gradient);
        }
    }
    wanted.iter().map(|id| derive.gradients[*id]).collect()
}

struct Derive<'a> {
    ctxt: &'a Ctxt,
    graph: &'a mut Graph,
    depends: Vec<bool>,
    /// Of each node of the expression, as far as they have arrived.
    gradients: Vec<Option<Id>>,
}

impl Derive<'_> {
    /// The gradient of what the user calls `x` is `d_x`.
    fn name(&mut self, id: Id, gradient: Id) {
        let Some(name) = self.graph.nodes[id].name.clone() else {
            return;
        };
        let node = &mut self.graph.nodes[gradient];
        if node.name.is_none()
            && matches!(node.op, Op::Binary(..) | Op::Select(..) | Op::Reduce(..))
        {
            node.name = Some(format!("d_{name}"));
        }
    }

    /// Adds to the gradient of an operand what comes by one way.
    fn give(&mut self, id: Id, of: Id, gradient: Id) {
        if !self.depends[id] {
            return;
        }
        // What was one number for the whole row gets the sum of what its copies get.
        let is_spread = self.graph.space(of).is_along_row() && !self.graph.space(id).is_along_row();
        let gradient = if is_spread {
            self.row_sum(gradient)
        } else {
            gradient
        };
        self.gradients[id] = Some(match self.gradients[id] {
            Some(before) => self.add(before, gradient),
            None => gradient,
        });
    }

    /// The sum along the row; what is the same for all of it is taken out.
    fn row_sum(&mut self, x: Id) -> Id {
        if !self.graph.space(x).is_along_row() {
            let width = self.graph.node(Op::Width, Space::Scalar);
            return self.graph.mul(width, x);
        }
        match self.graph.nodes[x].op {
            Op::Unary(Unary::Neg, x) => {
                let sum = self.row_sum(x);
                self.graph.unary(Unary::Neg, sum)
            }
            Op::Binary(f @ (Binary::Mul | Binary::Div), a, b)
                if !self.graph.space(b).is_along_row() =>
            {
                let sum = self.row_sum(a);
                self.graph.binary(f, sum, b)
            }
            Op::Binary(Binary::Mul, a, b) if !self.graph.space(a).is_along_row() => {
                let sum = self.row_sum(b);
                self.graph.mul(a, sum)
            }
            _ => self.graph.reduce(Reduce::Sum, x, Space::Kept),
        }
    }

    /// `number · x`.
    fn times(&mut self, number: f64, x: Id) -> Id {
        let number = self.graph.number(number);
        self.mul(number, x)
    }

    /// `g f`. Where a branch of `g` is 0 it stays so, whatever `f` is there; numbers are multiplied
    /// now.
    fn mul(&mut self, g: Id, f: Id) -> Id {
        let scaled = self.branches(g, |derive, branch| derive.mul(branch, f));
        if let Some(scaled) = scaled {
            return scaled;
        }
        if let (Some(number), Op::Binary(Binary::Mul, factor, x)) =
            (self.graph.as_number(g), self.graph.nodes[f].op.clone())
            && let Some(factor) = self.graph.as_number(factor)
        {
            let product = self.graph.number(number * factor);
            return self.graph.mul(product, x);
        }
        self.graph.mul(g, f)
    }

    fn div(&mut self, g: Id, f: Id) -> Id {
        self.branches(g, |derive, branch| derive.div(branch, f))
            .unwrap_or_else(|| self.graph.div(g, f))
    }

    fn negative(&mut self, g: Id) -> Id {
        self.branches(g, Self::negative)
            .unwrap_or_else(|| self.graph.unary(Unary::Neg, g))
    }

    /// `a + b`; two choices by the same condition are one.
    fn add(&mut self, a: Id, b: Id) -> Id {
        match (
            self.graph.nodes[a].op.clone(),
            self.graph.nodes[b].op.clone(),
        ) {
            (Op::Select(c, a1, a2), Op::Select(d, b1, b2)) if c == d => {
                let (then, otherwise) = (self.add(a1, b1), self.add(a2, b2));
                self.graph.select(c, then, otherwise)
            }
            _ => self.graph.add(a, b),
        }
    }

    /// What becomes of a choice of which one branch is 0, and stays so.
    fn branches(&mut self, x: Id, map: impl Fn(&mut Self, Id) -> Id) -> Option<Id> {
        let Op::Select(c, a, b) = self.graph.nodes[x].op else {
            return None;
        };
        let zero = self.graph.number(0.0);
        if a != zero && b != zero {
            return None;
        }
        let [a, b] = [a, b].map(|branch| {
            if branch == zero {
                zero
            } else {
                map(self, branch)
            }
        });
        Some(self.graph.select(c, a, b))
    }

    /// The operands of a node get their parts of its gradient `g`.
    fn back(&mut self, id: Id, g: Id) {
        match self.graph.nodes[id].op.clone() {
            Op::Unary(f, x) => self.unary(f, id, x, g),
            Op::Binary(f, a, b) => self.binary(f, id, a, b, g),
            Op::Select(c, a, b) => {
                let zero = self.graph.number(0.0);
                if self.depends[a] {
                    let d_a = self.graph.select(c, g, zero);
                    self.give(a, id, d_a);
                }
                if self.depends[b] {
                    let d_b = self.graph.select(c, zero, g);
                    self.give(b, id, d_b);
                }
            }
            Op::Reduce(Reduce::Sum, x) => self.give(x, x, g),
            Op::Reduce(Reduce::Max | Reduce::Min, x) => {
                // Equal ones share it.
                let is_extreme = self.graph.binary(Binary::Equal, x, id);
                let is_extreme = self.graph.unary(Unary::Number, is_extreme);
                let count = self.graph.reduce(Reduce::Sum, is_extreme, Space::Kept);
                let part = self.div(g, count);
                let d_x = self.graph.mul(is_extreme, part);
                self.give(x, x, d_x);
            }
            Op::Reduce(Reduce::ArgMax | Reduce::ArgMin, _) => self.refuse(id, "A place"),
            Op::Input(_)
            | Op::Number(_)
            | Op::Flag(_)
            | Op::Constant(_)
            | Op::Width
            | Op::Rows
            | Op::Place
            | Op::Share(..)
            | Op::Total(..) => {}
        }
    }

    fn unary(&mut self, f: Unary, id: Id, x: Id, g: Id) {
        let one = self.graph.number(1.0);
        let y = id;
        let d_x = match f {
            Unary::Neg => self.negative(g),
            Unary::Abs => {
                let sign = self.graph.unary(Unary::Sign, x);
                self.mul(g, sign)
            }
            Unary::Sqrt => {
                let half = self.times(0.5, g);
                self.div(half, y)
            }
            Unary::Exp => self.mul(g, y),
            Unary::Expm1 => {
                let e = self.graph.add(y, one);
                self.mul(g, e)
            }
            Unary::Log => self.div(g, x),
            Unary::Log1p => {
                let below = self.graph.add(one, x);
                self.div(g, below)
            }
            Unary::Sin => {
                let cos = self.graph.unary(Unary::Cos, x);
                self.mul(g, cos)
            }
            Unary::Cos => {
                let sin = self.graph.unary(Unary::Sin, x);
                let d_x = self.mul(g, sin);
                self.negative(d_x)
            }
            Unary::Tanh => {
                let square = self.graph.mul(y, y);
                let slope = self.graph.sub(one, square);
                self.mul(g, slope)
            }
            Unary::Sigmoid => {
                let rest = self.graph.sub(one, y);
                let slope = self.graph.mul(y, rest);
                self.mul(g, slope)
            }
            Unary::Softplus => {
                let sigmoid = self.graph.unary(Unary::Sigmoid, x);
                self.mul(g, sigmoid)
            }
            Unary::StopGradient | Unary::Not => return,
            Unary::Sign => return self.refuse(id, "A sign"),
            Unary::Floor | Unary::Ceil | Unary::Round => {
                return self.refuse(id, "A rounded number");
            }
            Unary::Number => return self.refuse(x, "A yes or no"),
        };
        self.give(x, id, d_x);
    }

    fn binary(&mut self, f: Binary, id: Id, a: Id, b: Id, g: Id) {
        let (d_a, d_b) = match f {
            Binary::Add => (g, g),
            Binary::Sub => (g, self.negative(g)),
            Binary::Mul => {
                if a == b {
                    // The derivative of a square.
                    let twice = self.times(2.0, a);
                    let d_a = self.mul(g, twice);
                    return self.give(a, id, d_a);
                }
                (self.mul(g, b), self.mul(g, a))
            }
            Binary::Div => {
                let d_a = self.div(g, b);
                let d_b = self.mul(d_a, id);
                (d_a, self.negative(d_b))
            }
            Binary::Max => (self.shared(g, a, b), self.shared(g, b, a)),
            Binary::Min => (self.shared(g, b, a), self.shared(g, a, b)),
            Binary::Pow => (self.base(a, b, g), self.exponent(id, a, g)),
            _ => return,
        };
        self.give(a, id, d_a);
        self.give(b, id, d_b);
    }

    /// The part of a gradient that belongs to `a` because it is larger than `b`.
    fn shared(&mut self, g: Id, a: Id, b: Id) -> Id {
        let share = self.graph.share(a, b);
        self.mul(g, share)
    }

    /// `g b a^(b - 1)`.
    fn base(&mut self, a: Id, b: Id, g: Id) -> Id {
        let one = self.graph.number(1.0);
        let less = self.graph.sub(b, one);
        let power = match self.graph.as_number(less) {
            Some(1.0) => a,
            _ => self.graph.binary(Binary::Pow, a, less),
        };
        let slope = self.graph.mul(b, power);
        self.mul(g, slope)
    }

    /// `g a^b ln a`.
    fn exponent(&mut self, power: Id, a: Id, g: Id) -> Id {
        let log = self.graph.unary(Unary::Log, a);
        let slope = self.graph.mul(power, log);
        self.mul(g, slope)
    }

    /// What has no derivative other than zero: through it, nothing could be trained.
    fn refuse(&self, id: Id, what: &str) {
        let message = format!(
            "{what} has no gradient: it does not change when what it is made of changes a little. Write \
             `stop_gradient(..)` around it if it is meant as a constant here, or use it as a condition."
        );
        match self.graph.nodes[id].at {
            Some(at) => self.ctxt.error(at, message),
            None => self.ctxt.error(TokenStream::new(), message),
        }
    }
}
