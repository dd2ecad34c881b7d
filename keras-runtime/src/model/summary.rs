//! The text of `summary`: a table of the layers and the numbers of weights, as Keras prints it.

use std::fmt::{self, Display, Formatter};

use keras_config::python::thousands;

use super::table::{Align, Table, fold};
use crate::callbacks::GraphNode;
use crate::console;
use crate::error::{Error, Result};

/// The arguments of [`Model::summary_with`](super::Model::summary_with).
#[derive(Clone, Debug, Default)]
pub struct SummaryOptions {
    line_length: Option<usize>,
    show_trainable: bool,
    layer_range: Option<(String, String)>,
}

impl SummaryOptions {
    /// As wide as the terminal, up to 88 characters, or 108 where the layers are no chain.
    pub fn new() -> Self {
        Self::default()
    }

    /// The width of the table in characters.
    #[must_use]
    pub fn line_length(mut self, line_length: usize) -> Self {
        self.line_length = Some(line_length);
        self
    }

    /// Whether a column says which layers are trained.
    #[must_use]
    pub fn show_trainable(mut self, show_trainable: bool) -> Self {
        self.show_trainable = show_trainable;
        self
    }

    /// Only the layers from one to another, by name, both included.
    #[must_use]
    pub fn layer_range(mut self, first: impl Into<String>, last: impl Into<String>) -> Self {
        self.layer_range = Some((first.into(), last.into()));
        self
    }
}

/// A model as its summary shows it.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// The model's name.
    pub name: String,
    /// Its layers.
    pub rows: Vec<Row>,
    /// Whether a column says what each layer is called on: where the layers are no chain.
    pub is_graph: bool,
    /// The weights that are trained.
    pub trainable: usize,
    /// All other weights.
    pub non_trainable: usize,
    /// What the optimizer remembers, once it has taken a step.
    pub optimizer: Option<OptimizerSize>,
    /// How it is to be shown.
    pub options: SummaryOptions,
}

/// A layer in a summary.
#[derive(Clone, Debug, Default)]
pub struct Row {
    /// The layer's name.
    pub name: String,
    /// Its type.
    pub class: String,
    /// The shape of its output, `?` where that is not known yet.
    pub output_shape: String,
    /// The number of its weights; `None` before it is built.
    pub params: Option<usize>,
    /// Whether its weights are trained; `None` if it has none.
    pub is_trained: Option<bool>,
    /// The shapes of what it is called on.
    pub input_shapes: Vec<String>,
    /// What it is called on, such as `dense[0][0]`; nothing for an input.
    pub connected_to: Vec<String>,
}

/// The size of an optimizer's variables.
#[derive(Clone, Copy, Debug)]
pub struct OptimizerSize {
    /// How many numbers there are.
    pub count: usize,
    /// Their bytes: not four for each, as the steps are counted in eight.
    pub bytes: usize,
}

impl Display for Summary {
    /// Several lines, each with a line break.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for line in fold(&format!("Model: \"{}\"", self.name), console::columns()) {
            writeln!(f, "{line}")?;
        }
        f.write_str(&self.table())?;
        let Self {
            trainable,
            non_trainable,
            optimizer,
            ..
        } = *self;
        let OptimizerSize { count, bytes } =
            optimizer.unwrap_or(OptimizerSize { count: 0, bytes: 0 });
        let weights = trainable + non_trainable;
        total(f, "Total", weights + count, 4 * weights + bytes)?;
        total(f, "Trainable", trainable, 4 * trainable)?;
        total(f, "Non-trainable", non_trainable, 4 * non_trainable)?;
        match optimizer {
            Some(_) => total(f, "Optimizer", count, bytes),
            None => Ok(()),
        }
    }
}

impl Summary {
    /// The rows as a graph.
    pub(crate) fn graph(&self) -> Vec<GraphNode> {
        let node = |row: &Row| {
            let sources = row.connected_to.iter();
            // `dense[0][0]` is an output of `dense`.
            let names = sources.map(|source| source.split('[').next().unwrap_or(source));
            GraphNode {
                name: row.name.clone(),
                class: row.class.clone(),
                // A layer that is called on its own output is no circle for TensorBoard.
                inputs: names
                    .filter(|name| *name != row.name)
                    .map(str::to_owned)
                    .collect(),
            }
        };
        self.rows.iter().map(node).collect()
    }

