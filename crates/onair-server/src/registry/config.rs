//! The built-in server's configuration.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use crate::base::Secret;
use crate::net::tls::acme::AcmeConfig;
use crate::net::webrtc::Certificate;
use crate::net::{Identity, all_addresses};
use crate::server::access::limits::Limits;
use crate::server::access::rules::AccessRules;
use crate::server::fault::Fault;
use crate::server::hls;
use crate::server::recordings::rules::RecordingRules;
use crate::server::registry::chat::moderation::ChatRules;
use crate::server::registry::guests::Guests;
use crate::server::registry::http_successor::HttpSuccessor;
use crate::server::registry::ice_server::IceServer;
use crate::server::registry::meeting::Meeting;
use crate::server::registry::relays::rules::RelayRule;
use crate::server::renditions::ladder::Ladders;
use crate::wire::rtmp::auth::Method;
use crate::wire::rtmp::url::Credentials;

/// The RTMP port.
pub const DEFAULT_RTMP_PORT: u16 = 1935;
/// The port of the web pages.
pub const DEFAULT_HTTP_PORT: u16 = 8088;

/// The HTTPS port.
pub const DEFAULT_HTTPS_PORT: u16 = 8443;

/// The WebRTC port.
pub const DEFAULT_WEBRTC_PORT: u16 = 8189;
/// The port of SRT if no address is given.
pub const DEFAULT_SRT_PORT: u16 = 8890;

/// An address to listen on.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Listen {
    /// The address. Port 0 picks a free port.
    pub address: SocketAddr,
    /// True to use the next free port if the port is in use. It is set for default ports, not for
    /// configured ones.
    pub or_next: bool,
}

impl Listen {
    /// Listens exactly on this address.
    pub const fn exactly(address: SocketAddr) -> Self {
        Self { address, or_next: false }
    }

    /// Listens on this port of all addresses, or on one of the next ports.
    pub fn everywhere(port: u16) -> Self {
        Self { address: SocketAddr::new(all_addresses(), port), or_next: true }
    }

    /// Listens on this port of the loopback interface, or on one of the next ports.
    pub const fn loopback(port: u16) -> Self {
        let address = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port);
        Self { address, or_next: true }
    }
}

