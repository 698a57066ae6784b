//! What goes wrong around the pipelines: dark sources, failing chats, crashes, clocks, people, other configurations.

use super::conf::{Kind, on};
use super::night::LASTS;
use super::rng::Rng;
use super::script::{Change, Crash, Fault, Mark, Script, Wish};
use super::setup;
use super::things::Span;
use chrono::{NaiveDate, TimeDelta};
use dawnwatch::core::observation::Why;
use dawnwatch::core::plan::Id;

fn span(rng: &mut Rng, date: NaiveDate, longest: &[i64]) -> Span {
    let from = on(date, rng.within(-3 * 60, 11 * 60)) + TimeDelta::seconds(rng.within(0, 59));
    let longest = rng.pick(longest);
    Span { from, to: from + TimeDelta::minutes(rng.within(1, longest)) }
}

/// What happens around the pipelines in one night: dark sources, failing chats, crashes, a machine that sleeps.
pub fn surroundings(script: &mut Script, rng: &mut Rng, date: NaiveDate) {
    let why = [Why::Timeout, Why::Timeout, Why::Connect, Why::Auth, Why::Status, Why::Malformed];
    let sources: Vec<Id> = script.conf.sources.keys().cloned().collect();
    for source in &sources {
        if rng.chance(22) {
            let span = span(rng, date, &[4, 30, 400]);
            script.dark.push((source.clone(), span, rng.pick(&why)));
            script.mark(Mark::DarkSource, span.from, span.to);
        }
        if rng.chance(8) {
            let span = span(rng, date, &[10, 300]);
            script.dead.push((source.clone(), span));
            script.mark(Mark::SchedulerDead, span.from, span.to);
        }
        if rng.chance(8) {
            let span = span(rng, date, &[30, 400]);
            script.clocks.push((source.clone(), span, rng.pick(&[-3600, -90, 50, 120, 420])));
            script.mark(Mark::SourceClockOff, span.from, span.to);
        }
    }
    // The way out of the machine itself.
    if rng.chance(10) {
        let cut = span(rng, date, &[4, 30, 400]);
        script.dark.extend(sources.iter().map(|source| (source.clone(), cut, Why::Timeout)));
        script.mark(Mark::DarkAll, cut.from, cut.to);
    }
    for chat in script.conf.chats.clone().into_keys() {
        if rng.chance(25) {
            let kinds = [
                (Fault::Busy, Mark::ChatBusy),
                (Fault::Busy, Mark::ChatBusy),
                (Fault::LostAnswer, Mark::ChatLosesAnswer),
                (Fault::LostAll, Mark::ChatDrops),
                (Fault::Refuses, Mark::ChatRefuses),
            ];
            let (fault, mark) = rng.pick(&kinds);
            let span = span(rng, date, &[1, 20, 200]);
            script.faults.push((chat, span, fault));
            script.mark(mark, span.from, span.to);
        }
    }
    crashes(script, rng, date);
    if rng.chance(10) {
        let from = on(date, rng.within(-2 * 60, 10 * 60));
        let nap = Span { from, to: from + TimeDelta::minutes(rng.pick(&[20, 60, 240])) };
        script.naps.push(nap);
        script.mark(Mark::Suspend, from, nap.to + TimeDelta::minutes(10));
    }
    for _ in 0..rng.pick(&[0, 0, 0, 0, 1, 3]) {
        order(script, rng, date);
    }
}

fn crashes(script: &mut Script, rng: &mut Rng, date: NaiveDate) {
    let places = [
        (Crash::BeforeClaim, Mark::CrashBeforeClaim),
        (Crash::AfterClaim, Mark::CrashAfterClaim),
        (Crash::AfterSend, Mark::CrashAfterSend),
        (Crash::AfterOutcome, Mark::CrashAfterOutcome),
        (Crash::CommitFails, Mark::CommitFails),
        (Crash::CommitLies, Mark::CommitLies),
    ];
    for _ in 0..rng.pick(&[0, 0, 1, 4, 12]) {
        let at = on(date, rng.within(-3 * 60, 12 * 60));
        let down = TimeDelta::seconds(rng.pick(&[0, 0, 3, 40, 900]));
        let (crash, mark) = rng.pick(&places);
        script.crashes.push((at, crash, down));
        script.mark(mark, at, at + TimeDelta::minutes(20));
    }
}

