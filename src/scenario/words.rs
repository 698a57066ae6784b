//! Words of closed lists, read back as the values that they stand for. The lists are the types' own: no copy of them to forget.

use crate::config::hint;
use serde::de::value::{Error as ValueError, StrDeserializer};
use serde::de::{Deserialize, Deserializer, IntoDeserializer, Visitor};
use std::fmt;

/// The words of an enum of plain variants, in the order in which they are declared.
pub fn words_of<T: for<'de> Deserialize<'de>>() -> &'static [&'static str] {
    match T::deserialize(Asked) {
        Err(Caught(words)) => words,
        // No enum: it has no words.
        Ok(_) => &[],
    }
}

/// The value of a word. The error is a sentence with what was expected.
pub(super) fn value_of<T: for<'de> Deserialize<'de>>(key: &str, word: &str) -> Result<T, String> {
    let words: StrDeserializer<'_, ValueError> = word.into_deserializer();
    T::deserialize(words).map_err(|_| {
        let shown: String = word.chars().take(80).collect();
        format!("there is no {key} {shown:?}{}", hint(word, words_of::<T>().iter().copied()))
    })
}

/// Asks a type which words it knows, and gives it none.
struct Asked;

#[derive(Debug)]
struct Caught(&'static [&'static str]);

impl fmt::Display for Caught {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(", "))
    }
}

impl std::error::Error for Caught {}

impl serde::de::Error for Caught {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self(&[])
    }
}

impl<'de> Deserializer<'de> for Asked {
    type Error = Caught;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Caught> {
        Err(Caught(&[]))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Caught> {
        Err(Caught(variants))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit unit_struct newtype_struct seq tuple
        tuple_struct map struct identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::state::{Attention, Reason};

    #[test]
    fn words_are_the_types_own() {
        assert_eq!(words_of::<Attention>(), ["silent", "post", "notify", "escalate"]);
        assert!(words_of::<Reason>().contains(&"quiet_hours") && words_of::<Reason>().len() > 30);
        assert_eq!(value_of::<Reason>("reason", "maintenance"), Ok(Reason::Maintenance));
        assert_eq!(
            value_of::<Reason>("reason", "quiet_hour"),
            Err("there is no reason \"quiet_hour\"; did you mean \"quiet_hours\"?".to_owned())
        );
    }
}
