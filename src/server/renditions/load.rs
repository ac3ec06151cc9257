//! The measured load of this computer's CPU, and the measured CPU time of an encoder.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use crate::media::{FrameRate, Size};

/// The assumed cost of an encoder before the first measurement, in nanoseconds per macroblock: 720p30
/// needs a quarter of a core.
const DEFAULT_MACROBLOCK_NANOS: u64 = 2_300;
/// The weight of a new measurement in the mean is one divided by this number.
const SMOOTHING_DIVISOR: u64 = 64;

/// The measured load.
#[derive(Debug)]
pub(in crate::server) struct CpuLoad {
    /// The share of all cores that is in use, as the bits of an `f32`.
    share: AtomicU32,
    /// The cost in nanoseconds per encoded macroblock.
    cost: AtomicU64,
}

impl Default for CpuLoad {
    fn default() -> Self {
        Self { share: AtomicU32::new(0), cost: AtomicU64::new(DEFAULT_MACROBLOCK_NANOS) }
    }
}

impl CpuLoad {
    /// Records how long encoding a frame took.
    pub fn note(&self, size: Size, took: Duration) {
        let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        let cost = nanos / u64::from(size.macroblocks().max(1));
        let before = self.cost.load(Ordering::Relaxed);
        let mean = (before * (SMOOTHING_DIVISOR - 1)).saturating_add(cost) / SMOOTHING_DIVISOR;
        self.cost.store(mean, Ordering::Relaxed);
    }

    /// Returns the share of all cores, from 0 to 1, that would be in use with one more encoder.
    pub fn with_encoder(&self, size: Size, rate: FrameRate) -> f64 {
        let macroblocks = f64::from(size.macroblocks()) * rate.as_f64();
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get) as f64;
        let needed = macroblocks * self.cost.load(Ordering::Relaxed) as f64 / 1e9;
        f64::from(f32::from_bits(self.share.load(Ordering::Relaxed))) + needed / cores
    }

    pub fn set(&self, share: f32) {
        self.share.store(share.to_bits(), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_encoder_is_expected_to_cost_what_others_did() {
        let load = CpuLoad::default();
        let size = Size::new(1_280, 720);
        let cheap = load.with_encoder(size, FrameRate::FPS_30);
        load.set(0.5);
        let busy = load.with_encoder(size, FrameRate::FPS_30);
        assert!((busy - cheap - 0.5).abs() < 0.001, "{cheap} {busy}");
        for _ in 0..1_000 {
            load.note(size, Duration::from_millis(40));
        }
        assert!(load.with_encoder(size, FrameRate::FPS_30) > busy);
    }
}
