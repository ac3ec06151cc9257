//! Events of the server, and the state of its streams.

pub(crate) mod log;
pub(crate) mod relay;
mod repeats;
pub(crate) mod reporter;
pub(crate) mod viewer_counts;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use crate::base::named;
use crate::files::Trouble;
use crate::files::disk_space::Warning;
use crate::media::{PixelAspect, Size};
use crate::server::event::relay::RelayChange;
pub use crate::server::fault::TriggeredFault;
use crate::text::problem::{Problem, problem};

/// An event of the server. The names are those of the JSON events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A publisher has started.
    Publish(Peer),
    /// A publisher has ended.
    Unpublish(Peer, Ended),
    /// A viewer has joined.
    Join(Peer),
    /// A viewer has left.
    Leave(Peer, Ended),
    /// A client was refused.
    Refused(Refusal),
    /// A callback was answered, or failed.
    Callback(CallbackAnswer),
    /// A requested fault has struck.
    Fault(TriggeredFault),
    /// A publication is being recorded.
    Recording(Recording),
    /// A warning about the disk of a recording.
    Disk(Warning),
    /// A recording cannot be created now; the server tries again.
    Held(PathBuf, Trouble),
    /// A rendition of a stream has started or ended, or was refused.
    Rendition(RenditionChange),
    /// The state of a relay has changed.
    Relay(RelayChange),
    /// Something is unusual about a publisher's stream. Reported once for each cause.
    Unusual(UnusualStream),
    /// Clients are asked to move to this address.
    Drain { successor: Option<String> },
}

/// Something unusual about a publisher's stream, which the server corrects if possible.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnusualStream {
    pub app: String,
    pub stream: String,
    /// The cause as one word.
    pub cause: &'static str,
    /// The text for the user.
    pub reason: Problem,
}

/// A refused client, without its key or token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub address: IpAddr,
    /// The protocol of a publisher or viewer. `None` for other requests.
    pub protocol: Option<Protocol>,
    /// The refused action: `connect`, `publish`, `play` or `operate`.
    pub action: &'static str,
    /// The names as the client sent them, without the server's own secrets. Empty if the action has none.
    pub app: String,
    pub stream: String,
    /// The cause as one word.
    pub cause: &'static str,
    /// The reason for the user.
    pub reason: Problem,
    /// Number of refusals of this client since its last event.
    pub times: u64,
}

/// The reason why there is no room for a viewer.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum NoRoom {
    /// The server has too many viewers, or too many wait for a publisher.
    Server,
    /// The stream has this many viewers, and may not have more.
    Stream(usize),
    /// The stream has too many viewers from the client's address.
    Address,
}

impl NoRoom {
    pub fn problem(self) -> Problem {
        match self {
            Self::Server => problem!("denied-too-many-viewers"),
            Self::Stream(most) => problem!("denied-stream-full", most = most),
            Self::Address => problem!("denied-address-full"),
        }
    }
}

impl Refusal {
    /// Returns the refusal of a client that has not named a stream.
    pub(crate) fn early(
        address: IpAddr,
        action: &'static str,
        (cause, reason): (&'static str, Problem),
    ) -> Self {
        Self {
            address: address.to_canonical(),
            protocol: None,
            action,
            app: String::new(),
            stream: String::new(),
            cause,
            reason,
            times: 1,
        }
    }

    /// Returns the refusal of a connection for which the server has no room.
    pub(crate) fn of_connection(address: IpAddr) -> Self {
        let why = problem!("denied-too-many-connections");
        Self::early(address, "connect", ("too-many-connections", why))
    }

    /// Returns the refusal of a viewer for whom there is no room.
    pub(crate) fn of_viewer(
        (address, protocol): (IpAddr, Option<Protocol>),
        (app, stream): (&str, &str),
        why: NoRoom,
    ) -> Self {
        let why = ("too-many-viewers", why.problem());
        let (app, stream) = (app.to_owned(), stream.to_owned());
        Self { protocol, app, stream, ..Self::early(address, "play", why) }
    }
}

/// The answer of a callback's receiver, or the reason why there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallbackAnswer {
    /// The callback, such as `on_publish`.
    pub callback: &'static str,
    /// Host and port of the receiver.
    pub host: String,
    /// The client, as in its other events.
    pub id: u64,
    /// The names of the stream, without the server's own secrets. `stream` is empty for `on_connect`.
    pub app: String,
    pub stream: String,
    pub result: CallbackResult,
    /// The HTTP status of the answer.
    pub status: Option<u16>,
    /// If the callback failed: the cause as one word, and the reason for the user.
    pub cause: Option<&'static str>,
    pub reason: Option<Problem>,
    /// The time from the callback to the answer or the failure.
    pub took: Duration,
    /// Number of equal answers since the last event about them.
    pub times: u64,
}

impl CallbackAnswer {
    /// Returns true if the server sent a request, and got no answer.
    pub(crate) fn is_failed_request(&self) -> bool {
        matches!(self.cause, Some(RECEIVER_UNREACHABLE | NO_ANSWER_CAUSE))
    }
}

/// The causes of failed requests to the receivers of callbacks.
pub(crate) const RECEIVER_UNREACHABLE: &str = "unreachable";
pub(crate) const NO_ANSWER_CAUSE: &str = "no-answer";

named! {
    /// The result of a callback.
    #[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
    pub enum CallbackResult {
        Accepted = "accepted",
        /// The receiver accepts the client under another name.
        Renamed = "renamed",
        Refused = "refused",
        Failed = "failed",
    }
    /// Returns the name in JSON events.
    fn name;
}

