//! The addresses of raw transport streams, with the options that ffmpeg has for them.

use std::fmt;
use std::net::IpAddr;

use crate::net::connect::datagrams::DatagramOptions;
use crate::net::connect::media_address::{AddressRules, MediaAddress};
use crate::text::Problem;
use crate::text::problem::problem;
use crate::wire::container::ts::PACKET_BYTES;
use crate::wire::rtmp::url::authority;

/// The usual size of a datagram: seven transport packets, which fit into an Ethernet frame.
const USUAL_PACKET_BYTES: usize = 7 * PACKET_BYTES;
/// Maximum size of a datagram of IPv4.
const MAX_PACKET_BYTES: usize = 65_507;

/// What addresses of transport streams allow.
const RULES: AddressRules = AddressRules {
    has_path: || problem!("url-ts-path"),
    has_login: || problem!("url-ts-login"),
    has_no_port: || problem!("url-ts-no-port"),
    may_lack_host: false,
    may_begin_with_at: true,
};

/// A receiver of a transport stream. The address contains no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TsAddress {
    /// Name or address, without the brackets of IPv6.
    pub host: String,
    pub port: u16,
    pub transport: TsTransport,
}

/// The way to the receiver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TsTransport {
    Tcp,
    Udp {
        /// Size of a datagram, a multiple of a transport packet.
        packet_bytes: usize,
        options: DatagramOptions,
    },
}

impl TsAddress {
    /// Parses an address.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let address = MediaAddress::parse(text, &RULES)?;
        let transport = match address.scheme.to_ascii_lowercase().as_str() {
            "tcp" => tcp(&address)?,
            _ => udp(&address)?,
        };
        Ok(Self { host: address.host.to_owned(), port: address.port, transport })
    }
}

fn tcp(address: &MediaAddress<'_>) -> Result<TsTransport, Problem> {
    match address.options().next() {
        None => Ok(TsTransport::Tcp),
        // This is the receiver's own address.
        Some(("listen", _)) => Err(problem!("url-ts-listen")),
        Some((name, _)) => Err(problem!("url-ts-tcp-option", name = name)),
    }
}

fn udp(address: &MediaAddress<'_>) -> Result<TsTransport, Problem> {
    let (mut packet_bytes, mut options) = (USUAL_PACKET_BYTES, DatagramOptions::default());
    for (name, value) in address.options() {
        let bad = || problem!("url-ts-value", name = name, value = value);
        match name {
            "pkt_size" => {
                let bytes: usize = value.parse().map_err(|_| bad())?;
                if !(PACKET_BYTES..=MAX_PACKET_BYTES).contains(&bytes) {
                    let (least, most) = (PACKET_BYTES, MAX_PACKET_BYTES);
                    return Err(problem!("url-ts-size", least = least, most = most));
                }
                // Only whole transport packets fit into a datagram.
                packet_bytes = bytes - bytes % PACKET_BYTES;
            }
            "ttl" => {
                let ttl = value.parse::<std::num::NonZeroU8>().map_err(|_| bad())?;
                options.ttl = Some(ttl.get());
            }
            "localaddr" => {
                let plain = value.trim_start_matches('[').trim_end_matches(']');
                options.local = Some(plain.parse::<IpAddr>().map_err(|_| bad())?);
            }
            _ => return Err(problem!("url-ts-udp-option", name = name)),
        }
    }
    Ok(TsTransport::Udp { packet_bytes, options })
}

impl fmt::Display for TsAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = authority(&self.host, self.port);
        let TsTransport::Udp { packet_bytes, options } = &self.transport else {
            return write!(f, "tcp://{place}");
        };
        let mut query = Vec::new();
        if *packet_bytes != USUAL_PACKET_BYTES {
            query.push(format!("pkt_size={packet_bytes}"));
        }
        query.extend(options.ttl.map(|ttl| format!("ttl={ttl}")));
        query.extend(options.local.map(|local| format!("localaddr={local}")));
        let mark = if query.is_empty() { "" } else { "?" };
        write!(f, "udp://{place}{mark}{}", query.join("&"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_shown_with_their_options() {
        for (typed, shown) in [
            (" tcp://Decoder.example:9000 ", "tcp://Decoder.example:9000"),
            ("TCP://[::1]:9000/", "tcp://[::1]:9000"),
            ("udp://239.1.1.1:5000?pkt_size=1316", "udp://239.1.1.1:5000"),
            ("udp://@239.1.1.1:5000", "udp://239.1.1.1:5000"),
            // Whole transport packets fit into a datagram of ffmpeg's usual size.
            ("udp://h:1?pkt_size=1472&ttl=4", "udp://h:1?ttl=4"),
            (
                "udp://h:65535/?localaddr=192.0.2.7&ttl=255&pkt_size=188",
                "udp://h:65535?pkt_size=188&ttl=255&localaddr=192.0.2.7",
            ),
            ("udp://[ff15::1]:5000?localaddr=[::1]", "udp://[ff15::1]:5000?localaddr=::1"),
        ] {
            let address = TsAddress::parse(typed).unwrap();
            assert_eq!(address.to_string(), shown);
            assert_eq!(TsAddress::parse(shown), Ok(address));
        }
    }

    #[test]
    fn what_is_wrong_with_an_address_is_named() {
        for (typed, id) in [
            ("tcp://h", "url-ts-no-port"),
            ("tcp://", "url-no-host"),
            ("tcp://:9000", "url-no-host"),
            ("tcp://h:0", "url-ts-port"),
            ("udp://h:70000", "url-ts-port"),
            ("tcp://::1:9000", "url-brackets"),
            ("tcp://[::1:9000", "url-brackets"),
            ("tcp://h:1?listen", "url-ts-listen"),
            ("tcp://h:1?listen=1", "url-ts-listen"),
            ("tcp://h:1?timeout=5", "url-ts-tcp-option"),
            ("udp://h:1?fifo_size=5", "url-ts-udp-option"),
            ("udp://h:1?pkt_size=187", "url-ts-size"),
            ("udp://h:1?pkt_size=x", "url-ts-value"),
            ("udp://h:1?ttl=0", "url-ts-value"),
            ("udp://h:1?ttl=256", "url-ts-value"),
            ("udp://h:1?localaddr=eth0", "url-ts-value"),
            ("udp://h:1/live/key", "url-ts-path"),
            ("tcp://me:planted@h:1", "url-ts-login"),
            ("tcp://a b:1", "url-character"),
        ] {
            let problem = TsAddress::parse(typed).unwrap_err();
            assert_eq!(problem.id(), id, "{typed}");
            assert!(!problem.to_string().contains("planted"), "{problem}");
        }
    }
}
