//! Numbers as files have them, the lowest bytes first, as `f32`.

use std::io::{self, Read, Write};

/// Values are converted in pieces of so many bytes, which a disk likes to be large.
const PIECE: usize = 1 << 20;

/// How a number is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Number {
    Float16,
    /// The upper half of a [`Float32`](Self::Float32).
    Bfloat16,
    Float32,
    Float64,
    /// An integer of so many bytes: 1, 2, 4 or 8.
    Signed(usize),
    Unsigned(usize),
}

impl Number {
    /// How many bytes it takes.
    pub const fn size(self) -> usize {
        match self {
            Self::Float16 | Self::Bfloat16 => 2,
            Self::Float32 => 4,
            Self::Float64 => 8,
            Self::Signed(size) | Self::Unsigned(size) => size,
        }
    }

    /// Reads numbers that lie one after the other. Whoever asks has made sure that the source is as long.
    ///
    /// # Errors
    /// If the source ends before.
    pub fn read(self, source: &mut impl Read, count: usize) -> io::Result<Vec<f32>> {
        let mut values = Vec::with_capacity(count);
        let mut left = count * self.size();
        let mut piece = vec![0; left.min(PIECE)];
        while left > 0 {
            let piece = &mut piece[..left.min(PIECE)];
            source.read_exact(piece)?;
            self.floats(piece, &mut values);
            left -= piece.len();
        }
        Ok(values)
    }

    /// Appends the numbers that bytes are.
    fn floats(self, bytes: &[u8], to: &mut Vec<f32>) {
        fn each<const N: usize>(bytes: &[u8], to: &mut Vec<f32>, number: impl Fn([u8; N]) -> f32) {
            to.extend(bytes.as_chunks::<N>().0.iter().map(|&bytes| number(bytes)));
        }
        match self {
            Self::Float16 => each(bytes, to, |bytes| half(u16::from_le_bytes(bytes))),
            Self::Bfloat16 => each(bytes, to, |[low, high]| {
                f32::from_le_bytes([0, 0, low, high])
            }),
            Self::Float32 => each(bytes, to, f32::from_le_bytes),
            Self::Float64 => each(bytes, to, |bytes| f64::from_le_bytes(bytes) as f32),
            Self::Signed(1) => each(bytes, to, |bytes| f32::from(i8::from_le_bytes(bytes))),
            Self::Signed(2) => each(bytes, to, |bytes| f32::from(i16::from_le_bytes(bytes))),
            Self::Signed(4) => each(bytes, to, |bytes| i32::from_le_bytes(bytes) as f32),
            Self::Signed(_) => each(bytes, to, |bytes| i64::from_le_bytes(bytes) as f32),
            Self::Unsigned(1) => each(bytes, to, |bytes| f32::from(u8::from_le_bytes(bytes))),
            Self::Unsigned(2) => each(bytes, to, |bytes| f32::from(u16::from_le_bytes(bytes))),
            Self::Unsigned(4) => each(bytes, to, |bytes| u32::from_le_bytes(bytes) as f32),
            Self::Unsigned(_) => each(bytes, to, |bytes| u64::from_le_bytes(bytes) as f32),
        }
    }

    /// The number that bytes are, if it is an integer and not negative.
    pub fn count(self, bytes: &[u8]) -> Option<u64> {
        let (Self::Signed(size) | Self::Unsigned(size)) = self else {
            return None;
        };
        let mut number = [0; 8];
        let bytes = bytes.get(..size)?;
        number.get_mut(..size)?.copy_from_slice(bytes);
        let is_negative = matches!(self, Self::Signed(_)) && bytes.last()? & 0x80 != 0;
        (!is_negative).then_some(u64::from_le_bytes(number))
    }
}

/// Writes floats of 4 bytes, one after the other.
///
/// # Errors
/// If `out` does not take them.
pub(crate) fn write_floats(out: &mut dyn Write, values: &[f32]) -> io::Result<()> {
    let mut piece = vec![0; PIECE.min(4 * values.len())];
    for values in values.chunks(PIECE / 4) {
        let (quads, _) = piece.as_chunks_mut::<4>();
        for (quad, value) in quads.iter_mut().zip(values) {
            *quad = value.to_le_bytes();
        }
        out.write_all(&piece[..4 * values.len()])?;
    }
    Ok(())
}

/// The number that 16 bits are: a sign, 5 bits of exponent and 10 of mantissa.
fn half(bits: u16) -> f32 {
    let sign = if bits & 0x8000 == 0 { 1.0 } else { -1.0 };
    let (exponent, mantissa) = (i32::from(bits >> 10 & 0x1f), bits & 0x3ff);
    sign * match exponent {
        0 => f32::from(mantissa) * 2f32.powi(-24),
        0x1f if mantissa == 0 => f32::INFINITY,
        0x1f => f32::NAN,
        _ => f32::from(mantissa | 0x400) * 2f32.powi(exponent - 25),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_what_they_are() {
        for (bits, number) in [
            (0x0000, 0.0),
            (0x8000, -0.0),
            (0x0001, 2f32.powi(-24)),
            (0x03ff, 1023.0 * 2f32.powi(-24)),
            (0x0400, 2f32.powi(-14)),
            (0x3c00, 1.0),
            (0xc000, -2.0),
            (0x3555, 0.333_251_95),
            (0x7bff, 65504.0),
            (0x7c00, f32::INFINITY),
            (0xfc00, f32::NEG_INFINITY),
        ] {
            assert_eq!(half(bits).to_bits(), f32::to_bits(number), "{bits:#x}");
        }
        assert!(half(0x7e00).is_nan());
    }

    #[test]
    fn numbers_of_every_kind_are_read() -> io::Result<()> {
        let bytes = [0xff; 8];
        for (number, expected) in [
            (Number::Signed(1), -1.0),
            (Number::Signed(8), -1.0),
            (Number::Unsigned(1), 255.0),
            (Number::Unsigned(2), 65535.0),
            (Number::Unsigned(8), u64::MAX as f32),
        ] {
            assert_eq!(number.read(&mut &bytes[..], 1)?, [expected], "{number:?}");
        }
        assert_eq!(Number::Signed(4).count(&bytes), None);
        assert_eq!(Number::Unsigned(2).count(&bytes), Some(65535));
        assert_eq!(Number::Float32.count(&bytes), None);
        assert!(Number::Float64.read(&mut &bytes[..], 2).is_err());
        Ok(())
    }

    #[test]
    fn what_is_written_is_read() -> io::Result<()> {
        let values: Vec<f32> = (0..400_000).map(|value| value as f32 / 7.0).collect();
        let mut bytes = Vec::new();
        write_floats(&mut bytes, &values)?;
        assert_eq!(Number::Float32.read(&mut &bytes[..], values.len())?, values);
        Ok(())
    }
}
