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
use crate::server::webrtc::mailbox::Mailbox;
use crate::server::webrtc::whep::frame::{Frame, FrameKind};
use crate::server::webrtc::whep::production::frame_maker::{Listeners, ProductionEvent};
use crate::server::webrtc::whep::production::keyframe_request::KeyframeRequest;
use crate::server::webrtc::whep::production::timeline::Timeline;
use crate::server::webrtc::whep::tracks::Tracks;

/// Minimum interval between keyframe requests to the encoder.
const MIN_KEYFRAME_REQUEST_INTERVAL: Duration = Duration::from_secs(1);

/// Number of listeners from which packets of audio are joined in pairs, and audio waits for the next video frame, so
/// that a viewer's task wakes up once for both.
const MIN_CROWD_LISTENERS: usize = 100;
/// Maximum time that audio waits: a frame at 25 fps.
const MAX_AUDIO_HOLD: Duration = Duration::from_millis(40);

/// Minimum interval between attempts to encode the program's audio after a failure.
const PROGRAM_AUDIO_RETRY_INTERVAL: Duration = Duration::from_secs(60);

/// Maximum number of remembered publications with B-frames.
const MAX_REFUSED_PUBLICATIONS: usize = 256;

/// All running productions.
#[derive(Debug, Default)]
pub(crate) struct Productions {
    pub(super) all: Mutex<HashMap<ProductionKey, Arc<Production>>>,
    /// Publications with B-frames, by the ID of the publisher. This list outlives the productions:
    /// a production ends with its last viewer, and a new one detects B-frames only in later frames.
    /// The list contains at most [`MAX_REFUSED_PUBLICATIONS`] entries, and forgets the oldest.
    refused: Mutex<VecDeque<u64>>,
}

/// The name of a production.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ProductionKey {
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
pub(crate) struct Production {
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
    listeners: AtomicUsize,
    /// True for the studio's own stream: its encoder may accept keyframe requests, and the program's audio may
    /// replace the stream's audio.
    pub(super) is_own: bool,
    /// The time of the last keyframe request.
    last_keyframe_request: Mutex<Option<Instant>>,
    pub(super) worker: Mutex<Option<Worker>>,
    /// The thread for the program's audio, which replaces the stream's audio while the thread runs.
    program_audio: Mutex<Option<Worker>>,
    /// The time at which encoding the program's audio last failed.
    program_audio_failed: Mutex<Option<Instant>>,
}

#[derive(Debug, Default)]
struct Shared {
    /// Frames since the last keyframe.
    group: Vec<Arc<Frame>>,
    group_bytes: usize,
    viewers: Vec<(Arc<Mailbox>, WantedTracks)>,
    /// Arrival time of the first audio frame that waits for video.
    held_since: Option<Instant>,
}

/// The tracks that a use needs.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(in crate::webrtc) struct WantedTracks {
    pub video: bool,
    pub audio: bool,
}

/// A use of a production. The production continues as long as this value exists.
#[derive(Debug)]
pub(in crate::webrtc) struct ProductionUse {
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

    /// Requests a keyframe from onair's own encoder, unless one was requested a moment ago. Returns
    /// true if the viewer should wait for the keyframe. Returns false if the viewer must use the
    /// cached frames: for another publisher, without a request, or if the requested keyframe has
    /// arrived.
    pub fn request_keyframe(
        &self,
        request: Option<&KeyframeRequest>,
        cached: &[Arc<Frame>],
        now: Instant,
    ) -> bool {
        let Some(request) = request.filter(|_| self.production.is_own) else { return false };
        let mut last = self.production.last_keyframe_request.lock();
        let is_recent = |at: &Instant| now.duration_since(*at) < MIN_KEYFRAME_REQUEST_INTERVAL;
        let Some(before) = last.filter(is_recent) else {
            *last = Some(now);
            (request.0)();
            return true;
        };
        cached.first().is_none_or(|key| key.arrived < before)
    }
}

impl Productions {
    /// Records that the publication of this publisher has B-frames.
    pub(super) fn refuse(&self, publisher: u64) {
        let mut refused = self.refused.lock();
        if !refused.contains(&publisher) {
            refused.truncate(MAX_REFUSED_PUBLICATIONS - 1);
            refused.push_front(publisher);
        }
    }

    /// Returns true if the publication of this publisher has B-frames.
    pub(in crate::webrtc) fn is_refused(&self, publisher: u64) -> bool {
        self.refused.lock().contains(&publisher)
    }

