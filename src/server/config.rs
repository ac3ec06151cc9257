//! How the built-in server is run, and the limits it keeps.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use crate::base::Secret;
use crate::net::Identity;
use crate::net::listener::descriptors;
use crate::server::fault::Fault;
use crate::server::hls;
use crate::wire::rtmp::auth::Method;
use crate::wire::rtmp::url::Credentials;

/// Connections where the system allows as many descriptors.
const MAX_CONNECTIONS: usize = 4_096;
/// The port of RTMP.
pub const DEFAULT_RTMP_PORT: u16 = 1935;
/// The port of the pages.
pub const DEFAULT_HTTP_PORT: u16 = 8088;

/// An address to listen on.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Listen {
    /// Port 0 picks a free one.
    pub address: SocketAddr,
    /// Where the port is taken, the next free one will do. For a default, not for a wish.
    pub or_next: bool,
}

impl Listen {
    /// Exactly this address.
    pub const fn exactly(address: SocketAddr) -> Self {
        Self { address, or_next: false }
    }

    /// This port on loopback, or one of the next.
    pub const fn loopback(port: u16) -> Self {
        let address = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port);
        Self { address, or_next: true }
    }
}

/// Where to speak TLS, and as whom.
#[derive(Clone, Debug)]
pub struct Secure {
    pub listen: Listen,
    pub identity: Identity,
}

/// How to serve.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where publishers and players connect.
    pub rtmp: Listen,
    /// Where those connect who speak TLS; `None` for none.
    pub rtmps: Option<Secure>,
    /// Where else those connect who tunnel through HTTP (RTMPT), such as port 80; `None` for nowhere.
    /// They are also served where RTMP and RTMPS are spoken.
    pub rtmpt: Option<Listen>,
    /// Where the pages, the figures and HTTP-FLV are; `None` for none.
    pub http: Option<Listen>,
    /// Where there are any, a publisher must name one: `rtmp://host/app/stream?key=…`.
    pub publish_keys: Vec<Secret>,
    /// Where clients are asked to go when this server is shut down (Enhanced RTMP's request to
    /// reconnect): a URL with an application. They try here again where it is `None`.
    pub successor: Option<String>,
    /// What publishers must give when they connect; players need nothing.
    pub login: Option<Login>,
    /// A stream that only who knows its key may publish, whatever keys there are beside.
    pub own_stream: Option<OwnStream>,
    /// Names by which browsers may reach the server over HTTP, beside its addresses and `localhost`.
    pub http_names: Vec<String>,
    /// Origins whose pages may read what is served over HTTP, such as `https://example.com`; `*` for
    /// all. Pages of the server itself always may.
    pub cors: Vec<String>,
    /// What has to be known to change something over HTTP; nobody may where it is `None`.
    pub http_token: Option<Secret>,
    /// Every publication is written into a file of this folder.
    pub record: Option<PathBuf>,
    /// How streams are served as HLS, where there is HTTP.
    pub hls: hls::Settings,
    pub limits: Limits,
    /// What it does wrong on request.
    pub faults: Vec<Fault>,
    /// What times and garbage of the faults are drawn from.
    pub fault_seed: u64,
}

/// A stream of the program that runs the server.
#[derive(Clone, Debug)]
pub struct OwnStream {
    pub app: String,
    pub stream: String,
    /// Given as `?key=…` behind the name.
    pub key: Secret,
}

/// A name and a password, and how they are asked for.
#[derive(Clone, Debug)]
pub struct Login {
    pub method: Method,
    pub credentials: Credentials,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            rtmp: Listen::loopback(DEFAULT_RTMP_PORT),
            rtmps: None,
            rtmpt: None,
            http: Some(Listen::loopback(DEFAULT_HTTP_PORT)),
            publish_keys: Vec::new(),
            successor: None,
            login: None,
            own_stream: None,
            http_names: Vec::new(),
            cors: Vec::new(),
            http_token: None,
            record: None,
            hls: hls::Settings::default(),
            limits: Limits::default(),
            faults: Vec::new(),
            fault_seed: 0,
        }
    }
}

/// What one peer may cost the others.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Connections of every kind.
    pub connections: usize,
    /// Connections of one address that is not loopback; of IPv6, of one network of 64 bits.
    pub per_address: usize,
    /// Viewers of one stream.
    pub viewers: usize,
    /// Streams that are published; as many more may be waited for.
    pub streams: usize,
    /// Streams without a publisher that viewers of one address may wait for.
    pub waiting_names: usize,
    /// How long a viewer may wait for a publisher.
    pub waiting_viewer: Duration,
    /// What late joiners get at once, at most, in bytes; a longer group of frames is not kept.
    pub group_bytes: usize,
    /// What may wait for one viewer, in bytes, before frames are skipped.
    pub queue_bytes: usize,
    /// Files that are written at once.
    pub files: usize,
    /// How long a request over HTTP may take from its first byte to the first of its answer; the
    /// first one, from when the connection was made.
    pub request: Duration,
    /// A viewer that takes nothing for this long is let go.
    pub stalled_viewer: Duration,
    /// A publisher that sends nothing for this long is let go.
    pub silent_publisher: Duration,
    /// How long a message may wait for the rest of its publisher's burst, where there are many
    /// viewers. Not at all by default: of a burst whose pieces follow each other at once nearly all
    /// is read in one go anyway, and one more millisecond of waiting added two to the latency.
    pub hold: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: descriptors::for_connections(MAX_CONNECTIONS),
            per_address: 1_024,
            viewers: 4_096,
            streams: 256,
            waiting_names: 32,
            waiting_viewer: Duration::from_mins(30),
            group_bytes: 8 << 20,
            queue_bytes: 8 << 20,
            files: 64,
            request: Duration::from_secs(10),
            stalled_viewer: Duration::from_secs(20),
            silent_publisher: Duration::from_secs(20),
            hold: Duration::ZERO,
        }
    }
}
