//! The hub: passes one input of encoded packets to any number of outputs. The hub has a separate
//! thread, which never waits for an output.

pub(in crate::broadcast) mod backlog;
pub(in crate::broadcast) mod gop;
pub(in crate::broadcast) mod interleaver;
mod mix;
pub(in crate::broadcast) mod opus;
pub mod own_video;
pub(in crate::broadcast) mod sequence_headers;
pub(in crate::broadcast) mod shared_packet;
pub mod subscription;

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::watch;

use crate::base::queue::{Empty, Gauge, Receiver};
use crate::base::worker::Stuck;
use crate::base::{Stop, Timestamp, Worker, partial_debug};
use crate::broadcast::hub::backlog::{Backlog, Limits};
use crate::broadcast::hub::gop::Gop;
use crate::broadcast::hub::interleaver::Interleaver;
use crate::broadcast::hub::opus::SharedOpus;
use crate::broadcast::hub::sequence_headers::SequenceHeaders;
use crate::broadcast::hub::shared_packet::SharedPacket;
use crate::broadcast::hub::subscription::{
    ExtraMedia, Subscription, SubscriptionQueue, WantedVideo,
};
use crate::broadcast::output::Sink;
use crate::media::{EncodedPacket, ExtraTracks, Rendition, RenditionId, StreamConfig, Track};
use crate::text::Problem;

/// Interval at which the thread checks whether it should stop.
const POLL_INTERVAL: Duration = Duration::from_millis(100);
/// Tracks that begin within this time count as beginning together.
const SAME_START_TOLERANCE: Duration = Duration::from_millis(100);

/// The hub of one broadcast. The hub ends with its input (when all senders are dropped), or when it
/// is dropped. The subscriptions of the hub end after all packets are read.
pub struct Hub {
    feed: HubFeed,
    /// The thread; `None` for the hub of a mix.
    worker: Option<Worker>,
    /// Takes the packets of the hub that this hub of a mix, or with its own video, follows.
    #[allow(dead_code, reason = "the followed hub passes packets on while this exists")]
    mix: Option<Arc<dyn Sink>>,
}

/// Counters since the start.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    pub frames: u64,
    pub keyframes: u64,
    pub video_bytes: u64,
    pub audio_packets: u64,
    pub audio_bytes: u64,
}

/// The part of a hub with which outputs subscribe, and subscribe again when they reconnect. Clones
/// share the hub.
#[derive(Clone)]
pub(super) struct HubFeed {
    shared: Arc<Shared>,
    /// The number of audio packets dropped by all subscriptions made through this feed.
    lost_audio: Arc<AtomicU64>,
    /// The feed of the hub that the hub of a mix follows.
    followed: Option<Box<HubFeed>>,
}

struct Shared {
    /// The config of the stream; empty for packets copied from a file.
    config: StreamConfig,
    head: SequenceHeaders,
    /// The counters of the queue that leads to the hub.
    input: Arc<Gauge>,
    state: Mutex<State>,
    /// True once the stream has ended.
    ended: watch::Sender<bool>,
    want_keyframe: Mutex<Asks>,
    /// Encodes the audio for targets that carry no AAC.
    opus: Arc<SharedOpus>,
    audio_delay_us: AtomicU64,
    video_delay_us: AtomicU64,
    /// True if the main rendition can have B-frames.
    has_b_frames: AtomicBool,
    /// The expected extra audio tracks.
    extras: Mutex<ExtraTracks>,
}

/// Requests a keyframe from the encoder of each rendition.
type Asks = [Option<Box<dyn Fn() + Send>>; 2];

#[derive(Default)]
struct State {
    gop: Gop,
    second_gop: Gop,
    /// The latest keyframe's config for each rendition.
    latest: [Option<Arc<Rendition>>; 2],
    sinks: Vec<Weak<dyn Sink>>,
    figures: Figures,
    /// The number of packets taken.
    taken: u64,
    /// The latest DTS of the packets taken.
    newest: Timestamp,
    /// The latest DTS among the packets that the outputs have received.
    handed_out: Timestamp,
    ended: bool,
}

partial_debug!(HubFeed {});
partial_debug!(Hub { feed });

