//! What the ways to pull a stream have in common: how a connection ends, how long silence is borne,
//! and what went wrong in a person's words. Used on the feed thread.

use std::time::Duration;

use crate::base::Timestamp;
use crate::net::{self, Class};
use crate::player::feed::Feed;
use crate::player::shared::Shared;
use crate::player::{Failure, Kind};
use crate::wire::rtmp::Url;

/// Without media for this long there is no such stream, or it is lost.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);
/// A server that was asked for another place says that it is there by then; not all of them do.
const ARRIVAL: Duration = Duration::from_secs(2);
/// How often the clock is looked at while nothing comes.
pub(super) const TICK: Duration = Duration::from_millis(250);

/// How a connection ended.
#[derive(Debug)]
pub(super) enum End {
    /// We were asked to stop.
    Stopped,
    /// The server says that the stream is over, and it was played.
    Over,
    /// The same, but its broadcaster may come back: the server hung up right after.
    Faded,
    /// The server asks to connect there.
    Elsewhere(Box<Url>),
    Lost(Failure),
}

/// What came in this connection.
pub(super) struct Watch {
    /// The last media, the end of the stream, or the connection's start.
    pub(super) since: Timestamp,
    pub(super) media: bool,
    /// The server said that the stream has ended.
    pub(super) ended: bool,
    /// Since then the server has been asked for another place and has not said that it is there.
    pub(super) moving: Option<Timestamp>,
    /// The server was asked for a pause.
    pub(super) paused: bool,
    /// The server said that it plays it from its disk.
    pub(super) recorded: bool,
    /// As the metadata have it.
    pub(super) length: Option<Duration>,
    /// It was moved to where it is to begin: metadata may come again after that.
    pub(super) begun: bool,
}

impl Watch {
    /// A connection that begins.
    pub(super) fn new(now: Timestamp) -> Self {
        Self {
            since: now,
            media: false,
            ended: false,
            moving: None,
            paused: false,
            recorded: false,
            length: None,
            begun: false,
        }
    }

    /// Media came.
    pub(super) fn came(&mut self, shared: &Shared, now: Timestamp) {
        self.since = now;
        let first = !std::mem::replace(&mut self.media, true);
        if first {
            shared.regained();
        }
        // Also where an earlier connection was told of the end.
        if std::mem::replace(&mut self.ended, false) || first {
            shared.reception.lock().resume();
        }
    }

    /// Whether what comes is still of the place that is being left.
    pub(super) fn is_leaving(&mut self, now: Timestamp) -> bool {
        self.moving = self.moving.filter(|since| now.since(*since) < ARRIVAL);
        self.moving.is_some()
    }

    /// Nothing comes: how long is that to be borne?
    pub(super) fn silence(&self, feed: &Feed, now: Timestamp) -> Option<End> {
        if now.since(self.since) < PATIENCE {
            return None;
        }
        let seconds = PATIENCE.as_secs();
        Some(match (self.ended, feed.has_media()) {
            (true, true) => End::Over,
            (false, true) => End::Lost(Failure::new(
                Kind::Lost,
                format!("nothing has come for {seconds} s"),
                "Check the network connection, and that the broadcast goes on.",
            )),
            (_, false) => End::Lost(silent()),
        })
    }
}

/// The server said yes, and then nothing.
pub(super) fn silent() -> Failure {
    let seconds = PATIENCE.as_secs();
    Failure::new(
        Kind::NoSuchStream,
        format!("no picture and no sound has come for {seconds} s: there may be no such stream"),
        "Check the stream's name, and that its broadcast has begun.",
    )
}

/// What went wrong in the network, as the player tells it.
pub(super) fn failure(error: &net::Error) -> Failure {
    let kind = match error.class() {
        Class::Settings => Kind::File,
        Class::Unreachable => Kind::Unreachable,
        Class::Refused => Kind::Refused,
        Class::Lost => Kind::Lost,
        Class::NoSuchStream => Kind::NoSuchStream,
    };
    Failure::new(kind, error.to_string(), error.advice())
}
