//! Makes Opus packets with continuous times from samples at 48 kHz.

use bytes::Bytes;

use crate::base::partial_debug;
use crate::encode::backend::OpusEncoder;
use crate::encode::error::Error;
use crate::media::BitsPerSecond;

/// Bitrate of stereo in bits per second; mono uses half of it.
const STEREO_BITRATE_BPS: u32 = 128_000;
/// A difference between times and sample count that is larger than this, in µs, is a gap.
const MAX_DRIFT_MICROS: i64 = 60_000;

/// A time that no stream has. The first samples are far from it, so that their time is used even if
/// a stream begins shortly after zero.
const NOT_BEGUN: i64 = i64::MIN / 4;

/// Collects samples, and encodes whole packets.
pub struct OpusPackets {
    encoder: OpusEncoder,
    channels: u16,
    /// Interleaved samples.
    waiting: Vec<f32>,
    /// The time of the first sample in microseconds; [`NOT_BEGUN`] before the first one.
    begin: i64,
}

partial_debug! { OpusPackets { channels, begin } }

impl OpusPackets {
    /// The rate of the samples.
    pub const SAMPLE_RATE_HZ: u32 = 48_000;

    /// Opens an encoder for audio with this number of channels. More than two are mixed to stereo.
    ///
    /// # Errors
    /// Fails if the encoder does not open.
    pub fn open(channels: u16) -> Result<Self, Error> {
        let channels = channels.clamp(1, 2);
        let encoder = OpusEncoder::open(channels, Self::bitrate(channels))?;
        Ok(Self { encoder, channels, waiting: Vec::new(), begin: NOT_BEGUN })
    }

    /// Returns the bitrate for this number of channels, which is 1 or 2.
    pub fn bitrate(channels: u16) -> BitsPerSecond {
        BitsPerSecond(STEREO_BITRATE_BPS / 2 * u32::from(channels))
    }

    /// Returns the number of channels of the samples.
    pub fn channels(&self) -> u16 {
        self.channels
    }

    /// Takes interleaved samples, of which the first one belongs to the time `starts` in
    /// microseconds. Calls `each` for every packet that they complete, with its presentation time.
    pub fn push(
        &mut self,
        starts: i64,
        samples: &[f32],
        each: &mut dyn FnMut(i64, Result<Bytes, Error>),
    ) {
        let channels = usize::from(self.channels);
        let expected = self.begin + micros(self.waiting.len() / channels);
        if (starts - expected).abs() > MAX_DRIFT_MICROS {
            self.waiting.clear();
            self.begin = starts;
        }
        self.waiting.extend_from_slice(samples);
        let size = OpusEncoder::FRAME_SAMPLES * channels;
        while let Some(frame) = self.waiting.get(..size) {
            let packet = self.encoder.encode(frame);
            each(self.begin - micros(self.encoder.lookahead()), packet);
            self.waiting.drain(..size);
            self.begin += micros(OpusEncoder::FRAME_SAMPLES);
        }
    }
}

/// Returns the duration of this many samples per channel, in microseconds.
fn micros(frames: usize) -> i64 {
    frames as i64 * 1_000_000 / i64::from(OpusPackets::SAMPLE_RATE_HZ)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_packet_has_the_time_of_its_samples_even_shortly_after_zero() {
        let mut packets = OpusPackets::open(2).unwrap();
        let lookahead = micros(packets.encoder.lookahead());
        let mut times = Vec::new();
        packets.push(59_000, &[0.1; 1_920], &mut |time, _| times.push(time + lookahead));
        assert_eq!(times, [59_000]);
    }

    #[test]
    fn packets_follow_the_samples_and_begin_again_after_a_gap() {
        let mut packets = OpusPackets::open(6).unwrap();
        assert_eq!(packets.channels(), 2);
        let lookahead = micros(packets.encoder.lookahead());
        let mut times = Vec::new();
        // Blocks of 10 ms, whose times have an error of up to a millisecond.
        for (number, at) in [0, 10_400, 19_600, 30_000, 40_000, 500_000, 510_000].iter().enumerate()
        {
            packets.push(*at, &[0.1; 960], &mut |time, packet| {
                assert!(!packet.unwrap().is_empty());
                times.push((number, time + lookahead));
            });
        }
        assert_eq!(times, [(1, 0), (3, 20_000), (6, 500_000)]);
    }
}
