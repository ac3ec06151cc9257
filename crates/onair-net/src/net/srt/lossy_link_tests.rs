//! Two engines over a simulated link that loses, delays, reorders and repeats datagrams, and that
//! can be too slow. Time is simulated, and every run is the same.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;

use crate::base::Timestamp;
use crate::net::srt::engine::{Agreed, End, Engine};
use crate::net::srt::keys::Keys;

/// The frames of the simulated stream: 30 per second, with a keyframe every two seconds.
const FRAME_MICROS: i64 = 33_333;
const GOP_FRAMES: u32 = 60;
const PACKETS_IN_FRAME: u32 = 9;
const PACKETS_IN_KEYFRAME: u32 = 40;

#[derive(Copy, Clone)]
struct Road {
    loss_percent: u32,
    delay: Duration,
    jitter: Duration,
    repeat_percent: u32,
    /// Bits per second, and the bytes that fit into its queue.
    rate: Option<(u64, u64)>,
}

const GOOD: Road = Road {
    loss_percent: 0,
    delay: Duration::from_millis(10),
    jitter: Duration::ZERO,
    repeat_percent: 0,
    rate: None,
};

/// A link in one direction.
struct Link {
    road: Road,
    state: u64,
    under_way: BTreeMap<(Timestamp, u64), Vec<u8>>,
    count: u64,
    /// The time at which the queue of a slow link is empty.
    free_at: Timestamp,
}

impl Link {
    fn new(road: Road, seed: u64) -> Self {
        let under_way = BTreeMap::new();
        Self { road, state: seed, under_way, count: 0, free_at: Timestamp::ZERO }
    }

    fn random(&mut self, below: u32) -> u32 {
        // xorshift: the losses are the same in every run.
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        (self.state % u64::from(below.max(1))) as u32
    }

    fn send(&mut self, datagram: &[u8], now: Timestamp) {
        let mut at = now;
        if let Some((rate, queue)) = self.road.rate {
            let waits = self.free_at.since(now);
            if waits.as_micros() as u64 * rate / 8_000_000 > queue {
                return;
            }
            let takes = Duration::from_micros(datagram.len() as u64 * 8_000_000 / rate);
            self.free_at = self.free_at.max(now) + takes;
            at = self.free_at;
        }
        let copies = 1 + u32::from(self.random(100) < self.road.repeat_percent);
        for _ in 0..copies {
            if self.random(1_000) < self.road.loss_percent * 10 {
                continue;
            }
            let jitter = self.random(self.road.jitter.as_micros() as u32 + 1);
            let arrives = at + self.road.delay + Duration::from_micros(jitter.into());
            self.count += 1;
            self.under_way.insert((arrives, self.count), datagram.to_owned());
        }
    }

    fn arrived(&mut self, now: Timestamp) -> Option<Vec<u8>> {
        let first = self.under_way.first_entry().filter(|it| it.key().0 <= now)?;
        Some(first.remove())
    }
}

fn engines(key: bool) -> [Engine; 2] {
    let keys = || match key {
        true => Keys::new(&[7; 32], [1; 16], "planted-passphrase".into()),
        false => Keys::default(),
    };
    // The numbers wrap around soon.
    let first = crate::net::srt::packets::SEQUENCE_MASK - 500;
    [(1, 2), (2, 1)].map(|(own_id, peer_id)| {
        let agreed = Agreed {
            own_id,
            peer_id,
            send_sequence: first,
            receive_sequence: first,
            latency: Duration::from_millis(120),
            window: 8_192,
            keys: keys(),
            begun: Timestamp::ZERO,
        };
        Engine::new(agreed, Some(3_000_000), Timestamp::ZERO)
    })
}

struct Outcome {
    frames: u32,
    decodable: u32,
    engines: [Engine; 2],
    /// The packets that waited at the sender at the end, in bytes.
    queued: usize,
    latest: Duration,
}

/// Sends the stream for this long.
fn run(seconds: i64, there: Road, back: Road, key: bool) -> Outcome {
    let mut engines = engines(key);
    let mut links = [Link::new(there, 0x9E37_79B9_7F4A_7C15), Link::new(back, 0x1234_5678_9ABC)];
    let (mut frame, mut next_frame) = (0_u32, 0_i64);
    let mut arrived: BTreeMap<u32, u32> = BTreeMap::new();
    let (mut last, mut latest, mut queued) = (None, Duration::ZERO, 0);
    let end = seconds * 1_000_000;
    // The stream ends a second earlier, so that everything arrives.
    for micros in (0..end).step_by(500) {
        let now = Timestamp::from_micros(micros);
        if micros >= next_frame && micros < end - 1_000_000 {
            let packets = if frame.is_multiple_of(GOP_FRAMES) {
                PACKETS_IN_KEYFRAME
            } else {
                PACKETS_IN_FRAME
            };
            for number in 0..packets {
                let mut payload = vec![0x47; 1_316];
                payload[..4].copy_from_slice(&frame.to_be_bytes());
                payload[4..8].copy_from_slice(&number.to_be_bytes());
                payload[8..16].copy_from_slice(&micros.to_be_bytes());
                engines[0].send(Bytes::from(payload), now);
            }
            (frame, next_frame) = (frame + 1, next_frame + FRAME_MICROS);
            queued = engines[0].queued_bytes();
        }
        for side in [0, 1] {
            while let Some(datagram) = engines[side].next_datagram(now) {
                links[side].send(&datagram, now);
            }
            while let Some(datagram) = links[side].arrived(now) {
                engines[1 - side].receive(&datagram, now);
            }
        }
        while let Some((payload, _)) = engines[1].take(now) {
            let word = |at: usize| u32::from_be_bytes(payload[at..at + 4].try_into().unwrap());
            let place = (word(0), word(4));
            assert!(last < Some(place), "{place:?} after {last:?}");
            last = Some(place);
            *arrived.entry(place.0).or_default() += 1;
            let made = i64::from_be_bytes(payload[8..16].try_into().unwrap());
            latest = latest.max(now.since(Timestamp::from_micros(made)));
        }
    }
    let mut is_decodable = false;
    let whole = |frame: u32| {
        let is_key = frame.is_multiple_of(GOP_FRAMES);
        let packets = if is_key { PACKETS_IN_KEYFRAME } else { PACKETS_IN_FRAME };
        arrived.get(&frame) == Some(&packets)
    };
    let decodable = (0..frame).filter(|frame| {
        is_decodable = whole(*frame) && (is_decodable || frame.is_multiple_of(GOP_FRAMES));
        is_decodable
    });
    let decodable = decodable.count() as u32;
    Outcome { frames: frame, decodable, engines, queued, latest }
}

