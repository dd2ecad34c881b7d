//! Keras' order of the arguments of what trains a model: optimizers and schedules, losses, metrics,
//! callbacks.
//!
//! A class that is not here, such as a user's, takes positional arguments in `new` and named ones as
//! methods.

use super::arguments::Signature;

/// Where a class stands: some names are those of a loss and of a metric.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// `optimizer = ..`.
    Optimizer,
    /// A learning rate.
    Schedule,
    /// `loss = ..`.
    Loss,
    /// One of `metrics = [..]`; a loss may be a metric.
    Metric,
    /// One of `callbacks(..)`.
    Callback,
}

impl Role {
    /// The signature of a class of Keras in this place.
    pub fn signature(self, class: &str) -> Option<&'static Signature> {
        let tables: &[&'static [Signature]] = match self {
            Role::Optimizer => &[OPTIMIZERS],
            Role::Schedule => &[SCHEDULES],
            Role::Loss => &[LOSSES],
            Role::Metric => &[METRICS, LOSSES],
            Role::Callback => &[CALLBACKS],
        };
        find(tables, class)
    }

    /// Whether an argument is one of Keras' that the runtime does not have.
    pub fn lacks(self, class: &str, argument: &str) -> bool {
        match self {
            // They compute in `f32`; the result of a metric may be of another type.
            Role::Loss => argument == "dtype",
            Role::Metric if find(&[METRICS], class).is_none() => argument == "dtype",
            // It means nothing to training.
            Role::Schedule => argument == "name",
            Role::Callback => class == "TensorBoard" && LACKING_IN_TENSORBOARD.contains(&argument),
            Role::Optimizer | Role::Metric => false,
        }
    }

    /// What the value of an argument may be, written as a class: `Adam(ExponentialDecay(0.1, 100, 0.9))`.
    pub fn of_argument(name: &str) -> Option<Role> {
        match name {
            "learning_rate" => Some(Role::Schedule),
            "inner_optimizer" => Some(Role::Optimizer),
            _ => None,
        }
    }
}

