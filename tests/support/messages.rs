//! Sample messages: one for every situation and summary, on the night to Monday 23 November 2026 in Seoul.

#[path = "messages_own.rs"]
mod own;

use dawnwatch::core::message::*;
use dawnwatch::core::observation::{Failure, Why};
use dawnwatch::core::plan::Id;
use dawnwatch::core::state::{Attention, Cause, Verdict};
use dawnwatch::core::time::Instant;

/// `23 06:00` of November 2026 in Seoul.
pub fn at(text: &str) -> Instant {
    let (day, clock) = text.split_once(' ').unwrap();
    format!("2026-11-{day}T{clock}:00+09:00").parse::<chrono::DateTime<chrono::FixedOffset>>().unwrap().to_utc()
}

pub fn dashboard(name: &str, deadline: &str) -> DashboardFacts {
    DashboardFacts {
        muted: false,
        id: Id::from(name.to_lowercase().replace(' ', "_")),
        name: name.to_owned(),
        deadline: at(deadline),
        audience: true,
        verdict: Verdict::Failed,
        waiting: 37,
        checks: 312,
        arrived: 192,
        unknown: 0,
        act_by: Some(at("23 07:25")),
        eta: None,
        chance: None,
        ready_at: None,
        in_maintenance: false,
        latest: None,
        url: Some("https://bi.example.com/exec".to_owned()),
    }
}

pub fn ready(name: &str, deadline: &str, ready: &str) -> DashboardFacts {
    DashboardFacts {
        verdict: Verdict::Ready,
        waiting: 0,
        arrived: 312,
        act_by: None,
        ready_at: Some(at(ready)),
        latest: Some((Id::from("ad_revenue_daily"), at(ready))),
        ..dashboard(name, deadline)
    }
}

pub fn eta(middle: &str, low: &str, high: &str, basis: Basis) -> Eta {
    Eta { at: at(middle), low: at(low), high: at(high), basis }
}

pub fn failure() -> Failure {
    Failure {
        task: Some("export_members".into()),
        try_number: Some(3),
        error: Some("connection refused (member-db-ro:5432)".into()),
    }
}

pub fn owner() -> OwnerFacts {
    OwnerFacts { name: "Member Platform".into(), contact: Some("member-oncall@example.com".into()) }
}

/// A failure under which 120 pipelines wait, told at 06:00 without a push.
pub fn incident(situation: Situation) -> IncidentFacts {
    IncidentFacts {
        taken: None,
        incident: 4711,
        cause: Cause::Check(Id::from("raw_member_events")),
        verdict: Verdict::Failed,
        situation,
        since: at("23 02:55"),
        alike: 0,
        waiting: 120,
        checks: 312,
        untouched: 191,
        dashboards: vec![dashboard("Executive summary", "23 09:00")],
        owner: Some(owner()),
        runbook: Some("https://wiki.example.com/rb/12".into()),
        usual: Some(Usual { arrives: at("23 03:20"), latest: at("23 03:48"), nights: 28 }),
        last_good: Some(at("22 03:17")),
        next: Next::AskedAt { at: at("23 07:00"), because: AskedBecause::QuietEnds },
    }
}

pub fn failed() -> Situation {
    Situation::Failed { at: Some(at("23 02:55")), doomed: false, failure: failure() }
}

pub fn message(time: &str, attention: Attention, body: Body) -> Message {
    Message { at: at(time), zone: chrono_tz::Asia::Seoul, attention, body }
}

pub fn told(about: IncidentFacts) -> Message {
    message("23 06:00", Attention::Post, Body::Incident { update: false, about: Box::new(about) })
}

