//! One viewer: a task that drives its connection. The library str0m has no I/O. The task sends the
//! output of each wake-up together.

mod output;

use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use str0m::bwe::Bitrate;
use str0m::{Input, Rtc, RtcError};
use tracing::Instrument as _;

use crate::base::Timestamp;
use crate::server::access::admission::Purpose;
use crate::server::access::callback::calls::DoneCall;
use crate::server::access::grant::AdmittedViewer;
use crate::server::event::log::SESSION_LOG_TARGET;
use crate::server::event::{Ended, NoRoom};
use crate::server::registry::{ConnectionSlot, Registry};
use crate::server::stream::Stream;
use crate::server::stream::sink::Sink;
use crate::server::webrtc::answer::Local;
use crate::server::webrtc::endpoint::Arrival;
use crate::server::webrtc::mailbox::{IceNames, Mailbox, Waiting};
use crate::server::webrtc::transport::{Secrets, Transport};
use crate::server::webrtc::whep::choice::selection::{Refused, Selection, select};
use crate::server::webrtc::whep::choice::switching::Switching;
use crate::server::webrtc::whep::frame::{Frame, FrameKind};
use crate::server::webrtc::whep::negotiation::{Negotiated, negotiate};
use crate::server::webrtc::whep::presence::Presence;
use crate::server::webrtc::whep::tracks::Unplayable;
use crate::server::webrtc::whep::viewer_tracks::{AudioTrack, VideoTrack, catch_up_time};
use crate::text::problem::{Problem, problem};
use crate::wire::webrtc::rtcp;
use crate::wire::webrtc::sdp::Offer;

/// Time limit for a viewer to connect.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Time limit for a publisher to return.
const PUBLISHER_RETURN_TIMEOUT: Duration = Duration::from_secs(15);
/// Maximum wait of the task.
const MAX_TASK_WAIT: Duration = Duration::from_secs(1);
/// Maximum age in µs of a cached keyframe that answers a viewer's request. If the keyframe is
/// older, the session asks the encoder for a new one.
const MAX_CACHED_KEYFRAME_AGE_MICROS: i64 = 500_000;
/// Time limit for the encoder to send a keyframe. After it, the cached frames are used.
const KEYFRAME_TIMEOUT: Duration = Duration::from_millis(600);
/// Minimum interval between restarts for a viewer.
const MIN_RESTART_INTERVAL: Duration = Duration::from_millis(300);
/// If the cached frames are larger than this, in bytes, a new keyframe from onair's own encoder
/// arrives sooner.
const LARGE_GOP_BYTES: usize = 300 << 10;
/// Minimum initial estimate of the link in bits per second.
const MIN_INITIAL_BITRATE: u64 = 8_000_000;
/// Ratio of the initial estimate to the stream's bitrate.
const INITIAL_BITRATE_FACTOR: u64 = 4;

/// Session that has just started.
#[derive(Debug)]
pub(crate) struct BegunSession {
    pub answer: String,
    /// The last part of the session's URL.
    pub resource: String,
    /// The entity tag of the session's ICE state.
    pub tag: String,
    /// True if there are several renditions.
    pub has_choice: bool,
}

/// Begins a session. This function must be called within the runtime.
pub(crate) async fn begin(
    registry: &Arc<Registry>,
    names: (&str, &str),
    offer: (&str, Option<&str>),
    client: (SocketAddr, Arrival),
    viewer: AdmittedViewer,
) -> Result<BegunSession, Refused> {
    let id = viewer.id;
    let (session, slot, begun) = prepare(registry, names, offer, client, viewer).await?;
    let span = tracing::info_span!(target: SESSION_LOG_TARGET, "whep", session = id);
    tokio::spawn(session.run(Arc::clone(registry), slot, Session::step).instrument(span));
    Ok(begun)
}

