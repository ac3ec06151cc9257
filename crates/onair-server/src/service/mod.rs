//! Floor 4: the built-in server. It accepts RTMP publishers, serves their streams to RTMP and
//! HTTP-FLV viewers, runs their chats, and reports its state over HTTP. A new viewer gets metadata,
//! codec configs and the frames since the last keyframe at once; a slow viewer skips to the next
//! keyframe and affects nobody. It runs on the network runtime, without its own thread.

mod datagrams;
mod drained;
mod end;
mod guests;
mod https;
mod listen;
mod meeting;
pub mod operator_chat;
mod program_audio;
mod srt;
mod srt_switch;

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;

use crate::base::{Clock, queue as base_queue};
use crate::net::rtmp::tunnel::Gate;
use crate::net::tls::acme::{self, AcmeEvent};
use crate::net::webrtc::{Certificate, DatagramSocket};
use crate::net::{Identity, Listener, Runtime, Stream};
use crate::server::access::grant;
use crate::server::event::{Event, Protocol, StreamFigures};
use crate::server::fault::Fault;
use crate::server::outputs::aac;
use crate::server::outputs::recordings::retention;
use crate::server::outputs::renditions::measurement::measure;
use crate::server::outputs::viewers::{self, ViewerChoice};
use crate::server::registry::access::known_names;
use crate::server::registry::config::{Config, Listen};
use crate::server::registry::guests::GUEST_APP;
use crate::server::registry::port::{OpenPort, Port, port};
use crate::server::registry::{ConnectionSlot, Registry};
use crate::server::relay::pulls;
use crate::server::service::listen::{MAX_PORT_TRIES, bind, released};
use crate::server::service::srt::SrtListener;
use crate::server::webrtc;
use crate::server::webrtc::whep::production::keyframe_request::KeyframeRequest;
use crate::text::problem::problem;
use crate::wire::http::Fields;

pub use crate::server::service::listen::{Addresses, Error};

/// A client that sends nothing within this time is disconnected.
const FIRST_DATA_TIMEOUT: Duration = Duration::from_secs(5);

/// Time limit for closing tunnels.
const TUNNEL_CLOSE_TIMEOUT: Duration = Duration::from_millis(700);

/// Maximum number of unread events.
const MAX_UNREAD_EVENTS: usize = 1_024;

/// A running server. Dropping the value ends the server without waiting.
#[derive(Debug)]
pub struct Server {
    registry: Arc<Registry>,
    gate: Arc<Gate>,
    /// The TLS identity for new clients, if there is a TLS address.
    identity: Option<Arc<Mutex<Identity>>>,
    runtime: Runtime,
    addresses: Addresses,
    events: base_queue::Receiver<Event>,
    /// The changes of a certificate from an authority.
    certificates: Option<base_queue::Receiver<AcmeEvent>>,
    ports: Ports,
}

/// Maximum number of unread changes of the certificate. Only the newest ones count.
const MAX_UNREAD_CERTIFICATES: usize = 16;

/// Begins to get certificates from an authority, if the configuration says so.
fn get_certificates(
    runtime: &Runtime,
    registry: &Arc<Registry>,
    identity: &Arc<Mutex<Identity>>,
) -> Option<base_queue::Receiver<AcmeEvent>> {
    let config = registry.config.acme.clone()?;
    let (sender, events) =
        base_queue::bounded("certificates", MAX_UNREAD_CERTIFICATES, base_queue::Full::DropOldest);
    let challenges = Arc::clone(&registry.challenges);
    let first = identity.lock().clone().answering(&challenges);
    *identity.lock() = first;
    let (identity, registry) = (Arc::clone(identity), Arc::clone(registry));
    let on_event = {
        let challenges = Arc::clone(&challenges);
        move |event| {
            if let AcmeEvent::Issued { identity: new, .. } = &event {
                *identity.lock() = new.clone().answering(&challenges);
            }
            let _ = sender.send(event);
        }
    };
    runtime.spawn(async move {
        tokio::select! {
            () = registry.stopped() => {}
            () = acme::run(config, challenges, on_event) => {}
        }
    });
    Some(events)
}

