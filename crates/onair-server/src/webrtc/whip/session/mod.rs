//! One publisher: a task that drives its connection, and passes its frames to the stream.

mod guest;
mod output;
mod reordering;

use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use str0m::media::{KeyframeRequestKind, Mid, Rid};
use str0m::{Input, RtcError};
use tracing::Instrument as _;

use crate::base::Timestamp;
use crate::server::access::admission::Purpose;
use crate::server::access::callback::calls::DoneCall;
use crate::server::access::grant::Grant;
use crate::server::event::Protocol;
use crate::server::event::log::SESSION_LOG_TARGET;
use crate::server::outputs::{hls, recordings};
use crate::server::registry::guests::GuestSlot;
use crate::server::registry::{
    ConnectionSlot, Publication, PublishRight, Refused as PublishRefused, Registry,
};
use crate::server::relay::pulls;
use crate::server::relay::pushes::push_on;
use crate::server::stream::relayed::RelaySource;
use crate::server::webrtc::answer::Local;
use crate::server::webrtc::endpoint::Arrival;
use crate::server::webrtc::mailbox::{IceNames, Mailbox, Waiting};
use crate::server::webrtc::transport::{Secrets, Transport};
use crate::server::webrtc::whip::keyframes::KeyframeRequests;
use crate::server::webrtc::whip::layers::Layers;
use crate::server::webrtc::whip::negotiation::{Negotiated, negotiate};
use crate::server::webrtc::whip::session::reordering::Reordering;
use crate::server::webrtc::whip::timeline::Timeline;
use crate::server::webrtc::whip::tracks::Tracks;
use crate::text::problem::{Problem, problem};
use crate::wire::rtmp::stream_name::StreamName;
use crate::wire::webrtc::sdp::Offer;

/// Time limit for a publisher to connect.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the audio of a new publisher waits for its first picture.
const MAX_AUDIO_HOLD: Duration = Duration::from_secs(3);
/// Maximum wait of the task.
const MAX_TASK_WAIT: Duration = Duration::from_secs(1);

/// A publisher that may publish.
#[derive(Debug)]
pub(crate) struct AdmittedPublisher {
    pub id: u64,
    /// The stream. Its query identifies the publisher when it returns.
    pub name: StreamName,
    pub grant: Grant,
    /// True if the publisher has logged in with the server's password.
    pub welcome: bool,
    /// The publisher's software.
    pub encoder: String,
    /// The place of a guest.
    pub guest: Option<Arc<GuestSlot>>,
}

/// A session that has just started.
#[derive(Debug)]
pub(crate) struct BegunSession {
    pub answer: String,
    /// The last part of the session's URL.
    pub resource: String,
    /// The entity tag of the session's ICE state.
    pub tag: String,
}

/// The reason why there is no session.
#[derive(Debug)]
pub(crate) enum Refused {
    Off,
    /// The offer is unusable.
    Offer(String),
    /// The server has too many connections.
    Full,
    /// The stream cannot be published now.
    Stream(PublishRefused, Problem),
}

/// Begins a session. This function must be called within the runtime.
pub(crate) fn begin(
    registry: &Arc<Registry>,
    offer: &str,
    client: (SocketAddr, Arrival),
    publisher: AdmittedPublisher,
) -> Result<BegunSession, Refused> {
    let id = publisher.id;
    let (session, slot, begun) = prepare(registry, offer, client, publisher)?;
    let span = tracing::info_span!(target: SESSION_LOG_TARGET, "whip", session = id);
    // A publisher writes to all its viewers at once, which the task budget must not interrupt halfway.
    let run = session.run(Arc::clone(registry), slot).instrument(span);
    tokio::spawn(tokio::task::unconstrained(run));
    Ok(begun)
}

/// Creates a session and adds it to the list of sessions.
fn prepare(
    registry: &Arc<Registry>,
    offer: &str,
    (peer, arrival): (SocketAddr, Arrival),
    publisher: AdmittedPublisher,
) -> Result<(Session, ConnectionSlot, BegunSession), Refused> {
    let AdmittedPublisher { id, name, mut grant, welcome, encoder, guest } = publisher;
    let endpoint = registry.webrtc.endpoint().ok_or(Refused::Off)?;
    let parse = if guest.is_some() { Offer::parse_guest } else { Offer::parse_publisher };
    let offer = parse(offer).map_err(|error| Refused::Offer(error.to_string()))?;
    let proven = grant.proven || welcome;
    let right = PublishRight { proven, relayed: false, limits: grant.limits };
    registry.may_publish(peer, &name, right).map_err(|refused| {
        let why = registry.refuse_publisher((peer, Protocol::Whip), &name, refused);
        Refused::Stream(refused, why)
    })?;
    let slot = registry.admit(peer).ok_or(Refused::Full)?;
    let secrets = Secrets::generate().ok_or(Refused::Full)?;
    let public = &registry.config.webrtc_addresses;
    let addresses = registry.webrtc.candidates(&endpoint, arrival, public);
    let local = Local {
        ufrag: &secrets.ufrag,
        password: &secrets.password,
        addresses: &addresses,
        // A router passes no TCP connections on to the port.
        has_tcp: endpoint.has_tcp && !arrival.meets,
        certificate: &endpoint.certificate,
    };
    let now = Instant::now();
    let Negotiated { rtc, answer, video, audio } =
        negotiate(&offer, &local, now).map_err(|error| Refused::Offer(error.to_string()))?;
    let ice = IceNames { local: secrets.ufrag.clone(), remote: offer.ufrag };
    let tag = ice.tag();
    let mailbox = Mailbox::of_publisher(id, secrets.resource.clone(), ice);
    let transport = Transport::new(
        &endpoint,
        (rtc, &answer),
        &mailbox,
        &offer.password,
        (addresses, peer),
        now,
    );
    registry.webrtc.routes.add(&mailbox);
    let done = grant.done.take();
    let session = Session {
        transport,
        video,
        audio,
        name,
        right,
        grant,
        publication: None,
        tracks: Tracks::new((video.is_some(), audio.is_some()), &encoder),
        timeline: Timeline::default(),
        layers: Layers::default(),
        keyframes: KeyframeRequests::new(now),
        reordering: Reordering::default(),
        began: now,
        connected_at: None,
        last_media: now,
        flush_at: None,
        guest,
        _done: done,
    };
    let begun = BegunSession { answer, resource: secrets.resource, tag };
    Ok((session, slot, begun))
}

