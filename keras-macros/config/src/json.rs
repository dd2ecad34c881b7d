//! JSON as Python's `json` module reads and writes it: with bare `NaN`, `Infinity` and `-Infinity`, whole
//! numbers apart from others, and everything beyond ASCII escaped. Names stay in their order.

use std::fmt::{self, Write as _};

use crate::python;

/// A value of JSON.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Json {
    /// `null`.
    #[default]
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number without a fraction.
    Int(i128),
    /// Any other number.
    Float(f64),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Json>),
    /// Values by name.
    Object(Object),
}

/// Values by name, in the order in which they were set.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Object {
    entries: Vec<(String, Json)>,
}

impl Object {
    /// Nothing yet.
    pub const fn new() -> Self {
        Self {
            entries: Vec::new(),
        }
    }

    /// The value of a name; of several of one name the last.
    pub fn get(&self, name: &str) -> Option<&Json> {
        let mut entries = self.entries.iter().rev();
        entries
            .find(|(known, _)| known == name)
            .map(|(_, value)| value)
    }

    /// Sets the value of a name: in its place, or after all others.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<Json>) {
        let (name, value) = (name.into(), value.into());
        // That of the last, as `get` has it.
        let mut entries = self.entries.iter_mut().rev();
        match entries.find(|(known, _)| *known == name) {
            Some((_, old)) => *old = value,
            None => self.entries.push((name, value)),
        }
    }

    /// The same with one more value.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<Json>) -> Self {
        self.set(name, value);
        self
    }

    /// The names and values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Json)> {
        self.entries
            .iter()
            .map(|(name, value)| (name.as_str(), value))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl<N: Into<String>, V: Into<Json>> FromIterator<(N, V)> for Object {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(entries: I) -> Self {
        let entries = entries.into_iter();
        Self {
            entries: entries.map(|(n, v)| (n.into(), v.into())).collect(),
        }
    }
}

/// Conversions into JSON.
macro_rules! into_json {
    ($($ty:ty: |$value:ident| $json:expr;)*) => {$(
        impl From<$ty> for Json {
            fn from($value: $ty) -> Self {
                $json
            }
        }
    )*};
}

into_json! {
    bool: |value| Self::Bool(value);
    i64: |value| Self::Int(value.into());
    u64: |value| Self::Int(value.into());
    usize: |value| Self::Int(value as i128);
    f64: |value| Self::Float(value);
    &str: |value| Self::Text(value.into());
    String: |value| Self::Text(value);
    &String: |value| Self::Text(value.clone());
    Object: |value| Self::Object(value);
}

impl<T: Into<Json>> From<Vec<T>> for Json {
    fn from(values: Vec<T>) -> Self {
        Self::List(values.into_iter().map(Into::into).collect())
    }
}

impl<T: Into<Json>> From<Option<T>> for Json {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl Json {
    /// Reads a text.
    ///
    /// # Errors
    /// With what is wrong with it, and where.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut parser = Parser { text, at: 0 };
        let value = parser.value(0)?;
        parser.space();
        if parser.at < text.len() {
            return Err(parser.error("Expected nothing after the value"));
        }
        Ok(value)
    }

    /// The value of a name, if this is an object that has it.
    pub fn get(&self, name: &str) -> Option<&Json> {
        self.as_object()?.get(name)
    }

    /// The object, if it is one.
    pub const fn as_object(&self) -> Option<&Object> {
        match self {
            Self::Object(object) => Some(object),
            _ => None,
        }
    }

    /// The list, if it is one.
    pub fn as_list(&self) -> Option<&[Json]> {
        match self {
            Self::List(list) => Some(list),
            _ => None,
        }
    }

    /// The text, if it is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The number, if it is one.
    pub const fn as_f64(&self) -> Option<f64> {
        match *self {
            Self::Int(number) => Some(number as f64),
            Self::Float(number) => Some(number),
            _ => None,
        }
    }

    /// The whole number, if it is one; `2.0` is one, too.
    pub fn as_int(&self) -> Option<i128> {
        match *self {
            Self::Int(number) => Some(number),
            Self::Float(number) if number.fract() == 0.0 && number.abs() < 9.0e15 => {
                Some(number as i128)
            }
            _ => None,
        }
    }

    /// The beginning of what is written of it, for messages.
    pub fn shortened(&self) -> String {
        const LEN: usize = 100;
        let text = self.to_string();
        match text.char_indices().nth(LEN) {
            Some((at, _)) => format!("{}...", &text[..at]),
            None => text,
        }
    }

    /// Whether it is `null`.
    pub const fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }
}

