//! The UDP port of WebRTC, and the data that its sessions share.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::RwLock;
use tokio::sync::oneshot;

use crate::net::webrtc::{Certificate, DatagramSocket, UdpPath};
use crate::server::renditions::refusal::Refusal;
use crate::server::stream::Stream;
pub(crate) use crate::server::webrtc::mailbox::Role;
use crate::server::webrtc::mailbox::{ChosenRendition, IceNames, Restart};
use crate::server::webrtc::public_address::PublicAddresses;
use crate::server::webrtc::routes::Routes;
use crate::server::webrtc::whep::production::keyframe_request::KeyframeRequest;
use crate::server::webrtc::whep::production::productions::Productions;
use crate::text::Problem;
use crate::wire::webrtc::stun;

/// Maximum length of a datagram in bytes.
pub(crate) const MAX_DATAGRAM_BYTES: usize = 2_048;
/// Time limit for the task of a session.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);
/// Number of sessions that are a crowd: each of them reports about the link up to 20 times per second.
const MIN_CROWD_SESSIONS: usize = 100;

/// The sessions of WebRTC of a server, and their port.
#[derive(Debug, Default)]
pub(crate) struct Webrtc {
    pub(super) productions: Productions,
    pub(super) routes: Routes,
    endpoint: RwLock<Option<Arc<Endpoint>>>,
    /// The request to the encoder of the own stream. `None` if a new keyframe would not reach the
    /// viewers soon.
    pub keyframe_request: RwLock<Option<KeyframeRequest>>,
    /// The addresses of the port beyond routers.
    pub public: PublicAddresses,
}

/// The UDP socket and its certificate.
#[derive(Debug)]
pub(crate) struct Endpoint {
    pub(super) socket: Arc<DatagramSocket>,
    pub(super) certificate: Certificate,
    /// True if the port accepts TCP connections too.
    pub(super) has_tcp: bool,
}

/// The addresses of an HTTP request.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Arrival {
    /// The local address of the connection.
    pub local: Option<IpAddr>,
    /// The address that the client used, which differs behind a router with port forwarding.
    pub host: Option<IpAddr>,
    /// True if the request came from across the internet, through a server at which guests and studio meet.
    pub meets: bool,
}

impl Webrtc {
    /// Opens this port.
    pub fn open(&self, socket: Arc<DatagramSocket>, certificate: Certificate, has_tcp: bool) {
        *self.endpoint.write() = Some(Arc::new(Endpoint { socket, certificate, has_tcp }));
    }

    /// Closes the port, and ends its sessions.
    pub fn close(&self, reason: &Problem) {
        *self.endpoint.write() = None;
        self.routes.each(|mailbox| mailbox.end(reason.clone()));
    }

    /// Returns the port, or `None` if WebRTC is off.
    pub fn endpoint(&self) -> Option<Arc<Endpoint>> {
        self.endpoint.read().clone()
    }

    /// Returns true if a session uses this stream, even if its viewer has not connected yet.
    pub fn is_used(&self, stream: &Stream) -> bool {
        self.productions.is_used(stream)
    }

    /// Passes a datagram to its session.
    pub fn deliver(&self, datagram: &[u8], from: UdpPath) {
        if stun::is_stun(datagram) && self.takes_for_addresses(datagram, from) {
            return;
        }
        self.routes.deliver(datagram, from);
    }

    /// Handles a datagram that is about a public address. Returns false for any other.
    fn takes_for_addresses(&self, datagram: &[u8], from: UdpPath) -> bool {
        let now = Instant::now();
        if self.public.take(datagram, from.peer, now) {
            return true;
        }
        let Some(answer) = self.public.answer(datagram, from.peer, now) else { return false };
        if let Some(endpoint) = self.endpoint() {
            // A lost answer is asked for again.
            let _ = endpoint.socket.send(&answer, from);
        }
        true
    }

    /// Asks a STUN server for the public address of the port.
    pub fn ask_public_address(&self, server: SocketAddr) {
        if let Some(endpoint) = self.endpoint() {
            self.public.ask(&endpoint.socket, server);
        }
    }

    /// Returns the candidates for the peer of a request.
    pub(super) fn candidates(
        &self,
        endpoint: &Endpoint,
        arrival: Arrival,
        public: &[IpAddr],
    ) -> Vec<SocketAddr> {
        let mut addresses = endpoint.addresses(arrival, public);
        if arrival.meets {
            addresses.extend(self.public.known(Instant::now()));
        }
        addresses
    }

    /// Sends checks to these addresses of the peer of a session, so that the own router lets the peer in.
    pub fn reach(&self, role: Role, resource: &str, addresses: Vec<SocketAddr>) {
        if let Some(mailbox) = self.routes.of_resource(role, resource) {
            mailbox.reach(addresses);
        }
    }

    /// Returns true if the server has enough sessions to read their datagrams in batches.
    pub fn has_crowd(&self) -> bool {
        self.routes.count() >= MIN_CROWD_SESSIONS
    }

