//! What runs on the host all the same: functions of the user's that the GPU cannot be told about, and
//! what is asked for so rarely that no kernel is worth it. The numbers are fetched, computed with on
//! the CPU, and sent back; the device is waited for.

use super::context::{Driver, View, ViewMut};

/// The numbers of a view.
pub fn fetch<R: Driver>(view: View<'_, R>) -> Vec<f32> {
    let mut numbers = vec![0.0; view.len];
    view.context.download(view, &mut numbers);
    numbers
}

/// The numbers of a view that may be missing.
pub fn fetch_optional<R: Driver>(view: Option<View<'_, R>>) -> Option<Vec<f32>> {
    view.map(fetch)
}

/// The numbers of a view to write, which go back to it when `work` has changed them.
pub fn change<R: Driver, T>(view: &ViewMut<'_, R>, work: impl FnOnce(&mut [f32]) -> T) -> T {
    let mut numbers = fetch(view.read());
    let result = work(&mut numbers);
    view.context.upload(&numbers, view);
    result
}

/// The numbers that `work` writes, all of them, go to a view.
pub fn write<R: Driver>(view: &ViewMut<'_, R>, work: impl FnOnce(&mut [f32])) {
    let mut numbers = vec![0.0; view.len];
    work(&mut numbers);
    view.context.upload(&numbers, view);
}
