//! The outward heartbeat: one GET to a dead man's switch elsewhere, each time that the core says the proof of life may be given.
//!
//! Whether it may, it never decides: it only sends, one at a time, and tries again what was not taken. Nothing of the address but
//! its host is ever shown: the path is a key.

use super::clock::Clock;
use super::inbox::Event;
use crate::config::wiring::Address;
use crate::core::proof::Lapse;
use crate::net::{self, Redirects};
use chrono::TimeDelta;
use reqwest::Client;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant as Mono;
use tokio_util::sync::CancellationToken;
use url::Url;

const TIMEOUT: TimeDelta = TimeDelta::seconds(10);
/// After a beat that was not taken; doubles.
const FIRST_RETRY: Duration = Duration::from_secs(5);
/// The longest pause where beats are rare; elsewhere it is the pause between beats.
const LAST_RETRY: Duration = Duration::from_secs(300);
/// The most bytes of an answer that are read; nobody reads what they say.
const ANSWER_BYTES: usize = 64 * 1024;

/// Where the proof of life goes. It has no `Debug`: the address may be the secret.
pub struct Pulse {
    client: Client,
    url: Url,
}

impl Pulse {
    /// Resolves the address. The error is a sentence for a person, without any secret.
    pub fn build(address: &Address) -> Result<Self, String> {
        let url = address.resolve().map_err(|why| format!("heartbeat: {why}"))?;
        let client = net::client(&url, TIMEOUT, None, Redirects::SameOrigin).map_err(|error| format!("heartbeat: {error}"))?;
        Ok(Self { client, url })
    }

    /// Can its host be reached? Gives no proof of life.
    pub async fn reach(&self) -> Result<&'static str, String> {
        net::reach(&self.client, &self.url, &net::host_port(&self.url)).await.map_err(|gone| gone.detail)?;
        Ok("its host can be reached")
    }

    /// One beat: was it taken?
    async fn beat(&self) -> Result<(), String> {
        let host = net::host_port(&self.url);
        let response = self.client.get(self.url.clone()).send().await.map_err(|error| net::classify(&error, &host).detail)?;
        let status = response.status();
        // Read to its end, so that the connection can be used again; a long one is none of our affair.
        let _ = net::read_bounded(response, ANSWER_BYTES, &host).await;
        if status.is_success() { Ok(()) } else { Err(format!("{host} answered with HTTP {}", status.as_u16())) }
    }
}

/// The beats, as the loop knows them.
pub(super) struct Beats {
    pulse: Option<Arc<Pulse>>,
    under_way: bool,
    failures: u32,
    /// Not before this.
    retry_at: Option<Mono>,
    trouble: Option<String>,
    /// It is due and may not be given, because of this.
    withheld: Option<String>,
    inbox: mpsc::Sender<Event>,
    stop: CancellationToken,
}

impl Beats {
    pub(super) fn new(pulse: Option<Arc<Pulse>>, inbox: mpsc::Sender<Event>, stop: CancellationToken) -> Self {
        Self { pulse, under_way: false, failures: 0, retry_at: None, trouble: None, withheld: None, inbox, stop }
    }

    /// Beats there from now on; another address is tried at once.
    pub(super) fn take_over(&mut self, pulse: Option<Arc<Pulse>>) {
        self.pulse = pulse;
        self.failures = 0;
        self.retry_at = None;
        self.trouble = None;
    }

    /// Sends one if it is due, as the core says, unless one is under way or the last was not taken a moment ago. `in_the_way`: why
    /// one that is due may not be given.
    pub(super) fn look(&mut self, due: bool, in_the_way: Option<&Lapse>) {
        self.retry_at = self.retry_at.filter(|at| *at > Mono::now());
        let Some(pulse) = self.pulse.clone() else { return };
        let withheld = in_the_way.map(sentence);
        if let (None, Some(why)) = (&self.withheld, &withheld) {
            tracing::info!(why, "the heartbeat is due and waits: {why}");
        }
        self.withheld = withheld;
        if !due || self.under_way || self.retry_at.is_some() {
            return;
        }
        self.under_way = true;
        let (inbox, stop) = (self.inbox.clone(), self.stop.clone());
        tokio::spawn(async move {
            if let Some(taken) = stop.run_until_cancelled(pulse.beat()).await {
                // The loop being gone means that nobody wants to know any more.
                let _ = inbox.send(Event::Beaten(taken)).await;
            }
        });
    }

