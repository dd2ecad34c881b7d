//! What the library prints. A reader that has gone away is no error of the training.

use std::io::Write;

/// Writes to the standard output, at once.
pub(crate) fn print(text: &str) {
    #[cfg(any(test, feature = "testing"))]
    if crate::testing::hear(|| crate::testing::Said::Printed(text.to_owned())) {
        return;
    }
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// Writes a warning to the standard error.
pub(crate) fn warn(message: &str) {
    #[cfg(any(test, feature = "testing"))]
    if crate::testing::hear(|| crate::testing::Said::Warned(message.to_owned())) {
        return;
    }
    let _ = std::io::stderr().write_all(format!("warning: {message}\n").as_bytes());
}
