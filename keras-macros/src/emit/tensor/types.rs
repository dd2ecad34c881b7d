//! What every generated type has because of what configures it: `new` and one method an argument.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote};

use crate::parse::tensor::{Setting, Settings};

/// The fields of what configures.
pub fn fields(settings: &Settings) -> TokenStream {
    let fields = settings.iter().map(|setting| {
        let (docs, ident, ty) = (&setting.docs, &setting.ident, &setting.ty);
        quote! { #(#docs)* #ident: #ty, }
    });
    fields.collect()
}

/// The parameters of `new`: what has no default.
pub fn parameters(settings: &Settings) -> Vec<TokenStream> {
    let required = settings.iter().filter(|setting| setting.default.is_none());
    let parameters = required.map(|setting| {
        let (ident, ty) = (&setting.ident, &setting.ty);
        quote! { #ident: #ty }
    });
    parameters.collect()
}

/// The fields as `new` gives them.
pub fn initial(settings: &Settings) -> TokenStream {
    let fields = settings
        .iter()
        .map(|Setting { ident, default, .. }| match default {
            None => quote! { #ident, },
            Some(default) => quote! { #ident: #default, },
        });
    fields.collect()
}

/// The methods of what has a default.
pub fn builders(settings: &Settings) -> TokenStream {
    let optional = settings.iter().filter(|setting| setting.default.is_some());
    let builders = optional.map(|setting| {
        let Setting {
            docs,
            ident,
            ty,
            default,
            ..
        } = setting;
        let default = default.to_token_stream().to_string();
        let default = format!(" `{default}` unless it is given.");
        quote! {
            #(#docs)*
            #[doc = #default]
            #[must_use]
            pub const fn #ident(mut self, #ident: #ty) -> Self {
                self.#ident = #ident;
                self
            }
        }
    });
    builders.collect()
}

/// `impl Default`, if nothing is required.
pub fn default(name: &Ident, settings: &Settings) -> TokenStream {
    if settings.iter().any(|setting| setting.default.is_none()) {
        return TokenStream::new();
    }
    quote! {
        #[automatically_derived]
        impl ::core::default::Default for #name {
            fn default() -> Self {
                Self::new()
            }
        }
    }
}
