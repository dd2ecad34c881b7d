//! Everything that a program with a model needs: `use keras::prelude::*;`.

pub use keras_macros::{model, sequential};

// Not `ModelHandle`: every model has it, and its methods are called as those of `Model`.
pub use crate::callbacks::{
    Callback, CallbackContext, CallbackList, EarlyStopping, LambdaCallback, Mode, Params,
};
pub use crate::data::{Dataset, IntoColumns, IntoData};
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
    Accuracy, BinaryAccuracy, CategoricalAccuracy, Mean, RootMeanSquaredError,
    SparseCategoricalAccuracy, SparseTopKCategoricalAccuracy, Sum, TopKCategoricalAccuracy,
};
pub use crate::model::{Compile, Evaluate, Fit, History, Logs, Model, Predict, SummaryOptions};
pub use crate::optimizers::*;
pub use crate::utils::{PlotModel, plot_model};