/// The ports; most can move to another address while the server runs.
#[derive(Debug)]
struct Ports {
    rtmp: Port,
    http: Option<Port>,
    webrtc: Option<WebRtcPort>,
    https: Option<Port>,
    srt: Option<SrtListener>,
    /// The other ports. Each closes when its `Port` is dropped.
    _fixed: Vec<Port>,
}

/// The UDP port of WebRTC, and the certificate that it keeps when it moves.
#[derive(Debug)]
struct WebRtcPort {
    port: Port,
    socket: Weak<DatagramSocket>,
    certificate: Certificate,
}

impl Server {
    /// Starts to listen and serve.
    ///
    /// # Errors
    /// Fails if the server cannot listen on an address.
    pub fn start(runtime: &Runtime, clock: Clock, config: Config) -> Result<Self, Error> {
        let rtmp = bind(runtime, "RTMP", config.rtmp)?;
        let identity = config.identity.clone().map(|it| Arc::new(Mutex::new(it)));
        let with_tls = |listen: Option<Listen>| listen.filter(|_| identity.is_some());
        let rtmps = with_tls(config.rtmps);
        let rtmps = rtmps.map(|listen| bind(runtime, "RTMPS", listen)).transpose()?;
        let rtmpt = config.rtmpt.map(|listen| bind(runtime, "RTMPT", listen)).transpose()?;
        let http = config.http.map(|listen| bind(runtime, "HTTP", listen)).transpose()?;
        let https = with_tls(config.https);
        let https = https.map(|listen| bind(runtime, "HTTPS", listen)).transpose()?;
        let webrtc = config.webrtc.filter(|_| http.is_some() || https.is_some());
        let webrtc = webrtc
            .map(|listen| open_webrtc(runtime, listen, config.webrtc_certificate.clone()))
            .transpose()?;
        let srt = config.srt.map(|listen| srt::open_port(runtime, listen)).transpose()?;
        let moved = |listen: Option<Listen>, real: Option<SocketAddr>| {
            let ports = listen.zip(real).map(|(listen, real)| (listen.address.port(), real.port()));
            ports.is_some_and(|(wanted, used)| wanted != 0 && wanted != used)
        };
        let http_address = http.as_ref().map(Listener::local_addr);
        let webrtc_address = webrtc.as_ref().map(|(socket, _)| socket.local_addr());
        let addresses = Addresses {
            rtmp: rtmp.local_addr(),
            rtmps: rtmps.as_ref().map(Listener::local_addr),
            rtmpt: rtmpt.as_ref().map(Listener::local_addr),
            http: http_address,
            https: https.as_ref().map(Listener::local_addr),
            webrtc: webrtc_address,
            srt: srt.as_ref().map(|(_, address)| *address),
            rtmp_moved: moved(Some(config.rtmp), Some(rtmp.local_addr())),
            http_moved: moved(config.http, http_address),
            webrtc_moved: moved(config.webrtc, webrtc_address),
        };
        let (sender, events) =
            base_queue::bounded("server events", MAX_UNREAD_EVENTS, base_queue::Full::DropOldest);
        let gate = Arc::new(Gate::new(known_names(&config)));
        let redirects = config.redirects_to_https;
        let registry = Arc::new(Registry::new(config, clock, sender, runtime.handle()));
        if let Some(address) = addresses.https.filter(|_| redirects) {
            let _ = registry.redirect_to.set(address.port());
        }
        let certificates =
            identity.as_ref().and_then(|it| get_certificates(runtime, &registry, it));
        let measured = Arc::clone(&registry);
        runtime.spawn(async move { measure(&measured).await });
        runtime.spawn(retention::run(Arc::clone(&registry)));
        runtime.spawn(aac::run(Arc::clone(&registry)));
        let serve_rtmp =
            |listener, identity| serve_rtmp(runtime, (&gate, &registry), listener, identity);
        let rtmp = serve_rtmp(rtmp, None);
        let rtmpt = rtmpt.map(|rtmpt| serve_rtmp(rtmpt, None));
        let rtmps = rtmps.map(|rtmps| serve_rtmp(rtmps, identity.clone()));
        let https = https.map(|https| serve_http(runtime, &registry, https, identity.clone()));
        let srt = srt.map(|(socket, _)| srt::serve(runtime, &registry, socket));
        let fixed = [rtmpt, rtmps].into_iter().flatten().collect();
        let webrtc = webrtc
            .map(|(socket, certificate)| serve_webrtc(runtime, &registry, socket, certificate));
        let http = http.map(|http| serve_http(runtime, &registry, http, None));
        meeting::begin(runtime, &registry);
        pulls::begin(&registry);
        runtime.spawn(pulls::start_refused(Arc::clone(&registry)));
        let ports = Ports { rtmp, http, webrtc, https, srt, _fixed: fixed };
        let runtime = runtime.clone();
        Ok(Self { registry, gate, identity, runtime, addresses, events, certificates, ports })
    }

