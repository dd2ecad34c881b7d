//! The Rust examples of the README and of `docs/`.

use std::path::{Path, PathBuf};

use super::rustc::{check, in_parallel};

/// The Rust blocks of a Markdown file, with the line each begins at; blocks marked `ignore` or
/// `compile_fail` are left out.
fn blocks(text: &str) -> Vec<(usize, String)> {
    let mut blocks = Vec::new();
    let mut block: Option<(usize, bool, String)> = None;
    for (index, line) in text.lines().enumerate() {
        match (&mut block, line.trim_start().strip_prefix("```")) {
            (None, Some(language)) => {
                let is_rust = language == "rust" || language.starts_with("rust,");
                let is_checked =
                    is_rust && !language.contains("ignore") && !language.contains("compile_fail");
                block = Some((index + 1, is_checked, String::new()));
            }
            (Some(_), Some(_)) => {
                if let Some((line, true, text)) = block.take() {
                    blocks.push((line, text));
                }
                block = None;
            }
            (Some((_, _, text)), None) => {
                text.push_str(line);
                text.push('\n');
            }
            (None, None) => {}
        }
    }
    blocks
}

/// A program around an example that has no `main`.
fn program(block: &str) -> String {
    if block.contains("fn main") {
        return block.to_owned();
    }
    let (uses, rest): (Vec<&str>, Vec<&str>) =
        block.lines().partition(|line| line.starts_with("use "));
    format!(
        "{}\nfn main() -> keras::Result<()> {{\n{}\nOk(())\n}}\n",
        uses.join("\n"),
        rest.join("\n")
    )
}

#[test]
fn every_example_of_the_documentation_compiles() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files: Vec<PathBuf> = vec![root.join("README.md")];
    let docs = std::fs::read_dir(root.join("docs")).expect("docs/ is there");
    files.extend(docs.filter_map(|entry| Some(entry.ok()?.path())));
    files.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    let examples: Vec<(String, String)> = files
        .iter()
        .flat_map(|path| {
            let text = std::fs::read_to_string(path).expect("a document can be read");
            let place = path.display().to_string();
            blocks(&text)
                .into_iter()
                .map(move |(line, block)| (format!("{place}:{line}"), program(&block)))
        })
        .collect();
    assert!(!examples.is_empty(), "the documentation has examples");
    let failures = in_parallel(&examples, |(place, program)| {
        let name = place.replace(|c: char| !c.is_alphanumeric(), "_");
        let path = std::env::temp_dir().join(format!("keras-doc-{}-{name}.rs", std::process::id()));
        std::fs::write(&path, program).expect("a temporary file can be written");
        let errors = check(&path);
        let _ = std::fs::remove_file(&path);
        errors
            .into_iter()
            .map(|error| format!("{place}\n{}", error.rendered))
            .collect::<Vec<_>>()
    });
    let failures = failures.concat();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
