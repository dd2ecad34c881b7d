//! The functions of the language, under Keras' names and with Keras' arguments.

use super::graph::{Graph, Id, Op, Reduce, Space, Unary};
use crate::parse::tensor::Binary;

/// A function.
pub struct Function {
    /// Its names.
    pub names: &'static [&'static str],
    /// Its tensors in order; one with a default may be left out.
    pub tensors: &'static [(&'static str, Option<f64>)],
    /// What it does.
    pub rule: Rule,
}

/// What a function does.
#[derive(Clone, Copy)]
pub enum Rule {
    /// A function of one number.
    Unary(Unary),
    /// A function of two numbers.
    Binary(Binary),
    /// A function of two yes-or-nos.
    Logical(Binary),
    /// `!x`.
    Not,
    /// Made of others, element by element.
    Composed(fn(&mut Graph, &[Id]) -> Id),
    /// Made of others, of a whole row: its argument `axis` is -1.
    Rowwise(fn(&mut Graph, Id) -> Id),
    /// Many values become one: `axis` and `keepdims`.
    Reduction(Reduction),
    /// `x != 0`.
    CastBool,
    /// `if condition { x1 } else { x2 }`.
    Where,
    /// Values times the sample weights.
    Weighted,
    /// 1 at the place of the class, else 0.
    OneHot,
    /// A number in the shape of `x`.
    Like(f64),
}

/// What many values become.
#[derive(Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Reduction {
    Sum,
    Mean,
    Max,
    Min,
    ArgMax,
    ArgMin,
    Variance,
    Std,
    LogSumExp,
    CountNonzero,
}

/// Which values a reduction takes together.
#[derive(Clone, Copy)]
pub enum Over {
    /// Those of a row; the result lies in this space.
    Row(Space),
    /// Those of one place along the last axis, in all rows.
    Place,
    /// All.
    Everything,
}

const X: &[(&str, Option<f64>)] = &[("x", None)];
const X1_X2: &[(&str, Option<f64>)] = &[("x1", None), ("x2", None)];

const fn of_x(names: &'static [&'static str], rule: Rule) -> Function {
    Function {
        names,
        tensors: X,
        rule,
    }
}

const fn of_two(names: &'static [&'static str], rule: Rule) -> Function {
    Function {
        names,
        tensors: X1_X2,
        rule,
    }
}

