//! placeholder
/// Activation
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Activation {
    /// linear
    Linear,
    /// relu
    Relu,
    /// softmax
    Softmax,
    /// sigmoid
    Sigmoid,
}
impl Activation {
    /// y alone does not do
    pub const fn gradient_needs_input(&self) -> bool {
        false
    }
}
