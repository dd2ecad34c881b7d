//! The arguments, the shape rule and the geometry that the pooling layers have in common.

use super::windows::{Windows, one_image};
use crate::device::{Axis, Pool2dGeometry};
use crate::shape::{Shape, ShapeError};

/// The constructor, the arguments and the rules of a layer with a field `windows`.
macro_rules! pool_arguments {
    ($layer:literal) => {
        /// A layer with windows of `pool_size`, side by side.
        ///
        /// # Panics
        /// If `pool_size` is not one or two positive numbers; in a model this is a compile error.
        #[track_caller]
        pub const fn new(pool_size: Size) -> Self {
            let size = pool_size.pair($layer, "pool_size");
            Self {
                windows: Windows::new(size, size),
            }
        }

        /// The distance between neighbouring windows; `pool_size` by default.
        ///
        /// # Panics
        /// If it is not one or two positive numbers.
        #[must_use]
        #[track_caller]
        pub const fn strides(mut self, strides: Size) -> Self {
            self.windows.strides = strides.pair($layer, "strides");
            self
        }

        /// Whether windows stay inside the image, `valid`, as they do by default; or `same`.
        #[must_use]
        pub const fn padding(mut self, padding: Padding) -> Self {
            self.windows.padding = padding;
            self
        }

        /// (rows, columns, channels) -> (new rows, new columns, channels).
        ///
        /// # Errors
        /// If the input is no image, or has no room for a window.
        pub const fn output_shape(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
            $crate::layers::pool::output_shape(&self.windows, inputs)
        }

        /// None.
        pub const fn weights(&self, _inputs: &[Shape]) -> Weights {
            Weights::NONE
        }
    };
}
pub(super) use pool_arguments;

/// The constructor, the argument and the rules of a layer with a field `keepdims`.
macro_rules! global_pool_arguments {
    () => {
        /// A layer over the whole image.
        pub const fn new() -> Self {
            Self { keepdims: false }
        }

        /// Whether the output keeps the two axes, of size 1; it does not by default.
        #[must_use]
        pub const fn keepdims(mut self, keepdims: bool) -> Self {
            self.keepdims = keepdims;
            self
        }

        /// (rows, columns, channels) -> (channels,) or (1, 1, channels).
        ///
        /// # Errors
        /// If the input is no image.
        pub const fn output_shape(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
            $crate::layers::pool::global_output_shape(self.keepdims, inputs)
        }

        /// None.
        pub const fn weights(&self, _inputs: &[Shape]) -> Weights {
            Weights::NONE
        }
    };
}
pub(super) use global_pool_arguments;

/// (rows, columns, channels) -> (new rows, new columns, channels).
pub(super) const fn output_shape(windows: &Windows, inputs: &[Shape]) -> Result<Shape, ShapeError> {
    match one_image(inputs) {
        Ok(Some(image)) => windows.output_shape(&image, image.last(), "pool_size"),
        Ok(None) => Ok(Shape::UNKNOWN),
        Err(error) => Err(error),
    }
}

/// (rows, columns, channels) -> (channels,) or (1, 1, channels).
pub(super) const fn global_output_shape(
    keepdims: bool,
    inputs: &[Shape],
) -> Result<Shape, ShapeError> {
    match one_image(inputs) {
        Ok(Some(image)) if keepdims => Ok(Shape::new(&[1, 1, image.last()])),
        Ok(Some(image)) => Ok(Shape::new(&[image.last()])),
        Ok(None) => Ok(Shape::UNKNOWN),
        Err(error) => Err(error),
    }
}

/// The windows of a layer on an image.
pub(super) fn geometry(windows: &Windows, image: &Shape) -> Option<Pool2dGeometry> {
    let (rows, columns) = windows.axes(image)?;
    Some(Pool2dGeometry {
        rows,
        columns,
        channels: image.last(),
    })
}

/// One window as large as the image.
pub(super) fn global_geometry(image: &Shape) -> Pool2dGeometry {
    Pool2dGeometry {
        rows: Axis::whole(image.dim(0)),
        columns: Axis::whole(image.dim(1)),
        channels: image.last(),
    }
}

