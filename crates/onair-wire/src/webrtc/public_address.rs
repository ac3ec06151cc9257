//! Finding the own public address with STUN (RFC 8489): the request, its answer, and the side that answers. Such a
//! request has no user name, unlike those of ICE.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::wire::webrtc::stun::{
    BINDING_REQUEST, BINDING_SUCCESS, HEADER_BYTES, MAGIC_COOKIE, TransactionId, USERNAME, add,
    attributes, is_request,
};

const XOR_MAPPED_ADDRESS: u16 = 0x0020;
const FAMILY_IPV4: u8 = 1;
const FAMILY_IPV6: u8 = 2;

/// Makes a request for the own address.
pub fn request(transaction: TransactionId) -> Vec<u8> {
    [&BINDING_REQUEST.to_be_bytes()[..], &[0, 0], &MAGIC_COOKIE, &transaction].concat()
}

/// Returns the transaction of such a request.
pub fn requested(datagram: &[u8]) -> Option<TransactionId> {
    let is_plain = is_request(datagram) && attributes(datagram).all(|(kind, _)| kind != USERNAME);
    datagram.get(8..HEADER_BYTES).filter(|_| is_plain)?.try_into().ok()
}

/// Makes the answer, which is hardly longer than the request.
pub fn answer(transaction: TransactionId, address: SocketAddr) -> Vec<u8> {
    let mut message =
        [&BINDING_SUCCESS.to_be_bytes()[..], &[0, 0], &MAGIC_COOKIE, &transaction].concat();
    let [high, low, ..] = MAGIC_COOKIE;
    let port = address.port() ^ u16::from_be_bytes([high, low]);
    let mut value = vec![0, FAMILY_IPV4];
    value.extend(port.to_be_bytes());
    match address.ip().to_canonical() {
        IpAddr::V4(ip) => value.extend(masked(&ip.octets(), &transaction)),
        IpAddr::V6(ip) => {
            value = [&[0, FAMILY_IPV6][..], &port.to_be_bytes()].concat();
            value.extend(masked(&ip.octets(), &transaction));
        }
    }
    add(&mut message, XOR_MAPPED_ADDRESS, &value);
    message
}

/// Returns the address in an answer.
pub fn answered_address(datagram: &[u8]) -> Option<SocketAddr> {
    let transaction: TransactionId = datagram.get(8..HEADER_BYTES)?.try_into().ok()?;
    let (_, value) = attributes(datagram).find(|(kind, _)| *kind == XOR_MAPPED_ADDRESS)?;
    let ([_, family, high, low], rest) = value.split_first_chunk::<4>()?;
    let [cookie_high, cookie_low, ..] = MAGIC_COOKIE;
    let port = u16::from_be_bytes([high ^ cookie_high, low ^ cookie_low]);
    let ip: IpAddr = match *family {
        FAMILY_IPV4 => {
            let bytes: [u8; 4] = rest.try_into().ok()?;
            let bytes: [u8; 4] = masked(&bytes, &transaction).try_into().ok()?;
            Ipv4Addr::from(bytes).into()
        }
        FAMILY_IPV6 => {
            let bytes: [u8; 16] = rest.try_into().ok()?;
            let bytes: [u8; 16] = masked(&bytes, &transaction).try_into().ok()?;
            Ipv6Addr::from(bytes).into()
        }
        _ => return None,
    };
    (port > 0 && !ip.is_unspecified()).then(|| SocketAddr::new(ip, port))
}

/// Applies the mask of RFC 8489 §14.2, so that routers do not rewrite the address.
fn masked(bytes: &[u8], transaction: &TransactionId) -> Vec<u8> {
    let mask = MAGIC_COOKIE.iter().chain(transaction);
    bytes.iter().zip(mask).map(|(byte, mask)| byte ^ mask).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::wire::webrtc::stun::{answered, check, is_stun};

    #[test]
    fn an_address_is_the_same_after_question_and_answer() {
        for text in ["192.0.2.1:32853", "[2001:db8:1234:5678:11:2233:4455:6677]:32853"] {
            let address: SocketAddr = text.parse().unwrap();
            let asked = request([7; 12]);
            assert_eq!((asked.len(), requested(&asked)), (20, Some([7; 12])));
            let answer = answer([7; 12], address);
            assert!(answer.len() <= 44 && answered(&answer) == Some([7; 12]));
            assert_eq!(answered_address(&answer), Some(address));
            assert_eq!(requested(&answer), None);
        }
        let mapped: SocketAddr = "[::ffff:192.0.2.1]:5".parse().unwrap();
        assert_eq!(answered_address(&answer([1; 12], mapped)), "192.0.2.1:5".parse().ok());
    }

    #[test]
    fn a_request_of_ice_is_no_question_for_an_address() {
        let ice = check([7; 12], "theirs:ours", "secret", &|_, _| [0; 20]);
        assert!(is_stun(&ice) && requested(&ice).is_none());
    }

    /// The samples of RFC 5769, §2.2 and §2.3.
    #[test]
    fn samples_of_the_standard_are_read() {
        let of = |hex: &str| data_encoding::HEXLOWER.decode(hex.as_bytes()).unwrap();
        let v4 = of("0101003c2112a442b7e7a701bc34d686fa87dfae8022000b\
            7465737420766563746f7220002000080001a147e112a643");
        assert_eq!(answered_address(&v4), "192.0.2.1:32853".parse().ok());
        let v6 = of("010100482112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220\
            002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d9");
        assert_eq!(
            answered_address(&v6),
            "[2001:db8:1234:5678:11:2233:4455:6677]:32853".parse().ok()
        );
    }

    proptest! {
        #[test]
        fn any_datagram_is_looked_at(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = (requested(&bytes), answered_address(&bytes));
            let message = [&request([3; 12])[..], &bytes].concat();
            let _ = (requested(&message), answered_address(&message));
        }
    }
}
