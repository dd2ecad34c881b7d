//! Seeing a model and its training: `keras.utils`.

#[cfg(feature = "plot")]
mod curves;
#[cfg(feature = "plot")]
mod drawing;
mod picture;
mod plot_model;

pub use picture::PicturePath;
pub use plot_model::{PlotModel, model_to_dot, plot_model};
