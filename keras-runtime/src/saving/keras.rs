//! Keras 3's whole models, `.keras`: an archive of three files.
//!
//! ```text
//! metadata.json       the version of Keras, and when the model was saved
//! config.json         the model's class and layers, and the arguments of `compile`
//! model.weights.h5    its weights and what its optimizer remembers: see `weights_h5.rs`
//! ```

use std::io::{self, Read, Seek, Write};
use std::time::{SystemTime, UNIX_EPOCH};

use keras_config::zip::{Archive, Writer};

use super::hdf5::Reader;
use super::{KnownBy, Loaded, ModelState, Whole, weights_h5};
use crate::config::{Json, Object};

const METADATA: &str = "metadata.json";
const CONFIG: &str = "config.json";
const WEIGHTS: &str = "model.weights.h5";

/// The version of Keras whose files these are.
const VERSION: &str = "3.15.1";

/// The longest configuration that is read.
const MAX_CONFIG: u64 = 1 << 26;

/// Writes an archive.
pub(super) fn write(out: &mut dyn Write, state: &ModelState<'_>, whole: &Whole) -> io::Result<()> {
    let compile = whole.compile.clone().unwrap_or_default();
    let config = whole
        .model
        .clone()
        .with("compile_config", compile)
        .to_string();
    let weights = weights_h5::layout(state)?;
    let metadata = Object::new()
        .with("keras_version", VERSION)
        .with("date_saved", now())
        .to_string();
    let mut archive = Writer::new(out);
    for (name, text) in [(METADATA, &metadata), (CONFIG, &config)] {
        archive.add(name, |out| out.write_all(text.as_bytes()))?;
    }
    archive.add(WEIGHTS, |out| weights.write(out))?;
    archive.finish()
}

/// The time in Greenwich, as Keras writes it: `2026-01-31@23:59:59`.
fn now() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let seconds = since.map_or(0, |since| since.as_secs());
    let ([year, month, day], rest) = (date(seconds / 86400), seconds % 86400);
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    format!("{year}-{month:02}-{day:02}@{hour:02}:{minute:02}:{second:02}")
}

/// The year, the month and the day, so many days after 1970-01-01.
fn date(mut days: u64) -> [u64; 3] {
    let is_leap = |year: u64| {
        year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
    };
    let mut year = 1970;
    loop {
        let len = 365 + u64::from(is_leap(year));
        if days < len {
            break;
        }
        (days, year) = (days - len, year + 1);
    }
    let february = 28 + u64::from(is_leap(year));
    let lens = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 0;
    while days >= lens[month] {
        days -= lens[month];
        month += 1;
    }
    [year, month as u64 + 1, days + 1]
}

/// Reads an archive.
///
/// # Errors
/// With a sentence about what is wrong with it.
pub(crate) fn read<R: Read + Seek>(source: R) -> Result<Loaded, String> {
    let mut archive = Archive::open(source)?;
    let config = archive.text(CONFIG, MAX_CONFIG)?;
    let config = config.ok_or_else(|| missing(CONFIG))?;
    let config = Json::parse(&config).map_err(|error| format!("{CONFIG}: {error}"))?;
    let weights = archive.content(WEIGHTS)?.ok_or_else(|| missing(WEIGHTS))?;
    let (mut reader, root) = Reader::open(weights)?;
    Ok(Loaded {
        state: weights_h5::read(&mut reader, &root)?,
        known_by: KnownBy::Path,
        config: Some(config),
    })
}

fn missing(name: &str) -> String {
    format!("Expected an archive of Keras with '{name}'. Received: an archive without")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_the_calendar() {
        for (days, expected) in [
            (0, [1970, 1, 1]),
            (59, [1970, 3, 1]),
            (11_016, [2000, 2, 29]),
            (20_781, [2026, 11, 24]),
            (47_540, [2100, 2, 28]),
            (47_541, [2100, 3, 1]),
        ] {
            assert_eq!(date(days), expected);
        }
    }
}
