//! What is ahead of one check in one cycle: how it will come, when, and from when on that is too unsure.

use super::bench::{Bench, NOTICE, Row};
use super::now::Now;
use crate::core::forecast::{Curve, Forecast, Habit, Mixture, Outlook, RunTime, Runs, Tonight};
use crate::core::judge::Judged;
use crate::core::message::{Basis, NotStarted};
use crate::core::observation::RunState;
use crate::core::roster::Ix;
use crate::core::standing::Standing;
use crate::core::time::Instant;
use chrono::TimeDelta;

/// From the last useful moment on it is at risk if it is more likely to miss than not.
pub(super) const LIKELIER_THAN_NOT: f32 = 0.51;

/// How something will come.
pub(super) enum Course {
    /// Nobody knows when.
    Nobody,
    /// A run that works by itself since then.
    Working { since: Instant },
    /// It has not begun, and does not before `begins`, as far as that is known: so much later than usual. `waits`: something that it
    /// needs is outstanding.
    Ahead { begins: Option<Instant>, late_by: TimeDelta, waits: bool },
}

impl Course {
    /// From when on it is held against its run time: since it works, or where it begins later than usual, as what it needs came late. (Its
    /// own late nights were late for the same reason.)
    fn runs_from(&self, run: Option<RunTime>) -> Option<(Instant, RunTime)> {
        match self {
            Self::Working { since } => Some((*since, run?)),
            Self::Ahead { begins: Some(begins), late_by, .. } if *late_by > TimeDelta::zero() => {
                Some((*begins, run.filter(|run| run.basis != Basis::Declared)?))
            }
            Self::Ahead { .. } | Self::Nobody => None,
        }
    }
}

pub(super) struct Foreseen {
    pub(super) forecast: Option<Forecast>,
    /// Is that too unsure? `None`: nothing tells.
    pub(super) is_risky: Option<bool>,
    /// When it comes on half of its nights, tonight. `None`: too little is known for that.
    pub(super) usual_at: Option<Instant>,
}

