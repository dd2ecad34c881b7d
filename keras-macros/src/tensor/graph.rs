//! Operations on the elements of a row, each once.

use std::collections::HashMap;

use proc_macro2::TokenStream;
use quote::ToTokens;

use crate::parse::At;
use crate::parse::tensor::Binary;

/// A node of a graph.
pub type Id = usize;

/// Where a value lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Space {
    /// One number for everything: a literal, an argument, a state.
    Scalar,
    /// One number for each row, the last axis gone: `mean(x, axis = -1)`.
    Row,
    /// One number for each row, the last axis being 1: `mean(x, axis = -1, keepdims = true)`.
    Kept,
    /// One number for each place along the last axis: a layer's weights.
    Channel,
    /// One number for each element.
    Elements,
}

impl Space {
    /// The space of what two values give together.
    pub fn join(self, other: Space) -> Space {
        use Space::{Channel, Elements, Kept, Row};
        match (self, other) {
            (Channel, Row | Kept) | (Row | Kept, Channel) => Elements,
            _ => self.max(other),
        }
    }

    /// Whether there is one value for each element of a row.
    pub fn is_along_row(self) -> bool {
        matches!(self, Space::Channel | Space::Elements)
    }

    /// What a user calls it.
    pub fn text(self) -> &'static str {
        match self {
            Space::Scalar => "()",
            Space::Row => "(batch)",
            Space::Kept => "(batch, 1)",
            Space::Channel => "(features)",
            Space::Elements => "(batch, features)",
        }
    }
}

/// What is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Input {
    /// The targets.
    YTrue,
    /// The predictions.
    YPred,
    /// The weight of the row; 1 if there are none.
    SampleWeight,
    /// A layer's input.
    X,
    /// The gradient of a layer's output.
    DOutput,
    /// What a loss' gradient is multiplied with.
    Factor,
    /// A number or a flag that configures.
    Setting(usize),
    /// A number of a metric's state.
    State(usize),
    /// A weight of a layer.
    Weight(usize),
}

/// A function of one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Unary {
    Neg,
    Not,
    Abs,
    Sqrt,
    Exp,
    Expm1,
    Log,
    Log1p,
    Sin,
    Cos,
    Tanh,
    Sigmoid,
    Softplus,
    Sign,
    Floor,
    Ceil,
    Round,
    /// 1 for yes and 0 for no.
    Number,
    /// The value without its gradient.
    StopGradient,
}

/// What becomes of many values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Reduce {
    Sum,
    Max,
    Min,
    ArgMax,
    ArgMin,
}

/// An operation.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    /// What is given.
    Input(Input),
    /// A number, by its bits.
    Number(u64),
    /// `true` or `false`.
    Flag(bool),
    /// A constant of the user's, by its place in [`Graph::constants`].
    Constant(usize),
    /// How many elements a row has.
    Width,
    /// How many rows there are.
    Rows,
    /// The place of the element in its row.
    Place,
    /// A function of one value.
    Unary(Unary, Id),
    /// A function of two values.
    Binary(Binary, Id, Id),
    /// What of the gradient of the larger of two belongs to the first: 1, 0, or half of it.
    Share(Id, Id),
    /// `if c { a } else { b }`.
    Select(Id, Id, Id),
    /// Along a row.
    Reduce(Reduce, Id),
    /// Over all rows.
    Total(Reduce, Id),
}

/// A node.
#[derive(Clone)]
pub struct Node {
    /// What it is.
    pub op: Op,
    /// Where it lies.
    pub space: Space,
    /// Whether it is yes or no, and no number.
    pub is_bool: bool,
    /// What the user called it.
    pub name: Option<String>,
    /// Where the user wrote it.
    pub at: Option<At>,
}

/// All nodes; what a node is made of comes before it.
#[derive(Default)]
pub struct Graph {
    /// The nodes.
    pub nodes: Vec<Node>,
    /// The paths of the user's constants.
    pub constants: Vec<TokenStream>,
    known: HashMap<(Op, Space), Id>,
}

