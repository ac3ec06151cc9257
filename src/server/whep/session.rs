//! One viewer: a task that drives its connection. The library str0m has no I/O; its output is sent at once,
//! and data that does not fit into the socket is lost, as on any network.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use str0m::bwe::Bitrate;
use str0m::media::{MediaTime, Mid};
use str0m::net::{Protocol, Receive};
use str0m::rtp::{ExtensionValues, RtpWrite, SeqNo};
use str0m::{Event as RtcEvent, IceConnectionState, Input, Output, Rtc, RtcError};
use tracing::Instrument as _;

use crate::base::Timestamp;
use crate::net::random_hex;
use crate::net::webrtc::DatagramSocket;
use crate::server::access::admission::Purpose;
use crate::server::access::callback::calls::DoneCall;
use crate::server::access::grant::AdmittedViewer;
use crate::server::event::log::SESSION_LOG;
use crate::server::event::{Ended, Event};
use crate::server::registry::{ConnectionSlot, Registry};
use crate::server::stream::Stream;
use crate::server::whep::cursor::Cursor;
use crate::server::whep::endpoint::Arrival;
use crate::server::whep::frame::{Frame, FrameKind};
use crate::server::whep::mailbox::{Mailbox, Waiting};
use crate::server::whep::negotiation::{Local, Negotiated, Route, negotiate};
use crate::server::whep::presence::Presence;
use crate::server::whep::production;
use crate::server::whep::productions::{ProductionUse, WantedTracks};
use crate::server::whep::tracks::Unplayable;
use crate::wire::sdp::Offer;
use crate::wire::stun;

/// Time for which an offer waits until the tracks of the stream are known.
const TRACKS_WITHIN: Duration = Duration::from_secs(3);
/// Time limit for a viewer to connect.
const CONNECT_WITHIN: Duration = Duration::from_secs(15);
/// Time limit for a publisher to return.
const COMES_BACK_WITHIN: Duration = Duration::from_secs(15);
/// Maximum wait of the task.
const LONGEST_WAIT: Duration = Duration::from_secs(1);
/// Maximum number of addresses of a viewer, which may change its network.
const MAX_ADDRESSES: usize = 8;
/// Maximum age in µs of a keyframe for a viewer's request; for older ones, the encoder is asked.
const YOUNG_KEYFRAME: i64 = 500_000;
/// Time limit for the encoder, after which the cached frames are used.
const KEYFRAME_WITHIN: Duration = Duration::from_millis(600);
/// Minimum interval between restarts for a viewer.
const RESTART_PAUSE: Duration = Duration::from_millis(300);
/// If the cached frames are larger than this, in bytes, a new keyframe from the program's own encoder
/// arrives sooner.
const LARGE_GROUP: usize = 300 << 10;
/// Frames that wait longer for the link than this are dropped up to a keyframe. The next constant is the
/// maximum number of waiting packets.
const MAX_DELAY: Duration = Duration::from_secs(1);
const MAX_PACKETS: usize = 4_096;
/// Minimum initial estimate of the link in bits per second, and its ratio to the stream's bitrate.
const START_BITRATE: u64 = 8_000_000;
const START_FACTOR: u64 = 4;

/// The reason why a session is rejected.
#[derive(Debug)]
pub(in crate::server) enum Refused {
    /// WHEP is disabled.
    Off,
    NotPublished,
    Unplayable(Unplayable),
    /// The offer is invalid, with a text for the developer of the player.
    Offer(String),
    Full,
}

/// A session that has just started.
#[derive(Debug)]
pub(in crate::server) struct BegunSession {
    pub answer: String,
    /// The last part of the session's URL.
    pub resource: String,
}

