//! The WebRTC connection of a client, which offers media to a server: ICE as the controlling side,
//! DTLS, SRTP, and the estimate of the bandwidth. str0m does the work; this module owns the sockets
//! and the timer, and is polled like a future.
//!
//! Why poll functions and no task: the owner of the connection decides what is sent when, and must
//! see the length of the queue before it passes on more. A task with channels would hide that
//! queue, and packets could not be dropped in it.
//!
//! What must never happen: a datagram that makes str0m panic and ends the program
//! (`panics::contain`); more than one unsent datagram outside of str0m; a datagram from an address
//! that ICE has not checked reaching DTLS, which str0m ensures.

mod restart;
mod sockets;

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use str0m::bwe::{Bitrate, BweKind};
use str0m::change::{SdpAnswer, SdpPendingOffer};
use str0m::format::PayloadParams;
use str0m::media::{
    Direction, MediaKind, MediaTime, Mid, Pt, Rid, Rids, Simulcast, SimulcastLayer,
};
use str0m::net::{Protocol, Receive, Transmit};
use str0m::{Candidate, Event, IceConnectionState, Input, Output, Rtc, RtcConfig};
use tokio::time::Sleep;

use crate::net::connect::bind::Bind;
use crate::net::connect::{Endpoint, Options};
use crate::net::error::{Cause, ProxyProblem};
use crate::net::network_changes;
use crate::net::webrtc::client::sockets::{Restart, Sockets};
use crate::net::webrtc::crypto;
use crate::net::webrtc::panics::contain;
use crate::text::problem::problem;

/// Number of packets that are kept for retransmission, which is several seconds of most streams.
const KEPT_PACKETS: usize = 2_048;
/// Interval between reports about losses.
const STATS_INTERVAL: Duration = Duration::from_secs(1);
/// Maximum size of a datagram.
const MAX_DATAGRAM_BYTES: usize = 2_048;
/// Maximum number of steps of a poll, so that a flood of datagrams does not block a thread.
const MAX_STEPS: usize = 512;
/// While packets wait for the pacer, str0m is asked at least this often.
const QUEUE_CHECK_INTERVAL: Duration = Duration::from_millis(5);
/// Interval between two reports about the audio. Before the first one, the receiver does not know which picture belongs
/// to the audio.
const REPORT_INTERVAL: Duration = Duration::from_secs(1);
/// Maximum number of layers.
pub const MAX_LAYERS: u8 = 3;
/// The id of both tracks' stream, because receivers synchronize tracks with the same id.
const STREAM_ID: &str = "onair";

/// An event of the connection.
#[derive(Copy, Clone, Debug)]
pub enum PeerEvent {
    /// A path to the server works. DTLS follows.
    Reached,
    /// Media can be sent.
    Connected,
    /// The path to the server no longer works.
    Lost,
    /// The server has closed the connection.
    Closed,
    /// The server needs a keyframe of this layer; `None` if there are no layers.
    KeyframeWanted(Option<Rid>),
    /// The estimated bandwidth in bits per second.
    Estimate(u64),
    /// The round-trip time and the fraction of lost packets, if known.
    Report { round_trip: Option<Duration>, loss: Option<f32> },
}

/// The failure of a connection.
#[derive(Debug, thiserror::Error)]
pub enum PeerError {
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The answer, or a later message, cannot be used.
    #[error("{0}")]
    Invalid(String),
}

impl PeerError {
    /// Returns the cause for the user.
    pub fn cause(&self) -> Cause {
        match self {
            Self::Io(error) => Cause::from_io(error),
            Self::Invalid(words) => {
                Cause::Protocol(problem!("net-whip-invalid", reason = words.as_str()))
            }
        }
    }
}

