//! With frames of n numbers and F frequencies, k from 0 to F - 1: `w(t) cos(2π t k / (2 (F - 1))) / s` on
//! the real side, `-w(t) sin(..) / s` on the imaginary one; s is `√Σ w²` or `Σ |w|`.

use std::f64::consts::{PI, TAU};

use crate::config::{Config, Object, Read};
use crate::error::{Error, Result};
use crate::shape::Text;
use crate::texts::is;

/// Coefficients a of a window `Σ a[j] cos(2π j t / n)` with alternating signs.
type Window = [f64; 3];

#[derive(Clone, Copy, Debug, PartialEq)]
enum Scale {
    None,
    Density,
    Spectrum,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Stft {
    is_real: bool,
    window: Option<Window>,
    scale: Scale,
    periodic: bool,
}

const HANN: Window = [0.5, 0.5, 0.0];
const HAMMING: Window = [0.54, 0.46, 0.0];
const BLACKMAN: Window = [0.42, 0.5, 0.08];
const BOXCAR: Window = [1.0, 0.0, 0.0];

/// The windows by their names in Keras.
const WINDOWS: [(&str, Window); 4] = [
    ("hann", HANN),
    ("hamming", HAMMING),
    ("blackman", BLACKMAN),
    ("boxcar", BOXCAR),
];

impl Stft {
    pub const fn new() -> Self {
        Self {
            is_real: true,
            window: Some(HANN),
            scale: Scale::Density,
            periodic: false,
        }
    }

    #[track_caller]
    pub const fn named(
        side: &str,
        window: Option<&str>,
        scaling: Option<&str>,
        periodic: bool,
    ) -> Self {
        let is_real = is(side, "real");
        if !is_real && !is(side, "imag") {
            refuse("side should be 'real' or 'imag', not ", side);
        }
        let window = match window {
            None => None,
            Some(name) if is(name, "hann") => Some(HANN),
            Some(name) if is(name, "hamming") => Some(HAMMING),
            Some(name) if is(name, "blackman") => Some(BLACKMAN),
            Some(name) if is(name, "boxcar") => Some(BOXCAR),
            Some(name) => refuse(
                "window should be 'hann', 'hamming', 'blackman', 'boxcar' or `None`, not ",
                name,
            ),
        };
        let scale = match scaling {
            None => Scale::None,
            Some(name) if is(name, "density") => Scale::Density,
            Some(name) if is(name, "spectrum") => Scale::Spectrum,
            Some(name) => refuse(
                "Scaling is invalid, it must be `None`, 'density' or 'spectrum'. Received scaling=",
                name,
            ),
        };
        Self {
            is_real,
            window,
            scale,
            periodic,
        }
    }

    /// What Keras calls the arguments.
    pub const ARGUMENTS: [&'static str; 4] = ["side", "window", "periodic", "scaling"];

    pub fn config(&self, class: Config) -> Config {
        let window = self.window.and_then(|window| {
            let mut named = WINDOWS.iter().filter(|(_, known)| *known == window);
            named.next().map(|(name, _)| *name)
        });
        let scaling = match self.scale {
            Scale::None => None,
            Scale::Density => Some("density"),
            Scale::Spectrum => Some("spectrum"),
        };
        class
            .with("side", if self.is_real { "real" } else { "imag" })
            .with("window", window)
            .with("periodic", self.periodic)
            .with("scaling", scaling)
    }

    pub fn from_config(config: &Object) -> Result<Self> {
        let mut stft = Self::new();
        for (name, value) in config.iter() {
            let text: Option<String> = match name {
                "periodic" => {
                    stft.periodic = value.read(name)?;
                    continue;
                }
                _ => value.read(name)?,
            };
            let window = |text: &str| WINDOWS.iter().find(|(known, _)| *known == text);
            match (name, text.as_deref()) {
                ("side", Some("real")) => stft.is_real = true,
                ("side", Some("imag")) => stft.is_real = false,
                ("window", None) => stft.window = None,
                ("window", Some(text)) if window(text).is_some() => {
                    stft.window = window(text).map(|(_, window)| *window);
                }
                ("scaling", None) => stft.scale = Scale::None,
                ("scaling", Some("density")) => stft.scale = Scale::Density,
                ("scaling", Some("spectrum")) => stft.scale = Scale::Spectrum,
                _ => {
                    return Err(Error::value(format!(
                        "Invalid value for argument `{name}` of STFT. Received: {name}={value}"
                    )));
                }
            }
        }
        Ok(stft)
    }

    pub fn fill(&self, dims: &[usize], values: &mut [f32]) {
        let frequencies = dims.last().copied().unwrap_or(1).max(1);
        let frame = values.len() / frequencies;
        let window: Vec<f64> = (0..frame).map(|t| self.window_at(t, frame)).collect();
        let scale = match (self.window, self.scale) {
            (None, _) | (_, Scale::None) => 1.0,
            (_, Scale::Density) => window.iter().map(|w| w * w).sum::<f64>().sqrt(),
            (_, Scale::Spectrum) => window.iter().map(|w| w.abs()).sum(),
        };
        let period = (2 * (frequencies - 1)).max(1);
        for (t, (row, w)) in values
            .chunks_exact_mut(frequencies)
            .zip(&window)
            .enumerate()
        {
            for (k, value) in row.iter_mut().enumerate() {
                let angle = -TAU * t as f64 * k as f64 / period as f64;
                let wave = if self.is_real {
                    angle.cos()
                } else {
                    angle.sin()
                };
                *value = (wave * w / scale) as f32;
            }
        }
    }

    fn window_at(&self, t: usize, frame: usize) -> f64 {
        let Some([mean, first, second]) = self.window else {
            return 1.0;
        };
        // A window that is not periodic ends where it began; of one number it is 1.
        let period = if self.periodic {
            frame
        } else {
            frame.saturating_sub(1)
        };
        if period == 0 || frame == 1 {
            return 1.0;
        }
        let angle = 2.0 * PI * t as f64 / period as f64;
        mean - first * angle.cos() + second * (2.0 * angle).cos()
    }
}

#[track_caller]
const fn refuse(sentence: &str, name: &str) -> ! {
    panic!("{}", Text::new().str(sentence).str(name).as_str())
}
