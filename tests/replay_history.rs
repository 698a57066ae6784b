//! Where a replay's history comes from: what each origin says was seen, and that a night played from it says what the night said.

#[path = "support/world.rs"]
mod world;

#[path = "replay_history/csv.rs"]
mod csv;

#[path = "replay_history/fetched.rs"]
mod fetched;
#[path = "replay_history/members.rs"]
mod members;
#[path = "replay_history/stored.rs"]
mod stored;

use dawnwatch::core::observation::*;
use dawnwatch::core::plan::*;
use dawnwatch::core::state::*;
use dawnwatch::replay::{BEGINNING, Came, History, Past, Player};
use std::path::Path;
use std::sync::Arc;
use world::*;

/// A file in a folder of its own.
fn file(text: &str) -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("nights.csv");
    std::fs::write(&path, text).unwrap();
    (folder, path)
}

async fn all(mut history: History) -> Vec<Observed> {
    let mut all = Vec::new();
    while let Some(page) = history.next_page().await.unwrap() {
        assert!(!page.is_empty(), "a page with nothing on it");
        all.extend(page);
    }
    assert!(history.next_page().await.unwrap().is_none(), "more after the end");
    assert!(all.is_sorted_by_key(|observed| observed.at), "not in order of time");
    all
}

/// What was seen after the beginning, one line each.
async fn seen(plan: &Plan, path: &Path) -> Vec<String> {
    let all = all(History::csv(path, &Arc::new(plan.clone())).unwrap()).await;
    all.iter().filter(|observed| observed.at != BEGINNING).map(shown).collect()
}

fn shown(observed: &Observed) -> String {
    let what = match &observed.news {
        News::Subject { subject, fact: Some(fact), .. } => format!("{subject} {}", fact_shown(fact)),
        News::Subject { subject, fact: None, .. } => format!("{subject} is not known"),
        News::Failure { subject, failure, .. } => format!("{subject} because {}", failure.error.as_deref().unwrap_or("?")),
        News::Source { source, dark: Some(why) } => format!("{source} dark: {}", why.detail),
        News::Source { source, dark: None } => format!("{source} back"),
        other => format!("{other:?}"),
    };
    format!("{} {what}", local(observed.at))
}

fn fact_shown(fact: &Fact) -> String {
    match fact {
        Fact::Runs(runs) => {
            let run = |run: &Run| {
                let state = match &run.state {
                    RunState::Retrying { .. } => "retrying".to_owned(),
                    state => format!("{state:?}").to_lowercase(),
                };
                let kind = if run.kind == RunKind::Scheduled { String::new() } else { format!("{:?} ", run.kind).to_lowercase() };
                let times = [Some(run.scheduled_at), run.started_at, run.ended_at].map(|at| at.map_or("-".to_owned(), clock));
                format!("{kind}{state} {}", times.join("/"))
            };
            runs.iter().map(run).collect::<Vec<_>>().join(", ")
        }
        Fact::Timestamp(newest) => format!("newest {}", newest.map_or("none".to_owned(), local)),
        Fact::Dated(dates) => {
            dates.iter().map(|(date, at)| format!("{date} {}", at.map_or("-".to_owned(), local))).collect::<Vec<_>>().join(", ")
        }
        Fact::Suspicious(why) => why.clone(),
    }
}

fn clock(at: dawnwatch::core::time::Instant) -> String {
    at.with_timezone(&chrono_tz::Asia::Seoul).format("%H:%M").to_string()
}

/// The night as it would be said.
async fn played(plan: &Plan, mut history: History, from: &str, to: &str) -> Vec<String> {
    let mut player = Player::new(Arc::new(plan.clone()), Past::default(), seoul(from));
    while let Some(page) = history.next_page().await.unwrap() {
        for observed in page {
            player.play_to(observed.at);
            player.learn(observed);
        }
    }
    player.play_to(seoul(to) + chrono::TimeDelta::seconds(1));
    let said = player.came().into_iter().filter_map(|came| match came {
        Came::Said(said) => Some(Said { at: said.at, chat: said.post.chat.to_string(), post: said.post }),
        _ => None,
    });
    said.map(|said| line(&said)).collect()
}
