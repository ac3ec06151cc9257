//! One connection, without sockets and without a clock: datagrams and times go in, datagrams and
//! payloads come out.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use srt_runtime::packet::nak::build_loss_list;
use srt_runtime::packet::{
    AckAckPacket, AckCif, AckPacket, ControlPacket, DataPacket, KeepAlivePacket, NakPacket,
    ShutdownPacket, SrtPacket, UserDefinedPacket,
};

use crate::base::Timestamp;
use crate::net::srt::congestion::Pace;
use crate::net::srt::keys::Keys;
use crate::net::srt::packets::MAX_DATAGRAM_BYTES;
use crate::net::srt::receive_buffer::ReceiveBuffer;
use crate::net::srt::send_buffer::SendBuffer;

/// Interval of acknowledgements (draft-sharabayko-srt-01 §4.8.1).
const ACK_INTERVAL: Duration = Duration::from_millis(10);
/// Minimum interval of two questions for the same packet (§4.8.2).
const MIN_REPORT_INTERVAL: Duration = Duration::from_millis(20);
/// Interval at which the missing packets are looked through.
const REPORT_CHECK_INTERVAL: Duration = Duration::from_millis(4);
/// A connection on which nothing was sent for this long is kept alive (§4.8).
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(1);
/// The other side has gone if nothing comes from it for this long.
const SILENCE_LIMIT: Duration = Duration::from_secs(5);
/// The round-trip time and its variation before the first measurement (§4.10).
const FIRST_ROUND_TRIP: (Duration, Duration) =
    (Duration::from_millis(100), Duration::from_millis(50));
/// Minimum time after which the last packet is sent again.
const MIN_TAIL_WAIT: Duration = Duration::from_millis(100);
/// Maximum number of acknowledgements that wait for their answers.
const MAX_ACKS: usize = 256;
/// Maximum number of control packets that wait. More are dropped, because they would only tell the
/// same again.
const MAX_ANSWERS: usize = 64;
/// The subtypes of messages with keys (§3.2.2).
const KEY_REQUEST: u16 = 3;
const KEY_RESPONSE: u16 = 4;

/// The time over which the shortest round trip is measured. A longer way is accepted after it.
const SHORTEST_WINDOW: Duration = Duration::from_secs(10);

/// Interval at which the delivered bytes are counted.
const DELIVERY_INTERVAL: Duration = Duration::from_millis(500);
/// Minimum number of bytes that may be on the way: a large frame.
const MIN_FLIGHT_BYTES: u64 = 64 << 10;
/// The bytes on the way in relation to those that are delivered meanwhile, in percent.
const FLIGHT_PERCENT: u64 = 150;

/// What both sides agreed on.
#[derive(Debug)]
pub struct Agreed {
    pub own_id: u32,
    pub peer_id: u32,
    /// The numbers of the first packets that this side sends and receives.
    pub send_sequence: u32,
    pub receive_sequence: u32,
    pub latency: Duration,
    /// The number of packets that the other side can keep.
    pub window: usize,
    pub keys: Keys,
    /// The time from which the other side counts our times: that of our last handshake.
    pub begun: Timestamp,
}

/// Why a connection ended.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// The other side has closed it.
    Closed,
    /// Nothing came from the other side for too long.
    Silent,
}

/// The counters of a connection.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct SrtFigures {
    pub round_trip: Option<Duration>,
    /// Sent packets, those that the other side missed, those that were given up, and the bytes that
    /// were sent again.
    pub sent_packets: u64,
    pub missed_packets: u64,
    pub given_up_packets: u64,
    pub repeated_bytes: u64,
    /// Received packets, those that were missing at first, and those that never came.
    pub received_packets: u64,
    pub late_packets: u64,
    pub lost_packets: u64,
    /// The duration of the received packets that wait for their time.
    pub held: Duration,
}

