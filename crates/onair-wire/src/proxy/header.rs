//! The header of the PROXY protocol, versions 1 and 2, in which a proxy names the address of its client before it
//! passes on any data (<https://www.haproxy.org/download/1.8/doc/proxy-protocol.txt>).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The first bytes of a version 2 header.
const V2_SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";
/// The first bytes of a version 1 header.
const V1_PREFIX: &[u8] = b"PROXY ";
/// Maximum length of a version 1 header, including the end of the line (section 2.1).
const MAX_V1_HEADER_BYTES: usize = 107;
/// Length of a version 2 header without addresses.
const V2_HEADER_BYTES: usize = 16;
/// Maximum length of the addresses and extensions of a version 2 header; senders use far less.
const MAX_V2_REST_BYTES: usize = 2_048;

/// The meaning of the first bytes of a connection.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum FirstBytes {
    /// The bytes may begin a header, of which at least this many bytes are missing.
    Incomplete(usize),
    /// A complete header. `None` if the proxy speaks for itself, or for a client without an address.
    Header(Option<SocketAddr>),
    /// No header.
    Other,
    /// A header that violates the protocol.
    Invalid,
}

/// Reads the beginning of a connection. `bytes` must not extend beyond the header.
pub fn read(bytes: &[u8]) -> FirstBytes {
    if V2_SIGNATURE.starts_with(bytes.get(..V2_SIGNATURE.len()).unwrap_or(bytes))
        && !bytes.is_empty()
    {
        return version_2(bytes);
    }
    if !V1_PREFIX.starts_with(bytes.get(..V1_PREFIX.len()).unwrap_or(bytes)) {
        return FirstBytes::Other;
    }
    match bytes.strip_suffix(b"\r\n") {
        Some(line) => version_1(line),
        None if bytes.len() >= MAX_V1_HEADER_BYTES => FirstBytes::Invalid,
        None => FirstBytes::Incomplete(1),
    }
}

fn version_1(line: &[u8]) -> FirstBytes {
    let Ok(line) = std::str::from_utf8(line) else { return FirstBytes::Invalid };
    let mut words = line.split(' ').skip(1);
    let family = words.next();
    if family == Some("UNKNOWN") {
        return FirstBytes::Header(None);
    }
    let (source, _) = (words.next(), words.next());
    let port = words.next().filter(|port| port.bytes().all(|it| it.is_ascii_digit()));
    let port = port.and_then(|port| port.parse().ok());
    let address: Option<IpAddr> = source.and_then(|source| source.parse().ok());
    let fits = match (family, address) {
        (Some("TCP4"), Some(address)) => address.is_ipv4(),
        (Some("TCP6"), Some(address)) => address.is_ipv6(),
        _ => false,
    };
    match (address, port, words.count()) {
        (Some(address), Some(port), 1) if fits => {
            FirstBytes::Header(Some(SocketAddr::new(address, port)))
        }
        _ => FirstBytes::Invalid,
    }
}

