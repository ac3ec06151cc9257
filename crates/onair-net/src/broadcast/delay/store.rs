//! The held packets, oldest first, in blocks in memory or on the disk. This module is pure: it
//! takes times and the results of disk operations, and returns due packets and disk operations.
//!
//! The delay of a packet counts from its arrival. The two oldest blocks are always in memory. Past
//! [`Room::memory`], the newest full blocks are written to the disk. If that fails and memory is
//! full too ([`Room::most`]), the delay shrinks to the available space. This change has no visible
//! effect before the first packet is sent. Afterwards, viewers miss the skipped part up to the next
//! keyframe.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use crate::base::Timestamp;
use crate::broadcast::hub::shared_packet::SharedPacket;
use crate::media::RenditionId;

/// Minimum size of a full block in bytes.
const BLOCK_BYTES: usize = 4 << 20;
/// The memory of a packet in addition to its data, in bytes.
const PACKET_OVERHEAD_BYTES: usize = 160;
/// Number of the oldest blocks that stay in memory, so that a slow disk causes no gap.
const READ_AHEAD_BLOCKS: usize = 2;
/// How long disk operations pause after an error.
const DISK_ERROR_PAUSE: Duration = Duration::from_secs(5);

/// Memory limits in bytes.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Room {
    /// The memory above which blocks are written to the disk.
    pub memory: usize,
    /// The memory from which the delay becomes shorter, if writing to the disk fails.
    pub most: usize,
}

impl Default for Room {
    fn default() -> Self {
        Self { memory: 64 << 20, most: 96 << 20 }
    }
}

/// A packet with its arrival time.
#[derive(Clone, Debug)]
pub(super) struct HeldPiece {
    pub arrived: Timestamp,
    pub tag: Arc<SharedPacket>,
}

/// The next packet for an output.
#[derive(Debug)]
pub(super) enum DelayedPacket {
    Tag(Arc<SharedPacket>),
    /// No packet is due before this time.
    At(Timestamp),
    /// The oldest block is still on the disk, or there is no block.
    Nothing,
    /// The end of the stream was reached.
    Over,
}

/// A disk operation, which can take a while.
#[derive(Debug)]
pub(super) enum Work<S> {
    Store(u64, Vec<HeldPiece>),
    Load(u64, S),
}

#[derive(Debug)]
enum Body<S> {
    Memory(VecDeque<HeldPiece>),
    Disk(S),
    /// The block is being read back.
    Loading,
}

#[derive(Debug)]
struct DelayedPiece<S> {
    number: u64,
    oldest: Timestamp,
    bytes: usize,
    /// True if the packets before this block were lost.
    follows_gap: bool,
    body: Body<S>,
}

/// The held packets; `S` is the position of a block on the disk.
#[derive(Debug)]
pub(super) struct DelayStore<S> {
    delay: Duration,
    room: Room,
    has_video: bool,
    pieces: VecDeque<DelayedPiece<S>>,
    next_number: u64,
    /// The size of the block in memory and on the disk, in bytes.
    memory: usize,
    disk: usize,
    newest: Timestamp,
    /// True if a packet was sent.
    begun: bool,
    /// The renditions whose skipped part ended within a GOP. Their keyframes can have different
    /// times.
    awaiting_keyframe: BTreeSet<RenditionId>,
    /// True if the newest packets were lost.
    ends_with_gap: bool,
    rest_until: Timestamp,
    skipped: Duration,
    closed: bool,
}

/// The state of the delay.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// The delay with which viewers see the program. The delay is shorter than requested if space
    /// is limited.
    pub delay: Duration,
    /// The duration of the held packets.
    pub held: Duration,
    pub memory_bytes: usize,
    pub disk_bytes: usize,
    /// The duration that viewers missed because of limited space.
    pub skipped: Duration,
    /// True if a packet was sent.
    pub begun: bool,
}

impl<S> DelayStore<S> {
    pub fn new(delay: Duration, room: Room, has_video: bool) -> Self {
        Self {
            delay,
            room,
            has_video,
            pieces: VecDeque::new(),
            next_number: 0,
            memory: 0,
            disk: 0,
            newest: Timestamp::ZERO,
            begun: false,
            awaiting_keyframe: BTreeSet::new(),
            ends_with_gap: false,
            rest_until: Timestamp::ZERO,
            skipped: Duration::ZERO,
            closed: false,
        }
    }

