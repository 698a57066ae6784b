//! Samples of the watch's own trouble: its network and clock, the clocks of sources, maintenance, a refused reload; and of its weeks.

use super::*;
use dawnwatch::core::state::{Own, RefusedReload};
use dawnwatch::core::tally::{Deadlines, Digests, Words};

/// The watch's own trouble, and clocks: told to those who care for the watch.
pub fn told_of() -> Vec<(&'static str, Message)> {
    let suspected =
        Situation::SelfSuspected { silent: 40, sources: 41, hosts: 12, why: Why::Connect, last_seen: Some(at("23 05:45")) };
    let network = IncidentFacts {
        waiting: 120,
        checks: 312,
        untouched: 192,
        dashboards: vec![DashboardFacts {
            verdict: Verdict::Unknown,
            waiting: 120,
            unknown: 120,
            act_by: Some(at("23 07:25")),
            ..dashboard("Executive summary", "23 09:00")
        }],
        ..unknown(Cause::Watch(Own::Network), suspected)
    };
    let outside = |cause, situation| IncidentFacts {
        waiting: 0,
        untouched: 84,
        dashboards: vec![],
        since: at("23 05:30"),
        ..unknown(cause, situation)
    };
    let airflow = || Cause::Clock(Id::from("airflow-2"));
    let right = ResolvedFacts {
        retired_by: None,
        incident: 4714,
        cause: airflow(),
        failure: None,
        since: at("23 05:30"),
        recovered_at: Some(at("23 06:20")),
        resolved_at: at("23 06:20"),
        waited: 0,
        dashboards: vec![],
        missed: 0,
        deadlines: 0,
    };
    let back = ResolvedFacts { cause: Cause::Watch(Own::Network), waited: 120, ..right.clone() };
    let back = ResolvedFacts { dashboards: vec![ready("Executive summary", "23 09:00", "23 06:20")], deadlines: 1, ..back };
    let resolved = |facts| message("23 06:21", Attention::Post, Body::Resolved(Box::new(facts)));
    vec![
        ("self_suspected", told(network)),
        ("clock_ahead", told(outside(airflow(), Situation::ClockOff { ahead_s: 190 }))),
        ("clock_behind", told(outside(airflow(), Situation::ClockOff { ahead_s: -3_700 }))),
        ("own_clock", told(outside(Cause::Watch(Own::Clock), Situation::OwnClockOff { behind_s: 300, sources: 3 }))),
        ("network_back", resolved(back)),
        ("clock_right", resolved(right)),
    ]
}

pub fn digests() -> Vec<(&'static str, Message)> {
    let say = |facts| message("23 06:30", Attention::Post, Body::Digest(Box::new(facts)));
    let exec = || ready("Executive summary", "23 09:00", "23 05:41");
    let notes = DigestNotes {
        moved: vec![],
        maintenance: vec![
            (Cause::Source(Id::from("warehouse")), at("23 08:00")),
            (Cause::Check(Id::from("ad_revenue_daily")), at("24 00:00")),
        ],
        clocks: vec![(Id::from("airflow-2"), 190)],
        refused: Some(RefusedReload {
            at: at("22 21:40"),
            findings: 3,
            first: "conf.d/mart.toml:12:3: unknown key \"deadlin\", did you mean \"deadline\"?".into(),
        }),
        next_when_ready: true,
    };
    let own_trouble = DigestFacts { notes: notes.clone(), ..digest_facts(DigestVerdict::WatchTrouble, vec![exec()]) };
    let closed = DashboardFacts {
        verdict: Verdict::Unknown,
        in_maintenance: true,
        unknown: 20,
        arrived: 292,
        waiting: 0,
        ..dashboard("Executive summary", "23 18:00")
    };
    let maintenance = DigestFacts {
        notes: DigestNotes { clocks: vec![], refused: None, ..notes },
        sources_answering: 40,
        healed: 0,
        ..digest_facts(DigestVerdict::Maintenance, vec![closed])
    };
    let suspected = DigestIncident {
        taken: None,
        hushed: false,
        incident: 4715,
        cause: Cause::Watch(Own::Network),
        verdict: Verdict::Unknown,
        recovering: false,
        waiting: 120,
        failure: None,
        owner: None,
        eta: None,
    };
    let suspected = DigestFacts {
        incidents: vec![suspected],
        sources_answering: 1,
        ..digest_facts(
            DigestVerdict::Trouble(Verdict::Unknown),
            vec![DashboardFacts { verdict: Verdict::Unknown, unknown: 120, ..dashboard("Executive summary", "23 09:00") }],
        )
    };
    vec![("digest_own_trouble", say(own_trouble)), ("digest_maintenance", say(maintenance)), ("digest_suspected", say(suspected))]
}