/// The media that a client offers.
#[derive(Debug)]
pub struct Offered {
    /// The codecs.
    pub config: RtcConfig,
    pub video: bool,
    pub audio: bool,
    /// The number of sizes in which the video is sent at once (simulcast, RFC 8853), 1 to
    /// [`MAX_LAYERS`].
    pub layers: u8,
    /// The expected bitrate in bits per second.
    pub bitrate: u64,
}

/// A frame for one of the tracks.
#[derive(Debug)]
pub struct Frame {
    pub mid: Mid,
    /// The layer, if the server takes several.
    pub rid: Option<Rid>,
    pub pt: Pt,
    pub rtp_time: MediaTime,
    /// The time to which `rtp_time` belongs. It is never in the future.
    pub at: Instant,
    pub data: Arc<[u8]>,
}

/// The connection.
pub struct Peer {
    rtc: Rtc,
    sockets: Sockets,
    /// Which sockets to open for another path, with those that only this computer reaches.
    bind: Option<Bind>,
    is_own: bool,
    /// The server's answer.
    answer: String,
    /// A restart of ICE that the server has not answered.
    restart: Option<Restart>,
    /// A datagram for which the system has no room.
    unsent: Option<Transmit>,
    /// Queue of frames that str0m has not taken yet. The owner limits it by its size.
    frames: VecDeque<Frame>,
    frame_bytes: usize,
    /// The number of bytes that wait in str0m.
    paced_bytes: usize,
    /// True if str0m must get the time before it is asked.
    is_changed: bool,
    timer: Pin<Box<Sleep>>,
    buffer: Vec<u8>,
    video: Option<Mid>,
    audio: Option<Mid>,
    /// The layers that the server takes, the largest first; empty without simulcast.
    layers: Vec<Rid>,
    /// The path of the last datagram.
    path: Option<(SocketAddr, SocketAddr)>,
    written: u64,
    /// The value of `written` when the server was last heard, and that time.
    written_when_heard: u64,
    heard_at: Instant,
}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peer").field("path", &self.path).finish_non_exhaustive()
    }
}

/// Returns the part of a config that all connections share. The codecs are missing.
pub fn config(bitrate: u64) -> RtcConfig {
    Rtc::builder()
        .set_crypto_provider(crypto())
        .clear_codecs()
        .set_send_buffer_video(KEPT_PACKETS)
        .set_stats_interval(Some(STATS_INTERVAL))
        .set_rtcp_report_interval_audio(REPORT_INTERVAL)
        .enable_bwe(Some(Bitrate::bps(bitrate)))
}

impl Peer {
    /// Opens the sockets, and makes an offer for a server at this endpoint.
    ///
    /// # Errors
    /// Fails if no socket opens, or if a proxy serves this endpoint.
    pub fn offer(
        offered: Offered,
        endpoint: &Endpoint,
        options: &Options,
    ) -> Result<(Self, String, SdpPendingOffer), Cause> {
        if let Some(proxy) = options.proxy.as_ref().filter(|proxy| proxy.serves(&endpoint.host)) {
            let reason = problem!("net-proxy-no-datagrams");
            return Err(proxy.cause(ProxyProblem::Refused(reason)));
        }
        Self::begin(offered, options.bind.as_ref(), is_own(&endpoint.host))
            .map_err(|error| error.cause())
    }

