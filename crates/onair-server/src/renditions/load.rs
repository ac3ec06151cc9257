//! The measured load of this computer's CPU, and the measured CPU time of an encoder.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;

use crate::media::{FrameRate, Size};

/// The assumed cost of an encoder before the first measurement, in nanoseconds per macroblock: 720p30
/// needs a quarter of a core.
const DEFAULT_MACROBLOCK_NANOS: u64 = 2_300;
/// The assumed cost of a decoder in nanoseconds per macroblock: 1080p30 needs a seventh of a core.
const DECODED_MACROBLOCK_NANOS: u64 = 600;
/// The weight of a new measurement in the mean is one divided by this number.
const SMOOTHING_DIVISOR: u64 = 64;

/// The measured load.
#[derive(Debug)]
pub(crate) struct CpuLoad {
    share: Mutex<CpuShare>,
    /// The cost in nanoseconds per encoded macroblock.
    cost: AtomicU64,
}

/// Shares of all cores, from 0 to 1.
#[derive(Debug, Default)]
struct CpuShare {
    measured: f64,
    /// The expected shares of renditions that began since the last measurement, and in the interval before it. A
    /// measurement contains only a part of what began during its interval.
    reserved: [f64; 2],
}

/// The reason why a rendition gets no CPU time.
#[derive(Copy, Clone, Debug, PartialEq)]
pub(crate) struct CpuShortage {
    /// The share of all cores that would be in use.
    pub share: f64,
    /// True if only reservations leave no room. The next measurements replace them, often by less.
    pub is_passing: bool,
}

impl Default for CpuLoad {
    fn default() -> Self {
        Self { share: Mutex::default(), cost: AtomicU64::new(DEFAULT_MACROBLOCK_NANOS) }
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

    /// Reserves the time of one more encoder for frames of this size, and that of a decoder if `decoded` is the size of
    /// a stream that is not decoded yet.
    ///
    /// # Errors
    /// Reserves nothing if a larger share of all cores than `limit` would be in use.
    pub fn reserve(
        &self,
        size: Size,
        decoded: Option<Size>,
        rate: FrameRate,
        limit: f64,
    ) -> Result<(), CpuShortage> {
        let cost = |size: Size, nanos: u64| u64::from(size.macroblocks()).saturating_mul(nanos);
        let encoder = cost(size, self.cost.load(Ordering::Relaxed));
        let decoder = decoded.map_or(0, |size| cost(size, DECODED_MACROBLOCK_NANOS));
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get) as f64;
        let needed = encoder.saturating_add(decoder) as f64 * rate.as_f64() / 1e9 / cores;
        let mut share = self.share.lock();
        let [recent, before] = share.reserved;
        let expected = share.measured + recent + before + needed;
        if expected > limit {
            return Err(CpuShortage {
                share: expected,
                is_passing: share.measured + needed <= limit,
            });
        }
        share.reserved = [recent + needed, before];
        Ok(())
    }

    /// Records a measurement.
    pub fn set(&self, measured: f32) {
        let mut share = self.share.lock();
        let [recent, _] = share.reserved;
        *share = CpuShare { measured: f64::from(measured), reserved: [0.0, recent] };
    }
}

/// Returns the number of cores that renditions of these sizes need while each of them is watched, with the
/// decoder of the stream, before anything is measured.
pub(crate) fn expected_cores(renditions: &[Size], stream: Size, rate: FrameRate) -> f64 {
    let cost = |size: &Size, nanos: u64| u64::from(size.macroblocks()).saturating_mul(nanos);
    let encoders: u64 = renditions.iter().map(|size| cost(size, DEFAULT_MACROBLOCK_NANOS)).sum();
    let decoder = if renditions.is_empty() { 0 } else { cost(&stream, DECODED_MACROBLOCK_NANOS) };
    encoders.saturating_add(decoder) as f64 * rate.as_f64() / 1e9
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: Size = Size::new(1_280, 720);

    /// Returns the share of all cores that one more encoder would need together with the rest.
    fn with_encoder(load: &CpuLoad) -> f64 {
        load.reserve(SIZE, None, FrameRate::FPS_30, -1.0).unwrap_err().share
    }

    #[test]
    fn an_encoder_is_expected_to_cost_what_others_did() {
        let load = CpuLoad::default();
        let cheap = with_encoder(&load);
        load.set(0.5);
        let busy = with_encoder(&load);
        assert!((busy - cheap - 0.5).abs() < 0.001, "{cheap} {busy}");
        let decoded = load.reserve(SIZE, Some(SIZE), FrameRate::FPS_30, -1.0);
        assert!(decoded.unwrap_err().share > busy);
        for _ in 0..1_000 {
            load.note(SIZE, Duration::from_millis(40));
        }
        assert!(with_encoder(&load) > busy);
    }

    #[test]
    fn encoders_that_begin_together_must_fit_together() {
        let load = CpuLoad::default();
        load.set(0.5);
        let limit = 0.5 + (with_encoder(&load) - 0.5) * 1.5;
        let reserve = || load.reserve(SIZE, None, FrameRate::FPS_30, limit);
        assert!(reserve().is_ok());
        let shortage = reserve().unwrap_err();
        assert!(shortage.is_passing && shortage.share > limit);
        // The next measurement contains only a part of the encoder's time.
        load.set(0.5);
        assert!(reserve().is_err());
        load.set(0.5);
        assert!(reserve().is_ok());
        load.set(1.0);
        assert!(!reserve().unwrap_err().is_passing);
    }
}
