//! The operator's side of a chat, in the process that runs the server.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::broadcast::error::TryRecvError;

use crate::server::registry::Registry;
use crate::server::registry::chat::ChatMember;
use crate::server::registry::chat::moderation::{ChatRules, MutedPerson};
use crate::server::service::Server;
use crate::wire::chat::{ChatFrame, ChatLine, ChatRole};

/// The operator's membership in the chat of a stream. It keeps the chat open, and may moderate it.
#[derive(Debug)]
pub struct OperatorChat {
    registry: Arc<Registry>,
    member: ChatMember,
    app: String,
    stream: String,
    /// Frames that stand in for those that this member has missed: first the deletions, then the messages.
    missed: VecDeque<ChatFrame>,
    /// The number of the newest message that was taken, or is in `missed`.
    newest: u64,
}

impl Server {
    /// Joins the chat of a stream as the operator; returns `None` if there are too many chats.
    pub fn join_chat(&self, app: &str, stream: &str) -> Option<OperatorChat> {
        OperatorChat::join(&self.registry, app, stream)
    }

    /// Returns the rules of all chats, which can also be set over HTTP.
    pub fn chat_rules(&self) -> Arc<ChatRules> {
        self.registry.chats.rules()
    }

    /// Sets the rules of all chats.
    pub fn set_chat_rules(&self, rules: ChatRules) {
        self.registry.chats.set_rules(rules);
    }
}

impl OperatorChat {
    fn join(registry: &Arc<Registry>, app: &str, stream: &str) -> Option<Self> {
        let here = std::net::Ipv4Addr::LOCALHOST.into();
        let (id, now) = (registry.next_id(), registry.clock.now());
        let member = registry.chats.enter((app, stream), id, here, now)?;
        let member = member.with_role(ChatRole::Streamer);
        let (app, stream) = (app.to_owned(), stream.to_owned());
        let (registry, missed) = (Arc::clone(registry), VecDeque::new());
        Some(Self { registry, member, app, stream, missed, newest: 0 })
    }

    /// Returns the number of the operator in their own messages.
    pub fn id(&self) -> u64 {
        self.member.id()
    }

    /// Returns the next frame, if there is one.
    pub fn poll(&mut self) -> Option<ChatFrame> {
        loop {
            if let Some(frame) = self.missed.pop_front() {
                return Some(frame);
            }
            match self.member.frames.try_recv() {
                Ok(frame) => match ChatFrame::from_json(&frame) {
                    Some(ChatFrame::Post(post)) if post.id <= self.newest => {}
                    Some(frame) => {
                        if let ChatFrame::Post(post) = &frame {
                            self.newest = post.id;
                        }
                        return Some(frame);
                    }
                    None => {}
                },
                // Viewers have received the messages whose frames are lost here.
                Err(TryRecvError::Lagged(_)) => {
                    let posts = self.registry.chats.posts(&self.app, &self.stream);
                    let new = posts.into_iter().flatten().filter(|post| post.id > self.newest);
                    let new: Vec<_> = new.collect();
                    self.newest = new.last().map_or(self.newest, |post| post.id);
                    self.missed.extend(self.member.missed());
                    self.missed.extend(new.into_iter().map(ChatFrame::Post));
                }
                Err(TryRecvError::Empty | TryRecvError::Closed) => return None,
            }
        }
    }

    /// Sends a message, to which no rules apply.
    pub fn say(&self, line: ChatLine) {
        self.member.announce(line);
    }

    /// Reserves the operator's name, so that no viewer can have it.
    pub fn reserve(&self, name: &str) {
        self.member.reserve(name);
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

impl Drop for OperatorChat {
    fn drop(&mut self) {
        // Viewers may keep the chat, and may then have the name.
        self.member.reserve("");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::Runtime;
    use crate::server::config::Config;
    use crate::server::registry::chat::PostRefusal;
    use crate::server::webrtc::whep::session::tests::start_registry;

    #[test]
    fn the_name_of_an_operator_who_has_left_is_free_again() {
        let runtime = Runtime::start().unwrap();
        let (registry, _events) = start_registry(&runtime, Config::default());
        let operator = OperatorChat::join(&registry, "live", "a").unwrap();
        let (here, now) = ([127, 0, 0, 1].into(), registry.clock.now());
        let mut viewer = registry.chats.enter(("live", "a"), 99, here, now).unwrap();
        let line = ChatLine::new("Ann", "hi").unwrap();
        operator.reserve("Ann");
        assert_eq!(viewer.say(&line, now), Err(PostRefusal::Reserved));
        drop(operator);
        assert_eq!(viewer.say(&line, now), Ok(()));
    }

    #[test]
    fn a_short_flood_hides_no_message_from_the_operator() {
        let runtime = Runtime::start().unwrap();
        let (registry, _events) = start_registry(&runtime, Config::default());
        let mut operator = OperatorChat::join(&registry, "live", "a").unwrap();
        let mut taken = Vec::new();
        for number in 0..200 {
            operator.say(ChatLine::new("ann", &number.to_string()).unwrap());
            // The first messages are taken at once, and the others are a flood.
            if number < 10 {
                taken.extend(operator.poll());
            }
        }
        taken.extend(std::iter::from_fn(|| operator.poll()));
        let posts = registry.chats.posts("live", "a").unwrap();
        assert_eq!(posts.len(), 200);
        assert_eq!(taken, posts.into_iter().map(ChatFrame::Post).collect::<Vec<_>>());
        operator.say(ChatLine::new("ann", "later").unwrap());
        assert!(operator.poll().is_some() && operator.poll().is_none());
    }
}
