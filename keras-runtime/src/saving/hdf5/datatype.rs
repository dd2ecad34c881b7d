//! How numbers and strings lie in a file: the datatype message.
//!
//! ```text
//! u8   version << 4 | class: 0 integer, 1 float, 3 string, 5 opaque, 9 of varying length
//! u24  of the class: byte order, sign, padding, character set
//! u32  size in bytes
//! ..   of the class: where the bits of an integer or a float lie; the tag; the type of the elements
//! ```

use keras_config::bytes::Fields;

use super::{Result, size};
use crate::numbers::Number;

/// The type of the elements of a dataset or an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Datatype {
    Number(Number),
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

const INTEGER: u8 = 0;
const FLOAT: u8 = 1;
const STRING: u8 = 3;
const OPAQUE: u8 = 5;
const VARIABLE: u8 = 9;

/// Of each kind of float: its bytes, where its sign is, where its exponent begins and how long that is, where
/// its mantissa begins and how long that is, and what the exponent is more than it means.
const FLOATS: [(Number, usize, u8, [u8; 4], u32); 3] = [
    (Number::Float16, 2, 15, [10, 5, 0, 10], 15),
    (Number::Float32, 4, 31, [23, 8, 0, 23], 127),
    (Number::Float64, 8, 63, [52, 11, 0, 52], 1023),
];

impl Datatype {
    /// Reads a message.
    pub fn decode(message: &[u8]) -> Result<Self> {
        let mut fields = Fields(message);
        let class = fields.u8()? & 0x0f;
        let bits: [u8; 3] = fields.array()?;
        let size = size(u64::from(fields.u32()?))?;
        if size == 0 {
            return Err("The file is damaged: it has values of no size".into());
        }
        let number = match class {
            INTEGER | FLOAT if bits[0] & 0b0100_0001 == 0 => {
                let (offset, precision) = (fields.u16()?, fields.u16()?);
                let is_whole = offset == 0 && usize::from(precision) == 8 * size;
                let number = match (class, size) {
                    (FLOAT, _) => {
                        let (layout, bias) = (fields.array()?, fields.u32()?);
                        let of = |&(number, bytes, sign, bits_at, more): &(_, _, _, _, _)| {
                            let found = (size, bits[1], layout, bias);
                            ((bytes, sign, bits_at, more) == found).then_some(number)
                        };
                        FLOATS.iter().find_map(of)
                    }
                    (_, 1 | 2 | 4 | 8) if bits[0] & 0b1000 != 0 => Some(Number::Signed(size)),
                    (_, 1 | 2 | 4 | 8) => Some(Number::Unsigned(size)),
                    _ => None,
                };
                number.filter(|_| is_whole)
            }
            _ => None,
        };
        Ok(match (class, number) {
            (_, Some(number)) => Self::Number(number),
            (STRING, _) => Self::Text { size },
            (OPAQUE, _) => Self::Opaque { size },
            (VARIABLE, _) if bits[0] & 0x0f == 1 && size == 16 => Self::VariableText,
            _ => Self::Other { size },
        })
    }

    /// Writes a message.
    pub fn encode(self) -> Vec<u8> {
        let size = self.size();
        let head = |class: u8, bits: [u8; 3]| {
            let mut message = vec![0x10 | class, bits[0], bits[1], bits[2]];
            message.extend((size as u32).to_le_bytes());
            message
        };
        let number = |mut message: Vec<u8>| {
            message.extend([0, 0]);
            message.extend((8 * size as u16).to_le_bytes());
            message
        };
        match self {
            Self::Number(Number::Signed(_)) => number(head(INTEGER, [0b1000, 0, 0])),
            Self::Number(Number::Unsigned(_)) => number(head(INTEGER, [0; 3])),
            Self::Number(of) => match FLOATS.iter().find(|(number, ..)| *number == of) {
                Some((_, _, sign, layout, bias)) => {
                    // The mantissa has a bit that is not written.
                    let mut message = number(head(FLOAT, [0x20, *sign, 0]));
                    message.extend(layout);
                    message.extend(bias.to_le_bytes());
                    message
                }
                None => head(OPAQUE, [0; 3]),
            },
            Self::VariableText => {
                // A string that ends with a zero, in UTF-8; its elements are bytes.
                let mut message = head(VARIABLE, [1, 1, 0]);
                message.extend([0x10, 0, 0, 0, 1, 0, 0, 0, 0, 0, 8, 0]);
                message
            }
            // Filled up with zeros.
            Self::Text { .. } => head(STRING, [1, 0, 0]),
            Self::Opaque { .. } | Self::Other { .. } => head(OPAQUE, [0; 3]),
        }
    }

    /// The bytes of one element.
    pub const fn size(self) -> usize {
        match self {
            Self::Number(number) => number.size(),
            Self::Text { size } | Self::Opaque { size } | Self::Other { size } => size,
            Self::VariableText => 16,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for datatype in [
            Datatype::Number(Number::Float16),
            Datatype::Number(Number::Float32),
            Datatype::Number(Number::Float64),
            Datatype::Number(Number::Signed(8)),
            Datatype::Number(Number::Unsigned(1)),
            Datatype::Text { size: 7 },
            Datatype::VariableText,
            Datatype::Opaque { size: 2 },
        ] {
            let message = datatype.encode();
            assert_eq!(Datatype::decode(&message), Ok(datatype));
            for end in 0..8 {
                assert!(
                    Datatype::decode(&message[..end]).is_err(),
                    "{datatype:?} {end}"
                );
            }
        }
        // As h5py writes it: the sign is bit 31, the exponent (bias 127) begins at bit 23.
        let float = [
            0x11, 0x20, 31, 0, 4, 0, 0, 0, 0, 0, 32, 0, 23, 8, 0, 23, 127, 0, 0, 0,
        ];
        assert_eq!(Datatype::Number(Number::Float32).encode(), float);
    }
}
