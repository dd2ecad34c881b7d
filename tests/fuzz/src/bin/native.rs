#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| keras_fuzz::native(bytes));