/// The configuration of the server.
#[derive(Clone, Debug)]
pub struct Config {
    /// The address for publishers and players.
    pub rtmp: Listen,
    /// The certificate of RTMPS and HTTPS, which both need one.
    pub identity: Option<Identity>,
    /// What to ask an authority for, if the certificate comes from one. Until it comes, `identity` serves.
    pub acme: Option<AcmeConfig>,
    /// The TLS address; `None` disables RTMPS.
    pub rtmps: Option<Listen>,
    /// An additional address for RTMP over HTTP (RTMPT), such as port 80; `None` disables it. The
    /// RTMP and RTMPS ports also accept RTMPT.
    pub rtmpt: Option<Listen>,
    /// The address for pages, metrics and HTTP-FLV; `None` disables HTTP.
    pub http: Option<Listen>,
    /// The address for the same over TLS, with HTTP/1.1 and HTTP/2; `None` disables HTTPS.
    pub https: Option<Listen>,
    /// True if HTTP sends clients to HTTPS. The paths for health checks and metrics stay.
    pub redirects_to_https: bool,
    /// Stream keys; if not empty, a publisher must use one: `rtmp://host/app/stream?key=…`. These
    /// keys are for applications without their own publish keys.
    pub publish_keys: Vec<Secret>,
    /// The rules for who may publish and play in which application.
    pub access: AccessRules,
    /// The URL, with an application, to which clients reconnect when this server shuts down
    /// (Enhanced RTMP's reconnect request). `None` means this server.
    pub successor: Option<String>,
    /// The server to which HTTP viewers of a stream move while this server drains, once the stream
    /// is not published here. `None` means that they stay.
    pub http_successor: Option<HttpSuccessor>,
    /// The login for publishers; players need none.
    pub login: Option<Login>,
    /// A stream that requires its own key to publish, independently of other keys.
    pub own_stream: Option<OwnStream>,
    /// Host names that HTTP requests may use for the server, in addition to its addresses and
    /// `localhost`.
    pub http_names: Vec<String>,
    /// Origins whose pages may read from the server, such as `https://example.com`; `*` for all.
    /// The server's own pages may always read.
    pub cors: Vec<String>,
    /// The token for changes over HTTP; `None` allows no changes, or keeps the token in a reload.
    pub http_token: Option<Secret>,
    /// Folder for recordings of publications, if set.
    pub record: Option<PathBuf>,
    /// The rules for recordings, renditions and WHEP viewers at the start.
    pub media: MediaRules,
    /// The rules of all chats.
    pub chat: ChatRules,
    /// The UDP port of WebRTC for WHEP viewers, used with HTTP; `None` disables WHEP.
    pub webrtc: Option<Listen>,
    /// Further addresses at which viewers reach the WebRTC port, such as the public address of a router.
    pub webrtc_addresses: Vec<IpAddr>,
    /// The certificate of WebRTC; `None` creates a new one in each run.
    pub webrtc_certificate: Option<Certificate>,
    /// The places of guests, if guests may join.
    pub guests: Option<Arc<Guests>>,
    /// The place of studios and their guests, if they meet at this server.
    pub meeting: Option<Arc<Meeting>>,
    /// The UDP port of SRT; `None` disables SRT.
    pub srt: Option<Listen>,
    /// The passphrase that SRT clients need, if set.
    pub srt_passphrase: Option<Secret>,
    /// The HLS settings, used with HTTP.
    pub hls: hls::Settings,
    /// The rules for streams that are sent to other servers, or come from them.
    pub relays: Vec<RelayRule>,
    pub limits: Limits,
    /// Faults that the server simulates from the start.
    pub faults: Vec<Fault>,
    /// The random seed of the faults.
    pub fault_seed: u64,
}

/// The rules for the next recording, the next rendition and the next WHEP viewer.
#[derive(Clone, Debug, Default)]
pub struct MediaRules {
    /// The rules for which publications are recorded, and how.
    pub recording: RecordingRules,
    /// The renditions of streams.
    pub renditions: Ladders,
    /// The ICE servers for WHEP viewers.
    pub ice_servers: Vec<IceServer>,
}

/// A stream of the onair instance that runs the server.
#[derive(Clone, Debug)]
pub struct OwnStream {
    pub app: String,
    pub stream: String,
    /// The key, given as `?key=…` after the name.
    pub key: Secret,
}

/// A name, a password, and the authentication method.
#[derive(Clone, Debug)]
pub struct Login {
    pub method: Method,
    pub credentials: Credentials,
}

impl Config {
    /// Asks this authority for the certificate. Until it issues one, the server has the kept one, or the present one.
    pub fn use_authority(&mut self, acme: AcmeConfig) {
        self.http_names.extend(acme.domains.iter().cloned());
        self.identity = acme.kept().or_else(|| self.identity.take());
        self.acme = Some(acme);
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            rtmp: Listen::loopback(DEFAULT_RTMP_PORT),
            identity: None,
            acme: None,
            rtmps: None,
            rtmpt: None,
            http: Some(Listen::loopback(DEFAULT_HTTP_PORT)),
            https: None,
            redirects_to_https: false,
            publish_keys: Vec::new(),
            access: AccessRules::default(),
            successor: None,
            http_successor: None,
            login: None,
            own_stream: None,
            http_names: Vec::new(),
            cors: Vec::new(),
            http_token: None,
            record: None,
            media: MediaRules::default(),
            chat: ChatRules::default(),
            webrtc: Some(Listen::loopback(DEFAULT_WEBRTC_PORT)),
            webrtc_addresses: Vec::new(),
            webrtc_certificate: None,
            guests: None,
            meeting: None,
            srt: None,
            srt_passphrase: None,
            hls: hls::Settings::default(),
            relays: Vec::new(),
            limits: Limits::default(),
            faults: Vec::new(),
            fault_seed: 0,
        }
    }
}
