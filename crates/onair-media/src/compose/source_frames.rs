//! The sources of all scenes. Each source is held once, however many items show it, and a needed
//! source is pulled once per tick. A source without a frame shows its last one for two seconds. The
//! filters run here, once per tick.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::base::{Timestamp, WorkerPool};
use crate::compose::draw::composed::{ComposedFilters, FilterInput};
use crate::compose::filter::{Chain, Cover, WantedFilter};
use crate::compose::layout;
use crate::compose::placeholder::Placeholders;
use crate::compose::scene::{Plan, SourceId};
use crate::media::{Size, VideoFeed, VideoFrame};

/// How long the last frame replaces a missing one.
const MAX_FRAME_HOLD: Duration = Duration::from_secs(2);

/// The current content of a source.
#[derive(Clone, Debug)]
pub enum ShownSource {
    Frame(VideoFrame),
    /// No content: no frame has arrived, or the last one is too old. A frame can arrive at any
    /// moment.
    Nothing,
    /// The filters need the placeholder, which has the size of the last frame if there was one.
    Placeholder(Option<Size>),
}

/// The origin of a source's frames.
pub enum SourceFrame {
    /// The source's own feed; `None` if it has none.
    Feed(Option<Box<dyn VideoFeed>>),
    /// The feed of a still source, such as a text. If this feed replaces that of another still
    /// source, the last frame stays until the first new one.
    Still(Box<dyn VideoFeed>),
    /// Another source, whose frames are taken before its filters.
    View(SourceId),
}

impl std::fmt::Debug for SourceFrame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Feed(feed) => write!(f, "Feed({})", feed.is_some()),
            Self::Still(_) => f.write_str("Still"),
            Self::View(of) => write!(f, "View({of:?})"),
        }
    }
}

#[derive(Default)]
struct Slot {
    feed: Option<Box<dyn VideoFeed>>,
    /// True for the feed of a still source.
    is_still: bool,
    /// The source whose frames are shown.
    of: Option<SourceId>,
    /// The source that is shown instead of this one, while this source's own feed continues.
    fallback: Option<SourceId>,
    /// The time of the last pull.
    last_pull: Option<Timestamp>,
    /// The newest frame, and the time of its arrival.
    last: Option<(VideoFrame, Timestamp)>,
    /// The last frame of the replaced feed until this feed has one, and the time of the replacement.
    replaced: Option<(VideoFrame, Timestamp)>,
    chain: Chain,
    /// The last filtered frame, and its time.
    filtered: Option<(VideoFrame, Timestamp)>,
    /// The size of the last frame, after the filters.
    size: Option<Size>,
}

impl Slot {
    /// Pulls the frame of the instant `at`, once.
    fn pull(&mut self, at: Timestamp) {
        if self.last_pull == Some(at) {
            return;
        }
        self.last_pull = Some(at);
        match (self.feed.as_mut().and_then(|feed| feed.frame(at)), &mut self.last) {
            (Some(new), Some((last, _))) if new.is_same(last) => *last = new,
            (Some(new), last) => *last = Some((new, at)),
            // Then what is behind the source shows.
            (None, last) => {
                last.take_if(|(_, seen)| at.since(*seen) >= MAX_FRAME_HOLD);
            }
        }
        let is_over = |since: Timestamp| at.since(since) >= MAX_FRAME_HOLD;
        if self.last.is_some() || self.replaced.as_ref().is_some_and(|it| is_over(it.1)) {
            self.replaced = None;
        }
    }

    /// Returns the frame to show: the newest one, or that of the replaced feed.
    fn newest(&self) -> Option<&VideoFrame> {
        self.last.as_ref().or(self.replaced.as_ref()).map(|(frame, _)| frame)
    }
}

/// All sources by their ids.
#[derive(Default)]
pub struct SourceFrames {
    slots: BTreeMap<SourceId, Slot>,
    /// The filters of scenes and groups. Each view applies them to its own frames.
    composed: BTreeMap<SourceId, ComposedFilters>,
    /// The number of changes of these filters.
    changes: u64,
    /// The time of the last pull.
    now: Timestamp,
    /// The displayed sizes of sources, kept to reuse the memory.
    displayed: Vec<(SourceId, Option<Size>)>,
    /// True if costly filters are skipped.
    pub lean: bool,
    /// Shared by all views, because drawing the placeholder of a large source takes long.
    pub placeholders: Placeholders,
}

