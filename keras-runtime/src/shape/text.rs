//! Sentences composed at compile time: a string of fixed capacity that `const fn`s append to.

use super::Shape;

const CAPACITY: usize = 320;

/// A short text that a `const fn` can write. What does not fit is cut off.
#[derive(Clone, Copy)]
pub struct Text {
    bytes: [u8; CAPACITY],
    len: usize,
}

impl Text {
    /// The empty text.
    pub const fn new() -> Self {
        Self {
            bytes: [0; CAPACITY],
            len: 0,
        }
    }

    /// The text so far.
    pub const fn as_str(&self) -> &str {
        let (text, _) = self.bytes.split_at(self.len);
        match std::str::from_utf8(text) {
            Ok(text) => text,
            Err(_) => "(a text cut inside a character)",
        }
    }

    /// Appends a string.
    #[must_use]
    pub const fn str(mut self, text: &str) -> Self {
        let bytes = text.as_bytes();
        let mut i = 0;
        while i < bytes.len() && self.len < CAPACITY {
            self.bytes[self.len] = bytes[i];
            self.len += 1;
            i += 1;
        }
        self
    }

    /// Appends a whole number.
    #[must_use]
    pub const fn int(self, value: isize) -> Self {
        let text = if value < 0 { self.str("-") } else { self };
        text.digits(value.unsigned_abs())
    }

    /// Appends a number of things.
    #[must_use]
    pub const fn num(self, value: usize) -> Self {
        self.digits(value)
    }

    /// Appends a number with its thousands apart: `101,770`.
    #[must_use]
    pub const fn thousands(self, value: usize) -> Self {
        if value < 1000 {
            return self.digits(value);
        }
        let rest = value % 1000;
        let text = self.thousands(value / 1000).str(",");
        let zeros = if rest < 10 {
            "00"
        } else if rest < 100 {
            "0"
        } else {
            ""
        };
        text.str(zeros).digits(rest)
    }

    const fn digits(self, value: usize) -> Self {
        let mut digits = [0u8; 20];
        let mut at = digits.len();
        let mut rest = value;
        loop {
            at -= 1;
            digits[at] = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        let (_, digits) = digits.split_at(at);
        match std::str::from_utf8(digits) {
            Ok(digits) => self.str(digits),
            Err(_) => self,
        }
    }

    /// Appends one dimension: its size, or `None` where it is unknown.
    #[must_use]
    pub const fn dim(self, value: usize) -> Self {
        if value == Shape::NONE {
            self.str("None")
        } else {
            self.digits(value)
        }
    }

    /// Appends a number with at most six decimals: `0.5`, `-2.0`.
    #[must_use]
    pub const fn float(self, value: f32) -> Self {
        if value.is_nan() {
            return self.str("nan");
        }
        let text = if value < 0.0 { self.str("-") } else { self };
        if value.is_infinite() {
            return text.str("inf");
        }
        let millionths = (value.abs() as f64 * 1e6 + 0.5) as u128;
        let mut text = text.digits((millionths / 1_000_000) as usize).str(".");
        let mut rest = millionths % 1_000_000;
        loop {
            text = text.digits((rest / 100_000) as usize);
            rest = rest % 100_000 * 10;
            if rest == 0 {
                return text;
            }
        }
    }

    /// Appends shapes with their batch axes: `[(None, 3), (None, 4)]`.
    #[must_use]
    pub const fn batched_list(self, shapes: &[Shape]) -> Self {
        let mut text = self.str("[");
        let mut at = 0;
        while at < shapes.len() {
            if at > 0 {
                text = text.str(", ");
            }
            text = text.batched(&shapes[at]);
            at += 1;
        }
        text.str("]")
    }

    /// Appends a shape without its batch axis: `(26, 26, 32)`.
    #[must_use]
    pub const fn shape(self, shape: &Shape) -> Self {
        self.dims(shape, false)
    }

    /// Appends a shape with its batch axis: `(None, 26, 26, 32)`.
    #[must_use]
    pub const fn batched(self, shape: &Shape) -> Self {
        self.dims(shape, true)
    }

    const fn dims(self, shape: &Shape, batched: bool) -> Self {
        if !shape.is_known() {
            return self.str("(unknown)");
        }
        let mut text = self.str("(");
        if batched {
            text = text.str(if shape.rank() == 0 { "None," } else { "None, " });
        }
        let mut axis = 0;
        while axis < shape.rank() {
            if axis > 0 {
                text = text.str(", ");
            }
            text = text.dim(shape.dim(axis));
            axis += 1;
        }
        if !batched && shape.rank() == 1 {
            text = text.str(",");
        }
        text.str(")")
    }
}

impl Default for Text {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for Text {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_as_many_decimals_as_they_need() {
        let text = |value| Text::new().float(value).as_str().to_string();
        assert_eq!(text(1.5), "1.5");
        assert_eq!(text(-0.1), "-0.1");
        assert_eq!(text(2.0), "2.0");
        assert_eq!(text(0.000_125), "0.000125");
        assert_eq!(text(f32::NAN), "nan");
        assert_eq!(text(f32::NEG_INFINITY), "-inf");
    }

    #[test]
    fn thousands_are_apart() {
        let text = |value| Text::new().thousands(value).as_str().to_string();
        assert_eq!(text(999), "999");
        assert_eq!(text(1_000), "1,000");
        assert_eq!(text(12_034_005), "12,034,005");
    }

    #[test]
    fn shapes_are_listed() {
        let shapes = [Shape::new(&[3]), Shape::new(&[Shape::NONE, 4])];
        let text = Text::new().batched_list(&shapes);
        assert_eq!(text.as_str(), "[(None, 3), (None, None, 4)]");
    }
}
