//! What a span of the ledger comes to, with numbers worked out by hand.

use chrono::{NaiveDate, TimeDelta};
use dawnwatch::core::message::DigestVerdict;
use dawnwatch::core::observation::{Unreachable, Why};
use dawnwatch::core::plan::Id;
use dawnwatch::core::state::*;
use dawnwatch::core::tally::{Counts, Span, Tally};
use dawnwatch::core::time::Instant;

/// A local time in Seoul.
fn at(text: &str) -> Instant {
    format!("2026-{text}:00+09:00").replace(' ', "T").parse().unwrap()
}

/// The week of Monday 16 November.
fn week() -> Span {
    Span { from: at("11-16 00:00"), to: at("11-23 00:00") }
}

fn entry(when: &str, about: About, decision: Decision, reason: Reason, evidence: impl Into<Option<Grounds>>) -> Entry {
    let evidence = evidence.into().map(Box::new);
    Entry { at: at(when), about, chat: None, decision, reason, evidence, fingerprint: "a1".into() }
}

fn key(dashboard: &str, day: u32) -> CycleKey {
    CycleKey { dashboard: dashboard.into(), date: NaiveDate::from_ymd_opt(2026, 11, day).unwrap(), nth: 0 }
}

/// A cycle of `day` with its deadline at 09:00, not ready.
fn open(day: u32) -> CycleState {
    CycleState {
        deadline: at(&format!("11-{day} 09:00")),
        audience: true,
        opened_at: at(&format!("11-{day} 00:00")),
        closed_at: None,
        closing_at: None,
        verdict: Verdict::OnTrack,
        ready_at: None,
        missed: false,
        told_at: None,
        asked_at: None,
        failed: false,
    }
}

fn met(day: u32) -> CycleState {
    CycleState { verdict: Verdict::Ready, ready_at: Some(at(&format!("11-{day} 08:00"))), ..open(day) }
}

fn missed(day: u32, told: Option<&str>) -> CycleState {
    CycleState { verdict: Verdict::Late, missed: true, told_at: told.map(|told| at(&format!("11-{day} {told}"))), ..open(day) }
}

fn cycle(when: &str, key: CycleKey, reason: Reason, result: CycleState) -> Entry {
    let closed = reason == Reason::CycleClosed;
    let result = CycleState { closed_at: closed.then(|| at(when)), ..result };
    entry(when, About::Cycle(key), Decision::Note, reason, Grounds::Cycle { result, arrived: Some((1, 2)) })
}

fn closed(dashboard: &str, day: u32, result: CycleState) -> Entry {
    cycle(&format!("11-{} 00:02", day + 1), key(dashboard, day), Reason::CycleClosed, result)
}

fn count(entries: &[Entry]) -> Counts {
    let mut tally = Tally::new(week());
    entries.iter().for_each(|entry| tally.take(entry));
    tally.counts(at("12-31 00:00"))
}

#[test]
fn deadlines_are_met_missed_or_unknown_and_misses_told_before_late_or_never() {
    let asked = Some(at("11-22 06:00"));
    let counts = count(&[
        closed("exec", 16, met(16)),
        closed("ops", 16, CycleState { asked_at: Some(at("11-16 07:00")), failed: true, ..met(16) }),
        closed("exec", 17, missed(17, Some("08:10"))),
        closed("ops", 17, missed(17, Some("09:00"))),
        closed("exec", 18, missed(18, Some("06:00"))),
        closed("ops", 18, CycleState { audience: false, ..missed(18, None) }),
        closed("exec", 19, missed(19, Some("09:05"))),
        closed("ops", 19, CycleState { verdict: Verdict::NotDue, ..open(19) }),
        closed("exec", 20, missed(20, None)),
        closed("exec", 21, open(21)),
        // Of after the span, but about a deadline in it.
        closed("exec", 22, CycleState { asked_at: asked, told_at: asked, ..met(22) }),
        closed("exec", 23, missed(23, None)),
        closed("exec", 15, missed(15, None)),
    ]);
    let exec = &counts.dashboards[&Id::from("exec")];
    assert_eq!((exec.due(), exec.met, exec.missed, exec.unknown), (7, 2, 4, 1));
    assert_eq!((exec.told_before, exec.told_late, exec.untold, exec.false_alarms), (2, 1, 1, 1));
    assert_eq!(exec.median_lead_minutes(), Some(115.0), "of 50 and 180");
    let ops = &counts.dashboards[&Id::from("ops")];
    let late = "told at the deadline is not told before it";
    assert_eq!((ops.due(), ops.met, ops.told_before, ops.told_late, ops.false_alarms), (2, 1, 0, 1, 0), "{late}");
    let summary = counts.summary();
    assert_eq!((summary.nights, summary.misses, summary.misses_told_before, summary.misses_told_late), (7, 5, 2, 2));
    assert_eq!((summary.false_alarms, summary.median_lead_minutes), (1, Some(115.0)));
    assert_eq!(count(&[]).summary().median_lead_minutes, None);
}

