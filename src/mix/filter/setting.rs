//! What filters are set to: plain values.

use crate::mix::id::StripId;

/// The most filters of one strip.
pub const MOST_FILTERS: usize = 16;

/// The middle frequencies of the ten-band equalizer, in Hz.
pub const TEN_BANDS_HZ: [f32; 10] =
    [31.25, 62.5, 125.0, 250.0, 500.0, 1_000.0, 2_000.0, 4_000.0, 8_000.0, 16_000.0];

/// A filter and whether it is on.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct Slot {
    /// Off: sound passes as it is.
    pub enabled: bool,
    pub filter: Filter,
}

/// One filter's settings. Levels in dB or dBFS, times in milliseconds; values beyond the ranges
/// given are brought into them when the filter is built.
#[derive(Copy, Clone, Debug, PartialEq)]
pub enum Filter {
    /// Louder or quieter, -60…+30 dB.
    Gain { db: f32 },
    /// Takes away what is below, 20…20,000 Hz, 12 dB an octave.
    HighPass { hz: f32 },
    /// Takes away what is above, 20…20,000 Hz, 12 dB an octave.
    LowPass { hz: f32 },
    /// RNNoise: takes away what is no voice; `amount` 0…1 is how much of the cleaned sound is heard.
    Denoise { amount: f32 },
    /// Silence below `close_dbfs`, until the level passes `open_dbfs`.
    Gate { open_dbfs: f32, close_dbfs: f32, attack_ms: f32, hold_ms: f32, release_ms: f32 },
    /// What is below the threshold becomes quieter still, 1:`ratio`.
    Expander { threshold_dbfs: f32, ratio: f32, attack_ms: f32, release_ms: f32, gain_db: f32 },
    /// What is above the threshold grows only by 1/`ratio`. With a `side_chain` the level of that
    /// strip decides (ducking).
    Compressor {
        threshold_dbfs: f32,
        ratio: f32,
        attack_ms: f32,
        release_ms: f32,
        gain_db: f32,
        side_chain: Option<StripId>,
    },
    /// No sample leaves above the threshold; looks 5 ms ahead.
    Limiter { threshold_dbfs: f32, release_ms: f32 },
    /// Low shelf at 250 Hz, bell at 1 kHz, high shelf at 4 kHz, each -20…+20 dB.
    ThreeBand { low_db: f32, middle_db: f32, high_db: f32 },
    /// Ten bells an octave apart ([`TEN_BANDS_HZ`]), each -20…+20 dB.
    TenBand { db: [f32; 10] },
    /// Brings the short-term loudness to the target, slowly, by at most `most_db` up.
    Loudness { target_lufs: f32, most_db: f32 },
}

impl Filter {
    /// One of each kind as it is when just added.
    pub const KINDS: [Self; 11] = [
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

    /// The name of its kind, as settings spell it.
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
        }
    }

    /// The strip whose level decides, where it is another's.
    pub const fn side_chain(&self) -> Option<StripId> {
        match self {
            Self::Compressor { side_chain, .. } => *side_chain,
            _ => None,
        }
    }
}
