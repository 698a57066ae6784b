//! The hand that writes: every change of the state goes through here, so that it is in the commit.

use super::command::Muted;
use super::grounds;
use super::observation::Listing;
use super::plan::{Id, Plan};
use super::roster::Ix;
use super::state::{
    About, ChatState, CheckState, Commit, CycleKey, CycleState, Decision, DigestState, Entry, Grounds, Incident, IncidentId, Key,
    News, Observed, Pause, Post, PostId, Reason, Row, SourceState, State, WatchState,
};
use super::time::Instant;
use std::collections::BTreeSet;

/// One step under way.
pub(super) struct Tx<'a> {
    pub(super) state: &'a mut State,
    pub(super) plan: &'a Plan,
    pub(super) at: Instant,
    touched: BTreeSet<Key>,
    ledger: Vec<Entry>,
    observed: Vec<Observed>,
    /// What is expected was brought to now (`foresee`).
    pub(super) foreseen: bool,
}

impl<'a> Tx<'a> {
    pub(super) fn new(state: &'a mut State, plan: &'a Plan, at: Instant) -> Self {
        Self { state, plan, at, touched: BTreeSet::new(), ledger: Vec::new(), observed: Vec::new(), foreseen: false }
    }

    pub(super) fn check_mut(&mut self, ix: Ix) -> &mut CheckState {
        self.touched.insert(Key::Check(self.state.roster.checks[ix].id.clone()));
        self.look_again(ix);
        &mut self.state.checks[ix]
    }

    /// Where the check stands may be another place now: whoever is judged next looks.
    fn look_again(&mut self, ix: Ix) {
        for dashboard in &self.state.roster.checks[ix].dashboards {
            if let Some(view) = self.state.view.cycles.get_mut(dashboard) {
                view.touched.insert(ix);
            }
        }
    }

    pub(super) fn source_mut(&mut self, id: &Id) -> &mut SourceState {
        self.touched.insert(Key::Source(id.clone()));
        self.state.sources.entry(id.clone()).or_default()
    }

    /// The plan no longer has it.
    pub(super) fn drop_source(&mut self, id: &Id) {
        self.touched.insert(Key::Source(id.clone()));
        self.state.sources.remove(id);
    }

    pub(super) fn touch_members(&mut self, source: &Id) {
        self.touched.insert(Key::Members(source.clone()));
    }

    pub(super) fn put_cycle(&mut self, key: CycleKey, cycle: CycleState) {
        self.touched.insert(Key::Cycle(key.clone()));
        self.state.cycles.insert(key, cycle);
    }

    pub(super) fn put_incident(&mut self, incident: Incident) {
        self.touched.insert(Key::Incident(incident.id));
        self.state.incidents.insert(incident.id, incident);
    }

    pub(super) fn drop_incident(&mut self, id: IncidentId) {
        self.touched.insert(Key::Incident(id));
        self.state.incidents.remove(&id);
    }

    pub(super) fn put_post(&mut self, post: Post) {
        self.touched.insert(Key::Post(post.id));
        self.state.posts.insert(post.id, post);
    }

    pub(super) fn drop_post(&mut self, id: PostId) {
        self.touched.insert(Key::Post(id));
        self.state.posts.remove(&id);
    }

    pub(super) fn drop_cycle(&mut self, key: &CycleKey) {
        self.touched.insert(Key::Cycle(key.clone()));
        self.state.cycles.remove(key);
    }

    pub(super) fn chat_mut(&mut self, id: &Id) -> &mut ChatState {
        self.touched.insert(Key::Chat(id.clone()));
        self.state.chats.entry(id.clone()).or_default()
    }

    pub(super) fn put_digest(&mut self, id: Id, digest: DigestState) {
        self.touched.insert(Key::Digest(id.clone()));
        self.state.digests.insert(id, digest);
    }

    pub(super) fn watch_mut(&mut self) -> &mut WatchState {
        self.touched.insert(Key::Watch);
        &mut self.state.watch
    }

    pub(super) fn next_incident(&mut self) -> IncidentId {
        self.touched.insert(Key::Counters);
        self.state.counters.incident += 1;
        self.state.counters.incident
    }

    pub(super) fn next_post(&mut self) -> PostId {
        self.touched.insert(Key::Counters);
        self.state.counters.post += 1;
        self.state.counters.post
    }

