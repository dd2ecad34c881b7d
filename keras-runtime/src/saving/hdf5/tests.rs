//! Files in memory, whole and damaged; files of h5py are in `tests/conformance/weights.rs`.
