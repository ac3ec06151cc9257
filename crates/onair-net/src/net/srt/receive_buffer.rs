//! The packets that arrived and wait for their time (draft-sharabayko-srt-01 §4.5, §4.6). A missing
//! packet is asked for until it would come too late; then the stream goes on without it. This module
//! is pure.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use srt_runtime::packet::LossListEntry;

use crate::base::Timestamp;
use crate::net::srt::packets::{SEQUENCE_MASK, distance};

/// Maximum number of packets between the oldest one that is missing and the newest one.
pub(super) const MAX_PACKETS: usize = 8_192;
/// Maximum number of entries of a report of losses, which must fit into a datagram.
const MAX_REPORT_ENTRIES: usize = 150;
/// The number of packets over which the fastest way is measured, because the two clocks drift.
const DRIFT_WINDOW: u32 = 1_000;

#[derive(Debug)]
enum Slot {
    /// Not here since this time, and the time of the last question, if it was asked for.
    Missing(Timestamp, Option<Timestamp>),
    Held {
        time: i64,
        payload: Bytes,
    },
    /// The sender has given it up.
    Dropped,
}

/// A packet that comes after it was asked for, although it was not lost, only overtook others. The
/// next question waits for this long at most, and for this share of the latency.
const MAX_PATIENCE: Duration = Duration::from_millis(25);
const PATIENCE_SHARE: u32 = 5;
/// The patience becomes shorter by an eighth after this many packets.
const PATIENCE_PACKETS: u32 = 256;

/// The relation of the sender's times to ours.
#[derive(Debug)]
struct Base {
    /// Our time minus the sender's, by the fastest packet.
    offset: i64,
    /// The last time in 32 bits, and without wrap-around.
    last: (u32, i64),
    /// The fastest packet of the present window, and the number of its packets.
    window: (i64, u32),
}

/// The packets that wait.
#[derive(Debug)]
pub struct ReceiveBuffer {
    latency: Duration,
    /// The number of the first slot.
    first: u32,
    slots: VecDeque<Slot>,
    /// The number of slots from the first one on that are not missing.
    contiguous: usize,
    base: Option<Base>,
    /// How long a missing packet may be overtaken before it is asked for.
    patience: Duration,
    calm_packets: u32,
    /// Packets that were given up, that came twice, and whose place was missing at first.
    pub lost: u64,
    pub duplicates: u64,
    pub missed: u64,
}

impl ReceiveBuffer {
    pub fn new(first: u32, latency: Duration) -> Self {
        Self {
            latency,
            first: first & SEQUENCE_MASK,
            slots: VecDeque::new(),
            contiguous: 0,
            base: None,
            patience: Duration::ZERO,
            calm_packets: 0,
            lost: 0,
            duplicates: 0,
            missed: 0,
        }
    }

    /// Returns the number of the first packet that is not here.
    pub fn acknowledged(&self) -> u32 {
        self.first.wrapping_add(self.contiguous as u32) & SEQUENCE_MASK
    }

    /// Returns the number of packets for which there is space.
    pub fn room(&self) -> usize {
        MAX_PACKETS.saturating_sub(self.slots.len())
    }

    /// Returns the duration of the packets that wait.
    pub fn held(&self) -> Duration {
        let time = |slot: &Slot| match slot {
            Slot::Held { time, .. } => Some(*time),
            _ => None,
        };
        let (oldest, newest) =
            (self.slots.iter().find_map(time), self.slots.iter().rev().find_map(time));
        let micros = oldest.zip(newest).map_or(0, |(oldest, newest)| newest - oldest);
        Duration::from_micros(u64::try_from(micros).unwrap_or(0))
    }

    /// Takes a packet, which is a repetition or not. Returns true if packets before it are missing
    /// that must be asked for now.
    pub fn push(
        &mut self,
        (sequence, repeated): (u32, bool),
        time_us: u32,
        payload: Bytes,
        now: Timestamp,
    ) -> bool {
        let place = distance(self.first, sequence);
        let Ok(place) = usize::try_from(place) else {
            // It is a repetition, or it comes too late.
            self.duplicates += 1;
            return false;
        };
        if place >= MAX_PACKETS {
            return false;
        }
        let known = self.slots.len();
        match self.slots.get(place) {
            None => {}
            Some(Slot::Missing(since, asked)) => {
                let late = now.since(*since);
                if asked.is_some() && !repeated && late > self.patience {
                    let most = MAX_PATIENCE.min(self.latency / PATIENCE_SHARE);
                    self.patience = (late + Duration::from_millis(1)).min(most);
                }
            }
            Some(_) => {
                self.duplicates += 1;
                return false;
            }
        }
        self.calm_packets += 1;
        if self.calm_packets >= PATIENCE_PACKETS {
            (self.calm_packets, self.patience) = (0, self.patience * 7 / 8);
        }
        let time = self.time(time_us, now);
        while self.slots.len() <= place {
            self.slots.push_back(Slot::Missing(now, None));
        }
        self.missed += place.saturating_sub(known) as u64;
        if let Some(slot) = self.slots.get_mut(place) {
            *slot = Slot::Held { time, payload };
        }
        self.advance();
        place > known && self.patience < Duration::from_millis(1)
    }