    /// The summary as the options want it.
    ///
    /// # Errors
    /// If a layer is named that the model does not have, or the columns are too narrow.
    pub fn with(mut self, options: SummaryOptions) -> Result<Self> {
        if let Some((first, last)) = &options.layer_range {
            let place = |name: &str| {
                let place = self.rows.iter().position(|row| row.name == name);
                place.ok_or_else(|| {
                    let names: Vec<&str> = self.rows.iter().map(|row| row.name.as_str()).collect();
                    Error::value(format!(
                        "`layer_range` expects the names of two layers of the model, among {names:?}. Received: {name}"
                    ))
                })
            };
            let (first, last) = (place(first)?, place(last)?);
            let range = first.min(last)..=first.max(last);
            self.rows = self.rows.drain(range).collect();
        }
        self.options = options;
        let mut start = 0;
        for end in self.ends() {
            let end = (end * self.width() as f64) as usize;
            if end < start + 4 {
                return Err(Error::value(format!(
                    "Insufficient console width to print summary. Received: line_length={}",
                    self.width()
                )));
            }
            start = end;
        }
        Ok(self)
    }

    /// Where the columns end, as fractions of the width.
    fn ends(&self) -> Vec<f64> {
        let ends: &[f64] = if self.is_graph {
            &[0.3, 0.56, 0.74, 1.0]
        } else {
            &[0.45, 0.8, 1.0]
        };
        if !self.options.show_trainable {
            return ends.to_vec();
        }
        ends.iter().map(|end| end * 0.9).chain([1.0]).collect()
    }

    fn width(&self) -> usize {
        let most = if self.is_graph { 108 } else { 88 };
        let most = most + if self.options.show_trainable { 12 } else { 0 };
        let most = most.min(console::columns().saturating_sub(4));
        self.options.line_length.unwrap_or(most)
    }

    fn table(&self) -> String {
        let mut header = vec![
            ("Layer (type)", Align::Left),
            ("Output Shape", Align::Left),
            ("Param #", Align::Right),
        ];
        if self.is_graph {
            header.push(("Connected to", Align::Left));
        }
        if self.options.show_trainable {
            header.push(("Trainable", Align::Center));
        }
        let mut table = Table::new(self.width(), &self.ends(), &header);
        for row in &self.rows {
            let params = match row.params {
                Some(params) => thousands(params),
                None => "0 (unbuilt)".to_owned(),
            };
            let name = format!("{} ({})", row.name, row.class);
            let mut cells = vec![name, row.output_shape.clone(), params];
            if self.is_graph {
                cells.push(match &row.connected_to[..] {
                    [] => "-".to_owned(),
                    names => names.join(", "),
                });
            }
            if self.options.show_trainable {
                let letter = match row.is_trained {
                    Some(true) => "Y",
                    Some(false) => "N",
                    None => "-",
                };
                cells.push(letter.to_owned());
            }
            table.row(&cells);
        }
        table.finish()
    }
}

/// A line under the table.
fn total(f: &mut Formatter<'_>, what: &str, count: usize, bytes: usize) -> fmt::Result {
    writeln!(
        f,
        " {what} params: {} ({})",
        thousands(count),
        memory_size(bytes)
    )
}