fn order(script: &mut Script, rng: &mut Rng, date: NaiveDate) {
    let (checks, boards): (Vec<Id>, Vec<Id>) =
        (script.conf.checks.keys().cloned().collect(), script.conf.dashboards.keys().cloned().collect());
    let sources: Vec<Id> = script.conf.sources.keys().cloned().collect();
    let nth = usize::try_from(rng.within(0, 3)).unwrap_or(0);
    let (wish, mark) = match rng.within(0, 7) {
        0..=2 => (Wish::Ack(nth), Mark::Ack),
        3 => (Wish::Snooze(nth), Mark::Snooze),
        4 => (Wish::MuteCheck(rng.pick(&checks)), Mark::Mute),
        5 => (Wish::MuteDashboard(rng.pick(&boards)), Mark::Mute),
        6 => (Wish::MuteSource(rng.pick(&sources)), Mark::Mute),
        _ => (Wish::Retire(nth), Mark::Retire),
    };
    let at = on(date, rng.within(0, 12 * 60));
    let lasts = TimeDelta::minutes(rng.pick(&[20, 120, 600]));
    script.orders.push((at, wish, lasts));
    script.mark(mark, at, at + lasts);
}

/// What happens once in all the nights.
pub fn once(script: &mut Script, rng: &mut Rng, date: NaiveDate) {
    for (source, setup) in script.conf.sources.clone() {
        // Only those are asked about one thing after the other.
        if setup.kind == Kind::Http && rng.chance(50) {
            let parts = usize::try_from(rng.within(2, 4)).unwrap_or(2);
            script.parts.insert(source.clone(), (parts, rng.pick(&[1, 5, 25])));
            script.mark(Mark::SweepInParts, script.from, script.to);
        }
        script.fetch_s.insert(source, rng.pick(&[0, 0, 0, 2, 8, 70]));
    }
    if rng.chance(8) {
        let span = span(rng, date, &[60, 600, 3000]);
        script.jumps.push((span, TimeDelta::minutes(rng.pick(&[-180, -30, -3, 5, 45, 180]))));
        script.mark(Mark::OwnClockJumps, span.from, span.to + TimeDelta::minutes(30));
    }
    for _ in 0..rng.pick(&[0, 0, 0, 0, 1, 2]) {
        let at = on(date, rng.within(0, 20 * 60));
        let before = script.changes.last().map_or(&script.conf, |change| &change.conf).clone();
        if script.changes.last().is_some_and(|change| change.at >= at) {
            continue;
        }
        let Some((conf, mark)) = setup::changed(&before, rng) else { continue };
        let restart = rng.chance(50);
        script.changes.push(Change { at, conf, restart });
        script.mark(mark, at, at + LASTS);
        script.mark(if restart { Mark::Restart } else { Mark::Reload }, at, at + TimeDelta::minutes(20));
    }
    if rng.chance(5) {
        let at = on(date, rng.within(0, 12 * 60));
        script.refused.push(at);
        script.mark(Mark::ReloadRefused, at, at + LASTS);
    }
    members(script, rng, date);
    windows(script);
}

/// Some members of a group come only later.
fn members(script: &mut Script, rng: &mut Rng, date: NaiveDate) {
    let before = script.from - TimeDelta::days(400);
    let mut born = Vec::new();
    for thing in script.things.values_mut().filter(|thing| thing.group.is_some()) {
        if rng.chance(20) {
            let at = on(date, rng.within(-2 * 60, 20 * 60));
            thing.gone.push(Span { from: before, to: at });
            born.push(at);
        }
    }
    for at in born {
        script.mark(Mark::NewMember, at, at + LASTS);
    }
}

fn windows(script: &mut Script) {
    for window in script.conf.windows.clone().into_values() {
        let first = super::conf::date_of(script.from);
        for date in first.iter_days().take(5).filter(|date| window.on.holds(*date)) {
            let (from, to) = window.hours.unwrap_or((0, 1440));
            let to = if to <= from { to + 1440 } else { to };
            script.mark(Mark::Maintenance, on(date, from), on(date, to));
        }
    }
}