/// Begins a session. This function must be called within the runtime.
pub(in crate::server) async fn begin(
    registry: &Arc<Registry>,
    (app, name): (&str, &str),
    offer: &str,
    (peer, arrival): (SocketAddr, Arrival),
    viewer: AdmittedViewer,
) -> Result<BegunSession, Refused> {
    let endpoint = registry.whep.endpoint().ok_or(Refused::Off)?;
    let offer = Offer::parse(offer).map_err(|error| Refused::Offer(error.to_string()))?;
    let slot = registry.admit(peer).ok_or(Refused::Full)?;
    let wanted = WantedTracks { video: offer.video, audio: offer.audio };
    let publisher = registry
        .find(app, name)
        .and_then(|stream| registry.figures_of(&stream, registry.clock.now()).publisher);
    if wanted.video && publisher.is_some_and(|it| registry.whep.productions.is_refused(it.id)) {
        return Err(Refused::Unplayable(Unplayable::BFrames));
    }
    let used = production::of_stream(registry, (app, name), wanted).ok_or(Refused::NotPublished)?;
    let mut tracks = used.tracks();
    let known = tracks.wait_for(|tracks| tracks.is_known() || !wanted.video);
    let known = tokio::time::timeout(TRACKS_WITHIN, known).await;
    // An audio-only stream is valid too.
    let known = known.ok().and_then(Result::ok).map(|known| *known).unwrap_or_default();
    if let Some(refused) = known.refused.filter(|_| wanted.video) {
        return Err(Refused::Unplayable(refused));
    }
    let secrets: Option<Vec<String>> = (0..3).map(|_| random_hex()).collect();
    let Some([resource, ufrag, password]) = secrets.and_then(|it| <[_; 3]>::try_from(it).ok())
    else {
        return Err(Refused::Full);
    };
    let ufrag: String = ufrag.chars().take(16).collect();
    let addresses = endpoint.addresses(arrival);
    let figures = used.production.stream.figures(registry.clock.now());
    let rate = figures.publisher.map_or(0, |publisher| publisher.bitrate);
    let local = Local {
        ufrag: ufrag.clone(),
        password,
        addresses: &addresses,
        certificate: &endpoint.certificate,
        profile: known.h264_profile,
        bitrate: (rate * START_FACTOR).max(START_BITRATE),
    };
    let now = Instant::now();
    let Negotiated { mut rtc, answer, video, audio } =
        negotiate(&offer, local, now).map_err(|error| Refused::Offer(error.to_string()))?;
    rtc.bwe().set_bitrate(Bitrate::ZERO, Bitrate::bps((rate * 2).max(1_000_000)));
    let mailbox = Mailbox::new(viewer.id, resource.clone(), ufrag, offer.ufrag);
    registry.whep.routes.add(&mailbox);
    let session = Session {
        socket: Arc::clone(&endpoint.socket),
        rtc,
        mailbox,
        used,
        local: addresses,
        peer,
        addresses: Vec::new(),
        video: video.map(|route| Pictures { route, cursor: Cursor::new(), next: 0, due: None }),
        audio: audio.map(|route| Sounds { route, next: 0 }),
        joined: None,
        gone_since: None,
        helped: None,
        began: registry.clock.now(),
        _done: viewer.done,
    };
    let span = tracing::info_span!(target: SESSION_LOG, "whep", session = viewer.id);
    tokio::spawn(session.run(Arc::clone(registry), slot).instrument(span));
    Ok(BegunSession { answer, resource })
}

/// The session of a viewer.
struct Session {
    socket: Arc<DatagramSocket>,
    rtc: Rtc,
    mailbox: Arc<Mailbox>,
    used: ProductionUse,
    /// The addresses of the port in the SDP answer.
    local: Vec<SocketAddr>,
    /// The address from which the HTTP request came.
    peer: SocketAddr,
    /// The source addresses of the viewer's datagrams, newest last.
    addresses: Vec<SocketAddr>,
    video: Option<Pictures>,
    audio: Option<Sounds>,
    /// The stream that counts this viewer, once connected.
    joined: Option<Arc<Stream>>,
    gone_since: Option<Instant>,
    /// Time of the last restart.
    helped: Option<Instant>,
    began: Timestamp,
    /// When dropped, informs a callback that the viewer has finished.
    _done: Option<Box<DoneCall>>,
}

/// The video track for one viewer.
struct Pictures {
    route: Route,
    cursor: Cursor,
    /// Sequence number of the next packet. The numbers have no gaps, even if frames are skipped,
    /// because receivers detect losses by gaps.
    next: u64,
    /// Deadline of a keyframe request to the encoder.
    due: Option<Instant>,
}

struct Sounds {
    route: Route,
    next: u64,
}

