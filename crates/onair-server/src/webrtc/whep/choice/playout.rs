//! The playout delay of a viewer: none on a good link, and enough for a retransmission on one that loses packets.
//! This module is pure.

use std::time::Duration;

/// The share of lost packets at which the delay begins.
const DELAY_START_LOSS: f32 = 0.01;
/// The share of lost packets below which the delay ends.
const DELAY_END_LOSS: f32 = 0.003;
/// Weight of a report in the mean of the losses.
const REPORT_WEIGHT: f32 = 0.2;
/// Time in which a receiver detects a loss and decodes the repaired frame, in addition to the
/// round-trip time.
const REPAIR_TIME: Duration = Duration::from_millis(80);
/// Assumed and maximum round-trip time.
const DEFAULT_ROUND_TRIP: Duration = Duration::from_millis(50);
const MAX_ROUND_TRIP: Duration = Duration::from_millis(400);

/// The losses of a viewer.
#[derive(Debug, Default)]
pub(in crate::webrtc) struct Playout {
    loss: f32,
    delay: Duration,
}

impl Playout {
    /// Handles a report about the share of lost packets, from 0 to 1.
    pub fn report(&mut self, loss: f32, round_trip: Option<Duration>) {
        let loss = if loss.is_finite() { loss.clamp(0.0, 1.0) } else { 0.0 };
        self.loss += (loss - self.loss) * REPORT_WEIGHT;
        if self.loss >= DELAY_START_LOSS {
            self.delay = round_trip.unwrap_or(DEFAULT_ROUND_TRIP).min(MAX_ROUND_TRIP) + REPAIR_TIME;
        } else if self.loss < DELAY_END_LOSS {
            self.delay = Duration::ZERO;
        }
    }

    /// Returns the minimum time between the arrival of a frame and its display.
    pub fn delay(&self) -> Duration {
        self.delay
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_that_last_bring_a_delay_and_their_end_removes_it() {
        let mut playout = Playout::default();
        let trip = Some(Duration::from_millis(100));
        playout.report(0.02, trip);
        assert_eq!(playout.delay(), Duration::ZERO, "one lost packet");
        (0..2).for_each(|_| playout.report(0.05, trip));
        assert_eq!(playout.delay(), Duration::from_millis(180));
        (0..100).for_each(|_| playout.report(0.006, trip));
        assert_eq!(playout.delay(), Duration::from_millis(180), "it does not go to and fro");
        (0..10).for_each(|_| playout.report(0.0, trip));
        assert_eq!(playout.delay(), Duration::ZERO);
        playout.report(f32::NAN, None);
        (0..9).for_each(|_| playout.report(9.0, Some(Duration::from_secs(60))));
        assert_eq!(playout.delay(), MAX_ROUND_TRIP + REPAIR_TIME);
    }
}
