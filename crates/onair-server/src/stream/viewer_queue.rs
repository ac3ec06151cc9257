//! The bounded queue of one viewer. If the queue grows too long, frames are dropped up to the next
//! keyframe. Audio continues. The cost of a message does not depend on the length of the queue, because
//! the publisher's task serves all viewers.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::io::IoSlice;

use bytes::{Buf, Bytes};

use crate::server::stream::message::{Class, MessageBytes, MessageVersion};
use crate::wire::container::flv::TagKind;

/// Maximum number of buffers per system call.
const MAX_SLICES: usize = 64;
/// Number of entries for which an empty queue keeps its memory.
const IDLE_QUEUE_CAPACITY: usize = 4;
/// From this number of slots on, those without a waiting version are forgotten.
const MAX_EMPTY_SLOTS: usize = 64;
/// The overhead of an entry in bytes: many tiny messages are no cheaper than a few large ones.
pub(super) const ENTRY_OVERHEAD_BYTES: usize = 64;
/// A queue that is shorter than its limit divided by this number keeps every message. A reader that
/// keeps up, especially a recorder, therefore loses none.
const SHORT_QUEUE_DIVISOR: usize = 8;

/// A waiting message.
#[derive(Debug)]
struct Entry {
    class: Class,
    mark: Option<MessageVersion>,
    piece: MessageBytes,
    /// True for data of the session, whose chunk headers depend on those before.
    is_session: bool,
}

impl Entry {
    fn cost(&self) -> usize {
        self.piece.len() + ENTRY_OVERHEAD_BYTES
    }
}

/// The waiting media in order. Each entry is numbered, and the numbers of entries that may be dropped
/// together are listed, so that nothing is ever searched.
#[derive(Debug, Default)]
struct WaitingMedia {
    entries: BTreeMap<u64, Entry>,
    bytes: usize,
    /// The number of the next entry.
    next: u64,
    frames: VecDeque<u64>,
    audio: VecDeque<u64>,
    /// The waiting versions of each slot.
    versions: HashMap<(TagKind, u16), VecDeque<u64>>,
}

impl WaitingMedia {
    fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn push(&mut self, entry: Entry) {
        let number = self.next;
        self.next += 1;
        match (entry.class, entry.mark) {
            (Class::Key | Class::Inter, _) => self.frames.push_back(number),
            (Class::Audio, _) => self.audio.push_back(number),
            (Class::Vital, Some(mark)) => self.versions_of(mark).push_back(number),
            (Class::Vital, None) => {}
        }
        self.bytes += entry.cost();
        self.entries.insert(number, entry);
    }

    fn versions_of(&mut self, mark: MessageVersion) -> &mut VecDeque<u64> {
        if self.versions.len() >= MAX_EMPTY_SLOTS {
            self.versions.retain(|_, versions| !versions.is_empty());
        }
        self.versions.entry(mark.slot()).or_default()
    }

    fn pop(&mut self) -> Option<Entry> {
        let (number, entry) = self.entries.pop_first()?;
        self.bytes -= entry.cost();
        let listed = match (entry.class, entry.mark) {
            (Class::Key | Class::Inter, _) => &mut self.frames,
            (Class::Audio, _) => &mut self.audio,
            (Class::Vital, Some(mark)) => self.versions_of(mark),
            (Class::Vital, None) => return Some(entry),
        };
        listed.pop_front_if(|first| *first == number);
        Some(entry)
    }

    fn remove(&mut self, number: u64) {
        self.bytes -= self.entries.remove(&number).map_or(0, |entry| entry.cost());
    }

    /// Drops the versions of a slot from this number on.
    fn drop_versions(&mut self, mark: MessageVersion, from: u64) {
        while let Some(number) = self.versions_of(mark).pop_back_if(|last| *last >= from) {
            self.remove(number);
        }
    }

    /// Drops the frames or the audio of this kind from this number on. Returns how many were dropped.
    fn drop_kind(&mut self, kind: TagKind, from: u64) -> u64 {
        let mut dropped = 0;
        let listed = |media: &mut Self| match kind {
            TagKind::Video => media.frames.pop_back_if(|last| *last >= from),
            TagKind::Audio => media.audio.pop_back_if(|last| *last >= from),
            TagKind::Script => None,
        };
        while let Some(number) = listed(self) {
            self.remove(number);
            dropped += 1;
        }
        dropped
    }

