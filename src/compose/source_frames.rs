//! The sources of all scenes. Each source is held once, however many items show it, and a needed
//! source is pulled once per tick. A source without a frame shows its last one for two seconds. The
//! filters run here, once per tick.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::base::{Timestamp, WorkerPool};
use crate::compose::filter::{Chain, Cover, WantedFilter};
use crate::compose::layout;
use crate::compose::scene::{Plan, SourceId};
use crate::media::{Size, VideoFeed, VideoFrame};

/// How long the last frame replaces a missing one.
const MAX_FRAME_HOLD: Duration = Duration::from_secs(2);

/// The current content of a source.
#[derive(Clone, Debug)]
pub(super) enum ShownSource {
    Frame(VideoFrame),
    /// No content yet, but a frame can arrive at any moment.
    Nothing,
    /// No frame has arrived for so long that the placeholder is shown.
    Placeholder,
}

/// The origin of a source's frames.
pub enum SourceFrame {
    /// The source's own feed; `None` if it has none.
    Feed(Option<Box<dyn VideoFeed>>),
    /// Another source, whose frames are taken before its filters.
    View(SourceId),
}

impl std::fmt::Debug for SourceFrame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Feed(feed) => write!(f, "Feed({})", feed.is_some()),
            Self::View(of) => write!(f, "View({of:?})"),
        }
    }
}

#[derive(Default)]
struct Slot {
    feed: Option<Box<dyn VideoFeed>>,
    /// The source whose frames are shown.
    of: Option<SourceId>,
    /// The source that is shown instead of this one, while this source's own feed continues.
    fallback: Option<SourceId>,
    /// The time of the last pull.
    asked: Option<Timestamp>,
    /// The newest frame, and the time of its arrival.
    last: Option<(VideoFrame, Timestamp)>,
    /// The time since which the source has had no frame.
    missing: Option<Timestamp>,
    chain: Chain,
    /// The last filtered frame, and its time.
    filtered: Option<(VideoFrame, Timestamp)>,
}

impl Slot {
    /// Pulls the frame of the instant `at`, once.
    fn ask(&mut self, at: Timestamp) {
        if self.asked == Some(at) {
            return;
        }
        self.asked = Some(at);
        match (self.feed.as_mut().and_then(|feed| feed.frame(at)), &mut self.last) {
            (Some(new), Some((last, _))) if new.is_same(last) => {
                *last = new;
                self.missing = None;
            }
            (Some(new), last) => {
                *last = Some((new, at));
                self.missing = None;
            }
            (None, last) => {
                if last.as_ref().is_some_and(|(_, seen)| at.since(*seen) >= MAX_FRAME_HOLD) {
                    *last = None;
                    // The placeholder is shown immediately, because the source has been without a
                    // frame for long enough.
                    self.missing = Some(at - MAX_FRAME_HOLD);
                } else if last.is_none() {
                    self.missing.get_or_insert(at);
                }
            }
        }
    }
}

/// All sources by their ids.
#[derive(Default)]
pub(super) struct SourceFrames {
    slots: BTreeMap<SourceId, Slot>,
    /// The displayed sizes of sources, kept to reuse the memory.
    displayed: Vec<(SourceId, Option<Size>)>,
    /// True if costly filters are skipped.
    pub lean: bool,
}

impl SourceFrames {
    /// Sets the origin of a source's frames. The previous feed is dropped here.
    pub fn give(&mut self, id: SourceId, given: SourceFrame) {
        let before = self.slots.remove(&id);
        let (chain, fallback) = before.map(|slot| (slot.chain, slot.fallback)).unwrap_or_default();
        let (feed, of) = match given {
            SourceFrame::Feed(feed) => (feed, None),
            SourceFrame::View(of) => (None, Some(of)),
        };
        if feed.is_some() || of.is_some() || fallback.is_some() || !chain.is_empty() {
            self.slots.insert(id, Slot { feed, of, fallback, chain, ..Slot::default() });
        }
    }

    /// Moves the feed of one source to another. The filters stay.
    pub fn hand_over(&mut self, from: SourceId, to: SourceId) {
        let Some(giver) = self.slots.get_mut(&from) else { return };
        let mut given = std::mem::take(giver);
        (giver.chain, giver.fallback) = (std::mem::take(&mut given.chain), given.fallback);
        let heir = self.slots.entry(to).or_default();
        let (chain, fallback) = (std::mem::take(&mut heir.chain), heir.fallback);
        *heir = Slot { chain, fallback, filtered: None, ..given };
    }

