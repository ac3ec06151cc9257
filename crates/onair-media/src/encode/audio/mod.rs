//! The audio encoder: its settings and its thread, `onair-aenc`.
//!
//! The `pts` of a packet is the time of its first decoded sample, from which the encoder's delay is
//! already subtracted. The first packets therefore precede the first sample (ISO/IEC 14496-24 calls
//! them priming), and decoded audio has exactly its recorded time.

#[cfg(any(test, feature = "test-support"))]
#[allow(
    clippy::unwrap_used,
    missing_debug_implementations,
    reason = "for tests, which fail by panicking"
)]
pub mod simulated;

mod aac_packets;
mod opus_packets;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;

use crate::base::worker::Stuck;
use crate::base::{Stop, Timestamp, Worker, queue};
pub use crate::encode::audio::aac_packets::AacPackets;
pub use crate::encode::audio::opus_packets::OpusPackets;
use crate::encode::backend::{self, AudioBackend, Block, Description};
pub use crate::encode::config::Audio as Config;
use crate::encode::config::AudioProfile;
use crate::encode::continuity::{Continuity, Repair};
use crate::encode::error::{Error, contain_panic};
use crate::media::{AudioConfig, EncodedPacket, Priority, SampleBlock, Track};
use crate::text::problem::problem;

/// The sample rates of AAC (ISO/IEC 14496-3 table 1.18) that the encoder supports.
const AAC_SAMPLE_RATES: [u32; 12] =
    [8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 64_000, 88_200, 96_000];

/// Properties and counters of the encoder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figures {
    /// Number of packets.
    pub encoded: u64,
    /// Total size of all packets, in bytes.
    pub bytes: u64,
    /// Input samples per channel.
    pub samples: u64,
    /// Samples per channel of silence that were inserted into gaps.
    pub filled: u64,
    /// Samples per channel that were dropped because blocks overlapped.
    pub skipped: u64,
    /// Name of the library.
    pub name: &'static str,
    pub profile: &'static str,
    /// The reason why this encoder was chosen.
    pub why: String,
}

/// A running audio encoder. Dropping the encoder asks its thread to stop.
#[derive(Debug)]
pub struct AudioEncoder {
    worker: Worker,
    shared: Arc<Shared>,
    config: AudioConfig,
    description: Description,
    why: String,
}

#[derive(Debug, Default)]
struct Shared {
    encoded: AtomicU64,
    bytes: AtomicU64,
    samples: AtomicU64,
    filled: AtomicU64,
    skipped: AtomicU64,
    failure: Mutex<Option<Error>>,
}

impl AudioEncoder {
    /// Opens an encoder and starts its thread.
    ///
    /// # Errors
    /// Fails if the settings cannot be encoded, no backend opens, or no thread starts.
    pub fn spawn(
        config: Config,
        input: queue::Receiver<SampleBlock>,
        output: queue::Sender<EncodedPacket>,
    ) -> Result<Self, Error> {
        Self::spawn_track(config, Track::Audio, input, output)
    }

    /// Opens an encoder like [`AudioEncoder::spawn`]. The packets belong to this track.
    ///
    /// # Errors
    /// Fails with the same errors as [`AudioEncoder::spawn`].
    pub fn spawn_track(
        config: Config,
        track: Track,
        input: queue::Receiver<SampleBlock>,
        output: queue::Sender<EncodedPacket>,
    ) -> Result<Self, Error> {
        if !AAC_SAMPLE_RATES.contains(&config.sample_rate) {
            return Err(Error::Config(problem!("encode-rate", rate = config.sample_rate)));
        }
        if !(1..=2).contains(&config.channels) {
            return Err(Error::Config(problem!("encode-channels", channels = config.channels)));
        }
        if config.profile == AudioProfile::He
            && (config.bitrate > AudioProfile::MAX_HE_BITRATE
                || !AudioProfile::HE_SAMPLE_RATES.contains(&config.sample_rate))
        {
            return Err(Error::Config(problem!("encode-he")));
        }
        let opened = backend::open_audio(&config)?;
        let shared = Arc::new(Shared::default());
        let (audio_config, description) =
            (opened.backend.config().clone(), opened.backend.description());
        let its = Arc::clone(&shared);
        let mut backend = opened.backend;
        let worker = Worker::spawn("onair-aenc", move |stop| {
            let mut street = EncoderThread::new(config, track, backend.as_mut(), &its, &output);
            if let Err(error) = contain_panic(|| street.run(&input, stop)) {
                *its.failure.lock() = Some(error);
            }
        })
        .map_err(|error| Error::Thread { thread: "onair-aenc", reason: error.to_string() })?;
        Ok(Self { worker, shared, config: audio_config, description, why: opened.why })
    }