fn at_risk(situation: Situation) -> IncidentFacts {
    let late = eta("23 09:40", "23 09:20", "23 10:05", Basis::Observed { nights: 28 });
    let board = DashboardFacts {
        verdict: Verdict::AtRisk,
        waiting: 4,
        arrived: 308,
        eta: Some(late),
        chance: Some(80),
        ..dashboard("Executive summary", "23 09:00")
    };
    IncidentFacts {
        incident: 4712,
        cause: Cause::Check(Id::from("ad_revenue_daily")),
        verdict: Verdict::AtRisk,
        since: at("23 04:10"),
        waiting: 3,
        untouched: 308,
        dashboards: vec![DashboardFacts { act_by: Some(at("23 07:30")), ..board }],
        ..incident(situation)
    }
}

pub fn unknown(cause: Cause, situation: Situation) -> IncidentFacts {
    let board = DashboardFacts {
        verdict: Verdict::Unknown,
        waiting: 33,
        unknown: 33,
        arrived: 51,
        checks: 84,
        act_by: None,
        ..dashboard("Executive summary", "23 09:00")
    };
    IncidentFacts {
        incident: 4713,
        cause,
        verdict: Verdict::Unknown,
        since: at("23 05:46"),
        waiting: 33,
        checks: 84,
        untouched: 51,
        dashboards: vec![board],
        owner: None,
        runbook: None,
        usual: None,
        last_good: None,
        ..incident(situation)
    }
}

fn dark(others_answer: usize) -> IncidentFacts {
    let last_seen = Some(LastSeen { at: at("23 05:45"), checks: 84, arrived: 51, running: 5 });
    let situation = Situation::SourceDark {
        why: Why::Timeout,
        detail: "airflow-2.example.com:443 did not answer in time".into(),
        tries: 14,
        last_seen,
        others_answer,
        others: 40,
    };
    unknown(Cause::Source(Id::from("airflow-2")), situation)
}

fn situations() -> Vec<(&'static str, Message)> {
    let check = || Cause::Check(Id::from("ad_revenue_daily"));
    let running = || Situation::RunningLong { started_at: at("23 04:10"), usual_s: Some(55 * 60) };
    let declared = eta("23 08:50", "23 08:30", "23 09:15", Basis::Declared);
    let mut declared_risk = at_risk(Situation::Queued { since: at("23 04:30") });
    declared_risk.dashboards[0].eta = Some(declared);
    let mut paused = at_risk(Situation::NotStarted(NotStarted::Paused));
    paused.dashboards[0].eta = None;
    let mut stale = incident(Situation::Stale { newest: at("21 22:00"), max_age_s: 26 * 3600 });
    stale = IncidentFacts { verdict: Verdict::Late, waiting: 0, dashboards: vec![], checks: 0, untouched: 0, ..stale };
    let late = |situation| IncidentFacts { verdict: Verdict::Late, ..incident(situation) };
    vec![
        ("failed", told(incident(failed()))),
        ("doomed", told(incident(Situation::Failed { at: None, doomed: true, failure: Failure::default() }))),
        ("running_long", told(at_risk(running()))),
        ("queued", told(declared_risk)),
        ("catching_up", told(at_risk(Situation::CatchingUp { recovered_at: at("23 05:40") }))),
        ("many_queued", told(IncidentFacts { alike: 49, ..at_risk(Situation::Queued { since: at("23 04:30") }) })),
        ("retrying", told(at_risk(Situation::Retrying { task: "load_rates".into() }))),
        ("waiting", told(at_risk(Situation::Waiting { task: "wait_for_rates".into() }))),
        ("paused", told(paused)),
        ("import_error", told(late(Situation::NotStarted(NotStarted::ImportError)))),
        ("scheduled", told(at_risk(Situation::NotStarted(NotStarted::Scheduled(at("23 08:30")))))),
        ("as_ever", told(at_risk(Situation::AsEver { comes_at: at("23 09:20") }))),
        ("not_started", told(late(Situation::NotStarted(NotStarted::NoReason)))),
        ("no_data", told(late(Situation::NoData { newest: Some(at("22 03:17")) }))),
        ("no_data_at_all", told(late(Situation::NoData { newest: None }))),
        ("stale", told(stale)),
        ("source_dark", told(dark(40))),
        ("all_dark", told(dark(0))),
        (
            "scheduler_dead",
            told(unknown(Cause::Scheduler(Id::from("airflow-2")), Situation::SchedulerDead { heartbeat: Some(at("23 05:10")) })),
        ),
        ("vanished", told(unknown(check(), Situation::NotSeen { why: NotSeen::Vanished }))),
        ("never_seen", told(unknown(check(), Situation::NotSeen { why: NotSeen::NeverSeen }))),
        (
            "suspicious",
            told(unknown(check(), Situation::NotSeen { why: NotSeen::Suspicious("state 'exploded' is not known".into()) })),
        ),
        ("future_data", told(unknown(check(), Situation::NotSeen { why: NotSeen::FutureData(at("24 02:00")) }))),
        (
            "calendar_ended",
            told(unknown(
                Cause::Calendar(Id::from("kr")),
                Situation::CalendarEnded { calendar: Id::from("kr"), last: "2026-11-22".parse().unwrap() },
            )),
        ),
    ]
}

