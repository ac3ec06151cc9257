//! The gate, the expander and the compressor, whose gain depends on the level. All channels get the
//! same gain, so that the stereo image does not shift.

use crate::mix::block::{Shape, decibels, factor, loudest, within};
use crate::mix::filter::settings::Filter;

/// The gate, which opens and closes with hysteresis and with transitions.
pub struct Gate {
    open: f32,
    close: f32,
    /// The change of the gain per sample while the gate opens.
    rise: f32,
    /// The change of the gain per sample while the gate closes.
    fall: f32,
    /// Number of samples for which the gate stays open after the level has fallen.
    hold: u32,
    level: f32,
    /// The decay of the level per sample, so that the zero crossings of a wave do not close the
    /// gate.
    sag: f32,
    is_open: bool,
    held: u32,
    gain: f32,
}

impl Gate {
    pub fn new(filter: &Filter, shape: Shape) -> Self {
        let mut gate = Self {
            open: 0.0,
            close: 0.0,
            rise: 1.0,
            fall: 1.0,
            hold: 0,
            level: 0.0,
            sag: shape.smoothing(15.0),
            is_open: false,
            held: 0,
            gain: 0.0,
        };
        gate.adjust(filter, shape);
        gate
    }

    pub fn adjust(&mut self, filter: &Filter, shape: Shape) -> bool {
        let Filter::Gate { open_dbfs, close_dbfs, attack_ms, hold_ms, release_ms } = *filter else {
            return false;
        };
        let open = within(open_dbfs, -96.0, 0.0, -36.0);
        self.open = factor(open);
        self.close = factor(within(close_dbfs, -96.0, 0.0, -42.0).min(open));
        let step = |ms: f32, otherwise: f32| {
            1.0 / (within(ms, 0.1, 10_000.0, otherwise) / 1_000.0 * shape.rate as f32).max(1.0)
        };
        self.rise = step(attack_ms, 5.0);
        self.fall = step(release_ms, 150.0);
        self.hold = (within(hold_ms, 0.0, 10_000.0, 200.0) / 1_000.0 * shape.rate as f32) as u32;
        true
    }

    pub fn process(&mut self, block: &mut [f32], channels: usize) {
        for frame in block.chunks_mut(channels) {
            self.level = loudest(frame).max(self.level * self.sag);
            if self.level >= self.open {
                self.is_open = true;
                self.held = self.hold;
            } else if self.level >= self.close {
                self.held = self.hold;
            } else if self.held > 0 {
                self.held -= 1;
            } else {
                self.is_open = false;
            }
            self.gain = if self.is_open {
                (self.gain + self.rise).min(1.0)
            } else {
                (self.gain - self.fall).max(0.0)
            };
            frame.iter_mut().for_each(|sample| *sample *= self.gain);
        }
    }
}

/// The minimum reduction that has an effect.
const MIN_REDUCTION_DB: f32 = 1e-5;

/// A level in decibels that rises with the attack time and falls with the release time.
#[derive(Copy, Clone)]
struct Envelope {
    rise: f32,
    fall: f32,
    db: f32,
}

impl Envelope {
    fn follow(&mut self, level_db: f32) -> f32 {
        let keep = if level_db > self.db { self.rise } else { self.fall };
        self.db = level_db + (self.db - level_db) * keep;
        self.db
    }
}

/// A peak detector in front of the envelopes. The detector bridges the time between the peaks of a
/// wave.
#[derive(Copy, Clone)]
struct Crest {
    level: f32,
    sag: f32,
}

impl Crest {
    fn of(&mut self, frame: &[f32]) -> f32 {
        self.level = loudest(frame).max(self.level * self.sag);
        self.level
    }
}

/// The downward expander.
pub struct Expander {
    threshold: f32,
    ratio: f32,
    gain_db: f32,
    crest: Crest,
    envelope: Envelope,
}

