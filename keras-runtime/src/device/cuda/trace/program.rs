//! Functions of lines: formulas around sums and maxima over the elements of a line.
//!
//! A sum needs its elements, and those may need sums before. So the elements are walked over as
//! often as sums stand on each other, and once more for the gradient:
//!
//! ```text
//! let size = line.sum(|[_, p, _]| p * p).sqrt();   float s4 = 0.0f;
//!                                                  for (i in line) { v1 = p[i]; v3 = v1 * v1; s4 += v3; }
//!                                                  const float v4 = line_sum(s4), v5 = sqrtf(v4);
//! line.gradient(|[_, p, _]| p / size);             for (i in line) { v1 = p[i]; v6 = v1 / v5; d[i] = factor * v6; }
//! ```

use std::fmt::Write;

use super::{Node, Trace, Traced, Written, hash_of};
use crate::device::{Fold, Line, RowFunction, RowLoss};

/// What the text of a program is made of.
pub const LINES: &str = include_str!("../lines.cuh");

/// A function of a line, and its derivative where it has been asked for.
pub struct Program {
    nodes: Vec<Node>,
    value: u16,
    gradient: Option<u16>,
    key: u64,
}

impl Program {
    /// Writes down a function. `None` if it cannot be written down.
    pub fn of(
        with_gradient: bool,
        function: &dyn Fn(&mut Line<'_, Traced>) -> Traced,
    ) -> Option<Self> {
        let trace = Trace {
            // Numbers of a loss stay as they are while it trains.
            has_literals: true,
            ..Trace::default()
        };
        let (trace, results) = trace.write(&|| {
            Traced::with((), |trace| trace.gradient = None);
            let value = function(&mut Line::new(&[], &[], None));
            let gradient = Traced::with(None, |trace| trace.gradient);
            std::iter::once(value.0)
                .chain(gradient.filter(|_| with_gradient))
                .collect()
        })?;
        let (value, gradient) = (*results.first()?, results.get(1).copied());
        if with_gradient && gradient.is_none() {
            return None;
        }
        Some(Self {
            key: hash_of(&(&trace.nodes, value, gradient)),
            nodes: trace.nodes,
            value,
            gradient,
        })
    }
}

impl Written for Program {
    fn key(&self) -> u64 {
        self.key
    }

    /// `float program(const Line &line, float factor)` for one of the threads of a line. Every thread
    /// gets the value; where `line.d` is given, its elements become `factor` times the derivative.
    fn code(&self) -> String {
        let places = self.places();
        let mut code = String::from(LINES);
        code.push_str(
            "__device__ __forceinline__ float program(const Line &line, float factor) {\n",
        );
        let last = places.iter().map(|place| place.walks).max().unwrap_or(0);
        for walks in 0..=last {
            self.walk(&mut code, &places, walks);
            for (at, node) in self.nodes.iter().enumerate() {
                let place = &places[at];
                if place.walks == walks && !place.is_element && !matches!(node, Node::Fold(..)) {
                    let _ = writeln!(code, "    const {} v{at} = {node};", node.kind());
                }
            }
        }
        if let Some(gradient) = self.gradient {
            code.push_str("    if (line.d) {\n");
            self.elements(&mut code, &places, &[gradient]);
            let _ = writeln!(
                code,
                "        line.d[place(line, i)] = factor * v{gradient};\n    }}\n    }}"
            );
        }
        let _ = writeln!(code, "    return v{};\n}}", self.value);
        code
    }
}

impl Program {
    /// The sums and maxima that so many walks are needed for.
    fn walk(&self, code: &mut String, places: &[Place], walks: u16) {
        let folds: Vec<(usize, Fold, u16)> = (0..self.nodes.len())
            .filter(|at| places[*at].walks == walks)
            .filter_map(|at| match self.nodes[at] {
                Node::Fold(fold, element) => Some((at, fold, element)),
                _ => None,
            })
            .collect();
        if folds.is_empty() {
            return;
        }
        for (at, fold, _) in &folds {
            let _ = match fold {
                Fold::Max => writeln!(code, "    float s{at} = __int_as_float(0xff800000);"),
                _ => writeln!(code, "    float s{at} = 0.0f;"),
            };
        }
        let wanted: Vec<u16> = folds.iter().map(|(_, _, element)| *element).collect();
        self.elements(code, places, &wanted);
        for (at, fold, element) in &folds {
            let _ = match fold {
                Fold::Max => writeln!(code, "        s{at} = larger(s{at}, v{element});"),
                _ => writeln!(code, "        s{at} += v{element};"),
            };
        }
        code.push_str("    }\n");
        for (at, fold, _) in &folds {
            let name = if *fold == Fold::Max { "max" } else { "sum" };
            let _ = writeln!(code, "    const float v{at} = line_{name}(line, s{at});");
        }
    }

