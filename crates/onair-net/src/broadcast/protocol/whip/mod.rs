//! WHIP (RFC 9725): publishes over WebRTC. One HTTP request carries the offer and its answer. Then
//! ICE finds a path, DTLS secures it, and the media goes in RTP over UDP.
//!
//! `address` knows the addresses, `exchange` the HTTP requests, `media` the formats, and `link` is
//! the connection. The connection itself, which owns the sockets, is `net::webrtc::client`. Audio
//! that is not Opus is encoded once for all targets by `hub::opus`.
//!
//! The estimate of the bandwidth paces the packets. If the link carries less than the stream has,
//! packets wait in the queue, whose size the publisher sees; then the bitrate adapts as for every
//! other protocol.
//!
//! What must never happen: a token that goes to another domain, or without the user being told; a
//! session that stays at the server after its connection; a keyframe for every loss report.

mod address;
mod exchange;
mod link;
mod media;

use std::any::Any;
use std::future::poll_fn;
use std::time::Duration;

use futures_util::future::BoxFuture;
use str0m::change::SdpPendingOffer;
use str0m::format::Codec;
use tokio::time::timeout;

use crate::base::Secret;
use crate::broadcast::hub::sequence_headers::SequenceHeaders;
use crate::broadcast::protocol::address::{
    AddressError, ProtocolAddress, Request, TargetAddress, TargetProtocol,
};
use crate::broadcast::protocol::elementary;
use crate::broadcast::protocol::link::Link;
use crate::broadcast::protocol::whip::address::WhipAddress;
use crate::broadcast::protocol::whip::exchange::Accepted;
use crate::broadcast::protocol::whip::link::{Route, Routes, VideoRoute, WhipLink};
use crate::media::{AudioCodec, BitsPerSecond, Codec as StreamCodec, StreamConfig, VideoCodec};
use crate::net::connect::Options;
use crate::net::webrtc::client::{self, Offered, Peer, PeerEvent};
use crate::net::{Cause, ConnectStage, Error, Step};
use crate::text::problem::problem;
use crate::wire::rtmp::url::authority;
use crate::wire::webrtc::sdp;

/// The bitrate of a stream of unknown bitrate, in bits per second.
const UNKNOWN_BITRATE: u64 = 4_000_000;
/// The first estimate of the link is this many times the bitrate.
const FIRST_ESTIMATE_FACTOR: u64 = 2;
/// The lowest first estimate, in bits per second, so that the first keyframe does not wait.
const MIN_FIRST_ESTIMATE: u64 = 2_000_000;

/// Time limit for ending the session of a failed attempt.
const END_TIMEOUT: Duration = Duration::from_secs(1);
/// Recognizes the event at the end of a stage.
type IsReached = fn(&PeerEvent) -> bool;
/// The stages of the media connection, each with the event at its end.
const WAYS: [(ConnectStage, IsReached); 2] = [
    (ConnectStage::Ice, |event| matches!(event, PeerEvent::Reached)),
    (ConnectStage::Dtls, |event| matches!(event, PeerEvent::Connected)),
];

/// The protocol.
pub(super) struct Whip;

impl TargetProtocol for Whip {
    fn schemes(&self) -> &'static [&'static str] {
        &["whip", "whips", "http", "https"]
    }

    fn needs_key(&self) -> bool {
        true
    }

    fn requires_key(&self) -> bool {
        false
    }

    fn parse(&self, text: &str, key: Option<&Secret>) -> Result<TargetAddress, AddressError> {
        WhipAddress::parse(text, key).map(TargetAddress::new)
    }
}

impl WhipAddress {
    /// Returns the options of the HTTP connection.
    fn options(request: &Request<'_>) -> Options {
        // The address has a port, so the ports to try do not apply.
        Options { ports: Vec::new(), ..request.options.net.clone() }
    }

