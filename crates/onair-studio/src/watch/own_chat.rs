//! The chat of the program's own stream on the built-in server, as the streamer reads and moderates
//! it.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::server::{ChatRules, MutedPerson, OperatorChat};
use crate::studio::watch::chat::MAX_STORED_LINES;
use crate::wire::chat::{ChatFrame, ChatLine, ChatPost};

/// A command for the chat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChatCommand {
    /// Sends a message under this name.
    Say {
        name: String,
        text: String,
    },
    /// Deletes the message with this number for everyone.
    Delete(u64),
    /// Mutes the sender with this number, and deletes the sender's last messages.
    Mute(u64),
    Unmute(u64),
    /// Sets the rules of all chats, and saves them.
    SetRules(ChatRules),
}

/// The chat for the window.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnChatView {
    /// The newest [`MAX_STORED_LINES`] messages, oldest first.
    pub posts: Arc<[ChatPost]>,
    pub muted: Arc<[MutedPerson]>,
    /// The sender number of the streamer's own messages.
    pub own_id: u64,
}

/// The chat; see the module documentation.
#[derive(Debug)]
pub(crate) struct OwnChat {
    seat: OperatorChat,
    posts: VecDeque<ChatPost>,
    /// The streamer's name, which viewers cannot have.
    name: String,
    view: OwnChatView,
}

impl OwnChat {
    pub fn new(seat: OperatorChat) -> Self {
        let view = OwnChatView { own_id: seat.id(), ..OwnChatView::default() };
        Self { seat, posts: VecDeque::new(), name: String::new(), view }
    }

    pub fn view(&self) -> OwnChatView {
        self.view.clone()
    }

    /// Sets the streamer's name.
    pub fn set_name(&mut self, name: &str) {
        if self.name != name {
            name.clone_into(&mut self.name);
            self.seat.reserve(name);
        }
    }

    /// Takes the messages since the last call, and the muted people.
    pub fn poll(&mut self) {
        let mut any = false;
        // At most this many frames are taken in one call; the next call takes the rest.
        for _ in 0..MAX_STORED_LINES {
            match self.seat.poll() {
                None => break,
                Some(ChatFrame::Post(post)) => {
                    while self.posts.len() >= MAX_STORED_LINES {
                        self.posts.pop_front();
                    }
                    self.posts.push_back(post);
                }
                Some(ChatFrame::Deleted(ids)) => self.posts.retain(|post| !ids.contains(&post.id)),
                Some(
                    ChatFrame::Line(_)
                    | ChatFrame::Refused(..)
                    | ChatFrame::Slow(_)
                    | ChatFrame::Passed(_),
                ) => continue,
            }
            any = true;
        }
        if any {
            self.view.posts = self.posts.iter().cloned().collect();
        }
        // People can also be muted and unmuted over HTTP.
        let muted = self.seat.muted();
        if *muted != *self.view.muted {
            self.view.muted = muted.into();
        }
    }

    /// Executes a command, except for the rules, which belong to the server.
    pub fn handle(&mut self, command: ChatCommand) {
        match command {
            ChatCommand::Say { name, text } => {
                if let Some(line) = ChatLine::new(&name, &text) {
                    self.seat.say(line);
                }
            }
            ChatCommand::Delete(id) => self.seat.delete(id),
            ChatCommand::Mute(id) => self.seat.mute(id),
            ChatCommand::Unmute(id) => self.seat.unmute(id),
            ChatCommand::SetRules(_) => return,
        }
        self.poll();
    }
}
