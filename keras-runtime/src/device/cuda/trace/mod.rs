//! Formulas in CUDA C, written by the formulas themselves.
//!
//! A loss, an activation, the rule of an optimizer is a Rust function that is generic over the number
//! type. Called with [`Traced`] numbers it computes nothing: every operation is written down, and what
//! has been written down is the body of a device function. So each formula exists once, for the CPU
//! and for the GPU, and one of the user's own runs on both.
//!
//! Where a formula branches, both branches are needed. It is called again and again until every path
//! has been taken, and its result is a selection between the ends of the paths:
//!
//! ```text
//! if x > 0 { x } else { a (e^x - 1) }      const float v0 = x[0];
//!                                          const bool  v1 = v0 > 0.0f;
//!                                          const float v2 = expm1f(v0);
//!                                          const float v3 = k.number[0] * v2;
//!                                          const float v4 = (v1 ? v0 : v3);
//!                                          y[0] = v4;
//! ```
//!
//! Numbers that the formula brings along, such as a learning rate, are arguments of the kernel: they
//! may change from step to step, and the kernel stays the same.

mod program;
mod traced;

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt::{self, Write};
use std::hash::{DefaultHasher, Hash, Hasher};

pub use self::program::{LINES, Program};
pub use self::traced::Traced;
use crate::device::Fold;

/// How many numbers a formula can bring along.
pub const CONSTANTS: usize = 32;

/// How many paths a formula can have.
const PATHS: usize = 64;

/// A function that has been written down: a part of the text of kernels.
pub trait Written {
    /// The same for functions of the same text.
    fn key(&self) -> u64;
    /// The text in CUDA C.
    fn code(&self) -> String;
}

/// A function of some numbers with some results, and the numbers it brought along.
pub struct Formula {
    nodes: Vec<Node>,
    results: Vec<u16>,
    constants: [f32; CONSTANTS],
    key: u64,
}

impl Formula {
    /// Follows a function of `inputs` numbers through all its paths. `None` if it does something that
    /// cannot be written down, or has too many paths.
    pub fn of(inputs: usize, function: &dyn Fn(&[Traced], &mut Vec<Traced>)) -> Option<Self> {
        let (trace, results) = Trace::default().write(&|| {
            let inputs: Vec<Traced> = (0..inputs).map(Traced::input).collect();
            let mut results = Vec::new();
            function(&inputs, &mut results);
            results.iter().map(|result| result.0).collect()
        })?;
        let key = hash_of(&(&trace.nodes, &results));
        Some(Self {
            nodes: trace.nodes,
            results,
            constants: trace.constants,
            key,
        })
    }

    /// The numbers it brought along.
    pub fn constants(&self) -> &[f32; CONSTANTS] {
        &self.constants
    }

    /// Whether it computes anything.
    pub fn has_results(&self) -> bool {
        !self.results.is_empty()
    }

    /// Whether it does anything with one of its inputs.
    pub fn reads(&self, input: u8) -> bool {
        let Some(at) = self
            .nodes
            .iter()
            .position(|node| *node == Node::Input(input))
        else {
            return false;
        };
        let is_it = |operand: &u16| *operand as usize == at;
        self.nodes.iter().any(|node| match node {
            Node::Number(_, operands) | Node::Test(_, operands) => operands.iter().any(is_it),
            _ => false,
        }) || self.results.iter().any(is_it)
    }
}

impl Written for Formula {
    fn key(&self) -> u64 {
        self.key
    }

    /// `__device__ void formula(const float *x, const Constants &k, float *y)`.
    fn code(&self) -> String {
        let mut code = String::from(
            "__device__ __forceinline__ void formula(const float *x, const Constants &k, float *y) {\n",
        );
        for (at, node) in self.nodes.iter().enumerate() {
            let _ = writeln!(code, "    const {} v{at} = {node};", node.kind());
        }
        for (at, result) in self.results.iter().enumerate() {
            let _ = writeln!(code, "    y[{at}] = v{result};");
        }
        code.push_str("}\n");
        code
    }
}