    async fn open(&self, request: &Request<'_>) -> Result<WhipLink, Error> {
        let options = Self::options(request);
        let config = request.head.map(elementary::config_of).unwrap_or_default();
        let (mut peer, offer, pending) =
            self.offer(request, &options, &config).map_err(|cause| {
                let peer = self.url.endpoint().to_string();
                Error { stage: ConnectStage::Ice, cause, peer }
            })?;
        let Accepted { answer, session, endpoint } =
            exchange::offer(self, &offer, &options, request.on_step).await?;
        let name = endpoint.endpoint().to_string();
        let connected = async {
            let answer = sdp::readable_answer(&answer)
                .ok_or_else(|| Cause::Protocol(problem!("net-whip-answer")));
            let answer = answer.map_err(|cause| (ConnectStage::Request, cause))?;
            peer.accept(pending, answer).map_err(|error| (ConnectStage::Request, error.cause()))?;
            let routes = routes(&peer, &config);
            let routes = routes.map_err(|names| (ConnectStage::Request, Cause::Codecs(names)))?;
            let limit = request.options.handshake_limit;
            for (stage, is_reached) in WAYS {
                (request.on_step)(Step::Stage(stage));
                let reached = timeout(limit, reach(&mut peer, is_reached)).await;
                let reached = reached.unwrap_or(Err(Cause::TimedOut { after: limit }));
                reached.map_err(|cause| (stage, cause))?;
            }
            Ok::<_, (ConnectStage, Cause)>(routes)
        };
        match connected.await {
            Ok(routes) => Ok(WhipLink::new(peer, session, name, request.clock, routes)),
            Err((stage, cause)) => {
                // The next attempt would find the stream taken.
                session.end(END_TIMEOUT).await;
                Err(Error { stage, cause, peer: name })
            }
        }
    }

    /// Makes the offer for a stream.
    fn offer(
        &self,
        request: &Request<'_>,
        options: &Options,
        config: &StreamConfig,
    ) -> Result<(Peer, String, SdpPendingOffer), Cause> {
        let bitrate = request.bitrate.map_or(UNKNOWN_BITRATE, |BitsPerSecond(rate)| rate.into());
        let estimate = (bitrate * FIRST_ESTIMATE_FACTOR).max(MIN_FIRST_ESTIMATE);
        let video = config.video.as_ref().map(|video| video.codec);
        let codec = video.map_or(Some(Codec::H264), media::codec);
        let offered = Offered {
            config: media::offered(client::config(estimate), codec),
            video: config.video.is_some() || config.audio.is_none(),
            audio: config.audio.is_some() || config.video.is_none(),
            layers: request.layers,
            bitrate: estimate,
        };
        let (peer, offer, pending) = Peer::offer(offered, &self.url.endpoint(), options)?;
        Ok((peer, sdp::stereo(&offer), pending))
    }
}

/// Polls a connection until it has reached a state.
async fn reach(peer: &mut Peer, is_reached: IsReached) -> Result<(), Cause> {
    poll_fn(|cx| {
        loop {
            match std::task::ready!(peer.poll(cx, None)) {
                Ok(Some(event)) if is_reached(&event) => return std::task::Poll::Ready(Ok(())),
                Ok(Some(PeerEvent::Closed)) => return std::task::Poll::Ready(Err(Cause::Closed)),
                Ok(_) => {}
                Err(error) => return std::task::Poll::Ready(Err(error.cause())),
            }
        }
    })
    .await
}

/// Returns the routes of the video and the audio, or the names of the codecs that the server does
/// not take.
fn routes(peer: &Peer, config: &StreamConfig) -> Result<Routes, Vec<String>> {
    let mut missing = Vec::new();
    let video = config.video.as_ref().zip(peer.video()).and_then(|(video, (mid, formats))| {
        let route = VideoRoute { mid, formats };
        // If the server does not take the codec of the stream, the stream is encoded as H.264 too.
        let is_taken = [video.codec, VideoCodec::H264].into_iter().any(|codec| route.takes(codec));
        if !is_taken {
            missing.push(StreamCodec::Video(video.codec).name().to_owned());
        }
        is_taken.then_some(route)
    });
    let audio = config.audio.as_ref().zip(peer.audio()).and_then(|(_, (mid, common))| {
        let pt = media::audio_type(&common);
        if pt.is_none() {
            missing.push(StreamCodec::Audio(AudioCodec::Opus).name().to_owned());
        }
        pt.map(|pt| Route { mid, pt })
    });
    if missing.is_empty() { Ok(Routes { video, audio }) } else { Err(missing) }
}

