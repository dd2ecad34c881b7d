//! Parts of a functional model: models that borrow the whole and run some of its calls.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use super::Emitter;
use crate::backward::{Backward, backward};
use crate::graph::Part;
use crate::names::camel_case;
use crate::parse::Head;

impl Emitter<'_> {
    /// What the parts run with: one field each.
    pub(super) fn part_fields(&self) -> Vec<&Ident> {
        self.graph.parts.iter().map(|part| &part.ident).collect()
    }

    fn part_type(&self, part: &Part) -> Ident {
        let name = camel_case(&part.ident.to_string());
        format_ident!("{}{name}", self.head.ident, span = part.ident.span())
    }

    /// The structs of the parts.
    pub(super) fn part_structs(&self) -> TokenStream {
        let Head { vis, ident, .. } = self.head;
        let keras = &self.keras;
        let of_part = |part: &Part| {
            let name = self.part_type(part);
            let doc = format!(
                " The part `{}` of [`{ident}`]: it has the layers and the weights of the whole.",
                part.ident
            );
            quote! {
                #[doc = #doc]
                #vis struct #name<'a, D: #keras::__private::Device = #keras::__private::AutoDevice> {
                    model: &'a mut #ident<D>,
                }
            }
        };
        self.graph.parts.iter().map(of_part).collect()
    }

    /// How a part is reached, and its `impl Model`.
    pub(super) fn part(&self, part: &Part) -> TokenStream {
        let (whole, field, name) = (&self.head.ident, &part.ident, self.part_type(part));
        let network = self.network(&self.network_function(Some(part)), &part.network);
        let of_whole = backward(self.graph, &self.graph.whole);
        // A gradient that the whole adds to can be the part's first.
        let own = |step: &Backward| !of_whole.contains(step);
        let function = |step: &Backward| {
            let shared = self.function("backward", step.call);
            if own(step) {
                format_ident!("{}_{shared}", part.ident)
            } else {
                shared
            }
        };
        let functions = backward(self.graph, &part.network);
        let functions = functions.iter().filter(|step| own(step));
        let functions = functions.map(|step| self.backward_function(&function(step), step));
        let passes = self.passes(&part.network, function);
        let (train_step, structure) = (self.train_step(), self.output_structure(&part.network));
        let doc = format!(" The part `{}`.", part.ident);
        quote! {
            #[allow(dead_code)]
            impl<D: keras::Device> #whole<D> {
                #[doc = #doc]
                pub fn #field(&mut self) -> #name<'_, D> {
                    #name { model: self }
                }
            }
            #[automatically_derived]
            impl<D: keras::Device> keras::Model for #name<'_, D> {
                type Device = D;
                fn core(&self) -> &keras::Core<D> {
                    &self.model.core
                }
                fn run(&self) -> &keras::Run<D> {
                    &self.model.#field
                }
                fn split(&mut self) -> (&mut keras::Core<D>, &mut keras::Run<D>) {
                    (&mut self.model.core, &mut self.model.#field)
                }
                #structure
                #passes
                #train_step
            }
            #network
            #(#functions)*
        }
    }
}
