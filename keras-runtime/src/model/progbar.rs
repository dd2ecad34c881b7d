//! The text of a progress bar, byte for byte as Keras' `Progbar` writes it.
//!
//! ```text
//! \b * (width of the last frame) \r 3/10 ━━━━━━━━━━━━━━━━━━━━ 0s 33ms/step - loss: 0.1053
//! ```
//!
//! This is no bar of a terminal library: its escape sequences, its backspaces and its rounding are
//! what people's log parsers expect, so it is written here.

use std::fmt::{self, Display, Formatter, Write as _};
use std::time::Duration;

use crate::python;

/// How long a frame stays at least.
const INTERVAL: Duration = Duration::from_millis(50);

/// The width of the bar in characters.
const WIDTH: usize = 20;

/// The line before the bar of an epoch, where there are several.
pub fn epoch_line(verbose: u8, epoch: usize, epochs: usize) -> Option<String> {
    (verbose > 0 && epochs > 1).then(|| format!("Epoch {}/{epochs}\n", epoch + 1))
}

/// Makes the frames of a progress bar at given times. Frames are written into one buffer, so that a
/// frame like the last one allocates nothing.
#[derive(Debug)]
pub struct Progbar {
    target: Option<usize>,
    verbose: u8,
    after_first_step: Option<Duration>,
    last_frame: Option<Duration>,
    last_width: usize,
    /// In the order in which the names first came.
    values: Vec<(String, f64)>,
    text: String,
}

impl Progbar {
    /// A bar over `target` steps, where their number is known: nothing (`verbose` 0), a bar (1) or
    /// one line at the end (2).
    pub fn new(target: Option<usize>, verbose: u8) -> Self {
        Self {
            target: target.filter(|&target| target > 0),
            verbose,
            after_first_step: None,
            last_frame: None,
            last_width: 0,
            values: Vec::new(),
            text: String::new(),
        }
    }

    /// Sets the number of steps, once it is known.
    pub fn set_target(&mut self, target: usize) {
        self.target = Some(target).filter(|&target| target > 0);
    }

    /// Whether [`update`](Self::update) has anything to do after `current` steps, `now` after the
    /// start. This is cheap enough to be asked after every step.
    pub fn is_due(&self, current: usize, now: Duration) -> bool {
        current == 1 || self.last_frame.is_none_or(|last| now >= last + INTERVAL)
    }

    /// What is to be written after `current` steps, `now` after the start: nothing if the last frame
    /// is too recent, unless this is the final one. Values stay until they are given again.
    pub fn update<'v>(
        &mut self,
        current: usize,
        values: impl IntoIterator<Item = (&'v str, f64)>,
        finalize: bool,
        now: Duration,
    ) -> &str {
        self.text.clear();
        for (name, value) in values {
            match self.values.iter_mut().find(|(known, _)| known == name) {
                Some((_, known)) => *known = value,
                None => self.values.push((name.to_owned(), value)),
            }
        }
        let step = self.step_seconds(current, now);
        let is_recent = self.last_frame.is_some_and(|last| now < last + INTERVAL);
        match (self.verbose, self.target) {
            (1, _) if is_recent && !finalize => return &self.text,
            (1, _) => self.bar(current, step, finalize, now),
            (2, Some(target)) if finalize => self.line(current, target, step, now),
            _ => {}
        }
        self.last_frame = Some(now);
        &self.text
    }

    /// The mean duration of a step; the first one, which warms up, does not count.
    fn step_seconds(&mut self, current: usize, now: Duration) -> f64 {
        let mean = match (current, self.after_first_step) {
            (0, _) => 0.0,
            (2.., Some(first)) => now.saturating_sub(first).as_secs_f64() / (current - 1) as f64,
            _ => now.as_secs_f64() / current as f64,
        };
        if current == 1 {
            self.after_first_step = Some(now);
        }
        mean
    }

