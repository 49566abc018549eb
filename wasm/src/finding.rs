//! What looks like one client under two rows, as JavaScript gets it.

use alloc::string::String;
use alloc::vec::Vec;

use presence_core::client::Mirror;
use serde::Serialize;
use tsify::{Ts, Tsify};
use wasm_bindgen::JsError;

/// A suspicion that several rows of a gateway's list are one client.
#[derive(Debug, Serialize, Tsify)]
pub struct FoundRows {
    #[tsify(type = "import(\"./types.js\").FindingCode")]
    code: &'static str,
    title: &'static str,
    #[tsify(type = "\"low\" | \"medium\" | \"high\"")]
    confidence: &'static str,
    evidence: Vec<String>,
    fix: &'static str,
    /// Indexes in the gateway's list.
    indexes: Vec<usize>,
}

/// The findings of a mirror.
pub(crate) fn findings(mirror: &Mirror) -> Result<Vec<Ts<FoundRows>>, JsError> {
    let found = mirror.findings().into_iter().map(|finding| FoundRows {
        code: finding.kind.code(),
        title: finding.kind.title(),
        confidence: finding.confidence.as_str(),
        evidence: finding.evidence,
        fix: finding.kind.fix(),
        indexes: finding.rows,
    });
    let found: Result<_, _> = found.map(|finding| finding.into_ts()).collect();
    Ok(found?)
}