impl Session {
    /// Runs until either side ends.
    async fn run(mut self, registry: Arc<Registry>, slot: ConnectionSlot) {
        let reason = {
            let stopped = registry.stopped();
            tokio::pin!(stopped);
            let mut wait = Duration::ZERO;
            loop {
                let mailbox = Arc::clone(&self.mailbox);
                tokio::select! {
                    biased;
                    () = &mut stopped => break "the server ends",
                    () = slot.evicted() => break "others need the place",
                    () = mailbox.news() => {}
                    () = tokio::time::sleep(wait) => {}
                }
                match self.step(&registry, &slot) {
                    Ok(until) => wait = until,
                    Err(reason) => break reason,
                }
            }
        };
        self.leave(&registry, reason);
        drop(slot);
    }

    /// Does the pending work, and returns the time until the next work.
    fn step(
        &mut self,
        registry: &Arc<Registry>,
        slot: &ConnectionSlot,
    ) -> Result<Duration, &'static str> {
        let Waiting { datagrams, frames, end, published } = self.mailbox.take();
        if let Some(reason) = end {
            return Err(reason);
        }
        for (datagram, from) in datagrams {
            self.receive(registry, &datagram, from)?;
            self.drain(registry, slot)?;
        }
        let now = Instant::now();
        if let Some(published) = published {
            self.gone_since = (!published).then_some(now);
        }
        if self.gone_since.is_some_and(|since| now.duration_since(since) >= COMES_BACK_WITHIN) {
            return Err("the publisher has gone");
        }
        if self.joined.is_none() && registry.clock.now().since(self.began) >= CONNECT_WITHIN {
            return Err("it did not connect");
        }
        if self.joined.is_some() {
            for frame in frames {
                self.send(&frame, now);
            }
            self.begin_again_if_due(now);
        }
        self.rtc.handle_input(Input::Timeout(now)).map_err(|error| broken(&error))?;
        let until = self.drain(registry, slot)?;
        Ok(until.saturating_duration_since(Instant::now()).min(LONGEST_WAIT))
    }

    /// Handles a datagram. An unreadable datagram may come from anyone, and does not end the
    /// session.
    fn receive(
        &mut self,
        registry: &Registry,
        datagram: &[u8],
        from: SocketAddr,
    ) -> Result<(), &'static str> {
        let local = self.local.iter().find(|local| local.is_ipv4() == from.is_ipv4());
        let Some(local) = local else { return Ok(()) };
        let Ok(receive) = Receive::new(Protocol::Udp, from, *local, datagram) else {
            return Ok(());
        };
        let input = Input::Receive(Instant::now(), receive);
        if !self.rtc.accepts(&input) {
            return Ok(());
        }
        if stun::is_stun(datagram) && !self.addresses.contains(&from) {
            if self.addresses.len() >= MAX_ADDRESSES {
                let oldest = self.addresses.remove(0);
                registry.whep.routes.forget(&self.mailbox, oldest);
            }
            self.addresses.push(from);
            registry.whep.routes.learn(&self.mailbox, from);
        }
        if let Err(error) = self.rtc.handle_input(input) {
            tracing::debug!(%from, %error, "invalid datagram");
        }
        if self.rtc.is_alive() { Ok(()) } else { Err("closed by the peer") }
    }

    /// Sends the output of str0m, and handles its events. Returns the time of the next poll.
    fn drain(
        &mut self,
        registry: &Arc<Registry>,
        slot: &ConnectionSlot,
    ) -> Result<Instant, &'static str> {
        loop {
            match self.rtc.poll_output().map_err(|error| broken(&error))? {
                Output::Timeout(until) => return Ok(until),
                Output::Transmit(transmit) => {
                    if self.socket.send(&transmit.contents, transmit.destination).is_ok() {
                        let length = transmit.contents.len() as u64;
                        self.mailbox.count(length);
                        registry.totals.sent_bytes.fetch_add(length, Ordering::Relaxed);
                    }
                }
                Output::Event(event) => match event {
                    RtcEvent::Connected => self.connected(registry, slot)?,
                    RtcEvent::IceConnectionStateChange(IceConnectionState::Disconnected) => {
                        return Err("the connection is lost");
                    }
                    RtcEvent::KeyframeRequest(_) => self.help(registry, Instant::now()),
                    RtcEvent::Closed => return Err("closed by the peer"),
                    _ => {}
                },
            }
        }
    }

    /// Adds the viewer to the stream.
    fn connected(
        &mut self,
        registry: &Arc<Registry>,
        slot: &ConnectionSlot,
    ) -> Result<(), &'static str> {
        if self.joined.is_some() {
            return Ok(());
        }
        if !registry.admission.settle(slot.spot(), Purpose::Play) {
            return Err("there are too many viewers");
        }
        let stream = &self.used.production.stream;
        let presence = Arc::new(Presence(Arc::clone(&self.mailbox)));
        let joined = registry.join(&stream.app, &stream.name, presence, self.peer);
        self.joined = Some(joined.ok_or("there are too many viewers")?);
        let group = self.used.subscribe(&self.mailbox);
        // Before this, the production could not end the session. The session ends with the next step,
        // because the viewer still needs the last messages of the handshake to learn of the end.
        let refused = self.used.tracks().borrow().refused;
        if let Some(refused) = refused.filter(|_| self.video.is_some()) {
            self.mailbox.end(refused.reason());
        }
        let now = Instant::now();
        let large = group.iter().map(|frame| frame.size()).sum::<usize>() > LARGE_GROUP;
        if !(large && self.ask_encoder(registry, &group, now)) {
            self.restart(&group, now);
        }
        Ok(())
    }

    /// Helps a viewer that has lost frames permanently.
    fn help(&mut self, registry: &Registry, now: Instant) {
        let soon = |before: Instant| now.duration_since(before) < RESTART_PAUSE;
        if self.joined.is_none() || self.helped.is_some_and(soon) {
            return;
        }
        self.helped = Some(now);
        let group = self.used.group();
        if !self.ask_encoder(registry, &group, now) {
            self.restart(&group, now);
        }
    }

    /// Requests a keyframe from the program's own encoder, unless a recent one exists, and waits for it.
    /// Returns false if no wait is needed.
    fn ask_encoder(&mut self, registry: &Registry, group: &[Arc<Frame>], now: Instant) -> bool {
        let age = |key: &Arc<Frame>| now.duration_since(key.arrived).as_micros() as i64;
        if group.first().map(age).is_some_and(|age| age < YOUNG_KEYFRAME) {
            return false;
        }
        let Some(video) = &mut self.video else { return true };
        let Some(now_due) = self.used.needs_request(now) else { return false };
        if now_due {
            let stream = &self.used.production.stream;
            let (app, stream) = (stream.app.clone(), stream.name.clone());
            registry.tell(Event::KeyframeRequest { app, stream });
        }
        video.cursor.wait();
        video.due = Some(now + KEYFRAME_WITHIN);
        true
    }

    /// Uses the cached frames if the encoder takes too long.
    fn begin_again_if_due(&mut self, now: Instant) {
        let Some(video) = &mut self.video else { return };
        if video.due.is_some_and(|due| now >= due) {
            video.due = None;
            if video.cursor.is_waiting() {
                tracing::debug!("the encoder sent no keyframe");
                let group = self.used.group();
                self.restart(&group, now);
            }
        }
    }

    /// Restarts with the frames since the last keyframe.
    fn restart(&mut self, group: &[Arc<Frame>], now: Instant) {
        let Some(video) = &mut self.video else { return };
        let frames = video.cursor.restart(group);
        for (frame, at) in frames {
            video.write(&mut self.rtc, &frame, at, now);
        }
    }

    /// Sends a frame.
    fn send(&mut self, frame: &Arc<Frame>, now: Instant) {
        if frame.kind == FrameKind::Sound {
            if let Some(audio) = &mut self.audio {
                audio.write(&mut self.rtc, frame, now);
            }
            return;
        }
        let Some(video) = &mut self.video else { return };
        if is_crowded(&mut self.rtc, video.route.mid, now) {
            video.cursor.wait();
            return;
        }
        if let Some(at) = video.cursor.next(frame) {
            video.due = None;
            video.write(&mut self.rtc, frame, at, now);
        }
    }

    fn leave(mut self, registry: &Arc<Registry>, reason: &str) {
        self.used.unsubscribe(self.mailbox.id);
        registry.whep.routes.remove(&self.mailbox, &self.addresses);
        // Inform the peer, if it still exists.
        if self.rtc.close().is_ok() {
            while let Ok(Output::Transmit(transmit)) = self.rtc.poll_output() {
                let _ = self.socket.send(&transmit.contents, transmit.destination);
            }
        }
        let Some(stream) = &self.joined else {
            return tracing::info!(peer = %self.peer, reason, "a WHEP session ended without a viewer");
        };
        let after = registry.clock.now().since(self.began);
        let ended = Ended { reason: reason.to_owned(), after, bytes: self.mailbox.sent() };
        registry.leave(stream, self.mailbox.id, self.peer, ended);
    }
}

