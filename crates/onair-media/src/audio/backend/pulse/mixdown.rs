//! Mixes the streams of one application, which arrive separately in pieces. This module is pure:
//! time is an argument.

use std::time::Duration;

use crate::base::Timestamp;

/// The time without data after which a stream counts as paused, so that the other streams do not
/// wait for it.
const PAUSED_AFTER: Duration = Duration::from_millis(60);
/// Maximum time by which a stream may be ahead of the slowest stream; the excess is dropped. A new
/// stream begins with the audio that the server had buffered.
const MAX_STREAM_LEAD: Duration = Duration::from_millis(200);
/// Minimum length of generated silence.
const MIN_SILENCE: Duration = Duration::from_millis(10);

/// Mixes several streams into one.
#[derive(Debug)]
pub(super) struct Mixdown {
    rate: u32,
    channels: usize,
    streams: Vec<Stream>,
    /// The mixed frames that have not been output yet. The first of these frames has the number
    /// `first`.
    sum: Vec<f32>,
    first: u64,
    /// Time of the last output.
    until: Timestamp,
}

#[derive(Debug)]
struct Stream {
    channel: u32,
    /// The next output frame.
    next: u64,
    last_data: Option<Timestamp>,
}

impl Mixdown {
    pub(super) fn new(rate: u32, channels: u16, now: Timestamp) -> Self {
        let channels = usize::from(channels.max(1));
        Self { rate, channels, streams: Vec::new(), sum: Vec::new(), first: 0, until: now }
    }

    /// Adds a stream that begins now.
    pub(super) fn add(&mut self, channel: u32) {
        self.remove(channel);
        let next = self.streams.iter().map(|stream| stream.next).max().unwrap_or(self.first);
        self.streams.push(Stream { channel, next, last_data: None });
    }

    pub(super) fn remove(&mut self, channel: u32) {
        self.streams.retain(|stream| stream.channel != channel);
    }

    /// Adds a piece of a stream: 32-bit floats, little-endian, interleaved.
    pub(super) fn hear(&mut self, channel: u32, piece: &[u8], now: Timestamp) {
        let slowest = self.slowest(now).unwrap_or(self.first);
        let most = slowest.max(self.first) + self.frames(MAX_STREAM_LEAD);
        let Some(stream) = self.streams.iter_mut().find(|it| it.channel == channel) else { return };
        stream.last_data = Some(now);
        stream.next = stream.next.max(self.first);
        let frames = piece.len() / (4 * self.channels);
        if stream.next >= most {
            return;
        }
        let start = (stream.next - self.first) as usize * self.channels;
        let samples = frames * self.channels;
        if self.sum.len() < start + samples {
            self.sum.resize(start + samples, 0.0);
        }
        for (sum, bytes) in self.sum.iter_mut().skip(start).zip(piece.chunks_exact(4)) {
            let sample = bytes.try_into().map_or(0.0, f32::from_le_bytes);
            // An application may produce NaN, which the server passes on.
            *sum += if sample.is_finite() { sample } else { 0.0 };
        }
        stream.next += frames as u64;
    }

    /// Passes the fully mixed audio to `out`. The audio is silence if no stream delivers data.
    pub(super) fn pass(&mut self, now: Timestamp, out: impl FnOnce(&[f32])) {
        let have = self.sum.len() / self.channels;
        let ready = match self.slowest(now) {
            Some(slowest) => (slowest.saturating_sub(self.first) as usize).min(have),
            None => {
                let passed = now.since(self.until);
                let due = if passed >= MIN_SILENCE { self.frames(passed) as usize } else { 0 };
                self.sum.resize(have.max(due) * self.channels, 0.0);
                have.max(due)
            }
        };
        if ready == 0 {
            return;
        }
        let samples = ready * self.channels;
        out(self.sum.get(..samples).unwrap_or_default());
        self.sum.drain(..samples);
        self.first += ready as u64;
        self.until = now;
    }

