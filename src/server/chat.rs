//! Chats: one per stream, while it has members. A message goes to all members; new members get the
//! last messages. The limits are rooms, members per room, stored messages, and messages waiting for
//! one member (who then misses the oldest).

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::broadcast;

use crate::base::Timestamp;
use crate::wire::chat::ChatLine;

/// Number of stored messages for new members.
const KEPT_LINES: usize = 30;
/// Maximum number of messages that wait for one member.
const WAITING: usize = 64;
/// Number of messages that a member may send at once.
const BURST: u32 = 5;
/// Interval of further messages after that.
const PAUSE: Duration = Duration::from_secs(1);

/// All chats of a server.
#[derive(Debug)]
pub(super) struct Chats {
    rooms: Mutex<HashMap<(String, String), Arc<Room>>>,
    most_rooms: usize,
    most_people: usize,
}

#[derive(Debug)]
struct Room {
    lines: broadcast::Sender<Arc<str>>,
    past: Mutex<VecDeque<Arc<str>>>,
}

/// A membership in a chat; ends when dropped.
#[derive(Debug)]
pub(super) struct ChatMember {
    chats: Arc<Chats>,
    key: (String, String),
    room: Arc<Room>,
    /// New messages, including own ones.
    pub lines: broadcast::Receiver<Arc<str>>,
    /// Earlier messages.
    pub past: Vec<Arc<str>>,
    guest: String,
    allowance: Allowance,
}

impl Chats {
    pub fn new(most_rooms: usize, most_people: usize) -> Arc<Self> {
        Arc::new(Self { rooms: Mutex::default(), most_rooms, most_people })
    }

    /// Returns true if this stream has a chat.
    pub fn is_open(&self, app: &str, stream: &str) -> bool {
        self.rooms.lock().contains_key(&(app.to_owned(), stream.to_owned()))
    }

    /// Joins the chat of a stream; `None` if it is full. `number` is part of the default name.
    pub fn enter(
        self: &Arc<Self>,
        app: &str,
        stream: &str,
        number: u64,
        now: Timestamp,
    ) -> Option<ChatMember> {
        let key = (app.to_owned(), stream.to_owned());
        let mut rooms = self.rooms.lock();
        let room = match rooms.get(&key) {
            Some(room) => Arc::clone(room),
            None if rooms.len() >= self.most_rooms => return None,
            None => {
                let (lines, _) = broadcast::channel(WAITING);
                let room = Arc::new(Room { lines, past: Mutex::default() });
                rooms.insert(key.clone(), Arc::clone(&room));
                room
            }
        };
        if room.lines.receiver_count() >= self.most_people {
            return None;
        }
        // No message is sent between reading the past and subscribing.
        let (lines, past) = {
            let past = room.past.lock();
            (room.lines.subscribe(), past.iter().cloned().collect())
        };
        let (guest, allowance) = (format!("guest-{number}"), Allowance::new(now));
        Some(ChatMember { chats: Arc::clone(self), key, room, lines, past, guest, allowance })
    }
}

impl ChatMember {
    /// Sends a message to all members; false if there were too many at once.
    pub fn say(&mut self, line: &ChatLine, now: Timestamp) -> bool {
        if !self.allowance.take(now) {
            return false;
        }
        let named = match line.name.is_empty() {
            true => ChatLine { name: self.guest.clone(), text: line.text.clone() },
            false => line.clone(),
        };
        let said: Arc<str> = named.to_json().into();
        let mut past = self.room.past.lock();
        while past.len() >= KEPT_LINES {
            past.pop_front();
        }
        past.push_back(Arc::clone(&said));
        // At least this member receives it.
        let _ = self.room.lines.send(said);
        true
    }
}

impl Drop for ChatMember {
    fn drop(&mut self) {
        let mut rooms = self.chats.rooms.lock();
        // The receiver of this member still counts.
        if self.room.lines.receiver_count() <= 1 {
            rooms.remove(&self.key);
        }
    }
}

