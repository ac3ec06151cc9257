//! One connection to a target. This file and `address` are in a circle because an address opens a
//! link, and a link can name the next address.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::BoxFuture;

use crate::base::Timestamp;
use crate::broadcast::hub::opus::SharedOpus;
use crate::broadcast::hub::sequence_headers::SequenceHeaders;
use crate::broadcast::hub::shared_packet::SharedPacket;
use crate::broadcast::protocol::address::TargetAddress;
use crate::broadcast::recorder::ExtraAudioTrack;
use crate::media::{BitsPerSecond, ExtraRendition, Rendition, VideoConfig};
use crate::net::Error;
use crate::wire::rtmp::status::Status;

/// The options and time limits of connections, whatever their protocol is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Limits, routes and trust of the connection.
    pub net: crate::net::Options,
    /// Time limit of the protocol's handshake.
    pub handshake_limit: Duration,
    /// Time limit of the requests after the handshake.
    pub command_limit: Duration,
}

impl Default for Options {
    fn default() -> Self {
        let limit = Duration::from_secs(10);
        Self { net: crate::net::Options::default(), handshake_limit: limit, command_limit: limit }
    }
}

/// The server's support for the codecs of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CodecSupport {
    /// The server announced every codec of the stream, or every server supports these codecs.
    All,
    /// The server did not announce support for these codecs.
    Unannounced(Vec<String>),
    /// The server announced its codecs, and these codecs are not among them.
    Missing(Vec<String>),
}

/// The beginning of a stream on a connection.
#[derive(Debug)]
pub struct StreamStart<'a> {
    /// The headers of the stream.
    pub head: &'a SequenceHeaders,
    /// Encodes the audio for protocols that carry no AAC.
    pub opus: &'a Arc<SharedOpus>,
    /// The first packet, if it is known.
    pub first: Option<&'a SharedPacket>,
    /// The rendition that comes first, if it is known.
    pub rendition: Option<Arc<Rendition>>,
    /// The time of the stream, in milliseconds: the time of the last packet of the previous
    /// connection.
    pub time_ms: u32,
    /// The extra audio tracks; empty unless the link [takes them](Link::takes_extra_tracks).
    pub extras: &'a [ExtraAudioTrack],
    /// The further renditions, each with the config of its first frames; empty unless the link
    /// [takes extra tracks](Link::takes_extra_tracks).
    pub renditions: &'a [SentRendition],
}

/// A further rendition of a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentRendition {
    pub track: ExtraRendition,
    /// The config of its first frames.
    pub video: VideoConfig,
}

/// A reading of a connection's counters.
#[derive(Copy, Clone, Debug, Default)]
pub struct LinkReading {
    /// The number of bytes passed to the system since the beginning.
    pub written: u64,
    /// The number of written bytes that the server has not accepted.
    pub unaccepted: u64,
    /// The number of bytes that wait to be passed to the system.
    pub queued: u64,
    /// The time since the server last accepted data, if the system reports it.
    pub since_ack: Option<Duration>,
}

/// The counters of a connection that notices what the network loses, since its beginning.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct LinkQuality {
    /// The number of packets sent for the first time.
    pub packets: u64,
    /// Those of them that the other side missed.
    pub missed_packets: u64,
    /// The number of bytes that were sent again.
    pub repeated_bytes: u64,
    /// The number of packets that did not arrive in time.
    pub given_up_packets: u64,
}

/// An event of a connection.
#[derive(Debug)]
pub enum LinkEvent {
    /// At most the given number of bytes are unsent.
    Room,
    /// The server needs a keyframe of this layer; 0 is the stream itself.
    KeyframeWanted { layer: u8 },
    /// A message from the server for the user.
    Message(Status),
    /// The server asks for a connection to another address. The redirect is for the user.
    Elsewhere { to: TargetAddress, redirect: Option<Redirect> },
}

/// A redirect of the stream to another host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redirect {
    /// The new address, without a key.
    pub to: String,
    /// True if the other host gets the user and the password.
    pub with_password: bool,
}

/// One connection that may send media. Dropping the value closes the connection at once.
pub trait Link: Send {
    /// Returns the server as `host:port`.
    fn peer(&self) -> &str;

    /// Returns true if the connection can have extra audio tracks and further renditions.
    fn takes_extra_tracks(&self) -> bool {
        false
    }

    /// Returns the number of sizes in which the server takes the video at once, at least 1.
    fn layers(&self) -> u8 {
        1
    }

    /// Queues a frame of a smaller layer, below [`layers`](Self::layers). The layers have the
    /// codec of the stream, and `origin` is that of [`send`](Self::send).
    fn send_layer(&mut self, _layer: u8, _packet: &SharedPacket, _origin: Timestamp) {}

    /// Looks for another path to the server, because the present one has failed. Returns false if
    /// the connection must end.
    fn finds_another_path(&mut self) -> bool {
        false
    }

    /// Returns the server's support for the codecs of the stream.
    fn codecs(&self, _head: &SequenceHeaders) -> CodecSupport {
        CodecSupport::All
    }

    /// Queues the headers of the stream, before its first packet.
    fn begin(&mut self, start: &StreamStart<'_>);

    /// Queues a packet, without waiting. `origin` is the DTS of the stream's first packet, over all
    /// connections.
    fn send(&mut self, packet: &SharedPacket, origin: Timestamp);

    /// Returns the number of bytes that wait to be passed to the system.
    fn queued_bytes(&self) -> usize;

    /// Sends and receives until there is an event. Reports room for more data once at most `room`
    /// bytes are unsent. After an error, the connection has ended.
    ///
    /// # Errors
    /// Fails with the server's message, if any.
    fn poll(&mut self, cx: &mut Context<'_>, room: Option<usize>)
    -> Poll<Result<LinkEvent, Error>>;

    /// Returns the counters of the connection.
    fn reading(&self) -> LinkReading;

    /// Returns the round-trip time, if known.
    fn round_trip(&self) -> Option<Duration>;

    /// Returns the losses on the way, if the protocol notices them.
    fn quality(&self) -> Option<LinkQuality> {
        None
    }

    /// Returns true if this computer has a network route to the server, or if that is unknown.
    fn has_way(&self) -> bool;

    /// Returns true if the local address of the connection still exists on this computer, or if
    /// that is unknown.
    fn is_local_there(&self) -> bool;

    /// Returns true if the server is on this computer.
    fn is_within_machine(&self) -> bool;

    /// Sets the time for which the system retransmits before it gives up the connection.
    fn set_user_timeout(&self, _limit: Duration) {}

    /// Sets the measured bandwidth, which is the bottleneck.
    fn set_link_rate(&mut self, _rate: BitsPerSecond) {}

    /// Returns the time limit for sending the backlog at a stop, if it is not the usual one.
    fn drain_limit(&self) -> Option<Duration> {
        None
    }

    /// Drops the queued media that has not begun to be sent.
    fn discard_queued_media(&mut self);

    /// Sends the queued data, and ends the stream and the connection properly within `limit`.
    fn close(self: Box<Self>, limit: Duration) -> BoxFuture<'static, ()>;
}

/// Converts a DTS to the time of the stream in 32 bits: milliseconds since the first packet, with
/// wrap-around.
pub(in crate::broadcast) fn time_ms(origin: Timestamp, dts: Timestamp) -> u32 {
    let millis = dts.micros_since(origin).max(0) / 1_000;
    (millis & i64::from(u32::MAX)) as u32
}