    /// Moves the RTMP port to another address. Its clients stay, unless they are on other computers and the new
    /// address is for this computer only. This function must not be called within the runtime.
    ///
    /// # Errors
    /// Fails if the server cannot listen on `to`. The server then listens on the previous address.
    /// If that is taken too, the server no longer listens for RTMP.
    pub fn move_rtmp(&mut self, to: Listen) -> Result<(), Error> {
        let was = Listen::exactly(self.addresses.rtmp);
        self.runtime.block_on(self.ports.rtmp.close());
        if to.address.ip().is_loopback() {
            self.ports.rtmp.disconnect_others(&self.registry);
        }
        let bound = bind(&self.runtime, "RTMP", to);
        let (listener, result) = match bound {
            Ok(listener) => (listener, Ok(())),
            Err(error) => (bind(&self.runtime, "RTMP", was)?, Err(error)),
        };
        self.addresses.rtmp = listener.local_addr();
        let server = (&self.gate, &self.registry);
        self.ports.rtmp = serve_rtmp(&self.runtime, server, listener, None);
        result
    }

    /// Moves the ports of HTTP and WebRTC to other addresses, if the server has them. HTTP clients stay as for
    /// [`move_rtmp`](Self::move_rtmp). WebRTC sessions end, because their socket closes, unless it has the address
    /// already. This function must not be called within the runtime.
    ///
    /// # Errors
    /// Fails if the server cannot listen on `http` or `webrtc`. If `http` fails, nothing moves. If
    /// only `webrtc` fails, HTTP has moved, and WebRTC uses its previous port, or a later one if
    /// that is taken. If neither `http` nor the previous address is free, HTTP stays closed.
    pub fn move_http(&mut self, http: Listen, webrtc: Listen) -> Result<(), Error> {
        let Some(port) = &self.ports.http else { return Ok(()) };
        self.runtime.block_on(port.close());
        if http.address.ip().is_loopback() {
            port.disconnect_others(&self.registry);
        }
        // The port stays closed if an earlier move failed, and may open now.
        let was = self.addresses.http.take().map(Listen::exactly);
        let (listener, result) = match (bind(&self.runtime, "HTTP", http), was) {
            (Ok(listener), _) => (listener, self.move_webrtc(webrtc)),
            (Err(error), Some(was)) => (bind(&self.runtime, "HTTP", was)?, Err(error)),
            (Err(error), None) => return Err(error),
        };
        self.addresses.http = Some(listener.local_addr());
        self.ports.http = Some(serve_http(&self.runtime, &self.registry, listener, None));
        result
    }

    fn move_webrtc(&mut self, to: Listen) -> Result<(), Error> {
        if self.addresses.webrtc == Some(to.address) {
            // Guests who come across the internet stay when the own network may watch no longer.
            return Ok(());
        }
        let Some(WebRtcPort { port, socket, certificate }) = self.ports.webrtc.take() else {
            return Ok(());
        };
        self.registry.webrtc.close(&problem!("left-webrtc-moved"));
        self.runtime.block_on(async {
            port.close().await;
            released(&socket).await;
        });
        let was = self.addresses.webrtc.take();
        let bound = open_webrtc(&self.runtime, to, Some(certificate.clone()));
        let (opened, result) = match (bound, was) {
            (Ok(opened), _) => (Some(opened), Ok(())),
            (Err(error), Some(was)) => {
                let was = Listen { address: was, or_next: true };
                (open_webrtc(&self.runtime, was, Some(certificate.clone())).ok(), Err(error))
            }
            (Err(error), None) => (None, Err(error)),
        };
        let webrtc = match opened {
            Some((socket, certificate)) => {
                self.addresses.webrtc = Some(socket.local_addr());
                serve_webrtc(&self.runtime, &self.registry, socket, certificate)
            }
            // The port may open at the next move.
            None => WebRtcPort { port, socket, certificate },
        };
        self.ports.webrtc = Some(webrtc);
        result
    }

