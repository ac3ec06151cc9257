//! A connection to a WHIP server: its frames, the state of the link, and its end.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use str0m::format::PayloadParams;
use str0m::media::{Frequency, MediaTime, Mid, Pt, Rid};
use tokio::time::timeout;

use crate::base::{Clock, Timestamp};
use crate::broadcast::hub::opus::SharedOpus;
use crate::broadcast::hub::sequence_headers::SequenceHeaders;
use crate::broadcast::hub::shared_packet::SharedPacket;
use crate::broadcast::protocol::elementary::{Contents, Elementary, config_of};
use crate::broadcast::protocol::link::{CodecSupport, Link, LinkEvent, LinkReading, StreamStart};
use crate::broadcast::protocol::whip::exchange::Session;
use crate::broadcast::protocol::whip::media::{self, FrameWriter};
use crate::media::{Codec as StreamCodec, EncodedPacket, Track, VideoCodec, VideoConfig};
use crate::net::webrtc::client::{Frame, MAX_LAYERS, Peer, PeerEvent};
use crate::net::{Cause, ConnectStage, Error};
use crate::text::problem::problem;

/// The time of RTP at the first packet, so that no time is negative.
const RTP_BEGIN_MICROS: i64 = 10_000_000;
/// Minimum interval between two requests for a keyframe, which all targets pay for.
const MIN_KEYFRAME_INTERVAL: Duration = Duration::from_millis(500);
/// Servers report what they received at least this often.
const REPORT_INTERVAL: Duration = Duration::from_millis(1_500);

/// After this time without a sign of the server, another path is looked for. The publisher waits
/// longer before it gives the connection up, and a restart takes a few round trips.
const RESTART_AFTER: Duration = Duration::from_millis(2_500);
/// Minimum interval between two restarts.
const RESTART_INTERVAL: Duration = Duration::from_secs(5);

/// The media section and the payload type of a track.
#[derive(Copy, Clone, Debug)]
pub(super) struct Route {
    pub mid: Mid,
    pub pt: Pt,
}

/// The media section of the video, and the formats that both sides support, the server's favorite
/// first.
#[derive(Debug)]
pub(super) struct VideoRoute {
    pub mid: Mid,
    pub formats: Vec<PayloadParams>,
}

impl VideoRoute {
    /// Returns true if the server takes this codec.
    pub fn takes(&self, video: VideoCodec) -> bool {
        let codec = media::codec(video);
        codec.is_some() && self.formats.iter().any(|it| Some(it.spec().codec) == codec)
    }
}

/// The routes of the tracks.
#[derive(Debug)]
pub(super) struct Routes {
    pub video: Option<VideoRoute>,
    pub audio: Option<Route>,
}

/// The format of the frames of one layer.
#[derive(Debug)]
struct LayerWriter {
    writer: FrameWriter,
    route: Route,
}

impl LayerWriter {
    /// Returns `None` if the server does not take this video.
    fn new(config: &VideoConfig, route: &VideoRoute) -> Option<Self> {
        let pt = media::video_type(&route.formats, config)?;
        let writer = FrameWriter::new(config)?;
        Some(Self { writer, route: Route { mid: route.mid, pt } })
    }
}

/// A search for another path.
enum Restart {
    /// The server has not answered.
    Asked(BoxFuture<'static, Option<String>>),
    /// The last search began at this time.
    Done(Instant),
}

/// The connection.
pub(super) struct WhipLink {
    peer: Peer,
    session: Session,
    /// The server as `host:port`.
    name: String,
    clock: Clock,
    video: Option<VideoRoute>,
    audio: Option<Route>,
    stream: Elementary,
    /// One for each layer; the first one is that of the stream.
    writers: [Option<LayerWriter>; MAX_LAYERS as usize],
    restart: Option<Restart>,
    opus: Option<Arc<SharedOpus>>,
    /// The reason why the connection must end.
    fault: Option<Cause>,
    /// For each layer.
    last_keyframe_request: [Option<Instant>; MAX_LAYERS as usize],
    round_trip: Option<Duration>,
    loss: Option<f32>,
    estimate: Option<u64>,
}

impl std::fmt::Debug for WhipLink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WhipLink").field("peer", &self.peer).finish_non_exhaustive()
    }
}

