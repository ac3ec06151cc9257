//! The streams that are made into frames, and what the thread of each shares with those who watch.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::watch;

use crate::base::worker::Worker;
use crate::server::stream::Stream;
use crate::server::stream::message_sink::MessageSink;
use crate::server::whep::frame::{Frame, FrameKind};
use crate::server::whep::frame_maker::Made;
use crate::server::whep::mailbox::Mailbox;
use crate::server::whep::tracks::Tracks;

/// The encoder is asked for a keyframe at most so often.
const KEYFRAME_PAUSE: Duration = Duration::from_millis(500);

/// All streams that are made into frames.
#[derive(Debug, Default)]
pub(in crate::server) struct Productions(
    pub(super) Mutex<HashMap<(String, String), Arc<Production>>>,
);

/// A stream that is.
#[derive(Debug)]
pub(in crate::server) struct Production {
    pub stream: Arc<Stream>,
    pub(super) sink: Arc<MessageSink>,
    pub(super) tracks: watch::Sender<Tracks>,
    shared: Mutex<Shared>,
    /// Those who use it, and of them those who want sound.
    pub(super) users: AtomicUsize,
    pub(super) listeners: AtomicUsize,
    /// The program's own encoder can be asked for keyframes.
    is_own: bool,
    asked: Mutex<Option<Instant>>,
    pub(super) worker: Mutex<Option<Worker>>,
}

#[derive(Debug, Default)]
struct Shared {
    /// Since the last keyframe.
    group: Vec<Arc<Frame>>,
    group_bytes: usize,
    viewers: Vec<(Arc<Mailbox>, WantedTracks)>,
}

/// Which tracks a viewer takes.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) struct WantedTracks {
    pub video: bool,
    pub audio: bool,
}

/// Somebody uses a production: it goes on as long as this lives.
#[derive(Debug)]
pub(super) struct ProductionUse {
    pub production: Arc<Production>,
    wanted: WantedTracks,
}

impl Drop for ProductionUse {
    fn drop(&mut self) {
        self.production.users.fetch_sub(1, Ordering::AcqRel);
        self.production.listeners.fetch_sub(usize::from(self.wanted.audio), Ordering::AcqRel);
    }
}

impl ProductionUse {
    /// From now on frames go to this mailbox. Those since the last keyframe.
    pub fn subscribe(&self, mailbox: &Arc<Mailbox>) -> Vec<Arc<Frame>> {
        let mut shared = self.production.shared.lock();
        shared.viewers.push((Arc::clone(mailbox), self.wanted));
        shared.group.clone()
    }

    /// No more do.
    pub fn unsubscribe(&self, id: u64) {
        self.production.shared.lock().viewers.retain(|(mailbox, _)| mailbox.id != id);
    }

    /// Pictures since the last keyframe.
    pub fn group(&self) -> Vec<Arc<Frame>> {
        self.production.shared.lock().group.clone()
    }

    /// What is known of the tracks, now and from here on.
    pub fn tracks(&self) -> watch::Receiver<Tracks> {
        self.production.tracks.subscribe()
    }

    /// Whether the program's own encoder is to be asked for a keyframe now, or was a moment ago. `None`:
    /// somebody else publishes.
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
    /// Lets go of one that nobody uses; `false` where somebody does.
    pub(super) fn end(&self, production: &Arc<Production>) -> bool {
        let mut all = self.0.lock();
        if production.users.load(Ordering::Acquire) > 0 {
            return false;
        }
        let key = (production.stream.app.clone(), production.stream.name.clone());
        if all.get(&key).is_some_and(|known| Arc::ptr_eq(known, production)) {
            all.remove(&key);
        }
        true
    }
}

impl Production {
    /// One whose thread has not begun.
    pub(super) fn new(stream: Arc<Stream>, sink: Arc<MessageSink>, is_own: bool) -> Self {
        Self {
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

    /// Somebody uses it.
    pub(super) fn used(self: &Arc<Self>, wanted: WantedTracks) -> ProductionUse {
        self.users.fetch_add(1, Ordering::AcqRel);
        self.listeners.fetch_add(usize::from(wanted.audio), Ordering::AcqRel);
        ProductionUse { production: Arc::clone(self), wanted }
    }

    /// Gives all viewers what was made; at most `limit` bytes of pictures are kept for late joiners.
    pub(super) fn publish(&self, made: Made, limit: usize) {
        match made {
            Made::Frame(frame) => self.frame(frame, limit),
            Made::Tracks(tracks) => {
                self.tracks.send_replace(tracks);
                if let Some(refused) = tracks.refused {
                    let shared = self.shared.lock();
                    shared.viewers.iter().for_each(|(viewer, _)| viewer.end(refused.reason()));
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
                // Late joiners wait for the next keyframe.
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