#[cfg(test)]
mod tests {
    use crate::arg::Size;
    use crate::device::Cpu;
    use crate::layers::{
        AveragePooling2D, GlobalAveragePooling2D, GlobalMaxPooling2D, MaxPooling2D, Padding,
    };
    use crate::shape::Shape;
    use crate::testing;

    #[test]
    fn the_rule_speaks_keras() {
        let layer = MaxPooling2D::new(Size::new(&[3]));
        let error = layer.output_shape(&[Shape::new(&[2, 2, 8])]).unwrap_err();
        assert_eq!(
            error.message(),
            "pool_size 3 is larger than its input (2, 2, 8); \
             use padding = same or a smaller pool"
        );
        let error = GlobalMaxPooling2D::new()
            .output_shape(&[Shape::new(&[8])])
            .unwrap_err();
        assert_eq!(
            error.message(),
            "input is incompatible with the layer: expected ndim=4, found ndim=2. \
             Full shape received: (None, 8)"
        );
    }

    #[test]
    fn unknown_sizes_are_carried_through() {
        let image = [Shape::new(&[Shape::NONE, 7, 3])];
        let layer = AveragePooling2D::new(Size::new(&[2]));
        let shape = |dims| Shape::new(dims);
        assert_eq!(
            layer.output_shape(&image).unwrap(),
            shape(&[Shape::NONE, 3, 3])
        );
        let layer = GlobalAveragePooling2D::new();
        assert_eq!(layer.output_shape(&image).unwrap(), shape(&[3]));
        let layer = layer.keepdims(true);
        assert_eq!(layer.output_shape(&image).unwrap(), shape(&[1, 1, 3]));
    }

    #[test]
    fn their_gradients_are_those_of_differences() {
        let pair = |a, b| Size::new(&[a, b]);
        let image = [Shape::new(&[5, 4, 10])];
        for (size, strides, padding) in [
            (pair(2, 2), pair(2, 2), Padding::Valid),
            (pair(3, 2), pair(1, 2), Padding::Valid),
            (pair(2, 3), pair(3, 1), Padding::Same),
            (pair(3, 3), pair(2, 2), Padding::Same),
        ] {
            let layer = MaxPooling2D::new(size).strides(strides).padding(padding);
            testing::layer!(layer, image).unwrap().check_gradients(2);
            let layer = AveragePooling2D::new(size)
                .strides(strides)
                .padding(padding);
            testing::layer!(layer, image).unwrap().check_gradients(2);
        }
        let layer = GlobalMaxPooling2D::new();
        testing::layer!(layer, image).unwrap().check_gradients(2);
        let layer = GlobalAveragePooling2D::new().keepdims(true);
        testing::layer!(layer, image).unwrap().check_gradients(2);
    }

    #[test]
    fn of_equal_values_the_first_has_the_gradient() {
        let layer = MaxPooling2D::new(Size::new(&[2])).strides(Size::new(&[1]));
        let test = testing::layer!(layer, [Shape::new(&[2, 3, 1])]).unwrap();
        let x = vec![0.0, 5.0, 5.0, 5.0, 1.0, -1.0];
        let run = test.backward::<Cpu>(&[x], &[], &[10.0, 1.0]).unwrap();
        assert_eq!(run.output, [5.0, 5.0]);
        assert_eq!(run.d_inputs[0], [0.0, 11.0, 0.0, 0.0, 0.0, 0.0]);
    }

    #[test]
    fn what_is_beside_the_image_does_not_count() {
        let layer = AveragePooling2D::new(Size::new(&[2])).padding(Padding::Same);
        let test = testing::layer!(layer, [Shape::new(&[1, 3, 1])]).unwrap();
        let run = test.forward::<Cpu>(&[vec![1.0, 3.0, 8.0]], &[]).unwrap();
        assert_eq!(run.output, [2.0, 8.0]);
    }
}