    /// Something was heard for these checks: their dashboards are judged anew.
    pub(super) fn dirty(&mut self, ix: Ix) {
        self.state.view.dirty.extend(self.state.roster.checks[ix].dashboards.iter().cloned());
        self.look_again(ix);
    }

    pub(super) fn write_down(
        &mut self,
        about: About,
        chat: Option<Id>,
        decision: Decision,
        reason: Reason,
        evidence: impl Into<Option<Grounds>>,
    ) {
        let evidence = evidence.into().map(Box::new);
        let entry = Entry { at: self.at, about, chat, decision, reason, evidence, fingerprint: self.plan.fingerprint.clone() };
        let changed = self.state.days.take(&entry, self.plan.timezone);
        self.touched.extend(changed.into_iter().map(Key::Day));
        self.ledger.push(entry);
    }

    /// Days on which nothing was written down are counted, too.
    pub(super) fn tend_days(&mut self) {
        let changed = self.state.days.tend(self.at, self.plan.timezone);
        self.touched.extend(changed.into_iter().map(Key::Day));
    }

    pub(super) fn note(&mut self, about: About, reason: Reason, evidence: impl Into<Option<Grounds>>) {
        self.write_down(about, None, Decision::Note, reason, evidence);
    }

    /// A note about an incident as it is now.
    pub(super) fn note_of(&mut self, incident: &Incident, reason: Reason) {
        let trouble = grounds::of_incident(self, incident, None, None);
        self.note(About::Incident(incident.id), reason, trouble);
    }

    pub(super) fn observe(&mut self, at: Instant, news: News) {
        self.observed.push(Observed { at, news });
    }

    pub(super) fn put_mute(&mut self, what: Muted, pause: Pause) {
        self.touched.insert(Key::Mute(what.clone()));
        self.state.mutes.insert(what, pause);
    }

    pub(super) fn drop_mute(&mut self, what: &Muted) {
        self.touched.insert(Key::Mute(what.clone()));
        self.state.mutes.remove(what);
    }

    /// The check is none any more, until its source lists it again: its row goes.
    pub(super) fn drop_check(&mut self, ix: Ix) {
        let id = self.state.roster.checks[ix].id.clone();
        self.dirty(ix);
        self.touched.insert(Key::Check(id.clone()));
        let mut known = self.state.take_checks();
        known.remove(&id);
        self.state.adopt(known, self.plan);
    }

    pub(super) fn has_written_nothing_down(&self) -> bool {
        self.ledger.is_empty()
    }

    /// Rows as they are now, for everything that was touched.
    pub(super) fn commit(self) -> Commit {
        let put = Vec::with_capacity(self.touched.len());
        let mut commit = Commit { put, ledger: self.ledger, observed: self.observed, ..Commit::default() };
        for key in self.touched {
            match self.state.row(&key) {
                Some(row) => commit.put.push(row),
                None => commit.delete.push(key),
            }
        }
        commit
    }
}

impl State {
    /// The row of this name as it is now; `None`: there is none.
    pub fn row(&self, key: &Key) -> Option<Row> {
        Some(match key {
            // Its listing is a row of its own.
            Key::Source(id) => {
                let source = self.sources.get(id)?;
                let alone = SourceState { members: Listing::default(), ..source.clone() };
                Row::Source(id.clone(), Box::new(alone))
            }
            Key::Members(id) => Row::Members(id.clone(), self.sources.get(id)?.members.clone()),
            Key::Check(id) => Row::Check(id.clone(), Box::new(self.checks.get(self.roster.place(id)?)?.clone())),
            Key::Cycle(key) => Row::Cycle(key.clone(), self.cycles.get(key)?.clone()),
            Key::Incident(id) => Row::Incident(Box::new(self.incidents.get(id)?.clone())),
            Key::Post(id) => Row::Post(Box::new(self.posts.get(id)?.clone())),
            Key::Chat(id) => Row::Chat(id.clone(), self.chats.get(id)?.clone()),
            Key::Digest(id) => Row::Digest(id.clone(), self.digests.get(id)?.clone()),
            Key::Counters => Row::Counters(self.counters),
            Key::Watch => Row::Watch(self.watch.clone()),
            Key::Mute(what) => Row::Mute(what.clone(), Box::new(self.mutes.get(what)?.clone())),
            Key::Day(date) => Row::Day(*date, Box::new(self.days.day(*date)?.clone())),
        })
    }
}
