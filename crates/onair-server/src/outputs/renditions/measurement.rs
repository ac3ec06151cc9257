//! Measures the load of the CPU.

use std::time::Duration;

use sysinfo::System;
use tokio::time::{MissedTickBehavior, interval};

use crate::server::registry::Registry;

/// Interval between measurements.
const MEASUREMENT_INTERVAL: Duration = Duration::from_secs(1);

/// Measures the CPU load until the server stops, while something can be encoded: renditions from the rules,
/// or a rendition for WebRTC.
pub(crate) async fn measure(registry: &Registry) {
    let mut system = match System::new() {
        Ok(system) => system,
        Err(error) => return tracing::warn!(%error, "the CPU load is unknown"),
    };
    let mut ticks = interval(MEASUREMENT_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let stopped = registry.stopped();
    tokio::pin!(stopped);
    loop {
        tokio::select! {
            biased;
            () = &mut stopped => return,
            _ = ticks.tick() => {
                if !registry.rules().renditions.has_any() && registry.webrtc.endpoint().is_none() {
                    continue;
                }
                system.refresh_cpu_usage();
                registry.transcoders.load.set(system.global_cpu_usage() / 100.0);
            }
        }
    }
}
