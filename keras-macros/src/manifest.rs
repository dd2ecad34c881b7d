//! The name that a crate gives a dependency, read from its `Cargo.toml`.
//!
//! Of TOML there is what manifests are made of: tables, keys with dots, strings, inline tables. What else
//! a value is does not matter here.

use std::cell::LazyCell;
use std::path::Path;

/// A key with all tables it is in, and its value as it is written.
type Entry = (Vec<String>, String);

/// The name of a package in the code of the crate that is being compiled.
pub fn crate_name(package: &str) -> Option<String> {
    let folder = std::env::var_os("CARGO_MANIFEST_DIR")?;
    let folder = Path::new(&folder);
    let manifest = read(folder)?;
    find(&manifest, || workspace(folder, &manifest), package)
}

/// The manifest of the workspace that a package is in.
fn workspace(folder: &Path, manifest: &[Entry]) -> Vec<Entry> {
    if let Some(root) = value(manifest, &["package", "workspace"]) {
        return read(&folder.join(root)).unwrap_or_default();
    }
    let mut manifests = folder.ancestors().filter_map(read);
    let is_root = |entries: &Vec<Entry>| {
        let mut keys = entries.iter().filter_map(|(path, _)| path.first());
        keys.any(|key| key == "workspace")
    };
    manifests.find(is_root).unwrap_or_default()
}

fn read(folder: &Path) -> Option<Vec<Entry>> {
    let manifest = std::fs::read_to_string(folder.join("Cargo.toml")).ok()?;
    Some(entries(&manifest))
}

/// The name of a package in the code of a crate. `workspace` reads the manifest of its workspace.
fn find(
    manifest: &[Entry],
    workspace: impl FnOnce() -> Vec<Entry>,
    package: &str,
) -> Option<String> {
    let inherited = LazyCell::new(workspace);
    let in_code = |name: &str| Some(name.replace('-', "_"));
    if value(manifest, &["package", "name"]) == Some(package) {
        return in_code(package);
    }
    for (path, _) in manifest {
        let Some(dependency) = dependency(path) else {
            continue;
        };
        let at = |key: &str| {
            let keys: Vec<&str> = dependency.iter().map(String::as_str).chain([key]).collect();
            value(manifest, &keys)
        };
        let name = dependency.last()?;
        let is_it = match (at("package"), at("workspace")) {
            (Some(renamed), _) => renamed == package,
            (None, Some("true")) => {
                let renamed = ["workspace", "dependencies", name, "package"];
                value(&inherited, &renamed).unwrap_or(name) == package
            }
            (None, _) => name == package,
        };
        if is_it {
            return in_code(name);
        }
    }
    None
}

/// The part of a key that names a dependency: `dependencies.keras` of `dependencies.keras.version`.
fn dependency(path: &[String]) -> Option<&[String]> {
    const KINDS: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];
    let kind = if path.first()? == "target" { 2 } else { 0 };
    let is_kind = KINDS.contains(&path.get(kind)?.as_str());
    path.get(..kind + 2).filter(|_| is_kind)
}

fn value<'a>(entries: &'a [Entry], keys: &[&str]) -> Option<&'a str> {
    let (_, value) = entries.iter().find(|(path, _)| path == keys)?;
    Some(value.trim_matches(['"', '\'']))
}

/// Everything that a manifest says.
fn entries(manifest: &str) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut table = Vec::new();
    let mut statement = String::new();
    for line in manifest.lines() {
        let comment = unquoted(line).find(|&(_, c)| c == '#');
        statement.push_str(&line[..comment.map_or(line.len(), |(at, _)| at)]);
        if unquoted(&statement).map(|(_, c)| opens(c)).sum::<i32>() > 0 {
            continue;
        }
        let whole = std::mem::take(&mut statement);
        let whole = whole.trim();
        if let Some(name) = whole.strip_prefix('[') {
            table = keys(name.trim_matches(['[', ']']));
        } else {
            add(&table, whole, &mut entries);
        }
    }
    entries
}

