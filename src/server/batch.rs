//! Messages that leave together.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};

use super::message::Message;

/// Longer ones are not copied into one piece.
const MOST_JOINED: usize = 1 << 20;

/// Messages that leave together, in order.
#[derive(Debug)]
pub(super) struct Batch<'a> {
    pub messages: &'a [Arc<Message>],
    /// All of them as RTMP on the message stream that nearly all players get, for those who want
    /// everything: made once, sent to each with one plain call.
    pub joined: Option<Bytes>,
}

impl<'a> Batch<'a> {
    /// For one viewer.
    pub fn pieces(messages: &'a [Arc<Message>]) -> Self {
        Self { messages, joined: None }
    }

    /// For many viewers.
    pub fn joined(messages: &'a [Arc<Message>]) -> Self {
        let length: usize = messages.iter().map(|message| message.weight()).sum();
        let joined = match messages {
            [message] => Some(message.rtmp()),
            _ if length > MOST_JOINED => None,
            _ => {
                let mut joined = BytesMut::with_capacity(length);
                messages.iter().for_each(|message| joined.extend_from_slice(&message.rtmp()));
                Some(joined.freeze())
            }
        };
        Self { messages, joined }
    }
}
