//! `y = activation(x · kernel + bias)`: what layers have in common whose product is their own.

use super::{Backward, Forward, Logits, Weight, Weights};
use crate::constraints::Constraint;
use crate::device::{Activation, Device};
use crate::initializers::Initializer;
use crate::regularizers::Regularizer;
use crate::shape::{Shape, Text};

/// The arguments of such a layer, except those of its product.
#[derive(Clone, Copy, Debug)]
pub(super) struct Affine {
    pub activation: Activation,
    pub use_bias: bool,
    pub kernel_initializer: Initializer,
    pub bias_initializer: Initializer,
    pub kernel_regularizer: Regularizer,
    pub bias_regularizer: Regularizer,
    pub activity_regularizer: Regularizer,
    pub kernel_constraint: Constraint,
    pub bias_constraint: Constraint,
}

/// The builder methods of a layer with a field `affine`.
macro_rules! affine_arguments {
    () => {
        /// The function applied to the output; none by default.
        ///
        /// # Panics
        /// If it is `glu`, which halves the last axis; in a model this is a compile error.
        #[must_use]
        #[track_caller]
        pub const fn activation(mut self, activation: Activation) -> Self {
            self.affine.activation = activation;
            if let Some(mistake) = self.affine.mistake() {
                panic!("{}", mistake.as_str());
            }
            self
        }

        /// Whether a bias is added; it is by default.
        #[must_use]
        pub const fn use_bias(mut self, use_bias: bool) -> Self {
            self.affine.use_bias = use_bias;
            self
        }

        /// How the kernel begins; `glorot_uniform` by default.
        #[must_use]
        pub const fn kernel_initializer(mut self, initializer: Initializer) -> Self {
            self.affine.kernel_initializer = initializer;
            self
        }

        /// How the bias begins; `zeros` by default.
        #[must_use]
        pub const fn bias_initializer(mut self, initializer: Initializer) -> Self {
            self.affine.bias_initializer = initializer;
            self
        }

        /// The penalty on the kernel that is added to the loss; none by default.
        #[must_use]
        pub const fn kernel_regularizer(
            mut self,
            regularizer: $crate::regularizers::Regularizer,
        ) -> Self {
            self.affine.kernel_regularizer = regularizer;
            self
        }

        /// The penalty on the bias that is added to the loss; none by default.
        #[must_use]
        pub const fn bias_regularizer(
            mut self,
            regularizer: $crate::regularizers::Regularizer,
        ) -> Self {
            self.affine.bias_regularizer = regularizer;
            self
        }

        /// The penalty on the output, over the samples of a batch, that is added to the loss; none
        /// by default.
        #[must_use]
        pub const fn activity_regularizer(
            mut self,
            regularizer: $crate::regularizers::Regularizer,
        ) -> Self {
            self.affine.activity_regularizer = regularizer;
            self
        }

        /// What the kernel has to be after each step; anything by default.
        #[must_use]
        pub const fn kernel_constraint(
            mut self,
            constraint: $crate::constraints::Constraint,
        ) -> Self {
            self.affine.kernel_constraint = constraint;
            self
        }

        /// What the bias has to be after each step; anything by default.
        #[must_use]
        pub const fn bias_constraint(
            mut self,
            constraint: $crate::constraints::Constraint,
        ) -> Self {
            self.affine.bias_constraint = constraint;
            self
        }
    };
}
pub(super) use affine_arguments;

/// A product to compute: `y = x · kernel (+ bias) (then relu)`.
pub(super) struct Product<'a, 'w, D: Device> {
    pub device: &'a D,
    pub x: D::Slice<'a>,
    pub kernel: D::Slice<'a>,
    pub bias: Option<D::Slice<'a>>,
    pub relu: bool,
    pub y: D::SliceMut<'w>,
    pub scratch: D::SliceMut<'w>,
}

/// The gradients of a product to compute; `None` where nobody needs one.
pub(super) struct Gradients<'a, D: Device> {
    pub device: &'a D,
    pub x: D::Slice<'a>,
    pub kernel: D::Slice<'a>,
    /// What comes after the product and is not yet dealt with in `d_y`.
    pub activation: Activation,
    pub y: D::Slice<'a>,
    pub d_y: D::SliceMut<'a>,
    pub d_kernel: Option<D::SliceMut<'a>>,
    pub d_bias: Option<D::SliceMut<'a>>,
    pub d_x: Option<D::SliceMut<'a>>,
    pub scratch: D::SliceMut<'a>,
    kept: D::SliceMut<'a>,
    units: usize,
}

