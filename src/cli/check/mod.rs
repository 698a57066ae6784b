//! `check`: is the configuration good? Asks nobody, needs no secret. Its findings are its result, so they go to standard output.
//! With `--online` it goes on and asks: see [`online`].

mod online;

use super::{Common, Format, output};
use crate::agent::Built;
use crate::agent::clock::Clock;
use crate::config::{self, Finding, Loaded, Refused, outlook};
use crate::core::plan::{Dashboard, Plan};
use crate::core::time::{Instant, local_date, shift};
use crate::error::{Error, Exit, chain};
use crate::store::Store;
use serde_json::{Value, json};

/// How far ahead a deadline is looked for: further than any yearly day.
const DAYS_AHEAD: i32 = 400;

pub(super) async fn run(common: &Common, args: &super::Check, environment: &[(String, String)]) -> Result<Exit, Error> {
    let mut loaded = config::load(&common.config, common.profile.as_deref(), environment);
    let now = Clock::real().now();
    if let Ok(loaded) = &mut loaded {
        let more = [outlook::calendars(loaded, now), history(loaded).await].concat();
        loaded.warnings.extend(more);
    }
    let path = common.config.display().to_string();
    // What costs no question is said first, whatever comes of the rest.
    if common.format == Format::Text {
        output::write(&text(&loaded, &path, now))?;
    }
    let mut report = json(&loaded, now);
    let exit = match loaded {
        Err(_) => Ok(Exit::Refused),
        Ok(_) if !args.online => Ok(Exit::Fine),
        Ok(Loaded { plan, wiring, .. }) => match Built::new(plan, &wiring).map_err(Error::Unusable) {
            Ok(built) => {
                let lines = online::ask(built).await;
                if common.format == Format::Text {
                    output::write(&lines.iter().map(online::Line::text).collect::<Vec<_>>().join("\n"))?;
                }
                report["online"] = lines.iter().map(online::Line::json).collect();
                Ok(online::exit(&lines))
            }
            // Nobody can be asked; what was found out without is reported all the same.
            Err(error) => {
                report["error"] = Value::from(error.to_string());
                Err(error)
            }
        },
    };
    if common.format == Format::Json {
        output::write(&report.to_string())?;
    }
    exit
}

/// What the nights before say, where there were any. A running agent does not notice the look.
async fn history(loaded: &Loaded) -> Vec<Finding> {
    match Store::peek(&loaded.wiring.store).await {
        Ok(None) => Vec::new(),
        Ok(Some(rows)) => outlook::arrivals(loaded, &rows),
        Err(why) => {
            let text = format!("deadlines are not compared with what was usual: {}", chain(&why));
            vec![loaded.places.finding(&["store", "path"], text)]
        }
    }
}

fn text(loaded: &Result<Loaded, Refused>, path: &str, now: Instant) -> String {
    let (errors, warnings) = findings(loaded);
    let mut lines: Vec<String> = errors.iter().map(|f| format!("{}: {}", f.place, f.text)).collect();
    lines.extend(warnings.iter().map(|f| format!("{}: warning: {}", f.place, f.text)));
    match loaded {
        Err(refused) => lines.push(refused.to_string()),
        Ok(Loaded { plan, .. }) => {
            let counts: Vec<String> = sizes(plan).iter().map(|(what, n)| counted(*n, what)).collect();
            lines.push(format!("{path} is fine: {}", counts.join(", ")));
            lines.extend(deadlines(plan, now).into_iter().map(|(dashboard, at)| match at {
                Some(at) => format!("next deadline of {dashboard}: {}", at.with_timezone(&plan.timezone).format("%a %F %R %Z")),
                None => format!("next deadline of {dashboard}: none known"),
            }));
        }
    }
    lines.join("\n")
}

/// `what`: in the plural.
fn counted(n: usize, what: &str) -> String {
    format!("{n} {}", if n == 1 { what.strip_suffix('s').unwrap_or(what) } else { what })
}

fn json(loaded: &Result<Loaded, Refused>, now: Instant) -> Value {
    let (errors, warnings) = findings(loaded);
    let list = |findings: &[Finding]| findings.iter().map(|f| json!({"place": f.place, "text": f.text})).collect::<Value>();
    let mut out = json!({"errors": list(errors), "warnings": list(warnings)});
    if let Ok(Loaded { plan, .. }) = loaded {
        out["counts"] = sizes(plan).into_iter().map(|(what, n)| (what.to_owned(), Value::from(n))).collect();
        let local = |at: Instant| at.with_timezone(&plan.timezone).to_rfc3339();
        out["next_deadlines"] = deadlines(plan, now).into_iter().map(|(id, at)| (id, Value::from(at.map(local)))).collect();
    }
    out
}

fn findings(loaded: &Result<Loaded, Refused>) -> (&[Finding], &[Finding]) {
    match loaded {
        Ok(loaded) => (&[], &loaded.warnings),
        Err(refused) => (&refused.errors, &refused.warnings),
    }
}

