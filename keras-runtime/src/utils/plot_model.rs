//! A picture of a model: its layers as boxes, what flows between them as arrows.

use std::fmt::Write;
use std::path::Path;

use super::picture::{extension, unknown_extension};
use crate::error::{Error, Result};
use crate::model::{Model, Row, Summary, describe};

/// The arguments of [`plot_model`], as `keras.utils.plot_model` has them.
#[derive(Clone, Copy, Debug, Default)]
pub struct PlotModel {
    show_shapes: bool,
    show_layer_names: bool,
    show_trainable: bool,
    left_to_right: bool,
}

impl PlotModel {
    /// Boxes with the classes of the layers, from the top down.
    pub const fn new() -> Self {
        Self {
            show_shapes: false,
            show_layer_names: false,
            show_trainable: false,
            left_to_right: false,
        }
    }

    /// Whether boxes show the shapes of what comes in and goes out.
    #[must_use]
    pub const fn show_shapes(mut self, show_shapes: bool) -> Self {
        self.show_shapes = show_shapes;
        self
    }

    /// Whether boxes show the names of the layers.
    #[must_use]
    pub const fn show_layer_names(mut self, show_layer_names: bool) -> Self {
        self.show_layer_names = show_layer_names;
        self
    }

    /// Whether boxes show which layers are trained.
    #[must_use]
    pub const fn show_trainable(mut self, show_trainable: bool) -> Self {
        self.show_trainable = show_trainable;
        self
    }

    /// Whether the picture goes from left to right (`rankdir=\"LR\"`).
    #[must_use]
    pub const fn left_to_right(mut self, left_to_right: bool) -> Self {
        self.left_to_right = left_to_right;
        self
    }
}

/// Draws a model to a file: `.dot` or `.gv` is Graphviz' language; `.svg` is drawn here and needs the
/// feature `plot`, but no Graphviz.
///
/// ```
/// use keras_runtime::prelude::*;
///
/// let mut model = sequential![Dense(64, activation = relu), Dense(10)];
/// model.build(&[None, Some(32)])?;
/// let path = std::env::temp_dir().join("a_model_of_two_layers.dot");
/// plot_model(&model, &path, PlotModel::new().show_shapes(true))?;
/// # std::fs::remove_file(path).ok();
/// # Ok::<(), keras_runtime::Error>(())
/// ```
///
/// # Errors
/// If the name ends otherwise, or the file cannot be written.
pub fn plot_model<M: Model>(model: &M, path: impl AsRef<Path>, options: PlotModel) -> Result<()> {
    let path = path.as_ref();
    let dot = model_to_dot(model, options);
    let text = match extension(path).as_str() {
        "dot" | "gv" => dot,
        #[cfg(feature = "plot")]
        "svg" => super::drawing::svg(&dot)?,
        #[cfg(not(feature = "plot"))]
        "svg" => {
            return Err(Error::value(format!(
                "Drawing {} needs the feature `plot` of keras-runtime. A name that ends in .dot needs no feature",
                path.display()
            )));
        }
        _ => return Err(unknown_extension(path, "`.dot`, `.gv` or `.svg`")),
    };
    std::fs::write(path, text).map_err(|error| Error::file(path, error))
}

/// A model in Graphviz' language, as `keras.utils.model_to_dot` gives it.
pub fn model_to_dot<M: Model>(model: &M, options: PlotModel) -> String {
    dot(&describe(model), options)
}

fn dot(summary: &Summary, options: PlotModel) -> String {
    let direction = if options.left_to_right { "LR" } else { "TB" };
    let mut text = format!(
        "digraph {} {{\n    rankdir={direction};\n    node [shape=record];\n",
        quoted(&summary.name)
    );
    // Writing to a string does not fail.
    for (number, row) in summary.rows.iter().enumerate() {
        let _ = writeln!(
            text,
            "    layer{number} [label=\"{}\"];",
            label(row, options)
        );
    }
    let chain = |number: usize| number.checked_sub(1).into_iter().collect();
    for (number, row) in summary.rows.iter().enumerate() {
        let sources: Vec<usize> = sources(summary, row);
        // The rows of a model without inputs among them follow each other.
        let is_unconnected = sources.is_empty() && !row.connected_to.is_empty();
        for from in if is_unconnected {
            chain(number)
        } else {
            sources
        } {
            let _ = writeln!(text, "    layer{from} -> layer{number};");
        }
    }
    text + "}\n"
}

