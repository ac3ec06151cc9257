//! Which computers can reach the built-in server, and the links to its stream for them.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;

use crate::net::OwnAddress;
use crate::server::{Addresses, Listen};
use crate::studio::targets::address::OWN_STREAM;
use crate::text::problem::{Problem, problem};
use crate::wire::http::{is_host_name, is_origin};

/// The ports of the built-in server that other computers can reach. This computer reaches all of
/// them.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerReach {
    /// True for the ports of HTTP and WebRTC, with which browsers and most players watch.
    pub http: bool,
    /// True for the port of RTMP, for players. Only this computer may publish.
    pub rtmp: bool,
    /// True if there is a port of HTTPS too, which the same computers reach as HTTP.
    pub https: bool,
    /// True if there is a port of SRT, which the same computers reach as HTTP.
    pub srt: bool,
}

impl ServerReach {
    /// Returns the address at which a port listens: for all computers if `open`, otherwise only for
    /// this one.
    pub(crate) fn listen(open: bool, port: u16) -> Listen {
        if open { Listen::everywhere(port) } else { Listen::loopback(port) }
    }
}

/// Maximum number of host names, and of origins.
const MAX_NAMES: usize = 32;
/// Maximum number of characters of a wrong host name that a message repeats.
const MAX_REPEATED_CHARS: usize = 40;

/// How browsers may address the built-in server, and which pages may read from it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerNames {
    /// Host names, in addition to the addresses of this computer and its name in the local network.
    pub hosts: Vec<String>,
    /// Origins whose pages may read from the server, such as `https://example.com`; `*` for all. The
    /// server's own pages always may.
    pub origins: Vec<String>,
}

/// Where the certificate of the built-in server's HTTPS comes from: from files, from an authority
/// for domains, or, if all is empty, from onair itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerCertificate {
    /// The file of the certificate (PEM).
    pub cert: String,
    /// The file of its key (PEM).
    pub key: String,
    /// The domains for which an authority issues the certificate, unless there are files.
    pub domains: Vec<String>,
}

impl ServerCertificate {
    /// Returns the files, if both are given.
    pub fn files(&self) -> Option<(&Path, &Path)> {
        let is_given = !self.cert.is_empty() && !self.key.is_empty();
        is_given.then(|| (Path::new(&self.cert), Path::new(&self.key)))
    }
}

/// Checks a host name.
///
/// # Errors
/// Fails if the text is not a host name.
pub fn check_host(text: &str) -> Result<String, Problem> {
    match is_host_name(text) {
        true => Ok(text.to_ascii_lowercase()),
        false => {
            let mut shown: String = text.chars().take(MAX_REPEATED_CHARS).collect();
            if shown.len() < text.len() {
                shown.push('…');
            }
            Err(problem!("server-host", text = shown))
        }
    }
}

/// Checks an origin.
///
/// # Errors
/// Fails if the text is neither an origin nor `*`.
pub fn check_origin(text: &str) -> Result<String, Problem> {
    match text == "*" || is_origin(text) {
        true => Ok(text.to_ascii_lowercase()),
        false => Err(problem!("serve-origin")),
    }
}