impl WhipLink {
    pub fn new(
        peer: Peer,
        session: Session,
        name: String,
        clock: Clock,
        Routes { video, audio }: Routes,
    ) -> Self {
        Self {
            peer,
            session,
            name,
            clock,
            video,
            audio,
            stream: Elementary::default(),
            writers: [const { None }; MAX_LAYERS as usize],
            restart: None,
            opus: None,
            fault: None,
            last_keyframe_request: [None; MAX_LAYERS as usize],
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
        (route, rid): (Route, Option<Rid>),
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
        self.peer.send(Frame { mid, rid, pt, rtp_time, at, data });
    }

    /// Sends a frame of a layer. `config` is that of the frame.
    fn send_video(
        &mut self,
        layer: u8,
        (packet, origin): (&SharedPacket, Timestamp),
        data: &[u8],
        config: Option<&VideoConfig>,
    ) {
        let Some(route) = &self.video else { return };
        if packet.pts != packet.dts {
            // RTP has no decoding times, and browsers show frames as they arrive.
            self.fault = Some(Cause::ReorderedFrames);
            return;
        }
        let Some(writer) = self.writers.get_mut(usize::from(layer)) else { return };
        // Without a config, the present one goes on.
        if let Some(config) = config
            && writer.as_ref().is_none_or(|it| it.writer.config != *config)
        {
            *writer = LayerWriter::new(config, route);
        }
        let Some(LayerWriter { writer, route }) = writer else { return };
        let (frame, route) = (writer.frame(data, packet.keyframe), *route);
        let rid = self.peer.layers().get(usize::from(layer)).copied();
        if let Some(frame) = frame {
            self.queue((route, rid), Frequency::NINETY_KHZ, (packet.pts, origin), frame);
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
                    self.queue((route, None), Frequency::FORTY_EIGHT_KHZ, (*pts, origin), data);
                }
            }
            Err(why) => self.fault = Some(Cause::Protocol(problem!("net-whip-opus", reason = why))),
        }
    }

    /// Returns what an event means for the publisher.
    fn event(&mut self, event: PeerEvent) -> Result<Option<LinkEvent>, Cause> {
        match event {
            PeerEvent::KeyframeWanted(rid) => {
                let now = Instant::now();
                let is_soon = |last: Instant| now.duration_since(last) < MIN_KEYFRAME_INTERVAL;
                let is_its = |it: &Rid| Some(*it) == rid;
                let place = self.peer.layers().iter().position(is_its).unwrap_or(0);
                let Some(last) = self.last_keyframe_request.get_mut(place) else {
                    return Ok(None);
                };
                if last.is_some_and(is_soon) {
                    return Ok(None);
                }
                *last = Some(now);
                let layer = u8::try_from(place).unwrap_or(0);
                return Ok(Some(LinkEvent::KeyframeWanted { layer }));
            }
            PeerEvent::Report { round_trip, loss } => {
                self.round_trip = round_trip.or(self.round_trip);
                self.loss = loss.or(self.loss);
            }
            PeerEvent::Estimate(rate) => self.estimate = Some(rate),
            PeerEvent::Lost => {
                if !self.finds_another_path() {
                    return Err(self.lost());
                }
            }
            PeerEvent::Closed => return Err(Cause::Closed),
            PeerEvent::Reached | PeerEvent::Connected => {}
        }
        Ok(None)
    }
}

impl WhipLink {
    fn lost(&self) -> Cause {
        let (after, _) = self.peer.unheard();
        Cause::NoProgress { after }
    }

    /// Looks for another path if the server is silent, and takes the server's answer to that.
    ///
    /// # Errors
    /// Fails if the server refuses, because only a new session helps then.
    fn poll_restart(&mut self, cx: &mut Context<'_>) -> Result<(), Cause> {
        let (unheard, written) = self.peer.unheard();
        if unheard >= RESTART_AFTER && written > 0 {
            // Without an answer, the publisher gives the connection up.
            self.finds_another_path();
        }
        let Some(Restart::Asked(answer)) = &mut self.restart else { return Ok(()) };
        let Poll::Ready(answer) = answer.as_mut().poll(cx) else { return Ok(()) };
        self.restart = Some(Restart::Done(Instant::now()));
        let Some(fragment) = answer else { return Err(self.lost()) };
        self.peer.finish_restart(&fragment).map_err(|error| error.cause())
    }
}

impl Link for WhipLink {
    fn peer(&self) -> &str {
        &self.name
    }

    fn layers(&self) -> u8 {
        // A server without simulcast takes one video.
        u8::try_from(self.peer.layers().len()).unwrap_or(1).max(1)
    }

    fn codecs(&self, head: &SequenceHeaders) -> CodecSupport {
        let codec = config_of(head).video.map(|video| video.codec);
        match codec.zip(self.video.as_ref()) {
            Some((codec, route)) if !route.takes(codec) => {
                CodecSupport::Missing(vec![StreamCodec::Video(codec).name().to_owned()])
            }
            _ => CodecSupport::All,
        }
    }

    fn begin(&mut self, start: &StreamStart<'_>) {
        self.stream.begin(start);
        self.opus = Some(Arc::clone(start.opus));
    }

    fn send(&mut self, packet: &SharedPacket, origin: Timestamp) {
        let Contents { data, .. } = self.stream.take(packet);
        let Some(data) = data else { return };
        match packet.track {
            Track::Video => {
                let config = self.stream.config.video.take();
                self.send_video(0, (packet, origin), &data, config.as_ref());
                self.stream.config.video = config;
            }
            Track::Audio => self.send_audio(packet, origin, data),
            // These tracks are for recordings; subscriptions of publishers do not have them.
            Track::Extra(_) | Track::Rendition(_) => {}
        }
    }

    fn send_layer(&mut self, layer: u8, packet: &SharedPacket, origin: Timestamp) {
        let is_taken = usize::from(layer) < self.peer.layers().len();
        // Layers come from encoders, so their data is elementary.
        if is_taken && packet.track == Track::Video {
            let rendition = packet.rendition.as_ref().filter(|_| packet.starts_gop());
            let config = rendition.map(|it| &it.video);
            self.send_video(layer, (packet, origin), &packet.data, config);
        }
    }

    fn finds_another_path(&mut self) -> bool {
        match &self.restart {
            Some(Restart::Asked(_)) => return true,
            Some(Restart::Done(at)) if at.elapsed() < RESTART_INTERVAL => return true,
            Some(Restart::Done(_)) | None => {}
        }
        if !self.session.takes_restarts() {
            return false;
        }
        let fragment = match self.peer.begin_restart() {
            Ok(fragment) => fragment,
            Err(error) => {
                tracing::debug!(%error, "there is no other path");
                return false;
            }
        };
        let asked = self.session.restart(fragment).map(Restart::Asked);
        let is_asked = asked.is_some();
        self.restart = asked;
        is_asked
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
        if let Err(cause) = self.poll_restart(cx) {
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
