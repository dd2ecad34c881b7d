//! What a device must do, and the devices that do it.

pub mod cpu;
pub mod float;
