//! `#[model(keras = "path/to/model.keras")] pub struct Name;`: the model in a file of Keras.
//!
//! Only the directory of the archive and `config.json` are read, so that files of gigabytes cost nothing
//! here; rustc includes the file for the weights.

use std::fs::File;
use std::path::{Path, PathBuf};

use keras_config::zip::{self, Archive};
use keras_config::{Description, Json, Object, Problem};
use proc_macro2::TokenStream;
use syn::parse::Parser;
use syn::{Expr, Fields, ItemStruct, LitStr};

use super::arguments::Arguments;
use super::keras_layer;
use super::options::{Form, Options, OwnLayer};
use super::{At, Head, Layer, as_ident, literals};
use crate::ctxt::Ctxt;

/// The most bytes that a `config.json` has.
const MOST: u64 = 1 << 28;

/// A model that a file describes.
pub struct KerasFile {
    /// The struct.
    pub head: Head,
    /// The arguments of the attribute.
    pub options: Options,
    /// The path, as the user wrote it: relative to the package's folder.
    pub path: LitStr,
    /// The path of the predictions beside it, if there are any.
    pub predictions: Option<String>,
    /// What is in the file.
    pub description: Option<Description>,
    /// The layers of the description, as if they had been written.
    pub layers: Vec<Layer>,
}

/// Whether `keras = ".."` is among the arguments of `#[model]`.
pub fn is_meant(arguments: &TokenStream) -> bool {
    let arguments = Arguments::parse_terminated.parse2(arguments.clone());
    let is_path = |argument: &Expr| match argument {
        Expr::Assign(assign) => as_ident(&assign.left).is_some_and(|key| key == "keras"),
        _ => false,
    };
    arguments.is_ok_and(|arguments| arguments.iter().any(is_path))
}

impl KerasFile {
    /// Reads the struct and the file. `keras` is the path of the runtime crate, `folder` that of the
    /// package.
    pub fn parse(
        ctxt: &Ctxt,
        keras: &TokenStream,
        arguments: TokenStream,
        folder: &Path,
        item: &ItemStruct,
    ) -> Option<KerasFile> {
        let options = Options::parse(ctxt, Form::KerasFile, arguments);
        let given = options.keras.as_ref()?;
        let Some(path) = literals::text(given).cloned() else {
            let message =
                "The path of a Keras file is a text: `#[model(keras = \"model.keras\")]`.";
            ctxt.error(given, message);
            return None;
        };
        if !matches!(item.fields, Fields::Unit) || !item.generics.params.is_empty() {
            ctxt.error(
                &item.ident,
                format!(
                    "The layers of `{0}` are in the file: it is written `struct {0};`.",
                    item.ident
                ),
            );
        }
        let head = Head {
            attrs: item.attrs.clone(),
            vis: item.vis.clone(),
            ident: item.ident.clone(),
        };
        let mut file = KerasFile {
            head,
            predictions: predictions(folder, &path),
            description: None,
            layers: Vec::new(),
            options,
            path,
        };
        match open(&folder.join(file.path.value())) {
            Ok(json) => file.describe(ctxt, keras, &json),
            Err(message) => ctxt.error(&file.path, message),
        }
        Some(file)
    }

    /// Reads what is in the file; every problem is an error of its own.
    fn describe(&mut self, ctxt: &Ctxt, keras: &TokenStream, json: &Json) {
        let mut problems = Vec::new();
        for layer in keras_config::layers(json) {
            if let Err(messages) = self.arguments(&layer.class_name, &layer.config) {
                problems.extend(messages.into_iter().map(|message| Problem {
                    layer: layer.name.to_owned(),
                    message: format!("{}: {message}", layer.class_name),
                }));
            }
        }
        match keras_config::read(json) {
            Ok(description) if problems.is_empty() => {
                let layers = description.layers.iter();
                let layers = layers.map(|layer| self.layer(ctxt, keras, layer));
                // The calls count on all of them.
                if let Some(layers) = layers.collect() {
                    self.layers = layers;
                    self.description = Some(description);
                }
            }
            Ok(_) => {}
            Err(others) => problems.extend(others),
        }
        for problem in problems {
            ctxt.error(
                &self.path,
                format!("Layer `{}` of the file: {}", problem.layer, problem.message),
            );
        }
    }

    /// The layer of the user's of a class.
    fn own(&self, class: &str) -> Option<&OwnLayer> {
        let mut own = self.options.custom_objects.iter();
        own.find(|own| {
            own.class
                .segments
                .last()
                .is_some_and(|last| last.ident == class)
        })
    }

    /// The arguments of a layer, in the language.
    fn arguments(&self, class: &str, config: &Object) -> Result<Vec<String>, Vec<String>> {
        match self.own(class) {
            Some(own) => keras_layer::own_arguments(&own.required, config),
            None => keras_layer::arguments(class, config),
        }
    }

    /// A layer of the file as if the user had written it.
    fn layer(
        &self,
        ctxt: &Ctxt,
        keras: &TokenStream,
        layer: &keras_config::Layer,
    ) -> Option<Layer> {
        let span = self.path.span();
        let mut text = self.arguments(&layer.class_name, &layer.config).ok()?;
        text.push(format!("name = {:?}", layer.name));
        if !layer.trainable {
            text.push("trainable = false".to_owned());
        }
        // Tokens with the span of the path: what rustc has to say about a layer stands there.
        let tokens = LitStr::new(&text.join(", "), span);
        let arguments = ctxt.ok(tokens.parse_with(Arguments::parse_terminated))?;
        let class = match self.own(&layer.class_name) {
            Some(own) => own.class.clone(),
            None => {
                let class = format!("{keras}::layers::{}", layer.class_name);
                ctxt.ok(LitStr::new(&class, span).parse())?
            }
        };
        Some(Layer::new(ctxt, class, At::of(&self.path), &arguments))
    }
}

/// The `config.json` of a file.
fn open(path: &Path) -> Result<Json, String> {
    let failed = |error: String| format!("Expected a `.keras` file at {}. {error}", path.display());
    let mut file = File::open(path).map_err(|error| failed(format!("Received: {error}")))?;
    let is_zip = zip::is_zip(&mut file).map_err(|error| failed(format!("Received: {error}")))?;
    if !is_zip {
        return Err(failed(
            "Received: something else, which is no zip archive".into(),
        ));
    }
    let mut archive = Archive::open(file).map_err(failed)?;
    let missing = |name: &str| failed(format!("Received: an archive without `{name}`"));
    if !archive.has("model.weights.h5") {
        return Err(missing("model.weights.h5"));
    }
    let text = archive.text("config.json", MOST).map_err(failed)?;
    let text = text.ok_or_else(|| missing("config.json"))?;
    Json::parse(&text).map_err(|error| failed(format!("`config.json`: {error}")))
}

/// `model.predictions.json` beside `model.keras`.
fn predictions(folder: &Path, path: &LitStr) -> Option<String> {
    let predictions = PathBuf::from(path.value()).with_extension("predictions.json");
    let is_there = folder.join(&predictions).is_file();
    is_there
        .then(|| predictions.to_str().map(str::to_owned))
        .flatten()
}
