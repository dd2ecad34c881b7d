//! Numbers as Python writes them, and its format strings, such as `weights.{epoch:02d}-{val_loss:.2f}.h5`.

use std::fmt::Write as _;

pub(crate) use keras_config::python::repr;

/// A value of a format string.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Value {
    /// A Python `int`.
    Int(u64),
    /// A Python `float`.
    Float(f64),
}

impl Value {
    fn class(self) -> &'static str {
        match self {
            Value::Int(_) => "int",
            Value::Float(_) => "float",
        }
    }

    fn float(self) -> f64 {
        match self {
            Value::Int(value) => value as f64,
            Value::Float(value) => value,
        }
    }

    fn repr(self) -> String {
        match self {
            Value::Int(value) => value.to_string(),
            Value::Float(value) => repr(value),
        }
    }
}

/// A shape as Python writes a tuple: `(3, 1)`, `(3,)`.
pub(crate) fn shape(dims: &[usize]) -> String {
    match dims {
        [one] => format!("({one},)"),
        _ => {
            let dims: Vec<String> = dims.iter().map(usize::to_string).collect();
            format!("({})", dims.join(", "))
        }
    }
}

/// A number as `"%.{precision}e"` writes it.
pub(crate) fn exponential(text: &mut String, value: f64, precision: usize) {
    let start = text.len();
    // Writing to a string does not fail.
    let _ = write!(text, "{value:.precision$e}");
    // Rust writes `1e-5` and `1e5` where Python writes `1e-05` and `1e+05`.
    let Some(exponent) = text[start..].find('e').map(|at| start + at + 1) else {
        return;
    };
    if !text[exponent..].starts_with('-') {
        text.insert(exponent, '+');
    }
    if text.len() == exponent + 2 {
        text.insert(exponent + 1, '0');
    }
}

fn special(value: f64) -> &'static str {
    match value {
        _ if value.is_nan() => "nan",
        _ if value > 0.0 => "inf",
        _ => "-inf",
    }
}

/// Fills the named fields of a format string, as `str.format` does.
///
/// # Errors
/// With what Python says: the name in quotes if there is no such value, or what is wrong with the
/// format.
pub(crate) fn format(
    template: &str,
    value: &dyn Fn(&str) -> Option<Value>,
) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = template;
    while let Some(at) = rest.find(['{', '}']) {
        out += &rest[..at];
        let (brace, after) = rest[at..].split_at(1);
        if let Some(after) = after.strip_prefix(brace) {
            out += brace;
            rest = after;
            continue;
        }
        if brace == "}" {
            return Err("Single '}' encountered in format string".into());
        }
        let end = field_end(after)?;
        out += &field(&after[..end], value)?;
        rest = &after[end + 1..];
    }
    Ok(out + rest)
}

/// Where the brace is that closes a field; its specification can have fields itself.
fn field_end(text: &str) -> Result<usize, String> {
    if text.is_empty() {
        return Err("Single '{' encountered in format string".into());
    }
    let mut depth = 0;
    for (at, character) in text.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => return Ok(at),
            '}' => depth -= 1,
            _ => {}
        }
    }
    Err("expected '}' before end of string".into())
}

/// `name!conversion:specification`.
fn field(text: &str, value: &dyn Fn(&str) -> Option<Value>) -> Result<String, String> {
    let (head, specification) = text.split_once(':').unwrap_or((text, ""));
    let (name, conversion) = match head.split_once('!') {
        Some((name, conversion)) => (name, Some(conversion)),
        None => (head, None),
    };
    if name.is_empty() || name.bytes().all(|byte| byte.is_ascii_digit()) {
        let index = if name.is_empty() { "0" } else { name };
        return Err(format!(
            "Replacement index {index} out of range for positional args tuple"
        ));
    }
    let found = value(name).ok_or_else(|| format!("'{name}'"))?;
    let specification = format(specification, value)?;
    let specification = Specification::new(&specification, found)?;
    match conversion {
        None => specification.apply(found),
        Some("r" | "s" | "a") => specification.text(&found.repr()),
        Some(other) => Err(format!("Unknown conversion specifier '{other}'")),
    }
}

/// `[[fill]align][sign][#][0][width][grouping][.precision][type]`.
struct Specification {
    fill: char,
    align: Option<char>,
    sign: char,
    alternate: bool,
    width: usize,
    grouping: Option<char>,
    precision: Option<usize>,
    kind: Option<char>,
}

/// The most characters of a field: a path is shorter, and a typing mistake should not take all memory.
const MAX_WIDTH: usize = 4096;

