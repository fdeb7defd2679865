// SPDX-License-Identifier: MIT OR Apache-2.0
//! The text format of Prometheus, as much of it as is needed to read gauges.

/// One value with its name and labels.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample<'a> {
    /// Name of the series.
    pub name: &'a str,
    labels: Vec<(&'a str, String)>,
    /// Its value.
    pub value: f64,
}

impl Sample<'_> {
    /// The value of a label.
    pub fn label(&self, name: &str) -> Option<&str> {
        let mut all = self.labels.iter();
        all.find(|(known, _)| *known == name)
            .map(|(_, value)| value.as_str())
    }
}

/// The samples of a page. A line that is none is left out.
pub fn samples(page: &str) -> impl Iterator<Item = Sample<'_>> {
    page.lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(sample)
}

fn sample(line: &str) -> Option<Sample<'_>> {
    let line = line.trim();
    let end = line.find(|c: char| c == '{' || c.is_whitespace())?;
    let (name, rest) = line.split_at(end);
    let (labels, rest) = match rest.strip_prefix('{') {
        Some(rest) => labels(rest)?,
        None => (Vec::new(), rest),
    };
    let value = rest.split_whitespace().next()?.parse().ok()?;
    (!name.is_empty()).then_some(Sample {
        name,
        labels,
        value,
    })
}

/// The labels up to the closing brace, and what follows it.
fn labels(mut rest: &str) -> Option<(Vec<(&str, String)>, &str)> {
    let mut labels = Vec::new();
    loop {
        rest = rest.trim_start_matches([',', ' ']);
        if let Some(rest) = rest.strip_prefix('}') {
            return Some((labels, rest));
        }
        let (name, after) = rest.split_once('=')?;
        let (value, after) = quoted(after.trim_start().strip_prefix('"')?)?;
        labels.push((name.trim(), value));
        rest = after;
    }
}

/// A text up to its closing quote, and what follows it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => match chars.next()?.1 {
                'n' => value.push('\n'),
                other => value.push(other),
            },
            other => value.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_with_and_without_labels() {
        let page = "\
# HELP a_b What it is.
# TYPE a_b gauge
a_b{x=\"1\",y=\"say \\\"hi\\\", {} and \\\\\\n\"} 0.5 1700000000000
 plain 3
c{} NaN
d{ x = \"1\", } +Inf
# EOF
";
        let all: Vec<_> = samples(page).collect();
        let names: Vec<_> = all.iter().map(|sample| sample.name).collect();
        assert_eq!(names, ["a_b", "plain", "c", "d"]);
        assert_eq!(all[0].label("x"), Some("1"));
        assert_eq!(all[0].label("y"), Some("say \"hi\", {} and \\\n"));
        assert_eq!(all[0].label("z"), None);
        assert_eq!((all[0].value, all[1].value), (0.5, 3.0));
        assert!(all[2].value.is_nan());
        assert_eq!(all[3].value, f64::INFINITY);
    }

    #[test]
    fn what_is_no_sample_is_left_out() {
        for line in [
            "",
            "a",
            "a x",
            "a{x=\"1} 3",
            "a{x=1} 3",
            "a{x} 3",
            "{} 3",
            "a{x=\"1\"}",
            "<html>",
        ] {
            assert_eq!(samples(line).next(), None, "{line}");
        }
    }
}