    /// Drops the oldest audio. Returns false if there is none.
    fn drop_oldest_audio(&mut self) -> bool {
        let oldest = self.audio.pop_front();
        oldest.inspect(|number| self.remove(*number)).is_some()
    }

    /// Drops everything except data of the session.
    fn keep_session(&mut self) {
        self.entries.retain(|_, entry| entry.is_session);
        self.bytes = self.entries.values().map(Entry::cost).sum();
        self.frames.clear();
        self.audio.clear();
        self.versions.clear();
    }

    /// Frees the memory of a long queue that is empty now.
    fn give_back(&mut self) {
        if !self.is_empty() {
            return;
        }
        self.entries = BTreeMap::new();
        self.versions = HashMap::new();
        for list in [&mut self.frames, &mut self.audio] {
            if list.capacity() > IDLE_QUEUE_CAPACITY {
                *list = VecDeque::new();
            }
        }
    }
}

/// The queue of waiting messages. A partly sent message is never dropped, because that would
/// violate the protocol.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    /// The rest of a partly sent message.
    current: Bytes,
    following: Bytes,
    /// Session messages, sent next.
    control: VecDeque<Bytes>,
    control_bytes: usize,
    media: WaitingMedia,
    limit: usize,
    /// True while frames are dropped, until a keyframe arrives.
    skipping: bool,
    skipped: u64,
    /// True if there was no room for an undroppable message.
    overrun: bool,
}

impl Queue {
    pub fn new(limit: usize) -> Self {
        Self { limit, ..Self::default() }
    }

    /// Queues data before all media.
    pub fn push_control(&mut self, bytes: Bytes) {
        self.control_bytes += bytes.len() + ENTRY_OVERHEAD_BYTES;
        self.control.push_back(bytes);
    }

    /// Queues media, or data that has a position among the media. In a long queue, metadata and
    /// codec configs replace older waiting ones.
    pub fn push(
        &mut self,
        class: Class,
        mark: Option<MessageVersion>,
        piece: impl Into<MessageBytes>,
    ) {
        if class == Class::Inter && self.skipping {
            self.skipped += 1;
            return;
        }
        let entry = Entry { class, mark, piece: piece.into(), is_session: false };
        let wanted = self.media.bytes + entry.cost();
        let long = mark.filter(|_| wanted > self.limit / SHORT_QUEUE_DIVISOR);
        if long.is_some_and(|mark| !self.replace(mark, wanted > self.limit)) {
            return;
        }
        if self.media.bytes + entry.cost() > self.limit && !self.media.is_empty() {
            if class == Class::Inter {
                // The waiting frames can be shown; later ones wait for the next keyframe.
                self.skipping = true;
                self.skipped += 1;
                return;
            }
            self.make_room(entry.cost());
            if class == Class::Vital && self.media.bytes + entry.cost() > self.limit {
                self.overrun = true;
                return;
            }
        }
        if class == Class::Key {
            self.skipping = false;
        }
        self.media.push(entry);
    }

    /// Queues data of the session behind the waiting media.
    pub fn push_session(&mut self, bytes: Bytes) {
        self.push(Class::Vital, None, bytes);
        if let Some(mut entry) = self.media.entries.last_entry().filter(|_| !self.overrun) {
            entry.get_mut().is_session = true;
        }
    }

    /// Makes room for a new version of this mark. Returns false if that version is already waiting.
    /// Waiting frames that need the old version keep that version. Only a full queue drops both.
    fn replace(&mut self, mark: MessageVersion, full: bool) -> bool {
        let waiting = self.media.versions_of(mark);
        let (Some(&first), Some(&newest)) = (waiting.front(), waiting.back()) else { return true };
        if self.media.entries.get(&newest).is_some_and(|entry| entry.mark == Some(mark)) {
            return false;
        }
        let last_frame = match mark.kind {
            TagKind::Video => self.media.frames.back(),
            TagKind::Audio => self.media.audio.back(),
            TagKind::Script => None,
        };
        let from = if full { first } else { last_frame.map_or(0, |last| last + 1) };
        self.media.drop_versions(mark, from);
        let frames = self.media.drop_kind(mark.kind, from);
        self.skipped += frames;
        self.skipping |= frames > 0 && mark.kind == TagKind::Video;
        true
    }

