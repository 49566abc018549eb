//! Errors as JavaScript throws them: an `Error` whose `code` never changes with the wording.

use js_sys::{Error, Reflect};
use wasm_bindgen::JsValue;

/// An argument is not what it must be; the message says which.
pub(crate) fn invalid(what: &str, why: &str) -> JsValue {
    error("INVALID_ARGUMENT", &[what, " ", why].concat())
}

/// An error with a stable code.
pub(crate) fn error(code: &str, message: &str) -> JsValue {
    let error = Error::new(message);
    // Setting a member of a new object cannot fail.
    let _ = Reflect::set(&error, &"code".into(), &code.into());
    error.into()
}
