//! Passes of HLS viewers. The key or token of a viewer opens the first playlist; the addresses in it
//! contain a pass, which opens the other playlists and the segments of the same stream. A pass is a
//! signed text, so the server does not store passes. A pass is valid during one run of the server, no longer than the
//! token of its viewer, and only while the rules admit the viewer with the same key or token.

use std::net::IpAddr;
use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use parking_lot::RwLock;
use ring::hmac;
use ring::rand::SystemRandom;

use crate::base::Secret;
use crate::base::secret::is_same_secret;
use crate::net::connect::network::Network;
use crate::server::access::token::keys::Signer;

/// How long a pass is valid.
const PASS_LIFETIME: Duration = Duration::from_hours(12);
/// Length of the signature in bytes: 128 bits cannot be guessed.
const SIGNATURE_BYTES: usize = 16;
/// Length of the end time in bytes.
const END_TIME_BYTES: usize = 8;

/// The signer of passes.
#[derive(Debug)]
pub(crate) struct Passes {
    /// `None` if the system has no randomness; no pass is valid then.
    key: RwLock<Option<hmac::Key>>,
}

/// What admitted the viewer of a pass. The pass does not contain it, but only the same one verifies the signature.
#[derive(Copy, Clone, Debug)]
pub(crate) enum Proof<'a> {
    Key(&'a Secret),
    /// A token that this key of the rules has signed.
    Token(&'a Signer),
    /// The decision of a callback alone.
    Callback,
    /// A link of the operator.
    Link,
}

impl Proof<'_> {
    /// Returns the name of the kind, and the secret or the signer.
    fn parts(&self) -> (&'static str, &[u8]) {
        match self {
            Self::Key(key) => ("key", key.expose().as_bytes()),
            Self::Token(signer) => ("token", signer.as_bytes()),
            Self::Callback => ("callback", &[]),
            Self::Link => ("link", &[]),
        }
    }
}

/// The stream that a pass opens, the networks in which it is valid, and what admitted the viewer.
#[derive(Copy, Clone, Debug)]
pub(crate) struct PassScope<'a> {
    pub app: &'a str,
    pub stream: &'a str,
    /// The networks that the viewer's token names. Without networks, the pass is valid everywhere.
    pub networks: &'a [Network],
    pub proof: Proof<'a>,
}

impl Passes {
    pub fn new() -> Self {
        Self { key: RwLock::new(new_key()) }
    }

    /// Makes all earlier passes invalid.
    pub fn revoke(&self) {
        *self.key.write() = new_key();
    }

    /// Returns a pass that is issued at `now`, and ends at `end` at the latest, both in seconds since 1970.
    pub fn issue_until(&self, scope: PassScope<'_>, now: u64, end: u64) -> String {
        let PassScope { app, stream, networks, proof } = scope;
        let mut terms = (now + PASS_LIFETIME.as_secs()).min(end).to_be_bytes().to_vec();
        networks.iter().for_each(|network| network.write_bytes(&mut terms));
        let key = self.key.read();
        let message = message((app, stream), proof, &terms);
        let signature = key.as_ref().map(|key| hmac::sign(key, &message));
        let signature = signature.as_ref().and_then(|it| it.as_ref().get(..SIGNATURE_BYTES));
        BASE64URL_NOPAD.encode(&[signature.unwrap_or_default(), &terms].concat())
    }

    /// Returns true if a pass opens this stream for a client at this address, and one of the current `proofs` admitted
    /// its viewer. The pass does not name its proof, so each of them is tried.
    pub fn opens<'a>(
        &self,
        pass: &str,
        names: (&str, &str),
        address: IpAddr,
        now: u64,
        mut proofs: impl Iterator<Item = Proof<'a>>,
    ) -> bool {
        let key = self.key.read();
        let Some(key) = &*key else { return false };
        let Ok(all) = BASE64URL_NOPAD.decode(pass.as_bytes()) else { return false };
        let Some((signature, terms)) = all.split_first_chunk::<SIGNATURE_BYTES>() else {
            return false;
        };
        let Some((until, networks)) = terms.split_first_chunk::<END_TIME_BYTES>() else {
            return false;
        };
        if u64::from_be_bytes(*until) <= now || !networks_admit(networks, address) {
            return false;
        }
        proofs.any(|proof| {
            let right = hmac::sign(key, &message(names, proof, terms));
            let right = right.as_ref().get(..SIGNATURE_BYTES).unwrap_or_default();
            is_same_secret(right, signature)
        })
    }
}