fn incidents() -> Vec<(&'static str, Message)> {
    let mut many = incident(failed());
    let settlement = DashboardFacts { waiting: 21, act_by: Some(at("23 08:10")), ..dashboard("Partner settlement", "23 10:00") };
    let sunday = DashboardFacts { audience: false, waiting: 1, act_by: None, ..dashboard("Weekend board", "23 11:00") };
    many.dashboards.extend([settlement, sunday]);
    many.alike = 2;
    let again = IncidentFacts { next: Next::EscalatesAt(at("23 07:30")), ..incident(failed()) };
    let mut missed = again.clone();
    missed.next = Next::WhenResolved;
    missed.owner = None;
    let asked = |time, attention, about: &IncidentFacts| {
        message(time, attention, Body::Incident { update: true, about: Box::new(about.clone()) })
    };
    let one = IncidentFacts { waiting: 1, untouched: 310, alike: 1, ..incident(failed()) };
    vec![
        ("root_cause", told(many)),
        ("one_waits", told(one)),
        ("asked", asked("23 07:00", Attention::Notify, &again)),
        ("too_late", asked("23 07:45", Attention::Escalate, &missed)),
        ("deadline_missed", asked("23 09:00", Attention::Notify, &missed)),
    ]
}

fn resolved() -> Vec<(&'static str, Message)> {
    let facts = ResolvedFacts {
        retired_by: None,
        incident: 4711,
        cause: Cause::Check(Id::from("raw_member_events")),
        failure: Some(failure()),
        since: at("23 02:55"),
        recovered_at: Some(at("23 07:02")),
        resolved_at: at("23 08:31"),
        waited: 120,
        dashboards: vec![ready("Executive summary", "23 09:00", "23 08:31")],
        missed: 0,
        deadlines: 1,
    };
    let late = ResolvedFacts {
        dashboards: vec![ready("Executive summary", "23 09:00", "23 09:25"), ready("Partner settlement", "23 10:00", "23 09:25")],
        missed: 1,
        deadlines: 2,
        resolved_at: at("23 09:25"),
        ..facts.clone()
    };
    let over = ResolvedFacts {
        recovered_at: None,
        dashboards: vec![dashboard("Executive summary", "23 09:00")],
        missed: 1,
        deadlines: 1,
        resolved_at: at("23 23:59"),
        ..facts.clone()
    };
    let say = |time, facts| message(time, Attention::Post, Body::Resolved(Box::new(facts)));
    vec![("resolved", say("23 08:32", facts)), ("resolved_late", say("23 09:26", late)), ("over", say("23 23:59", over))]
}

pub fn digest_facts(verdict: DigestVerdict, dashboards: Vec<DashboardFacts>) -> DigestFacts {
    DigestFacts {
        muted: vec![],
        digest: Id::from("morning"),
        verdict,
        dashboards,
        incidents: vec![],
        healed: 2,
        sources_answering: 41,
        sources: 41,
        broken_chats: vec![],
        calendars_ending: vec![],
        next_at: Some(at("24 06:30")),
        notes: DigestNotes::default(),
    }
}

