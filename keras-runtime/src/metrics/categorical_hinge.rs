//! The mean of `max(best other - chosen + 1, 0)`.

use super::mean_metric::mean_metric;
use crate::losses::CategoricalMargin;

mean_metric! {
    /// How far the class's prediction is from being 1 above the best other one:
    /// `keras.metrics.CategoricalHinge`. Targets are one-hot rows.
    struct CategoricalHinge: "categorical_hinge";
    mean of lines: CategoricalMargin = CategoricalMargin;
    targets: same_shape;
    better: Down;
}