    /// Returns the position that all active streams have reached, or `None` if all streams are
    /// paused.
    fn slowest(&self, now: Timestamp) -> Option<u64> {
        let plays =
            |stream: &&Stream| stream.last_data.is_some_and(|last| now.since(last) < PAUSED_AFTER);
        self.streams.iter().filter(plays).map(|stream| stream.next).min()
    }

    fn frames(&self, time: Duration) -> u64 {
        u64::try_from(time.as_micros()).unwrap_or(0) * u64::from(self.rate) / 1_000_000
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Creates ten milliseconds of mono audio at a constant level.
    fn piece(level: f32) -> Vec<u8> {
        level.to_le_bytes().repeat(480)
    }

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn passed(blend: &mut Mixdown, now: Timestamp) -> Vec<f32> {
        let mut samples = Vec::new();
        blend.pass(now, |audio| samples.extend_from_slice(audio));
        samples
    }

    #[test]
    fn streams_are_added_up_at_their_places() {
        let mut blend = Mixdown::new(48_000, 1, at(0));
        blend.add(1);
        blend.add(2);
        blend.hear(1, &piece(0.25), at(10));
        blend.hear(2, &piece(0.5), at(11));
        assert_eq!(passed(&mut blend, at(11)), vec![0.75; 480]);
        // The second stream is late, so the mixed audio waits for it.
        blend.hear(1, &piece(0.25), at(20));
        assert_eq!(passed(&mut blend, at(20)), Vec::<f32>::new());
        blend.hear(2, &piece(f32::NAN), at(25));
        assert_eq!(passed(&mut blend, at(25)), vec![0.25; 480]);
    }

    #[test]
    fn one_that_pauses_is_not_waited_for_and_comes_back_in_step() {
        let mut blend = Mixdown::new(48_000, 1, at(0));
        blend.add(1);
        blend.add(2);
        let mut samples = Vec::new();
        for tick in 1..=100 {
            let now = at(tick * 10);
            blend.hear(1, &piece(0.25), now);
            if !(20..60).contains(&tick) {
                blend.hear(2, &piece(0.5), now);
            }
            samples.extend(passed(&mut blend, now));
        }
        assert_eq!(samples.len(), 48_000);
        let level = |tick: usize| samples[(tick - 1) * 480];
        assert_eq!((level(19), level(20), level(59), level(100)), (0.75, 0.25, 0.25, 0.75));
        // The stream returns at the newest position, not where it stopped.
        let back = (20..100).find(|tick| level(*tick) == 0.75).unwrap();
        assert!((60..=61).contains(&back), "{back}");
    }

    #[test]
    fn while_nobody_plays_it_is_silent_at_the_same_pace() {
        let mut blend = Mixdown::new(48_000, 2, at(0));
        let mut frames = 0;
        for tick in 1..=100 {
            let samples = passed(&mut blend, at(tick * 10));
            assert!(samples.iter().all(|sample| *sample == 0.0));
            frames += samples.len() / 2;
        }
        assert_eq!(frames, 48_000);
        blend.add(1);
        let both = [piece(0.5), piece(0.5)].concat();
        blend.hear(1, &both, at(1_010));
        assert_eq!(passed(&mut blend, at(1_010)), vec![0.5; 960]);
    }

    #[test]
    fn what_a_server_had_kept_does_not_pile_up() {
        let mut blend = Mixdown::new(48_000, 1, at(0));
        blend.add(1);
        blend.add(2);
        blend.hear(2, &piece(0.5), at(10));
        for _ in 0..1_000 {
            blend.hear(1, &piece(0.25), at(10));
        }
        assert!(blend.sum.len() <= 480 * 22, "{}", blend.sum.len());
        // One piece ends within a frame, and another belongs to an unknown stream.
        blend.hear(2, &[1, 2, 3], at(12));
        blend.hear(9, &piece(0.5), at(12));
        assert_eq!(passed(&mut blend, at(12)).len(), 480);
    }
}
