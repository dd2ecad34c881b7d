//! Where pictures go, and the plot of a history. Drawing takes crates that a training does not need:
//! they are behind the feature `plot`.

use std::path::Path;

use crate::error::{Error, Result};
use crate::model::History;

/// The path of a picture. Without the feature `plot` there is none, so that a program that plots
/// does not compile, instead of failing after the training.
#[diagnostic::on_unimplemented(
    message = "plots need the feature `plot` of keras-runtime",
    label = "no picture can be drawn without it",
    note = "in Cargo.toml: keras = {{ package = \"keras-runtime\", features = [\"plot\"], .. }}"
)]
pub trait PicturePath: AsRef<Path> {}

#[cfg(feature = "plot")]
impl<P: AsRef<Path>> PicturePath for P {}

impl History {
    /// Draws the curves of all quantities over the epochs, training and validation side by side, to a
    /// file whose name ends in `.png` or `.svg`.
    ///
    /// # Errors
    /// If the name ends otherwise, there are no epochs, or the file cannot be written.
    pub fn plot(&self, path: impl PicturePath) -> Result<()> {
        let path = path.as_ref();
        if self.epochs().is_empty() {
            return Err(Error::value(format!(
                "`plot` expects a history of at least one epoch. Received: an empty history for {}",
                path.display()
            )));
        }
        #[cfg(feature = "plot")]
        return super::curves::draw(self, path);
        #[cfg(not(feature = "plot"))]
        Ok(())
    }
}

/// The ending of a file's name, in lower case.
pub(super) fn extension(path: &Path) -> String {
    let extension = path.extension().unwrap_or_default();
    extension.to_string_lossy().to_lowercase()
}

/// A name whose ending says no format of a picture.
pub(super) fn unknown_extension(path: &Path, expected: &str) -> Error {
    Error::value(format!(
        "Expected a file name that ends in {expected}. Received: {}",
        path.display()
    ))
}