/// Writes it as `json.dumps` does.
impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Int(number) => write!(f, "{number}"),
            Self::Float(number) if number.is_nan() => f.write_str("NaN"),
            Self::Float(f64::INFINITY) => f.write_str("Infinity"),
            Self::Float(f64::NEG_INFINITY) => f.write_str("-Infinity"),
            Self::Float(number) => f.write_str(&python::repr(*number)),
            Self::Text(text) => write_text(f, text),
            Self::List(values) => {
                f.write_char('[')?;
                for (at, value) in values.iter().enumerate() {
                    write!(f, "{}{value}", if at > 0 { ", " } else { "" })?;
                }
                f.write_char(']')
            }
            Self::Object(object) => write!(f, "{object}"),
        }
    }
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('{')?;
        for (at, (name, value)) in self.iter().enumerate() {
            f.write_str(if at > 0 { ", " } else { "" })?;
            write_text(f, name)?;
            write!(f, ": {value}")?;
        }
        f.write_char('}')
    }
}

fn write_text(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_char('"')?;
    for char in text.chars() {
        match char {
            '"' => f.write_str("\\\"")?,
            '\\' => f.write_str("\\\\")?,
            '\n' => f.write_str("\\n")?,
            '\r' => f.write_str("\\r")?,
            '\t' => f.write_str("\\t")?,
            '\u{8}' => f.write_str("\\b")?,
            '\u{c}' => f.write_str("\\f")?,
            ' '..='~' => f.write_char(char)?,
            _ => {
                let mut units = [0; 2];
                for unit in char.encode_utf16(&mut units) {
                    write!(f, "\\u{unit:04x}")?;
                }
            }
        }
    }
    f.write_char('"')
}

