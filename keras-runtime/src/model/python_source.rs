//! A model as Python that makes the same model with Keras.
//!
//! ```text
//! Sequential    keras.Sequential([keras.Input(..), keras.layers.Dense(..), ..], name=..)
//! Functional    x = keras.Input(..); hidden = keras.layers.Dense(..)(x); ..; keras.Model(x, hidden, name=..)
//! ```
//!
//! Arguments that have Keras' defaults are left out. The names of variables are those of the layers; a layer
//! that is called more than once has a variable of its own.

use std::collections::HashSet;
use std::fmt::Write as _;

use keras_config::{Description, Kind, Layer, Structure, Value, python};

use crate::config::{Json, Object};
use crate::error::{Error, Result};
use crate::layers::{BuiltIn, Layer as _};

/// The lines of Python that make the model of a JSON.
///
/// # Errors
/// If it is no Sequential or Functional model.
pub(crate) fn source(json: &Json) -> Result<String> {
    let described = keras_config::read(json);
    described
        .map(|description| of(&description))
        .map_err(|problems| {
            let problems: Vec<&str> = problems.iter().map(|p| p.message.as_str()).collect();
            Error::value(format!(
                "Only Sequential and Functional models can be written in Python: {}",
                problems.join("; ")
            ))
        })
}

fn of(description: &Description) -> String {
    let mut source = Source {
        description,
        taken: ["keras", "model"].into_iter().map(str::to_owned).collect(),
        own: Vec::new(),
        lines: String::new(),
    };
    match description.kind {
        Kind::Sequential => source.sequential(),
        Kind::Functional => source.functional(),
    }
    let mut text = "import keras\n\n".to_owned();
    if !source.own.is_empty() {
        let own = source.own.join(", ");
        // Writing to a string does not fail.
        let _ = writeln!(text, "# Classes that Keras does not have: {own}\n");
    }
    text + &source.lines
}

struct Source<'a> {
    description: &'a Description,
    /// The names of variables.
    taken: HashSet<String>,
    /// The classes that Keras does not have.
    own: Vec<String>,
    lines: String,
}

impl Source<'_> {
    fn line(&mut self, line: impl AsRef<str>) {
        self.lines += line.as_ref();
        self.lines.push('\n');
    }

    fn sequential(&mut self) {
        let description = self.description;
        self.line("model = keras.Sequential(");
        self.line("    [");
        for at in 0..description.inputs.len() {
            if let Some(input) = self.input(at) {
                self.line(format!("        {input},"));
            }
        }
        for call in &description.calls {
            let layer = self.layer(&description.layers[call.layer]);
            self.line(format!("        {layer},"));
        }
        self.line("    ],");
        self.line(format!("    name={},", text(&description.name)));
        self.line(")");
    }

    fn functional(&mut self) {
        let description = self.description;
        let mut names: Vec<String> = Vec::new();
        for (at, input) in description.inputs.iter().enumerate() {
            let name = self.variable(&input.name);
            let made = self
                .input(at)
                .unwrap_or_else(|| "keras.Input(())".to_owned());
            self.line(format!("{name} = {made}"));
            names.push(name);
        }
        let calls = description.calls.iter();
        let mut uses = vec![0; description.layers.len()];
        calls.clone().for_each(|call| uses[call.layer] += 1);
        let mut shared: Vec<Option<String>> = vec![None; description.layers.len()];
        for call in calls {
            let layer = &description.layers[call.layer];
            let callee = match &shared[call.layer] {
                Some(variable) => variable.clone(),
                None => {
                    let made = self.layer(layer);
                    if uses[call.layer] == 1 {
                        made
                    } else {
                        let variable = self.variable(&format!("{}_layer", layer.name));
                        self.line(format!("{variable} = {made}"));
                        shared[call.layer] = Some(variable.clone());
                        variable
                    }
                }
            };
            let inputs: Vec<&str> = call.inputs.iter().map(|&v| names[v].as_str()).collect();
            let inputs = match (&inputs[..], BuiltIn::takes_list(&layer.class_name)) {
                ([input], false) => (*input).to_owned(),
                (inputs, _) => format!("[{}]", inputs.join(", ")),
            };
            let output = self.variable(&layer.name);
            self.line(format!("{output} = {callee}({inputs})"));
            names.push(output);
        }
        let name = |value: Value| names[value].as_str();
        let inputs = (0..description.inputs.len()).map(name);
        let inputs = together(inputs.collect(), description.inputs.len() > 1);
        let outputs = &description.outputs;
        let outputs = match description.structure {
            Structure::Dict => {
                let entry = |output: &keras_config::Output| {
                    format!("{}: {}", text(&output.name), name(output.value))
                };
                let entries: Vec<String> = outputs.iter().map(entry).collect();
                format!("{{{}}}", entries.join(", "))
            }
            structure => {
                let values = outputs.iter().map(|output| name(output.value));
                together(values.collect(), structure != Structure::Single)
            }
        };
        self.line("model = keras.Model(");
        self.line(format!("    inputs={inputs},"));
        self.line(format!("    outputs={outputs},"));
        self.line(format!("    name={},", text(&description.name)));
        self.line(")");
    }

    /// A variable that nothing else is called.
    fn variable(&mut self, name: &str) -> String {
        /// The words of Python that a layer may be called.
        const WORDS: [&str; 10] = [
            "and", "class", "def", "for", "from", "in", "is", "not", "or", "with",
        ];
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let part = |c: char| if is_part(c) { c } else { '_' };
        let mut wanted: String = name.chars().map(part).collect();
        if !wanted.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            || WORDS.contains(&&*wanted)
        {
            wanted.insert(0, '_');
        }
        let mut name = wanted.clone();
        let mut count = 0;
        while !self.taken.insert(name.clone()) {
            count += 1;
            name = format!("{wanted}_{count}");
        }
        name
    }

    /// `keras.Input((8, 8, 1), name="images")`; `None` if nothing is known of its shape.
    fn input(&self, at: usize) -> Option<String> {
        let input = &self.description.inputs[at];
        let dims = input.shape.as_ref()?.iter();
        let dims = dims.map(|dim| dim.map_or("None".to_owned(), |dim| dim.to_string()));
        let shape = tuple(&dims.collect::<Vec<_>>());
        Some(format!("keras.Input({shape}, name={})", text(&input.name)))
    }

    /// `keras.layers.Dense(units=3, name="dense")`.
    fn layer(&mut self, layer: &Layer) -> String {
        let class = &layer.class_name;
        let defaults = BuiltIn::first(class).map(|first| first.config().config);
        let prefix = match defaults {
            Some(_) => "keras.layers.",
            None => {
                if !self.own.contains(class) {
                    self.own.push(class.clone());
                }
                ""
            }
        };
        let mut arguments = Vec::new();
        for (name, value) in layer.config.iter() {
            let default = match name {
                "name" | "trainable" | "dtype" => continue,
                // Where there are none, they are the size of the windows.
                "strides" if layer.config.get("pool_size").is_some() => {
                    layer.config.get("pool_size")
                }
                _ if BuiltIn::requires(class, name) => None,
                name => defaults.as_ref().and_then(|defaults| defaults.get(name)),
            };
            if !value.is_null() && !default.is_some_and(|default| is_same(default, value)) {
                arguments.push(format!("{name}={}", literal(value, true)));
            }
        }
        if !layer.trainable {
            arguments.push("trainable=False".to_owned());
        }
        arguments.push(format!("name={}", text(&layer.name)));
        format!("{prefix}{class}({})", arguments.join(", "))
    }
}