    /// Converts a time of the sender to one without wrap-around, and follows its clock.
    fn time(&mut self, time_us: u32, now: Timestamp) -> i64 {
        let arrival = now.as_micros();
        let base = self.base.get_or_insert_with(|| {
            let time = i64::from(time_us);
            Base { offset: arrival - time, last: (time_us, time), window: (i64::MAX, 0) }
        });
        let time = base.last.1 + i64::from(time_us.wrapping_sub(base.last.0).cast_signed());
        if time > base.last.1 {
            base.last = (time_us, time);
        }
        let offset = arrival - time;
        base.window = (base.window.0.min(offset), base.window.1 + 1);
        if base.window.1 >= DRIFT_WINDOW {
            (base.offset, base.window) = (base.window.0, (i64::MAX, 0));
        }
        // A packet cannot come before it was sent. So none waits for longer than the latency.
        base.offset = base.offset.min(offset);
        time
    }

    /// Counts the slots up to the first missing one.
    fn advance(&mut self) {
        let is_there =
            |slot: Option<&Slot>| slot.is_some_and(|it| !matches!(it, Slot::Missing(..)));
        while is_there(self.slots.get(self.contiguous)) {
            self.contiguous += 1;
        }
    }

    /// Returns the time at which a packet is due.
    fn due(&self, time: i64) -> Timestamp {
        let offset = self.base.as_ref().map_or(0, |base| base.offset);
        Timestamp::from_micros(time.saturating_add(offset)) + self.latency
    }

    /// Returns the place and the time of the first packet that waits.
    fn next_held(&self) -> Option<(usize, Timestamp)> {
        self.slots.iter().enumerate().find_map(|(place, slot)| match slot {
            Slot::Held { time, .. } => Some((place, self.due(*time))),
            _ => None,
        })
    }

