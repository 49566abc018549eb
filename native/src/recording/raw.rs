//! An input of the hub, as the driver hands it to the recorder's thread.

use presence_core::recording::{Input, Redactor};
use presence_core::server::{Handshake, LeaveCause, Refused};
use presence_core::wire::{Call, Request};

/// An input of the hub that may change rows. The thread redacts it.
#[derive(Debug)]
pub(crate) enum Raw {
    Join(u64, Box<Handshake>),
    Leave(u64, LeaveCause),
    Pong(u64),
    Call(u64, Box<Request>),
    Refused(Box<Refused>),
    Wake,
    Shutdown,
}

impl Raw {
    /// `None` for a call that changes no row.
    pub(crate) fn call(serial: u64, request: Box<Request>) -> Option<Self> {
        matches!(request.call, Ok(Call::SystemEvent(_) | Call::NodeEvent(_)))
            .then(|| Self::Call(serial, request))
    }

    /// Bytes on the heap: texts and lists whose lengths peers choose.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Join(_, handshake) => {
                let lists = [&*handshake.scopes, &handshake.caps, &handshake.commands];
                let listed = lists.into_iter().flatten().chain(&handshake.user);
                let texts = handshake.client.texts().chain(listed.map(|text| &**text));
                texts.map(text_bytes).sum::<usize>() + size_of_val(&**handshake)
            }
            Self::Call(_, request) => {
                size_of_val(&**request)
                    + match &request.call {
                        Ok(Call::SystemEvent(beacon)) => {
                            let items = beacon.roles.iter().chain(&beacon.scopes);
                            let items = items.chain([&request.id]).map(|text| &**text);
                            let texts = beacon.texts().map(|(_, text)| text).chain(items);
                            texts.map(text_bytes).sum::<usize>() + size_of_val(&**beacon)
                        }
                        Ok(Call::NodeEvent(event)) => text_bytes(&request.id) + text_bytes(&event.event),
                        _ => text_bytes(&request.id),
                    }
            }
            Self::Refused(refused) => refused.client.id.iter().map(|id| text_bytes(id)).sum(),
            Self::Leave(..) | Self::Pong(_) | Self::Wake | Self::Shutdown => 0,
        }
    }

    pub(super) fn redacted(self, redactor: &Redactor) -> Option<Input> {
        Some(match self {
            Self::Join(serial, handshake) => Input::join(serial, &handshake, redactor),
            Self::Leave(serial, cause) => Input::leave(serial, cause),
            Self::Pong(serial) => Input::Pong(serial),
            Self::Call(serial, request) => return Input::call(serial, &request, redactor),
            Self::Refused(refused) => return Input::refused(&refused, redactor),
            Self::Wake => Input::Wake,
            Self::Shutdown => Input::Shutdown,
        })
    }
}

/// The bytes of a text. For short texts in a list, most of them are its slot in the list.
fn text_bytes(text: &str) -> usize {
    size_of::<Box<str>>() + text.len()
}