    /// The beginning of a loop over the elements, with what is needed for these nodes.
    fn elements(&self, code: &mut String, places: &[Place], wanted: &[u16]) {
        let mut is_needed = vec![false; self.nodes.len()];
        for at in wanted {
            is_needed[*at as usize] = true;
        }
        for at in (0..self.nodes.len()).rev() {
            if is_needed[at] && places[at].is_element {
                for operand in operands(&self.nodes[at]) {
                    is_needed[*operand as usize] = true;
                }
            }
        }
        code.push_str("    for (unsigned i = line.first; i < line.width; i += line.threads) {\n");
        for (at, node) in self.nodes.iter().enumerate() {
            if !is_needed[at] || !places[at].is_element {
                continue;
            }
            let kind = node.kind();
            let _ = match node {
                Node::Input(0) => writeln!(code, "        const {kind} v{at} = target(line, i);"),
                Node::Input(1) => {
                    writeln!(code, "        const {kind} v{at} = prediction(line, i);")
                }
                Node::Input(_) => writeln!(code, "        const {kind} v{at} = (float)i;"),
                node => writeln!(code, "        const {kind} v{at} = {node};"),
            };
        }
    }

    fn places(&self) -> Vec<Place> {
        let mut places: Vec<Place> = Vec::with_capacity(self.nodes.len());
        for node in &self.nodes {
            let before = operands(node).iter().map(|at| &places[*at as usize]);
            let walks = before.clone().map(|place| place.walks).max().unwrap_or(0);
            let is_fold = matches!(node, Node::Fold(..));
            let is_element =
                matches!(node, Node::Input(_)) || before.clone().any(|place| place.is_element);
            places.push(Place {
                is_element: is_element && !is_fold,
                walks: walks + u16::from(is_fold),
            });
        }
        places
    }
}

/// When a node is computed.
struct Place {
    /// Whether there is one for each element of a line.
    is_element: bool,
    /// After how many walks over the elements.
    walks: u16,
}

fn operands(node: &Node) -> &[u16] {
    match node {
        Node::Number(_, operands) | Node::Test(_, operands) => operands,
        Node::Fold(_, element) => std::slice::from_ref(element),
        _ => &[],
    }
}

impl Program {
    /// How many targets of the batch are neither 0 nor 1, for a function that is written down.
    pub fn other_targets() -> Traced {
        Traced::with(Traced(0), |trace| Traced(trace.node(Node::Others)))
    }

    /// Whether it asks for that.
    pub fn counts_others(&self) -> bool {
        self.nodes.contains(&Node::Others)
    }

    /// The program of a loss of rows.
    pub fn of_row<L: RowLoss>(with_gradient: bool, loss: &L) -> Option<Self> {
        Self::of(with_gradient, &|line| {
            let pair = |[t, p, _]: [Traced; 3]| loss.pair_and_gradient(t, p);
            let (zero, width) = (Traced::default(), line.width());
            if loss.pair_and_gradient(0.0f32, 0.0).is_none() {
                return loss.line(line).unwrap_or_else(|| Traced::fail(zero));
            }
            let part = |element, of: fn((Traced, Traced)) -> Traced| pair(element).map_or(zero, of);
            let sum = line.sum(|element| part(element, |(value, _)| value));
            line.gradient(|element| part(element, |(_, slope)| slope) / width);
            sum / width
        })
    }

    /// The program of a function of rows.
    pub fn of_function<M: RowFunction>(function: &M) -> Option<Self> {
        Self::of(false, &|line| {
            let value = function.line(line);
            value.unwrap_or_else(|| Traced::fail(Traced::default()))
        })
    }
}
