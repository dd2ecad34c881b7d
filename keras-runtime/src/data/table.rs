//! Rows of numbers on the host, from ndarray arrays of any rank and element type.

use std::borrow::Cow;

use ndarray::{ArrayBase, Data, Dimension};

use crate::error::{Error, Result};
use crate::shape::Shape;

/// Rows of numbers on the host: one array, its first axis counting the samples.
#[derive(Clone, Debug)]
pub struct Table<'a> {
    /// The numbers: (rows, ..shape).
    pub values: Cow<'a, [f32]>,
    /// The shape of one row.
    pub shape: Shape,
    /// The number of rows.
    pub rows: usize,
}

impl Table<'_> {
    /// The same table with rows of rank 1 where they are single numbers: Keras reads an array of
    /// shape (n,) as (n, 1).
    #[must_use]
    pub fn expanded(mut self) -> Self {
        if self.shape == Shape::SCALAR {
            self.shape = Shape::new(&[1]);
        }
        self
    }

    /// The rows before `at`, and the others.
    pub(crate) fn split(self, at: usize) -> (Self, Self) {
        let cut = at * self.shape.size();
        let (first, second) = match self.values {
            Cow::Borrowed(values) => {
                let (first, second) = values.split_at(cut);
                (Cow::Borrowed(first), Cow::Borrowed(second))
            }
            Cow::Owned(mut values) => {
                let second = values.split_off(cut);
                (Cow::Owned(values), Cow::Owned(second))
            }
        };
        let table = |values, rows| Self {
            values,
            shape: self.shape,
            rows,
        };
        (table(first, at), table(second, self.rows - at))
    }
}

/// What can be a number of a table: it is converted to `f32`, as Keras does.
pub trait Element: Copy + 'static {
    /// The nearest `f32`.
    fn to_f32(self) -> f32;
    /// The numbers themselves, if they are `f32`.
    fn as_f32(values: &[Self]) -> Option<&[f32]> {
        let _ = values;
        None
    }
}

impl Element for f32 {
    fn to_f32(self) -> f32 {
        self
    }
    fn as_f32(values: &[Self]) -> Option<&[f32]> {
        Some(values)
    }
}

impl Element for bool {
    fn to_f32(self) -> f32 {
        f32::from(u8::from(self))
    }
}

macro_rules! elements {
    ($($ty:ty)*) => {$(
        impl Element for $ty {
            fn to_f32(self) -> f32 {
                self as f32
            }
        }
    )*};
}

elements! { f64 u8 u16 u32 u64 usize i8 i16 i32 i64 isize }

/// What can be a table: an ndarray array or view, owned or borrowed. A borrowed array of `f32` in
/// standard layout is not copied.
pub trait IntoTable<'a> {
    /// The table.
    ///
    /// # Errors
    /// If the array has no axis that counts the samples, or more axes than a model can take.
    fn into_table(self) -> Result<Table<'a>>;
}

impl<'a, A: Element, S: Data<Elem = A>, D: Dimension> IntoTable<'a> for &'a ArrayBase<S, D> {
    fn into_table(self) -> Result<Table<'a>> {
        let values = match self.as_slice().and_then(A::as_f32) {
            Some(values) => Cow::Borrowed(values),
            None => Cow::Owned(self.iter().map(|&value| value.to_f32()).collect()),
        };
        table(values, self.shape())
    }
}

impl<'a, A: Element, S: Data<Elem = A>, D: Dimension> IntoTable<'a> for ArrayBase<S, D> {
    fn into_table(self) -> Result<Table<'a>> {
        let values = self.iter().map(|&value| value.to_f32()).collect();
        table(Cow::Owned(values), self.shape())
    }
}

/// A table of an array's numbers, in row-major order.
pub(super) fn table<'a>(values: Cow<'a, [f32]>, dims: &[usize]) -> Result<Table<'a>> {
    let Some((&rows, shape)) = dims.split_first() else {
        return Err(Error::value(
            "Data must be an array whose first axis counts the samples. Received: an array without axes",
        ));
    };
    if shape.len() > Shape::MAX_RANK {
        return Err(Error::value(format!(
            "A sample has at most {} axes. Received: an array of shape {dims:?}",
            Shape::MAX_RANK
        )));
    }
    Ok(Table {
        values,
        shape: Shape::new(shape),
        rows,
    })
}

#[cfg(test)]
mod tests {
    use ndarray::{Array1, Array2, array};

    use super::*;

    #[test]
    fn an_array_in_standard_layout_is_borrowed_and_a_transposed_one_copied() -> Result<()> {
        let x: Array2<f32> = array![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]];
        assert!(matches!((&x).into_table()?.values, Cow::Borrowed(_)));
        let transposed = x.t().into_table()?;
        assert_eq!(&*transposed.values, [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
        assert_eq!((transposed.rows, transposed.shape), (3, Shape::new(&[2])));
        Ok(())
    }

    #[test]
    fn other_numbers_become_f32_and_single_numbers_rows_of_one() -> Result<()> {
        let labels: Array1<u8> = array![3, 0, 255];
        let table = (&labels).into_table()?;
        assert_eq!(
            (table.shape, &*table.values),
            (Shape::SCALAR, &[3.0, 0.0, 255.0][..])
        );
        assert_eq!(table.expanded().shape, Shape::new(&[1]));
        Ok(())
    }

    #[test]
    fn an_array_without_axes_is_no_data() {
        let error = ndarray::arr0(1.0f32).into_table().map(|_| ()).unwrap_err();
        assert!(error.to_string().contains("first axis counts the samples"));
    }
}
