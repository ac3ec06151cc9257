//! The sources of all scenes, each there once however often it is shown. A source that is needed is
//! asked once a tick; one that has no picture shows its last one for two seconds.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::base::Timestamp;
use crate::compose::scene::SourceId;
use crate::media::{VideoFeed, VideoFrame};

/// How long the last picture stands in for a missing one.
const HOLD: Duration = Duration::from_secs(2);

/// What a source shows.
#[derive(Clone, Debug)]
pub(super) enum Shown {
    Picture(VideoFrame),
    /// Nothing yet: it may come any moment.
    Nothing,
    /// Nothing for so long that the slate stands in.
    Slate,
}

#[derive(Default)]
struct Slot {
    feed: Option<Box<dyn VideoFeed>>,
    /// When it was last asked.
    asked: Option<Timestamp>,
    /// Its newest picture and when that was first seen.
    last: Option<(VideoFrame, Timestamp)>,
    /// Since when there is none.
    missing: Option<Timestamp>,
}

/// All sources by their ids.
#[derive(Default)]
pub(super) struct Pictures {
    slots: BTreeMap<SourceId, Slot>,
}

impl Pictures {
    /// This source gives pictures from now on; `None`: it has none. The feed before is dropped here.
    pub fn set_feed(&mut self, id: SourceId, feed: Option<Box<dyn VideoFeed>>) {
        match feed {
            Some(feed) => {
                self.slots.insert(id, Slot { feed: Some(feed), ..Slot::default() });
            }
            None => {
                self.slots.remove(&id);
            }
        }
    }

    /// Asks each of these sources for its picture of the instant `at`.
    pub fn pull(&mut self, ids: impl Iterator<Item = SourceId>, at: Timestamp) {
        for id in ids {
            let slot = self.slots.entry(id).or_default();
            if slot.asked == Some(at) {
                continue;
            }
            slot.asked = Some(at);
            match (slot.feed.as_mut().and_then(|feed| feed.picture(at)), &mut slot.last) {
                (Some(new), Some((last, _)))
                    if std::sync::Arc::ptr_eq(&new.planes, &last.planes) =>
                {
                    *last = new;
                    slot.missing = None;
                }
                (Some(new), last) => {
                    *last = Some((new, at));
                    slot.missing = None;
                }
                (None, last) => {
                    if last.as_ref().is_some_and(|(_, seen)| at.since(*seen) >= HOLD) {
                        *last = None;
                        // The slate at once: it has been gone for long enough.
                        slot.missing = Some(at - HOLD);
                    } else if last.is_none() {
                        slot.missing.get_or_insert(at);
                    }
                }
            }
        }
    }

    /// What a source shows, as it was last asked.
    pub fn shown(&self, id: SourceId) -> Shown {
        let Some(slot) = self.slots.get(&id) else { return Shown::Nothing };
        match (&slot.last, slot.missing, slot.asked) {
            (Some((picture, _)), ..) => Shown::Picture(picture.clone()),
            (None, Some(since), Some(now)) if now.since(since) >= HOLD => Shown::Slate,
            _ => Shown::Nothing,
        }
    }
}
