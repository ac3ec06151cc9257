//! The operator's moderation of a server's chats: the rules of all chats, and the muted people of each chat.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::Duration;

use crate::wire::chat::blocked_words::BlockedWords;

/// The longest interval of slow mode.
pub const MAX_SLOW_MODE_INTERVAL: Duration = Duration::from_mins(10);
/// Maximum number of muted people of all chats. Beyond this limit, the oldest mute is forgotten.
const MAX_MUTED_PEOPLE: usize = 256;

/// The rules of all chats of a server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChatRules {
    /// Slow mode: the interval between two messages of one person; zero disables it.
    pub slow: Duration,
    /// Messages that contain one of these words are not passed on.
    pub words: BlockedWords,
}

impl ChatRules {
    /// Returns the rules with slow mode cut to whole seconds and to its maximum.
    #[must_use]
    pub fn checked(self) -> Self {
        Self { slow: Duration::from_secs(self.slow.min(MAX_SLOW_MODE_INTERVAL).as_secs()), ..self }
    }
}

/// A muted person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MutedPerson {
    /// The number of the person in the messages that they sent.
    pub id: u64,
    /// The name that the person used last.
    pub name: String,
}

/// A person who has sent messages.
#[derive(Clone, Debug)]
pub(super) struct Person {
    pub id: u64,
    /// See [`subscriber`](crate::net::subscriber::subscriber).
    pub address: IpAddr,
    pub name: String,
    /// True for the streamer and moderators, who cannot be muted.
    pub is_staff: bool,
}

/// The reason why a person is not muted.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum NotMuted {
    /// The chat knows nobody with this number.
    Unknown,
    /// The person is the streamer or a moderator.
    Staff,
}

impl Person {
    /// Returns true if this connection likely belongs to this person, judged by its number or its
    /// address. Behind a proxy on this computer, everyone has the same address, so the name counts
    /// too.
    fn is_same(&self, id: u64, address: IpAddr, name: &str) -> bool {
        self.id == id || (self.address == address && (!address.is_loopback() || self.name == name))
    }
}

/// The muted people of all chats, oldest first.
#[derive(Debug, Default)]
pub(super) struct Muted(VecDeque<((String, String), Person)>);

impl Muted {
    pub fn add(&mut self, chat: &(String, String), person: Person) {
        self.remove(chat, person.id);
        while self.0.len() >= MAX_MUTED_PEOPLE {
            self.0.pop_front();
        }
        self.0.push_back((chat.clone(), person));
    }

    /// Unmutes a person. Returns false if nobody with this number is muted.
    pub fn remove(&mut self, chat: &(String, String), id: u64) -> bool {
        let before = self.0.len();
        self.0.retain(|(of, person)| of != chat || person.id != id);
        self.0.len() < before
    }

    pub fn has(&self, chat: &(String, String), id: u64, address: IpAddr, name: &str) -> bool {
        self.0.iter().any(|(of, person)| of == chat && person.is_same(id, address, name))
    }

    pub fn of(&self, chat: &(String, String)) -> Vec<MutedPerson> {
        let of_chat = self.0.iter().filter(|(of, _)| of == chat);
        of_chat.map(|(_, it)| MutedPerson { id: it.id, name: it.name.clone() }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(id: u64, address: &str, name: &str) -> Person {
        let (address, name) = (address.parse().unwrap(), name.to_owned());
        Person { id, address, name, is_staff: false }
    }

    fn has(muted: &Muted, chat: &(String, String), it: &Person) -> bool {
        muted.has(chat, it.id, it.address, &it.name)
    }

    #[test]
    fn a_muted_person_does_not_come_back_by_a_new_connection() {
        let chat = ("live".to_owned(), "a".to_owned());
        let other = ("live".to_owned(), "b".to_owned());
        let mut muted = Muted::default();
        muted.add(&chat, person(7, "192.0.2.1", "eve"));
        assert!(has(&muted, &chat, &person(7, "192.0.2.9", "ann")), "the same connection");
        assert!(has(&muted, &chat, &person(8, "192.0.2.1", "ann")), "the same address");
        assert!(!has(&muted, &chat, &person(8, "192.0.2.2", "eve")), "anyone can use a name");
        assert!(!has(&muted, &other, &person(7, "192.0.2.1", "eve")), "another chat");
        muted.add(&chat, person(9, "127.0.0.1", "bob"));
        assert!(has(&muted, &chat, &person(10, "127.0.0.1", "bob")));
        assert!(!has(&muted, &chat, &person(10, "127.0.0.1", "ann")), "behind the same proxy");
        assert_eq!(muted.of(&chat).iter().map(|it| it.id).collect::<Vec<_>>(), [7, 9]);
        assert!(muted.remove(&chat, 7) && !muted.remove(&chat, 7));
        assert!(!has(&muted, &chat, &person(7, "192.0.2.1", "eve")));
    }

    #[test]
    fn muted_people_and_rules_are_bounded() {
        let chat = ("live".to_owned(), "a".to_owned());
        let mut muted = Muted::default();
        for id in 0..MAX_MUTED_PEOPLE as u64 + 10 {
            muted.add(&chat, person(id, "192.0.2.1", "x"));
        }
        let ids: Vec<u64> = muted.of(&chat).iter().map(|it| it.id).collect();
        assert_eq!((ids.len(), ids[0]), (MAX_MUTED_PEOPLE, 10));
        let rules = ChatRules { slow: Duration::from_millis(1_999), ..ChatRules::default() };
        assert_eq!(rules.checked().slow, Duration::from_secs(1));
        let rules = ChatRules { slow: Duration::MAX, ..ChatRules::default() };
        assert_eq!(rules.checked().slow, MAX_SLOW_MODE_INTERVAL);
    }
}