/// Creates a session and adds it to the list of sessions.
async fn prepare(
    registry: &Arc<Registry>,
    (app, name): (&str, &str),
    (offer, rendition): (&str, Option<&str>),
    (peer, arrival): (SocketAddr, Arrival),
    viewer: AdmittedViewer,
) -> Result<(Session, ConnectionSlot, BegunSession), Refused> {
    let endpoint = registry.webrtc.endpoint().ok_or(Refused::Off)?;
    let offer = Offer::parse(offer).map_err(|error| Refused::Offer(error.to_string()))?;
    let slot = registry.admit(peer).ok_or(Refused::Full(NoRoom::Server))?;
    check_room(registry, app, name)?;
    let selection = select(registry, (app, name), rendition, &offer).await?;
    let Selection { variants, video: chosen, is_pinned, tracks } = selection;
    let Some(Secrets { resource, ufrag, password }) = Secrets::generate() else {
        return Err(Refused::Full(NoRoom::Server));
    };
    let public = &registry.config.webrtc_addresses;
    let addresses = registry.webrtc.candidates(&endpoint, arrival, public);
    // A silent publisher may continue at its last bitrate.
    let rate = variants.stream.last_bitrate();
    let local = Local {
        ufrag: &ufrag,
        password: &password,
        addresses: &addresses,
        // A router passes no TCP connections on to the port.
        has_tcp: endpoint.has_tcp && !arrival.meets,
        certificate: &endpoint.certificate,
    };
    let bitrate = (rate * INITIAL_BITRATE_FACTOR).max(MIN_INITIAL_BITRATE);
    let has_choice = variants.has_choice;
    let now = Instant::now();
    let Negotiated { mut rtc, answer, video, audio } =
        negotiate(&offer, &local, (tracks.video, bitrate), now)
            .map_err(|error| Refused::Offer(error.to_string()))?;
    set_desired(&mut rtc, rate);
    let ice = IceNames { local: ufrag, remote: offer.ufrag };
    let tag = ice.tag();
    let mailbox = Mailbox::new(viewer.id, resource.clone(), ice);
    let addresses = (addresses, peer);
    let transport =
        Transport::new(&endpoint, (rtc, &answer), &mailbox, &offer.password, addresses, now);
    registry.webrtc.routes.add(&mailbox);
    // A later expulsion finds the session in the list.
    if viewer.expelled != registry.expulsions() {
        registry.webrtc.routes.remove(&mailbox, []);
        return Err(Refused::Expelled);
    }
    let session = Session {
        transport,
        switching: Switching::new(variants, is_pinned),
        video: video.zip(chosen).map(|(route, chosen)| VideoTrack::new(route, chosen)),
        audio: audio.map(AudioTrack::new),
        lacks_video: offer.video && tracks.video.is_none(),
        joined: None,
        next_poll: now,
        unsent: 0,
        gone_since: None,
        last_restart: None,
        began: registry.clock.now(),
        _done: viewer.done,
    };
    Ok((session, slot, BegunSession { answer, resource, tag, has_choice }))
}

/// Fails if the stream has as many viewers as it may have. Until the viewer has connected, others can take the last
/// place.
fn check_room(registry: &Registry, app: &str, name: &str) -> Result<(), Refused> {
    let stream = registry.find(app, name).filter(|stream| stream.is_published());
    let most = registry.max_viewers(app);
    match stream.map(|stream| registry.viewers_of(&stream)) {
        Some(viewers) if viewers >= most => Err(Refused::Full(NoRoom::Stream(most))),
        _ => Ok(()),
    }
}

/// The function that does the pending work of a session, and returns the time of the next work.
type Step = fn(&mut Session, &Arc<Registry>, &ConnectionSlot) -> Result<Instant, Problem>;

/// The session of a viewer.
struct Session {
    transport: Transport,
    switching: Switching,
    video: Option<VideoTrack>,
    audio: Option<AudioTrack>,
    /// True if the viewer wants video, but the stream had none.
    lacks_video: bool,
    /// The stream that counts this viewer, once connected.
    joined: Option<Arc<Stream>>,
    /// The time at which str0m must be polled, apart from its pacer.
    next_poll: Instant,
    /// Number of packets that were written in this wake-up, and have not been sent.
    unsent: usize,
    gone_since: Option<Instant>,
    /// Time of the last restart.
    last_restart: Option<Instant>,
    began: Timestamp,
    /// When dropped, informs a callback that the viewer has finished.
    _done: Option<Box<DoneCall>>,
}

