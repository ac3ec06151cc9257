//! Makes AAC packets from blocks of samples, on the caller's thread. Their times stay those of the samples: gaps are
//! filled with silence, and overlaps are dropped.

use bytes::Bytes;

use crate::base::{Timestamp, partial_debug};
use crate::encode::audio::to_i16;
use crate::encode::backend::{self, AudioBackend, Block};
use crate::encode::config::{Audio as Config, AudioProfile};
use crate::encode::continuity::{Continuity, Repair};
use crate::encode::error::Error;
use crate::media::{AudioConfig, BitsPerSecond};

/// Bitrate of each channel in bits per second.
const CHANNEL_BITRATE_BPS: u32 = 64_000;
/// Maximum number of samples per channel of silence that are encoded in one step.
const MAX_SILENCE_SAMPLES: usize = 4_096;

/// Encodes blocks of samples at one rate.
pub struct AacPackets {
    backend: Box<dyn AudioBackend>,
    config: AudioConfig,
    continuity: Continuity,
    /// The time of the first sample of the current count, and the number of samples per channel before it.
    anchor: Option<(Timestamp, i64)>,
    /// Samples per channel passed to the backend.
    fed: i64,
    scratch: Vec<i16>,
}

partial_debug! { AacPackets { config, fed } }

impl AacPackets {
    /// Opens an encoder for samples of this rate and number of channels, 1 or 2.
    ///
    /// # Errors
    /// Fails if the encoder does not open.
    pub fn open(sample_rate: u32, channels: u16) -> Result<Self, Error> {
        let bitrate = BitsPerSecond(CHANNEL_BITRATE_BPS * u32::from(channels));
        let config = Config { sample_rate, channels, bitrate, profile: AudioProfile::default() };
        let backend = backend::open_audio(&config)?.backend;
        let config = backend.config().clone();
        let continuity = Continuity::new(sample_rate, backend.block_len());
        Ok(Self { backend, config, continuity, anchor: None, fed: 0, scratch: Vec::new() })
    }

    /// Returns the audio config.
    pub fn config(&self) -> &AudioConfig {
        &self.config
    }

    /// Takes interleaved samples, of which the first one belongs to the time `starts`. Calls `each` for every packet that
    /// they complete, with its presentation time. Packets from before the first sample are left out.
    ///
    /// # Errors
    /// Fails if the encoder fails.
    pub fn push(
        &mut self,
        starts: Timestamp,
        samples: &[f32],
        each: &mut dyn FnMut(Timestamp, Bytes),
    ) -> Result<(), Error> {
        let channels = usize::from(self.config.channels.max(1));
        let frames = samples.len() / channels;
        let mut data = samples.get(..frames * channels).unwrap_or_default();
        match self.continuity.judge(starts) {
            Repair::Follows => {}
            Repair::Fill(count) => self.silence(count, each)?,
            Repair::Skip(count) => {
                data = data.get(count.min(frames) * channels..).unwrap_or_default();
            }
            Repair::Restart => self.anchor = None,
        }
        if self.anchor.is_none() {
            self.anchor = Some((self.continuity.origin().unwrap_or(starts), self.fed));
        }
        let mut pcm = std::mem::take(&mut self.scratch);
        pcm.clear();
        pcm.extend(data.iter().map(|value| to_i16(*value)));
        let result = self.feed(&pcm, each);
        self.scratch = pcm;
        result
    }

    fn silence(
        &mut self,
        mut count: usize,
        each: &mut dyn FnMut(Timestamp, Bytes),
    ) -> Result<(), Error> {
        let channels = usize::from(self.config.channels.max(1));
        let zeros = vec![0; MAX_SILENCE_SAMPLES.min(count) * channels];
        while count > 0 {
            let now = count.min(MAX_SILENCE_SAMPLES);
            self.feed(zeros.get(..now * channels).unwrap_or_default(), each)?;
            count -= now;
        }
        Ok(())
    }

    fn feed(&mut self, pcm: &[i16], each: &mut dyn FnMut(Timestamp, Bytes)) -> Result<(), Error> {
        let Some((at, before)) = self.anchor else { return Ok(()) };
        let frames = pcm.len() / usize::from(self.config.channels.max(1));
        self.continuity.counted(frames);
        self.fed = self.fed.saturating_add(i64::try_from(frames).unwrap_or(0));
        let rate = self.config.sample_rate;
        self.backend.encode(pcm, &mut |block: Block| {
            let start = block.start - before;
            if start >= 0 {
                each(backend::after_samples(at, start, rate), block.data);
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_keep_the_times_of_their_samples_across_gaps_and_overlaps() {
        let mut packets = AacPackets::open(48_000, 2).unwrap();
        assert_eq!((packets.config().sample_rate, packets.config().channels), (48_000, 2));
        let mut times = Vec::new();
        // Blocks of 20 ms, whose times have an error of a millisecond. Three are lost, and one is repeated.
        for number in (0..100).chain([99]).chain(103..200) {
            let starts = Timestamp::from_micros(5_000_000 + number * 20_000 + number % 2 * 1_000);
            let mut each = |at: Timestamp, data: Bytes| {
                assert!(!data.is_empty());
                times.push(at.as_micros() - 5_000_000);
            };
            packets.push(starts, &[0.1; 1_920], &mut each).unwrap();
        }
        assert!((0..22_000).contains(&times[0]), "{times:?}");
        assert!(times.windows(2).all(|two| (21_000..22_000).contains(&(two[1] - two[0]))));
        assert!((3_900_000..4_000_000).contains(times.last().unwrap()), "{:?}", times.last());
    }

    #[test]
    fn audio_that_jumps_far_continues_at_its_new_time() {
        let mut packets = AacPackets::open(48_000, 1).unwrap();
        let mut times = Vec::new();
        for seconds in [0, 3_600] {
            for number in 0..10 {
                let starts = Timestamp::from_micros(seconds * 1_000_000 + number * 20_000);
                packets.push(starts, &[0.1; 960], &mut |at, _| times.push(at.as_micros())).unwrap();
            }
        }
        let jumps = times.windows(2).filter(|two| two[1] - two[0] > 1_000_000).count();
        assert_eq!(jumps, 1, "{times:?}");
        assert!((3_600_000_000..3_600_200_000).contains(times.last().unwrap()));
    }
}
