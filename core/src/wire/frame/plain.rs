//! The plain beacon: most of a gateway's frames are `system-event` requests that a client wrote with nothing
//! unusual in them. They are read in one pass, straight into a [`Beacon`].
//!
//! Whatever is unusual, let alone wrong, is not read here: [`read`] gives `None` and the frame goes the long way
//! over [`Value`](serde_json::Value), which knows every rule and names every mistake.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;
use core::marker::PhantomData;

use serde::de::{self, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::MAX_ID_UNITS;
use crate::model::beacon::{Beacon, CLEAR_LAST_INPUT_TAG, MAX_ITEMS, fits_text};
use crate::model::entry::{MAX_SAFE_INTEGER, MAX_STRING_UNITS, MAX_TEXT_UNITS};
use crate::model::text::trim;

/// The method whose requests are read.
pub(super) const METHOD: &str = "system-event";

/// The id and the beacon of a plain beacon's frame.
pub(super) fn read(text: &str) -> Option<(&str, Beacon)> {
    // Looking costs less than an error.
    if !text.contains(METHOD) {
        return None;
    }
    let Object::<Frame<'_>>(frame) = serde_json::from_str(text).ok()?;
    let Object(params) = frame.params;
    // A unit is at least one byte: what has few enough bytes needs no count.
    let is_plain =
        frame.kind == "req" && (1..=MAX_ID_UNITS).contains(&frame.id.len()) && !params.text.0.is_empty();
    let is_plain = is_plain && fits_text(&params.text.0);
    if !is_plain {
        return None;
    }
    let beacon = Beacon {
        text: params.text.0,
        instance_id: params.instance_id.0,
        device_id: params.device_id.0,
        host: params.host.0,
        ip: params.ip.0,
        mode: params.mode.0,
        version: params.version.0,
        platform: params.platform.0,
        device_family: params.device_family.0,
        model_identifier: params.model_identifier.0,
        last_input_seconds: params.last_input_seconds.0,
        reason: params.reason.0,
        roles: params.roles.0,
        scopes: params.scopes.0,
        clear_last_input: params.tags.clears_last_input,
    };
    Some((frame.id, beacon))
}

/// A member that is not here or twice is an error.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Frame<'a> {
    // Borrowed: one with an escape in it is unusual.
    #[serde(rename = "type")]
    kind: &'a str,
    id: &'a str,
    #[serde(rename = "method", deserialize_with = "only_system_event")]
    _method: (),
    params: Object<Params>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Params {
    text: Trimmed<MAX_TEXT_UNITS>,
    #[serde(default)]
    instance_id: Word,
    #[serde(default)]
    device_id: Word,
    #[serde(default)]
    host: Word,
    #[serde(default)]
    ip: Word,
    #[serde(default)]
    mode: Word,
    #[serde(default)]
    version: Word,
    #[serde(default)]
    platform: Word,
    #[serde(default)]
    device_family: Word,
    #[serde(default)]
    model_identifier: Word,
    #[serde(default)]
    last_input_seconds: Seconds,
    #[serde(default)]
    reason: Word,
    #[serde(default)]
    roles: Words,
    #[serde(default)]
    scopes: Words,
    #[serde(default)]
    tags: Tags,
}

/// A struct from an object only: serde also takes an array for one.
struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Members<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Members<T> {
            type Value = Object<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Self::Value, A::Error> {
                T::deserialize(de::value::MapAccessDeserializer::new(members)).map(Object)
            }
        }

        from.deserialize_map(Members(PhantomData))
    }
}

fn only_system_event<'de, D: Deserializer<'de>>(from: D) -> Result<(), D::Error> {
    if <&str>::deserialize(from)? == METHOD {
        return Ok(());
    }
    Err(de::Error::custom("another method"))
}

/// A string of at most `MAX` bytes, mapped where it was read: no copy is made that is not kept.
struct Bounded<F, const MAX: usize>(F);

impl<'de, T, F: FnOnce(&str) -> T, const MAX: usize> Visitor<'de> for Bounded<F, MAX> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a short string")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        // A unit is at least one byte: what has few enough bytes needs no count.
        if text.len() > MAX {
            return Err(E::custom("long"));
        }
        Ok(self.0(text))
    }
}

/// A string without the white space around it.
struct Trimmed<const MAX: usize>(Box<str>);

impl<'de, const MAX: usize> Deserialize<'de> for Trimmed<MAX> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_str(Bounded::<_, MAX>(|text: &str| Self(trim(text).into())))
    }
}

/// An optional string; unlike an `Option`, never `null`.
#[derive(Default)]
struct Word(Option<Box<str>>);

impl<'de> Deserialize<'de> for Word {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_str(Bounded::<_, MAX_STRING_UNITS>(|text: &str| {
            Self(Some(text.into()))
        }))
    }
}

/// An optional whole number, never `null`.
#[derive(Default)]
struct Seconds(Option<u64>);

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(Self(Some(u64::deserialize(from)?.min(MAX_SAFE_INTEGER))))
    }
}

