//! A connection to a WHIP server: its frames, the state of the link, and its end.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use str0m::media::{Frequency, MediaTime, Mid, Pt};
use tokio::time::timeout;

use crate::base::{Clock, Timestamp};
use crate::broadcast::hub::opus::SharedOpus;
use crate::broadcast::hub::shared_packet::SharedPacket;
use crate::broadcast::protocol::elementary::{Contents, Elementary};
use crate::broadcast::protocol::link::{Link, LinkEvent, LinkReading, StreamStart};
use crate::broadcast::protocol::whip::exchange::Session;
use crate::broadcast::protocol::whip::media::FrameWriter;
use crate::media::{EncodedPacket, Track};
use crate::net::webrtc::client::{Frame, Peer, PeerEvent};
use crate::net::{Cause, ConnectStage, Error};
use crate::text::problem::problem;

/// The time of RTP at the first packet, so that no time is negative.
const RTP_BEGIN_MICROS: i64 = 10_000_000;
/// Minimum interval between two requests for a keyframe, which all targets pay for.
const MIN_KEYFRAME_INTERVAL: Duration = Duration::from_millis(500);
/// Servers report what they received at least this often.
const REPORT_INTERVAL: Duration = Duration::from_millis(1_500);

/// The media section and the payload type of a track.
#[derive(Copy, Clone, Debug)]
pub(super) struct Route {
    pub mid: Mid,
    pub pt: Pt,
}

/// The connection.
#[derive(Debug)]
pub(super) struct WhipLink {
    peer: Peer,
    session: Session,
    /// The server as `host:port`.
    name: String,
    clock: Clock,
    video: Option<Route>,
    audio: Option<Route>,
    stream: Elementary,
    writer: Option<FrameWriter>,
    opus: Option<Arc<SharedOpus>>,
    /// The reason why the connection must end.
    fault: Option<Cause>,
    last_keyframe_request: Option<Instant>,
    round_trip: Option<Duration>,
    loss: Option<f32>,
    estimate: Option<u64>,
}

impl WhipLink {
    pub fn new(
        peer: Peer,
        session: Session,
        name: String,
        clock: Clock,
        (video, audio): (Option<Route>, Option<Route>),
    ) -> Self {
        Self {
            peer,
            session,
            name,
            clock,
            video,
            audio,
            stream: Elementary::default(),
            writer: None,
            opus: None,
            fault: None,
            last_keyframe_request: None,
            round_trip: None,
            loss: None,
            estimate: None,
        }
    }

    fn error(&self, cause: Cause) -> Error {
        Error { stage: ConnectStage::Media, cause, peer: self.name.clone() }
    }

    /// Queues a frame with this presentation time.
    fn queue(
        &mut self,
        route: Route,
        rate: Frequency,
        (pts, origin): (Timestamp, Timestamp),
        data: Arc<[u8]>,
    ) {
        let micros = pts.micros_since(origin).saturating_add(RTP_BEGIN_MICROS).max(0);
        let ticks = u128::from(micros.unsigned_abs()) * u128::from(rate.get()) / 1_000_000;
        let rtp_time = MediaTime::new(u64::try_from(ticks).unwrap_or(0), rate);
        // Sender reports relate the times of both tracks, and cannot do so for the future.
        let at = self.clock.instant(pts).min(Instant::now());
        let Route { mid, pt } = route;
        self.peer.send(Frame { mid, pt, rtp_time, at, data });
    }

    fn send_video(&mut self, packet: &SharedPacket, origin: Timestamp, data: &[u8]) {
        let Some(route) = self.video else { return };
        if packet.pts != packet.dts {
            // RTP has no decoding times, and browsers show frames as they arrive.
            self.fault = Some(Cause::ReorderedFrames);
            return;
        }
        let Some(config) = &self.stream.config.video else { return };
        if self.writer.as_ref().is_none_or(|writer| writer.config != *config) {
            self.writer = FrameWriter::new(config);
        }
        let frame = self.writer.as_ref().and_then(|it| it.frame(data, packet.keyframe));
        if let Some(frame) = frame {
            self.queue(route, Frequency::NINETY_KHZ, (packet.pts, origin), frame);
        }
    }

