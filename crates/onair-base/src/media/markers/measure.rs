//! Measures with the markers for audio and time: finds the frames that begin flashes and the starts
//! of tones, and computes the offset between them at presentation.

use std::collections::VecDeque;
use std::f64::consts::TAU;

use super::{BEEP_HZ, TIME_MODULUS};
use crate::base::Timestamp;

/// Finds the first frames of flashes among the frames that a player shows.
#[derive(Debug, Default)]
pub struct FlashReader {
    last: Option<(u64, bool)>,
    /// The shortest step between two times: the frame period.
    period_ms: Option<u64>,
}

impl FlashReader {
    /// Handles the band time and the flash state of the next frame. Returns true if the frame is
    /// certainly the first one of a flash, because the previous frame was read, dark and adjacent.
    pub fn on_frame(&mut self, time_ms: u64, flash: bool) -> bool {
        let Some((last_ms, last_flash)) = self.last.replace((time_ms, flash)) else { return false };
        let step = time_ms.wrapping_sub(last_ms) % TIME_MODULUS;
        if step == 0 {
            // The same frame again.
            self.last = Some((last_ms, last_flash || flash));
            return false;
        }
        if step > 10_000 {
            // Another source, or a long gap.
            self.period_ms = None;
            return false;
        }
        let period = self.period_ms.map_or(step, |period| period.min(step));
        let known = self.period_ms.replace(period).is_some();
        known && flash && !last_flash && step * 2 <= period * 3
    }
}

/// Finds the starts of the 1 kHz tone in audio: the centers of 5 ms Goertzel windows whose
/// magnitude crosses half of its plateau. The magnitude also rises in voices and music, so a start
/// counts only if the audio contains hardly anything but the tone.
#[derive(Debug)]
pub struct OnsetReader {
    rate: u32,
    window: usize,
    hop: usize,
    /// Mono samples that the window has not passed yet.
    samples: VecDeque<f32>,
    /// Index of the first element of `samples`, counted from the last discontinuity.
    position: i64,
    start: Option<Timestamp>,
    /// Magnitude and center of each window, the newest last.
    recent: VecDeque<(i64, f64)>,
    stage: SearchStage,
}

#[derive(Copy, Clone, Debug)]
enum SearchStage {
    /// The reader waits for the tone to rise.
    Quiet,
    /// The tone rises, and reaches its plateau within this many more windows.
    Rising(usize),
    /// The tone has this plateau, and the reader waits for the end of the tone.
    Plateau(f64),
}

impl OnsetReader {
    /// Creates a reader for audio at `rate` samples per second.
    pub fn new(rate: u32) -> Self {
        let rate = rate.max(8_000);
        let window = rate as usize / 200;
        Self {
            rate,
            window,
            hop: (window / 10).max(1),
            samples: VecDeque::new(),
            position: 0,
            start: None,
            recent: VecDeque::new(),
            stage: SearchStage::Quiet,
        }
    }

    /// Handles the next block of interleaved audio, whose first sample is presented at `at`. Calls
    /// `onset` with the presentation time of each start of a tone. A gap or an overlap of more than
    /// 2 ms between this block and the previous one resets the reader.
    pub fn push(
        &mut self,
        at: Timestamp,
        channels: u16,
        data: &[f32],
        mut onset: impl FnMut(Timestamp),
    ) {
        let held = self.position + self.samples.len() as i64;
        let expected = self.start.map(|start| self.instant(start, held as f64));
        if expected.is_none_or(|expected| at.micros_since(expected).abs() > 2_000) {
            self.start = Some(at);
            self.position = 0;
            self.samples.clear();
            self.recent.clear();
            self.stage = SearchStage::Quiet;
        }
        let channels = usize::from(channels.max(1));
        self.samples.extend(data.chunks_exact(channels).filter_map(<[f32]>::first));
        while self.samples.len() >= self.window {
            let magnitude = self.magnitude();
            let centre = self.position + self.window as i64 / 2;
            if let (Some(crossing), Some(start)) = (self.step(centre, magnitude), self.start) {
                onset(self.instant(start, crossing));
            }
            self.samples.drain(..self.hop);
            self.position += self.hop as i64;
        }
        self.rebase();
    }

    /// Advances the reference, so that rounding errors do not accumulate over hours.
    fn rebase(&mut self) {
        let second = i64::from(self.rate);
        if self.position > 10 * second
            && let Some(start) = &mut self.start
        {
            *start = start.offset(1_000_000);
            self.position -= second;
            for (centre, _) in &mut self.recent {
                *centre -= second;
            }
        }
    }

