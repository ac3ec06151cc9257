//! The packets that the receiver has not acknowledged (draft-sharabayko-srt-01 §4.8). A reported
//! loss is sent again with its first time, and a packet that is too late is given up (§4.6). This
//! module is pure.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use srt_runtime::packet::{
    DataPacket, DropReqPacket, EncryptionKeyField, LossListEntry, PacketPosition,
};

use crate::base::Timestamp;
use crate::net::srt::keys::Keys;
use crate::net::srt::packets::{SEQUENCE_MASK, distance};

/// Message numbers have 26 bits.
const MESSAGE_MASK: u32 = (1 << 26) - 1;
/// Packets that are younger are never given up.
const MIN_DROP_AGE: Duration = Duration::from_secs(1);
/// Maximum number of packets on the way, whatever window the receiver announces.
const MAX_PACKETS: usize = 8_192;
/// Maximum number of entries of one report of losses that are regarded.
const MAX_REPORTED: usize = 1_024;

#[derive(Debug)]
struct SentPacket {
    sequence: u32,
    message: u32,
    key: EncryptionKeyField,
    /// The time in the packet, in microseconds since the connection's beginning.
    time_us: u32,
    sent: Timestamp,
    /// The last time at which it was sent, and how often.
    last: Timestamp,
    times: u32,
    /// The time of the first repetition.
    repeated: Option<Timestamp>,
    /// The number of payload bytes of the connection up to the end of this packet.
    end: u64,
    payload: Vec<u8>,
}

impl SentPacket {
    /// Returns the number of payload bytes of the connection before this packet.
    fn begin(&self) -> u64 {
        self.end.saturating_sub(self.payload.len() as u64)
    }
}

/// The packets on the way.
#[derive(Debug)]
pub struct SendBuffer {
    peer: u32,
    begin: Timestamp,
    drop_after: Duration,
    next_sequence: u32,
    next_message: u32,
    packets: VecDeque<SentPacket>,
    /// The reported losses that wait to be sent again.
    lost: BTreeSet<u64>,
    written: u64,
    accepted: u64,
    /// Bytes that were sent again.
    pub repeated: u64,
    /// The number of packets that repetitions could not save: these were lost too, or would have come
    /// too late.
    pub failed: u64,
    /// Packets that were sent at all, and those that were reported as lost.
    pub sent: u64,
    pub reported: u64,
    /// Packets that were given up.
    pub given_up: u64,
}

impl SendBuffer {
    pub fn new((peer, first_sequence): (u32, u32), latency: Duration, begin: Timestamp) -> Self {
        Self {
            peer,
            begin,
            drop_after: MIN_DROP_AGE.max(latency * 5 / 4) + Duration::from_millis(20),
            next_sequence: first_sequence & SEQUENCE_MASK,
            next_message: 1,
            packets: VecDeque::new(),
            lost: BTreeSet::new(),
            written: 0,
            accepted: 0,
            repeated: 0,
            failed: 0,
            sent: 0,
            reported: 0,
            given_up: 0,
        }
    }

    /// Returns the time of packets that are sent now.
    pub fn time_us(&self, now: Timestamp) -> u32 {
        now.micros_since(self.begin) as u32
    }

    /// Returns true if the receiver may get another packet.
    pub fn has_room(&self, window: usize) -> bool {
        self.packets.len() < window.clamp(1, MAX_PACKETS)
    }

    pub fn is_empty(&self) -> bool {
        self.packets.is_empty()
    }

    /// Returns the time at which the oldest packet on the way was sent.
    pub fn oldest(&self) -> Option<Timestamp> {
        self.packets.front().map(|packet| packet.sent)
    }

    /// Returns the number of payload bytes sent, and of those that the receiver has accepted.
    pub fn counters(&self) -> (u64, u64) {
        (self.written, self.accepted)
    }

