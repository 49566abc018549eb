//! Errors for JavaScript: an `Error` with a stable `code`.

use js_sys::{Error, Reflect};
use wasm_bindgen::JsValue;

/// Returns the error of an invalid argument, which the message names.
pub(crate) fn invalid(what: &str, why: &str) -> JsValue {
    error("INVALID_ARGUMENT", &[what, " ", why].concat())
}

/// Returns an error with a stable code.
pub(crate) fn error(code: &str, message: &str) -> JsValue {
    let error = Error::new(message);
    // Setting a member of a new object cannot fail.
    let _ = Reflect::set(&error, &"code".into(), &code.into());
    error.into()
}
