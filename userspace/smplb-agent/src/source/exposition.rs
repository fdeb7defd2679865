// SPDX-License-Identifier: MIT OR Apache-2.0
//! The text format in which programs expose metrics to Prometheus, as far as it is needed: the
//! value of a series.

use std::collections::BTreeMap;

/// A pattern for the value of a label: a word in which `*` stands for anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern(pub String);

impl Pattern {
    /// Whether all of `value` is as the pattern says.
    fn matches(&self, value: &str) -> bool {
        let mut parts = self.0.split('*');
        let first = parts.next().unwrap_or_default();
        let Some(mut rest) = value.strip_prefix(first) else {
            return false;
        };
        let mut parts: Vec<&str> = parts.collect();
        let Some(last) = parts.pop() else {
            return rest.is_empty();
        };
        for part in parts {
            let Some(at) = rest.find(part) else {
                return false;
            };
            rest = &rest[at + part.len()..];
        }
        rest.ends_with(last)
    }
}

/// One line: a series and its value.
#[derive(Debug, PartialEq)]
pub(super) struct Series<'a> {
    pub name: &'a str,
    /// What stands between the braces.
    labels: &'a str,
    /// What comes after them.
    rest: &'a str,
}

impl<'a> Series<'a> {
    /// The series of a text. Comments and empty lines are none.
    pub(super) fn all(text: &'a str) -> impl Iterator<Item = Self> {
        text.lines().filter_map(Self::parse)
    }

    fn parse(line: &'a str) -> Option<Self> {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            return None;
        }
        let end = line.find(|c: char| c == '{' || c.is_whitespace());
        let (name, rest) = line.split_at(end.unwrap_or(line.len()));
        let rest = rest.trim_start();
        let (labels, rest) = match rest.strip_prefix('{') {
            Some(inner) => {
                let end = closing(inner)?;
                (&inner[..end], &inner[end + 1..])
            }
            None => ("", rest),
        };
        Some(Self { name, labels, rest })
    }

    /// Whether each of these labels is there and as it should be.
    pub(super) fn has(&self, wanted: &BTreeMap<String, Pattern>) -> bool {
        if wanted.is_empty() {
            return true;
        }
        let labels = pairs(self.labels);
        wanted.iter().all(|(name, pattern)| {
            let value = labels.iter().find(|(label, _)| label == name);
            value.is_some_and(|(_, value)| pattern.matches(value))
        })
    }

    /// The value; a time or an example may follow it.
    pub(super) fn value(&self) -> Option<f64> {
        self.rest.split_whitespace().next()?.parse().ok()
    }
}

/// Where the brace that ends the labels is: not in a string.
fn closing(text: &str) -> Option<usize> {
    let mut quoted = false;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '}' if !quoted => return Some(at),
            _ => {}
        }
    }
    None
}

/// Names and values of `a="x",b="y"`.
fn pairs(mut text: &str) -> Vec<(&str, String)> {
    let mut pairs = Vec::new();
    while let Some((name, rest)) = text.split_once('=') {
        let Some(rest) = rest.trim_start().strip_prefix('"') else {
            break;
        };
        let mut value = String::new();
        let mut chars = rest.char_indices();
        let mut end = rest.len();
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => {
                    end = at + 1;
                    break;
                }
                '\\' => match chars.next() {
                    Some((_, 'n')) => value.push('\n'),
                    Some((_, c)) => value.push(c),
                    None => {}
                },
                c => value.push(c),
            }
        }
        pairs.push((name.trim(), value));
        text = rest[end..].trim_start().trim_start_matches(',');
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(labels: &[(&str, &str)]) -> BTreeMap<String, Pattern> {
        let entry = |(name, value): &(&str, &str)| (name.to_string(), Pattern(value.to_string()));
        labels.iter().map(entry).collect()
    }

    #[test]
    fn series_are_lines_without_comments() {
        let text =
            "# HELP a b\n# TYPE a counter\na 1\n\n  b{x=\"}\\\"{\",y=\"2\"}  2.5 1700000000\n\
                    c_total{} +Inf # {trace=\"1\"} 0.5\nd{x=\"1 2\nbroken\n# EOF\n";
        let all: Vec<_> = Series::all(text).collect();
        let names: Vec<_> = all.iter().map(|series| series.name).collect();
        assert_eq!(names, ["a", "b", "c_total", "broken"]);
        let values: Vec<_> = all.iter().map(Series::value).collect();
        assert_eq!(values, [Some(1.0), Some(2.5), Some(f64::INFINITY), None]);
        assert!(all[1].has(&wanted(&[("x", "}\"{"), ("y", "2")])));
    }

    #[test]
    fn labels_are_matched() {
        let text = "m{code=\"503\",path=\"a\\\\b\\nc\", method = \"GET\",} 1";
        let series = Series::all(text).next().unwrap();
        for (labels, is) in [
            (&[][..], true),
            (&[("code", "503")][..], true),
            (&[("code", "50")], false),
            (&[("code", "5*")], true),
            (&[("code", "*")], true),
            (&[("code", "5*3"), ("method", "GET")], true),
            (&[("code", "5*4")], false),
            (&[("path", "a\\b\nc")], true),
            (&[("host", "*")], false),
        ] {
            assert_eq!(series.has(&wanted(labels)), is, "{labels:?}");
        }
    }

    #[test]
    fn patterns_match_the_whole() {
        for (pattern, value, is) in [
            ("", "", true),
            ("", "x", false),
            ("ab", "ab", true),
            ("ab", "abc", false),
            ("a*", "a", true),
            ("a*a", "a", false),
            ("*b*", "abc", true),
            ("a*b*c", "a1b2c", true),
            ("a*b*c", "acb", false),
        ] {
            assert_eq!(
                Pattern(pattern.to_owned()).matches(value),
                is,
                "{pattern} {value}"
            );
        }
    }
}
