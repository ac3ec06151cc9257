//! The common part of all live inputs: how a connection ends, how long it may be silent, and error
//! messages. The module is used on the feed thread.

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

/// A stream without media for this long does not exist or is lost.
pub(crate) const MEDIA_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a server may take to confirm a seek; some servers never do.
const SEEK_CONFIRM_TIMEOUT: Duration = Duration::from_secs(2);
/// How often the clock is checked while no data arrives.
pub(crate) const CLOCK_CHECK_INTERVAL: Duration = Duration::from_millis(250);

/// The message id of the reason that users see while the broadcaster is away.
pub const WAITING_MESSAGE_ID: &str = "play-waiting";

/// Returns the reason that users see while the broadcaster is away.
pub(crate) fn waiting() -> Problem {
    Problem::new(WAITING_MESSAGE_ID, [])
}

/// How a connection ended.
#[derive(Debug)]
pub(crate) enum End {
    /// The player was stopped.
    Stopped,
    /// The stream has ended, after it delivered media.
    Over,
    /// Like `Over`, but the broadcaster may return.
    Faded,
    /// The server redirects to this URL.
    Elsewhere(Box<Url>),
    Lost(Failure),
    /// The connection is lost, and trying again would not help.
    Failed(Failure),
}

/// Pending seeks that the server has not confirmed.
#[derive(Copy, Clone, Debug)]
pub(crate) struct PendingSeeks {
    /// Time of the last seek request.
    since: Timestamp,
    /// Number of unconfirmed seeks.
    places: u32,
}

/// The state of received data on a connection.
#[derive(Default)]
pub(crate) struct ConnectionWatch {
    /// The time from which silence counts: the last media, the end of the stream, or the
    /// connection's start.
    pub(crate) since: Timestamp,
    pub(crate) media: bool,
    /// True if video or audio messages arrived, even empty ones.
    pub(crate) answered: bool,
    /// True if the server reported the end of the stream.
    pub(crate) ended: bool,
    /// The seeks that the server has not confirmed yet.
    pub(crate) moving: Option<PendingSeeks>,
    /// True if a pause was requested from the server.
    pub(crate) paused: bool,
    /// True if the server reported that it plays a recording.
    pub(crate) recorded: bool,
    /// The length from the metadata.
    pub(crate) length: Option<Duration>,
    /// True if the initial seek was sent. It is sent only once, although metadata can arrive again.
    pub(crate) begun: bool,
}

impl ConnectionWatch {
    /// Creates the state of a new connection.
    pub(crate) fn new(now: Timestamp) -> Self {
        Self { since: now, ..Self::default() }
    }

    /// Handles video or audio: only decodable data ends the silence.
    pub(crate) fn note_tag(&mut self, read: &ReadTag, shared: &Shared, now: Timestamp) {
        self.answered = true;
        if read.content == TagContent::Frame {
            self.came(shared, now);
        }
    }

    /// Handles a config or a packet; only a packet ends the silence.
    pub(crate) fn note_event(&mut self, event: &StreamEvent, shared: &Shared, now: Timestamp) {
        self.answered = true;
        if matches!(event, StreamEvent::Packet(packet) if !packet.data.is_empty()) {
            self.came(shared, now);
        }
    }

    /// Records that media arrived.
    fn came(&mut self, shared: &Shared, now: Timestamp) {
        self.since = now;
        let first = !std::mem::replace(&mut self.media, true);
        let back = std::mem::replace(&mut self.ended, false);
        if back && !shared.patient {
            shared.report.report_anomaly(&Anomaly::PublisherBack);
        }
        // This also applies if an earlier connection received the end of the stream.
        if back || first {
            shared.report.regained();
            shared.reception.lock().resume();
        }
    }

    /// Excludes from the waiting time a period in which the reader was busy.
    pub(crate) fn waited(&mut self, time: Duration) {
        self.since += time;
    }

    /// Restarts the waiting time after a seek request or its confirmation.
    pub(crate) fn wait_anew(&mut self, now: Timestamp) {
        self.since = now;
    }

    /// Records a seek request.
    pub(crate) fn leave(&mut self, now: Timestamp) {
        let places = self.moving.map_or(0, |moving| moving.places).saturating_add(1);
        self.moving = Some(PendingSeeks { since: now, places });
    }

    /// Records that the server has confirmed the oldest pending seek. Returns true if no seek is
    /// left.
    pub(crate) fn arrive(&mut self) -> bool {
        let left = self.moving.map(|it| PendingSeeks { places: it.places.saturating_sub(1), ..it });
        self.moving = left.filter(|moving| moving.places > 0);
        self.moving.is_none()
    }

    /// Returns true if the received data is still from the position before a seek.
    pub(crate) fn is_leaving(&mut self, now: Timestamp) -> bool {
        self.moving = self.moving.filter(|moving| now.since(moving.since) < SEEK_CONFIRM_TIMEOUT);
        self.moving.is_some()
    }

    /// Returns how the connection ends if it has been without media for too long.
    pub(crate) fn silence(&self, feed: &InputFeed, now: Timestamp) -> Option<End> {
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

/// Returns the failure for a server that accepted the request, but sent nothing.
pub(crate) fn silent() -> Failure {
    let seconds = MEDIA_TIMEOUT.as_secs();
    Failure::new(FailureKind::NoSuchStream, problem!("play-silent", seconds = seconds))
}

/// Returns the failure of a connection to a web server. If the connection was refused, the cure
/// names the usual ports.
pub(crate) fn web_failure(error: &net::Error) -> Failure {
    let failure = failure(error);
    if !matches!(error.cause, net::Cause::ConnectionRefused) {
        return failure;
    }
    Failure { problem: failure.problem.with_cure(problem!("play-cure-web-port")), ..failure }
}

/// Converts a network error to a failure of the player.
pub(crate) fn failure(error: &net::Error) -> Failure {
    let kind = match error.class() {
        Class::Settings => FailureKind::File,
        Class::Unreachable => FailureKind::Unreachable,
        Class::Refused => FailureKind::Refused,
        Class::Lost => FailureKind::Lost,
        Class::NoSuchStream => FailureKind::NoSuchStream,
        Class::Internal => FailureKind::System,
    };
    let offered = error.pin_to_offer().map(|pin| OfferedChat { server: error.peer.clone(), pin });
    let offered = offered.map(Box::new);
    Failure { kind, problem: error.with_peer(), offered }
}
