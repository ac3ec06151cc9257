//! The bounded queue of encoded packets between the feed and a decoder. It is the jitter buffer,
//! and is bounded by count and by bytes. A live feed never waits: excess packets are dropped up to
//! the next keyframe. The feed of a file waits.

use std::collections::VecDeque;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use crate::base::{Stop, Timestamp};
use crate::media::{AudioConfig, EncodedPacket, VideoConfig};

/// Maximum number of waiting packets.
const MAX_PACKETS: usize = 2_000;
/// Maximum total size of waiting packets, in bytes.
const MAX_WAITING_BYTES: usize = 48 << 20;

/// An item for a decoder. `P` is the type of the decoder's config.
#[derive(Clone, Debug)]
pub enum BufferedPacket<P> {
    /// A config for the following packets.
    Configure(P),
    Packet(EncodedPacket),
    /// A gap: the next packet does not follow the previous one.
    Gap,
    /// A seam between files: packets from before the seam play only before this time, and packets
    /// from after the seam only after it.
    Seam(Timestamp),
}

/// A config in a queue. Its size counts like that of a packet.
pub trait Buffered {
    /// Returns the size of the config in bytes.
    fn held(&self) -> usize;
}

impl Buffered for VideoConfig {
    fn held(&self) -> usize {
        self.codec_config.len()
    }
}

impl Buffered for AudioConfig {
    fn held(&self) -> usize {
        self.codec_config.len()
    }
}

impl<P: Buffered> BufferedPacket<P> {
    /// Returns the size of the item in bytes.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Packet(packet) => packet.data.len(),
            Self::Configure(config) => config.held(),
            Self::Gap | Self::Seam(_) => 0,
        }
    }
}

impl<P> BufferedPacket<P> {
    fn packet(&self) -> Option<&EncodedPacket> {
        match self {
            Self::Packet(packet) => Some(packet),
            _ => None,
        }
    }
}

/// See the module documentation.
#[derive(Debug)]
pub struct Packets<P> {
    inner: Mutex<Inner<P>>,
    changed: Condvar,
    max_packets: usize,
}

#[derive(Debug)]
struct Inner<P> {
    units: VecDeque<BufferedPacket<P>>,
    bytes: usize,
    /// True if packets are skipped until the next keyframe.
    skipping: bool,
    /// True if a waiting sender must wake up and insert its item.
    nudged: bool,
    closed: bool,
    /// Number of restarts, see [`Packets::restart`].
    generation: u32,
}

/// The result of taking an item.
#[derive(Debug)]
pub enum Popped<P> {
    Unit(BufferedPacket<P>),
    /// No item arrived in time.
    Nothing,
    /// The queue is closed, and no item is left.
    Closed,
}

impl<P: Buffered> Default for Packets<P> {
    fn default() -> Self {
        Self::new(MAX_PACKETS)
    }
}

impl<P: Buffered> Packets<P> {
    /// Creates an empty queue of at most `max_packets`.
    pub fn new(max_packets: usize) -> Self {
        Self {
            inner: Mutex::new(Inner {
                units: VecDeque::new(),
                bytes: 0,
                skipping: false,
                nudged: false,
                closed: false,
                generation: 0,
            }),
            changed: Condvar::new(),
            max_packets: max_packets.max(2),
        }
    }

    /// Inserts an item without waiting. Returns the number of dropped packets, which can include
    /// the item itself.
    pub fn push(&self, unit: BufferedPacket<P>) -> u64 {
        let mut inner = self.inner.lock();
        if inner.closed {
            return 0;
        }
        let mut dropped = 0;
        if let BufferedPacket::Packet(packet) = &unit {
            if inner.skipping && !packet.keyframe {
                return 1;
            }
            if inner.is_full(self.max_packets, packet.data.len()) {
                if !packet.keyframe {
                    inner.skipping = true;
                    return 1;
                }
                dropped = inner.clear_packets();
                inner.units.push_back(BufferedPacket::Gap);
            } else if inner.skipping {
                inner.units.push_back(BufferedPacket::Gap);
            }
            inner.skipping = false;
        } else if inner.units.len() >= self.max_packets * 2
            || inner.bytes.saturating_add(unit.bytes()) > MAX_WAITING_BYTES
        {
            // Too many configs are waiting: only the newest one stays.
            dropped = inner.clear_packets();
            inner.skipping = true;
        }
        inner.add(unit);
        drop(inner);
        self.changed.notify_all();
        dropped
    }