impl Pictures {
    fn write(&mut self, rtc: &mut Rtc, frame: &Frame, at: i64, now: Instant) {
        let mut direct = rtc.direct_api();
        let Some(stream) = direct.stream_tx_by_mid(self.route.mid, None) else { return };
        let (time, wallclock) = (rtp_time(at, 90_000), shifted(frame, at, now));
        // Frames are shown as soon as they are decoded, because the stream is live.
        let extensions = ExtensionValues {
            play_delay_min: Some(MediaTime::ZERO),
            play_delay_max: Some(MediaTime::from_millis(100)),
            ..ExtensionValues::default()
        };
        let last = frame.payloads.len().saturating_sub(1);
        for (index, payload) in frame.payloads.iter().enumerate() {
            let number = SeqNo::from(self.next);
            self.next += 1;
            stream.write_rtp(
                RtpWrite::new(self.route.pt, number, time, wallclock, Arc::clone(payload))
                    .marker(index == last)
                    .nackable(true)
                    .ext_vals(extensions.clone()),
            );
        }
    }
}

impl Sounds {
    fn write(&mut self, rtc: &mut Rtc, frame: &Frame, now: Instant) {
        let mut direct = rtc.direct_api();
        let Some(stream) = direct.stream_tx_by_mid(self.route.mid, None) else { return };
        let (time, wallclock) = (rtp_time(frame.at, 48_000), shifted(frame, frame.at, now));
        for payload in &frame.payloads {
            let number = SeqNo::from(self.next);
            let is_first = self.next == 0;
            self.next += 1;
            stream.write_rtp(
                RtpWrite::new(self.route.pt, number, time, wallclock, Arc::clone(payload))
                    .marker(is_first),
            );
        }
    }
}

