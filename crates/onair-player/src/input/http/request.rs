//! The requests and items of a pull.

use std::sync::Arc;

use std::time::Duration;

use tokio::time::Instant;

use crate::media::{StreamEvent, VideoCodec};
use crate::net::web::WebUrl;
use crate::net::{self, Cause, ConnectStage, WebProblem};
use crate::player::buffer::dvr_window::{DvrWindow, WindowRange};
use crate::player::buffer::pace::{BufferTarget, PlayPace};
use crate::player::input::open_deadline::OpenDeadline;
use crate::player::session::decode_budget::DecodeBudget;
use crate::text;
use crate::wire::container::flv::ReadTag;

/// An item of a pull.
#[derive(Debug)]
pub(crate) enum Item {
    /// An FLV tag with its events.
    Tag(Box<ReadTag>),
    Event(StreamEvent),
    /// Boundary in microseconds: audio from before the seam plays at most up to it, and audio from
    /// after the seam plays from it on.
    Seam(i64),
    /// Start of a media file: its first instant has this time in microseconds.
    Begin(i64),
    /// The pace from here on.
    Pace(PlayPace),
    /// The position of the next tag in the recording. In a broadcast, it counts from the first
    /// known position.
    Place(Duration),
    /// After a seek in a playlist: the position that is presented first. The next tag can be
    /// earlier.
    Sought(Duration),
    /// The length of a recording in which seeking is possible.
    Length(Duration),
    /// A seek is done. The fields are the position, and the time (`raw`, microseconds) of the
    /// packet that is presented first. `firm` means that its timestamps are trusted.
    Moved {
        raw: i64,
        place: Duration,
        firm: bool,
    },
    /// Seeking is impossible, because the server sends the file only from its beginning.
    Fixed,
    /// A seek failed, with the reason: playback continues as before.
    Unmoved(text::Problem),
    /// The separate audio is missing, with the reason: the video continues.
    AudioMissing(text::Problem),
    /// The separate audio has returned.
    AudioReturned,
    /// The wall-clock time of the next tag by the sender's clock, in microseconds since 1970;
    /// `None` if the stream does not declare it.
    Made(Option<i64>),
    /// The DVR window of a broadcast at the time `seen`: positions as in [`Item::Place`].
    Listed {
        seen: Instant,
        range: WindowRange,
    },
    /// The distance from the next tag to the end of the stream at the time `seen`.
    Edge {
        seen: Instant,
        distance: Duration,
    },
}

impl Item {
    /// The end; seeking back in a recording is still possible.
    pub(crate) const END: Self = Self::Event(StreamEvent::End);
}

/// A request and its options.
#[derive(Clone, Debug)]
pub(crate) struct PullRequest {
    pub url: WebUrl,
    pub net: net::Options,
    /// Buffer duration that the user chose.
    pub buffer: Arc<BufferTarget>,
    /// The DVR window of a playlist, which knows whether the viewer is behind.
    pub dvr_window: Arc<DvrWindow>,
    /// The speed of the decoders.
    pub decode_budget: Arc<DecodeBudget>,
    /// The time limit for opening the stream.
    pub opening: Arc<OpenDeadline>,
    /// True for codecs that the receiver can decode.
    pub decodable: fn(VideoCodec) -> bool,
}

impl PullRequest {
    /// Returns a request of a test, with the usual options.
    #[cfg(test)]
    pub(crate) fn usual(url: WebUrl) -> Self {
        let (buffer, decode_budget, opening) = (Arc::default(), Arc::default(), Arc::default());
        let (net, decodable) = (net::Options::default(), |_| true);
        let dvr_window = Arc::default();
        Self { url, net, buffer, dvr_window, decode_budget, opening, decodable }
    }

    /// Returns the error for a wrong range, which counts as temporary.
    pub(crate) fn other_part(&self) -> net::Error {
        let (stage, cause) = (ConnectStage::Media, Cause::Web(WebProblem::OtherPart));
        net::Error { stage, cause, peer: self.url.endpoint().to_string() }
    }
}