/// The message allowance of a member.
#[derive(Debug)]
struct Allowance {
    left: u32,
    since: Timestamp,
}

impl Allowance {
    fn new(now: Timestamp) -> Self {
        Self { left: BURST, since: now }
    }

    fn take(&mut self, now: Timestamp) -> bool {
        while self.left < BURST && now.since(self.since) >= PAUSE {
            self.left += 1;
            self.since += PAUSE;
        }
        if self.left == BURST {
            self.since = now;
        }
        let may = self.left > 0;
        self.left = self.left.saturating_sub(1);
        may
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_micros(millis * 1_000)
    }

    fn text(line: &str) -> String {
        ChatLine::from_json(line).unwrap().text
    }

    #[test]
    fn everybody_hears_and_late_comers_hear_the_last_lines() {
        let chats = Chats::new(2, 3);
        let mut ann = chats.enter("live", "a", 1, at(0)).unwrap();
        let mut bob = chats.enter("live", "a", 2, at(0)).unwrap();
        let mut other = chats.enter("live", "b", 3, at(0)).unwrap();
        assert!(ann.say(&ChatLine::new("ann", "one").unwrap(), at(0)));
        assert!(bob.say(&ChatLine::new("", "two").unwrap(), at(0)));
        for seat in [&mut ann, &mut bob] {
            let first = ChatLine::from_json(&seat.lines.try_recv().unwrap()).unwrap();
            let second = ChatLine::from_json(&seat.lines.try_recv().unwrap()).unwrap();
            assert_eq!((first.name.as_str(), first.text.as_str()), ("ann", "one"));
            assert_eq!((second.name.as_str(), second.text.as_str()), ("guest-2", "two"));
        }
        assert!(other.lines.try_recv().is_err());
        let late = chats.enter("live", "a", 4, at(0)).unwrap();
        assert_eq!(late.past.iter().map(|line| text(line)).collect::<Vec<_>>(), ["one", "two"]);
        assert!(chats.enter("live", "a", 5, at(0)).is_none(), "it is full");
        assert!(chats.enter("live", "c", 5, at(0)).is_none(), "there are too many");
    }

    #[test]
    fn a_chat_ends_with_its_last_person() {
        let chats = Chats::new(1, 3);
        let ann = chats.enter("live", "a", 1, at(0)).unwrap();
        let bob = chats.enter("live", "a", 2, at(0)).unwrap();
        drop(ann);
        assert!(chats.is_open("live", "a"));
        drop(bob);
        assert!(!chats.is_open("live", "a"));
        assert!(chats.enter("live", "b", 3, at(0)).is_some());
    }

    #[test]
    fn too_much_at_once_is_not_passed_on() {
        let chats = Chats::new(1, 2);
        let mut seat = chats.enter("live", "a", 1, at(0)).unwrap();
        let line = ChatLine::new("", "x").unwrap();
        let passed = |seat: &mut ChatMember, millis| seat.say(&line, at(millis));
        let said: Vec<_> = (0..7).map(|_| passed(&mut seat, 5_000)).collect();
        assert_eq!(said, [true, true, true, true, true, false, false]);
        assert!(!passed(&mut seat, 5_900));
        assert!(passed(&mut seat, 6_000));
        assert!(!passed(&mut seat, 6_500));
        // After a long silence, the allowance is only one burst.
        let said = (0..9).filter(|_| passed(&mut seat, 999_000)).count();
        assert_eq!(said, BURST as usize);
    }

    #[test]
    fn the_past_is_bounded() {
        let chats = Chats::new(1, 2);
        let mut seat = chats.enter("live", "a", 1, at(0)).unwrap();
        for number in 0..KEPT_LINES + 5 {
            let line = ChatLine::new("", &number.to_string()).unwrap();
            assert!(seat.say(&line, at(number as i64 * 2_000)));
        }
        let late = chats.enter("live", "a", 2, at(0)).unwrap();
        assert_eq!(late.past.len(), KEPT_LINES);
        assert_eq!(text(&late.past[0]), "5");
    }
}
