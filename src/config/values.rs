//! Values of more than one shape, read by hand: serde's `untagged` would answer a slip with "did not match any variant".

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt;

/// A secret by reference, as written: exactly one of these, which the check makes sure of.
#[derive(Default, serde::Deserialize, JsonSchema)]
#[serde(
    default,
    deny_unknown_fields,
    expecting = "a secret by reference, { env = \"NAME\" } or { file = \"PATH\" }, never the secret itself"
)]
pub(super) struct Reference {
    /// The environment variable that holds it.
    pub(super) env: Option<String>,
    /// The file that holds it.
    pub(super) file: Option<String>,
    /// The secret itself; only where every URL of the table is loopback.
    pub(super) value: Option<String>,
}

/// Plain text, or a secret by reference.
pub(super) enum TextOrReference {
    Text(String),
    Reference(Reference),
}

impl<'de> Deserialize<'de> for TextOrReference {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Shapes;
        impl<'de> Visitor<'de> for Shapes {
            type Value = TextOrReference;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text in quotes, or a secret by reference such as { env = \"NAME\" }")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(TextOrReference::Text(text.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                Reference::deserialize(MapAccessDeserializer::new(map)).map(TextOrReference::Reference)
            }
        }
        deserializer.deserialize_any(Shapes)
    }
}

impl JsonSchema for TextOrReference {
    fn schema_name() -> Cow<'static, str> {
        "TextOrReference".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let reference = generator.subschema_for::<Reference>();
        json_schema!({ "anyOf": [{ "type": "string" }, reference] })
    }
}

/// A clock time, or as soon as all is ready.
pub(super) enum ClockOrReady {
    Clock(String),
    Ready(RawReady),
}

/// As soon as all that is due is ready, and without that at the latest then.
#[derive(Default, serde::Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, expecting = "a table such as { when = \"ready\", latest = \"08:30\" }")]
pub(super) struct RawReady {
    /// ready.
    pub(super) when: Option<String>,
    /// A clock time.
    pub(super) latest: Option<String>,
}

impl<'de> Deserialize<'de> for ClockOrReady {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Shapes;
        impl<'de> Visitor<'de> for Shapes {
            type Value = ClockOrReady;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a clock time such as \"06:30\", or { when = \"ready\", latest = \"08:30\" }")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(ClockOrReady::Clock(text.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                RawReady::deserialize(MapAccessDeserializer::new(map)).map(ClockOrReady::Ready)
            }
        }
        deserializer.deserialize_any(Shapes)
    }
}

impl JsonSchema for ClockOrReady {
    fn schema_name() -> Cow<'static, str> {
        "ClockOrReady".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let ready = generator.subschema_for::<RawReady>();
        json_schema!({ "anyOf": [{ "type": "string" }, ready] })
    }
}

/// One text or a list of them.
pub(super) struct OneOrMany {
    pub(super) items: Vec<String>,
    /// Written as a list: its elements have places of their own.
    pub(super) many: bool,
}

impl<'de> Deserialize<'de> for OneOrMany {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Shapes;
        impl<'de> Visitor<'de> for Shapes {
            type Value = OneOrMany;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text in quotes, or a list of such")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(OneOrMany { items: vec![text.to_owned()], many: false })
            }

            fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Self::Value, A::Error> {
                let items = Vec::deserialize(SeqAccessDeserializer::new(items))?;
                Ok(OneOrMany { items, many: true })
            }
        }
        deserializer.deserialize_any(Shapes)
    }
}

impl JsonSchema for OneOrMany {
    fn schema_name() -> Cow<'static, str> {
        "OneOrMany".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }] })
    }
}
