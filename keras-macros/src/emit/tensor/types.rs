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

/// What a file keeps of an object: its fields, by their names.
pub struct Kept<'a> {
    /// What configures it.
    pub settings: &'a Settings,
    /// More fields.
    pub others: Vec<Ident>,
    /// Whether there are a name and a reduction in the field `options`.
    pub has_options: bool,
}

impl Kept<'_> {
    fn fields(&self) -> impl Iterator<Item = (String, &Ident)> {
        let settings = self.settings.iter().map(|setting| &setting.ident);
        let fields = settings.chain(&self.others);
        fields.map(|ident| (ident.to_string(), ident))
    }

    /// `config`, a method of the trait.
    pub fn config(&self) -> TokenStream {
        let with = self.fields();
        let with = with.map(|(name, ident)| quote! { .with(#name, self.#ident) });
        let first = quote! { keras::Config::of_type::<Self>() };
        let first = match self.has_options {
            true => quote! { self.options.describe(#first) },
            false => first,
        };
        quote! {
            fn config(&self) -> keras::Config {
                #first #(#with)*
            }
        }
    }

    /// `from_config`, a function of the type.
    pub fn reader(&self) -> TokenStream {
        let required = self
            .settings
            .iter()
            .filter(|setting| setting.default.is_none());
        let required = required.map(|setting| setting.ident.to_string());
        let read = self.fields();
        let read =
            read.map(|(name, ident)| quote! { #name => made.#ident = config.argument(#name)?, });
        let options = self.has_options.then(|| {
            quote! { _ if made.options.read(name, value)? => {} }
        });
        quote! {
            /// One with the arguments of a configuration, which are those that `config` writes.
            ///
            /// # Errors
            /// If an argument is missing, unknown, or has another type.
            pub fn from_config(config: &keras::Config) -> keras::Result<Self> {
                let mut made = Self::new(#(config.argument(#required)?),*);
                for (name, value) in config.config.iter() {
                    match name {
                        #(#read)*
                        #options
                        _ => return ::core::result::Result::Err(config.unexpected(name)),
                    }
                }
                ::core::result::Result::Ok(made)
            }
        }
    }
}
