//! The inputs and outputs of a publisher, and its state across connections.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep_until};

use crate::base::queue::Sender;
use crate::base::{Clock, Timestamp};
use crate::broadcast::hub::HubFeed;
use crate::broadcast::hub::backlog::Limits;
use crate::broadcast::hub::subscription::Subscription;
use crate::broadcast::protocol::address::TargetAddress;
use crate::broadcast::protocol::link::{Options, Redirect, SentRendition, time_ms};
use crate::broadcast::publisher::early_closes::RepeatedCloses;
use crate::broadcast::publisher::link::Flow;
use crate::broadcast::recorder::ExtraAudioTrack;
use crate::media::{Rendition, RenditionId, VideoCodec};
use crate::net::error::NotRtmp;
use crate::net::{Cause, Class, ConnectStage, Error};
use crate::text::Problem;
use crate::text::problem::problem;
use crate::wire::rtmp::status::Status;
use crate::wire::rtmp::url::authority;

/// The target of the stream, and the retry policy.
#[derive(Clone, Debug)]
pub struct Target {
    /// The server and the key.
    pub url: TargetAddress,
    /// The trusted certificates and the limits of the connection.
    pub options: Options,
    /// The time for which the first connection is retried, and for which the publisher reconnects
    /// after a loss; `None` means forever. Failures that waiting cannot resolve are final.
    pub retry_for: Option<Duration>,
    /// Limits of the backlog.
    pub limits: Limits,
    /// True to connect only when there are packets to send. With a stream delay, the server would
    /// otherwise wait for minutes.
    pub await_media: bool,
    /// True if the whole stream must arrive from its beginning, even if late, because a passthrough
    /// file has no live edge.
    pub whole: bool,
    /// True for the built-in server, for which every failure is retried.
    pub own_server: bool,
    /// The extra audio tracks for a server that takes several.
    pub extras: Vec<ExtraAudioTrack>,
    /// The further renditions for such a server.
    pub renditions: Vec<SentRendition>,
    /// The number of sizes in which the video is to be sent at once, 1 to 3, if the protocol can.
    pub layers: u8,
}

impl Target {
    /// Creates a target with unlimited retries, the usual limits and the system's certificates.
    pub fn new(url: impl Into<TargetAddress>) -> Self {
        let url = url.into();
        let (options, limits) = (Options::default(), Limits::LIVE);
        Self {
            url,
            options,
            retry_for: None,
            limits,
            await_media: false,
            whole: false,
            own_server: false,
            extras: Vec::new(),
            renditions: Vec::new(),
            layers: 1,
        }
    }

    /// Returns the target, set up for passthrough.
    #[must_use]
    pub fn whole(self) -> Self {
        Self { limits: Limits::PASSTHROUGH_LIMITS, whole: true, ..self }
    }
}

/// The state of a publisher.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Connecting for the first time, or waiting before another attempt.
    Connecting,
    /// Media is being sent.
    Live,
    /// The connection is lost, and the publisher waits or reconnects.
    Reconnecting,
    /// Ended on request, or with the stream.
    Stopped,
    /// Failed, with the class of the reason.
    Failed(Class),
}

impl State {
    /// Returns the name of the state in events.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Live => "live",
            Self::Reconnecting => "reconnecting",
            Self::Stopped => "stopped",
            Self::Failed(_) => "failed",
        }
    }

    /// Returns true if the publisher has ended.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Stopped | Self::Failed(_))
    }
}

/// What is known about a failure besides the error of the last attempt.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// True if the target was live before, so that its address and key are right.
    pub worked: bool,
    /// True if the error is that of an earlier attempt. The stage is that of the present one.
    pub is_earlier: bool,
    /// The closes by the server, if each came after the same time.
    pub closes: Option<RepeatedCloses>,
    /// The time for retries, once it is over.
    pub retried_for: Option<Duration>,
}

/// A publisher's state and its reason. The texts contain no key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    pub state: State,
    /// The stage that was reached, or at which the attempt failed.
    pub stage: ConnectStage,
    /// The last error; `None` if there was none since the target was last live.
    pub error: Option<Error>,
    /// While live: the server as `host:port`.
    pub peer: Option<String>,
    /// The time until the next attempt.
    pub retry_in: Option<Duration>,
    /// After a reconnect, the time for which viewers saw nothing new, counted from the last data
    /// that the server accepted.
    pub gap: Option<Duration>,
    /// After a reconnect, the number of frames that the outage has cost.
    pub lost_frames: u64,
    pub history: History,
}