/// 35 deadlines of 5 dashboards, all met, and one person woken.
fn week_sums() -> WeekSums {
    WeekSums {
        deadlines: Deadlines { met: 35, false_alarms: 1, ..Deadlines::default() },
        dashboards: 5,
        words: Words { incidents: 60, healed: 41, messages: 9, asked: 3, wakeups: 1, alerts: 1_204 },
        digests: Digests { posted: 5, silent: 2, missed: 0 },
        hours: 168,
        quiet_hours: 161,
        unwatched_hours: 0,
    }
}

fn week_facts() -> WeekFacts {
    let words = |wakeups, asked| Words { incidents: 3, healed: 0, messages: 4, asked, wakeups, alerts: 130 };
    let before = WeekSums { words: Words { wakeups: 6, ..week_sums().words }, ..week_sums() };
    WeekFacts {
        digest: Id::from("weekly"),
        verdict: DigestVerdict::Ready,
        from: "2026-11-16".parse().unwrap(),
        to: "2026-11-22".parse().unwrap(),
        since: None,
        sums: week_sums(),
        before: Some(before),
        unwatched: 0,
        causes: vec![
            (Cause::Check(Id::from("raw_member_events")), words(1, 2)),
            (Cause::Source(Id::from("airflow-2")), words(0, 1)),
            (Cause::Check(Id::from("ad_revenue_daily")), words(0, 0)),
        ],
        more_causes: 0,
        blind: vec![],
        more_blind: 0,
        next_at: Some(at("30 09:30")),
    }
}

pub fn weeks() -> Vec<(&'static str, Message)> {
    let say = |facts| message("23 09:30", Attention::Post, Body::Week(Box::new(facts)));
    let sums = week_sums;
    let quiet = WeekFacts {
        sums: WeekSums { words: Words { wakeups: 0, asked: 0, ..sums().words }, ..sums() },
        causes: vec![],
        ..week_facts()
    };
    let deadlines =
        Deadlines { met: 31, missed: 3, unknown: 1, pending: 1, told_before: 1, told_late: 1, untold: 1, ..Deadlines::default() };
    let missed = WeekFacts {
        verdict: DigestVerdict::Trouble(Verdict::Late),
        sums: WeekSums { deadlines, digests: Digests { posted: 5, silent: 1, missed: 1 }, ..sums() },
        unwatched: 2,
        blind: ["airflow-2", "lake", "warehouse", "bank"].into_iter().zip([612, 40, 12, 3]).map(|(id, n)| (id.into(), n)).collect(),
        more_causes: 9,
        ..week_facts()
    };
    let unseen = WeekFacts {
        verdict: DigestVerdict::Trouble(Verdict::Unknown),
        sums: WeekSums { deadlines: Deadlines { met: 1, ..Deadlines::default() }, dashboards: 1, ..sums() },
        before: None,
        unwatched: 1,
        ..week_facts()
    };
    let short = WeekFacts {
        since: Some(at("19 10:00")),
        before: None,
        sums: WeekSums {
            deadlines: Deadlines { met: 20, ..Deadlines::default() },
            hours: 80,
            quiet_hours: 78,
            unwatched_hours: 6,
            ..sums()
        },
        ..week_facts()
    };
    let blank = WeekFacts {
        verdict: DigestVerdict::NotWatched,
        since: Some(at("23 09:00")),
        sums: WeekSums::default(),
        before: None,
        causes: vec![],
        ..week_facts()
    };
    let nothing_due = WeekFacts {
        verdict: DigestVerdict::NothingDue,
        from: "2026-11-30".parse().unwrap(),
        to: "2026-12-06".parse().unwrap(),
        sums: WeekSums {
            digests: Digests { posted: 0, silent: 7, missed: 0 },
            hours: 168,
            quiet_hours: 168,
            ..WeekSums::default()
        },
        causes: vec![],
        next_at: None,
        ..week_facts()
    };
    vec![
        ("week", say(week_facts())),
        ("week_quiet", say(quiet)),
        ("week_missed", say(missed)),
        ("week_unseen", say(unseen)),
        ("week_short", say(short)),
        ("week_blank", say(blank)),
        ("week_nothing_due", say(nothing_due)),
    ]
}