impl Graph {
    /// The node of an operation.
    pub fn node(&mut self, op: Op, space: Space) -> Id {
        if let Some(id) = self.known.get(&(op.clone(), space)) {
            return *id;
        }
        let is_bool = match &op {
            Op::Flag(_) => true,
            Op::Unary(f, _) => *f == Unary::Not,
            Op::Binary(f, ..) => f.is_bool(),
            Op::Select(_, a, _) => self.nodes[*a].is_bool,
            _ => false,
        };
        let id = self.nodes.len();
        self.known.insert((op.clone(), space), id);
        self.nodes.push(Node {
            op,
            space,
            is_bool,
            name: None,
            at: None,
        });
        id
    }

    /// What is given.
    pub fn input(&mut self, input: Input, space: Space) -> Id {
        self.node(Op::Input(input), space)
    }

    /// A flag that configures.
    pub fn flag_setting(&mut self, setting: usize) -> Id {
        let id = self.input(Input::Setting(setting), Space::Scalar);
        self.nodes[id].is_bool = true;
        id
    }

    /// A number.
    pub fn number(&mut self, number: f64) -> Id {
        self.node(Op::Number(number.to_bits()), Space::Scalar)
    }

    /// A constant of the user's.
    pub fn constant(&mut self, path: &impl ToTokens) -> Id {
        let path = path.to_token_stream();
        let text = path.to_string();
        let same = |known: &TokenStream| known.to_string() == text;
        let at = self.constants.iter().position(same).unwrap_or_else(|| {
            self.constants.push(path);
            self.constants.len() - 1
        });
        self.node(Op::Constant(at), Space::Scalar)
    }

    /// Where a value lies.
    pub fn space(&self, id: Id) -> Space {
        self.nodes[id].space
    }

    /// The number that a node is.
    pub fn as_number(&self, id: Id) -> Option<f64> {
        match self.nodes[id].op {
            Op::Number(bits) => Some(f64::from_bits(bits)),
            _ => None,
        }
    }

    fn is(&self, id: Id, number: f64) -> bool {
        self.as_number(id) == Some(number)
    }

    /// A function of one value.
    pub fn unary(&mut self, f: Unary, x: Id) -> Id {
        let space = self.space(x);
        match (f, &self.nodes[x].op) {
            (Unary::Neg, Op::Number(bits)) => return self.number(-f64::from_bits(*bits)),
            (Unary::Neg, Op::Unary(Unary::Neg, x)) => return *x,
            (Unary::Number, _) if !self.nodes[x].is_bool => return x,
            _ => {}
        }
        self.node(Op::Unary(f, x), space)
    }

    /// A function of two values. What is one of them, or a number that is known, is not computed.
    pub fn binary(&mut self, f: Binary, a: Id, b: Id) -> Id {
        let space = self.space(a).join(self.space(b));
        let numbers = (self.as_number(a), self.as_number(b));
        if let (Some(x), Some(y)) = numbers
            && space == Space::Scalar
        {
            let folded = match f {
                Binary::Add => Some(x + y),
                Binary::Sub => Some(x - y),
                Binary::Mul => Some(x * y),
                Binary::Div => Some(x / y),
                _ => None,
            };
            if let Some(folded) = folded {
                return self.number(folded);
            }
        }
        let keeps = |graph: &Graph, id: Id| graph.space(id) == space;
        let negated = |graph: &Graph, id: Id| match graph.nodes[id].op {
            Op::Unary(Unary::Neg, x) => Some(x),
            _ => None,
        };
        match f {
            Binary::Add if self.is(a, 0.0) && keeps(self, b) => return b,
            Binary::Add | Binary::Sub if self.is(b, 0.0) && keeps(self, a) => return a,
            Binary::Sub if self.is(a, 0.0) && keeps(self, b) => return self.unary(Unary::Neg, b),
            Binary::Mul if self.is(a, 1.0) && keeps(self, b) => return b,
            Binary::Mul | Binary::Div if self.is(b, 1.0) && keeps(self, a) => return a,
            Binary::Mul if self.is(a, -1.0) && keeps(self, b) => return self.unary(Unary::Neg, b),
            Binary::Mul | Binary::Div if self.is(b, -1.0) && keeps(self, a) => {
                return self.unary(Unary::Neg, a);
            }
            _ => {}
        }
        match (f, negated(self, a), negated(self, b)) {
            (Binary::Add, _, Some(b)) => return self.binary(Binary::Sub, a, b),
            (Binary::Add, Some(a), _) => return self.binary(Binary::Sub, b, a),
            (Binary::Sub, _, Some(b)) => return self.binary(Binary::Add, a, b),
            (Binary::Mul, Some(a), _) | (Binary::Div, Some(a), _) => {
                let positive = self.binary(f, a, b);
                return self.unary(Unary::Neg, positive);
            }
            (Binary::Mul, _, Some(b)) | (Binary::Div, _, Some(b)) => {
                let positive = self.binary(f, a, b);
                return self.unary(Unary::Neg, positive);
            }
            _ => {}
        }
        self.node(Op::Binary(f, a, b), space)
    }

