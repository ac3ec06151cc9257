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
pub struct Changed {
    pub bitrate: BitsPerSecond,
    /// True if the bitrate is lower than before.
    pub lower: bool,
    /// True if the bitrate is the configured one.
    pub full: bool,
    /// True if the target whose connection limited the bitrate is live and fast enough again.
    pub recovered: bool,
    /// The target whose connection determines the bitrate.
    pub by: Option<u32>,
}

/// The size of the main encode has changed.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Resized {
    pub size: Size,
    /// True if the size is the configured one.
    pub full: bool,
}

/// The changes found by a check.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
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
pub struct Adaptation {
    quality: Quality,
    links: BTreeMap<u32, Adapter>,
    /// The times at which the targets were last live.
    last_live: BTreeMap<u32, Timestamp>,
    next: Timestamp,
    now: BitsPerSecond,
    /// The target whose connection limited the bitrate last, while the bitrate is limited.
    limited_by: Option<u32>,
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
pub struct Terms {
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
pub struct TargetSample {
    pub id: u32,
    /// True for the built-in server, whose connection is not slow.
    pub built_in: bool,
    /// The minimum bitrate for its connection.
    pub floor: Option<BitsPerSecond>,
    /// True if the connection is lost and being restored.
    pub reconnecting: bool,
    pub sample: Sample,
}

/// The parameters of the second encode.
#[derive(Clone, Debug)]
struct SecondEncode {
    bitrate: BitsPerSecond,
    steps: SizeSteps,
    size: Size,
}

/// The time for which a reconnecting target counts, because its link is probably as slow as before.
const RECONNECT_WINDOW: Duration = Duration::from_secs(30);
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
            last_live: BTreeMap::new(),
            next: Timestamp::ZERO,
            now: quality.video_bitrate,
            limited_by: None,
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
        self.last_live.remove(&id);
        self.renditions.remove(&id);
        self.ladder.forget(id);
        self.limited_by.take_if(|by| *by == id);
    }

    /// Returns the bitrate that the link of a target allows as a share of the chosen bitrate.
    pub fn link_share(&self, id: u32) -> f64 {
        let most = f64::from(self.quality.video_bitrate.0.max(1));
        self.links.get(&id).map_or(1.0, |link| f64::from(link.bitrate().0) / most)
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
        let (mut all, mut counted) = (Vec::new(), Vec::new());
        for TargetSample { id, built_in, floor, reconnecting, sample } in targets {
            all.push(id);
            if quality.adapt == Adapt::Off {
                continue;
            }
            let least = floor.unwrap_or(quality.least_bitrate);
            let link = self.links.entry(id).or_insert_with(|| {
                let most = quality.video_bitrate;
                let audio = quality.actual_audio_bitrate();
                Adapter::new(most, least, audio).delayed(self.lag)
            });
            link.set_least(least);
            link.note(sample);
            if sample.live {
                self.last_live.insert(id, now);
            }
            let last = self.last_live.get(&id).filter(|_| sample.live || reconnecting);
            if last.is_some_and(|last| now.since(*last) < RECONNECT_WINDOW) {
                counted.push((built_in, id, sample.live));
            }
        }
        // The built-in server is first in the list, but counts last.
        counted.sort_unstable();
        let live: Vec<u32> = counted.iter().filter(|it| it.2).map(|it| it.1).collect();
        let counted: Vec<u32> = counted.into_iter().map(|(_, id, _)| id).collect();
        let before = self.now;
        self.now = if terms.sends { self.decide(&counted) } else { self.quality.video_bitrate };
        let rate = |id: &u32| self.links.get(id).map(Adapter::bitrate);
        let by = counted.iter().copied().find(|id| rate(id) == Some(self.now));
        self.frame_step = self.step();
        let (bitrate, full) = (self.now, self.now >= self.quality.video_bitrate);
        let recovered = full && self.has_recovered(&live);
        self.limited_by = by.or(self.limited_by).filter(|_| !full);
        let lower = bitrate < before;
        let changed =
            (bitrate != before).then_some(Changed { bitrate, lower, full, recovered, by });
        let resized = self.resize(now);
        let by_links = self.quality.adapt == Adapt::SecondRendition && terms.second && !self.alone;
        let moved = self.climb(now, &all, &live, by_links);
        self.follow_second(now, &live);
        let outcome = Outcome { changed, resized, moved, by_links };
        (!outcome.is_nothing()).then_some(outcome)
    }

    /// Returns true if the target that limited the bitrate last is live, and its connection is fast
    /// enough for the chosen bitrate.
    fn has_recovered(&self, live: &[u32]) -> bool {
        let most = self.quality.video_bitrate;
        let limiting = self.limited_by.filter(|id| live.contains(id));
        let link = limiting.and_then(|id| self.links.get(&id));
        // If the minimum is the chosen bitrate, the speed of the connection does not matter.
        link.is_some_and(|link| link.bitrate() == most && link.least() < most)
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

    /// Returns the bitrate for the targets that count: those that are live, or were live until a
    /// moment ago. Without such a target, the bitrate stays unchanged.
    fn decide(&self, counted: &[u32]) -> BitsPerSecond {
        let most = self.quality.video_bitrate;
        let rate = |id: &u32| self.links.get(id).map(Adapter::bitrate);
        let wanted = match self.quality.adapt {
            Adapt::Off => Some(most),
            // No other output needs full-size frames, so one encode is sufficient.
            Adapt::SecondRendition if !self.alone => Some(most),
            Adapt::Slowest | Adapt::SecondRendition => counted.iter().filter_map(rate).min(),
            Adapt::First => counted.first().and_then(rate),
        };
        wanted.unwrap_or(if counted.is_empty() { self.now } else { most }).min(most)
    }
}

#[cfg(test)]
mod tests;