    /// Returns the addresses at which the server listens.
    pub fn addresses(&self) -> Addresses {
        self.addresses
    }

    /// Returns the events of the server. If nobody reads them, the oldest are dropped.
    pub fn events(&self) -> &base_queue::Receiver<Event> {
        &self.events
    }

    /// Returns the current streams by name.
    pub fn streams(&self) -> Vec<StreamFigures> {
        self.registry.figures()
    }

    /// Returns the streams that viewers watch. Those of guests are for the studio alone.
    fn watched(&self) -> impl Iterator<Item = StreamFigures> {
        self.streams().into_iter().filter(|stream| stream.app != GUEST_APP)
    }

    /// Returns the current number of viewers of all streams.
    pub fn viewers(&self) -> usize {
        self.watched().map(|stream| stream.viewers).sum()
    }

    /// Returns the current number of viewers by protocol.
    pub fn viewers_by_protocol(&self) -> BTreeMap<Protocol, usize> {
        let mut viewers = BTreeMap::new();
        for (protocol, count) in self.watched().flat_map(|stream| stream.protocols) {
            *viewers.entry(protocol).or_default() += count;
        }
        viewers
    }

    /// Returns the number of files in progress.
    pub fn files_under_way(&self) -> usize {
        self.registry.files.count()
    }

    /// Sets the function that requests a keyframe for WHEP viewers of the own stream. With `None`,
    /// viewers do not wait for a keyframe, and use the cached frames.
    pub fn set_keyframe_request(&self, request: Option<KeyframeRequest>) {
        *self.registry.webrtc.keyframe_request.write() = request;
    }

    /// Replaces the simulated faults, also for existing connections.
    pub fn set_faults(&self, faults: Vec<Fault>) {
        self.registry.lab.set(faults);
    }

    /// Applies another configuration without disconnecting anybody: access rules, publish keys, login,
    /// certificate, names, origins, token, rules for recordings,
    /// renditions, faults, relays and successor. Returns the names of the settings that differ and need a restart.
    pub fn reload(&self, config: &Config) -> Vec<&'static str> {
        self.registry.reload(config);
        pulls::set_rules(&self.registry, &config.relays);
        self.gate.set_names(known_names(config));
        if let Some(identity) = &config.identity {
            self.set_identity(identity.clone());
        }
        let old = &self.registry.config;
        let differs = [
            ("rtmp", old.rtmp != config.rtmp),
            ("rtmps", old.rtmps != config.rtmps),
            ("rtmpt", old.rtmpt != config.rtmpt),
            ("http", old.http != config.http),
            ("https", old.https != config.https),
            ("https_redirect", old.redirects_to_https != config.redirects_to_https),
            ("webrtc", old.webrtc != config.webrtc),
            ("webrtc_address", old.webrtc_addresses != config.webrtc_addresses),
            ("srt", old.srt != config.srt),
            ("meeting", meeting::differs(old, config)),
            ("record", old.record != config.record),
            // The system may allow fewer connections than viewers.
            ("max_connections", old.limits.viewers != config.limits.viewers),
            ("max_per_address", old.limits.per_address != config.limits.per_address),
            ("max_streams", old.limits.streams != config.limits.streams),
            ("hls", old.hls != config.hls),
            ("fault_seed", old.fault_seed != config.fault_seed),
        ];
        differs.into_iter().filter_map(|(name, differs)| differs.then_some(name)).collect()
    }

    /// Disconnects all viewers and members of chats, and makes the passes of HLS viewers invalid, so that all need a key that
    /// is valid now. Publishers stay.
    pub fn expel_viewers(&self) {
        viewers::end(&self.registry, ViewerChoice::All, &grant::expelled());
    }

    /// Sets the address at which clients reconnect when this server ends.
    pub fn set_successor(&self, successor: Option<String>) {
        *self.registry.successor.lock() = successor;
    }

    /// Asks publishers and viewers that support it to reconnect to the successor, and accepts no
    /// new RTMP clients. HTTP viewers follow their streams to the HTTP successor. The server continues
    /// for the other clients.
    pub fn drain(&self) {
        self.registry.drain(None, None);
    }

    /// Ends the server: accepts no more clients, informs publishers and viewers, and closes
    /// connections. Waits at most `limit`, and then as long for callbacks. Returns true if all connections
    /// were closed in time. This function must not be called within the runtime.
    pub fn shutdown(&self, limit: Duration) -> bool {
        self.registry.stop();
        self.runtime.block_on(drained::drained(&self.registry, limit))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.registry.stop();
    }
}