    /// Makes this source show the unfiltered frames of another one while the other source has a
    /// frame. `None` shows the source's own frames again.
    pub fn set_fallback(&mut self, id: SourceId, by: Option<SourceId>) {
        if let Some(slot) = self.slots.get_mut(&id) {
            slot.fallback = by;
        } else if by.is_some() {
            self.slots.entry(id).or_default().fallback = by;
        }
    }

    /// Sets a source's filters.
    pub fn set_filters(&mut self, id: SourceId, wanted: &[WantedFilter]) {
        if let Some(slot) = self.slots.get_mut(&id) {
            slot.chain.set(wanted);
            slot.filtered = None;
        } else if !wanted.is_empty() {
            self.slots.entry(id).or_default().chain.set(wanted);
        }
    }

    /// Pulls the frame of the instant `at` from each of these sources.
    pub fn pull(
        &mut self,
        ids: impl Iterator<Item = SourceId>,
        at: Timestamp,
        workers: &WorkerPool,
    ) {
        for id in ids {
            let own = self.origin(id);
            let origin = self.slots.entry(own).or_default();
            origin.ask(at);
            let frame = origin.last.as_ref().map(|(frame, _)| frame.clone());
            if let Some(by) = self.fallback_of(id) {
                self.slots.entry(by).or_default().ask(at);
            }
            let Some(slot) = self.slots.get_mut(&id).filter(|slot| !slot.chain.is_empty()) else {
                continue;
            };
            if slot.filtered.as_ref().is_some_and(|(_, made)| *made == at) {
                continue;
            }
            slot.filtered =
                frame.map(|frame| (slot.chain.apply(&frame, at, self.lean, workers), at));
        }
    }

    /// Tells the sources of a plan their displayed size on a canvas of this size. Filters work in
    /// the pixels of the frame, so a filtered source keeps its size.
    pub fn set_displayed(&mut self, plan: &Plan, canvas: Size) {
        let mut sizes = std::mem::take(&mut self.displayed);
        sizes.clear();
        for layer in &plan.layers {
            let own = self.origin(layer.source);
            let Some((frame, _)) = self.slots.get(&own).and_then(|slot| slot.last.as_ref()) else {
                continue;
            };
            let filtered = self.slots.get(&layer.source).is_some_and(|slot| !slot.chain.is_empty());
            let size = (!filtered)
                .then(|| layout::displayed(&layer.places, layer.framed, frame.size(), canvas))
                .flatten();
            match sizes.iter_mut().find(|(id, _)| *id == own) {
                None => sizes.push((own, size)),
                // The largest displayed size, or the source's own size if any item shows it at that
                // size.
                Some((_, known)) => {
                    *known = known.zip(size).map(|(known, size)| {
                        Size::new(known.width.max(size.width), known.height.max(size.height))
                    });
                }
            }
        }
        for (id, size) in &sizes {
            if let Some(feed) = self.slots.get_mut(id).and_then(|slot| slot.feed.as_mut()) {
                feed.set_displayed(*size);
            }
        }
        self.displayed = sizes;
    }

    /// Returns the origin of a source's frames.
    fn origin(&self, id: SourceId) -> SourceId {
        self.slots.get(&id).and_then(|slot| slot.of).unwrap_or(id)
    }

    /// Returns the source whose frames replace this source's frames.
    fn fallback_of(&self, id: SourceId) -> Option<SourceId> {
        let by = self.origin(self.slots.get(&id)?.fallback?);
        (by != self.origin(id)).then_some(by)
    }

    /// Returns the content of a source at the last pull.
    pub fn shown(&self, id: SourceId) -> ShownSource {
        let by = self.fallback_of(id).and_then(|by| self.slots.get(&by));
        if let Some((frame, _)) = by.and_then(|slot| slot.last.as_ref()) {
            return ShownSource::Frame(frame.clone());
        }
        match self.slots.get(&id).and_then(|slot| slot.chain.cover()) {
            Some(Cover::Nothing) => return ShownSource::Nothing,
            Some(Cover::Placeholder) => return ShownSource::Placeholder,
            None => {}
        }
        let Some(origin) = self.slots.get(&self.origin(id)) else { return ShownSource::Nothing };
        let filtered = self.slots.get(&id).and_then(|slot| slot.filtered.as_ref());
        match (&origin.last, origin.missing, origin.asked) {
            (Some((frame, _)), ..) => {
                ShownSource::Frame(filtered.map_or(frame, |(filtered, _)| filtered).clone())
            }
            (None, Some(since), Some(now)) if now.since(since) >= MAX_FRAME_HOLD => {
                ShownSource::Placeholder
            }
            _ => ShownSource::Nothing,
        }
    }
}
