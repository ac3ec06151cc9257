//! What is asked for, and what comes.

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

/// What came.
#[derive(Debug)]
pub(in crate::player) enum Item {
    /// Of FLV, with the events that it gave.
    Tag(Box<ReadTag>),
    Event(StreamEvent),
    /// Audio that came is heard up to this time at most, in microseconds, and what comes from it on.
    Seam(i64),
    /// A film begins: what carries this many microseconds is its first instant, and played first.
    Begin(i64),
    /// From here on.
    Pace(PlayPace),
    /// The next tag is played this long after the beginning of the recording, or after the first that
    /// was known of a broadcast.
    Place(Duration),
    /// The recording is this long, and one can go about in it.
    Length(Duration),
    /// What comes next is of the place that was wanted, this long after the beginning of the recording: what
    /// carries this time (`raw`, microseconds) is seen and heard first. `firm`: its times are believed,
    /// whatever they are.
    Moved {
        raw: i64,
        place: Duration,
        firm: bool,
    },
    /// One cannot go about in it, because the server gives it from its beginning alone.
    Fixed,
    /// The place that was wanted cannot be had, and why: it continues as before.
    Unmoved(text::Problem),
    /// The audio, which has a separate list, does not come, and why: the video continues.
    Unheard(text::Problem),
    /// It comes again.
    Heard,
    /// By the sender's clock the next tag was made this many microseconds after 1970 began; `None`: that is
    /// not told.
    Made(Option<i64>),
    /// What there is to go back in of a broadcast, at that instant: places as in [`Item::Place`].
    Listed {
        seen: Instant,
        from: Duration,
        until: Duration,
    },
    /// At that instant the end of what there is was so far from the next tag.
    Edge {
        seen: Instant,
        distance: Duration,
    },
}

impl Item {
    /// From the end one may still go back in a recording.
    pub(in crate::player) const END: Self = Self::Event(StreamEvent::End);
}

/// What is asked for, and how.
#[derive(Clone, Debug)]
pub(in crate::player) struct PullRequest {
    pub url: WebUrl,
    pub net: net::Options,
    /// What the person wants to be kept back.
    pub buffer: Arc<BufferTarget>,
    /// What can be decoded in time.
    pub decode_budget: Arc<DecodeBudget>,
    /// How long it may take until there is something to play.
    pub opening: Arc<OpenDeadline>,
    /// Whether video of a codec can be decoded by whoever takes the events.
    pub decodable: fn(VideoCodec) -> bool,
}

impl PullRequest {
    /// That something else comes than the part that was asked for, as something that may pass.
    pub(in crate::player) fn other_part(&self) -> net::Error {
        let (stage, cause) = (ConnectStage::Media, Cause::Web(WebProblem::OtherPart));
        net::Error { stage, cause, peer: self.url.endpoint().to_string() }
    }
}