/// The session of a publisher.
struct Session {
    transport: Transport,
    /// The mids of the tracks.
    video: Option<Mid>,
    audio: Option<Mid>,
    name: StreamName,
    right: PublishRight,
    grant: Grant,
    /// The publication, once connected.
    publication: Option<Publication>,
    tracks: Tracks,
    timeline: Timeline,
    layers: Layers,
    keyframes: KeyframeRequests,
    reordering: Reordering,
    began: Instant,
    connected_at: Option<Instant>,
    /// The time of the last media that was passed on.
    last_media: Instant,
    /// Time until which the stream holds messages for its many viewers.
    flush_at: Option<Timestamp>,
    /// The place of a guest, who also hears audio.
    guest: Option<Arc<GuestSlot>>,
    /// When dropped, informs a callback that the publisher has finished.
    _done: Option<Box<DoneCall>>,
}

impl Session {
    /// Runs until either side ends.
    async fn run(mut self, registry: Arc<Registry>, slot: ConnectionSlot) {
        let end = {
            let (stopped, evicted) = (registry.stopped(), slot.evicted());
            let sleep = tokio::time::sleep(Duration::ZERO);
            tokio::pin!(stopped, evicted, sleep);
            loop {
                let mailbox = Arc::clone(&self.transport.mailbox);
                let dismissal = self.publication.as_ref().map(|it| Arc::clone(&it.dismissal));
                let guest = self.guest.clone();
                let guest_news = async {
                    guest?.news().await;
                    Some(())
                };
                let dismissed = async { Some(dismissal?.stop_reason().await) };
                tokio::select! {
                    biased;
                    () = &mut stopped => break Some(problem!("left-server-stopped")),
                    () = &mut evicted => break Some(problem!("left-evicted")),
                    Some(reason) = dismissed => break Some(reason),
                    () = mailbox.news() => {}
                    Some(()) = guest_news => {}
                    () = &mut sleep => {}
                }
                // A fault ends one session, but leaves no entry of the session in the shared lists.
                let step = || self.step(&registry, &slot);
                match catch_unwind(AssertUnwindSafe(step)) {
                    Ok(Ok(until)) => sleep.as_mut().reset(until.into()),
                    Ok(Err(reason)) => break Some(reason),
                    // `None` means that the session's code panicked.
                    Err(_) => break None,
                }
                if let Some(publication) = &self.publication {
                    let now = registry.clock.now();
                    publication.stream.send_rest(&registry.admission, now).await;
                }
            }
        };
        self.leave(&registry, &slot, end);
        drop(slot);
    }

    /// Does the pending work, and returns the time of the next work.
    fn step(
        &mut self,
        registry: &Arc<Registry>,
        slot: &ConnectionSlot,
    ) -> Result<Instant, Problem> {
        let Waiting { datagrams, link_reports, end, restart, reach, .. } =
            self.transport.mailbox.take();
        if let Some(reason) = end {
            return Err(reason);
        }
        let mut received = 0;
        for (datagram, from) in datagrams.into_iter().chain(link_reports) {
            received += datagram.len() as u64;
            self.transport.receive(registry, &datagram, &from)?;
            // str0m must be polled after each change.
            self.drain(registry, slot)?;
        }
        registry.totals.received_bytes.fetch_add(received, std::sync::atomic::Ordering::Relaxed);
        if let Some(restart) = restart {
            self.transport.restart_ice(registry, restart);
        }
        self.transport.reach(&reach);
        let now = Instant::now();
        self.check_time(registry, now)?;
        self.transport.rtc.handle_input(Input::Timeout(now)).map_err(|error| broken(&error))?;
        let mut until = self.drain(registry, slot)?;
        if self.asks_for_keyframe(now) {
            // The request leaves with the next time.
            let now = Instant::now();
            self.transport.rtc.handle_input(Input::Timeout(now)).map_err(|error| broken(&error))?;
            until = self.drain(registry, slot)?;
        }
        self.pass_on(registry, now);
        self.speak(registry, slot)?;
        let flush = self.flush_at.map(|at| registry.clock.instant(at));
        let keyframe = self.publication.as_ref().and(self.video).map(|_| self.keyframes.next());
        let limits = [flush, keyframe, Some(Instant::now() + MAX_TASK_WAIT)];
        Ok(limits.into_iter().flatten().fold(until, Instant::min))
    }