    /// Returns the audio config, which is known before the first sample.
    pub fn config(&self) -> &AudioConfig {
        &self.config
    }

    /// Returns the current figures.
    pub fn figures(&self) -> Figures {
        let get = |value: &AtomicU64| value.load(Ordering::Relaxed);
        Figures {
            encoded: get(&self.shared.encoded),
            bytes: get(&self.shared.bytes),
            samples: get(&self.shared.samples),
            filled: get(&self.shared.filled),
            skipped: get(&self.shared.skipped),
            name: self.description.name,
            profile: self.description.profile,
            why: self.why.clone(),
        }
    }

    /// Returns the reason if the encoder ended before its input.
    pub fn failed(&self) -> Option<Error> {
        self.shared.failure.lock().clone()
    }

    /// Returns true if the thread has ended.
    pub fn is_finished(&self) -> bool {
        self.worker.is_finished()
    }

    /// Waits for at most `limit` until the stream ends (all senders of the input are dropped).
    /// After that, the thread must stop immediately.
    ///
    /// # Errors
    /// Fails with [`Stuck`] if the thread did not end in time.
    pub fn join(mut self, limit: Duration) -> Result<(), Stuck> {
        self.worker.wait(limit)
    }
}

/// Interval between checks for a stop request while there is no audio.
const STOP_POLL_INTERVAL: Duration = Duration::from_millis(50);

/// Maximum number of samples per channel of silence that are encoded in one step.
const MAX_SILENCE_SAMPLES: usize = 4_096;

/// The state of the thread.
struct EncoderThread<'a> {
    config: Config,
    track: Track,
    backend: &'a mut dyn AudioBackend,
    shared: &'a Shared,
    output: &'a queue::Sender<EncodedPacket>,
    continuity: Continuity,
    /// The time and the number of passed samples when the count last began.
    anchor: Option<Anchor>,
    /// Samples per channel passed to the backend.
    fed: i64,
    scratch: Vec<i16>,
    closed: bool,
}

#[derive(Copy, Clone)]
struct Anchor {
    at: Timestamp,
    samples: i64,
}

impl<'a> EncoderThread<'a> {
    fn new(
        config: Config,
        track: Track,
        backend: &'a mut dyn AudioBackend,
        shared: &'a Shared,
        output: &'a queue::Sender<EncodedPacket>,
    ) -> Self {
        let continuity = Continuity::new(config.sample_rate, backend.block_len());
        Self {
            config,
            track,
            backend,
            shared,
            output,
            continuity,
            anchor: None,
            fed: 0,
            scratch: Vec::new(),
            closed: false,
        }
    }

    fn run(&mut self, input: &queue::Receiver<SampleBlock>, stop: &Stop) -> Result<(), Error> {
        let mut warned = false;
        while !stop.is_set() && !self.closed {
            let samples = match input.recv_timeout(STOP_POLL_INTERVAL) {
                Ok(samples) => samples,
                Err(queue::Empty::Waiting) => continue,
                Err(queue::Empty::Closed) => break,
            };
            if samples.rate != self.config.sample_rate || samples.channels != self.config.channels {
                if !warned {
                    warned = true;
                    tracing::warn!(
                        samples.rate,
                        samples.channels,
                        "skipped audio of another format"
                    );
                }
                continue;
            }
            self.take(&samples)?;
        }
        if !self.closed {
            self.work(|backend, each| backend.flush(each))?;
        }
        Ok(())
    }