    /// Stores a packet until its delay is over.
    pub fn push(&mut self, now: Timestamp, tag: Arc<SharedPacket>) {
        let size = tag.size() + PACKET_OVERHEAD_BYTES;
        self.newest = now;
        self.memory += size;
        let held = HeldPiece { arrived: now, tag };
        let follows_gap = std::mem::take(&mut self.ends_with_gap);
        match self.pieces.back_mut() {
            Some(DelayedPiece { bytes, body: Body::Memory(tags), .. })
                if *bytes < BLOCK_BYTES && !follows_gap =>
            {
                *bytes += size;
                tags.push_back(held);
            }
            _ => {
                let body = Body::Memory(VecDeque::from([held]));
                let number = self.next_number;
                self.next_number += 1;
                let (oldest, bytes) = (now, size);
                let piece = DelayedPiece { number, oldest, bytes, follows_gap, body };
                self.pieces.push_back(piece);
            }
        }
        // Once sending has begun, about as much data is sent as arrives.
        let most = self.room.most - if self.begun { 0 } else { self.room.most / 4 };
        if self.memory > most {
            self.shorten(now);
        }
    }

    /// Records that no more packets will be stored. The held packets are still sent.
    pub fn close(&mut self) {
        self.closed = true;
    }

    /// Returns the packet to send now.
    pub fn pop(&mut self, now: Timestamp) -> DelayedPacket {
        loop {
            let first = self.pieces.front_mut();
            if first.is_some_and(|piece| std::mem::take(&mut piece.follows_gap)) {
                self.await_keyframes();
            }
            let Some(piece) = self.pieces.front_mut() else {
                return if self.closed { DelayedPacket::Over } else { DelayedPacket::Nothing };
            };
            let Body::Memory(tags) = &mut piece.body else { return DelayedPacket::Nothing };
            let Some(held) = tags.front() else {
                self.pieces.pop_front();
                continue;
            };
            let due = held.arrived + self.delay;
            if due > now {
                return DelayedPacket::At(due);
            }
            let Some(held) = tags.pop_front() else { continue };
            let size = held.tag.size() + PACKET_OVERHEAD_BYTES;
            piece.bytes = piece.bytes.saturating_sub(size);
            piece.oldest = tags.front().map_or(piece.oldest, |next| next.arrived);
            if tags.is_empty() {
                self.pieces.pop_front();
            }
            self.memory = self.memory.saturating_sub(size);
            // Audio continues with the main rendition.
            let rendition_id = held.tag.rendition_id().unwrap_or_default();
            if held.tag.starts_gop() {
                self.awaiting_keyframe.remove(&rendition_id);
            } else if self.awaiting_keyframe.contains(&rendition_id) {
                continue;
            }
            self.begun = true;
            return DelayedPacket::Tag(held.tag);
        }
    }

    /// Returns the next disk operation, one at a time. The caller reports its result with
    /// [`stored`](Self::stored) or [`loaded`](Self::loaded).
    pub fn work(&mut self, now: Timestamp) -> Option<Work<S>> {
        for piece in self.pieces.iter_mut().take(READ_AHEAD_BLOCKS) {
            if !matches!(piece.body, Body::Disk(_)) {
                continue;
            }
            if let Body::Disk(place) = std::mem::replace(&mut piece.body, Body::Loading) {
                return Some(Work::Load(piece.number, place));
            }
        }
        if self.memory <= self.room.memory || now < self.rest_until {
            return None;
        }
        // The newest full block is written, because older blocks are needed sooner.
        let full = |piece: &&DelayedPiece<S>| {
            piece.bytes >= BLOCK_BYTES && matches!(piece.body, Body::Memory(_))
        };
        let piece = self.pieces.iter().skip(READ_AHEAD_BLOCKS).rev().find(full)?;
        let Body::Memory(tags) = &piece.body else { return None };
        Some(Work::Store(piece.number, tags.iter().cloned().collect()))
    }

    /// Reports the result of writing a block. `place` is `None` if writing failed.
    pub fn stored(&mut self, now: Timestamp, number: u64, place: Option<S>) {
        let Some(place) = place else {
            self.rest_until = now + DISK_ERROR_PAUSE;
            return;
        };
        // The block may already be needed, or no longer exist.
        let ahead = self.pieces.iter().take(READ_AHEAD_BLOCKS).any(|piece| piece.number == number);
        let Some(piece) = self.pieces.iter_mut().find(|it| it.number == number) else { return };
        if ahead {
            return;
        }
        piece.body = Body::Disk(place);
        self.memory = self.memory.saturating_sub(piece.bytes);
        self.disk += piece.bytes;
    }

    /// Reports the result of reading a block. `tags` is `None` if reading failed.
    pub fn loaded(&mut self, number: u64, tags: Option<Vec<HeldPiece>>) {
        let Some(at) = self.pieces.iter().position(|piece| piece.number == number) else { return };
        let Some(piece) = self.pieces.get_mut(at) else { return };
        self.disk = self.disk.saturating_sub(piece.bytes);
        match tags {
            Some(tags) => {
                self.memory += piece.bytes;
                piece.body = Body::Memory(tags.into());
            }
            None => {
                let oldest = piece.oldest;
                self.pieces.remove(at);
                // The packets before the lost ones are still sent.
                let next = match self.pieces.get_mut(at) {
                    Some(next) => {
                        next.follows_gap = true;
                        next.oldest
                    }
                    None => {
                        self.ends_with_gap = true;
                        self.newest
                    }
                };
                self.skipped += next.since(oldest);
            }
        }
    }