fn digests() -> Vec<(&'static str, Message)> {
    let say = |facts| message("23 06:30", Attention::Post, Body::Digest(Box::new(facts)));
    let exec = || ready("Executive summary", "23 09:00", "23 05:41");
    let under_way = DashboardFacts {
        verdict: Verdict::OnTrack,
        arrived: 280,
        waiting: 0,
        act_by: None,
        eta: Some(eta("23 08:20", "23 08:05", "23 08:40", Basis::Observed { nights: 28 })),
        ..dashboard("Executive summary", "23 09:00")
    };
    let trouble = DigestFacts {
        incidents: vec![
            DigestIncident {
                taken: None,
                hushed: false,
                incident: 4711,
                cause: Cause::Check(Id::from("raw_member_events")),
                verdict: Verdict::Failed,
                recovering: false,
                waiting: 120,
                failure: Some(failure()),
                owner: Some(owner()),
                eta: None,
            },
            DigestIncident {
                taken: None,
                hushed: false,
                incident: 4713,
                cause: Cause::Source(Id::from("airflow-2")),
                verdict: Verdict::Unknown,
                recovering: true,
                waiting: 1,
                failure: None,
                owner: None,
                eta: None,
            },
        ],
        healed: 1,
        sources_answering: 40,
        broken_chats: vec![(Id::from("backup"), "HTTP 404 no_service".into())],
        ..digest_facts(
            DigestVerdict::Trouble(Verdict::Failed),
            vec![dashboard("Executive summary", "23 09:00"), ready("Partner settlement", "23 10:00", "23 05:30")],
        )
    };
    let watch = DigestFacts {
        healed: 0,
        calendars_ending: vec![(Id::from("kr"), "2026-12-31".parse().unwrap())],
        broken_chats: vec![(Id::from("backup"), "HTTP 404 no_service".into())],
        ..digest_facts(DigestVerdict::WatchTrouble, vec![exec()])
    };
    let one_trouble = DigestFacts {
        incidents: trouble.incidents[..1].to_vec(),
        dashboards: trouble.dashboards[..1].to_vec(),
        broken_chats: vec![],
        ..trouble.clone()
    };
    let one_source = DigestFacts {
        sources: 1,
        sources_answering: 1,
        healed: 0,
        next_at: None,
        ..digest_facts(DigestVerdict::NothingDue, vec![])
    };
    vec![
        ("digest_ready", say(digest_facts(DigestVerdict::Ready, vec![exec()]))),
        (
            "digest_all_ready",
            say(digest_facts(DigestVerdict::Ready, vec![exec(), ready("Partner settlement", "23 10:00", "23 05:30")])),
        ),
        ("digest_on_track", say(digest_facts(DigestVerdict::OnTrack, vec![under_way.clone()]))),
        (
            "digest_some_ready",
            say(digest_facts(DigestVerdict::OnTrack, vec![exec(), DashboardFacts { deadline: at("23 10:00"), ..under_way }])),
        ),
        ("digest_nothing_due", say(one_source)),
        (
            "digest_not_watched",
            say(digest_facts(
                DigestVerdict::NotWatched,
                vec![DashboardFacts { verdict: Verdict::NotWatched, ready_at: None, ..exec() }],
            )),
        ),
        ("digest_trouble", say(trouble)),
        ("digest_one_trouble", say(one_trouble)),
        ("digest_watch_trouble", say(watch)),
    ]
}

/// Every sample by name; names are file names.
pub fn samples() -> Vec<(&'static str, Message)> {
    let watch = WatchFacts { chat: Id::from("team"), why: "HTTP 404 no_service".into() };
    let watch = message("23 06:00", Attention::Notify, Body::Watch(watch));
    situations()
        .into_iter()
        .chain(own::told_of())
        .chain(incidents())
        .chain(resolved())
        .chain(digests())
        .chain(own::digests())
        .chain(own::weeks())
        .chain([("watch", watch)])
        .collect()
}
