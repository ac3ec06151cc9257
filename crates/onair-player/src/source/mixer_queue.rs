//! The mixer as a player's audio device: a queue into which the player writes and from which the
//! mixer reads, at the session's rate and channel count.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use crate::base::{Clock, Timestamp};
use crate::media::Pulled;
use crate::media::samples::frames_to_micros;
use crate::player::decode::audio::Speaker;
use onair_media::decode::Converter;

/// A mixer that has not read for this long counts as absent: the audio then advances with time.
const MIXER_TIMEOUT: Duration = Duration::from_millis(200);
/// Capacity of the queue in seconds.
const QUEUE_SECONDS: f64 = 1.0;
/// Maximum delay of the mixer's read, in µs. Beyond it, excess audio would be lost, and the player
/// would follow audio that nobody hears.
const MAX_READ_DELAY_MICROS: i64 = 500_000;

/// Audio queue between the player and the mixer.
pub(super) struct MixerQueue {
    clock: Clock,
    rate: u32,
    channels: u16,
    /// The player's lead over the program.
    lead: Duration,
    state: Mutex<Inside>,
}

#[derive(Default)]
struct Inside {
    samples: VecDeque<f32>,
    /// The program time of the first queued sample, once samples have been removed.
    next: Option<Timestamp>,
    /// Time of the mixer's last read.
    pulled: Option<Timestamp>,
    underruns: u64,
}

impl MixerQueue {
    pub(super) fn new(clock: Clock, rate: u32, channels: u16, lead: Duration) -> Self {
        let state = Mutex::default();
        Self { clock, rate: rate.max(1), channels: channels.max(1), lead, state }
    }

    pub(super) fn format(&self) -> (u32, u16) {
        (self.rate, self.channels)
    }

    /// Clears the queue.
    pub(super) fn clear(&self) {
        self.state.lock().samples.clear();
    }

    pub(super) fn pull(&self, at: Timestamp, out: &mut [f32]) -> Pulled {
        let mut state = self.state.lock();
        let frames = out.len() / usize::from(self.channels);
        state.next = Some(at.offset(frames_to_micros(frames as i64, self.rate)));
        state.pulled = Some(self.clock.now());
        let ready = state.samples.len().min(out.len());
        let (samples, rest) = out.split_at_mut(ready);
        for (out, sample) in samples.iter_mut().zip(state.samples.drain(..ready)) {
            *out = sample;
        }
        rest.fill(0.0);
        if rest.is_empty() {
            return Pulled::Audio;
        }
        state.underruns += 1;
        Pulled::Silence
    }

    /// Advances the audio with time while no mixer reads.
    fn pass(&self, state: &mut Inside, now: Timestamp) {
        if state.pulled.is_some_and(|pulled| now.since(pulled) < MIXER_TIMEOUT) {
            return;
        }
        let next = state.next.unwrap_or(now);
        let gone = now.micros_since(next).max(0) * i64::from(self.rate) / 1_000_000;
        let samples = usize::try_from(gone).unwrap_or(0) * usize::from(self.channels);
        let samples = samples.min(state.samples.len());
        state.samples.drain(..samples);
        state.next = Some(next.max(now));
    }

    /// Adds as many samples as fit.
    fn push(&self, samples: &[f32]) {
        let mut state = self.state.lock();
        self.pass(&mut state, self.clock.now());
        let room = (f64::from(self.rate) * QUEUE_SECONDS) as usize * usize::from(self.channels);
        let room = room.saturating_sub(state.samples.len());
        state.samples.extend(samples.iter().take(room));
    }

    /// Returns how much audio is queued after the player's current time, in seconds.
    fn ahead(&self) -> f64 {
        let now = self.clock.now();
        let mut state = self.state.lock();
        self.pass(&mut state, now);
        let frames = state.samples.len() / usize::from(self.channels);
        // Samples for a past time count as played, even if they are read only now.
        let next = state.next.unwrap_or(now);
        let due =
            now.micros_since(next).min(MAX_READ_DELAY_MICROS) + (now + self.lead).micros_since(now);
        frames as f64 / f64::from(self.rate) - due as f64 * 1e-6
    }
}

/// The player's side of the queue.
pub(super) struct MixerSpeaker {
    queue: Arc<MixerQueue>,
    rate: u32,
    channels: usize,
    converter: Converter,
}

impl MixerSpeaker {
    /// Creates the player's side for audio of this rate and channel count.
    pub(super) fn new(queue: Arc<MixerQueue>, rate: u32, channels: u16) -> Result<Self, String> {
        let converter = Converter::new((rate, channels), queue.format())?;
        let (rate, channels) = (rate.max(1), usize::from(channels.max(1)));
        Ok(Self { queue, rate, channels, converter })
    }
}

impl Speaker for MixerSpeaker {
    fn write(&mut self, data: &[f32]) -> usize {
        self.queue.push(self.converter.convert(data));
        data.len() / self.channels
    }

    fn queued(&self) -> usize {
        let seconds = self.queue.ahead() + self.converter.held().as_secs_f64();
        (seconds.max(0.0) * f64::from(self.rate)) as usize
    }