#[test]
fn the_truth_of_a_deadline_is_what_was_learned_of_it_last() {
    let noted = cycle("11-17 09:02", key("exec", 17), Reason::CycleMissed, missed(17, None));
    let taken_back = cycle("11-17 11:00", key("exec", 17), Reason::DeadlineMet, met(17));
    let of = |entries: &[Entry]| {
        let deadlines = count(entries).deadlines;
        (deadlines.met, deadlines.missed)
    };
    assert_eq!(of(std::slice::from_ref(&noted)), (0, 1));
    assert_eq!(of(&[noted.clone(), taken_back.clone()]), (1, 0));
    // Closed twice, as the clock was set back in between; and told of much later.
    let twice = [closed("exec", 17, missed(17, None)), noted, taken_back, closed("exec", 17, met(17)), closed("exec", 21, met(21))];
    assert_eq!(of(&twice), (2, 0));
}

#[test]
fn a_cycle_that_is_open_counts_once_its_deadline_has_passed() {
    let mut tally = Tally::new(week());
    tally.take(&cycle("11-22 05:00", key("exec", 22), Reason::CycleReady, met(22)));
    assert_eq!(tally.counts(at("11-22 08:59")).deadlines.due(), 0);
    assert_eq!(tally.counts(at("11-22 09:00")).deadlines.met, 1);
}

#[test]
fn a_deadline_that_has_just_passed_is_not_over_yet_and_nobody_s_fault() {
    let mut tally = Tally::new(week());
    // Seen at 08:58 last; the answer from after the deadline is on its way.
    tally.take(&cycle("11-22 05:00", key("exec", 22), Reason::CycleReady, open(22)));
    let at_the_end = |tally: &Tally, now: &str| {
        let counts = tally.counts(at(now));
        (counts.deadlines.pending, counts.deadlines.unknown, counts.deadlines.due(), counts.dashboards.len())
    };
    assert_eq!(at_the_end(&tally, "11-22 08:59"), (0, 0, 0, 0));
    assert_eq!(at_the_end(&tally, "11-22 09:01"), (1, 0, 0, 1));
    assert_eq!(at_the_end(&tally, "11-22 09:03"), (0, 1, 1, 1), "nobody came to look");
    tally.take(&cycle("11-22 09:02", key("exec", 22), Reason::CycleMissed, missed(22, None)));
    assert_eq!(at_the_end(&tally, "11-22 09:01"), (0, 0, 1, 1), "what is known of it later counts");
}

fn trouble(cause: &str, waited: usize) -> Trouble {
    Trouble {
        cause: Cause::Check(cause.into()),
        verdict: Verdict::Failed,
        since: at("11-17 02:00"),
        recovered_at: None,
        expected: false,
        waiting: waited,
        waited,
        cycles: vec![],
        more: 0,
        act_by: None,
        quiet: true,
        post: None,
        failure: None,
    }
}

