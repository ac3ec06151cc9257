//! One connection of a publisher, from the DNS lookup to its end. The file is long because one loop follows the
//! connection, the queue and the link.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::base::Timestamp;
use crate::broadcast::hub::shared_packet::SharedPacket;
use crate::broadcast::hub::subscription::{ExtraMedia, NextPacket, Subscription};
use crate::broadcast::protocol::address::TargetAddress;
use crate::broadcast::protocol::link::{
    CodecSupport, Link, LinkEvent, LinkQuality, LinkReading, StreamStart,
};
use crate::broadcast::publisher::attempt::{Attempt, connect};
use crate::broadcast::publisher::layers::Layers;
use crate::broadcast::publisher::link::{Flow, LINK_DOWN_AFTER, LinkState};
use crate::broadcast::publisher::state::{
    Event, History, KeptSubscription, PacketTimes, Report, Shared, State, Timeline,
};
use crate::media::{BitsPerSecond, RenditionId, Track, VideoCodec};
use crate::net::{Cause, ConnectStage, Error};

/// Packets are passed to the connection only while it has fewer queued bytes than this, because
/// packets in the publisher's own queue can still be dropped. Audio is passed on regardless,
/// because it overtakes the chunks of frames.
const MAX_UNSENT_BYTES: usize = 16 << 10;
/// Maximum time by which audio may be ahead of the frame in transit.
const MAX_AUDIO_LEAD: Duration = Duration::from_secs(1);
/// Interval at which the counters are updated and the link is checked.
const LINK_CHECK_INTERVAL: Duration = Duration::from_millis(250);
/// The number of readings over which the losses are measured.
const LOSS_READINGS: usize = 4;
/// Time within which the server must accept data after a network change.
const NETWORK_CHANGE_TIMEOUT: Duration = Duration::from_millis(1_500);

/// The reason why a connection ended.
pub(super) enum Ended {
    /// The stream ended or a stop was requested, and the server was informed.
    Asked,
    /// The server redirects to this address.
    Elsewhere(TargetAddress),
    /// The connection failed.
    Failed(Error),
    /// The server closed the connection early, and never kept the stream longer, so it refuses the
    /// stream.
    Refused(Error),
    /// The time limit was reached.
    OutOfTime,
    /// The network returned before the server was asked to publish.
    NetworkReturned,
}