    /// Makes the packet of this payload, which is from this time, and keeps it.
    pub fn push(
        &mut self,
        payload: &[u8],
        keys: &Keys,
        (made, now): (Timestamp, Timestamp),
    ) -> Option<Vec<u8>> {
        let sequence = self.next_sequence;
        let mut payload = payload.to_vec();
        let key = keys.encrypt(sequence, &mut payload)?;
        self.written += payload.len() as u64;
        let packet = SentPacket {
            sequence,
            message: self.next_message,
            key,
            time_us: self.time_us(made),
            sent: now,
            last: now,
            times: 1,
            repeated: None,
            end: self.written,
            payload,
        };
        self.next_sequence = (sequence + 1) & SEQUENCE_MASK;
        self.next_message = ((self.next_message + 1) & MESSAGE_MASK).max(1);
        let bytes = wire(self.peer, &packet);
        self.packets.push_back(packet);
        self.sent += 1;
        bytes
    }

    /// Returns the place of a sequence number after the oldest packet, if it is on the way.
    fn place(&self, sequence: u32) -> Option<usize> {
        let first = self.packets.front()?.sequence;
        let place = usize::try_from(distance(first, sequence)).ok()?;
        (place < self.packets.len()).then_some(place)
    }

    /// Takes an acknowledgement of all packets before this one. A packet that was repeated less than
    /// a round trip ago is not there: the receiver goes on without it.
    pub fn acknowledged(&mut self, before: u32, now: Timestamp, round_trip: Duration) {
        let before = before & SEQUENCE_MASK;
        let (count, accepted) = match self.place(before) {
            // Packets before this one may have been given up.
            Some(place) => (place, self.packets.get(place).map_or(0, SentPacket::begin)),
            None if before == self.next_sequence => (self.packets.len(), self.written),
            // This is an old acknowledgement, or one that no receiver sends.
            None => return,
        };
        let soon = round_trip * 4 / 5;
        let is_skipped = |packet: &SentPacket| {
            let is_repeated = packet.repeated.is_some_and(|at| now.since(at) < soon);
            is_repeated || packet.times == 1 && self.lost.contains(&packet.end)
        };
        self.failed += self.packets.iter().take(count).filter(|it| is_skipped(it)).count() as u64;
        self.packets.drain(..count);
        self.lost.retain(|end| *end > accepted);
        self.accepted = self.accepted.max(accepted);
    }

    /// Takes a report of losses. A packet that was just repeated is not repeated again. Returns the number of packets that were not reported before.
    pub fn reported(
        &mut self,
        entries: impl Iterator<Item = LossListEntry>,
        now: Timestamp,
        round_trip: Duration,
    ) -> u64 {
        let mut new = 0;
        for entry in entries.take(MAX_REPORTED) {
            let (first, last) = match entry {
                LossListEntry::Single(sequence) => (sequence, sequence),
                LossListEntry::Range(first, last) => (first, last),
                _ => continue,
            };
            let Some(last) = self.place(last) else { continue };
            let first = self.place(first).unwrap_or(0).min(last);
            for packet in self.packets.range(first..=last) {
                // A packet that was just sent again is still on its way.
                if packet.times > 1 && now.since(packet.last) < round_trip * 3 / 5 {
                    continue;
                }
                let is_new = self.lost.insert(packet.end) && packet.times == 1;
                new += u64::from(is_new);
            }
        }
        self.reported += new;
        new
    }

    /// Returns the next lost packet, to be sent again.
    pub fn next_lost(&mut self, now: Timestamp) -> Option<Vec<u8>> {
        while let Some(end) = self.lost.pop_first() {
            let found = self.packets.binary_search_by_key(&end, |packet| packet.end);
            if let Ok(place) = found {
                // The second repetition may only have been asked for too early.
                let is_third = self.packets.get(place).is_some_and(|packet| packet.times == 3);
                self.failed += u64::from(is_third);
                return self.again(place, now);
            }
        }
        None
    }

