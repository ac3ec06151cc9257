//! What the ways to pull a stream have in common: how a connection ends, how long silence is borne,
//! and what went wrong in a person's words. Used on the feed thread.

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

/// Without media for this long there is no such stream, or it is lost.
pub(in crate::player) const MEDIA_TIMEOUT: Duration = Duration::from_secs(10);
/// A server that was asked for another place says that it is there by then; not all of them do.
const ARRIVAL: Duration = Duration::from_secs(2);
/// How often the clock is looked at while nothing comes.
pub(in crate::player) const TICK: Duration = Duration::from_millis(250);

/// Why there is nothing while its broadcaster is away.
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
    /// The server says that the stream has ended, and it was played.
    Over,
    /// The same, but its broadcaster may come back: the server hung up right after.
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
    /// When it was asked last.
    since: Timestamp,
    /// The places that it has not answered for.
    places: u32,
}

/// What came in this connection.
pub(in crate::player) struct ConnectionWatch {
    /// The last media, the end of the stream, or the connection's start.
    pub(in crate::player) since: Timestamp,
    pub(in crate::player) media: bool,
    /// Bodies of video or audio came, media or not.
    pub(in crate::player) answered: bool,
    /// The server said that the stream has ended.
    pub(in crate::player) ended: bool,
    /// Since then the server has been asked for another place and has not said that it is there.
    pub(in crate::player) moving: Option<Moving>,
    /// The server was asked for a pause.
    pub(in crate::player) paused: bool,
    /// The server said that it plays it from its disk.
    pub(in crate::player) recorded: bool,
    /// As the metadata have it.
    pub(in crate::player) length: Option<Duration>,
    /// It was moved to where it is to begin: metadata may come again after that.
    pub(in crate::player) begun: bool,
}

impl ConnectionWatch {
    /// A connection that begins.
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

    /// Video or audio came: only what is to be decoded ends the silence.
    pub(in crate::player) fn heard_tag(&mut self, read: &ReadTag, shared: &Shared, now: Timestamp) {
        self.answered = true;
        if read.content == TagContent::Frame {
            self.came(shared, now);
        }
    }

    /// A config or a packet came, of which only the second is to be decoded.
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

    /// Media came.
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

    /// What came was not looked at for this long.
    pub(in crate::player) fn waited(&mut self, time: Duration) {
        self.since += time;
    }

    /// Another place was wanted, or is found: it is waited for from now on.
    pub(in crate::player) fn wait_anew(&mut self, now: Timestamp) {
        self.since = now;
    }

    /// The server is asked for another place.
    pub(in crate::player) fn leave(&mut self, now: Timestamp) {
        let places = self.moving.map_or(0, |moving| moving.places).saturating_add(1);
        self.moving = Some(Moving { since: now, places });
    }

    /// The server answers for a place that it was asked for, in their order. Whether that was the last one.
    pub(in crate::player) fn arrive(&mut self) -> bool {
        let left = self.moving.map(|it| Moving { places: it.places.saturating_sub(1), ..it });
        self.moving = left.filter(|moving| moving.places > 0);
        self.moving.is_none()
    }

    /// Whether what comes is still of the place that is being left, or of one that was wanted in between.
    pub(in crate::player) fn is_leaving(&mut self, now: Timestamp) -> bool {
        self.moving = self.moving.filter(|moving| now.since(moving.since) < ARRIVAL);
        self.moving.is_some()
    }

    /// No media come, whatever else does: how long is that to be borne?
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

/// The server said yes, and then nothing.
pub(in crate::player) fn silent() -> Failure {
    let seconds = MEDIA_TIMEOUT.as_secs();
    Failure::new(FailureKind::NoSuchStream, problem!("play-silent", seconds = seconds))
}

/// What went wrong on the way to a web server, whose usual ports are others.
pub(in crate::player) fn web_failure(error: &net::Error) -> Failure {
    let told = failure(error);
    if !matches!(error.cause, net::Cause::ConnectionRefused) {
        return told;
    }
    Failure { problem: told.problem.with_cure(problem!("play-cure-web-port")), ..told }
}

/// What went wrong in the network, as the player tells it.
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
