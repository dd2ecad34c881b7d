//! Which variables are meant: Python's regular expressions, matched against the whole of a path as
//! `re.fullmatch` does it.
//!
//! A pattern is not searched by trial and error: from all places of the path that the items before it
//! can end at, an item leads to all those that it can end at. So no pattern takes long.

use crate::error::{Error, Result};

/// A pattern for paths such as `(encoder|decoder)/dense_\d+/kernel`: characters, `.`, sets, the classes
/// `\d`, `\w`, `\s` and what is not in them, groups, `|`, `*`, `+`, `?` and `{2,3}`, `^` and `$`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Pattern(Alternatives);

/// Sequences, one of which is there.
#[derive(Clone, Debug, PartialEq)]
struct Alternatives(Vec<Vec<Item>>);

/// Something, and how often it is there.
#[derive(Clone, Debug, PartialEq)]
struct Item {
    what: What,
    least: usize,
    most: usize,
}

#[derive(Clone, Debug, PartialEq)]
enum What {
    /// A character in one of these ranges, or in none of them.
    One { of: Vec<(char, char)>, is_in: bool },
    /// A pattern of its own.
    Group(Alternatives),
    /// Nothing, at the start or at the end of the path.
    Edge { is_end: bool },
}

/// Places in a path, between its characters.
type Places = Vec<bool>;

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// If it is none, or uses what paths have no need of: look-around, references.
    pub fn new(text: &str) -> Result<Self> {
        let chars: Vec<char> = text.chars().collect();
        let mut reader = Reader {
            chars: &chars,
            at: 0,
        };
        let read = match reader.alternatives(0) {
            Ok(_) if reader.at < chars.len() => Err("`)` without `(`".to_owned()),
            read => read,
        };
        read.map(Self).map_err(|what| {
            Error::value(format!(
                "A key of an `OptimizerMap` is the path of a variable or a regular expression. Received: {what} in \
                 \"{text}\""
            ))
        })
    }

    /// Whether the whole of a path is as the pattern says.
    pub fn matches(&self, path: &str) -> bool {
        let path: Vec<char> = path.chars().collect();
        let mut start = vec![false; path.len() + 1];
        start[0] = true;
        self.0.after(&path, &start)[path.len()]
    }
}

impl Alternatives {
    fn after(&self, path: &[char], from: &Places) -> Places {
        let mut places = vec![false; from.len()];
        for items in &self.0 {
            let all = |from: Places, item: &Item| item.after(path, &from);
            add(&mut places, &items.iter().fold(from.clone(), all));
        }
        places
    }
}

impl Item {
    fn after(&self, path: &[char], from: &Places) -> Places {
        let mut places = vec![false; from.len()];
        if self.least == 0 {
            add(&mut places, from);
        }
        let mut at = from.clone();
        for count in 1..=self.most {
            let next = self.what.after(path, &at);
            let is_same = next == at;
            at = next;
            // What stands still would go on doing so.
            let leads_on = (count < self.least && !is_same) || add(&mut places, &at);
            if !leads_on || is_same {
                break;
            }
        }
        places
    }
}

impl What {
    fn after(&self, path: &[char], from: &Places) -> Places {
        let mut places = vec![false; from.len()];
        match self {
            What::Group(alternatives) => return alternatives.after(path, from),
            What::Edge { is_end } => {
                let at = if *is_end { path.len() } else { 0 };
                places[at] = from[at];
            }
            What::One { of, is_in } => {
                for (at, &c) in path.iter().enumerate() {
                    let is_of = of.iter().any(|(first, last)| (*first..=*last).contains(&c));
                    places[at + 1] = from[at] && is_of == *is_in;
                }
            }
        }
        places
    }
}

/// Adds places to others; whether there are more now.
fn add(places: &mut Places, more: &Places) -> bool {
    let mut is_more = false;
    for (place, &more) in places.iter_mut().zip(more) {
        is_more |= more && !*place;
        *place |= more;
    }
    is_more
}

/// Groups within groups that are read.
const DEEPEST: usize = 32;

/// Reads the characters of a pattern; errors say what is wrong.
struct Reader<'c> {
    chars: &'c [char],
    at: usize,
}