    fn bar(&mut self, current: usize, step: f64, finalize: bool, now: Duration) {
        let text = &mut self.text;
        text.extend(std::iter::repeat_n('\u{8}', self.last_width));
        text.push('\r');
        let start = text.len();
        // Keras does not count its escape sequences as width.
        let mut invisible = 8;
        match self.target {
            Some(target) => {
                let digits = digits(target);
                let done = (WIDTH as f64 * (current as f64 / target as f64)) as usize;
                put(
                    text,
                    format_args!("\x1b[1m{current:digits$}/{target}\x1b[0m "),
                );
                if done > 0 {
                    put(text, format_args!("\x1b[32m{}\x1b[0m", Line(done)));
                    invisible += 9;
                }
                let rest = WIDTH.saturating_sub(done);
                put(text, format_args!("\x1b[37m{}\x1b[0m", Line(rest)));
                invisible += 8 + 9;
            }
            None => put(text, format_args!("{current:7}/Unknown")),
        }
        match self.target {
            Some(target) if !finalize => {
                let eta = Eta(step * (target as f64 - current as f64));
                put(text, format_args!(" \x1b[1m{eta}\x1b[0m"));
            }
            _ => put(
                text,
                format_args!(" \x1b[1m{:.0}s\x1b[0m", now.as_secs_f64()),
            ),
        }
        put(text, format_args!("{}", PerStep(step)));
        for (name, value) in &self.values {
            put(text, format_args!(" - {name}: "));
            number(text, *value, value.abs() > 1e-3);
        }
        let width = text[start..].chars().count() - invisible;
        text.extend(std::iter::repeat_n(
            ' ',
            self.last_width.saturating_sub(width),
        ));
        self.last_width = width;
        if finalize {
            text.push('\n');
        }
    }

    fn line(&mut self, current: usize, target: usize, step: f64, now: Duration) {
        let (digits, seconds, step) = (digits(target), now.as_secs_f64(), PerStep(step));
        let text = &mut self.text;
        put(
            text,
            format_args!("{current:digits$}/{target} - {seconds:.0}s -{step}"),
        );
        for (name, value) in &self.values {
            put(text, format_args!(" - {name}: "));
            // Unlike in a bar, negative values always have an exponent.
            number(text, *value, *value > 1e-3);
        }
        text.push('\n');
    }
}

/// A part of the bar.
struct Line(usize);

impl Display for Line {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        (0..self.0).try_for_each(|_| f.write_char('━'))
    }
}

/// The seconds that are left.
struct Eta(f64);

impl Display for Eta {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let seconds = self.0 as i64;
        let (minutes, rest) = (seconds / 60, seconds % 60);
        // The limits are compared with the fraction: 60.5 seconds are `1:00`.
        if self.0 > 3600.0 {
            write!(f, "{}:{:02}:{rest:02}", minutes / 60, minutes % 60)
        } else if self.0 > 60.0 {
            write!(f, "{minutes}:{rest:02}")
        } else {
            write!(f, "{seconds}s")
        }
    }
}

/// The seconds of a step, in the unit that fits.
struct PerStep(f64);

impl Display for PerStep {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            seconds if seconds >= 1.0 || seconds == 0.0 => write!(f, " {seconds:.0}s/step"),
            seconds if seconds >= 1e-3 => write!(f, " {:.0}ms/step", seconds * 1e3),
            seconds => write!(f, " {:.0}us/step", seconds * 1e6),
        }
    }
}

/// The digits of a number.
fn digits(number: usize) -> usize {
    number.max(1).ilog10() as usize + 1
}

fn put(text: &mut String, arguments: fmt::Arguments<'_>) {
    // Writing to a string does not fail.
    let _ = text.write_fmt(arguments);
}