impl Specification {
    fn new(text: &str, value: Value) -> Result<Self, String> {
        let invalid = || {
            format!(
                "Invalid format specifier '{text}' for object of type '{}'",
                value.class()
            )
        };
        let mut rest = text.chars().peekable();
        let mut ahead = text.chars();
        let (first, second) = (ahead.next(), ahead.next());
        let is_align = |character: Option<char>| character.filter(|align| "<>=^".contains(*align));
        let (mut fill, mut align) = (' ', None);
        if let (Some(character), Some(of_fill)) = (first, is_align(second)) {
            (fill, align) = (character, Some(of_fill));
            rest.nth(1);
        } else if let Some(of_space) = is_align(first) {
            align = Some(of_space);
            rest.next();
        }
        let sign = rest.next_if(|sign| "+- ".contains(*sign)).unwrap_or('-');
        let alternate = rest.next_if_eq(&'#').is_some();
        if rest.next_if_eq(&'0').is_some() && align.is_none() {
            (fill, align) = ('0', Some('='));
        }
        let mut number = || -> Result<Option<usize>, String> {
            let mut digits = String::new();
            while let Some(digit) = rest.next_if(char::is_ascii_digit) {
                digits.push(digit);
            }
            if digits.is_empty() {
                return Ok(None);
            }
            let number = digits.parse().ok().filter(|&number| number <= MAX_WIDTH);
            number
                .map(Some)
                .ok_or_else(|| "Too many decimal digits in format string".into())
        };
        let width = number()?.unwrap_or(0);
        let grouping = rest.next_if(|grouping| ",_".contains(*grouping));
        let mut precision = None;
        if rest.next_if_eq(&'.').is_some() {
            let mut digits = String::new();
            while let Some(digit) = rest.next_if(char::is_ascii_digit) {
                digits.push(digit);
            }
            let number = digits.parse().ok().filter(|&number| number <= MAX_WIDTH);
            precision = Some(number.ok_or("Format specifier missing precision")?);
        }
        let kind = rest.next();
        if rest.next().is_some() {
            return Err(invalid());
        }
        Ok(Self {
            fill,
            align,
            sign,
            alternate,
            width,
            grouping,
            precision,
            kind,
        })
    }

    fn apply(&self, value: Value) -> Result<String, String> {
        let unknown = |kind: char| {
            format!(
                "Unknown format code '{kind}' for object of type '{}'",
                value.class()
            )
        };
        let is_integral = matches!(
            self.kind,
            None | Some('d' | 'n' | 'b' | 'o' | 'x' | 'X' | 'c')
        );
        match value {
            Value::Int(_) if is_integral && self.precision.is_some() => {
                Err("Precision not allowed in integer format specifier".into())
            }
            Value::Int(value) => match self.kind {
                None | Some('d' | 'n') => Ok(self.number("", &value.to_string(), "")),
                Some('b') => Ok(self.number(self.prefix("0b"), &format!("{value:b}"), "")),
                Some('o') => Ok(self.number(self.prefix("0o"), &format!("{value:o}"), "")),
                Some('x') => Ok(self.number(self.prefix("0x"), &format!("{value:x}"), "")),
                Some('X') => Ok(self.number(self.prefix("0X"), &format!("{value:X}"), "")),
                Some('c') => {
                    let character = u32::try_from(value).ok().and_then(char::from_u32);
                    let character = character.ok_or("%c arg not in range(0x110000)")?;
                    self.text(&character.to_string())
                }
                Some(kind) => self.float(value as f64).ok_or_else(|| unknown(kind)),
            },
            Value::Float(_) => {
                let kind = self.kind.unwrap_or(' ');
                self.float(value.float()).ok_or_else(|| unknown(kind))
            }
        }
    }

