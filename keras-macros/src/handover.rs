//! A struct and its impl are two macro calls. The struct's tokens go to that of the impl, which
//! comes later, by a `macro_rules` that the latter calls.

use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote};
use syn::parse::{ParseStream, Parser};
use syn::{ItemImpl, ItemStruct, Type};

use crate::ctxt::Ctxt;

/// What hands the struct over to `entry`, the macro of both halves.
pub fn offer(
    keras: &TokenStream,
    entry: &str,
    arguments: &TokenStream,
    item: &ItemStruct,
) -> TokenStream {
    let name = alias(entry, &item.ident);
    let entry = format_ident!("{entry}");
    // Rustc does not let a generated macro shadow one of a module around it, that of another type
    // of this name: each has a name of its own, by its place, and this one is its alias here.
    let place: String = format!("{:?}", item.ident.span())
        .chars()
        .map(|c| if c.is_ascii_digit() { c } else { '_' })
        .collect();
    let own = format_ident!("{name}{place}");
    quote! {
        #[doc(hidden)]
        #[allow(unused_macros)]
        macro_rules! #own {
            ($($implementation:tt)*) => {
                #keras::#entry! { [#arguments] { #item } { $($implementation)* } }
            };
        }
        #[allow(unused_imports)]
        use #own as #name;
    }
}

/// What takes over the struct of an impl; `what` it is, for errors.
pub fn accept(ctxt: &Ctxt, entry: &str, what: &str, item: &ItemImpl) -> Option<TokenStream> {
    let name = match &*item.self_ty {
        Type::Path(path) => path.path.get_ident(),
        _ => None,
    };
    let Some(name) = name else {
        ctxt.error(
            &item.self_ty,
            format!("The name of the {what}'s struct is expected here."),
        );
        return None;
    };
    let name = alias(entry, name);
    let item = item.to_token_stream();
    Some(quote! { #name! { #item } })
}

/// Both halves: `[arguments] { struct } { impl }`.
pub fn halves(tokens: TokenStream) -> syn::Result<(TokenStream, ItemStruct, ItemImpl)> {
    let groups = |stream: ParseStream| {
        let group = |_| stream.parse::<Group>();
        Ok([group(0)?, group(1)?, group(2)?])
    };
    let [arguments, item, implementation] = groups.parse2(tokens)?;
    let implementation: ItemImpl = syn::parse2(implementation.stream())?;
    // The struct comes out of a `macro_rules`; errors in it are reported as if it did not.
    let written = implementation.impl_token.span;
    let arguments = resolved_at(arguments.stream(), written);
    let item: ItemStruct = syn::parse2(resolved_at(item.stream(), written))?;
    Ok((arguments, item, implementation))
}

/// `__keras_Name_layers` for `__model_impl`.
fn alias(entry: &str, name: &Ident) -> Ident {
    let kind = if entry == "__model_impl" {
        "layers"
    } else {
        "fields"
    };
    format_ident!("__keras_{name}_{kind}", span = name.span())
}

/// The same tokens, at the same places, with names meaning what they mean at `span`.
fn resolved_at(tokens: TokenStream, span: Span) -> TokenStream {
    let tokens = tokens.into_iter().map(|token| match token {
        TokenTree::Group(group) => {
            let inner = resolved_at(group.stream(), span);
            let mut resolved = Group::new(group.delimiter(), inner);
            resolved.set_span(group.span().resolved_at(span));
            TokenTree::Group(resolved)
        }
        mut token => {
            token.set_span(token.span().resolved_at(span));
            token
        }
    });
    tokens.collect()
}
