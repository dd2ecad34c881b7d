//! Several tables side by side: the inputs of a model, its targets, its sample weights.

use ndarray::{ArrayBase, Dimension};

use super::source::{Data, IntoData};
use super::table::{Element, IntoTable, Table};
use crate::error::{Error, Result};

/// Tables with the same number of rows, in the order given or with names.
#[derive(Clone, Debug, Default)]
pub struct Columns<'a> {
    /// The tables.
    pub tables: Vec<Table<'a>>,
    /// Their names, if they have any.
    names: Vec<String>,
}

impl<'a> Columns<'a> {
    /// Tables in the order of a model's inputs or outputs.
    pub fn new(tables: Vec<Table<'a>>) -> Self {
        Self {
            tables,
            names: Vec::new(),
        }
    }

    /// Whether the tables have names.
    pub fn is_named(&self) -> bool {
        !self.names.is_empty()
    }

    /// The number of rows of the first table.
    pub fn rows(&self) -> usize {
        self.tables.first().map_or(0, |table| table.rows)
    }

    /// The tables in the order of the `expected` names; `what` they are for stands in the error.
    ///
    /// # Errors
    /// If the number of tables is another, or a name is missing.
    pub fn ordered(self, what: &str, expected: &[&str]) -> Result<Vec<Table<'a>>> {
        if !self.is_named() {
            if self.tables.len() != expected.len() {
                return Err(Error::value(format!(
                    "Expected data for {} {what}(s): {expected:?}. Received: {} arrays.",
                    expected.len(),
                    self.tables.len()
                )));
            }
            return Ok(self.tables);
        }
        let mut tables: Vec<Option<Table<'a>>> = self.tables.into_iter().map(Some).collect();
        let mut ordered = Vec::with_capacity(expected.len());
        for name in expected {
            let at = self.names.iter().position(|given| given == name);
            match at.and_then(|at| tables[at].take()) {
                Some(table) => ordered.push(table),
                None => {
                    return Err(Error::value(format!(
                        "Missing data for {what} \"{name}\". You passed data with the names {:?}. Expected the \
                         following names: {expected:?}",
                        self.names
                    )));
                }
            }
        }
        match self
            .names
            .iter()
            .zip(&tables)
            .find(|(_, table)| table.is_some())
        {
            Some((name, _)) => Err(Error::value(format!(
                "There is no {what} \"{name}\". Expected the following names: {expected:?}.{}",
                Error::suggestion(name, expected)
            ))),
            None => Ok(ordered),
        }
    }

    /// The same tables, without copying them.
    pub(crate) fn borrowed(&self) -> Columns<'_> {
        let tables = self.tables.iter().map(|table| Table {
            values: (&*table.values).into(),
            shape: table.shape,
            rows: table.rows,
        });
        Columns {
            tables: tables.collect(),
            names: self.names.clone(),
        }
    }

    /// The rows before `at`, and the others.
    pub(crate) fn split(self, at: usize) -> (Self, Self) {
        let (first, second) = self.tables.into_iter().map(|table| table.split(at)).unzip();
        let names = self.names.clone();
        (
            Self {
                tables: first,
                names: self.names,
            },
            Self {
                tables: second,
                names,
            },
        )
    }
}

/// What can be the inputs or the targets of a model: one array; a tuple, an array or a `Vec` of
/// them; or pairs of a name and an array.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an input of a model",
    label = "expected an ndarray array, or a tuple of arrays for several inputs"
)]
pub trait IntoColumns<'a> {
    /// The tables.
    ///
    /// # Errors
    /// If one of them is no table.
    fn into_columns(self) -> Result<Columns<'a>>;

    /// The same as data for `predict`.
    ///
    /// # Errors
    /// As [`into_columns`](Self::into_columns).
    fn into_inputs(self) -> Result<Data<'a>>
    where
        Self: Sized,
    {
        (self.into_columns()?,).into_data()
    }
}

impl<'a, A: Element, S: ndarray::Data<Elem = A>, D: Dimension> IntoColumns<'a>
    for &'a ArrayBase<S, D>
{
    fn into_columns(self) -> Result<Columns<'a>> {
        Ok(Columns::new(vec![self.into_table()?]))
    }
}

impl<'a, A: Element, S: ndarray::Data<Elem = A>, D: Dimension> IntoColumns<'a> for ArrayBase<S, D> {
    fn into_columns(self) -> Result<Columns<'a>> {
        Ok(Columns::new(vec![self.into_table()?]))
    }
}

impl<'a> IntoColumns<'a> for Columns<'a> {
    fn into_columns(self) -> Result<Columns<'a>> {
        Ok(self)
    }
}

impl<'a, T: IntoTable<'a>> IntoColumns<'a> for Vec<T> {
    fn into_columns(self) -> Result<Columns<'a>> {
        let tables = self.into_iter().map(T::into_table).collect::<Result<_>>()?;
        Ok(Columns::new(tables))
    }
}

impl<'a, T: IntoTable<'a>, const N: usize> IntoColumns<'a> for [T; N] {
    fn into_columns(self) -> Result<Columns<'a>> {
        Vec::from(self).into_columns()
    }
}

impl<'a, T: IntoTable<'a>, const N: usize> IntoColumns<'a> for [(&str, T); N] {
    fn into_columns(self) -> Result<Columns<'a>> {
        let mut columns = Columns::default();
        for (name, table) in self {
            columns.names.push(name.to_owned());
            columns.tables.push(table.into_table()?);
        }
        Ok(columns)
    }
}

macro_rules! tuples {
    ($(($($name:ident)+))+) => {$(
        impl<'a, $($name: IntoTable<'a>),+> IntoColumns<'a> for ($($name,)+) {
            #[allow(non_snake_case)]
            fn into_columns(self) -> Result<Columns<'a>> {
                let ($($name,)+) = self;
                Ok(Columns::new(vec![$($name.into_table()?),+]))
            }
        }
    )+};
}

tuples! { (A) (A B) (A B C) (A B C E) (A B C E F) (A B C E F G) (A B C E F G H) (A B C E F G H I) }

#[cfg(test)]
mod tests {
    use ndarray::{Array1, arr1, arr2};

    use super::*;

    #[test]
    fn named_columns_come_in_the_order_of_the_model() -> Result<()> {
        let (a, b) = (arr1(&[1.0f32, 2.0]), arr1(&[3.0f32, 4.0]));
        let columns = [("b", &b), ("a", &a)].into_columns()?;
        let tables = columns.clone().ordered("input", &["a", "b"])?;
        assert_eq!(tables[0].values[0], 1.0);
        let error = columns
            .ordered("input", &["a", "c"])
            .unwrap_err()
            .to_string();
        let expected = "Missing data for input \"c\". You passed data with the names [\"b\", \"a\"]. Expected the \
                        following names: [\"a\", \"c\"]";
        assert_eq!(error, expected);
        Ok(())
    }

    #[test]
    fn a_tuple_may_mix_ranks_and_types() -> Result<()> {
        let labels: Array1<i64> = arr1(&[1, 0]);
        let columns = (arr2(&[[1.0f32], [2.0]]), labels).into_columns()?;
        assert_eq!((columns.tables.len(), columns.rows()), (2, 2));
        let error = columns.ordered("input", &["a"]).unwrap_err().to_string();
        assert!(error.contains("Received: 2 arrays"), "{error}");
        Ok(())
    }
}
