//! Messages of any size and any letters, out of the samples.

use dawnwatch::core::message::{Body, Message};
use dawnwatch::core::plan::Language;
use proptest::prelude::*;

/// A sample with names, counts and instants that no one expects.
pub fn wild() -> impl Strategy<Value = (Message, Language)> {
    let name = prop_oneof!["\\PC{0,40}", "[a-z_.]{1,30}", "(가|힣|a){200,400}", "[*_<>&@!\\n\u{202e}א]{0,60}"];
    let parts = (name.clone(), name.clone(), name, 0usize..150, 0usize..400, -600i64..600, any::<bool>());
    (0..super::messages::samples().len(), parts).prop_map(|(which, (id, board, error, boards, waiting, minutes, korean))| {
        let mut message = super::messages::samples().swap_remove(which).1;
        message.at += chrono::TimeDelta::minutes(minutes);
        match &mut message.body {
            Body::Incident { about, .. } => {
                about.cause = dawnwatch::core::state::Cause::Check(id.into());
                about.waiting = waiting;
                about.dashboards = vec![super::messages::dashboard(&board, "23 09:00"); boards];
                about.owner.iter_mut().for_each(|o| o.name.clone_from(&error));
                about.runbook = Some(format!("https://x.example/{error}"));
            }
            Body::Resolved(about) => about.dashboards = vec![super::messages::dashboard(&board, "23 09:00"); boards],
            Body::Digest(about) => {
                about.broken_chats = vec![(id.into(), error); boards];
                about.dashboards = vec![super::messages::dashboard(&board, "23 09:00"); boards];
            }
            Body::Week(about) => {
                about.causes = vec![(dawnwatch::core::state::Cause::Check(id.clone().into()), Default::default()); boards.min(8)];
                about.blind = vec![(error.into(), minutes); boards.min(8)];
                about.sums.deadlines.missed = waiting;
                about.before = None;
            }
            Body::Watch(about) => about.why = error,
        }
        (message, if korean { Language::Ko } else { Language::En })
    })
}
