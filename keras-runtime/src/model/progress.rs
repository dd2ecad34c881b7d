//! The progress bar of `fit`, `evaluate` and `predict`, byte for byte as Keras writes it.
//!
//! Keras' bar is no bar of a terminal library: its escape sequences, its backspaces and its rounding
//! are what people's log parsers expect, so it is written here.

use std::fmt::Write as _;
use std::io::Write as _;
use std::time::{Duration, Instant};

use super::history::Logs;

/// How long a frame stays at least.
const INTERVAL: Duration = Duration::from_millis(50);

/// The width of the bar in characters.
const WIDTH: usize = 20;

/// The text of a progress bar at given times.
#[derive(Debug)]
pub struct Progbar {
    target: Option<usize>,
    verbose: u8,
    after_first_step: Option<Duration>,
    last_frame: Option<Duration>,
    last_width: usize,
    text: String,
}

impl Progbar {
    /// A bar over `target` steps, if their number is known.
    pub fn new(target: Option<usize>, verbose: u8) -> Self {
        Self {
            target,
            verbose,
            after_first_step: None,
            last_frame: None,
            last_width: 0,
            text: String::new(),
        }
    }

    /// Whether a frame would be drawn at this time; the last frame of all always is.
    pub fn is_due(&mut self, current: usize, now: Duration) -> bool {
        if current == 1 {
            self.after_first_step = Some(now);
        }
        self.verbose == 1 && self.last_frame.is_none_or(|last| now >= last + INTERVAL)
    }

    /// The next frame: `current` steps are done, `now` after the start.
    pub fn frame(&mut self, current: usize, logs: &Logs, is_last: bool, now: Duration) -> &str {
        self.text.clear();
        match self.verbose {
            1 => self.bar(current, logs, is_last, now),
            2 if is_last => self.line(current, logs, now),
            _ => {}
        }
        self.last_frame = Some(now);
        &self.text
    }

    fn bar(&mut self, current: usize, logs: &Logs, is_last: bool, now: Duration) {
        let step = self.step_seconds(current, now);
        for _ in 0..self.last_width {
            self.text.push('\u{8}');
        }
        self.text.push('\r');
        let start = self.text.len();
        let mut invisible = 0;
        match self.target {
            Some(target) => {
                let digits = target.max(1).ilog10() as usize + 1;
                let done = (WIDTH * current)
                    .checked_div(target)
                    .unwrap_or(WIDTH)
                    .min(WIDTH);
                put(
                    &mut self.text,
                    format_args!("\x1b[1m{current:digits$}/{target}\x1b[0m "),
                );
                if done > 0 {
                    put(&mut self.text, format_args!("\x1b[32m{}\x1b[0m", Bar(done)));
                    invisible += 9;
                }
                put(
                    &mut self.text,
                    format_args!("\x1b[37m{}\x1b[0m", Bar(WIDTH - done)),
                );
                invisible += 8 + 9;
            }
            None => put(&mut self.text, format_args!("{current:7}/Unknown")),
        }
        match self.target {
            Some(target) if !is_last => {
                let eta = (step * target.saturating_sub(current) as f64) as u64;
                put(&mut self.text, format_args!(" \x1b[1m{}\x1b[0m", Eta(eta)));
            }
            _ => put(
                &mut self.text,
                format_args!(" \x1b[1m{:.0}s\x1b[0m", now.as_secs_f64()),
            ),
        }
        invisible += 8;
        self.per_step(step);
        for (name, value) in logs.iter() {
            put(&mut self.text, format_args!(" - {name}: "));
            number(&mut self.text, value, value.abs() > 1e-3);
        }
        let width = self.text[start..].chars().count() - invisible;
        for _ in width..self.last_width {
            self.text.push(' ');
        }
        self.last_width = width;
        if is_last {
            self.text.push('\n');
        }
    }

    fn line(&mut self, current: usize, logs: &Logs, now: Duration) {
        let step = self.step_seconds(current, now);
        let target = self.target.unwrap_or(current);
        let digits = target.max(1).ilog10() as usize + 1;
        let seconds = now.as_secs_f64();
        put(
            &mut self.text,
            format_args!("{current:digits$}/{target} - {seconds:.0}s -"),
        );
        self.per_step(step);
        for (name, value) in logs.iter() {
            put(&mut self.text, format_args!(" - {name}: "));
            number(&mut self.text, value, value > 1e-3);
        }
        self.text.push('\n');
    }

    /// The mean duration of a step; the first one, which warms up, does not count.
    fn step_seconds(&mut self, current: usize, now: Duration) -> f64 {
        if current == 1 && self.after_first_step.is_none() {
            self.after_first_step = Some(now);
            return now.as_secs_f64();
        }
        match (current, self.after_first_step) {
            (0, _) => 0.0,
            (2.., Some(first)) => now.saturating_sub(first).as_secs_f64() / (current - 1) as f64,
            _ => now.as_secs_f64() / current as f64,
        }
    }

