//! Tables with borders, as the library Rich draws them for Keras.

/// How the text of a column is placed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    Left,
    Center,
    Right,
}

/// A table with a header and a rule between all rows.
pub(crate) struct Table {
    widths: Vec<usize>,
    align: Vec<Align>,
    text: String,
    rows: usize,
}

impl Table {
    /// A table of `width` characters whose columns end at these fractions of it.
    pub fn new(width: usize, ends: &[f64], header: &[(&str, Align)]) -> Self {
        let mut table = Self {
            widths: column_widths(width, ends),
            align: header.iter().map(|(_, align)| *align).collect(),
            text: String::new(),
            rows: 0,
        };
        table.rule('┏', '━', '┳', '┓');
        let titles: Vec<String> = header
            .iter()
            .map(|(title, _)| (*title).to_owned())
            .collect();
        table.cells(&titles, '┃');
        table.rule('┡', '━', '╇', '┩');
        table
    }

    /// Adds a row, one text for each column.
    pub fn row(&mut self, cells: &[String]) {
        if self.rows > 0 {
            self.rule('├', '─', '┼', '┤');
        }
        self.rows += 1;
        self.cells(cells, '│');
    }

    /// The whole table.
    pub fn finish(mut self) -> String {
        self.rule('└', '─', '┴', '┘');
        self.text
    }

    fn rule(&mut self, left: char, line: char, cross: char, right: char) {
        for (column, width) in self.widths.iter().enumerate() {
            self.text.push(if column == 0 { left } else { cross });
            self.text.extend(std::iter::repeat_n(line, *width));
        }
        self.text.push(right);
        self.text.push('\n');
    }

    fn cells(&mut self, cells: &[String], border: char) {
        let wrap = |(cell, width): (&String, &usize)| wrap(cell, width.saturating_sub(2));
        let lines: Vec<Vec<String>> = cells.iter().zip(&self.widths).map(wrap).collect();
        let height = lines.iter().map(Vec::len).max().unwrap_or(0);
        for line in 0..height {
            for (column, width) in self.widths.iter().enumerate() {
                let text = lines[column].get(line).map_or("", String::as_str);
                let space = " ".repeat(width.saturating_sub(2 + text.chars().count()));
                let (before, after) = match self.align[column] {
                    Align::Left => ("", space.as_str()),
                    Align::Center => space.split_at(space.len() / 2),
                    Align::Right => (space.as_str(), ""),
                };
                self.text.push(border);
                self.text += &format!(" {before}{text}{after} ");
            }
            self.text.push(border);
            self.text.push('\n');
        }
    }
}

/// The inner widths of the columns. Rich adds a space on both sides of what Keras asks for and
/// then takes the excess evenly from all columns.
fn column_widths(width: usize, ends: &[f64]) -> Vec<usize> {
    let mut widths = Vec::with_capacity(ends.len());
    let mut start = 0;
    for end in ends {
        let end = (end * width as f64) as usize;
        widths.push(end - start + 2);
        start = end;
    }
    let room = width.saturating_sub(ends.len() + 1);
    let mut excess = widths.iter().sum::<usize>().saturating_sub(room);
    for at in 0..widths.len() {
        let share = (excess as f64 / (widths.len() - at) as f64).round_ties_even() as usize;
        let share = share.min(widths[at]);
        widths[at] -= share;
        excess -= share;
    }
    widths
}

/// Breaks a text between words; a word that is longer than a line is cut.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let cut = |line: String| {
        let line = line.trim_end();
        if line.chars().count() <= width {
            return line.to_owned();
        }
        let mut cut: String = line.chars().take(width.saturating_sub(1)).collect();
        cut.push('…');
        cut
    };
    lines(text, width, false).into_iter().map(cut).collect()
}

/// Breaks a text between words; a word that is longer than a line is continued on the next.
pub(crate) fn fold(text: &str, width: usize) -> Vec<String> {
    lines(text, width, true)
}

fn lines(text: &str, width: usize, fold: bool) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    let mut used = 0;
    for word in text.split_inclusive(' ') {
        let len = word.trim_end().chars().count();
        if used > 0 && used + len > width {
            lines.push(std::mem::take(&mut line));
            used = 0;
        }
        for char in word.chars() {
            if fold && len > width && used == width {
                lines.push(std::mem::take(&mut line));
                used = 0;
            }
            line.push(char);
            used += 1;
        }
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_those_of_rich() {
        assert_eq!(column_widths(76, &[0.45, 0.8, 1.0]), [33, 24, 15]);
        assert_eq!(column_widths(76, &[0.3, 0.56, 0.74, 1.0]), [21, 19, 12, 19]);
    }

    #[test]
    fn long_words_may_go_on_in_the_next_line() {
        assert_eq!(
            fold("Model: \"abcdefghijk\"", 8),
            ["Model: ", "\"abcdefg", "hijk\""]
        );
        assert_eq!(fold("Model: \"a\"", 80), ["Model: \"a\""]);
    }

    #[test]
    fn long_words_are_cut_and_others_wrapped() {
        assert_eq!(
            wrap("dense[0][0], shared_dense[1][0]", 17),
            ["dense[0][0],", "shared_dense[1][…"]
        );
        assert_eq!(
            wrap("batch_normalization (BatchNormalization)", 31),
            ["batch_normalization", "(BatchNormalization)"]
        );
        assert_eq!(wrap("", 5), [""]);
    }
}
