//! What waits for one viewer: bounded, and where it grows too long, pictures are skipped up to the
//! next one to start from. Sound goes on.

use std::collections::VecDeque;
use std::io::IoSlice;

use bytes::{Buf, Bytes};

use super::message::Class;

/// Buffers handed to the system in one call.
const MOST_SLICES: usize = 64;

/// Places that an empty queue keeps.
const ROOM_KEPT: usize = 4;

/// The queue. What is partly sent is never dropped: it would break the protocol.
#[derive(Debug)]
pub(super) struct Queue {
    /// Partly sent.
    current: Bytes,
    /// What the session says: goes next.
    control: VecDeque<Bytes>,
    control_bytes: usize,
    media: VecDeque<(Class, Bytes)>,
    media_bytes: usize,
    limit: usize,
    /// Until a picture to start from comes.
    skipping: bool,
    skipped: u64,
}

impl Queue {
    pub fn new(limit: usize) -> Self {
        Self {
            current: Bytes::new(),
            control: VecDeque::new(),
            control_bytes: 0,
            media: VecDeque::new(),
            media_bytes: 0,
            limit,
            skipping: false,
            skipped: 0,
        }
    }

    /// Queues what goes before all media.
    pub fn push_control(&mut self, bytes: Bytes) {
        self.control_bytes += bytes.len();
        self.control.push_back(bytes);
    }

    /// Queues media, or what has to keep its place among them.
    pub fn push(&mut self, class: Class, bytes: Bytes) {
        if class == Class::Inter && self.skipping {
            self.skipped += 1;
            return;
        }
        if self.media_bytes + bytes.len() > self.limit && !self.media.is_empty() {
            if class == Class::Inter {
                // What waits can be shown; from here on it waits for the next keyframe.
                self.skipping = true;
                self.skipped += 1;
                return;
            }
            self.make_room(bytes.len());
        }
        if class == Class::Key {
            self.skipping = false;
        }
        self.media_bytes += bytes.len();
        self.media.push_back((class, bytes));
    }

    /// Throws pictures away; where that is not enough, sound, the oldest first.
    fn make_room(&mut self, length: usize) {
        let before = self.media.len();
        self.media.retain(|(class, _)| matches!(class, Class::Vital | Class::Sound));
        self.media_bytes = self.media.iter().map(|(_, bytes)| bytes.len()).sum();
        while self.media_bytes + length > self.limit {
            let Some(at) = self.media.iter().position(|(class, _)| *class == Class::Sound) else {
                break;
            };
            if let Some((_, bytes)) = self.media.remove(at) {
                self.media_bytes -= bytes.len();
            }
        }
        self.skipped += (before - self.media.len()) as u64;
        self.skipping = true;
    }

    /// Bytes of media that wait.
    pub fn waiting_bytes(&self) -> usize {
        self.media_bytes
    }

    /// Forgets media that wait (the player paused, or stopped).
    pub fn clear_media(&mut self) {
        self.media.retain(|(class, _)| *class == Class::Vital);
        self.media_bytes = self.media.iter().map(|(_, bytes)| bytes.len()).sum();
        self.skipping = true;
    }

    /// Nothing waits, and no picture is skipped: what comes next may be sent at once.
    pub fn is_clear(&self) -> bool {
        self.is_empty() && !self.skipping
    }

    /// Queues the rest of a message that went past the queue, of which `sent` bytes have gone. Only
    /// where the queue is empty.
    pub fn push_rest(&mut self, mut bytes: Bytes, sent: usize) {
        bytes.advance(sent.min(bytes.len()));
        self.current = bytes;
    }

    pub fn is_empty(&self) -> bool {
        self.current.is_empty() && self.control.is_empty() && self.media.is_empty()
    }

    /// Bytes of what the session says that wait.
    pub fn control_bytes(&self) -> usize {
        self.control_bytes
    }

