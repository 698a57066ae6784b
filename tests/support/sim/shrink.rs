//! Cuts a script down to what still breaks the same promise: fewer nights, dashboards, checks, runs and faults.

use super::player::{Manner, play};
use super::script::Script;
use chrono::TimeDelta;
use dawnwatch::core::plan::Id;
use std::panic::AssertUnwindSafe;

/// A world that was cut down so often is small, or costs more than it tells.
const PLAYS: usize = 400;
/// The number of a panic, among those of the promises.
pub const PANIC: u8 = 0;

/// Everything that is wrong with a script; a panic is one more thing.
pub fn wrong(script: &Script, manner: Manner) -> Vec<(u8, String)> {
    let played = std::panic::catch_unwind(AssertUnwindSafe(|| play(script, manner).violations().to_vec()));
    played.unwrap_or_else(|panic| {
        let what = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
        vec![(PANIC, format!("panic: {}", what.unwrap_or("without words")))]
    })
}

/// One way to make a script smaller; false: it changes nothing.
type Cut = Box<dyn Fn(&mut Script) -> bool>;

/// Does it break this promise?
pub fn breaks(script: &Script, promise: u8, manner: Manner) -> bool {
    wrong(script, manner).iter().any(|(number, _)| *number == promise)
}

/// The smallest script that was found of which the same is true.
pub fn shrink(script: &Script, still: &dyn Fn(&Script) -> bool) -> Script {
    let mut small = script.clone();
    let mut plays = 0;
    loop {
        let before = plays;
        let mut smaller = false;
        // From the last to the first: what is taken out moves only what was tried already.
        for cut in cuts(&small).into_iter().rev() {
            if plays >= PLAYS {
                return small;
            }
            let mut tried = small.clone();
            if !cut(&mut tried) || tried.conf.dashboards.is_empty() || tried.conf.checks.is_empty() && tried.conf.groups.is_empty()
            {
                continue;
            }
            plays += 1;
            if still(&tried) {
                small = tried;
                smaller = true;
            }
        }
        if !smaller || plays == before {
            return small;
        }
    }
}

/// Fine cuts first, coarse ones last: they are tried from behind.
fn cuts(script: &Script) -> Vec<Cut> {
    let mut cuts: Vec<Cut> = Vec::new();
    for (id, thing) in &script.things {
        for ix in 0..thing.runs.len() {
            cuts.push(at_thing(id, move |thing| without(&mut thing.runs, ix)));
        }
        for ix in 0..thing.data.len() {
            cuts.push(at_thing(id, move |thing| without(&mut thing.data, ix)));
        }
        let past = id.clone();
        cuts.push(Box::new(move |script| script.past.remove(&past).is_some()));
        cuts.push(at_thing(id, |thing| {
            let spans = [&mut thing.paused, &mut thing.import_error, &mut thing.gone, &mut thing.strange];
            let had = spans.into_iter().map(std::mem::take).filter(|spans| !spans.is_empty());
            had.count() > 0
        }));
    }
    for id in script.conf.dashboards.keys() {
        let id = id.clone();
        cuts.push(Box::new(move |script| {
            let Some(dashboard) = script.conf.dashboards.get_mut(&id) else { return false };
            let some = dashboard.wake || !dashboard.escalate.is_empty() || dashboard.ready_by.len() > 1;
            dashboard.wake = false;
            dashboard.escalate.clear();
            dashboard.ready_by.truncate(1);
            some
        }));
    }
    cuts.extend(script.conf.checks.keys().cloned().map(|id| -> Cut { Box::new(move |script| take_out(script, &id)) }));
    for id in script.conf.dashboards.keys() {
        let id = id.clone();
        cuts.push(Box::new(move |script| script.conf.dashboards.remove(&id).is_some()));
    }
    cuts.extend(faults(script));
    cuts.push(Box::new(|script| script.conf.digest.take().is_some()));
    cuts.push(Box::new(|script| !std::mem::take(&mut script.conf.windows).is_empty()));
    cuts.push(Box::new(|script| {
        let ungrouped =
            script.conf.dashboards.values().all(|dashboard| !dashboard.needs.iter().any(|id| id.as_str().starts_with("group:")));
        let some = ungrouped && !script.conf.groups.is_empty();
        if some {
            script.conf.groups.clear();
            script.things.retain(|_, thing| thing.group.is_none());
        }
        some
    }));
    for hours in [4, 12, 24] {
        cuts.push(Box::new(move |script| {
            script.to -= TimeDelta::hours(hours);
            script.to > script.from
        }));
    }
    cuts
}

/// Each thing that goes wrong around the pipelines, by itself and with all of its kind.
fn faults(script: &Script) -> Vec<Cut> {
    let mut cuts: Vec<Cut> = Vec::new();
    macro_rules! each {
        ($($list:ident),*) => {$(
            for ix in 0..script.$list.len() {
                cuts.push(Box::new(move |script: &mut Script| without(&mut script.$list, ix)));
            }
            cuts.push(Box::new(|script: &mut Script| !std::mem::take(&mut script.$list).is_empty()));
        )*};
    }
    each!(dark, dead, clocks, jumps, faults, crashes, naps, orders, changes, refused);
    cuts.push(Box::new(|script| !std::mem::take(&mut script.past).is_empty()));
    cuts.push(Box::new(|script| !std::mem::take(&mut script.parts).is_empty()));
    cuts.push(Box::new(|script| !std::mem::take(&mut script.fetch_s).is_empty()));
    cuts.push(Box::new(|script| {
        let own = script.conf.checks.values_mut().filter_map(|check| check.on.take());
        own.count() > 0
    }));
    cuts
}

fn at_thing(id: &Id, cut: impl Fn(&mut super::things::Thing) -> bool + 'static) -> Cut {
    let id = id.clone();
    Box::new(move |script| script.things.get_mut(&id).is_some_and(&cut))
}

fn without<T>(list: &mut Vec<T>, ix: usize) -> bool {
    let some = ix < list.len();
    if some {
        list.remove(ix);
    }
    some
}

/// Takes a check out of the world; not where another configuration speaks of it too.
fn take_out(script: &mut Script, id: &Id) -> bool {
    if !script.changes.is_empty() || script.conf.checks.remove(id).is_none() {
        return false;
    }
    script.things.remove(id);
    script.conf.checks.values_mut().for_each(|check| check.needs.retain(|need| need != id));
    script.conf.dashboards.values_mut().for_each(|dashboard| dashboard.needs.retain(|need| need != id));
    script.conf.dashboards.retain(|_, dashboard| !dashboard.needs.is_empty());
    script.conf.windows.values_mut().for_each(|window| window.checks.retain(|check| check != id));
    true
}
