//! Aligns a device's audio with the session clock. The ratio of a sinc resampler follows the
//! device's measured rate, and reduces any remaining offset. This code runs on the mixer's thread.

use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{
    Adjustable, Async, FixedAsync, Indexing, Resampler, SincInterpolationParameters,
    SincInterpolationType, WindowFunction,
};

use crate::audio::device_rate::DeviceRate;
use crate::base::Timestamp;
use crate::media::Pulled;

/// The distance from the session clock, in seconds, above which a jump corrects the distance.
const JUMP_THRESHOLD_SECONDS: f64 = 0.06;
/// The time constant, in seconds, with which a smaller distance is reduced.
const CORRECTION_SECONDS: f64 = 2.0;
/// Maximum change of pitch: 0.3 % is inaudible.
const MAX_PITCH_CHANGE: f64 = 0.003;
/// Maximum duration of stored input in seconds. Input accumulates if the device delivers it after
/// the mixer's request.
const MAX_INPUT_SECONDS: usize = 5;
/// Output frames per step.
const CHUNK_FRAMES: usize = 64;

/// Converts the device's audio to the program's rate, and aligns it with the session clock.
pub(super) struct ClockAligner {
    resampler: Async<f32>,
    channels: usize,
    /// The nominal input rate.
    rate_in: f64,
    /// The nominal output rate.
    rate_out: f64,
    /// Interleaved device frames that the resampler has not used yet.
    input: Vec<f32>,
    /// The device frame number of the first frame in `input`.
    input_start: i64,
    /// The device frame number (with fraction) of the next output frame, or `None` if the number is
    /// not known yet.
    position: Option<f64>,
    /// The interleaved output that the mixer has not pulled yet.
    made: Vec<f32>,
    scratch: Vec<f32>,
}

impl ClockAligner {
    /// Creates an aligner from `rate_in` to `rate_out`. Returns `None` for invalid rates.
    pub(super) fn new(rate_in: u32, rate_out: u32, channels: u16) -> Option<Self> {
        let channels = usize::from(channels);
        let parameters = SincInterpolationParameters::new(96, WindowFunction::BlackmanHarris2)
            .oversampling_factor(128)
            .interpolation(SincInterpolationType::Cubic);
        let ratio = f64::from(rate_out) / f64::from(rate_in.max(1));
        let fixed = FixedAsync::Output;
        let resampler =
            Async::new_sinc(ratio, 1.02, &parameters, CHUNK_FRAMES, channels, fixed).ok()?;
        Some(Self {
            resampler,
            channels,
            rate_in: f64::from(rate_in),
            rate_out: f64::from(rate_out),
            input: Vec::with_capacity(rate_in as usize / 4 * channels),
            input_start: 0,
            position: None,
            made: Vec::with_capacity(4 * CHUNK_FRAMES * channels),
            scratch: vec![0.0; CHUNK_FRAMES * channels],
        })
    }

    /// Returns the minimum distance of the output from the newest input, in device frames.
    pub(super) fn lookahead(&self) -> usize {
        self.resampler.input_frames_max()
    }

    /// Returns the number of device frames beyond those that the last block needed.
    pub(super) fn spare(&self) -> usize {
        self.input.len() / self.channels
    }

    /// Adds audio of the device; `first` is the number of its first frame. A gap restarts the
    /// resampler.
    pub(super) fn push(&mut self, first: i64, samples: &[f32]) {
        let held = (self.input.len() / self.channels) as i64;
        if self.input_start + held != first {
            self.restart(first);
        }
        self.input.extend_from_slice(samples);
        let most = self.rate_in as usize * MAX_INPUT_SECONDS;
        let held = self.input.len() / self.channels;
        if held > most {
            // The newest half stays.
            let gone = held - most / 2;
            self.input.drain(..gone * self.channels);
            self.input_start += gone as i64;
            self.position = None;
        }
    }

    /// Resets the state. The next input begins with frame `first`.
    pub(super) fn restart(&mut self, first: i64) {
        self.input.clear();
        self.made.clear();
        self.input_start = first;
        self.position = None;
        self.resampler.reset();
    }