/// A connection.
#[derive(Debug)]
pub struct Engine {
    own_id: u32,
    peer_id: u32,
    keys: Keys,
    latency: Duration,
    sending: SendBuffer,
    receiving: ReceiveBuffer,
    /// Queue of payloads with the times at which they were queued. The owner limits it by its size.
    queue: VecDeque<(Bytes, Timestamp)>,
    queued: usize,
    pace: Pace,
    /// The number of packets that the other side can keep.
    window: usize,
    /// The bytes delivered in a second, and the time and the number of bytes at the last count.
    delivery: (u64, Timestamp, u64),
    /// Queue of control packets.
    answers: VecDeque<Vec<u8>>,
    round_trip: (Duration, Duration),
    is_measured: bool,
    /// The shortest round trip of the last window and of this one, which began at this time. Queues
    /// on the way only make it longer.
    shortest: (Duration, Duration, Timestamp),
    /// The acknowledgements that wait for their answers.
    acks: VecDeque<(u32, Timestamp)>,
    next_ack: u32,
    /// True if packets came since the last acknowledgement.
    has_news: bool,
    acked_at: Timestamp,
    reported_at: Timestamp,
    heard_at: Timestamp,
    sent_at: Timestamp,
    /// The last time at which the other side acknowledged something.
    accepted_at: Timestamp,
    received_packets: u64,
    end: Option<End>,
}

impl Engine {
    /// Creates the engine of an accepted connection. `bitrate` is that of the stream that this side
    /// sends, in bits per second.
    pub fn new(agreed: Agreed, bitrate: Option<u64>, now: Timestamp) -> Self {
        let pace = Pace::new(bitrate, now);
        let Agreed { own_id, peer_id, latency, window, keys, begun, .. } = agreed;
        Self {
            own_id,
            peer_id,
            keys,
            latency,
            sending: SendBuffer::new((peer_id, agreed.send_sequence), latency, begun),
            receiving: ReceiveBuffer::new(agreed.receive_sequence, latency),
            queue: VecDeque::new(),
            queued: 0,
            delivery: (pace.bytes_per_second(), now, 0),
            pace,
            window,
            answers: VecDeque::new(),
            round_trip: FIRST_ROUND_TRIP,
            is_measured: false,
            shortest: (FIRST_ROUND_TRIP.0, FIRST_ROUND_TRIP.0, now),
            acks: VecDeque::new(),
            next_ack: 1,
            has_news: false,
            acked_at: now,
            reported_at: now,
            heard_at: now,
            sent_at: now,
            accepted_at: now,
            received_packets: 0,
            end: None,
        }
    }

    /// Takes a datagram from the other side. Whatever is no packet of this connection is ignored.
    pub fn receive(&mut self, bytes: &[u8], now: Timestamp) {
        if bytes.len() > MAX_DATAGRAM_BYTES {
            return;
        }
        match SrtPacket::parse(bytes) {
            Ok(SrtPacket::Data(packet)) if packet.dest_socket_id == self.own_id => {
                self.heard_at = now;
                self.data(&packet, now);
            }
            Ok(SrtPacket::Control(packet)) => self.control(&packet, now),
            _ => {}
        }
    }

    fn data(&mut self, packet: &DataPacket<'_>, now: Timestamp) {
        let mut payload = packet.data.to_vec();
        if !self.keys.decrypt(packet.key_flag, packet.seq_number, &mut payload) {
            return;
        }
        self.received_packets += 1;
        self.has_news = true;
        let payload = Bytes::from(payload);
        let which = (packet.seq_number, packet.retransmitted);
        if self.receiving.push(which, packet.timestamp, payload, now) {
            self.report(now);
        }
    }

    fn control(&mut self, packet: &ControlPacket<'_>, now: Timestamp) {
        if destination(packet) != Some(self.own_id) {
            return;
        }
        self.heard_at = now;
        match packet {
            ControlPacket::Ack(ack) => self.acknowledged(ack, now),
            ControlPacket::Nak(report) => {
                let entries = report.entries().filter_map(Result::ok);
                let lost = self.sending.reported(entries, now, self.round_trip.0);
                self.pace.lost(lost);
            }
            ControlPacket::AckAck(answer) => {
                let is_its = |(number, _): &(u32, Timestamp)| *number == answer.ack_number;
                let Some(place) = self.acks.iter().position(is_its) else { return };
                let Some((_, at)) = self.acks.drain(..=place).next_back() else { return };
                self.measured(now.since(at));
                self.note_shortest(now);
            }
            ControlPacket::DropReq(request) => {
                self.receiving.dropped(request.first_seq, request.last_seq);
                self.has_news = true;
            }
            ControlPacket::Shutdown(_) => self.end = Some(End::Closed),
            ControlPacket::UserDefined(message) if message.subtype == KEY_REQUEST => {
                let Ok(material) = message.as_key_material() else { return };
                if self.keys.renew(&material, now) {
                    let answer = UserDefinedPacket {
                        subtype: KEY_RESPONSE,
                        timestamp: self.sending.time_us(now),
                        dest_socket_id: self.peer_id,
                        ..message.clone()
                    };
                    self.answer(&ControlPacket::UserDefined(answer));
                }
            }
            _ => {}
        }
    }