impl Bench<'_> {
    /// When it is expected, and whether that is too unsure by now.
    pub(super) fn foresee(&self, row: &Row<'_>, now: &mut Now, works_since: Option<Instant>, act_by: Instant) -> Foreseen {
        let finish_by = self.cycle.deadline - row.open.after.usual;
        let course = self.course(row, works_since);
        let last_word = self.last_word(row, &course, act_by);
        // Nobody needs a curve before something is late for itself, as long as its late nights are in time too. And what still waits
        // for another check is as much at risk as that is.
        let usually = self.usually(row, &course);
        let usual_at = usually.map(|(usual, ..)| usual);
        if let Some((usual, late, nights)) = usually {
            let expected = |at: Instant| Some(Forecast { at, high: late, basis: Basis::Observed { nights } });
            let waits = matches!(course, Course::Ahead { waits: true, .. });
            if (late <= finish_by || waits) && !now.has_seen(usual) {
                // Noted before the hour is looked at, as that may move on with every answer.
                return Foreseen {
                    forecast: expected(usual),
                    usual_at,
                    is_risky: Some(waits && now.is(last_word) && usual > finish_by),
                };
            }
            // Nor of a run that is in time if it takes twice as long as on nine of ten nights.
            if let Course::Working { since } = course
                && late + (late - since) <= finish_by
                && !now.has_seen(late)
            {
                return Foreseen { forecast: expected(late), usual_at, is_risky: Some(false) };
            }
        }
        let Some((curve, basis)) = self.curve(row, &course) else {
            return Foreseen { usual_at, ..self.by_run_time(row, now, &course) };
        };
        // Of a run time that nobody has measured no more is hoped for then.
        let hope_ends = if basis == Basis::Declared { self.backstop() } else { self.cycle.deadline };
        let has_missed = |chance, now: &mut Now| now.has_seen(curve.misses_from(finish_by, chance));
        let is_risky =
            has_missed(self.dashboard.warn_at, now) || now.is(hope_ends) || has_missed(LIKELIER_THAN_NOT, now) && now.is(last_word);
        Foreseen { forecast: Forecast::by(&curve, basis, |expected| now.has_seen(expected)), usual_at, is_risky: Some(is_risky) }
    }

    /// By no more than how long it takes, where even that is known.
    fn by_run_time(&self, row: &Row<'_>, now: &mut Now, course: &Course) -> Foreseen {
        let (Course::Ahead { begins, .. }, Some(run)) = (course, &row.open.habit.run) else {
            return Foreseen { forecast: None, usual_at: None, is_risky: None };
        };
        let begins = begins.filter(|begins| !now.has_seen(*begins));
        // Where nothing makes it come, it is "if it began now", and moves on.
        let forecast = Forecast::from_start(begins.unwrap_or_else(|| now.seen_at()), run);
        let finish_by = self.cycle.deadline - row.open.after.usual;
        Foreseen {
            forecast: Some(forecast),
            usual_at: None,
            is_risky: begins.map(|_| forecast.at > finish_by || now.is(self.backstop())),
        }
    }

    /// The latest moment for a word of what may be late.
    pub(super) fn backstop(&self) -> Instant {
        self.cycle.deadline - self.dashboard.at_latest
    }

    /// When it comes on half of its nights and on nine of ten, tonight; and how many of them are known.
    fn usually(&self, row: &Row<'_>, course: &Course) -> Option<(Instant, Instant, u32)> {
        let Habit { run, arrives } = row.open.habit;
        if let Some((since, run)) = course.runs_from(run) {
            return match run.basis {
                Basis::Observed { nights } => Some((since + run.usual, since + run.long, nights)),
                Basis::Declared => None,
            };
        }
        let Course::Ahead { late_by, .. } = course else { return None };
        let wall = |s: f32| self.cycle.at_wall(s.ceil() as i64, self.plan) + *late_by;
        Some((wall(arrives?.usual_s?), wall(arrives?.late_s?), arrives?.nights))
    }

    /// The last useful moment for a word: a little before act-by, or `at_latest`. Where act-by lies before the hour at which it comes as a
    /// rule, nobody could have acted on its being late.
    pub(super) fn last_word(&self, row: &Row<'_>, course: &Course, act_by: Instant) -> Instant {
        let (notice, backstop) = (act_by - NOTICE, self.backstop());
        let in_vain = self.usually(row, course).is_some_and(|(usual, ..)| notice < usual);
        if in_vain { backstop } else { backstop.min(notice) }
    }

    /// Had it come tonight, before it was started again?
    fn had_come(&self, ix: Ix) -> bool {
        let tonight = |mixture: &Mixture| mixture.last_date() == Some(self.cycle.key.date);
        self.habits(ix)
            .filter(|mixture| tonight(mixture))
            .and_then(|mixture| mixture.nights().last())
            .is_some_and(|night| night.arrived_s().is_some())
    }

    /// By its own nights; `None`: it has none.
    fn outlook(&self, row: &Row<'_>) -> Option<Outlook> {
        Some(self.habits(row.ix)?.outlook(self.tonight(row.ix)))
    }

    pub(super) fn tonight(&self, ix: Ix) -> Tonight {
        self.cycle.tonight(&self.roster().checks[ix].check, self.dashboard, self.plan)
    }

    /// How it will come, by all that is known tonight.
    pub(super) fn course(&self, row: &Row<'_>, works_since: Option<Instant>) -> Course {
        // The last of what it needs; nobody knows when where that is so of one of them.
        let later = |last: Option<Instant>, next: &Judged| Some(last?.max(next.forecast?.at));
        let mut needs = row.needs.outstanding();
        let outstanding = needs.next().map(|first| needs.fold(first.forecast.map(|f| f.at), later));
        // Nobody knows when the source will start anything again.
        if self.stands_still(row).is_some() || outstanding == Some(None) {
            return Course::Nobody;
        }
        let under_way = match row.standing() {
            Standing::Failed { .. } | Standing::Unseen(_) => return Course::Nobody,
            Standing::Running { state: RunState::Running | RunState::Retrying { .. }, .. } => works_since,
            _ => None,
        };
        if let Some(since) = under_way {
            return Course::Working { since };
        }
        let scheduled = match row.standing() {
            Standing::NotStarted(NotStarted::Scheduled(at)) => Some(*at),
            _ => None,
        };
        let begins = [outstanding.flatten(), row.needs.fed_at(), scheduled].into_iter().flatten().max();
        let usual_s = row.open.habit.arrives.and_then(|arrives| arrives.usual_s);
        let usual = usual_s.map(|usual_s| self.cycle.at_wall(usual_s as i64, self.plan));
        // What begins later than usual comes as much later.
        let late_by = begins.zip(usual).map_or(TimeDelta::zero(), |(begins, usual)| begins + row.open.habit.run_time() - usual);
        Course::Ahead { begins, late_by: late_by.max(TimeDelta::zero()), waits: outstanding.is_some() }
    }

    /// `None`: too little is known for one.
    pub(super) fn curve(&self, row: &Row<'_>, course: &Course) -> Option<(Curve, Basis)> {
        if let Some((since, run)) = course.runs_from(row.open.habit.run) {
            let outlook = self.outlook(row).filter(|_| run.basis != Basis::Declared);
            let runs = outlook.and_then(|outlook| Runs::of(&outlook)).unwrap_or_else(|| Runs::declared(run.usual));
            return Some((Curve::Run { runs, since }, run.basis));
        }
        match course {
            Course::Nobody | Course::Working { .. } => None,
            // What is run again has come at its hour already.
            Course::Ahead { .. } if self.had_come(row.ix) => None,
            Course::Ahead { late_by, .. } => {
                let nights = row.open.habit.arrives?.nights;
                let (outlook, date, zone) = (self.outlook(row)?, self.cycle.key.date, self.plan.timezone);
                Some((Curve::Arrival { outlook, date, zone, late_by: *late_by }, Basis::Observed { nights }))
            }
        }
    }
}
