//! What people read, for every situation in both languages; and what must hold for all of it.

#[path = "support/messages.rs"]
mod messages;
#[path = "support/wild.rs"]
mod wild;

use dawnwatch::core::message::{Body, Span, Text, fit, plain};
use dawnwatch::core::plan::Language;
use dawnwatch::core::state::Attention;
use dawnwatch::core::wording::word;
use messages::{incident, message, samples};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use std::fmt::Write as _;
use wild::wild;

const LANGUAGES: [Language; 2] = [Language::En, Language::Ko];

fn shown(text: &Text) -> String {
    let mut out = format!("{}\n\n{}\n{}\n", plain(&text.preview), text.title.as_deref().map(plain).unwrap(), plain(&text.lead));
    for (label, value) in &text.facts {
        writeln!(out, "  {label}: {}", plain(value)).unwrap();
    }
    if let Some((heading, lines)) = &text.section {
        writeln!(out, "  {heading}").unwrap();
        lines.iter().for_each(|line| writeln!(out, "  - {}", plain(line)).unwrap());
    }
    writeln!(out, "{}", plain(&text.foot)).unwrap();
    text.links.iter().for_each(|(label, url)| writeln!(out, "[{label}] {url}").unwrap());
    out
}

#[test]
fn every_sample_in_both_languages() {
    for (name, language) in [("english", Language::En), ("korean", Language::Ko)] {
        let all: Vec<String> = samples().iter().map(|(name, m)| format!("=== {name}\n{}", shown(&word(m, language)))).collect();
        insta::assert_snapshot!(name, all.join("\n"));
    }
}

fn fits_a_phone(text: &Text) -> Result<(), String> {
    let preview = plain(&text.preview);
    let ensure = |holds: bool, what: &str| if holds { Ok(()) } else { Err(format!("{what}: {text:#?}")) };
    ensure(preview.chars().count() <= 100, "a preview of more than 100 characters")?;
    ensure(preview.starts_with(['✅', '🌙', '⚠', '⛔', '❓']), "no symbol in front")?;
    ensure(preview.split(" · ").next().is_some_and(|verdict| verdict.chars().count() <= 40), "the verdict comes late")?;
    let label = if text.language == Language::Ko { 5 } else { 11 };
    ensure(
        text.facts.iter().all(|(l, v)| l.chars().count() <= label && !plain(v).is_empty()),
        "a label too long, or an empty fact",
    )?;
    ensure(text.facts.len() <= 6 && text.links.len() <= 4, "too many facts or links")?;
    ensure(text.section.iter().all(|(_, lines)| (1..=8).contains(&lines.len())), "too many lines")?;
    let words = |span: &Span| !matches!(span, Span::Data(_));
    let spans = text.lead.iter().chain(&text.foot).chain(&text.preview).chain(text.title.iter().flatten());
    ensure(spans.filter(|s| words(s)).all(|s| !s.text().contains(['*', '\u{1}', '\u{2}', '\n'])), "marks in words")
}

#[test]
fn every_sample_fits_a_phone() {
    for (name, message) in samples() {
        for language in LANGUAGES {
            fits_a_phone(&word(&message, language)).unwrap_or_else(|e| panic!("{name}: {e}"));
        }
    }
}

#[test]
fn only_a_message_that_asks_asks() {
    for attention in [Attention::Silent, Attention::Post, Attention::Notify, Attention::Escalate] {
        let body = Body::Incident { update: false, about: Box::new(incident(messages::failed())) };
        let text = word(&message("23 06:00", attention, body), Language::En);
        assert_eq!(text.asks, attention >= Attention::Notify);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, rng_seed: RngSeed::Fixed(20_261_123), ..ProptestConfig::default() })]

    #[test]
    fn any_facts_fit_a_phone((message, language) in wild()) {
        prop_assert_eq!(fits_a_phone(&word(&message, language)), Ok(()));
    }

    #[test]
    fn any_text_is_made_to_fit((message, language) in wild(), most in 40usize..2_000) {
        let size = |text: &Text| shown(text).chars().count();
        let fitted = fit(word(&message, language), |text| size(text) <= most.max(400));
        prop_assert!(size(&fitted) <= most.max(400), "{}", shown(&fitted));
        prop_assert!(plain(&fitted.preview).starts_with(['✅', '🌙', '⚠', '⛔', '❓']));
    }
}
