//! The settings of filters: plain values.

use std::ops::RangeInclusive;
use std::sync::Arc;

use crate::media::{FilterParameter, FilterSlot, NumericSettings, ParameterUnit};
use crate::mix::plugin::{Plugin, PluginId};
use crate::mix::strip_id::StripId;

/// Maximum number of filters of one strip.
pub const MAX_FILTERS: usize = 16;

/// The middle frequencies of the ten-band equalizer, in Hz.
pub const TEN_BAND_FREQUENCIES_HZ: [f32; 10] =
    [31.25, 62.5, 125.0, 250.0, 500.0, 1_000.0, 2_000.0, 4_000.0, 8_000.0, 16_000.0];

/// An audio filter with its on/off state.
pub type Slot = FilterSlot<Filter>;

/// The settings of one filter. Levels are in dB or dBFS, times in milliseconds. Values outside
/// their ranges are clamped when the filter is created.
#[derive(Clone, Debug, PartialEq)]
pub enum Filter {
    /// Changes the level by -60…+30 dB.
    Gain { db: f32 },
    /// Reduces the frequencies below `hz` (20…20,000) by 12 dB per octave.
    HighPass { hz: f32 },
    /// Reduces the frequencies above `hz` (20…20,000) by 12 dB per octave.
    LowPass { hz: f32 },
    /// Suppresses everything except voices, with RNNoise. `amount`, 0…1, is the share of cleaned
    /// audio.
    Denoise { amount: f32 },
    /// Mutes the audio below `close_dbfs`, until the level exceeds `open_dbfs`.
    Gate { open_dbfs: f32, close_dbfs: f32, attack_ms: f32, hold_ms: f32, release_ms: f32 },
    /// Reduces audio below the threshold by 1:`ratio`.
    Expander { threshold_dbfs: f32, ratio: f32, attack_ms: f32, release_ms: f32, gain_db: f32 },
    /// Reduces the rise of audio above the threshold to 1/`ratio`. With a `side_chain`, the level
    /// of that strip controls the reduction (ducking).
    Compressor {
        threshold_dbfs: f32,
        ratio: f32,
        attack_ms: f32,
        release_ms: f32,
        gain_db: f32,
        side_chain: Option<StripId>,
    },
    /// Limits every sample to the threshold, with a look-ahead of 5 ms.
    Limiter { threshold_dbfs: f32, release_ms: f32 },
    /// Equalizes with a low shelf at 250 Hz, a bell at 1 kHz and a high shelf at 4 kHz, each
    /// -20…+20 dB.
    ThreeBand { low_db: f32, middle_db: f32, high_db: f32 },
    /// Equalizes with ten bells, an octave apart ([`TEN_BAND_FREQUENCIES_HZ`]), each -20…+20 dB.
    TenBand { db: [f32; 10] },
    /// Moves the short-term loudness slowly to the target, by at most `most_db` upwards.
    Loudness { target_lufs: f32, most_db: f32 },
    /// Filters with a plugin, in a process of its own.
    Plugin(Arc<Plugin>),
}

impl Filter {
    /// The default filter of each kind that onair itself has.
    pub const ALL_KINDS: [Self; 11] = [
        Self::Gain { db: 0.0 },
        Self::HighPass { hz: 80.0 },
        Self::LowPass { hz: 15_000.0 },
        Self::Denoise { amount: 1.0 },
        Self::Gate {
            open_dbfs: -36.0,
            close_dbfs: -42.0,
            attack_ms: 5.0,
            hold_ms: 200.0,
            release_ms: 150.0,
        },
        Self::Expander {
            threshold_dbfs: -40.0,
            ratio: 2.0,
            attack_ms: 10.0,
            release_ms: 50.0,
            gain_db: 0.0,
        },
        Self::Compressor {
            threshold_dbfs: -18.0,
            ratio: 4.0,
            attack_ms: 6.0,
            release_ms: 60.0,
            gain_db: 0.0,
            side_chain: None,
        },
        Self::Limiter { threshold_dbfs: -1.0, release_ms: 60.0 },
        Self::ThreeBand { low_db: 0.0, middle_db: 0.0, high_db: 0.0 },
        Self::TenBand { db: [0.0; 10] },
        Self::Loudness { target_lufs: -16.0, most_db: 18.0 },
    ];

