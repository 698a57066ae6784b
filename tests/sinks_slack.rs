//! Payloads for Slack and for the generic webhook: always taken, never mentioning anybody by accident.

#[path = "support/messages.rs"]
mod messages;
#[path = "support/wild.rs"]
mod wild;

use dawnwatch::config::wiring::{Address, ChatWiring};
use dawnwatch::core::message::{Body, Message};
use dawnwatch::core::plan::{Chat, Id, Language};
use dawnwatch::core::state::{Attention, Cause};
use dawnwatch::sinks::{Sink, limits::problems};
use messages::{dashboard, failed, incident, message, samples};
use proptest::prelude::{ProptestConfig, prop_assert_eq, proptest};
use proptest::test_runner::RngSeed;
use serde_json::{Value, json};
use wild::wild;

fn chat(language: Language) -> Chat {
    let mention = Some("<!subteam^S0123ABCD>".to_owned());
    Chat { language, quiet: None, quiet_days: None, mention, fallback: None, idempotent: false }
}

fn slack() -> Sink {
    let url = Address::Plain("http://127.0.0.1:9/services/T0/B0/secret".parse().unwrap());
    Sink::build(&Id::from("team"), &ChatWiring::Slack { url, timeout: chrono::TimeDelta::seconds(1), ca_file: None }).unwrap()
}

fn webhook() -> Sink {
    let url = Address::Plain("http://127.0.0.1:9/".parse().unwrap());
    let wiring = ChatWiring::Webhook { url, secret: None, timeout: chrono::TimeDelta::seconds(1), ca_file: None };
    Sink::build(&Id::from("backup"), &wiring).unwrap()
}

fn json_of(sink: &Sink, message: &Message, language: Language) -> Value {
    serde_json::from_slice(&sink.render(message, &chat(language), "key").body).unwrap()
}

#[test]
fn slack_takes_every_sample() {
    let sink = slack();
    for (name, message) in samples() {
        for language in [Language::En, Language::Ko] {
            let payload = json_of(&sink, &message, language);
            assert_eq!(problems(&payload), Vec::<String>::new(), "{name} {payload:#}");
            let asks = message.attention >= Attention::Notify;
            assert_eq!(payload["text"].as_str().unwrap().starts_with("<!subteam^S0123ABCD> "), asks, "{name}");
        }
    }
}

#[test]
fn three_payloads_in_full() {
    let all = samples();
    let of = |wanted: &str| &all.iter().find(|(name, _)| *name == wanted).unwrap().1;
    let pretty = |value: Value| serde_json::to_string_pretty(&value).unwrap();
    insta::assert_snapshot!("slack_root_cause_en", pretty(json_of(&slack(), of("root_cause"), Language::En)));
    insta::assert_snapshot!("slack_asked_ko", pretty(json_of(&slack(), of("asked"), Language::Ko)));
    insta::assert_snapshot!("slack_digest_ready_ko", pretty(json_of(&slack(), of("digest_ready"), Language::Ko)));
    insta::assert_snapshot!("webhook_running_long_en", pretty(json_of(&webhook(), of("running_long"), Language::En)));
}

#[test]
fn names_never_mention_anybody() {
    let names = [
        "<!channel>",
        "<@U123>",
        "*bold*",
        "_it_",
        "`x`",
        "a\nb\u{2028}c",
        "\u{202e}evil",
        "שלום",
        "&lt;!here&gt;",
        &"가".repeat(10_000),
    ];
    for name in names {
        let mut about = incident(failed());
        about.cause = Cause::Check(Id::from(name));
        about.owner.as_mut().unwrap().name = name.to_owned();
        about.dashboards = (0..120).map(|_| dashboard(name, "23 09:00")).collect();
        let body = Body::Incident { update: false, about: Box::new(about) };
        let payload = json_of(&slack(), &message("23 06:00", Attention::Post, body), Language::En);
        assert_eq!(problems(&payload), Vec::<String>::new(), "{name}");
        // A header's `*` is shown as it is.
        let text = payload["text"].to_string()
            + &payload["blocks"].as_array().unwrap()[1..].iter().map(Value::to_string).collect::<String>();
        assert!(!payload.to_string().contains("<!") && !payload.to_string().contains("<@"), "{name}: {payload}");
        for evil in ["<!channel>", "<@U123>", "*bold*", "`x`", " _it_ ", "\u{202e}", "&lt;!here&gt;"] {
            assert!(!text.contains(evil), "{name}: {evil} in {text}");
        }
    }
}

