//! Measures the actual rate of a device with a delay-locked loop over the times of its callbacks,
//! after F. Adriaensen, "Using a DLL to filter time" (2005). The loop smooths the jitter of the
//! callbacks, and measures the device's rate against the session clock.

use std::f64::consts::{SQRT_2, TAU};

use crate::base::Timestamp;

/// Maximum deviation in seconds that counts as jitter. A larger deviation means that samples were
/// lost or the device paused.
const MAX_JITTER_SECONDS: f64 = 0.15;
/// Limit in seconds for the effect of one callback, so that a single late callback does not pull
/// the loop.
const MAX_CALLBACK_EFFECT_SECONDS: f64 = 0.004;
/// Maximum deviation of a device in parts per million, beyond that of any crystal.
const MAX_DEVIATION_PPM: f64 = 2_000.0;
/// The time in seconds after which the measured rate is displayed.
const SETTLING_SECONDS: f64 = 10.0;

/// A delay-locked loop that measures the rate of a device.
#[derive(Clone, Debug)]
pub(super) struct DeviceRate {
    nominal_period: f64,
    state: Option<Locked>,
}

#[derive(Clone, Debug)]
struct Locked {
    /// The device frame whose time is `at`.
    frame: i64,
    /// Filtered time in seconds on the session clock.
    at: f64,
    /// Filtered duration of a frame in seconds.
    period: f64,
    /// Seconds since the loop was locked.
    age: f64,
}

impl DeviceRate {
    pub(super) fn new(rate: u32) -> Self {
        Self { nominal_period: 1.0 / f64::from(rate.max(1)), state: None }
    }

    /// Records that `frame` of the device was captured at `at`. Returns false for the first
    /// observation and for one that does not fit; both reset the loop.
    pub(super) fn observe(&mut self, frame: i64, at: Timestamp) -> bool {
        let at = at.as_secs_f64();
        let nominal = self.nominal_period;
        let fresh = Locked { frame, at, period: nominal, age: 0.0 };
        let Some(locked) = &mut self.state else {
            self.state = Some(fresh);
            return false;
        };
        let frames = (frame - locked.frame) as f64;
        if frames <= 0.0 {
            return true;
        }
        let predicted = locked.at + frames * locked.period;
        let error = at - predicted;
        let lasted = frames * nominal;
        if error.abs() > MAX_JITTER_SECONDS + lasted {
            self.state = Some(fresh);
            return false;
        }
        locked.age += lasted;
        let bandwidth = match locked.age {
            age if age < 1.0 => 1.0,
            age if age < 5.0 => 0.2,
            age if age < 20.0 => 0.06,
            _ => 0.02,
        };
        // At first, the whole error counts: the first callbacks of a stream come in a burst.
        let clip = if locked.age < 1.0 { MAX_JITTER_SECONDS } else { MAX_CALLBACK_EFFECT_SECONDS };
        let error = error.clamp(-clip, clip);
        let omega = TAU * bandwidth * lasted;
        locked.at = predicted + (SQRT_2 * omega).min(1.0) * error;
        locked.frame = frame;
        if locked.age > 1.0 {
            let range = nominal * MAX_DEVIATION_PPM * 1e-6;
            let period = locked.period + omega * omega * error / frames;
            locked.period = period.clamp(nominal - range, nominal + range);
        }
        true
    }

    /// Returns the frame (with fraction) that was captured at `at`, or `None` before the first
    /// observation.
    pub(super) fn frame_at(&self, at: Timestamp) -> Option<f64> {
        let locked = self.state.as_ref()?;
        Some(locked.frame as f64 + (at.as_secs_f64() - locked.at) / locked.period)
    }

    /// Returns the measured frames per second.
    pub(super) fn rate(&self) -> f64 {
        1.0 / self.state.as_ref().map_or(self.nominal_period, |locked| locked.period)
    }

    /// Returns the deviation of the device's rate from its nominal value, once known.
    pub(super) fn drift_ppm(&self) -> Option<f64> {
        let locked = self.state.as_ref().filter(|locked| locked.age > SETTLING_SECONDS)?;
        Some((self.nominal_period / locked.period - 1.0) * 1e6)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_rate_through_jitter() {
        for ppm in [-300.0, 0.0, 200.0] {
            let rate = 48_000.0 * (1.0 + ppm * 1e-6);
            let mut pace = DeviceRate::new(48_000);
            let mut seed = 1_u64;
            for callback in 0..12_000_i64 {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let jitter = (seed >> 40) as f64 / f64::from(1 << 24) * 2e-3;
                let frame = callback * 480;
                let late = if callback % 997 == 5 { 0.03 } else { jitter };
                let at = ((frame as f64 / rate + late) * 1e6) as i64;
                assert_eq!(pace.observe(frame, Timestamp::from_micros(at)), callback != 0);
            }
            let found = pace.drift_ppm().unwrap();
            assert!((found - ppm).abs() < 10.0, "{ppm}: {found}");
            let at = Timestamp::from_micros(100_000_000);
            let error = pace.frame_at(at).unwrap() - (100.0 - 1e-3) * rate;
            assert!(error.abs() < 48.0, "{error}");
        }
    }

    #[test]
    fn a_gap_starts_afresh() {
        let mut pace = DeviceRate::new(48_000);
        pace.observe(0, Timestamp::ZERO);
        assert!(pace.observe(480, Timestamp::from_millis(10)));
        assert!(!pace.observe(960, Timestamp::from_millis(900)));
        assert!(pace.observe(960, Timestamp::from_millis(900)));
    }
}