    fn instant(&self, start: Timestamp, sample: f64) -> Timestamp {
        start.offset((sample * 1e6 / f64::from(self.rate)).round() as i64)
    }

    /// Returns the amplitude of the 1 kHz component in the window, where 1.0 is a full-scale sine.
    fn magnitude(&self) -> f64 {
        let coefficient = 2.0 * (TAU * BEEP_HZ / f64::from(self.rate)).cos();
        let (mut s1, mut s2) = (0.0, 0.0);
        for &sample in self.samples.iter().take(self.window) {
            let s0 = f64::from(sample) + coefficient * s1 - s2;
            s2 = s1;
            s1 = s0;
        }
        let power: f64 = s1 * s1 + s2 * s2 - coefficient * s1 * s2;
        power.max(0.0).sqrt() * 2.0 / self.window as f64
    }

    /// Handles the next window, and returns the sample position of an onset once the onset is
    /// certain.
    fn step(&mut self, centre: i64, magnitude: f64) -> Option<f64> {
        // The rise takes one window; two more hops make it certain.
        let rise = self.window / self.hop + 2;
        self.recent.push_back((centre, magnitude));
        while self.recent.len() > 3 * rise {
            self.recent.pop_front();
        }
        match self.stage {
            SearchStage::Quiet => {
                let floor = self.recent.iter().map(|&(_, m)| m).fold(f64::INFINITY, f64::min);
                if magnitude > 0.003 && magnitude > 4.0 * floor {
                    self.stage = SearchStage::Rising(rise);
                }
                None
            }
            SearchStage::Rising(0) => self.crossing(magnitude),
            SearchStage::Rising(left) => {
                self.stage = SearchStage::Rising(left - 1);
                None
            }
            SearchStage::Plateau(plateau) => {
                if magnitude < plateau / 4.0 {
                    self.stage = SearchStage::Quiet;
                    self.recent.clear();
                }
                None
            }
        }
    }

    /// Returns true if the tone has at least two thirds of the energy in the window.
    fn is_pure(&self, magnitude: f64) -> bool {
        let window = self.samples.iter().take(self.window);
        let power: f64 = window.map(|&sample| f64::from(sample).powi(2)).sum();
        magnitude.powi(2) / 2.0 * self.window as f64 > power * 2.0 / 3.0
    }

    /// Returns the sample position at which the rise crossed half of its plateau.
    fn crossing(&mut self, magnitude: f64) -> Option<f64> {
        let plateau = self.recent.iter().map(|&(_, m)| m).fold(0.0, f64::max);
        if magnitude < plateau / 2.0 || !self.is_pure(magnitude) {
            // A click or other audio, not the tone.
            self.stage = SearchStage::Quiet;
            self.recent.clear();
            return None;
        }
        self.stage = SearchStage::Plateau(plateau);
        let half = plateau / 2.0;
        let pairs = self.recent.iter().zip(self.recent.iter().skip(1));
        let ((c0, m0), (c1, m1)) = pairs.rev().find(|((_, a), (_, b))| *a < half && *b >= half)?;
        let part = (half - m0) / (m1 - m0);
        Some(*c0 as f64 + part * (c1 - c0) as f64)
    }
}

/// Pairs flashes with tones by presentation time.
#[derive(Debug, Default)]
pub struct LipSync {
    flashes: VecDeque<Timestamp>,
    onsets: VecDeque<Timestamp>,
    offsets_micros: VecDeque<i64>,
}

impl LipSync {
    /// Maximum distance in microseconds between a flash and a tone of the same second.
    const MAX_OFFSET_MICROS: i64 = 500_000;
    const MAX_OFFSETS: usize = 5;

    /// Records that the first frame of a flash was presented.
    pub fn flash(&mut self, at: Timestamp) {
        push_bounded(&mut self.flashes, at, 4);
        self.pair();
    }

    /// Records that the start of a tone was presented.
    pub fn onset(&mut self, at: Timestamp) {
        push_bounded(&mut self.onsets, at, 4);
        self.pair();
    }

    /// Returns the median of the last five offsets in milliseconds. A positive value means late
    /// audio.
    pub fn offset_ms(&self) -> Option<f64> {
        let mut sorted: Vec<i64> = self.offsets_micros.iter().copied().collect();
        sorted.sort_unstable();
        let upper = *sorted.get(sorted.len() / 2)?;
        let lower = *sorted.get((sorted.len() - 1) / 2)?;
        Some((upper + lower) as f64 / 2_000.0)
    }