    fn acknowledged(&mut self, ack: &AckPacket, now: Timestamp) {
        let (AckCif::Full { last_ack_seq, .. }
        | AckCif::Small { last_ack_seq, .. }
        | AckCif::Light { last_ack_seq }) = ack.cif
        else {
            return;
        };
        let before = self.sending.counters().1;
        self.sending.acknowledged(last_ack_seq, now, self.round_trip.0);
        if self.sending.counters().1 > before {
            self.accepted_at = now;
        }
        let AckCif::Full { rtt_us, rtt_var_us, avail_buf_size, .. } = ack.cif else { return };
        // The receiver of a stream measures the time, because only it gets answers.
        if !self.is_measured && self.received_packets == 0 {
            let micros = |value: u32| Duration::from_micros(value.into());
            self.round_trip = (micros(rtt_us), micros(rtt_var_us));
            self.note_shortest(now);
        }
        self.window = avail_buf_size as usize;
        let answer = AckAckPacket {
            ack_number: ack.ack_number,
            timestamp: self.sending.time_us(now),
            dest_socket_id: self.peer_id,
            libsrt_pad: true,
        };
        self.answer(&ControlPacket::AckAck(answer));
    }

    /// Takes a measured round-trip time (§4.10).
    fn measured(&mut self, time: Duration) {
        let (mean, variation) = self.round_trip;
        self.round_trip = match std::mem::replace(&mut self.is_measured, true) {
            false => (time, time / 2),
            true => ((mean * 7 + time) / 8, (variation * 3 + mean.abs_diff(time)) / 4),
        };
    }

    fn note_shortest(&mut self, now: Timestamp) {
        let (last, this, since) = self.shortest;
        let this = this.min(self.round_trip.0);
        self.shortest = match now.since(since) >= SHORTEST_WINDOW {
            true => (this, self.round_trip.0, now),
            false => (last.min(this), this, since),
        };
    }

    /// Queues a control packet.
    fn answer(&mut self, packet: &ControlPacket<'_>) {
        let mut bytes = vec![0; packet.serialized_len()];
        if self.answers.len() < MAX_ANSWERS && packet.serialize_into(&mut bytes).is_ok() {
            self.answers.push_back(bytes);
        }
    }

    /// Returns the interval of two questions for the same packet.
    fn report_interval(&self) -> Duration {
        let (mean, variation) = self.round_trip;
        ((mean + variation * 4) / 2).max(MIN_REPORT_INTERVAL)
    }

    /// Asks for the packets that are missing.
    fn report(&mut self, now: Timestamp) {
        self.reported_at = now;
        let missing = self.receiving.report(now, self.report_interval());
        if missing.is_empty() {
            return;
        }
        let Ok(list) = build_loss_list(&missing) else { return };
        let report = NakPacket {
            timestamp: self.sending.time_us(now),
            dest_socket_id: self.peer_id,
            raw_loss_list: &list,
        };
        self.answer(&ControlPacket::Nak(report));
    }

