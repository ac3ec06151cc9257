//! Checks that the viewer receives at an address. str0m, as an ICE-lite agent, sends no checks, and a copied ICE
//! request is valid from any address. Without these checks, somebody who sees a request could direct the media to
//! another computer. The session passes a request on only if its address has answered a check (RFC 8445 §7.2.2), for
//! which the viewer's password is necessary. An answer is valid for a limited time, like consent (RFC 7675 §5.1).
//!
//! The session can compute each check again from its address, and stores none, so that copied requests from many
//! addresses cannot displace the check of the viewer.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use str0m::net::Protocol;

use crate::net::random_bytes;
use crate::net::webrtc::crypto;
use crate::server::webrtc::mailbox::CheckTag;
use crate::server::webrtc::path::Path;
use crate::wire::webrtc::stun::{self, TransactionId};

/// Maximum number of addresses of a viewer, which may change its network.
pub(super) const MAX_ADDRESSES: usize = 8;
/// How long an answer is valid (RFC 7675 §5.1).
const ANSWER_VALIDITY: Duration = Duration::from_secs(30);
/// Age of an answer after which the address is checked again.
const RECHECK_AGE: Duration = Duration::from_secs(10);
/// Minimum interval between two datagrams of a check, which is longer than the first interval between requests.
const MIN_RESEND_INTERVAL: Duration = Duration::from_millis(100);
/// Time after which an address gets another check. The answer to a check counts until the next check is over too.
const CHECK_PERIOD: Duration = Duration::from_secs(10);

/// A transport and the address of the viewer.
type Source = (Protocol, SocketAddr);

/// The checks of a session.
#[derive(Debug)]
pub(super) struct AddressChecks {
    tag: CheckTag,
    /// The key of the transactions. Without randomness, there are no checks.
    key: Option<[u8; 20]>,
    began: Instant,
    /// How long an answer is valid.
    validity: Duration,
    /// The user name and the password that the viewer expects.
    username: String,
    password: String,
    /// Requests from addresses without a valid answer, the oldest address first. The next ones displace them, and
    /// viewers repeat their requests.
    waiting: VecDeque<WaitingRequest>,
    /// The addresses with an answer, and the time of the last one. The oldest address comes first.
    answered: VecDeque<(Source, Instant)>,
}

/// The last request from an address.
#[derive(Debug)]
struct WaitingRequest {
    source: Source,
    request: Vec<u8>,
    /// Time of the last check of the address.
    checked: Instant,
}

/// The result of checking a request.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct CheckedRequest {
    /// True if the request may be passed on.
    pub is_proven: bool,
    /// The check to send to the address.
    pub check: Option<Vec<u8>>,
}

impl AddressChecks {
    /// Creates the checks of a session, whose user name fragment is `local`. `remote` and
    /// `password` are the viewer's fragment and password.
    pub fn new(
        tag: CheckTag,
        local: &str,
        (remote, password): (&str, &str),
        began: Instant,
    ) -> Self {
        Self {
            tag,
            key: random_bytes(),
            began,
            validity: ANSWER_VALIDITY,
            username: format!("{remote}:{local}"),
            password: password.to_owned(),
            waiting: VecDeque::new(),
            answered: VecDeque::new(),
        }
    }

    /// Lets answers stay valid if `is_lasting`. Some publishers answer checks only while they connect, and nobody
    /// receives media from the session of a publisher.
    #[must_use]
    pub fn lasting(self, is_lasting: bool) -> Self {
        if is_lasting { Self { validity: Duration::MAX, ..self } } else { self }
    }

    /// Uses other credentials. Answers that have arrived stay valid.
    pub fn restart(&mut self, local: &str, remote: (&str, &str)) {
        let (answered, validity) = (std::mem::take(&mut self.answered), self.validity);
        *self = Self { answered, validity, ..Self::new(self.tag, local, remote, self.began) };
    }

    /// Handles a request of the viewer, whose integrity is right.
    pub fn request(&mut self, datagram: &[u8], path: &Path, now: Instant) -> CheckedRequest {
        let source = (path.protocol(), path.peer());
        let known = self.answered.iter().find(|(known, _)| *known == source);
        let age = known.map(|(_, at)| now.duration_since(*at));
        let is_proven = age.is_some_and(|age| age < self.validity);
        let is_due = !is_proven
            || age.is_some_and(|age| age >= RECHECK_AGE && self.validity < Duration::MAX);
        let check = if is_due { self.check(source, datagram, now) } else { None };
        CheckedRequest { is_proven, check }
    }