impl Session {
    /// Runs until either side ends.
    async fn run(mut self, registry: Arc<Registry>, slot: ConnectionSlot, step: Step) {
        let end = {
            let (stopped, evicted) = (registry.stopped(), slot.evicted());
            let sleep = tokio::time::sleep(Duration::ZERO);
            tokio::pin!(stopped, evicted, sleep);
            loop {
                let mailbox = Arc::clone(&self.transport.mailbox);
                tokio::select! {
                    biased;
                    () = &mut stopped => break Some(problem!("left-server-stopped")),
                    () = &mut evicted => break Some(problem!("left-evicted")),
                    () = mailbox.news() => {}
                    () = &mut sleep => {}
                }
                // A fault ends one session, but leaves no entry of the session in the shared lists.
                let step = || step(&mut self, &registry, &slot);
                match catch_unwind(AssertUnwindSafe(step)) {
                    Ok(Ok(until)) => sleep.as_mut().reset(until.into()),
                    Ok(Err(reason)) => break Some(reason),
                    // `None` means that the session's code panicked.
                    Err(_) => break None,
                }
            }
        };
        self.leave(&registry, end);
        drop(slot);
    }

    /// Does the pending work, and returns the time of the next work.
    fn step(
        &mut self,
        registry: &Arc<Registry>,
        slot: &ConnectionSlot,
    ) -> Result<Instant, Problem> {
        let Waiting {
            datagrams, link_reports, frames, end, published, chosen, restart, reach, ..
        } = self.transport.mailbox.take();
        if let Some(reason) = end {
            return Err(reason);
        }
        if self.misses_video() {
            // A new session gets the video.
            return Err(problem!("left-other-codec"));
        }
        let has_received = !datagrams.is_empty();
        for (datagram, from) in datagrams {
            self.transport.receive(registry, &datagram, &from)?;
            // Each message of a handshake may have an answer. Reports do not.
            if !rtcp::is_rtcp(&datagram) {
                self.drain(registry, slot)?;
            }
        }
        if let Some(restart) = restart {
            self.transport.restart_ice(registry, restart);
        }
        self.transport.reach(&reach);
        let now = Instant::now();
        // With a datagram, str0m gets the time too. It must get the time again if there are frames.
        let mut knows_time = has_received && frames.is_empty();
        if let Some(published) = published {
            self.gone_since = (!published).then_some(now);
        }
        if let Some(since) = self.gone_since {
            if now.duration_since(since) >= PUBLISHER_RETURN_TIMEOUT {
                return Err(problem!("left-publisher-gone"));
            }
            let moved = |it: &Arc<Stream>| registry.moved_to(&it.app, &it.name).is_some();
            if self.joined.as_ref().is_some_and(moved) {
                return Err(problem!("left-moved"));
            }
        }
        if self.joined.is_none() && registry.clock.now().since(self.began) >= CONNECT_TIMEOUT {
            return Err(problem!("left-not-connected"));
        }
        if self.joined.is_some() {
            for frame in frames {
                self.send(&frame, now);
            }
            knows_time &= !self.begin_again_if_due(now);
        }
        if let Some(video) = &mut self.video {
            let id = (self.joined.is_some()).then_some(&self.transport.mailbox);
            if let Some(chosen) = chosen {
                self.switching.take_choice(registry, video, chosen, id);
            }
            if let Some(largest) = self.switching.check(registry, video, id, now)? {
                set_desired(&mut self.transport.rtc, largest);
                // A probe of the link may begin at once.
                self.next_poll = now;
            }
        }
        // With the first report, str0m gets the time of the frames too.
        knows_time |= !link_reports.is_empty();
        for (report, from) in link_reports {
            self.transport.receive(registry, &report, &from)?;
        }
        if !knows_time {
            self.transport.rtc.handle_input(Input::Timeout(now)).map_err(|error| broken(&error))?;
        }
        let until = self.drain(registry, slot)?;
        Ok(until.min(Instant::now() + MAX_TASK_WAIT))
    }