    /// Returns the newest packet, to be sent again, if the receiver has not acknowledged it for
    /// this long. With this packet, it notices what is missing at the end.
    pub fn tail(&mut self, now: Timestamp, after: Duration) -> Option<Vec<u8>> {
        let newest = self.packets.back()?;
        let wait = after * newest.times.min(8);
        if now.since(newest.last) < wait {
            return None;
        }
        self.again(self.packets.len() - 1, now)
    }

    fn again(&mut self, place: usize, now: Timestamp) -> Option<Vec<u8>> {
        let packet = self.packets.get_mut(place)?;
        (packet.last, packet.times) = (now, packet.times + 1);
        packet.repeated.get_or_insert(now);
        self.repeated += packet.payload.len() as u64;
        wire(self.peer, packet)
    }

    /// Gives up the packets that are too late. Returns the message for the receiver, if there are
    /// any.
    pub fn give_up(&mut self, now: Timestamp) -> Option<DropReqPacket> {
        let is_late = |packet: &SentPacket| now.since(packet.sent) > self.drop_after;
        let count = self.packets.iter().take_while(|packet| is_late(packet)).count();
        let last = self.packets.get(count.checked_sub(1)?)?.sequence;
        let first = self.packets.front()?;
        let message = DropReqPacket {
            message_number: first.message,
            timestamp: self.time_us(now),
            dest_socket_id: self.peer,
            first_seq: first.sequence,
            last_seq: last,
        };
        self.packets.drain(..count);
        self.given_up += count as u64;
        Some(message)
    }
}