    /// Returns the name of the filter's kind in settings.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Gain { .. } => "gain",
            Self::HighPass { .. } => "high-pass",
            Self::LowPass { .. } => "low-pass",
            Self::Denoise { .. } => "denoise",
            Self::Gate { .. } => "gate",
            Self::Expander { .. } => "expander",
            Self::Compressor { .. } => "compressor",
            Self::Limiter { .. } => "limiter",
            Self::ThreeBand { .. } => "three-band",
            Self::TenBand { .. } => "ten-band",
            Self::Loudness { .. } => "loudness",
            Self::Plugin(_) => Self::PLUGIN,
        }
    }

    /// Returns the plugin, if the filter is one.
    pub fn plugin(&self) -> Option<&Arc<Plugin>> {
        match self {
            Self::Plugin(plugin) => Some(plugin),
            _ => None,
        }
    }

    /// Returns the filter for another strip: a plugin gets a process of its own.
    #[must_use]
    pub fn separate(&self) -> Self {
        match self {
            Self::Plugin(plugin) => Self::Plugin(Arc::new(plugin.separate())),
            other => other.clone(),
        }
    }

    /// Returns the strip that controls the filter, if another strip controls it.
    pub const fn side_chain(&self) -> Option<StripId> {
        match self {
            Self::Compressor { side_chain, .. } => *side_chain,
            _ => None,
        }
    }
}

/// The unit of a parameter.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Unit {
    Decibels,
    /// Decibels below full scale.
    Dbfs,
    Lufs,
    Hertz,
    Milliseconds,
    /// A ratio from 1 to the maximum.
    Ratio,
    /// 0…1, displayed in percent.
    Share,
}

impl ParameterUnit for Unit {
    fn symbol(self) -> &'static str {
        match self {
            Self::Decibels => "dB",
            Self::Dbfs => "dBFS",
            Self::Lufs => "LUFS",
            Self::Hertz => "Hz",
            Self::Milliseconds => "ms",
            Self::Ratio | Self::Share => "",
        }
    }
}

/// A numeric parameter of an audio filter.
pub type Parameter = FilterParameter<Unit>;

fn number<'a>(
    name: &'static str,
    value: &'a mut f32,
    unit: Unit,
    range: RangeInclusive<f32>,
) -> (Parameter, &'a mut f32) {
    (Parameter { name, unit, range, rest: *value }, value)
}

/// Names of the ten bands.
const BAND_NAMES: [&str; 10] = [
    "hz_31", "hz_62", "hz_125", "hz_250", "hz_500", "hz_1000", "hz_2000", "hz_4000", "hz_8000",
    "hz_16000",
];

impl Filter {
    /// The name of the kind of plugins.
    pub const PLUGIN: &'static str = "plugin";

    /// Returns the default filter of the kind with this name. That of plugins has no plugin yet.
    pub fn of_kind(kind: &str) -> Option<Self> {
        if kind == Self::PLUGIN {
            return Some(Self::Plugin(Arc::new(Plugin::new(PluginId::default()))));
        }
        Self::ALL_KINDS.into_iter().find(|filter| filter.kind() == kind)
    }
}

impl NumericSettings for Filter {
    type Unit = Unit;

    fn default_of_kind(&self) -> Self {
        Self::of_kind(self.kind()).unwrap_or_else(|| self.clone())
    }

