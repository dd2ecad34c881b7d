//! `max_params`, `max_memory`, `max_flops`: whether a model takes more than it may, known to rustc.
//!
//! Memory is that of predicting one sample: four bytes for each weight, for each number of an input, and
//! for each number that a layer gives. That follows from the model alone; the program's own count differs:
//! layers that run one after the other share memory, some keep a copy, kernels have scratch memory, and
//! training takes gradients and the optimizer's slots beside it.
//!
//! Operations are those of the products, two for each multiply-add: a weight called `kernel`
//! `(.., channels in, channels out)` is multiplied once for each place of the output
//! `(.., channels out)`. What is done element by element is not counted.

use crate::shape::{Shape, ShapeError, Text};

use super::Weights;

/// The bytes of a number.
const BYTES: usize = 4;

/// What one call of a layer takes, or an input.
#[derive(Clone, Copy, Debug)]
pub struct CallSize {
    name: &'static str,
    /// False for a layer that cannot take its inputs, which is an error of its own.
    is_right: bool,
    /// Whether it happens in training alone.
    is_training: bool,
    /// The numbers of its weights, trained or not; `None` if they depend on the data. Of a layer that
    /// has been called before there are none.
    params: Option<usize>,
    /// The numbers that it gives of a sample.
    output: Option<usize>,
    /// The multiply-adds with its kernels.
    multiply_adds: Option<usize>,
}

impl CallSize {
    /// An input.
    pub const fn input(name: &'static str, shape: &Shape) -> Self {
        Self {
            name,
            is_right: true,
            is_training: false,
            params: Some(0),
            output: shape.len(),
            multiply_adds: Some(0),
        }
    }

    /// A call: its weights are not known where the shapes of its inputs are not.
    pub const fn call(
        name: &'static str,
        output: &Result<Shape, ShapeError>,
        weights: Option<Weights>,
    ) -> Self {
        let (params, multiply_adds) = match (&weights, output) {
            (Some(weights), Ok(output)) => (weights.size(), multiply_adds(weights, output)),
            _ => (None, None),
        };
        Self {
            name,
            is_right: output.is_ok(),
            is_training: false,
            params,
            output: match output {
                Ok(output) => output.len(),
                Err(_) => None,
            },
            multiply_adds,
        }
    }

    /// The call of a layer that has been called before, with the same weights.
    #[must_use]
    pub const fn again(mut self) -> Self {
        self.params = Some(0);
        self
    }

    /// A call that predictions do not make.
    #[must_use]
    pub const fn in_training(mut self) -> Self {
        self.is_training = true;
        self
    }

    /// What counts against a budget.
    const fn counted(&self, budget: Budget) -> Option<usize> {
        match budget {
            Budget::Params => self.params,
            Budget::Memory => match (self.params, self.output) {
                (Some(params), _) if self.is_training => Some(BYTES * params),
                (Some(params), Some(output)) => Some(BYTES * (params + output)),
                _ => None,
            },
            Budget::Flops if self.is_training => Some(0),
            Budget::Flops => match self.multiply_adds {
                Some(multiply_adds) => Some(2 * multiply_adds),
                None => None,
            },
        }
    }
}

/// The multiply-adds of a layer's products for one sample.
const fn multiply_adds(weights: &Weights, output: &Shape) -> Option<usize> {
    let (mut sum, mut at) = (0, 0);
    while at < weights.count() {
        let weight = weights.get(at);
        if matches!(weight.name.as_bytes(), b"kernel") && weight.shape.rank() > 1 {
            let (Some(kernel), Some(output)) = (weight.shape.len(), output.len()) else {
                return None;
            };
            if let Some(places) = output.checked_div(weight.shape.last()) {
                sum += kernel * places;
            }
        }
        at += 1;
    }
    Some(sum)
}

/// What is limited.
#[derive(Clone, Copy, Debug)]
pub enum Budget {
    /// The numbers of all weights.
    Params,
    /// The bytes of a prediction.
    Memory,
    /// The operations of a prediction.
    Flops,
}

