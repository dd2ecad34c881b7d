//! Protocol buffers, as far as event files need them: a message is its fields one after the other.

/// A message that is being written.
#[derive(Clone, Debug, Default)]
pub(super) struct Message(Vec<u8>);

/// How a field is written.
#[derive(Clone, Copy)]
enum Wire {
    Varint = 0,
    Eight = 1,
    Bytes = 2,
}

impl Message {
    /// No fields yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The bytes of the message.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    fn varint(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }

    fn key(&mut self, field: u32, wire: Wire) {
        self.varint(u64::from(field) << 3 | wire as u64);
    }

    /// A whole number.
    #[must_use]
    pub fn int(mut self, field: u32, number: u64) -> Self {
        self.key(field, Wire::Varint);
        self.varint(number);
        self
    }

    /// A `double`.
    #[must_use]
    pub fn double(mut self, field: u32, number: f64) -> Self {
        self.key(field, Wire::Eight);
        self.0.extend(number.to_le_bytes());
        self
    }

    /// Bytes, or a text.
    #[must_use]
    pub fn bytes(mut self, field: u32, bytes: impl AsRef<[u8]>) -> Self {
        let bytes = bytes.as_ref();
        self.key(field, Wire::Bytes);
        self.varint(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
        self
    }

    /// A message in the message.
    #[must_use]
    pub fn message(self, field: u32, message: Message) -> Self {
        self.bytes(field, message.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of the encoding's documentation.
    #[test]
    fn fields_are_encoded_as_documented() {
        let inner = Message::new().int(1, 150);
        assert_eq!(inner.as_bytes(), [0x08, 0x96, 0x01]);
        let outer = Message::new().message(3, inner);
        assert_eq!(outer.as_bytes(), [0x1a, 0x03, 0x08, 0x96, 0x01]);
        let text = Message::new().bytes(2, "testing");
        assert_eq!(text.as_bytes(), b"\x12\x07testing");
        let number = Message::new().double(16, 1.0);
        assert_eq!(
            number.as_bytes(),
            [0x81, 0x01, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f]
        );
    }
}