    /// `a + b`.
    pub fn add(&mut self, a: Id, b: Id) -> Id {
        self.binary(Binary::Add, a, b)
    }

    /// `a - b`.
    pub fn sub(&mut self, a: Id, b: Id) -> Id {
        self.binary(Binary::Sub, a, b)
    }

    /// `a b`.
    pub fn mul(&mut self, a: Id, b: Id) -> Id {
        self.binary(Binary::Mul, a, b)
    }

    /// `a / b`.
    pub fn div(&mut self, a: Id, b: Id) -> Id {
        self.binary(Binary::Div, a, b)
    }

    /// `if c { a } else { b }`.
    pub fn select(&mut self, c: Id, a: Id, b: Id) -> Id {
        let space = self.space(c).join(self.space(a)).join(self.space(b));
        self.node(Op::Select(c, a, b), space)
    }

    /// See [`Op::Share`].
    pub fn share(&mut self, a: Id, b: Id) -> Id {
        let space = self.space(a).join(self.space(b));
        self.node(Op::Share(a, b), space)
    }

    /// Along a row; the result lies in `space`.
    pub fn reduce(&mut self, f: Reduce, x: Id, space: Space) -> Id {
        let x = self.unary(Unary::Number, x);
        self.node(Op::Reduce(f, x), space)
    }

    /// Over all rows: one number, or one for each place along the last axis.
    pub fn total(&mut self, f: Reduce, x: Id, space: Space) -> Id {
        let x = self.unary(Unary::Number, x);
        self.node(Op::Total(f, x), space)
    }

    /// What a node is made of.
    pub fn operands(&self, id: Id) -> Vec<Id> {
        match self.nodes[id].op {
            Op::Unary(_, x) | Op::Reduce(_, x) | Op::Total(_, x) => vec![x],
            Op::Binary(_, a, b) | Op::Share(a, b) => vec![a, b],
            Op::Select(c, a, b) => vec![c, a, b],
            _ => Vec::new(),
        }
    }

    /// For each node, whether it is made of one of these.
    pub fn depends(&self, on: &[Id]) -> Vec<bool> {
        let mut depends = vec![false; self.nodes.len()];
        for id in 0..self.nodes.len() {
            depends[id] = on.contains(&id) || self.operands(id).iter().any(|&x| depends[x]);
        }
        depends
    }
}

impl Binary {
    /// Whether it gives yes or no.
    pub fn is_bool(self) -> bool {
        self.is_comparison() || self.is_logical()
    }

    /// Whether it compares numbers.
    pub fn is_comparison(self) -> bool {
        matches!(
            self,
            Binary::Greater
                | Binary::GreaterEqual
                | Binary::Less
                | Binary::LessEqual
                | Binary::Equal
                | Binary::NotEqual
        )
    }

    /// Whether it is `&` or `|`.
    pub fn is_logical(self) -> bool {
        matches!(self, Binary::And | Binary::Or)
    }
}
