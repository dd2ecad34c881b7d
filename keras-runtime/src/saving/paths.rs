//! Where the weights of a layer are in Keras' files.
//!
//! Keras walks over the attributes of a model. Those of a Sequential or Functional model begin with the
//! list of its layers, and a layer of a list goes by its class: `layers/dense`, `layers/dense_1`, counted for
//! each class. Those of another model come in the order of their names, private ones last; what is
//! reached first counts, and `layers` is one of the names: a layer whose attribute comes before it goes by
//! the name of the attribute, one whose attribute comes after it is reached as a layer of the list.

use keras_config::names::AutoNames;

/// The paths of the layers of a list, from their classes, one after the other.
pub(crate) fn of_list<'a>(classes: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut names = AutoNames::default();
    let classes = classes.into_iter();
    classes
        .map(|class| format!("layers/{}", names.next(class)))
        .collect()
}

/// The paths of the layers that are attributes of a model, from their classes and the names of the
/// attributes; empty for a layer without a name.
pub(crate) fn of_attributes(layers: &[(&str, &str)]) -> Vec<String> {
    let named = layers.iter().filter(|(_, attribute)| !attribute.is_empty());
    let mut listed = of_list(named.map(|(class, _)| *class)).into_iter();
    let is_before = |attribute: &str| !attribute.starts_with('_') && attribute < "layers";
    let path = |&(_, attribute): &(&str, &str)| {
        if attribute.is_empty() {
            return String::new();
        }
        let listed = listed.next().unwrap_or_default();
        match is_before(attribute) {
            true => attribute.to_owned(),
            false => listed,
        }
    };
    layers.iter().map(path).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_counted() {
        let classes = ["Dense", "Conv2D", "Dense", "MaxPooling2D", "PReLU", "Dense"];
        let paths = [
            "layers/dense",
            "layers/conv2d",
            "layers/dense_1",
            "layers/max_pooling2d",
            "layers/p_re_lu",
            "layers/dense_2",
        ];
        assert_eq!(of_list(classes), paths);
    }

    #[test]
    fn attributes_before_the_list_go_by_their_names() {
        let layers = [
            ("Dense", "zed"),
            ("Dense", "abc"),
            ("Dense", "_own"),
            ("Dropout", "Upper"),
            ("Add", ""),
        ];
        let paths = ["layers/dense", "abc", "layers/dense_2", "Upper", ""];
        assert_eq!(of_attributes(&layers), paths);
    }
}
