//! What a publisher is told, tells, and keeps from one connection to the next.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{Notify, watch};

use crate::base::queue::Sender;
use crate::base::{Clock, Timestamp};
use crate::broadcast::hub::HubFeed;
use crate::broadcast::hub::backlog::Limits;
use crate::broadcast::hub::subscription::Subscription;
use crate::broadcast::publisher::link::Flow;
use crate::broadcast::target_url::TargetUrl;
use crate::media::{Rendition, RenditionId};
use crate::net::rtmp::Options;
use crate::net::{Class, ConnectStage, Error};
use crate::text::Problem;
use crate::wire::rtmp::status::Status;
use crate::wire::rtmp::url::authority;

/// Where the stream goes, and how hard to try.
#[derive(Clone, Debug)]
pub struct Target {
    /// Server and key.
    pub url: TargetUrl,
    /// Trust and limits of the connection. The bitrate is filled in by the publisher.
    pub options: Options,
    /// How long the target is tried again, at the first connection and after a loss; `None`: for
    /// ever. Refusals that waiting cannot cure end it at once.
    pub retry_for: Option<Duration>,
    /// How far it may fall behind.
    pub limits: Limits,
    /// Nothing is connected before there is something to send: a delay would keep a server waiting
    /// for minutes.
    pub await_media: bool,
    /// All of the stream is to arrive, from its beginning, rather late than never: a file that is sent as
    /// it is has no live end.
    pub whole: bool,
    /// The program's own server: whatever it says, it is worth another try.
    pub own_server: bool,
}

impl Target {
    /// A target tried for ever, with the usual limits and the system's trust.
    pub fn new(url: impl Into<TargetUrl>) -> Self {
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
        }
    }

    /// The same for a file that is sent as it is.
    #[must_use]
    pub fn whole(self) -> Self {
        Self { limits: Limits::NEVER_DROP, whole: true, ..self }
    }
}

/// What a publisher is doing.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// On the way to the first frame, or waiting to try that again.
    Connecting,
    /// Sending.
    Live,
    /// Lost; waiting or on the way back.
    Reconnecting,
    /// Ended as asked, or with the stream.
    Stopped,
    /// Given up, for this kind of reason.
    Failed(Class),
}

impl State {
    /// Its name in events.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Live => "live",
            Self::Reconnecting => "reconnecting",
            Self::Stopped => "stopped",
            Self::Failed(_) => "failed",
        }
    }

    /// Whether nothing more will happen.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Stopped | Self::Failed(_))
    }
}

/// A publisher's state with what led to it. Texts hold no key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    pub state: State,
    /// Where on the way it is, or where it failed.
    pub stage: ConnectStage,
    /// What went wrong last; `None` while nothing has since the last time live.
    pub error: Option<Error>,
    /// The next try begins after this.
    pub retry_in: Option<Duration>,
    /// Live again: for how long viewers saw nothing new, from what the server accepted last.
    pub gap: Option<Duration>,
}

impl Report {
    /// The server's code for what went wrong.
    pub fn code(&self) -> Option<&str> {
        self.error.as_ref().and_then(Error::code)
    }

    /// What went wrong, and what helps.
    pub fn problem(&self) -> Option<Problem> {
        self.error.as_ref().map(Error::problem)
    }

    /// The server at which it went wrong, where the target's own had sent us on there.
    pub fn elsewhere(&self, target: &Target) -> Option<&str> {
        let peer = self.error.as_ref()?.peer.as_str();
        let url = &target.url;
        let own = |port| authority(url.host(), port) == peer;
        let mut ports = target.options.net.ports.iter().copied().chain([url.port()]);
        let is_own = peer == url.host() || ports.any(own);
        (!is_own).then_some(peer)
    }
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The state, the stage or the reason changed.
    Changed(Report),
    /// While live: nothing gets through any more, or something does again.
    Flow(Flow),
    /// The server said something that did not change the state.
    Said(Status),
    /// It did not say whether it takes these codecs; told once.
    Unannounced(Vec<String>),
}

