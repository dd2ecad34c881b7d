//! What the library prints, for tests that hold it to the letter.

use std::cell::RefCell;

/// Something that would have been printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// A text on the standard output.
    Printed(String),
    /// A warning, without what is put before it.
    Warned(String),
}

thread_local! {
    static SAID: RefCell<Option<Vec<Said>>> = const { RefCell::new(None) };
}

/// Runs something, and gives what it said on this thread instead of printing it. A training of a small
/// model stays on its thread.
pub fn listen<R>(run: impl FnOnce() -> R) -> (R, Vec<Said>) {
    let before = SAID.replace(Some(Vec::new()));
    let result = run();
    (result, SAID.replace(before).unwrap_or_default())
}

/// What has been said so far, for whoever listens.
pub fn said() -> Vec<Said> {
    SAID.with_borrow(|said| said.clone().unwrap_or_default())
}

/// Whether somebody listens, and so has heard it.
pub(crate) fn hear(what: impl FnOnce() -> Said) -> bool {
    SAID.with_borrow_mut(|said| said.as_mut().map(|said| said.push(what())).is_some())
}