fn note(when: &str, id: IncidentId, reason: Reason, trouble: Trouble) -> Entry {
    entry(when, About::Incident(id), Decision::Note, reason, Grounds::Trouble(trouble))
}

fn over(when: &str, id: IncidentId, trouble: Trouble) -> Entry {
    let trouble = Trouble { recovered_at: Some(at(when)), ..trouble };
    entry(when, About::Incident(id), Decision::StaySilent, Reason::HealedUntold, Grounds::Trouble(trouble))
}

#[test]
fn what_heals_untold_and_what_a_monitor_would_have_sent() {
    let counts = count(&[
        // Opened before the span: it is counted there, with all that it proves to be.
        note("11-15 23:00", 1, Reason::Opened, trouble("old", 9)),
        over("11-16 01:00", 1, trouble("old", 30)),
        // Grows from 1 to 120 checks, its cause proves to lie deeper, and people are told.
        note("11-17 02:00", 2, Reason::Opened, trouble("sales", 1)),
        note("11-17 02:05", 2, Reason::Deepened, trouble("orders", 120)),
        note("11-17 04:00", 2, Reason::Recovering, trouble("orders", 120)),
        // Merged into it: none of its own.
        note("11-17 02:01", 3, Reason::Opened, trouble("clicks", 4)),
        note("11-17 02:05", 3, Reason::Merged, trouble("clicks", 4)),
        note("11-18 02:00", 4, Reason::Opened, trouble("orders", 2)),
        over("11-18 03:00", 4, trouble("orders", 2)),
        // Expected, and never gone: neither has healed.
        over("11-18 03:00", 5, Trouble { expected: true, ..trouble("x", 1) }),
        note("11-18 02:00", 6, Reason::Opened, trouble("orders", 1)),
        entry("11-18 03:00", About::Incident(6), Decision::StaySilent, Reason::EndedUntold, Grounds::Trouble(trouble("orders", 1))),
    ]);
    let words = counts.words;
    assert_eq!((words.incidents, words.healed, words.alerts), (3, 1, 123));
    let orders = &counts.causes[&Cause::Check("orders".into())];
    assert_eq!((orders.incidents, orders.healed, orders.alerts), (3, 1, 123));
    let named: Vec<String> = counts.causes.keys().map(Cause::to_string).collect();
    assert_eq!(named, ["orders"], "nothing is left of what was folded away");
}

fn sent(when: &str, attention: Attention, quiet: bool, cause: Option<&str>) -> Entry {
    let topic = cause.map_or(Topic::Watch("team".into()), |_| Topic::Incident(2));
    entry(when, About::Post(1), Decision::Note, Reason::Delivered, Grounds::Sending(sending(when, topic, attention, quiet, cause)))
}

fn sending(said: &str, topic: Topic, attention: Attention, quiet: bool, cause: Option<&str>) -> Sending {
    Sending {
        topic,
        revision: 1,
        attempt: Attempt::Confirmed { at: at(said), handle: None },
        attention,
        said_at: at(said),
        cause: cause.map(|cause| Cause::Check(cause.into())),
        last_word: false,
        quiet,
    }
}

#[test]
fn a_person_who_is_asked_in_two_chats_at_once_was_woken_once() {
    let asked = |when: &str, incident: IncidentId, said: &str, quiet: bool| {
        let sending = sending(said, Topic::Incident(incident), Attention::Notify, quiet, Some("orders"));
        entry(when, About::Post(1), Decision::Note, Reason::Delivered, Grounds::Sending(sending))
    };
    let words = count(&[
        // One incident in three chats, of which two have quiet hours; each is delivered in its own time.
        asked("11-17 02:50", 2, "11-17 02:50", false),
        asked("11-17 02:50", 3, "11-17 02:50", true),
        asked("11-17 02:51", 2, "11-17 02:50", true),
        asked("11-17 02:58", 2, "11-17 02:50", true),
        // The next rung, half an hour later.
        asked("11-17 03:20", 2, "11-17 03:20", true),
    ])
    .words;
    assert_eq!((words.messages, words.asked, words.wakeups), (5, 3, 3));
}