    fn pair(&mut self) {
        let reach = |flash: Timestamp, onset: Timestamp| {
            let offset = onset.micros_since(flash);
            (offset.abs() <= Self::MAX_OFFSET_MICROS).then_some(offset)
        };
        let found = self.flashes.iter().enumerate().find_map(|(f, &flash)| {
            let onsets = self.onsets.iter().enumerate();
            onsets.filter_map(|(o, &onset)| Some((f, o, reach(flash, onset)?))).next()
        });
        if let Some((flash, onset, offset)) = found {
            push_bounded(&mut self.offsets_micros, offset, Self::MAX_OFFSETS);
            self.flashes.drain(..=flash);
            self.onsets.drain(..=onset);
        }
    }
}

fn push_bounded<T>(queue: &mut VecDeque<T>, value: T, most: usize) {
    while queue.len() >= most {
        queue.pop_front();
    }
    queue.push_back(value);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::markers::tests::{noise, schedule};

    #[test]
    fn onsets_are_found_to_a_fraction_of_a_millisecond() {
        for (rate, gain) in [(48_000, 1.0), (44_100, 0.3), (16_000, 0.05)] {
            let schedule = schedule("30");
            let origin = schedule.grid().origin;
            let mut reader = OnsetReader::new(rate);
            let mut found = Vec::new();
            let (mut index, mut seed) = (0_i64, 9);
            while index < i64::from(rate) * 15 {
                let mut block = vec![0.0; 1_024 * 2];
                schedule.tone(index, rate, 2, &mut block);
                for value in &mut block {
                    *value = *value * gain + noise(&mut seed, 100) as f32 * 1e-6;
                }
                let at = origin.offset(index * 1_000_000 / i64::from(rate));
                reader.push(at, 2, &block, |onset| found.push(onset));
                index += 1_024;
            }
            let frames = 0..15 * 30;
            let starts: Vec<Timestamp> = frames
                .filter(|&f| schedule.flash_starts(f))
                .map(|f| schedule.grid().instant(f))
                .collect();
            assert_eq!(found.len(), starts.len(), "{rate}");
            for (found, start) in found.iter().zip(starts) {
                let error = found.micros_since(start);
                assert!(error.abs() < 300, "{rate}: {error} µs");
            }
        }
    }

    #[test]
    fn a_voice_is_not_taken_for_the_tone() {
        let rate = 48_000;
        let mut reader = OnsetReader::new(rate);
        // Syllables of a voice at 250 Hz, whose fourth harmonic is the tone's 1 kHz.
        let voice = |at: usize| {
            let seconds = at as f64 / f64::from(rate);
            let harmonics = (1..20).map(|n| (TAU * 250.0 * f64::from(n) * seconds).sin() / 20.0);
            // Three per second, each with a rise of 20 ms.
            let part = (seconds * 3.0).fract();
            let syllable = if part < 0.5 { (part / 0.06).min(1.0) } else { 0.0 };
            (harmonics.sum::<f64>() * syllable) as f32
        };
        let samples: Vec<f32> = (0..rate as usize * 10).map(voice).collect();
        let mut found = 0;
        reader.push(Timestamp::from_micros(0), 1, &samples, |_| found += 1);
        assert_eq!(found, 0);
    }

    #[test]
    fn a_flash_whose_first_frame_was_missed_is_ignored() {
        let schedule = schedule("30");
        let mut reader = FlashReader::default();
        let mut firsts = Vec::new();
        let start = (1..60).find(|&f| schedule.flash_starts(f)).unwrap();
        for frame in 0..200 {
            if frame == start + 30 {
                continue;
            }
            if reader.on_frame(schedule.time_ms(frame), schedule.is_flash(frame)) {
                firsts.push(frame - start);
            }
        }
        assert_eq!(firsts, (0..200 - start).step_by(30).filter(|&f| f != 30).collect::<Vec<_>>());
    }

    #[test]
    fn lip_sync_is_the_median_of_the_last_five() {
        let mut sync = LipSync::default();
        assert_eq!(sync.offset_ms(), None);
        for (second, offset) in [(1, 400), (2, 10), (3, 12), (4, -300), (5, 11), (6, 13)] {
            let flash = Timestamp::from_millis(second * 1_000);
            if second % 2 == 0 {
                sync.flash(flash);
                sync.onset(flash.offset(offset * 1_000));
            } else {
                sync.onset(flash.offset(offset * 1_000));
                sync.flash(flash);
            }
        }
        // A flash without a tone, and a tone without a flash, form no pair.
        sync.flash(Timestamp::from_millis(8_000));
        sync.onset(Timestamp::from_millis(9_600));
        assert_eq!(sync.offset_ms(), Some(11.0));
    }
}