    fn acknowledge(&mut self, now: Timestamp) {
        (self.acked_at, self.has_news) = (now, false);
        let micros = |time: Duration| u32::try_from(time.as_micros()).unwrap_or(u32::MAX);
        let number = self.next_ack;
        self.next_ack = self.next_ack.wrapping_add(1).max(1);
        if self.acks.len() >= MAX_ACKS {
            self.acks.pop_front();
        }
        self.acks.push_back((number, now));
        let ack = AckPacket {
            ack_number: number,
            timestamp: self.sending.time_us(now),
            dest_socket_id: self.peer_id,
            cif: AckCif::Full {
                last_ack_seq: self.receiving.acknowledged(),
                rtt_us: micros(self.round_trip.0),
                rtt_var_us: micros(self.round_trip.1),
                avail_buf_size: self.receiving.room() as u32,
                pkt_recv_rate: 0,
                est_link_capacity: 0,
                recv_rate_bps: 0,
            },
        };
        self.answer(&ControlPacket::Ack(ack));
    }

    /// Does what is due by now.
    fn tick(&mut self, now: Timestamp) {
        if self.end.is_none() && now.since(self.heard_at) >= SILENCE_LIMIT {
            self.end = Some(End::Silent);
        }
        if self.has_news && now.since(self.acked_at) >= ACK_INTERVAL {
            self.acknowledge(now);
        }
        if self.receiving.has_gap() && now.since(self.reported_at) >= REPORT_CHECK_INTERVAL {
            self.report(now);
        }
        self.pace.judge(now, self.sending.failed);
        self.count_delivery(now);
        if let Some(late) = self.sending.give_up(now) {
            self.answer(&ControlPacket::DropReq(late));
        }
        if now.since(self.sent_at) >= KEEP_ALIVE_INTERVAL {
            let (timestamp, dest_socket_id) = (self.sending.time_us(now), self.peer_id);
            let alive = KeepAlivePacket { timestamp, dest_socket_id, libsrt_pad: true };
            self.answer(&ControlPacket::KeepAlive(alive));
        }
    }

    /// Counts the delivered bytes. A stream that pauses does not forget its rate at once.
    fn count_delivery(&mut self, now: Timestamp) {
        let (rate, at, before) = self.delivery;
        let lasts = now.since(at);
        if lasts < DELIVERY_INTERVAL {
            return;
        }
        let accepted = self.sending.counters().1;
        let micros = u64::try_from(lasts.as_micros()).unwrap_or(u64::MAX).max(1);
        let lately = (accepted - before).saturating_mul(1_000_000) / micros;
        self.delivery = (lately.max(rate.midpoint(lately)), now, accepted);
    }

    /// Returns the next datagram to send now: answers, lost packets, then new ones.
    pub fn next_datagram(&mut self, now: Timestamp) -> Option<Vec<u8>> {
        self.tick(now);
        let next = self.answers.pop_front();
        let next = next.or_else(|| self.sending.next_lost(now));
        let next = next.or_else(|| self.next_new(now));
        let (mean, variation) = self.round_trip;
        let tail = (mean + variation * 4).max(MIN_TAIL_WAIT);
        let next = next.or_else(|| self.sending.tail(now, tail));
        if next.is_some() {
            self.sent_at = now;
        }
        next
    }

    fn next_new(&mut self, now: Timestamp) -> Option<Vec<u8>> {
        if self.pace.next() > now || !self.may_send(now) {
            return None;
        }
        let (payload, made) = self.queue.pop_front()?;
        self.pace.sent(now, payload.len(), self.queued);
        self.queued = self.queued.saturating_sub(payload.len());
        // A packet that waited for long is not played earlier than the following ones.
        let made = made.max(now - self.latency / 2);
        self.sending.push(&payload, &self.keys, (made, now))
    }

    /// Returns true if new packets may leave. Packets that wait for a slow link here can still be
    /// dropped, but those that wait in the network cannot.
    fn may_send(&self, now: Timestamp) -> bool {
        let limit = self.latency.max(MIN_TAIL_WAIT) + self.shortest.0;
        let is_stuck = self.sending.oldest().is_some_and(|sent| now.since(sent) > limit);
        let (written, accepted) = self.sending.counters();
        let meanwhile = self.delivery.0.saturating_mul(limit.as_millis() as u64) / 1_000;
        let most = (meanwhile * FLIGHT_PERCENT / 100).max(MIN_FLIGHT_BYTES);
        let is_full = written.saturating_sub(accepted) >= most;
        self.sending.has_room(self.window) && !is_stuck && !is_full
    }

