//! Values as people write them: durations, clock times, days, zones, globs. An error is what was expected, to follow "is not".

use crate::config::place::nearest;
use crate::core::calendar::DayRule;
use crate::core::plan::{DateShift, Id};
use crate::core::time::{ClockTime, Hours};
use chrono::{NaiveDate, NaiveTime, TimeDelta, Weekday};
use chrono_tz::{TZ_VARIANTS, Tz};

/// Ten years: longer is a slip, and keeps sums of durations far from overflow.
const DURATION_S_MAX: i64 = 10 * 366 * 86_400;
/// Values are repeated up to this many characters.
const SHOWN_CHARS: usize = 80;

/// A value for a sentence: in quotes, control characters escaped, cut.
pub(super) fn quoted(text: &str) -> String {
    let cut: String = text.chars().take(SHOWN_CHARS).collect();
    let more = if cut.len() < text.len() { "…" } else { "" };
    format!("{:?}", cut + more)
}

pub(crate) fn duration(text: &str) -> Result<TimeDelta, String> {
    let expected = || "a duration; expected a number with its unit, such as \"90s\", \"20m\", \"2h\" or \"1d\"".to_owned();
    let unit_s = match text.chars().last() {
        Some('s') => 1,
        Some('m') => 60,
        Some('h') => 3_600,
        Some('d') => 86_400,
        _ => return Err(expected()),
    };
    let digits = &text[..text.len() - 1];
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(expected());
    }
    let seconds = digits.parse::<i64>().ok().and_then(|number| number.checked_mul(unit_s)).unwrap_or(i64::MAX);
    match seconds {
        1..=DURATION_S_MAX => Ok(TimeDelta::seconds(seconds)),
        _ => Err("a usable duration; expected more than nothing and at most ten years".to_owned()),
    }
}

pub(super) fn clock(text: &str) -> Result<ClockTime, String> {
    text.parse().map_err(|_| "a clock time; expected for example \"09:00\", or \"-1d 18:00\" for the evening before".to_owned())
}

/// A clock time of the day itself.
pub(super) fn clock_today(text: &str) -> Result<ClockTime, String> {
    match clock(text) {
        Ok(clock) if clock.day_offset == 0 => Ok(clock),
        _ => Err("a clock time of the day; expected for example \"06:30\"".to_owned()),
    }
}

pub(super) fn hours(text: &str) -> Result<Hours, String> {
    let time = |text: &str| clock_today(text.trim()).ok().map(|clock| clock.time);
    let both = text.split_once('-').and_then(|(from, to)| Some((time(from)?, time(to)?)));
    both.filter(|(from, to): &(NaiveTime, NaiveTime)| from != to)
        .map(|(from, to)| Hours { from, to })
        .ok_or_else(|| "a span of hours; expected for example \"22:00-07:00\"".to_owned())
}

pub(super) fn date(text: &str) -> Result<NaiveDate, String> {
    let well_formed = text.len() == 10;
    text.parse().ok().filter(|_| well_formed).ok_or_else(|| "a date; expected for example \"2026-12-31\"".to_owned())
}

pub(super) fn zone(text: &str) -> Result<Tz, String> {
    text.parse().map_err(|_| {
        // "Seoul" means "Asia/Seoul".
        let city = TZ_VARIANTS
            .iter()
            .map(|zone| zone.name())
            .find(|name| name.rsplit('/').next().is_some_and(|city| city.eq_ignore_ascii_case(text)));
        let near = city.or_else(|| nearest(text, TZ_VARIANTS.iter().map(|zone| zone.name())));
        match near {
            Some(near) => format!("a time zone; did you mean {near:?}?"),
            None => "a time zone; expected for example \"Asia/Seoul\" or \"UTC\"".to_owned(),
        }
    })
}

/// `-1d`, or `-1 CAL:workdays`.
pub(super) fn date_shift(text: &str) -> Result<DateShift, String> {
    // A year back is the furthest that anybody compares with.
    let back = |digits: &str| digits.parse().ok().filter(|count: &i32| (-366..=0).contains(count) && !digits.starts_with('+'));
    let days = || text.strip_suffix('d').and_then(back).map(DateShift::Days);
    let workdays = || {
        let (count, calendar) = text.strip_suffix(":workdays")?.split_once(' ')?;
        let calendar = calendar.trim_start();
        back(count).filter(|_| !calendar.is_empty()).map(|count| DateShift::Workdays { calendar: Id::from(calendar), count })
    };
    days().or_else(workdays).ok_or_else(|| "a shift of the date; expected for example \"-1d\", or \"-1 CAL:workdays\"".to_owned())
}

pub(super) fn one_of<T: Copy>(what: &str, words: &[(&str, T)], word: &str) -> Result<T, String> {
    if let Some((_, value)) = words.iter().find(|(known, _)| *known == word) {
        return Ok(*value);
    }
    let all: Vec<&str> = words.iter().map(|(known, _)| *known).collect();
    let near = nearest(word, all.iter().copied()).map(|near| format!("; did you mean {near:?}?")).unwrap_or_default();
    Err(format!("{what}; expected one of {}{near}", all.join(", ")))
}

pub(super) fn weekday(text: &str) -> Result<Weekday, String> {
    use Weekday::{Fri, Mon, Sat, Sun, Thu, Tue, Wed};
    let words = [("mon", Mon), ("tue", Tue), ("wed", Wed), ("thu", Thu), ("fri", Fri), ("sat", Sat), ("sun", Sun)];
    one_of("a day of the week", &words, text)
}

