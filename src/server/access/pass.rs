//! Passes of HLS viewers. The key or token of a viewer opens the first playlist; the addresses in it
//! contain a pass, which opens the other playlists and the segments of the same stream. A pass is a
//! signed text, so the server does not store passes. Passes are valid during one run of the server, until other
//! viewers may play, and no longer than the token of their viewer.

use std::net::IpAddr;
use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use parking_lot::RwLock;
use ring::hmac;
use ring::rand::SystemRandom;

/// How long a pass is valid.
const PASS_LIFETIME: Duration = Duration::from_hours(12);
/// Length of the signature in bytes: 128 bits cannot be guessed.
const SIGNATURE_BYTES: usize = 16;
/// Length of the end time in bytes.
const END_TIME_BYTES: usize = 8;

/// The signer of passes.
#[derive(Debug)]
pub(in crate::server) struct Passes {
    /// `None` if the system has no randomness; no pass is valid then.
    key: RwLock<Option<hmac::Key>>,
}

/// The stream that a pass opens, and the only address that may use the pass.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(in crate::server) struct PassScope<'a> {
    pub app: &'a str,
    pub stream: &'a str,
    /// The only address that may use the pass, if the viewer's token names one.
    pub address: Option<IpAddr>,
}

impl Passes {
    pub fn new() -> Self {
        Self { key: RwLock::new(new_key()) }
    }

    /// Returns a signer with the present key. A later [`revoke`](Self::revoke) also makes its passes invalid, even
    /// those that it issues afterwards.
    pub fn at_present(&self) -> Self {
        Self { key: RwLock::new(self.key.read().clone()) }
    }

    /// Makes all earlier passes invalid.
    pub fn revoke(&self) {
        *self.key.write() = new_key();
    }

    /// Returns a pass that is issued at `now`, and ends at `end` at the latest, both in seconds since 1970.
    pub fn issue_until(&self, scope: PassScope<'_>, now: u64, end: u64) -> String {
        let until = (now + PASS_LIFETIME.as_secs()).min(end).to_be_bytes();
        let key = self.key.read();
        let signature = key.as_ref().map(|key| hmac::sign(key, &message(scope, until)));
        let signature = signature.as_ref().and_then(|it| it.as_ref().get(..SIGNATURE_BYTES));
        let bound = u8::from(scope.address.is_some());
        let all = [&[bound][..], &until, signature.unwrap_or_default()].concat();
        BASE64URL_NOPAD.encode(&all)
    }

    /// Returns true if a pass opens this stream for a client at this address.
    pub fn opens(&self, pass: &str, app: &str, stream: &str, address: IpAddr, now: u64) -> bool {
        let key = self.key.read();
        let Some(key) = &*key else { return false };
        let Ok(all) = BASE64URL_NOPAD.decode(pass.as_bytes()) else { return false };
        let Some((&bound, rest)) = all.split_first() else { return false };
        let Some((until, signature)) = rest.split_first_chunk::<END_TIME_BYTES>() else {
            return false;
        };
        let address = (bound != 0).then(|| address.to_canonical());
        let scope = PassScope { app, stream, address };
        let right = hmac::sign(key, &message(scope, *until));
        let right = right.as_ref().get(..SIGNATURE_BYTES).unwrap_or_default();
        crate::base::secret::is_same_secret(right, signature)
            && bound <= 1
            && u64::from_be_bytes(*until) > now
    }
}

fn new_key() -> Option<hmac::Key> {
    hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new()).ok()
}