#[test]
fn what_slack_refuses_is_found() {
    let block = |block: Value| json!({"text": "x", "blocks": [block]});
    let text = |text: &str| json!({"type": "mrkdwn", "text": text});
    let cases = [
        json!([]),
        json!({"blocks": [{"type": "section", "text": text("x")}]}),
        json!({"text": "x", "blocks": [], "channel": "y"}),
        json!({"text": "a < b", "blocks": [{"type": "section", "text": text("x")}]}),
        block(json!({"type": "rich_text"})),
        block(json!({"type": "section"})),
        block(json!({"type": "section", "text": text("")})),
        block(json!({"type": "section", "text": text("**x**")})),
        block(json!({"type": "section", "text": text("a & b")})),
        block(json!({"type": "section", "text": text(&"x".repeat(3_001))})),
        block(json!({"type": "section", "fields": vec![text("x"); 11]})),
        block(json!({"type": "header", "text": text("x")})),
        block(json!({"type": "header", "text": {"type": "plain_text", "text": "x".repeat(151)}})),
        block(json!({"type": "actions", "elements": [{"type": "select"}]})),
        json!({"text": "x", "blocks": vec![json!({"type": "section", "text": text("x")}); 51]}),
        json!({"text": "x", "blocks": vec![json!({"type": "section", "text": text(&"x".repeat(2_900))}); 5]}),
    ];
    for payload in cases {
        assert!(!problems(&payload).is_empty(), "{payload}");
    }
    let fine = json!({"type": "section", "text": text("<!subteam^S1|x> *b* &lt; <https://example.com|x>")});
    assert_eq!(problems(&block(fine)), Vec::<String>::new());
}

#[test]
fn no_address_is_shown() {
    assert_eq!(format!("{:?}", slack()), "Sink(slack)");
    let none = ChatWiring::Slack {
        url: Address::Secret(dawnwatch::config::wiring::Secret::Value("no url at all".into())),
        timeout: chrono::TimeDelta::seconds(1),
        ca_file: None,
    };
    assert_eq!(
        Sink::build(&Id::from("team"), &none).unwrap_err(),
        "chat team: the address given in the configuration does not hold a URL; expected one that begins with http:// or https://"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, rng_seed: RngSeed::Fixed(4711), ..ProptestConfig::default() })]

    #[test]
    fn slack_takes_any_facts((message, language) in wild()) {
        prop_assert_eq!(problems(&json_of(&slack(), &message, language)), Vec::<String>::new());
    }
}

#[test]
fn a_week_is_a_digest_with_its_counts_to_a_machine() {
    let all = samples();
    let of = |wanted: &str| json_of(&webhook(), &all.iter().find(|(name, _)| *name == wanted).unwrap().1, Language::En);
    let missed = of("week_missed");
    assert_eq!((&missed["kind"], &missed["digest"], &missed["verdict"]), (&json!("digest"), &json!("weekly"), &json!("late")));
    let week = &missed["week"];
    assert_eq!((&week["from"], &week["to"], &week["unwatched"]), (&json!("2026-11-16"), &json!("2026-11-22"), &json!(2)));
    assert_eq!((&week["counts"]["deadlines"]["missed"], &week["before"]["words"]["wakeups"]), (&json!(3), &json!(6)));
    let short = of("week_short");
    assert_eq!((&short["week"]["since"], &short["week"]["before"]), (&json!("2026-11-19T10:00:00+09:00"), &Value::Null));
}
