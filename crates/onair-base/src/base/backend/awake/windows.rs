//! Asks Windows to keep the computer awake.

use std::time::Duration;

use crate::base::Stop;
use crate::platform::power;

/// Keeps the computer awake until the stop is requested.
pub fn hold_awake(stop: &Stop) {
    power::awake_during(|| while !stop.wait(Duration::from_secs(3600)) {});
}
