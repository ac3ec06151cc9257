//! The packets of audio-only files, which the readers find one after the other.

use crate::base::Timestamp;
use crate::media::AudioConfig;
use crate::wire::container::{Error, Index, ReadAt, SampleLocation, TrackId, Unit};

/// Format of an audio-only file.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    Mp3,
    /// AAC with a header before each frame.
    Adts,
    Flac,
    Ogg,
    Wav,
}

impl Kind {
    /// Returns the name of the format, which is also its file extension.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Mp3 => "mp3",
            Self::Adts => "aac",
            Self::Flac => "flac",
            Self::Ogg => "ogg",
            Self::Wav => "wav",
        }
    }
}

/// Maximum number of seek positions, which are at least one second apart.
const MAX_UNITS: u64 = 4_096;

/// Maximum number of packets that are read at a time when bytes may be missing.
const MAX_PACKETS_PER_TURN: usize = 32;

/// Fills `buffer` with the bytes at `at`, and returns their number.
pub(super) fn peek(source: &mut dyn ReadAt, at: u64, buffer: &mut [u8]) -> Result<usize, Error> {
    let there = source.size().saturating_sub(at).min(buffer.len() as u64) as usize;
    source.read_at(at.min(source.size()), buffer.get_mut(..there).unwrap_or_default())?;
    Ok(there)
}

/// Makes an index without packets for this audio.
pub(super) fn index_of(config: AudioConfig) -> Index {
    let mut index = Index { to_play: true, finished: true, ..Index::default() };
    index.tracks.audio.push(config.into());
    index
}

/// Returns the time after this many samples.
pub(super) fn time(samples: u64, rate: u32) -> Timestamp {
    let micros = u128::from(samples) * 1_000_000 / u128::from(rate.max(1));
    Timestamp::from_micros(i64::try_from(micros).unwrap_or(i64::MAX / 4))
}

/// Returns the seek positions of audio with this many samples; `byte` returns the position of a
/// sample.
pub(super) fn units(samples: u64, rate: u32, byte: impl Fn(u64) -> u64) -> Vec<Unit> {
    let step = u64::from(rate).max(samples / MAX_UNITS).max(1);
    let places = (0..samples).step_by(usize::try_from(step).unwrap_or(usize::MAX));
    places.map(|at| Unit { time: time(at, rate), at: byte(at) }).collect()
}

/// Packets of the single track, in the order in which they are found.
#[derive(Clone, Debug)]
pub(super) struct Packets {
    pub(super) index: Index,
    pub(super) rate: u32,
    /// Number of samples so far.
    pub(super) samples: u64,
}

impl Packets {
    pub(super) fn new(config: AudioConfig) -> Self {
        let rate = config.sample_rate.max(1);
        Self { index: index_of(config), rate, samples: 0 }
    }

    pub(super) fn time(&self, samples: u64) -> Timestamp {
        time(samples, self.rate)
    }

    /// Returns the time of the next packet.
    pub(super) fn time_now(&self) -> Timestamp {
        self.time(self.samples)
    }

    /// Adds a packet with this many samples.
    pub(super) fn add(&mut self, at: u64, size: u32, samples: u64) -> Result<(), Error> {
        let pts = self.time(self.samples);
        let track = TrackId::Audio(0);
        self.index.push(SampleLocation { track, keyframe: true, dts: pts, pts, at, size })?;
        self.samples = self.samples.saturating_add(samples);
        Ok(())
    }
}

/// Returns the audible span, from `first` to `end`, of audio that ends at `all`. If these values
/// are invalid, returns the whole span.
pub(super) fn audio_span(
    first: Timestamp,
    end: Timestamp,
    all: Timestamp,
) -> Option<(Timestamp, Timestamp)> {
    let end = end.min(all);
    let (first, end) = if first < end { (first, end) } else { (Timestamp::ZERO, all) };
    (first < end).then_some((first, end))
}

/// Adds several packets. Returns false at the end. If bytes are missing after the first packet, the
/// next call continues.
pub(super) fn several(
    found: &mut Vec<SampleLocation>,
    step: &mut dyn FnMut() -> Result<Option<SampleLocation>, Error>,
) -> Result<bool, Error> {
    for number in 0..MAX_PACKETS_PER_TURN {
        match step() {
            Ok(Some(place)) => found.push(place),
            Ok(None) => return Ok(false),
            Err(error) if number > 0 && error.is_missing() => break,
            Err(error) => return Err(error),
        }
    }
    Ok(true)
}