    /// Returns the datagram of the check of an address, unless it was sent a short time ago.
    fn check(&mut self, source: Source, request: &[u8], now: Instant) -> Option<Vec<u8>> {
        let request = request.to_vec();
        if let Some(waiting) = self.waiting.iter_mut().find(|it| it.source == source) {
            waiting.request = request;
            if now.duration_since(waiting.checked) < MIN_RESEND_INTERVAL {
                return None;
            }
            waiting.checked = now;
        } else {
            if self.waiting.len() >= MAX_ADDRESSES {
                self.waiting.pop_front();
            }
            self.waiting.push_back(WaitingRequest { source, request, checked: now });
        }
        let transaction = self.transaction(source, self.period(now))?;
        Some(stun::check(transaction, &self.username, &self.password, &hmac))
    }

    /// Returns a check of an address from which no request has come yet. Its answer counts for about ten seconds.
    pub fn probe(&self, address: SocketAddr, now: Instant) -> Option<Vec<u8>> {
        let transaction = self.transaction((Protocol::Udp, address), self.period(now))?;
        Some(stun::check(transaction, &self.username, &self.password, &hmac))
    }

    /// Returns true if an address has answered a check.
    pub fn has_answer(&self) -> bool {
        !self.answered.is_empty()
    }

    /// Returns the number of the current period.
    fn period(&self, now: Instant) -> u64 {
        now.duration_since(self.began).as_secs() / CHECK_PERIOD.as_secs()
    }

    /// Returns the transaction of the check of an address in a period: the tag of the session, and a code that only
    /// the session can compute.
    fn transaction(&self, (protocol, address): Source, period: u64) -> Option<TransactionId> {
        let text = format!("{protocol} {address} {period}");
        let code = hmac(&self.key?, &[text.as_bytes()]);
        let mut transaction = TransactionId::default();
        let (tag, rest) = transaction.split_at_mut(self.tag.len());
        tag.copy_from_slice(&self.tag);
        rest.iter_mut().zip(code).for_each(|(place, byte)| *place = byte);
        Some(transaction)
    }

    /// Handles a response. If the response answers a check of the address that sent it, returns the
    /// request that has waited for the answer.
    pub fn answer(&mut self, datagram: &[u8], path: &Path, now: Instant) -> Option<Vec<u8>> {
        let source = (path.protocol(), path.peer());
        let transaction = stun::answered(datagram)?;
        let period = self.period(now);
        let mut checks = [Some(period), period.checked_sub(1)].into_iter().flatten();
        let is_answer = checks.any(|period| self.transaction(source, period) == Some(transaction));
        if !is_answer || !stun::is_intact(datagram, &self.password, &hmac) {
            return None;
        }
        self.answered.retain(|(known, _)| *known != source);
        if self.answered.len() >= MAX_ADDRESSES {
            self.answered.pop_front();
        }
        self.answered.push_back((source, now));
        let at = self.waiting.iter().position(|it| it.source == source)?;
        self.waiting.remove(at).map(|waiting| waiting.request)
    }
}

