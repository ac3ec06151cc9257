//! The picture's bitrate under several targets, each with a link of its own.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::base::Timestamp;
use crate::broadcast::Adapter;
use crate::broadcast::adapt::{EVERY, Sample};
use crate::media::BitsPerSecond;
use crate::studio::quality::{Adapt, Quality};

/// The bitrate has changed.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) struct Changed {
    pub bitrate: BitsPerSecond,
    /// Less than before.
    pub lower: bool,
    /// As much as was set.
    pub full: bool,
    /// One of so many pictures goes out.
    pub frame_step: u32,
}

/// Follows the links of all targets.
#[derive(Debug)]
pub(super) struct Adaptation {
    quality: Quality,
    links: BTreeMap<u32, Adapter>,
    next: Timestamp,
    now: BitsPerSecond,
    /// The stream is held back for so long.
    lag: Duration,
    frame_step: u32,
}

/// With less than this share of the bitrate every second picture is left out…
const HALVE: f64 = 0.5;
/// …until there is this share again.
const WHOLE: f64 = 0.7;

impl Adaptation {
    pub fn new(quality: &Quality) -> Self {
        Self {
            quality: quality.clone(),
            links: BTreeMap::new(),
            next: Timestamp::ZERO,
            now: quality.video_bitrate,
            lag: Duration::ZERO,
            frame_step: 1,
        }
    }

    /// One of so many pictures goes out.
    pub fn frame_step(&self) -> u32 {
        self.frame_step
    }

    fn step(&self) -> u32 {
        let share = f64::from(self.now.0) / f64::from(self.quality.video_bitrate.0.max(1));
        match self.frame_step {
            _ if !self.quality.adapt_frames || self.quality.adapt == Adapt::Off => 1,
            1 if share < HALVE => 2,
            2 if share < WHOLE => 2,
            _ => 1,
        }
    }

    /// What is encoded now reaches the targets so much later.
    pub fn set_lag(&mut self, lag: Duration) {
        if lag != self.lag {
            self.lag = lag;
            self.links.clear();
        }
    }

    /// What the picture may take.
    pub fn bitrate(&self) -> BitsPerSecond {
        self.now
    }

    /// Another wish of the person.
    pub fn set(&mut self, quality: &Quality) {
        if quality.least_bitrate != self.quality.least_bitrate {
            self.links.clear();
        }
        self.quality = quality.clone();
        for link in self.links.values_mut() {
            link.set_most(quality.video_bitrate);
        }
        self.now = self.decide(&[]);
        self.frame_step = self.step();
    }

    /// Looks at the targets, in the order of their list; tells when the bitrate has changed.
    pub fn look(
        &mut self,
        now: Timestamp,
        targets: impl Iterator<Item = (u32, Option<BitsPerSecond>, Sample)>,
    ) -> Option<Changed> {
        if now < self.next || self.quality.adapt == Adapt::Off {
            return None;
        }
        self.next = now + EVERY;
        let quality = &self.quality;
        let mut live = Vec::new();
        for (id, floor, sample) in targets {
            let link = self.links.entry(id).or_insert_with(|| {
                let most = quality.video_bitrate;
                let least = floor.unwrap_or(quality.least_bitrate);
                Adapter::new(most, least, quality.audio_bitrate).delayed(self.lag)
            });
            link.note(sample);
            if sample.live {
                live.push(id);
            }
        }
        live.sort_unstable();
        let before = self.now;
        self.now = self.decide(&live);
        self.frame_step = self.step();
        let frame_step = self.frame_step;
        let (bitrate, full) = (self.now, self.now >= self.quality.video_bitrate);
        (bitrate != before).then_some(Changed {
            bitrate,
            lower: bitrate < before,
            full,
            frame_step,
        })
    }

    /// With nobody live it stays as it was.
    fn decide(&self, live: &[u32]) -> BitsPerSecond {
        let most = self.quality.video_bitrate;
        let rate = |id: &u32| self.links.get(id).map(Adapter::bitrate);
        let wanted = match self.quality.adapt {
            Adapt::Off => Some(most),
            Adapt::Slowest => live.iter().filter_map(rate).min(),
            Adapt::First => live.first().and_then(rate),
        };
        wanted.unwrap_or(if live.is_empty() { self.now } else { most }).min(most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two targets: the first on a wide link, the second on a hopeless one.
    fn run(adapt: Adapt) -> (Adaptation, Vec<Changed>) {
        let mut adaptation = Adaptation::new(&Quality { adapt, ..Quality::default() });
        let mut changes = Vec::new();
        for step in 0..80_u64 {
            let at = Timestamp::from_micros(step as i64 * 250_000);
            let wide = Sample { at, live: true, queued: Duration::ZERO, carried: 2_600_000 };
            let narrow =
                Sample { queued: Duration::from_millis(200 * step), carried: 600_000, ..wide };
            changes.extend(adaptation.look(at, [(1, None, wide), (2, None, narrow)].into_iter()));
        }
        (adaptation, changes)
    }

    #[test]
    fn the_person_says_whose_link_counts() {
        let (slowest, changes) = run(Adapt::Slowest);
        assert!(slowest.bitrate().0 < 700_000, "{:?}", slowest.bitrate());
        assert!(changes.first().is_some_and(|change| change.lower && !change.full));
        for adapt in [Adapt::First, Adapt::Off] {
            let (first, changes) = run(adapt);
            assert_eq!((first.bitrate().0, changes), (2_500_000, Vec::new()));
        }
    }

    #[test]
    fn a_target_may_have_a_floor_of_its_own() {
        let mut adaptation = Adaptation::new(&Quality::default());
        let floor = Some(BitsPerSecond(1_500_000));
        for step in 0..80_u64 {
            let at = Timestamp::from_micros(step as i64 * 250_000);
            let queued = Duration::from_millis(200 * step);
            let narrow = Sample { at, live: true, queued, carried: 400_000 };
            adaptation.look(at, [(1, floor, narrow)].into_iter());
        }
        assert_eq!(adaptation.bitrate(), BitsPerSecond(1_500_000));
    }

    #[test]
    fn below_half_the_bitrate_half_the_pictures_go_out_where_that_is_wanted() {
        for wanted in [true, false] {
            let quality = Quality { adapt_frames: wanted, ..Quality::default() };
            let mut adaptation = Adaptation::new(&quality);
            let mut steps = Vec::new();
            for step in 0..2_000_u64 {
                let at = Timestamp::from_micros(step as i64 * 250_000);
                let slow = step < 80;
                let queued = if slow { Duration::from_secs(1) } else { Duration::ZERO };
                let sample = Sample { at, live: true, queued, carried: 700_000 };
                adaptation.look(at, [(1, None, sample)].into_iter());
                if steps.last() != Some(&adaptation.frame_step()) {
                    steps.push(adaptation.frame_step());
                }
            }
            assert_eq!(adaptation.bitrate(), quality.video_bitrate);
            assert_eq!(steps, if wanted { vec![1, 2, 1] } else { vec![1] });
        }
    }

    #[test]
    fn with_nobody_live_it_stays() {
        let (mut adaptation, _) = run(Adapt::Slowest);
        let before = adaptation.bitrate();
        let at = Timestamp::from_micros(60_000_000);
        let gone = Sample { at, live: false, queued: Duration::ZERO, carried: 0 };
        assert_eq!(adaptation.look(at, [(1, None, gone), (2, None, gone)].into_iter()), None);
        assert_eq!(adaptation.bitrate(), before);
    }
}