    /// Queues a payload, without waiting.
    pub fn send(&mut self, payload: Bytes, now: Timestamp) {
        self.queued += payload.len();
        self.queue.push_back((payload, now));
    }

    /// Returns the number of bytes that wait to be sent.
    pub fn queued_bytes(&self) -> usize {
        self.queued
    }

    /// Returns true if the other side has everything that was sent.
    pub fn is_delivered(&self) -> bool {
        self.queue.is_empty() && self.sending.is_empty()
    }

    /// Returns true if this side has sent payloads.
    pub fn has_sent(&self) -> bool {
        self.sending.sent > 0
    }

    /// Returns the time that lost packets have to be sent again.
    pub fn latency(&self) -> Duration {
        self.latency
    }

    /// Drops the payloads that wait.
    pub fn discard(&mut self) {
        self.queue.clear();
        self.queued = 0;
    }

    /// Returns the next payload that is due, and whether payloads before it are lost.
    pub fn take(&mut self, now: Timestamp) -> Option<(Bytes, bool)> {
        self.receiving.take(now)
    }

    /// Returns the latest time of the next call.
    pub fn next_time(&self, now: Timestamp) -> Timestamp {
        let wants_ack = self.has_news.then(|| self.acked_at + ACK_INTERVAL);
        let wants_report =
            self.receiving.has_gap().then(|| self.reported_at + REPORT_CHECK_INTERVAL);
        let has_new = !self.queue.is_empty();
        let wants_new = (has_new && self.may_send(now)).then(|| self.pace.next());
        let wants_tail = (!self.sending.is_empty()).then(|| now + ACK_INTERVAL);
        let due = self.receiving.next_due();
        let others = [wants_ack, wants_report, wants_new, wants_tail, due];
        let alive = self.sent_at + KEEP_ALIVE_INTERVAL;
        others.into_iter().flatten().fold(alive, Timestamp::min)
    }

    /// Returns why the connection has ended, if it has.
    pub fn end(&self) -> Option<End> {
        self.end
    }

    /// Returns the message that this side ends the connection.
    pub fn shutdown(&self, now: Timestamp) -> Vec<u8> {
        let (timestamp, dest_socket_id) = (self.sending.time_us(now), self.peer_id);
        let end = ShutdownPacket { timestamp, dest_socket_id, libsrt_pad: true };
        let packet = ControlPacket::Shutdown(end);
        let mut bytes = vec![0; packet.serialized_len()];
        let _ = packet.serialize_into(&mut bytes);
        bytes
    }

    /// Returns the number of payload bytes sent, and of those that the other side has accepted.
    pub fn counters(&self) -> (u64, u64) {
        self.sending.counters()
    }

    /// Returns the last time at which the other side acknowledged something.
    pub fn accepted_at(&self) -> Timestamp {
        self.accepted_at
    }

    /// Returns the counters of the connection.
    pub fn figures(&self) -> SrtFigures {
        let is_known = self.is_measured || self.round_trip != FIRST_ROUND_TRIP;
        SrtFigures {
            round_trip: is_known.then_some(self.round_trip.0),
            sent_packets: self.sending.sent,
            missed_packets: self.sending.reported,
            given_up_packets: self.sending.given_up,
            repeated_bytes: self.sending.repeated,
            received_packets: self.received_packets,
            late_packets: self.receiving.missed,
            lost_packets: self.receiving.lost,
            held: self.receiving.held(),
        }
    }
}

/// Returns the destination of a control packet; `None` for handshakes, which are over.
fn destination(packet: &ControlPacket<'_>) -> Option<u32> {
    Some(match packet {
        ControlPacket::KeepAlive(it) => it.dest_socket_id,
        ControlPacket::Ack(it) => it.dest_socket_id,
        ControlPacket::Nak(it) => it.dest_socket_id,
        ControlPacket::CongestionWarning(it) => it.dest_socket_id,
        ControlPacket::Shutdown(it) => it.dest_socket_id,
        ControlPacket::AckAck(it) => it.dest_socket_id,
        ControlPacket::DropReq(it) => it.dest_socket_id,
        ControlPacket::PeerError(it) => it.dest_socket_id,
        ControlPacket::UserDefined(it) => it.dest_socket_id,
        _ => return None,
    })
}