/// Connects and publishes until the connection ends. Returns the time at which the target became
/// live, if it did.
pub(super) async fn run(
    shared: &Shared,
    timeline: &mut Timeline,
    trying: &Attempt<'_>,
) -> (Option<Timestamp>, Ended) {
    // A stream that onair encodes can also be encoded as H.264, unlike a file.
    let video = timeline.feed.head().video().map(|video| video.codec);
    let is_other_codec = video.is_some_and(|codec| codec != VideoCodec::H264);
    let mut uncarried = trying.url.uncarried(timeline.feed.head());
    // The second encode has no B-frames.
    let is_reordered = timeline.feed.has_b_frames() && !trying.url.has_b_frames();
    if is_reordered && uncarried.is_empty() {
        uncarried.push("B-frames".to_owned());
    }
    let is_encoded = is_other_codec || is_reordered;
    let is_carried = uncarried.is_empty() || is_encoded && shared.h264_comes(&uncarried).await;
    if !is_carried {
        let error = Error {
            stage: ConnectStage::Media,
            cause: Cause::Codecs(uncarried),
            peer: trying.url.host_and_port(),
        };
        return (None, Ended::Failed(error));
    }
    let link = tokio::select! {
        biased;
        () = shared.stop_wanted() => return (None, Ended::Asked),
        link = connect(shared, timeline, trying) => link,
        () = shared.time_is_up(trying.until) => return (None, Ended::OutOfTime),
        () = shared.network_returns_early() => return (None, Ended::NetworkReturned),
    };
    let link = match link {
        Ok(link) => link,
        Err(error) => return (None, Ended::Failed(error)),
    };
    let support = match link.codecs(timeline.feed.head()) {
        CodecSupport::Unannounced(names) | CodecSupport::Missing(names) if is_encoded => {
            let comes = tokio::select! {
                biased;
                () = shared.stop_wanted() => return (None, Ended::Asked),
                comes = shared.h264_comes(&names) => comes,
            };
            if comes { CodecSupport::All } else { CodecSupport::Missing(names) }
        }
        support => support,
    };
    match support {
        CodecSupport::All => {}
        CodecSupport::Unannounced(names) => shared.unannounced(names),
        CodecSupport::Missing(names) => {
            let peer = link.peer().to_owned();
            let (stage, cause) = (ConnectStage::Publish, Cause::Codecs(names));
            let error = Error { stage, cause, peer };
            link.close(CLOSE_TIMEOUT).await;
            return (None, Ended::Failed(error));
        }
    }
    // The layers have the codec of the stream.
    let is_replaced = shared.needs_h264.load(Ordering::Relaxed) && is_other_codec;
    let taken_layers = if is_replaced { 1 } else { link.layers() };
    shared.take_layers(taken_layers);
    let wanted = &shared.target.extras;
    let has_extras = !wanted.is_empty() && link.takes_extra_tracks();
    if !wanted.is_empty() && !has_extras {
        shared.extras_left_out();
    }
    let extras = has_extras.then(|| wanted.iter().map(|extra| extra.track).collect());
    // A server that does not take the codec of the video does not take it in further renditions.
    let is_replaced = is_other_codec && shared.needs_h264.load(Ordering::Relaxed);
    let renditions = &shared.target.renditions;
    let has_renditions = !renditions.is_empty() && link.takes_extra_tracks() && !is_replaced;
    if !renditions.is_empty() && !has_renditions {
        shared.renditions_left_out();
    }
    // From this point on, `tick` detects a dead link. The system must not give up the connection
    // earlier: the end of an abandoned connection would then never be reported, and the server
    // would keep the old stream.
    link.set_user_timeout(USER_TIMEOUT);
    let name = format!("publisher {}", link.peer());
    let rendition_id = *shared.rendition_id.borrow();
    let KeptSubscription { subscription, taken_frames, dropped_frames } = match timeline.kept.take()
    {
        Some(kept) => {
            if timeline.last.is_some() {
                kept.subscription.begin_anew(timeline.feed.head().has_video);
            }
            kept
        }
        None => {
            let limits = shared.target.limits;
            KeptSubscription::new(timeline.feed.open(
                name,
                limits,
                timeline.last,
                rendition_id,
                (extras, has_renditions),
            ))
        }
    };
    let mut live = Live::new(shared, trying, timeline, link, subscription, rendition_id);
    live.has = ExtraMedia { tracks: has_extras, renditions: has_renditions };
    live.layers = Layers::new(shared.layers.subscribe(), taken_layers);
    live.counted = Counted { taken_frames, dropped_frames, ..Counted::default() };
    let mut ended = live.run().await;
    if matches!(ended, Ended::Asked) && live.since.is_some() {
        // The server kept the stream up to its end.
        live.settle_doubt(shared.clock.now());
    }
    if let Ended::Failed(error) = &ended
        && live.is_refused(error, trying.refusal_limit)
    {
        // If the server closes the connection after a short time, this time does not count as live.
        live.doubt = Some(trying.refusal_limit);
        ended = Ended::Refused(error.clone());
    }
    live.count();
    live.over();
    let Live { since, link, subscription, counted, timeline, .. } = live;
    if shared.target.whole {
        let Counted { taken_frames, dropped_frames, .. } = counted;
        timeline.kept = Some(KeptSubscription { subscription, taken_frames, dropped_frames });
    }
    match &ended {
        // There is no connection left to close cleanly.
        Ended::Failed(_) | Ended::Refused(_) | Ended::OutOfTime | Ended::NetworkReturned => {
            drop(link);
        }
        Ended::Asked => {
            // A stop that comes during the close limits it.
            tokio::select! {
                () = link.close(DELIVERY_TIMEOUT) => {}
                () = shared.stop_time_is_up() => {}
            }
        }
        Ended::Elsewhere(_) => {
            link.close(CLOSE_TIMEOUT).await;
        }
    }
    (since, ended)
}

/// The time for which the system retransmits on an abandoned connection.
const USER_TIMEOUT: Duration = Duration::from_secs(60);

/// Time limit for closing a connection cleanly at the end of the stream, if nobody waits for it. A
/// server that is behind receives the rest within this time.
const DELIVERY_TIMEOUT: Duration = Duration::from_secs(10);

