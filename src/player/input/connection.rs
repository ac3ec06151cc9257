//! The common part of all live inputs: how a connection ends, how long to wait for data, and error
//! messages. Used on the feed thread.

use std::time::Duration;

use crate::base::Timestamp;
use crate::media::StreamEvent;
use crate::net::{self, Class};
use crate::player::input::feed::InputFeed;
use crate::player::session::shared::Shared;
use crate::player::state::anomaly::Anomaly;
use crate::player::state::{Failure, FailureKind, OfferedChat};
use crate::text::Problem;
use crate::text::problem::problem;
use crate::wire::container::flv::{ReadTag, TagContent};
use crate::wire::rtmp::Url;

/// Without media for this long, the stream does not exist or is lost.
pub(in crate::player) const MEDIA_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a server may take to confirm a seek; some servers never do.
const ARRIVAL: Duration = Duration::from_secs(2);
/// How often to check the clock without data.
pub(in crate::player) const TICK: Duration = Duration::from_millis(250);

/// The reason while the broadcaster is away.
pub const WAITING: &str = "play-waiting";

/// The cause for that.
pub(in crate::player) fn waiting() -> Problem {
    Problem::new(WAITING, [])
}

/// How a connection ended.
#[derive(Debug)]
pub(in crate::player) enum End {
    /// We were asked to stop.
    Stopped,
    /// The server reported the end of the stream, and it was played.
    Over,
    /// The same, but the broadcaster may return: the server closed the connection right after.
    Faded,
    /// The server asks to connect there.
    Elsewhere(Box<Url>),
    Lost(Failure),
    /// Lost, and trying again would not help.
    Failed(Failure),
}

/// The way to other places that the server was asked for.
#[derive(Copy, Clone, Debug)]
pub(in crate::player) struct Moving {
    /// When the last seek was requested.
    since: Timestamp,
    /// The places that it has not answered for.
    places: u32,
}

/// The received data of this connection.
pub(in crate::player) struct ConnectionWatch {
    /// The last media, the end of the stream, or the connection's start.
    pub(in crate::player) since: Timestamp,
    pub(in crate::player) media: bool,
    /// Video or audio messages arrived, even if empty.
    pub(in crate::player) answered: bool,
    /// The server reported the end of the stream.
    pub(in crate::player) ended: bool,
    /// Since then, the server has not confirmed a seek.
    pub(in crate::player) moving: Option<Moving>,
    /// The server was asked for a pause.
    pub(in crate::player) paused: bool,
    /// The server reported that it plays from disk.
    pub(in crate::player) recorded: bool,
    /// From the metadata.
    pub(in crate::player) length: Option<Duration>,
    /// The initial seek was sent: metadata can follow again.
    pub(in crate::player) begun: bool,
}

impl ConnectionWatch {
    /// A new connection.
    pub(in crate::player) fn new(now: Timestamp) -> Self {
        Self {
            since: now,
            media: false,
            answered: false,
            ended: false,
            moving: None,
            paused: false,
            recorded: false,
            length: None,
            begun: false,
        }
    }

    /// Video or audio arrived: only decodable data ends the silence.
    pub(in crate::player) fn heard_tag(&mut self, read: &ReadTag, shared: &Shared, now: Timestamp) {
        self.answered = true;
        if read.content == TagContent::Frame {
            self.came(shared, now);
        }
    }

    /// A config or a packet arrived; only a packet ends the silence.
    pub(in crate::player) fn heard_event(
        &mut self,
        event: &StreamEvent,
        shared: &Shared,
        now: Timestamp,
    ) {
        self.answered = true;
        if matches!(event, StreamEvent::Packet(packet) if !packet.data.is_empty()) {
            self.came(shared, now);
        }
    }

    /// Media arrived.
    fn came(&mut self, shared: &Shared, now: Timestamp) {
        self.since = now;
        let first = !std::mem::replace(&mut self.media, true);
        let back = std::mem::replace(&mut self.ended, false);
        if back && !shared.patient {
            shared.report.odd(&Anomaly::PublisherBack);
        }
        // Also where an earlier connection was told of the end.
        if back || first {
            shared.report.regained();
            shared.reception.lock().resume();
        }
    }

    /// The reader was busy for this long.
    pub(in crate::player) fn waited(&mut self, time: Duration) {
        self.since += time;
    }

    /// A seek was requested or confirmed: the waiting time restarts.
    pub(in crate::player) fn wait_anew(&mut self, now: Timestamp) {
        self.since = now;
    }

    /// The server is asked for another place.
    pub(in crate::player) fn leave(&mut self, now: Timestamp) {
        let places = self.moving.map_or(0, |moving| moving.places).saturating_add(1);
        self.moving = Some(Moving { since: now, places });
    }

    /// The server confirms a seek, in order. Returns whether it was the last one.
    pub(in crate::player) fn arrive(&mut self) -> bool {
        let left = self.moving.map(|it| Moving { places: it.places.saturating_sub(1), ..it });
        self.moving = left.filter(|moving| moving.places > 0);
        self.moving.is_none()
    }

    /// Whether the received data is still from a position that is being left.
    pub(in crate::player) fn is_leaving(&mut self, now: Timestamp) -> bool {
        self.moving = self.moving.filter(|moving| now.since(moving.since) < ARRIVAL);
        self.moving.is_some()
    }

    /// How long to wait without media, whatever else arrives.
    pub(in crate::player) fn silence(&self, feed: &InputFeed, now: Timestamp) -> Option<End> {
        if now.since(self.since) < MEDIA_TIMEOUT {
            return None;
        }
        let seconds = MEDIA_TIMEOUT.as_secs();
        Some(match (self.ended, feed.has_media()) {
            (true, true) if feed.shared.patient && feed.shared.timeline.duration().is_none() => {
                End::Faded
            }
            (true, true) => End::Over,
            (false, true) => End::Lost(Failure::new(
                FailureKind::Lost,
                problem!("play-nothing-came", seconds = seconds),
            )),
            (_, false) => End::Lost(feed.missing().unwrap_or_else(silent)),
        })
    }
}

/// The server accepted, but sent nothing.
pub(in crate::player) fn silent() -> Failure {
    let seconds = MEDIA_TIMEOUT.as_secs();
    Failure::new(FailureKind::NoSuchStream, problem!("play-silent", seconds = seconds))
}

/// A connection error of a web server, with its usual ports.
pub(in crate::player) fn web_failure(error: &net::Error) -> Failure {
    let told = failure(error);
    if !matches!(error.cause, net::Cause::ConnectionRefused) {
        return told;
    }
    Failure { problem: told.problem.with_cure(problem!("play-cure-web-port")), ..told }
}

/// A network error as the player reports it.
pub(in crate::player) fn failure(error: &net::Error) -> Failure {
    let kind = match error.class() {
        Class::Settings => FailureKind::File,
        Class::Unreachable => FailureKind::Unreachable,
        Class::Refused => FailureKind::Refused,
        Class::Lost => FailureKind::Lost,
        Class::NoSuchStream => FailureKind::NoSuchStream,
    };
    let offered = error.pin_to_offer().map(|pin| OfferedChat { server: error.peer.clone(), pin });
    let offered = offered.map(Box::new);
    Failure { kind, problem: error.with_peer(), offered }
}
