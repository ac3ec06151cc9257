//! The sample-peak meter: rises at once, falls at 23.53 dB a second, holds the highest peak for
//! 20 s, and lights a clip lamp that stays until it is put out.

/// Fall of the bar, decibels a second.
const DECAY: f32 = 23.53;
/// How long the highest peak stays, seconds.
const HOLD: f32 = 20.0;
/// What silence reads.
pub const FLOOR_DBFS: f32 = -60.0;

/// What the meter shows.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct Reading {
    /// The bar, dBFS, -60 and up.
    pub peak_dbfs: f32,
    /// The highest peak of the last 20 s, dBFS.
    pub held_dbfs: f32,
    /// A sample has reached full scale since the lamp was put out.
    pub clipped: bool,
}

/// The meter.
#[derive(Clone, Debug)]
pub(super) struct Meter {
    reading: Reading,
    held_for: f32,
}

impl Default for Meter {
    fn default() -> Self {
        let reading = Reading { peak_dbfs: FLOOR_DBFS, held_dbfs: FLOOR_DBFS, clipped: false };
        Self { reading, held_for: 0.0 }
    }
}

impl Meter {
    /// Takes a block of sound that lasts `seconds`.
    pub(super) fn push(&mut self, block: &[f32], seconds: f32) {
        let peak = block.iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
        let dbfs = (20.0 * peak.log10()).max(FLOOR_DBFS);
        let fallen = self.reading.peak_dbfs - DECAY * seconds;
        self.reading.peak_dbfs = dbfs.max(fallen).max(FLOOR_DBFS);
        self.held_for += seconds;
        if dbfs >= self.reading.held_dbfs || self.held_for > HOLD {
            self.reading.held_dbfs = self.reading.peak_dbfs;
            self.held_for = 0.0;
        }
        self.reading.clipped |= peak >= 1.0;
    }

    pub(super) fn reading(&self) -> Reading {
        self.reading
    }

    pub(super) fn clear_clip(&mut self) {
        self.reading.clipped = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rises_at_once_falls_steadily_and_holds() {
        let mut meter = Meter::default();
        meter.push(&[0.0, -0.5, 0.1], 0.01);
        assert!((meter.reading().peak_dbfs + 6.02).abs() < 0.01);
        for _ in 0..100 {
            meter.push(&[0.0], 0.01);
        }
        assert!((meter.reading().peak_dbfs + 6.02 + 23.53).abs() < 0.1);
        assert!((meter.reading().held_dbfs + 6.02).abs() < 0.01);
        for _ in 0..2_000 {
            meter.push(&[0.0], 0.01);
        }
        assert_eq!(meter.reading().peak_dbfs, FLOOR_DBFS);
        assert_eq!(meter.reading().held_dbfs, FLOOR_DBFS);
    }

    #[test]
    fn the_clip_lamp_stays_until_it_is_put_out() {
        let mut meter = Meter::default();
        meter.push(&[1.0], 0.01);
        meter.push(&[0.0], 0.01);
        assert!(meter.reading().clipped);
        meter.clear_clip();
        assert!(!meter.reading().clipped);
    }

    #[test]
    fn hostile_samples_do_no_lasting_harm() {
        let mut meter = Meter::default();
        meter.push(&[f32::NAN, 0.5], 0.01);
        assert!(meter.reading().peak_dbfs.is_finite());
    }
}
