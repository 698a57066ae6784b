//! Samples of the watch's own trouble: its network and clock, the clocks of sources, maintenance, a refused reload.

use super::*;
use dawnwatch::core::state::{Own, RefusedReload};

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
