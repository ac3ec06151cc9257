//! What a late joiner gets at once: metadata, every configuration, and the pictures and sound since
//! the last picture to start from. Bounded in bytes.

use std::sync::Arc;

use super::message::{Class, Message};
use crate::wire::flv::TagKind;

/// Configurations kept: a few tracks of sound and pictures.
const MOST_HEADERS: usize = 32;

/// The cache of one stream.
#[derive(Debug, Default)]
pub(super) struct Cache {
    metadata: Option<Arc<Message>>,
    /// Kind and slot, what.
    headers: Vec<(TagKind, u16, Arc<Message>)>,
    group: Vec<Arc<Message>>,
    group_bytes: usize,
}

/// What a message is to the cache.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Keep {
    Metadata,
    /// A configuration; one is kept for each slot (track).
    Header(u16),
    Media,
    Nothing,
}

impl Cache {
    /// Keeps what late joiners need, of a group of at most `limit` bytes.
    pub fn store(&mut self, message: &Arc<Message>, keep: Keep, limit: usize) {
        match keep {
            Keep::Metadata => self.metadata = Some(Arc::clone(message)),
            Keep::Header(slot) => self.store_header(message, slot),
            Keep::Media => {
                if message.class == Class::Key {
                    self.forget_group();
                } else if self.group.is_empty() {
                    return;
                }
                self.group_bytes += message.weight();
                self.group.push(Arc::clone(message));
                if self.group_bytes > limit {
                    // Late joiners wait for the next picture to start from.
                    self.forget_group();
                }
            }
            Keep::Nothing => {}
        }
    }

    fn store_header(&mut self, message: &Arc<Message>, slot: u16) {
        let known = self.headers.iter_mut().find(|(k, s, _)| (*k, *s) == (message.kind, slot));
        if let Some((_, _, old)) = known {
            let same = old.body == message.body;
            *old = Arc::clone(message);
            if !same {
                // What follows a new configuration cannot be read with what went before it.
                self.forget_group();
            }
        } else if self.headers.len() < MOST_HEADERS {
            self.headers.push((message.kind, slot, Arc::clone(message)));
        }
    }

    fn forget_group(&mut self) {
        self.group.clear();
        self.group_bytes = 0;
    }

    /// Forgets everything: the publisher has gone.
    pub fn forget(&mut self) {
        *self = Self::default();
    }

    /// What a late joiner gets, in order: metadata, configurations (pictures first), the group.
    pub fn for_late_joiner(&self) -> Vec<Arc<Message>> {
        let of = |kind| self.headers.iter().filter(move |(k, _, _)| *k == kind).map(|(_, _, m)| m);
        let headers = of(TagKind::Video).chain(of(TagKind::Audio));
        self.metadata.iter().chain(headers).chain(&self.group).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn message(class: Class, time_ms: u32, length: usize) -> Arc<Message> {
        Arc::new(Message::new(TagKind::Video, class, time_ms, &Bytes::from(vec![0; length])))
    }

    fn times(cache: &Cache) -> Vec<u32> {
        cache.for_late_joiner().iter().map(|message| message.time_ms).collect()
    }

    #[test]
    fn a_group_begins_at_each_keyframe_and_is_bounded() {
        let mut cache = Cache::default();
        let mut store = |class, time, length, keep| {
            cache.store(&message(class, time, length), keep, 1_000);
            times(&cache)
        };
        store(Class::Vital, 1, 10, Keep::Header(0));
        assert_eq!(store(Class::Inter, 2, 10, Keep::Media), [1]);
        store(Class::Key, 3, 10, Keep::Media);
        assert_eq!(store(Class::Inter, 4, 10, Keep::Media), [1, 3, 4]);
        assert_eq!(store(Class::Key, 5, 10, Keep::Media), [1, 5]);
        assert_eq!(store(Class::Vital, 6, 10, Keep::Header(0)), [6, 5], "the same again");
        assert_eq!(store(Class::Inter, 7, 990, Keep::Media), [6], "too long");
        store(Class::Key, 8, 10, Keep::Media);
        assert_eq!(store(Class::Vital, 9, 11, Keep::Header(0)), [9], "another configuration");
    }
}
