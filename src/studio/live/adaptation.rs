//! Adapts the bitrate, frame rate and frame size of the video to several targets, each with a
//! separate link.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::base::Timestamp;
use crate::broadcast::Adapter;
use crate::broadcast::adaptation::{
    RenditionChoice, SAMPLE_INTERVAL, Sample, SizeSteps, second_bitrate,
};
use crate::media::{BitsPerSecond, RenditionId, Size};
use crate::studio::targets::quality::{Adapt, Quality};

/// The bitrate has changed.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(in crate::studio) struct Changed {
    pub bitrate: BitsPerSecond,
    /// True if the bitrate is lower than before.
    pub lower: bool,
    /// True if the bitrate is the configured one.
    pub full: bool,
    /// The target whose connection determines the bitrate.
    pub by: Option<u32>,
}

/// The size of the main encode has changed.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(in crate::studio) struct Resized {
    pub size: Size,
    /// True if the size is the configured one.
    pub full: bool,
}

/// The changes found by a check.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::studio) struct Outcome {
    pub changed: Option<Changed>,
    pub resized: Option<Resized>,
    /// Targets that get another rendition from now on.
    pub moved: Vec<(u32, RenditionId)>,
    /// True if the speed of their links is the reason.
    pub by_links: bool,
}

impl Outcome {
    fn is_nothing(&self) -> bool {
        self.changed.is_none() && self.resized.is_none() && self.moved.is_empty()
    }
}

/// Follows the links of all targets.
#[derive(Debug)]
pub(in crate::studio) struct Adaptation {
    quality: Quality,
    links: BTreeMap<u32, Adapter>,
    next: Timestamp,
    now: BitsPerSecond,
    /// The stream delay.
    lag: Duration,
    frame_step: u32,
    steps: SizeSteps,
    /// The size of the main encode.
    size: Size,
    ladder: RenditionChoice,
    renditions: BTreeMap<u32, RenditionId>,
    second: Option<SecondEncode>,
    /// See [`Terms`].
    alone: bool,
}

/// Further inputs of a check.
#[derive(Copy, Clone, Debug)]
pub(in crate::studio) struct Terms {
    /// True if a second encode is available.
    pub second: bool,
    /// True if only one target uses the main encode, and no recording does.
    pub alone: bool,
    /// True if there is a target, which can be disconnected at the moment. Otherwise no link limits
    /// the bitrate.
    pub sends: bool,
}

/// A target in a check.
#[derive(Copy, Clone, Debug)]
pub(in crate::studio) struct TargetSample {
    pub id: u32,
    /// True for the built-in server, whose connection is not slow.
    pub built_in: bool,
    /// The minimum bitrate for its connection.
    pub floor: Option<BitsPerSecond>,
    pub sample: Sample,
}

/// The parameters of the second encode.
#[derive(Clone, Debug)]
struct SecondEncode {
    bitrate: BitsPerSecond,
    steps: SizeSteps,
    size: Size,
}

/// Below this share of the configured bitrate, every other frame is dropped.
const HALF_RATE_SHARE: f64 = 0.5;
/// From this share of the configured bitrate on, no more frames are dropped.
const FULL_RATE_BITRATE_SHARE: f64 = 0.7;

fn size_steps(quality: &Quality) -> SizeSteps {
    SizeSteps::new(quality.size, quality.frame_rate, quality.video_bitrate)
}

impl Adaptation {
    pub fn new(quality: &Quality) -> Self {
        Self {
            quality: quality.clone(),
            links: BTreeMap::new(),
            next: Timestamp::ZERO,
            now: quality.video_bitrate,
            lag: Duration::ZERO,
            frame_step: 1,
            steps: size_steps(quality),
            size: quality.size,
            ladder: RenditionChoice::default(),
            renditions: BTreeMap::new(),
            second: None,
            alone: false,
        }
    }

    /// Returns the step between encoded frames: 1 means every frame, 2 every second frame.
    pub fn frame_step(&self) -> u32 {
        self.frame_step
    }

    /// Returns the size of the main encode.
    pub fn size(&self) -> Size {
        self.size
    }