impl Expander {
    pub fn new(filter: &Filter, shape: Shape) -> Self {
        let mut expander = Self {
            threshold: 0.0,
            ratio: 1.0,
            gain_db: 0.0,
            crest: Crest { level: 0.0, sag: shape.smoothing(10.0) },
            envelope: Envelope { rise: 0.0, fall: 0.0, db: -120.0 },
        };
        expander.adjust(filter, shape);
        expander
    }

    pub fn adjust(&mut self, filter: &Filter, shape: Shape) -> bool {
        let Filter::Expander { threshold_dbfs, ratio, attack_ms, release_ms, gain_db } = *filter
        else {
            return false;
        };
        self.threshold = within(threshold_dbfs, -96.0, 0.0, -40.0);
        self.ratio = within(ratio, 1.0, 20.0, 2.0);
        self.gain_db = within(gain_db, -32.0, 32.0, 0.0);
        self.envelope.rise = shape.smoothing(within(attack_ms, 0.1, 1_000.0, 10.0));
        self.envelope.fall = shape.smoothing(within(release_ms, 1.0, 10_000.0, 50.0));
        true
    }

    pub fn process(&mut self, block: &mut [f32], channels: usize) {
        for frame in block.chunks_mut(channels) {
            let level = self.envelope.follow(decibels(self.crest.of(frame)));
            let below = (self.threshold - level).max(0.0);
            let gain = factor(self.gain_db - (below * (self.ratio - 1.0)).min(60.0));
            frame.iter_mut().for_each(|sample| *sample *= gain);
        }
    }
}

/// The compressor. The level of this strip or of another one controls the gain.
pub struct Compressor {
    threshold: f32,
    /// The reduction of the part above the threshold, 0…1.
    slope: f32,
    gain_db: f32,
    crest: Crest,
    /// The envelope of the reduction in decibels.
    envelope: Envelope,
}

impl Compressor {
    pub fn new(filter: &Filter, shape: Shape) -> Self {
        let mut compressor = Self {
            threshold: 0.0,
            slope: 0.0,
            gain_db: 0.0,
            crest: Crest { level: 0.0, sag: shape.smoothing(10.0) },
            envelope: Envelope { rise: 0.0, fall: 0.0, db: 0.0 },
        };
        compressor.adjust(filter, shape);
        compressor
    }

    pub fn adjust(&mut self, filter: &Filter, shape: Shape) -> bool {
        let Filter::Compressor { threshold_dbfs, ratio, attack_ms, release_ms, gain_db, .. } =
            *filter
        else {
            return false;
        };
        self.threshold = within(threshold_dbfs, -60.0, 0.0, -18.0);
        self.slope = 1.0 - 1.0 / within(ratio, 1.0, 32.0, 4.0);
        self.gain_db = within(gain_db, -32.0, 32.0, 0.0);
        self.envelope.rise = shape.smoothing(within(attack_ms, 0.1, 1_000.0, 6.0));
        self.envelope.fall = shape.smoothing(within(release_ms, 1.0, 10_000.0, 60.0));
        true
    }

    pub fn process(&mut self, block: &mut [f32], key: Option<&[f32]>, channels: usize) {
        let mut keys = key.map(|key| key.chunks(channels));
        let (quiet, bare) = (factor(self.threshold), factor(self.gain_db));
        for frame in block.chunks_mut(channels) {
            let level = match &mut keys {
                Some(keys) => self.crest.of(keys.next().unwrap_or_default()),
                None => self.crest.of(frame),
            };
            // Most frames of most audio are below the threshold, and need no logarithm.
            let over =
                if level > quiet { (decibels(level) - self.threshold).max(0.0) } else { 0.0 };
            let reduction = self.envelope.follow(over * self.slope);
            if over == 0.0 && reduction < MIN_REDUCTION_DB {
                self.envelope.db = 0.0;
            }
            let gain =
                if self.envelope.db == 0.0 { bare } else { factor(self.gain_db - reduction) };
            frame.iter_mut().for_each(|sample| *sample *= gain);
        }
    }
}
