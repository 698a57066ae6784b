//! Results as JUnit XML, as CI systems read it. Knows no more of XML than text and attributes.

use super::{Ended, Outcome};
use std::fmt::Write;

/// The report of all files, each with the seconds that it took.
pub fn junit(results: &[(Ended, f64)]) -> String {
    let count = |is: fn(&Outcome) -> bool| results.iter().filter(|(result, _)| is(&result.outcome)).count();
    let failures = count(|outcome| matches!(outcome, Outcome::Fails(_)));
    let errors = count(|outcome| matches!(outcome, Outcome::Refused(_)));
    let seconds: f64 = results.iter().map(|(_, seconds)| seconds).sum();
    let counts = format!("tests=\"{}\" failures=\"{failures}\" errors=\"{errors}\" time=\"{seconds:.3}\"", results.len());
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"dawnwatch test\" {counts}>\n  \
         <testsuite name=\"golden nights\" {counts}>\n"
    );
    for (result, seconds) in results {
        let file = escaped(&result.file.display().to_string());
        let name = if result.name.is_empty() { file.clone() } else { escaped(&result.name) };
        let case = format!("    <testcase classname=\"{file}\" name=\"{name}\" file=\"{file}\" time=\"{seconds:.3}\"");
        // Writing to a String cannot fail.
        let _ = match &result.outcome {
            Outcome::Holds => writeln!(xml, "{case}/>"),
            Outcome::Fails(faults) => {
                let first = faults.first().and_then(|fault| fault.lines().next()).unwrap_or_default();
                let (first, text) = (escaped(first), escaped(&faults.join("\n\n")));
                writeln!(xml, "{case}>\n      <failure message=\"{first}\">{text}</failure>\n    </testcase>")
            }
            Outcome::Refused(findings) => {
                let first = escaped(&findings.first().map(ToString::to_string).unwrap_or_default());
                let text = escaped(&findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"));
                writeln!(xml, "{case}>\n      <error message=\"{first}\">{text}</error>\n    </testcase>")
            }
        };
    }
    xml + "  </testsuite>\n</testsuites>\n"
}

/// For text and for attributes in double quotes. What XML 1.0 cannot hold at all is left out.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(c),
            c if c < ' ' || matches!(c, '\u{fffe}' | '\u{ffff}') => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Finding;

    #[test]
    fn a_report_counts_and_escapes() {
        let result = |name: &str, outcome| (Ended { file: "a/b.toml".into(), name: name.to_owned(), outcome }, 0.012);
        let finding = Finding { place: "c.toml:1:2".to_owned(), text: "no such \"key\"".to_owned() };
        let xml = junit(&[
            result("It holds", Outcome::Holds),
            result("<it> & \"that\" \u{1b}[31m", Outcome::Fails(vec!["  expected\n! a < b".to_owned()])),
            result("", Outcome::Refused(vec![finding])),
        ]);
        let expected = r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="dawnwatch test" tests="3" failures="1" errors="1" time="0.036">
  <testsuite name="golden nights" tests="3" failures="1" errors="1" time="0.036">
    <testcase classname="a/b.toml" name="It holds" file="a/b.toml" time="0.012"/>
    <testcase classname="a/b.toml" name="&lt;it&gt; &amp; &quot;that&quot; [31m" file="a/b.toml" time="0.012">
      <failure message="  expected">  expected
! a &lt; b</failure>
    </testcase>
    <testcase classname="a/b.toml" name="a/b.toml" file="a/b.toml" time="0.012">
      <error message="c.toml:1:2: no such &quot;key&quot;">c.toml:1:2: no such &quot;key&quot;</error>
    </testcase>
  </testsuite>
</testsuites>
"#;
        assert_eq!(xml, expected);
    }
}
