//! Wrong programs and their errors.

use std::path::Path;

use super::rustc::{Diagnostic, check, in_parallel};

/// An annotation of a case.
#[derive(Debug)]
struct Expected {
    line: usize,
    text: String,
}

fn annotations(source: &str) -> Vec<Expected> {
    let of_line = |(index, line): (usize, &str)| {
        let (_, annotation) = line.split_once("//~")?;
        let text = annotation.trim_start_matches('^');
        let up = annotation.len() - text.len();
        Some(Expected {
            line: index + 1 - up,
            text: text.trim().to_owned(),
        })
    };
    source.lines().enumerate().filter_map(of_line).collect()
}

/// What is wrong with the errors of a case, as lines of text.
fn differences(path: &Path) -> (usize, Vec<String>) {
    let source = std::fs::read_to_string(path).expect("a case can be read");
    let mut expected = annotations(&source);
    let count = expected.len();
    let mut wrong = Vec::new();
    for error in check(path) {
        let Diagnostic {
            line,
            message,
            rendered,
            ..
        } = &error;
        let matches =
            |expected: &Expected| expected.line == *line && message.contains(&expected.text);
        match expected.iter().position(matches) {
            Some(at) => {
                expected.remove(at);
            }
            None => wrong.push(format!("unexpected, line {line}: {message}\n{rendered}")),
        }
        let lines = rendered.trim_end().lines().count();
        if error.is_ours() && lines > 8 {
            wrong.push(format!(
                "an error of {lines} lines, expected at most 8:\n{rendered}"
            ));
        }
    }
    wrong.extend(
        expected
            .iter()
            .map(|expected| format!("missing, line {}: {}", expected.line, expected.text)),
    );
    if count == 0 {
        wrong.push("the case expects no error".into());
    }
    (
        count,
        wrong
            .into_iter()
            .map(|wrong| format!("{}: {wrong}", path.display()))
            .collect(),
    )
}

#[test]
fn every_mistake_has_its_sentence_at_its_place() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compiler/cases");
    let mut paths: Vec<_> = std::fs::read_dir(&folder)
        .expect("the cases are there")
        .map(|entry| entry.expect("an entry can be read").path())
        .collect();
    paths.sort();
    let results = in_parallel(&paths, |path| differences(path));
    let count: usize = results.iter().map(|(count, _)| count).sum();
    let wrong: Vec<&str> = results
        .iter()
        .flat_map(|(_, wrong)| wrong)
        .map(String::as_str)
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(
        count >= 60,
        "{count} expected errors; they were 60 at least"
    );
}
