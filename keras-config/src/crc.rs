//! Checksums of 32 bits: CRC-32C (Castagnoli) of this project's files and of TensorBoard's, CRC-32 of zip's.

/// The checksum of TensorBoard's files and this project's own.
pub type Crc32c = Crc<0x82f6_3b78>;

/// The checksum of zip.
pub type Crc32 = Crc<0xedb8_8320>;

/// `tables[k][b]`: the remainder of the byte `b` followed by `k` bytes of zeros, for a polynomial whose
/// bits are in reverse.
const fn tables(polynomial: u32) -> [[u32; 256]; 8] {
    let mut tables = [[0; 256]; 8];
    let mut byte = 0;
    while byte < 256 {
        let mut remainder = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            let carry = remainder & 1 == 1;
            remainder >>= 1;
            if carry {
                remainder ^= polynomial;
            }
            bit += 1;
        }
        tables[0][byte] = remainder;
        byte += 1;
    }
    let mut table = 1;
    while table < 8 {
        let mut byte = 0;
        while byte < 256 {
            let before = tables[table - 1][byte];
            tables[table][byte] = tables[0][(before & 0xff) as usize] ^ (before >> 8);
            byte += 1;
        }
        table += 1;
    }
    tables
}

/// The checksum of the bytes so far.
#[derive(Clone, Copy, Debug)]
pub struct Crc<const POLYNOMIAL: u32>(u32);

impl<const POLYNOMIAL: u32> Crc<POLYNOMIAL> {
    const TABLES: [[u32; 256]; 8] = tables(POLYNOMIAL);

    /// That of no bytes.
    pub const fn new() -> Self {
        Self(!0)
    }

    /// Adds bytes, eight at a time.
    pub fn update(&mut self, bytes: &[u8]) {
        let (chunks, rest) = bytes.as_chunks::<8>();
        for chunk in chunks {
            let low = u32::from_le_bytes([chunk[0], chunk[1], chunk[2], chunk[3]]) ^ self.0;
            let [a, b, c, d] = low.to_le_bytes();
            let bytes = [a, b, c, d, chunk[4], chunk[5], chunk[6], chunk[7]];
            let remainders = bytes.iter().zip(Self::TABLES.iter().rev());
            self.0 = remainders.fold(0, |sum, (&byte, table)| sum ^ table[usize::from(byte)]);
        }
        for &byte in rest {
            let at = (self.0 as u8 ^ byte) as usize;
            self.0 = Self::TABLES[0][at] ^ (self.0 >> 8);
        }
    }

    /// The checksum.
    pub const fn value(self) -> u32 {
        !self.0
    }
}

impl<const POLYNOMIAL: u32> Default for Crc<POLYNOMIAL> {
    fn default() -> Self {
        Self::new()
    }
}

/// The checksum of bytes.
pub fn crc32c(bytes: &[u8]) -> u32 {
    let mut crc = Crc32c::new();
    crc.update(bytes);
    crc.value()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of RFC 3720, appendix B.4.
    #[test]
    fn checksums_are_those_of_the_standard() {
        let ascending: Vec<u8> = (0..32).collect();
        let descending: Vec<u8> = (0..32).rev().collect();
        assert_eq!(crc32c(&[0; 32]), 0x8a91_36aa);
        assert_eq!(crc32c(&[0xff; 32]), 0x62a8_ab43);
        assert_eq!(crc32c(&ascending), 0x46dd_794e);
        assert_eq!(crc32c(&descending), 0x113f_db5c);
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
        assert_eq!(crc32c(b""), 0);
    }

    #[test]
    fn that_of_zip_is_another() {
        let mut crc = Crc32::new();
        crc.update(b"123456789");
        assert_eq!(crc.value(), 0xcbf4_3926);
    }

    #[test]
    fn bytes_may_come_in_parts_of_any_length() {
        let bytes: Vec<u8> = (0..100u8).map(|byte| byte.wrapping_mul(37)).collect();
        for cut in 0..bytes.len() {
            let mut crc = Crc32c::new();
            crc.update(&bytes[..cut]);
            crc.update(&bytes[cut..]);
            assert_eq!(crc.value(), crc32c(&bytes), "{cut}");
        }
    }
}