fn hmac(key: &[u8], parts: &[&[u8]]) -> [u8; 20] {
    crypto().sha1_hmac_provider.sha1_hmac(key, parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    const VIEWER_PASSWORD: &str = "the password of the viewer";

    fn path(port: u16) -> Path {
        Path::Udp(SocketAddr::from(([192, 0, 2, 1], port)).into())
    }

    fn checks() -> AddressChecks {
        AddressChecks::new([7; 6], "ours", ("theirs", VIEWER_PASSWORD), Instant::now())
    }

    /// The response of the viewer to a check.
    fn response(check: &[u8], password: &str) -> Vec<u8> {
        let transaction = str0m::ice::StunMessage::parse(check).unwrap().trans_id();
        let address = "127.0.0.1:5".parse().unwrap();
        let reply = str0m::ice::StunMessage::binding_reply(transaction, address);
        let mut buffer = [0; 200];
        let length = reply.to_bytes(Some(password.as_bytes()), &mut buffer, hmac).unwrap();
        buffer[..length].to_vec()
    }

    #[test]
    fn a_request_waits_until_its_address_has_answered() {
        let (mut checks, now) = (checks(), Instant::now());
        let first = checks.request(b"first", &path(1), now);
        let check = first.check.unwrap();
        assert!(!first.is_proven && stun::local_ufrag(&check) == Some("theirs"));
        let soon = checks.request(b"second", &path(1), now + MIN_RESEND_INTERVAL / 2);
        assert_eq!(soon, CheckedRequest { is_proven: false, check: None });
        // A lost check is repeated.
        let again = checks.request(b"third", &path(1), now + MIN_RESEND_INTERVAL);
        assert_eq!(again.check, Some(check.clone()));
        assert_eq!(checks.answer(&response(&check, "a guess"), &path(1), now), None);
        let right = response(&check, VIEWER_PASSWORD);
        assert_eq!(checks.answer(&right, &path(2), now), None, "from another address");
        assert_eq!(checks.answer(&right, &path(1), now).as_deref(), Some(&b"third"[..]));
        assert_eq!(checks.answer(&right, &path(1), now), None, "only once");
        let proven = CheckedRequest { is_proven: true, check: None };
        assert_eq!(checks.request(b"next", &path(1), now + RECHECK_AGE / 2), proven);
        assert!(!checks.request(b"copy", &path(2), now).is_proven);
    }

    #[test]
    fn an_answer_is_valid_for_a_limited_time() {
        let (mut checks, now) = (checks(), Instant::now());
        let check = checks.request(b"1", &path(1), now).check.unwrap();
        checks.answer(&response(&check, VIEWER_PASSWORD), &path(1), now).unwrap();
        let later = checks.request(b"2", &path(1), now + RECHECK_AGE);
        assert!(later.is_proven && later.check.is_some());
        assert!(!checks.request(b"3", &path(1), now + ANSWER_VALIDITY).is_proven);
        // New credentials need no new answer, but old checks are over.
        let check = checks
            .request(b"4", &path(1), now + ANSWER_VALIDITY + MIN_RESEND_INTERVAL)
            .check
            .unwrap();
        checks.answer(&response(&check, VIEWER_PASSWORD), &path(1), now + ANSWER_VALIDITY).unwrap();
        let old = checks.request(b"5", &path(2), now + ANSWER_VALIDITY).check.unwrap();
        checks.restart("new", ("next", "another password"));
        assert!(checks.request(b"6", &path(1), now + ANSWER_VALIDITY).is_proven);
        assert_eq!(
            checks.answer(&response(&old, VIEWER_PASSWORD), &path(2), now + ANSWER_VALIDITY),
            None
        );
        let check = checks.request(b"7", &path(2), now + ANSWER_VALIDITY).check.unwrap();
        assert_eq!(stun::local_ufrag(&check), Some("next"));
    }

    #[test]
    fn an_address_that_answers_a_probe_needs_no_other_check() {
        let (mut checks, now) = (checks(), Instant::now());
        let probe = checks.probe(path(1).peer(), now).unwrap();
        assert!(!checks.has_answer());
        let answer = response(&probe, VIEWER_PASSWORD);
        assert_eq!(checks.answer(&answer, &path(2), now), None, "from another address");
        assert!(!checks.has_answer());
        assert_eq!(checks.answer(&answer, &path(1), now), None, "no request waits");
        assert!(checks.has_answer());
        assert!(checks.request(b"first", &path(1), now).is_proven);
    }

    #[test]
    fn a_publisher_answers_once() {
        let (checks, now) = (checks(), Instant::now());
        let mut checks = checks.lasting(true);
        let check = checks.request(b"1", &path(1), now).check.unwrap();
        checks.answer(&response(&check, VIEWER_PASSWORD), &path(1), now).unwrap();
        let proven = CheckedRequest { is_proven: true, check: None };
        assert_eq!(checks.request(b"2", &path(1), now + ANSWER_VALIDITY * 9), proven);
        checks.restart("new", ("next", "another password"));
        assert_eq!(checks.request(b"3", &path(1), now + ANSWER_VALIDITY * 9), proven);
        assert!(!checks.request(b"copy", &path(2), now).is_proven);
    }

    #[test]
    fn an_answer_comes_in_time() {
        let (mut checks, now) = (checks(), Instant::now());
        let check = checks.request(b"1", &path(1), now).check.unwrap();
        let late = now + CHECK_PERIOD * 2;
        assert_eq!(checks.answer(&response(&check, VIEWER_PASSWORD), &path(1), late), None);
        let again = checks.request(b"2", &path(1), late);
        assert!(!again.is_proven && again.check.as_ref() != Some(&check));
        let late = late + CHECK_PERIOD / 2;
        let answer =
            checks.answer(&response(&again.check.unwrap(), VIEWER_PASSWORD), &path(1), late);
        assert_eq!(answer.as_deref(), Some(&b"2"[..]));
    }

    #[test]
    fn copied_requests_displace_no_check() {
        let (mut checks, now) = (checks(), Instant::now());
        let own = checks.request(b"own", &path(1), now).check.unwrap();
        let all: Vec<_> =
            (2..100).map(|port| checks.request(b"copy", &path(port), now).check.unwrap()).collect();
        assert_eq!(checks.waiting.len(), MAX_ADDRESSES);
        // The request is lost, but the address is proven for the next one.
        assert_eq!(checks.answer(&response(&own, VIEWER_PASSWORD), &path(1), now), None);
        assert!(checks.request(b"own", &path(1), now).is_proven);
        assert_eq!(checks.answered.len(), 1);
        // The viewer may answer from more addresses, but not for another one.
        for (port, check) in (2..100).zip(&all) {
            checks.answer(&response(check, VIEWER_PASSWORD), &path(port + 1), now);
            assert!(!checks.request(b"copy", &path(port), now).is_proven);
        }
        for (port, check) in (2..100).zip(&all) {
            checks.answer(&response(check, VIEWER_PASSWORD), &path(port), now);
            assert!(checks.request(b"more", &path(port), now).is_proven);
        }
        assert_eq!(checks.answered.len(), MAX_ADDRESSES);
    }
}