fn hash_of(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// One operation. The text of an operation has `A`, `B` and `C` for what it works on.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Node {
    Input(u8),
    Constant(u8),
    /// The bits of a number.
    Literal(u32),
    Number(&'static str, [u16; 3]),
    Test(&'static str, [u16; 3]),
    /// How many elements a line has.
    Width,
    /// How many targets of the batch are neither 0 nor 1.
    Others,
    /// What becomes of a number of each element of a line.
    Fold(Fold, u16),
}

impl Node {
    /// The type of its value in CUDA C.
    fn kind(&self) -> &'static str {
        match self {
            Self::Test(..) => "bool ",
            _ => "float",
        }
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Input(at) => write!(f, "x[{at}]"),
            Self::Constant(at) => write!(f, "k.number[{at}]"),
            Self::Width => f.write_str("(float)line.width"),
            Self::Others => f.write_str("line.others"),
            Self::Fold(fold, _) => write!(f, "line.{fold:?}"),
            Self::Literal(bits) => match f32::from_bits(*bits) {
                value if value.is_finite() => write!(f, "{value:e}f"),
                _ => write!(f, "__int_as_float(0x{bits:08x})"),
            },
            Self::Number(text, operands) | Self::Test(text, operands) => {
                for letter in text.chars() {
                    match letter {
                        'A' => write!(f, "v{}", operands[0])?,
                        'B' => write!(f, "v{}", operands[1])?,
                        'C' => write!(f, "v{}", operands[2])?,
                        _ => f.write_char(letter)?,
                    }
                }
                Ok(())
            }
        }
    }
}

thread_local! {
    /// What is being written down on this thread.
    static TRACE: RefCell<Option<Trace>> = const { RefCell::new(None) };
}

/// The decisions of one path and what comes out at its end.
struct Path {
    decisions: Vec<(u16, bool)>,
    results: Vec<u16>,
}

/// Where a function is that is followed through its paths.
#[derive(Default)]
struct Way {
    /// The tests of this path and how they shall end; beyond the last one they end with `true`.
    decisions: Vec<(u16, bool)>,
    /// How many tests there have been on this path.
    tests: usize,
    /// A hash of what has been decided on this path, and before the function.
    history: u64,
    /// How many constants and functions there have been on this path.
    count: u32,
}

#[derive(Default)]
struct Trace {
    nodes: Vec<Node>,
    known: HashMap<Node, u16>,
    constants: [f32; CONSTANTS],
    /// The constants by the place in the function that they come from: what was decided before, and
    /// how many came before.
    places: HashMap<(u64, u32), u8>,
    way: Way,
    /// Whether numbers that the function brings along are part of the text.
    has_literals: bool,
    /// The derivative with regard to an element of a line.
    gradient: Option<u16>,
    failed: bool,
}

impl Trace {
    /// Writes down what a function does, and what its results are. `None` if it cannot be written down.
    fn write(self, function: &dyn Fn() -> Vec<u16>) -> Option<(Self, Vec<u16>)> {
        let before = TRACE.replace(Some(self));
        let results = follow(function);
        let trace = TRACE.replace(before)?;
        (!trace.failed).then_some((trace, results))
    }

    fn node(&mut self, node: Node) -> u16 {
        if let Some(at) = self.known.get(&node) {
            return *at;
        }
        let Ok(at) = u16::try_from(self.nodes.len()) else {
            self.failed = true;
            return 0;
        };
        self.nodes.push(node);
        self.known.insert(node, at);
        at
    }

    fn constant(&mut self, value: f32) -> u16 {
        if self.has_literals {
            return self.node(Node::Literal(value.to_bits()));
        }
        let place = (self.way.history, self.way.count);
        self.way.count += 1;
        let next = self.places.len();
        let at = *self.places.entry(place).or_insert(next as u8);
        match self.constants.get_mut(at as usize) {
            Some(constant) => *constant = value,
            None => self.failed = true,
        }
        self.node(Node::Constant(at))
    }

    fn decide(&mut self, test: Node) -> bool {
        let test = self.node(test);
        let way = &mut self.way;
        let made = &way.decisions[..way.tests];
        // The same question has the same answer.
        if let Some((_, decision)) = made.iter().find(|(made, _)| *made == test) {
            return *decision;
        }
        let decision = match way.decisions.get(way.tests) {
            Some((_, decision)) => *decision,
            None => {
                way.decisions.push((test, true));
                true
            }
        };
        way.tests += 1;
        way.history = hash_of(&(way.history, test, decision));
        decision
    }