impl Report {
    pub(super) const fn new(state: State, stage: ConnectStage, error: Option<Error>) -> Self {
        let history = History { worked: false, is_earlier: false, closes: None, retried_for: None };
        Self { state, stage, error, peer: None, retry_in: None, gap: None, lost_frames: 0, history }
    }

    /// Returns the server's code for the error.
    pub fn code(&self) -> Option<&str> {
        self.error.as_ref().and_then(Error::code)
    }

    /// Returns the error and its remedy, with regard to what worked before.
    pub fn problem(&self) -> Option<Problem> {
        let error = self.error.as_ref()?;
        let problem = error.problem();
        Some(match self.history.worked && is_about_server(error) {
            true => problem.with_cure(problem!("net-cure-worked")),
            false => problem,
        })
    }

    /// Returns the server where the target is live or the error occurred, if the target redirected
    /// there.
    pub fn elsewhere(&self, target: &Target) -> Option<&str> {
        let failed = self.error.as_ref().map(|error| error.peer.as_str());
        let peer = failed.or(self.peer.as_deref())?;
        let url = &target.url;
        let own = |port| authority(url.host(), port) == peer;
        let mut ports = target.options.net.ports.iter().copied().chain([url.port()]);
        let is_own = peer == url.host() || ports.any(own);
        (!is_own).then_some(peer)
    }
}

/// Returns true if the usual cure doubts the address, which is right if the target was live before.
fn is_about_server(error: &Error) -> bool {
    let doubts = matches!(
        error.cause,
        Cause::ConnectionRefused
            | Cause::Closed
            | Cause::Reset
            | Cause::TimedOut { .. }
            | Cause::Unanswered { .. }
            | Cause::NotRtmp(NotRtmp::Bytes(_))
    );
    doubts && error.stage < ConnectStage::Media
}

/// An event of a publisher.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The state, the stage or the reason changed.
    Changed(Report),
    /// While live, the link went down or recovered.
    Flow(Flow),
    /// A message from the server that did not change the state.
    ServerStatus(Status),
    /// The server sends the stream on to another host.
    Redirected(Redirect),
    /// The server did not announce support for these codecs. The publisher reports this event once.
    Unannounced(Vec<String>),
    /// The server did not say that it takes these codecs, so it gets H.264 from the second
    /// rendition. The publisher reports this event once.
    Replaced(Vec<String>),
    /// The server takes one audio track only, so the extra tracks are not sent. The publisher reports this event
    /// once.
    ExtrasLeftOut,
    /// The server takes one video track only, so the further renditions are not sent. The publisher reports this
    /// event once.
    RenditionsLeftOut,
    /// The server takes only this many of the wanted layers. The publisher reports this event once.
    LayersLeftOut { wanted: u8, taken: u8 },
}