/// Counters since the start, and what is measured now.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figures {
    /// Bytes handed to the system, all connections together.
    pub sent_bytes: u64,
    /// Bits a second, over the last second.
    pub bitrate: u64,
    /// The same over the last half second: what the link carries, where it is the bottleneck.
    pub carried: u64,
    /// What waits, by its timestamps: from the oldest that the server has not accepted to the newest.
    pub queued: Duration,
    /// For how long the server has accepted nothing of it.
    pub silent: Duration,
    /// Frames thrown away because the link was too slow.
    pub dropped_frames: u64,
    /// Packets of audio thrown away: only where far too much waited. Filled in where it is read.
    pub dropped_audio: u64,
    /// Frames sent or thrown away.
    pub total_frames: u64,
    /// Times the target was live again after a loss.
    pub reconnects: u32,
    /// Round trip as the system measures it, while connected.
    pub round_trip: Option<Duration>,
    /// The last video or audio handed to the connection.
    pub last_sent: Option<Sent>,
    /// From the last frame's capture until it was handed to the connection.
    pub frame_age: Option<Duration>,
    /// Time live, all connections together.
    pub live_for: Duration,
    /// What the frames are that go to this target; `None` before the first and for a copy.
    pub rendition: Option<Arc<Rendition>>,
}

/// One packet's way through the program.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Its RTMP timestamp.
    pub time_ms: u32,
    /// When it was captured.
    pub captured: Timestamp,
    /// When it was handed to the connection.
    pub sent: Timestamp,
}

/// The tries to get live.
#[derive(Debug, Default)]
pub(super) struct Tries {
    /// When the next one begins.
    pub next: Option<Timestamp>,
    /// How many have failed since it was live last.
    pub failed: u32,
}

/// What the task and its owner share.
#[derive(Debug)]
pub(super) struct Shared {
    pub clock: Clock,
    pub target: Target,
    pub report: Mutex<Report>,
    pub tries: Mutex<Tries>,
    pub figures: Mutex<Figures>,
    pub events: Sender<Event>,
    pub retry: Notify,
    /// Counts the changes of this machine's network.
    pub network: watch::Sender<u64>,
    /// How long an orderly end may take, once it is wanted.
    pub stop: watch::Sender<Option<Duration>>,
    /// The rendition that this target is to get.
    pub rendition_id: watch::Sender<RenditionId>,
    /// That a server does not say what it takes has been told.
    pub unannounced: AtomicBool,
}

impl Shared {
    pub fn change(&self, report: Report) {
        let mut now = self.report.lock();
        if *now == report {
            return;
        }
        // Whoever sees the new state finds among the events what led to it.
        self.tell(Event::Changed(report.clone()));
        let mut tries = self.tries.lock();
        tries.next = report.retry_in.map(|wait| self.clock.now() + wait);
        match (report.state, report.retry_in) {
            (State::Live, _) => tries.failed = 0,
            (_, Some(_)) => tries.failed += 1,
            _ => {}
        }
        *now = report;
    }

    /// Tells once that the server did not say whether it takes these codecs.
    pub fn unannounced(&self, codecs: Vec<String>) {
        if !self.unannounced.swap(true, Ordering::Relaxed) {
            self.tell(Event::Unannounced(codecs));
        }
    }

    pub fn tell(&self, event: Event) {
        // Nobody reads any more: the publisher is being dropped.
        let _ = self.events.send(event);
    }
}

/// What is kept from one connection to the next.
#[derive(Debug)]
pub(super) struct Timeline {
    pub feed: HubFeed,
    /// The DTS that is 0 on the wire: the first packet ever sent.
    pub origin: Option<Timestamp>,
    /// The DTS of the last packet handed to a connection.
    pub last: Option<Timestamp>,
    /// When the server accepted something last, of the connections that have ended.
    pub accepted: Option<Timestamp>,
    /// What waits between two connections where all of the stream is to arrive.
    pub kept: Option<KeptSubscription>,
}

/// A subscription that outlives a connection.
#[derive(Debug)]
pub(super) struct KeptSubscription {
    pub subscription: Subscription,
    /// Frames of it that the publisher's figures have.
    pub taken_frames: u64,
    pub dropped_frames: u64,
}

impl KeptSubscription {
    pub const fn new(subscription: Subscription) -> Self {
        Self { subscription, taken_frames: 0, dropped_frames: 0 }
    }
}

impl Timeline {
    /// The RTMP time of a DTS: milliseconds since the first packet, wrapping as RTMP's do.
    pub fn time_ms(&self, dts: Timestamp) -> u32 {
        let origin = self.origin.unwrap_or(dts);
        let millis = dts.micros_since(origin).max(0) / 1_000;
        (millis & i64::from(u32::MAX)) as u32
    }
}
