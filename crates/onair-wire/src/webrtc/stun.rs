//! STUN messages of ICE (RFC 8489): finds the session of a message without parsing the rest, and makes and reads the
//! checks of an address.

use crate::base::secret::is_same_secret;

/// The fixed value after type and length of every message.
pub(super) const MAGIC_COOKIE: [u8; 4] = [0x21, 0x12, 0xA4, 0x42];
pub(super) const HEADER_BYTES: usize = 20;
pub(super) const BINDING_REQUEST: u16 = 0x0001;
pub(super) const BINDING_SUCCESS: u16 = 0x0101;
pub(super) const USERNAME: u16 = 0x0006;
const MESSAGE_INTEGRITY: u16 = 0x0008;
const PRIORITY: u16 = 0x0024;
const FINGERPRINT: u16 = 0x8028;
const ICE_CONTROLLED: u16 = 0x8029;
/// Length of an attribute with the integrity of a message, and of one with its fingerprint.
const INTEGRITY_ATTRIBUTE_BYTES: usize = 24;
const FINGERPRINT_ATTRIBUTE_BYTES: usize = 8;
/// The priority of a peer-reflexive candidate (RFC 8445 §5.1.2.1). The priority has no effect,
/// because the other side chooses the path.
const CHECK_PRIORITY: u32 = (110 << 24) | (0xFFFF << 8) | 0xFF;

/// The lowest tie breaker, so that the other side keeps its role. libjuice reads 0 as a missing one.
const TIE_BREAKER: u64 = 1;

/// The identifier of a request, which its response repeats.
pub type TransactionId = [u8; 12];

/// The HMAC-SHA1 of several byte strings under a key.
pub type Hmac<'a> = &'a dyn Fn(&[u8], &[&[u8]]) -> [u8; 20];

/// Returns true for a STUN datagram, as opposed to DTLS or RTP (RFC 7983).
pub fn is_stun(datagram: &[u8]) -> bool {
    datagram.first().is_some_and(|first| *first < 4) && datagram.get(4..8) == Some(&MAGIC_COOKIE)
}

/// Returns true for a request.
pub fn is_request(datagram: &[u8]) -> bool {
    is_stun(datagram) && datagram.get(..2) == Some(&BINDING_REQUEST.to_be_bytes())
}

/// Returns the transaction that this response answers, or `None` if the datagram is not a
/// successful response.
pub fn answered(datagram: &[u8]) -> Option<TransactionId> {
    let is_answer = is_stun(datagram) && datagram.get(..2) == Some(&BINDING_SUCCESS.to_be_bytes());
    datagram.get(8..HEADER_BYTES).filter(|_| is_answer)?.try_into().ok()
}

/// Returns the receiver's part of the user name in an ICE request (RFC 8445 §7.2.2): `ours:theirs`.
pub fn local_ufrag(datagram: &[u8]) -> Option<&str> {
    if !is_stun(datagram) {
        return None;
    }
    let (_, value) = attributes(datagram).find(|(kind, _)| *kind == USERNAME)?;
    std::str::from_utf8(value).ok()?.split_once(':').map(|(ours, _)| ours)
}

/// Returns the kinds and values of the attributes, up to the first one that is cut off.
pub(super) fn attributes(datagram: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    let mut rest = datagram.get(HEADER_BYTES..).unwrap_or_default();
    std::iter::from_fn(move || {
        let (head, after) = rest.split_first_chunk::<4>()?;
        let [kind, length] = [[head[0], head[1]], [head[2], head[3]]].map(u16::from_be_bytes);
        let value = after.get(..usize::from(length))?;
        rest = after.get(usize::from(length).next_multiple_of(4)..).unwrap_or_default();
        Some((kind, value))
    })
}

/// Makes a request that checks whether the peer receives at an address (RFC 8445 §7.2.2), as the
/// controlled side. str0m cannot make this request, because its messages cannot have a chosen
/// transaction, and the response finds its session by the transaction. `username` and `password`
/// are those that the peer expects.
pub fn check(
    transaction: TransactionId,
    username: &str,
    password: &str,
    hmac: Hmac<'_>,
) -> Vec<u8> {
    let mut message =
        [&BINDING_REQUEST.to_be_bytes()[..], &[0, 0], &MAGIC_COOKIE, &transaction].concat();
    add(&mut message, USERNAME, username.as_bytes());
    add(&mut message, PRIORITY, &CHECK_PRIORITY.to_be_bytes());
    add(&mut message, ICE_CONTROLLED, &TIE_BREAKER.to_be_bytes());
    // Both values cover a length that includes their own attribute.
    set_length(&mut message, INTEGRITY_ATTRIBUTE_BYTES);
    let integrity = hmac(password.as_bytes(), &[&message]);
    add(&mut message, MESSAGE_INTEGRITY, &integrity);
    set_length(&mut message, FINGERPRINT_ATTRIBUTE_BYTES);
    let fingerprint = crc32(&message) ^ 0x5354_554E;
    add(&mut message, FINGERPRINT, &fingerprint.to_be_bytes());
    message
}

