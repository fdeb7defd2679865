// SPDX-License-Identifier: MIT OR Apache-2.0
//! Figures as a file or a command gives them: one number, or lines of a field and a number.

use super::Failure;
use crate::report::{Field, Report, MOST_NAMED};

/// Reads `NUMBER`, which goes to `field`, or lines `FIELD NUMBER`. Empty lines and those that
/// begin with `#` do not count.
pub(super) fn parse(text: &str, field: Option<&Field>) -> Result<Report, Failure> {
    let lines = text.lines().map(str::trim).enumerate();
    let lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    let mut report = Report::default();
    let mut alone = false;
    let mut count = 0;
    for (index, line) in lines {
        count += 1;
        let wrong = |what: &str| Failure::Unreadable(format!("line {}: {what}", index + 1));
        let number = |word: &str| word.parse::<f64>().map_err(|_| wrong("holds no number"));
        let words: Vec<&str> = line.split_whitespace().take(3).collect();
        let (to, value) = match (words.as_slice(), field) {
            ([value], Some(field)) => {
                alone = true;
                (field.clone(), number(value)?)
            }
            ([value], None) => {
                number(value)?;
                return Err(wrong("is a number alone; name its `field`"));
            }
            ([name, value], _) => {
                let to: Field = name.parse().map_err(|error| wrong(&format!("{error}")))?;
                (to, number(value)?)
            }
            _ => return Err(wrong("is no `FIELD NUMBER`")),
        };
        report.set(to, value)?;
        if count > MOST_NAMED || (alone && count > 1) {
            return Err(wrong("is one too many"));
        }
    }
    match count {
        0 => Err(Failure::Unreadable("holds no figure".to_owned())),
        _ => Ok(report),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_number_goes_to_its_field() {
        let report = parse("# load\n\n 12.5 \n", Some(&Field::Rps)).unwrap();
        assert_eq!((report.len(), report.get(&Field::Rps)), (1, Some(12.5)));
    }

    #[test]
    fn lines_name_their_fields() {
        let text = "rps 10\nutilization:disk\t0.5\n# x\nnamed:q -3\n";
        let report = parse(text, None).unwrap();
        assert_eq!(report.len(), 3);
        assert_eq!(report.get(&"named:q".parse().unwrap()), Some(-3.0));
        // The field of the source is for a number alone.
        assert_eq!(parse(text, Some(&Field::Eps)).unwrap(), report);
    }

    #[test]
    fn all_else_is_refused() {
        let many: String = (0..=MOST_NAMED).map(|n| format!("named:{n} 1\n")).collect();
        for (text, field, words) in [
            ("", None, "holds no figure"),
            ("# 1\n", Some(&Field::Rps), "holds no figure"),
            ("\n1\n", None, "line 2: is a number alone; name its `field`"),
            ("x\n", None, "line 1: holds no number"),
            ("x\n", Some(&Field::Rps), "line 1: holds no number"),
            ("1\n2\n", Some(&Field::Rps), "line 2: is one too many"),
            ("rps\t1 2\n", None, "line 1: is no `FIELD NUMBER`"),
            ("load 1\n", None, "line 1: `load` is no field; use rps"),
            ("rps NaN\n", None, "rps cannot be NaN: it must be 0 or more"),
            (
                "utilization:x 50\n",
                None,
                "utilization:x cannot be 50: it must be 0 to 1",
            ),
            (&many, None, "line 65: is one too many"),
        ] {
            let error = parse(text, field).unwrap_err().to_string();
            assert!(error.starts_with(words), "{text}: {error}");
        }
    }
}
