//! What the demo says beside the messages: a line of progress, and at the end what the night came to.

use super::chat::Posted;
use super::night::run::RunWord;
use super::night::{Census, Night, Script, ZONE};
use crate::core::message::Body;
use crate::core::plan::Language;
use crate::core::time::Instant;
use std::fmt::Write;

/// The hours at which he used to get up, only to look.
const LOOKS: [u32; 3] = [2, 3, 6];
/// The most failed pipelines that a line names.
const NAMED: usize = 2;

/// The kinds of messages, in the order in which they are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Alert,
    Update,
    Resolved,
    Digest,
    Watch,
}

impl Kind {
    pub const ALL: [Self; 5] = [Self::Alert, Self::Update, Self::Resolved, Self::Digest, Self::Watch];

    pub fn of(body: &Body) -> Self {
        match body {
            Body::Incident { update: false, .. } => Self::Alert,
            Body::Incident { update: true, .. } => Self::Update,
            Body::Resolved(_) => Self::Resolved,
            Body::Digest(_) | Body::Week(_) => Self::Digest,
            Body::Watch(_) => Self::Watch,
        }
    }

    fn word(self, language: Language) -> &'static str {
        match (language, self) {
            (Language::En, Self::Alert) => "first word",
            (Language::En, Self::Update) => "update",
            (Language::En, Self::Resolved) => "resolved",
            (Language::En, Self::Digest) => "digest",
            (Language::En, Self::Watch) => "about the watch",
            (Language::Ko, Self::Alert) => "첫 알림",
            (Language::Ko, Self::Update) => "후속",
            (Language::Ko, Self::Resolved) => "해소",
            (Language::Ko, Self::Digest) => "요약",
            (Language::Ko, Self::Watch) => "감시 자체",
        }
    }
}

/// What the agent did, counted by whoever ran it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counts {
    /// Of the posts that were confirmed.
    pub kinds: Vec<Kind>,
    pub polls: u64,
    pub polls_unanswered: u64,
    pub requests: u64,
    pub bytes: u64,
    /// Decisions in the ledger not to say anything, or not yet.
    pub held_or_silent: u64,
}

fn clock(at: Instant) -> String {
    at.with_timezone(&ZONE).format("%H:%M").to_string()
}

/// One line for a terminal, at most 79 columns, without any control characters.
pub fn progress(script: &Script, at: Instant, said: usize, language: Language) -> String {
    const CELLS: i64 = 20;
    let night = script.night;
    let (gone, whole) = ((at - night.starts_at()).num_seconds(), (night.ends_at() - night.starts_at()).num_seconds());
    let filled = gone * CELLS / whole;
    let bar: String = (0..CELLS).map(|cell| if cell < filled { '#' } else { '.' }).collect();
    let census = script.census(at);
    let (arrived, total, waiting) = (census.arrived, census.total(), census.waiting);
    match language {
        Language::En => format!("{} [{bar}] {arrived} of {total} arrived, {waiting} waiting, {said} said", clock(at)),
        Language::Ko => format!("{} [{bar}] {total}건 중 {arrived}건 도착, 대기 {waiting}, 메시지 {said}", clock(at)),
    }
}

/// The beginning: what is played, how fast, and where to read along.
pub fn opening(script: &Script, page: &str, dashboards: usize, speed: f64, language: Language) -> String {
    let night = script.night;
    let minutes = (night.ends_at() - night.starts_at()).num_seconds() as f64 / speed / 60.0;
    let day = night.date().format(match language {
        Language::En => "%a %-d %b %Y",
        Language::Ko => "%Y년 %-m월 %-d일",
    });
    let pipelines = script.pipelines.len();
    match language {
        Language::En => format!(
            "The night before {day}, 02:00 to 09:30 in Seoul, in {minutes:.1} minutes: {pipelines} pipelines of a stand-in Airflow, \
             a partner's file API, {dashboards} dashboards.\nThe chat, as it fills: {page}\n"
        ),
        Language::Ko => format!(
            "{day} 새벽, 서울 02:00~09:30을 {minutes:.1}분에 재생합니다: 가상 Airflow의 파이프라인 {pipelines}개, 협력사 파일 API, \
             대시보드 {dashboards}개.\n채팅 화면: {page}\n"
        ),
    }
}

/// The end of the demo: what was said, what it cost, and what nobody had to get up for.
pub fn text(script: &Script, posted: &[Posted], counts: &Counts, language: Language) -> String {
    let mut out = String::new();
    said(&mut out, posted, counts, language);
    looks(&mut out, script, posted, language);
    cost(&mut out, counts, language);
    out
}

// Writing to a String cannot fail, hence `let _` below.

fn said(out: &mut String, posted: &[Posted], counts: &Counts, language: Language) {
    let kinds = Kind::ALL.map(|kind| (kind, counts.kinds.iter().filter(|k| **k == kind).count()));
    let kinds = kinds.iter().filter(|(_, n)| *n > 0).map(|(kind, n)| format!("{n} {}", kind.word(language)));
    let kinds = kinds.collect::<Vec<_>>().join(" · ");
    let _ = match (language, posted.len()) {
        (Language::En, 0) => writeln!(out, "Nothing was said: nobody had to know anything."),
        (Language::Ko, 0) => writeln!(out, "아무 말도 하지 않았습니다. 알아야 할 일이 없었습니다."),
        (Language::En, n) => writeln!(out, "Said: {n} ({kinds})"),
        (Language::Ko, n) => writeln!(out, "메시지 {n}건 ({kinds})"),
    };
    for message in posted {
        let asks = match (message.asks, language) {
            (false, _) => "",
            (true, Language::En) => "  ← asks a person",
            (true, Language::Ko) => "  ← 사람을 부름",
        };
        let _ = writeln!(out, "  {}  {}{asks}", clock(message.at), message.preview);
    }
}

