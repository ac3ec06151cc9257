//! The interface of an audio system, which has one real backend, and a fake backend for tests.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, AtomicU64, Ordering};

use parking_lot::Mutex;
use rtrb::{Consumer, Producer, RingBuffer};

use crate::audio::source::{ApplicationInfo, DeviceInfo};
use crate::base::{Clock, Timestamp};
use crate::media::samples::stereo_gains;
use crate::text::problem::{Problem, problem};

/// The reason why a device is unavailable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", Problem::from(self))]
pub(super) enum Fault {
    /// The device does not exist, or the computer has no devices.
    Absent(String),
    /// Another program uses the device.
    Busy(String),
    /// The system denies access.
    Refused(String),
    /// The device does not support the required format.
    Format(String),
    /// Another error.
    Other(String),
}

impl Fault {
    /// Returns the error text of the audio system.
    pub(super) fn detail(&self) -> &str {
        match self {
            Self::Absent(detail)
            | Self::Busy(detail)
            | Self::Refused(detail)
            | Self::Format(detail)
            | Self::Other(detail) => detail,
        }
    }
}

impl From<&Fault> for Problem {
    fn from(fault: &Fault) -> Self {
        let device = problem!("device-it");
        match fault {
            Fault::Absent(_) => problem!("device-absent", device = device),
            Fault::Busy(_) => problem!("device-busy", device = device),
            Fault::Refused(_) => problem!("device-audio-forbidden", device = device),
            Fault::Format(_) => problem!("device-audio-format", device = device),
            Fault::Other(_) => problem!("device-broken", device = device),
        }
    }
}

/// The direction of a device's audio.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    /// Input from microphones.
    Input,
    /// Output to speakers.
    Output,
    /// Capture of a speaker's output.
    Monitor,
}

/// A running stream, which ends when it is dropped. Dropping can hang, so streams must be dropped
/// on a separate thread.
pub(super) trait Stream: Send {}

/// An audio system. The trait has no default methods: each backend implements all of them.
pub(super) trait AudioSystem: Send {
    /// Lists the available devices without pseudo-devices, the default device first.
    fn devices(&mut self, direction: Direction) -> Result<Vec<DeviceInfo>, Fault>;
    /// Lists the applications, with the playing ones first.
    fn applications(&mut self) -> Result<Vec<ApplicationInfo>, Fault>;
    /// Captures all audio of the application with this name. The capture is silent while the
    /// application plays nothing.
    fn record_application(
        &mut self,
        name: &str,
        rate: u32,
        sink: Sink,
    ) -> Result<Box<dyn Stream>, Fault>;
    /// Captures a device at this rate, with as many channels as `sink`.
    fn record(&mut self, id: &str, rate: u32, sink: Sink) -> Result<Box<dyn Stream>, Fault>;
    /// Starts to play on a device, with exactly this rate and channel count, and with this many
    /// requests per second.
    fn play(
        &mut self,
        id: &str,
        rate: u32,
        callbacks: u32,
        tap: Tap,
    ) -> Result<Box<dyn Stream>, Fault>;
}

/// Stores the reason why a stream ended. The latch keeps the first error, and ignores later errors
/// at a low cost.
#[derive(Debug, Default)]
pub(super) struct Latch {
    set: AtomicBool,
    fault: Mutex<Option<String>>,
}

impl Latch {
    /// Sets the error. Error callbacks call this function up to 400,000 times per second.
    pub(super) fn set(&self, fault: impl FnOnce() -> String) {
        if !self.set.swap(true, Ordering::AcqRel) {
            *self.fault.lock() = Some(fault());
        }
    }

    pub(super) fn is_set(&self) -> bool {
        self.set.load(Ordering::Acquire)
    }

    pub(super) fn get(&self) -> Option<String> {
        if self.is_set() { self.fault.lock().clone().or_else(|| Some(String::new())) } else { None }
    }
}

/// The capture time of a callback's first frame.
#[derive(Copy, Clone, Debug)]
pub(super) struct CaptureMark {
    pub(super) frame: i64,
    pub(super) at: Timestamp,
}