/// Counters since the start, and current measurements.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figures {
    /// Bytes passed to the system, over all connections.
    pub sent_bytes: u64,
    /// Bits per second, over at least the last second. Zero before the first second is over; the
    /// last figure while an interruption lasts or is caught up with.
    pub bitrate: u64,
    /// Bits per second, over the last half second. This rate is the bandwidth if the link is the
    /// bottleneck.
    pub carried: u64,
    /// The duration of the backlog by timestamps, from the oldest packet that the server has not
    /// accepted to the newest one.
    pub queued: Duration,
    /// The time for which the server has accepted none of the backlog.
    pub silent: Duration,
    /// True while an interruption of the link lasts, or is caught up with. What the link carries
    /// then says nothing about its bandwidth.
    pub interrupted: bool,
    /// True while this computer is too busy to send in time, although the link takes everything.
    pub late: bool,
    /// Frames dropped because the link was too slow.
    pub dropped_frames: u64,
    /// Frames that were never sent, because the link was interrupted or the connection was lost.
    /// [`Publisher::figures`](super::Publisher::figures) adds those of an outage that lasts.
    pub lost_frames: u64,
    /// Frames dropped because this computer was too busy to send them in time. They are part of
    /// `dropped_frames`.
    pub late_frames: u64,
    /// Dropped audio packets. Audio is dropped only with an extreme backlog.
    /// [`Publisher::figures`](super::Publisher::figures) sets this.
    pub dropped_audio: u64,
    /// Frames sent or dropped.
    pub total_frames: u64,
    /// The number of sizes in which the video is sent at the moment; 0 before the first frame.
    pub layers: u8,
    /// The number of times that the target was live again after a loss.
    pub reconnects: u32,
    /// The DTS of the first packet ever sent, once a packet was sent.
    pub origin: Option<Timestamp>,
    /// The round-trip time as measured by the system, while connected.
    pub round_trip: Option<Duration>,
    /// The shortest round-trip time of the connection. Queues on the way only make it longer.
    pub shortest_round_trip: Option<Duration>,
    /// The share of the packets of the last second that the other side missed at first, while
    /// connected by a protocol that notices it.
    pub loss: Option<f64>,
    /// Bytes that were sent again, over all connections, if a protocol repeats them itself.
    pub repeated_bytes: u64,
    /// The last video or audio packet passed to the connection.
    pub last_sent: Option<PacketTimes>,
    /// The time from the capture of the last frame until it was sent.
    pub frame_age: Option<Duration>,
    /// The live time over all connections.
    pub live_for: Duration,
    /// The rendition of this target; `None` before the first frame and for passthrough.
    pub rendition: Option<Arc<Rendition>>,
}

impl Figures {
    /// Sets the round-trip time of the connection, or `None` if there is no connection.
    pub(super) fn set_round_trip(&mut self, now: Option<Duration>) {
        let shortest = self.shortest_round_trip;
        self.shortest_round_trip = now.map(|now| shortest.map_or(now, |least| least.min(now)));
        self.round_trip = now;
    }
}

/// The times of one packet on its way through onair.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct PacketTimes {
    /// The time in the stream: milliseconds since its first packet, with wrap-around.
    pub time_ms: u32,
    /// The time of capture.
    pub captured: Timestamp,
    /// The time at which the packet was passed to the connection.
    pub sent: Timestamp,
}

/// The attempts to go live.
#[derive(Debug, Default)]
pub(super) struct PublishAttempts {
    /// The time of the next attempt.
    pub next: Option<Timestamp>,
    /// The number of failed attempts since the target was last live.
    pub failed: u32,
    /// The time at which the attempt reached its stage.
    pub progress: Timestamp,
    /// The number of attempts that began again because the network returned, since an attempt
    /// failed or the target was live.
    pub restarts: u32,
}

/// Maximum number of such attempts, because containers and VPNs can change the network all the
/// time.
const MAX_RESTARTS: u32 = 3;

/// The interval and the number of checks for an H.264 rendition: an encoder starts within a second.
const H264_POLL_INTERVAL: Duration = Duration::from_millis(50);
const MAX_H264_WAITS: usize = 200;

/// An attempt that reaches its next stage within this time after a network change does not wait for
/// the lost network.
const MAX_STAGE_DURATION: Duration = Duration::from_secs(1);

/// State that the task and its owner share.
#[derive(Debug)]
pub(super) struct Shared {
    pub clock: Clock,
    pub feed: HubFeed,
    pub target: Target,
    pub report: Mutex<Report>,
    pub tries: Mutex<PublishAttempts>,
    pub figures: Mutex<Figures>,
    /// During an outage, the number of the stream's frames up to the last one that was sent or
    /// dropped.
    pub frames_at_loss: Mutex<Option<u64>>,
    pub events: Sender<Event>,
    pub retry: Notify,
    pub network_returned: Notify,
    /// The number of network changes of this computer.
    pub network: watch::Sender<u64>,
    /// The time by which a clean end must be complete, once requested.
    pub stop: watch::Sender<Option<Timestamp>>,
    /// The rendition that this target should get.
    pub rendition_id: watch::Sender<RenditionId>,
    /// True if the missing announcement was reported.
    pub unannounced: AtomicBool,
    /// True once it is reported that the server takes one audio track only.
    pub extras_left_out: AtomicBool,
    /// True once it is reported that the server takes one video track only.
    pub renditions_left_out: AtomicBool,
    /// True once it is reported that the server takes fewer layers.
    pub layers_left_out: AtomicBool,
    /// The smaller layers that are encoded now, the largest first.
    pub layers: watch::Sender<Vec<HubFeed>>,
    /// The number of layers that the present server takes; 0 without a connection.
    pub taken_layers: AtomicU8,
    /// True if the server takes H.264 but not the codec of the main rendition. The second rendition
    /// is H.264 then.
    pub needs_h264: AtomicBool,
}