impl Hub {
    /// Starts the hub of a stream with this config.
    ///
    /// # Errors
    /// Fails if the system provides no thread.
    pub fn spawn(config: StreamConfig, input: Receiver<EncodedPacket>) -> io::Result<Self> {
        let interleaver = Interleaver::new(config.video.is_some(), config.audio.is_some());
        let head = SequenceHeaders::of(&config);
        let feed = HubFeed::new(config, head, Arc::clone(input.gauge()));
        let its_feed = feed.clone();
        let worker = Worker::spawn("onair-hub", move |stop| {
            run(&its_feed, &input, interleaver, stop);
            its_feed.end();
        })?;
        Ok(Self { feed, worker: Some(worker), mix: None })
    }

    /// Starts the hub of a passthrough or delayed stream, whose packets are already in order. Such
    /// a stream cannot be recorded.
    ///
    /// # Errors
    /// Fails if the system provides no thread.
    pub fn spawn_copy(head: SequenceHeaders, input: Receiver<SharedPacket>) -> io::Result<Self> {
        let feed = HubFeed::new(StreamConfig::default(), head, Arc::clone(input.gauge()));
        let its_feed = feed.clone();
        let worker = Worker::spawn("onair-hub", move |stop| {
            while !stop.is_set() {
                match input.recv_timeout(POLL_INTERVAL) {
                    Ok(tag) => {
                        its_feed.took(tag.dts);
                        its_feed.send(tag);
                    }
                    Err(Empty::Waiting) => {}
                    Err(Empty::Closed) => break,
                }
            }
            its_feed.end();
        })?;
        Ok(Self { feed, worker: Some(worker), mix: None })
    }

    /// Returns the config of the stream.
    pub fn config(&self) -> &StreamConfig {
        &self.feed.shared.config
    }

    /// Subscribes a new output, which begins with the latest keyframe and the packets after it, or
    /// with the next keyframe.
    pub fn subscribe(&self, name: impl Into<String>, limits: Limits) -> Subscription {
        self.feed.subscribe(name, limits, None, RenditionId::Main)
    }

    /// Works like [`Hub::subscribe`], but with the frames of every rendition.
    pub fn subscribe_to_all(&self, name: impl Into<String>, limits: Limits) -> Subscription {
        self.feed.subscribe_to_all(name, limits, false)
    }

    /// Subscribes a new output, optionally with extra audio tracks. The output begins like other
    /// outputs if these tracks (and video) are available from the same point. Otherwise, or if there
    /// is no keyframe after the DTS `after`, the output requests a keyframe, and begins at that
    /// keyframe.
    pub(super) fn subscribe_after(
        &self,
        name: impl Into<String>,
        limits: Limits,
        after: Option<Timestamp>,
        extras: Option<ExtraTracks>,
    ) -> Subscription {
        self.feed.open(name.into(), limits, after, RenditionId::Main, (extras, false))
    }

