//! The console: plain text on stdout, for trying things out and for systems that collect what a service prints.

use super::{Payload, plain};
use crate::core::message::{Message, Text};
use crate::core::plan::Chat;
use crate::core::step::Outcome;
use crate::core::wording::word;
use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};

pub(super) struct Console {
    out: Mutex<Box<dyn Write + Send>>,
}

impl Console {
    pub(super) fn stdout() -> Self {
        Self::to(io::stdout())
    }

    pub(super) fn to(out: impl Write + Send + 'static) -> Self {
        Self { out: Mutex::new(Box::new(out)) }
    }

    /// Whole messages, one after the other: the lock is held for all of one.
    pub(super) fn send(&self, payload: &Payload) -> Outcome {
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        match out.write_all(&payload.body).and_then(|()| out.flush()) {
            Ok(()) => Outcome::Confirmed { handle: None },
            Err(e) => Outcome::Failed { why: format!("the console takes no text: {}", e.kind()), retry_at: None },
        }
    }
}

pub(super) fn render(message: &Message, chat: &Chat) -> Vec<u8> {
    let text: Text = word(message, chat.language);
    let mention = chat.mention.as_ref().filter(|_| text.asks).map(|m| format!("{m} ")).unwrap_or_default();
    format!("{mention}{}\n", plain::text(&text)).into_bytes()
}
