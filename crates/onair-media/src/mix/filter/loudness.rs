//! The leveler measures short-term loudness (EBU R 128, 3 s), and moves the gain towards the target
//! so slowly that the change is inaudible. Pauses do not count as quiet audio.

use ebur128::{EbuR128, Mode};

use crate::mix::block::{Shape, factor, ramp, within};
use crate::mix::loudness_window::LoudnessWindow;

/// The loudness in LUFS below which audio is a pause.
const PAUSE_LUFS: f64 = -50.0;
/// Maximum increase of the gain in decibels per second.
const MAX_RISE_DB_PER_SECOND: f32 = 3.0;
/// Maximum decrease of the gain in decibels per second.
const MAX_FALL_DB_PER_SECOND: f32 = 6.0;
/// The lowest gain in decibels.
const MIN_GAIN_DB: f32 = -30.0;

pub struct Leveler {
    /// The loudness meter, or `None` if this audio cannot be measured. The audio then passes
    /// unchanged.
    meter: Option<EbuR128>,
    loudness_window: LoudnessWindow,
    /// The last loudness, computed ten times per second, or `None` in a pause.
    last_loudness: Option<f32>,
    target: f32,
    most: f32,
    gain_db: f32,
    factor: f32,
    rate: f32,
}

impl Leveler {
    pub fn new(target_lufs: f32, most_db: f32, shape: Shape) -> Self {
        let channels = u32::try_from(shape.channels).unwrap_or(0);
        let mut leveler = Self {
            meter: EbuR128::new(channels, shape.rate, Mode::M).ok(),
            loudness_window: LoudnessWindow::default(),
            last_loudness: None,
            target: 0.0,
            most: 0.0,
            gain_db: 0.0,
            factor: 1.0,
            rate: shape.rate as f32,
        };
        leveler.adjust(target_lufs, most_db);
        leveler
    }

    pub fn adjust(&mut self, target_lufs: f32, most_db: f32) {
        self.target = within(target_lufs, -40.0, -5.0, -16.0);
        self.most = within(most_db, 0.0, 40.0, 18.0);
    }

    pub fn process(&mut self, block: &mut [f32], channels: usize) {
        let Some(meter) = &mut self.meter else { return };
        if meter.add_frames_f32(block).is_err() {
            return;
        }
        if self.loudness_window.follow(meter, block.len() / channels.max(1)) {
            let (loudness, now) =
                (self.loudness_window.short_term(), self.loudness_window.momentary());
            let is_audible = loudness.is_finite() && now > PAUSE_LUFS;
            self.last_loudness = is_audible.then_some(loudness as f32);
        }
        if let Some(loudness) = self.last_loudness {
            let wanted_db = (self.target - loudness).clamp(MIN_GAIN_DB, self.most);
            let seconds = (block.len() / channels) as f32 / self.rate;
            let step = (wanted_db - self.gain_db)
                .clamp(-MAX_FALL_DB_PER_SECOND * seconds, MAX_RISE_DB_PER_SECOND * seconds);
            self.gain_db += step;
        }
        ramp(&mut self.factor, factor(self.gain_db), channels, block);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEREO_48_KHZ: Shape = Shape { rate: 48_000, channels: 2 };

    /// A reference implementation that uses the library's own windows after each block.
    struct Plain {
        meter: EbuR128,
        gain_db: f32,
    }

    impl Plain {
        /// Processes a block, and returns true if the gain has settled.
        fn process(&mut self, block: &[f32]) -> bool {
            self.meter.add_frames_f32(block).unwrap();
            let loudness = self.meter.loudness_shortterm().unwrap();
            let now = self.meter.loudness_window(400).unwrap();
            if loudness.is_finite() && now > PAUSE_LUFS {
                let wanted_db = (-16.0 - loudness as f32).clamp(MIN_GAIN_DB, 20.0);
                self.gain_db += (wanted_db - self.gain_db)
                    .clamp(-MAX_FALL_DB_PER_SECOND / 100.0, MAX_RISE_DB_PER_SECOND / 100.0);
                return (wanted_db - self.gain_db).abs() < 0.01;
            }
            false
        }
    }

    #[test]
    fn loudness_is_worked_out_ten_times_a_second_and_the_gain_is_as_if_it_always_were() {
        let mut leveler = Leveler::new(-16.0, 20.0, STEREO_48_KHZ);
        let meter = EbuR128::new(2, STEREO_48_KHZ.rate, Mode::S).unwrap();
        let mut plain = Plain { meter, gain_db: 0.0 };
        let (mut last, mut news, mut settled) = (None, 0, 0);
        for block in 0..8_000_usize {
            // Sentences of different loudness, with pauses.
            let (second, sentence) = (block % 1_000, block / 1_000);
            let level = if second < 800 { [0.02, 0.05, 0.01, 0.1][sentence % 4] } else { 0.0 };
            let sample = |at: usize| level * ((block * 480 + at / 2) as f32 * 0.13).sin();
            let mut samples: Vec<f32> = (0..960).map(sample).collect();
            let has_come = plain.process(&samples);
            leveler.process(&mut samples, 2);
            news += usize::from(leveler.last_loudness != last);
            last = leveler.last_loudness;
            // A pause is detected up to a tenth of a second later.
            if (100..800).contains(&second) && block > 1_000 {
                let apart = (leveler.gain_db - plain.gain_db).abs();
                assert!(apart < 1.0, "block {block}: {apart} dB");
            }
            if second == 799 && has_come {
                settled += 1;
                let apart = (leveler.gain_db - plain.gain_db).abs();
                assert!(apart < 0.1, "block {block}: {apart} dB");
            }
        }
        assert!(news > 100 && news <= 800 && settled > 2, "{news} {settled}");
    }
}