/// Returns the signed bytes. The lengths of the names make the result unambiguous.
fn message(scope: PassScope<'_>, until: [u8; END_TIME_BYTES]) -> Vec<u8> {
    let PassScope { app, stream, address } = scope;
    let mut message = Vec::new();
    for name in [app, stream] {
        message.extend_from_slice(&(name.len() as u64).to_be_bytes());
        message.extend_from_slice(name.as_bytes());
    }
    message.extend_from_slice(&until);
    if let Some(address) = address {
        message.extend_from_slice(address.to_canonical().to_string().as_bytes());
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_UNIX_SECONDS: u64 = 1_800_000_000;

    fn issue(passes: &Passes, scope: PassScope<'_>) -> String {
        passes.issue_until(scope, NOW_UNIX_SECONDS, u64::MAX)
    }

    #[test]
    fn a_revoked_pass_opens_nothing() {
        let passes = Passes::new();
        let scope = PassScope { app: "live", stream: "show", address: None };
        let address = "192.0.2.1".parse().unwrap();
        let opens = |pass: &str| passes.opens(pass, "live", "show", address, NOW_UNIX_SECONDS);
        let old = issue(&passes, scope);
        assert!(opens(&old));
        passes.revoke();
        assert!(!opens(&old) && opens(&issue(&passes, scope)));
        let slow = passes.at_present();
        assert!(opens(&issue(&slow, scope)));
        passes.revoke();
        assert!(!opens(&issue(&slow, scope)), "the decision is older");
    }

    #[test]
    fn a_pass_opens_one_stream_for_a_while() {
        let passes = Passes::new();
        let scope = PassScope { app: "live", stream: "show", address: None };
        let pass = issue(&passes, scope);
        let [here, there]: [IpAddr; 2] = [[192, 0, 2, 1].into(), [192, 0, 2, 2].into()];
        let opens = |app, stream, address, now| passes.opens(&pass, app, stream, address, now);
        assert!(
            opens("live", "show", here, NOW_UNIX_SECONDS)
                && opens("live", "show", there, NOW_UNIX_SECONDS + 40_000)
        );
        assert!(!opens("live", "show", here, NOW_UNIX_SECONDS + PASS_LIFETIME.as_secs()));
        assert!(!opens("live", "other", here, NOW_UNIX_SECONDS));
        assert!(!opens("lives", "how", here, NOW_UNIX_SECONDS), "the names are kept apart");
        assert!(
            !Passes::new().opens(&pass, "live", "show", here, NOW_UNIX_SECONDS),
            "of another run"
        );
        for at in 0..pass.len() {
            let mut other = pass.clone().into_bytes();
            other[at] = if other[at] == b'A' { b'B' } else { b'A' };
            let other = String::from_utf8(other).unwrap();
            assert!(!passes.opens(&other, "live", "show", here, NOW_UNIX_SECONDS), "{at}: {other}");
        }
        for wrong in ["", "A", "AAAA", &"A".repeat(10_000), "ä"] {
            assert!(!passes.opens(wrong, "live", "show", here, NOW_UNIX_SECONDS), "{wrong}");
        }
    }

    #[test]
    fn a_pass_can_end_earlier() {
        let passes = Passes::new();
        let scope = PassScope { app: "vod", stream: "show", address: None };
        let address = "192.0.2.1".parse().unwrap();
        let opens = |pass: &str, now| passes.opens(pass, "vod", "show", address, now);
        let pass = passes.issue_until(scope, NOW_UNIX_SECONDS, NOW_UNIX_SECONDS + 60);
        assert!(opens(&pass, NOW_UNIX_SECONDS + 59) && !opens(&pass, NOW_UNIX_SECONDS + 60));
        let pass = passes.issue_until(scope, NOW_UNIX_SECONDS, u64::MAX);
        assert!(!opens(&pass, NOW_UNIX_SECONDS + PASS_LIFETIME.as_secs()));
    }

    #[test]
    fn a_pass_can_be_bound_to_an_address() {
        let passes = Passes::new();
        let here: IpAddr = [192, 0, 2, 1].into();
        let pass = issue(&passes, PassScope { app: "live", stream: "show", address: Some(here) });
        let opens = |address: &str| {
            passes.opens(&pass, "live", "show", address.parse().unwrap(), NOW_UNIX_SECONDS)
        };
        assert!(opens("192.0.2.1") && opens("::ffff:192.0.2.1"));
        assert!(!opens("192.0.2.2") && !opens("::1"));
    }
}
