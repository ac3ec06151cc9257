//! Detects when the clock of a publisher and the wall clock have drifted apart. This module is pure.

use std::time::Duration;

/// Duration of an observation. Media arrives late, but never early, so the smallest offset counts.
const OBSERVATION_DURATION: Duration = Duration::from_mins(1);
/// A larger drift is corrected.
const MAX_DRIFT: Duration = Duration::from_secs(1);

/// The detector of drift.
#[derive(Debug, Default)]
pub(super) struct Drift {
    observation: Option<Observation>,
}

#[derive(Copy, Clone, Debug)]
struct Observation {
    /// The span of the media.
    span: u64,
    /// The start, in microseconds since 1970.
    since: i64,
    /// The smallest offset so far, in microseconds.
    least: i64,
}

impl Drift {
    /// Takes the offset of media that has just arrived: wall clock minus stream time, in microseconds. `span` and
    /// `anchor` are the span of the media, and its offset in manifests. Returns the offset for the next span if it
    /// differs too much.
    pub fn observe(&mut self, wall: i64, offset: i64, (span, anchor): (u64, i64)) -> Option<i64> {
        // The wall clock may be set back.
        let begun = self.observation.filter(|it| it.span == span && it.since <= wall);
        let Observation { since, least, .. } =
            begun.unwrap_or(Observation { span, since: wall, least: offset });
        let least = least.min(offset);
        let lasted = u64::try_from(wall.saturating_sub(since)).unwrap_or_default();
        if Duration::from_micros(lasted) < OBSERVATION_DURATION {
            self.observation = Some(Observation { span, since, least });
            return None;
        }
        self.observation = None;
        Some(least).filter(|it| Duration::from_micros(it.abs_diff(anchor)) > MAX_DRIFT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn late_media_is_no_drift_unless_it_stays_late() {
        let mut drift = Drift::default();
        let mut observe = |second: i64, offset_ms: i64, span| {
            drift.observe(second * 1_000_000, offset_ms * 1_000, (span, 0))
        };
        for second in 0..60 {
            // A congested network delays all media but one packet.
            let offset = if second == 30 { 900 } else { 5_000 };
            assert_eq!(observe(second, offset, 1), None);
        }
        assert_eq!(observe(60, 5_000, 1), None);
        for second in 61..121 {
            assert_eq!(observe(second, 1_100, 1), None);
        }
        assert_eq!(observe(121, 1_200, 1), Some(1_100_000));
        // The observation begins again with each span.
        assert_eq!(observe(122, -9_000, 1), None);
        assert_eq!(observe(180, -1_100, 2), None);
        assert_eq!(observe(239, -1_000, 2), None);
        assert_eq!(observe(240, -1_000, 2), Some(-1_100_000));
        // The observation also begins again if the wall clock is set back.
        assert_eq!(observe(241, 0, 2), None);
        assert_eq!(observe(100, -141_000, 2), None);
        assert_eq!(observe(160, -141_000, 2), Some(-141_000_000));
    }
}
