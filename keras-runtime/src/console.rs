//! What the library prints. A reader that has gone away is no error of the training.

use std::io::Write;

/// Writes to the standard output, at once.
pub(crate) fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// Writes a warning to the standard error.
pub(crate) fn warn(message: &str) {
    let _ = std::io::stderr().write_all(format!("warning: {message}\n").as_bytes());
}

/// Keras' warning about data that is shorter than it was said to be.
pub(crate) const RAN_OUT: &str = "Your input ran out of data; interrupting training. Make sure that your dataset or \
    generator can generate at least `steps_per_epoch * epochs` batches. You may need to use the `.repeat()` function \
    when building your dataset.";