/// A value as Python's `%.4f` or `%.4e` writes it.
fn number(text: &mut String, value: f64, fixed: bool) {
    if value.is_nan() {
        return text.push_str("nan");
    }
    if fixed || value.is_infinite() {
        return put(text, format_args!("{value:.4}"));
    }
    python::exponential(text, value, 4);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    #[test]
    fn a_frame_goes_back_over_the_last_one() {
        let mut bar = Progbar::new(Some(10), 1);
        let first = bar.update(1, [("loss", 1.0), ("mae", 0.5)], false, seconds(0.0731));
        assert_eq!(
            first,
            "\r\x1b[1m 1/10\x1b[0m \x1b[32m━━\x1b[0m\x1b[37m━━━━━━━━━━━━━━━━━━\x1b[0m \x1b[1m0s\x1b[0m 73ms/step - \
             loss: 1.0000 - mae: 0.5000"
        );
        let values = [("loss", 0.1053), ("mae", 0.2845)];
        let third = bar.update(3, values, false, seconds(0.1393)).to_owned();
        assert_eq!(
            third,
            "\u{8}".repeat(68)
                + "\r\x1b[1m 3/10\x1b[0m \x1b[32m━━━━━━\x1b[0m\x1b[37m━━━━━━━━━━━━━━\x1b[0m \x1b[1m0s\x1b[0m 33ms/step - \
                   loss: 0.1053 - mae: 0.2845"
        );
    }

    #[test]
    fn frames_are_fifty_milliseconds_apart_but_for_the_last() {
        let mut bar = Progbar::new(Some(9), 1);
        assert!(bar.is_due(1, seconds(0.1)));
        assert_ne!(bar.update(1, [], false, seconds(0.1)), "");
        assert!(!bar.is_due(2, seconds(0.149)));
        assert_eq!(bar.update(2, [], false, seconds(0.149)), "");
        assert!(bar.is_due(3, seconds(0.15)));
        assert_ne!(bar.update(3, [], false, seconds(0.15)), "");
        assert_ne!(bar.update(9, [], true, seconds(0.16)), "");
    }

    #[test]
    fn a_shorter_frame_is_padded() {
        let mut bar = Progbar::new(None, 1);
        let first = bar.update(1, [], false, seconds(0.113));
        assert_eq!(first, "\r      1/Unknown \x1b[1m0s\x1b[0m 113ms/step");
        let second = bar.update(2, [], false, seconds(0.186)).to_owned();
        let back = "\u{8}".repeat(29);
        assert_eq!(
            second,
            back + "\r      2/Unknown \x1b[1m0s\x1b[0m 73ms/step "
        );
    }

    #[test]
    fn frames_are_written_into_one_buffer() {
        let mut bar = Progbar::new(Some(1000), 1);
        let mut frame = |step: usize| {
            let text = bar.update(
                step,
                [("loss", 1.0 / step as f64)],
                false,
                seconds(0.1 * step as f64),
            );
            (text.as_ptr(), bar.text.capacity(), bar.values.capacity())
        };
        let _ = (frame(1), frame(2));
        let warm = frame(3);
        for step in 4..1000 {
            assert_eq!(frame(step), warm, "{step}");
        }
    }

    #[test]
    fn a_line_has_no_bar() {
        let mut bar = Progbar::new(Some(10), 2);
        let values = [("loss", 1.7853), ("mae", -0.5), ("lr", 0.001_f32.into())];
        assert_eq!(
            bar.update(10, values, true, seconds(0.77)),
            "10/10 - 1s - 77ms/step - loss: 1.7853 - mae: -5.0000e-01 - lr: 0.0010\n"
        );
    }

    #[test]
    fn numbers_are_those_of_python() {
        let text = |value: f64| {
            let mut text = String::new();
            number(&mut text, value, value.abs() > 1e-3);
            text
        };
        assert_eq!(text(0.03125), "0.0312");
        assert_eq!(text(-1e-5), "-1.0000e-05");
        assert_eq!(text(1.5e-100), "1.5000e-100");
        assert_eq!(text(0.0), "0.0000e+00");
        assert_eq!(text(f64::NAN), "nan");
        assert_eq!(text(f64::NEG_INFINITY), "-inf");
    }

    #[test]
    fn times_have_the_unit_that_fits() {
        let etas = [
            (60.0, "60s"),
            (60.5, "1:00"),
            (125.9, "2:05"),
            (3600.5, "1:00:00"),
        ];
        for (eta, text) in etas {
            assert_eq!(Eta(eta).to_string(), text);
        }
        let steps = [
            (0.0, " 0s/step"),
            (2.5, " 2s/step"),
            (0.033, " 33ms/step"),
            (1e-5, " 10us/step"),
        ];
        for (step, text) in steps {
            assert_eq!(PerStep(step).to_string(), text);
        }
    }
}
