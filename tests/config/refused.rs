//! `refused.txt`: bad configurations and the exact report of each.

use crate::{BASE, Folder};

struct Case {
    name: &'static str,
    text: &'static str,
    expected: &'static str,
}

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for section in include_str!("refused.txt").split("=== ").skip(1) {
        let (name, rest) = section.split_once('\n').unwrap();
        let (text, expected) = rest.split_once("---\n").unwrap();
        cases.push(Case { name, text, expected: expected.trim_end() });
    }
    cases
}

#[test]
fn every_slip_has_its_sentence() {
    let mut wrong = String::new();
    for Case { name, text, expected } in cases() {
        let folder = Folder::new(&[("dawnwatch.toml", BASE), ("conf.d/case.toml", text)]);
        let found = match folder.load(None, &[]) {
            Ok(_) => "accepted".to_owned(),
            Err(refused) => folder.lines(&refused.errors).replace("conf.d/case.toml:", ""),
        };
        if found.trim_end() != expected {
            wrong += &format!("=== {name}\n{text}---\n{found}\n");
        }
    }
    assert!(wrong.is_empty(), "these cases report otherwise than refused.txt says:\n{wrong}");
}

#[test]
fn no_sentence_repeats_a_secret() {
    let slips = [
        "[chats.a]\nkind = \"slack\"\nurl = \"https://hooks.slack.com/services/hunter2\"",
        "[chats.a]\nkind = \"webhook\"\nurl = \"hunter2\"",
        "[chats.a]\nkind = \"webhook\"\nurl = \"https://me:hunter2@example.com\"",
        "[chats.a]\nkind = \"webhook\"\nurl = { value = \"https://example.com/hunter2\" }",
        "[chats.a]\nkind = \"webhook\"\nurl = { env = \"X\", hunter = 2 }\nsecret = \"hunter2\"",
        "[sources.a]\nkind = \"airflow\"\nurl = \"http://127.0.0.1\"\ntoken = \"hunter2\"",
        "[sources.a]\nkind = \"airflow\"\nurl = \"http://example.com\"\ntoken = { value = \"hunter2\" }",
        "[sources.a]\nkind = \"http\"\nurl = \"http://example.com\"\nstate = \"$\"\nheaders = { x-api-key = \"hunter2\" }",
        "[sources.a]\nkind = \"sql\"\nurl = \"postgres://w:hunter2@db.example.com/x\"",
        "[sources.a]\nkind = \"sql\"\nurl = \"postgres://w@127.0.0.1/x?pasword=hunter2\"",
        "[sources.a]\nkind = \"sql\"\nurl = { value = \"postgres://w:hunter2@db.example.com/x\" }",
        "[sources.a]\nkind = \"sql\"\nurl = \"hunter2\"",
        "[web]\ntoken = [\"hunter2\"]",
        "[sources.a]\ntoken = \"hunter2",
    ];
    for slip in slips {
        let folder = Folder::new(&[("dawnwatch.toml", BASE), ("conf.d/case.toml", slip)]);
        let refused = folder.load(None, &[("DAWNWATCH__WEB__TOKEN", "{ value = 'hunter2' }}")]).unwrap_err();
        assert!(!format!("{refused:?}").contains("hunter2"), "{slip}\n{refused:?}");
    }
}