    /// Fills `out` with the audio that was captured from `at` on, according to the device's rate
    /// `pace`.
    pub(super) fn pull(&mut self, pace: &DeviceRate, at: Timestamp, out: &mut [f32]) -> Pulled {
        let Some(wanted) = pace.frame_at(at) else {
            out.fill(0.0);
            return Pulled::Silence;
        };
        let step = pace.rate() / self.rate_out;
        // The frames in `made` exist already: the resampler must continue after them.
        let ahead = (self.made.len() / self.channels) as f64 * step;
        let off = self.position.map(|position| wanted + ahead - position);
        let jump = off.is_none_or(|off| off.abs() > JUMP_THRESHOLD_SECONDS * self.rate_in);
        if jump && !self.seek(wanted) {
            out.fill(0.0);
            return Pulled::Silence;
        }
        let error = if jump { 0.0 } else { off.unwrap_or(0.0) };
        let bend = error / (CORRECTION_SECONDS * self.rate_in);
        let step = step * (1.0 + bend.clamp(-MAX_PITCH_CHANGE, MAX_PITCH_CHANGE));
        let nominal = self.rate_in / self.rate_out;
        let relative = (nominal / step).clamp(1.0 / 1.019, 1.019);
        if self.resampler.set_resample_ratio_relative(relative, false).is_err() {
            self.position = None;
        }
        let step = nominal / relative;
        while self.made.len() < out.len() {
            if !self.make(step) {
                // The existing frames are played, and the rest of the block is silence. The
                // position advances with time.
                let (first, rest) = out.split_at_mut(self.made.len().min(out.len()));
                first.copy_from_slice(&self.made);
                rest.fill(0.0);
                self.made.clear();
                self.position = None;
                return Pulled::Silence;
            }
        }
        let length = out.len();
        for (out, made) in out.iter_mut().zip(self.made.drain(..length)) {
            *out = made;
        }
        Pulled::Audio
    }

    /// Moves to the device frame `wanted`. Returns false if that frame has not arrived yet, or is
    /// older than the stored frames.
    fn seek(&mut self, wanted: f64) -> bool {
        let held = (self.input.len() / self.channels) as i64;
        // Start slightly earlier, so that the filter has history.
        let lead = self.resampler.output_delay() as f64 * self.rate_in / self.rate_out;
        let begin = (wanted - lead).floor() as i64;
        if begin < self.input_start {
            if wanted < self.input_start as f64 {
                // This position is before the first frame of the device.
                return false;
            }
        } else if begin >= self.input_start + held {
            return false;
        }
        let begin = begin.max(self.input_start);
        let skip = usize::try_from(begin - self.input_start).unwrap_or(0);
        self.input.drain(..skip * self.channels);
        self.input_start = begin;
        self.made.clear();
        self.resampler.reset();
        let step = self.rate_in / self.rate_out;
        // The first `output_delay` output frames belong to the time before `begin`.
        let delay = self.resampler.output_delay() as f64;
        self.position = Some(begin as f64 - delay * step);
        while self.position.is_some_and(|position| position + step < wanted) {
            let before = self.made.len();
            if !self.make(step) {
                self.made.clear();
                self.position = None;
                return false;
            }
            let fresh = (self.made.len() - before) / self.channels;
            let first = self.position.unwrap_or(wanted) - fresh as f64 * step;
            let drop = ((wanted - first) / step).floor().clamp(0.0, fresh as f64) as usize;
            self.made.drain(..before + drop * self.channels);
        }
        true
    }