    fn set_volume(&mut self, _: f32) {
        // The mixer's fader sets the volume.
    }

    fn underruns(&self) -> u64 {
        self.queue.state.lock().underruns
    }

    fn failed(&self) -> Option<String> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pulled_audio_counts_as_played_and_so_does_the_lead() {
        let clock = Clock::start();
        let queue = Arc::new(MixerQueue::new(clock, 48_000, 2, Duration::from_millis(60)));
        let mut speaker = MixerSpeaker::new(Arc::clone(&queue), 48_000, 1).unwrap();
        let at = clock.now();
        let mut out = [1.0; 960];
        assert_eq!(queue.pull(at, &mut out), Pulled::Silence);
        assert_eq!(out, [0.0; 960]);
        // 200 ms are written; 10 ms of program time are read.
        assert_eq!(speaker.write(&[0.5; 9_600]), 9_600);
        let queued = speaker.queued() as f64 / 48.0;
        let gone = clock.now().micros_since(at.offset(10_000)) as f64 / 1_000.0;
        assert!((queued - (200.0 - 60.0 - gone)).abs() < 8.0, "{queued} {gone}");
        assert_eq!(queue.pull(at.offset(10_000), &mut out), Pulled::Audio);
        assert_eq!(out, [0.5; 960], "both channels");
    }

    #[test]
    fn other_rates_are_resampled_and_nan_is_silence() {
        let clock = Clock::start();
        let queue = Arc::new(MixerQueue::new(clock, 48_000, 1, Duration::ZERO));
        let mut speaker = MixerSpeaker::new(Arc::clone(&queue), 44_100, 2).unwrap();
        let tone: Vec<f32> = (0..44_100)
            .flat_map(|index| {
                let phase = f64::from(index) * 1_000.0 / 44_100.0 * std::f64::consts::TAU;
                [(phase.sin() * 0.5) as f32; 2]
            })
            .collect();
        let mut received = Vec::new();
        let mut out = [0.0; 480];
        for (number, block) in tone.chunks(882).enumerate() {
            speaker.write(block);
            // Keep a little ahead, like the player.
            if number < 4 {
                queue.pull(clock.now(), &mut out[..0]);
                continue;
            }
            assert_eq!(queue.pull(clock.now(), &mut out), Pulled::Audio);
            received.extend(out);
        }
        let (mut re, mut im) = (0.0, 0.0);
        let part = &received[9_600..38_400];
        for (index, &sample) in part.iter().enumerate() {
            let phase = index as f64 / 48.0 * std::f64::consts::TAU;
            re += f64::from(sample) * phase.cos();
            im += f64::from(sample) * phase.sin();
        }
        let amplitude = re.hypot(im) * 2.0 / part.len() as f64;
        assert!((amplitude - 0.5).abs() < 0.02, "{amplitude}");
        speaker.write(&[f32::NAN; 4_096]);
        let mut out = [0.0; 48_000];
        queue.pull(clock.now(), &mut out);
        assert!(out.iter().all(|sample| sample.is_finite()));
    }

    #[test]
    fn of_a_mixer_that_is_late_nothing_is_lost() {
        let clock = Clock::start();
        let queue = Arc::new(MixerQueue::new(clock, 48_000, 1, Duration::from_millis(60)));
        let mut speaker = MixerSpeaker::new(Arc::clone(&queue), 48_000, 1).unwrap();
        let (mut written, mut received): (_, Vec<f32>) = (0, Vec::new());
        let sample = |number: usize| number as f32 / 16_777_216.0;
        let mut at = clock.now().offset(-3_000_000);
        let mut out = [0.0; 480];
        // The mixer catches up from three seconds behind, while the player keeps 150 ms ahead.
        for _ in 0..300 {
            let pulled = queue.pull(at, &mut out);
            received.extend(out.iter().filter(|_| pulled == Pulled::Audio));
            at = at.offset(10_000);
            for _ in 0..64 {
                if speaker.queued() >= 7_200 {
                    break;
                }
                let block: Vec<f32> = (written + 1..=written + 480).map(sample).collect();
                written += speaker.write(&block);
            }
        }
        let whole: Vec<f32> = (1..=received.len()).map(sample).collect();
        assert!(received.len() > 96_000, "{}", received.len());
        assert!(
            received == whole,
            "some of it was lost: {written} written, {} heard",
            received.len()
        );
    }

    #[test]
    fn without_a_mixer_time_takes_the_audio() {
        let clock = Clock::start();
        let queue = Arc::new(MixerQueue::new(clock, 48_000, 2, Duration::ZERO));
        let mut speaker = MixerSpeaker::new(Arc::clone(&queue), 48_000, 2).unwrap();
        speaker.write(&[0.5; 9_600]);
        let mut tries = 0;
        while speaker.queued() > 0 {
            tries += 1;
            assert!(tries < 2_000, "it stands");
            crate::base::Stop::new().wait(Duration::from_millis(1));
        }
    }
}
