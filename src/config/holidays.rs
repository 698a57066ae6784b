//! Holidays as data: the builtin ones, and `.ics` files. None is ever computed, and what an `.ics` file says in a way that is not
//! read here is refused, not guessed.

use super::files::text_of;
use chrono::{Datelike, NaiveDate};
use icalendar::{Component, DatePerhapsTime, EventStatus};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;

/// Longer than any holiday; an event of years is a slip.
const EVENT_DAYS_MAX: usize = 366;
/// By country, in the order of the alphabet.
const BUILTIN: [(&str, &str); 4] = [
    ("DE", include_str!("../../config/calendars/de.toml")),
    ("JP", include_str!("../../config/calendars/jp.toml")),
    ("KR", include_str!("../../config/calendars/kr.toml")),
    ("US", include_str!("../../config/calendars/us.toml")),
];

/// Days off with their names.
#[derive(Debug, Default)]
pub(super) struct Holidays {
    pub(super) days: BTreeMap<NaiveDate, String>,
    /// First and last day for which the data is complete, where it says so.
    pub(super) covered: Option<(NaiveDate, NaiveDate)>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Builtin {
    first: NaiveDate,
    last: NaiveDate,
    days: BTreeMap<NaiveDate, String>,
}

pub(super) fn builtin(country: &str) -> Result<Holidays, String> {
    let Some((_, text)) = BUILTIN.iter().find(|(known, _)| *known == country) else {
        // Of two letters one is soon another country's: only a slip of the case is a slip.
        let same = BUILTIN.iter().find(|(known, _)| known.eq_ignore_ascii_case(country));
        let hint = match same {
            Some((known, _)) => format!("did you mean \"builtin:{known}\"?"),
            None => format!("expected one of {}, or the path of an .ics file", BUILTIN.map(|(known, _)| known).join(", ")),
        };
        return Err(format!("there are no builtin holidays {country:?}; {hint}"));
    };
    let Builtin { first, last, days } = toml::from_str(text).map_err(|error| format!("builtin:{country} is broken: {error}"))?;
    Ok(Holidays { days, covered: Some((first, last)) })
}

/// The days of an `.ics` file. The error names it.
pub(super) fn ics(path: &Path) -> Result<Holidays, String> {
    let text = text_of(path).map_err(|why| format!("{} {why}", path.display()))?;
    parse_ics(&text).map_err(|why| format!("{}: {why}", path.display()))
}

fn parse_ics(text: &str) -> Result<Holidays, String> {
    let broken = || "is not a calendar; expected the text of an .ics file, BEGIN:VCALENDAR to END:VCALENDAR".to_owned();
    if !text.contains("BEGIN:VCALENDAR") {
        return Err(broken());
    }
    let calendar: icalendar::Calendar = text.parse().map_err(|_: String| broken())?;
    let mut holidays = Holidays::default();
    for event in calendar.events() {
        let name = event.get_summary().unwrap_or("holiday").to_owned();
        if event.get_status() == Some(EventStatus::Cancelled) {
            continue;
        }
        if ["RRULE", "RDATE"].iter().any(|key| event.property_value(key).is_some() || event.multi_properties().contains_key(*key)) {
            return Err(format!("event {name:?} repeats, which is not read; expected each day as an event of its own"));
        }
        for day in days_of(event, &name)? {
            holidays.days.insert(day, name.clone());
        }
    }
    if holidays.days.is_empty() {
        return Err("holds no all-day event".to_owned());
    }
    Ok(holidays)
}

fn days_of(event: &icalendar::Event, name: &str) -> Result<Vec<NaiveDate>, String> {
    let Some(DatePerhapsTime::Date(start)) = event.get_start() else {
        return Err(format!("event {name:?} is not an all-day event; expected DTSTART;VALUE=DATE:20261231"));
    };
    // RFC 5545, 3.6.1: DTEND is the day after the last; without it the event takes one day.
    let end = match event.get_end() {
        None => start.succ_opt().unwrap_or(start),
        Some(DatePerhapsTime::Date(end)) if end > start => end,
        Some(_) => return Err(format!("event {name:?} does not end on a day after its first; DTEND is the day after its last")),
    };
    let days: Vec<NaiveDate> = start.iter_days().take(EVENT_DAYS_MAX + 1).take_while(|day| *day < end).collect();
    if days.len() > EVENT_DAYS_MAX || event.property_value("DURATION").is_some() {
        return Err(format!("event {name:?}: expected an end by DTEND, at most {EVENT_DAYS_MAX} days later"));
    }
    Ok(days)
}

/// From the first day of the one's year to the last of the other's.
pub(super) fn whole_years(first: NaiveDate, last: NaiveDate) -> Option<(NaiveDate, NaiveDate)> {
    Some((NaiveDate::from_ymd_opt(first.year(), 1, 1)?, NaiveDate::from_ymd_opt(last.year(), 12, 31)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(lines: &str) -> Result<Vec<String>, String> {
        let text = format!(
            "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:1\r\nSUMMARY:Founding day\r\n{lines}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
        );
        parse_ics(&text).map(|holidays| holidays.days.keys().map(NaiveDate::to_string).collect())
    }

    #[test]
    fn all_day_events_are_days_off() {
        assert_eq!(event("DTSTART;VALUE=DATE:20261231"), Ok(vec!["2026-12-31".to_owned()]));
        let three = event("DTSTART;VALUE=DATE:20261230\r\nDTEND;VALUE=DATE:20270102").unwrap();
        assert_eq!(three, ["2026-12-30", "2026-12-31", "2027-01-01"]);
    }

    #[test]
    fn what_would_be_misread_is_refused() {
        let cases = [
            ("DTSTART:20261231T090000Z", "is not an all-day event"),
            ("DTSTART;VALUE=DATE:20261231\r\nRRULE:FREQ=YEARLY", "repeats, which is not read"),
            ("DTSTART;VALUE=DATE:20261231\r\nDTEND;VALUE=DATE:20261231", "does not end on a day after its first"),
            ("DTSTART;VALUE=DATE:20261231\r\nDTEND;VALUE=DATE:20991231", "at most 366 days"),
            ("DTSTART;VALUE=DATE:20261231\r\nSTATUS:CANCELLED", "holds no all-day event"),
        ];
        for (lines, expected) in cases {
            let error = event(lines).unwrap_err();
            assert!(error.contains(expected), "{lines}: {error}");
        }
        assert!(parse_ics("hello").unwrap_err().contains("is not a calendar"));
    }

    #[test]
    fn korea_has_its_substitutes_and_its_end() {
        let kr = builtin("KR").unwrap();
        let day = |text: &str| kr.days.get(&text.parse::<NaiveDate>().unwrap()).map(String::as_str);
        assert_eq!(kr.covered.map(|(_, last)| last.to_string()).as_deref(), Some("2027-12-31"));
        for substitute in ["2024-05-06", "2025-03-03", "2025-10-08", "2026-08-17", "2027-02-09", "2027-12-27"] {
            assert!(day(substitute).is_some_and(|name| name.contains("대체")), "{substitute}");
        }
        // Memorial Day and New Year have no substitute.
        assert_eq!((day("2026-06-08"), day("2027-06-07")), (None, None));
        // Both became holidays in 2026.
        assert_eq!((day("2025-05-01"), day("2025-07-17")), (None, None));
        assert!(day("2026-05-01").is_some() && day("2026-07-17").is_some());
        let per_year = |year| kr.days.keys().filter(|day| day.year() == year).count();
        assert_eq!([2024, 2025, 2026, 2027].map(per_year), [19, 19, 22, 24]);
    }

    fn days(country: &str) -> BTreeMap<String, String> {
        builtin(country).unwrap().days.into_iter().map(|(day, name)| (day.to_string(), name)).collect()
    }

    #[test]
    fn the_united_states_observe_the_day_beside_a_weekend() {
        let us = days("US");
        for observed in ["2026-07-03", "2027-06-18", "2027-07-05", "2027-12-24", "2027-12-31", "2028-11-10"] {
            assert!(us[observed].ends_with("(observed)"), "{observed}");
        }
        // No holiday of the nation: Good Friday, and the day after Thanksgiving.
        assert!(!us.contains_key("2026-04-03") && !us.contains_key("2026-11-27"));
    }

    #[test]
    fn japan_has_substitutes_and_days_between_holidays() {
        let jp = days("JP");
        for substitute in ["2025-02-24", "2025-05-06", "2025-11-24", "2026-05-06", "2027-03-22"] {
            assert!(jp[substitute].contains("振替休日"), "{substitute}");
        }
        assert!(jp["2026-09-22"].contains("国民の休日"));
        // In 2027 the equinox is on Thursday, and the Tuesday and Wednesday before it are workdays.
        assert!(!jp.contains_key("2027-09-21") && !jp.contains_key("2027-09-22"));
    }

    #[test]
    fn germany_loses_what_falls_on_a_weekend() {
        let de = days("DE");
        assert_eq!(de.len(), 9 * 6);
        assert!(de.contains_key("2026-10-03") && !de.contains_key("2026-10-05"));
        // Corpus Christi and Reformation Day are some Länder's.
        assert!(!de.contains_key("2026-06-04") && !de.contains_key("2026-10-31"));
    }

    #[test]
    fn builtin_days_lie_within_their_coverage() {
        for (country, _) in BUILTIN {
            let Holidays { days, covered } = builtin(country).unwrap();
            let (first, last) = covered.unwrap();
            assert!(days.keys().all(|day| (first..=last).contains(day)), "{country}");
            assert!(first.year() <= 2025 && last.year() >= 2027, "{country}");
            for year in first.year()..=last.year() {
                assert!(days.keys().any(|day| day.year() == year), "{country} {year}");
            }
        }
        assert!(builtin("UK").unwrap_err().contains("expected one of DE, JP, KR, US"));
        assert!(builtin("kr").unwrap_err().contains("did you mean \"builtin:KR\"?"));
    }
}