/// Returns true if a message has the integrity of this password (RFC 8489 §14.5).
pub fn is_intact(datagram: &[u8], password: &str, hmac: Hmac<'_>) -> bool {
    let mut at = HEADER_BYTES;
    for (kind, value) in attributes(datagram) {
        if kind == MESSAGE_INTEGRITY {
            let Some(covered) = datagram.get(..at) else { return false };
            let mut covered = covered.to_vec();
            set_length(&mut covered, INTEGRITY_ATTRIBUTE_BYTES);
            return is_same_secret(&hmac(password.as_bytes(), &[&covered]), value);
        }
        at += 4 + value.len().next_multiple_of(4);
    }
    false
}

pub(super) fn add(message: &mut Vec<u8>, kind: u16, value: &[u8]) {
    // User names are short.
    let length = u16::try_from(value.len()).unwrap_or_default();
    message.extend(kind.to_be_bytes());
    message.extend(length.to_be_bytes());
    message.extend(value);
    message.resize(message.len().next_multiple_of(4), 0);
    set_length(message, 0);
}

/// Sets the length in the header to that of the attributes and of `more` bytes.
fn set_length(message: &mut [u8], more: usize) {
    let length = (message.len() + more).saturating_sub(HEADER_BYTES);
    if let Some(place) = message.get_mut(2..4) {
        place.copy_from_slice(&u16::try_from(length).unwrap_or_default().to_be_bytes());
    }
}

/// The checksum of ITU V.42, which fingerprints use.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32| (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg());
    !bytes
        .iter()
        .fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), |crc, _| step(crc)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn message(attributes: &[u8]) -> Vec<u8> {
        [&[0, 1, 0, 0], &MAGIC_COOKIE[..], &[7; 12], attributes].concat()
    }

    #[test]
    fn the_name_is_found_behind_other_attributes() {
        let found = message(b"\x80\x22\x00\x03abc\x00\x00\x06\x00\x07ours:it\x00");
        assert_eq!(local_ufrag(&found), Some("ours"));
        assert_eq!(local_ufrag(&message(b"\x00\x06\x00\x09ours:it")), None, "cut");
        assert_eq!(local_ufrag(&message(b"\x00\x06\x00\x04ours")), None, "one half");
        assert!(!is_stun(&[22, 254, 253, 0, 0x21, 0x12, 0xA4, 0x42]), "DTLS");
    }

    fn hmac(key: &[u8], parts: &[&[u8]]) -> [u8; 20] {
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, key);
        ring::hmac::sign(&key, &parts.concat()).as_ref().try_into().unwrap()
    }

    /// The samples of RFC 5769, §2.1 and §2.2.
    const SAMPLE_REQUEST: &str = "000100582112a442b7e7a701bc34d686fa87dfae80220010\
        5354554e207465737420636c69656e74002400046e0001ff80290008932ff9b151263b36\
        000600096576746a3a68367659202020000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2\
        80280004e57a3bcf";
    const SAMPLE_RESPONSE: &str = "0101003c2112a442b7e7a701bc34d686fa87dfae8022000b\
        7465737420766563746f7220002000080001a147e112a643000800142b91f599fd9e90c38c7489f92af9ba53f06be7d7\
        80280004c07d4c96";
    const SAMPLE_PASSWORD: &str = "VOkJxbRl1RmTxUk/WvJxBt";

    #[test]
    fn samples_of_the_standard_are_intact() {
        for sample in [SAMPLE_REQUEST, SAMPLE_RESPONSE] {
            let sample = data_encoding::HEXLOWER.decode(sample.as_bytes()).unwrap();
            assert!(is_intact(&sample, SAMPLE_PASSWORD, &hmac));
            assert!(!is_intact(&sample, "another", &hmac));
            let end = sample.len() - FINGERPRINT_ATTRIBUTE_BYTES;
            let crc = crc32(&sample[..end]) ^ 0x5354_554E;
            assert_eq!(sample[end + 4..], crc.to_be_bytes());
        }
        let response = data_encoding::HEXLOWER.decode(SAMPLE_RESPONSE.as_bytes()).unwrap();
        assert_eq!(answered(&response).unwrap()[..4], [0xB7, 0xE7, 0xA7, 0x01]);
        assert!(!is_intact(&message(b""), SAMPLE_PASSWORD, &hmac), "it has no integrity");
    }

    #[test]
    fn a_check_is_a_request_of_ice() {
        let made = check([5; 12], "theirs:ours", "secret", &hmac);
        assert!(
            is_intact(&made, "secret", &hmac) && is_request(&made) && answered(&made).is_none()
        );
        assert!(!is_request(&[1, 0x11, 0, 0, 0x21, 0x12, 0xA4, 0x42]), "an error");
        assert_eq!(local_ufrag(&made), Some("theirs"));
        let parsed = str0m::ice::StunMessage::parse(&made).unwrap();
        assert!(parsed.is_binding_request() && !parsed.use_candidate());
        assert_eq!((parsed.username(), parsed.ice_controlled()), (Some("theirs:ours"), Some(1)));
        assert!(parsed.verify(b"secret", hmac));
        let end = made.len() - FINGERPRINT_ATTRIBUTE_BYTES;
        assert_eq!(made[end + 4..], (crc32(&made[..end]) ^ 0x5354_554E).to_be_bytes());
    }

    proptest! {
        #[test]
        fn any_datagram_is_looked_at(attributes in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = local_ufrag(&attributes);
            let _ = local_ufrag(&message(&attributes));
            let _ = answered(&attributes);
            prop_assert!(!is_intact(&attributes, "secret", &hmac));
            prop_assert!(!is_intact(&message(&attributes), "secret", &hmac));
        }
    }
}