    /// Messages thrown away.
    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    /// The next buffers to send, at most [`MOST_SLICES`].
    pub fn slices<'a>(&'a self, out: &mut [IoSlice<'a>; MOST_SLICES]) -> usize {
        let current = Some(&self.current).filter(|bytes| !bytes.is_empty());
        let media = self.media.iter().map(|(_, bytes)| bytes);
        let mut count = 0;
        for (slot, bytes) in
            out.iter_mut().zip(current.into_iter().chain(&self.control).chain(media))
        {
            *slot = IoSlice::new(bytes);
            count += 1;
        }
        count
    }

    /// Takes out what was sent.
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
            // Lets go of a buffer that is shared.
            self.current = Bytes::new();
            self.give_back();
        }
    }

    /// Gives memory back that a long queue took: a late joiner's is long once, at its start.
    fn give_back(&mut self) {
        if self.media.is_empty() && self.media.capacity() > ROOM_KEPT {
            self.media = VecDeque::new();
        }
        if self.control.is_empty() && self.control.capacity() > ROOM_KEPT {
            self.control = VecDeque::new();
        }
    }

    fn take_next(&mut self) -> bool {
        if let Some(bytes) = self.control.pop_front() {
            self.control_bytes -= bytes.len();
            self.current = bytes;
        } else if let Some((_, bytes)) = self.media.pop_front() {
            self.media_bytes -= bytes.len();
            self.current = bytes;
        } else {
            return false;
        }
        true
    }

    /// Takes out the next piece (for those who send by other means).
    pub fn pop(&mut self) -> Option<Bytes> {
        (!self.current.is_empty() || self.take_next()).then(|| std::mem::take(&mut self.current))
    }
}

/// As many as [`Queue::slices`] fills.
pub(super) fn no_slices<'a>() -> [IoSlice<'a>; MOST_SLICES] {
    [IoSlice::new(&[]); MOST_SLICES]
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
    fn a_full_queue_skips_to_the_next_keyframe_and_keeps_sound() {
        let mut queue = Queue::new(100);
        queue.push(Class::Vital, bytes(b'v', 5));
        queue.push(Class::Key, bytes(b'k', 40));
        queue.push(Class::Sound, bytes(b's', 5));
        queue.push(Class::Inter, bytes(b'i', 40));
        queue.push(Class::Inter, bytes(b'j', 40));
        queue.push(Class::Sound, bytes(b't', 5));
        queue.push(Class::Inter, bytes(b'l', 1));
        queue.push(Class::Key, bytes(b'K', 40));
        queue.push(Class::Inter, bytes(b'L', 1));
        assert_eq!(drain(&mut queue), b"vstKL");
        assert_eq!(queue.skipped(), 4);
    }

    #[test]
    fn what_is_partly_sent_is_finished_first() {
        let mut queue = Queue::new(1_000);
        queue.push(Class::Key, bytes(b'k', 10));
        queue.push(Class::Inter, bytes(b'i', 10));
        queue.advance(4);
        queue.push_control(bytes(b'c', 3));
        let mut slices = no_slices();
        let count = queue.slices(&mut slices);
        let wire: Vec<u8> = slices[..count].iter().flat_map(|slice| slice.to_vec()).collect();
        assert_eq!(wire, b"kkkkkkccciiiiiiiiii");
        queue.advance(wire.len());
        assert!(queue.is_empty());
    }

    #[test]
    fn an_empty_queue_keeps_no_room() {
        let mut queue = Queue::new(100_000);
        (0..200).for_each(|_| queue.push(Class::Inter, bytes(b'i', 10)));
        queue.advance(1_999);
        assert!(!queue.is_empty());
        queue.advance(1);
        assert!(queue.is_empty() && queue.media.capacity() == 0, "{}", queue.media.capacity());
    }

    #[test]
    fn sound_alone_is_bounded_too() {
        let mut queue = Queue::new(100);
        (0..1_000).for_each(|_| queue.push(Class::Sound, bytes(b's', 10)));
        assert!(queue.media_bytes <= 100, "{}", queue.media_bytes);
        assert_eq!(queue.skipped(), 990);
    }
}
