//! What weights a layer has, known to rustc.

use crate::constraints::Constraint;
use crate::initializers::Initializer;
use crate::regularizers::Regularizer;
use crate::shape::{Shape, ShapeError, Text, check};

/// One weight of a layer.
#[derive(Clone, Copy, Debug)]
pub struct Weight {
    /// Its name in Keras, such as `kernel`.
    pub name: &'static str,
    /// Its shape; it has no batch axis.
    pub shape: Shape,
    /// How it begins.
    pub initializer: Initializer,
    /// The penalty on it that is added to the loss.
    pub regularizer: Regularizer,
    /// What it has to be after each step.
    pub constraint: Constraint,
    /// Whether training changes it by its gradient; a moving average is not.
    pub trainable: bool,
}

impl Weight {
    /// A weight that is trained.
    pub const fn new(name: &'static str, shape: Shape, initializer: Initializer) -> Self {
        Self {
            name,
            shape,
            initializer,
            regularizer: Regularizer::None,
            constraint: Constraint::None,
            trainable: true,
        }
    }

    /// A weight that the layer updates by itself.
    pub const fn state(name: &'static str, shape: Shape, initializer: Initializer) -> Self {
        Self {
            trainable: false,
            ..Self::new(name, shape, initializer)
        }
    }

    /// The same with a penalty that is added to the loss.
    #[must_use]
    pub const fn regularizer(mut self, regularizer: Regularizer) -> Self {
        self.regularizer = regularizer;
        self
    }

    /// The same with what it has to be after each step.
    #[must_use]
    pub const fn constraint(mut self, constraint: Constraint) -> Self {
        self.constraint = constraint;
        self
    }
}

/// The weights of a layer in Keras' order: trained ones first.
#[derive(Clone, Copy, Debug)]
pub struct Weights {
    list: [Weight; Weights::MAX],
    len: usize,
}

impl Weights {
    /// The most weights that one layer can have.
    pub const MAX: usize = 12;
    /// No weights.
    pub const NONE: Weights = Weights {
        list: [Weight::new("", Shape::SCALAR, Initializer::Zeros); Weights::MAX],
        len: 0,
    };

    /// Adds a weight.
    ///
    /// # Panics
    /// If there are more than [`Weights::MAX`], or a trained one comes after one that is not.
    #[must_use]
    pub const fn with(mut self, weight: Weight) -> Weights {
        assert!(self.len < Weights::MAX, "a layer has at most 12 weights");
        assert!(
            !weight.trainable || self.len == 0 || self.list[self.len - 1].trainable,
            "trained weights come before those that the layer updates itself"
        );
        self.list[self.len] = weight;
        self.len += 1;
        self
    }

    /// How many there are.
    pub const fn count(&self) -> usize {
        self.len
    }

    /// The weight at `index`.
    pub const fn get(&self, index: usize) -> &Weight {
        &self.list[index]
    }

    /// The numbers of all of them together; `None` if a size is not known.
    pub const fn size(&self) -> Option<usize> {
        let (mut sum, mut at) = (0, 0);
        while at < self.len {
            match self.list[at].shape.len() {
                Some(len) => sum += len,
                None => return None,
            }
            at += 1;
        }
        Some(sum)
    }

    /// All of them.
    pub fn iter(&self) -> std::slice::Iter<'_, Weight> {
        self.list[..self.len].iter()
    }
}

/// Stops the compilation if a layer that is called more than once would need other weights for
/// the later call.
///
/// # Panics
/// With Keras' sentence. Generated code calls this in constants only.
#[track_caller]
pub const fn check_shared(
    class: &str,
    name: &str,
    first_inputs: &[Shape],
    first: &Weights,
    inputs: &[Shape],
    weights: &Weights,
) {
    let mut i = 0;
    while i < first.len && i < weights.len {
        if !first.list[i].shape.accepts(&weights.list[i].shape) {
            let text = Text::new()
                .str("called before on input of shape ")
                .batched(&first_inputs[0]);
            let text = text.str(", it shares its weights with this call and cannot take shape ");
            let error: Result<Shape, ShapeError> = Err(ShapeError::new(text.batched(&inputs[0])));
            check(&error, class, name);
        }
        i += 1;
    }
}