    /// Returns the bitrate and size of the second encode, or `None` if no target needs it.
    pub fn second(&self) -> Option<(BitsPerSecond, Size)> {
        self.second.as_ref().map(|second| (second.bitrate, second.size))
    }

    /// Returns the rendition that a target should get.
    pub fn rendition_id(&self, id: u32) -> RenditionId {
        self.renditions.get(&id).copied().unwrap_or_default()
    }

    fn step(&self) -> u32 {
        let share = f64::from(self.now.0) / f64::from(self.quality.video_bitrate.0.max(1));
        match self.frame_step {
            _ if !self.quality.adapt_frames || self.quality.adapt == Adapt::Off => 1,
            1 if share < HALF_RATE_SHARE => 2,
            2 if share < FULL_RATE_BITRATE_SHARE => 2,
            _ => 1,
        }
    }

    /// Sets the time until encoded frames reach the targets.
    pub fn set_lag(&mut self, lag: Duration) {
        if lag != self.lag {
            self.lag = lag;
            self.links.clear();
        }
    }

    /// Forgets the link of a target whose new connection may be faster or slower.
    pub fn forget(&mut self, id: u32) {
        self.links.remove(&id);
        self.renditions.remove(&id);
        self.ladder.forget(id);
    }

    /// Returns the bitrate of the video.
    pub fn bitrate(&self) -> BitsPerSecond {
        self.now
    }

    /// Applies a quality that the user chose. The current size and frame rate stay.
    pub fn set(&mut self, quality: &Quality) {
        let (size, frame_rate) = (self.quality.size, self.quality.frame_rate);
        let another = quality.video_bitrate != self.quality.video_bitrate
            || quality.adapt_size != self.quality.adapt_size;
        self.quality = Quality { size, frame_rate, ..quality.clone() };
        for link in self.links.values_mut() {
            link.set_most(quality.video_bitrate);
        }
        self.now = self.decide(&[]);
        self.frame_step = self.step();
        if another {
            self.steps = size_steps(&self.quality);
            if self.quality.adapt_size {
                self.steps = self.steps.clone().begin_with(self.now);
            }
        }
    }

    /// Checks the targets in the order of the list, and returns the changes, if any.
    pub fn update(
        &mut self,
        now: Timestamp,
        targets: impl Iterator<Item = TargetSample>,
        terms: Terms,
    ) -> Option<Outcome> {
        if now < self.next {
            return None;
        }
        self.next = now + SAMPLE_INTERVAL;
        self.alone = terms.alone;
        let quality = &self.quality;
        let (mut all, mut live) = (Vec::new(), Vec::new());
        for TargetSample { id, built_in, floor, sample } in targets {
            all.push(id);
            if quality.adapt == Adapt::Off {
                continue;
            }
            let least = floor.unwrap_or(quality.least_bitrate);
            let link = self.links.entry(id).or_insert_with(|| {
                let most = quality.video_bitrate;
                Adapter::new(most, least, quality.audio_bitrate).delayed(self.lag)
            });
            link.set_least(least);
            link.note(sample);
            if sample.live {
                live.push((built_in, id));
            }
        }
        // The built-in server is first in the list, but counts last.
        live.sort_unstable();
        let live: Vec<u32> = live.into_iter().map(|(_, id)| id).collect();
        let before = self.now;
        self.now = if terms.sends { self.decide(&live) } else { self.quality.video_bitrate };
        let rate = |id: &u32| self.links.get(id).map(Adapter::bitrate);
        let by = live.iter().copied().find(|id| rate(id) == Some(self.now));
        self.frame_step = self.step();
        let (bitrate, full) = (self.now, self.now >= self.quality.video_bitrate);
        let changed =
            (bitrate != before).then_some(Changed { bitrate, lower: bitrate < before, full, by });
        let resized = self.resize(now);
        let by_links = self.quality.adapt == Adapt::SecondRendition && terms.second && !self.alone;
        let moved = self.climb(now, &all, &live, by_links);
        self.follow_second(now, &live);
        let outcome = Outcome { changed, resized, moved, by_links };
        (!outcome.is_nothing()).then_some(outcome)
    }

