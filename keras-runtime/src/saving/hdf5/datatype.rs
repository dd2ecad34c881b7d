//! How numbers and strings lie in a file: the datatype message, and the numbers as `f32`.
//!
//! ```text
//! u8   version << 4 | class: 0 integer, 1 float, 3 string, 5 opaque, 9 of varying length
//! u24  of the class: byte order, sign, padding, character set
//! u32  size in bytes
//! ..   of the class: where the bits of an integer or a float lie; the tag; the type of the elements
//! ```

use super::Result;
use super::read::Fields;

/// The type of the elements of a dataset or an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Datatype {
    Float16,
    Float32,
    Float64,
    Integer {
        size: usize,
        signed: bool,
    },
    /// Strings of so many bytes, filled up with zeros or spaces.
    Text {
        size: usize,
    },
    /// Strings in the global heap.
    VariableText,
    /// Bytes without a meaning; Keras writes `bfloat16` like this.
    Opaque {
        size: usize,
    },
    /// Anything else, of so many bytes.
    Other {
        size: usize,
    },
}

/// A float of 4 bytes: the sign is bit 31, the exponent (bias 127) begins at bit 23.
const FLOAT32: [u8; 20] = [
    0x11, 0x20, 31, 0, 4, 0, 0, 0, 0, 0, 32, 0, 23, 8, 0, 23, 127, 0, 0, 0,
];

const FLOAT: u8 = 1;
const STRING: u8 = 3;
const VARIABLE: u8 = 9;

impl Datatype {
    /// Reads a message.
    pub fn decode(message: &[u8]) -> Result<Self> {
        let mut fields = Fields(message);
        let class = fields.u8()? & 0x0f;
        let bits = [fields.u8()?, fields.u8()?, fields.u8()?];
        let size = fields.u32()?;
        let size = fields.size(u64::from(size))?;
        if size == 0 {
            return Err("The file is damaged: it has values of no size".into());
        }
        let other = Self::Other { size };
        let is_little_endian = bits[0] & 0b0100_0001 == 0;
        Ok(match class {
            0 if is_little_endian => {
                let (offset, precision) = (fields.u16()?, fields.u16()?);
                let is_whole = offset == 0 && usize::from(precision) == 8 * size;
                match size {
                    1 | 2 | 4 | 8 if is_whole => Self::Integer {
                        size,
                        signed: bits[0] & 0b1000 != 0,
                    },
                    _ => other,
                }
            }
            FLOAT if is_little_endian => {
                let (offset, precision) = (fields.u16()?, fields.u16()?);
                let layout: [u8; 4] = fields.array()?;
                let bias = u32::from_le_bytes(fields.array()?);
                let is_whole = offset == 0 && usize::from(precision) == 8 * size;
                // The sign, the exponent and its size, the mantissa and its size, the exponent's bias.
                match (size, bits[1], layout, bias) {
                    (2, 15, [10, 5, 0, 10], 15) if is_whole => Self::Float16,
                    (4, 31, [23, 8, 0, 23], 127) if is_whole => Self::Float32,
                    (8, 63, [52, 11, 0, 52], 1023) if is_whole => Self::Float64,
                    _ => other,
                }
            }
            STRING => Self::Text { size },
            5 => Self::Opaque { size },
            VARIABLE if bits[0] & 0x0f == 1 && size == 16 => Self::VariableText,
            _ => other,
        })
    }