    fn per_step(&mut self, seconds: f64) {
        if seconds >= 1.0 || seconds == 0.0 {
            put(&mut self.text, format_args!(" {seconds:.0}s/step"));
        } else if seconds >= 1e-3 {
            put(&mut self.text, format_args!(" {:.0}ms/step", seconds * 1e3));
        } else {
            put(&mut self.text, format_args!(" {:.0}us/step", seconds * 1e6));
        }
    }
}

/// A part of the bar.
struct Bar(usize);

impl std::fmt::Display for Bar {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        (0..self.0).try_for_each(|_| f.write_char('━'))
    }
}

/// The seconds that are left.
struct Eta(u64);

impl std::fmt::Display for Eta {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (minutes, seconds) = (self.0 / 60, self.0 % 60);
        match self.0 {
            ..=60 => write!(f, "{}s", self.0),
            ..=3600 => write!(f, "{minutes}:{seconds:02}"),
            _ => write!(f, "{}:{:02}:{seconds:02}", minutes / 60, minutes % 60),
        }
    }
}

fn put(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    // Writing to a string does not fail.
    let _ = text.write_fmt(arguments);
}

/// A value as Python's `%.4f` or `%.4e` writes it.
fn number(text: &mut String, value: f32, fixed: bool) {
    match value {
        _ if value.is_nan() => text.push_str("nan"),
        _ if value.is_infinite() => text.push_str(if value > 0.0 { "inf" } else { "-inf" }),
        _ if fixed => put(text, format_args!("{value:.4}")),
        _ => {
            let start = text.len();
            put(text, format_args!("{value:.4e}"));
            // Rust writes `1e-5` where Python writes `1e-05`.
            if let Some(at) = text[start..].find('e') {
                let exponent = text.split_off(start + at + 1);
                let (sign, digits) = match exponent.strip_prefix('-') {
                    Some(digits) => ('-', digits),
                    None => ('+', exponent.as_str()),
                };
                put(text, format_args!("{sign}{digits:0>2}"));
            }
        }
    }
}

/// A progress bar on the standard output.
pub(crate) struct Progress {
    bar: Progbar,
    start: Instant,
    verbose: u8,
    current: usize,
}

impl Progress {
    /// A bar that starts now.
    pub fn new(verbose: u8, target: Option<usize>) -> Self {
        Self {
            bar: Progbar::new(target, verbose),
            start: Instant::now(),
            verbose,
            current: 0,
        }
    }

    /// Writes `Epoch 1/10`, as Keras does if there are several.
    pub fn begin_epoch(&mut self, epoch: usize, epochs: usize) {
        if self.verbose > 0 && epochs > 1 {
            write(&format!("Epoch {}/{epochs}\n", epoch + 1));
        }
    }

    /// So many steps are done. `logs` is called only if a frame is drawn.
    pub fn update(&mut self, current: usize, logs: impl FnOnce() -> Logs) {
        self.current = current;
        if self.verbose == 0 {
            return;
        }
        let now = self.start.elapsed();
        if self.bar.is_due(current, now) {
            write(self.bar.frame(current, &logs(), false, now));
        }
    }

    /// Draws the last frame.
    pub fn finish(&mut self, logs: &Logs) {
        if self.verbose > 0 {
            let now = self.start.elapsed();
            write(self.bar.frame(self.current, logs, true, now));
        }
    }
}

/// Writes at once; a reader that has gone away is no error of the training.
pub(crate) fn write(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn logs(values: &[(&str, f32)]) -> Logs {
        let mut logs = Logs::new();
        values
            .iter()
            .for_each(|(name, value)| logs.insert(name, *value));
        logs
    }

    #[test]
    fn the_first_frame_is_that_of_keras() {
        let mut bar = Progbar::new(Some(10), 1);
        let ms = Duration::from_millis;
        assert!(bar.is_due(1, ms(40)));
        let _ = bar.frame(1, &Logs::new(), false, ms(40));
        bar.last_width = 0;
        let text = bar.frame(
            3,
            &logs(&[("loss", 0.1053), ("mae", 0.2845)]),
            false,
            ms(106),
        );
        assert_eq!(
            text,
            "\r\x1b[1m 3/10\x1b[0m \x1b[32m━━━━━━\x1b[0m\x1b[37m━━━━━━━━━━━━━━\x1b[0m \x1b[1m0s\x1b[0m 33ms/step - \
             loss: 0.1053 - mae: 0.2845"
        );
        assert_eq!(bar.last_width, 68);
    }

    #[test]
    fn a_line_has_no_bar() {
        let mut bar = Progbar::new(Some(10), 2);
        let text = bar.frame(
            10,
            &logs(&[("loss", 1.7853), ("lr", 1e-5)]),
            true,
            Duration::from_millis(770),
        );
        assert_eq!(
            text,
            "10/10 - 1s - 77ms/step - loss: 1.7853 - lr: 1.0000e-05\n"
        );
    }

    #[test]
    fn times_have_the_unit_that_fits() {
        assert_eq!(Eta(59).to_string(), "59s");
        assert_eq!(Eta(125).to_string(), "2:05");
        assert_eq!(Eta(3725).to_string(), "1:02:05");
    }
}
