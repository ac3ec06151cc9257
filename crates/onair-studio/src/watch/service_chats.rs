//! The chats of streaming services, which the streamer reads in one list.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::net::{Options, Runtime};
use crate::player::chat::ChatState;
use crate::player::chat::service::{ServiceChat, ServiceFrame};
use crate::studio::event::service_chat::{ServiceChatNews, ServiceLine};
use crate::studio::watch::chat::{ChatChoices, MAX_STORED_LINES};
use crate::wire::chat::service::{Service, ServiceAddress};

/// The chats for the window.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ServiceChatsView {
    /// The newest [`MAX_STORED_LINES`] messages of all chats, oldest first, without blocked ones.
    pub lines: Arc<[ServiceLine]>,
    pub states: Arc<[(Arc<ServiceAddress>, ChatState)]>,
}

/// The chats; see the module documentation.
#[derive(Debug, Default)]
pub struct ServiceChats {
    chats: Vec<(Arc<ServiceAddress>, ServiceChat)>,
    lines: VecDeque<ServiceLine>,
    last_number: u64,
    view: ServiceChatsView,
}

impl ServiceChats {
    pub fn view(&self) -> ServiceChatsView {
        self.view.clone()
    }

    /// Joins and leaves chats, so that those of the choices are joined.
    pub fn follow(&mut self, choices: &ChatChoices, options: &Options, runtime: &Runtime) {
        let wanted = &choices.services;
        if wanted.iter().eq(self.chats.iter().map(|(address, _)| &**address)) {
            return;
        }
        let mut before = std::mem::take(&mut self.chats);
        for address in wanted {
            let kept = before.iter().position(|(of, _)| **of == *address);
            self.chats.push(match kept {
                Some(at) => before.swap_remove(at),
                None => {
                    let chat = ServiceChat::join(address, options.clone(), runtime);
                    (Arc::new(address.clone()), chat)
                }
            });
        }
        self.lines.retain(|line| wanted.contains(&line.address));
        let reported = Arc::clone(&self.view.states);
        self.show();
        // A state that no event has reported yet is still news.
        let states = self.chats.iter().map(|(address, _)| {
            let before = reported.iter().find(|(of, _)| of == address);
            let state = before.map_or(ChatState::Connecting, |(_, state)| state.clone());
            (Arc::clone(address), state)
        });
        self.view.states = states.collect();
    }

    /// Joins the refused chats of a service again, for example with another key.
    pub fn retry(&mut self, service: Service) {
        let is_refused = |chat: &ServiceChat| matches!(chat.state(), ChatState::Refused { .. });
        self.chats.retain(|(address, chat)| address.service != service || !is_refused(chat));
    }

    /// Takes the messages since the last call, and returns what is new.
    pub fn poll(&mut self, choices: &ChatChoices) -> Vec<ServiceChatNews> {
        let mut news = Vec::new();
        let (mut any, mut states) = (false, Vec::with_capacity(self.chats.len()));
        for (address, chat) in &self.chats {
            let state = chat.state();
            states.push((Arc::clone(address), state.clone()));
            let before = self.view.states.iter().find(|(of, _)| of == address);
            if before.is_none_or(|(_, before)| *before != state) {
                any = true;
                news.push(ServiceChatNews::State(Arc::clone(address), state));
            }
            // At most this many frames of each chat are taken in one call; the next call takes the
            // rest.
            for _ in 0..MAX_STORED_LINES {
                let Ok(frame) = chat.frames().try_recv() else { break };
                any = true;
                match frame {
                    ServiceFrame::Post(post) if choices.lets_pass(&post.line) => {
                        self.last_number += 1;
                        let number = self.last_number;
                        let line = ServiceLine { number, address: Arc::clone(address), post };
                        news.push(ServiceChatNews::Line(line.clone()));
                        self.lines.push_back(line);
                    }
                    ServiceFrame::Post(_) => {}
                    ServiceFrame::Deleted(id) => {
                        self.lines.retain(|it| it.address != *address || it.post.id != id);
                    }
                    ServiceFrame::Cleared(from) => {
                        let is_of = |it: &ServiceLine| {
                            from.as_ref().is_none_or(|from| it.post.from == *from)
                        };
                        self.lines.retain(|it| it.address != *address || !is_of(it));
                    }
                }
            }
        }
        while self.lines.len() > MAX_STORED_LINES {
            self.lines.pop_front();
        }
        if any {
            self.show();
            // As they were reported, not as they are now: a state that changed meanwhile is the next news.
            self.view.states = states.into();
        }
        news
    }

    fn show(&mut self) {
        self.view.lines = self.lines.iter().cloned().collect();
    }
}