/// Returns the datagram of a packet.
fn wire(peer: u32, packet: &SentPacket) -> Option<Vec<u8>> {
    let data = DataPacket {
        seq_number: packet.sequence,
        position: PacketPosition::Solo,
        in_order: false,
        key_flag: packet.key,
        retransmitted: packet.times > 1,
        message_number: packet.message,
        timestamp: packet.time_us,
        dest_socket_id: peer,
        data: &packet.payload,
    };
    let mut bytes = vec![0; data.serialized_len()];
    data.serialize_into(&mut bytes).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROUND_TRIP: Duration = Duration::from_millis(50);

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn buffer(first: u32) -> SendBuffer {
        SendBuffer::new((7, first), Duration::from_millis(120), Timestamp::ZERO)
    }

    fn push(buffer: &mut SendBuffer, bytes: usize, millis: i64) -> Vec<u8> {
        let times = (at(millis), at(millis));
        buffer.push(&vec![1; bytes], &Keys::default(), times).unwrap()
    }

    fn sequence(bytes: &[u8]) -> (u32, bool, u32) {
        let packet = DataPacket::parse(bytes).unwrap();
        (packet.seq_number, packet.retransmitted, packet.timestamp)
    }

    fn again(buffer: &mut SendBuffer, now: Timestamp) -> Vec<(u32, bool, u32)> {
        std::iter::from_fn(|| buffer.next_lost(now)).map(|it| sequence(&it)).collect()
    }

    #[test]
    fn losses_are_sent_again_with_their_first_time_until_they_are_acknowledged() {
        // The numbers wrap around.
        let mut buffer = buffer(SEQUENCE_MASK - 1);
        let sent: Vec<_> = (0..5).map(|n| sequence(&push(&mut buffer, 100, n))).collect();
        assert_eq!(sent[1..3], [(SEQUENCE_MASK, false, 1_000), (0, false, 2_000)]);
        let lost = [
            LossListEntry::Range(SEQUENCE_MASK, 0),
            LossListEntry::Single(0),
            LossListEntry::Single(99),
        ];
        assert_eq!(buffer.reported(lost.into_iter(), at(20), ROUND_TRIP), 2);
        let expected = [(SEQUENCE_MASK, true, 1_000), (0, true, 2_000)];
        assert_eq!(again(&mut buffer, at(20)), expected);
        // The report was made before the repetition arrived.
        assert_eq!(buffer.reported(lost.into_iter(), at(49), ROUND_TRIP), 0);
        assert_eq!(again(&mut buffer, at(49)), []);
        buffer.reported(lost.into_iter(), at(70), ROUND_TRIP);
        buffer.acknowledged(1, at(71), ROUND_TRIP);
        assert_eq!((buffer.counters(), again(&mut buffer, at(71))), ((500, 300), vec![]));
        // An old one, and one of packets that were never sent.
        buffer.acknowledged(SEQUENCE_MASK, at(71), ROUND_TRIP);
        buffer.acknowledged(1_000, at(71), ROUND_TRIP);
        assert_eq!((buffer.counters(), buffer.repeated), ((500, 300), 200));
        buffer.acknowledged(3, at(71), ROUND_TRIP);
        assert!(buffer.is_empty() && buffer.counters() == (500, 500));
    }

    #[test]
    fn a_packet_that_is_too_late_is_dropped_and_does_not_count_as_accepted() {
        let mut buffer = buffer(10);
        (0..4).for_each(|n| drop(push(&mut buffer, 50, n * 400)));
        assert_eq!(buffer.give_up(at(900)), None);
        let given_up = buffer.give_up(at(1_500)).unwrap();
        assert_eq!((given_up.first_seq, given_up.last_seq), (10, 11));
        assert_eq!((buffer.counters(), buffer.given_up), ((200, 0), 2));
        let lost = [LossListEntry::Range(10, 12)].into_iter();
        buffer.reported(lost, at(1_500), ROUND_TRIP);
        assert_eq!(again(&mut buffer, at(1_500)), [(12, true, 800_000)]);
    }

    #[test]
    fn packets_that_the_receiver_skips_or_that_are_lost_again_and_again_have_failed() {
        let mut buffer = buffer(1);
        (0..4).for_each(|n| drop(push(&mut buffer, 50, n)));
        let first = [LossListEntry::Single(1)];
        for (millis, failed) in [(10, 0), (60, 0), (110, 1), (160, 1), (210, 1)] {
            buffer.reported(first.into_iter(), at(millis), ROUND_TRIP);
            assert_eq!(again(&mut buffer, at(millis)).len(), 1);
            assert_eq!(buffer.failed, failed, "{millis}");
        }
        let next = [LossListEntry::Single(2), LossListEntry::Single(3)];
        buffer.reported(next.into_iter(), at(300), ROUND_TRIP);
        buffer.next_lost(at(300)).unwrap();
        // The first was there long ago, the second cannot be there yet, and the third was not sent.
        buffer.acknowledged(5, at(330), ROUND_TRIP);
        assert_eq!((buffer.failed, buffer.next_lost(at(330))), (3, None));
    }

    #[test]
    fn the_last_packet_is_repeated_if_nobody_answers_and_ever_more_seldom() {
        let mut buffer = buffer(1);
        push(&mut buffer, 50, 0);
        push(&mut buffer, 50, 10);
        let mut tail = |millis| buffer.tail(at(millis), ROUND_TRIP).map(|it| sequence(&it).0);
        assert_eq!([tail(59), tail(60), tail(110), tail(160)], [None, Some(2), None, Some(2)]);
        assert_eq!([tail(309), tail(310)], [None, Some(2)]);
        buffer.acknowledged(3, at(320), ROUND_TRIP);
        assert_eq!(buffer.tail(at(9_000), ROUND_TRIP), None);
    }

    #[test]
    fn the_window_is_bounded_whatever_the_receiver_announces() {
        let mut buffer = buffer(1);
        push(&mut buffer, 50, 0);
        assert!(buffer.has_room(2) && !buffer.has_room(1) && !buffer.has_room(0));
        (0..MAX_PACKETS).for_each(|_| drop(push(&mut buffer, 1, 1)));
        assert!(!buffer.has_room(usize::MAX));
    }
}
