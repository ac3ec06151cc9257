//! The running productions, and the data that each thread shares with its viewers.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::watch;

use crate::base::worker::Worker;
use crate::server::renditions::refusal::Refusal;
use crate::server::renditions::running::RenditionUse;
use crate::server::stream::Stream;
use crate::server::stream::message_sink::MessageSink;
use crate::server::stream::sink::Sink as _;
use crate::server::whep::frame::{Frame, FrameKind};
use crate::server::whep::mailbox::Mailbox;
use crate::server::whep::production::frame_maker::Made;
use crate::server::whep::production::timeline::Timeline;
use crate::server::whep::tracks::Tracks;

/// Minimum interval between keyframe requests to the encoder.
const KEYFRAME_PAUSE: Duration = Duration::from_millis(500);

/// Maximum number of remembered publications with B-frames.
const MAX_REFUSED: usize = 256;

/// All running productions.
#[derive(Debug, Default)]
pub(in crate::server) struct Productions {
    pub(super) all: Mutex<HashMap<ProductionKey, Arc<Production>>>,
    /// Publications with B-frames, by the ID of the publisher. This list outlives the productions:
    /// a production ends with its last viewer, and a new one detects B-frames only in later frames.
    /// The list contains at most [`MAX_REFUSED`] entries, and forgets the oldest.
    refused: Mutex<VecDeque<u64>>,
}

/// The name of a production.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in crate::server) struct ProductionKey {
    pub app: String,
    pub stream: String,
    /// Empty for the stream itself.
    pub rendition: String,
}

impl ProductionKey {
    pub fn of(stream: &Stream, rendition: String) -> Self {
        Self { app: stream.app.clone(), stream: stream.name.clone(), rendition }
    }
}

/// The production of a stream or a rendition.
#[derive(Debug)]
pub(in crate::server) struct Production {
    key: ProductionKey,
    pub stream: Arc<Stream>,
    /// The timeline, which renditions share with their stream.
    pub(super) timeline: Arc<Mutex<Timeline>>,
    pub(super) sink: Arc<MessageSink>,
    pub(super) tracks: watch::Sender<Tracks>,
    shared: Mutex<Shared>,
    /// Number of users.
    pub(super) users: AtomicUsize,
    /// Number of users that want audio.
    pub(super) listeners: AtomicUsize,
    /// True if onair's own encoder accepts keyframe requests.
    is_own: bool,
    asked: Mutex<Option<Instant>>,
    pub(super) worker: Mutex<Option<Worker>>,
}

#[derive(Debug, Default)]
struct Shared {
    /// Frames since the last keyframe.
    group: Vec<Arc<Frame>>,
    group_bytes: usize,
    viewers: Vec<(Arc<Mailbox>, WantedTracks)>,
}

/// The tracks that a use needs.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(in crate::server::whep) struct WantedTracks {
    pub video: bool,
    pub audio: bool,
}

/// A use of a production. The production continues as long as this value exists.
#[derive(Debug)]
pub(in crate::server::whep) struct ProductionUse {
    pub production: Arc<Production>,
    wanted: WantedTracks,
    /// The rendition, which is encoded as long as this value exists.
    rendition: Option<RenditionUse>,
}

impl Drop for ProductionUse {
    fn drop(&mut self) {
        self.production.users.fetch_sub(1, Ordering::AcqRel);
        self.production.listeners.fetch_sub(usize::from(self.wanted.audio), Ordering::AcqRel);
    }
}

impl ProductionUse {
    /// Sends frames to this mailbox from now on. Returns the frames since the last keyframe.
    pub fn subscribe(&self, mailbox: &Arc<Mailbox>) -> Vec<Arc<Frame>> {
        let mut shared = self.production.shared.lock();
        shared.viewers.push((Arc::clone(mailbox), self.wanted));
        shared.group.clone()
    }

    /// Stops sending the frames of this use to this mailbox.
    pub fn unsubscribe(&self, id: u64) {
        let mut shared = self.production.shared.lock();
        let is_other = |mailbox: &Mailbox, wanted| mailbox.id != id || wanted != self.wanted;
        shared.viewers.retain(|(mailbox, wanted)| is_other(mailbox, *wanted));
    }

    /// Returns the reason why the server no longer encodes the rendition, if it has ended.
    pub fn ended(&self) -> Option<Refusal> {
        self.rendition.as_ref().and_then(|used| used.running.ended())
    }

    /// Returns the frames since the last keyframe.
    pub fn group(&self) -> Vec<Arc<Frame>> {
        self.production.shared.lock().group.clone()
    }

    /// Returns a receiver of the known tracks.
    pub fn tracks(&self) -> watch::Receiver<Tracks> {
        self.production.tracks.subscribe()
    }

