//! The metrics by the names Keras knows them by.

use std::sync::Arc;

use super::argument::Targets;
use super::registry::Make;
use super::*;
use crate::config::registry::{registered, registered_class};
use crate::config::{Arguments, Config};
use crate::device::{Device, on_devices};
use crate::error::{Error, Result};
use crate::shape::Shape;

/// The metrics of a device by their names. Implemented for each device and not for all at once, so
/// that they are compiled in this crate and not in every crate that names one.
pub trait MetricCatalogue: Device {
    /// See [`by_name`].
    ///
    /// # Errors
    /// If there is none; the message suggests the nearest.
    fn metric(name: &str, y_true: &Shape, y_pred: &Shape) -> Result<Box<dyn Metric<Self>>>;
    /// See [`from_config`].
    ///
    /// # Errors
    /// If there is none, or an argument does not fit.
    fn metric_of(config: &Config) -> Result<Box<dyn Metric<Self>>>;
    /// A metric of Keras on this device.
    fn listed(metric: Listed) -> Arc<dyn Metric<Self>>;
}

on_devices! {
    impl MetricCatalogue {
        fn metric(name: &str, y_true: &Shape, y_pred: &Shape) -> Result<Box<dyn Metric<Self>>> {
            find(name, y_true, y_pred)
        }

        fn metric_of(config: &Config) -> Result<Box<dyn Metric<Self>>> {
            of_config(config)
        }

        fn listed(metric: Listed) -> Arc<dyn Metric<Self>> {
            metric.shared()
        }
    }
}

/// The metric of a name, as `compile` finds it: `accuracy` and `acc` are the one that fits the shapes
/// of the data. After Keras' names come those that were [`register`]ed.
///
/// # Errors
/// If there is none; the message suggests the nearest.
pub fn by_name<D: MetricCatalogue>(
    name: &str,
    y_true: &Shape,
    y_pred: &Shape,
) -> Result<Box<dyn Metric<D>>> {
    D::metric(name, y_true, y_pred)
        .or_else(|error| registered::<Make<D>>(name).map(|make| make()).ok_or(error))
}

/// The metric of a configuration, as `keras.metrics.deserialize` finds it; a class of the user's own is
/// one that was [`register`]ed under its name.
///
/// # Errors
/// If there is none, it has no such argument, or a value does not fit.
pub fn from_config<D: MetricCatalogue>(config: &Config) -> Result<Box<dyn Metric<D>>> {
    if let Some(make) = registered_class::<Make<D>>(config) {
        return Ok(make());
    }
    D::metric_of(config)
}

/// A metric that can be told the arguments of a configuration.
trait Configurable<D: Device>: Metric<D> + Arguments {}

impl<D: Device, M: Metric<D> + Arguments> Configurable<D> for M {}

/// Whether [`by_name`] finds a metric, without making one: those of some classes are numbered.
///
/// # Errors
/// If it does not.
pub(crate) fn check_name<D: Device>(name: &str) -> Result<()> {
    if is_keras_name(name) || registered::<Make<D>>(name).is_some() {
        return Ok(());
    }
    Err(mistake(name))
}

/// Whether it is a name of Keras'.
pub(crate) fn is_keras_name(name: &str) -> bool {
    is_accuracy(name) || is_known(name)
}

/// Whether it is one of the names that mean one of several metrics.
fn is_accuracy(name: &str) -> bool {
    ["accuracy", "acc"].contains(&name.to_lowercase().as_str())
}

/// What `compile` takes, made in this crate.
macro_rules! into_metric {
    ($($ty:ident)*) => {
        $(impl<D: MetricCatalogue> IntoMetric<D> for $ty {
            fn into_metric(self) -> MetricArg<D> {
                MetricArg::Object(D::listed(Listed::$ty(self)))
            }
        })*
    };
}

