//! The JSON form of findings of gateways, the command line and the package.

use alloc::string::String;

use super::Finding;
use crate::model::ObjectText;

impl Finding {
    /// The finding as JSON text (SPEC 6): the members of a finding of OpenClaw's doctor, and more. `keys` are those of
    /// its rows, the first is the target. With `is_indexed` it also has the places of its rows, for readers that have
    /// the list.
    #[must_use]
    pub fn to_json(&self, keys: &mut dyn Iterator<Item = &str>, is_indexed: bool) -> String {
        let kind = self.kind;
        let mut message = String::from(kind.title());
        for sentence in &self.evidence {
            message.push(' ');
            message.push_str(sentence);
        }
        let mut json = ObjectText::new();
        json.text("checkId", &kind.check_id());
        json.text("severity", self.severity().as_str());
        json.text("message", &message);
        let target = keys.next();
        json.text_if_any("target", target);
        json.text("fixHint", kind.fix());
        json.text("code", kind.code());
        json.text("title", kind.title());
        json.text("confidence", self.confidence.as_str());
        json.texts("evidence", &mut self.evidence.iter().map(String::as_str));
        json.texts("rows", &mut target.into_iter().chain(keys));
        if is_indexed {
            json.numbers("indexes", &self.rows);
        }
        json.end()
    }
}