    /// Passes all packets to this sink while the sink exists, including extra audio tracks and
    /// every rendition, from the latest keyframe of the main rendition on.
    pub fn attach<S: Sink + 'static>(&self, sink: &Arc<S>) {
        let mut state = self.feed.shared.state.lock();
        state.gop.tags().iter().for_each(|tag| sink.offer(tag));
        if state.ended {
            sink.end();
        }
        let sink = Arc::downgrade(sink);
        state.sinks.push(sink);
    }

    /// Sets the extra audio tracks that are sorted together with the other tracks.
    pub fn set_extras(&self, extras: ExtraTracks) {
        *self.feed.shared.extras.lock() = extras;
    }

    /// Returns the config of the rendition's latest keyframe. Returns `None` before the first
    /// keyframe, and for passthrough.
    pub fn latest(&self, rendition_id: RenditionId) -> Option<Arc<Rendition>> {
        self.feed.latest(rendition_id)
    }

    /// Sets a callback that requests a keyframe when an output needs one soon. The callback is
    /// called from network threads, and must return immediately.
    pub fn on_keyframe_wanted(&self, ask: impl Fn() + Send + 'static) {
        self.on_keyframe_wanted_of(RenditionId::Main, Some(Box::new(ask)));
    }

    /// Works like [`Hub::on_keyframe_wanted`], but for the encode of this rendition. `None` means
    /// that this encode has ended.
    pub fn on_keyframe_wanted_of(
        &self,
        rendition_id: RenditionId,
        ask: Option<Box<dyn Fn() + Send>>,
    ) {
        if let Some(place) = self.feed.shared.want_keyframe.lock().get_mut(rendition_id as usize) {
            *place = ask;
        }
    }

    /// Sets the delay with which audio arrives after video of the same time. Frames then wait for
    /// audio.
    pub fn set_audio_delay(&self, lag: Duration) {
        let micros = u64::try_from(lag.as_micros()).unwrap_or(u64::MAX);
        self.feed.shared.audio_delay_us.store(micros, Ordering::Relaxed);
    }

    /// Returns the delay with which audio arrives after video of the same time.
    pub fn audio_delay(&self) -> Duration {
        self.feed.audio_delay()
    }

    /// Sets the delay with which video arrives after audio of the same time, because its encoder
    /// looks ahead. Audio then waits for frames.
    pub fn set_video_delay(&self, lag: Duration) {
        let micros = u64::try_from(lag.as_micros()).unwrap_or(u64::MAX);
        self.feed.shared.video_delay_us.store(micros, Ordering::Relaxed);
    }

    /// Returns the delay with which video arrives after audio of the same time.
    pub fn video_delay(&self) -> Duration {
        self.feed.video_delay()
    }

    /// Sets whether the main rendition can have B-frames. Targets that do not support them then get
    /// the second rendition.
    pub fn set_b_frames(&self, has_b_frames: bool) {
        self.feed.shared.has_b_frames.store(has_b_frames, Ordering::Relaxed);
    }

    /// Sets whether outputs that carry Opus get it instead of AAC. Hubs that are made from this one
    /// later do the same.
    pub fn prefer_opus(&self, is_preferred: bool) {
        self.feed.shared.opus.prefer(is_preferred);
    }

    /// Returns once why the audio cannot be encoded as Opus, after an output of this hub needed that.
    pub fn take_opus_failure(&self) -> Option<Problem> {
        self.feed.shared.opus.take_failure()
    }

    /// Returns the counters of the hub.
    pub fn figures(&self) -> Figures {
        self.feed.shared.state.lock().figures
    }

    /// Returns the number of connected outputs.
    pub fn outputs(&self) -> usize {
        let state = self.feed.shared.state.lock();
        state.sinks.iter().filter(|sink| sink.strong_count() > 0).count()
    }

    /// Waits, for at most `limit`, until the input has ended and the outputs have all packets.
    ///
    /// # Errors
    /// Fails with [`Stuck`] if the input has not ended within `limit`.
    pub fn finish(mut self, limit: Duration) -> Result<(), Stuck> {
        self.worker.as_mut().map_or(Ok(()), |worker| worker.wait(limit))
    }

    /// Creates a feed with its own counter of dropped audio.
    pub(super) fn feed(&self) -> HubFeed {
        HubFeed { lost_audio: Arc::default(), ..self.feed.clone() }
    }
}

impl HubFeed {
    fn new(config: StreamConfig, head: SequenceHeaders, input: Arc<Gauge>) -> Self {
        let (want_keyframe, opus, audio_delay_us, video_delay_us) = Default::default();
        let (has_b_frames, extras) = Default::default();
        let state = State { second_gop: Gop::new(RenditionId::Second), ..State::default() };
        let (state, ended) = (Mutex::new(state), watch::Sender::new(false));
        let shared = Shared {
            config,
            head,
            input,
            state,
            ended,
            want_keyframe,
            opus,
            audio_delay_us,
            video_delay_us,
            has_b_frames,
            extras,
        };
        Self { shared: Arc::new(shared), lost_audio: Arc::default(), followed: None }
    }

    /// Makes this the feed of a mix, whose packets, keyframes and positions come from another hub.
    fn follow(&mut self, followed: &Self) {
        self.followed = Some(Box::new(followed.clone()));
    }

