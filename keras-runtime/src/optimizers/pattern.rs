//! Which variables are meant: the part of Python's regular expressions that paths need, matched against the
//! whole of a path.

use crate::error::{Error, Result};

/// A pattern for paths such as `encoder/.*/kernel`.
///
/// `.` is any character, `[abc]` one of several, `*`, `+` and `?` say how often the character before them
/// is there, `|` stands between whole patterns, and a character after `\` is itself.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Pattern {
    alternatives: Vec<Vec<Item>>,
}

#[derive(Clone, Debug, PartialEq)]
struct Item {
    one: One,
    least: usize,
    /// Whether there may be any number of them.
    repeats: bool,
}

#[derive(Clone, Debug, PartialEq)]
enum One {
    Any,
    Of(Vec<char>),
}

impl One {
    fn is(&self, found: char) -> bool {
        match self {
            One::Any => true,
            One::Of(chars) => chars.contains(&found),
        }
    }
}

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// If it uses something else of regular expressions.
    pub fn new(text: &str) -> Result<Self> {
        let wrong = |what: &str| {
            Error::value(format!(
                "A key of an `OptimizerMap` is the path of a variable or a pattern of characters, `.`, `[..]`, `*`, \
                 `+`, `?`, `|` and `\\`. Received: {what} in \"{text}\""
            ))
        };
        let mut alternatives = vec![Vec::new()];
        let mut chars = text.chars();
        while let Some(next) = chars.next() {
            let items = alternatives.last_mut();
            let Some(items) = items else { break };
            let one = match next {
                '|' => {
                    alternatives.push(Vec::new());
                    continue;
                }
                '*' | '+' | '?' => {
                    let Some(last) = items
                        .last_mut()
                        .filter(|last: &&mut Item| !last.repeats && last.least == 1)
                    else {
                        return Err(wrong(&format!(
                            "`{next}` after nothing that it could repeat"
                        )));
                    };
                    last.least = usize::from(next == '+');
                    last.repeats = next != '?';
                    continue;
                }
                '.' => One::Any,
                '[' => {
                    let set: Vec<char> = chars.by_ref().take_while(|&c| c != ']').collect();
                    if set.is_empty() || set.contains(&'-') || set[0] == '^' {
                        return Err(wrong("a set that is not a list of characters"));
                    }
                    One::Of(set)
                }
                '\\' => One::Of(chars.next().into_iter().collect()),
                '(' | ')' | '{' | '}' | '^' | '$' | ']' => return Err(wrong(&format!("`{next}`"))),
                other => One::Of(vec![other]),
            };
            items.push(Item {
                one,
                least: 1,
                repeats: false,
            });
        }
        Ok(Self { alternatives })
    }

    /// Whether the whole of a path is as the pattern says.
    pub fn matches(&self, path: &str) -> bool {
        let path: Vec<char> = path.chars().collect();
        self.alternatives.iter().any(|items| matches(items, &path))
    }
}

fn matches(items: &[Item], path: &[char]) -> bool {
    let Some((item, rest)) = items.split_first() else {
        return path.is_empty();
    };
    let most = match (item.repeats, item.least) {
        (true, _) => path.len(),
        (false, _) => 1,
    };
    let run = path
        .iter()
        .take(most)
        .take_while(|c| item.one.is(**c))
        .count();
    (item.least..=run)
        .rev()
        .any(|taken| matches(rest, &path[taken..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_matched_as_python_matches_it() {
        for (pattern, path, expected) in [
            ("dense/kernel", "dense/kernel", true),
            ("dense", "dense/kernel", false),
            ("dense/.*", "dense/kernel", true),
            ("dense/.*", "dense/", true),
            (".*/kernel", "encoder/dense/kernel", true),
            (".*/kernel", "kernel", false),
            ("dense_?1?/bias", "dense/bias", true),
            ("dense_[123]/.+", "dense_2/bias", true),
            ("dense_[123]/.+", "dense_4/bias", false),
            ("a+b", "aaab", true),
            ("a+b", "b", false),
            ("a|b.*", "bcd", true),
            ("a|b.*", "ab", false),
            (r"a\.b", "a.b", true),
            (r"a\.b", "aab", false),
            ("", "", true),
            (".*a.*a.*", "banana", true),
        ] {
            let found = Pattern::new(pattern).map(|made| made.matches(path));
            assert_eq!(found, Ok(expected), "{pattern} {path}");
        }
    }

    #[test]
    fn the_rest_of_regular_expressions_is_refused() {
        for pattern in [
            "(a|b)", "a{2}", "^a", "a$", "*a", "a**", "a[]", "[a-z]", "[^a]",
        ] {
            let error = Pattern::new(pattern).err().map(|error| error.to_string());
            let expected = format!("in \"{pattern}\"");
            assert!(
                error.is_some_and(|error| error.ends_with(&expected)),
                "{pattern}"
            );
        }
    }
}
