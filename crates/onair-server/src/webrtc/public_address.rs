//! The public addresses of the WebRTC port behind a router, which STUN servers report. Guests who join across the
//! internet get them as candidates. A server at which studios and guests meet answers such requests itself.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::net::random_bytes;
use crate::net::webrtc::{DatagramSocket, UdpPath};
use crate::wire::webrtc::public_address::{answer, answered_address, request, requested};
use crate::wire::webrtc::stun::{TransactionId, answered};

/// Maximum number of requests that wait for an answer. The oldest is given up.
const MAX_WAITING: usize = 16;
/// Maximum number of known addresses. A router has one for each kind of destination at most.
const MAX_ADDRESSES: usize = 4;
/// Time after which an address that no server reports any more is forgotten.
const ADDRESS_VALIDITY: Duration = Duration::from_secs(60);
/// Maximum number of answers to others per second. An answer is at most twice as long as its request, so that the
/// port is of little use against a victim whose address is forged.
const MAX_ANSWERS_PER_SECOND: u32 = 200;

/// The public addresses of the port.
#[derive(Debug, Default)]
pub(crate) struct PublicAddresses {
    /// True once there was a request, so that other servers read no datagram twice.
    has_asked: AtomicBool,
    asked: Mutex<AskedServers>,
    answers: Answers,
}

#[derive(Debug, Default)]
struct AskedServers {
    waiting: VecDeque<(TransactionId, SocketAddr)>,
    known: Vec<(SocketAddr, Instant)>,
}

/// The answers to others.
#[derive(Debug, Default)]
struct Answers {
    is_on: AtomicBool,
    count: AtomicU32,
    second: Mutex<Option<Instant>>,
}

impl PublicAddresses {
    /// Asks a STUN server for the address of this socket.
    pub fn ask(&self, socket: &DatagramSocket, server: SocketAddr) {
        let Some(transaction) = random_bytes::<12>() else { return };
        {
            let mut asked = self.asked.lock();
            if asked.waiting.len() >= MAX_WAITING {
                asked.waiting.pop_front();
            }
            asked.waiting.push_back((transaction, server));
        }
        self.has_asked.store(true, Ordering::Release);
        // A lost request is followed by the next one.
        let _ = socket.send(&request(transaction), UdpPath::from(server));
    }

    /// Takes the answer of a server. Returns false if the datagram is none.
    pub fn take(&self, datagram: &[u8], from: SocketAddr, now: Instant) -> bool {
        if !self.has_asked.load(Ordering::Acquire) {
            return false;
        }
        let Some(transaction) = answered(datagram) else { return false };
        let mut asked = self.asked.lock();
        // Nobody else knows the transaction, and a server answers from its own address.
        let at = asked.waiting.iter().position(|waiting| *waiting == (transaction, from));
        let Some(at) = at else { return false };
        asked.waiting.remove(at);
        if let Some(address) = answered_address(datagram) {
            asked.known.retain(|(known, _)| *known != address);
            if asked.known.len() >= MAX_ADDRESSES {
                asked.known.remove(0);
            }
            asked.known.push((address, now));
        }
        true
    }

    /// Returns the addresses that servers have reported lately, the newest last.
    pub fn known(&self, now: Instant) -> Vec<SocketAddr> {
        let mut asked = self.asked.lock();
        asked.known.retain(|(_, at)| now.duration_since(*at) < ADDRESS_VALIDITY);
        asked.known.iter().map(|(address, _)| *address).collect()
    }

    /// Begins to answer the requests of others.
    pub fn answer_others(&self) {
        self.answers.is_on.store(true, Ordering::Release);
    }

    /// Returns the answer to the request of somebody, if this datagram is one.
    pub fn answer(&self, datagram: &[u8], from: SocketAddr, now: Instant) -> Option<Vec<u8>> {
        if !self.answers.is_on.load(Ordering::Acquire) {
            return None;
        }
        let transaction = requested(datagram)?;
        let mut second = self.answers.second.lock();
        if second.is_none_or(|since| now.duration_since(since) >= Duration::from_secs(1)) {
            *second = Some(now);
            self.answers.count.store(0, Ordering::Relaxed);
        }
        let count = self.answers.count.fetch_add(1, Ordering::Relaxed);
        (count < MAX_ANSWERS_PER_SECOND).then(|| answer(transaction, from))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::Runtime;

    fn address(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn only_the_asked_server_reports_an_address_and_only_once() {
        let runtime = Runtime::start().unwrap();
        let socket =
            DatagramSocket::bind_or_next(runtime.handle(), address("127.0.0.1:0"), 0).unwrap();
        let (addresses, now) = (PublicAddresses::default(), Instant::now());
        let (server, public) = (address("127.0.0.1:9"), address("203.0.113.9:40000"));
        assert!(!addresses.take(&answer([1; 12], public), server, now), "nothing was asked");
        addresses.ask(&socket, server);
        let transaction = addresses.asked.lock().waiting[0].0;
        assert!(!addresses.take(&answer([1; 12], public), server, now), "a guess");
        let right = answer(transaction, public);
        assert!(!addresses.take(&right, address("127.0.0.1:10"), now), "somebody else");
        assert!(addresses.known(now).is_empty());
        assert!(addresses.take(&right, server, now) && !addresses.take(&right, server, now));
        assert_eq!(addresses.known(now), [public]);
        assert!(addresses.known(now + ADDRESS_VALIDITY).is_empty(), "no server reports it now");
        (0..2 * MAX_WAITING).for_each(|_| addresses.ask(&socket, server));
        assert_eq!(addresses.asked.lock().waiting.len(), MAX_WAITING);
    }

    #[test]
    fn others_get_answers_only_if_guests_meet_here_and_not_without_limit() {
        let (addresses, now) = (PublicAddresses::default(), Instant::now());
        let from = address("203.0.113.9:40000");
        let asked = request([7; 12]);
        assert_eq!(addresses.answer(&asked, from, now), None);
        addresses.answer_others();
        let given = addresses.answer(&asked, from, now).unwrap();
        assert_eq!(answered_address(&given), Some(from));
        assert_eq!(addresses.answer(&given, from, now), None, "no loop");
        let count = (0..1_000).filter(|_| addresses.answer(&asked, from, now).is_some()).count();
        assert_eq!(count + 1, MAX_ANSWERS_PER_SECOND as usize);
        assert!(addresses.answer(&asked, from, now + Duration::from_secs(1)).is_some());
    }
}
