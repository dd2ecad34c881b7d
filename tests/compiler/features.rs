//! What a crate is told that uses the library without a feature that it needs.

use std::error::Error;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::rustc::diagnostic;

const PROGRAM: &str = "use keras::prelude::*;

sequential! {
    #[model(gradcheck)]
    pub Checked<3>;
    Dense(3),
}
";

/// A crate of a user's, with the profile of this one, whose dependencies are compiled already.
fn manifest(runtime: &Path) -> String {
    format!(
        "[package]
name = \"case\"
edition = \"2024\"

[dependencies]
keras = {{ package = \"keras-runtime\", path = '{}' }}

[profile.dev]
lto = \"off\"
debug = \"line-tables-only\"

[workspace]
",
        runtime.display()
    )
}

#[test]
fn gradcheck_names_the_feature_that_it_needs() -> Result<(), Box<dyn Error>> {
    let (root, scratch) = (
        Path::new(env!("CARGO_MANIFEST_DIR")),
        Path::new(env!("CARGO_TARGET_TMPDIR")),
    );
    let folder = scratch.join("without_testing");
    std::fs::create_dir_all(folder.join("src"))?;
    std::fs::write(
        folder.join("Cargo.toml"),
        manifest(&root.join("keras-runtime")),
    )?;
    std::fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock"))?;
    std::fs::write(folder.join("src/lib.rs"), PROGRAM)?;
    let check = |arguments: &[&str]| {
        let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.args(["check", "--offline", "--message-format=json"]);
        command.args(arguments).current_dir(&folder);
        if let Some(target) = scratch.parent() {
            command.env("CARGO_TARGET_DIR", target);
        }
        command.output()
    };
    let without_tests = check(&[])?;
    assert!(
        without_tests.status.success(),
        "{}",
        String::from_utf8_lossy(&without_tests.stderr)
    );
    let output = check(&["--tests"])?;
    let text = String::from_utf8(output.stdout)?;
    let messages = text
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let errors: Vec<_> = messages
        .filter_map(|message| diagnostic(&message["message"]))
        .collect();
    let [error] = &errors[..] else {
        panic!("{errors:?}\n{}", String::from_utf8_lossy(&output.stderr))
    };
    let expected =
        "`gradcheck` runs with the feature `testing` of keras-runtime, which tests alone need:";
    assert!(error.message.starts_with(expected), "{}", error.rendered);
    let word = PROGRAM.lines().position(|line| line.contains("gradcheck"));
    assert_eq!(Some(error.line - 1), word, "{}", error.rendered);
    Ok(())
}