impl SourceFrames {
    /// Sets the origin of a source's frames. The previous feed is dropped here.
    pub fn give(&mut self, id: SourceId, given: SourceFrame) {
        let before = self.slots.remove(&id).unwrap_or_default();
        let (chain, fallback, size) = (before.chain, before.fallback, before.size);
        let is_still = matches!(given, SourceFrame::Still(_));
        let (feed, of) = match given {
            SourceFrame::Feed(feed) => (feed, None),
            SourceFrame::Still(feed) => (Some(feed), None),
            SourceFrame::View(of) => (None, Some(of)),
        };
        if feed.is_some() || of.is_some() || fallback.is_some() || !chain.is_empty() {
            let last = before.last.map(|(frame, _)| (frame, self.now)).or(before.replaced);
            let replaced = last.filter(|_| is_still && before.is_still);
            let new = Slot { feed, is_still, of, fallback, replaced, ..Slot::default() };
            self.slots.insert(id, Slot { chain, size, ..new });
        }
    }

    /// Moves the feed of one source to another. The filters stay.
    pub fn hand_over(&mut self, from: SourceId, to: SourceId) {
        let Some(giver) = self.slots.get_mut(&from) else { return };
        let mut given = std::mem::take(giver);
        (giver.chain, giver.fallback) = (std::mem::take(&mut given.chain), given.fallback);
        // The giver may get another still feed at once.
        (giver.is_still, giver.last) = (given.is_still, given.last.clone());
        giver.size = given.size;
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

    /// Returns the filters of scenes and groups at the last pull.
    pub fn filter_input<'a>(&'a self, placeholder: Option<&'a VideoFrame>) -> FilterInput<'a> {
        let (filters, at, lean) = (&self.composed, self.now, self.lean);
        FilterInput { filters, at, lean, placeholder }
    }

    /// Returns true if a visibility mask of this scene or group cannot be read.
    pub fn lacks_mask(&self, id: SourceId) -> bool {
        let filters = self.composed.get(&id);
        filters.is_some_and(|it| it.wanted.iter().any(|it| it.cover() == Some(Cover::Placeholder)))
    }

    /// Sets the filters of a source, a scene or a group.
    pub fn set_filters(&mut self, id: SourceId, wanted: &[WantedFilter]) {
        if id.is_composed() {
            self.changes += 1;
            if wanted.is_empty() {
                self.composed.remove(&id);
            } else {
                let filters = ComposedFilters { wanted: wanted.to_vec(), version: self.changes };
                self.composed.insert(id, filters);
            }
            return;
        }
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
        self.now = at;
        for id in ids {
            let own = self.origin(id);
            let origin = self.slots.entry(own).or_default();
            origin.pull(at);
            let frame = origin.newest().cloned();
            if let Some(by) = self.fallback_of(id) {
                self.slots.entry(by).or_default().pull(at);
            }
            let Some(slot) = self.slots.get_mut(&id) else { continue };
            if slot.chain.is_empty() {
                slot.size = frame.map(|frame| frame.size()).or(slot.size);
                continue;
            }
            if slot.filtered.as_ref().is_some_and(|(_, made)| *made == at) {
                continue;
            }
            slot.filtered =
                frame.map(|frame| (slot.chain.apply(&frame, at, self.lean, workers), at));
            slot.size = slot.filtered.as_ref().map(|(frame, _)| frame.size()).or(slot.size);
        }
    }

    /// Tells the sources of a plan their displayed size on a canvas of this size. Filters work in
    /// the pixels of the frame, so a filtered source keeps its size.
    pub fn set_displayed(&mut self, plan: &Plan, canvas: Size) {
        let mut sizes = std::mem::take(&mut self.displayed);
        sizes.clear();
        for layer in plan.all_layers().filter(|layer| !layer.source.is_composed()) {
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
        if let Some(frame) = by.and_then(Slot::newest) {
            return ShownSource::Frame(frame.clone());
        }
        let slot = self.slots.get(&id);
        let size = slot.and_then(|slot| slot.size);
        match slot.and_then(|slot| slot.chain.cover()) {
            Some(Cover::Nothing) => return ShownSource::Nothing,
            Some(Cover::Placeholder) => return ShownSource::Placeholder(size),
            None => {}
        }
        let Some(origin) = self.slots.get(&self.origin(id)) else { return ShownSource::Nothing };
        let filtered = slot.and_then(|slot| slot.filtered.as_ref());
        match origin.newest() {
            Some(frame) => {
                ShownSource::Frame(filtered.map_or(frame, |(filtered, _)| filtered).clone())
            }
            None => ShownSource::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::base::Pooled;
    use crate::media::{Color, Planes};

    const SHOWN: SourceId = SourceId(1);

    /// A source that always returns this frame, but none in its first requests.
    struct Late(VideoFrame, u32);

    impl VideoFeed for Late {
        fn frame(&mut self, _: Timestamp) -> Option<VideoFrame> {
            let is_ready = self.1 == 0;
            self.1 = self.1.saturating_sub(1);
            is_ready.then(|| self.0.clone())
        }
    }

    fn late(luma: u8, requests: u32) -> Box<dyn VideoFeed> {
        let mut planes = Planes::black(Size::new(64, 36));
        planes.y.fill(luma);
        let surface = Arc::new(Pooled::unpooled(planes)).into();
        let frame = VideoFrame { pts: Timestamp::ZERO, color: Color::PROGRAM, surface };
        Box::new(Late(frame, requests))
    }

    /// The luma that the source shows, `None` for no content, or 0 for the placeholder.
    fn luma_at(frames: &mut SourceFrames, millis: i64) -> Option<u8> {
        let at = Timestamp::from_millis(millis);
        frames.pull([SHOWN].into_iter(), at, &WorkerPool::alone());
        match frames.shown(SHOWN) {
            ShownSource::Frame(frame) => Some(frame.planes().y[0]),
            ShownSource::Nothing => None,
            ShownSource::Placeholder(_) => Some(0),
        }
    }

    #[test]
    fn a_still_source_shows_its_last_frame_until_the_next_one_has_a_frame() {
        let mut frames = SourceFrames::default();
        frames.give(SHOWN, SourceFrame::Still(late(40, 0)));
        // It is shown for much longer than a missing frame is replaced.
        assert_eq!([0, 9_000].map(|at| luma_at(&mut frames, at)), [Some(40); 2]);
        frames.give(SHOWN, SourceFrame::Still(late(80, 2)));
        let shown = [9_040, 9_080, 9_120].map(|at| luma_at(&mut frames, at));
        assert_eq!(shown, [Some(40), Some(40), Some(80)]);
        // While it is typed, a text is replaced before it has a frame.
        frames.give(SHOWN, SourceFrame::Still(late(120, u32::MAX)));
        assert_eq!(luma_at(&mut frames, 10_120), Some(80));
        frames.give(SHOWN, SourceFrame::Still(late(160, u32::MAX)));
        let shown = [11_119, 11_120].map(|at| luma_at(&mut frames, at));
        assert_eq!(shown, [Some(80), None], "two seconds after the first replacement");
        frames.give(SHOWN, SourceFrame::Feed(None));
        assert_eq!(luma_at(&mut frames, 11_160), None, "it is removed");
    }

    #[test]
    fn frames_of_cameras_never_outlast_them() {
        let mut frames = SourceFrames::default();
        frames.give(SHOWN, SourceFrame::Feed(Some(late(40, 0))));
        assert_eq!(luma_at(&mut frames, 0), Some(40));
        frames.give(SHOWN, SourceFrame::Still(late(80, 1)));
        assert_eq!([40, 80].map(|at| luma_at(&mut frames, at)), [None, Some(80)]);
        frames.give(SHOWN, SourceFrame::Feed(Some(late(120, 1))));
        assert_eq!([120, 160].map(|at| luma_at(&mut frames, at)), [None, Some(120)]);
    }

    #[test]
    fn a_still_source_that_hands_its_feed_over_keeps_its_last_frame() {
        let mut frames = SourceFrames::default();
        frames.give(SHOWN, SourceFrame::Still(late(40, 0)));
        assert_eq!(luma_at(&mut frames, 0), Some(40));
        frames.hand_over(SHOWN, SourceId(2));
        frames.give(SHOWN, SourceFrame::Still(late(80, 1)));
        assert_eq!([40, 80].map(|at| luma_at(&mut frames, at)), [Some(40), Some(80)]);
    }
}