/// Returns true if the list in a pass is empty, or if one of its networks contains the address.
fn networks_admit(networks: &[u8], address: IpAddr) -> bool {
    let mut rest = networks;
    while let Some((network, after)) = Network::split_bytes(rest) {
        if network.contains(address) {
            return true;
        }
        rest = after;
    }
    networks.is_empty()
}

fn new_key() -> Option<hmac::Key> {
    hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new()).ok()
}

/// Returns the signed bytes. The lengths of the parts make the result unambiguous. `terms` are the end time and the
/// networks.
fn message((app, stream): (&str, &str), proof: Proof<'_>, terms: &[u8]) -> Vec<u8> {
    let (kind, secret) = proof.parts();
    let mut message = Vec::new();
    for part in [app.as_bytes(), stream.as_bytes(), kind.as_bytes(), secret] {
        message.extend_from_slice(&(part.len() as u64).to_be_bytes());
        message.extend_from_slice(part);
    }
    message.extend_from_slice(terms);
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_UNIX_SECONDS: u64 = 1_800_000_000;

    fn issue(passes: &Passes, scope: PassScope<'_>) -> String {
        passes.issue_until(scope, NOW_UNIX_SECONDS, u64::MAX)
    }

    fn scope<'a>(app: &'a str, stream: &'a str) -> PassScope<'a> {
        PassScope { app, stream, networks: &[], proof: Proof::Callback }
    }

    /// Whether a pass that a callback caused opens a stream.
    fn opens(passes: &Passes, pass: &str, of: (&str, &str), address: &str, now: u64) -> bool {
        let proofs = std::iter::once(Proof::Callback);
        passes.opens(pass, of, address.parse().unwrap(), now, proofs)
    }

    #[test]
    fn a_revoked_pass_opens_nothing() {
        let passes = Passes::new();
        let issue = || issue(&passes, scope("live", "show"));
        let opens =
            |pass: &str| opens(&passes, pass, ("live", "show"), "192.0.2.1", NOW_UNIX_SECONDS);
        let old = issue();
        assert!(opens(&old));
        passes.revoke();
        assert!(!opens(&old) && opens(&issue()));
    }

    #[test]
    fn a_pass_is_valid_only_while_what_admitted_its_viewer_does() {
        let passes = Passes::new();
        let [first, second, short] = ["first-key", "second-key", "key"].map(Secret::new);
        let address = "192.0.2.1".parse().unwrap();
        let opens = |pass: &str, proofs: &[Proof<'_>]| {
            let of = ("live", "show");
            passes.opens(pass, of, address, NOW_UNIX_SECONDS, proofs.iter().copied())
        };
        let of = |proof| issue(&passes, PassScope { proof, ..scope("live", "show") });
        let pass = of(Proof::Key(&first));
        assert!(opens(&pass, &[Proof::Key(&first)]));
        assert!(opens(&pass, &[Proof::Callback, Proof::Key(&second), Proof::Key(&first)]));
        assert!(!opens(&pass, &[Proof::Key(&second), Proof::Key(&short), Proof::Callback]));
        assert!(!opens(&pass, &[]));
        assert!(!opens(&of(Proof::Callback), &[Proof::Key(&first), Proof::Link]));
        assert!(!opens(&of(Proof::Link), &[Proof::Key(&first), Proof::Callback]));
        let signer = Signer::new("", "");
        assert!(opens(&of(Proof::Token(&signer)), &[Proof::Token(&signer)]));
        assert!(!opens(&of(Proof::Token(&signer)), &[Proof::Token(&Signer::new("", "other"))]));
        // The pass itself contains no key.
        let inside = BASE64URL_NOPAD.decode(pass.as_bytes()).unwrap();
        assert_eq!(inside.len(), SIGNATURE_BYTES + END_TIME_BYTES);
    }

    #[test]
    fn a_pass_opens_one_stream_for_a_while() {
        let passes = Passes::new();
        let pass = issue(&passes, scope("live", "show"));
        let [here, there] = ["192.0.2.1", "192.0.2.2"];
        let opens_at =
            |app, stream, address, now| opens(&passes, &pass, (app, stream), address, now);
        assert!(
            opens_at("live", "show", here, NOW_UNIX_SECONDS)
                && opens_at("live", "show", there, NOW_UNIX_SECONDS + 40_000)
        );
        assert!(!opens_at("live", "show", here, NOW_UNIX_SECONDS + PASS_LIFETIME.as_secs()));
        assert!(!opens_at("live", "other", here, NOW_UNIX_SECONDS));
        assert!(!opens_at("lives", "how", here, NOW_UNIX_SECONDS), "the names are kept apart");
        let of = ("live", "show");
        assert!(!opens(&Passes::new(), &pass, of, here, NOW_UNIX_SECONDS), "of another run");
        for at in 0..pass.len() {
            let mut other = pass.clone().into_bytes();
            other[at] = if other[at] == b'A' { b'B' } else { b'A' };
            let other = String::from_utf8(other).unwrap();
            assert!(!opens(&passes, &other, of, here, NOW_UNIX_SECONDS), "{at}: {other}");
        }
        for wrong in ["", "A", "AAAA", &"A".repeat(10_000), "ä"] {
            assert!(!opens(&passes, wrong, of, here, NOW_UNIX_SECONDS), "{wrong}");
        }
    }

    #[test]
    fn a_pass_can_end_earlier() {
        let passes = Passes::new();
        let opens = |pass: &str, now| opens(&passes, pass, ("vod", "show"), "192.0.2.1", now);
        let issue = |end| passes.issue_until(scope("vod", "show"), NOW_UNIX_SECONDS, end);
        let pass = issue(NOW_UNIX_SECONDS + 60);
        assert!(opens(&pass, NOW_UNIX_SECONDS + 59) && !opens(&pass, NOW_UNIX_SECONDS + 60));
        let pass = issue(u64::MAX);
        assert!(!opens(&pass, NOW_UNIX_SECONDS + PASS_LIFETIME.as_secs()));
    }

    #[test]
    fn a_pass_can_be_bound_to_networks() {
        let passes = Passes::new();
        let opens = |networks: &[&str], address: &str| {
            let networks: Vec<Network> = networks.iter().map(|it| it.parse().unwrap()).collect();
            let of = PassScope { networks: &networks, ..scope("live", "show") };
            opens(&passes, &issue(&passes, of), ("live", "show"), address, NOW_UNIX_SECONDS)
        };
        let single = &["192.0.2.1"][..];
        assert!(opens(single, "192.0.2.1") && opens(single, "::ffff:192.0.2.1"));
        assert!(!opens(single, "192.0.2.2") && !opens(single, "::1"));
        let both = &["203.0.113.0/24", "2001:db8::/32"][..];
        for inside in ["203.0.113.5", "203.0.113.9", "2001:db8::1", "2001:db8:ffff::2"] {
            assert!(opens(both, inside), "{inside}");
        }
        assert!(!opens(both, "203.0.114.5") && !opens(both, "2001:db9::1"));
    }

    #[test]
    fn the_networks_of_a_pass_cannot_be_changed() {
        let passes = Passes::new();
        let networks: [Network; 1] = ["192.0.2.1".parse().unwrap()];
        let of = PassScope { networks: &networks, ..scope("live", "show") };
        let all = BASE64URL_NOPAD.decode(issue(&passes, of).as_bytes()).unwrap();
        let free = &all[..SIGNATURE_BYTES + END_TIME_BYTES];
        let mut everywhere = Vec::new();
        "0.0.0.0/0".parse::<Network>().unwrap().write_bytes(&mut everywhere);
        assert_eq!(all.len(), free.len() + everywhere.len());
        for changed in
            [free.to_vec(), [free, &everywhere].concat(), [&all[..], &everywhere].concat()]
        {
            let pass = BASE64URL_NOPAD.encode(&changed);
            assert!(!opens(&passes, &pass, ("live", "show"), "192.0.2.1", NOW_UNIX_SECONDS));
        }
    }
}
