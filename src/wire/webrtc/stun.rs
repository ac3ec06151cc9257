//! Identifies the session of a STUN message (RFC 8489) without parsing the rest.

/// The fixed value after type and length of every message.
const MAGIC_COOKIE: [u8; 4] = [0x21, 0x12, 0xA4, 0x42];
const HEADER: usize = 20;
const USERNAME: u16 = 0x0006;

/// Returns true for a STUN datagram, as opposed to DTLS or RTP (RFC 7983).
pub fn is_stun(datagram: &[u8]) -> bool {
    datagram.first().is_some_and(|first| *first < 4) && datagram.get(4..8) == Some(&MAGIC_COOKIE)
}

/// Returns the receiver's part of the user name in an ICE request (RFC 8445 §7.2.2): `ours:theirs`.
pub fn local_ufrag(datagram: &[u8]) -> Option<&str> {
    if !is_stun(datagram) {
        return None;
    }
    let mut rest = datagram.get(HEADER..)?;
    while let Some((head, after)) = rest.split_first_chunk::<4>() {
        let [kind, length] = [[head[0], head[1]], [head[2], head[3]]].map(u16::from_be_bytes);
        let value = after.get(..usize::from(length))?;
        if kind == USERNAME {
            return std::str::from_utf8(value).ok()?.split_once(':').map(|(ours, _)| ours);
        }
        rest = after.get(usize::from(length).next_multiple_of(4)..)?;
    }
    None
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

    proptest! {
        #[test]
        fn any_datagram_is_looked_at(attributes in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = local_ufrag(&attributes);
            let _ = local_ufrag(&message(&attributes));
        }
    }
}
