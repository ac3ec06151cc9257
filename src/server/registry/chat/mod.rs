//! Chats: one per stream, as long as the chat has members. A message goes to all members; new members get the
//! last messages. The operator deletes messages, mutes people and sets rules. The numbers of rooms, of
//! members per room, of stored messages and of frames that wait for one member are limited. A slow member
//! misses the oldest frames.

mod allowance;
pub mod moderation;
mod muting;

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use parking_lot::{Mutex, RwLock};
use tokio::sync::broadcast;

use crate::base::Timestamp;
use crate::net::subscriber::subscriber;
use crate::server::registry::chat::allowance::Allowance;
use crate::server::registry::chat::moderation::{ChatRules, Muted, Person};
use crate::wire::chat::lookalike::NameLook;
use crate::wire::chat::{ChatFrame, ChatLine, ChatPost, ChatRole, MAX_DELETED_MESSAGES};

/// Number of stored messages for new members.
const MAX_STORED_MESSAGES: usize = 30;
/// Number of people who can be muted although their messages are no longer stored, because clients
/// may still show these messages.
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
pub(in crate::server) struct Chats {
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
    frames: broadcast::Sender<Arc<str>>,
    past: Mutex<ChatHistory>,
}

/// The history of a chat.
#[derive(Debug, Default)]
struct ChatHistory {
    posts: VecDeque<(ChatPost, Arc<str>)>,
    /// Ids of deleted messages. Clients that were away, or that missed chat frames, may still show
    /// these messages.
    deleted: VecDeque<u64>,
    /// The senders of the last messages, the most recent last.
    people: VecDeque<Person>,
    /// The names of the streamer and moderators, the latest last.
    staff: VecDeque<NameLook>,
    /// The time of the last message from each address, for slow mode.
    last_messages: HashMap<IpAddr, Timestamp>,
}

/// A membership in a chat. The membership ends when this value is dropped.
#[derive(Debug)]
pub(in crate::server) struct ChatMember {
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
    last_message_at: Option<Timestamp>,
}

/// The reason why a message is not passed on.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(in crate::server) enum PostRefusal {
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
                let room = Arc::new(Room { frames, past: Mutex::default() });
                rooms.insert(key.clone(), Arc::clone(&room));
                room
            }
        };
        if room.frames.receiver_count() >= self.most_people {
            return None;
        }
        let address = subscriber(address);
        // No frame is sent between reading the past and subscribing.
        let (frames, past, last_message_at) = {
            let past = room.past.lock();
            let posts = past.posts.iter().map(|(_, json)| Arc::clone(json));
            let slow = Some(self.rules.read().slow.as_secs()).filter(|slow| *slow > 0);
            let rest = past.missed().into_iter().chain(slow.map(ChatFrame::Slow));
            let all = posts.chain(rest.map(|frame| frame.to_json().into())).collect();
            // A new connection does not circumvent slow mode.
            (room.frames.subscribe(), all, past.last_messages.get(&address).copied())
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
            last_message_at,
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
        while self.deleted.len() > MAX_DELETED_MESSAGES {
            self.deleted.pop_front();
        }
    }

    /// Returns the frame for a member who may have missed that messages were deleted.
    fn missed(&self) -> Option<ChatFrame> {
        let deleted: Vec<u64> = self.deleted.iter().copied().collect();
        (!deleted.is_empty()).then_some(ChatFrame::Deleted(deleted))
    }

    /// Returns true if a name that looks like this is reserved for the streamer and moderators.
    fn is_reserved(&self, name: &NameLook) -> bool {
        RESERVED_NAMES.iter().chain(&self.staff).any(|reserved| reserved.is_like(name))
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
            self.announce(line, now);
            return Ok(());
        }
        let look = NameLook::of(&line.name);
        if self.room.past.lock().is_reserved(&look) {
            return Err(PostRefusal::Reserved);
        }
        if self.chats.muted.lock().has(&self.key, self.id, self.address, &line.name) {
            return Err(PostRefusal::Muted);
        }
        let rules = self.chats.rules();
        if rules.words.are_in(&line.text) || rules.words.are_in(&line.name) {
            return Err(PostRefusal::Blocked);
        }
        if let Some(last) = self.last_message_at
            && let Some(wait) = rules.slow.checked_sub(now.since(last)).filter(|it| !it.is_zero())
        {
            return Err(PostRefusal::Slow(wait));
        }
        self.last_message_at = Some(now);
        self.announce(line, now);
        Ok(())
    }

    /// Sends a message to all members, without applying the rules.
    pub fn announce(&self, line: ChatLine, now: Timestamp) {
        let slow = self.chats.rules().slow;
        let counts = self.role == ChatRole::Viewer && !slow.is_zero();
        let mut past = self.room.past.lock();
        let id = self.chats.next_message.fetch_add(1, Ordering::Relaxed);
        if self.role != ChatRole::Viewer {
            past.add_staff(NameLook::of(&line.name));
        }
        let post = ChatPost { id, from: self.id, role: self.role, line };
        let json: Arc<str> = ChatFrame::Post(post.clone()).to_json().into();
        past.add(post, &json, self.address);
        past.last_messages.retain(|_, last| now.since(*last) < slow);
        if counts && past.last_messages.len() < self.chats.most_people {
            past.last_messages.insert(self.address, now);
        }
        // At least this member receives it.
        let _ = self.room.frames.send(json);
    }

    /// Returns the frame for a member who has missed frames.
    pub fn missed(&self) -> Option<String> {
        self.room.past.lock().missed().map(|frame| frame.to_json())
    }
}

