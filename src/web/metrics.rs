//! A snapshot as OpenMetrics text. Every name begins with `dawnwatch_`; labels are names of the configuration and verdicts, never
//! what a source said.

use super::snapshot::Snapshot;
use crate::core::state::Verdict;
use crate::core::time::Instant;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::{counter::Counter, family::Family, gauge::Gauge, info::Info};
use prometheus_client::registry::Registry;
use std::fmt;
use std::sync::atomic::AtomicU64;

/// The most dashboards, sources and chats each that get series of their own; the totals count all.
const NAMED: usize = 500;

const VERDICTS: [Verdict; 8] = [
    Verdict::NotDue,
    Verdict::NotWatched,
    Verdict::Ready,
    Verdict::OnTrack,
    Verdict::AtRisk,
    Verdict::Late,
    Verdict::Unknown,
    Verdict::Failed,
];

type Labels = Vec<(&'static str, String)>;
type Gauges = Family<Labels, Gauge>;
type Counters = Family<Labels, Counter>;

pub(super) fn text(snapshot: &Snapshot) -> Result<String, fmt::Error> {
    let mut registry = Registry::with_prefix("dawnwatch");
    watch(&mut registry, snapshot);
    counts(&mut registry, snapshot);
    dashboards(&mut registry, snapshot);
    sources(&mut registry, snapshot);
    chats(&mut registry, snapshot);
    let mut text = String::new();
    encode(&mut text, &registry)?;
    Ok(text)
}

/// What lies beside the registry's own `register`: a gauge that is set, a family that is filled by the caller.
trait Show {
    fn gauge(&mut self, name: &str, help: &str, value: i64);
    fn counter(&mut self, name: &str, help: &str, value: u64);
    fn gauges(&mut self, name: &str, help: &str) -> Gauges;
    fn counters(&mut self, name: &str, help: &str) -> Counters;
}

impl Show for Registry {
    fn gauge(&mut self, name: &str, help: &str, value: i64) {
        let gauge: Gauge = Gauge::default();
        gauge.set(value);
        self.register(name, help, gauge);
    }

    fn counter(&mut self, name: &str, help: &str, value: u64) {
        let counter: Counter = Counter::default();
        counter.inc_by(value);
        self.register(name, help, counter);
    }

    fn gauges(&mut self, name: &str, help: &str) -> Gauges {
        let family = Gauges::default();
        self.register(name, help, family.clone());
        family
    }

    fn counters(&mut self, name: &str, help: &str) -> Counters {
        let family = Counters::default();
        self.register(name, help, family.clone());
        family
    }
}

fn watch(registry: &mut Registry, snapshot: &Snapshot) {
    registry.register("build", "The version that runs", Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]));
    registry.gauge("started_timestamp_seconds", "When the process started", snapshot.started_at.timestamp());
    registry.gauge(
        "judged_timestamp_seconds",
        "When the watch last judged; stale means that it stands still",
        snapshot.at.timestamp(),
    );
    registry.gauge("ready", "1 once every source was asked", snapshot.ready.into());
    registry.gauge("store_trouble", "1 while writes to the store fail", snapshot.store_trouble.is_some().into());
    if let Some(heartbeat) = &snapshot.heartbeat {
        let taken = heartbeat.beaten_at.map_or(0, |at| at.timestamp());
        registry.gauge("heartbeat_timestamp_seconds", "When the outward heartbeat was last taken; 0: never", taken);
        registry.gauge(
            "heartbeat_trouble",
            "1 while the outward heartbeat is withheld or not taken",
            heartbeat.trouble.is_some().into(),
        );
    }
    registry.gauge(
        "config_refused",
        "1 while the newest configuration was refused and the one before it is in force",
        snapshot.config_refused.is_some().into(),
    );
    let checks = registry.gauges("checks", "Checks by verdict over the open cycles");
    for verdict in VERDICTS {
        let count = snapshot.checks.iter().filter(|(v, _)| *v == verdict).map(|(_, n)| n).sum();
        checks.get_or_create(&of("verdict", verdict.word())).set(signed(count));
    }
    let incidents = registry.gauges("incidents", "Incidents that are not resolved, by phase");
    let recovering = snapshot.incidents.iter().filter(|i| i.recovering).count();
    incidents.get_or_create(&of("phase", "open")).set(signed(snapshot.incidents.len() - recovering));
    incidents.get_or_create(&of("phase", "recovering")).set(signed(recovering));
}