    fn resize(&mut self, now: Timestamp) -> Option<Resized> {
        let full = self.quality.size;
        let size = match self.quality.adapt_size && self.quality.adapt != Adapt::Off {
            true => self.steps.note(now, self.now, self.frame_step),
            false => full,
        };
        let before = std::mem::replace(&mut self.size, size);
        (size != before).then_some(Resized { size, full: size == full })
    }

    /// Chooses the targets that get another rendition: by their links, or all get the main encode.
    fn climb(
        &mut self,
        now: Timestamp,
        all: &[u32],
        live: &[u32],
        by_links: bool,
    ) -> Vec<(u32, RenditionId)> {
        if by_links {
            for id in live {
                if let Some(link) = self.links.get(id) {
                    self.ladder.note(now, *id, link.bitrate(), self.quality.video_bitrate);
                }
            }
            self.ladder.keep(all);
        } else {
            self.ladder.clear();
        }
        self.renditions.retain(|id, _| all.contains(id));
        let rendition_id = |id: &u32| (*id, self.ladder.rendition_id(*id));
        let moved = all.iter().map(rendition_id);
        moved
            .filter(|(id, rendition_id)| {
                self.renditions.insert(*id, *rendition_id).unwrap_or_default() != *rendition_id
            })
            .collect()
    }

    fn follow_second(&mut self, now: Timestamp, live: &[u32]) {
        if !self.ladder.needs_second(now) {
            self.second = None;
            return;
        }
        let below = live.iter().filter(|id| self.ladder.rendition_id(**id) == RenditionId::Second);
        let slowest = below.filter_map(|id| self.links.get(id)).map(Adapter::bitrate).min();
        let (main, least) = (self.quality.video_bitrate, self.quality.least_bitrate);
        // While no target that needs the second encode is connected, its bitrate stays unchanged.
        let bitrate = match (slowest, &self.second) {
            (Some(slowest), _) => second_bitrate(slowest, main),
            (None, Some(second)) => second.bitrate,
            (None, None) => second_bitrate(least, main),
        };
        let mut steps = match self.second.take() {
            Some(second) => second.steps,
            None => size_steps(&self.quality).begin_with(bitrate),
        };
        let size = match self.quality.adapt_size {
            true => steps.note(now, bitrate, 1),
            false => self.quality.size,
        };
        self.second = Some(SecondEncode { bitrate, steps, size });
    }