impl Drop for ChatMember {
    fn drop(&mut self) {
        let mut rooms = self.chats.rooms.lock();
        // The receiver of this member still counts.
        if self.room.frames.receiver_count() <= 1 {
            rooms.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::registry::chat::allowance::MAX_BURST_MESSAGES;
    use crate::server::registry::chat::moderation::{MutedPerson, NotMuted};

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_micros(millis * 1_000)
    }

    const LOCAL_IP: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    fn chats(most_rooms: usize, most_people: usize) -> Arc<Chats> {
        Chats::new(most_rooms, most_people, ChatRules::default(), 1)
    }

    fn text(line: &str) -> String {
        ChatLine::from_json(line).unwrap().text
    }

    fn line(text: &str) -> ChatLine {
        ChatLine::new("ann", text).unwrap()
    }

    /// Returns the frames that a member has received since the last call.
    fn got(member: &mut ChatMember) -> Vec<ChatFrame> {
        let frame = |json: Arc<str>| ChatFrame::from_json(&json).unwrap();
        std::iter::from_fn(|| member.frames.try_recv().ok().map(frame)).collect()
    }

    #[test]
    fn viewers_cannot_pass_for_the_streamer() {
        let chats = chats(2, 4);
        let room = ("live", "a");
        let mut viewer = chats.enter(room, 1, LOCAL_IP, at(0)).unwrap();
        let mut streamer =
            chats.enter(room, 2, LOCAL_IP, at(0)).unwrap().with_role(ChatRole::Streamer);
        let named = |name| ChatLine::new(name, "hi").unwrap();
        for name in ["Streamer", "ｓｔｒｅａｍｅｒ", "主播", "\u{405}tr\u{435}amer"] {
            assert_eq!(viewer.say(&named(name), at(0)), Err(PostRefusal::Reserved), "{name}");
        }
        assert_eq!(viewer.say(&named("Ann"), at(0)), Ok(()));
        chats.set_rules(ChatRules { slow: Duration::from_secs(60), ..ChatRules::default() });
        for _ in 0..2 {
            assert_eq!(streamer.say(&named("Ann"), at(0)), Ok(()), "no rules apply");
        }
        let roles: Vec<_> = got(&mut viewer)
            .into_iter()
            .filter_map(|frame| match frame {
                ChatFrame::Post(post) => Some(post.role),
                _ => None,
            })
            .collect();
        assert_eq!(roles, [ChatRole::Viewer, ChatRole::Streamer, ChatRole::Streamer]);
        // From now on, this name belongs to the streamer.
        for name in ["ANN", "\u{410}nn"] {
            assert_eq!(viewer.say(&named(name), at(90_000)), Err(PostRefusal::Reserved), "{name}");
        }
        // A client can claim a role in its message, but the server ignores the claim.
        let lie = ChatLine::from_json(r#"{"name":"eve","text":"hi","role":"streamer"}"#).unwrap();
        assert_eq!(viewer.say(&lie, at(90_000)), Ok(()));
        let last = got(&mut streamer).into_iter().rev().find_map(|frame| match frame {
            ChatFrame::Post(post) => Some(post.role),
            _ => None,
        });
        assert_eq!(last, Some(ChatRole::Viewer));
    }

    #[test]
    fn everybody_hears_and_late_comers_hear_the_last_lines() {
        let chats = chats(2, 3);
        let mut ann = chats.enter(("live", "a"), 1, LOCAL_IP, at(0)).unwrap();
        let mut bob = chats.enter(("live", "a"), 2, LOCAL_IP, at(0)).unwrap();
        let mut other = chats.enter(("live", "b"), 3, LOCAL_IP, at(0)).unwrap();
        ann.say(&line("one"), at(0)).unwrap();
        bob.say(&ChatLine::new("", "two").unwrap(), at(0)).unwrap();
        for seat in [&mut ann, &mut bob] {
            let first = ChatLine::from_json(&seat.frames.try_recv().unwrap()).unwrap();
            let second = ChatLine::from_json(&seat.frames.try_recv().unwrap()).unwrap();
            assert_eq!((first.name.as_str(), first.text.as_str()), ("ann", "one"));
            assert_eq!((second.name.as_str(), second.text.as_str()), ("guest-2", "two"));
        }
        assert!(other.frames.try_recv().is_err());
        let late = chats.enter(("live", "a"), 4, LOCAL_IP, at(0)).unwrap();
        assert_eq!(late.past.iter().map(|line| text(line)).collect::<Vec<_>>(), ["one", "two"]);
        assert!(chats.enter(("live", "a"), 5, LOCAL_IP, at(0)).is_none(), "it is full");
        assert!(chats.enter(("live", "c"), 5, LOCAL_IP, at(0)).is_none(), "there are too many");
    }

    #[test]
    fn a_chat_ends_with_its_last_person() {
        let chats = chats(1, 3);
        let ann = chats.enter(("live", "a"), 1, LOCAL_IP, at(0)).unwrap();
        let bob = chats.enter(("live", "a"), 2, LOCAL_IP, at(0)).unwrap();
        drop(ann);
        assert!(chats.is_open("live", "a"));
        drop(bob);
        assert!(!chats.is_open("live", "a"));
        assert!(chats.enter(("live", "b"), 3, LOCAL_IP, at(0)).is_some());
    }

    #[test]
    fn too_much_at_once_is_not_passed_on() {
        let chats = chats(1, 2);
        let mut seat = chats.enter(("live", "a"), 1, LOCAL_IP, at(0)).unwrap();
        let line = ChatLine::new("", "x").unwrap();
        let passed = |seat: &mut ChatMember, millis| seat.say(&line, at(millis)).is_ok();
        let passed_on: Vec<_> = (0..7).map(|_| passed(&mut seat, 5_000)).collect();
        assert_eq!(passed_on, [true, true, true, true, true, false, false]);
        assert!(!passed(&mut seat, 5_900));
        assert!(passed(&mut seat, 6_000));
        assert!(!passed(&mut seat, 6_500));
        // After a long silence, the allowance is only one burst.
        let passed_on = (0..9).filter(|_| passed(&mut seat, 999_000)).count();
        assert_eq!(passed_on, MAX_BURST_MESSAGES as usize);
    }

    #[test]
    fn the_past_is_bounded() {
        let chats = chats(1, 2);
        let mut seat = chats.enter(("live", "a"), 1, LOCAL_IP, at(0)).unwrap();
        for number in 0..MAX_STORED_MESSAGES + 5 {
            let line = ChatLine::new("", &number.to_string()).unwrap();
            seat.say(&line, at(number as i64 * 2_000)).unwrap();
        }
        let late = chats.enter(("live", "a"), 2, LOCAL_IP, at(0)).unwrap();
        assert_eq!(late.past.len(), MAX_STORED_MESSAGES);
        assert_eq!(text(&late.past[0]), "5");
    }

    #[test]
    fn a_deleted_message_is_gone_for_those_who_are_there_and_who_come() {
        let chats = chats(1, 3);
        let mut ann = chats.enter(("live", "a"), 1, LOCAL_IP, at(0)).unwrap();
        for text in ["one", "two"] {
            ann.say(&line(text), at(0)).unwrap();
        }
        let posts = chats.posts("live", "a").unwrap();
        assert_eq!(posts.iter().map(|post| post.from).collect::<Vec<_>>(), [1, 1]);
        got(&mut ann);
        assert!(chats.delete("live", "a", &[posts[0].id, 999]));
        assert!(!chats.delete("live", "b", &[1]), "there is no such chat");
        let deleted = ChatFrame::Deleted(vec![posts[0].id]);
        let got = got(&mut ann);
        assert_eq!(got, std::slice::from_ref(&deleted), "one of the future is not deleted");
        let late = chats.enter(("live", "a"), 2, LOCAL_IP, at(0)).unwrap();
        let past: Vec<_> = late.past.iter().map(|it| ChatFrame::from_json(it).unwrap()).collect();
        assert_eq!(past, [ChatFrame::Post(posts[1].clone()), deleted.clone()]);
        assert_eq!(late.missed(), Some(deleted.to_json()), "for who lagged behind");
        // The memory is bounded.
        for _ in 0..5 {
            chats.delete("live", "a", &vec![posts[1].id; MAX_DELETED_MESSAGES]);
        }
        let room = chats.room("live", "a").unwrap();
        assert_eq!(room.past.lock().deleted.len(), MAX_DELETED_MESSAGES);
    }

    #[test]
    fn a_muted_person_is_not_heard_until_they_are_let_in_again() {
        let chats = chats(1, 5);
        let mut ann = chats.enter(("live", "a"), 1, LOCAL_IP, at(0)).unwrap();
        let afar: IpAddr = "192.0.2.5".parse().unwrap();
        let mut eve = chats.enter(("live", "a"), 2, afar, at(0)).unwrap();
        assert_eq!(chats.mute("live", "a", 2), Err(NotMuted::Unknown), "who that is");
        eve.say(&ChatLine::new("eve", "spam").unwrap(), at(0)).unwrap();
        ann.say(&line("hi"), at(0)).unwrap();
        assert_eq!(chats.mute("live", "a", 2), Ok(()));
        assert!(matches!(got(&mut ann).last(), Some(ChatFrame::Deleted(ids)) if ids.len() == 1));
        let left: Vec<_> = chats.posts("live", "a").unwrap();
        assert_eq!(left.iter().map(|post| post.line.text.as_str()).collect::<Vec<_>>(), ["hi"]);
        assert_eq!(eve.say(&line("again"), at(1_000)), Err(PostRefusal::Muted));
        drop(eve);
        let mut again = chats.enter(("live", "a"), 3, afar, at(0)).unwrap();
        assert_eq!(again.say(&line("again"), at(1_000)), Err(PostRefusal::Muted), "came back");
        let muted = MutedPerson { id: 2, name: "eve".to_owned() };
        assert_eq!(chats.muted("live", "a"), [muted]);
        assert!(chats.unmute("live", "a", 2));
        assert_eq!(again.say(&line("again"), at(2_000)), Ok(()));
    }

    #[test]
    fn nobody_mutes_the_streamer_or_a_moderator() {
        let chats = chats(1, 5);
        let join = |id| chats.enter(("live", "a"), id, LOCAL_IP, at(0)).unwrap();
        let mut ann = join(1).with_role(ChatRole::Streamer);
        let mut bob = join(2).with_role(ChatRole::Moderator);
        ann.say(&line("hi"), at(0)).unwrap();
        bob.say(&line("hi"), at(0)).unwrap();
        for id in [1, 2] {
            assert_eq!(chats.mute("live", "a", id), Err(NotMuted::Staff));
        }
        assert!(chats.muted("live", "a").is_empty());
        assert_eq!(chats.posts("live", "a").unwrap().len(), 2, "their messages stay");
    }

    #[test]
    fn slow_mode_counts_for_each_person_and_survives_a_new_connection() {
        let chats = chats(1, 5);
        let mut ann = chats.enter(("live", "a"), 1, LOCAL_IP, at(0)).unwrap();
        let afar: IpAddr = "192.0.2.5".parse().unwrap();
        let mut bob = chats.enter(("live", "a"), 2, afar, at(0)).unwrap();
        chats.set_rules(ChatRules { slow: Duration::from_secs(10), ..ChatRules::default() });
        assert_eq!(got(&mut ann), [ChatFrame::Slow(10)], "everybody learns of it");
        ann.say(&line("one"), at(1_000)).unwrap();
        bob.say(&line("two"), at(2_000)).unwrap();
        let slow = |seconds| Err(PostRefusal::Slow(Duration::from_secs(seconds)));
        assert_eq!(ann.say(&line("three"), at(3_000)), slow(8));
        let kim = chats.enter(("live", "a"), 4, afar, at(0)).unwrap();
        kim.with_role(ChatRole::Streamer).announce(ChatLine::new("kim", "hi").unwrap(), at(3_500));
        drop(bob);
        let mut bob = chats.enter(("live", "a"), 3, afar, at(0)).unwrap();
        assert_eq!(
            bob.past.last().map(|it| ChatFrame::from_json(it)),
            Some(Some(ChatFrame::Slow(10)))
        );
        assert_eq!(bob.say(&line("four"), at(4_000)), slow(8));
        assert_eq!(ann.say(&line("five"), at(11_000)), Ok(()));
        ann.announce(line("six"), at(11_500));
        chats.set_rules(ChatRules::default());
        assert_eq!(ann.say(&line("seven"), at(12_000)), Ok(()));
        assert!(chats.room("live", "a").unwrap().past.lock().last_messages.is_empty());
    }

    #[test]
    fn blocked_words_are_not_passed_on_in_texts_and_names() {
        let words = crate::wire::chat::blocked_words::BlockedWords::new(["spoiler"]);
        let chats = Chats::new(1, 2, ChatRules { words, ..ChatRules::default() }, 1);
        let mut ann = chats.enter(("live", "a"), 1, LOCAL_IP, at(0)).unwrap();
        assert_eq!(ann.say(&line("a SPOILER"), at(0)), Err(PostRefusal::Blocked));
        let named = ChatLine::new("Spoiler-Bot", "hi").unwrap();
        assert_eq!(ann.say(&named, at(0)), Err(PostRefusal::Blocked));
        assert_eq!(ann.say(&line("fine"), at(0)), Ok(()));
        assert_eq!(chats.posts("live", "a").unwrap().len(), 1);
    }
}
