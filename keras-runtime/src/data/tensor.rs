//! dfdx tensors as data: their first axis counts the samples.

use dfdx::shapes::{HasShape, Shape as DfdxShape, Unit};
use dfdx::tensor::Tensor;

use super::columns::{Columns, IntoColumns};
use super::table::{Element, IntoTable, Table, table};
use crate::device::Cpu;
use crate::error::Result;

impl<'a, S: DfdxShape, E: Element + Unit> IntoTable<'a> for &Tensor<S, E, Cpu> {
    fn into_table(self) -> Result<Table<'a>> {
        let values: Vec<f32> = self.as_vec().into_iter().map(Element::to_f32).collect();
        let dims: Vec<usize> = self.shape().concrete().into_iter().collect();
        table(values.into(), &dims)
    }
}

impl<'a, S: DfdxShape, E: Element + Unit> IntoColumns<'a> for &Tensor<S, E, Cpu> {
    fn into_columns(self) -> Result<Columns<'a>> {
        Ok(Columns::new(vec![self.into_table()?]))
    }
}