    /// Produces one chunk. Returns false if input is missing.
    fn make(&mut self, step: f64) -> bool {
        let needed = self.resampler.input_frames_next();
        let Some(input) = self.input.get(..needed * self.channels) else { return false };
        let Ok(input) = InterleavedSlice::new(input, self.channels, needed) else { return false };
        let output = InterleavedSlice::new_mut(&mut self.scratch, self.channels, CHUNK_FRAMES);
        let Ok(mut output) = output else { return false };
        let indexing = None::<&Indexing>;
        let done = self.resampler.process_into_buffer(&input, &mut output, indexing);
        let Ok((taken, given)) = done else { return false };
        self.input.drain(..taken * self.channels);
        self.input_start += taken as i64;
        self.made.extend(self.scratch.iter().take(given * self.channels));
        if let Some(position) = &mut self.position {
            *position += given as f64 * step;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::FrameGrid;
    use crate::media::markers::{OnsetReader, Schedule};

    /// Simulates the random lateness of callbacks, up to a millisecond.
    struct Jitter(u64);

    impl Jitter {
        /// Returns the arrival time of audio that was sent at this second.
        fn after(&mut self, seconds: f64) -> Timestamp {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let late = (self.0 >> 40) as f64 / f64::from(1 << 24) * 1e-3;
            Timestamp::from_micros(((seconds + late) * 1e6) as i64)
        }
    }

    /// Plays the test tone through a device with an inaccurate crystal and jittering callbacks.
    /// After the first seconds, the output must match the session clock to the millisecond.
    fn drifting(ppm: f64, rate_in: u32, seconds: i64) {
        let rate_out = 48_000;
        let real = f64::from(rate_in) * (1.0 + ppm * 1e-6);
        let grid = FrameGrid { origin: Timestamp::ZERO, rate: "30".parse().unwrap() };
        let schedule = Schedule::new(grid, 1_790_000_000_123_456);
        let mut pace = DeviceRate::new(rate_in);
        let mut aligner = ClockAligner::new(rate_in, rate_out, 1).unwrap();
        let mut reader = OnsetReader::new(rate_out);
        let (mut onsets, mut short, mut sent) = (Vec::new(), 0, 0_i64);
        let mut jitter = Jitter(1);
        let buffer = i64::from(rate_in) / 100;
        for block in 0..seconds * 100 {
            let at = Timestamp::from_millis(block * 10);
            // The mixer requests a block 35 ms after its end.
            let now = 0.045 + block as f64 * 0.01;
            while (sent + buffer) as f64 / real < now {
                // The device captures the tone at the true time of its frame.
                let samples: Vec<f32> = (sent..sent + buffer)
                    .map(|frame| {
                        let true_sample = frame as f64 / real * 1e6;
                        let mut out = [0.0];
                        schedule.tone(true_sample as i64, 1_000_000, 1, &mut out);
                        out[0]
                    })
                    .collect();
                pace.observe(sent, jitter.after(sent as f64 / real));
                aligner.push(sent, &samples);
                sent += buffer;
            }
            let mut out = vec![0.0; 480];
            short += usize::from(aligner.pull(&pace, at, &mut out) == Pulled::Silence);
            reader.push(at, 1, &out, |onset| onsets.push(onset));
        }
        assert!(short <= 3, "{ppm} ppm: {short} blocks short");
        let found = pace.drift_ppm().unwrap();
        assert!((found - ppm).abs() < 20.0, "{ppm} ppm: measured {found}");
        // The loop locks in the first seconds.
        let frames = (0..seconds * 30).filter(|&frame| schedule.flash_starts(frame));
        let starts: Vec<_> = frames.map(|frame| grid.instant(frame)).collect();
        let settled: Vec<_> =
            onsets.iter().filter(|onset| onset.as_millis() > 6_000).copied().collect();
        assert!(settled.len() as i64 >= seconds - 8, "{} tones", settled.len());
        for onset in settled {
            let off = starts.iter().map(|start| onset.micros_since(*start)).min_by_key(|d| d.abs());
            assert!(off.is_some_and(|off| off.abs() <= 1_000), "{ppm} ppm at {onset:?}: {off:?}");
        }
    }

    #[test]
    fn stays_in_step_with_a_device_that_is_200_ppm_off() {
        drifting(200.0, 48_000, 60);
        drifting(-200.0, 44_100, 40);
    }

    /// Tests ten hours with a sine whose period is ten seconds. At a sample rate of 250 Hz, the
    /// test takes only seconds, and the control loops, which work in seconds, behave as at any
    /// other rate.
    #[test]
    fn ten_hours_of_a_crystal_that_is_200_ppm_off_stay_in_step() {
        const TEST_SAMPLE_RATE: u32 = 250;
        let value = |seconds: f64| (seconds / 10.0).fract() * std::f64::consts::TAU;
        for ppm in [200.0, -200.0] {
            let real = f64::from(TEST_SAMPLE_RATE) * (1.0 + ppm * 1e-6);
            let mut pace = DeviceRate::new(TEST_SAMPLE_RATE);
            let mut aligner = ClockAligner::new(TEST_SAMPLE_RATE, TEST_SAMPLE_RATE, 1).unwrap();
            let (mut sent, mut short, mut worst) = (0_i64, 0, 0.0_f64);
            let mut jitter = Jitter(1);
            let mut out = [0.0; 100];
            for block in 0..90_000_i64 {
                // The block is requested two seconds late, because the filter is long at this rate.
                let now = 2.4 + block as f64 * 0.4;
                while (sent + 25) as f64 / real < now {
                    let samples: Vec<f32> = (sent..sent + 25)
                        .map(|frame| value(frame as f64 / real).sin() as f32)
                        .collect();
                    pace.observe(sent, jitter.after(sent as f64 / real));
                    aligner.push(sent, &samples);
                    sent += 25;
                }
                let at = Timestamp::from_millis(block * 400);
                short += usize::from(aligner.pull(&pace, at, &mut out) == Pulled::Silence);
                if block < 150 {
                    continue;
                }
                for (index, sample) in out.iter().enumerate() {
                    let wanted =
                        value(block as f64 * 0.4 + index as f64 / f64::from(TEST_SAMPLE_RATE));
                    worst = worst.max((f64::from(*sample) - wanted.sin()).abs());
                }
            }
            // The error as a time, at the steepest part of the sine.
            let late = worst * 10.0 / std::f64::consts::TAU;
            assert!(late < 0.005, "{ppm} ppm: {late} s off");
            assert!(short <= 20, "{ppm} ppm: {short} blocks short");
            let found = pace.drift_ppm().unwrap();
            assert!((found - ppm).abs() < 10.0, "{ppm} ppm: measured {found}");
        }
    }

    #[test]
    fn stays_in_step_with_an_exact_device() {
        drifting(0.0, 48_000, 30);
    }

    #[test]
    fn audio_that_always_comes_too_late_does_not_accumulate() {
        let mut pace = DeviceRate::new(8_000);
        let mut aligner = ClockAligner::new(8_000, 8_000, 2).unwrap();
        let mut out = [0.0; 160];
        for block in 0..3_000_i64 {
            // The device delivers its audio a second after the mixer's request.
            let at = Timestamp::from_millis(block * 10);
            pace.observe(block * 80, at - std::time::Duration::from_secs(1));
            aligner.push(block * 80, &[0.25; 160]);
            assert_eq!(aligner.pull(&pace, at, &mut out), Pulled::Silence);
            assert!(aligner.input.len() <= 2 * 8_000 * MAX_INPUT_SECONDS);
        }
        // The newest audio is still available.
        let at = Timestamp::from_millis(28_900);
        assert_eq!(aligner.pull(&pace, at, &mut out), Pulled::Audio);
    }

    #[test]
    fn a_gap_in_the_device_is_silence_and_then_audio_again() {
        let mut pace = DeviceRate::new(48_000);
        let mut aligner = ClockAligner::new(48_000, 48_000, 2).unwrap();
        let mut out = vec![1.0; 960];
        assert_eq!(aligner.pull(&pace, Timestamp::ZERO, &mut out), Pulled::Silence);
        assert!(out.iter().all(|&s| s == 0.0));
        let block = vec![0.25; 960];
        let mut frame = 0;
        let mut whole = 0;
        for tick in 0..300_i64 {
            let at = Timestamp::from_millis(tick * 10);
            // The device is silent from 1.0 to 1.5 s. After that, its frame numbers jump.
            if !(100..150).contains(&tick) {
                pace.observe(frame, at);
                aligner.push(frame, &block);
                frame += 480;
            } else if tick == 149 {
                frame += 7;
            }
            let filled = aligner.pull(&pace, at - std::time::Duration::from_millis(30), &mut out);
            whole += usize::from(filled == Pulled::Audio && tick > 200);
            assert!(out.iter().all(|s| s.abs() < 0.5));
        }
        assert!(whole > 95, "{whole}");
    }
}
