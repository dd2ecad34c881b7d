//! Everything that a program with a model needs: `use keras::prelude::*;`.

pub use keras_macros::{layer, loss, metric, model, sequential};

// Not `ModelHandle`: every model has it, and its methods are called as those of `Model`.
pub use crate::callbacks::{
    BackupAndRestore, CSVLogger, Callback, CallbackContext, CallbackList, EarlyStopping,
    LambdaCallback, LearningRateScheduler, Mode, ModelCheckpoint, Params, ProgbarLogger, Record,
    ReduceLROnPlateau, SwapEMAWeights, TensorBoard, TerminateOnNaN,
};
pub use crate::data::{Batch, Csv, Dataset, IntoColumns, IntoData};
pub use crate::device::{AutoDevice, Cpu, Device};
pub use crate::error::{Error, Result};
pub use crate::layers::{
    Activation, Add, Average, AveragePooling2D, BatchNormalization, Concatenate, Conv2D, Dense,
    Dropout, Flatten, GlobalAveragePooling2D, GlobalMaxPooling2D, MaxPooling2D, Maximum, Minimum,
    Multiply, RandomCrop, Rescaling, Reshape, Subtract,
};
// Several metrics are called as the losses they measure; these names are the losses here.
pub use crate::losses::{
    BinaryCrossentropy, BinaryFocalCrossentropy, CTC, CategoricalCrossentropy,
    CategoricalFocalCrossentropy, CategoricalGeneralizedCrossEntropy, CategoricalHinge, Circle,
    CosineSimilarity, Dice, Hinge, Huber, KLDivergence, LogCosh, Losses, MeanAbsoluteError,
    MeanAbsolutePercentageError, MeanSquaredError, MeanSquaredLogarithmicError, Poisson, Reduction,
    SparseCategoricalCrossentropy, SquaredHinge, Tversky,
};
pub use crate::metrics::{
    AUC, Accuracy, BinaryAccuracy, BinaryIoU, CategoricalAccuracy, ConcordanceCorrelation, F1Score,
    FBetaScore, FalseNegatives, FalsePositives, IoU, LogCoshError, Mean, MeanIoU,
    MeanMetricWrapper, OneHotIoU, OneHotMeanIoU, PearsonCorrelation, Precision, PrecisionAtRecall,
    R2Score, Recall, RecallAtPrecision, RootMeanSquaredError, SensitivityAtSpecificity,
    SparseCategoricalAccuracy, SparseTopKCategoricalAccuracy, SpecificityAtSensitivity, Sum,
    TopKCategoricalAccuracy, TrueNegatives, TruePositives,
};
pub use crate::model::{
    Compile, Evaluate, Fit, History, Load, Logs, Model, OnBatch, Predict, StepFunction,
    SummaryOptions,
};
pub use crate::optimizers::{
    Adadelta, Adafactor, Adagrad, Adam, AdamW, Adamax, Ftrl, IntoOptimizer, Lamb, Lion,
    LossScaleOptimizer, Muon, Nadam, Optimizer, RMSprop, SGD, ScheduleFreeAdamW,
};
pub use crate::saving::LoadWeights;
pub use crate::schedules::{
    CosineDecay, CosineDecayRestarts, ExponentialDecay, InverseTimeDecay, LearningRate,
    PiecewiseConstantDecay, PolynomialDecay, Schedule,
};
pub use crate::utils::{PlotModel, plot_model};