/// Time limit for sending the backlog at a stop, and for closing a connection cleanly before another
/// one is opened.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// A connection that may send media.
struct Live<'a> {
    shared: &'a Shared,
    timeline: &'a mut Timeline,
    link: Box<dyn Link>,
    subscription: Subscription,
    /// The time at which the first packet was sent.
    since: Option<Timestamp>,
    /// The time for which the server must keep the stream before the connection counts as live, if
    /// the server refused the last connection.
    doubt: Option<Duration>,
    /// The DTS of the frame that was queued last.
    last_frame_dts: Option<Timestamp>,
    /// True if the first packet has not been sent yet.
    beginning: bool,
    /// True if the subscription has ended.
    ended: bool,
    counted: Counted,
    link_state: LinkState,
    /// The time of a network change, until the server accepts data after the change.
    doubted: Option<Timestamp>,
    /// The last reported flow.
    flow: Flow,
    /// The requested rendition.
    rendition_id: RenditionId,
    /// What the connection gets besides.
    has: ExtraMedia,
    /// The smaller sizes of the video.
    layers: Layers,
    /// The number of frames that the outage before this connection has cost.
    lost_frames: u64,
    history: History,
    /// The losses on the way at the last readings, oldest first.
    qualities: VecDeque<LinkQuality>,
}

/// The part of this connection's counters that is already included in the publisher's counters.
#[derive(Default)]
struct Counted {
    written: u64,
    taken_frames: u64,
    dropped_frames: u64,
    live_for: Duration,
    repeated_bytes: u64,
}

impl<'a> Live<'a> {
    fn new(
        shared: &'a Shared,
        trying: &Attempt<'a>,
        timeline: &'a mut Timeline,
        link: Box<dyn Link>,
        subscription: Subscription,
        rendition_id: RenditionId,
    ) -> Self {
        let now = shared.clock.now();
        let link_state = LinkState::new(now, link.reading().written);
        Self {
            shared,
            timeline,
            link,
            subscription,
            since: None,
            doubt: trying.doubt,
            last_frame_dts: None,
            beginning: true,
            ended: false,
            counted: Counted::default(),
            link_state,
            doubted: None,
            flow: Flow::Through,
            rendition_id,
            has: ExtraMedia::default(),
            layers: Layers::new(shared.layers.subscribe(), 1),
            lost_frames: 0,
            history: trying.history,
            qualities: VecDeque::new(),
        }
    }

