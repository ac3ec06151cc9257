//! The operator's side of a chat, in the process that runs the server.

use std::sync::Arc;

use tokio::sync::broadcast::error::TryRecvError;

use crate::server::registry::Registry;
use crate::server::registry::chat::ChatMember;
use crate::server::registry::chat::moderation::MutedPerson;
use crate::wire::chat::{ChatFrame, ChatLine, ChatRole};

/// The operator's membership in the chat of a stream. It keeps the chat open, and may moderate it.
#[derive(Debug)]
pub struct OperatorChat {
    registry: Arc<Registry>,
    member: ChatMember,
    app: String,
    stream: String,
}

impl OperatorChat {
    pub(super) fn join(registry: &Arc<Registry>, app: &str, stream: &str) -> Option<Self> {
        let here = std::net::Ipv4Addr::LOCALHOST.into();
        let (id, now) = (registry.next_id(), registry.clock.now());
        let member = registry.chats.enter((app, stream), id, here, now)?;
        let member = member.with_role(ChatRole::Streamer);
        let (app, stream) = (app.to_owned(), stream.to_owned());
        Some(Self { registry: Arc::clone(registry), member, app, stream })
    }

    /// Returns the number of the operator in their own messages.
    pub fn id(&self) -> u64 {
        self.member.id()
    }

    /// Returns the next frame, if there is one.
    pub fn poll(&mut self) -> Option<ChatFrame> {
        loop {
            match self.member.frames.try_recv() {
                Ok(frame) => {
                    if let Some(frame) = ChatFrame::from_json(&frame) {
                        return Some(frame);
                    }
                }
                // Lost messages are not shown, but deleted messages must disappear.
                Err(TryRecvError::Lagged(_)) => {
                    if let Some(frame) = self.member.missed() {
                        return ChatFrame::from_json(&frame);
                    }
                }
                Err(TryRecvError::Empty | TryRecvError::Closed) => return None,
            }
        }
    }

    /// Sends a message, to which no rules apply.
    pub fn say(&self, line: ChatLine) {
        self.member.announce(line, self.registry.clock.now());
    }

    /// Deletes a message for everyone.
    pub fn delete(&self, id: u64) {
        self.registry.chats.delete(&self.app, &self.stream, &[id]);
    }

    /// Mutes the sender of messages with this number, and deletes their last messages. Moderators cannot be
    /// muted.
    pub fn mute(&self, from: u64) {
        if let Err(why) = self.registry.chats.mute(&self.app, &self.stream, from) {
            tracing::debug!(from, ?why, "nobody is muted");
        }
    }

    pub fn unmute(&self, from: u64) {
        self.registry.chats.unmute(&self.app, &self.stream, from);
    }

    pub fn muted(&self) -> Vec<MutedPerson> {
        self.registry.chats.muted(&self.app, &self.stream)
    }
}