/// Stops the compilation if the calls of a model take more than `most`, or if that is not known.
///
/// # Panics
/// With the numbers. Generated code calls this in constants only.
#[track_caller]
pub const fn check_budget(budget: Budget, model: &str, most: usize, calls: &[CallSize]) {
    let (mut sum, mut largest, mut largest_name) = (0, 0, "");
    let mut unknown = None;
    let mut at = 0;
    while at < calls.len() {
        let call = &calls[at];
        if !call.is_right {
            return;
        }
        match call.counted(budget) {
            Some(size) => {
                sum += size;
                if size > largest {
                    (largest, largest_name) = (size, call.name);
                }
            }
            None => unknown = Some(call.name),
        }
        at += 1;
    }
    let text = Text::new().str("Model `").str(model);
    let (name, takes, what) = match budget {
        Budget::Params => ("max_params", "` has ", " parameters"),
        Budget::Memory => ("max_memory", "` takes ", " bytes for a sample"),
        Budget::Flops => ("max_flops", "` takes ", " operations for a sample"),
    };
    if let Some(call) = unknown {
        let text = text
            .str("`: ")
            .str(name)
            .str(" cannot be checked, as the sizes of `")
            .str(call)
            .str("` are not known before data arrives. Declare the shape of the input.");
        panic!("{}", text.as_str());
    }
    if sum > most {
        let text = text
            .str(takes)
            .thousands(sum)
            .str(what)
            .str(", more than the ")
            .thousands(most)
            .str(" of ")
            .str(name)
            .str(". Its largest layer is `")
            .str(largest_name)
            .str("` with ")
            .thousands(largest)
            .str(".");
        panic!("{}", text.as_str());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arg::Size;
    use crate::layers::{Conv2D, Dense, Embedding};

    const IMAGE: Shape = Shape::new(&[8, 8, 3]);

    fn sizes(call: CallSize) -> [Option<usize>; 3] {
        [Budget::Params, Budget::Memory, Budget::Flops].map(|budget| call.counted(budget))
    }

    #[test]
    fn calls_are_counted_as_their_layers_work() {
        let conv = Conv2D::new(Size::new(&[4]), Size::new(&[3]));
        let weights = Some(conv.weights(&[IMAGE]));
        let call = CallSize::call("conv2d", &conv.output_shape(&[IMAGE]), weights);
        let (params, output) = (3 * 3 * 3 * 4 + 4, 6 * 6 * 4);
        let flops = 2 * 6 * 6 * (3 * 3 * 3) * 4;
        let expected = [params, 4 * (params + output), flops];
        assert_eq!(sizes(call), expected.map(Some));
        assert_eq!(sizes(call.again()), [0, 4 * output, flops].map(Some));
        let training = call.in_training();
        assert_eq!(sizes(training), [params, 4 * params, 0].map(Some));

        // At each of the five places.
        let input = [Shape::new(&[5, 7])];
        let dense = Dense::new(Size::new(&[2]));
        let weights = Some(dense.weights(&input));
        let call = CallSize::call("dense", &dense.output_shape(&input), weights);
        let expected = [16, 4 * (16 + 10), 2 * 5 * 7 * 2];
        assert_eq!(sizes(call), expected.map(Some));

        // A row is looked up, not multiplied.
        let input = [Shape::new(&[6])];
        let embedding = Embedding::new(Size::new(&[100]), Size::new(&[8]));
        let weights = Some(embedding.weights(&input));
        let call = CallSize::call("embedding", &embedding.output_shape(&input), weights);
        assert_eq!(sizes(call), [800, 4 * (800 + 48), 0].map(Some));
    }

    #[test]
    fn sizes_that_depend_on_the_data_are_not_known() {
        let input = CallSize::input("image", &Shape::new(&[Shape::NONE, 3]));
        assert_eq!(sizes(input), [Some(0), None, Some(0)]);
        let conv = Conv2D::new(Size::new(&[4]), Size::new(&[3]));
        let any = [Shape::new(&[Shape::NONE, Shape::NONE, 3])];
        let weights = Some(conv.weights(&any));
        let call = CallSize::call("conv2d", &conv.output_shape(&any), weights);
        assert_eq!(sizes(call), [Some(112), None, None]);
        let call = CallSize::call("dense", &Ok(Shape::new(&[3])), None);
        assert_eq!(sizes(call), [None; 3]);
    }

    #[test]
    #[should_panic(
        expected = "Model `one` takes 12 bytes for a sample, more than the 11 of max_memory. Its largest layer is `x` with 12."
    )]
    fn a_limit_is_a_limit() {
        let input = CallSize::input("x", &Shape::new(&[3]));
        check_budget(Budget::Memory, "one", 12, &[input]);
        check_budget(Budget::Memory, "one", 11, &[input]);
    }
}