    fn prefix(&self, prefix: &'static str) -> &'static str {
        if self.alternate { prefix } else { "" }
    }

    /// A float; nothing if there is no such type of one.
    fn float(&self, value: f64) -> Option<String> {
        let precision = self.precision.unwrap_or(6);
        let size = value.abs();
        let mut text = String::new();
        match self.kind {
            _ if !value.is_finite() => text += special(size),
            None if self.precision.is_none() => text = repr(size),
            None => text = self.general(size, precision, true),
            Some('e' | 'E') => {
                exponential(&mut text, size, precision);
                if self.alternate && precision == 0 {
                    text.insert(1, '.');
                }
            }
            Some('f' | 'F') => text = self.fixed(size, precision),
            Some('g' | 'G' | 'n') => text = self.general(size, precision, false),
            Some('%') => text = self.fixed(size * 100.0, precision),
            Some(_) => return None,
        }
        if !value.is_finite()
            && !matches!(
                self.kind,
                None | Some('e' | 'E' | 'f' | 'F' | 'g' | 'G' | 'n' | '%')
            )
        {
            return None;
        }
        if matches!(self.kind, Some('E' | 'F' | 'G')) {
            text.make_ascii_uppercase();
        }
        let whole = text.find(|character: char| !character.is_ascii_digit());
        let (whole, rest) = text.split_at(whole.unwrap_or(text.len()));
        let percent = if self.kind == Some('%') { "%" } else { "" };
        let sign = if value.is_sign_negative() && !value.is_nan() {
            "-"
        } else {
            ""
        };
        Some(self.number(sign, whole, &format!("{rest}{percent}")))
    }

    fn fixed(&self, size: f64, precision: usize) -> String {
        let point = if self.alternate && precision == 0 {
            "."
        } else {
            ""
        };
        format!("{size:.precision$}{point}")
    }

    /// `%g`: as many digits as the precision, without zeros at the end. With `is_float`, `1` is `1.0`.
    fn general(&self, size: f64, precision: usize, is_float: bool) -> String {
        let precision = precision.max(1);
        let mut text = String::new();
        exponential(&mut text, size, precision - 1);
        let exponent = text.split_once('e');
        let exponent: i32 = exponent.map_or(0, |(_, exponent)| exponent.parse().unwrap_or(0));
        let limit = precision as i32 - i32::from(is_float);
        if exponent >= -4 && exponent < limit {
            let places = (precision as i32 - 1 - exponent).max(0) as usize;
            text = format!("{size:.places$}");
            if !self.alternate && text.contains('.') {
                text.truncate(text.trim_end_matches('0').trim_end_matches('.').len());
            }
            if is_float && !text.contains('.') {
                text += ".0";
            }
        } else if !self.alternate
            && let Some((mantissa, exponent)) = text.split_once('e')
            && mantissa.contains('.')
        {
            let mantissa = mantissa.trim_end_matches('0').trim_end_matches('.');
            text = format!("{mantissa}e{exponent}");
        }
        text
    }

    /// A number of a sign or a prefix, the digits before the point, and what comes after them.
    fn number(&self, before: &str, whole: &str, after: &str) -> String {
        let is_negative = before == "-";
        let sign = match self.sign {
            _ if is_negative => "-",
            '+' => "+",
            ' ' => " ",
            _ => "",
        };
        let prefix = if is_negative { "" } else { before };
        let mut grouped = self.grouped(whole);
        let rest = sign.len() + prefix.len() + after.chars().count();
        if self.fill == '0' && self.align == Some('=') && self.grouping.is_some() {
            let mut digits = whole.to_owned();
            while rest + grouped.len() < self.width {
                digits.insert(0, '0');
                grouped = self.grouped(&digits);
            }
        }
        let space = self.width.saturating_sub(rest + grouped.chars().count());
        let fill = |count: usize| self.fill.to_string().repeat(count);
        match self.align {
            Some('=') => format!("{sign}{prefix}{}{grouped}{after}", fill(space)),
            align => pad(
                &format!("{sign}{prefix}{grouped}{after}"),
                align.unwrap_or('>'),
                space,
                &fill,
            ),
        }
    }

    fn grouped(&self, digits: &str) -> String {
        let Some(separator) = self.grouping else {
            return digits.to_owned();
        };
        let count = digits.len();
        let mut text = String::new();
        for (at, digit) in digits.chars().enumerate() {
            if at > 0 && (count - at).is_multiple_of(3) {
                text.push(separator);
            }
            text.push(digit);
        }
        text
    }

    /// A text.
    fn text(&self, text: &str) -> Result<String, String> {
        if let Some(kind) = self.kind.filter(|&kind| kind != 's' && kind != 'c') {
            return Err(format!(
                "Unknown format code '{kind}' for object of type 'str'"
            ));
        }
        let text: String = text
            .chars()
            .take(self.precision.unwrap_or(usize::MAX))
            .collect();
        let space = self.width.saturating_sub(text.chars().count());
        let fill = |count: usize| self.fill.to_string().repeat(count);
        match self.align {
            Some('=') if self.fill != '0' => {
                Err("'=' alignment not allowed in string format specifier".into())
            }
            align => Ok(pad(
                &text,
                align.filter(|&align| align != '=').unwrap_or('<'),
                space,
                &fill,
            )),
        }
    }
}

fn pad(text: &str, align: char, space: usize, fill: &dyn Fn(usize) -> String) -> String {
    match align {
        '<' => format!("{text}{}", fill(space)),
        '^' => format!("{}{text}{}", fill(space / 2), fill(space - space / 2)),
        _ => format!("{}{text}", fill(space)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(name: &str) -> Option<Value> {
        match name {
            "epoch" => Some(Value::Int(3)),
            "big" => Some(Value::Int(1_234_567)),
            "loss" => Some(Value::Float(0.149_999_99)),
            "minus" => Some(Value::Float(-1234.5)),
            "nan" => Some(Value::Float(f64::NAN)),
            "inf" => Some(Value::Float(f64::INFINITY)),
            "one" => Some(Value::Float(1.0)),
            "tiny" => Some(Value::Float(1.5e-7)),
            _ => None,
        }
    }

    /// What Python 3.12 makes of them.
    #[test]
    fn fields_are_those_of_python() {
        let cases = [
            (
                "weights.{epoch:02d}-{loss:.2f}.hdf5",
                "weights.03-0.15.hdf5",
            ),
            ("{epoch}{{{epoch:>4}}}", "3{   3}"),
            ("{loss}", "0.14999999"),
            ("{loss:e} {loss:.3E}", "1.500000e-01 1.500E-01"),
            (
                "{loss:g} {tiny:g} {one:g} {big:g}",
                "0.15 1.5e-07 1 1.23457e+06",
            ),
            (
                "{one} {one:.3} {minus:.3} {loss:.3}",
                "1.0 1.0 -1.23e+03 0.15",
            ),
            ("{loss:%} {loss:.1%}", "14.999999% 15.0%"),
            ("{minus:+09.1f} {one:+} {one: }", "-001234.5 +1.0  1.0"),
            (
                "{big:,} {big:_d} {big:012,} {minus:,.2f}",
                "1,234,567 1_234_567 0,001,234,567 -1,234.50",
            ),
            (
                "{epoch:b} {big:x} {big:#X} {epoch:c}",
                "11 12d687 0X12D687 \u{3}",
            ),
            ("{epoch:.2f} {epoch:*^5} {epoch:<3}|", "3.00 **3** 3  |"),
            (
                "{nan} {inf:f} {inf:F} {inf:08.2f} {inf:%}",
                "nan inf INF 00000inf inf%",
            ),
            ("{loss!r:>12} {loss!s:.4}", "  0.14999999 0.14"),
            ("{loss:.{epoch}f}", "0.150"),
            (
                "{one:#.0f} {one:#g} {one:.0e} {one:#.0e}",
                "1. 1.00000 1e+00 1.e+00",
            ),
            ("{one:.0f} {loss:.0f}", "1 0"),
        ];
        for (template, expected) in cases {
            let found = format(template, &value);
            assert_eq!(found.as_deref(), Ok(expected), "{template}");
        }
    }

    #[test]
    fn mistakes_are_those_of_python() {
        let cases = [
            ("{nope}", "'nope'"),
            ("{val_loss:.2f}", "'val_loss'"),
            ("a{", "Single '{' encountered in format string"),
            ("a}", "Single '}' encountered in format string"),
            ("{loss", "expected '}' before end of string"),
            (
                "{}",
                "Replacement index 0 out of range for positional args tuple",
            ),
            (
                "{loss:02d}",
                "Unknown format code 'd' for object of type 'float'",
            ),
            (
                "{inf:d}",
                "Unknown format code 'd' for object of type 'float'",
            ),
            (
                "{epoch:s}",
                "Unknown format code 's' for object of type 'int'",
            ),
            (
                "{epoch:.2d}",
                "Precision not allowed in integer format specifier",
            ),
            ("{loss:.f}", "Format specifier missing precision"),
            (
                "{loss:2x2}",
                "Invalid format specifier '2x2' for object of type 'float'",
            ),
            (
                "{loss:9999999999f}",
                "Too many decimal digits in format string",
            ),
        ];
        for (template, expected) in cases {
            let found = format(template, &value);
            assert_eq!(found, Err(expected.to_owned()), "{template}");
        }
    }

    #[test]
    fn a_float_is_written_as_repr_writes_it() {
        let cases = [
            (0.1, "0.1"),
            (f64::from(0.01_f32), "0.009999999776482582"),
            (1.0, "1.0"),
            (1e15, "1000000000000000.0"),
            (1e16, "1e+16"),
            (0.0001, "0.0001"),
            (0.00001234, "1.234e-05"),
            (-0.0, "-0.0"),
            (1e100, "1e+100"),
            (f64::NEG_INFINITY, "-inf"),
        ];
        for (value, expected) in cases {
            assert_eq!(repr(value), expected);
        }
    }
}
