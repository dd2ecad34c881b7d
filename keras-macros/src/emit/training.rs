//! `compile(..)` and `callbacks(..)`: what the model declares to be trained with, as functions.

use proc_macro2::TokenStream;
use quote::quote;

use super::Emitter;

impl Emitter<'_> {
    /// `compile_arguments` and `callbacks`, in the user's scope.
    pub(super) fn training(&self) -> TokenStream {
        let (keras, ident) = (&self.keras, &self.head.ident);
        let compile = self.options.compile.as_ref().map(|compile| {
            let (optimizer, loss) = (compile.optimizer.written(), compile.loss.written());
            let metrics = compile.metrics.iter().map(|metric| metric.written());
            quote! {
                #[allow(dead_code)]
                impl<D: #keras::__private::Device> #ident<D> {
                    /// The arguments of `compile` that the model declares.
                    pub fn compile_arguments() -> #keras::model::Compile<D> {
                        #keras::model::Compile::new(#optimizer, #loss) #(.metric(#metrics))*
                    }
                }
            }
        });
        let callbacks = (!self.options.callbacks.is_empty()).then(|| {
            let callbacks = self.options.callbacks.iter();
            let callbacks = callbacks.map(|callback| callback.written());
            quote! {
                #[allow(dead_code)]
                impl #ident {
                    /// The callbacks that the model declares.
                    pub fn callbacks() -> #keras::callbacks::CallbackList<'static> {
                        #keras::callbacks::CallbackList::empty() #(.with(#callbacks))*
                    }
                }
            }
        });
        quote! { #compile #callbacks }
    }
}