#[test]
fn a_clock_that_is_set_back_makes_no_hour_loud_twice() {
    let quiet =
        |times: &[&str]| count(&times.iter().map(|when| sent(when, Attention::Post, false, None)).collect::<Vec<_>>()).quiet_hours;
    assert_eq!(quiet(&["11-17 02:10", "11-17 03:10"]), 166);
    assert_eq!(quiet(&["11-17 02:10", "11-17 03:10", "11-17 02:40", "11-17 03:15"]), 166);
}

#[test]
fn an_hour_in_which_nobody_watched_was_not_quiet() {
    let back =
        |when: &str, since: &str| entry(when, About::Watch, Decision::Note, Reason::WatchBack, Grounds::Away { since: at(since) });
    let hours = |entries: &[Entry]| {
        let counts = count(entries);
        (counts.hours, counts.quiet_hours, counts.unwatched_hours)
    };
    // Off from 02:30 to 06:10: the hours from 02:00 to 06:00, whatever was said in the rest of them.
    let night = [
        sent("11-17 02:10", Attention::Post, false, None),
        back("11-17 06:10", "11-17 02:30"),
        sent("11-17 06:20", Attention::Post, false, None),
        sent("11-17 07:20", Attention::Post, false, None),
    ];
    assert_eq!(hours(&night), (163, 162, 5));
    // A second time within an hour that counts as unwatched; and cut to the span.
    assert_eq!(hours(&[back("11-17 06:10", "11-17 02:30"), back("11-17 06:50", "11-17 06:30")]), (163, 163, 5));
    assert_eq!(hours(&[back("11-16 02:00", "11-14 09:00"), back("11-24 09:00", "11-22 22:00")]), (164, 164, 4));
    assert_eq!(hours(&[back("11-24 09:00", "11-10 09:00")]), (0, 0, 168));
}

#[test]
fn who_was_asked_who_was_woken_and_how_many_hours_were_quiet() {
    let counts = count(&[
        sent("11-15 23:59", Attention::Notify, true, Some("before")),
        sent("11-17 02:10", Attention::Post, true, Some("orders")),
        sent("11-17 02:50", Attention::Notify, true, Some("orders")),
        sent("11-17 07:00", Attention::Escalate, false, Some("orders")),
        sent("11-17 08:59", Attention::Notify, true, Some("sales")),
        sent("11-17 09:00", Attention::Post, false, None),
    ]);
    assert_eq!(counts.messages, 5);
    let words = counts.words;
    assert_eq!((words.messages, words.asked, words.wakeups), (4, 3, 2));
    let of = |cause: &str| counts.causes[&Cause::Check(cause.into())];
    assert_eq!((of("orders").wakeups, of("orders").asked, of("sales").wakeups), (1, 2, 1));
    assert!(!counts.causes.contains_key(&Cause::Check("before".into())));
    // Loud are the hours from 02:00, 07:00, 08:00 and 09:00.
    assert_eq!((counts.hours, counts.quiet_hours), (168, 164));
    // An hour that is not over is no whole hour, loud or not.
    let mut tally = Tally::new(week());
    tally.take(&sent("11-16 10:10", Attention::Post, false, None));
    let early = tally.counts(at("11-16 10:30"));
    assert_eq!((early.hours, early.quiet_hours), (10, 10));
}

fn dark(when: &str, source: &str, reason: Reason, since: &str) -> Entry {
    let last = Unreachable { why: Why::Timeout, detail: "no answer".into() };
    let dark = Dark { since: at(since), tries: 1, last };
    entry(when, About::Source(source.into()), Decision::Note, reason, Grounds::Dark(dark))
}