/// Returns true if frames wait too long for the link, or too many wait.
fn is_crowded(rtc: &mut Rtc, mid: Mid, now: Instant) -> bool {
    let mut direct = rtc.direct_api();
    let info = direct.stream_tx_by_mid(mid, None).and_then(|stream| stream.queue_info());
    info.is_some_and(|queue| {
        let waits = queue.first_unsent().map(|since| now.saturating_duration_since(since));
        queue.packet_count() > MAX_PACKETS || waits.is_some_and(|waits| waits > MAX_DELAY)
    })
}

/// Converts microseconds to the clock of a track, which wraps.
fn rtp_time(at: i64, rate: i64) -> u32 {
    let ticks = i128::from(at) * i128::from(rate) / 1_000_000;
    ticks.rem_euclid(1 << 32) as u32
}

/// Returns the time of a frame that is sent with another timestamp. It is never in the future, which
/// sender reports cannot express.
fn shifted(frame: &Frame, at: i64, now: Instant) -> Instant {
    let by = Duration::from_micros(at.abs_diff(frame.at));
    let then = if at >= frame.at { frame.wallclock + by } else { frame.wallclock - by };
    then.min(now)
}

fn broken(error: &RtcError) -> &'static str {
    tracing::info!(%error, "a WHEP session failed");
    "the connection broke"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_wrap_as_the_clocks_of_rtp_do() {
        assert_eq!(rtp_time(1_000_000, 90_000), 90_000);
        assert_eq!(rtp_time(20_000, 48_000), 960);
        assert_eq!(rtp_time(-1_000_000, 48_000), u32::MAX - 47_999);
        assert_eq!(rtp_time(47_721_859_000, 90_000), 14);
    }
}
