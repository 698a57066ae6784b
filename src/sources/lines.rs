//! The line of a text that says why something failed. Pure; knows no system, only how Python ends a traceback.

/// The last line that begins with the name of an exception (`package.SomeError: what`), else the last that names its level
/// ("… ERROR - …"). A line that only belongs to a longer message (SQLAlchemy's "Background on this error at …") is passed over.
pub(super) fn last_error(text: &str) -> Option<&str> {
    text.lines().rev().find(|line| begins_with_exception(line)).or_else(|| text.lines().rev().find(|line| is_loud(line)))
}

/// The last line that says anything.
pub(super) fn last(text: &str) -> Option<&str> {
    text.lines().rev().find(|line| !line.trim().is_empty())
}

fn begins_with_exception(line: &str) -> bool {
    let name = line.split([':', ' ']).next().unwrap_or_default();
    // Not the word alone, which begins many a sentence.
    let named = |ending: &str| name.len() > ending.len() && name.ends_with(ending);
    named("Error") || named("Exception")
}

fn is_loud(line: &str) -> bool {
    line.contains(" ERROR ") || line.starts_with("ERROR")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_that_says_why() {
        let cases = [
            ("Traceback (most recent call last):\n  File \"a.py\", line 1\nValueError: empty\n\n", Some("ValueError: empty")),
            (
                "a.b.OperationalError: no route\n(Background on this error at: https://sqlalche.me/e/20/e3q8)",
                Some("a.b.OperationalError: no route"),
            ),
            (
                "[12:00] {x.py:1} ERROR - Task failed\nKeyError: 'a'\n[12:00] {y.py:2} ERROR - Failed to execute job 3",
                Some("KeyError: 'a'"),
            ),
            (
                "[12:00] {x.py:1} INFO - hello\n[12:00] {y.py:2} ERROR - it broke\n[12:01] INFO - bye",
                Some("[12:00] {y.py:2} ERROR - it broke"),
            ),
            ("Error: is no exception\n    ValueError: quoted", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(last_error(text), expected, "{text}");
        }
        assert_eq!((last("a\nb\n \n"), last(" \n")), (Some("b"), None));
    }
}