/// Serves RTMP on this socket.
fn serve_rtmp(
    runtime: &Runtime,
    (gate, registry): (&Arc<Gate>, &Arc<Registry>),
    listener: Listener,
    identity: Option<Arc<Mutex<Identity>>>,
) -> Port {
    let (port, open) = port();
    runtime.spawn(accept(listener, identity, Arc::clone(gate), Arc::clone(registry), open));
    port
}

/// Serves HTTP on this socket; with an identity, over TLS.
fn serve_http(
    runtime: &Runtime,
    registry: &Arc<Registry>,
    listener: Listener,
    identity: Option<Arc<Mutex<Identity>>>,
) -> Port {
    let (port, open) = port();
    runtime.spawn(crate::server::http::serve(listener, identity, Arc::clone(registry), open));
    port
}

/// Serves WebRTC on this socket.
fn serve_webrtc(
    runtime: &Runtime,
    registry: &Arc<Registry>,
    socket: DatagramSocket,
    certificate: Certificate,
) -> WebRtcPort {
    let (port, open) = port();
    let socket = Arc::new(socket);
    // This listener is for viewers without UDP. Everything else works without it.
    let tcp = Listener::bind(runtime.handle(), socket.local_addr())
        .inspect_err(|error| tracing::warn!(%error, "no TCP on the port of WebRTC"));
    registry.webrtc.open(Arc::clone(&socket), certificate.clone(), tcp.is_ok());
    if let Ok(listener) = tcp {
        runtime.spawn(webrtc::tcp::accept(listener, Arc::clone(registry), open.clone()));
    }
    let weak = Arc::downgrade(&socket);
    runtime.spawn(datagrams::receive(socket, Arc::clone(registry), open));
    WebRtcPort { port, socket: weak, certificate }
}

/// Opens the UDP port of WebRTC with its certificate.
fn open_webrtc(
    runtime: &Runtime,
    listen: Listen,
    known: Option<Certificate>,
) -> Result<(DatagramSocket, Certificate), Error> {
    let Listen { address, or_next } = listen;
    let tries = if or_next && address.port() != 0 { MAX_PORT_TRIES } else { 0 };
    let failed = |source| Error { what: "WebRTC", address, source };
    let bind = || DatagramSocket::bind_or_next(runtime.handle(), address, tries).map_err(failed);
    let mut socket = bind()?;
    // Viewers without UDP need TCP on the same port, so the system may have to choose another one.
    for _ in 0..MAX_PORT_TRIES {
        if address.port() != 0 || Listener::bind(runtime.handle(), socket.local_addr()).is_ok() {
            break;
        }
        socket = bind()?;
    }
    let made = || Certificate::generate().map_err(|error| failed(io::Error::other(error)));
    let certificate = known.map_or_else(made, Ok)?;
    Ok((socket, certificate))
}