/// The recording of a publication.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recording {
    pub app: String,
    pub stream: String,
    pub path: PathBuf,
    pub state: RecordingState,
    pub after: Duration,
    pub bytes: u64,
    /// The reason for the user.
    pub reason: Option<Problem>,
}

named! {
    /// The state of a recording.
    #[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
    pub enum RecordingState {
        Writing = "writing",
        Finished = "finished",
        Failed = "failed",
        /// A recording is no longer on the disk.
        Deleted = "deleted",
    }
    /// Returns the name in JSON events.
    fn name;
}

/// The start or end of a rendition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenditionChange {
    pub app: String,
    pub stream: String,
    /// The name of the rendition, such as `720p`.
    pub rendition: String,
    pub state: RenditionState,
    /// If the rendition was refused, or ended before its viewers left: the cause as one word.
    pub cause: Option<&'static str>,
    /// The cause of the refusal or of the early end, as a text for the user.
    pub reason: Option<Problem>,
}

named! {
    /// The state of a rendition.
    #[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
    pub enum RenditionState {
        Started = "started",
        Ended = "ended",
        Refused = "refused",
    }
    /// Returns the name in JSON events.
    fn name;
}

/// A client and its stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    pub app: String,
    pub stream: String,
    pub address: SocketAddr,
    /// Id of the connection, or of a viewer without a connection; unique in a run.
    pub id: u64,
    /// The protocol of the connection.
    pub protocol: Protocol,
}

named! {
    /// The protocol of a publisher or viewer.
    #[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub enum Protocol {
        Rtmp = "rtmp",
        HttpFlv = "http-flv",
        WsFlv = "ws-flv",
        Hls = "hls",
        Dash = "dash",
        Whep = "whep",
        Whip = "whip",
        Srt = "srt",
    }
    /// Returns the name in JSON events.
    fn name;
}

impl Protocol {
    /// The protocols of viewers.
    pub(crate) const OF_VIEWERS: [Self; 7] =
        [Self::Rtmp, Self::HttpFlv, Self::WsFlv, Self::Hls, Self::Dash, Self::Whep, Self::Srt];
}

/// The end of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// The reason for the user.
    pub reason: Problem,
    pub after: Duration,
    /// Number of bytes received from a publisher, or sent to a viewer.
    pub bytes: u64,
}

/// The current figures of one stream.
#[derive(Clone, Debug, PartialEq)]
pub struct StreamFigures {
    pub app: String,
    pub stream: String,
    /// The publisher, or `None` while viewers wait for one.
    pub publisher: Option<PublisherFigures>,
    /// Number of viewers of all protocols.
    pub viewers: usize,
    /// Number of HLS viewers among them.
    pub hls_viewers: usize,
    /// Number of WHEP viewers among them.
    pub whep_viewers: usize,
    /// All viewers by their protocols.
    pub protocols: BTreeMap<Protocol, usize>,
}

/// The current publisher of a stream.
#[derive(Clone, Debug, PartialEq)]
pub struct PublisherFigures {
    pub id: u64,
    pub protocol: Protocol,
    pub address: SocketAddr,
    pub since: Duration,
    pub bytes: u64,
    /// The state of the link, if the protocol reports it.
    pub link: LinkFigures,
    /// Width and height of the sizes in which the publisher sends its picture at once, the largest first; empty if it
    /// sends one. Viewers get the largest.
    pub layers: Vec<(u32, u32)>,
    /// Bitrate over the last whole second, in bits per second. It is 0 while the publisher is silent.
    pub bitrate: u64,
    /// The encoder's own name, as the publisher sends it.
    pub encoder: Option<String>,
    pub stalls: Stalls,
    /// Codec, such as "H.264", with width, height and frame rate if known.
    pub video: Option<VideoFigures>,
    /// Codec, such as "AAC", with rate and channels if known.
    pub audio: Option<AudioFigures>,
}

/// The state of a publisher's link.
#[derive(Copy, Clone, Debug, Default, PartialEq)]
pub struct LinkFigures {
    /// The lost part of the packets in the last report, from 0 to 1.
    pub loss: Option<f32>,
    /// The time of a round trip.
    pub rtt: Option<Duration>,
}

/// Statistics of the times when a publisher sent nothing for a second or more.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Stalls {
    pub count: u64,
    pub longest: Duration,
}

/// The figures of a viewer, for the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ViewerFigures {
    pub id: u64,
    pub app: String,
    pub stream: String,
    pub protocol: Protocol,
    pub address: SocketAddr,
    pub since: Duration,
    /// Number of bytes sent to the viewer.
    pub bytes: u64,
}

/// The known properties of the video.
#[derive(Clone, Debug, PartialEq)]
pub struct VideoFigures {
    pub codec: String,
    /// The profile of H.264.
    pub profile: Option<&'static str>,
    pub size: Option<(u32, u32)>,
    /// The aspect of the pixels, if it is known and they are not square.
    pub pixel_aspect: Option<PixelAspect>,
    pub fps: Option<f64>,
}

impl VideoFigures {
    /// Returns the size of the displayed frames, if known.
    pub(crate) fn displayed_size(&self) -> Option<Size> {
        let size = self.size.map(|(width, height)| Size::new(width, height))?;
        Some(self.pixel_aspect.map_or(size, |aspect| aspect.stretched(size)))
    }
}

/// The known properties of the audio.
#[derive(Clone, Debug, PartialEq)]
pub struct AudioFigures {
    pub codec: String,
    pub sample_rate: Option<u32>,
    pub channels: Option<u16>,
}
