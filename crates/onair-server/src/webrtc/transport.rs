//! The transport of a session: datagrams from and to the peer through str0m, the addresses of the peer, and restarts of
//! ICE. Only datagrams from addresses that have answered a check reach str0m.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use str0m::net::{Protocol, Receive, Transmit};
use str0m::{IceCreds, Input, Output, Rtc};

use crate::net::random_hex;
use crate::net::webrtc::UdpPath;
use crate::net::webrtc::panics::contain;
use crate::server::registry::Registry;
use crate::server::webrtc::address_checks::{AddressChecks, MAX_ADDRESSES};
use crate::server::webrtc::endpoint::Endpoint;
use crate::server::webrtc::mailbox::{IceNames, Mailbox, Restart, Role};
use crate::server::webrtc::path::{Outgoing, Path, TcpLink};
use crate::server::webrtc::reach::open_router;
use crate::text::problem::{Problem, problem};
use crate::wire::webrtc::stun;

/// Number of characters of an ICE user name fragment.
const UFRAG_LENGTH: usize = 16;
/// Maximum number of source addresses during a session, in which a phone may change its network many times.
const MAX_SOURCES: usize = 128;

/// The secrets of a new session.
#[derive(Debug)]
pub(super) struct Secrets {
    /// The last part of the session's URL.
    pub resource: String,
    pub ufrag: String,
    pub password: String,
}

impl Secrets {
    /// Makes secrets. Returns `None` if the system has no randomness.
    pub fn generate() -> Option<Self> {
        let [resource, ufrag, password] = [random_hex()?, random_hex()?, random_hex()?];
        let ufrag = ufrag.chars().take(UFRAG_LENGTH).collect();
        Some(Self { resource, ufrag, password })
    }
}

/// The transport of a session.
pub(super) struct Transport {
    pub rtc: Rtc,
    pub mailbox: Arc<Mailbox>,
    /// The address from which the HTTP request came.
    pub peer: SocketAddr,
    outgoing: Outgoing,
    /// The addresses of the port in the answer.
    pub local: Vec<SocketAddr>,
    /// The peer's UDP paths, one per source address, newest source last.
    pub paths: Vec<UdpPath>,
    checks: AddressChecks,
    /// All source addresses of ICE requests that were passed on. str0m keeps a candidate for each.
    sources: HashSet<SocketAddr>,
    /// The peer's TCP connections, the newest last.
    tcp: Vec<Arc<TcpLink>>,
    /// The lines of the answer with the local candidates and their media section.
    candidates: String,
    /// True after a contained panic of str0m.
    pub is_broken: bool,
}

impl Transport {
    /// Creates the transport of a session that str0m drives at these addresses of the port, after this answer to the peer,
    /// which has this password.
    pub fn new(
        endpoint: &Endpoint,
        (rtc, answer): (Rtc, &str),
        mailbox: &Arc<Mailbox>,
        password: &str,
        (local, peer): (Vec<SocketAddr>, SocketAddr),
        now: Instant,
    ) -> Self {
        let IceNames { local: ufrag, remote } = mailbox.ice();
        Self {
            rtc,
            mailbox: Arc::clone(mailbox),
            peer,
            outgoing: Outgoing::new(Arc::clone(&endpoint.socket)),
            local,
            paths: Vec::new(),
            checks: AddressChecks::new(mailbox.check_tag, &ufrag, (&remote, password), now)
                .lasting(mailbox.role == Role::Publisher),
            sources: HashSet::new(),
            tcp: Vec::new(),
            candidates: candidates(answer),
            is_broken: false,
        }
    }

