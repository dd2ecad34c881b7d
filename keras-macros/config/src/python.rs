//! Numbers as Python writes them.

/// A number as `repr(float)` writes it: the shortest that is the same number again.
pub fn repr(value: f64) -> String {
    if !value.is_finite() {
        return special(value).to_owned();
    }
    let exponential = format!("{value:e}");
    let exponent = exponential.split_once('e');
    let exponent: i32 = exponent.map_or(0, |(_, exponent)| exponent.parse().unwrap_or(0));
    if !(-4..16).contains(&exponent) {
        return two_digits(exponential);
    }
    let mut text = value.to_string();
    if !text.contains('.') {
        text.push_str(".0");
    }
    text
}

/// A count as `f"{count:,}"` writes it: `54,090`.
pub fn thousands(count: usize) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The exponent of Rust's `1e-5` as Python writes it.
fn two_digits(exponential: String) -> String {
    let (mantissa, exponent) = exponential.split_once('e').unwrap_or((&exponential, "0"));
    let sign = if exponent.starts_with('-') { '-' } else { '+' };
    let digits = exponent.trim_start_matches('-');
    format!("{mantissa}e{sign}{digits:0>2}")
}

fn special(value: f64) -> &'static str {
    match value {
        _ if value.is_nan() => "nan",
        _ if value > 0.0 => "inf",
        _ => "-inf",
    }
}