    /// Inserts an item as soon as there is room, or drops it if `stop` is set or the queue is
    /// closed.
    pub fn push_waiting(&self, unit: BufferedPacket<P>, stop: &Stop) {
        let mut inner = self.inner.lock();
        let size = unit.bytes();
        while inner.is_full(self.max_packets, size) && !std::mem::take(&mut inner.nudged) {
            if inner.closed || stop.is_set() {
                return;
            }
            self.changed.wait_for(&mut inner, Duration::from_millis(50));
        }
        inner.add(unit);
        drop(inner);
        self.changed.notify_all();
    }

    /// Takes the next item, waiting at most `limit`. Returns the number of earlier restarts, and
    /// the item.
    pub fn pop(&self, limit: Duration) -> (u32, Popped<P>) {
        let mut inner = self.inner.lock();
        if inner.units.is_empty() && !inner.closed && !limit.is_zero() {
            self.changed.wait_for(&mut inner, limit);
        }
        let Some(unit) = inner.units.pop_front() else {
            let nothing = if inner.closed { Popped::Closed } else { Popped::Nothing };
            return (inner.generation, nothing);
        };
        let generation = inner.generation;
        inner.bytes = inner.bytes.saturating_sub(unit.bytes());
        drop(inner);
        self.changed.notify_all();
        (generation, Popped::Unit(unit))
    }

    /// Works like [`Packets::restart`], but keeps the newest config.
    pub fn restart_with_config(&self) -> u32 {
        let mut inner = self.inner.lock();
        inner.clear_packets();
        inner.skipping = false;
        inner.generation = inner.generation.wrapping_add(1);
        let generation = inner.generation;
        drop(inner);
        self.changed.notify_all();
        generation
    }

    /// Drops all waiting packets; the newest config stays.
    pub fn flush(&self) {
        let mut inner = self.inner.lock();
        inner.clear_packets();
        inner.skipping = false;
        drop(inner);
        self.changed.notify_all();
    }

    /// Lets a waiting sender insert its item and continue. The queue keeps its items.
    pub fn nudge(&self) {
        self.inner.lock().nudged = true;
        self.changed.notify_all();
    }

    /// Drops the whole queue: later items are from another position of the stream, and data decoded
    /// earlier is obsolete. Returns the number of this restart.
    pub fn restart(&self) -> u32 {
        let mut inner = self.inner.lock();
        inner.units.clear();
        (inner.bytes, inner.skipping) = (0, false);
        inner.generation = inner.generation.wrapping_add(1);
        let generation = inner.generation;
        drop(inner);
        self.changed.notify_all();
        generation
    }

    /// Closes the queue for new items; the remaining ones can still be taken.
    pub fn close(&self) {
        self.inner.lock().closed = true;
        self.changed.notify_all();
    }

    /// Returns the DTS of the last waiting packet.
    pub fn newest(&self) -> Option<Timestamp> {
        self.inner
            .lock()
            .units
            .iter()
            .rev()
            .find_map(BufferedPacket::packet)
            .map(|packet| packet.dts)
    }

    /// Returns true if a keyframe with a PTS up to `at` is waiting.
    pub fn has_keyframe_until(&self, at: Timestamp) -> bool {
        let inner = self.inner.lock();
        let mut packets = inner.units.iter().filter_map(BufferedPacket::packet);
        packets.any(|packet| packet.keyframe && packet.pts <= at)
    }

    /// Returns true if the queue is empty.
    pub fn is_empty(&self) -> bool {
        self.inner.lock().units.is_empty()
    }

    /// Returns true if the queue takes no more items.
    pub fn is_closed(&self) -> bool {
        self.inner.lock().closed
    }

    /// Returns true if the queue is empty and closed.
    pub fn is_finished(&self) -> bool {
        let inner = self.inner.lock();
        inner.closed && inner.units.is_empty()
    }
}

impl<P: Buffered> Inner<P> {
    fn is_full(&self, max_packets: usize, more: usize) -> bool {
        self.units.len() >= max_packets
            || (!self.units.is_empty() && self.bytes.saturating_add(more) > MAX_WAITING_BYTES)
    }

    fn add(&mut self, unit: BufferedPacket<P>) {
        self.bytes = self.bytes.saturating_add(unit.bytes());
        self.units.push_back(unit);
    }