    fn begin(
        offered: Offered,
        bind: Option<&Bind>,
        loopback: bool,
    ) -> Result<(Self, String, SdpPendingOffer), PeerError> {
        let sockets = Sockets::open(bind, loopback)?;
        let now = Instant::now();
        let mut rtc = offered.config.build(now);
        for address in sockets.addresses() {
            let candidate = Candidate::host(address, "udp").map_err(invalid)?;
            rtc.add_local_candidate(candidate);
        }
        let bitrate = Bitrate::bps(offered.bitrate);
        rtc.bwe().set_bitrate(Bitrate::ZERO, bitrate);
        let mut changes = rtc.sdp_api();
        let mut add = |kind, layers| {
            let stream = Some(STREAM_ID.to_owned());
            changes.add_media(kind, Direction::SendOnly, stream, None, layers)
        };
        let audio = offered.audio.then(|| add(MediaKind::Audio, None));
        let video = offered.video.then(|| add(MediaKind::Video, simulcast(offered.layers)));
        let nothing = || PeerError::Invalid("there is no track".to_owned());
        let (offer, pending) = changes.apply().ok_or_else(nothing)?;
        let peer = Self {
            rtc,
            sockets,
            bind: bind.cloned(),
            is_own: loopback,
            answer: String::new(),
            restart: None,
            unsent: None,
            frames: VecDeque::new(),
            frame_bytes: 0,
            paced_bytes: 0,
            is_changed: true,
            timer: Box::pin(tokio::time::sleep(Duration::ZERO)),
            buffer: vec![0; MAX_DATAGRAM_BYTES],
            video,
            audio,
            layers: Vec::new(),
            path: None,
            written: 0,
            written_when_heard: 0,
            heard_at: now,
        };
        Ok((peer, offer.to_sdp_string(), pending))
    }

    /// Takes the server's answer.
    ///
    /// # Errors
    /// Fails if the answer does not fit the offer.
    pub fn accept(&mut self, pending: SdpPendingOffer, answer: String) -> Result<(), PeerError> {
        let has_layers = answer.lines().any(|line| line.starts_with("a=simulcast:"));
        self.take_answer(pending, &answer)?;
        self.answer = answer;
        self.heard_at = Instant::now();
        let media = self.video.filter(|_| has_layers).and_then(|mid| self.rtc.media(mid));
        let taken: &[Rid] = match media.map(|media| media.rids_tx()) {
            Some(Rids::Specific(taken)) => taken,
            _ => &[],
        };
        self.layers = (0..MAX_LAYERS).map(rid).filter(|rid| taken.contains(rid)).collect();
        Ok(())
    }

    fn take_answer(&mut self, pending: SdpPendingOffer, answer: &str) -> Result<(), PeerError> {
        let answer = SdpAnswer::from_sdp_string(answer).map_err(invalid)?;
        let accepted = contain(|| self.rtc.sdp_api().accept_answer(pending, answer));
        self.is_changed = true;
        accepted.ok_or_else(contradiction)?.map_err(invalid)
    }

    /// Returns the layers that the server takes, the largest first. Empty if it takes one video
    /// without a name.
    pub fn layers(&self) -> &[Rid] {
        &self.layers
    }

    /// Returns the media section of the video, and the codecs that both sides support, the server's
    /// favorite first.
    pub fn video(&self) -> Option<(Mid, Vec<PayloadParams>)> {
        self.video.map(|mid| (mid, self.common(mid)))
    }

    /// Returns the same for the audio.
    pub fn audio(&self) -> Option<(Mid, Vec<PayloadParams>)> {
        self.audio.map(|mid| (mid, self.common(mid)))
    }

    fn common(&self, mid: Mid) -> Vec<PayloadParams> {
        let remote: &[Pt] = match self.rtc.media(mid) {
            Some(media) if media.direction().is_sending() => media.remote_pts(),
            _ => &[],
        };
        let params = self.rtc.codec_config().params();
        let of = |pt: &Pt| params.iter().find(|it| it.pt() == *pt).copied();
        remote.iter().filter_map(of).collect()
    }

    /// Queues a frame.
    pub fn send(&mut self, frame: Frame) {
        self.frame_bytes += frame.data.len();
        self.frames.push_back(frame);
    }

    /// Returns the number of bytes that wait to be passed to the system.
    pub fn queued_bytes(&self) -> usize {
        self.frame_bytes + self.paced_bytes
    }

    /// Drops the frames that str0m has not taken yet.
    pub fn discard_frames(&mut self) {
        self.frames.clear();
        self.frame_bytes = 0;
    }