    /// What became of it; true: it was taken, and that is to be made durable. `every`: how often it is due.
    pub(super) fn ended(&mut self, taken: Result<(), String>, every: Option<TimeDelta>, clock: &Clock) -> bool {
        self.under_way = false;
        match taken {
            Ok(()) => {
                if self.trouble.take().is_some() {
                    let tries = self.failures;
                    tracing::info!(tries, "the heartbeat is taken again, after {tries} that were not");
                }
                self.failures = 0;
                true
            }
            Err(why) => {
                self.failures = self.failures.saturating_add(1);
                self.retry_at = Some(Mono::now() + clock.takes(pause(self.failures, every)));
                if self.trouble.is_none() {
                    tracing::warn!(why, "the heartbeat was not taken, it is tried again: {why}");
                }
                self.trouble = Some(why);
                false
            }
        }
    }

    /// When a beat that was not taken may be tried again.
    pub(super) fn retry_at(&self) -> Option<Mono> {
        self.retry_at
    }

    /// It is configured, and (`Some`) it is withheld or was not taken last.
    pub(super) fn state(&self) -> Option<Option<String>> {
        let withheld = || self.withheld.as_ref().map(|why| format!("withheld: {why}"));
        self.pulse.as_ref().map(|_| self.trouble.clone().or_else(withheld))
    }
}

fn sentence(lapse: &Lapse) -> String {
    match lapse {
        Lapse::NotAsked { source, .. } => format!("the source {source} has not been asked when it should have been"),
        Lapse::NotJudged { dashboard, .. } => format!("the dashboard {dashboard} has not been judged when it should have been"),
        Lapse::NotDecided { .. } => "a decision is overdue".to_owned(),
        Lapse::NobodyToTell { incident } => format!("there is nobody to tell of incident {incident}"),
        Lapse::ChatBroken { incident, chat } => format!("incident {incident} is for the chat {chat}, which takes no messages"),
        Lapse::Undelivered { post, chat, .. } => format!("post {post} could not be delivered to {chat}"),
    }
}

/// On the agent's clock. Never longer than until the next beat would be due anyway.
fn pause(failures: u32, every: Option<TimeDelta>) -> Duration {
    let most = every.and_then(|every| every.to_std().ok()).unwrap_or(LAST_RETRY).min(LAST_RETRY);
    FIRST_RETRY.saturating_mul(2_u32.saturating_pow(failures.saturating_sub(1))).min(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_tried_again_before_the_next_is_due() {
        let (s, minute) = (Duration::from_secs, Some(TimeDelta::minutes(1)));
        let cases = [
            (1, minute, s(5)),
            (2, minute, s(10)),
            (9, minute, s(60)),
            (u32::MAX, Some(TimeDelta::days(1)), s(300)),
            (1, Some(TimeDelta::seconds(2)), s(2)),
            (3, None, s(20)),
        ];
        for (failures, every, expected) in cases {
            assert_eq!(pause(failures, every), expected, "{failures} {every:?}");
        }
    }

    #[test]
    fn an_address_that_is_none_is_named_by_its_place_only() {
        use crate::config::wiring::Secret;
        let hidden = Address::Secret(Secret::Value("ftp://beats.example.com/verysecret".into()));
        let why = Pulse::build(&hidden).err().unwrap();
        assert!(why.starts_with("heartbeat: ") && !why.contains("verysecret"), "{why}");
    }
}
