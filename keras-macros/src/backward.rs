//! Graph -> steps: the calls of a pass, forward and backward.
//!
//! Reverse mode over layers: the calls of training in reverse order, each of which gives the
//! gradients of its inputs. The first call to give the gradient of a value sets it, the others add
//! to it; the gradient of an output is set by the loss, before all of them, and that of an added loss is 1.

use std::collections::HashSet;

use crate::graph::Graph;
use crate::graph::{Call, CallId, Group, Network, ValueId, merge};

/// A call on the way back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backward {
    /// The call.
    pub call: CallId,
    /// One for each of its inputs.
    pub gradients: Vec<Gradient>,
}

/// What a call does to the gradient of one of its inputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gradient {
    /// The input.
    pub value: ValueId,
    /// Whether the gradient has a part already.
    pub adds: bool,
}

/// The calls on the way forward, those of training and of inference side by side.
pub fn forward(network: &Network) -> Vec<Group> {
    merge(&network.training, &network.inference)
}

/// The calls on the way back.
pub fn backward(graph: &Graph, network: &Network) -> Vec<Backward> {
    let outputs = network.outputs.iter().map(|output| output.training);
    let losses = network.losses.iter().copied();
    let mut written: HashSet<ValueId> = outputs.chain(losses).collect();
    let of_call = |&call: &CallId| {
        let Call { inputs, output, .. } = &graph.calls[call];
        // Only a metric depends on what has no gradient.
        if !written.contains(output) {
            return None;
        }
        let gradients = inputs.iter().map(|&value| Gradient {
            value,
            adds: !written.insert(value),
        });
        let gradients = gradients.collect();
        Some(Backward { call, gradients })
    };
    network.training.iter().rev().filter_map(of_call).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ctxt::Ctxt;
    use crate::graph::functional;
    use crate::parse::functional::Functional;

    /// The steps back, as `d_y -> =d_x +d_z`: `=` sets, `+` adds.
    fn steps(function: &str, part: Option<usize>) -> Vec<String> {
        let ctxt = Ctxt::new();
        let function = syn::parse_str(function).unwrap();
        let function = Functional::parse(&ctxt, Default::default(), &function).unwrap();
        let graph = functional::graph(&ctxt, &function);
        assert_eq!(ctxt.messages(), [""; 0]);
        let network = match part {
            Some(part) => &graph.parts[part].network,
            None => &graph.whole,
        };
        let name = |value: ValueId| &graph.values[value].name;
        let text = |step: &Backward| {
            let gradients = step.gradients.iter().map(|gradient| {
                let sign = if gradient.adds { '+' } else { '=' };
                format!("{sign}{}", name(gradient.value))
            });
            let gradients: Vec<String> = gradients.collect();
            let output = name(graph.calls[step.call].output);
            format!("{output} -> {}", gradients.join(" "))
        };
        backward(&graph, network).iter().map(text).collect()
    }

    #[test]
    fn the_last_use_of_a_value_sets_its_gradient_and_the_others_add() {
        let steps = steps(
            "fn f(x: Input<3>) -> F {
                let a = Dense(4)(x);
                let b = Dense(4)(a);
                let c = b + a;
                let d = c * c;
                Model(x, d)
            }",
            None,
        );
        assert_eq!(steps, ["d -> =c +c", "c -> =b =a", "b -> +a", "a -> =x"]);
    }

    #[test]
    fn the_loss_sets_the_gradient_of_an_output_first() {
        let steps = steps(
            "fn f(x: Input<3>) -> F {
                let a = Dense(4)(x);
                let b = Dense(4)(a);
                Model(x, (a, b))
            }",
            None,
        );
        assert_eq!(steps, ["b -> +a", "a -> =x"]);
    }

    #[test]
    fn a_part_has_its_own_first_uses() {
        let function = "fn f(x: Input<3>) -> F {
                let a = Dense(4)(x);
                let b = Dense(4)(a);
                let c = Dense(4)(a);
                let part = Model(x, b);
                Model(x, (b, c))
            }";
        assert_eq!(steps(function, None), ["c -> =a", "b -> +a", "a -> =x"]);
        assert_eq!(steps(function, Some(0)), ["b -> =a", "a -> =x"]);
    }
}