impl Reader<'_> {
    fn next(&mut self) -> Option<char> {
        let next = self.chars.get(self.at).copied();
        self.at += usize::from(next.is_some());
        next
    }

    /// Takes a character if it is the next one.
    fn takes(&mut self, c: char) -> bool {
        let is_next = self.chars.get(self.at) == Some(&c);
        self.at += usize::from(is_next);
        is_next
    }

    /// Up to the end, or to the parenthesis that ends a group.
    fn alternatives(&mut self, depth: usize) -> Result<Alternatives, String> {
        let mut alternatives = vec![Vec::new()];
        while !matches!(self.chars.get(self.at), None | Some(')')) {
            if self.takes('|') {
                alternatives.push(Vec::new());
                continue;
            }
            let what = self.what(depth)?;
            let (least, most) = self.times()?;
            if let Some(items) = alternatives.last_mut() {
                items.push(Item { what, least, most });
            }
        }
        Ok(Alternatives(alternatives))
    }

    fn what(&mut self, depth: usize) -> Result<What, String> {
        let one = |of, is_in| Ok(What::One { of, is_in });
        match self.next() {
            Some('.') => one(vec![('\n', '\n')], false),
            Some('[') => self.set(),
            Some('\\') => {
                let (of, is_in) = self.escaped()?;
                one(of, is_in)
            }
            Some('(') => {
                if self.takes('?') && !self.takes(':') {
                    return Err("`(?`, which is more than a group,".into());
                }
                if depth == DEEPEST {
                    return Err(format!("more than {DEEPEST} groups within each other"));
                }
                let group = self.alternatives(depth + 1)?;
                match self.takes(')') {
                    true => Ok(What::Group(group)),
                    false => Err("`(` without `)`".into()),
                }
            }
            Some(edge @ ('^' | '$')) => Ok(What::Edge {
                is_end: edge == '$',
            }),
            Some(times @ ('*' | '+' | '?')) => {
                Err(format!("`{times}` after nothing that it could repeat"))
            }
            Some(c) => one(vec![(c, c)], true),
            None => one(Vec::new(), false),
        }
    }

    /// How often what was read last is there.
    fn times(&mut self) -> Result<(usize, usize), String> {
        let times = match self.chars.get(self.at) {
            Some('*') => (0, usize::MAX),
            Some('+') => (1, usize::MAX),
            Some('?') => (0, 1),
            Some('{') => match self.counts() {
                Some(counts) => counts?,
                // A brace that counts nothing is a character.
                None => return Ok((1, 1)),
            },
            _ => return Ok((1, 1)),
        };
        self.at += 1;
        // What is taken as seldom as possible matches the same paths.
        self.takes('?');
        match self.chars.get(self.at) {
            Some(again @ ('*' | '+' | '?')) => Err(format!("`{again}` after a repetition")),
            _ => Ok(times),
        }
    }

    /// `{2}`, `{2,}`, `{,3}` or `{2,3}`, up to the last brace; `None` if it is none of them.
    fn counts(&mut self) -> Option<Result<(usize, usize), String>> {
        let rest = &self.chars[self.at + 1..];
        let end = rest.iter().position(|&c| c == '}')?;
        let text: String = rest[..end].iter().collect();
        let is_count = |text: &str| text.chars().all(|c| c.is_ascii_digit());
        let (least, most) = text.split_once(',').unwrap_or((&text, &text));
        if !is_count(least) || !is_count(most) || text.is_empty() {
            return None;
        }
        let count = |text: &str, default| match text {
            "" => Some(default),
            text => text.parse().ok().filter(|count| *count <= 1000),
        };
        self.at += end + 1;
        Some(match (count(least, 0), count(most, usize::MAX)) {
            (Some(least), Some(most)) if least <= most => Ok((least, most)),
            _ => Err(format!(
                "`{{{text}}}`, which counts from more to less or too far,"
            )),
        })
    }

    /// The ranges behind `\`.
    fn escaped(&mut self) -> Result<(Vec<(char, char)>, bool), String> {
        let class = |of: &[(char, char)], is_in| Ok((of.to_vec(), is_in));
        match self.next() {
            Some(c @ ('d' | 'D')) => class(&[('0', '9')], c == 'd'),
            Some(c @ ('w' | 'W')) => {
                class(&[('a', 'z'), ('A', 'Z'), ('0', '9'), ('_', '_')], c == 'w')
            }
            Some(c @ ('s' | 'S')) => class(&[(' ', ' '), ('\t', '\r')], c == 's'),
            Some(c) if c.is_ascii_alphanumeric() => {
                Err(format!("`\\{c}`, which is no class of characters,"))
            }
            Some(c) => class(&[(c, c)], true),
            None => Err("`\\` at its end".into()),
        }
    }

    /// A set after its bracket.
    fn set(&mut self) -> Result<What, String> {
        let is_in = !self.takes('^');
        let mut of = Vec::new();
        // A bracket that would end the set at once is one of its characters.
        while of.is_empty() || !self.takes(']') {
            let first = match self.next() {
                None => return Err("`[` without `]`".into()),
                Some('\\') => match self.escaped()? {
                    (ranges, true) if ranges.len() == 1 && ranges[0].0 == ranges[0].1 => {
                        ranges[0].0
                    }
                    (ranges, true) => {
                        of.extend(ranges);
                        continue;
                    }
                    (_, false) => return Err("a class of other characters within a set".into()),
                },
                Some(c) => c,
            };
            let is_range = self.chars.get(self.at) == Some(&'-')
                && !matches!(self.chars.get(self.at + 1), None | Some(']' | '\\'));
            let last = if is_range {
                self.at += 2;
                self.chars[self.at - 1]
            } else {
                first
            };
            if last < first {
                return Err(format!("`{first}-{last}`, which counts from more to less,"));
            }
            of.push((first, last));
        }
        Ok(What::One { of, is_in })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `re.fullmatch` says.
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
            ("", "a", false),
            (".*a.*a.*", "banana", true),
            ("(encoder|decoder)/.*", "decoder/dense/kernel", true),
            ("(encoder|decoder)/.*", "coder/dense/kernel", false),
            ("(?:a|b)+c", "ababc", true),
            ("(ab)*", "abab", true),
            ("(ab)*", "aba", false),
            ("(a|ab)(c|bcd)", "abcd", true),
            (r"dense_\d+/kernel", "dense_12/kernel", true),
            (r"dense_\d+/kernel", "dense_x/kernel", false),
            (r"\w+/\w+", "dense_1/bias", true),
            (r"\W+", "--", true),
            (r"\S\s\D", "a b", true),
            ("[a-c]+", "abc", true),
            ("[a-c]+", "abd", false),
            ("[^/]+/[^/]+", "a/b", true),
            ("[^/]+/[^/]+", "a/b/c", false),
            ("[]a]+", "]a", true),
            ("[a-]+", "a-a", true),
            (r"[\d_]+", "1_2", true),
            (r"[\]]", "]", true),
            ("a{2}", "aa", true),
            ("a{2}", "aaa", false),
            ("a{2,}", "aaaa", true),
            ("a{,2}", "aaa", false),
            ("a{1,3}b", "aaab", true),
            ("a{0}", "", true),
            ("a{x}", "a{x}", true),
            ("^a$", "a", true),
            ("a^", "a", false),
            ("(a$|b)c?", "a", true),
            ("a*?b", "aab", true),
            ("(a*)*b", "aab", true),
            ("(a*){3}", "a", true),
            ("(|a)b", "b", true),
            ("x(^|y)z", "xyz", true),
            ("(^a){2}", "aa", false),
            ("(a?){3}", "aaa", true),
            ("(a?){3}", "aaaa", false),
            ("a]", "a]", true),
            ("a}", "a}", true),
        ] {
            let found = Pattern::new(pattern).map(|made| made.matches(path));
            assert_eq!(found, Ok(expected), "{pattern} {path}");
        }
    }

    #[test]
    fn no_pattern_takes_long() {
        let path = "a".repeat(200);
        let pattern = Pattern::new("(a*)*(a|aa)+(a?){200}b").map(|made| made.matches(&path));
        assert_eq!(pattern, Ok(false));
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for pattern in [
            "(a", "a)", "*a", "a**", "a[", "[", "[z-a]", "a{3,2}", "(?=a)", r"\1", r"\b", r"a\",
            "|+", r"[\W]",
        ] {
            let error = Pattern::new(pattern).err().map(|error| error.to_string());
            let expected = format!(" in \"{pattern}\"");
            assert!(
                error.is_some_and(|error| error.ends_with(&expected)),
                "{pattern}"
            );
        }
        let deep = "(".repeat(100_000);
        assert!(Pattern::new(&deep).is_err());
    }
}
