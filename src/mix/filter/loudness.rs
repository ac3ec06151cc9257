//! The leveler: measures short-term loudness (EBU R 128, 3 s) and moves a gain towards what the
//! target needs, slowly enough that nobody hears it move. Pauses do not count as quiet.

use ebur128::{EbuR128, Mode};

use crate::mix::block::{Shape, factor, ramp, within};

/// Below this it is a pause, LUFS.
const PAUSE_LUFS: f64 = -50.0;
/// The fastest the gain moves, decibels a second.
const UP_DB_A_SECOND: f32 = 3.0;
const DOWN_DB_A_SECOND: f32 = 6.0;
/// The most it takes away.
const LEAST_DB: f32 = -30.0;

pub(super) struct Leveler {
    /// `None` where this sound cannot be measured: it passes as it is.
    meter: Option<EbuR128>,
    target: f32,
    most: f32,
    gain_db: f32,
    factor: f32,
    rate: f32,
}

impl Leveler {
    pub(super) fn new(target_lufs: f32, most_db: f32, shape: Shape) -> Self {
        let channels = u32::try_from(shape.channels).unwrap_or(0);
        let mut leveler = Self {
            meter: EbuR128::new(channels, shape.rate, Mode::S).ok(),
            target: 0.0,
            most: 0.0,
            gain_db: 0.0,
            factor: 1.0,
            rate: shape.rate as f32,
        };
        leveler.adjust(target_lufs, most_db);
        leveler
    }

    pub(super) fn adjust(&mut self, target_lufs: f32, most_db: f32) {
        self.target = within(target_lufs, -40.0, -5.0, -16.0);
        self.most = within(most_db, 0.0, 40.0, 18.0);
    }

    pub(super) fn process(&mut self, block: &mut [f32], channels: usize) {
        let Some(meter) = &mut self.meter else { return };
        if meter.add_frames_f32(block).is_err() {
            return;
        }
        let loudness = meter.loudness_shortterm().unwrap_or(f64::NEG_INFINITY);
        let now = meter.loudness_window(400).unwrap_or(f64::NEG_INFINITY);
        if loudness.is_finite() && now > PAUSE_LUFS {
            let wish = (self.target - loudness as f32).clamp(LEAST_DB, self.most);
            let seconds = (block.len() / channels) as f32 / self.rate;
            let step =
                (wish - self.gain_db).clamp(-DOWN_DB_A_SECOND * seconds, UP_DB_A_SECOND * seconds);
            self.gain_db += step;
        }
        ramp(&mut self.factor, factor(self.gain_db), channels, block);
    }
}
