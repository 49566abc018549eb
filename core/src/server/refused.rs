//! Facts about a refused handshake, for the log.

use alloc::borrow::Cow;
use alloc::boxed::Box;

use crate::model::addresses_in_text::cut_before_address;
use crate::model::text::prefix_bytes;
use crate::model::{ClientInfo, Role};
use crate::wire::params::{Length, Members};
use crate::wire::tree::Tree;
use crate::wire::{ConnectParams, WireError};

/// Most bytes of each member of an [`Introduction`]; longer ones are cut at a character boundary.
pub const MAX_INTRODUCTION_BYTES: usize = 128;

/// A refused handshake: facts for one line of a log. Holds no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The answer's `details.code`, else its `code`.
    pub code: Box<str>,
    /// The answer's message. It can repeat names of members that the client chose.
    pub message: Cow<'static, str>,
    /// The client's introduction.
    pub client: Introduction,
    /// How far the time in its device proof is ahead of the gateway's, in ms, if that is the reason.
    pub clock_skew_ms: Option<i64>,
}

/// A client's statements about itself in `connect`, as far as they could be read. They are not verified, and
/// may hold any characters: escape them before output.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Introduction {
    /// `client.id`.
    pub id: Option<Box<str>>,
    /// `client.version`.
    pub version: Option<Box<str>>,
    /// `client.mode`.
    pub mode: Option<Box<str>>,
    /// `role`; "operator" when absent from valid parameters.
    pub role: Option<Box<str>>,
}

impl Refused {
    pub(super) fn new(error: &WireError, client: Introduction, clock_skew_ms: Option<i64>) -> Self {
        Self {
            code: error.stated_code().into(),
            message: error.message.clone(),
            client,
            clock_skew_ms,
        }
    }
}

impl Introduction {
    /// From valid parameters with a valid role.
    pub(super) fn new(client: &ClientInfo, role: Role) -> Self {
        Self {
            id: Some(cut(&client.id)),
            version: Some(cut(&client.version)),
            mode: Some(cut(&client.mode)),
            role: Some(role.as_str().into()),
        }
    }

    /// From valid parameters.
    pub(super) fn of_params(params: &ConnectParams) -> Self {
        Self {
            role: Some(cut(&params.role_word)),
            ..Self::new(&params.client, Role::Operator)
        }
    }

    /// From invalid parameters: the strings that exist.
    pub(super) fn of_tree(params: &Tree<'_>) -> Self {
        let root = Members::of(params).ok();
        let client = root
            .as_ref()
            .and_then(|root| root.optional_object("client").ok().flatten());
        let text = |members: &Option<Members<'_>>, name| {
            let text = members.as_ref()?.optional_string(name, Length::ANY);
            text.ok().flatten().map(cut)
        };
        Self {
            id: text(&client, "id"),
            version: text(&client, "version"),
            mode: text(&client, "mode"),
            role: text(&root, "role"),
        }
    }
}

fn cut(text: &str) -> Box<str> {
    let cut = prefix_bytes(text, MAX_INTRODUCTION_BYTES);
    // Findings state this text (SPEC 6.1). Not cut inside an address: masking does not recognise a part of one.
    let end = cut_before_address(text, cut.len());
    text.get(..end).unwrap_or(cut).into()
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use serde_json::json;

    use super::*;

    #[test]
    fn readable_members_of_bad_parameters_are_kept() {
        let params = json!({ "client": { "id": 7, "version": "1.2", "mode": "ui" }, "role": "x" });
        let introduction = Introduction::of_tree(&Tree::read(&params.to_string()).unwrap());
        assert_eq!(introduction.id, None);
        assert_eq!(introduction.version.as_deref(), Some("1.2"));
        assert_eq!(introduction.mode.as_deref(), Some("ui"));
        assert_eq!(introduction.role.as_deref(), Some("x"));
        assert_eq!(
            Introduction::of_tree(&Tree::List(alloc::vec![])),
            Introduction::default()
        );
    }

    #[test]
    fn members_are_cut_at_a_character() {
        let exact = "x".repeat(MAX_INTRODUCTION_BYTES);
        assert_eq!(&*cut(&exact), exact);
        assert_eq!(
            cut(&"é".repeat(MAX_INTRODUCTION_BYTES)).len(),
            MAX_INTRODUCTION_BYTES
        );
        assert_eq!(cut(&alloc::format!("x{}", "é".repeat(100))).len(), 127);
        let text = ["x ".repeat(60), "203.0.113.77".into()].concat();
        assert_eq!(*cut(&text), "x ".repeat(60), "not a part of an address");
    }
}
