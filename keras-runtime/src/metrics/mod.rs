//! Metrics: one file each, with its formula and state.
//!
//! In a model they are named in [`Compile`](crate::model::Compile); on their own they are updated with
//! arrays:
//!
//! ```
//! use keras_runtime::metrics::BinaryAccuracy;
//! use ndarray::array;
//!
//! let mut metric = BinaryAccuracy::new().threshold(0.4);
//! metric.update_state(&array![1, 1, 0, 0], &array![0.9, 0.3, 0.2, 0.1], None)?;
//! assert_eq!(metric.result(), 0.75);
//! metric.reset_state();
//! # Ok::<(), keras_runtime::Error>(())
//! ```

mod accuracy;
mod argument;
mod auc;
mod binary_accuracy;
mod binary_crossentropy;
mod binary_iou;
mod catalogue;
mod categorical_accuracy;
mod categorical_crossentropy;
mod categorical_hinge;
mod concordance_correlation;
mod confusion;
mod cosine_similarity;
pub(crate) mod expression;
mod f1_score;
mod f_beta_score;
mod false_negatives;
mod false_positives;
mod hinge;
mod iou;
mod kl_divergence;
mod log_cosh_error;
mod loss_metric;
mod mean;
mod mean_absolute_error;
mod mean_absolute_percentage_error;
mod mean_iou;
mod mean_metric;
mod mean_metric_wrapper;
mod mean_squared_error;
mod mean_squared_logarithmic_error;
mod metric;
mod one_hot_iou;
mod one_hot_mean_iou;
#[doc(hidden)]
pub mod own;
mod pearson_correlation;
mod poisson;
mod precision;
mod precision_at_recall;
mod r2_score;
mod recall;
mod recall_at_precision;
mod registry;
mod root_mean_squared_error;
mod sensitivity_at_specificity;
mod sparse_categorical_accuracy;
mod sparse_categorical_crossentropy;
mod sparse_top_k_categorical_accuracy;
mod specificity_at_sensitivity;
mod squared_hinge;
mod sum;
mod top_k_categorical_accuracy;
mod true_negatives;
mod true_positives;

pub use accuracy::Accuracy;
pub(crate) use argument::Targets;
pub use argument::{IntoMetric, MetricArg};
pub use auc::AUC;
pub use binary_accuracy::BinaryAccuracy;
pub use binary_crossentropy::BinaryCrossentropy;
pub use binary_iou::BinaryIoU;
pub use catalogue::{CLASSES, Listed, MetricCatalogue, by_name, from_config};
pub(crate) use catalogue::{check_name, is_keras_name};
pub use categorical_accuracy::CategoricalAccuracy;
pub use categorical_crossentropy::CategoricalCrossentropy;
pub use categorical_hinge::CategoricalHinge;
pub use concordance_correlation::ConcordanceCorrelation;
pub use confusion::ThresholdList;
pub use cosine_similarity::CosineSimilarity;
pub use f_beta_score::FBetaScore;
pub use f1_score::F1Score;
pub use false_negatives::FalseNegatives;
pub use false_positives::FalsePositives;
pub use hinge::Hinge;
pub use iou::IoU;
pub use kl_divergence::KLDivergence;
pub use log_cosh_error::LogCoshError;
pub use loss_metric::of_loss;
pub use mean::Mean;
pub use mean_absolute_error::MeanAbsoluteError;
pub use mean_absolute_percentage_error::MeanAbsolutePercentageError;
pub use mean_iou::MeanIoU;
pub use mean_metric_wrapper::MeanMetricWrapper;
pub use mean_squared_error::MeanSquaredError;
pub use mean_squared_logarithmic_error::MeanSquaredLogarithmicError;
pub use metric::{Direction, HostBatch, Metric, MetricInput};
pub(crate) use metric::{divide, mean};
pub use one_hot_iou::OneHotIoU;
pub use one_hot_mean_iou::OneHotMeanIoU;
pub use own::{Own, Values};
pub use pearson_correlation::PearsonCorrelation;
pub use poisson::Poisson;
pub use precision::Precision;
pub use precision_at_recall::PrecisionAtRecall;
pub use r2_score::R2Score;
pub use recall::Recall;
pub use recall_at_precision::RecallAtPrecision;
pub use registry::register;
pub use root_mean_squared_error::RootMeanSquaredError;
pub use sensitivity_at_specificity::SensitivityAtSpecificity;
pub use sparse_categorical_accuracy::SparseCategoricalAccuracy;
pub use sparse_categorical_crossentropy::SparseCategoricalCrossentropy;
pub use sparse_top_k_categorical_accuracy::SparseTopKCategoricalAccuracy;
pub use specificity_at_sensitivity::SpecificityAtSensitivity;
pub use squared_hinge::SquaredHinge;
pub use sum::Sum;
pub use top_k_categorical_accuracy::TopKCategoricalAccuracy;
pub use true_negatives::TrueNegatives;
pub use true_positives::TruePositives;

#[doc(no_inline)]
pub use ndarray::ArrayD;

/// What generated code and the metrics of this module give a type with a field `own`.
#[doc(inline)]
pub use own::standalone;