#[test]
fn with_five_percent_loss_at_the_usual_latency_nearly_every_frame_is_decodable() {
    let bad = Road { loss_percent: 5, jitter: Duration::from_millis(5), repeat_percent: 2, ..GOOD };
    for key in [false, true] {
        let Outcome { frames, decodable, engines, latest, .. } = run(60, bad, bad, key);
        assert!(decodable * 100 >= frames * 98, "{decodable} of {frames}");
        let (sender, receiver) = (engines[0].figures(), engines[1].figures());
        assert!(sender.missed_packets * 100 >= sender.sent_packets * 4, "{sender:?}");
        assert!(receiver.lost_packets * 1_000 < receiver.received_packets, "{receiver:?}");
        let millis = sender.round_trip.unwrap().as_millis();
        assert!((20..45).contains(&millis), "{millis} ms");
        // Repetitions make up for the losses without much more traffic.
        let share = sender.repeated_bytes * 100 / engines[0].counters().0;
        assert!((4..14).contains(&share), "{share} %");
        assert!(latest < Duration::from_millis(230), "{latest:?}");
    }
}

#[test]
fn a_good_link_needs_no_repetition_and_everything_is_delivered() {
    let Outcome { frames, decodable, engines, .. } = run(10, GOOD, GOOD, false);
    assert_eq!(decodable, frames);
    let figures = engines[0].figures();
    assert_eq!(
        (figures.missed_packets, figures.repeated_bytes, figures.given_up_packets),
        (0, 0, 0)
    );
    assert!(engines[0].is_delivered());
    assert_eq!((engines[0].end(), engines[1].end()), (None, None));
}

#[test]
fn packets_that_overtake_each_other_come_out_in_order() {
    let road = Road { jitter: Duration::from_millis(30), repeat_percent: 20, ..GOOD };
    let Outcome { frames, decodable, engines, .. } = run(20, road, road, false);
    assert_eq!((decodable, engines[1].figures().lost_packets), (frames, 0));
}

#[test]
fn a_link_that_is_too_slow_makes_the_stream_wait_at_the_sender_where_it_can_be_dropped() {
    // The stream has 3.2 Mbit/s. A short queue loses packets, a long one delays them.
    for queue in [20_000, 500_000] {
        let slow = Road { rate: Some((1_600_000, queue)), ..GOOD };
        let Outcome { engines, queued, .. } = run(8, slow, GOOD, false);
        // Eight bits, over eight seconds.
        let written = engines[0].counters().0;
        assert!(
            queued > 400_000 && (700_000..2_000_000).contains(&written),
            "{queued} bytes wait and {written} bit/s left with a queue of {queue}: {:?}",
            engines[0].figures()
        );
    }
}

#[test]
fn the_other_side_that_falls_silent_has_gone_and_one_that_says_so_too() {
    let dead = Road { loss_percent: 100, ..GOOD };
    let Outcome { engines, .. } = run(7, dead, GOOD, false);
    assert_eq!(engines[1].end(), Some(End::Silent));
    let [first, mut second] = super::lossy_link_tests::engines(false);
    let now = Timestamp::from_millis(10);
    second.receive(&first.shutdown(now), now);
    assert_eq!(second.end(), Some(End::Closed));
}

#[test]
fn hostile_datagrams_break_no_connection_and_no_bound() {
    let [mut first, mut second] = engines(false);
    let mut samples = Vec::new();
    for millis in 0..400 {
        let now = Timestamp::from_millis(millis);
        first.send(Bytes::from(vec![0x47; 1_316]), now);
        while let Some(datagram) = first.next_datagram(now) {
            // Some are missing, so that there are reports.
            if samples.len() % 7 != 3 {
                second.receive(&datagram, now);
            }
            samples.push(datagram);
        }
        while let Some(datagram) = second.next_datagram(now) {
            first.receive(&datagram, now);
            samples.push(datagram);
        }
    }
    let mut link = Link::new(GOOD, 77);
    for case in 0..60_000 {
        let now = Timestamp::from_millis(400 + case / 100);
        let mut bytes = samples[link.random(samples.len() as u32) as usize].clone();
        for _ in 0..=link.random(5) {
            let place = link.random(bytes.len().min(64) as u32) as usize;
            bytes[place] = link.random(256) as u8;
        }
        bytes.truncate(
            bytes.len() - (link.random(4) / 3 * link.random(bytes.len() as u32)) as usize,
        );
        for engine in [&mut first, &mut second] {
            engine.receive(&bytes, now);
            let sent = std::iter::from_fn(|| engine.next_datagram(now)).take(10_000).count();
            assert!(sent < 10_000);
            std::iter::from_fn(|| engine.take(now)).for_each(drop);
            assert!(engine.next_time(now) < now + Duration::from_secs(2));
        }
    }
}
