//! The words and the JSON of a story.

use super::{Story, Subject, ledger};
use crate::cli::once::{apart, report};
use crate::core::judge::{CycleView, Judged, Prospect};
use crate::core::message::{Basis, clean};
use crate::core::plan::Plan;
use crate::core::roster::Ix;
use crate::core::state::{Cause, State, Verdict};
use crate::core::time::{Instant, wall_clock};
use crate::explain::InCycle;
use serde_json::{Value, json};

struct Told<'a> {
    state: &'a State,
    plan: &'a Plan,
    at: Instant,
}

pub(super) fn text(story: &Story<'_>, state: &State, plan: &Plan) -> String {
    let told = Told { state, plan, at: story.at };
    let name = clean(story.subject.id().as_str());
    let mut lines = vec![];
    match &story.cycles {
        None => {
            lines.push(format!("{} at {}", name, told.time(story.at)));
            lines.push("  How it stood then is not known here: this is what the ledger holds until then.".to_owned());
        }
        Some(cycles) => lines.extend(cycles.iter().flat_map(|cycle| told.in_cycle(&name, cycle))),
    }
    if let Some(apart) = &story.apart {
        let reason = apart::words(apart, state, plan);
        lines.push(format!("{}: {}, and no dashboard needs it", name, apart.verdict.word()));
        lines.push(row("Seen", &reason));
    } else if story.cycles.as_ref().is_some_and(Vec::is_empty) {
        lines.push(format!("{}: no cycle is open", name));
    }
    lines.extend([String::new(), "What was decided".to_owned()]);
    if story.left_out > 0 {
        lines.push(format!("  ({} earlier lines are left out)", story.left_out));
    }
    if story.lines.is_empty() {
        lines.push("  The ledger says nothing of it in this time.".to_owned());
    }
    lines.extend(
        story.lines.iter().map(|line| format!("  {}  {}", told.time(line.entry.at), clean(&ledger::line(line, &told.clock())))),
    );
    if !story.other_plans.is_empty() {
        let others: Vec<&str> = story.other_plans.iter().map(AsRef::as_ref).collect();
        lines.push(String::new());
        lines.push(format!(
            "Decided under another configuration ({}) than the one loaded now ({}).",
            others.join(", "),
            plan.fingerprint
        ));
    }
    lines.join("\n")
}

/// Names and error lines come from the outside: an escape sequence in one must not reach the terminal.
fn row(label: &str, text: &str) -> String {
    format!("  {label:<11}{}", clean(text))
}

pub(super) fn json(story: &Story<'_>, state: &State, plan: &Plan) -> Value {
    let told = Told { state, plan, at: story.at };
    let shown = |at: Instant| report::shown(at, plan.timezone);
    let kind = match story.subject {
        Subject::Check(_) => "check",
        Subject::Dashboard(_) => "dashboard",
    };
    let cycle = |of: &InCycle<'_>| {
        let (arrived, checks) = of.view.arrived();
        let verdict = of.judged.map_or(of.view.verdict, |(_, judged)| judged.verdict);
        let prospect = told.prospect(of.view);
        let eta = match of.judged {
            Some((_, judged)) => judged.forecast.map(|forecast| forecast.shown()),
            None => prospect.and_then(|prospect| prospect.eta),
        };
        json!({
            "cycle": of.view.cycle.key.to_string(),
            "verdict": verdict,
            "holds_until": until(of).map(shown),
            "reason": of.judged.map(|(ix, judged)| told.reason(ix, judged)),
            "cause": of.judged.and_then(|(_, judged)| judged.cause.as_ref()).map(Cause::to_string),
            "opens_at": shown(of.view.cycle.opens_at),
            "deadline": shown(of.view.cycle.deadline),
            "audience": of.view.cycle.audience,
            "act_by": of.judged.map_or_else(|| of.view.act_by(), |(_, judged)| Some(judged.act_by)).map(shown),
            "eta": eta.map(|eta| shown(eta.at)),
            "p_miss": prospect.and_then(|prospect| prospect.p_miss).map(|chance| (chance * 100.0).round() / 100.0),
            "arrived": arrived,
            "checks": checks,
            "outstanding": of.outstanding.iter().map(|(ix, judged)| json!({
                "check": state.roster.checks[*ix].id,
                "verdict": judged.verdict,
                "reason": told.reason(*ix, judged),
            })).collect::<Vec<_>>(),
        })
    };
    let line = |line: &crate::explain::Line<'_>| {
        json!({
            "at": shown(line.entry.at),
            "text": clean(&ledger::line(line, &told.clock())),
            "reason": line.entry.reason,
            "chat": line.entry.chat,
            "delivered_at": line.delivered_at.map(shown),
            "fingerprint": line.entry.fingerprint,
        })
    };
    json!({
        "name": story.subject.id(),
        "kind": kind,
        "at": shown(story.at),
        "cycles": story.cycles.as_ref().map(|cycles| cycles.iter().map(cycle).collect::<Vec<_>>()),
        "apart": story.apart.as_ref().map(|of| json!({"verdict": of.verdict, "reason": apart::words(of, state, plan)})),
        "decisions": story.lines.iter().map(line).collect::<Vec<_>>(),
        "left_out": story.left_out,
        "fingerprint": plan.fingerprint,
    })
}

