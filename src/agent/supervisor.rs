//! The process's supervisor (systemd, or whoever gave it `NOTIFY_SOCKET`): ready, reloading, stopping, and the watchdog's food.
//!
//! The watchdog is fed by the loop's own good turns and by nothing else, so a loop that hangs and a store that takes nothing end in a
//! restart. Without a supervisor all of it does nothing.

use sd_notify::NotifyState;
use std::time::Duration;
use tokio::time::Instant as Mono;

/// So many times in its span the watchdog is fed: two may be missed.
const FEEDS: u32 = 3;
/// The longest status line.
const STATUS_CHARS: usize = 200;

#[derive(Debug, Default)]
pub struct Supervisor {
    there: bool,
    /// The pause between two feeds; `None`: there is no watchdog.
    every: Option<Duration>,
    fed: Option<Mono>,
    status: String,
    reloading: bool,
}

impl Supervisor {
    /// Nobody.
    pub fn none() -> Self {
        Self::default()
    }

    /// `environment`: that of the process, by which a supervisor makes itself known.
    pub fn of(environment: &[(String, String)]) -> Self {
        let there = environment.iter().any(|(name, value)| name == "NOTIFY_SOCKET" && !value.is_empty());
        let every = if there { sd_notify::watchdog_enabled().map(|span| span / FEEDS) } else { None };
        Self { there, every, ..Self::default() }
    }

    pub(super) fn ready(&self) {
        self.tell(&[NotifyState::Ready]);
    }

    /// A configuration is being read, or none is (any more). With the instant, as Type=notify-reload wants it (sd_notify(3),
    /// `RELOADING=1`).
    pub(super) fn reloading(&mut self, is: bool) {
        match (std::mem::replace(&mut self.reloading, is), is) {
            (false, true) => match NotifyState::monotonic_usec_now() {
                Ok(now) => self.tell(&[NotifyState::Reloading, now]),
                Err(error) => tracing::debug!(%error, "the monotonic clock cannot be read: {error}"),
            },
            (true, false) => self.ready(),
            _ => {}
        }
    }

    pub(super) fn stopping(&self) {
        self.tell(&[NotifyState::Stopping]);
    }

    /// How it stands, in one line; said when it changes.
    pub(super) fn status(&mut self, status: &str) {
        if self.there && status != self.status {
            status.clone_into(&mut self.status);
            let line: String = status.chars().filter(|c| !c.is_control()).take(STATUS_CHARS).collect();
            self.tell(&[NotifyState::Status(&line)]);
        }
    }

    /// A turn of the loop has gone well.
    pub(super) fn progress(&mut self) {
        let Some(every) = self.every else { return };
        if self.fed.is_none_or(|fed| fed.elapsed() >= every) {
            self.fed = Some(Mono::now());
            self.tell(&[NotifyState::Watchdog]);
        }
    }

    /// When the loop has to turn again for the watchdog's sake.
    pub(super) fn hungry_at(&self) -> Option<Mono> {
        self.every.map(|every| self.fed.map_or_else(Mono::now, |fed| fed + every))
    }

    fn tell(&self, state: &[NotifyState<'_>]) {
        if self.there
            && let Err(error) = sd_notify::notify(state)
        {
            tracing::debug!(%error, "the supervisor does not listen: {error}");
        }
    }
}