/// Adds `key = value`, and what is in the value if it is an inline table.
fn add(table: &[String], statement: &str, entries: &mut Vec<Entry>) {
    let [key, value] = pieces(statement, '=')[..] else {
        return;
    };
    let path = [table, &keys(key)].concat();
    let value = value.trim();
    let inner = value
        .strip_prefix('{')
        .and_then(|inner| inner.strip_suffix('}'));
    for statement in inner.map(|inner| pieces(inner, ',')).unwrap_or_default() {
        add(&path, statement, entries);
    }
    entries.push((path, value.to_string()));
}

/// `a."b.c".d`
fn keys(key: &str) -> Vec<String> {
    let keys = pieces(key, '.').into_iter();
    keys.map(|key| key.trim().trim_matches(['"', '\'']).to_string())
        .collect()
}

/// Cuts at a character where it is in no string and no brackets.
fn pieces(text: &str, at: char) -> Vec<&str> {
    let mut pieces = Vec::new();
    let (mut start, mut depth) = (0, 0);
    for (here, c) in unquoted(text) {
        depth += opens(c);
        if c == at && depth == 0 {
            pieces.push(&text[start..here]);
            start = here + c.len_utf8();
        }
    }
    pieces.push(&text[start..]);
    pieces
}

/// The characters that are in no string.
fn unquoted(text: &str) -> impl Iterator<Item = (usize, char)> + '_ {
    let (mut quote, mut is_escaped) = (None, false);
    text.char_indices().filter(move |&(_, c)| {
        match (c, quote) {
            _ if is_escaped => is_escaped = false,
            ('\\', Some('"')) => is_escaped = true,
            (c, Some(open)) if c == open => quote = None,
            (_, Some(_)) => {}
            ('"' | '\'', None) => quote = Some(c),
            _ => return true,
        }
        false
    })
}

/// 1 for a bracket that opens, -1 for one that closes.
fn opens(c: char) -> i32 {
    match c {
        '[' | '{' => 1,
        ']' | '}' => -1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(manifest: &str, workspace: &str) -> Option<String> {
        find(&entries(manifest), || entries(workspace), "keras-runtime")
    }

    #[test]
    fn a_dependency_is_found_wherever_it_stands() {
        for (manifest, expected) in [
            ("[dependencies]\nkeras-runtime = \"0.1\"", "keras_runtime"),
            ("[package]\nname = 'keras-runtime'", "keras_runtime"),
            (
                "[dependencies]\nserde = '1' # keras-runtime = '1'\nk = { path = \"..\", package = \"keras-runtime\" }",
                "k",
            ),
            (
                "[dependencies]\nmy-keras = { features = [ # some\n  \"plot\", # pictures [\n  \"a=b\",\n], package = 'keras-runtime' }",
                "my_keras",
            ),
            (
                "[dependencies.keras]\nversion = '0.1'\npackage = 'keras-runtime'\n\n[features]\nx = []",
                "keras",
            ),
            (
                "[target.'cfg(not(target_os = \"none\"))'.dev-dependencies]\nk.package = 'keras-runtime'",
                "k",
            ),
            (
                "[package]\ndescription = \"5\\\" of [\" # \"\n[dependencies]\nk = { package = 'keras-runtime' }",
                "k",
            ),
            (
                "[build-dependencies]\n\"k-r\" = {package='keras-runtime'}",
                "k_r",
            ),
        ] {
            assert_eq!(name(manifest, "").as_deref(), Some(expected), "{manifest}");
        }
    }

    #[test]
    fn a_dependency_is_inherited() {
        let workspace =
            "[workspace.dependencies]\nkeras = { version = '1', package = 'keras-runtime' }";
        for manifest in [
            "[dependencies]\nkeras.workspace = true",
            "[dependencies]\nkeras = { workspace = true, features = ['plot'] }",
        ] {
            assert_eq!(name(manifest, workspace).as_deref(), Some("keras"));
            assert_eq!(name(manifest, ""), None);
        }
    }

    #[test]
    fn another_package_is_not_taken_for_it() {
        let manifest = "[dependencies]\nkeras-runtime = { package = 'other' }\nkeras = '1'\n\
                        [package.metadata.dependencies]\nkeras-runtime = '1'";
        assert_eq!(name(manifest, ""), None);
    }
}
