//! Writes a script as a scenario: the configuration, what ran, and whatever else happened, with the promise that it breaks as a comment.
//! What is to be said instead, a person writes.

use super::conf::Conf;
use super::past::Past;
use super::player::Player;
use super::script::{Fault, Script};
use super::things::{Course, Span, Thing};
use dawnwatch::core::command::{Muted, Order};
use dawnwatch::core::observation::{RunKind, RunState, Why};
use dawnwatch::core::plan::Id;
use dawnwatch::core::time::Instant;
use std::fmt::Write;

/// The scenario's text. `wrong`: what it breaks.
pub fn scenario(script: &Script, player: Option<&Player<'_>>, wrong: &[(u8, String)]) -> String {
    let mut text = String::new();
    for (promise, what) in wrong {
        comment(&mut text, &format!("Breaks promise {promise}: {what}"));
    }
    comment(&mut text, &format!("Cut down from the simulation's seed {}.", script.seed));
    for (at, crash, down) in &script.crashes {
        comment(
            &mut text,
            &format!("A scenario cannot say it: {crash:?} from {} on, down for {} s.", time(*at), down.num_seconds()),
        );
    }
    for (source, (parts, apart_s)) in &script.parts {
        comment(&mut text, &format!("A scenario cannot say it: {source} tells its sweeps in {parts} parts, {apart_s} s apart."));
    }
    for (source, s) in script.fetch_s.iter().filter(|(_, s)| **s > 0) {
        comment(&mut text, &format!("A scenario cannot say it: {source} takes {s} s to say why a run failed."));
    }
    for (span, by) in &script.jumps {
        comment(
            &mut text,
            &format!("A scenario cannot say it: the watch's own clock is {} min ahead, {}.", by.num_minutes(), told(span)),
        );
    }
    let _ = write!(
        text,
        "\nname = \"Seed {} of the simulation\"\nsituations = []\nfrom = \"{}\"\nto = \"{}\"\n\nrows = \"\"\"\n\
         check,started_at,arrived_at,state,error,timestamp,run_after,run_type\n",
        script.seed,
        time(script.from),
        time(script.to)
    );
    for (id, thing) in &script.things {
        rows(&mut text, id, thing);
    }
    text.push_str("\"\"\"\n");
    script.past.iter().for_each(|(id, past)| usually(&mut text, id, past));
    script.things.iter().for_each(|(id, thing)| of_thing(&mut text, id, thing));
    surroundings(&mut text, script);
    for granted in player.into_iter().flat_map(|player| &player.record.granted) {
        order(&mut text, &granted.order, &granted.span);
    }
    let confs = std::iter::once(&script.conf).chain(script.changes.iter().map(|change| &change.conf));
    for (change, before) in script.changes.iter().zip(confs) {
        reload(&mut text, change.at, before, &change.conf);
    }
    text.push_str(&piece(&script.conf));
    text
}

fn comment(text: &mut String, line: &str) {
    text.push_str("# ");
    text.push_str(&line.replace('\n', " "));
    text.push('\n');
}

fn time(at: Instant) -> String {
    at.with_timezone(&chrono_tz::Asia::Seoul).to_rfc3339()
}

fn told(span: &Span) -> String {
    format!("{} to {}", time(span.from), time(span.to))
}

/// The configuration as a piece over nothing.
fn piece(conf: &Conf) -> String {
    format!("\n[with]\n{}", conf.text().replace("\n[", "\n[with."))
}

fn rows(text: &mut String, id: &Id, thing: &Thing) {
    for run in &thing.runs {
        let began = run.steps.iter().find(|(_, state)| *state != RunState::Queued).map(|(at, _)| time(*at));
        let (ended, state) = match run.steps.last() {
            Some((at, RunState::Success)) => (time(*at), "success"),
            Some((at, RunState::Failed)) => (time(*at), "failed"),
            _ => (String::new(), ""),
        };
        let error = if state == "failed" { format!("\"{}\"", run.error.replace('"', "\"\"")) } else { String::new() };
        let kind = if run.kind == RunKind::Manual { "manual" } else { "scheduled" };
        let _ = writeln!(text, "{id},{},{ended},{state},{error},,{},{kind}", began.unwrap_or_default(), time(run.scheduled_at));
    }
    for (visible, stamp) in &thing.data {
        let _ = writeln!(text, "{id},,{},,,{},,", time(*visible), time(*stamp));
    }
}

fn usually(text: &mut String, id: &Id, Past { started, arrived, spread, nights, on }: &Past) {
    let clock = |minutes: i64| format!("{:02}:{:02}", minutes / 60, minutes % 60);
    let _ = write!(
        text,
        "\n[[usually]]\ncheck = \"{id}\"\nstarted_at = \"{}\"\narrived_at = \"{}\"\n",
        clock(*started),
        clock(*arrived)
    );
    let _ = writeln!(text, "nights = {nights}\nspread = \"{spread}m\"\non = \"{}\"", on.text());
}

fn happens(text: &mut String, at: Instant, what: &str, whom: &dyn std::fmt::Display, more: &str) {
    let _ = write!(text, "\n[[happens]]\nat = \"{}\"\n{what} = \"{whom}\"\n{more}", time(at));
}

fn until(at: Instant) -> String {
    format!("until = \"{}\"\n", time(at))
}

