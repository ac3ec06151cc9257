//! Chats: one per stream, as long as the chat has members. A message goes to all members; new members get the
//! last messages. The operator deletes messages, mutes people and sets rules. The numbers of rooms, of
//! members per room, of stored messages and of frames that wait for one member are limited. A slow member
//! misses the oldest frames.

mod allowance;
pub mod moderation;
mod muting;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use parking_lot::{Mutex, RwLock};
use tokio::sync::broadcast;

use crate::base::Timestamp;
use crate::net::subscriber::subscriber;
use crate::server::registry::chat::allowance::{Allowance, Allowances};
use crate::server::registry::chat::moderation::{ChatRules, Muted, Person};
use crate::wire::chat::lookalike::NameLook;
use crate::wire::chat::{ChatFrame, ChatLine, ChatPost, ChatRole, MAX_DELETED_MESSAGES};

/// Number of stored messages for moderation.
const MAX_STORED_MESSAGES: usize = 256;
/// Number of earlier messages that a new member gets.
const MAX_EARLIER_MESSAGES: usize = 30;
/// Number of the last senders, who can be muted even if their messages are no longer stored, because
/// clients may still show these messages.
const MAX_MUTABLE_PEOPLE: usize = 256;
/// Number of remembered names of the streamer and moderators.
const MAX_STAFF_NAMES: usize = 32;
/// Names that viewers must not have, because they suggest that the sender is in charge.
static RESERVED_NAMES: LazyLock<Vec<NameLook>> = LazyLock::new(|| {
    let names = [
        "Streamer",
        "Moderator",
        "Admin",
        "Operator",
        "Server",
        "System",
        "onair",
        "主播",
        "房管",
        "管理员",
        "服务器",
        "系统",
    ];
    names.map(NameLook::of).into()
});
/// Maximum number of frames that wait for one member.
const MAX_WAITING_FRAMES: usize = 64;

/// All chats of a server.
#[derive(Debug)]
pub(crate) struct Chats {
    rooms: Mutex<HashMap<(String, String), Arc<Room>>>,
    most_rooms: usize,
    most_people: usize,
    /// The number of the next message.
    next_message: AtomicU64,
    rules: RwLock<Arc<ChatRules>>,
    muted: Mutex<Muted>,
}

#[derive(Debug)]
struct Room {
    /// The number of members, which changes only while the list of rooms is locked.
    members: AtomicUsize,
    frames: broadcast::Sender<Arc<str>>,
    past: Mutex<ChatHistory>,
}

/// The history of a chat.
#[derive(Debug, Default)]
struct ChatHistory {
    posts: VecDeque<(ChatPost, Arc<str>)>,
    /// The ids of the last [`MAX_STORED_MESSAGES`] deleted messages. Clients that were away, or that
    /// missed chat frames, may still show these messages.
    deleted: VecDeque<u64>,
    /// The senders of the last messages, the most recent last.
    people: VecDeque<Person>,
    /// The names of the streamer and moderators, the latest last.
    staff: VecDeque<NameLook>,
    /// The name that the operator has chosen, even if no message has it yet.
    operator: Option<NameLook>,
    allowances: Allowances,
}

/// A membership in a chat. The membership ends when this value is dropped.
#[derive(Debug)]
pub(crate) struct ChatMember {
    chats: Arc<Chats>,
    key: (String, String),
    room: Arc<Room>,
    /// New frames, including the member's own messages.
    pub frames: broadcast::Receiver<Arc<str>>,
    /// Earlier messages, and the current rules.
    pub past: Vec<Arc<str>>,
    id: u64,
    address: IpAddr,
    role: ChatRole,
    guest: String,
    allowance: Allowance,
}

/// The reason why a message is not passed on.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum PostRefusal {
    /// The member sent too many messages in a short time.
    TooFast,
    /// In slow mode, the next message is allowed after this time.
    Slow(Duration),
    Muted,
    /// The message contains a blocked word.
    Blocked,
    /// The name belongs to the streamer or a moderator, or looks like one of their names.
    Reserved,
}

impl Chats {
    /// Creates the chats. `first` is the number of the first message. It should be larger than all numbers of an
    /// earlier run, so that clients that reconnect do not mistake a new message for an old one.
    pub fn new(most_rooms: usize, most_people: usize, rules: ChatRules, first: u64) -> Arc<Self> {
        Arc::new(Self {
            rooms: Mutex::default(),
            most_rooms,
            most_people,
            next_message: AtomicU64::new(first),
            rules: RwLock::new(Arc::new(rules.checked())),
            muted: Mutex::default(),
        })
    }