    fn numbers(&mut self) -> Vec<(Parameter, &mut f32)> {
        use Unit::{Dbfs, Decibels, Hertz, Lufs, Milliseconds, Ratio, Share};
        match self {
            Self::Gain { db } => vec![number("db", db, Decibels, -60.0..=30.0)],
            Self::HighPass { hz } | Self::LowPass { hz } => {
                vec![number("hz", hz, Hertz, 20.0..=20_000.0)]
            }
            Self::Denoise { amount } => vec![number("amount", amount, Share, 0.0..=1.0)],
            Self::Gate { open_dbfs, close_dbfs, attack_ms, hold_ms, release_ms } => vec![
                number("open_dbfs", open_dbfs, Dbfs, -96.0..=0.0),
                number("close_dbfs", close_dbfs, Dbfs, -96.0..=0.0),
                number("attack_ms", attack_ms, Milliseconds, 0.1..=500.0),
                number("hold_ms", hold_ms, Milliseconds, 0.0..=3_000.0),
                number("release_ms", release_ms, Milliseconds, 1.0..=3_000.0),
            ],
            Self::Expander { threshold_dbfs, ratio, attack_ms, release_ms, gain_db } => vec![
                number("threshold_dbfs", threshold_dbfs, Dbfs, -96.0..=0.0),
                number("ratio", ratio, Ratio, 1.0..=20.0),
                number("attack_ms", attack_ms, Milliseconds, 0.1..=500.0),
                number("release_ms", release_ms, Milliseconds, 1.0..=3_000.0),
                number("gain_db", gain_db, Decibels, -32.0..=32.0),
            ],
            Self::Compressor { threshold_dbfs, ratio, attack_ms, release_ms, gain_db, .. } => vec![
                number("threshold_dbfs", threshold_dbfs, Dbfs, -60.0..=0.0),
                number("ratio", ratio, Ratio, 1.0..=32.0),
                number("attack_ms", attack_ms, Milliseconds, 0.1..=500.0),
                number("release_ms", release_ms, Milliseconds, 1.0..=3_000.0),
                number("gain_db", gain_db, Decibels, -32.0..=32.0),
            ],
            Self::Limiter { threshold_dbfs, release_ms } => vec![
                number("threshold_dbfs", threshold_dbfs, Dbfs, -60.0..=0.0),
                number("release_ms", release_ms, Milliseconds, 1.0..=1_000.0),
            ],
            Self::ThreeBand { low_db, middle_db, high_db } => vec![
                number("low_db", low_db, Decibels, -20.0..=20.0),
                number("middle_db", middle_db, Decibels, -20.0..=20.0),
                number("high_db", high_db, Decibels, -20.0..=20.0),
            ],
            Self::TenBand { db } => {
                let bands = BAND_NAMES.iter().zip(db);
                bands.map(|(name, db)| number(name, db, Decibels, -20.0..=20.0)).collect()
            }
            Self::Loudness { target_lufs, most_db } => vec![
                number("target_lufs", target_lufs, Lufs, -40.0..=-5.0),
                number("most_db", most_db, Decibels, 0.0..=40.0),
            ],
            // The plugin itself knows its parameters.
            Self::Plugin(_) => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_found_by_its_name_and_set_within_its_ranges() {
        for filter in Filter::ALL_KINDS {
            assert_eq!(Filter::of_kind(filter.kind()), Some(filter.clone()));
            let mut filter = filter;
            let parameters = filter.parameters();
            assert_eq!(parameters.len(), filter.values().len());
            for (index, parameter) in parameters.iter().enumerate() {
                let value = *filter.values()[index];
                assert!(parameter.range.contains(&value), "{filter:?} {}", parameter.name);
                for (input, expected) in [
                    (1e9, *parameter.range.end()),
                    (-1e9, *parameter.range.start()),
                    (f32::NAN, *parameter.range.start()),
                ] {
                    assert!(filter.set(parameter.name, input));
                    assert_eq!(*filter.values()[index], expected);
                }
            }
            assert!(!filter.set("colour", 1.0));
        }
        assert_eq!(Filter::of_kind("reverb"), None);
    }
}
