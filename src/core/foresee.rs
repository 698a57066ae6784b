//! Brings what is expected to now: it moves on with time while every verdict holds. Judges nothing that is written down.

use super::judge;
use super::state::Verdict;
use super::tx::Tx;

/// Before words are made of it; once in a step.
pub(super) fn foresee(tx: &mut Tx<'_>) {
    let plan = tx.plan;
    if std::mem::replace(&mut tx.foreseen, true) {
        return;
    }
    for (id, dashboard) in &plan.dashboards {
        let outstanding = tx.state.view.cycles.get(id).filter(|view| view.verdict > Verdict::Ready);
        let Some(mut now) = outstanding.cloned() else { continue };
        judge::judge_again(&mut now, tx.state, plan, dashboard, tx.at);
        let Some(view) = tx.state.view.cycles.get_mut(id) else { continue };
        for ((ix, had), (_, new)) in view.checks.iter_mut().zip(now.checks) {
            if had.forecast != new.forecast {
                had.forecast = new.forecast;
                // What rests on it is to see that it has moved.
                view.touched.insert(*ix);
            }
        }
    }
}