    /// Returns true if the stream has got the video that the viewer wants.
    fn misses_video(&self) -> bool {
        self.lacks_video
            && self.joined.is_some()
            && self.switching.variants.main.tracks().borrow().is_known()
    }

    /// Adds the viewer to the stream.
    fn connected(
        &mut self,
        registry: &Arc<Registry>,
        slot: &ConnectionSlot,
    ) -> Result<(), Problem> {
        if self.joined.is_some() {
            return Ok(());
        }
        if !registry.admission.settle(slot.spot(), Purpose::Play) {
            return Err(problem!("left-too-many-viewers"));
        }
        let variants = &self.switching.variants;
        let stream = &variants.stream;
        let presence = Arc::new(Presence(Arc::clone(&self.transport.mailbox)));
        let viewer = (presence as Arc<dyn Sink>, registry.expulsions());
        let joined = registry.join(&stream.app, &stream.name, viewer, self.transport.peer);
        let joined = joined.map_err(NoRoom::problem)?;
        // A publisher that left before this tells the viewer nothing.
        self.gone_since = (!joined.is_published()).then(Instant::now);
        self.joined = Some(joined);
        variants.main.subscribe(&self.transport.mailbox);
        let Some(video) = &self.video else { return Ok(()) };
        let group = video.used.subscribe(&self.transport.mailbox);
        // Before this, the production could not end the session. The session ends with the next step,
        // because the viewer still needs the last messages of the handshake to learn about the end.
        let refused = video.used.tracks().borrow().refused;
        if let Some(refused) = refused {
            self.transport.mailbox.end(refused.problem());
        }
        let now = Instant::now();
        let large = group.iter().map(|frame| frame.size()).sum::<usize>() > LARGE_GOP_BYTES;
        if !(large && self.ask_encoder(registry, &group, now)) {
            self.restart(&group, now);
        }
        Ok(())
    }

    /// Restores the video of a viewer if retransmission could not repair a loss.
    fn restore_video(&mut self, registry: &Registry, now: Instant) {
        let soon = |before: Instant| now.duration_since(before) < MIN_RESTART_INTERVAL;
        if self.joined.is_none() || self.last_restart.is_some_and(soon) {
            return;
        }
        self.last_restart = Some(now);
        let Some(video) = &mut self.video else { return };
        // More packets would only make the viewer wait longer.
        if video.is_crowded(&mut self.transport.rtc, now) {
            return video.cursor.wait();
        }
        // The viewer has not received the frames yet that answered its last request.
        if video.awaits_cached(&mut self.transport.rtc) {
            return;
        }
        let group = video.used.group();
        if !self.ask_encoder(registry, &group, now) {
            self.restart(&group, now);
        }
    }

    /// Requests a keyframe from onair's own encoder, unless a recent one exists or the encoder
    /// cannot answer soon, and lets the viewer wait for the keyframe. Returns false if the viewer
    /// must use the cached frames.
    fn ask_encoder(&mut self, registry: &Registry, group: &[Arc<Frame>], now: Instant) -> bool {
        let age = |key: &Arc<Frame>| now.duration_since(key.arrived).as_micros() as i64;
        if group.first().map(age).is_some_and(|age| age < MAX_CACHED_KEYFRAME_AGE_MICROS) {
            return false;
        }
        let Some(video) = &mut self.video else { return true };
        let request = registry.webrtc.keyframe_request.read();
        if !video.used.request_keyframe(request.as_ref(), group, now) {
            return false;
        }
        video.cursor.wait();
        video.keyframe_deadline = Some(now + KEYFRAME_TIMEOUT);
        true
    }