    /// Returns the counter of audio packets that subscriptions drop.
    pub fn lost_audio(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.lost_audio)
    }

    /// Returns the headers that precede the media.
    pub fn head(&self) -> &SequenceHeaders {
        &self.shared.head
    }

    pub fn config(&self) -> &StreamConfig {
        &self.shared.config
    }

    /// Returns the encoder of the audio for targets that carry no AAC.
    pub fn opus(&self) -> &Arc<SharedOpus> {
        &self.shared.opus
    }

    /// Subscribes a new output. With `after`, the output begins at a keyframe later than that DTS.
    /// If the rendition has no frames yet, the output begins with the main rendition.
    pub fn subscribe(
        &self,
        name: impl Into<String>,
        limits: Limits,
        after: Option<Timestamp>,
        wanted: RenditionId,
    ) -> Subscription {
        self.open(name.into(), limits, after, wanted, (None, false))
    }

    /// Works like [`HubFeed::subscribe`], but optionally with the extra audio tracks, and optionally
    /// with the further renditions. The output then begins where all these audio tracks are available.
    pub(super) fn open(
        &self,
        name: String,
        limits: Limits,
        after: Option<Timestamp>,
        wanted: RenditionId,
        (extras, has_renditions): (Option<ExtraTracks>, bool),
    ) -> Subscription {
        let mut ask = None;
        let line = {
            let mut state = self.shared.state.lock();
            let rendition_id = match state.second_gop.tags() {
                [] => RenditionId::Main,
                _ => wanted,
            };
            let gop =
                if rendition_id == RenditionId::Main { &state.gop } else { &state.second_gop };
            let begin = match (gop.tags(), after) {
                ([key, ..], Some(after)) if key.dts <= after => {
                    ask = Some(rendition_id);
                    &[]
                }
                (tags, _) if extras.is_some_and(|extras| !begin_together(tags, extras)) => {
                    ask = Some(rendition_id);
                    &[]
                }
                (tags, _) => tags,
            };
            let also = ExtraMedia { tracks: extras.is_some(), renditions: has_renditions };
            let begin = begin.iter().filter(|tag| also.has(tag.track));
            let begin: Vec<_> = begin.cloned().collect();
            let begin = begin.as_slice();
            let has_video = self.shared.head.has_video;
            let backlog = Backlog::new(limits, has_video, begin);
            let backlog = backlog.counting(self.lost_audio());
            let last = begin.iter().rev().find(|tag| tag.track == Track::Video);
            let video = WantedVideo::Of { rendition_id, wanted, last: last.map(|tag| tag.dts) };
            let line = SubscriptionQueue::new(name, backlog, video, also, state.ended);
            if has_video && begin.is_empty() {
                line.begin_at(after);
            }
            let sink = Arc::downgrade(&line);
            state.sinks.push(sink);
            line
        };
        if let Some(rendition_id) = ask {
            self.ask_keyframe(rendition_id);
        }
        Subscription { line }
    }

    /// Subscribes a new output that gets and passes on the frames of the main and second rendition,
    /// optionally with the extra audio tracks and the further renditions.
    pub fn subscribe_to_all(
        &self,
        name: impl Into<String>,
        limits: Limits,
        extras: bool,
    ) -> Subscription {
        let mut state = self.shared.state.lock();
        let tags = state.gop.tags().iter();
        let also = ExtraMedia { tracks: extras, renditions: extras };
        let begin: Vec<_> = tags.filter(|tag| also.has(tag.track)).cloned().collect();
        let backlog = Backlog::new(limits, self.shared.head.has_video, &begin);
        let line =
            SubscriptionQueue::new(name.into(), backlog, WantedVideo::All, also, state.ended);
        let sink = Arc::downgrade(&line);
        state.sinks.push(sink);
        Subscription { line }
    }

    /// Requests a keyframe from the encoder of a rendition.
    pub fn ask_keyframe(&self, rendition_id: RenditionId) {
        if let Some(followed) = &self.followed {
            return followed.ask_keyframe(rendition_id);
        }
        if let Some(Some(ask)) = self.shared.want_keyframe.lock().get(rendition_id as usize) {
            ask();
        }
    }

    /// Returns the config of a rendition's latest keyframe.
    pub fn latest(&self, rendition_id: RenditionId) -> Option<Arc<Rendition>> {
        self.shared.state.lock().latest.get(rendition_id as usize).cloned().flatten()
    }

    /// Returns the number of frames that the outputs have received. A frame counts once, whatever
    /// the number of its renditions.
    pub fn frames(&self) -> u64 {
        self.shared.state.lock().figures.frames
    }

    /// Returns the number of packets passed to the hub.
    pub fn given(&self) -> u64 {
        self.shared.input.sent()
    }

    /// Returns the DTS that the stream had reached with the first `given` packets (or a few more),
    /// or `None` while some of them are queued. Without video, this is later than the DTS of the
    /// newest packet, because the audio of that moment arrives later.
    pub fn reach(&self, given: u64) -> Option<Timestamp> {
        if let Some(followed) = &self.followed {
            return followed.reach(given);
        }
        let state = self.shared.state.lock();
        let late = match &self.shared.config.video {
            None if !state.ended => self.audio_delay(),
            _ => Duration::ZERO,
        };
        (state.ended || state.taken >= given).then(|| state.newest + late)
    }

    /// Returns the latest DTS of the packets taken.
    fn newest(&self) -> Timestamp {
        self.shared.state.lock().newest
    }

    /// Returns the latest DTS among the packets that the outputs have received.
    pub fn handed_out(&self) -> Timestamp {
        self.shared.state.lock().handed_out
    }

    /// Returns the delay with which audio arrives after video of the same time.
    pub fn audio_delay(&self) -> Duration {
        if let Some(followed) = &self.followed {
            return followed.audio_delay();
        }
        Duration::from_micros(self.shared.audio_delay_us.load(Ordering::Relaxed))
    }

    /// Returns the delay with which video arrives after audio of the same time.
    pub fn video_delay(&self) -> Duration {
        if let Some(followed) = &self.followed {
            return followed.video_delay();
        }
        Duration::from_micros(self.shared.video_delay_us.load(Ordering::Relaxed))
    }

    /// Returns true if the main rendition can have B-frames.
    pub fn has_b_frames(&self) -> bool {
        if let Some(followed) = &self.followed {
            return followed.has_b_frames();
        }
        self.shared.has_b_frames.load(Ordering::Relaxed)
    }

    /// Waits for the end of the stream.
    pub async fn ended(&self) {
        let mut ended = self.shared.ended.subscribe();
        // The sender is in `self`, so an error cannot occur.
        let _ = ended.wait_for(|ended| *ended).await;
    }

    fn took(&self, dts: Timestamp) {
        let mut state = self.shared.state.lock();
        state.taken += 1;
        state.newest = state.newest.max(dts);
    }

    fn send(&self, tag: SharedPacket) {
        self.pass_on(&Arc::new(tag));
    }

    /// Passes a packet to all outputs.
    fn pass_on(&self, tag: &Arc<SharedPacket>) {
        let mut state = self.shared.state.lock();
        let bytes = tag.size() as u64;
        if let Some(rendition) = tag.rendition.as_ref().filter(|_| tag.starts_gop())
            && let Some(latest) = state.latest.get_mut(rendition.rendition_id as usize)
        {
            *latest = Some(Arc::clone(rendition));
        }
        match tag.track {
            // Frames of the second rendition do not count, because they repeat frames of the main
            // rendition.
            Track::Video if tag.rendition_id() == Some(RenditionId::Second) => {}
            Track::Video => {
                state.figures.frames += 1;
                state.figures.keyframes += u64::from(tag.keyframe);
                state.figures.video_bytes += bytes;
            }
            Track::Audio => {
                state.figures.audio_packets += 1;
                state.figures.audio_bytes += bytes;
            }
            Track::Extra(_) | Track::Rendition(_) => {}
        }
        state.handed_out = state.handed_out.max(tag.dts);
        state.gop.push(tag);
        state.second_gop.push(tag);
        state.sinks.retain(|sink| match sink.upgrade() {
            Some(sink) => {
                sink.offer(tag);
                true
            }
            None => false,
        });
    }

    fn end(&self) {
        let mut state = self.shared.state.lock();
        state.ended = true;
        self.shared.ended.send_replace(true);
        state.sinks.iter().filter_map(Weak::upgrade).for_each(|sink| sink.end());
    }
}