    /// Ends the session with this URL. Returns false if there is no such session.
    pub fn end(&self, role: Role, resource: &str, reason: Problem) -> bool {
        self.routes.of_resource(role, resource).inspect(|mailbox| mailbox.end(reason)).is_some()
    }

    /// Ends the sessions of the viewers with the chosen ids, also those that have not connected yet.
    /// Returns their number.
    pub fn end_viewers(&self, is_chosen: impl Fn(u64) -> bool, reason: &Problem) -> usize {
        let mut ended = 0;
        self.routes.each(|mailbox| {
            if mailbox.role == Role::Viewer && is_chosen(mailbox.id) {
                mailbox.end(reason.clone());
                ended += 1;
            }
        });
        ended
    }

    /// Chooses the rendition for the session with this URL; a `rendition` of `None` means the best one for the
    /// link. Returns `None` if there is no such session, or if it does not answer in time.
    pub async fn choose(
        &self,
        resource: &str,
        rendition: Option<String>,
    ) -> Option<Result<(), Refusal>> {
        let mailbox = self.routes.of_resource(Role::Viewer, resource)?;
        let (answer, answered) = oneshot::channel();
        mailbox.choose(ChosenRendition { rendition, answer });
        drop(mailbox);
        tokio::time::timeout(ANSWER_TIMEOUT, answered).await.ok()?.ok()
    }

    /// Returns the ICE user name fragments of the session with this URL.
    pub fn ice(&self, role: Role, resource: &str) -> Option<IceNames> {
        self.routes.of_resource(role, resource).map(|mailbox| mailbox.ice())
    }

    /// Restarts ICE for the session with this URL, with these credentials of the viewer. Returns the SDP
    /// fragment with the new local credentials, or `None` if there is no such session or it does not
    /// answer in time.
    pub async fn restart(
        &self,
        role: Role,
        resource: &str,
        (ufrag, password): (String, String),
    ) -> Option<String> {
        let mailbox = self.routes.of_resource(role, resource)?;
        let (answer, answered) = oneshot::channel();
        mailbox.restart(Restart { ufrag, password, answer });
        drop(mailbox);
        tokio::time::timeout(ANSWER_TIMEOUT, answered).await.ok()?.ok()
    }
}

impl Endpoint {
    /// Returns the port, if other computers reach it.
    pub fn open_port(&self) -> Option<u16> {
        let address = self.socket.local_addr();
        (!address.ip().is_loopback()).then(|| address.port())
    }

    /// Returns the addresses at which viewers reach the port: its own or, if the port listens on all
    /// addresses, those of the request.
    pub(super) fn addresses(&self, arrival: Arrival, public: &[IpAddr]) -> Vec<SocketAddr> {
        reachable(self.socket.local_addr(), arrival, public)
    }
}

fn reachable(port: SocketAddr, arrival: Arrival, public: &[IpAddr]) -> Vec<SocketAddr> {
    let found = match port.ip().is_unspecified() {
        true => [arrival.local, arrival.host],
        false => [Some(port.ip()), None],
    };
    let fits = |ip: &IpAddr| port.is_ipv6() || ip.is_ipv4();
    let mut addresses: Vec<SocketAddr> = Vec::new();
    for ip in found.into_iter().flatten().chain(public.iter().copied()) {
        let ip = ip.to_canonical();
        let address = SocketAddr::new(ip, port.port());
        if fits(&ip) && !ip.is_unspecified() && !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    addresses
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_on_all_addresses_is_reached_as_the_page_was() {
        let ip = |text: &str| text.parse::<IpAddr>().ok();
        let of = |port: &str, local: &str, host: &str| -> Vec<String> {
            let arrival = Arrival { local: ip(local), host: ip(host), meets: false };
            let all = reachable(port.parse().unwrap(), arrival, &[]);
            all.iter().map(ToString::to_string).collect()
        };
        let behind_nat = |port: &str| {
            let arrival = Arrival { local: ip("10.0.0.5"), host: None, meets: false };
            let public = ["198.51.100.9", "2001:db8::9", "10.0.0.5"].map(|it| ip(it).unwrap());
            let all = reachable(port.parse().unwrap(), arrival, &public);
            all.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(behind_nat("0.0.0.0:8189"), ["10.0.0.5:8189", "198.51.100.9:8189"]);
        let all = ["[::1]:8189", "198.51.100.9:8189", "[2001:db8::9]:8189", "10.0.0.5:8189"];
        assert_eq!(behind_nat("[::1]:8189"), all);
        assert_eq!(of("192.0.2.1:8189", "10.0.0.5", ""), ["192.0.2.1:8189"]);
        assert_eq!(of("0.0.0.0:8189", "10.0.0.5", "10.0.0.5"), ["10.0.0.5:8189"]);
        let both = ["10.0.0.5:8189", "203.0.113.7:8189"];
        assert_eq!(of("0.0.0.0:8189", "10.0.0.5", "203.0.113.7"), both);
        assert_eq!(of("[::]:8189", "::ffff:10.0.0.5", "2001:db8::1").len(), 2);
        assert!(of("0.0.0.0:8189", "2001:db8::1", "").is_empty());
    }
}