    /// Returns true if this stream has a chat.
    pub fn is_open(&self, app: &str, stream: &str) -> bool {
        self.room(app, stream).is_some()
    }

    fn room(&self, app: &str, stream: &str) -> Option<Arc<Room>> {
        self.rooms.lock().get(&(app.to_owned(), stream.to_owned())).cloned()
    }

    /// Returns the rules of all chats.
    pub fn rules(&self) -> Arc<ChatRules> {
        Arc::clone(&self.rules.read())
    }

    /// Sets the rules; they apply to the next messages.
    pub fn set_rules(&self, rules: ChatRules) {
        let rules = rules.checked();
        let was = std::mem::replace(&mut *self.rules.write(), Arc::new(rules.clone()));
        if was.slow != rules.slow {
            let rooms: Vec<_> = self.rooms.lock().values().cloned().collect();
            let frame: Arc<str> = ChatFrame::Slow(rules.slow.as_secs()).to_json().into();
            for room in rooms {
                // A room may have lost its last member.
                let _ = room.frames.send(Arc::clone(&frame));
            }
        }
    }

    /// Returns the stored messages of a chat, or `None` if there is no such chat.
    pub fn posts(&self, app: &str, stream: &str) -> Option<Vec<ChatPost>> {
        let room = self.room(app, stream)?;
        let past = room.past.lock();
        Some(past.posts.iter().map(|(post, _)| post.clone()).collect())
    }

    /// Deletes messages, which all members then remove. Returns false if there is no such chat.
    pub fn delete(&self, app: &str, stream: &str, ids: &[u64]) -> bool {
        let next = self.next_message.load(Ordering::Relaxed);
        let known: Vec<u64> = ids.iter().copied().filter(|id| *id < next).collect();
        let room = self.room(app, stream);
        room.inspect(|room| room.past.lock().delete(&known, &room.frames)).is_some()
    }

    /// Joins the chat of a stream. Returns `None` if the chat is full, or if there are too many chats. `id` is
    /// the number of the member, which is also part of the default name.
    pub fn enter(
        self: &Arc<Self>,
        (app, stream): (&str, &str),
        id: u64,
        address: IpAddr,
        now: Timestamp,
    ) -> Option<ChatMember> {
        let key = (app.to_owned(), stream.to_owned());
        let mut rooms = self.rooms.lock();
        let room = match rooms.get(&key) {
            Some(room) => Arc::clone(room),
            None if rooms.len() >= self.most_rooms => return None,
            None => {
                let (frames, _) = broadcast::channel(MAX_WAITING_FRAMES);
                let members = AtomicUsize::default();
                let room = Arc::new(Room { members, frames, past: Mutex::default() });
                rooms.insert(key.clone(), Arc::clone(&room));
                room
            }
        };
        if room.members.load(Ordering::Relaxed) >= self.most_people {
            return None;
        }
        room.members.fetch_add(1, Ordering::Relaxed);
        let address = subscriber(address);
        // No frame is sent between reading the past and subscribing.
        let (frames, past) = {
            let past = room.past.lock();
            let skipped = past.posts.len().saturating_sub(MAX_EARLIER_MESSAGES);
            let posts = past.posts.iter().skip(skipped).map(|(_, json)| Arc::clone(json));
            let slow = Some(self.rules.read().slow.as_secs()).filter(|slow| *slow > 0);
            let rest = past.missed().into_iter().chain(slow.map(ChatFrame::Slow));
            let all = posts.chain(rest.map(|frame| frame.to_json().into())).collect();
            (room.frames.subscribe(), all)
        };
        let (chats, guest) = (Arc::clone(self), format!("guest-{id}"));
        let allowance = Allowance::new(now);
        drop(rooms);
        Some(ChatMember {
            chats,
            key,
            room,
            frames,
            past,
            id,
            address,
            role: ChatRole::Viewer,
            guest,
            allowance,
        })
    }
}

impl ChatHistory {
    /// Deletes messages, and informs all members.
    fn delete(&mut self, ids: &[u64], frames: &broadcast::Sender<Arc<str>>) {
        self.posts.retain(|(post, _)| !ids.contains(&post.id));
        for some in ids.chunks(MAX_DELETED_MESSAGES) {
            self.deleted.extend(some);
            // A room may have lost its last member.
            let _ = frames.send(ChatFrame::Deleted(some.to_vec()).to_json().into());
        }
        while self.deleted.len() > MAX_STORED_MESSAGES {
            self.deleted.pop_front();
        }
    }

    /// Returns the frames for a member who may have missed that messages were deleted.
    fn missed(&self) -> Vec<ChatFrame> {
        let deleted: Vec<u64> = self.deleted.iter().copied().collect();
        let frames = deleted.chunks(MAX_DELETED_MESSAGES);
        frames.map(|some| ChatFrame::Deleted(some.to_vec())).collect()
    }

