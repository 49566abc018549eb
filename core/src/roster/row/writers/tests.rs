use alloc::sync::Arc;

use super::*;
use crate::model::{ClientInfo, Role};

/// The members that remain of a handshake in a row with a text, a host and a reason.
fn fitted(max_bytes: Option<usize>, reason: Option<&str>) -> PresenceEntry {
    let client = Arc::new(ClientInfo {
        id: "test".into(),
        version: "1".into(),
        platform: "linux".into(),
        mode: "ui".into(),
        display_name: Some("studio".into()),
        model_identifier: Some("a model that is longer than all others".into()),
        device_family: Some("Mac".into()),
        ..ClientInfo::default()
    });
    let mut entry = PresenceEntry {
        host: Some("a host that is known".into()),
        text: Some("t".into()),
        reason: reason.map(Into::into),
        ..PresenceEntry::default()
    };
    let max_bytes = max_bytes.unwrap_or(1 << 20);
    let mut handshake = HandshakeFields::new(&client, Role::Operator, Some("192.0.2.1"), Some("ann"));
    handshake.fit(&mut entry, max_bytes);
    Writers::default().write(&mut entry, &handshake, 1, max_bytes);
    entry
}

#[test]
fn a_handshake_that_fits_to_the_byte_is_written_whole() {
    for reason in [
        None,
        Some("launch"),
        Some("a reason that a beacon gave, and a long one"),
    ] {
        let whole = fitted(None, reason);
        let bytes = size::without_sets(&whole);
        assert_eq!(fitted(Some(bytes), reason), whole);
        let less = PresenceEntry {
            model_identifier: None,
            ..whole
        };
        assert_eq!(fitted(Some(bytes - 1), reason), less);
    }
}