    /// Returns the number of bytes passed to the system.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Returns the time since the last datagram from the server, and the number of bytes written in
    /// this time.
    pub fn unheard(&self) -> (Duration, u64) {
        (self.heard_at.elapsed(), self.written - self.written_when_heard)
    }

    /// Returns true if the server is on this computer.
    pub fn is_within_machine(&self) -> bool {
        self.path.is_some_and(|(_, to)| to.ip().to_canonical().is_loopback())
    }

    /// Returns true if this computer has a network route to the server, or if that is unknown.
    pub fn has_way(&self) -> bool {
        self.path.is_none_or(|(_, to)| network_changes::leads_to(to.ip()))
    }

    /// Returns true if the local address of the connection still exists on this computer, or if
    /// that is unknown.
    pub fn is_local_there(&self) -> bool {
        self.path.is_none_or(|(from, _)| Sockets::is_there(from))
    }

    /// Sends and receives until there is an event. Returns `None` when at most `room` bytes are
    /// queued.
    ///
    /// # Errors
    /// After an error, the connection cannot be used any more.
    pub fn poll(
        &mut self,
        cx: &mut Context<'_>,
        room: Option<usize>,
    ) -> Poll<Result<Option<PeerEvent>, PeerError>> {
        for _ in 0..MAX_STEPS {
            if let Some(unsent) = &self.unsent {
                let path = (unsent.source, unsent.destination);
                if self.sockets.poll_send(cx, path, &unsent.contents).is_pending() {
                    return Poll::Pending;
                }
                self.written += unsent.contents.len() as u64;
                self.path = Some(path);
                self.unsent = None;
            }
            if std::mem::take(&mut self.is_changed) {
                let input = Input::Timeout(Instant::now());
                contain(|| self.rtc.handle_input(input))
                    .ok_or_else(contradiction)?
                    .map_err(invalid)?;
            }
            let output = contain(|| self.rtc.poll_output()).ok_or_else(contradiction)?;
            let until = match output.map_err(invalid)? {
                Output::Transmit(transmit) => {
                    // The sockets speak UDP only.
                    self.unsent = Some(transmit).filter(|it| it.proto == Protocol::Udp);
                    continue;
                }
                Output::Event(event) => match meaning(event) {
                    Some(event) => return Poll::Ready(Ok(Some(event))),
                    None => continue,
                },
                Output::Timeout(until) => until,
            };
            self.measure_queue();
            if room.is_some_and(|room| self.queued_bytes() <= room) {
                return Poll::Ready(Ok(None));
            }
            if self.next_frame()? || self.poll_receive(cx)? {
                continue;
            }
            let until = match self.paced_bytes {
                0 => until,
                _ => until.min(Instant::now() + QUEUE_CHECK_INTERVAL),
            };
            self.timer.as_mut().reset(until.into());
            if self.timer.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            self.is_changed = true;
        }
        // Others may continue first.
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Passes the next frame to str0m, which takes one after the other. Returns false if there is
    /// none.
    fn next_frame(&mut self) -> Result<bool, PeerError> {
        let Some(frame) = self.frames.pop_front() else { return Ok(false) };
        self.frame_bytes -= frame.data.len();
        let Frame { mid, rid, pt, rtp_time, at, data } = frame;
        let written = contain(|| match (self.rtc.writer(mid), rid) {
            (Some(writer), Some(rid)) => writer.rid(rid).write(pt, at, rtp_time, data),
            (Some(writer), None) => writer.write(pt, at, rtp_time, data),
            (None, _) => Ok(()),
        });
        written.ok_or_else(contradiction)?.map_err(invalid)?;
        self.is_changed = true;
        Ok(true)
    }

    /// Takes a datagram. Returns false if there is none.
    fn poll_receive(&mut self, cx: &mut Context<'_>) -> Result<bool, PeerError> {
        let mut buffer = std::mem::take(&mut self.buffer);
        let received = self.sockets.poll_receive(cx, &mut buffer);
        let result = match received {
            Poll::Ready((length, local, from)) => {
                let datagram = buffer.get(..length).unwrap_or_default();
                self.received(datagram, (local, from)).map(|()| true)
            }
            Poll::Pending => Ok(false),
        };
        self.buffer = buffer;
        result
    }

    fn received(
        &mut self,
        datagram: &[u8],
        (local, from): (SocketAddr, SocketAddr),
    ) -> Result<(), PeerError> {
        let now = Instant::now();
        // Anybody can send something unreadable.
        let Ok(receive) = Receive::new(Protocol::Udp, from, local, datagram) else {
            return Ok(());
        };
        let input = Input::Receive(now, receive);
        if !self.rtc.accepts(&input) {
            return Ok(());
        }
        if self.path.is_none_or(|(_, to)| to == from) {
            (self.heard_at, self.written_when_heard) = (now, self.written);
        }
        match contain(|| self.rtc.handle_input(input)).ok_or_else(contradiction)? {
            Ok(()) => {}
            Err(error) => tracing::debug!(%from, %error, "invalid datagram"),
        }
        Ok(())
    }

    fn measure_queue(&mut self) {
        let Some(mid) = self.video.or(self.audio) else { return };
        let mut direct = self.rtc.direct_api();
        let mut bytes = |rid| {
            let stream = direct.stream_tx_by_mid(mid, rid);
            stream.and_then(|it| it.queue_info()).map_or(0, |it| it.byte_size())
        };
        self.paced_bytes = match &self.layers[..] {
            [] => bytes(None),
            layers => layers.iter().map(|rid| bytes(Some(*rid))).sum(),
        };
    }

    /// Informs the server of the end, as far as the system takes the datagrams at once.
    pub fn close(&mut self) {
        let closed = contain(|| {
            self.rtc.close()?;
            while let Output::Transmit(transmit) = self.rtc.poll_output()? {
                let path = (transmit.source, transmit.destination);
                self.sockets.send_now(path, &transmit.contents);
            }
            Ok::<(), str0m::RtcError>(())
        });
        tracing::debug!(?closed, "closed a WebRTC connection");
    }
}

/// Returns true for a host that is this computer by its name or address.
fn is_own(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|it| it.to_canonical().is_loopback())
}