/// An optional array of at most [`MAX_ITEMS`] items, never `null`.
struct Items<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Items<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Self::Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = from.next_element()? {
            if items.len() == MAX_ITEMS {
                return Err(de::Error::custom("many"));
            }
            items.push(item);
        }
        Ok(items)
    }
}

/// Strings, trimmed, without the empty ones.
#[derive(Default)]
struct Words(Vec<Box<str>>);

impl<'de> Deserialize<'de> for Words {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let words = from.deserialize_seq(Items::<Trimmed<MAX_STRING_UNITS>>(PhantomData))?;
        let kept = words
            .into_iter()
            .map(|word| word.0)
            .filter(|word| !word.is_empty());
        Ok(Self(kept.collect()))
    }
}

/// Tags, of which one means something.
#[derive(Default)]
struct Tags {
    clears_last_input: bool,
}

impl<'de> Deserialize<'de> for Tags {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let tags = from.deserialize_seq(Items::<IsClear>(PhantomData))?;
        Ok(Self {
            clears_last_input: tags.into_iter().any(|tag| tag.0),
        })
    }
}

/// Whether a tag is [`CLEAR_LAST_INPUT_TAG`].
struct IsClear(bool);

impl<'de> Deserialize<'de> for IsClear {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_str(Bounded::<_, MAX_STRING_UNITS>(|tag: &str| {
            Self(tag == CLEAR_LAST_INPUT_TAG)
        }))
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::super::Request;
    use super::*;
    use crate::server::system_event::parse_system_event;

    fn frame(params: &str) -> alloc::string::String {
        format!(r#"{{"type":"req","id":"7","method":"system-event","params":{params}}}"#)
    }

    #[test]
    fn reads_what_the_long_way_reads() {
        for params in [
            r#"{"text":"t"}"#,
            r#"{"text":" Node: a · b\u0020"}"#,
            r#"{"text":" Node: a · b ","host":"","ip":" ","lastInputSeconds":9007199254740993}"#,
            r#"{"text":" \u00e4 \" ","roles":["operator"," node ",""],"scopes":[],"tags":["a","b"]}"#,
            r#"{"text":"t","tags":["system-presence-clear-last-input"],"reason":"\ud83d\ude00"}"#,
            r#"{"reason":"r","modelIdentifier":"m","deviceFamily":"f","platform":"p","version":"v","mode":"o",
                "ip":"i","host":"h","deviceId":"d","instanceId":"n","lastInputSeconds":0,"text":"t"}"#,
        ] {
            let text = frame(params);
            let long = parse_system_event(params).unwrap();
            let request = Request::parse_call(&text).unwrap();
            assert_eq!(&*request.id, "7");
            assert_eq!(request.beacon.as_deref(), Some(&long), "{params}");
        }
    }

    #[test]
    fn leaves_the_unusual_to_the_long_way() {
        let long = format!(r#"{{"text":"t","host":"{}"}}"#, "x".repeat(1_025));
        let many = format!(r#"{{"text":"t","scopes":["a"{}]}}"#, r#","a""#.repeat(MAX_ITEMS));
        let long_text = format!(r#"{{"text":"{}"}}"#, "x".repeat(4_097));
        let large_text = format!(r#"{{"text":"{}"}}"#, r"\u0001".repeat(683));
        for params in [
            "null",
            "[]",
            "{}",
            r#"["t"]"#,
            r#"{"text":" "}"#,
            r#"{"text":"\ud800"}"#,
            r#"{"text":"t","host":null}"#,
            r#"{"text":"t","host":5}"#,
            r#"{"text":"t","host":"a","host":"b"}"#,
            r#"{"text":"t","lastInputSeconds":null}"#,
            r#"{"text":"t","lastInputSeconds":-1}"#,
            r#"{"text":"t","lastInputSeconds":1.5}"#,
            r#"{"text":"t","lastInputSeconds":1e999}"#,
            r#"{"text":"t","tags":null}"#,
            r#"{"text":"t","tags":[1]}"#,
            r#"{"text":"t","roles":{"0":"a"}}"#,
            r#"{"text":"t","roles":["a",null]}"#,
            r#"{"text":"t","wake":true}"#,
            &many,
            r#"{"text":"t","unknown":1}"#,
            &long,
            &long_text,
            &large_text,
        ] {
            let text = frame(params);
            assert_eq!(read(&text), None, "{params}");
            assert_eq!(Request::parse_call(&text), Request::parse(&text), "{params}");
        }
        for text in [
            r#"["req","7","system-event",["t"]]"#,
            r#"{"type":"res","id":"7","method":"system-event","params":{"text":"t"}}"#,
            r#"{"type":"req","id":"","method":"system-event","params":{"text":"t"}}"#,
            r#"{"type":"req","id":"7","method":"system-presence","params":{"text":"t"}}"#,
            r#"{"type":"req","id":"7","method":"system-event","params":{"text":"t"},"x":1}"#,
            r#"{"type":"req","id":"7","method":"system-event","params":{"text":"t"}} x"#,
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
