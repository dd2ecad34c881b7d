//! `max_params`: whether a model has more weights than it may, known to rustc.

use crate::shape::Text;

/// The weights of one layer of a model, counted by rustc.
#[derive(Clone, Copy, Debug)]
pub struct LayerSize {
    /// The layer's name.
    pub name: &'static str,
    /// False for a layer that cannot take its inputs, which is an error of its own.
    pub is_right: bool,
    /// The numbers of its weights, trained or not; `None` if they depend on the data.
    pub params: Option<usize>,
}

/// Stops the compilation if the weights of a model are more numbers than `most`, or cannot be
/// counted.
///
/// # Panics
/// With the numbers. Generated code calls this in constants only.
#[track_caller]
pub const fn check_max_params(model: &str, most: usize, layers: &[LayerSize]) {
    let (mut sum, mut largest, mut largest_name) = (0, 0, "");
    let mut unknown = None;
    let mut at = 0;
    while at < layers.len() {
        let layer = &layers[at];
        if !layer.is_right {
            return;
        }
        match layer.params {
            Some(params) => {
                sum += params;
                if params > largest {
                    (largest, largest_name) = (params, layer.name);
                }
            }
            None => unknown = Some(layer.name),
        }
        at += 1;
    }
    let text = Text::new().str("Model `").str(model);
    if let Some(name) = unknown {
        let text = text
            .str("`: max_params cannot be checked, as the weights of `")
            .str(name)
            .str("` depend on sizes that are not known before data arrives. Declare the shape of the input.");
        panic!("{}", text.as_str());
    }
    if sum > most {
        let text = text
            .str("` has ")
            .thousands(sum)
            .str(" parameters, more than the ")
            .thousands(most)
            .str(" of max_params. Its largest layer is `")
            .str(largest_name)
            .str("` with ")
            .thousands(largest)
            .str(".");
        panic!("{}", text.as_str());
    }
}
