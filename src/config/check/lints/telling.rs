//! Lints about who is told: chats, quiet hours, rungs, digests.

use super::{Checker, hours_word, span};
use crate::config::wiring::{Address, ChatWiring, Secret};
use crate::core::calendar::DayRule;
use crate::core::plan::{Chat, Dashboard, DigestAbout, Id, Manner, Plan};
use chrono::{NaiveTime, TimeDelta};
use std::collections::{BTreeMap, BTreeSet};

/// Quiet for longer than this leaves hardly a moment in which a person can be asked.
const QUIET_AT_MOST: TimeDelta = TimeDelta::hours(20);

impl Checker<'_> {
    pub(super) fn lint_telling(&mut self, plan: &Plan, chats: &BTreeMap<Id, ChatWiring>) {
        self.untold(plan);
        self.unused_chats(plan);
        self.quiet_for_ever(plan);
        self.mute_mentions(plan, chats);
        self.fallbacks_that_break_together(plan, chats);
        for (id, dashboard) in &plan.dashboards {
            self.rungs(plan, id, dashboard);
        }
        self.late_digests(plan);
        self.quiet_digests(plan);
        self.weeks_every_day(plan);
    }

    fn untold(&mut self, plan: &Plan) {
        if plan.tell.is_empty() {
            let place = self.place(&["tell"]);
            self.report.warning(place, "there is no tell at the top: trouble of the watch itself is told to nobody");
        }
        for (id, dashboard) in &plan.dashboards {
            // The chats at the top stand in for its own.
            if dashboard.tell.is_empty() && plan.tell.is_empty() {
                let text = format!("neither dashboard {id} nor the top has a tell: nobody is told when it will be late");
                self.warning(&["dashboards", id.as_str()], text);
            }
        }
        if plan.dashboards.is_empty() {
            for id in plan.digests.keys() {
                self.warning(&["digests", id.as_str()], format!("there are no dashboards: digest {id} has nothing to sum up"));
            }
        }
    }

    fn unused_chats(&mut self, plan: &Plan) {
        let dashboards = plan.dashboards.values().flat_map(|dashboard| dashboard.tell.iter().chain(&dashboard.escalate));
        let digests = plan.digests.values().flat_map(|digest| &digest.to);
        let fallbacks = plan.chats.values().filter_map(|chat| chat.fallback.as_ref());
        let used: BTreeSet<&Id> = plan.tell.iter().chain(dashboards).chain(digests).chain(fallbacks).collect();
        for id in plan.chats.keys().filter(|id| !used.contains(id)) {
            self.warning(&["chats", id.as_str()], format!("nothing is ever told to chat {id}"));
        }
    }

    fn quiet_for_ever(&mut self, plan: &Plan) {
        for (id, chat) in &plan.chats {
            if chat.quiet_days.as_ref().is_some_and(every_day) {
                let text = format!("chat {id} is quiet on every day: nobody is ever asked there before the deadline");
                self.warning(&["chats", id.as_str(), "quiet_days"], text);
            }
            let quiet = chat.quiet.map(|hours| length(hours.from, hours.to)).filter(|quiet| *quiet > QUIET_AT_MOST);
            if let Some(quiet) = quiet {
                let awake = hours_word(TimeDelta::days(1) - quiet);
                let text = format!("chat {id} is quiet nearly the whole day: a person is asked there in {awake} of it only");
                self.warning(&["chats", id.as_str(), "quiet"], text);
            }
        }
    }

    /// A name that is only written out asks nobody.
    /// <https://docs.slack.dev/messaging/formatting-message-text#mentioning-users>
    fn mute_mentions(&mut self, plan: &Plan, chats: &BTreeMap<Id, ChatWiring>) {
        for (id, chat) in &plan.chats {
            let Some(mention) = &chat.mention else { continue };
            let path = ["chats", id.as_str(), "mention"];
            let slack = matches!(chats.get(id), Some(ChatWiring::Slack { .. }));
            let sounds = ["<@", "<!"].iter().any(|begin| mention.contains(begin)) && mention.contains('>');
            if mention.trim().is_empty() {
                self.warning(&path, format!("the mention of chat {id} is empty: nobody is asked by name"));
            } else if slack && !sounds {
                let such_as = "expected for example <@U0123ABCD>, <!subteam^S0123ABCD> or <!here>";
                self.warning(&path, format!("the mention of chat {id} reaches nobody in Slack; {such_as}"));
            }
        }
    }

    fn fallbacks_that_break_together(&mut self, plan: &Plan, chats: &BTreeMap<Id, ChatWiring>) {
        for (id, chat) in &plan.chats {
            let Some(fallback) = &chat.fallback else { continue };
            let both = chats.get(id).and_then(address).zip(chats.get(fallback).and_then(address));
            if both.is_some_and(|(one, other)| same(one, other)) {
                let text = format!("chat {id} and its fallback {fallback} have the same url: what breaks the one breaks the other");
                self.warning(&["chats", id.as_str(), "fallback"], text);
            }
        }
    }

    fn rungs(&mut self, plan: &Plan, id: &Id, dashboard: &Dashboard) {
        let path = |key| ["dashboards", id.as_str(), key];
        let told = if dashboard.tell.is_empty() { &plan.tell } else { &dashboard.tell };
        if let Some(again) = dashboard.escalate.iter().find(|chat| told.contains(chat)) {
            let text = format!("dashboard {id} escalates to chat {again}, which is told first: nobody else is asked there");
            self.warning(&path("escalate"), text);
        }
        if !dashboard.wake {
            return;
        }
        let quiet = |chat: &&Id| plan.chats.get(*chat).is_some_and(is_quiet);
        let quiet: Vec<&Id> = told.iter().filter(quiet).collect();
        if !told.is_empty() && quiet.is_empty() {
            let text = format!("dashboard {id} has wake = true, but none of its chats is ever quiet: there is nothing to break");
            self.warning(&path("wake"), text);
        } else if dashboard.escalate.is_empty() && quiet.len() == told.len() {
            let text = format!("dashboard {id} has wake = true and no escalate: whoever sleeps through it is the last to be asked");
            self.warning(&path("wake"), text);
        }
    }

    /// A digest that comes when all deadlines are over is fine beside one that comes before; alone it helps nobody.
    fn late_digests(&mut self, plan: &Plan) {
        let deadlines = plan.dashboards.values().filter_map(|dashboard| dashboard.ready_by.last());
        let Some(last) = deadlines.max() else { return };
        let of_now = || plan.digests.iter().filter(|(_, digest)| digest.about == DigestAbout::Now);
        if of_now().any(|(_, digest)| digest.when.latest() < *last) {
            return;
        }
        for (id, digest) in of_now() {
            let text = format!(
                "digest {id} is given at {}, when every deadline is over (the last is {last}): there is nothing left to save",
                digest.when.latest()
            );
            self.warning(&["digests", id.as_str(), "at"], text);
        }
    }

    fn weeks_every_day(&mut self, plan: &Plan) {
        for (id, _) in plan.digests.iter().filter(|(_, digest)| digest.about == DigestAbout::Week && every_day(&digest.on)) {
            let text = format!("digest {id} tells the last 7 days on every day: give it a day, such as on = \"mon\"");
            self.warning(&["digests", id.as_str()], text);
        }
    }

    fn quiet_digests(&mut self, plan: &Plan) {
        for (id, digest) in &plan.digests {
            for (key, manner) in [("workdays", digest.green_workdays), ("otherwise", digest.green_otherwise)] {
                if manner == Manner::Quiet {
                    let text = format!("{key} = \"quiet\": no chat can edit a message yet, so digest {id} is silent then");
                    self.warning(&["digests", id.as_str(), "when_all_green", key], text);
                }
            }
        }
    }
}

fn is_quiet(chat: &Chat) -> bool {
    chat.quiet.is_some() || chat.quiet_days.is_some()
}

fn every_day(days: &DayRule) -> bool {
    matches!(days, DayRule::Daily | DayRule::Weekdays(_) | DayRule::Cron(_))
        && span().all(|day| days.holds(day, &BTreeMap::new()) == Some(true))
}

fn length(from: NaiveTime, to: NaiveTime) -> TimeDelta {
    let length = to - from;
    if length > TimeDelta::zero() { length } else { length + TimeDelta::days(1) }
}

fn address(chat: &ChatWiring) -> Option<&Address> {
    match chat {
        ChatWiring::Slack { url, .. } | ChatWiring::Webhook { url, .. } => Some(url),
        ChatWiring::Console => None,
    }
}

/// As far as it shows without a look at the secrets.
fn same(one: &Address, other: &Address) -> bool {
    match (one, other) {
        (Address::Plain(one), Address::Plain(other)) => one == other,
        (Address::Secret(Secret::Env(one)), Address::Secret(Secret::Env(other))) => one == other,
        (Address::Secret(Secret::File(one)), Address::Secret(Secret::File(other))) => one == other,
        _ => false,
    }
}