    /// Drops frames and, if that is not enough, audio, oldest first.
    fn make_room(&mut self, cost: usize) {
        self.skipped += self.media.drop_kind(TagKind::Video, 0);
        while self.media.bytes + cost > self.limit && self.media.drop_oldest_audio() {
            self.skipped += 1;
        }
        self.skipping = true;
    }

    /// Returns the number of bytes of waiting media.
    pub fn waiting_bytes(&self) -> usize {
        self.media.bytes
    }

    /// Returns true if there was no room for an undroppable message: the reader must be
    /// disconnected.
    pub fn is_overrun(&self) -> bool {
        self.overrun
    }

    /// Drops waiting media that can be dropped (the player paused).
    pub fn clear_media(&mut self) {
        self.media.drop_kind(TagKind::Video, 0);
        self.media.drop_kind(TagKind::Audio, 0);
        self.skipping = true;
    }

    /// Drops everything that waits of a stream or a recording (the player stopped or seeks).
    pub fn clear_stream(&mut self) {
        self.media.keep_session();
        self.skipping = true;
    }

    /// Drops frames until the next keyframe, because earlier ones are missing (the player wants
    /// video again).
    pub fn skip_to_keyframe(&mut self) {
        self.skipping = true;
    }

    /// Returns true if the queue is empty and drops nothing: the next message can be sent at once.
    pub fn is_clear(&self) -> bool {
        self.is_empty() && !self.skipping
    }

    /// Queues the rest of a message, of which `sent` bytes were sent past the queue. This function
    /// is only for an empty queue.
    pub fn push_rest(&mut self, mut bytes: Bytes, sent: usize) {
        bytes.advance(sent.min(bytes.len()));
        self.current = bytes;
    }

    pub fn is_empty(&self) -> bool {
        self.current.is_empty()
            && self.following.is_empty()
            && self.control.is_empty()
            && self.media.is_empty()
    }

    /// Returns the number of waiting bytes of session messages.
    pub fn control_bytes(&self) -> usize {
        self.control_bytes
    }

    /// Returns the number of dropped messages.
    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    /// Gets the next buffers to send, at most [`MAX_SLICES`], and returns their number.
    pub fn slices<'a>(&'a self, out: &mut [IoSlice<'a>; MAX_SLICES]) -> usize {
        let begun = [&self.current, &self.following];
        let media = self.media.entries.values();
        let media = media.flat_map(|entry| [&entry.piece.head, &entry.piece.rest]);
        let all = begun.into_iter().chain(&self.control).chain(media);
        let mut count = 0;
        for (slot, bytes) in out.iter_mut().zip(all.filter(|bytes| !bytes.is_empty())) {
            *slot = IoSlice::new(bytes);
            count += 1;
        }
        count
    }

    /// Removes sent bytes.
    pub fn advance(&mut self, mut sent: usize) {
        while sent > 0 {
            if self.current.is_empty() && !self.take_next() {
                return;
            }
            let step = sent.min(self.current.len());
            self.current.advance(step);
            sent -= step;
        }
        if self.current.is_empty() {
            // This releases a shared buffer.
            self.current = Bytes::new();
            self.give_back();
        }
    }

    /// Frees the memory of a long queue: the queue of a new viewer is long only at its start.
    fn give_back(&mut self) {
        self.media.give_back();
        if self.control.is_empty() && self.control.capacity() > IDLE_QUEUE_CAPACITY {
            self.control = VecDeque::new();
        }
    }