/// Returns true if these packets, which start with a keyframe, contain all these tracks from their
/// beginning on.
fn begin_together(tags: &[Arc<SharedPacket>], extras: ExtraTracks) -> bool {
    let Some(key) = tags.first() else { return extras.is_empty() };
    extras.iter().all(|track| {
        let mut its = tags.iter().filter(|tag| tag.track == Track::Extra(track));
        its.next().is_some_and(|first| first.dts.since(key.dts) <= SAME_START_TOLERANCE)
    })
}

fn run(feed: &HubFeed, input: &Receiver<EncodedPacket>, mut order: Interleaver, stop: &Stop) {
    let begun = Instant::now();
    let now = || Timestamp::ZERO + begun.elapsed();
    let mut is_over = false;
    while !is_over && !stop.is_set() {
        order.set_audio_delay(feed.audio_delay());
        order.set_video_delay(feed.video_delay());
        order.expect(*feed.shared.extras.lock());
        let wait = order.due().map_or(POLL_INTERVAL, |due| due.since(now()).min(POLL_INTERVAL));
        match input.recv_timeout(wait) {
            Ok(packet) => {
                feed.took(packet.dts);
                order.push(packet, now());
            }
            Err(Empty::Waiting) => {}
            Err(Empty::Closed) => {
                order.finish();
                is_over = true;
            }
        }
        while let Some(packet) = order.pop(now()) {
            feed.send(SharedPacket::new(packet));
        }
    }
}