    /// Returns true if a name that looks like this is reserved for the streamer and moderators.
    fn is_reserved(&self, name: &NameLook) -> bool {
        let mut names = RESERVED_NAMES.iter().chain(&self.staff).chain(&self.operator);
        names.any(|reserved| reserved.is_like(name))
    }

    fn add_staff(&mut self, name: NameLook) {
        self.staff.retain(|known| *known != name);
        while self.staff.len() >= MAX_STAFF_NAMES {
            self.staff.pop_front();
        }
        self.staff.push_back(name);
    }

    /// Stores a message and its sender.
    fn add(&mut self, post: ChatPost, json: &Arc<str>, address: IpAddr) {
        self.people.retain(|person| person.id != post.from);
        while self.people.len() >= MAX_MUTABLE_PEOPLE {
            self.people.pop_front();
        }
        let is_staff = post.role != ChatRole::Viewer;
        let (id, name) = (post.from, post.line.name.clone());
        self.people.push_back(Person { id, address, name, is_staff });
        while self.posts.len() >= MAX_STORED_MESSAGES {
            self.posts.pop_front();
        }
        self.posts.push_back((post, Arc::clone(json)));
    }
}

impl ChatMember {
    /// Returns the member with this role.
    pub fn with_role(mut self, role: ChatRole) -> Self {
        self.role = role;
        self
    }

    /// Returns the application and the name of the stream.
    pub fn stream(&self) -> (&str, &str) {
        (&self.key.0, &self.key.1)
    }

    /// Returns the number of the member.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Sends a message to all members, if the rules allow it.
    pub fn say(&mut self, line: &ChatLine, now: Timestamp) -> Result<(), PostRefusal> {
        if !self.allowance.take(now) {
            return Err(PostRefusal::TooFast);
        }
        let line = match line.name.is_empty() {
            true => ChatLine { name: self.guest.clone(), text: line.text.clone() },
            false => line.clone(),
        };
        if self.role != ChatRole::Viewer {
            self.announce(line);
            return Ok(());
        }
        let look = NameLook::of(&line.name);
        {
            let mut past = self.room.past.lock();
            if !past.allowances.of(self.address, &line.name, now).take(now) {
                return Err(PostRefusal::TooFast);
            }
            if past.is_reserved(&look) {
                return Err(PostRefusal::Reserved);
            }
        }
        if self.chats.muted.lock().has(&self.key, self.id, self.address, &line.name) {
            return Err(PostRefusal::Muted);
        }
        let rules = self.chats.rules();
        if rules.words.are_in(&line.text) || rules.words.are_in(&line.name) {
            return Err(PostRefusal::Blocked);
        }
        {
            let mut past = self.room.past.lock();
            let of_sender = past.allowances.of(self.address, &line.name, now);
            // Behind a proxy, another name does not circumvent slow mode either.
            let both = [&mut self.allowance, of_sender];
            if let Some(wait) = both.iter().filter_map(|it| it.wait(rules.slow, now)).max() {
                return Err(PostRefusal::Slow(wait));
            }
            for allowance in both {
                allowance.last_message_at = Some(now);
            }
        }
        self.announce(line);
        Ok(())
    }

    /// Sends a message to all members, without applying the rules.
    pub fn announce(&self, line: ChatLine) {
        let mut past = self.room.past.lock();
        let id = self.chats.next_message.fetch_add(1, Ordering::Relaxed);
        if self.role != ChatRole::Viewer {
            past.add_staff(NameLook::of(&line.name));
        }
        let post = ChatPost { id, from: self.id, role: self.role, line };
        let json: Arc<str> = ChatFrame::Post(post.clone()).to_json().into();
        past.add(post, &json, self.address);
        // At least this member receives it.
        let _ = self.room.frames.send(json);
    }

    /// Reserves the name that the operator has chosen, so that no viewer can have it. An earlier
    /// chosen name is free again, unless a message has it.
    pub fn reserve(&self, name: &str) {
        self.room.past.lock().operator = (!name.is_empty()).then(|| NameLook::of(name));
    }

    /// Returns the frames for a member who has missed frames.
    pub fn missed(&self) -> Vec<ChatFrame> {
        self.room.past.lock().missed()
    }
}

impl Drop for ChatMember {
    fn drop(&mut self) {
        let mut rooms = self.chats.rooms.lock();
        if self.room.members.fetch_sub(1, Ordering::Relaxed) <= 1 {
            rooms.remove(&self.key);
        }
    }
}
