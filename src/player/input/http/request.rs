//! The requests and items of a pull.

use std::sync::Arc;

use std::time::Duration;

use tokio::time::Instant;

use crate::media::{StreamEvent, VideoCodec};
use crate::net::web::WebUrl;
use crate::net::{self, Cause, ConnectStage, WebProblem};
use crate::player::buffer::pace::{BufferTarget, PlayPace};
use crate::player::input::open_deadline::OpenDeadline;
use crate::player::session::decode_budget::DecodeBudget;
use crate::text;
use crate::wire::container::flv::ReadTag;

/// An item.
#[derive(Debug)]
pub(in crate::player) enum Item {
    /// Of FLV, with the events that it gave.
    Tag(Box<ReadTag>),
    Event(StreamEvent),
    /// Earlier audio plays up to this time at most, in microseconds, and later audio from it on.
    Seam(i64),
    /// A film begins: a packet with this many microseconds is its first instant, and plays first.
    Begin(i64),
    /// From here on.
    Pace(PlayPace),
    /// The position of the next tag in the recording, or from the first known position of a
    /// broadcast.
    Place(Duration),
    /// The length of the recording, with seeking.
    Length(Duration),
    /// A seek is done: the position, and the time (`raw`, microseconds) of the packet that is
    /// presented first. `firm`: its timestamps are trusted.
    Moved {
        raw: i64,
        place: Duration,
        firm: bool,
    },
    /// Seeking is impossible, because the server sends the file only from its beginning.
    Fixed,
    /// The place that was wanted cannot be had, and why: it continues as before.
    Unmoved(text::Problem),
    /// The separate audio is missing, with the reason: the video continues.
    Unheard(text::Problem),
    /// It has returned.
    Heard,
    /// The wall-clock time of the next tag by the sender's clock, in microseconds since 1970;
    /// `None`: not declared.
    Made(Option<i64>),
    /// The DVR window of a broadcast at that instant: positions as in [`Item::Place`].
    Listed {
        seen: Instant,
        from: Duration,
        until: Duration,
    },
    /// The distance of the stream's end from the next tag at that instant.
    Edge {
        seen: Instant,
        distance: Duration,
    },
}

impl Item {
    /// After the end, seeking back in a recording is possible.
    pub(in crate::player) const END: Self = Self::Event(StreamEvent::End);
}

/// A request and its options.
#[derive(Clone, Debug)]
pub(in crate::player) struct PullRequest {
    pub url: WebUrl,
    pub net: net::Options,
    /// The user's buffer.
    pub buffer: Arc<BufferTarget>,
    /// The decoder's speed.
    pub decode_budget: Arc<DecodeBudget>,
    /// The time limit of opening.
    pub opening: Arc<OpenDeadline>,
    /// Whether the receiver can decode this codec.
    pub decodable: fn(VideoCodec) -> bool,
}

impl PullRequest {
    /// The error of a wrong range, as a temporary one.
    pub(in crate::player) fn other_part(&self) -> net::Error {
        let (stage, cause) = (ConnectStage::Media, Cause::Web(WebProblem::OtherPart));
        net::Error { stage, cause, peer: self.url.endpoint().to_string() }
    }
}
