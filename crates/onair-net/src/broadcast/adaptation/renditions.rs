//! Chooses which targets get the main encode, and which get the second encode because of a slow
//! link. The change to the second encode is immediate, and the change back is slow. This module is
//! pure: it takes link estimates, and returns renditions.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::base::Timestamp;
use crate::media::{BitsPerSecond, RenditionId};

/// The share of the main encode below which a link gets the second encode.
const MIN_MAIN_BITRATE_SHARE: f64 = 0.9;
/// Maximum bitrate of the second encode as a share of the bitrate of the main encode. A higher
/// bitrate would not help.
const MAX_RENDITION_BITRATE_SHARE: f64 = 0.7;
/// The minimum time for which a target keeps the second encode. This time doubles after each failed
/// return.
const MIN_RENDITION_HOLD: Duration = Duration::from_secs(12);
/// The maximum to which the minimum time grows after failed returns.
const MAX_RENDITION_HOLD: Duration = Duration::from_secs(300);
/// A return that is followed by a slow link within this time has failed.
const RETURN_TRIAL_DURATION: Duration = Duration::from_secs(30);
/// The second encode continues for this long after the last target has left it.
const IDLE_ENCODE_TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Clone, Debug)]
struct RenditionLoad {
    rendition_id: RenditionId,
    since: Timestamp,
    patience: Duration,
    returned: Option<Timestamp>,
}

/// Chooses the renditions for all targets of a broadcast.
#[derive(Clone, Debug, Default)]
pub struct RenditionChoice {
    targets: BTreeMap<u32, RenditionLoad>,
    /// The time at which the second rendition was last needed.
    needed: Option<Timestamp>,
}

impl RenditionChoice {
    /// Takes the link estimate of a target, and the bitrate of the main encode (`main`). Returns
    /// the rendition for the target.
    pub fn note(
        &mut self,
        now: Timestamp,
        id: u32,
        carries: BitsPerSecond,
        main: BitsPerSecond,
    ) -> RenditionId {
        let standing = self.targets.entry(id).or_insert(RenditionLoad {
            rendition_id: RenditionId::Main,
            since: now,
            patience: MIN_RENDITION_HOLD,
            returned: None,
        });
        let failed =
            standing.returned.is_some_and(|returned| now.since(returned) < RETURN_TRIAL_DURATION);
        match standing.rendition_id {
            RenditionId::Main
                if f64::from(carries.0) < MIN_MAIN_BITRATE_SHARE * f64::from(main.0) =>
            {
                standing.patience = if failed {
                    (standing.patience * 2).min(MAX_RENDITION_HOLD)
                } else {
                    MIN_RENDITION_HOLD
                };
                (standing.rendition_id, standing.since) = (RenditionId::Second, now);
            }
            RenditionId::Second
                if carries >= main && now.since(standing.since) >= standing.patience =>
            {
                (standing.rendition_id, standing.since) = (RenditionId::Main, now);
                standing.returned = Some(now);
            }
            RenditionId::Main | RenditionId::Second => {}
        }
        if standing.rendition_id == RenditionId::Second {
            self.needed = Some(now);
        }
        standing.rendition_id
    }

    /// Returns the last choice for a target.
    pub fn rendition_id(&self, id: u32) -> RenditionId {
        self.targets.get(&id).map_or(RenditionId::Main, |standing| standing.rendition_id)
    }

    /// Removes a target.
    pub fn forget(&mut self, id: u32) {
        self.targets.remove(&id);
    }

    /// Removes all targets except these.
    pub fn keep(&mut self, ids: &[u32]) {
        self.targets.retain(|id, _| ids.contains(id));
    }

    /// Gives all targets the main encode again.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Returns true if the second encode should run.
    pub fn needs_second(&self, now: Timestamp) -> bool {
        self.targets.values().any(|standing| standing.rendition_id == RenditionId::Second)
            || self.needed.is_some_and(|needed| now.since(needed) < IDLE_ENCODE_TIMEOUT)
    }
}

/// Returns the bitrate of the second encode, for the slowest link among its targets. The estimate
/// of a link is never below the minimum bitrate of its target.
pub fn second_bitrate(slowest: BitsPerSecond, main: BitsPerSecond) -> BitsPerSecond {
    let most = (f64::from(main.0) * MAX_RENDITION_BITRATE_SHARE) as u32;
    BitsPerSecond(slowest.0.min(most))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAIN_BITRATE: BitsPerSecond = BitsPerSecond(2_500_000);
    const LOW_BITRATE: BitsPerSecond = BitsPerSecond(900_000);

    fn at(second: i64) -> Timestamp {
        Timestamp::from_millis(second * 1_000)
    }

    #[test]
    fn a_narrow_link_gets_less_at_once_and_all_again_with_patience() {
        let mut ladder = RenditionChoice::default();
        assert_eq!(ladder.note(at(0), 1, MAIN_BITRATE, MAIN_BITRATE), RenditionId::Main);
        assert!(!ladder.needs_second(at(0)));
        assert_eq!(ladder.note(at(1), 1, LOW_BITRATE, MAIN_BITRATE), RenditionId::Second);
        assert_eq!(
            ladder.note(at(1), 2, MAIN_BITRATE, MAIN_BITRATE),
            RenditionId::Main,
            "the other is left alone"
        );
        assert!(ladder.needs_second(at(1)));
        let most = BitsPerSecond(2_499_999);
        assert_eq!(
            ladder.note(at(60), 1, most, MAIN_BITRATE),
            RenditionId::Second,
            "not all of it"
        );
        assert_eq!(ladder.note(at(61), 1, MAIN_BITRATE, MAIN_BITRATE), RenditionId::Main);
        assert!(ladder.needs_second(at(65)) && !ladder.needs_second(at(71)));
    }

    #[test]
    fn a_return_that_failed_is_tried_less_often() {
        let mut ladder = RenditionChoice::default();
        let (mut moves, mut rendition_id, mut since) = (0, RenditionId::Main, 0);
        // The link carries the second encode but not the main one, and appears good in between.
        for second in 0..600 {
            let carries = if rendition_id == RenditionId::Main && second - since >= 2 {
                LOW_BITRATE
            } else {
                MAIN_BITRATE
            };
            let now = ladder.note(at(second), 1, carries, MAIN_BITRATE);
            if now != rendition_id {
                (moves, rendition_id, since) = (moves + 1, now, second);
            }
        }
        assert!((6..=12).contains(&moves), "{moves}");
    }

    #[test]
    fn who_is_gone_needs_nothing() {
        let mut ladder = RenditionChoice::default();
        ladder.note(at(0), 1, LOW_BITRATE, MAIN_BITRATE);
        ladder.keep(&[2]);
        assert!(ladder.needs_second(at(5)) && !ladder.needs_second(at(20)));
        assert_eq!(ladder.rendition_id(1), RenditionId::Main);
    }

    #[test]
    fn the_second_is_less_than_the_main_one() {
        let rate = |kbps: u32| BitsPerSecond(kbps * 1_000);
        assert_eq!(second_bitrate(LOW_BITRATE, MAIN_BITRATE), LOW_BITRATE);
        assert_eq!(second_bitrate(MAIN_BITRATE, MAIN_BITRATE), rate(1_750));
        assert_eq!(second_bitrate(rate(300), rate(200)), rate(140));
    }
}
