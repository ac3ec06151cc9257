//! Which computers can reach the built-in server, and the links of its stream for them.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use crate::net::OwnAddress;
use crate::server::{Addresses, Listen};
use crate::studio::targets::address::OWN_STREAM;

/// The ports of the built-in server that other computers can reach. This computer reaches all of
/// them.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerReach {
    /// True for the ports of HTTP and WebRTC, with which browsers and most players watch.
    pub http: bool,
    /// True for the port of RTMP, for players and for other publishers.
    pub rtmp: bool,
}

impl ServerReach {
    /// Returns the address at which a port listens: for all computers if `open`, otherwise only for
    /// this one.
    pub(in crate::studio) fn listen(open: bool, port: u16) -> Listen {
        if open { Listen::everywhere(port) } else { Listen::loopback(port) }
    }
}

/// Links of the stream; empty if the server does not run or lacks the protocol.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShareLinks {
    /// The viewer page, for browsers.
    pub page: String,
    pub hls: String,
    pub dash: String,
    /// HLS with MPEG-TS segments, for old devices.
    pub hls_ts: String,
    pub rtmp: String,
    pub flv: String,
    pub whep: String,
}

/// An address of this computer in a network, and whether the server listens there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkAddress {
    /// The name of the interface; empty if unknown.
    pub interface: String,
    pub ip: IpAddr,
    /// True if computers outside the local network can use the address.
    pub is_public: bool,
    pub http: bool,
    pub rtmp: bool,
}

/// Returns true if a socket that listens at `at` accepts connections to `ip`.
fn accepts(at: SocketAddr, ip: IpAddr) -> bool {
    at.ip() == ip || (at.ip().is_unspecified() && (at.is_ipv6() || ip.is_ipv4()))
}

/// Returns for each address of this computer whether the server listens there.
pub(in crate::studio) fn networks(own: &[OwnAddress], server: Addresses) -> Vec<NetworkAddress> {
    let network = |it: &OwnAddress| NetworkAddress {
        interface: it.interface.clone(),
        ip: it.ip,
        is_public: it.is_public(),
        http: server.http.is_some_and(|http| accepts(http, it.ip)),
        rtmp: accepts(server.rtmp, it.ip),
    };
    own.iter().map(network).collect()
}

/// Returns the links, each with the first address at which other computers reach its port, or else
/// with this computer's own address.
pub(in crate::studio) fn links(networks: &[NetworkAddress], server: Addresses) -> ShareLinks {
    let (app, stream) = OWN_STREAM;
    let at = |listens: SocketAddr, reaches: fn(&NetworkAddress) -> bool| {
        let reached = networks.iter().find(|it| reaches(it)).map(|it| it.ip);
        SocketAddr::new(reached.unwrap_or_else(|| here(listens).ip()), listens.port())
    };
    let rtmp = at(server.rtmp, |it| it.rtmp);
    let mut links =
        ShareLinks { rtmp: format!("rtmp://{rtmp}/{app}/{stream}"), ..ShareLinks::default() };
    if let Some(http) = server.http.map(|http| at(http, |it| it.http)) {
        links.page = format!("http://{http}/watch/{app}/{stream}");
        links.hls = format!("http://{http}/{app}/{stream}.m3u8");
        links.dash = format!("http://{http}/{app}/{stream}.mpd");
        links.hls_ts = format!("http://{http}/{app}/{stream}/hls/ts.m3u8");
        links.flv = format!("http://{http}/{app}/{stream}.flv");
        if server.webrtc.is_some() {
            links.whep = format!("http://{http}/{app}/{stream}/whep");
        }
    }
    links
}

/// Returns the address at which this computer reaches its own socket.
pub(in crate::studio) fn here(listens: SocketAddr) -> SocketAddr {
    match listens.ip().is_unspecified() {
        true => SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), listens.port()),
        false => listens,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(http: &str, rtmp: &str) -> Addresses {
        Addresses {
            rtmp: rtmp.parse().unwrap(),
            rtmps: None,
            rtmpt: None,
            http: http.parse().ok(),
            webrtc: "127.0.0.1:8189".parse().ok(),
            rtmp_moved: false,
            http_moved: false,
        }
    }

    fn own() -> Vec<OwnAddress> {
        let own = |interface: &str, ip: &str| OwnAddress {
            interface: interface.to_owned(),
            ip: ip.parse().unwrap(),
        };
        vec![own("eth0", "192.168.1.20"), own("eth0", "2001:db8::5")]
    }

    #[test]
    fn links_have_an_address_that_others_reach() {
        let closed = server("127.0.0.1:8088", "127.0.0.1:1935");
        let known = networks(&own(), closed);
        assert!(known.iter().all(|it| !it.http && !it.rtmp), "{known:?}");
        let links_of = |known: &[NetworkAddress], server| links(known, server);
        assert_eq!(links_of(&known, closed).page, "http://127.0.0.1:8088/watch/live/onair");

        let open = server("0.0.0.0:8088", "127.0.0.1:1935");
        let known = networks(&own(), open);
        let reached: Vec<(bool, bool)> = known.iter().map(|it| (it.http, it.rtmp)).collect();
        assert_eq!(reached, [(true, false), (false, false)], "IPv4 only");
        let links = links_of(&known, open);
        assert_eq!(links.page, "http://192.168.1.20:8088/watch/live/onair");
        assert_eq!(links.hls, "http://192.168.1.20:8088/live/onair.m3u8");
        assert_eq!(links.dash, "http://192.168.1.20:8088/live/onair.mpd");
        assert_eq!(links.hls_ts, "http://192.168.1.20:8088/live/onair/hls/ts.m3u8");
        assert_eq!(links.flv, "http://192.168.1.20:8088/live/onair.flv");
        assert_eq!(links.whep, "http://192.168.1.20:8088/live/onair/whep");
        assert_eq!(links.rtmp, "rtmp://127.0.0.1:1935/live/onair", "RTMP stays here");
    }

    #[test]
    fn without_a_network_links_are_for_this_computer() {
        let open = server("0.0.0.0:8088", "0.0.0.0:1935");
        let links = links(&networks(&[], open), open);
        assert_eq!(links.page, "http://127.0.0.1:8088/watch/live/onair");
        assert_eq!(links.rtmp, "rtmp://127.0.0.1:1935/live/onair");
        assert_eq!(here(open.rtmp), "127.0.0.1:1935".parse().unwrap());
    }
}
