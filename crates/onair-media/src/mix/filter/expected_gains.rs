//! The expected effect of filters on a tone, for tests of the chain alone and through a real audio
//! server (`tests/devices/filters.rs` includes this file).

use super::Filter;

/// A tone that passes through a filter.
pub struct Case {
    pub filter: Filter,
    pub hz: f32,
    /// The level of the tone's peaks.
    pub dbfs: f32,
    pub expected: Expected,
}

/// The expected gain in decibels.
#[derive(Copy, Clone, Debug)]
pub enum Expected {
    /// Approximately this gain, with a tolerance.
    About(f32, f32),
    /// At most this gain.
    Below(f32),
}

impl Expected {
    /// Returns true if the gain is as expected. `slack` is the tolerance of the audio path.
    pub fn is_met(self, gain: f32, slack: f32) -> bool {
        match self {
            Self::About(expected, tolerance) => (gain - expected).abs() <= tolerance + slack,
            Self::Below(most) => gain < most,
        }
    }
}

/// Returns all cases: tones of 440 Hz and 1 kHz for every kind of filter.
pub fn cases() -> Vec<Case> {
    let gate = |open_dbfs: f32| Filter::Gate {
        open_dbfs,
        close_dbfs: open_dbfs - 6.0,
        attack_ms: 5.0,
        hold_ms: 50.0,
        release_ms: 50.0,
    };
    let compressor = |threshold_dbfs, gain_db| Filter::Compressor {
        threshold_dbfs,
        ratio: 4.0,
        attack_ms: 5.0,
        release_ms: 100.0,
        gain_db,
        side_chain: None,
    };
    let expander = |threshold_dbfs| Filter::Expander {
        threshold_dbfs,
        ratio: 2.0,
        attack_ms: 5.0,
        release_ms: 100.0,
        gain_db: 0.0,
    };
    let limiter = |threshold_dbfs| Filter::Limiter { threshold_dbfs, release_ms: 60.0 };
    let three = Filter::ThreeBand { low_db: 0.0, middle_db: 6.0, high_db: 0.0 };
    let ten = Filter::TenBand { db: [0.0, 0.0, 0.0, 0.0, 0.0, -9.0, 0.0, 0.0, 0.0, 0.0] };
    let loudness = |target_lufs| Filter::Loudness { target_lufs, most_db: 20.0 };
    let about = |filter, hz, dbfs, gain, tolerance| Case {
        filter,
        hz,
        dbfs,
        expected: Expected::About(gain, tolerance),
    };
    vec![
        about(Filter::Gain { db: 6.0 }, 440.0, -20.0, 6.0, 0.05),
        about(Filter::Gain { db: -12.0 }, 1_000.0, -20.0, -12.0, 0.05),
        about(Filter::HighPass { hz: 440.0 }, 440.0, -20.0, -3.01, 0.1),
        about(Filter::HighPass { hz: 80.0 }, 1_000.0, -20.0, 0.0, 0.1),
        about(Filter::HighPass { hz: 4_000.0 }, 1_000.0, -20.0, -24.5, 0.2),
        about(Filter::LowPass { hz: 1_000.0 }, 1_000.0, -20.0, -3.01, 0.1),
        about(Filter::LowPass { hz: 15_000.0 }, 440.0, -20.0, 0.0, 0.1),
        about(Filter::LowPass { hz: 110.0 }, 440.0, -20.0, -24.1, 0.2),
        about(gate(-30.0), 1_000.0, -20.0, 0.0, 0.1),
        Case { filter: gate(-30.0), hz: 440.0, dbfs: -40.0, expected: Expected::Below(-80.0) },
        about(expander(-20.0), 1_000.0, -30.0, -10.0, 1.0),
        about(expander(-40.0), 440.0, -30.0, 0.0, 0.1),
        about(compressor(-30.0, 0.0), 440.0, -10.0, -15.0, 1.0),
        about(compressor(-30.0, 0.0), 1_000.0, -40.0, 0.0, 0.1),
        about(compressor(-30.0, 6.0), 1_000.0, -10.0, -9.0, 1.0),
        about(limiter(-12.0), 1_000.0, -6.0, -6.0, 0.5),
        about(limiter(-12.0), 440.0, -20.0, 0.0, 0.05),
        about(three.clone(), 1_000.0, -20.0, 6.0, 0.2),
        // The tone is on the slope of the bell filter.
        about(three, 440.0, -20.0, 2.26, 0.2),
        about(Filter::Denoise { amount: 0.0 }, 440.0, -20.0, 0.0, 0.1),
        about(Filter::Denoise { amount: 0.0 }, 1_000.0, -20.0, 0.0, 0.1),
        // The model treats a tone like a voice, which passes however much noise is removed.
        about(Filter::Denoise { amount: 1.0 }, 440.0, -20.0, 0.0, 0.1),
        about(Filter::Denoise { amount: 1.0 }, 1_000.0, -20.0, 0.0, 0.1),
        about(Filter::Denoise { amount: 1.0 }, 440.0, -40.0, 0.0, 0.1),
        // Peaks at -20 dBFS on both channels are -20 LUFS at 1 kHz; R 128 weights 440 Hz 0.6 dB
        // lower.
        about(loudness(-16.0), 440.0, -20.0, 4.6, 0.3),
        about(loudness(-16.0), 1_000.0, -20.0, 4.0, 0.3),
        about(loudness(-26.0), 1_000.0, -20.0, -6.0, 0.3),
        about(ten.clone(), 1_000.0, -20.0, -9.0, 0.2),
        about(ten, 440.0, -20.0, -1.6, 1.0),
    ]
}
