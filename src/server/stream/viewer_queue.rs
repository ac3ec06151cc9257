//! The bounded queue of one viewer. If the queue grows too long, frames are dropped up to the next
//! keyframe. Audio continues.

use std::collections::VecDeque;
use std::io::IoSlice;

use bytes::{Buf, Bytes};

use crate::server::stream::message::{Class, MessageBytes, MessageVersion};
use crate::wire::container::flv::TagKind;

/// Maximum number of buffers per system call.
const MAX_SLICES: usize = 64;
/// Number of entries for which an empty queue keeps its memory.
const IDLE_QUEUE_CAPACITY: usize = 4;
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

/// The queue of waiting messages. A partly sent message is never dropped, because that would
/// violate the protocol.
#[derive(Debug, Default)]
pub(in crate::server) struct Queue {
    /// The rest of a partly sent message.
    current: Bytes,
    following: Bytes,
    /// Session messages, sent next.
    control: VecDeque<Bytes>,
    control_bytes: usize,
    media: VecDeque<Entry>,
    media_bytes: usize,
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
        let wanted = self.media_bytes + entry.cost();
        let long = mark.filter(|_| wanted > self.limit / SHORT_QUEUE_DIVISOR);
        if long.is_some_and(|mark| !self.replace(mark, wanted > self.limit)) {
            return;
        }
        if self.media_bytes + entry.cost() > self.limit && !self.media.is_empty() {
            if class == Class::Inter {
                // The waiting frames can be shown; later ones wait for the next keyframe.
                self.skipping = true;
                self.skipped += 1;
                return;
            }
            self.make_room(entry.cost());
            if class == Class::Vital && self.media_bytes + entry.cost() > self.limit {
                self.overrun = true;
                return;
            }
        }
        if class == Class::Key {
            self.skipping = false;
        }
        self.media_bytes += entry.cost();
        self.media.push_back(entry);
    }

    /// Queues data of the session behind the waiting media.
    pub fn push_session(&mut self, bytes: Bytes) {
        self.push(Class::Vital, None, bytes);
        if let Some(entry) = self.media.back_mut().filter(|_| !self.overrun) {
            entry.is_session = true;
        }
    }

    /// Makes room for a new version of this mark. Returns false if that version is already waiting.
    /// Waiting frames that need the old version keep that version. Only a full queue drops both.
    fn replace(&mut self, mark: MessageVersion, full: bool) -> bool {
        let same_slot = |entry: &Entry| entry.mark.is_some_and(|it| it.slot() == mark.slot());
        let of_kind = |entry: &Entry| match mark.kind {
            TagKind::Video => matches!(entry.class, Class::Key | Class::Inter),
            TagKind::Audio => entry.class == Class::Audio,
            TagKind::Script => false,
        };
        let Some(first) = self.media.iter().position(same_slot) else { return true };
        let newest = self.media.iter().rfind(|&entry| same_slot(entry));
        if newest.is_some_and(|entry| entry.mark == Some(mark)) {
            return false;
        }
        let after_frames = || self.media.iter().rposition(of_kind).map_or(0, |at| at + 1);
        let from = if full { first } else { after_frames() };
        let (mut index, mut frames) = (0, 0);
        self.media.retain(|entry| {
            let gone = index >= from && (same_slot(entry) || of_kind(entry));
            frames += u64::from(gone && of_kind(entry));
            index += 1;
            !gone
        });
        self.recount();
        self.skipped += frames;
        self.skipping |= frames > 0 && mark.kind == TagKind::Video;
        true
    }

    fn recount(&mut self) {
        self.media_bytes = self.media.iter().map(Entry::cost).sum();
    }

    /// Drops frames and, if that is not enough, audio, oldest first.
    fn make_room(&mut self, cost: usize) {
        let before = self.media.len();
        self.media.retain(|entry| matches!(entry.class, Class::Vital | Class::Audio));
        self.recount();
        while self.media_bytes + cost > self.limit {
            let Some(at) = self.media.iter().position(|entry| entry.class == Class::Audio) else {
                break;
            };
            if let Some(entry) = self.media.remove(at) {
                self.media_bytes -= entry.cost();
            }
        }
        self.skipped += (before - self.media.len()) as u64;
        self.skipping = true;
    }

    /// Returns the number of bytes of waiting media.
    pub fn waiting_bytes(&self) -> usize {
        self.media_bytes
    }

    /// Returns true if there was no room for an undroppable message: the reader must be
    /// disconnected.
    pub fn is_overrun(&self) -> bool {
        self.overrun
    }

    /// Drops waiting media that can be dropped (the player paused).
    pub fn clear_media(&mut self) {
        self.media.retain(|entry| entry.class == Class::Vital);
        self.recount();
        self.skipping = true;
    }

    /// Drops everything that waits of a stream or a recording (the player stopped or seeks).
    pub fn clear_stream(&mut self) {
        self.media.retain(|entry| entry.is_session);
        self.recount();
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
        let media = self.media.iter().flat_map(|entry| [&entry.piece.head, &entry.piece.rest]);
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
        if self.media.is_empty() && self.media.capacity() > IDLE_QUEUE_CAPACITY {
            self.media = VecDeque::new();
        }
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
        } else if let Some(entry) = self.media.pop_front() {
            self.media_bytes -= entry.cost();
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
pub(in crate::server) fn no_slices<'a>() -> [IoSlice<'a>; MAX_SLICES] {
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
        assert!(queue.is_empty() && queue.media.capacity() == 0, "{}", queue.media.capacity());
    }

    #[test]
    fn audio_alone_is_bounded_too() {
        let mut queue = Queue::new(1_000);
        (0..1_000).for_each(|_| queue.push(Class::Audio, None, bytes(b's', 36)));
        assert!(queue.media_bytes <= 1_000, "{}", queue.media_bytes);
        assert_eq!(queue.skipped(), 990);
        // Even the smallest messages have the cost of an entry.
        (0..1_000).for_each(|_| queue.push(Class::Inter, None, bytes(b'i', 1)));
        assert!(queue.media.len() < 16, "{}", queue.media.len());
    }

    #[test]
    fn metadata_and_configs_take_the_place_of_older_ones_that_wait() {
        let mark = |kind, version| Some(MessageVersion { kind, slot: 0, version });
        let mut queue = Queue::new(1 << 20);
        for version in 0..1_000 {
            let metadata = mark(TagKind::Script, version);
            queue.push(Class::Vital, metadata, bytes(b'm', 500_000));
        }
        assert_eq!((queue.media.len(), queue.is_overrun()), (1, false));
        queue.push(Class::Vital, mark(TagKind::Video, 1), bytes(b'c', 10));
        queue.push(Class::Key, None, bytes(b'k', 10));
        queue.push(Class::Audio, None, bytes(b's', 10));
        queue.push(Class::Vital, mark(TagKind::Video, 1), bytes(b'c', 10));
        assert_eq!(queue.media.len(), 4, "the same config again changes nothing");
        queue.push(Class::Vital, mark(TagKind::Video, 2), bytes(b'C', 10));
        queue.push(Class::Vital, mark(TagKind::Video, 3), bytes(b'D', 10));
        assert_eq!(
            queue.media.len(),
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
}