/// The rows that a layer is called on, each once.
fn sources(summary: &Summary, row: &Row) -> Vec<usize> {
    let mut sources = Vec::new();
    for connection in &row.connected_to {
        let name = connection.split('[').next().unwrap_or_default();
        let from = summary.rows.iter().position(|row| row.name == name);
        sources.extend(from.filter(|from| !sources.contains(from)));
    }
    sources
}

/// The fields of a box.
fn label(row: &Row, options: PlotModel) -> String {
    let mut title = if options.show_layer_names {
        escaped(&format!("{} ({})", row.name, row.class))
    } else {
        escaped(&row.class)
    };
    if options.show_trainable
        && let Some(is_trained) = row.is_trained
    {
        let _ = write!(
            title,
            " | Trainable: {}",
            if is_trained { "yes" } else { "no" }
        );
    }
    if !options.show_shapes {
        return title;
    }
    let shapes = |shapes: &[String]| match shapes {
        [] => escaped(&row.output_shape),
        [shape] => escaped(shape),
        shapes => escaped(&format!("[{}]", shapes.join(", "))),
    };
    let output = escaped(&row.output_shape);
    format!(
        "{{ {title} | Input shape: {} | Output shape: {output} }}",
        shapes(&row.input_shapes)
    )
}

/// A text inside of a record: what separates fields is not to be read as such.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        if "{}|<>\\\"".contains(char) {
            escaped.push('\\');
        }
        escaped.push(char);
    }
    escaped
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, class: &str, connected_to: &[&str]) -> Row {
        Row {
            name: name.to_owned(),
            class: class.to_owned(),
            output_shape: "(None, 8)".to_owned(),
            input_shapes: vec!["(None, 4)".to_owned(); connected_to.len()],
            connected_to: connected_to.iter().map(|&name| name.to_owned()).collect(),
            ..Row::default()
        }
    }

    #[test]
    fn a_layer_that_is_called_twice_has_one_box_and_an_arrow_from_each_source() {
        let summary = Summary {
            name: "two".to_owned(),
            rows: vec![
                row("a", "InputLayer", &[]),
                row("b", "InputLayer", &[]),
                row("shared", "Dense", &["a[0][0]", "b[0][0]"]),
                row("add", "Add", &["shared[0][0]", "shared[1][0]"]),
            ],
            ..Summary::default()
        };
        let expected = "\
digraph \"two\" {
    rankdir=TB;
    node [shape=record];
    layer0 [label=\"a (InputLayer)\"];
    layer1 [label=\"b (InputLayer)\"];
    layer2 [label=\"shared (Dense)\"];
    layer3 [label=\"add (Add)\"];
    layer0 -> layer2;
    layer1 -> layer2;
    layer2 -> layer3;
}
";
        assert_eq!(
            dot(&summary, PlotModel::new().show_layer_names(true)),
            expected
        );
    }

    #[test]
    fn a_sequential_model_is_a_chain_with_the_shapes_asked_for() {
        let summary = Summary {
            name: "sequential".to_owned(),
            rows: vec![
                row("dense", "Dense", &["input[0][0]"]),
                row("dense_1", "Dense", &["dense[0][0]"]),
            ],
            ..Summary::default()
        };
        let text = dot(
            &summary,
            PlotModel::new().show_shapes(true).left_to_right(true),
        );
        assert!(text.contains("rankdir=LR"));
        assert!(text.contains("{ Dense | Input shape: (None, 4) | Output shape: (None, 8) }"));
        assert_eq!(text.matches("->").count(), 1);
    }

    #[test]
    fn what_separates_fields_is_escaped() {
        assert_eq!(escaped("a|b{c}"), "a\\|b\\{c\\}");
        assert_eq!(quoted("a\"b"), "\"a\\\"b\"");
    }
}
