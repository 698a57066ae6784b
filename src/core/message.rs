//! Messages as facts: what is to be told, before any words. `wording` turns one into words of a language, a sink into a payload.
//!
//! A message is stored with its post, so it must be whole: nothing here is looked up again later.

use super::observation::{Failure, Why};
use super::plan::{Id, Language};
use super::state::{Attention, Cause, IncidentId, Verdict};
use super::time::Instant;
use chrono::NaiveDate;
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

/// What is to be told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    pub at: Instant,
    /// The zone of every time that people read in it.
    pub zone: Tz,
    pub attention: Attention,
    pub body: Body,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Body {
    /// The first unscheduled word about an incident, or a later one.
    Incident {
        update: bool,
        about: Box<IncidentFacts>,
    },
    /// The last word.
    Resolved(Box<ResolvedFacts>),
    Digest(Box<DigestFacts>),
    /// `sink_broken` and the like: trouble of the watch itself that has no cause in the pipelines.
    Watch(WatchFacts),
}

/// An open incident, as of `Message::at`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncidentFacts {
    pub incident: IncidentId,
    pub cause: Cause,
    /// Of the cause: failed, late, at_risk or unknown.
    pub verdict: Verdict,
    pub situation: Situation,
    /// When the cause began: the failure's end, the first unanswered poll, …
    pub since: Instant,
    /// Checks with the same source, error and time that are folded in, the cause itself not counted.
    pub alike: usize,
    /// Checks that wait for the cause, the cause itself not counted.
    pub waiting: usize,
    /// Of all checks that some dashboard needs today: how many there are, and how many of them this incident does not touch.
    pub checks: usize,
    pub untouched: usize,
    /// Those that the incident endangers, by deadline; at least one, unless the check stands outside any dashboard.
    pub dashboards: Vec<DashboardFacts>,
    pub owner: Option<OwnerFacts>,
    pub runbook: Option<String>,
    /// When the cause usually has arrived, and out of how many nights that is known.
    pub usual: Option<Usual>,
    pub last_good: Option<Instant>,
    pub next: Next,
}