    /// Returns the bitrate for the live targets. Without a live target, the bitrate stays
    /// unchanged.
    fn decide(&self, live: &[u32]) -> BitsPerSecond {
        let most = self.quality.video_bitrate;
        let rate = |id: &u32| self.links.get(id).map(Adapter::bitrate);
        let wanted = match self.quality.adapt {
            Adapt::Off => Some(most),
            // No other output needs full-size frames, so one encode is sufficient.
            Adapt::SecondRendition if !self.alone => Some(most),
            Adapt::Slowest | Adapt::SecondRendition => live.iter().filter_map(rate).min(),
            Adapt::First => live.first().and_then(rate),
        };
        wanted.unwrap_or(if live.is_empty() { self.now } else { most }).min(most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHARED_ENCODE_TERMS: Terms = Terms { second: true, alone: false, sends: true };

    fn target(id: u32, sample: Sample) -> TargetSample {
        TargetSample { id, built_in: false, floor: None, sample }
    }

    /// Runs two targets: the first with a fast link, the second with an extremely slow one.
    fn run(adapt: Adapt) -> (Adaptation, Vec<Changed>) {
        let mut adaptation = Adaptation::new(&Quality { adapt, ..Quality::default() });
        let mut changes = Vec::new();
        for step in 0..80_u64 {
            let at = Timestamp::from_micros(step as i64 * 250_000);
            let wide = Sample {
                at,
                live: true,
                queued: Duration::ZERO,
                carried: 2_600_000,
                silent: Duration::ZERO,
            };
            let narrow =
                Sample { queued: Duration::from_millis(200 * step), carried: 600_000, ..wide };
            let targets = [target(1, wide), target(2, narrow)];
            let outcome = adaptation.update(at, targets.into_iter(), SHARED_ENCODE_TERMS);
            changes.extend(outcome.and_then(|outcome| outcome.changed));
        }
        (adaptation, changes)
    }

    #[test]
    fn the_person_says_whose_link_counts() {
        let (slowest, changes) = run(Adapt::Slowest);
        assert!(slowest.bitrate().0 < 700_000, "{:?}", slowest.bitrate());
        assert!(changes.first().is_some_and(|change| change.lower && !change.full));
        for adapt in [Adapt::First, Adapt::Off, Adapt::SecondRendition] {
            let (first, changes) = run(adapt);
            assert_eq!((first.bitrate().0, changes), (2_500_000, Vec::new()));
        }
    }

    #[test]
    fn the_built_in_server_is_the_first_target_only_if_it_is_alone() {
        let run = |others: &[u32]| {
            let quality = Quality { adapt: Adapt::First, ..Quality::default() };
            let mut adaptation = Adaptation::new(&quality);
            let mut by = None;
            for step in 0..80_u64 {
                let at = Timestamp::from_micros(step as i64 * 250_000);
                let queued = Duration::from_millis(200 * step);
                let (carried, silent) = (600_000, Duration::ZERO);
                let narrow = Sample { at, live: true, queued, carried, silent };
                let queued = if others.is_empty() { queued } else { Duration::ZERO };
                let sample = Sample { queued, ..narrow };
                let built_in = TargetSample { built_in: true, ..target(0, sample) };
                let others = others.iter().map(|id| target(*id, narrow));
                let targets = std::iter::once(built_in).chain(others);
                let outcome = adaptation.update(at, targets, SHARED_ENCODE_TERMS);
                by = outcome.and_then(|outcome| outcome.changed?.by).or(by);
            }
            (adaptation.bitrate().0 < 700_000, by)
        };
        assert_eq!(run(&[1, 2]), (true, Some(1)));
        assert_eq!(run(&[]), (true, Some(0)));
    }

    #[test]
    fn a_target_may_have_a_floor_of_its_own() {
        let mut adaptation = Adaptation::new(&Quality::default());
        let floor = BitsPerSecond(1_500_000);
        let update = |adaptation: &mut Adaptation, step: u64, floor| {
            let at = Timestamp::from_micros(step as i64 * 250_000);
            let queued = Duration::from_millis(200 * step);
            let narrow =
                Sample { at, live: true, queued, carried: 400_000, silent: Duration::ZERO };
            let target = TargetSample { floor, ..target(1, narrow) };
            adaptation.update(at, [target].into_iter(), SHARED_ENCODE_TERMS);
        };
        (0..80).for_each(|step| update(&mut adaptation, step, Some(floor)));
        assert_eq!(adaptation.bitrate(), floor);
        // The user lowers and raises the minimum on air.
        (80..160).for_each(|step| update(&mut adaptation, step, None));
        assert!(adaptation.bitrate().0 < 700_000, "{:?}", adaptation.bitrate());
        update(&mut adaptation, 160, Some(floor));
        assert_eq!(adaptation.bitrate(), floor);
        // A lower minimum also applies to the second encode.
        let quality = Quality { adapt: Adapt::SecondRendition, ..Quality::default() };
        let (mut adaptation, floor) = (Adaptation::new(&quality), BitsPerSecond(200_000));
        assert!(floor < quality.least_bitrate);
        (0..160).for_each(|step| update(&mut adaptation, step, Some(floor)));
        assert_eq!(adaptation.second().map(|(bitrate, _)| bitrate), Some(floor));
    }

    #[test]
    fn a_new_connection_begins_without_the_estimate_of_an_earlier_one() {
        for adapt in [Adapt::Slowest, Adapt::SecondRendition] {
            let (mut adaptation, _) = run(adapt);
            let is_slow = |adaptation: &Adaptation| {
                adaptation.bitrate().0 < 2_500_000
                    || adaptation.rendition_id(2) != RenditionId::Main
            };
            assert!(is_slow(&adaptation));
            adaptation.forget(2);
            let at = Timestamp::from_micros(20_000_000);
            let (queued, silent) = (Duration::ZERO, Duration::ZERO);
            let wide = Sample { at, live: true, queued, carried: 2_600_000, silent };
            let targets = [target(1, wide), target(2, wide)];
            let outcome = adaptation.update(at, targets.into_iter(), SHARED_ENCODE_TERMS);
            assert!(!is_slow(&adaptation) && outcome.is_none_or(|it| it.moved.is_empty()));
        }
    }

    #[test]
    fn below_half_the_bitrate_half_the_frames_go_out_where_that_is_wanted() {
        for wanted in [true, false] {
            let quality = Quality { adapt_frames: wanted, ..Quality::default() };
            let mut adaptation = Adaptation::new(&quality);
            let mut steps = Vec::new();
            for step in 0..2_000_u64 {
                let at = Timestamp::from_micros(step as i64 * 250_000);
                let slow = step < 80;
                let queued = if slow { Duration::from_secs(1) } else { Duration::ZERO };
                let sample =
                    Sample { at, live: true, queued, carried: 700_000, silent: Duration::ZERO };
                adaptation.update(at, [target(1, sample)].into_iter(), SHARED_ENCODE_TERMS);
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
        let gone =
            Sample { at, live: false, queued: Duration::ZERO, carried: 0, silent: Duration::ZERO };
        let targets = [target(1, gone), target(2, gone)];
        assert_eq!(adaptation.update(at, targets.into_iter(), SHARED_ENCODE_TERMS), None);
        assert_eq!(adaptation.bitrate(), before);
    }

    #[test]
    fn a_recording_without_a_broadcast_gets_the_chosen_bitrate() {
        let (mut adaptation, _) = run(Adapt::Slowest);
        let terms = Terms { sends: false, ..SHARED_ENCODE_TERMS };
        let update = |adaptation: &mut Adaptation, seconds: i64| {
            let at = Timestamp::from_micros(seconds * 1_000_000);
            adaptation.update(at, std::iter::empty(), terms).and_then(|it| it.changed)
        };
        // The broadcast has ended, and the recording goes on.
        let restored = update(&mut adaptation, 60);
        assert!(restored.is_some_and(|changed| changed.full && !changed.lower), "{restored:?}");
        let video_bitrate = BitsPerSecond(6_000_000);
        adaptation.set(&Quality { video_bitrate, ..Quality::default() });
        update(&mut adaptation, 61);
        assert_eq!(adaptation.bitrate(), video_bitrate);
    }

    /// Runs one target whose link has varying bandwidth, and returns the sizes of the main encode.
    fn sizes(quality: &Quality) -> Vec<u32> {
        let mut adaptation = Adaptation::new(quality);
        let mut sizes = vec![adaptation.size().height];
        for step in 0..2_000_u64 {
            let at = Timestamp::from_micros(step as i64 * 250_000);
            let queued = Duration::from_secs(u64::from(step < 80));
            let sample =
                Sample { at, live: true, queued, carried: 700_000, silent: Duration::ZERO };
            adaptation.update(at, [target(1, sample)].into_iter(), SHARED_ENCODE_TERMS);
            if sizes.last() != Some(&adaptation.size().height) {
                sizes.push(adaptation.size().height);
            }
        }
        sizes
    }

    #[test]
    fn with_few_bits_the_frame_becomes_smaller_where_that_is_wanted() {
        let quality = Quality { adapt_size: true, ..Quality::default() };
        let seen = sizes(&quality);
        assert!(seen.contains(&360) && seen.last() == Some(&720), "{seen:?}");
        assert_eq!(sizes(&Quality { adapt_size: false, ..quality }), [720]);
        assert_eq!(sizes(&Quality { adapt: Adapt::Off, ..quality }), [720]);
        // The other targets get the unchanged main encode.
        assert_eq!(sizes(&Quality { adapt: Adapt::SecondRendition, ..quality }), [720]);
    }

    #[test]
    fn a_second_encode_runs_for_those_who_need_it_and_as_long() {
        let quality =
            Quality { adapt: Adapt::SecondRendition, adapt_size: true, ..Quality::default() };
        let mut adaptation = Adaptation::new(&quality);
        let mut moved = Vec::new();
        let mut look = |adaptation: &mut Adaptation, step: u64, slow: bool| {
            let at = Timestamp::from_micros(step as i64 * 250_000);
            let wide = Sample {
                at,
                live: true,
                queued: Duration::ZERO,
                carried: 2_600_000,
                silent: Duration::ZERO,
            };
            let queued = Duration::from_secs(u64::from(slow));
            let narrow = Sample { queued, carried: 700_000, ..wide };
            let targets = [target(1, wide), target(2, narrow)];
            let outcome = adaptation.update(at, targets.into_iter(), SHARED_ENCODE_TERMS);
            moved.extend(outcome.into_iter().flat_map(|outcome| outcome.moved));
        };
        look(&mut adaptation, 0, false);
        assert_eq!(adaptation.second(), None);
        (1..60).for_each(|step| look(&mut adaptation, step, true));
        assert_eq!(
            (adaptation.rendition_id(1), adaptation.rendition_id(2)),
            (RenditionId::Main, RenditionId::Second)
        );
        let (bitrate, size) = adaptation.second().unwrap();
        assert!(bitrate.0 < 700_000 && size.height == 360, "{bitrate:?} {size}");
        assert_eq!(adaptation.bitrate(), quality.video_bitrate);
        (60..2_000).for_each(|step| look(&mut adaptation, step, false));
        assert_eq!(adaptation.second(), None);
        assert_eq!(moved, [(2, RenditionId::Second), (2, RenditionId::Main)]);
        // If another output needs the full size, everything is restored at once.
        let look = |adaptation: &mut Adaptation, step: i64| {
            let at = Timestamp::from_micros(step * 250_000);
            let queued = Duration::from_secs(1);
            let narrow =
                Sample { at, live: true, queued, carried: 700_000, silent: Duration::ZERO };
            adaptation.update(at, [target(2, narrow)].into_iter(), SHARED_ENCODE_TERMS);
        };
        (2_000..2_040).for_each(|step| look(&mut adaptation, step));
        assert_eq!(adaptation.rendition_id(2), RenditionId::Second);
        adaptation.set(&Quality { adapt: Adapt::Off, ..quality });
        look(&mut adaptation, 2_041);
        assert_eq!((adaptation.rendition_id(2), adaptation.second()), (RenditionId::Main, None));
    }

    #[test]
    fn for_one_target_alone_the_main_encode_follows() {
        let quality = Quality { adapt: Adapt::SecondRendition, ..Quality::default() };
        let mut adaptation = Adaptation::new(&quality);
        let look = |adaptation: &mut Adaptation, step: i64, alone| {
            let at = Timestamp::from_micros(step * 250_000);
            let queued = Duration::from_secs(1);
            let narrow =
                Sample { at, live: true, queued, carried: 700_000, silent: Duration::ZERO };
            let terms = Terms { alone, ..SHARED_ENCODE_TERMS };
            adaptation.update(at, [target(1, narrow)].into_iter(), terms)
        };
        for step in 0..60 {
            let outcome = look(&mut adaptation, step, true);
            assert!(outcome.is_none_or(|it| it.moved.is_empty()));
        }
        assert!(adaptation.bitrate().0 < 700_000, "{:?}", adaptation.bitrate());
        assert_eq!((adaptation.rendition_id(1), adaptation.second()), (RenditionId::Main, None));
        // A recording or another target needs full-size frames.
        (60..120).for_each(|step| drop(look(&mut adaptation, step, false)));
        assert_eq!(adaptation.bitrate(), quality.video_bitrate);
        assert_eq!(adaptation.rendition_id(1), RenditionId::Second);
        assert!(adaptation.second().is_some());
        // The other output has ended.
        let outcome = look(&mut adaptation, 120, true).unwrap();
        assert_eq!((&outcome.moved[..], outcome.by_links), (&[(1, RenditionId::Main)][..], false));
        assert!(outcome.changed.is_some_and(|changed| changed.lower));
        assert_eq!(adaptation.second(), None);
    }
}