#[test]
fn blind_minutes_are_cut_to_the_span() {
    let entries = [
        dark("11-15 23:00", "airflow", Reason::SourceDark, "11-15 23:00"),
        dark("11-16 00:10", "airflow", Reason::SourceBack, "11-15 23:00"),
        dark("11-17 05:00", "airflow", Reason::SourceDark, "11-17 05:00"),
        dark("11-17 05:30", "airflow", Reason::SourceBack, "11-17 05:00"),
        // Not back yet when it is counted; the other comes back after the span.
        dark("11-22 23:00", "lake", Reason::SourceDark, "11-22 23:00"),
        dark("11-22 22:00", "bank", Reason::SourceDark, "11-22 22:00"),
        dark("11-23 08:00", "bank", Reason::SourceBack, "11-22 22:00"),
        // The configuration has it no more: nobody waits for its answer.
        dark("11-18 01:00", "old", Reason::SourceDark, "11-18 01:00"),
        dark("11-18 01:15", "old", Reason::Retired, "11-18 01:00"),
    ];
    let minutes = |counts: Counts| -> Vec<(String, i64)> {
        counts.blind.into_iter().map(|(id, blind)| (id.to_string(), blind.num_minutes())).collect()
    };
    let expected = [("airflow", 40), ("bank", 120), ("lake", 60), ("old", 15)].map(|(id, minutes)| (id.to_owned(), minutes));
    assert_eq!(minutes(count(&entries)), expected);
    let mut tally = Tally::new(week());
    entries[..5].iter().for_each(|entry| tally.take(entry));
    assert_eq!(minutes(tally.counts(at("11-22 23:20")))[1], ("lake".to_owned(), 20), "it is 23:20 now");
}

#[test]
fn a_digest_in_two_chats_is_one() {
    let date = |day: u32| key("", day).date;
    let digest = |day: u32, decision: Decision, reason: Reason| {
        let about = About::Digest { digest: "morning".into(), date: date(day) };
        let grounds = Grounds::Digest { verdict: DigestVerdict::Ready, due_at: at("11-16 06:30") };
        entry(&format!("11-{day} 06:31"), about, decision, reason, grounds)
    };
    let said = |day: u32| digest(day, Decision::Say(Attention::Post), Reason::DigestDue);
    let post = |day: u32, reason: Reason, attempt: Attempt| {
        let topic = Topic::Digest { digest: "morning".into(), date: date(day) };
        let sending = Sending { attempt, ..sending("11-16 06:31", topic, Attention::Post, true, None) };
        entry(&format!("11-{day} 06:32"), About::Post(1), Decision::Note, reason, Grounds::Sending(sending))
    };
    let delivered = |day: u32| post(day, Reason::Delivered, Attempt::Confirmed { at: at("11-16 06:32"), handle: None });
    let refused = |day: u32| post(day, Reason::Undelivered, Attempt::Refused { at: at("11-16 06:32"), why: "404".into() });
    let of = |entries: &[Entry]| {
        let digests = count(entries).digests;
        (digests.posted, digests.silent, digests.missed)
    };
    let usual = [
        said(16),
        said(16),
        delivered(16),
        delivered(16),
        said(17),
        delivered(17),
        digest(18, Decision::StaySilent, Reason::AllGreen),
        digest(19, Decision::StaySilent, Reason::DigestMissed),
        digest(23, Decision::StaySilent, Reason::AllGreen),
    ];
    assert_eq!(of(&usual), (2, 1, 1));
    // What was decided and reached nobody was not posted; one chat, or a fallback, is enough; a lost answer says neither.
    assert_eq!(of(&[said(16)]), (0, 0, 0));
    assert_eq!(of(&[said(16), refused(16), refused(16)]), (0, 0, 1));
    assert_eq!(of(&[said(16), refused(16), delivered(16), refused(16)]), (1, 0, 0));
    assert_eq!(of(&[said(16), post(16, Reason::TooLate, Attempt::Idle)]), (0, 0, 1));
    assert_eq!(of(&[said(16), post(16, Reason::Undelivered, Attempt::Ambiguous { at: at("11-16 06:32") })]), (0, 0, 0));
}