fn counts(registry: &mut Registry, snapshot: &Snapshot) {
    let counts = snapshot.counts;
    registry.counter("steps", "Inputs taken in", counts.steps);
    registry.counter("commits", "Writes to the store", counts.commits);
    registry.counter("polls", "Questions to sources", counts.polls);
    registry.counter("polls_unanswered", "Questions to sources that got no answer to believe", counts.polls_unanswered);
    registry.counter("posts_confirmed", "Posts that a chat took", counts.posts_confirmed);
    registry.counter("posts_failed", "Attempts to post that failed", counts.posts_failed);
    registry.counter("heartbeats", "Outward heartbeats that were taken", counts.beats);
    let seconds: Counter<f64, AtomicU64> = Counter::default();
    #[expect(clippy::cast_precision_loss, reason = "microseconds below 2^52 are 142 years")]
    seconds.inc_by(counts.step_us as f64 / 1e6);
    registry.register("step_seconds", "Time spent judging", seconds);
}

fn dashboards(registry: &mut Registry, snapshot: &Snapshot) {
    let verdicts = registry.gauges("dashboard_verdict", "1 for the verdict that a dashboard has in its open cycle");
    let deadline = registry.gauges("dashboard_deadline_timestamp_seconds", "The deadline of the open cycle");
    let arrived = registry.gauges("dashboard_arrived", "Checks that have arrived");
    let checks = registry.gauges("dashboard_checks", "Checks that it needs");
    for dashboard in snapshot.dashboards.iter().take(NAMED) {
        let label = of("dashboard", dashboard.id.as_str());
        for verdict in VERDICTS {
            let labels = [label.clone(), of("verdict", verdict.word())].concat();
            verdicts.get_or_create(&labels).set((verdict == dashboard.verdict).into());
        }
        deadline.get_or_create(&label).set(dashboard.deadline.timestamp());
        arrived.get_or_create(&label).set(signed(dashboard.arrived));
        checks.get_or_create(&label).set(signed(dashboard.checks));
    }
}

fn sources(registry: &mut Registry, snapshot: &Snapshot) {
    let dark = registry.gauges("source_dark", "1 while a source does not answer");
    let swept = registry.gauges("source_swept_timestamp_seconds", "When the last question left that was answered; 0: none was");
    let requests = registry.counters("source_requests", "HTTP requests to a source");
    let bytes = registry.counters("source_received_bytes", "Bytes of its answers");
    for source in snapshot.sources.iter().take(NAMED) {
        let label = of("source", source.id.as_str());
        dark.get_or_create(&label).set(source.dark_since.is_some().into());
        swept.get_or_create(&label).set(source.swept_at.map_or(0, |at: Instant| at.timestamp()));
        requests.get_or_create(&label).inc_by(source.requests);
        bytes.get_or_create(&label).inc_by(source.bytes);
    }
}

fn chats(registry: &mut Registry, snapshot: &Snapshot) {
    let broken = registry.gauges("chat_broken", "1 while a chat refuses messages for good");
    let pending = registry.gauges("chat_pending_posts", "Posts that are wanted and not yet confirmed");
    for chat in snapshot.chats.iter().take(NAMED) {
        let label = of("chat", chat.id.as_str());
        broken.get_or_create(&label).set(chat.broken.is_some().into());
        pending.get_or_create(&label).set(signed(chat.pending));
    }
}

fn of(name: &'static str, value: &str) -> Labels {
    vec![(name, value.to_owned())]
}

fn signed(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