    fn await_keyframes(&mut self) {
        if self.has_video {
            self.awaiting_keyframe.extend(RenditionId::ALL);
        }
    }

    pub fn figures(&self) -> Figures {
        let oldest = self.pieces.front().map(|piece| piece.oldest);
        Figures {
            delay: self.delay,
            held: oldest.map_or(Duration::ZERO, |oldest| self.newest.since(oldest)),
            memory_bytes: self.memory,
            disk_bytes: self.disk,
            skipped: self.skipped,
            begun: self.begun,
        }
    }

    /// Returns the time at which the oldest held packet is due, or `None` if there is none.
    pub fn begins(&self) -> Option<Timestamp> {
        self.pieces.front().map(|piece| piece.oldest + self.delay)
    }

    /// Shortens the delay, because there is not enough space for the whole delay.
    fn shorten(&mut self, now: Timestamp) {
        if self.begun && self.pieces.len() > 1 {
            let Some(gone) = self.pieces.pop_front() else { return };
            match gone.body {
                Body::Memory(_) => self.memory = self.memory.saturating_sub(gone.bytes),
                Body::Disk(_) | Body::Loading => self.disk = self.disk.saturating_sub(gone.bytes),
            }
            let next = self.pieces.front().map_or(now, |next| next.oldest);
            self.skipped += next.since(gone.oldest);
            self.await_keyframes();
        }
        let oldest = self.pieces.front().map_or(now, |piece| piece.oldest);
        self.delay = self.delay.min(now.since(oldest));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broadcast::hub::gop::tests::{of_rendition, packet, tag};
    use crate::media::{EncodedPacket, Track};
    use bytes::Bytes;

    type Stored = Vec<HeldPiece>;

    /// A simulated stream with both tracks, in steps of 20 ms, with frames of `size` bytes.
    struct Run {
        line: DelayStore<Stored>,
        at: i64,
        disk_full: bool,
        out: Vec<(i64, i64)>,
        size: usize,
        most_memory: usize,
        most_disk: usize,
    }

    fn run(delay: Duration, size: usize) -> Run {
        let room = Room { memory: 16 << 20, most: 24 << 20 };
        let line = DelayStore::new(delay, room, true);
        let (out, at, disk_full) = (Vec::new(), 0, false);
        Run { line, at, disk_full, out, size, most_memory: 0, most_disk: 0 }
    }

    impl Run {
        fn work(&mut self, now: Timestamp) {
            while let Some(work) = self.line.work(now) {
                match work {
                    Work::Store(number, tags) => {
                        let place = (!self.disk_full).then_some(tags);
                        self.line.stored(now, number, place);
                    }
                    Work::Load(number, tags) => self.line.loaded(number, Some(tags)),
                }
            }
        }

        fn seconds(&mut self, seconds: i64, feed: bool) {
            for _ in 0..seconds * 50 {
                let now = Timestamp::from_millis(self.at);
                if feed {
                    if self.at % 40 == 0 {
                        let data = Bytes::from(vec![7; self.size]);
                        let video = EncodedPacket { data, ..packet(Track::Video, self.at) };
                        self.line.push(now, Arc::new(SharedPacket::new(video)));
                    }
                    self.line.push(now, tag(Track::Audio, self.at));
                }
                self.work(now);
                while let DelayedPacket::Tag(tag) = self.line.pop(now) {
                    self.out.push((self.at, tag.dts.as_millis()));
                }
                let figures = self.line.figures();
                self.most_memory = self.most_memory.max(figures.memory_bytes);
                self.most_disk = self.most_disk.max(figures.disk_bytes);
                self.at += 20;
            }
        }
    }

    #[test]
    fn everything_comes_out_once_in_order_and_later_by_the_delay() {
        let mut run = run(Duration::from_secs(1_800), 400);
        run.seconds(1_799, true);
        assert_eq!(run.out, []);
        run.seconds(60, true);
        run.line.close();
        run.seconds(1_801, false);
        assert!(matches!(run.line.pop(Timestamp::from_millis(run.at)), DelayedPacket::Over));
        assert_eq!(run.out.len(), 1_859 * 75);
        assert!(run.out.iter().all(|(at, dts)| at - dts == 1_800_000));
        assert!(run.out.windows(2).all(|pair| pair[0].1 <= pair[1].1));
    }

    #[test]
    fn past_the_memory_the_disk_is_used_and_given_back() {
        // 5 minutes at 8 Mbit/s are 300 MB.
        let mut run = run(Duration::from_secs(300), 40_000);
        run.seconds(600, true);
        assert!(run.most_memory < 28 << 20, "{}", run.most_memory);
        assert!(run.most_disk > 250 << 20, "{}", run.most_disk);
        assert!(run.out.iter().all(|(at, dts)| at - dts == 300_000));
        run.line.close();
        run.seconds(301, false);
        assert_eq!(run.out.len(), 600 * 75);
        let left = run.line.figures();
        assert_eq!((left.memory_bytes, left.disk_bytes, left.held), (0, 0, Duration::ZERO));
    }

    #[test]
    fn a_full_disk_shortens_the_delay_before_anything_is_lost() {
        let mut run = run(Duration::from_secs(300), 40_000);
        run.disk_full = true;
        run.seconds(120, true);
        let figures = run.line.figures();
        // 18 MiB at 1 MB/s.
        assert!((16..20).contains(&figures.delay.as_secs()), "{figures:?}");
        assert!(run.most_memory <= 25 << 20, "{}", run.most_memory);
        assert_eq!(figures.skipped, Duration::ZERO);
        let times: Vec<i64> = run.out.iter().map(|(_, dts)| *dts).collect();
        assert!(times.first() == Some(&0) && times.windows(2).all(|two| two[1] - two[0] <= 20));
    }

    #[test]
    fn a_disk_that_fills_up_on_air_costs_what_is_skipped_up_to_a_keyframe() {
        let mut run = run(Duration::from_secs(60), 40_000);
        run.seconds(90, true);
        let before = run.out.len();
        run.disk_full = true;
        run.seconds(120, true);
        let figures = run.line.figures();
        assert!(figures.delay < Duration::from_secs(30), "{figures:?}");
        assert!(figures.skipped >= Duration::from_secs(30), "{figures:?}");
        assert!(run.most_memory <= 32 << 20, "{}", run.most_memory);
        let times: Vec<i64> = run.out[before..].iter().map(|(_, dts)| *dts).collect();
        for pair in times.windows(2).filter(|pair| pair[1] - pair[0] > 20) {
            assert_eq!(pair[1] % 2_000, 0, "{pair:?}: goes on with a keyframe");
        }
        assert!(times.windows(2).all(|pair| pair[0] <= pair[1]));
    }

    #[test]
    fn after_a_gap_each_rendition_goes_on_with_its_own_keyframe() {
        let mut line = DelayStore::<Stored>::new(Duration::ZERO, Room::default(), true);
        line.push(Timestamp::ZERO, tag(Track::Audio, 0));
        line.pieces[0].body = Body::Loading;
        line.loaded(0, None);
        for dts in (1_000..3_000).step_by(40) {
            let now = Timestamp::from_millis(dts);
            let main = of_rendition(RenditionId::Main, dts);
            let second = of_rendition(RenditionId::Second, dts);
            let second = EncodedPacket { keyframe: dts == 1_000, ..second };
            for frame in [second, main] {
                line.push(now, Arc::new(SharedPacket::new(frame)));
            }
            line.push(now, tag(Track::Audio, dts));
        }
        let mut first = Vec::new();
        while let DelayedPacket::Tag(tag) = line.pop(Timestamp::from_millis(3_000)) {
            let kind = (tag.track, tag.rendition_id());
            if !first.iter().any(|(known, _)| *known == kind) {
                first.push((kind, tag.dts.as_millis()));
            }
        }
        let (main, second) = (Some(RenditionId::Main), Some(RenditionId::Second));
        let expected = [((Track::Video, second), 1_000), ((Track::Video, main), 2_000)];
        assert_eq!(first, [&expected[..], &[((Track::Audio, None), 2_000)]].concat());
    }

    #[test]
    fn a_piece_that_cannot_be_read_is_left_out() {
        let mut run = run(Duration::from_secs(60), 40_000);
        run.seconds(58, true);
        let broken = run.line.pieces.iter_mut().find(|it| matches!(it.body, Body::Disk(_)));
        broken.unwrap().body = Body::Loading;
        let number =
            run.line.pieces.iter().find(|it| matches!(it.body, Body::Loading)).unwrap().number;
        run.line.loaded(number, None);
        run.seconds(60, true);
        let pairs = run.out.windows(2).map(|two| (two[0].1, two[1].1));
        let gaps: Vec<_> = pairs.filter(|(before, after)| after - before > 20).collect();
        let [(before, after)] = gaps[..] else { panic!("{gaps:?}") };
        assert_eq!(after % 2_000, 0, "goes on with a keyframe after {before} ms");
        assert!(run.line.figures().skipped > Duration::from_secs(3));
    }
}
