//! A check's path as it is written: names, globs and dates. Pure; the configuration is checked with the same eyes.

use chrono::NaiveDate;
use chrono::format::{Fixed, Item, Numeric, StrftimeItems};

/// Between a path and the unique id of a node of dbt, in a subject.
pub(crate) const DBT: &str = "#";

/// What dbt writes, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Artifact {
    Sources,
    Runs,
}

impl Artifact {
    pub(crate) fn of(path: &str) -> Option<Self> {
        match path.rsplit('/').next()? {
            "sources.json" => Some(Self::Sources),
            "run_results.json" => Some(Self::Runs),
            _ => None,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    /// A format of strftime that needs nothing but a date.
    Date(String),
}

/// One name on the way down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Segment {
    Plain(String),
    /// With `*` or `?`.
    Glob(String),
    /// `**`: any number of folders.
    Folders,
}

impl Pattern {
    /// The error says what was expected, to follow "is not".
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() || text.starts_with('/') || text.contains(['#', '\0']) {
            return Err("a path beneath the source's root; expected for example \"clicks/_SUCCESS\", without # in it".to_owned());
        }
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let date = after.strip_prefix("date:").and_then(|after| after.split_once('}'));
            let (format, after) = date.filter(|(format, _)| is_date(format)).ok_or_else(|| {
                "a path whose braces hold dates; expected for example {date:%Y-%m-%d}, in strftime's letters for dates alone"
                    .to_owned()
            })?;
            pieces.extend([Piece::Text(before.to_owned()), Piece::Date(format.to_owned())]);
            rest = after;
        }
        pieces.push(Piece::Text(rest.to_owned()));
        let pattern = Self(pieces);
        // Any date shows whether the path climbs.
        let sample = pattern.written(NaiveDate::default());
        if sample.contains('}') || sample.split('/').any(|name| name == "..") {
            return Err("a path beneath the source's root; expected one without .. and with { before each }".to_owned());
        }
        Ok(pattern)
    }

    pub(crate) fn is_dated(&self) -> bool {
        self.0.iter().any(|piece| matches!(piece, Piece::Date(_)))
    }

    /// Names one place: no globs, no dates.
    pub(crate) fn is_plain(&self) -> bool {
        !self.is_dated() && self.segments(NaiveDate::default()).iter().all(|segment| matches!(segment, Segment::Plain(_)))
    }

    /// The way down for one date.
    pub(super) fn segments(&self, date: NaiveDate) -> Vec<Segment> {
        let segment = |name: &str| match name {
            "**" => Segment::Folders,
            name if name.contains(['*', '?']) => Segment::Glob(name.to_owned()),
            name => Segment::Plain(name.to_owned()),
        };
        self.written(date).split('/').filter(|name| !matches!(*name, "" | ".")).map(segment).collect()
    }

    fn written(&self, date: NaiveDate) -> String {
        let piece = |piece: &Piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Date(format) => date.format(format).to_string(),
        };
        self.0.iter().map(piece).collect()
    }
}

/// Only what a date can answer: anything else would fail when it is written.
fn is_date(format: &str) -> bool {
    let of_date = |item: &Item<'_>| match item {
        Item::Literal(_) | Item::OwnedLiteral(_) | Item::Space(_) | Item::OwnedSpace(_) => true,
        Item::Numeric(number, _) => matches!(
            number,
            Numeric::Year
                | Numeric::YearDiv100
                | Numeric::YearMod100
                | Numeric::IsoYear
                | Numeric::IsoYearDiv100
                | Numeric::IsoYearMod100
                | Numeric::Quarter
                | Numeric::Month
                | Numeric::Day
                | Numeric::WeekFromSun
                | Numeric::WeekFromMon
                | Numeric::IsoWeek
                | Numeric::NumDaysFromSun
                | Numeric::WeekdayFromMon
                | Numeric::Ordinal
        ),
        Item::Fixed(fixed) => {
            matches!(fixed, Fixed::ShortMonthName | Fixed::LongMonthName | Fixed::ShortWeekdayName | Fixed::LongWeekdayName)
        }
        Item::Error => false,
    };
    !format.is_empty() && StrftimeItems::new(format).all(|item| of_date(&item))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_a_way_down() {
        let date = "2026-11-23".parse().unwrap();
        let cases = [
            ("clicks/_SUCCESS", "P clicks, P _SUCCESS"),
            ("clicks/dt={date:%Y-%m-%d}/_SUCCESS", "P clicks, P dt=2026-11-23, P _SUCCESS"),
            ("{date:%Y/%m/%d}/part-{date:%j}-*", "P 2026, P 11, P 23, G part-327-*"),
            ("./a//**/b?.csv", "P a, F, G b?.csv"),
            ("{date:%d %b %a week %V}", "P 23 Nov Mon week 48"),
        ];
        for (text, expected) in cases {
            let shown: Vec<String> = Pattern::parse(text)
                .unwrap()
                .segments(date)
                .iter()
                .map(|segment| match segment {
                    Segment::Plain(name) => format!("P {name}"),
                    Segment::Glob(name) => format!("G {name}"),
                    Segment::Folders => "F".to_owned(),
                })
                .collect();
            assert_eq!(shown.join(", "), expected, "{text}");
        }
    }

    #[test]
    fn what_leads_elsewhere_or_is_no_date_is_refused() {
        for text in [
            "",
            "/etc/passwd",
            "../x",
            "a/../../x",
            "a#b",
            "a\0b",
            "{date}",
            "{date:}",
            "{date:%H}",
            "{date:%Y-%m-%dT%H:%M}",
            "{date:%s}",
            "{date:%Q}",
            "{time:%Y}",
            "a}b",
            "{date:%Y",
            "{date:..}/x",
            "a/{date:.}./x",
        ] {
            assert!(Pattern::parse(text).is_err(), "{text}");
        }
    }
}