/// What is the matter with the cause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Situation {
    Failed {
        at: Option<Instant>,
        doomed: bool,
        failure: Failure,
    },
    /// Runs longer than fits.
    RunningLong {
        started_at: Instant,
        usual_s: Option<i64>,
    },
    Queued {
        since: Instant,
    },
    Retrying {
        task: String,
    },
    Waiting {
        task: String,
    },
    NotStarted(NotStarted),
    /// A dataset whose newest data is this old.
    NoData {
        newest: Option<Instant>,
    },
    Stale {
        newest: Instant,
        max_age_s: i64,
    },
    SourceDark {
        why: Why,
        detail: String,
        tries: u32,
        last_seen: Option<LastSeen>,
        others_answer: usize,
        others: usize,
    },
    SchedulerDead {
        heartbeat: Option<Instant>,
    },
    /// The check vanished from its source, or its answer makes no sense.
    NotSeen {
        why: NotSeen,
    },
    /// The calendar has no data for this day.
    CalendarEnded {
        calendar: Id,
        last: NaiveDate,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum NotStarted {
    Paused,
    ImportError,
    /// The source knows when it would start.
    Scheduled(Instant),
    NoReason,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum NotSeen {
    Vanished,
    NeverSeen,
    Suspicious(String),
    FutureData(Instant),
}

/// What was known when a source was last seen: of so many checks, so many in each state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastSeen {
    pub at: Instant,
    pub checks: usize,
    pub arrived: usize,
    pub running: usize,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DashboardFacts {
    pub id: Id,
    pub name: String,
    pub deadline: Instant,
    /// Is there anybody to miss it in this cycle?
    pub audience: bool,
    pub verdict: Verdict,
    /// Its checks that wait for the cause, the cause itself counted where the dashboard needs it directly.
    pub waiting: usize,
    pub checks: usize,
    pub arrived: usize,
    pub unknown: usize,
    /// `None`: no run time is known that it could be computed from, or nothing is left to do.
    pub act_by: Option<Instant>,
    pub eta: Option<Eta>,
    pub ready_at: Option<Instant>,
    /// Its last arrival so far.
    pub latest: Option<(Id, Instant)>,
    pub url: Option<String>,
}

/// When something will arrive, in whole five minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Eta {
    pub at: Instant,
    pub low: Instant,
    pub high: Instant,
    pub basis: Basis,
}

/// What an ETA rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Basis {
    /// So many nights' own history.
    Observed { nights: u32 },
    /// The configuration's `duration`.
    Declared,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usual {
    pub arrives: Instant,
    pub latest: Instant,
    pub nights: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnerFacts {
    pub name: String,
    pub contact: Option<String>,
}

/// When the next word comes, and from what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Next {
    /// A person is asked then: quiet hours end, or the deadline comes.
    AskedAt {
        at: Instant,
        because: AskedBecause,
    },
    /// The next rung is asked then, unless it is repaired.
    EscalatesAt(Instant),
    WhenResolved,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum AskedBecause {
    QuietEnds,
    Deadline,
    /// `wake = true`: acting can still save the deadline.
    ActBy,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResolvedFacts {
    pub incident: IncidentId,
    pub cause: Cause,
    pub failure: Option<Failure>,
    pub since: Instant,
    /// When the cause was gone; `None`: it never was, but every deadline is over.
    pub recovered_at: Option<Instant>,
    pub resolved_at: Instant,
    /// The most checks that waited at any time, the cause counted.
    pub waited: usize,
    pub dashboards: Vec<DashboardFacts>,
    /// Deadlines with an audience that it made miss, and all with an audience that it touched.
    pub missed: usize,
    pub deadlines: usize,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DigestFacts {
    pub digest: Id,
    pub verdict: DigestVerdict,
    /// By deadline.
    pub dashboards: Vec<DashboardFacts>,
    pub incidents: Vec<DigestIncident>,
    /// Incidents that were over before anybody was told, since the digest before.
    pub healed: usize,
    pub sources_answering: usize,
    pub sources: usize,
    /// Chats that no longer take messages, with the reason in one line.
    pub broken_chats: Vec<(Id, String)>,
    /// Calendars whose data ends within the next days, or has ended.
    pub calendars_ending: Vec<(Id, NaiveDate)>,
    pub next_at: Option<Instant>,
}

/// The worst that a digest tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum DigestVerdict {
    /// Every dashboard that is due is ready.
    Ready,
    /// None is in danger, some are still under way.
    OnTrack,
    /// No dashboard is due.
    NothingDue,
    Trouble(Verdict),
    /// The pipelines are green, the watch itself is not whole: a broken chat, a calendar at its end.
    WatchTrouble,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DigestIncident {
    pub incident: IncidentId,
    pub cause: Cause,
    pub verdict: Verdict,
    pub recovering: bool,
    pub waiting: usize,
    pub failure: Option<Failure>,
    pub owner: Option<OwnerFacts>,
    pub eta: Option<Eta>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WatchFacts {
    pub chat: Id,
    pub why: String,
}

/// A message in the words of one language: what every sink renders. Built by `wording::word`, shortened by [`fit`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    pub language: Language,
    pub tone: Tone,
    /// What a lock screen shows: the verdict within 40 characters, the whole point within 100.
    pub preview: Line,
    pub title: Option<Line>,
    /// One sentence of consequence (or two short ones).
    pub lead: Line,
    /// At most 6, most urgent first.
    pub facts: Vec<(String, Line)>,
    /// A heading and its lines, most urgent first.
    pub section: Option<(String, Vec<Line>)>,
    /// When it was checked and when the next word comes.
    pub foot: Line,
    /// At most 4, most urgent first: label and address.
    pub links: Vec<(String, String)>,
    /// Is a person asked (attention `notify` and above)? Then the sink puts the chat's mention in front.
    pub asks: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    Good,
    Warning,
    Bad,
    Unknown,
}

pub type Line = Vec<Span>;

/// A piece of text. Sinks escape all three; only `Strong` gets markup, and data that stands between two `Strong` shares it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Span {
    /// Words of the catalogue.
    Word(String),
    /// Words of the catalogue that carry the sentence.
    Strong(String),
    /// From the outside: names, error lines. Must never mention anybody or become markup.
    Data(String),
}

impl Span {
    pub fn text(&self) -> &str {
        match self {
            Self::Word(text) | Self::Strong(text) | Self::Data(text) => text,
        }
    }

    fn text_mut(&mut self) -> &mut String {
        match self {
            Self::Word(text) | Self::Strong(text) | Self::Data(text) => text,
        }
    }

    /// Data of unusual length is seldom the point.
    fn to_core(&mut self) {
        const CORE: usize = 120;
        if let Self::Data(text) = self {
            *text = shorten_end(text, CORE);
        }
    }
}

/// The plain text of a line.
pub fn plain(line: &[Span]) -> String {
    line.iter().map(Span::text).collect()
}

/// Shortens `text` until `fits` says yes, the least urgent first: long data to its core, then section lines from the end, facts from
/// the end, links, the rest of the section and of the facts, at last the sentences themselves, from the foot to the preview.
/// Says in the foot how many lines were left out.
///
/// `fits` is given by the sink, which alone knows how its platform counts.
pub fn fit(text: Text, fits: impl Fn(&Text) -> bool) -> Text {
    // No message has more to take away: a few lists of a thousand lines, and each sentence halved thirty times.
    const STEPS: usize = 5_000;
    let mut text = text;
    let mut dropped = 0_usize;
    if fits(&text) {
        return text;
    }
    each_line(&mut text, |line| line.iter_mut().for_each(Span::to_core));
    for _ in 0..STEPS {
        let shown = with_dropped(&text, dropped);
        if fits(&shown) {
            return shown;
        }
        match take_least(&mut text) {
            Some(lines) => dropped += lines,
            None => return shown,
        }
    }
    text
}

/// Takes the least urgent thing away: how many lines of facts were lost with it, or `None` where nothing is left to take.
fn take_least(text: &mut Text) -> Option<usize> {
    // What a reader needs at least, as long as there is anything else to give up.
    const LINES_KEPT: usize = 3;
    const FACTS_KEPT: usize = 2;
    let lines = text.section.as_ref().map_or(0, |(_, lines)| lines.len());
    if lines > LINES_KEPT || (lines > 0 && text.facts.len() <= FACTS_KEPT && text.links.is_empty()) {
        if let Some((_, lines)) = &mut text.section {
            lines.pop();
        }
        text.section.take_if(|(_, lines)| lines.is_empty());
        return Some(1);
    }
    if text.facts.len() > FACTS_KEPT {
        text.facts.pop();
        return Some(1);
    }
    if text.links.pop().is_some() {
        return Some(0);
    }
    if text.section.take().is_some() {
        return Some(0);
    }
    if text.facts.pop().is_some() {
        return Some(1);
    }
    let title = text.title.iter_mut();
    let shortened = [&mut text.foot, &mut text.lead].into_iter().chain(title).chain([&mut text.preview]).any(halve);
    shortened.then_some(0)
}

fn with_dropped(text: &Text, dropped: usize) -> Text {
    let mut shown = text.clone();
    if dropped > 0 {
        let more = match text.language {
            Language::En => format!(" · {dropped} more not shown"),
            Language::Ko => format!(" · {dropped}건 더 있음"),
        };
        shown.foot.push(Span::Word(more));
    }
    shown
}

fn each_line(text: &mut Text, mut change: impl FnMut(&mut Line)) {
    change(&mut text.preview);
    text.title.iter_mut().for_each(&mut change);
    change(&mut text.lead);
    text.facts.iter_mut().for_each(|(_, line)| change(line));
    text.section.iter_mut().flat_map(|(_, lines)| lines).for_each(&mut change);
    change(&mut text.foot);
}

/// Halves the longest span of data in a line; where there is none that is long, the longest of words. False when nothing is left.
fn halve(line: &mut Line) -> bool {
    const SHORT: usize = 16;
    let length = |span: &Span| span.text().chars().count();
    let longest = |data: bool| {
        let of_kind = line.iter().enumerate().filter(|(_, s)| matches!(s, Span::Data(_)) == data && length(s) > SHORT);
        of_kind.max_by_key(|(_, s)| length(s)).map(|(i, _)| i)
    };
    match longest(true).or_else(|| longest(false)) {
        Some(at) => {
            let text = line[at].text_mut();
            *text = shorten_end(text, text.chars().count() / 2);
            true
        }
        // Many short spans: the last one goes, the first stays.
        None if line.len() > 1 => line.pop().is_some(),
        None => false,
    }
}

/// Text from the outside as one line: without control characters and without those that turn the direction of what follows
/// (UAX #9) or cannot be seen, white space folded.
pub fn clean(text: &str) -> String {
    let unseen = |c: char| matches!(c, '\u{061c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    let visible: String =
        text.chars().filter(|&c| !unseen(c)).map(|c| if c.is_control() || c.is_whitespace() { ' ' } else { c }).collect();
    visible.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// At most `max` characters, with `…` for the end that was taken off.
pub fn shorten_end(text: &str, max: usize) -> String {
    if text.chars().count() <= max {
        return text.to_owned();
    }
    let mut kept: Vec<char> = text.chars().take(max.saturating_sub(1)).collect();
    // A letter goes with its marks: what would lose one of them goes as a whole.
    while kept.last().is_some_and(|&c| c == '\u{200d}') || text.chars().nth(kept.len()).is_some_and(joins_before) {
        if kept.pop().is_none() {
            break;
        }
    }
    kept.into_iter().collect::<String>().trim_end().chars().chain(['…']).take(max).collect()
}

/// At most `max` characters, with `…` for the middle: of an id both ends tell something.
pub fn shorten_middle(text: &str, max: usize) -> String {
    let count = text.chars().count();
    if count <= max {
        return text.to_owned();
    }
    let tail = max.saturating_sub(1) / 2;
    let head = shorten_end(text, max - tail);
    let tail = text.chars().skip(count - tail).skip_while(|&c| joins_before(c));
    head.chars().chain(tail).collect()
}

/// Combining marks, variation selectors and joiners, which belong to the character before them.
fn joins_before(c: char) -> bool {
    matches!(c, '\u{0300}'..='\u{036f}' | '\u{200d}' | '\u{20d0}'..='\u{20ff}' | '\u{fe00}'..='\u{fe0f}' | '\u{1f3fb}'..='\u{1f3ff}')
}