/// What he would have found at 2, 3 and 6, and whether dawnwatch asked for anybody in those hours.
fn looks(out: &mut String, script: &Script, posted: &[Posted], language: Language) {
    let night = script.night;
    let asked = posted.iter().filter(|p| p.asks && p.at < night.at(7, 0)).count();
    let _ = match language {
        Language::En => {
            writeln!(out, "Getting up only to look: {} times before, {asked} now. Whoever got up would have found", LOOKS.len())
        }
        Language::Ko => writeln!(out, "확인만 하려고 깨던 횟수: 전에는 {}번, 이번에는 {asked}번. 그때 보았을 화면:", LOOKS.len()),
    };
    for hour in LOOKS {
        let at = night.at(hour, 0);
        let _ = writeln!(out, "  {}  {}", clock(at), found(script, night, at, language));
    }
}

fn found(script: &Script, night: Night, at: Instant, language: Language) -> String {
    let Census { arrived, failed, waiting, .. } = script.census(at);
    let total = script.pipelines.len();
    let failing = script.tonight().filter(|run| run.exists_at(at) && run.at(at).state == RunWord::Failed);
    let names: Vec<&str> = failing.map(|run| script.of(run).id.as_str()).take(NAMED).collect();
    let names = names.join(", ");
    let workday = night == Night::Weekday;
    match (language, failed, workday) {
        (Language::En, 0, true) => format!("{arrived} of {total} arrived, {waiting} waiting, nothing to do"),
        (Language::En, 0, false) => format!("{arrived} of {total} arrived, for a screen that nobody opens today"),
        (Language::En, ..) => format!("{arrived} of {total} arrived, {waiting} waiting; failed: {names}, and an owner to look up"),
        (Language::Ko, 0, true) => format!("{total}건 중 {arrived}건 도착, 대기 {waiting}, 할 일 없음"),
        (Language::Ko, 0, false) => format!("{total}건 중 {arrived}건 도착, 오늘은 아무도 열지 않는 화면"),
        (Language::Ko, ..) => format!("{total}건 중 {arrived}건 도착, 대기 {waiting}, 실패: {names}. 담당자를 찾아야 했을 것"),
    }
}

fn cost(out: &mut String, counts: &Counts, language: Language) {
    let Counts { polls, polls_unanswered, requests, held_or_silent, .. } = counts;
    let kib = counts.bytes / 1024;
    let _ = match language {
        Language::En => writeln!(
            out,
            "Polls: {polls} ({polls_unanswered} without an answer), {requests} requests, {kib} KiB read. \
             Decisions to be silent or to wait: {held_or_silent}, each recorded with its reason."
        ),
        Language::Ko => writeln!(
            out,
            "조회 {polls}회 (응답 없음 {polls_unanswered}회), 요청 {requests}건, {kib} KiB 수신. \
             침묵하거나 미룬 결정 {held_or_silent}건, 모두 이유와 함께 기록됨."
        ),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn posted(hour: u32, minute: u32, preview: &str, asks: bool) -> Posted {
        Posted { at: Night::Weekday.at(hour, minute), preview: preview.to_owned(), asks, blocks: vec![] }
    }

    #[test]
    fn the_end_of_a_weekday() {
        let script = Script::new(Night::Weekday);
        let counts = Counts {
            kinds: vec![Kind::Digest, Kind::Alert],
            polls: 900,
            polls_unanswered: 54,
            requests: 2_000,
            ..Counts::default()
        };
        let said = [posted(6, 30, "⛔ 1 cause", false), posted(7, 0, "⚠️ late", true)];
        let text = text(&script, &said, &counts, Language::En);
        insta::assert_snapshot!(text, @r"
        Said: 2 (1 first word · 1 digest)
          06:30  ⛔ 1 cause
          07:00  ⚠️ late  ← asks a person
        Getting up only to look: 3 times before, 0 now. Whoever got up would have found
          02:00  18 of 303 arrived, 0 waiting, nothing to do
          03:00  72 of 303 arrived, 0 waiting; failed: raw_member_events, and an owner to look up
          06:00  164 of 303 arrived, 115 waiting; failed: raw_member_events, and an owner to look up
        Polls: 900 (54 without an answer), 2000 requests, 0 KiB read. Decisions to be silent or to wait: 0, each recorded with its reason.
        ");
    }

    #[test]
    fn the_end_of_a_weekend() {
        let script = Script::new(Night::Weekend);
        let text = text(&script, &[], &Counts::default(), Language::En);
        insta::assert_snapshot!(text, @r"
        Nothing was said: nobody had to know anything.
        Getting up only to look: 3 times before, 0 now. Whoever got up would have found
          02:00  18 of 303 arrived, for a screen that nobody opens today
          03:00  73 of 303 arrived, for a screen that nobody opens today
          06:00  271 of 303 arrived, for a screen that nobody opens today
        Polls: 0 (0 without an answer), 0 requests, 0 KiB read. Decisions to be silent or to wait: 0, each recorded with its reason.
        ");
    }

    #[test]
    fn progress_fits_a_terminal() {
        let script = Script::new(Night::Weekday);
        let night = Night::Weekday;
        let line = progress(&script, night.at(6, 30), 3, Language::En);
        assert_eq!(line, "06:30 [############........] 170 of 303 arrived, 121 waiting, 3 said");
        for minute in (-10..460).step_by(7) {
            let line = progress(&script, night.starts_at() + chrono::TimeDelta::minutes(minute), 12, Language::Ko);
            assert!(line.chars().count() < 70, "{line}");
        }
    }
}
