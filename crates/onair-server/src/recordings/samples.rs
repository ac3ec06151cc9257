//! The samples of one track of a recording. This module is pure.

use std::ops::Range;
use std::time::Duration;

use crate::base::Timestamp;
use crate::media::AudioCodec;
use crate::wire::container::SampleLocation;
use crate::wire::container::mp4::sample_table::{micros, ticks};

/// Maximum number of samples of all recordings in memory. It is enough for a day of video with two
/// audio tracks.
pub(super) const MAX_SAMPLES: usize = 16_000_000;
/// Audio continues the previous packet if the gap is at most this long.
const MAX_AUDIO_JITTER: Duration = Duration::from_millis(50);

/// A sample of the file, with its times in ticks of its track.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sample {
    pub at: u64,
    pub dts: i64,
    pub composition: i32,
    pub size: u32,
    pub keyframe: bool,
}

/// A track of a recording.
#[derive(Debug, Default)]
pub(crate) struct SampleList {
    pub samples: Vec<Sample>,
    /// The duration of the last sample.
    pub last_duration: u32,
    /// The number of ticks per second.
    pub timescale: u32,
}

impl SampleList {
    /// Returns the number of ticks between a sample and the next one.
    pub fn duration(&self, index: usize) -> u32 {
        let at = |index: usize| self.samples.get(index).map(|sample| sample.dts);
        let lasts =
            at(index).zip(at(index + 1)).and_then(|(at, next)| u32::try_from(next - at).ok());
        lasts.unwrap_or(self.last_duration)
    }

    /// Returns the time of a sample. For the index after the last sample, returns the end time.
    pub fn time(&self, index: usize) -> Timestamp {
        match (self.samples.get(index), self.samples.last()) {
            (Some(sample), _) => micros(sample.dts, self.timescale),
            (None, Some(last)) => micros(last.dts + i64::from(self.last_duration), self.timescale),
            (None, None) => Timestamp::ZERO,
        }
    }

    /// Returns the size of these samples in bytes.
    pub fn bytes(&self, range: &Range<usize>) -> u64 {
        let samples = self.samples.get(range.clone()).unwrap_or_default();
        samples.iter().map(|sample| u64::from(sample.size)).sum()
    }

    /// Returns the index of the first sample at or after `end`, from the index `next` on.
    pub fn until(&self, next: usize, end: Timestamp) -> usize {
        let limit = ticks(end, self.timescale.max(1));
        let rest = self.samples.get(next..).unwrap_or_default();
        next + rest.partition_point(|sample| sample.dts < limit)
    }

    /// Adds an audio packet.
    pub fn push_audio(&mut self, codec: AudioCodec, sample: &SampleLocation, dts: Timestamp) {
        let mut dts = ticks(dts, self.timescale);
        if let Some(last) = self.samples.last() {
            let end = last.dts + i64::from(self.last_duration);
            let jitter = ticks(Timestamp::ZERO + MAX_AUDIO_JITTER, self.timescale);
            // Opus packets have different durations.
            if codec != AudioCodec::Opus && (dts - end).abs() <= jitter {
                dts = end;
            }
            dts = dts.max(last.dts + 1);
        }
        let (at, size) = (sample.at, sample.size);
        self.samples.push(Sample { at, dts, composition: 0, size, keyframe: true });
    }
}