/// Lists the metrics with the names Keras knows them by, and gives each the methods for its use
/// without a model. Those that need an argument cannot be made of a name alone; those of values
/// compare nothing, and cannot be used in `compile` at all.
macro_rules! catalogue {
    (
        without arguments { $($ty:ident: $($name:literal)|+;)* }
        with arguments { $($with:ident($($argument:literal = $first:expr),+): $($with_name:literal)|+;)* }
        with functions { $($function:ident($($of_function:literal),+): $($function_name:literal)|+;)* }
        of values { $($of:ident: $($of_name:literal)|+;)* }
    ) => {
        $(own::standalone!(@methods $ty);

        impl Default for $ty {
            fn default() -> Self {
                Self::new()
            }
        })*

        $(own::standalone!(@methods $with);)*

        $(own::standalone!(@methods $function);)*

        /// The classes of Keras' metrics that a file can name.
        pub const CLASSES: &[&str] = &[$(stringify!($ty),)* $(stringify!($with)),*];

        /// One of Keras' metrics.
        #[derive(Clone, Debug)]
        #[non_exhaustive]
        pub enum Listed {
            $(
                #[doc = concat!("See [`", stringify!($ty), "`].")]
                $ty($ty),
            )*
            $(
                #[doc = concat!("See [`", stringify!($with), "`].")]
                $with($with),
            )*
            $(
                #[doc = concat!("See [`", stringify!($function), "`].")]
                $function($function),
            )*
        }

        impl Listed {
            fn shared<D: Device>(self) -> Arc<dyn Metric<D>> {
                match self {
                    $(Self::$ty(metric) => Arc::new(metric),)*
                    $(Self::$with(metric) => Arc::new(metric),)*
                    $(Self::$function(metric) => Arc::new(metric),)*
                }
            }
        }

        into_metric! { $($ty)* $($with)* $($function)* }

        fn find<D: Device>(
            name: &str,
            y_true: &Shape,
            y_pred: &Shape,
        ) -> Result<Box<dyn Metric<D>>> {
            if is_accuracy(name) {
                return Ok(match Targets::of(y_true, y_pred) {
                    Targets::Binary => Box::new(BinaryAccuracy::new().name(name)),
                    Targets::Sparse => Box::new(SparseCategoricalAccuracy::new().name(name)),
                    Targets::Categorical => Box::new(CategoricalAccuracy::new().name(name)),
                });
            }
            match name {
                $($($name)|+ => Ok(Box::new($ty::new())),)*
                _ => Err(mistake(name)),
            }
        }

        fn of_config<D: Device>(config: &Config) -> Result<Box<dyn Metric<D>>> {
            let mut metric: Box<dyn Configurable<D>> = match config.class_name.as_str() {
                $($($name)|+ => Box::new($ty::new()),)*
                $($($with_name)|+ => Box::new($with::new($($first),+)),)*
                name => return Err(mistake(name)),
            };
            config.read_into(&mut *metric)?;
            metric.validate()?;
            Ok(metric)
        }

        fn is_known(name: &str) -> bool {
            [$($($name),+),*].contains(&name)
        }

        /// What is wrong with a name that makes no metric.
        fn mistake(name: &str) -> Error {
            match name {
                $($($with_name)|+ => Error::value(format!(
                    "The metric `{name}` needs arguments, so its name alone is not enough. Expected {0}::new({1}). \
                     Received: {name}",
                    stringify!($with),
                    [$($argument),+].join(", "),
                )),)*
                $($($function_name)|+ => Error::value(format!(
                    "The metric `{name}` needs a function, which neither a name nor a file can say. Expected {0}::new({1}). \
                     Received: {name}",
                    stringify!($function),
                    [$($of_function),+].join(", "),
                )),)*
                $($($of_name)|+ => Error::value(format!(
                    "The metric `{name}` takes values, and not targets and predictions, so it cannot be one of those \
                     of `compile`. Expected {}::new() with `update_state(values)`, or `add_metric` in a model. \
                     Received: {name}",
                    stringify!($of),
                )),)*
                _ => Error::unregistered(
                    "metric",
                    name,
                    &["accuracy", "acc", $($($name),+,)* $($($with_name),+,)* $($($function_name),+),*],
                    "keras::metrics::register",
                ),
            }
        }
    };
}

