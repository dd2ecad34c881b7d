//! Activation functions on whole views.

use super::host::on_hosts;
use super::{Activation, Memory, cpu};

/// Activation functions and their gradients. `width` is the length of the last axis: softmax and
/// its kin work along it. With [`Activation::Glu`] it is that of the input; the value has half of it.
pub trait Activations: Memory {
    /// `y = f(x)`.
    fn activate(&self, f: Activation, x: Self::Slice<'_>, y: Self::SliceMut<'_>, width: usize);
    /// `y = f(y)`; not for [`Activation::Glu`], which changes the shape.
    fn activate_in_place(&self, f: Activation, y: Self::SliceMut<'_>, width: usize);
    /// `dx = f'(x) dy`, from `y = f(x)` and, where `f` needs it, `x`.
    fn activation_gradient(
        &self,
        f: Activation,
        x: Option<Self::Slice<'_>>,
        y: Self::Slice<'_>,
        dy: Self::Slice<'_>,
        dx: Self::SliceMut<'_>,
        width: usize,
    );
    /// The gradient with regard to `z` of `y = f(z)`, `z = .. + bias`: `dy` becomes `dz`, and `db`
    /// (width) its sums over the rows.
    fn bias_activation_gradient(
        &self,
        f: Activation,
        z: Option<Self::Slice<'_>>,
        y: Self::Slice<'_>,
        dy: Self::SliceMut<'_>,
        db: Option<Self::SliceMut<'_>>,
        width: usize,
    );
}

on_hosts! {
    impl Activations {
        fn activate(&self, f: Activation, x: Self::Slice<'_>, y: Self::SliceMut<'_>, width: usize) {
            cpu::activation::activate(f, x, y, width);
        }
        fn activate_in_place(&self, f: Activation, y: Self::SliceMut<'_>, width: usize) {
            cpu::activation::activate_in_place(f, y, width);
        }
        fn activation_gradient(
            &self,
            f: Activation,
            x: Option<Self::Slice<'_>>,
            y: Self::Slice<'_>,
            dy: Self::Slice<'_>,
            dx: Self::SliceMut<'_>,
            width: usize,
        ) {
            cpu::activation::activation_gradient(f, x, y, dy, dx, width);
        }
        fn bias_activation_gradient(
            &self,
            f: Activation,
            z: Option<Self::Slice<'_>>,
            y: Self::Slice<'_>,
            dy: Self::SliceMut<'_>,
            db: Option<Self::SliceMut<'_>>,
            width: usize,
        ) {
            cpu::activation::activation_and_bias_gradient_in_place(f, z, y, dy, db, width);
        }
    }
}