    /// Drops the packets and keeps the newest config.
    fn clear_packets(&mut self) -> u64 {
        let before = self.units.len();
        let mut config = None;
        for unit in self.units.drain(..) {
            if matches!(unit, BufferedPacket::Configure(_)) {
                config = Some(unit);
            }
        }
        self.bytes = config.as_ref().map_or(0, BufferedPacket::bytes);
        self.units.extend(config);
        (before - self.units.len()) as u64
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::media::{Track, VideoCodec};
    use crate::wire::container::track_config::bare_video_config;

    impl Buffered for u8 {
        fn held(&self) -> usize {
            0
        }
    }

    fn packet(ms: i64, keyframe: bool) -> BufferedPacket<u8> {
        let at = Timestamp::from_millis(ms);
        let data = Bytes::from_static(&[0; 10]);
        BufferedPacket::Packet(EncodedPacket::received(Track::Video, (at, at), keyframe, data))
    }

    fn drain(queue: &Packets<u8>) -> Vec<String> {
        let mut out = Vec::new();
        while let (_, Popped::Unit(unit)) = queue.pop(Duration::ZERO) {
            out.push(match unit {
                BufferedPacket::Configure(config) => format!("config {config}"),
                BufferedPacket::Packet(packet) => packet.dts.as_millis().to_string(),
                BufferedPacket::Gap => "gap".into(),
                BufferedPacket::Seam(at) => format!("seam {}", at.as_millis()),
            });
        }
        out
    }

    #[test]
    fn what_does_not_fit_goes_down_to_a_keyframe_and_configs_stay() {
        let queue = Packets::new(4);
        queue.push(BufferedPacket::Configure(1));
        for ms in 0..3 {
            assert_eq!(queue.push(packet(ms, ms == 0)), 0);
        }
        assert_eq!(queue.push(packet(3, false)), 1);
        queue.pop(Duration::ZERO);
        assert_eq!(queue.push(packet(4, false)), 1, "refers to what was dropped");
        queue.push(BufferedPacket::Configure(2));
        assert_eq!(queue.push(packet(5, true)), 3);
        assert_eq!(queue.push(packet(6, false)), 0);
        assert_eq!(drain(&queue), ["config 2", "gap", "5", "6"]);
    }

    #[test]
    fn codec_configs_count_toward_the_limit_of_bytes() {
        let config = |size: usize| bare_video_config(VideoCodec::H264, vec![0; size].into(), &[]);
        let queue = Packets::<VideoConfig>::default();
        let mut dropped = 0;
        for size in 60_000..62_000 {
            dropped += queue.push(BufferedPacket::Configure(config(size)));
            let inner = queue.inner.lock();
            let bytes: usize = inner.units.iter().map(BufferedPacket::bytes).sum();
            assert!(bytes == inner.bytes && bytes <= MAX_WAITING_BYTES, "{bytes} {}", inner.bytes);
        }
        assert!(dropped > 0);
        // The last packet is not among the dropped ones.
        let mut last = 0;
        while let (_, Popped::Unit(unit)) = queue.pop(Duration::ZERO) {
            last = unit.bytes();
        }
        assert_eq!((last, queue.inner.lock().bytes), (61_999, 0));
    }

    #[test]
    fn a_closed_queue_gives_the_rest_and_then_ends() {
        let queue = Packets::new(4);
        queue.push(packet(1, true));
        queue.close();
        assert_eq!(queue.push(packet(2, true)), 0);
        assert_eq!(drain(&queue), ["1"]);
        assert!(matches!(queue.pop(Duration::from_secs(10)), (_, Popped::Closed)));
        assert!(queue.is_finished());
    }

    #[test]
    fn each_pop_returns_the_number_of_restarts() {
        let queue = Packets::new(4);
        queue.push(BufferedPacket::Configure(1));
        queue.push(packet(1, true));
        assert_eq!(queue.restart_with_config(), 1);
        queue.push(packet(2, true));
        assert!(matches!(
            queue.pop(Duration::ZERO),
            (1, Popped::Unit(BufferedPacket::Configure(1)))
        ));
        assert!(matches!(queue.pop(Duration::ZERO), (1, Popped::Unit(BufferedPacket::Packet(_)))));
        queue.push(BufferedPacket::Configure(2));
        assert_eq!(queue.restart(), 2);
        assert!(matches!(queue.pop(Duration::ZERO), (2, Popped::Nothing)));
    }

    #[test]
    fn a_waiting_push_ends_when_stopped() {
        let (queue, stop) = (Packets::new(2), Stop::new());
        queue.push(packet(1, true));
        queue.push(packet(2, false));
        stop.set();
        queue.push_waiting(packet(3, false), &stop);
        assert_eq!(drain(&queue), ["1", "2"]);
    }
}