/// State that both sides of a capture share.
#[derive(Debug, Default)]
pub(super) struct CaptureState {
    pub(super) latch: Latch,
    /// Number of received frames.
    pub(super) frames: AtomicU64,
    /// The longest recent age of audio at its callback, in microseconds.
    pub(super) age_micros: AtomicI64,
}

/// The callback side of a capture, which takes no lock, allocates nothing, and never waits.
pub(super) struct Sink {
    /// True if the captured channels have the layout of speakers.
    pub(super) has_speaker_layout: bool,
    clock: Clock,
    channels: u16,
    samples: Producer<f32>,
    marks: Producer<CaptureMark>,
    state: Arc<CaptureState>,
    frame: i64,
}

/// The mixer side of an audio capture.
pub(super) struct Capture {
    pub(super) samples: Consumer<f32>,
    pub(super) marks: Consumer<CaptureMark>,
    pub(super) state: Arc<CaptureState>,
}

/// Creates a capture, which holds at most 1.5 seconds of audio between the callback and the
/// mixer.
pub(super) fn capture(clock: Clock, rate: u32, channels: u16) -> (Sink, Capture) {
    let capacity = rate as usize * usize::from(channels) * 3 / 2;
    let (audio_in, samples) = RingBuffer::new(capacity);
    let (marks_in, marks) = RingBuffer::new(1_024);
    let state = Arc::new(CaptureState::default());
    let its_state = Arc::clone(&state);
    let sink = Sink {
        has_speaker_layout: false,
        clock,
        channels,
        samples: audio_in,
        marks: marks_in,
        state: its_state,
        frame: 0,
    };
    (sink, Capture { samples, marks, state })
}

impl Sink {
    /// Returns the state to which errors are reported.
    pub(super) fn capture_state(&self) -> Arc<CaptureState> {
        Arc::clone(&self.state)
    }

    /// Returns the requested number of channels. Audio with another number of channels is
    /// converted.
    pub(super) fn channels(&self) -> u16 {
        self.channels
    }

    /// Returns the current session time.
    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Adds a callback's audio: `samples` contains `channels` interleaved channels, and its first
    /// frame was captured `age_micros` ago. Audio that does not fit is dropped, because the reader
    /// has then stopped.
    pub(super) fn push(&mut self, samples: &[f32], channels: u16, age_micros: i64) {
        let channels = usize::from(channels.max(1));
        let frames = samples.len() / channels;
        self.state.frames.fetch_add(frames as u64, Ordering::Relaxed);
        self.state.age_micros.store(age_micros, Ordering::Relaxed);
        let wanted = usize::from(self.channels);
        let Ok(chunk) = self.samples.write_chunk_uninit(frames * wanted) else { return };
        let mark = CaptureMark { frame: self.frame, at: self.clock.now().offset(-age_micros) };
        // If the queue of marks is full, this mark is lost, and the rate measurement continues
        // without it.
        let _ = self.marks.push(mark);
        chunk.fill_from_iter(remixed(samples, channels, wanted, self.has_speaker_layout));
        self.frame += frames as i64;
    }
}

/// Converts interleaved samples to another number of channels. Mono is the mean of both channels of
/// stereo, so neither side is lost. With a layout of speakers, stereo contains the center, where
/// the voices of films are, and the surround channels. As in OBS, the front channels keep their
/// level, so a game is as loud as in stereo, and the sum may exceed full scale; the mixer limits
/// it. Without a layout, stereo has the first two channels at their own level: the inputs of an
/// audio interface are independent.
pub(super) fn remixed(
    samples: &[f32],
    channels: usize,
    wanted: usize,
    has_speaker_layout: bool,
) -> impl Iterator<Item = f32> {
    let is_downmixed = has_speaker_layout && channels > 2 && wanted <= 2;
    // More channels have no gain. An audio callback allocates nothing.
    let mut gains = [(0.0, 0.0); 8];
    for (place, gain) in gains.iter_mut().zip(stereo_gains(channels, 0)) {
        *place = gain;
    }
    let side = move |frame: &[f32], channel: usize| {
        if !is_downmixed {
            return frame.get(channel % channels).copied().unwrap_or(0.0);
        }
        let gain = |gains: &(f32, f32)| if channel == 0 { gains.0 } else { gains.1 };
        frame.iter().zip(&gains).map(|(sample, gains)| sample * gain(gains)).sum::<f32>()
    };
    samples.chunks_exact(channels).flat_map(move |frame| {
        (0..wanted).map(move |channel| match wanted {
            1 => f32::midpoint(side(frame, 0), side(frame, 1)),
            _ => side(frame, channel),
        })
    })
}