/// All of them.
pub const FUNCTIONS: &[Function] = &[
    of_x(&["abs", "absolute"], Rule::Unary(Unary::Abs)),
    of_x(&["negative"], Rule::Unary(Unary::Neg)),
    of_x(
        &["square"],
        Rule::Composed(|graph, x| graph.mul(x[0], x[0])),
    ),
    of_x(&["sqrt"], Rule::Unary(Unary::Sqrt)),
    of_x(
        &["rsqrt"],
        Rule::Composed(|graph, x| {
            let root = graph.unary(Unary::Sqrt, x[0]);
            reciprocal(graph, root)
        }),
    ),
    of_x(
        &["reciprocal"],
        Rule::Composed(|graph, x| reciprocal(graph, x[0])),
    ),
    of_x(&["exp"], Rule::Unary(Unary::Exp)),
    of_x(&["expm1"], Rule::Unary(Unary::Expm1)),
    of_x(&["log"], Rule::Unary(Unary::Log)),
    of_x(&["log1p"], Rule::Unary(Unary::Log1p)),
    of_x(&["sin"], Rule::Unary(Unary::Sin)),
    of_x(&["cos"], Rule::Unary(Unary::Cos)),
    of_x(&["tanh"], Rule::Unary(Unary::Tanh)),
    of_x(&["sigmoid"], Rule::Unary(Unary::Sigmoid)),
    of_x(
        &["log_sigmoid"],
        Rule::Composed(|graph, x| {
            let negative = graph.unary(Unary::Neg, x[0]);
            let softplus = graph.unary(Unary::Softplus, negative);
            graph.unary(Unary::Neg, softplus)
        }),
    ),
    of_x(&["softplus"], Rule::Unary(Unary::Softplus)),
    of_x(
        &["softsign"],
        Rule::Composed(|graph, x| {
            let (one, size) = (graph.number(1.0), graph.unary(Unary::Abs, x[0]));
            let below = graph.add(one, size);
            graph.div(x[0], below)
        }),
    ),
    of_x(
        &["relu"],
        Rule::Composed(|graph, x| {
            let zero = graph.number(0.0);
            leaky_relu(graph, x[0], zero)
        }),
    ),
    Function {
        names: &["leaky_relu"],
        tensors: &[("x", None), ("negative_slope", Some(0.2))],
        rule: Rule::Composed(|graph, x| leaky_relu(graph, x[0], x[1])),
    },
    Function {
        names: &["elu"],
        tensors: &[("x", None), ("alpha", Some(1.0))],
        rule: Rule::Composed(|graph, x| {
            let below = graph.unary(Unary::Expm1, x[0]);
            let below = graph.mul(x[1], below);
            if_positive(graph, x[0], x[0], below)
        }),
    },
    of_x(
        &["silu", "swish"],
        Rule::Composed(|graph, x| {
            let sigmoid = graph.unary(Unary::Sigmoid, x[0]);
            graph.mul(x[0], sigmoid)
        }),
    ),
    of_x(&["sign"], Rule::Unary(Unary::Sign)),
    of_x(&["floor"], Rule::Unary(Unary::Floor)),
    of_x(&["ceil"], Rule::Unary(Unary::Ceil)),
    of_x(&["round"], Rule::Unary(Unary::Round)),
    of_x(&["stop_gradient"], Rule::Unary(Unary::StopGradient)),
    of_x(&["cast_float"], Rule::Unary(Unary::Number)),
    of_x(&["cast_bool"], Rule::CastBool),
    of_two(&["add"], Rule::Binary(Binary::Add)),
    of_two(&["subtract"], Rule::Binary(Binary::Sub)),
    of_two(&["multiply"], Rule::Binary(Binary::Mul)),
    of_two(&["divide"], Rule::Binary(Binary::Div)),
    of_two(&["pow", "power"], Rule::Binary(Binary::Pow)),
    of_two(&["maximum"], Rule::Binary(Binary::Max)),
    of_two(&["minimum"], Rule::Binary(Binary::Min)),
    of_two(
        &["squared_difference"],
        Rule::Composed(|graph, x| {
            let difference = graph.sub(x[0], x[1]);
            graph.mul(difference, difference)
        }),
    ),
    Function {
        names: &["clip"],
        tensors: &[("x", None), ("x_min", None), ("x_max", None)],
        rule: Rule::Composed(|graph, x| {
            let above = graph.binary(Binary::Max, x[0], x[1]);
            graph.binary(Binary::Min, above, x[2])
        }),
    },
    of_two(&["greater"], Rule::Binary(Binary::Greater)),
    of_two(&["greater_equal"], Rule::Binary(Binary::GreaterEqual)),
    of_two(&["less"], Rule::Binary(Binary::Less)),
    of_two(&["less_equal"], Rule::Binary(Binary::LessEqual)),
    of_two(&["equal"], Rule::Binary(Binary::Equal)),
    of_two(&["not_equal"], Rule::Binary(Binary::NotEqual)),
    of_two(&["logical_and"], Rule::Logical(Binary::And)),
    of_two(&["logical_or"], Rule::Logical(Binary::Or)),
    of_x(&["logical_not"], Rule::Not),
    Function {
        names: &["where_"],
        tensors: &[("condition", None), ("x1", None), ("x2", None)],
        rule: Rule::Where,
    },
    of_x(&["sum"], Rule::Reduction(Reduction::Sum)),
    of_x(&["mean"], Rule::Reduction(Reduction::Mean)),
    of_x(&["max"], Rule::Reduction(Reduction::Max)),
    of_x(&["min"], Rule::Reduction(Reduction::Min)),
    of_x(&["argmax"], Rule::Reduction(Reduction::ArgMax)),
    of_x(&["argmin"], Rule::Reduction(Reduction::ArgMin)),
    of_x(&["var"], Rule::Reduction(Reduction::Variance)),
    of_x(&["std"], Rule::Reduction(Reduction::Std)),
    of_x(&["logsumexp"], Rule::Reduction(Reduction::LogSumExp)),
    of_x(&["count_nonzero"], Rule::Reduction(Reduction::CountNonzero)),
    of_x(&["softmax"], Rule::Rowwise(softmax)),
    of_x(
        &["log_softmax"],
        Rule::Rowwise(|graph, x| {
            let all = reduce(graph, Reduction::LogSumExp, x, Over::Row(Space::Kept));
            graph.sub(x, all)
        }),
    ),
    Function {
        names: &["weighted"],
        tensors: &[("values", None)],
        rule: Rule::Weighted,
    },
    of_x(&["one_hot"], Rule::OneHot),
    of_x(&["ones_like"], Rule::Like(1.0)),
    of_x(&["zeros_like"], Rule::Like(0.0)),
];