/// Accepts clients until the port closes; with an identity, the clients use TLS.
async fn accept(
    listener: Listener,
    identity: Option<Arc<Mutex<Identity>>>,
    gate: Arc<Gate>,
    registry: Arc<Registry>,
    open: OpenPort,
) {
    let port = open.clone();
    let serve = |stream, peer, place| {
        let identity = identity.as_ref().map(|it| it.lock().clone());
        let (gate, registry, port) = (Arc::clone(&gate), Arc::clone(&registry), port.clone());
        tokio::spawn(async move {
            let came = Box::pin(through_proxy(&registry, port, (stream, peer, place))).await;
            let Some((stream, peer, place)) = came else { return };
            let secured = match identity {
                None => Ok(stream),
                Some(identity) => tokio::select! {
                    biased;
                    () = place.evicted() => return,
                    secured = Box::pin(identity.welcome(stream)) => secured,
                },
            };
            match secured {
                Ok(stream) => converse(stream, peer, place, &gate, registry).await,
                Err(cause) => tracing::info!(%peer, %cause, "the TLS handshake failed"),
            }
        });
    };
    open.accept(listener, &registry, serve).await;
}

/// A connection: its stream, the address of its client, and its slot.
type Accepted = (Stream, SocketAddr, ConnectionSlot);

/// Replaces the address and the slot of a trusted proxy with those of its client, if the proxy names it;
/// `None` if the connection is over.
async fn through_proxy(
    registry: &Arc<Registry>,
    port: OpenPort,
    (mut stream, peer, place): Accepted,
) -> Option<Accepted> {
    let access = registry.access();
    let proxies = &access.rules.proxies;
    if !proxies.protocol || !proxies.is_trusted(peer.ip()) {
        return Some((stream, peer, place));
    }
    let header = tokio::select! {
        biased;
        () = registry.stopped() => return None,
        () = place.evicted() => return None,
        header = tokio::time::timeout(FIRST_DATA_TIMEOUT, stream.read_proxy_header()) => header,
    };
    match header {
        Ok(Ok(None)) => Some((stream, peer, place)),
        Ok(Ok(Some(client))) => {
            drop(place);
            let Some(place) = registry.take_slot(client) else {
                tracing::debug!(peer = %client, proxy = %peer, "refused a connection: too many connections");
                return None;
            };
            port.note(client, &place);
            Some((stream, client, place))
        }
        Ok(Err(error)) => {
            tracing::debug!(%peer, %error, "a proxy sent no valid PROXY header");
            None
        }
        Err(_) => {
            tracing::debug!(%peer, "a client sent no data in time");
            None
        }
    }
}

/// Returns the address of a tunnel's client, which a trusted proxy names in these fields.
fn tunnel_client(registry: &Registry, peer: SocketAddr, fields: &Fields) -> SocketAddr {
    let access = registry.access();
    let proxies = &access.rules.proxies;
    SocketAddr::new(proxies.client(peer.ip(), fields.all(proxies.header.name())), peer.port())
}

/// Serves a client with RTMP, or with HTTP for a tunnel: the first bytes decide. Rare parts (TLS
/// and tunnels) use separate memory. A task is as large as its largest state, so with the tunnel
/// inside the task, each player needed 16 KB more.
async fn converse(
    mut stream: Stream,
    peer: SocketAddr,
    place: ConnectionSlot,
    gate: &Arc<Gate>,
    registry: Arc<Registry>,
) {
    let first_word = tokio::select! {
        biased;
        () = registry.stopped() => return,
        () = place.evicted() => return,
        word = tokio::time::timeout(FIRST_DATA_TIMEOUT, stream.begins_as_http()) => word,
    };
    match first_word {
        Ok(Ok(false)) => crate::server::rtmp::serve(registry, stream, peer, place).await,
        Ok(Ok(true)) => {
            let welcome = |stream, fields: &Fields| {
                let client = tunnel_client(&registry, peer, fields);
                let Some(place) = registry.admit(client) else { return false };
                let registry = Arc::clone(&registry);
                tokio::spawn(crate::server::rtmp::serve(registry, stream, client, place));
                true
            };
            let ended = async {
                registry.stopped().await;
                tokio::time::sleep(TUNNEL_CLOSE_TIMEOUT).await;
            };
            tokio::select! {
                () = Box::pin(gate.serve(stream, &welcome)) => {}
                () = place.evicted() => {}
                () = ended => {}
            }
            drop(place);
        }
        Ok(Err(error)) => tracing::debug!(%peer, %error, "a client left before its first byte"),
        Err(_) => tracing::debug!(%peer, "a client sent no data in time"),
    }
}