/// State that both sides of a playback share.
#[derive(Debug)]
pub(super) struct Played {
    pub(super) latch: Latch,
    /// The volume, as `f32` bits.
    pub(super) volume: AtomicU32,
    /// The time, in microseconds, at which the last audio that the device has taken will have been
    /// played.
    pub(super) playback_end: AtomicI64,
    pub(super) underruns: AtomicU64,
}

/// The callback side of a playback, which takes no lock, allocates nothing, and never waits.
pub(super) struct Tap {
    clock: Clock,
    channels: u16,
    rate: u32,
    samples: Consumer<f32>,
    played: Arc<Played>,
    volume: f32,
    is_empty: bool,
}

/// Creates a playback with a capacity of `frames`.
pub(super) fn playback(
    clock: Clock,
    rate: u32,
    channels: u16,
    frames: usize,
) -> (Producer<f32>, Arc<Played>, Tap) {
    let (audio_in, samples) = RingBuffer::new(frames * usize::from(channels));
    let played = Arc::new(Played {
        latch: Latch::default(),
        volume: AtomicU32::new(1.0_f32.to_bits()),
        playback_end: AtomicI64::new(i64::MIN),
        underruns: AtomicU64::new(0),
    });
    let its_played = Arc::clone(&played);
    let tap =
        Tap { clock, channels, rate, samples, played: its_played, volume: 1.0, is_empty: true };
    (audio_in, played, tap)
}

impl Tap {
    /// Returns the channel count of the queued audio.
    pub(super) fn channels(&self) -> u16 {
        self.channels
    }

    /// Returns the state to which errors are reported.
    pub(super) fn played(&self) -> Arc<Played> {
        Arc::clone(&self.played)
    }