/// When it may change though nothing new is seen.
fn until(of: &InCycle<'_>) -> Option<Instant> {
    of.judged.map_or_else(|| of.view.stands_until(), |(ix, _)| of.view.stands_until_of(ix))
}

impl Told<'_> {
    fn time(&self, at: Instant) -> String {
        at.with_timezone(&self.plan.timezone).format("%a %F %R").to_string()
    }

    /// The day is named where it is another one than that of the story.
    fn clock(&self) -> impl Fn(Instant) -> String {
        let zone = self.plan.timezone;
        let today = self.at.with_timezone(&zone).date_naive();
        move |at| {
            let at = at.with_timezone(&zone);
            at.format(if at.date_naive() == today { "%R" } else { "%a %R" }).to_string()
        }
    }

    fn reason(&self, ix: Ix, judged: &Judged) -> String {
        let source = self.state.sources.get(&self.state.roster.checks[ix].check.source);
        let reason = report::reason(&judged.standing, source, &self.state.roster, ix, self.plan.timezone);
        let own = Cause::Check(self.state.roster.checks[ix].id.clone());
        let behind = judged.cause.as_ref().filter(|cause| **cause != own).map(|cause| format!("; waits for {cause}"));
        format!("{reason}{}", behind.unwrap_or_default())
    }

    fn in_cycle(&self, name: &str, of: &InCycle<'_>) -> Vec<String> {
        let (view, clock) = (of.view, self.clock());
        let verdict = of.judged.map_or(view.verdict, |(_, judged)| judged.verdict);
        let holds = until(of).map_or(String::new(), |until| format!(", until {} unless something new is seen", clock(until)));
        let mut lines = vec![format!("{name}: {}{holds}", verdict.word())];
        match of.judged {
            Some((ix, judged)) => {
                lines.push(row("Seen", &format!("{}; {}", self.reason(ix, judged), self.asked(ix))));
                lines.push(row("Rule", &self.rule(ix, view, judged)));
                lines.push(row("Forecast", &self.forecast(ix, view, judged, verdict)));
            }
            None => {
                let (arrived, checks) = view.arrived();
                lines.push(row("Seen", &format!("{arrived} of {checks} checks have arrived")));
                let waits = |(ix, judged): &(Ix, &Judged)| {
                    let id = &self.state.roster.checks[*ix].id;
                    row("", &format!("{id}: {}, {}", judged.verdict.word(), self.reason(*ix, judged)))
                };
                lines.extend(of.outstanding.iter().map(waits));
                if of.more > 0 {
                    lines.push(row("", &format!("and {} more", of.more)));
                }
                let act_by = view.act_by().map_or(String::new(), |at| format!("; act by {}", clock(at)));
                lines.push(row("Rule", &format!("{}{act_by}", self.window(view))));
                lines.push(row("Forecast", &self.of_dashboard(view)));
            }
        }
        lines
    }

    fn asked(&self, ix: Ix) -> String {
        let id = &self.state.roster.checks[ix].check.source;
        match self.state.sources.get(id).and_then(|source| source.swept_at) {
            Some(at) => format!("source {id} last answered at {}", (self.clock())(at)),
            None => format!("source {id} has never answered"),
        }
    }

    fn rule(&self, ix: Ix, view: &CycleView, judged: &Judged) -> String {
        let key = &view.cycle.key;
        let through =
            if view.wanted.place(ix).is_some_and(|place| view.wanted.is_direct(place)) { "" } else { " through other checks" };
        let act_by = if judged.live { format!("; act by {}", (self.clock())(judged.act_by)) } else { String::new() };
        format!("dashboard {} needs it{through}; {}{act_by}", key.dashboard, self.window(view))
    }

    fn window(&self, view: &CycleView) -> String {
        let (cycle, clock) = (&view.cycle, self.clock());
        let looks = if cycle.audience { "somebody looks" } else { "nobody looks on that day" };
        format!("what counts is of {} on; ready by {}; {looks}", clock(cycle.opens_at), self.time(cycle.deadline))
    }

    fn prospect(&self, view: &CycleView) -> Option<Prospect> {
        let dashboard = self.plan.dashboards.get(&view.cycle.key.dashboard)?;
        view.prospect(self.state, self.plan, dashboard, self.at)
    }

    fn of_dashboard(&self, view: &CycleView) -> String {
        let Some(prospect) = self.prospect(view) else { return none(view.verdict) };
        let eta = match prospect.eta {
            Some(eta) if eta.high > eta.low => {
                format!("about {} ({} to {})", (self.clock())(eta.at), (self.clock())(eta.low), (self.clock())(eta.high))
            }
            Some(eta) => format!("about {}", (self.clock())(eta.at)),
            None => "as likely as not nothing comes any more".to_owned(),
        };
        let basis = prospect.eta.map_or(String::new(), |eta| format!(", {}", basis(eta.basis)));
        let chance = prospect.p_miss.map_or(String::new(), |chance| {
            format!("; {:.0}% to miss {}", (chance * 100.0).clamp(1.0, 99.0), (self.clock())(view.cycle.deadline))
        });
        format!("{eta}{basis}{chance}")
    }

    /// When it is expected, what is usual, and how it does tonight.
    fn forecast(&self, ix: Ix, view: &CycleView, judged: &Judged, verdict: Verdict) -> String {
        let clock = self.clock();
        let mut parts = vec![match judged.forecast {
            Some(forecast) => {
                let eta = forecast.shown();
                let high = if eta.high > eta.at { format!(", {} at the latest", clock(eta.high)) } else { String::new() };
                let passed = eta.at <= self.at;
                let at = if passed { format!("was expected at {}", clock(eta.at)) } else { format!("about {}", clock(eta.at)) };
                format!("{at}{high}, {}", basis(eta.basis))
            }
            None => none(verdict),
        }];
        let habit = judged.habit();
        if let Some(rule) = view.as_a_rule(ix, self.state, self.plan).filter(|_| verdict > Verdict::Ready) {
            let [usual, late] = [rule.usual_s, rule.late_s].map(wall_clock);
            parts.push(format!("usually {usual}, 9 of 10 nights by {late} (its last {})", rule.nights));
        }
        if let Some((since, run)) = judged.works_since.zip(habit.and_then(|habit| habit.run)) {
            let took = self.at - since;
            let than = match took {
                _ if took > run.long => ", longer than 9 of 10 nights",
                _ if took > run.usual => ", longer than usual",
                _ => "",
            };
            parts.push(format!("running for {} min, usually {} min{than}", took.num_minutes(), run.usual.num_minutes()));
        }
        parts.join("; ")
    }
}

fn none(verdict: Verdict) -> String {
    let settled = verdict <= Verdict::Ready;
    if settled { "nothing more is waited for" } else { "none: nothing is known from which it could be told" }.to_owned()
}

fn basis(basis: Basis) -> String {
    match basis {
        Basis::Observed { nights } => format!("by its last {nights} nights"),
        Basis::Declared => "by the declared duration".to_owned(),
    }
}