    /// Returns true if a keyframe should be requested from onair's own encoder now, and false if it
    /// was requested a moment ago. Returns `None` for another publisher.
    pub fn needs_request(&self, now: Instant) -> Option<bool> {
        if !self.production.is_own {
            return None;
        }
        let mut asked = self.production.asked.lock();
        let due = asked.is_none_or(|before| now.duration_since(before) >= KEYFRAME_PAUSE);
        if due {
            *asked = Some(now);
        }
        Some(due)
    }
}

impl Productions {
    /// Records that the publication of this publisher has B-frames.
    pub(super) fn refuse(&self, publisher: u64) {
        let mut refused = self.refused.lock();
        if !refused.contains(&publisher) {
            refused.truncate(MAX_REFUSED - 1);
            refused.push_front(publisher);
        }
    }

    /// Returns true if the publication of this publisher has B-frames.
    pub(in crate::server::whep) fn is_refused(&self, publisher: u64) -> bool {
        self.refused.lock().contains(&publisher)
    }

    /// Removes an unused production. Returns false if it is in use.
    pub(super) fn end(&self, production: &Arc<Production>) -> bool {
        let mut all = self.all.lock();
        if production.users.load(Ordering::Acquire) > 0 {
            return false;
        }
        let key = &production.key;
        if all.get(key).is_some_and(|known| Arc::ptr_eq(known, production)) {
            all.remove(key);
        }
        true
    }
}

impl Production {
    /// Creates a production whose thread has not started.
    pub(super) fn new(
        key: ProductionKey,
        (stream, sink): (Arc<Stream>, Arc<MessageSink>),
        timeline: Arc<Mutex<Timeline>>,
        is_own: bool,
    ) -> Self {
        Self {
            key,
            timeline,
            sink,
            tracks: watch::Sender::new(Tracks::default()),
            shared: Mutex::default(),
            users: AtomicUsize::new(0),
            listeners: AtomicUsize::new(0),
            is_own,
            asked: Mutex::default(),
            worker: Mutex::default(),
            stream,
        }
    }

    /// Returns the number of the production, which its frames contain.
    pub(in crate::server::whep) fn id(&self) -> u64 {
        self.sink.id()
    }

    /// Adds a viewer that needs these tracks.
    pub(super) fn used(
        self: &Arc<Self>,
        wanted: WantedTracks,
        rendition: Option<RenditionUse>,
    ) -> ProductionUse {
        self.users.fetch_add(1, Ordering::AcqRel);
        self.listeners.fetch_add(usize::from(wanted.audio), Ordering::AcqRel);
        ProductionUse { production: Arc::clone(self), wanted, rendition }
    }

    /// Sends a result to all viewers. At most `limit` bytes of frames are cached for new viewers.
    pub(super) fn publish(&self, made: Made, limit: usize) {
        match made {
            Made::Frame(frame) => self.frame(frame, limit),
            Made::Tracks(tracks) => {
                self.tracks.send_replace(tracks);
                if let Some(refused) = tracks.refused {
                    let shared = self.shared.lock();
                    let viewers = shared.viewers.iter().filter(|(_, wanted)| wanted.video);
                    viewers.for_each(|(viewer, _)| viewer.end(refused.reason()));
                }
            }
            Made::Forget => self.shared.lock().forget(),
        }
    }

    fn frame(&self, frame: Frame, limit: usize) {
        let frame = Arc::new(frame);
        let mut shared = self.shared.lock();
        let is_video = frame.is_video();
        for (viewer, wanted) in &shared.viewers {
            if (is_video && wanted.video) || (!is_video && wanted.audio) {
                viewer.frame(&frame);
            }
        }
        if frame.kind == FrameKind::Key {
            shared.forget();
        }
        if is_video && (frame.kind == FrameKind::Key || !shared.group.is_empty()) {
            shared.group_bytes += frame.size();
            shared.group.push(frame);
            if shared.group_bytes > limit {
                // New viewers wait for the next keyframe.
                shared.forget();
            }
        }
    }
}

impl Shared {
    fn forget(&mut self) {
        self.group.clear();
        self.group_bytes = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn publications_with_b_frames_are_remembered_up_to_a_limit() {
        let productions = Productions::default();
        for publisher in 0..=MAX_REFUSED as u64 {
            productions.refuse(publisher);
            productions.refuse(publisher);
        }
        assert!(!productions.is_refused(0), "the oldest is forgotten");
        assert!(productions.is_refused(1) && productions.is_refused(MAX_REFUSED as u64));
        assert_eq!(productions.refused.lock().len(), MAX_REFUSED);
    }
}