    /// Writes a message.
    pub fn encode(self) -> Vec<u8> {
        let head = |class: u8, bits: [u8; 3], size: usize| {
            let mut message = vec![0x10 | class, bits[0], bits[1], bits[2]];
            message.extend((size as u32).to_le_bytes());
            message
        };
        match self {
            Self::Float32 => FLOAT32.to_vec(),
            Self::Integer { size, signed } => {
                let mut message = head(0, [u8::from(signed) << 3, 0, 0], size);
                message.extend([0, 0]);
                message.extend((8 * size as u16).to_le_bytes());
                message
            }
            // Filled up with zeros, ASCII.
            Self::Text { size } => head(STRING, [1, 0, 0], size),
            Self::VariableText => {
                // A string, ends with a zero, UTF-8; its elements are bytes.
                let mut message = head(VARIABLE, [1, 1, 0], 16);
                message.extend([0x10, 0, 0, 0, 1, 0, 0, 0, 0, 0, 8, 0]);
                message
            }
            Self::Float16 => {
                let mut message = head(FLOAT, [0x20, 15, 0], 2);
                message.extend([0, 0, 16, 0, 10, 5, 0, 10, 15, 0, 0, 0]);
                message
            }
            Self::Float64 => {
                let mut message = head(FLOAT, [0x20, 63, 0], 8);
                message.extend([0, 0, 64, 0, 52, 11, 0, 52, 0xff, 3, 0, 0]);
                message
            }
            Self::Opaque { size } | Self::Other { size } => head(5, [0, 0, 0], size),
        }
    }

    /// The bytes of one element.
    pub fn size(self) -> usize {
        match self {
            Self::Float16 => 2,
            Self::Float32 => 4,
            Self::Float64 => 8,
            Self::Integer { size, .. }
            | Self::Text { size }
            | Self::Opaque { size }
            | Self::Other { size } => size,
            Self::VariableText => 16,
        }
    }

    /// Appends the numbers that bytes are, `None` if they are none.
    pub fn floats(self, bytes: &[u8], to: &mut Vec<f32>) -> Option<()> {
        fn each<const N: usize>(bytes: &[u8], to: &mut Vec<f32>, number: impl Fn([u8; N]) -> f32) {
            to.extend(bytes.as_chunks::<N>().0.iter().map(|&bytes| number(bytes)));
        }
        match self {
            Self::Float16 => each(bytes, to, |bytes| half(u16::from_le_bytes(bytes))),
            Self::Float32 => each(bytes, to, f32::from_le_bytes),
            Self::Float64 => each(bytes, to, |bytes| f64::from_le_bytes(bytes) as f32),
            Self::Integer { size, signed } => match (size, signed) {
                (1, true) => each(bytes, to, |bytes| f32::from(i8::from_le_bytes(bytes))),
                (2, true) => each(bytes, to, |bytes| f32::from(i16::from_le_bytes(bytes))),
                (4, true) => each(bytes, to, |bytes| i32::from_le_bytes(bytes) as f32),
                (_, true) => each(bytes, to, |bytes| i64::from_le_bytes(bytes) as f32),
                (1, false) => each(bytes, to, |bytes| f32::from(u8::from_le_bytes(bytes))),
                (2, false) => each(bytes, to, |bytes| f32::from(u16::from_le_bytes(bytes))),
                (4, false) => each(bytes, to, |bytes| u32::from_le_bytes(bytes) as f32),
                (_, false) => each(bytes, to, |bytes| u64::from_le_bytes(bytes) as f32),
            },
            // The upper half of an `f32`.
            Self::Opaque { size: 2 } => each(bytes, to, |[low, high]| {
                f32::from_le_bytes([0, 0, low, high])
            }),
            _ => return None,
        }
        Some(())
    }

    /// The number that the bytes of an element are, if it is an integer and not negative.
    pub fn count(self, bytes: &[u8]) -> Option<u64> {
        let Self::Integer { size, signed } = self else {
            return None;
        };
        let mut number = [0; 8];
        let bytes = bytes.get(..size)?;
        number[..size].copy_from_slice(bytes);
        let is_negative = signed && bytes.last()? & 0x80 != 0;
        (!is_negative).then_some(u64::from_le_bytes(number))
    }
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
    fn what_is_written_is_read() {
        let integer = |size, signed| Datatype::Integer { size, signed };
        for datatype in [
            Datatype::Float16,
            Datatype::Float32,
            Datatype::Float64,
            integer(8, true),
            integer(4, true),
            integer(8, false),
            integer(1, false),
            Datatype::Text { size: 7 },
            Datatype::VariableText,
            Datatype::Opaque { size: 2 },
        ] {
            assert_eq!(Datatype::decode(&datatype.encode()), Ok(datatype));
        }
        for end in 0..FLOAT32.len() {
            assert!(Datatype::decode(&FLOAT32[..end]).is_err(), "{end}");
        }
    }
}