    /// Handles a datagram. An unreadable datagram may come from anyone, and does not end the
    /// session.
    pub fn receive(
        &mut self,
        registry: &Registry,
        datagram: &[u8],
        path: &Path,
    ) -> Result<(), Problem> {
        if stun::answered(datagram).is_some() {
            let request = self.checks.answer(datagram, path, Instant::now());
            if self.checks.has_answer() {
                self.mailbox.note_reached();
            }
            return request.map_or(Ok(()), |request| self.accept(registry, &request, path));
        }
        // str0m sends no requests, so it needs no error responses. It also ignores indications.
        if stun::is_stun(datagram) && !stun::is_request(datagram) {
            return Ok(());
        }
        let Some(input) = self.input(datagram, path) else { return Ok(()) };
        if !self.rtc.accepts(&input) {
            return Ok(());
        }
        let from = path.peer();
        if stun::is_stun(datagram) {
            if self.sources.len() >= MAX_SOURCES && !self.sources.contains(&from) {
                return Ok(());
            }
            let checked = self.checks.request(datagram, path, Instant::now());
            if let Some(check) = checked.check {
                self.send_check(registry, &check, path);
            }
            if !checked.is_proven {
                return Ok(());
            }
        }
        self.accept(registry, datagram, path)
    }

    /// Converts a datagram for str0m, if possible.
    fn input<'a>(&self, datagram: &'a [u8], path: &Path) -> Option<Input<'a>> {
        let from = path.peer();
        let local = self.local.iter().find(|local| local.is_ipv4() == from.is_ipv4())?;
        let receive = Receive::new(path.protocol(), from, *local, datagram).ok()?;
        Some(Input::Receive(Instant::now(), receive))
    }

    /// Sends a check to an address.
    fn send_check(&mut self, registry: &Registry, check: &[u8], path: &Path) {
        let sent = match path {
            Path::Udp(to) => self.outgoing.send_now(check, *to),
            Path::Tcp(link) => link.send(check),
        };
        self.count(registry, sent);
    }

    /// Passes on a datagram from an address that has answered a check.
    fn accept(&mut self, registry: &Registry, datagram: &[u8], path: &Path) -> Result<(), Problem> {
        if stun::is_stun(datagram) {
            self.note_path(registry, path);
        }
        let Some(input) = self.input(datagram, path) else { return Ok(()) };
        match contain(|| self.rtc.handle_input(input)) {
            Some(Ok(())) => {}
            Some(Err(error)) => {
                tracing::debug!(from = %path.peer(), %error, "invalid datagram");
            }
            None => {
                self.is_broken = true;
                return Err(problem!("left-unreadable"));
            }
        }
        if self.rtc.is_alive() { Ok(()) } else { Err(problem!("left-closed")) }
    }

    /// Sends checks to addresses at which the peer may be, so that the own router lets the peer in. This function must be
    /// called within the runtime.
    pub fn reach(&self, addresses: &[SocketAddr]) {
        let fits = |it: &&SocketAddr| self.local.iter().any(|own| own.is_ipv4() == it.is_ipv4());
        let now = Instant::now();
        let check = |it: &SocketAddr| Some((*it, self.checks.probe(*it, now)?));
        let checks: Vec<_> = addresses.iter().filter(fits).filter_map(check).collect();
        if !checks.is_empty() {
            let socket = Arc::clone(self.outgoing.socket());
            tokio::spawn(open_router(socket, Arc::clone(&self.mailbox), checks));
        }
    }

    /// Remembers a path to the viewer.
    pub fn note_path(&mut self, registry: &Registry, path: &Path) {
        let from = path.peer();
        self.sources.insert(from);
        match path {
            Path::Tcp(link) => {
                if !self.tcp.iter().any(|known| Arc::ptr_eq(known, link)) {
                    // A new connection replaces an ended one, or one from the same address.
                    self.tcp.retain(|known| known.peer != from && !known.is_over());
                    self.tcp.push(Arc::clone(link));
                }
            }
            Path::Udp(path) => {
                if let Some(known) = self.paths.iter_mut().find(|known| known.peer == from) {
                    // The server answers from the address that the viewer used last.
                    known.local = path.local;
                    return;
                }
                if self.paths.len() >= MAX_ADDRESSES {
                    let oldest = self.paths.remove(0);
                    registry.webrtc.routes.forget(&self.mailbox, oldest.peer);
                }
                self.paths.push(*path);
                registry.webrtc.routes.learn(&self.mailbox, from);
            }
        }
    }

    /// Restarts ICE with new credentials of both sides. Media continues over the current path until a request
    /// with the new credentials arrives over another path.
    pub fn restart_ice(&mut self, registry: &Registry, restart: Restart) {
        let (Some(ufrag), Some(pass)) = (random_hex(), random_hex()) else { return };
        let ufrag: String = ufrag.chars().take(UFRAG_LENGTH).collect();
        let fragment = format!(
            "a=ice-lite\r\n{}a=ice-ufrag:{ufrag}\r\na=ice-pwd:{pass}\r\na=end-of-candidates\r\n",
            self.candidates
        );
        let ice = IceNames { local: ufrag.clone(), remote: restart.ufrag.clone() };
        registry.webrtc.routes.rename(&self.mailbox, ice);
        self.checks.restart(&ufrag, (&restart.ufrag, &restart.password));
        let remote = IceCreds { ufrag: restart.ufrag, pass: restart.password };
        let mut direct = self.rtc.direct_api();
        direct.set_local_ice_credentials(IceCreds { ufrag, pass });
        direct.set_remote_ice_credentials(remote);
        // The request may be over.
        let _ = restart.answer.send(fragment);
    }

    /// Sends a datagram, over UDP together with the next ones.
    pub fn transmit(&mut self, registry: &Registry, transmit: Transmit) {
        let Transmit { proto, destination, contents, .. } = transmit;
        let sent = match proto {
            Protocol::Tcp => {
                let link = self.tcp.iter().find(|link| link.peer == destination);
                link.map_or(0, |link| link.send(&contents))
            }
            _ => {
                let known = self.paths.iter().find(|path| path.peer == destination).copied();
                self.outgoing.push(contents, known.unwrap_or_else(|| destination.into()))
            }
        };
        self.count(registry, sent);
    }

    /// Sends the waiting datagrams. Those that do not fit into the socket stay.
    pub fn flush(&mut self, registry: &Registry) {
        let sent = self.outgoing.flush();
        self.count(registry, sent);
    }

    /// Returns true if the socket has no room now.
    pub fn is_full(&self) -> bool {
        self.outgoing.is_full()
    }

    /// Counts bytes that were sent.
    pub fn count(&self, registry: &Registry, bytes: usize) {
        if bytes > 0 {
            self.mailbox.count(bytes as u64);
            registry.totals.sent_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        }
    }

    /// Removes the session from the shared lists, and informs the peer of the end, unless the code of the session has
    /// panicked.
    pub fn end(&mut self, registry: &Registry, is_regular: bool) {
        let addresses = self.paths.iter().map(|path| path.peer);
        registry.webrtc.routes.remove(&self.mailbox, addresses);
        // After a fault, str0m may be in any state.
        if is_regular && !self.is_broken {
            contain(|| self.inform_peer(registry));
        }
        self.flush(registry);
        self.mailbox.close();
    }

    /// Informs the peer of the end, if the peer still exists.
    fn inform_peer(&mut self, registry: &Registry) {
        if self.rtc.close().is_ok() {
            while let Ok(Output::Transmit(transmit)) = self.rtc.poll_output() {
                self.transmit(registry, transmit);
            }
        }
    }
}

/// Returns the lines of an answer with its candidates, and the media section to which they belong (RFC
/// 8840 §9).
fn candidates(answer: &str) -> String {
    let first = |begin: &str| answer.lines().find(|line| line.starts_with(begin));
    let candidates = answer.lines().filter(|line| line.starts_with("a=candidate:"));
    // A restart changes the user name fragment.
    let candidates = candidates.map(|line| line.split(" ufrag ").next().unwrap_or_default());
    let mut known: Vec<&str> = ["a=group:", "m=", "a=mid:"].into_iter().filter_map(first).collect();
    for candidate in candidates {
        if !known.contains(&candidate) {
            known.push(candidate);
        }
    }
    known.iter().map(|line| format!("{line}\r\n")).collect()
}
