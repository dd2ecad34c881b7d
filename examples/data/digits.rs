//! The handwritten digits of `digits.bin`, in an order of their own.

use ndarray::{Array1, Array4, s};

/// Images of 8 x 8 pixels from 0 to 1, and their digits.
pub struct Digits {
    /// (samples, 8, 8, 1)
    pub images: Array4<f32>,
    /// (samples,)
    pub digits: Array1<u8>,
}

const RECORD: usize = 65;

/// All images but the last quarter, and these. The images of one writer follow each other in the
/// file, so they are put into another order first, always the same.
pub fn load() -> (Digits, Digits) {
    let records: Vec<&[u8]> = include_bytes!("digits.bin").chunks_exact(RECORD).collect();
    let samples = records.len();
    // 577 and the number of images have no common divisor: every image is met once.
    let record = |sample: usize| records[sample * 577 % samples];
    let images = Array4::from_shape_fn((samples, 8, 8, 1), |(sample, row, column, _)| {
        f32::from(record(sample)[row * 8 + column]) / 16.0
    });
    let digits = Array1::from_shape_fn(samples, |sample| record(sample)[RECORD - 1]);
    let cut = samples * 3 / 4;
    let part = |range: std::ops::Range<usize>| Digits {
        images: images.slice(s![range.clone(), .., .., ..]).to_owned(),
        digits: digits.slice(s![range]).to_owned(),
    };
    (part(0..cut), part(cut..samples))
}