    /// Uses the cached frames if the encoder takes too long. Returns true if they were used.
    fn begin_again_if_due(&mut self, now: Instant) -> bool {
        // The link first gets time for the earlier cached frames.
        let Some(video) = self.video.as_mut().filter(|it| !it.is_catching_up(now)) else {
            return false;
        };
        if video.keyframe_deadline.take_if(|deadline| now >= *deadline).is_none()
            || !video.cursor.is_waiting()
        {
            return false;
        }
        tracing::debug!("the encoder sent no keyframe");
        let group = video.used.group();
        self.restart(&group, now);
        true
    }

    /// Restarts with the frames since the last keyframe. If the link is slower than the stream, the viewer waits for
    /// the next keyframe. Nothing is sent again before the link had time for the last cached frames, because they may
    /// have been sent above its estimate.
    fn restart(&mut self, group: &[Arc<Frame>], now: Instant) {
        let Some(video) = &mut self.video else { return };
        if video.is_catching_up(now) {
            return;
        }
        if let Some(estimate) = self.switching.estimate {
            let Some(time) = catch_up_time(group, estimate) else { return video.cursor.wait() };
            video.catch_up(time, now);
        }
        let frames = video.cursor.restart(group);
        for (frame, at) in frames {
            self.unsent += frame.payloads.len();
            video.write_cached(&mut self.transport.rtc, &frame, at, now);
        }
    }

    /// Writes a frame for the viewer.
    fn send(&mut self, frame: &Arc<Frame>, now: Instant) {
        if frame.kind == FrameKind::Audio {
            if let Some(audio) = &mut self.audio {
                self.unsent += frame.payloads.len();
                audio.write(&mut self.transport.rtc, frame, now);
            }
            return;
        }
        let Some(video) = &mut self.video else { return };
        if let Some(before) = video.change_at(frame) {
            before.unsubscribe(self.transport.mailbox.id);
        }
        if video.used.production.id() != frame.production {
            return;
        }
        if video.route.payload_type(frame.is_av1).is_none() {
            // The publisher has returned with another codec.
            let codec = if frame.is_av1 { "AV1" } else { "H.264" };
            return self.transport.mailbox.end(Unplayable::Codec(codec).problem());
        }
        if video.is_crowded(&mut self.transport.rtc, now) {
            video.cursor.wait();
            self.switching.is_crowded = true;
            return;
        }
        if let Some(at) = video.cursor.next(frame) {
            video.keyframe_deadline = None;
            self.unsent += frame.payloads.len();
            video.write(&mut self.transport.rtc, frame, at, now);
        }
    }

    /// Ends the session for this reason, or because its code has panicked.
    fn leave(mut self, registry: &Arc<Registry>, reason: Option<Problem>) {
        let is_regular = reason.is_some();
        let reason = reason.unwrap_or_else(|| problem!("left-unexpected"));
        self.switching.variants.main.unsubscribe(self.transport.mailbox.id);
        if let Some(video) = &self.video {
            video.leave(self.transport.mailbox.id);
        }
        self.transport.end(registry, is_regular);
        let Some(stream) = &self.joined else {
            return tracing::info!(peer = %self.transport.peer, %reason, "a WHEP session ended without a viewer");
        };
        let after = registry.clock.now().since(self.began);
        let ended = Ended { reason, after, bytes: self.transport.mailbox.sent() };
        registry.leave(stream, self.transport.mailbox.id, self.transport.peer, ended);
    }
}

/// Tells the link estimator to probe for this bitrate.
fn set_desired(rtc: &mut Rtc, bitrate: u64) {
    rtc.bwe().set_bitrate(Bitrate::ZERO, Bitrate::bps((bitrate * 2).max(1_000_000)));
}

fn broken(error: &RtcError) -> Problem {
    tracing::info!(%error, "a WHEP session failed");
    problem!("left-broken")
}

#[cfg(test)]
pub(crate) mod tests;