impl Shared {
    /// Waits until a stop is requested.
    pub async fn stop_wanted(&self) {
        let mut stop = self.stop.subscribe();
        // The sender is in `self`, so an error cannot occur.
        let _ = stop.wait_for(Option::is_some).await;
    }

    /// Waits until the network returns, and the attempt still makes no progress. Once the server is
    /// asked to publish, it may already have the stream, and would refuse another attempt.
    pub async fn network_returns_early(&self) {
        loop {
            self.network_returned.notified().await;
            let before = self.tries.lock().progress;
            self.time_is_up(Some(before + MAX_STAGE_DURATION)).await;
            let is_early = self.report.lock().stage < ConnectStage::Publish;
            let mut tries = self.tries.lock();
            if is_early && tries.progress == before && tries.restarts < MAX_RESTARTS {
                tries.restarts += 1;
                return;
            }
        }
    }

    /// Waits until a stop is requested, and then until its time is over.
    pub async fn stop_time_is_up(&self) {
        let mut stop = self.stop.subscribe();
        loop {
            let until = *stop.borrow_and_update();
            tokio::select! {
                () = self.time_is_up(until) => return,
                // Another request can shorten the time.
                _ = stop.changed() => {}
            }
        }
    }

    /// Waits until this time. `None` is never reached.
    pub async fn time_is_up(&self, until: Option<Timestamp>) {
        match until {
            Some(until) => sleep_until(Instant::from_std(self.clock.instant(until))).await,
            None => std::future::pending().await,
        }
    }

    /// Returns the number of frames that the present outage has cost so far.
    pub fn frames_of_outage(&self) -> u64 {
        self.frames_at_loss.lock().map_or(0, |before| self.feed.frames().saturating_sub(before))
    }

    /// Ends an outage, except for these frames, which are still to be sent. Returns the number of
    /// frames that the outage has cost.
    pub fn end_outage(&self, to_send: u64) -> u64 {
        let lost = self.frames_of_outage().saturating_sub(to_send);
        *self.frames_at_loss.lock() = None;
        self.figures.lock().lost_frames += lost;
        lost
    }

    pub fn change(&self, report: Report) {
        self.tries.lock().progress = self.clock.now();
        let mut now = self.report.lock();
        if *now == report {
            return;
        }
        // A caller that sees the new state must find the events that led to it.
        self.tell(Event::Changed(report.clone()));
        let mut tries = self.tries.lock();
        tries.next = report.retry_in.map(|wait| self.clock.now() + wait);
        match (report.state, report.retry_in) {
            (State::Live, _) => (tries.failed, tries.restarts) = (0, 0),
            (_, Some(_)) => (tries.failed, tries.restarts) = (tries.failed + 1, 0),
            _ => {}
        }
        *now = report;
    }

    /// Reports once that the server did not announce support for these codecs.
    pub fn unannounced(&self, codecs: Vec<String>) {
        if !self.unannounced.swap(true, Ordering::Relaxed) {
            self.tell(Event::Unannounced(codecs));
        }
    }

    /// Reports once that the server takes one audio track only.
    pub fn extras_left_out(&self) {
        if !self.extras_left_out.swap(true, Ordering::Relaxed) {
            self.tell(Event::ExtrasLeftOut);
        }
    }

    /// Reports once that the server takes one video track only.
    pub fn renditions_left_out(&self) {
        if !self.renditions_left_out.swap(true, Ordering::Relaxed) {
            self.tell(Event::RenditionsLeftOut);
        }
    }

    /// Records the number of layers that the server takes, and reports once if it takes fewer than
    /// wanted.
    pub fn take_layers(&self, taken: u8) {
        self.taken_layers.store(taken, Ordering::Relaxed);
        let wanted = self.target.layers;
        if taken < wanted && !self.layers_left_out.swap(true, Ordering::Relaxed) {
            self.tell(Event::LayersLeftOut { wanted, taken });
        }
    }