/// The function of a name.
pub fn function(name: &str) -> Option<&'static Function> {
    FUNCTIONS
        .iter()
        .find(|function| function.names.contains(&name))
}

fn reciprocal(graph: &mut Graph, x: Id) -> Id {
    let one = graph.number(1.0);
    graph.div(one, x)
}

fn if_positive(graph: &mut Graph, x: Id, then: Id, otherwise: Id) -> Id {
    let zero = graph.number(0.0);
    let is_positive = graph.binary(Binary::Greater, x, zero);
    graph.select(is_positive, then, otherwise)
}

fn leaky_relu(graph: &mut Graph, x: Id, slope: Id) -> Id {
    let below = match graph.as_number(slope) {
        Some(0.0) => slope,
        _ => graph.mul(slope, x),
    };
    if_positive(graph, x, x, below)
}

/// `exp(x - max(x)) / sum(exp(x - max(x)))`.
fn softmax(graph: &mut Graph, x: Id) -> Id {
    let e = shifted(graph, x, Over::Row(Space::Kept)).1;
    let sum = graph.reduce(Reduce::Sum, e, Space::Kept);
    graph.div(e, sum)
}

/// The largest of `x`, through which no gradient has to pass, and `exp(x - largest)`.
fn shifted(graph: &mut Graph, x: Id, over: Over) -> (Id, Id) {
    let largest = base(graph, Reduce::Max, x, over);
    let largest = graph.unary(Unary::StopGradient, largest);
    let shifted = graph.sub(x, largest);
    (largest, graph.unary(Unary::Exp, shifted))
}

fn base(graph: &mut Graph, f: Reduce, x: Id, over: Over) -> Id {
    match over {
        Over::Row(space) => graph.reduce(f, x, space),
        Over::Place => graph.total(f, x, Space::Channel),
        Over::Everything => graph.total(f, x, Space::Scalar),
    }
}

/// How many values are taken together.
fn count(graph: &mut Graph, x: Id, over: Over) -> Id {
    let width = graph.node(Op::Width, Space::Scalar);
    let rows = graph.node(Op::Rows, Space::Scalar);
    match (over, graph.space(x)) {
        (Over::Row(_), _) | (Over::Everything, Space::Channel) => width,
        (Over::Place, _) => rows,
        (Over::Everything, Space::Elements) => graph.mul(rows, width),
        (Over::Everything, Space::Row | Space::Kept) => rows,
        (Over::Everything, Space::Scalar) => graph.number(1.0),
    }
}

/// A reduction.
pub fn reduce(graph: &mut Graph, reduction: Reduction, x: Id, over: Over) -> Id {
    match reduction {
        Reduction::Sum => base(graph, Reduce::Sum, x, over),
        Reduction::Max => base(graph, Reduce::Max, x, over),
        Reduction::Min => base(graph, Reduce::Min, x, over),
        Reduction::ArgMax => base(graph, Reduce::ArgMax, x, over),
        Reduction::ArgMin => base(graph, Reduce::ArgMin, x, over),
        Reduction::Mean => {
            let (sum, count) = (base(graph, Reduce::Sum, x, over), count(graph, x, over));
            graph.div(sum, count)
        }
        Reduction::Variance => {
            let mean = reduce(graph, Reduction::Mean, x, over);
            let difference = graph.sub(x, mean);
            let square = graph.mul(difference, difference);
            reduce(graph, Reduction::Mean, square, over)
        }
        Reduction::Std => {
            let variance = reduce(graph, Reduction::Variance, x, over);
            graph.unary(Unary::Sqrt, variance)
        }
        Reduction::LogSumExp => {
            let (largest, e) = shifted(graph, x, over);
            let sum = base(graph, Reduce::Sum, e, over);
            let log = graph.unary(Unary::Log, sum);
            graph.add(largest, log)
        }
        Reduction::CountNonzero => {
            let zero = graph.number(0.0);
            let is_counted = graph.binary(Binary::NotEqual, x, zero);
            base(graph, Reduce::Sum, is_counted, over)
        }
    }
}
