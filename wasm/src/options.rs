//! Options from JavaScript: members of a JSON object, each checked for its type.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

#[cfg(feature = "client")]
use presence_core::model::json::boolean;
use presence_core::model::json::{integer, items, members, string};
use presence_core::model::setting::InvalidSetting;
use serde_json::value::RawValue;
use wasm_bindgen::JsValue;

use crate::error::invalid;

/// The members of one object; `null` counts as absent, as does the object itself.
pub(crate) struct Options<'a> {
    json: Option<&'a RawValue>,
    path: String,
}

impl<'a> Options<'a> {
    /// Returns the members of `json`; error messages call it `name`.
    pub(crate) fn new(json: &'a RawValue, name: &str) -> Result<Self, JsValue> {
        Self::of(Some(json), name.into())
    }

    fn of(json: Option<&'a RawValue>, path: String) -> Result<Self, JsValue> {
        let json = json.filter(|json| json.get() != "null");
        if json.is_none_or(|json| json.get().starts_with('{')) {
            Ok(Self { json, path })
        } else {
            Err(invalid(&path, "must be an object"))
        }
    }

    /// Whether the object is present.
    #[cfg(feature = "client")]
    pub(crate) fn is_some(&self) -> bool {
        self.json.is_some()
    }

    fn get(&self, name: &str) -> Option<&'a RawValue> {
        let [member] = members(self.json?.get(), [name])?;
        member
    }

    fn path(&self, name: &str) -> String {
        [&self.path, ".", name].concat()
    }

    /// Returns the object `name`.
    pub(crate) fn object(&self, name: &str) -> Result<Self, JsValue> {
        Self::of(self.get(name), self.path(name))
    }

    /// Returns whether `name` is exactly `false`.
    #[cfg(feature = "client")]
    pub(crate) fn is_false(&self, name: &str) -> bool {
        self.get(name).and_then(boolean) == Some(false)
    }

    pub(crate) fn text(&self, name: &str) -> Result<Option<Cow<'a, str>>, JsValue> {
        self.typed(name, string, "must be a string")
    }

    pub(crate) fn boxed(&self, name: &str) -> Result<Option<Box<str>>, JsValue> {
        Ok(self.text(name)?.map(Box::from))
    }

    /// Returns the string `name`, which must be present and not empty.
    pub(crate) fn required(&self, name: &str) -> Result<Cow<'a, str>, JsValue> {
        let text = self.text(name)?.filter(|text| !text.is_empty());
        text.ok_or_else(|| invalid(&self.path(name), "must be a string that is not empty"))
    }

    #[cfg(feature = "client")]
    pub(crate) fn bool(&self, name: &str) -> Result<Option<bool>, JsValue> {
        self.typed(name, boolean, "must be a boolean")
    }

    /// Returns the number `name` as an integer of 0..2^53 - 1, or `default`.
    pub(crate) fn integer(&self, name: &str, default: u64) -> Result<u64, JsValue> {
        Ok(self.optional_integer(name)?.unwrap_or(default))
    }

    /// Returns the number `name` as an integer of 0..2^53 - 1, if it is present.
    pub(crate) fn optional_integer(&self, name: &str) -> Result<Option<u64>, JsValue> {
        self.typed(name, integer, "must be a number")
    }

    /// Returns the list of strings `name`.
    pub(crate) fn texts(&self, name: &str) -> Result<Option<Vec<Box<str>>>, JsValue> {
        let why = "must be a list of strings";
        let Some(items) = self.typed(name, |list| items(list.get()), why)? else {
            return Ok(None);
        };
        let text = |item: &RawValue| {
            let text = string(item).map(Box::from);
            text.ok_or_else(|| invalid(&self.path(name), why))
        };
        items.into_iter().map(text).collect::<Result<_, _>>().map(Some)
    }

    fn typed<T>(
        &self,
        name: &str,
        read: fn(&'a RawValue) -> Option<T>,
        why: &str,
    ) -> Result<Option<T>, JsValue> {
        let Some(json) = self.get(name) else {
            return Ok(None);
        };
        read(json).map(Some).ok_or_else(|| invalid(&self.path(name), why))
    }
}

/// Returns a number as a size, at most the platform's maximum.
pub(crate) fn size(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// Returns the error of a setting that the core refuses, under the option's name: `options.limits.tickIntervalMs`.
pub(crate) fn out_of_bounds(setting: InvalidSetting) -> JsValue {
    let mut path = String::from("options.");
    let mut is_start = false;
    for letter in setting.name().chars() {
        match letter {
            '_' => is_start = true,
            letter if is_start => {
                path.push(letter.to_ascii_uppercase());
                is_start = false;
            }
            letter => path.push(letter),
        }
    }
    let why = match setting {
        InvalidSetting::TooSmall { least, .. } => format!("must be at least {least}"),
        InvalidSetting::TooLarge { most, .. } => format!("must be at most {most}"),
        _ => "is out of bounds".into(),
    };
    invalid(&path, &why)
}

/// Parses the JSON text of options; error messages call it `name`.
pub(crate) fn parse<'a>(text: &'a str, name: &str) -> Result<&'a RawValue, JsValue> {
    serde_json::from_str(text).map_err(|_| invalid(name, "must be JSON"))
}