/// Checks a list of host names or origins with [`check_host`] or [`check_origin`].
///
/// # Errors
/// Fails with the problem of the first bad entry, or if there are too many.
pub fn check_names<'a>(
    texts: impl IntoIterator<Item = &'a str>,
    check: fn(&str) -> Result<String, Problem>,
) -> Result<Vec<String>, Problem> {
    let names = texts.into_iter().map(check).collect::<Result<Vec<_>, _>>()?;
    match names.len() > MAX_NAMES {
        true => Err(problem!("server-names-many", most = MAX_NAMES)),
        false => Ok(names),
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
    pub srt: String,
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

/// Returns true if a socket that listens at `at` accepts connections to `ip`. `[::]` includes the
/// addresses of IPv4.
pub fn accepts(at: SocketAddr, ip: IpAddr) -> bool {
    at.ip() == ip || (at.ip().is_unspecified() && (at.is_ipv6() || ip.is_ipv4()))
}

/// Returns, for each address of this computer, whether the server listens there.
pub(crate) fn networks(own: &[OwnAddress], server: Addresses) -> Vec<NetworkAddress> {
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
/// with this computer's own address. They contain the play key, if viewers need one.
pub(crate) fn links(
    networks: &[NetworkAddress],
    server: Addresses,
    play_key: Option<&str>,
) -> ShareLinks {
    let (app, stream) = OWN_STREAM;
    let at = |listens: SocketAddr, reaches: fn(&NetworkAddress) -> bool| {
        let reached = networks.iter().find(|it| reaches(it)).map(|it| it.ip);
        SocketAddr::new(reached.unwrap_or_else(|| here(listens).ip()), listens.port())
    };
    let rtmp = at(server.rtmp, |it| it.rtmp);
    let key = play_key.map(|key| format!("?key={key}")).unwrap_or_default();
    let mut links =
        ShareLinks { rtmp: format!("rtmp://{rtmp}/{app}/{stream}{key}"), ..ShareLinks::default() };
    if let Some(http) = server.http.map(|http| at(http, |it| it.http)) {
        links.page = format!("http://{http}/watch/{app}/{stream}{key}");
        links.hls = format!("http://{http}/{app}/{stream}.m3u8{key}");
        links.dash = format!("http://{http}/{app}/{stream}.mpd{key}");
        links.hls_ts = format!("http://{http}/{app}/{stream}/hls/ts.m3u8{key}");
        links.flv = format!("http://{http}/{app}/{stream}.flv{key}");
        if server.webrtc.is_some() {
            links.whep = format!("http://{http}/{app}/{stream}/whep{key}");
        }
    }
    if let Some(srt) = server.srt {
        let reached = networks.iter().find(|it| accepts(srt, it.ip)).map(|it| it.ip);
        let at = SocketAddr::new(reached.unwrap_or_else(|| here(srt).ip()), srt.port());
        let key = play_key.map(|key| format!(":key={key}")).unwrap_or_default();
        links.srt = format!("srt://{at}?streamid=read:{app}/{stream}{key}");
    }
    links
}

/// Returns the address at which this computer reaches its own socket.
pub(crate) fn here(listens: SocketAddr) -> SocketAddr {
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
            https: None,
            webrtc: "127.0.0.1:8189".parse().ok(),
            rtmp_moved: false,
            http_moved: false,
            webrtc_moved: false,
            srt: None,
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
    fn a_message_repeats_only_the_beginning_of_a_wrong_host_name() {
        let sentence =
            |host: &str| crate::text::Language::English.say(&check_host(host).unwrap_err());
        assert!(sentence("a:80").starts_with("'a:80' is not"), "{}", sentence("a:80"));
        let (long, begin) = (format!("{}:80", "a".repeat(300)), "a".repeat(40));
        assert!(sentence(&long).starts_with(&format!("'{begin}…' is not")), "{}", sentence(&long));
    }

    #[test]
    fn links_have_an_address_that_others_reach() {
        let closed = server("127.0.0.1:8088", "127.0.0.1:1935");
        let known = networks(&own(), closed);
        assert!(known.iter().all(|it| !it.http && !it.rtmp), "{known:?}");
        let links_of = |known: &[NetworkAddress], server| links(known, server, None);
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
    fn a_server_at_all_addresses_is_reached_over_ipv6_and_links_can_have_such_an_address() {
        let open = server("[::]:8088", "[::]:1935");
        let known = networks(&own(), open);
        assert!(known.iter().all(|it| it.http && it.rtmp), "{known:?}");
        assert_eq!(links(&known, open, None).page, "http://192.168.1.20:8088/watch/live/onair");
        let only_six: Vec<_> = own().into_iter().filter(|it| it.ip.is_ipv6()).collect();
        let links = links(&networks(&only_six, open), open, None);
        assert_eq!(links.page, "http://[2001:db8::5]:8088/watch/live/onair");
        assert_eq!(links.rtmp, "rtmp://[2001:db8::5]:1935/live/onair");
        assert_eq!(here(open.rtmp), "127.0.0.1:1935".parse().unwrap());
    }

    #[test]
    fn every_link_has_the_play_key() {
        let mut open = server("0.0.0.0:8088", "0.0.0.0:1935");
        open.srt = "0.0.0.0:8890".parse().ok();
        let ShareLinks { page, hls, dash, hls_ts, rtmp, flv, whep, srt } =
            links(&networks(&own(), open), open, Some("k3y"));
        assert_eq!(srt, "srt://192.168.1.20:8890?streamid=read:live/onair:key=k3y");
        for link in [page, hls, dash, hls_ts, rtmp, flv, whep] {
            assert!(link.ends_with("?key=k3y"), "{link}");
        }
    }

    #[test]
    fn names_are_checked_one_by_one() {
        let hosts = |texts: &[&str]| check_names(texts.iter().copied(), check_host);
        assert_eq!(hosts(&["Studio.Example"]).unwrap(), ["studio.example"]);
        assert!(hosts(&["studio.example", "a:80"]).is_err());
        assert!(hosts(&["a"; 33]).is_err());
        assert_eq!(check_origin("*").unwrap(), "*");
        assert!(check_origin("example.com").is_err());
    }

    #[test]
    fn without_a_network_links_are_for_this_computer() {
        let open = server("0.0.0.0:8088", "0.0.0.0:1935");
        let links = links(&networks(&[], open), open, None);
        assert_eq!(links.page, "http://127.0.0.1:8088/watch/live/onair");
        assert_eq!(links.rtmp, "rtmp://127.0.0.1:1935/live/onair");
        assert_eq!(here(open.rtmp), "127.0.0.1:1935".parse().unwrap());
    }
}
