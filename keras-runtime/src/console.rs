//! What the library prints. A reader that has gone away is no error of the training.

use std::io::Write;

/// The columns of a terminal that is not known to have more.
const COLUMNS: usize = 80;

/// Writes to the standard output, at once.
pub(crate) fn print(text: &str) {
    #[cfg(any(test, feature = "testing"))]
    if crate::testing::hear(|| crate::testing::Said::Printed(text.to_owned())) {
        return;
    }
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// The columns of the terminal: the variable `COLUMNS`, or 80.
pub(crate) fn columns() -> usize {
    let columns = std::env::var("COLUMNS").ok();
    let columns = columns.and_then(|columns| columns.trim().parse().ok());
    columns.filter(|&columns| columns > 0).unwrap_or(COLUMNS)
}

/// A warning: to the program's logger, or to the standard error if it has none.
pub(crate) fn warn(message: &str) {
    #[cfg(any(test, feature = "testing"))]
    if crate::testing::hear(|| crate::testing::Said::Warned(message.to_owned())) {
        return;
    }
    if log::max_level() == log::LevelFilter::Off {
        let _ = std::io::stderr().write_all(format!("warning: {message}\n").as_bytes());
    } else {
        log::warn!(target: "keras", "{message}");
    }
}

/// Keras' warning about data that is shorter than it was said to be.
pub(crate) const RAN_OUT: &str = "Your input ran out of data; interrupting training. Make sure that your dataset or \
    generator can generate at least `steps_per_epoch * epochs` batches. You may need to use the `.repeat()` function \
    when building your dataset.";