    /// `test ? yes : no`.
    fn select(&mut self, test: u16, yes: u16, no: u16) -> u16 {
        match yes == no {
            true => yes,
            false => self.node(Node::Number("(A ? B : C)", [test, yes, no])),
        }
    }

    /// The selection between the ends of paths that have the same decisions up to a depth. Those that go
    /// on with `true` come first.
    fn join(&mut self, paths: &[Path], depth: usize, result: usize) -> u16 {
        let Some(first) = paths.first() else { return 0 };
        let Some((test, _)) = first.decisions.get(depth) else {
            let end = first.results.get(result).copied();
            self.failed |= end.is_none();
            return end.unwrap_or(0);
        };
        let (yes, no) = paths.split_at(
            paths
                .iter()
                .take_while(|path| path.decisions[depth].1)
                .count(),
        );
        let (yes, no) = (
            self.join(yes, depth + 1, result),
            self.join(no, depth + 1, result),
        );
        self.select(*test, yes, no)
    }
}

/// Calls a function until it has taken every path, and joins their ends. It may itself follow others.
fn follow(function: &dyn Fn() -> Vec<u16>) -> Vec<u16> {
    let outer = Traced::with(Way::default(), |trace| std::mem::take(&mut trace.way));
    let start = hash_of(&(outer.history, outer.count));
    let mut paths: Vec<Path> = Vec::new();
    let mut goes_on = true;
    while goes_on {
        Traced::with((), |trace| {
            let way = &mut trace.way;
            (way.tests, way.history, way.count) = (0, start, 0);
        });
        let results = function();
        goes_on = Traced::with(false, |trace| {
            trace.failed |= paths.len() == PATHS;
            let decisions = &mut trace.way.decisions;
            paths.push(Path {
                decisions: decisions.clone(),
                results,
            });
            // The next path is the last one with its last `true` turned round.
            while let Some((_, false)) = decisions.last() {
                decisions.pop();
            }
            if let Some((_, decision)) = decisions.last_mut() {
                *decision = false;
            }
            !decisions.is_empty() && !trace.failed
        });
    }
    let count = paths.first().map_or(0, |path| path.results.len());
    Traced::with(Vec::new(), |trace| {
        trace.way = outer;
        trace.way.count += 1;
        match trace.failed {
            true => vec![0; count],
            false => (0..count).map(|at| trace.join(&paths, 0, at)).collect(),
        }
    })
}

#[cfg(test)]
mod tests {
    use num_traits::{Float as _, Zero};

    use super::{Formula, Traced, Written};
    use crate::device::float::Float;

    fn formula(function: &dyn Fn(&[Traced], &mut Vec<Traced>)) -> Formula {
        Formula::of(2, function).expect("a formula")
    }

    #[test]
    fn every_path_is_written_down() {
        let elu = formula(&|x, y| {
            let alpha = Traced::from_f32(0.5);
            y.push(if x[0] > Traced::zero() {
                x[0]
            } else {
                alpha * x[0].exp_m1()
            });
        });
        let code = elu.code();
        assert!(code.contains("= expm1f(v0);"), "{code}");
        assert!(code.contains("= (v4 ? v0 : v6);"), "{code}");
        assert_eq!(elu.constants()[0], 0.5);
    }

    #[test]
    fn numbers_may_change_and_the_text_stays() {
        let with = |rate: f32, keep: f32| {
            formula(&|x, y| {
                let step = x[1] * Traced::from_f32(rate);
                let kept = x[0] * Traced::from_f32(keep);
                y.push(kept - step);
            })
        };
        let (one, other) = (with(0.1, 0.9), with(0.5, 0.5));
        assert_eq!(one.key(), other.key());
        assert_eq!(one.code(), other.code());
        assert_eq!(&other.constants()[..2], [0.5, 0.5]);
    }

    #[test]
    fn what_cannot_be_written_down_is_no_formula() {
        assert!(Formula::of(1, &|x, y| y.push(Traced::from_f64(x[0].to_f64()))).is_none());
        let many = |x: &[Traced], y: &mut Vec<Traced>| {
            let mut sum = x[0];
            for at in 0..8 {
                let limit = Traced::from_f32(at as f32);
                sum = if sum > limit { sum } else { sum + limit };
            }
            y.push(sum);
        };
        assert!(Formula::of(1, &many).is_none());
    }
}
