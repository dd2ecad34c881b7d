//! One argument, several forms, in constants: `3` or `(2, 3)` for a kernel size.
//!
//! Traits do not convert in constants on stable Rust, inherent methods do: the macros wrap an
//! argument as `Arg(e).get()`, and rustc picks the `get` of its concrete type.

use crate::constraints::Constraint;
use crate::device::Activation;
use crate::initializers::Initializer;
use crate::layers::Padding;
use crate::regularizers::Regularizer;
use crate::shape::Text;

/// An argument of a layer as the user wrote it.
pub struct Arg<T>(
    /// The value.
    pub T,
);

/// One or several whole numbers: units, a kernel size, strides, an axis, a target shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    values: [isize; Size::MAX],
    len: u8,
}

impl Size {
    /// The most numbers that fit.
    pub const MAX: usize = 6;

    /// The numbers as given.
    ///
    /// # Panics
    /// If there are more than six.
    pub const fn new(values: &[isize]) -> Size {
        assert!(values.len() <= Self::MAX, "at most six numbers fit here");
        let mut size = Size {
            values: [0; Self::MAX],
            len: values.len() as u8,
        };
        let mut i = 0;
        while i < values.len() {
            size.values[i] = values[i];
            i += 1;
        }
        size
    }

    /// How many numbers there are.
    pub const fn count(&self) -> usize {
        self.len as usize
    }

    /// The number at `index`.
    pub const fn get(&self, index: usize) -> isize {
        self.values[index]
    }

    /// The one number of an argument that must be positive, such as `units`.
    ///
    /// # Panics
    /// With Keras' sentence, if it is not one positive number.
    #[track_caller]
    pub const fn positive(&self, layer: &str, argument: &str) -> usize {
        if self.len != 1 {
            let text = Text::new()
                .str(layer)
                .str(": ")
                .str(argument)
                .str(" must be one number. Received: ");
            panic!("{}", self.write(text).as_str());
        }
        if self.values[0] <= 0 {
            let text = Text::new()
                .str("Received an invalid value for `")
                .str(argument)
                .str("`, expected a positive integer. Received: ")
                .str(argument)
                .str("=");
            panic!("{}", self.write(text).as_str());
        }
        self.values[0] as usize
    }

    /// The two numbers of an argument such as `kernel_size`; one number stands for both.
    ///
    /// # Panics
    /// With Keras' sentence, if they are not one or two positive numbers.
    #[track_caller]
    pub const fn pair(&self, layer: &str, argument: &str) -> (usize, usize) {
        let (first, second) = match self.len {
            1 => (self.values[0], self.values[0]),
            2 => (self.values[0], self.values[1]),
            _ => (0, 0),
        };
        if first <= 0 || second <= 0 {
            let text = Text::new()
                .str(layer)
                .str(": The `")
                .str(argument)
                .str("` argument must be one or two positive integers. Received: ")
                .str(argument)
                .str("=");
            panic!("{}", self.write(text).as_str());
        }
        (first as usize, second as usize)
    }

    /// The one whole number of an argument such as `axis`.
    ///
    /// # Panics
    /// If there is more than one.
    #[track_caller]
    pub const fn single(&self, layer: &str, argument: &str) -> isize {
        if self.len != 1 {
            let text = Text::new()
                .str(layer)
                .str(": ")
                .str(argument)
                .str(" must be one number. Received: ");
            panic!("{}", self.write(text).as_str());
        }
        self.values[0]
    }

    /// Appends `3` or `(2, 3)` to a text.
    pub const fn write(&self, text: Text) -> Text {
        if self.len == 1 {
            return text.int(self.values[0]);
        }
        let mut text = text.str("(");
        let mut i = 0;
        while i < self.len as usize {
            if i > 0 {
                text = text.str(", ");
            }
            text = text.int(self.values[i]);
            i += 1;
        }
        text.str(")")
    }
}

macro_rules! whole_numbers {
    ($($int:ty)*) => {$(
        impl Arg<$int> {
            /// One number.
            pub const fn get(self) -> Size {
                Size::new(&[self.0 as isize])
            }
        }
        impl Arg<($int,)> {
            /// One number in a tuple, as Keras allows it.
            pub const fn get(self) -> Size {
                Size::new(&[self.0.0 as isize])
            }
        }
        impl Arg<($int, $int)> {
            /// Two numbers.
            pub const fn get(self) -> Size {
                Size::new(&[self.0.0 as isize, self.0.1 as isize])
            }
        }
        impl Arg<($int, $int, $int)> {
            /// Three numbers.
            pub const fn get(self) -> Size {
                Size::new(&[self.0.0 as isize, self.0.1 as isize, self.0.2 as isize])
            }
        }
        impl Arg<($int, $int, $int, $int)> {
            /// Four numbers.
            pub const fn get(self) -> Size {
                Size::new(&[self.0.0 as isize, self.0.1 as isize, self.0.2 as isize, self.0.3 as isize])
            }
        }
        impl<const N: usize> Arg<[$int; N]> {
            /// Up to six numbers.
            pub const fn get(self) -> Size {
                let mut values = [0isize; N];
                let mut i = 0;
                while i < N {
                    values[i] = self.0[i] as isize;
                    i += 1;
                }
                Size::new(&values)
            }
        }
    )*};
}

whole_numbers! { usize u64 u32 u16 u8 isize i64 i32 i16 i8 }

macro_rules! as_it_is {
    ($($ty:ty)*) => {$(
        impl Arg<$ty> {
            /// The value itself.
            pub const fn get(self) -> $ty {
                self.0
            }
        }
    )*};
}

as_it_is! { f32 bool &'static str Size Activation Padding Initializer Regularizer Constraint }

impl Arg<f64> {
    /// The nearest `f32`.
    pub const fn get(self) -> f32 {
        self.0 as f32
    }
}