fn find(tables: &[&'static [Signature]], class: &str) -> Option<&'static Signature> {
    let mut signatures = tables.iter().copied().flatten();
    signatures.find(|signature| signature.classes.contains(&class))
}

/// An argument of `new` with the default that it has in Keras.
type Required = (&'static str, Option<&'static str>);

const LEARNING_RATE: &[Required] = &[("learning_rate", Some("0.001"))];

/// What ends the signature of every optimizer, loss and metric.
const OPTIMIZER: &[&str] = &[
    "clipnorm",
    "clipvalue",
    "global_clipnorm",
    "use_ema",
    "ema_momentum",
    "ema_overwrite_frequency",
    "loss_scale_factor",
    "gradient_accumulation_steps",
    "name",
];
const LOSS: &[&str] = &["reduction", "name", "dtype"];
const NAMED: &[&str] = &["name", "dtype"];

const LACKING_IN_TENSORBOARD: &[&str] = &[
    "write_images",
    "profile_batch",
    "embeddings_freq",
    "embeddings_metadata",
];

const fn of(
    classes: &'static [&'static str],
    required: &'static [Required],
    optional: &'static [&'static [&'static str]],
) -> Signature {
    Signature {
        classes,
        required,
        optional,
    }
}

#[rustfmt::skip]
const OPTIMIZERS: &[Signature] = &[
    of(&["Adadelta"], LEARNING_RATE, &[&["rho", "epsilon", "weight_decay"], OPTIMIZER]),
    of(&["Adafactor"], LEARNING_RATE, &[&["beta_2_decay", "epsilon_1", "epsilon_2", "clip_threshold",
        "relative_step", "weight_decay"], OPTIMIZER]),
    of(&["Adagrad"], LEARNING_RATE, &[&["initial_accumulator_value", "epsilon", "weight_decay"], OPTIMIZER]),
    of(&["Adam"], LEARNING_RATE, &[&["beta_1", "beta_2", "epsilon", "amsgrad", "weight_decay"], OPTIMIZER]),
    of(&["AdamW"], LEARNING_RATE, &[&["weight_decay", "beta_1", "beta_2", "epsilon", "amsgrad"], OPTIMIZER]),
    of(&["Adamax", "Lamb", "Nadam"], LEARNING_RATE, &[&["beta_1", "beta_2", "epsilon", "weight_decay"],
        OPTIMIZER]),
    of(&["Ftrl"], LEARNING_RATE, &[&["learning_rate_power", "initial_accumulator_value",
        "l1_regularization_strength", "l2_regularization_strength",
        "l2_shrinkage_regularization_strength", "beta", "weight_decay"], OPTIMIZER]),
    of(&["Lion"], LEARNING_RATE, &[&["beta_1", "beta_2", "weight_decay"], OPTIMIZER]),
    of(&["LossScaleOptimizer"], &[("inner_optimizer", None)], &[&["initial_scale",
        "dynamic_growth_steps", "name"]]),
    of(&["MultiOptimizer"], &[("optimizer_map", None)], &[&["loss_scale_factor", "name"]]),
    of(&["Muon"], LEARNING_RATE, &[&["adam_beta_1", "adam_beta_2", "adam_weight_decay", "epsilon",
        "weight_decay"], OPTIMIZER, &["exclude_layers", "exclude_embeddings", "muon_a", "muon_b",
        "muon_c", "adam_lr_ratio", "momentum", "ns_steps", "nesterov", "rms_rate"]]),
    of(&["RMSprop"], LEARNING_RATE, &[&["rho", "momentum", "epsilon", "centered", "weight_decay"], OPTIMIZER]),
    of(&["SGD"], &[("learning_rate", Some("0.01"))], &[&["momentum", "nesterov", "weight_decay"], OPTIMIZER]),
    of(&["ScheduleFreeAdamW"], &[("learning_rate", Some("0.0025"))], &[&["beta_1", "beta_2", "epsilon",
        "warmup_steps", "weight_decay"], OPTIMIZER]),
];

#[rustfmt::skip]
const SCHEDULES: &[Signature] = &[
    of(&["CosineDecay"], &[("initial_learning_rate", None), ("decay_steps", None)], &[&["alpha", "name",
        "warmup_target", "warmup_steps"]]),
    of(&["CosineDecayRestarts"], &[("initial_learning_rate", None), ("first_decay_steps", None)],
        &[&["t_mul", "m_mul", "alpha", "name"]]),
    of(&["ExponentialDecay", "InverseTimeDecay"], &[("initial_learning_rate", None), ("decay_steps",
        None), ("decay_rate", None)], &[&["staircase", "name"]]),
    of(&["PiecewiseConstantDecay"], &[("boundaries", None), ("values", None)], &[&["name"]]),
    of(&["PolynomialDecay"], &[("initial_learning_rate", None), ("decay_steps", None)],
        &[&["end_learning_rate", "power", "cycle", "name"]]),
];

#[rustfmt::skip]
const LOSSES: &[Signature] = &[
    of(&["BinaryCrossentropy", "CategoricalCrossentropy"], &[], &[&["from_logits", "label_smoothing",
        "axis"], LOSS]),
    of(&["BinaryFocalCrossentropy"], &[], &[&["apply_class_balancing", "alpha", "gamma", "from_logits",
        "label_smoothing", "axis"], LOSS]),
    of(&["CTC", "CategoricalHinge", "Hinge", "KLDivergence", "LogCosh", "MeanAbsoluteError",
        "MeanAbsolutePercentageError", "MeanSquaredError", "MeanSquaredLogarithmicError", "Poisson",
        "SquaredHinge"], &[], &[LOSS]),
    of(&["CategoricalFocalCrossentropy"], &[], &[&["alpha", "gamma", "from_logits", "label_smoothing",
        "axis"], LOSS]),
    of(&["CategoricalGeneralizedCrossEntropy"], &[], &[&["q"], LOSS]),
    of(&["Circle"], &[], &[&["gamma", "margin", "remove_diagonal"], LOSS]),
    of(&["CosineSimilarity"], &[], &[&["axis"], LOSS]),
    of(&["Dice"], &[], &[&["reduction", "name", "axis", "dtype"]]),
    of(&["Huber"], &[], &[&["delta"], LOSS]),
    of(&["SparseCategoricalCrossentropy"], &[], &[&["from_logits", "ignore_class", "reduction", "axis"],
        NAMED]),
    of(&["Tversky"], &[], &[&["alpha", "beta", "reduction", "name", "axis", "dtype"]]),
];

#[rustfmt::skip]
const METRICS: &[Signature] = &[
    of(&["AUC"], &[], &[&["num_thresholds", "curve", "summation_method", "name", "dtype", "thresholds",
        "multi_label", "num_labels", "label_weights", "from_logits"]]),
    of(&["Accuracy", "CategoricalAccuracy", "CategoricalHinge", "Hinge", "KLDivergence", "LogCoshError",
        "Mean", "MeanAbsoluteError", "MeanAbsolutePercentageError", "MeanSquaredError",
        "MeanSquaredLogarithmicError", "Poisson", "RootMeanSquaredError", "SparseCategoricalAccuracy",
        "SquaredHinge", "Sum"], &[], &[NAMED]),
    of(&["BinaryAccuracy"], &[], &[NAMED, &["threshold"]]),
    of(&["BinaryCrossentropy"], &[], &[NAMED, &["from_logits", "label_smoothing"]]),
    of(&["BinaryIoU"], &[], &[&["target_class_ids", "threshold"], NAMED]),
    of(&["CategoricalCrossentropy"], &[], &[NAMED, &["from_logits", "label_smoothing", "axis"]]),
    of(&["ConcordanceCorrelation", "CosineSimilarity", "PearsonCorrelation"], &[], &[NAMED, &["axis"]]),
    of(&["F1Score"], &[], &[&["average", "threshold"], NAMED]),
    of(&["FBetaScore"], &[], &[&["average", "beta", "threshold"], NAMED]),
    of(&["FalseNegatives", "FalsePositives", "TrueNegatives", "TruePositives"], &[], &[&["thresholds"], NAMED]),
    of(&["IoU"], &[("num_classes", None), ("target_class_ids", None)], &[NAMED, &["ignore_class",
        "sparse_y_true", "sparse_y_pred", "axis"]]),
    of(&["MeanMetricWrapper"], &[("fn", None)], &[NAMED, &["direction"]]),
    of(&["MeanIoU"], &[("num_classes", None)], &[NAMED, &["ignore_class", "sparse_y_true",
        "sparse_y_pred", "axis"]]),
    of(&["OneHotIoU"], &[("num_classes", None), ("target_class_ids", None)], &[NAMED, &["ignore_class",
        "sparse_y_pred", "axis"]]),
    of(&["OneHotMeanIoU"], &[("num_classes", None)], &[NAMED, &["ignore_class", "sparse_y_pred", "axis"]]),
    of(&["Precision", "Recall"], &[], &[&["thresholds", "top_k", "class_id"], NAMED]),
    of(&["PrecisionAtRecall"], &[("recall", None)], &[&["num_thresholds", "class_id"], NAMED]),
    of(&["R2Score"], &[], &[&["class_aggregation", "num_regressors"], NAMED]),
    of(&["RecallAtPrecision"], &[("precision", None)], &[&["num_thresholds", "class_id"], NAMED]),
    of(&["SensitivityAtSpecificity"], &[("specificity", None)], &[&["num_thresholds", "class_id"], NAMED]),
    of(&["SparseCategoricalCrossentropy"], &[], &[NAMED, &["from_logits", "ignore_class", "axis"]]),
    of(&["SparseTopKCategoricalAccuracy"], &[], &[&["k"], NAMED, &["from_sorted_ids"]]),
    of(&["SpecificityAtSensitivity"], &[("sensitivity", None)], &[&["num_thresholds", "class_id"], NAMED]),
    of(&["TopKCategoricalAccuracy"], &[], &[&["k"], NAMED]),
];

#[rustfmt::skip]
const CALLBACKS: &[Signature] = &[
    of(&["BackupAndRestore"], &[("backup_dir", None)], &[&["save_freq", "double_checkpoint",
        "delete_checkpoint"]]),
    of(&["CSVLogger"], &[("filename", None)], &[&["separator", "append"]]),
    of(&["EarlyStopping"], &[("monitor", Some("\"val_loss\""))], &[&["min_delta", "patience", "verbose",
        "mode", "baseline", "restore_best_weights", "start_from_epoch"]]),
    of(&["LambdaCallback"], &[], &[&["on_epoch_begin", "on_epoch_end", "on_train_begin", "on_train_end",
        "on_train_batch_begin", "on_train_batch_end", "on_test_begin", "on_test_end", "on_test_batch_begin",
        "on_test_batch_end", "on_predict_begin", "on_predict_end", "on_predict_batch_begin",
        "on_predict_batch_end"]]),
    of(&["LearningRateScheduler"], &[("schedule", None)], &[&["verbose"]]),
    of(&["ModelCheckpoint"], &[("filepath", None)], &[&["monitor", "verbose", "save_best_only",
        "save_weights_only", "mode", "save_freq", "initial_value_threshold", "options"]]),
    of(&["ProgbarLogger"], &[], &[]),
    of(&["ReduceLROnPlateau"], &[("monitor", Some("\"val_loss\""))], &[&["factor", "patience",
        "verbose", "mode", "min_delta", "cooldown", "min_lr"]]),
    of(&["SwapEMAWeights"], &[], &[&["swap_on_epoch"]]),
    of(&["TensorBoard"], &[("log_dir", Some("\"logs\""))], &[&["histogram_freq", "write_graph",
        "write_images", "write_steps_per_second", "update_freq", "profile_batch", "embeddings_freq",
        "embeddings_metadata"]]),
    of(&["TerminateOnNaN"], &[], &[&["raise_error"]]),
];

#[cfg(test)]
mod tests {
    use keras_config::Json;

    use super::*;

    /// Those of real Keras.
    const OF_KERAS: &str = include_str!("../../../tests/reference/fixtures/signatures.json");

    /// Those that stand in no list of callbacks here.
    const OTHERS: &[&str] = &[
        "CallbackList",
        "History",
        "OrbaxCheckpoint",
        "RemoteMonitor",
    ];

    /// Arguments that Keras has in another way, or not.
    const OWN: &[(&str, &str)] = &[
        ("LambdaCallback", "on_test_"),
        ("LambdaCallback", "on_predict_"),
        ("MeanMetricWrapper", "direction"),
        ("ModelCheckpoint", "options"),
    ];

    fn text<'j>(json: &'j Json, key: &str) -> Option<&'j str> {
        json.get(key)?.as_str()
    }

    fn arguments(case: &Json) -> Vec<(&str, Option<&str>)> {
        let arguments = case.get("arguments").unwrap().as_list().unwrap();
        let arguments = arguments.iter();
        arguments
            .map(|argument| (text(argument, "name").unwrap(), text(argument, "default")))
            .collect()
    }

    #[test]
    fn they_are_those_of_keras() {
        let of_keras = Json::parse(OF_KERAS).unwrap();
        let mut count = 0;
        for (kind, role) in [
            ("optimizers", Role::Optimizer),
            ("schedules", Role::Schedule),
            ("losses", Role::Loss),
            ("metrics", Role::Metric),
            ("callbacks", Role::Callback),
        ] {
            for case in of_keras.get(kind).unwrap().as_list().unwrap() {
                let class = case.get("name").unwrap().as_str().unwrap();
                if OTHERS.contains(&class) {
                    continue;
                }
                let signature = role
                    .signature(class)
                    .unwrap_or_else(|| panic!("{class} is missing"));
                let expected = arguments(case);
                let names = expected.iter().map(|(name, _)| *name);
                let is_own = |name: &str| {
                    let of_class =
                        |(of, begin): &(&str, &str)| *of == class && name.starts_with(begin);
                    OWN.iter().any(of_class)
                };
                let own = signature.names().filter(|name| !is_own(name));
                assert_eq!(
                    own.collect::<Vec<_>>(),
                    names.collect::<Vec<_>>(),
                    "{class}"
                );
                for ((name, default), (_, of_keras)) in signature.required.iter().zip(&expected) {
                    let default = default.map(|default| default.replace('"', "'"));
                    assert_eq!(default.as_deref(), *of_keras, "{class}: {name}");
                }
                count += 1;
            }
        }
        assert!(count > 90, "{count}");
    }
}