#[test]
fn years_of_nights_take_no_more_memory_than_a_few_days() {
    let first = at("01-01 00:00");
    let mut tally = Tally::new(Span { from: first, to: first + TimeDelta::days(2_000) });
    let mut size = 0;
    for day in 0..2_000 {
        let opens = first + TimeDelta::days(day);
        let (deadline, closes) = (opens + TimeDelta::hours(9), opens + TimeDelta::hours(24));
        let date = opens.date_naive();
        let result = CycleState { deadline, ready_at: Some(deadline), closed_at: Some(closes), ..met(16) };
        let key = CycleKey { dashboard: "exec".into(), date, nth: 0 };
        let note = |at, reason, about, grounds| Entry { at, ..entry("01-01 00:00", about, Decision::Note, reason, grounds) };
        tally.take(&note(closes, Reason::CycleClosed, About::Cycle(key), Grounds::Cycle { result, arrived: None }));
        let id = IncidentId::try_from(day).unwrap();
        tally.take(&note(deadline, Reason::Opened, About::Incident(id), Grounds::Trouble(trouble("orders", 1))));
        if day == 1_200 {
            size = format!("{tally:?}").len();
        }
    }
    let grown = format!("{tally:?}").len();
    assert!(grown < size + 2_000, "{size} bytes after 1,200 days, {grown} after 2,000");
    let counts = tally.counts(first + TimeDelta::days(3_000));
    assert_eq!((counts.deadlines.met, counts.words.alerts), (2_000, 2_000));
}

/// What the state keeps of one day is rewritten with every line that tells something of it.
#[test]
fn the_row_of_a_day_is_small_and_no_night_makes_it_large() {
    let size = |troubles: u64| {
        let mut day = Tally::new(Span { from: at("11-17 00:00"), to: at("11-18 00:00") });
        for nth in 0..5 {
            day.take(&cycle("11-17 09:02", key(&format!("board_{nth}"), 17), Reason::CycleMissed, missed(17, Some("08:00"))));
        }
        for id in 0..troubles {
            let cause = format!("warehouse_prod.finance_mart.settlement_{id}");
            day.take(&note("11-17 02:00", id, Reason::Opened, trouble(&cause, 3)));
            let sending = sending("11-17 02:10", Topic::Incident(id), Attention::Notify, true, Some(&cause));
            day.take(&entry("11-17 02:10", About::Post(id), Decision::Note, Reason::Delivered, Grounds::Sending(sending)));
        }
        let counts = day.counts(at("11-18 00:00"));
        assert_eq!(
            (counts.words.wakeups, counts.words.incidents),
            (usize::try_from(troubles).unwrap(), usize::try_from(troubles).unwrap())
        );
        let row = serde_json::to_string(&day).unwrap();
        assert_eq!(serde_json::from_str::<Tally>(&row).unwrap().counts(at("11-18 00:00")), counts);
        row.len()
    };
    let (usual, bad, worst) = (size(3), size(300), size(3_000));
    assert!(usual < 4_000, "{usual} bytes");
    assert!(bad < 90_000, "{bad} bytes");
    assert!(worst < 140_000, "{worst} bytes");
}

#[test]
fn an_incident_that_goes_on_after_the_span_counts_as_what_it_proved_to_be() {
    let counts = count(&[
        note("11-22 23:00", 1, Reason::Opened, trouble("sales", 1)),
        note("11-22 23:10", 2, Reason::Opened, trouble("clicks", 2)),
        note("11-23 00:30", 1, Reason::Deepened, trouble("orders", 40)),
        note("11-23 00:30", 2, Reason::Merged, trouble("clicks", 2)),
        // Opened after the span.
        note("11-23 01:00", 3, Reason::Opened, trouble("late", 7)),
        // Healed after it: of the incidents of this span it is one that did.
        over("11-23 02:00", 1, trouble("orders", 40)),
        over("11-23 02:00", 3, trouble("late", 7)),
    ]);
    assert_eq!((counts.words.incidents, counts.words.alerts, counts.words.healed), (1, 40, 1));
    assert_eq!(counts.causes.keys().map(Cause::to_string).collect::<Vec<_>>(), ["orders"]);
}