catalogue! {
    without arguments {
        Accuracy: "Accuracy";
        BinaryAccuracy: "BinaryAccuracy" | "binary_accuracy";
        CategoricalAccuracy: "CategoricalAccuracy" | "categorical_accuracy";
        SparseCategoricalAccuracy: "SparseCategoricalAccuracy" | "sparse_categorical_accuracy";
        TopKCategoricalAccuracy: "TopKCategoricalAccuracy" | "top_k_categorical_accuracy";
        SparseTopKCategoricalAccuracy: "SparseTopKCategoricalAccuracy" | "sparse_top_k_categorical_accuracy";
        MeanSquaredError: "MeanSquaredError" | "mean_squared_error" | "mse" | "MSE";
        MeanAbsoluteError: "MeanAbsoluteError" | "mean_absolute_error" | "mae" | "MAE";
        MeanAbsolutePercentageError: "MeanAbsolutePercentageError" | "mean_absolute_percentage_error" | "mape" | "MAPE";
        MeanSquaredLogarithmicError: "MeanSquaredLogarithmicError" | "mean_squared_logarithmic_error" | "msle" | "MSLE";
        RootMeanSquaredError: "RootMeanSquaredError" | "root_mean_squared_error";
        LogCoshError: "LogCoshError" | "log_cosh_error";
        CosineSimilarity: "CosineSimilarity" | "cosine_similarity";
        PearsonCorrelation: "PearsonCorrelation" | "pearson_correlation";
        ConcordanceCorrelation: "ConcordanceCorrelation" | "concordance_correlation";
        Hinge: "Hinge" | "hinge";
        SquaredHinge: "SquaredHinge" | "squared_hinge";
        CategoricalHinge: "CategoricalHinge" | "categorical_hinge";
        Poisson: "Poisson" | "poisson";
        KLDivergence: "KLDivergence" | "kl_divergence";
        R2Score: "R2Score" | "r2_score";
        BinaryCrossentropy: "BinaryCrossentropy" | "binary_crossentropy" | "bce" | "BCE";
        CategoricalCrossentropy: "CategoricalCrossentropy" | "categorical_crossentropy";
        SparseCategoricalCrossentropy: "SparseCategoricalCrossentropy" | "sparse_categorical_crossentropy";
        AUC: "AUC" | "auc";
        Precision: "Precision" | "precision";
        Recall: "Recall" | "recall";
        TruePositives: "TruePositives" | "true_positives";
        TrueNegatives: "TrueNegatives" | "true_negatives";
        FalsePositives: "FalsePositives" | "false_positives";
        FalseNegatives: "FalseNegatives" | "false_negatives";
        F1Score: "F1Score" | "f1_score";
        FBetaScore: "FBetaScore" | "f_beta_score";
        BinaryIoU: "BinaryIoU" | "binary_io_u";
    }

    with arguments {
        SensitivityAtSpecificity("specificity" = 0.5): "SensitivityAtSpecificity" | "sensitivity_at_specificity";
        SpecificityAtSensitivity("sensitivity" = 0.5): "SpecificityAtSensitivity" | "specificity_at_sensitivity";
        PrecisionAtRecall("recall" = 0.5): "PrecisionAtRecall" | "precision_at_recall";
        RecallAtPrecision("precision" = 0.5): "RecallAtPrecision" | "recall_at_precision";
        IoU("num_classes" = 1, "target_class_ids" = [0]): "IoU" | "io_u";
        MeanIoU("num_classes" = 1): "MeanIoU" | "mean_io_u";
        OneHotIoU("num_classes" = 1, "target_class_ids" = [0]): "OneHotIoU" | "one_hot_io_u";
        OneHotMeanIoU("num_classes" = 1): "OneHotMeanIoU" | "one_hot_mean_io_u";
    }

    with functions {
        MeanMetricWrapper("function"): "MeanMetricWrapper" | "mean_metric_wrapper";
    }

    of values {
        Mean: "Mean" | "mean";
        Sum: "Sum" | "sum";
    }
}
