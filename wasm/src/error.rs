//! Errors as JavaScript throws them: an `Error` whose `code` never changes with the wording.

use alloc::string::String;
use core::fmt::Display;

use js_sys::{Error, Reflect};
use wasm_bindgen::JsValue;

/// An argument is not what it must be; the message says which.
pub(crate) fn invalid(what: &str, why: &dyn Display) -> JsValue {
    use core::fmt::Write as _;
    let mut message = String::from("invalid ");
    // Writing to a String cannot fail.
    let _ = write!(message, "{what}: {why}");
    error("INVALID_ARGUMENT", &message)
}

fn error(code: &str, message: &str) -> JsValue {
    let error = Error::new(message);
    // Setting a member of a new object cannot fail.
    let _ = Reflect::set(&error, &"code".into(), &code.into());
    error.into()
}