fn memory_size(bytes: usize) -> String {
    let mut size = bytes as f64;
    for unit in ["B", "KB", "MB", "GB", "TB"] {
        if size < 1024.0 {
            return format!("{size:.2} {unit}");
        }
        size /= 1024.0;
    }
    format!("{size:.2} PB")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, class: &str, shape: &str, params: usize, connected_to: &[&str]) -> Row {
        Row {
            name: name.to_owned(),
            class: class.to_owned(),
            output_shape: shape.to_owned(),
            params: Some(params),
            is_trained: None,
            input_shapes: Vec::new(),
            connected_to: connected_to.iter().map(|&name| name.to_owned()).collect(),
        }
    }

    #[test]
    fn a_chain_has_three_columns() {
        let summary = Summary {
            name: "sequential".to_owned(),
            rows: vec![
                row("conv2d", "Conv2D", "(None, 26, 26, 32)", 320, &[]),
                row(
                    "max_pooling2d",
                    "MaxPooling2D",
                    "(None, 13, 13, 32)",
                    0,
                    &[],
                ),
                row(
                    "batch_normalization",
                    "BatchNormalization",
                    "(None, 13, 13, 32)",
                    128,
                    &[],
                ),
                row("dense", "Dense", "(None, 10)", 54_090, &[]),
            ],
            trainable: 54_474,
            non_trainable: 64,
            ..Summary::default()
        };
        let expected = "\
Model: \"sequential\"
┏━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━┓
┃ Layer (type)                    ┃ Output Shape           ┃       Param # ┃
┡━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━┩
│ conv2d (Conv2D)                 │ (None, 26, 26, 32)     │           320 │
├─────────────────────────────────┼────────────────────────┼───────────────┤
│ max_pooling2d (MaxPooling2D)    │ (None, 13, 13, 32)     │             0 │
├─────────────────────────────────┼────────────────────────┼───────────────┤
│ batch_normalization             │ (None, 13, 13, 32)     │           128 │
│ (BatchNormalization)            │                        │               │
├─────────────────────────────────┼────────────────────────┼───────────────┤
│ dense (Dense)                   │ (None, 10)             │        54,090 │
└─────────────────────────────────┴────────────────────────┴───────────────┘
 Total params: 54,538 (213.04 KB)
 Trainable params: 54,474 (212.79 KB)
 Non-trainable params: 64 (256.00 B)
";
        assert_eq!(summary.to_string(), expected);
        let fitted = Summary {
            optimizer: Some(OptimizerSize {
                count: 108_950,
                bytes: 435_804,
            }),
            ..summary
        };
        let expected = expected.replace(
            "Total params: 54,538 (213.04 KB)",
            "Total params: 163,488 (638.63 KB)",
        ) + " Optimizer params: 108,950 (425.59 KB)\n";
        assert_eq!(fitted.to_string(), expected);
    }

    #[test]
    fn a_graph_says_what_its_layers_are_connected_to() {
        let summary = Summary {
            name: "two_in_two_out".to_owned(),
            rows: vec![
                row("first", "InputLayer", "(None, 8)", 0, &[]),
                row("second", "InputLayer", "(None, 8)", 0, &[]),
                row(
                    "shared_dense",
                    "Dense",
                    "(None, 8)",
                    72,
                    &["first[0][0]", "second[0][0]"],
                ),
                row(
                    "add",
                    "Add",
                    "(None, 8)",
                    0,
                    &["shared_dense[0][0]", "shared_dense[1][0]"],
                ),
            ],
            is_graph: true,
            trainable: 72,
            ..Summary::default()
        };
        let expected = "\
Model: \"two_in_two_out\"
┏━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━┓
┃ Layer (type)        ┃ Output Shape      ┃    Param # ┃ Connected to      ┃
┡━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━┩
│ first (InputLayer)  │ (None, 8)         │          0 │ -                 │
├─────────────────────┼───────────────────┼────────────┼───────────────────┤
│ second (InputLayer) │ (None, 8)         │          0 │ -                 │
├─────────────────────┼───────────────────┼────────────┼───────────────────┤
│ shared_dense        │ (None, 8)         │         72 │ first[0][0],      │
│ (Dense)             │                   │            │ second[0][0]      │
├─────────────────────┼───────────────────┼────────────┼───────────────────┤
│ add (Add)           │ (None, 8)         │          0 │ shared_dense[0][… │
│                     │                   │            │ shared_dense[1][… │
└─────────────────────┴───────────────────┴────────────┴───────────────────┘
 Total params: 72 (288.00 B)
 Trainable params: 72 (288.00 B)
 Non-trainable params: 0 (0.00 B)
";
        assert_eq!(summary.to_string(), expected);
    }

    #[test]
    fn what_is_not_known_yet_says_so() {
        let summary = Summary {
            rows: vec![Row {
                params: None,
                ..row("dense", "Dense", "?", 0, &[])
            }],
            ..Summary::default()
        };
        let text = summary.to_string();
        let line = "│ dense (Dense)                   │ ?                      │   0 (unbuilt) │\n";
        assert!(text.contains(line), "{text}");
    }

    #[test]
    fn numbers_read_as_in_keras() {
        assert_eq!(thousands(1_000_000), "1,000,000");
        assert_eq!(memory_size(4 * 301_100_010), "1.12 GB");
        assert_eq!(memory_size(0), "0.00 B");
    }
}
