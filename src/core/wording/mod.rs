//! Catalogues: a message → words in a language.

use super::message::{Message, Text};
use super::plan::Language;

/// The message in the words of `language`.
pub fn word(_message: &Message, _language: Language) -> Text {
    unimplemented!()
}