/// Whether two values are the same to Keras: an initializer without a seed is one whose seed is null.
fn is_same(default: &Json, value: &Json) -> bool {
    match (default.as_object(), value.as_object()) {
        (Some(default), Some(value)) => {
            let of = |object: &Object, name: &str| object.get(name).cloned().unwrap_or_default();
            let mut names = default.iter().chain(value.iter()).map(|(name, _)| name);
            names.all(|name| {
                let pair = (of(default, name), of(value, name));
                // Where Python finds a class is none of its arguments.
                ["module", "registered_name"].contains(&name) || is_same(&pair.0, &pair.1)
            })
        }
        _ => default == value || (default.as_f64().is_some() && default.as_f64() == value.as_f64()),
    }
}

/// One tensor, or a list of them.
fn together(names: Vec<&str>, is_list: bool) -> String {
    match (&names[..], is_list) {
        ([name], false) => (*name).to_owned(),
        _ => format!("[{}]", names.join(", ")),
    }
}

fn tuple(items: &[String]) -> String {
    match items {
        [item] => format!("({item},)"),
        items => format!("({})", items.join(", ")),
    }
}

/// A text in Python: JSON's escapes are among Python's.
fn text(value: &str) -> String {
    Json::from(value).to_string()
}

/// A value in Python. Lists that are arguments of a layer are tuples.
fn literal(value: &Json, is_of_layer: bool) -> String {
    match value {
        Json::Null => "None".to_owned(),
        Json::Bool(true) => "True".to_owned(),
        Json::Bool(false) => "False".to_owned(),
        Json::Float(number) if !number.is_finite() => {
            format!("float(\"{}\")", python::repr(*number))
        }
        Json::Int(_) | Json::Float(_) | Json::Text(_) => value.to_string(),
        Json::List(items) => {
            let items: Vec<String> = items
                .iter()
                .map(|item| literal(item, is_of_layer))
                .collect();
            match is_of_layer {
                true => tuple(&items),
                false => format!("[{}]", items.join(", ")),
            }
        }
        Json::Object(object) => {
            let (Some(class), config) = (
                object.get("class_name").and_then(Json::as_str),
                object.get("config").and_then(Json::as_object),
            ) else {
                let entry = |(name, value)| format!("{}: {}", text(name), literal(value, false));
                let entries: Vec<String> = object.iter().map(entry).collect();
                return format!("{{{}}}", entries.join(", "));
            };
            let arguments = config.iter().flat_map(|config| config.iter());
            let arguments = arguments.filter(|(name, value)| {
                !value.is_null() && !["name", "trainable", "dtype"].contains(name)
            });
            let arguments =
                arguments.map(|(name, value)| format!("{name}={}", literal(value, false)));
            let arguments: Vec<String> = arguments.collect();
            match object.get("module").and_then(Json::as_str) {
                Some(module) => format!("{module}.{class}({})", arguments.join(", ")),
                // A function of Keras' with arguments of its own.
                None => format!(
                    "lambda x: keras.activations.{class}(x, {})",
                    arguments.join(", ")
                ),
            }
        }
    }
}