fn version_2(bytes: &[u8]) -> FirstBytes {
    let Some(([.., version, family, high, low], rest)) =
        bytes.split_first_chunk::<V2_HEADER_BYTES>()
    else {
        return FirstBytes::Incomplete(V2_HEADER_BYTES - bytes.len());
    };
    let length = usize::from(u16::from_be_bytes([*high, *low]));
    if version >> 4 != 2 || length > MAX_V2_REST_BYTES {
        return FirstBytes::Invalid;
    }
    if rest.len() < length {
        return FirstBytes::Incomplete(length - rest.len());
    }
    match (version & 0x0F, family) {
        // LOCAL: a health check by the proxy.
        (0, _) => FirstBytes::Header(None),
        (1, 0x11) => match rest.first_chunk::<12>() {
            Some(&[a, b, c, d, _, _, _, _, high, low, _, _]) => {
                let port = u16::from_be_bytes([high, low]);
                FirstBytes::Header(Some((Ipv4Addr::new(a, b, c, d), port).into()))
            }
            None => FirstBytes::Invalid,
        },
        (1, 0x21) => match (rest.first_chunk::<16>(), rest.get(32..34)) {
            (Some(address), Some(&[high, low])) => {
                let port = u16::from_be_bytes([high, low]);
                FirstBytes::Header(Some((Ipv6Addr::from(*address), port).into()))
            }
            _ => FirstBytes::Invalid,
        },
        // Another address family.
        (1, _) => FirstBytes::Header(None),
        _ => FirstBytes::Invalid,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds a header in the pieces that `read` asks for.
    fn fed(bytes: &[u8]) -> (FirstBytes, usize) {
        let mut have = 1;
        loop {
            match read(&bytes[..have]) {
                FirstBytes::Incomplete(more) if have + more <= bytes.len() => have += more,
                other => return (other, have),
            }
        }
    }

    fn of_version_2(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
        let length = u16::try_from(rest.len()).unwrap().to_be_bytes();
        [&V2_SIGNATURE[..], &[0x20 | command, family], &length, rest].concat()
    }

    #[test]
    fn headers_are_read_to_their_last_byte() {
        let client = |text: &str| FirstBytes::Header(Some(text.parse().unwrap()));
        let v4 = [192, 0, 2, 9, 198, 51, 100, 1, 0x82, 0x35, 0x07, 0x8F];
        let mut v6 = Ipv6Addr::from([0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9])
            .octets()
            .to_vec();
        v6.extend([0; 16]);
        v6.extend([0x82, 0x35, 0, 80]);
        for (header, expected) in [
            (
                b"PROXY TCP4 192.0.2.9 198.51.100.1 33333 1935\r\n".to_vec(),
                client("192.0.2.9:33333"),
            ),
            (b"PROXY TCP6 2001:db8::9 ::1 33333 1935\r\n".to_vec(), client("[2001:db8::9]:33333")),
            (b"PROXY UNKNOWN\r\n".to_vec(), FirstBytes::Header(None)),
            (b"PROXY UNKNOWN ffff:f...f:ffff\r\n".to_vec(), FirstBytes::Header(None)),
            (of_version_2(1, 0x11, &v4), client("192.0.2.9:33333")),
            (of_version_2(1, 0x11, &[&v4[..], &[4, 0, 1, 0]].concat()), client("192.0.2.9:33333")),
            (of_version_2(1, 0x21, &v6), client("[2001:db8::9]:33333")),
            (of_version_2(0, 0, &[]), FirstBytes::Header(None)),
            (of_version_2(1, 0x31, &[0; 216]), FirstBytes::Header(None)),
        ] {
            let handshake = [&header[..], &[3; 100]].concat();
            assert_eq!(fed(&handshake), (expected, header.len()), "{header:?}");
            for cut in 1..header.len() {
                assert!(matches!(read(&header[..cut]), FirstBytes::Incomplete(_)), "{cut}");
            }
        }
    }

    #[test]
    fn other_beginnings_and_broken_headers_are_distinguished() {
        for other in [&b"\x03"[..], b"\x16\x03\x01", b"POST /open/1", b"GET / HTTP/1.1", b"PRI * "]
        {
            assert_eq!(fed(other).0, FirstBytes::Other, "{other:?}");
        }
        let long = [&b"PROXY UNKNOWN "[..], &[b'x'; 200]].concat();
        for broken in [
            b"PROXY TCP4 192.0.2.9 198.51.100.1 33333\r\n".to_vec(),
            b"PROXY TCP4 2001:db8::9 ::1 33333 1935\r\n".to_vec(),
            b"PROXY TCP4 192.0.2.9 198.51.100.1 99999 1935\r\n".to_vec(),
            b"PROXY TCP4 192.0.2.9 198.51.100.1 +3333 1935\r\n".to_vec(),
            b"PROXY TCP4 host 198.51.100.1 33333 1935\r\n".to_vec(),
            b"PROXY \xFF\r\n".to_vec(),
            long,
            of_version_2(7, 0x11, &[0; 12]),
            of_version_2(1, 0x11, &[0; 11]),
            of_version_2(1, 0x21, &[0; 33]),
            of_version_2(1, 0x11, &[0; 4_000]),
            [&V2_SIGNATURE[..], &[0x11, 0x11, 0, 0]].concat(),
        ] {
            assert_eq!(fed(&broken).0, FirstBytes::Invalid, "{broken:?}");
        }
    }
}