fn sizes(plan: &Plan) -> [(&'static str, usize); 6] {
    [
        ("sources", plan.sources.len()),
        ("groups", plan.groups.len()),
        ("checks", plan.checks.len()),
        ("dashboards", plan.dashboards.len()),
        ("chats", plan.chats.len()),
        ("digests", plan.digests.len()),
    ]
}

fn deadlines(plan: &Plan, now: Instant) -> Vec<(String, Option<Instant>)> {
    plan.dashboards.iter().map(|(id, dashboard)| (id.to_string(), next_deadline(plan, dashboard, now))).collect()
}

/// `None`: no day is due, or the calendar's data ends before one is.
fn next_deadline(plan: &Plan, dashboard: &Dashboard, now: Instant) -> Option<Instant> {
    let today = local_date(now, plan.timezone);
    // A deadline may lie on the day before its date.
    (0..DAYS_AHEAD)
        .map(|days| shift(today, days))
        .take_while(|date| dashboard.on.holds(*date, &plan.calendars).is_some())
        .filter(|date| dashboard.on.holds(*date, &plan.calendars) == Some(true))
        .flat_map(|date| dashboard.ready_by.iter().map(move |clock| clock.on(date, plan.timezone)))
        .find(|deadline| *deadline > now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::calendar::{Calendar, DayRule};
    use crate::core::plan::Id;
    use crate::core::time::ClockTime;
    use chrono::{TimeDelta, Weekday};
    use std::collections::{BTreeMap, BTreeSet};

    fn plan(on: DayRule) -> Plan {
        let calendar = Calendar {
            weekend: vec![Weekday::Sat, Weekday::Sun],
            covered: Some(("2026-01-01".parse().unwrap(), "2026-11-29".parse().unwrap())),
            ..Calendar::default()
        };
        let dashboard = Dashboard {
            name: "Executive summary".to_owned(),
            needs: vec![],
            ready_by: vec![ClockTime::at(9, 0), ClockTime::at(14, 30)],
            on: on.clone(),
            audience: on,
            audience_also: BTreeSet::new(),
            counts_from: ClockTime::at(0, 0),
            reaction: TimeDelta::minutes(20),
            at_latest: TimeDelta::minutes(30),
            warn_at: 0.8,
            wake: false,
            tell: vec![],
            escalate: vec![],
            escalate_after: TimeDelta::minutes(30),
            url: None,
        };
        Plan {
            fingerprint: "".into(),
            timezone: chrono_tz::Asia::Seoul,
            retention: TimeDelta::days(400),
            tell: vec![],
            calendars: BTreeMap::from([(Id::from("kr"), calendar)]),
            owners: BTreeMap::new(),
            sources: BTreeMap::new(),
            groups: BTreeMap::new(),
            checks: BTreeMap::new(),
            dashboards: BTreeMap::from([(Id::from("exec"), dashboard)]),
            chats: BTreeMap::new(),
            digests: BTreeMap::new(),
            maintenance: BTreeMap::new(),
            heartbeat_every: None,
        }
    }

    #[test]
    fn the_next_deadline_is_found_within_the_calendars_data() {
        let workdays = || DayRule::Workdays("kr".into());
        let cases = [
            // Friday: the second deadline of the day, then none until Monday, which the data does not cover.
            (workdays(), "2026-11-27T01:00:00Z", Some("2026-11-27T05:30:00Z")),
            (workdays(), "2026-11-27T06:00:00Z", None),
            (workdays(), "2026-11-21T06:00:00Z", Some("2026-11-23T00:00:00Z")),
            (DayRule::Daily, "2026-11-23T05:30:00Z", Some("2026-11-24T00:00:00Z")),
        ];
        for (on, now, expected) in cases {
            let plan = plan(on);
            let found = next_deadline(&plan, &plan.dashboards["exec"], now.parse().unwrap());
            assert_eq!(found, expected.map(|at| at.parse().unwrap()), "{now}");
        }
    }

    #[test]
    fn every_finding_is_printed() {
        let finding = |place: &str, text: &str| Finding { place: place.to_owned(), text: text.to_owned() };
        let refused = Err(Refused {
            errors: vec![finding("a.toml:1:2", "no such key"), finding("a.toml:9:1", "no such check")],
            warnings: vec![finding("b.toml:3:1", "no dashboard needs it")],
        });
        let now = Instant::UNIX_EPOCH;
        assert_eq!(
            text(&refused, "config/", now),
            "a.toml:1:2: no such key\na.toml:9:1: no such check\nb.toml:3:1: warning: no dashboard needs it\n\
             the configuration was refused: 2 findings"
        );
        assert_eq!(json(&refused, now)["errors"][1], json!({"place": "a.toml:9:1", "text": "no such check"}));
    }
}