    async fn run(&mut self) -> Ended {
        self.begin();
        let shared = self.shared;
        let mut ticks = interval(LINK_CHECK_INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let stop = shared.stop_wanted();
        tokio::pin!(stop);
        let mut network = shared.network.subscribe();
        loop {
            let room = self.allowed();
            let full = self.link.queued_bytes() > room;
            self.beginning &= self.since.is_none() || full;
            if self.ended && self.link.queued_bytes() == 0 {
                return Ended::Asked;
            }
            // The connection sends until its queue has space again or, at the end, until everything
            // is sent.
            let wanted = if self.ended { Some(0) } else { full.then_some(room) };
            let overtaken = self.last_frame_dts.filter(|_| full && !self.ended && !self.beginning);
            let until = overtaken.map(|last_frame_dts| last_frame_dts + MAX_AUDIO_LEAD);
            tokio::select! {
                biased;
                () = &mut stop => {
                    self.drain().await;
                    return Ended::Asked;
                }
                _ = ticks.tick() => {
                    if let Err(cause) = self.tick() {
                        return Ended::Failed(self.error(cause));
                    }
                }
                Ok(()) = network.changed() => {
                    if !self.link.is_local_there() && !self.link.finds_another_path() {
                        let cause = self.network_trouble();
                        return Ended::Failed(self.error(cause));
                    }
                    // A connection within this computer does not depend on its network.
                    if !self.link.is_within_machine() {
                        self.doubted.get_or_insert(shared.clock.now());
                        self.tell_flow(shared.clock.now());
                    }
                }
                event = poll_fn(|cx| self.link.poll(cx, wanted)) => match event {
                    Ok(LinkEvent::Room) => {}
                    Ok(LinkEvent::KeyframeWanted { layer: 0 }) => {
                        self.timeline.feed.ask_keyframe(self.subscription.rendition_id());
                    }
                    Ok(LinkEvent::KeyframeWanted { layer }) => self.layers.ask_keyframe(layer),
                    Ok(LinkEvent::Message(status)) => shared.tell(Event::ServerStatus(status)),
                    Ok(LinkEvent::Elsewhere { to, redirect }) => {
                        redirect.map(Event::Redirected).into_iter().for_each(|it| shared.tell(it));
                        return Ended::Elsewhere(to);
                    }
                    Err(error) => return Ended::Failed(error),
                },
                tag = self.subscription.next(), if !full && !self.ended => match tag {
                    Some(tag) => self.send(&tag),
                    None => self.ended = true,
                },
                tag = self.subscription.next_audio(until.unwrap_or_default()), if until.is_some() => {
                    self.send(&tag);
                }
                (layer, tag) = self.layers.next(), if !full && !self.ended => {
                    self.send_layer(layer, &tag);
                }
            }
        }
    }

    /// Returns the number of queued bytes below which the connection gets more packets. The headers
    /// and the first keyframe are sent alone, so that no audio overtakes them.
    fn allowed(&self) -> usize {
        if self.beginning && self.since.is_some() { 0 } else { MAX_UNSENT_BYTES }
    }

    /// Sends the headers.
    fn begin(&mut self) {
        let first = self.subscription.peek();
        let feed = &self.timeline.feed;
        let rendition = first.as_ref().and_then(|tag| tag.rendition.clone());
        let rendition = rendition.or_else(|| feed.latest(self.subscription.rendition_id()));
        let time_ms = self.timeline.last.map_or(0, |last| self.timeline.time_ms(last));
        let (head, opus) = (feed.head(), feed.opus());
        let target = &self.shared.target;
        let extras = if self.has.tracks { &*target.extras } else { &[] };
        let renditions = if self.has.renditions { &*target.renditions } else { &[] };
        let first = first.as_deref();
        let start = StreamStart { head, opus, first, rendition, time_ms, extras, renditions };
        self.link.begin(&start);
    }

    /// Returns an error of the running connection.
    fn error(&self, cause: Cause) -> Error {
        Error { stage: ConnectStage::Media, cause, peer: self.link.peer().to_owned() }
    }

    fn send(&mut self, tag: &SharedPacket) {
        let origin = *self.timeline.origin.get_or_insert(tag.dts);
        if tag.dts < origin {
            // This is late audio that precedes the first frame.
            return;
        }
        if !self.has.has(tag.track) {
            return;
        }
        let time_ms = self.timeline.time_ms(tag.dts);
        self.link.send(tag, origin);
        let now = self.shared.clock.now();
        self.timeline.last = self.timeline.last.max(Some(tag.dts));
        if self.since.is_none() {
            let this = u64::from(tag.track == Track::Video);
            self.lost_frames = self.shared.end_outage(self.subscription.frames() + this);
            self.went_live(now);
        }
        let LinkReading { written, queued, .. } = self.link.reading();
        self.link_state.sent(written + queued, tag.dts);
        let sent = PacketTimes { time_ms, captured: tag.captured, sent: now };
        let mut figures = self.shared.figures.lock();
        figures.last_sent = Some(sent);
        figures.origin = Some(origin);
        if tag.starts_gop() && tag.rendition.is_some() {
            figures.rendition.clone_from(&tag.rendition);
        }
        if tag.track == Track::Video {
            self.last_frame_dts = Some(tag.dts);
            figures.frame_age = Some(now.since(tag.captured));
        }
    }

    /// Sends a frame of a smaller layer.
    fn send_layer(&mut self, layer: u8, tag: &SharedPacket) {
        let Some(origin) = self.timeline.origin.filter(|origin| tag.dts >= *origin) else { return };
        if tag.track == Track::Video {
            self.link.send_layer(layer, tag, origin);
        }
    }

    fn went_live(&mut self, now: Timestamp) {
        self.since = Some(now);
        if self.doubt.is_none() {
            self.tell_live(now);
        }
    }

    /// Returns true if the server closed the connection within `limit` of the stream's start.
    fn is_refused(&self, error: &Error, limit: Duration) -> bool {
        let now = self.shared.clock.now();
        error.stage == ConnectStage::Media
            && !limit.is_zero()
            && matches!(error.cause, Cause::Closed | Cause::Reset)
            && self.since.is_none_or(|since| now.since(since) < limit)
    }

    /// Marks the stream as accepted if the server has kept it long enough.
    fn settle_doubt(&mut self, now: Timestamp) {
        if self.doubt.take().is_some() {
            self.tell_live(now);
        }
    }

    fn tell_live(&mut self, now: Timestamp) {
        let gap = self.timeline.accepted.map(|last| now.since(last));
        if gap.is_some() {
            self.shared.figures.lock().reconnects += 1;
        }
        let peer = Some(self.link.peer().to_owned());
        let report = Report::new(State::Live, ConnectStage::Media, None);
        let lost_frames = self.lost_frames;
        let history = History { is_earlier: false, ..self.history };
        self.shared.change(Report { peer, gap, lost_frames, history, ..report });
    }

    /// Sends the backlog after a stop was requested, for at most half of the available time and at
    /// most a second. Then drops the media that is still queued.
    async fn drain(&mut self) {
        let until = self.shared.stop.borrow().unwrap_or_default();
        let limit = until.since(self.shared.clock.now()) / 2;
        let limit = limit.min(self.link.drain_limit().unwrap_or(CLOSE_TIMEOUT));
        let mut waiting = self.subscription.len();
        let sent = timeout(limit, async {
            while waiting > 0 || self.link.queued_bytes() > 0 {
                let full = self.link.queued_bytes() > MAX_UNSENT_BYTES;
                if !full && waiting > 0 {
                    waiting -= 1;
                    match self.subscription.try_next() {
                        NextPacket::Tag(tag) => self.send(&tag),
                        NextPacket::Waiting | NextPacket::Ended => waiting = 0,
                    }
                    continue;
                }
                let room = if waiting > 0 { MAX_UNSENT_BYTES } else { 0 };
                if poll_fn(|cx| self.link.poll(cx, Some(room))).await.is_err() {
                    return;
                }
            }
        });
        if sent.await.is_err() {
            self.link.discard_queued_media();
        }
    }

    /// Updates the counters. Fails if the link has been dead for too long, also after a network
    /// change.
    fn tick(&mut self) -> Result<(), Cause> {
        self.update_link(self.shared.clock.now());
        self.count();
        let rendition_id = *self.shared.rendition_id.borrow();
        if rendition_id != self.rendition_id {
            self.rendition_id = rendition_id;
            self.subscription.want(rendition_id);
        }
        // Other targets share the main rendition, so no extra keyframe is requested for it.
        if rendition_id == RenditionId::Second && self.subscription.rendition_id() != rendition_id {
            self.timeline.feed.ask_keyframe(rendition_id);
        }
        let now = self.shared.clock.now();
        if let (Some(since), Some(doubt)) = (self.since, self.doubt)
            && now.since(since) >= doubt
        {
            self.settle_doubt(now);
        }
        let written = self.link.reading().written;
        self.doubted = self.doubted.filter(|since| self.link_state.progress() <= *since);
        self.tell_flow(now);
        if self.since.is_some() {
            self.layers.follow();
        }
        if self.doubted.is_some_and(|since| now.since(since) >= NETWORK_CHANGE_TIMEOUT) {
            if !self.link.finds_another_path() {
                return Err(self.network_trouble());
            }
            self.doubted = None;
        }
        let after = self.shared.target.options.net.dead_after;
        if self.link_state.silent(now) >= after {
            let lost = self.flow == Flow::NoNetwork;
            return Err(if lost { Cause::NoNetwork } else { Cause::NoProgress { after } });
        }
        let rate = self.link_state.rate(now, written);
        if self.link.queued_bytes() > MAX_UNSENT_BYTES && self.link_state.is_measured() {
            // If the socket is the bottleneck, the send rate is the bandwidth of the link. A short
            // measurement is meaningless, because the system accepts the first bytes immediately.
            let bits = u32::try_from(rate).unwrap_or(u32::MAX);
            if bits > 0 {
                self.link.set_link_rate(BitsPerSecond(bits));
            }
        }
        let loss = self.loss();
        let mut figures = self.shared.figures.lock();
        figures.loss = loss;
        figures.layers = u8::from(self.since.is_some()) + self.layers.count();
        figures.bitrate = self.link_state.figure(now, written);
        figures.carried = self.link_state.rate_lately();
        figures.interrupted = self.link_state.is_interrupted(now);
        figures.late = self.link_state.is_late(now);
        figures.queued = self.link_state.waiting(self.timeline.last, self.subscription.span());
        figures.silent = self.link_state.silent(now);
        figures.set_round_trip(self.link.round_trip());
        Ok(())
    }

    /// Returns the share of the packets of the last second that the other side missed at first.
    fn loss(&mut self) -> Option<f64> {
        let now = self.link.quality()?;
        self.qualities.push_back(now);
        if self.qualities.len() > LOSS_READINGS + 1 {
            self.qualities.pop_front();
        }
        let since = self.qualities.front()?;
        let packets = now.packets.saturating_sub(since.packets);
        let missed = now.missed_packets.saturating_sub(since.missed_packets).min(packets);
        Some(if packets == 0 { 0.0 } else { missed as f64 / packets as f64 })
    }

    /// Takes a new reading of the link.
    fn update_link(&mut self, now: Timestamp) {
        let reading = self.link.reading();
        self.link_state.update(now, reading);
        let waiting = self.link_state.waiting(self.timeline.last, self.subscription.span());
        self.link_state.follow_interruption(now, waiting);
    }

    /// Reports when the link goes down, with the reason if it is known, and when the link recovers.
    fn tell_flow(&mut self, now: Timestamp) {
        let silent = self.link_state.silent(now) >= LINK_DOWN_AFTER;
        let flow = match self.doubted.is_some() || silent {
            true if !self.link.has_way() => Flow::NoNetwork,
            _ if silent => Flow::Silent,
            _ => Flow::Through,
        };
        if flow != self.flow && self.since.is_some() {
            self.flow = flow;
            self.shared.tell(Event::Flow(flow));
        }
    }

    /// Returns the cause of a failure after a network change.
    fn network_trouble(&self) -> Cause {
        match self.link.has_way() {
            true => Cause::NetworkChanged,
            false => Cause::NoNetwork,
        }
    }

    /// Records the end of the connection, after which viewers have only the data that the server
    /// accepted.
    fn over(&mut self) {
        self.update_link(self.shared.clock.now());
        if self.since.is_some() {
            self.timeline.accepted = Some(self.link_state.progress());
            // A file waits for the next connection.
            if !self.shared.target.whole {
                let sent = self.timeline.feed.frames().saturating_sub(self.subscription.frames());
                *self.shared.frames_at_loss.lock() = Some(sent);
            }
        }
        let mut figures = self.shared.figures.lock();
        figures.queued = match self.shared.target.whole {
            true => self.subscription.queued(),
            false => Duration::ZERO,
        };
        (figures.bitrate, figures.carried, figures.silent) = (0, 0, Duration::ZERO);
        (figures.interrupted, figures.late) = (false, false);
        figures.set_round_trip(None);
        (figures.loss, figures.layers) = (None, 0);
        self.shared.taken_layers.store(0, Ordering::Relaxed);
    }

    /// Adds new counts to the publisher's totals.
    fn count(&mut self) {
        let taken = self.subscription.figures();
        let written = self.link.reading().written;
        let live_for = self
            .since
            .filter(|_| self.doubt.is_none())
            .map_or(Duration::ZERO, |since| self.shared.clock.now().since(since));
        let now = self.shared.clock.now();
        let (interrupted, late) =
            (self.link_state.is_interrupted(now), self.link_state.is_late(now));
        let repeated_bytes = self.link.quality().unwrap_or_default().repeated_bytes;
        let mut figures = self.shared.figures.lock();
        let counted = &mut self.counted;
        figures.sent_bytes += written - counted.written;
        figures.repeated_bytes += repeated_bytes.saturating_sub(counted.repeated_bytes);
        figures.total_frames += taken.taken_frames - counted.taken_frames;
        let dropped = taken.dropped_frames - counted.dropped_frames;
        // The queue overflows while the link is interrupted, and while it catches up. A file has its
        // own message.
        if interrupted && !self.shared.target.whole {
            figures.lost_frames += dropped;
        } else {
            figures.dropped_frames += dropped;
            figures.total_frames += dropped;
            figures.late_frames += if late { dropped } else { 0 };
        }
        // The time of a connection that is in doubt again does not count as live time.
        figures.live_for = (figures.live_for + live_for).saturating_sub(counted.live_for);
        *counted = Counted {
            written,
            taken_frames: taken.taken_frames,
            dropped_frames: taken.dropped_frames,
            live_for,
            repeated_bytes,
        };
    }
}