/// Only `*` and `?` are special, so brackets and braces would be taken as they stand, which nobody means.
pub(super) fn glob(text: &str) -> Result<String, String> {
    if text.is_empty() || text.contains(['[', ']', '{', '}', '\\']) {
        return Err("a glob; expected text in which * stands for any run of characters and ? for one".to_owned());
    }
    Ok(text.to_owned())
}

/// `daily`, `mon-fri`, `sat,sun`, `CAL:workdays`, `CAL:offdays`, `CAL:workday N`, `day N`, or three fields of cron.
pub(crate) fn days(text: &str) -> Result<DayRule, String> {
    const EXPECTED: &str = "an expression of days; expected daily, mon-fri, sat,sun, CAL:workdays, CAL:offdays, CAL:workday 1, \
                            day 1, or a cron expression of three fields (day month weekday)";
    let expected = || EXPECTED.to_owned();
    if text == "daily" {
        return Ok(DayRule::Daily);
    }
    if let Some((calendar, what)) = text.split_once(':') {
        return calendar_days(calendar, what).ok_or_else(expected);
    }
    if let Some(day) = text.strip_prefix("day ") {
        let day = day.trim().parse().ok().filter(|day: &i32| (1..=31).contains(&day.abs()));
        return day.map(DayRule::DayOfMonth).ok_or_else(expected);
    }
    if text.split_whitespace().count() == 3 {
        let cron: Option<croner::Cron> = format!("0 0 {text}").parse().ok();
        return cron.map(|cron| DayRule::Cron(Box::new(cron))).ok_or_else(expected);
    }
    weekdays(text).map(DayRule::Weekdays).ok_or_else(expected)
}

fn calendar_days(calendar: &str, what: &str) -> Option<DayRule> {
    let id = Id::from(calendar);
    match what {
        "workdays" => Some(DayRule::Workdays(id)),
        "offdays" => Some(DayRule::Offdays(id)),
        _ => {
            let nth: i32 = what.strip_prefix("workday ")?.trim().parse().ok()?;
            // No month has more workdays than days.
            (1..=31).contains(&nth.abs()).then_some(DayRule::NthWorkday(id, nth))
        }
    }
}

/// `mon-fri`, `sat,sun`, `fri-mon,wed`.
fn weekdays(text: &str) -> Option<Vec<Weekday>> {
    let mut days = Vec::new();
    for part in text.split(',').map(str::trim) {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (mut day, last) = (weekday(first.trim()).ok()?, weekday(last.trim()).ok()?);
        days.push(day);
        while day != last {
            day = day.succ();
            days.push(day);
        }
    }
    days.sort_by_key(Weekday::num_days_from_monday);
    days.dedup();
    Some(days)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        let cases = [("90s", 90), ("20m", 1_200), ("2h", 7_200), ("1d", 86_400)];
        for (text, seconds) in cases {
            assert_eq!(duration(text), Ok(TimeDelta::seconds(seconds)), "{text}");
        }
        for text in ["", "20", "m", "0s", "-5m", "1.5h", "1h30m", "99999999999999999999d", "4000d", "5분", "+5m"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn expressions_of_days() {
        use Weekday::{Fri, Mon, Sat, Sun};
        let kr = || Id::from("kr");
        let cases = [
            ("daily", DayRule::Daily),
            ("sat,sun", DayRule::Weekdays(vec![Sat, Sun])),
            ("fri-mon", DayRule::Weekdays(vec![Mon, Fri, Sat, Sun])),
            ("kr:workdays", DayRule::Workdays(kr())),
            ("kr:offdays", DayRule::Offdays(kr())),
            ("kr:workday -1", DayRule::NthWorkday(kr(), -1)),
            ("day 1", DayRule::DayOfMonth(1)),
        ];
        for (text, expected) in cases {
            assert_eq!(days(text), Ok(expected), "{text}");
        }
        assert!(matches!(days("1 * *"), Ok(DayRule::Cron(_))));
        for text in ["", "day 0", "day 32", "kr:workday 0", "kr:weekdays", "monday", "0 9 * * *", "99 * *", "mon-", "1 * * *"] {
            assert!(days(text).is_err(), "{text}");
        }
    }

    #[test]
    fn shifts_of_the_date() {
        let workdays = DateShift::Workdays { calendar: Id::from("kr"), count: -2 };
        for (text, expected) in [("-1d", DateShift::Days(-1)), ("0d", DateShift::Days(0)), ("-2 kr:workdays", workdays)] {
            assert_eq!(date_shift(text), Ok(expected), "{text}");
        }
        for text in
            ["", "d", "-1", "1d", "+0d", "-367d", "-1.5d", "-1 kr", "-1 :workdays", "kr:workdays", "-1 kr:offdays", "-99999999999d"]
        {
            assert!(date_shift(text).is_err(), "{text}");
        }
    }

    #[test]
    fn hours_and_zones() {
        assert!(hours("22:00-07:00").is_ok());
        for text in ["22:00", "22-7", "07:00-07:00", "-1d 22:00-07:00"] {
            assert!(hours(text).is_err(), "{text}");
        }
        assert_eq!(zone("Asia/Seoul"), Ok(Tz::Asia__Seoul));
        assert!(zone("seoul").unwrap_err().contains("Asia/Seoul"));
        assert!(zone("Asia/Soul").unwrap_err().contains("Asia/Seoul"));
    }
}