/// Returns the name of a layer; 0 is the largest one. These are the names that OBS uses.
fn rid(number: u8) -> Rid {
    Rid::from(number.to_string().as_str())
}

/// Returns the layers of an offer, if there are several.
fn simulcast(layers: u8) -> Option<Simulcast> {
    let count = layers.min(MAX_LAYERS);
    let mut all = Simulcast::new();
    (0..count).for_each(|number| all.add_send_layer(SimulcastLayer::new(&rid(number))));
    (count > 1).then_some(all)
}

fn invalid(error: impl fmt::Display) -> PeerError {
    PeerError::Invalid(error.to_string())
}

fn contradiction() -> PeerError {
    PeerError::Invalid("a message contradicts itself".to_owned())
}

/// Returns what an event of str0m means here.
fn meaning(event: Event) -> Option<PeerEvent> {
    Some(match event {
        Event::IceConnectionStateChange(state) => match state {
            IceConnectionState::Connected | IceConnectionState::Completed => PeerEvent::Reached,
            IceConnectionState::Disconnected => PeerEvent::Lost,
            _ => return None,
        },
        Event::Connected => PeerEvent::Connected,
        Event::Closed => PeerEvent::Closed,
        Event::KeyframeRequest(request) => PeerEvent::KeyframeWanted(request.rid),
        Event::EgressBitrateEstimate(BweKind::Twcc { estimate, can_probe: true }) => {
            PeerEvent::Estimate(estimate.as_u64())
        }
        Event::PeerStats(stats) => {
            PeerEvent::Report { round_trip: stats.rtt, loss: stats.egress_loss_fraction }
        }
        _ => return None,
    })
}
