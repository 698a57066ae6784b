//! Questions and their answers: at once, in parts, or late.

use super::Player;
use chrono::TimeDelta;
use dawnwatch::core::observation::{Answer, Ask, Heard, Sweep};
use dawnwatch::core::plan::Id;
use dawnwatch::core::step::Input;

/// Questions of one kind to one source: one at a time.
pub type Slot = (Id, u8);

pub fn slot(ask: &Ask) -> Slot {
    let kind = match ask {
        Ask::Sweep { .. } => 0,
        Ask::List { .. } => 1,
        Ask::Failure { .. } => 2,
    };
    (ask.source().clone(), kind)
}

impl Player<'_> {
    /// Puts a question; its answer comes at once, in parts, or later.
    pub(super) fn ask(&mut self, ask: Ask) {
        // One that was asked for twice at the same instant.
        if self.coming.contains_key(&slot(&ask)) {
            return;
        }
        let mut answer = self.script.answer(&ask, self.real);
        if self.manner.shuffled {
            self.shuffle(&mut answer);
        }
        let (source, asked_at) = (ask.source().clone(), self.at);
        let heard = |ask, answer| Heard { ask, asked_at, answer };
        if matches!(ask, Ask::Sweep { .. }) {
            self.record.asked.entry(source.clone()).or_default().push(self.real);
        }
        let after = |seconds: i64| self.real + TimeDelta::seconds(seconds);
        let mut answers = Vec::new();
        match (&ask, answer, self.script.parts.get(&source)) {
            (Ask::Sweep { subjects, dates, since, .. }, Answer::Sweep(mut sweep), Some((parts, apart_s))) => {
                let mut seconds = 0;
                for some in subjects.chunks(subjects.len().div_ceil(*parts).max(1)) {
                    let items = sweep.items.extract_if(.., |item| some.contains(&item.subject)).collect();
                    let ask = Ask::Sweep { source: source.clone(), subjects: some.into(), dates: dates.clone(), since: *since };
                    answers.push((after(seconds), heard(ask, Answer::Part(Sweep { items, ..Sweep::default() }))));
                    seconds += apart_s;
                }
                let ask = Ask::Sweep { source: source.clone(), subjects: [].into(), dates: dates.clone(), since: *since };
                answers.push((after(seconds), heard(ask, Answer::Sweep(sweep))));
            }
            (Ask::Failure { .. }, answer, _) => {
                let seconds = self.script.fetch_s.get(&source).copied().unwrap_or(0);
                answers.push((after(seconds), heard(ask.clone(), answer)));
            }
            (_, answer, _) => answers.push((self.real, heard(ask.clone(), answer))),
        }
        self.coming.insert(slot(&ask), answers);
    }

    /// Takes in the answers whose time has come.
    pub(super) fn hear(&mut self) {
        while let Some(key) = self.coming.iter().find(|(_, answers)| answers[0].0 <= self.real).map(|(key, _)| key.clone()) {
            let answers = self.coming.get_mut(&key).expect("just found");
            let (_, heard) = answers.remove(0);
            if answers.is_empty() {
                self.coming.remove(&key);
            }
            if matches!(heard.answer, Answer::Sweep(_) | Answer::Part(_)) {
                self.record.swept.entry(key.0).or_default().push(self.real - (self.at - heard.asked_at));
            }
            self.take(Input::Heard(heard));
        }
    }

    fn shuffle(&mut self, answer: &mut Answer) {
        let rng = &mut self.chance;
        match answer {
            Answer::Sweep(sweep) => sweep.items.sort_by_cached_key(|_| rng.next()),
            Answer::Listing(members) => {
                let mut shuffled = members.to_vec();
                shuffled.sort_by_cached_key(|_| rng.next());
                *members = shuffled.into();
            }
            _ => {}
        }
    }
}
