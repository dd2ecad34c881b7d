//! The curves of a history: a panel for each quantity, training and validation in one.

use std::path::Path;
use std::sync::Once;

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::register_font;

use super::picture::{extension, unknown_extension};
use crate::error::{Error, Result};
use crate::model::History;

/// The width and height of a panel, in pixels.
const PANEL: (u32, u32) = (560, 380);

const FONT: &str = "sans-serif";

/// Training, validation.
const COLORS: [RGBColor; 2] = [RGBColor(31, 119, 180), RGBColor(255, 127, 14)];

/// Draws a history of at least one epoch.
pub(super) fn draw(history: &History, path: &Path) -> Result<()> {
    static FONTS: Once = Once::new();
    FONTS.call_once(|| {
        // Part of this program: what fonts the machine has does not matter.
        let _ = register_font(FONT, FontStyle::Normal, epaint_default_fonts::UBUNTU_LIGHT);
    });
    let names = history.names().filter(|name| !name.starts_with("val_"));
    let names: Vec<&str> = names.collect();
    let columns = if names.len() > 1 { 2 } else { 1 };
    let rows = names.len().div_ceil(columns);
    let size = (PANEL.0 * columns as u32, PANEL.1 * rows as u32);
    match extension(path).as_str() {
        "png" => panels(
            BitMapBackend::new(path, size),
            history,
            &names,
            (rows, columns),
        ),
        "svg" => panels(
            SVGBackend::new(path, size),
            history,
            &names,
            (rows, columns),
        ),
        _ => return Err(unknown_extension(path, "`.png` or `.svg`")),
    }
    .map_err(|message| Error::file(path, message))
}

fn panels<B: DrawingBackend>(
    backend: B,
    history: &History,
    names: &[&str],
    grid: (usize, usize),
) -> Result<(), String> {
    let root = backend.into_drawing_area();
    root.fill(&WHITE).map_err(|error| error.to_string())?;
    for (area, name) in root.split_evenly(grid).iter().zip(names) {
        panel(area, history, name).map_err(|error| error.to_string())?;
    }
    root.present().map_err(|error| error.to_string())
}

/// The points of a quantity; what is not finite leaves a hole. Validation may skip epochs, then its
/// values stand at the last ones.
fn points(history: &History, name: &str) -> Vec<(f64, f64)> {
    let values = history.get(name).unwrap_or_default();
    let epochs = history.epochs();
    let skipped = epochs.len().saturating_sub(values.len());
    let points = epochs.iter().skip(skipped).zip(values);
    points
        .filter(|(_, value)| value.is_finite())
        .map(|(&epoch, &value)| ((epoch + 1) as f64, f64::from(value)))
        .collect()
}

/// From the least to the largest, with some room around.
fn range(values: impl Iterator<Item = f64>, room: f64) -> std::ops::Range<f64> {
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
        (low.min(value), high.max(value))
    });
    if low > high {
        return 0.0..1.0;
    }
    let margin = if high > low {
        (high - low) * room
    } else {
        low.abs().max(1.0) * 0.05
    };
    low - margin..high + margin
}

fn panel<B: DrawingBackend>(
    area: &DrawingArea<B, Shift>,
    history: &History,
    name: &str,
) -> Result<(), DrawingAreaErrorKind<B::ErrorType>> {
    let curves = [
        ("training", points(history, name)),
        ("validation", points(history, &format!("val_{name}"))),
    ];
    let all = || curves.iter().flat_map(|(_, points)| points).copied();
    let epochs = history.epochs().iter().map(|&epoch| (epoch + 1) as f64);
    let mut chart = ChartBuilder::on(area)
        .caption(name, (FONT, 20))
        .margin(12)
        .x_label_area_size(36)
        .y_label_area_size(56)
        .build_cartesian_2d(range(epochs, 0.0), range(all().map(|(_, y)| y), 0.05))?;
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .x_desc("epoch")
        .x_labels(history.epochs().len().min(10))
        .x_label_formatter(&|x| format!("{x:.0}"))
        .label_style((FONT, 14))
        .draw()?;
    for ((what, points), color) in curves.into_iter().zip(COLORS) {
        if points.is_empty() {
            continue;
        }
        // One epoch is no line.
        chart.draw_series(
            points
                .iter()
                .map(|&point| Circle::new(point, 2, color.filled())),
        )?;
        chart
            .draw_series(LineSeries::new(points, color.stroke_width(2)))?
            .label(what)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], color.stroke_width(2)));
    }
    chart
        .configure_series_labels()
        .label_font((FONT, 14))
        .background_style(WHITE.mix(0.8))
        .border_style(BLACK.mix(0.2))
        .draw()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Logs;

    fn history() -> History {
        let mut history = History::new();
        for epoch in 0..8 {
            let mut logs = Logs::new();
            logs.insert("accuracy", 1.0 - 0.9f32.powi(epoch as i32 + 1));
            logs.insert("loss", 0.7f32.powi(epoch as i32));
            logs.insert("val_loss", 0.1 + 0.8f32.powi(epoch as i32));
            history.push(epoch, &logs);
        }
        history
    }

    #[test]
    fn pictures_are_written_in_the_format_of_their_name() -> Result<()> {
        let path = |name: &str| std::env::temp_dir().join(format!("{}_{name}", std::process::id()));
        let read = |path: &Path| std::fs::read(path).unwrap_or_default();
        let (png, svg) = (path("curves.png"), path("curves.svg"));
        history().plot(&png)?;
        history().plot(&svg)?;
        assert!(read(&png).starts_with(b"\x89PNG"));
        let text = String::from_utf8_lossy(&read(&svg)).into_owned();
        for part in ["accuracy", "loss", "validation", "epoch"] {
            assert!(text.contains(part), "{part} in {text}");
        }
        let _ = (std::fs::remove_file(&png), std::fs::remove_file(&svg));
        assert!(history().plot(path("curves.gif")).is_err());
        assert!(History::new().plot(path("empty.png")).is_err());
        Ok(())
    }

    #[test]
    fn what_is_not_finite_is_left_out() {
        let mut history = History::new();
        for (epoch, loss) in [1.0, f32::NAN, f32::INFINITY, 0.5].into_iter().enumerate() {
            let mut logs = Logs::new();
            logs.insert("loss", loss);
            history.push(epoch, &logs);
        }
        assert_eq!(points(&history, "loss"), [(1.0, 1.0), (4.0, 0.5)]);
        assert_eq!(range([2.0, 2.0].into_iter(), 0.05), 1.9..2.1);
    }
}