    fn take_next(&mut self) -> bool {
        if !self.following.is_empty() {
            self.current = std::mem::take(&mut self.following);
        } else if let Some(bytes) = self.control.pop_front() {
            self.control_bytes -= bytes.len() + ENTRY_OVERHEAD_BYTES;
            self.current = bytes;
        } else if let Some(entry) = self.media.pop() {
            let MessageBytes { head, rest } = entry.piece;
            (self.current, self.following) =
                if head.is_empty() { (rest, Bytes::new()) } else { (head, rest) };
        } else {
            return false;
        }
        true
    }

    /// Takes the next piece, for callers that send in another way.
    pub fn pop(&mut self) -> Option<Bytes> {
        (!self.current.is_empty() || self.take_next()).then(|| std::mem::take(&mut self.current))
    }
}

/// Returns empty slices, as many as [`Queue::slices`] fills at most.
pub(crate) fn no_slices<'a>() -> [IoSlice<'a>; MAX_SLICES] {
    [IoSlice::new(&[]); MAX_SLICES]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(byte: u8, length: usize) -> Bytes {
        Bytes::from(vec![byte; length])
    }

    fn drain(queue: &mut Queue) -> Vec<u8> {
        std::iter::from_fn(|| queue.pop()).filter_map(|bytes| bytes.first().copied()).collect()
    }

    #[test]
    fn a_full_queue_skips_to_the_next_keyframe_and_keeps_audio() {
        let mut queue = Queue::new(11_000);
        queue.push(Class::Vital, None, bytes(b'v', 500));
        queue.push(Class::Key, None, bytes(b'k', 4_000));
        queue.push(Class::Audio, None, bytes(b's', 500));
        queue.push(Class::Inter, None, bytes(b'i', 4_000));
        queue.push(Class::Inter, None, bytes(b'j', 4_000));
        queue.push(Class::Audio, None, bytes(b't', 500));
        queue.push(Class::Inter, None, bytes(b'l', 100));
        queue.push(Class::Key, None, bytes(b'K', 4_000));
        queue.push(Class::Inter, None, bytes(b'L', 100));
        assert_eq!(drain(&mut queue), b"vstKL");
        assert_eq!(queue.skipped(), 4);
    }

    #[test]
    fn what_is_partly_sent_is_finished_first() {
        let mut queue = Queue::new(1_000);
        queue.push(Class::Key, None, MessageBytes { head: bytes(b'h', 5), rest: bytes(b'k', 5) });
        queue.push(Class::Inter, None, bytes(b'i', 10));
        queue.advance(4);
        queue.push_control(bytes(b'c', 3));
        let mut slices = no_slices();
        let count = queue.slices(&mut slices);
        let wire: Vec<u8> = slices[..count].iter().flat_map(|slice| slice.to_vec()).collect();
        assert_eq!(wire, b"hkkkkkccciiiiiiiiii");
        queue.advance(3);
        assert!(!queue.is_empty());
        queue.advance(wire.len() - 3);
        assert!(queue.is_empty());
    }

    #[test]
    fn an_empty_queue_keeps_no_room() {
        let mut queue = Queue::new(100_000);
        (0..200).for_each(|_| queue.push(Class::Inter, None, bytes(b'i', 10)));
        queue.advance(1_999);
        assert!(!queue.is_empty());
        queue.advance(1);
        let kept = queue.media.frames.capacity();
        assert!(queue.is_empty() && kept <= IDLE_QUEUE_CAPACITY, "{kept}");
    }

    #[test]
    fn audio_alone_is_bounded_too() {
        let mut queue = Queue::new(1_000);
        (0..1_000).for_each(|_| queue.push(Class::Audio, None, bytes(b's', 36)));
        assert!(queue.media.bytes <= 1_000, "{}", queue.media.bytes);
        assert_eq!(queue.skipped(), 990);
        // Even the smallest messages have the cost of an entry.
        (0..1_000).for_each(|_| queue.push(Class::Inter, None, bytes(b'i', 1)));
        assert!(queue.media.entries.len() < 16, "{}", queue.media.entries.len());
    }

    #[test]
    fn metadata_and_configs_take_the_place_of_older_ones_that_wait() {
        let mark = |kind, version| Some(MessageVersion { kind, slot: 0, version });
        let mut queue = Queue::new(1 << 20);
        for version in 0..1_000 {
            let metadata = mark(TagKind::Script, version);
            queue.push(Class::Vital, metadata, bytes(b'm', 500_000));
        }
        assert_eq!((queue.media.entries.len(), queue.is_overrun()), (1, false));
        queue.push(Class::Vital, mark(TagKind::Video, 1), bytes(b'c', 10));
        queue.push(Class::Key, None, bytes(b'k', 10));
        queue.push(Class::Audio, None, bytes(b's', 10));
        queue.push(Class::Vital, mark(TagKind::Video, 1), bytes(b'c', 10));
        assert_eq!(queue.media.entries.len(), 4, "the same config again changes nothing");
        queue.push(Class::Vital, mark(TagKind::Video, 2), bytes(b'C', 10));
        queue.push(Class::Vital, mark(TagKind::Video, 3), bytes(b'D', 10));
        assert_eq!(
            queue.media.entries.len(),
            5,
            "a config without frames is replaced, one with frames stays"
        );
        queue.push(Class::Key, None, bytes(b'l', 400_000));
        queue.push(Class::Vital, mark(TagKind::Video, 4), bytes(b'E', 200_000));
        queue.push(Class::Inter, None, bytes(b'i', 10));
        queue.push(Class::Key, None, bytes(b'K', 10));
        assert_eq!(drain(&mut queue), b"msEK", "in a full queue, frames go with their config");
        assert_eq!(queue.skipped(), 3);
    }

    #[test]
    fn nothing_of_a_stopped_stream_is_left_and_session_data_stays() {
        let mut queue = Queue::new(10_000);
        // All data of a recording is undroppable while the recording plays.
        queue.push(Class::Vital, None, bytes(b'r', 100));
        queue.push_session(bytes(b's', 100));
        queue.push(Class::Vital, None, bytes(b'r', 100));
        queue.push(Class::Key, None, bytes(b'k', 100));
        queue.clear_stream();
        assert_eq!(queue.waiting_bytes(), 100 + ENTRY_OVERHEAD_BYTES);
        assert_eq!(drain(&mut queue), b"s");
    }

    #[test]
    fn a_short_queue_keeps_every_message() {
        let mark = |version| Some(MessageVersion { kind: TagKind::Video, slot: 0, version });
        let mut queue = Queue::new(1 << 20);
        for (version, byte) in [(1, b'c'), (1, b'c'), (2, b'C')] {
            queue.push(Class::Vital, mark(version), bytes(byte, 10));
            queue.push(Class::Key, None, bytes(b'k', 10));
        }
        assert_eq!(drain(&mut queue), b"ckckCk");
    }

    #[test]
    fn what_must_not_be_dropped_is_bounded_too() {
        let mut queue = Queue::new(10_000);
        (0..1_000).for_each(|_| queue.push(Class::Vital, None, bytes(b'v', 100)));
        assert!(queue.is_overrun());
        assert!(queue.waiting_bytes() <= 10_000, "{}", queue.waiting_bytes());
    }

    /// Returns the time for this many messages to a full queue of many tiny messages.
    fn time_of(mut next: impl FnMut(&mut Queue, u32)) -> std::time::Duration {
        let mut queue = Queue::new(16 << 20);
        for _ in 0..240_000 {
            queue.push(Class::Audio, None, bytes(b's', 1));
        }
        let since = std::time::Instant::now();
        (0..40_000).for_each(|number| next(&mut queue, number));
        since.elapsed()
    }

    #[test]
    fn a_message_costs_the_same_in_a_long_queue() {
        let config = |version| Some(MessageVersion { kind: TagKind::Video, slot: 0, version });
        let plain = time_of(|queue, _| queue.push(Class::Key, None, bytes(b'k', 1)));
        let changes = time_of(|queue, version| {
            queue.push(Class::Vital, config(version), bytes(b'c', 40));
            queue.push(Class::Key, None, bytes(b'k', 1));
        });
        let audio = time_of(|queue, _| queue.push(Class::Audio, None, bytes(b's', 90)));
        let (most, all) = (plain * 20 + std::time::Duration::from_secs(1), [changes, audio]);
        assert!(all.iter().all(|time| *time < most), "{plain:?}, {all:?}");
    }
}