    /// Returns true if the production of a stream itself has a user. Each session is one.
    pub(in crate::webrtc) fn is_used(&self, stream: &Stream) -> bool {
        let all = self.all.lock();
        let production = all.get(&ProductionKey::of(stream, String::new()));
        production.is_some_and(|it| it.users.load(Ordering::Acquire) > 0)
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
            last_keyframe_request: Mutex::default(),
            worker: Mutex::default(),
            program_audio: Mutex::default(),
            program_audio_failed: Mutex::default(),
            stream,
        }
    }

    /// Returns the number of the production, which its frames contain.
    pub(in crate::webrtc) fn id(&self) -> u64 {
        self.sink.id()
    }

    /// Returns true for the production of a rendition.
    pub(super) fn is_rendition(&self) -> bool {
        !self.key.rendition.is_empty()
    }

    /// Sets the thread for the program's audio. An earlier one stops.
    pub(super) fn set_program_audio(&self, worker: Option<Worker>) {
        *self.program_audio.lock() = worker;
    }

    /// Returns true if a thread encodes the program's audio.
    pub(super) fn has_program_audio(&self) -> bool {
        self.program_audio.lock().as_ref().is_some_and(|worker| !worker.is_finished())
    }

    /// Records that encoding the program's audio has failed. Returns true for the first failure.
    pub(super) fn note_program_audio_failure(&self, now: Instant) -> bool {
        self.program_audio_failed.lock().replace(now).is_none()
    }

    /// Returns true if encoding the program's audio failed a short time ago.
    pub(super) fn has_failed_recently(&self, now: Instant) -> bool {
        let failed = *self.program_audio_failed.lock();
        failed.is_some_and(|at| now.saturating_duration_since(at) < PROGRAM_AUDIO_RETRY_INTERVAL)
    }

    /// Returns the number of listeners, as far as it matters.
    pub(super) fn listeners(&self) -> Listeners {
        match self.listeners.load(Ordering::Acquire) {
            0 => Listeners::None,
            1..MIN_CROWD_LISTENERS => Listeners::Few,
            _ => Listeners::Crowd,
        }
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

    /// Sends an event to all viewers. At most `limit` bytes of frames are cached for new viewers.
    pub(super) fn publish(&self, event: ProductionEvent, limit: usize) {
        match event {
            ProductionEvent::Frame(frame) => self.frame(frame, limit),
            ProductionEvent::Tracks(tracks) => {
                self.tracks.send_replace(tracks);
                if let Some(refused) = tracks.refused {
                    let shared = self.shared.lock();
                    let viewers = shared.viewers.iter().filter(|(_, wanted)| wanted.video);
                    viewers.for_each(|(viewer, _)| viewer.end(refused.problem()));
                }
            }
            ProductionEvent::CacheInvalid => self.shared.lock().forget(),
        }
    }

    /// Sends audio that has waited long enough. Returns the time until the next audio has, if any waits.
    pub(super) fn release_if_due(&self, now: Instant) -> Option<Duration> {
        let mut shared = self.shared.lock();
        let waited = now.saturating_duration_since(shared.held_since?);
        if waited >= MAX_AUDIO_HOLD {
            shared.release();
            return None;
        }
        Some(MAX_AUDIO_HOLD - waited)
    }

    fn frame(&self, frame: Frame, limit: usize) {
        let frame = Arc::new(frame);
        let mut shared = self.shared.lock();
        let is_video = frame.is_video();
        let holds = !is_video && self.listeners() == Listeners::Crowd;
        for (viewer, wanted) in &shared.viewers {
            match is_video {
                true if wanted.video => viewer.frame(&frame),
                false if wanted.audio && holds => viewer.hold(&frame),
                false if wanted.audio => viewer.frame(&frame),
                _ => {}
            }
        }
        if holds {
            shared.held_since.get_or_insert(frame.arrived);
        } else {
            shared.release();
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
    /// Wakes the viewers whose audio still waits. Those who get video from here are awake.
    fn release(&mut self) {
        if self.held_since.take().is_some() {
            self.viewers.iter().filter(|(_, wanted)| wanted.audio).for_each(|(it, _)| it.wake());
        }
    }

    fn forget(&mut self) {
        self.group.clear();
        self.group_bytes = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Clock, queue};
    use crate::net::Runtime;
    use crate::server::registry::config::Config;
    use crate::server::registry::{PublishRight, Registry};
    use crate::server::webrtc::mailbox::IceNames;
    use crate::wire::rtmp::stream_name::StreamName;

    fn production(is_own: bool) -> Arc<Production> {
        let runtime = Runtime::start().unwrap();
        let (sender, _events) = queue::bounded("test", 16, queue::Full::DropOldest);
        let registry = Registry::new(Config::default(), Clock::start(), sender, runtime.handle());
        let name = StreamName::resolve("rtmp://localhost/live", "live", "show");
        let right = PublishRight { proven: true, relayed: false, limits: Default::default() };
        let peer = "127.0.0.1:9".parse().unwrap();
        let publication = Arc::new(registry).publish(1, peer, &name, right).unwrap();
        let stream = &publication.stream;
        let key = ProductionKey::of(stream, String::new());
        let sink = MessageSink::new(2, 1 << 20);
        let source = (Arc::clone(stream), sink);
        Arc::new(Production::new(key, source, Arc::default(), is_own))
    }

    fn frame(production: &Production, kind: FrameKind, arrived: Instant) -> Frame {
        let (production, wallclock, payloads) = (production.id(), arrived, Vec::new());
        Frame { production, is_av1: false, kind, index: 0, at: 0, wallclock, arrived, payloads }
    }

    #[test]
    fn the_encoder_is_asked_at_most_once_a_second_for_all_viewers() {
        let wanted = WantedTracks { video: true, audio: false };
        let own = production(true);
        let (first, second) = (own.used(wanted, None), own.used(wanted, None));
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let key = |millis| [Arc::new(frame(&own, FrameKind::Key, at(millis)))];
        let requests = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&requests);
        let request = KeyframeRequest(Arc::new(move || {
            counted.fetch_add(1, Ordering::Relaxed);
        }));
        // Whether the viewer waits, and the number of requests so far.
        let asks = |viewer: &ProductionUse, cached: &[Arc<Frame>], millis| {
            let waits = viewer.request_keyframe(Some(&request), cached, at(millis));
            (waits, requests.load(Ordering::Relaxed))
        };
        assert_eq!(asks(&first, &key(0), 600), (true, 1));
        assert_eq!(asks(&second, &key(0), 601), (true, 1), "the keyframe is on its way");
        assert_eq!(asks(&second, &[], 602), (true, 1), "no frame is in the cache");
        assert_eq!(asks(&second, &key(700), 1_599), (false, 1), "the keyframe is in the cache");
        assert_eq!(asks(&second, &key(700), 1_600), (true, 2));
        assert_eq!(asks(&first, &key(700), 1_601), (true, 2));
        let other = production(false).used(wanted, None);
        assert_eq!(asks(&other, &key(0), 9_000), (false, 2), "another encoder cannot be asked");
        let waits = first.request_keyframe(None, &key(700), at(9_000));
        assert!(!waits, "a file and a delayed stream have no encoder that can answer soon");
    }

    #[test]
    fn the_audio_of_a_crowd_waits_for_video() {
        let production = production(false);
        let (audio, video) = (true, true);
        let listener = || production.used(WantedTracks { video: false, audio }, None);
        let mailbox = |id: u64| {
            let ice = IceNames { local: "u".into(), remote: "t".into() };
            Mailbox::new(id, id.to_string(), ice)
        };
        let (both, deaf) = (mailbox(1), mailbox(2));
        let (first, second) = (listener(), listener());
        first.subscribe(&both);
        second.subscribe(&deaf);
        let watcher = production.used(WantedTracks { video, audio: false }, None);
        watcher.subscribe(&both);
        let start = Instant::now();
        let send = |kind, millis: u64| {
            let frame = frame(&production, kind, start + Duration::from_millis(millis));
            production.publish(ProductionEvent::Frame(frame), 1 << 20);
        };
        let due = |millis: u64| production.release_if_due(start + Duration::from_millis(millis));
        let taken = |mailbox: &Mailbox| {
            let waiting = mailbox.take();
            (waiting.frames.len(), waiting.is_woken)
        };
        // A few listeners get audio at once.
        send(FrameKind::Audio, 0);
        assert_eq!((taken(&both), taken(&deaf), due(0)), ((1, true), (1, true), None));
        let crowd: Vec<_> = (2..MIN_CROWD_LISTENERS).map(|_| listener()).collect();
        send(FrameKind::Audio, 20);
        assert!(!both.take().is_woken, "the task takes the frame if something else wakes it");
        send(FrameKind::Audio, 40);
        assert_eq!(due(50), Some(Duration::from_millis(10)));
        send(FrameKind::Key, 53);
        assert_eq!((taken(&both), taken(&deaf), due(200)), ((2, true), (2, true), None));
        // Without video, audio waits for a limited time.
        send(FrameKind::Audio, 60);
        send(FrameKind::Audio, 80);
        assert_eq!(due(100), None);
        assert_eq!((taken(&both), taken(&deaf)), ((2, true), (2, true)));
        drop(crowd);
        send(FrameKind::Audio, 100);
        assert_eq!((taken(&both), taken(&deaf)), ((1, true), (1, true)));
    }

    #[test]
    fn publications_with_b_frames_are_remembered_up_to_a_limit() {
        let productions = Productions::default();
        for publisher in 0..=MAX_REFUSED_PUBLICATIONS as u64 {
            productions.refuse(publisher);
            productions.refuse(publisher);
        }
        assert!(!productions.is_refused(0), "the oldest is forgotten");
        assert!(
            productions.is_refused(1) && productions.is_refused(MAX_REFUSED_PUBLICATIONS as u64)
        );
        assert_eq!(productions.refused.lock().len(), MAX_REFUSED_PUBLICATIONS);
    }
}