impl ProtocolAddress for WhipAddress {
    fn scheme(&self) -> &'static str {
        self.scheme()
    }

    fn host(&self) -> &str {
        self.url.host()
    }

    fn port(&self) -> u16 {
        self.url.endpoint().port
    }

    fn authority(&self) -> String {
        let port = self.url.explicit_port();
        port.map_or_else(|| bracketed(self.url.host()), |port| authority(self.url.host(), port))
    }

    fn is_secure(&self) -> bool {
        self.url.is_secure()
    }

    fn shown(&self) -> String {
        self.to_string()
    }

    fn has_secret(&self) -> bool {
        self.has_secret()
    }

    fn saved(&self) -> Option<String> {
        Some(self.to_string())
    }

    fn stages(&self) -> &'static [ConnectStage] {
        use ConnectStage::{Dns, Dtls, Ice, Media, Request, Tcp, Tls};
        match self.url.is_secure() {
            true => &[Dns, Tcp, Tls, Request, Ice, Dtls, Media],
            false => &[Dns, Tcp, Request, Ice, Dtls, Media],
        }
    }

    fn refuses_by_closing(&self) -> bool {
        false
    }

    fn has_b_frames(&self) -> bool {
        false
    }

    fn has_layers(&self) -> bool {
        true
    }

    fn uncarried(&self, head: &SequenceHeaders) -> Vec<String> {
        // Every audio that onair decodes becomes Opus.
        elementary::uncarried(head, |codec| match codec {
            StreamCodec::Video(video) => media::codec(*video).is_some(),
            StreamCodec::Audio(_) => true,
        })
    }

    fn connect<'a>(&'a self, request: Request<'a>) -> BoxFuture<'a, Result<Box<dyn Link>, Error>> {
        Box::pin(async move {
            let link = self.open(&request).await?;
            Ok(Box::new(link) as Box<dyn Link>)
        })
    }

    fn check<'a>(&'a self, request: Request<'a>) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(
            async move { exchange::check(self, &Self::options(&request), request.on_step).await },
        )
    }

    fn is_same(&self, other: &dyn ProtocolAddress) -> bool {
        other.as_any().downcast_ref() == Some(self)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// Returns a host as in addresses.
fn bracketed(host: &str) -> String {
    if host.contains(':') { format!("[{host}]") } else { host.to_owned() }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::media::{FrameRate, PixelAspect, Rotation, Size, VideoCodec, VideoConfig};

    /// A config of H.264 with one parameter set of each kind.
    pub fn h264() -> VideoConfig {
        let record: &[u8] =
            b"\x01\x64\0\x28\xff\xe1\0\x04\x67\x64\0\x28\x01\0\x03\x68\xeb\xe3\xfd\xf8\xf8\0";
        VideoConfig {
            codec: VideoCodec::H264,
            size: Size::new(640, 360),
            frame_rate: FrameRate::new(30, 1).unwrap(),
            bitrate: BitsPerSecond(1_000_000),
            codec_config: record.into(),
            pixel_aspect: None::<PixelAspect>,
            rotation: Rotation::default(),
        }
    }

    #[test]
    fn ports_appear_only_if_they_are_not_the_usual_ones() {
        let parse = |text| TargetAddress::parse(text, None).unwrap();
        let url = parse("whips://[::1]/live/a/whip");
        assert_eq!((url.authority(), url.host_and_port()), ("[::1]".into(), "[::1]:443".into()));
        assert_eq!(parse("whip://h:8088/live/a/whip").authority(), "h:8088");
        assert_eq!((url.host(), url.port()), ("::1", 443));
    }
}