    fn take(&mut self, samples: &SampleBlock) -> Result<(), Error> {
        let frames = samples.frames();
        let channels = usize::from(self.config.channels);
        self.shared.samples.fetch_add(frames as u64, Ordering::Relaxed);
        let mut data = samples.data.get(..frames * channels).unwrap_or_default();
        match self.continuity.judge(samples.pts) {
            Repair::Follows => {}
            Repair::Fill(count) => {
                self.shared.filled.fetch_add(count as u64, Ordering::Relaxed);
                self.silence(count)?;
            }
            Repair::Skip(count) => {
                let count = count.min(frames);
                self.shared.skipped.fetch_add(count as u64, Ordering::Relaxed);
                data = data.get(count * channels..).unwrap_or_default();
            }
            // The few samples that remain in the encoder get times of the new count, which are
            // slightly early. A small error in time is better than ending one stream and beginning
            // another within a broadcast.
            Repair::Restart => self.anchor = None,
        }
        if self.anchor.is_none() {
            let at = self.continuity.origin().unwrap_or(samples.pts);
            self.anchor = Some(Anchor { at, samples: self.fed });
        }
        self.scratch.clear();
        self.scratch.extend(data.iter().map(|value| to_i16(*value)));
        let pcm = std::mem::take(&mut self.scratch);
        let result = self.feed(&pcm);
        self.scratch = pcm;
        result
    }

    fn silence(&mut self, mut count: usize) -> Result<(), Error> {
        let channels = usize::from(self.config.channels);
        let zeros = vec![0; MAX_SILENCE_SAMPLES.min(count) * channels];
        while count > 0 && !self.closed {
            let now = count.min(MAX_SILENCE_SAMPLES);
            self.feed(zeros.get(..now * channels).unwrap_or_default())?;
            count -= now;
        }
        Ok(())
    }

    fn feed(&mut self, pcm: &[i16]) -> Result<(), Error> {
        let frames = pcm.len() / usize::from(self.config.channels.max(1));
        self.continuity.counted(frames);
        self.fed += i64::try_from(frames).unwrap_or(0);
        self.work(|backend, each| backend.encode(pcm, each))
    }

    fn work(
        &mut self,
        job: impl FnOnce(&mut dyn AudioBackend, &mut dyn FnMut(Block)) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let Some(anchor) = self.anchor else { return Ok(()) };
        let (rate, track) = (self.config.sample_rate, self.track);
        let (shared, output) = (self.shared, self.output);
        let mut closed = self.closed;
        let result = job(self.backend, &mut |block: Block| {
            let start = block.start - anchor.samples;
            let pts = backend::after_samples(anchor.at, start, rate);
            shared.encoded.fetch_add(1, Ordering::Relaxed);
            shared.bytes.fetch_add(block.data.len() as u64, Ordering::Relaxed);
            let packet = EncodedPacket {
                track,
                pts,
                dts: pts,
                keyframe: true,
                priority: Priority::Key,
                data: block.data,
                captured: pts.max(anchor.at),
                rendition: None,
            };
            closed |= output.send(packet).is_err();
        });
        self.closed = closed;
        result
    }
}

/// Converts a value in −1…1 to 16 bits with rounding. Larger values are clipped, and NaN becomes
/// silence.
fn to_i16(value: f32) -> i16 {
    // The `as` conversion saturates and maps NaN to 0.
    (value * 32_768.0).round_ties_even() as i16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_rounded_and_clipped() {
        let half = 0.5 / 32_768.0;
        for (value, expected) in [
            (0.0, 0),
            (1.0, i16::MAX),
            (-1.0, i16::MIN),
            (7.0, i16::MAX),
            (f32::NEG_INFINITY, i16::MIN),
            (f32::NAN, 0),
            (0.5, 16_384),
            (half * 1.01, 1),
            (-half * 1.01, -1),
            (half * 0.99, 0),
        ] {
            assert_eq!(to_i16(value), expected, "{value}");
        }
    }
}