impl Affine {
    /// Keras' defaults.
    pub const DEFAULT: Affine = Affine {
        activation: Activation::Linear,
        use_bias: true,
        kernel_initializer: Initializer::GlorotUniform,
        bias_initializer: Initializer::Zeros,
        kernel_regularizer: Regularizer::None,
        bias_regularizer: Regularizer::None,
        activity_regularizer: Regularizer::None,
        kernel_constraint: Constraint::None,
        bias_constraint: Constraint::None,
    };

    /// What is wrong with the arguments.
    pub const fn mistake(&self) -> Option<Text> {
        if self.activation.keeps_shape() {
            return None;
        }
        let text = "glu halves the last axis and has to be a layer of its own, Activation(glu). ";
        Some(Text::new().str(text).str("Received: activation=glu"))
    }

    /// kernel, bias (units,): the last axis of the kernel is that of the units.
    pub const fn weights(&self, kernel: Shape) -> Weights {
        let weight = Weight::new("kernel", kernel, self.kernel_initializer)
            .regularizer(self.kernel_regularizer)
            .constraint(self.kernel_constraint);
        let weights = Weights::NONE.with(weight);
        if !self.use_bias {
            return weights;
        }
        let bias = Shape::new(&[kernel.last()]);
        let weight = Weight::new("bias", bias, self.bias_initializer)
            .regularizer(self.bias_regularizer)
            .constraint(self.bias_constraint);
        weights.with(weight)
    }

    /// The numbers kept for the backward pass.
    pub fn kept(&self, output: &Shape, batch: usize) -> usize {
        if self.keeps_logits() {
            batch * output.size()
        } else {
            0
        }
    }

    /// Whether `z = x · kernel + bias` has to be kept beside `y = activation(z)`.
    fn keeps_logits(&self) -> bool {
        self.activation.gradient_needs_input()
            || matches!(self.activation, Activation::Softmax | Activation::Sigmoid)
    }

    /// Where the input of the activation is. A penalty on the output needs the gradient of the
    /// output itself.
    pub fn logits(&self) -> Logits {
        if self.keeps_logits() && self.activity_regularizer.is_none() {
            Logits::Kept(self.activation)
        } else {
            Logits::None
        }
    }

    /// Writes the output. `product` is called once.
    pub fn forward<'a, D: Device>(
        &self,
        cx: Forward<'a, D>,
        product: impl FnOnce(Product<'a, '_, D>),
    ) {
        let [x] = cx.inputs else { return };
        let len = cx.batch * cx.output_shape.size();
        let units = cx.output_shape.last();
        let (mut logits, _) = D::split(cx.kept, if self.keeps_logits() { len } else { 0 });
        let (mut output, mut scratch) = (cx.output, cx.scratch);
        let relu = self.activation == Activation::Relu;
        product(Product {
            device: cx.device,
            x: x.data,
            kernel: cx.weights.get(0),
            bias: self.use_bias.then(|| cx.weights.get(1)),
            relu,
            y: D::reborrow(if self.keeps_logits() {
                &mut logits
            } else {
                &mut output
            }),
            scratch: D::reborrow(&mut scratch),
        });
        if self.keeps_logits() {
            let logits = D::read(&logits);
            cx.device.activate(self.activation, logits, output, units);
        } else if !relu && self.activation != Activation::Linear {
            cx.device.activate_in_place(self.activation, output, units);
        }
    }

    /// What a backward pass has to compute.
    pub fn gradients<'a, D: Device>(&self, mut cx: Backward<'a, D>) -> Option<Gradients<'a, D>> {
        let [x] = *cx.inputs else { return None };
        let d_x = cx.d_input(0);
        let (d_kernel, d_bias) = match cx.d_weights {
            Some(d_weights) => {
                let (d_kernel, rest) = d_weights.next();
                (Some(d_kernel), self.use_bias.then(|| rest.next().0))
            }
            None => (None, None),
        };
        Some(Gradients {
            device: cx.device,
            x: x.data,
            kernel: cx.weights.get(0),
            activation: if cx.from_logits {
                Activation::Linear
            } else {
                self.activation
            },
            y: cx.output,
            d_y: cx.d_output,
            d_kernel,
            d_bias,
            d_x,
            scratch: cx.scratch,
            kept: cx.kept,
            units: cx.output_shape.last(),
        })
    }
}

impl<D: Device> Gradients<'_, D> {
    /// Takes `d_y` through the activation, and the bias' gradient from it on the way.
    pub fn through_activation(&mut self) {
        let needs_input = self.activation.gradient_needs_input();
        self.device.bias_activation_gradient(
            self.activation,
            needs_input.then(|| D::read(&self.kept)),
            self.y,
            D::reborrow(&mut self.d_y),
            self.d_bias.take(),
            self.units,
        );
        self.activation = Activation::Linear;
    }
}