    /// Fills a callback's buffer. The first frame of the buffer plays after `latency_micros`.
    pub(super) fn fill(&mut self, out: &mut [f32], latency_micros: i64) {
        let channels = usize::from(self.channels.max(1));
        let frames = out.len() / channels;
        let target = f32::from_bits(self.played.volume.load(Ordering::Relaxed));
        let step = (target - self.volume) / frames.max(1) as f32;
        let ready = (self.samples.slots() / channels).min(frames);
        let mut place = out.chunks_exact_mut(channels);
        if let Ok(chunk) = self.samples.read_chunk(ready * channels) {
            let (first, second) = chunk.as_slices();
            let mut samples = first.iter().chain(second);
            for frame in place.by_ref().take(ready) {
                self.volume += step;
                for (out, sample) in frame.iter_mut().zip(&mut samples) {
                    *out = sample * self.volume;
                }
            }
            chunk.commit_all();
        }
        for frame in place {
            frame.fill(0.0);
        }
        self.volume = target;
        // Callbacks before the first queued audio, and callbacks during a pause, are not underruns.
        if ready < frames && !self.is_empty {
            self.played.underruns.fetch_add(1, Ordering::Relaxed);
        }
        self.is_empty = ready < frames;
        let lasts = ready as i64 * 1_000_000 / i64::from(self.rate.max(1));
        let until = self.clock.now().as_micros() + latency_micros + lasts;
        self.played.playback_end.store(until, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_are_mixed_down_and_copied_up() {
        let clock = Clock::start();
        let (mut sink, mut capture) = capture(clock, 8_000, 1);
        sink.push(&[0.5, -0.1, 1.0, 0.0], 2, 0);
        let got: Vec<f32> = std::iter::from_fn(|| capture.samples.pop().ok()).collect();
        assert_eq!(got, [0.2, 0.5]);
        let (mut sink, mut capture) = super::capture(clock, 8_000, 2);
        sink.push(&[1.0, -1.0], 1, 7_000);
        let got: Vec<f32> = std::iter::from_fn(|| capture.samples.pop().ok()).collect();
        assert_eq!((got[0], got[2], got.len()), (got[1], -1.0, 4));
        let mark = capture.marks.pop().unwrap();
        assert!(mark.frame == 0 && mark.at < clock.now().offset(-6_999));
        // An audio interface with eight inputs: a microphone at the first, and others further on.
        sink.push(&[0.5, 0.25, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0], 8, 0);
        let got: Vec<f32> = std::iter::from_fn(|| capture.samples.pop().ok()).collect();
        assert_eq!(got, [0.5, 0.25]);
        let mono = |frame: &[f32], has_speaker_layout| {
            remixed(frame, frame.len(), 1, has_speaker_layout).collect::<Vec<f32>>()
        };
        assert_eq!(mono(&[0.5, 0.5, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0], false), [0.5]);
        assert_eq!(mono(&[0.5, 0.5, 0.0, 1.0, 0.0, 0.0], true), [0.5]);
        assert_eq!(mono(&[0.5], true), [0.5]);
    }

    #[test]
    fn stereo_contains_the_center_and_the_surround_channels() {
        let stereo = |frame: &[f32]| remixed(frame, frame.len(), 2, true).collect::<Vec<f32>>();
        let center = stereo(&[0.0, 0.0, 1.0, 0.0, 0.0, 0.0]);
        assert!(center[0] > 0.25 && center[0] == center[1], "{center:?}");
        let surround = stereo(&[0.0, 0.0, 0.0, 0.0, 0.0, 1.0]);
        assert!(surround[0] == 0.0 && surround[1] > 0.25, "{surround:?}");
        assert_eq!(stereo(&[0.0, 0.0, 0.0, 1.0, 0.0, 0.0]), [0.0, 0.0]);
        for count in 3..=8 {
            let mut front = vec![0.0; count];
            front[..2].copy_from_slice(&[0.5, -0.25]);
            assert_eq!(stereo(&front), [0.5, -0.25], "the front channels keep their level");
        }
    }

    #[test]
    fn a_recording_nobody_reads_stays_bounded_and_joins_again() {
        let (mut sink, mut capture) = capture(Clock::start(), 8_000, 1);
        for _ in 0..1_000 {
            sink.push(&[0.1; 80], 1, 0);
        }
        assert_eq!(capture.samples.slots(), 12_000);
        // The marks contain the numbers of the frames in the ring.
        let last = std::iter::from_fn(|| capture.marks.pop().ok()).last().unwrap();
        assert_eq!(last.frame, 12_000 - 80);
    }

    #[test]
    fn playback_fills_with_silence_counts_underruns_and_ramps() {
        let (mut samples, played, mut tap) = playback(Clock::start(), 8_000, 2, 400);
        let mut out = [9.0_f32; 200];
        tap.fill(&mut out, 0);
        assert!(out.iter().all(|&s| s == 0.0) && played.underruns.load(Ordering::Relaxed) == 0);
        for _ in 0..300 {
            samples.push(1.0).unwrap();
        }
        tap.fill(&mut out, 5_000);
        assert!(out.iter().all(|&s| s == 1.0));
        played.volume.store(0.0_f32.to_bits(), Ordering::Relaxed);
        tap.fill(&mut out, 0);
        assert!(out[0] > 0.98 && out[99] < 0.02 + 0.5 && out[150] == 0.0);
        assert_eq!(played.underruns.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn a_storm_of_faults_is_latched_once() {
        let latch = Latch::default();
        for fault in 0..1_000 {
            latch.set(|| fault.to_string());
        }
        assert_eq!(latch.get().as_deref(), Some("0"));
    }
}
