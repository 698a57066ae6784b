//! `[chats.*]` and `[digests.*]`: where messages go, and the scheduled summaries.

use super::{Checker, text};
use crate::config::raw::{Raw, RawChat, RawDigest};
use crate::config::values::{ClockOrReady, RawReady, TextOrReference};
use crate::config::wiring::{Address, ChatWiring};
use crate::core::calendar::DayRule;
use crate::core::plan::{Chat, Digest, DigestAbout, Id, Manner, When};
use std::collections::BTreeMap;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Slack,
    Webhook,
    Console,
}

type Chats = (BTreeMap<Id, Chat>, BTreeMap<Id, ChatWiring>);

impl Checker<'_> {
    pub(super) fn chats(&mut self, raw: &Raw) -> Chats {
        let (mut plan, mut wiring) = Chats::default();
        let default_language = self.language(&["language"], raw.language.as_ref()).unwrap_or_default();
        for (name, chat) in &raw.chats {
            let path = |key| ["chats", name.as_str(), key];
            let kind = self.chat_kind(name, chat);
            let language = self.language(&path("language"), chat.language.as_ref()).unwrap_or(default_language);
            let quiet = self.optional(&path("quiet"), chat.quiet.as_ref(), text::hours);
            let quiet_days = self.days(&path("quiet_days"), chat.quiet_days.as_ref());
            let fallback = chat.fallback.as_ref().and_then(|to| self.known(&path("fallback"), "chats", "chat", to));
            if chat.fallback.as_ref() == Some(name) {
                self.error(&path("fallback"), "a chat cannot be its own fallback; expected another chat");
            }
            let id = Id::from(name.as_str());
            wiring.extend(kind.and_then(|kind| self.chat_wiring(name, chat, kind)).map(|wiring| (id.clone(), wiring)));
            let idempotent = kind == Some(Kind::Webhook);
            plan.insert(id, Chat { language, quiet, quiet_days, mention: chat.mention.clone(), fallback, idempotent });
        }
        (plan, wiring)
    }

    fn chat_kind(&mut self, name: &str, chat: &RawChat) -> Option<Kind> {
        let Some(kind) = &chat.kind else {
            self.missing(&["chats", name], "kind", "kind = \"slack\", \"webhook\" or \"console\"");
            return None;
        };
        let words = [("slack", Kind::Slack), ("webhook", Kind::Webhook), ("console", Kind::Console)];
        self.read(&["chats", name, "kind"], kind, |word| text::one_of("a kind of chat", &words, word))
    }

    fn chat_wiring(&mut self, name: &str, chat: &RawChat, kind: Kind) -> Option<ChatWiring> {
        let path = |key| ["chats", name, key];
        if kind == Kind::Console {
            let foreign = [
                ("url", chat.url.is_some()),
                ("secret", chat.secret.is_some()),
                ("timeout", chat.timeout.is_some()),
                ("ca_file", chat.ca_file.is_some()),
            ];
            self.refuse_foreign(&["chats", name], "console", &foreign);
            return Some(ChatWiring::Console);
        }
        let address = match &chat.url {
            Some(url) => self.address(&path("url"), url),
            None => {
                self.missing(&["chats", name], "url", "url = { env = \"NAME\" }");
                None
            }
        };
        let loopback = address.as_ref().is_none_or(|(_, loopback)| *loopback);
        let timeout = self.timeout(&path("timeout"), chat.timeout.as_ref());
        let ca_file = chat.ca_file.as_ref().map(|file| self.path(&path("ca_file"), Some(file), ""));
        let secret = chat.secret.as_ref().map(|secret| self.secret(&path("secret"), secret, loopback));
        if kind == Kind::Webhook {
            return Some(ChatWiring::Webhook { url: address?.0, secret: secret.flatten(), timeout, ca_file });
        }
        self.refuse_foreign(&["chats", name], "slack", &[("secret", chat.secret.is_some())]);
        // Whoever knows the URL of an incoming webhook may post: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
        if matches!((&chat.url, &address), (Some(TextOrReference::Text(_)), Some((Address::Plain(_), false)))) {
            self.error(
                &path("url"),
                "the URL of a Slack webhook is a secret; expected a reference such as { env = \"SLACK_WEBHOOK_URL\" }",
            );
        }
        Some(ChatWiring::Slack { url: address?.0, timeout, ca_file })
    }

    pub(super) fn digests(&mut self, raw: &Raw) -> BTreeMap<Id, Digest> {
        let mut digests = BTreeMap::new();
        for (name, digest) in &raw.digests {
            digests.extend(self.digest(name, digest).map(|digest| (Id::from(name.as_str()), digest)));
        }
        digests
    }

    fn digest(&mut self, name: &str, digest: &RawDigest) -> Option<Digest> {
        let table = ["digests", name];
        let path = |key| ["digests", name, key];
        let subjects = [("now", DigestAbout::Now), ("week", DigestAbout::Week)];
        let read = |word: &str| text::one_of("what a digest tells", &subjects, word);
        let about = self.optional(&path("about"), digest.about.as_ref(), read).unwrap_or(DigestAbout::Now);
        let on = self.days(&path("on"), digest.on.as_ref()).unwrap_or(DayRule::Daily);
        let calendar = digest.calendar.as_ref().and_then(|id| self.known(&path("calendar"), "calendars", "calendar", id));
        let to = self.chat_list(&path("to"), &digest.to);
        if digest.to.is_empty() {
            self.missing(&table, "to", "the chats that get it, such as to = [\"team\"]");
        }
        let words = [("post", Manner::Post), ("quiet", Manner::Quiet), ("silent", Manner::Silent)];
        let mut manner = |key: &str, raw: Option<&String>, default| {
            let path = ["digests", name, "when_all_green", key];
            self.optional(&path, raw, |word| text::one_of("a manner", &words, word)).unwrap_or(default)
        };
        let green = digest.when_all_green.as_ref();
        let green_workdays = manner("workdays", green.and_then(|green| green.workdays.as_ref()), Manner::Post);
        let green_otherwise = manner("otherwise", green.and_then(|green| green.otherwise.as_ref()), Manner::Silent);
        let when = match &digest.at {
            None => {
                self.missing(&table, "at", "a clock time such as at = \"06:30\"");
                return None;
            }
            Some(ClockOrReady::Clock(at)) => When::At(self.read(&path("at"), at, text::clock_today)?),
            Some(ClockOrReady::Ready(ready)) => self.when_ready(&path("at"), ready)?,
        };
        Some(Digest { about, when, on, calendar, to, green_workdays, green_otherwise })
    }

    fn when_ready(&mut self, table: &[&str; 3], ready: &RawReady) -> Option<When> {
        let path = |key| [table[0], table[1], table[2], key];
        match &ready.when {
            Some(when) => {
                self.read(&path("when"), when, |word| text::one_of("a moment", &[("ready", ())], word))?;
            }
            None => self.missing(table, "when", "when = \"ready\", as soon as all that is due is ready"),
        }
        let Some(latest) = &ready.latest else {
            self.missing(table, "latest", "the clock time by which it is given in any case, such as latest = \"08:30\"");
            return None;
        };
        self.read(&path("latest"), latest, text::clock_today).map(|latest| When::Ready { latest })
    }
}
