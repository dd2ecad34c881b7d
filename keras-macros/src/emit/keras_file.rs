//! What a model has that a file describes: the file's weights, and a test that replays predictions.

use std::path::Path;

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use super::Emitter;
use crate::names::snake_case;

impl Emitter<'_> {
    /// The documentation and the body of `on`: a model with new weights, or with those of its file.
    pub(super) fn on(&self) -> (&'static str, TokenStream) {
        let fresh = quote! { Self::on_with_seed(device, keras::fresh_seed()) };
        match self.file {
            None => (" A model on a device.", fresh),
            Some(file) => {
                let bytes = include(&file.path.value());
                let body = quote! { keras::with_weights(#fresh, #bytes) };
                (" A model on a device, with the weights of its file.", body)
            }
        }
    }

    /// The documentation of `new` and of `with_seed`.
    pub(super) fn docs(&self) -> [&'static str; 2] {
        match self.file {
            None => [
                " A model on the default device.",
                " A model whose random numbers, such as its initial weights, follow from a seed.",
            ],
            Some(_) => [
                " A model on the default device, with the weights of its file.",
                " A model with new weights, which follow from a seed as all its random numbers do.",
            ],
        }
    }

    /// A test that the model predicts what stands beside its file.
    pub fn replay(&self) -> TokenStream {
        let predictions = self.file.and_then(|file| file.predictions.as_ref());
        let Some(predictions) = predictions else {
            return TokenStream::new();
        };
        let (keras, ident) = (&self.keras, &self.head.ident);
        let test = test_name(ident);
        let text = include_text(predictions);
        quote! {
            #[cfg(test)]
            #[::core::prelude::v1::test]
            fn #test() -> #keras::Result<()> {
                #keras::__private::replay(&mut #ident::new(), #text)
            }
        }
    }
}

fn test_name(model: &Ident) -> Ident {
    let name = snake_case(&model.to_string());
    format_ident!("{name}_predicts_what_keras_did")
}

/// A path, relative to the package's folder, as rustc and cargo are to know it.
fn absolute(path: &str) -> TokenStream {
    if Path::new(path).is_absolute() {
        return quote! { #path };
    }
    let path = format!("/{path}");
    quote! { ::core::concat!(::core::env!("CARGO_MANIFEST_DIR"), #path) }
}

/// The bytes of a file; cargo builds the crate anew when they change.
fn include(path: &str) -> TokenStream {
    let path = absolute(path);
    quote! { ::core::include_bytes!(#path) }
}

fn include_text(path: &str) -> TokenStream {
    let path = absolute(path);
    quote! { ::core::include_str!(#path) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_absolute_path_is_left_as_it_is() {
        let path = std::env::temp_dir().join("model.keras");
        let path = path.to_str().unwrap();
        assert_eq!(absolute(path).to_string(), quote! { #path }.to_string());
        let relative = absolute("model.keras").to_string();
        assert!(relative.contains("CARGO_MANIFEST_DIR"), "{relative}");
    }
}