    /// Returns the time at which the next packet is due, if one waits.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.next_held().map(|(_, due)| due)
    }

    /// Returns the next packet that is due, and whether packets before it are lost.
    pub fn take(&mut self, now: Timestamp) -> Option<(Bytes, bool)> {
        let (place, due) = self.next_held()?;
        if now < due {
            return None;
        }
        self.lost += place as u64;
        let slot = self.slots.drain(..=place).next_back();
        self.first = self.first.wrapping_add(place as u32 + 1) & SEQUENCE_MASK;
        self.contiguous = self.contiguous.saturating_sub(place + 1);
        self.advance();
        match slot {
            Some(Slot::Held { payload, .. }) => Some((payload, place > 0)),
            _ => None,
        }
    }

    /// Takes the sender's message that these packets are given up.
    pub fn dropped(&mut self, first: u32, last: u32) {
        let (from, to) = (distance(self.first, first).max(0), distance(self.first, last));
        for place in from..=to.min(MAX_PACKETS as i64) {
            let slot = usize::try_from(place).ok().and_then(|place| self.slots.get_mut(place));
            match slot {
                Some(slot) if matches!(slot, Slot::Missing(..)) => *slot = Slot::Dropped,
                Some(_) => {}
                None => break,
            }
        }
        self.advance();
    }

    /// Returns the missing packets to ask for: those that were not asked for within `interval`.
    pub fn report(&mut self, now: Timestamp, interval: Duration) -> Vec<LossListEntry> {
        let mut ranges: Vec<(u32, u32)> = Vec::new();
        let first = self.first;
        for (place, slot) in self.slots.iter_mut().enumerate().skip(self.contiguous) {
            let Slot::Missing(since, asked) = slot else { continue };
            let waits = match asked {
                Some(at) => now.since(*at) < interval,
                None => now.since(*since) < self.patience,
            };
            if waits {
                continue;
            }
            let sequence = first.wrapping_add(place as u32) & SEQUENCE_MASK;
            let is_full = ranges.len() >= MAX_REPORT_ENTRIES;
            match ranges.last_mut() {
                Some((_, last)) if distance(*last, sequence) == 1 => *last = sequence,
                _ if is_full => break,
                _ => ranges.push((sequence, sequence)),
            }
            *asked = Some(now);
        }
        let entry = |(first, last)| match first == last {
            true => LossListEntry::Single(first),
            false => LossListEntry::Range(first, last),
        };
        ranges.into_iter().map(entry).collect()
    }

    /// Returns true if a packet is missing.
    pub fn has_gap(&self) -> bool {
        self.contiguous < self.slots.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn payload(byte: u8) -> Bytes {
        Bytes::from(vec![byte; 4])
    }

    fn taken(buffer: &mut ReceiveBuffer, now: Timestamp) -> Vec<(u8, bool)> {
        std::iter::from_fn(|| buffer.take(now)).map(|(it, gap)| (it[0], gap)).collect()
    }

    #[test]
    fn packets_come_out_in_order_at_their_time_and_a_missing_one_is_waited_for() {
        // The numbers and the times wrap around.
        let mut buffer = ReceiveBuffer::new(SEQUENCE_MASK, Duration::from_millis(100));
        let time = |millis: u32| (u32::MAX - 5_000).wrapping_add(millis * 1_000);
        assert!(!buffer.push((SEQUENCE_MASK, false), time(0), payload(0), at(50)));
        assert!(buffer.push((1, false), time(20), payload(2), at(70)));
        assert_eq!(buffer.report(at(70), Duration::from_millis(20)), [LossListEntry::Single(0)]);
        assert_eq!(buffer.report(at(80), Duration::from_millis(20)), []);
        assert_eq!(buffer.acknowledged(), 0);
        assert_eq!(taken(&mut buffer, at(149)), []);
        assert_eq!(taken(&mut buffer, at(150)), [(0, false)]);
        assert!(!buffer.push((0, true), time(10), payload(1), at(155)));
        assert_eq!((buffer.acknowledged(), buffer.next_due()), (2, Some(at(160))));
        assert_eq!(taken(&mut buffer, at(170)), [(1, false), (2, false)]);
        // Again, and what was already delivered.
        assert!(!buffer.push((1, true), time(20), payload(2), at(171)));
        assert_eq!((buffer.lost, buffer.missed, buffer.duplicates), (0, 1, 1));
    }

    #[test]
    fn a_packet_that_would_be_too_late_or_that_the_sender_dropped_is_skipped() {
        let mut buffer = ReceiveBuffer::new(1, Duration::from_millis(100));
        for (sequence, millis) in [(1, 0), (3, 20), (6, 50)] {
            buffer.push(
                (sequence, false),
                millis * 1_000,
                payload(sequence as u8),
                at(millis.into()),
            );
        }
        assert_eq!(taken(&mut buffer, at(119)), [(1, false)]);
        assert_eq!(taken(&mut buffer, at(120)), [(3, true)]);
        assert_eq!((buffer.lost, buffer.acknowledged()), (1, 4));
        assert!(!buffer.push((2, true), 10_000, payload(2), at(121)), "it is too late");
        buffer.dropped(4, 5);
        assert_eq!((buffer.acknowledged(), buffer.has_gap()), (7, false));
        assert_eq!(taken(&mut buffer, at(150)), [(6, true)]);
        assert_eq!(buffer.lost, 3);
        // Numbers that nobody sends change nothing.
        buffer.dropped(SEQUENCE_MASK, 0);
        buffer.dropped(0, SEQUENCE_MASK);
        assert!(!buffer.push((7 + MAX_PACKETS as u32, false), 0, payload(9), at(160)));
        assert_eq!((buffer.acknowledged(), buffer.room()), (7, MAX_PACKETS));
    }

    #[test]
    fn a_packet_that_was_only_overtaken_makes_the_next_question_wait() {
        let mut buffer = ReceiveBuffer::new(1, Duration::from_millis(120));
        let mut push = |sequence, millis| {
            buffer.push((sequence, false), 0, payload(0), at(millis));
            buffer.report(at(millis), Duration::from_millis(20)).len()
        };
        assert_eq!([push(1, 0), push(3, 0), push(2, 8)], [0, 1, 0]);
        assert_eq!([push(5, 20), push(6, 28), push(7, 29), push(4, 30)], [0, 0, 1, 0]);
        // However late they are, a lost packet can be repeated in time.
        assert_eq!([push(9, 40), push(10, 80), push(8, 81)], [0, 1, 0]);
        assert_eq!([push(12, 90), push(13, 113), push(14, 114)], [0, 0, 1]);
    }

    #[test]
    fn a_clock_that_drifts_is_followed_and_a_wrong_time_does_not_stop_the_stream() {
        let mut buffer = ReceiveBuffer::new(1, Duration::from_millis(100));
        // The sender's clock is slow: 100 ppm for an hour are 360 ms.
        for n in 0..36_000_u32 {
            let now = Timestamp::from_micros(i64::from(n) * 100_010);
            buffer.push((n + 1, false), n.wrapping_mul(100_000), payload(1), now);
            let early = now + Duration::from_millis(75);
            let late = now + Duration::from_millis(115);
            assert_eq!(taken(&mut buffer, early).len(), 0, "{n}");
            assert_eq!(taken(&mut buffer, late).len(), 1, "{n}");
        }
        let now = at(3_700_000);
        buffer.push((36_001, false), u32::MAX / 2, payload(1), now);
        assert_eq!(taken(&mut buffer, now + Duration::from_millis(100)).len(), 1);
    }
}
