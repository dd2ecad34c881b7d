//! The same numbers as real Keras: replays of the fixtures that `tests/reference/` writes.

mod activations;
mod archives;
mod backups;
mod catalogue;
mod configs;
mod drawn;
mod events;
mod fits;
mod fixture;
mod initializers;
mod layers;
mod losses;
mod metrics;
mod models;
mod optimizers;
mod own;
mod python;
mod regularizers;
mod texts;
mod traces;
mod trainings;
mod weights;
