//! Losses as `compile` takes them: an object or a name, one for all outputs or one for each.

use std::sync::Arc;

use super::{Loss, LossCatalogue, by_name, is_known};
use crate::config::{Json, function};
use crate::device::Device;
use crate::error::{Error, Result};

/// What [`Compile::new`](crate::model::Compile::new) takes as a loss: an object or a name.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a loss",
    label = "expected a loss such as `MeanSquaredError::new()`, or its name in Keras"
)]
pub trait IntoLoss<D: Device> {
    /// The loss.
    ///
    /// # Errors
    /// If there is no loss of this name.
    fn into_loss(self) -> Result<Box<dyn Loss<D>>>;

    /// The name, if it is one.
    fn given_name(&self) -> Option<&str> {
        None
    }

    /// The loss of each output: this one for all, unless [`Losses`] names them.
    ///
    /// # Errors
    /// If there is no loss of a name.
    fn into_losses(self) -> Result<LossArg<D>>
    where
        Self: Sized,
    {
        Ok(LossArg::Every(GivenLoss::new(self)?))
    }
}

/// A loss and the name it was given by, if it was.
pub struct GivenLoss<D: Device> {
    /// The loss.
    pub loss: Arc<dyn Loss<D>>,
    name: Option<String>,
}

impl<D: Device> Clone for GivenLoss<D> {
    fn clone(&self) -> Self {
        Self::named(self.loss.clone(), self.name.as_deref())
    }
}

impl<D: Device> GivenLoss<D> {
    /// A loss as it was given.
    ///
    /// # Errors
    /// If there is no loss of a name.
    pub fn new(loss: impl IntoLoss<D>) -> Result<Self> {
        Ok(Self {
            name: loss.given_name().map(str::to_owned),
            loss: loss.into_loss()?.into(),
        })
    }

    /// A loss that was found by this name, if there is one.
    pub(crate) fn named(loss: Arc<dyn Loss<D>>, name: Option<&str>) -> Self {
        Self {
            loss,
            name: name.map(str::to_owned),
        }
    }

    /// As Keras' files have it: the name it was given by, or its class and arguments.
    pub fn to_json(&self) -> Json {
        match &self.name {
            Some(name) if !is_known(name) => function(name),
            Some(name) => Json::from(name.as_str()),
            None => self.loss.config().to_json(),
        }
    }
}

/// The losses of a model's outputs.
pub enum LossArg<D: Device> {
    /// One for every output.
    Every(GivenLoss<D>),
    /// In the order of the outputs; those without one, and those after the last, have no loss.
    InOrder(Vec<Option<GivenLoss<D>>>),
    /// By the name of the output.
    ByOutput(Vec<(String, GivenLoss<D>)>),
}

/// A loss for each output, by name or in order.
pub struct Losses<D: Device> {
    losses: Vec<(Option<String>, MaybeLoss<D>)>,
}

/// A loss as it was given, or that there is none.
type MaybeLoss<D> = Option<Result<GivenLoss<D>>>;

impl<D: Device> Default for Losses<D> {
    fn default() -> Self {
        Self::new()
    }
}

impl<D: Device> Losses<D> {
    /// None yet: [`and`](Self::and) adds one by the name of its output, [`then`](Self::then) in their order.
    pub const fn new() -> Self {
        Self { losses: Vec::new() }
    }

    /// Pairs of an output's name and its loss. Where the outputs are a dictionary, one that is not
    /// named has no loss.
    pub fn by_output<L: IntoLoss<D>>(
        losses: impl IntoIterator<Item = (impl Into<String>, L)>,
    ) -> Self {
        Self {
            losses: losses
                .into_iter()
                .map(|(name, loss)| (Some(name.into()), Some(GivenLoss::new(loss))))
                .collect(),
        }
    }

    /// The losses of the outputs in their order; outputs after the last have no loss.
    pub fn in_order<L: IntoLoss<D>>(losses: impl IntoIterator<Item = L>) -> Self {
        Self {
            losses: losses
                .into_iter()
                .map(|loss| (None, Some(GivenLoss::new(loss))))
                .collect(),
        }
    }

    /// One more output and its loss.
    #[must_use]
    pub fn and(mut self, output: impl Into<String>, loss: impl IntoLoss<D>) -> Self {
        self.losses
            .push((Some(output.into()), Some(GivenLoss::new(loss))));
        self
    }

    /// The loss of the next output.
    #[must_use]
    pub fn then(mut self, loss: impl IntoLoss<D>) -> Self {
        self.losses.push((None, Some(GivenLoss::new(loss))));
        self
    }

    /// The next output has no loss.
    #[must_use]
    pub fn without(mut self) -> Self {
        self.losses.push((None, None));
        self
    }
}

impl<D: Device> IntoLoss<D> for Losses<D> {
    fn into_loss(self) -> Result<Box<dyn Loss<D>>> {
        Err(Error::value(
            "Expected one loss. Received: a loss for each output",
        ))
    }

    fn into_losses(self) -> Result<LossArg<D>> {
        let (mut named, mut in_order) = (Vec::new(), Vec::new());
        for (name, loss) in self.losses {
            match (name, loss.transpose()?) {
                (Some(name), loss) => named.extend(loss.map(|loss| (name, loss))),
                (None, loss) => in_order.push(loss),
            }
        }
        match (named.is_empty(), in_order.is_empty()) {
            (true, _) => Ok(LossArg::InOrder(in_order)),
            (_, true) => Ok(LossArg::ByOutput(named)),
            _ => Err(Error::value(
                "`loss` names every output, or has the losses in the order of the outputs. Received: both",
            )),
        }
    }
}

impl<D: Device> IntoLoss<D> for Box<dyn Loss<D>> {
    fn into_loss(self) -> Result<Box<dyn Loss<D>>> {
        Ok(self)
    }
}

impl<D: LossCatalogue> IntoLoss<D> for &str {
    fn into_loss(self) -> Result<Box<dyn Loss<D>>> {
        by_name(self)
    }

    fn given_name(&self) -> Option<&str> {
        Some(self)
    }
}