/// The most lists and objects within each other.
const MAX_DEPTH: usize = 128;

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl Parser<'_> {
    fn error(&self, message: &str) -> String {
        let found: String = self.text[self.at..].chars().take(20).collect();
        if found.is_empty() {
            return format!("{message}. Received: the end of the text");
        }
        format!("{message}. Received: `{found}` at byte {}", self.at)
    }

    fn next(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.next() {
            self.at += 1;
        }
    }

    /// Whether `word` is next; then it is passed.
    fn takes(&mut self, word: &str) -> bool {
        let is_next = self.text[self.at..].starts_with(word);
        if is_next {
            self.at += word.len();
        }
        is_next
    }

    fn value(&mut self, depth: usize) -> Result<Json, String> {
        const WORDS: [(&str, Json); 6] = [
            ("null", Json::Null),
            ("true", Json::Bool(true)),
            ("false", Json::Bool(false)),
            ("NaN", Json::Float(f64::NAN)),
            ("Infinity", Json::Float(f64::INFINITY)),
            ("-Infinity", Json::Float(f64::NEG_INFINITY)),
        ];
        if depth > MAX_DEPTH {
            return Err(format!(
                "Expected at most {MAX_DEPTH} lists and objects within each other"
            ));
        }
        self.space();
        for (word, value) in WORDS {
            if self.takes(word) {
                return Ok(value);
            }
        }
        match self.next() {
            Some(b'"') => self.quoted().map(Json::Text),
            Some(b'[') => {
                let mut values = Vec::new();
                self.members(']', |parser| {
                    values.push(parser.value(depth + 1)?);
                    Ok(())
                })?;
                Ok(Json::List(values))
            }
            Some(b'{') => {
                let mut entries = Vec::new();
                self.members('}', |parser| {
                    parser.space();
                    let name = parser.quoted()?;
                    parser.space();
                    if !parser.takes(":") {
                        return Err(parser.error("Expected `:` after a name"));
                    }
                    entries.push((name, parser.value(depth + 1)?));
                    Ok(())
                })?;
                Ok(Json::Object(Object { entries }))
            }
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => Err(self.error("Expected a value")),
        }
    }

    /// Everything up to the closing bracket, with commas between.
    fn members(
        &mut self,
        close: char,
        mut member: impl FnMut(&mut Self) -> Result<(), String>,
    ) -> Result<(), String> {
        let close = close.to_string();
        self.at += 1;
        self.space();
        if self.takes(&close) {
            return Ok(());
        }
        loop {
            member(self)?;
            self.space();
            if self.takes(&close) {
                return Ok(());
            }
            if !self.takes(",") {
                return Err(self.error(&format!("Expected `,` or `{close}`")));
            }
        }
    }

    fn number(&mut self) -> Result<Json, String> {
        let start = self.at;
        self.takes("-");
        let whole = self.digits();
        let has_fraction = self.takes(".");
        let fraction = self.digits();
        let has_exponent = self.takes("e") || self.takes("E");
        let _ = has_exponent && (self.takes("-") || self.takes("+"));
        let exponent = self.digits();
        let text = &self.text[start..self.at];
        let is_valid = (whole == 1
            || (whole > 1 && !text.trim_start_matches('-').starts_with('0')))
            && has_fraction == (fraction > 0)
            && has_exponent == (exponent > 0);
        let number = match (is_valid, has_fraction || has_exponent) {
            (false, _) => None,
            (true, true) => text.parse().ok().map(Json::Float),
            // Whole numbers that are too large for it are rounded.
            (true, false) => match text.parse() {
                Ok(number) => Some(Json::Int(number)),
                Err(_) => text.parse().ok().map(Json::Float),
            },
        };
        number.ok_or_else(|| {
            self.at = start;
            self.error("Expected a number")
        })
    }

    /// How many digits are next; they are passed.
    fn digits(&mut self) -> usize {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.next() {
            self.at += 1;
        }
        self.at - start
    }

    fn quoted(&mut self) -> Result<String, String> {
        if !self.takes("\"") {
            return Err(self.error("Expected a text in quotes"));
        }
        let mut text = String::new();
        loop {
            let rest = &self.text[self.at..];
            let Some(end) = rest.find(|char: char| matches!(char, '"' | '\\' | '\0'..='\u{1f}'))
            else {
                self.at = self.text.len();
                return Err(self.error("Expected a closing quote"));
            };
            text.push_str(&rest[..end]);
            self.at += end;
            match self.next() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(text);
                }
                Some(b'\\') => text.push(self.escaped()?),
                _ => return Err(self.error("Expected control characters to be escaped")),
            }
        }
    }

    fn escaped(&mut self) -> Result<char, String> {
        const ESCAPES: [(&str, char); 8] = [
            ("\\\"", '"'),
            ("\\\\", '\\'),
            ("\\/", '/'),
            ("\\n", '\n'),
            ("\\r", '\r'),
            ("\\t", '\t'),
            ("\\b", '\u{8}'),
            ("\\f", '\u{c}'),
        ];
        for (escape, char) in ESCAPES {
            if self.takes(escape) {
                return Ok(char);
            }
        }
        let start = self.at;
        let mut units = [self.unit(), None];
        if let Some(0xd800..0xdc00) = units[0] {
            units[1] = self.unit();
        }
        let mut chars = char::decode_utf16(units.into_iter().flatten());
        match (chars.next(), chars.next()) {
            (Some(Ok(char)), None) => Ok(char),
            _ => {
                self.at = start;
                Err(self.error("Expected an escaped character"))
            }
        }
    }

    /// The escape of one unit of UTF-16, such as `\u00f6`, if it is next.
    fn unit(&mut self) -> Option<u16> {
        let digits = self.text.get(self.at..self.at + 6)?.strip_prefix("\\u")?;
        let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        let unit = u16::from_str_radix(digits, 16).ok().filter(|_| is_hex)?;
        self.at += 6;
        Some(unit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Texts that `json.dumps` writes, and what they stand for.
    #[test]
    fn it_is_pythons() {
        for text in [
            r#"{"a": 1, "b": [1.0, -0.5, 1e-07, 1e+16, 1234567.25], "c": null}"#,
            r#"[NaN, Infinity, -Infinity, true, false, "", {}, []]"#,
            r#""gr\u00f6\u00dfer \ud83d\ude00 \"\\ / \n\t\u0001""#,
            "0.0010000000474974513",
            "-9223372036854775808",
        ] {
            let json = Json::parse(text).expect(text);
            assert_eq!(json.to_string(), text);
        }
        let spaced = Json::parse(" {\"a\" :\r\n[ 1 ,2 ]\t, \"\\u0041\": 3} ").expect("valid");
        assert_eq!(spaced.to_string(), r#"{"a": [1, 2], "A": 3}"#);
    }

    #[test]
    fn of_two_values_of_a_name_the_last_counts() {
        let json = Json::parse(r#"{"a": 1, "a": 2}"#).expect("valid");
        assert_eq!(json.get("a"), Some(&Json::Int(2)));
        let mut object = json.as_object().cloned().expect("an object");
        object.set("a", 3usize);
        assert_eq!(object.get("a"), Some(&Json::Int(3)));
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, error) in [
            ("", "Expected a value. Received: the end of the text"),
            ("[1 2]", "Expected `,` or `]`. Received: `2]` at byte 3"),
            ("[1,]", "Expected a value. Received: `]` at byte 3"),
            (
                "{1: 2}",
                "Expected a text in quotes. Received: `1: 2}` at byte 1",
            ),
            (
                "{\"a\" 2}",
                "Expected `:` after a name. Received: `2}` at byte 5",
            ),
            ("01", "Expected a number. Received: `01` at byte 0"),
            ("1.", "Expected a number. Received: `1.` at byte 0"),
            ("-", "Expected a number. Received: `-` at byte 0"),
            ("1e", "Expected a number. Received: `1e` at byte 0"),
            (
                "\"a",
                "Expected a closing quote. Received: the end of the text",
            ),
            (
                "\"\\ud800\"",
                "Expected an escaped character. Received: `\\ud800\"` at byte 1",
            ),
            (
                "\"\\u+123\"",
                "Expected an escaped character. Received: `\\u+123\"` at byte 1",
            ),
            ("nul", "Expected a value. Received: `nul` at byte 0"),
            (
                "1 1",
                "Expected nothing after the value. Received: `1` at byte 2",
            ),
        ] {
            assert_eq!(Json::parse(text), Err(error.to_owned()), "{text}");
        }
        let deep = "[".repeat(1_000_000);
        assert!(Json::parse(&deep).is_err());
    }
}