    /// Fails if the publisher takes too long.
    fn check_time(&mut self, registry: &Registry, now: Instant) -> Result<(), Problem> {
        let Some(connected) = self.connected_at else {
            let is_late = now.duration_since(self.began) >= CONNECT_TIMEOUT;
            return if is_late { Err(problem!("left-not-connected")) } else { Ok(()) };
        };
        if now.duration_since(self.last_media) >= registry.config.limits.silent_publisher {
            return Err(problem!("left-silent"));
        }
        if self.tracks.is_audio_held() && now.duration_since(connected) >= MAX_AUDIO_HOLD {
            self.tracks.release_audio();
        }
        Ok(())
    }

    /// Asks the publisher for a keyframe, if viewers need one. Returns true if a request waits in str0m.
    fn asks_for_keyframe(&mut self, now: Instant) -> bool {
        let Some(mid) = self.video.filter(|_| self.publication.is_some()) else { return false };
        if !self.keyframes.is_due(now) {
            return false;
        }
        let layers: Vec<Option<Rid>> = match self.layers.is_used() {
            true => self.layers.wanted(now).into_iter().map(Some).collect(),
            false => vec![None],
        };
        let mut is_asked = false;
        for rid in layers {
            // Before the first packet, there is nobody to ask.
            if let Some(mut writer) = self.transport.rtc.writer(mid) {
                is_asked |= writer.request_keyframe(rid, KeyframeRequestKind::Pli).is_ok();
            }
        }
        is_asked
    }

    /// Passes the messages so far to the stream.
    fn pass_on(&mut self, registry: &Registry, now: Instant) {
        let Some(publication) = &self.publication else { return };
        let at = registry.clock.now();
        if !self.tracks.messages().is_empty() {
            self.last_media = now;
            let messages = self.tracks.messages();
            self.flush_at = publication.stream.take(self.transport.mailbox.id, messages, at);
        } else if self.flush_at.is_some_and(|flush_at| at >= flush_at) {
            self.flush_at = None;
            publication.stream.flush();
        }
    }

    /// Claims the stream of a publisher that has connected.
    fn connected(
        &mut self,
        registry: &Arc<Registry>,
        slot: &ConnectionSlot,
    ) -> Result<(), Problem> {
        if self.publication.is_some() {
            return Ok(());
        }
        let (id, peer) = (self.transport.mailbox.id, self.transport.peer);
        let of_protocol = (peer, Protocol::Whip);
        let seat = self.name.query.strip_prefix("seat=").unwrap_or_default();
        if self.guest.as_ref().is_some_and(|place| !place.connected(id, seat)) {
            return Err(problem!("left-replaced"));
        }
        let publication = registry
            .publish_by(id, of_protocol, &self.name, self.right)
            .map_err(|refused| registry.refuse_publisher(of_protocol, &self.name, refused))?;
        registry.admission.settle(slot.spot(), Purpose::Publish);
        // The recording must start before the first data is handled.
        let recorded = self.grant.recorded.take().map(|recorded| *recorded);
        // The studio alone plays guests.
        if self.guest.is_none() {
            recordings::begin(registry, &publication.stream, recorded);
            hls::begin(registry, &publication.stream);
        }
        publication.stream.set_source(id, RelaySource::default());
        if self.guest.is_none() {
            push_on(registry, &publication.stream);
        }
        let now = Instant::now();
        (self.connected_at, self.last_media) = (Some(now), now);
        self.keyframes = KeyframeRequests::new(now);
        self.publication = Some(publication);
        Ok(())
    }

    /// Ends the session for this reason, or because its code has panicked.
    fn leave(mut self, registry: &Arc<Registry>, slot: &ConnectionSlot, reason: Option<Problem>) {
        let is_regular = reason.is_some();
        let reason = reason.unwrap_or_else(|| problem!("left-unexpected"));
        if is_regular {
            self.pass_on(registry, Instant::now());
        }
        self.transport.end(registry, is_regular);
        if let Some(place) = &self.guest {
            place.left(self.transport.mailbox.id);
        }
        let peer = self.transport.peer;
        registry.admission.unsettle(slot.spot());
        match self.publication.take() {
            Some(publication) => {
                registry.unpublish(&publication, self.transport.mailbox.id, peer, reason);
                pulls::resume(registry, &publication.stream);
            }
            None => tracing::info!(%peer, %reason, "a WHIP session ended without a publication"),
        }
    }
}

fn broken(error: &RtcError) -> Problem {
    tracing::info!(%error, "a WHIP session failed");
    problem!("left-broken")
}
