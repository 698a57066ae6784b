//! Lays a report out, for a terminal or as Markdown. No words of its own.

use super::sheet::{Sheet, Table};
use crate::cli::output;

pub(super) fn text(sheet: &Sheet) -> String {
    let width = sheet.facts.iter().map(|(label, _)| label.chars().count()).max().unwrap_or_default();
    let mut lines = vec![sheet.lead.clone(), sheet.title.clone(), String::new()];
    lines.extend(sheet.facts.iter().map(|(label, fact)| format!("{label:width$}  {fact}")));
    for table in &sheet.tables {
        lines.extend([String::new(), table.title.clone()]);
        lines.extend(aligned(table));
    }
    lines.push(String::new());
    lines.extend(sheet.foot.iter().cloned());
    lines.join("\n")
}

fn aligned(table: &Table) -> Vec<String> {
    let header: Vec<String> = table.header.iter().map(|name| (*name).to_owned()).collect();
    let rows: Vec<Vec<String>> = std::iter::once(header).chain(table.rows.iter().cloned()).collect();
    output::aligned(&rows)
}

/// GitHub's flavour of Markdown: tables, <https://github.github.com/gfm/#tables-extension->.
pub(super) fn markdown(sheet: &Sheet) -> String {
    let mut lines =
        vec![format!("# {}", escaped(&sheet.title)), String::new(), format!("**{}**", escaped(&sheet.lead)), String::new()];
    lines.extend(sheet.facts.iter().map(|(label, fact)| format!("- **{label}:** {}", escaped(fact))));
    for table in &sheet.tables {
        let cells = |cells: &[String]| format!("| {} |", cells.join(" | "));
        lines.extend([String::new(), format!("## {}", escaped(&table.title)), String::new()]);
        lines.push(format!("| {} |", table.header.join(" | ")));
        let rules: Vec<String> = (0..table.header.len()).map(|column| if column == 0 { ":--" } else { "--:" }.to_owned()).collect();
        lines.push(cells(&rules));
        lines.extend(table.rows.iter().map(|row| cells(&row.iter().map(|cell| escaped(cell)).collect::<Vec<_>>())));
    }
    lines.push(String::new());
    lines.extend(sheet.foot.iter().map(|line| escaped(line)));
    lines.join("\n")
}

/// Names come from the outside: they are text, whatever they look like. (CommonMark lets any ASCII punctuation be escaped.)
fn escaped(text: &str) -> String {
    const MARKS: &str = "\\`*_[]<>|#~!&@";
    text.chars().flat_map(|c| MARKS.contains(c).then_some('\\').into_iter().chain([c])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sheet() -> Sheet {
        Sheet {
            title: "Mon to Sun".to_owned(),
            lead: "Nobody was woken".to_owned(),
            facts: vec![("On time", "7 / 7".to_owned()), ("Wake-ups", "0".to_owned())],
            tables: vec![Table {
                title: "By cause".to_owned(),
                header: vec!["cause", "checks"],
                rows: vec![vec!["a_b|c".to_owned(), "1,204".to_owned()], vec!["회원".to_owned(), "1".to_owned()]],
            }],
            foot: vec!["That is all.".to_owned()],
        }
    }

    #[test]
    fn a_terminal_gets_columns() {
        let expected = "Nobody was woken\nMon to Sun\n\nOn time   7 / 7\nWake-ups  0\n\nBy cause\n  cause  checks\n  a_b|c   1,204\n  회원          1\n\nThat is all.";
        assert_eq!(text(&sheet()), expected);
    }

    #[test]
    fn markdown_gets_tables_that_no_name_can_break() {
        let expected = "# Mon to Sun\n\n**Nobody was woken**\n\n- **On time:** 7 / 7\n- **Wake-ups:** 0\n\n## By cause\n\n| cause | checks |\n\
                        | :-- | --: |\n| a\\_b\\|c | 1,204 |\n| 회원 | 1 |\n\nThat is all.";
        assert_eq!(markdown(&sheet()), expected);
    }
}
