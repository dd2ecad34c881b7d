//! What there is of Keras', read off the catalogues themselves, for the tests that leave nothing out.

use std::collections::BTreeSet;

use crate::constraints::Constraint;
use crate::device::Activation;
use crate::initializers::Initializer;
use crate::regularizers::Regularizer;
use crate::{layers, losses, metrics, optimizers, schedules};

/// The classes that a file of Keras can name and that there are here, each with its module: `("keras.layers", "Dense")`.
/// Activations are functions: `("keras.activations", "relu")`.
pub fn catalogue() -> BTreeSet<(&'static str, &'static str)> {
    let classes = [
        ("keras.layers", layers::CLASSES),
        ("keras.losses", losses::CLASSES),
        ("keras.metrics", metrics::CLASSES),
        ("keras.optimizers", optimizers::CLASSES),
        ("keras.optimizers.schedules", schedules::CLASSES),
        ("keras.initializers", Initializer::CLASSES),
    ];
    let classes = classes.into_iter();
    let mut all: BTreeSet<_> = classes
        .flat_map(|(module, classes)| classes.iter().map(move |class| (module, *class)))
        .collect();
    all.extend(of_names("keras.regularizers", Regularizer::NAMES));
    all.extend(of_names("keras.constraints", Constraint::NAMES));
    let activations = Activation::NAMES.iter();
    all.extend(activations.map(|(_, function)| ("keras.activations", function.name())));
    all
}

/// The names that are those of classes.
fn of_names<T>(
    module: &'static str,
    names: &'static [(&'static str, T)],
) -> impl Iterator<Item = (&'static str, &'static str)> {
    let names = names.iter().map(|(name, _)| *name);
    let classes = names.filter(|name| name.starts_with(char::is_uppercase));
    classes.map(move |class| (module, class))
}