    fn send_audio(&mut self, packet: &SharedPacket, origin: Timestamp, data: bytes::Bytes) {
        let (Some(route), Some(opus)) = (self.audio, self.opus.clone()) else { return };
        let Some(config) = &self.stream.config.audio else { return };
        let times = (packet.dts, packet.pts);
        let elementary = EncodedPacket::received(Track::Audio, times, true, data);
        match opus.of(config, &elementary) {
            Ok(encoded) => {
                for (pts, data) in encoded.iter() {
                    let data = Arc::from(&data[..]);
                    self.queue(route, Frequency::FORTY_EIGHT_KHZ, (*pts, origin), data);
                }
            }
            Err(why) => self.fault = Some(Cause::Protocol(problem!("net-whip-opus", reason = why))),
        }
    }

    /// Returns what an event means for the publisher.
    fn event(&mut self, event: PeerEvent) -> Result<Option<LinkEvent>, Cause> {
        match event {
            PeerEvent::KeyframeWanted => {
                let now = Instant::now();
                let is_soon = |last: Instant| now.duration_since(last) < MIN_KEYFRAME_INTERVAL;
                if self.last_keyframe_request.is_some_and(is_soon) {
                    return Ok(None);
                }
                self.last_keyframe_request = Some(now);
                return Ok(Some(LinkEvent::KeyframeWanted));
            }
            PeerEvent::Report { round_trip, loss } => {
                self.round_trip = round_trip.or(self.round_trip);
                self.loss = loss.or(self.loss);
            }
            PeerEvent::Estimate(rate) => self.estimate = Some(rate),
            PeerEvent::Lost => {
                let (after, _) = self.peer.unheard();
                return Err(Cause::NoProgress { after });
            }
            PeerEvent::Closed => return Err(Cause::Closed),
            PeerEvent::Reached | PeerEvent::Connected => {}
        }
        Ok(None)
    }
}

impl Link for WhipLink {
    fn peer(&self) -> &str {
        &self.name
    }

    fn begin(&mut self, start: &StreamStart<'_>) {
        self.stream.begin(start);
        self.opus = Some(Arc::clone(start.opus));
    }

    fn send(&mut self, packet: &SharedPacket, origin: Timestamp) {
        let Contents { data, .. } = self.stream.take(packet);
        let Some(data) = data else { return };
        match packet.track {
            Track::Video => self.send_video(packet, origin, &data),
            Track::Audio => self.send_audio(packet, origin, data),
            // These tracks are for recordings; subscriptions of publishers do not have them.
            Track::Extra(_) | Track::Rendition(_) => {}
        }
    }

    fn queued_bytes(&self) -> usize {
        self.peer.queued_bytes()
    }

    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        room: Option<usize>,
    ) -> Poll<Result<LinkEvent, Error>> {
        if let Some(cause) = self.fault.take() {
            return Poll::Ready(Err(self.error(cause)));
        }
        loop {
            match ready!(self.peer.poll(cx, room)) {
                Ok(None) => return Poll::Ready(Ok(LinkEvent::Room)),
                Ok(Some(event)) => match self.event(event) {
                    Ok(Some(event)) => return Poll::Ready(Ok(event)),
                    Ok(None) => {}
                    Err(cause) => return Poll::Ready(Err(self.error(cause))),
                },
                Err(error) => return Poll::Ready(Err(self.error(error.cause()))),
            }
        }
    }

    fn reading(&self) -> LinkReading {
        let (unheard, since) = self.peer.unheard();
        // Between two reports, everything counts as accepted.
        let unaccepted = if unheard < REPORT_INTERVAL { 0 } else { since };
        LinkReading {
            written: self.peer.written(),
            unaccepted,
            queued: self.peer.queued_bytes() as u64,
            since_ack: Some(unheard),
        }
    }

    fn round_trip(&self) -> Option<Duration> {
        self.round_trip
    }

    fn has_way(&self) -> bool {
        self.peer.has_way()
    }

    fn is_local_there(&self) -> bool {
        self.peer.is_local_there()
    }

    fn is_within_machine(&self) -> bool {
        self.peer.is_within_machine()
    }

    fn discard_queued_media(&mut self) {
        self.peer.discard_frames();
    }

    fn close(mut self: Box<Self>, limit: Duration) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            let ends = tokio::time::Instant::now() + limit;
            // After an error, the rest is lost.
            let sent = poll_fn(|cx| {
                loop {
                    match ready!(self.peer.poll(cx, Some(0))) {
                        Ok(Some(_)) => {}
                        Ok(None) | Err(_) => return Poll::Ready(()),
                    }
                }
            });
            let _ = timeout(limit / 2, sent).await;
            self.peer.close();
            let left = ends.saturating_duration_since(tokio::time::Instant::now());
            self.session.end(left).await;
        })
    }
}