    /// Waits until there is an H.264 rendition for this server. Returns false if there is none in
    /// time.
    pub async fn h264_comes(&self, codecs: &[String]) -> bool {
        if !self.needs_h264.swap(true, Ordering::Relaxed) {
            self.tell(Event::Replaced(codecs.to_vec()));
        }
        self.rendition_id.send_replace(RenditionId::Second);
        let is_h264 = |it: &Rendition| it.video.codec == VideoCodec::H264;
        for _ in 0..MAX_H264_WAITS {
            if self.feed.latest(RenditionId::Second).is_some_and(|it| is_h264(&it)) {
                return true;
            }
            tokio::time::sleep(H264_POLL_INTERVAL).await;
        }
        false
    }

    pub fn tell(&self, event: Event) {
        // If there is no reader anymore, the publisher is being dropped.
        let _ = self.events.send(event);
    }
}

/// Timestamps of the stream across connections.
#[derive(Debug)]
pub(super) struct Timeline {
    pub feed: HubFeed,
    /// The DTS of the first packet ever sent, which is the beginning of the stream.
    pub origin: Option<Timestamp>,
    /// The DTS of the last packet passed to a connection.
    pub last: Option<Timestamp>,
    /// The last time at which the server accepted data over an ended connection.
    pub accepted: Option<Timestamp>,
    /// The packets between two connections, if the whole stream must arrive.
    pub kept: Option<KeptSubscription>,
}

/// A subscription that outlives a connection.
#[derive(Debug)]
pub(super) struct KeptSubscription {
    pub subscription: Subscription,
    /// The number of the subscription's frames that the publisher's counters already include.
    pub taken_frames: u64,
    pub dropped_frames: u64,
}

impl KeptSubscription {
    pub const fn new(subscription: Subscription) -> Self {
        Self { subscription, taken_frames: 0, dropped_frames: 0 }
    }
}

impl Timeline {
    /// Converts a DTS to milliseconds since the first packet, with wrap-around.
    pub fn time_ms(&self, dts: Timestamp) -> u32 {
        time_ms(self.origin.unwrap_or(dts), dts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::rtmp::url::Url;

    #[test]
    fn the_shortest_round_trip_is_that_of_one_connection() {
        let mut figures = Figures::default();
        let measured = [Some(40), Some(25), Some(60), None, Some(50)];
        let shortest = measured.map(|millis| {
            figures.set_round_trip(millis.map(Duration::from_millis));
            figures.shortest_round_trip.map(|time| time.as_millis())
        });
        assert_eq!(shortest, [Some(40), Some(25), Some(25), None, Some(50)]);
        assert_eq!(figures.round_trip, Some(Duration::from_millis(50)));
    }

    #[test]
    fn the_address_of_a_target_that_was_live_is_not_doubted() {
        let cure = |stage, cause, worked| {
            let peer = "a.example:1935".to_owned();
            let report =
                Report::new(State::Reconnecting, stage, Some(Error { stage, cause, peer }));
            let history = History { worked, ..History::default() };
            let problem = Report { history, ..report }.problem().unwrap();
            crate::text::Language::English.cure(&problem).unwrap()
        };
        for (stage, cause) in [
            (ConnectStage::Tcp, Cause::ConnectionRefused),
            (ConnectStage::Handshake, Cause::Closed),
            (ConnectStage::Connect, Cause::Reset),
        ] {
            let [first, later] = [false, true].map(|worked| cure(stage, cause.clone(), worked));
            assert!(first.contains("Check"), "{first}");
            assert!(later.contains("worked before") && !later.contains("Check"), "{later}");
        }
    }

    #[test]
    fn a_live_report_names_the_server_only_after_a_redirect() {
        let target = Target::new(Url::parse("rtmp://a.example/live/key").unwrap());
        let live = |peer: &str| Report {
            peer: Some(peer.to_owned()),
            ..Report::new(State::Live, ConnectStage::Media, None)
        };
        assert_eq!(live("a.example:1935").elsewhere(&target), None);
        assert_eq!(live("b.example:1935").elsewhere(&target), Some("b.example:1935"));
    }
}