fn of_thing(text: &mut String, id: &Id, thing: &Thing) {
    for (at, state) in thing.runs.iter().flat_map(between) {
        let (state, task) = match state {
            RunState::Queued => ("queued", None),
            RunState::Running => ("running", None),
            RunState::Retrying { task } => ("retrying", Some(task)),
            RunState::Waiting { task } => ("waiting", Some(task)),
            RunState::Doomed { task } => ("doomed", Some(task)),
            RunState::Lost | RunState::Success | RunState::Failed => continue,
        };
        let task = task.map_or(String::new(), |task| format!("task = \"{task}\"\n"));
        happens(text, *at, "run", id, &format!("state = \"{state}\"\n{task}"));
    }
    for span in &thing.gone {
        happens(text, span.from, "gone", id, &until(span.to));
    }
    for span in &thing.strange {
        happens(text, span.from, "strange", id, &format!("says = 'state \"?!\" is none'\n{}", until(span.to)));
    }
    for (what, spans) in [("paused", &thing.paused), ("import_error", &thing.import_error)] {
        for span in spans {
            happens(text, span.from, "member", id, &format!("{what} = true\n"));
            happens(text, span.to, "member", id, &format!("{what} = false\n"));
        }
    }
}

/// The states between a plain start and an end, which rows do not hold.
fn between(run: &Course) -> impl Iterator<Item = &(Instant, RunState)> {
    let plain = run.steps.len() <= 2 && run.steps[0].1 == RunState::Running;
    run.steps.iter().filter(move |_| !plain)
}

fn surroundings(text: &mut String, script: &Script) {
    for (source, span, why) in &script.dark {
        let why = match why {
            Why::Connect => "connect",
            Why::Timeout => "timeout",
            Why::Tls => "tls",
            Why::Auth => "auth",
            Why::Status => "status",
            Why::TooLarge => "too_large",
            Why::Malformed => "malformed",
            Why::Redirect => "redirect",
        };
        happens(text, span.from, "dark", source, &format!("why = \"{why}\"\n{}", until(span.to)));
    }
    for (source, span) in &script.dead {
        happens(text, span.from, "scheduler", source, &format!("dead = true\nheartbeat = \"{}\"\n", time(span.from)));
        happens(text, span.to, "scheduler", source, "dead = false\n");
    }
    for (source, span, ahead_s) in &script.clocks {
        happens(text, span.from, "clock", source, &format!("ahead = \"{ahead_s}s\"\n"));
        happens(text, span.to, "clock", source, "ahead = \"0s\"\n");
    }
    for (chat, span, fault) in &script.faults {
        let answers = match fault {
            Fault::Busy => "busy",
            Fault::LostAnswer => "loses",
            Fault::LostAll => "drops",
            Fault::Refuses => "refuses",
        };
        happens(text, span.from, "chat", chat, &format!("answers = \"{answers}\"\n{}", until(span.to)));
    }
    for nap in &script.naps {
        happens(text, nap.from, "asleep", &time(nap.to), "");
    }
    for at in &script.refused {
        happens(text, *at, "reload", &"refused", "");
    }
}

fn order(text: &mut String, order: &Order, span: &Span) {
    let (word, whom) = match order {
        Order::Ack { incident, .. } => ("ack", format!("incident = {incident}")),
        Order::Snooze { incident, .. } => ("snooze", format!("incident = {incident}")),
        Order::Mute { what: Muted::Check(id), .. } => ("mute", format!("check = \"{id}\"")),
        Order::Mute { what: Muted::Dashboard(id), .. } => ("mute", format!("dashboard = \"{id}\"")),
        Order::Mute { what: Muted::Source(id), .. } => ("mute", format!("source = \"{id}\"")),
        Order::Retire { check } => ("retire", format!("check = \"{check}\"")),
    };
    let ends = if word == "retire" { String::new() } else { until(span.to) };
    happens(text, span.from, "order", &word, &format!("{whom}\n{ends}by = \"kim\"\nreason = \"because\"\n"));
}

/// What another configuration has that the one before it had not.
fn reload(text: &mut String, at: Instant, before: &Conf, after: &Conf) {
    let list = |ids: &[Id]| ids.iter().map(|id| format!("\"{id}\"")).collect::<Vec<_>>().join(", ");
    let mut parts = Vec::new();
    for (id, new) in &after.dashboards {
        if before.dashboards.get(id).is_some_and(|old| old != new) {
            let clock = |at: &i64| format!("\"{:02}:{:02}\"", at / 60, at % 60);
            let ready_by: Vec<String> = new.ready_by.iter().map(clock).collect();
            let (needs, tell, escalate) = (list(&new.needs), list(&new.tell), list(&new.escalate));
            let ready_by = ready_by.join(", ");
            parts
                .push(format!("{id} = {{ needs = [{needs}], ready_by = [{ready_by}], tell = [{tell}], escalate = [{escalate}] }}"));
        }
    }
    let taken: Vec<String> = before.checks.keys().filter(|id| !after.checks.contains_key(*id)).map(ToString::to_string).collect();
    let chats: Vec<String> = before.chats.keys().filter(|id| !after.chats.contains_key(*id)).map(ToString::to_string).collect();
    text.push('\n');
    if !taken.is_empty() || !chats.is_empty() {
        comment(text, &format!("A piece cannot take away: checks {taken:?}, chats {chats:?}; or rename."));
    }
    let _ = write!(text, "[[happens]]\nat = \"{}\"\n", time(at));
    let _ = match parts.as_slice() {
        [] => writeln!(text, "restart = true"),
        parts => writeln!(text, "reload = {{ dashboards = {{ {} }} }}", parts.join(", ")),
    };
}
