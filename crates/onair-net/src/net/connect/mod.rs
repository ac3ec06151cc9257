//! Connects in stages: name, port, TLS. Each stage has its own limit. The addresses of a host are
//! tried in turn: each starts 250 ms after the previous one, or when the previous one fails. The
//! first address that answers is used (a simple form of RFC 8305: the resolver sorts both families,
//! and the families alternate).

pub mod bind;
pub mod datagrams;
mod lookup;
pub mod media_address;
pub mod network;
pub mod proxy;

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::net::connect::bind::Bind;
use crate::net::connect::proxy::Proxy;
use crate::net::error::{Cause, ConnectStage, Error, ProxyProblem, Step};
use crate::net::stream::Stream;
use crate::net::tls::Trust;
use crate::net::{network_changes, tls};
use crate::text::problem::{Problem, problem};
use crate::wire::rtmp::url::authority;

pub use lookup::forget_lookups;

/// Time after which the next address is tried in parallel.
const CONNECTION_ATTEMPT_DELAY: Duration = Duration::from_millis(250);
/// Maximum number of addresses of a host that are tried.
const MAX_ADDRESSES: usize = 8;

/// The endpoint to connect to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Endpoint {
    /// The name or the address of the host; an IPv6 address has no brackets.
    pub host: String,
    pub port: u16,
    /// True if TLS is used from the start.
    pub tls: bool,
}

impl Endpoint {
    /// Returns the server of an RTMP URL.
    pub fn of(url: &crate::wire::rtmp::url::Url) -> Self {
        Self { host: url.host.clone(), port: url.port, tls: url.scheme.is_secure() }
    }
}

impl std::fmt::Display for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&authority(&self.host, self.port))
    }
}

/// Limits, routes and trust of connections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Time limit of the name lookup. The system waits for 5 s before it asks the next DNS server.
    pub dns_limit: Duration,
    /// Time limit to reach the port, for all addresses together.
    pub tcp_limit: Duration,
    /// Time limit of the proxy, which connects to the server meanwhile.
    pub proxy_limit: Duration,
    /// Time limit of the TLS handshake.
    pub tls_limit: Duration,
    /// The time without an acknowledgement after which a connection counts as dead.
    pub dead_after: Duration,
    /// The approximate number of unsent bytes at which the socket counts as full.
    pub not_sent_low_water: u32,
    /// Trusted certificates.
    pub trust: Trust,
    /// The ports to try, in this order, if the URL contains no port. If the list is empty, the
    /// default port of the scheme is used.
    pub ports: Vec<u16>,
    /// The proxy, if any.
    pub proxy: Option<Proxy>,
    /// The local address or interface, if set.
    pub bind: Option<Bind>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            dns_limit: Duration::from_secs(12),
            tcp_limit: Duration::from_secs(10),
            proxy_limit: Duration::from_secs(10),
            tls_limit: Duration::from_secs(10),
            dead_after: Duration::from_secs(5),
            not_sent_low_water: 64 << 10,
            trust: Trust::default(),
            ports: Vec::new(),
            proxy: None,
            bind: None,
        }
    }
}

/// Connects, and calls `on_step` at the beginning of each stage. This function is cancel-safe:
/// dropping its future leaves nothing behind except a running name lookup.
///
/// # Errors
/// Fails with the stage and the cause.
pub async fn connect(
    endpoint: &Endpoint,
    options: &Options,
    on_step: &(dyn Fn(Step<'_>) + Send + Sync),
) -> Result<Stream, Error> {
    let fail = |stage, cause| Error { stage, cause, peer: endpoint.to_string() };
    let proxy = options.proxy.as_ref().filter(|proxy| proxy.serves(&endpoint.host));
    // If there is a proxy, the proxy is the unreachable host.
    let blame = |cause| match proxy {
        Some(proxy) => proxy.cause(ProxyProblem::Unreachable(Box::new(cause))),
        None => cause,
    };

    on_step(Step::Stage(ConnectStage::Dns));
    let (host, port) = match proxy {
        Some(proxy) => (proxy.host.as_str(), proxy.port),
        None => (endpoint.host.as_str(), endpoint.port),
    };
    let addresses = found(host, port, options.dns_limit).await;
    let addresses = addresses.map_err(|cause| fail(ConnectStage::Dns, blame(cause)))?;
    let ips: Vec<IpAddr> = addresses.iter().map(SocketAddr::ip).collect();

    on_step(Step::Stage(ConnectStage::Tcp));
    let socket =
        reach(addresses, options.bind.as_ref(), options.tcp_limit).await.map_err(|cause| {
            let silent = matches!(cause, Cause::TimedOut { .. } | Cause::HostUnreachable);
            let lost = silent && !ips.iter().any(|ip| network_changes::leads_to(*ip));
            fail(ConnectStage::Tcp, blame(if lost { Cause::NoNetwork } else { cause }))
        })?;
    let mut stream = Stream::tcp(socket);
    stream.set_user_timeout(options.dead_after);
    stream.set_not_sent_low_water(options.not_sent_low_water);
    if let Some(proxy) = proxy {
        let passed = proxy.pass(stream, &endpoint.host, endpoint.port, options.proxy_limit);
        stream = passed.await.map_err(|cause| fail(ConnectStage::Tcp, cause))?;
    }
    if !endpoint.tls {
        return Ok(stream);
    }

    on_step(Step::Stage(ConnectStage::Tls));
    let server = endpoint.to_string();
    let secured = stream.secure(&endpoint.host, options.trust.of(&server));
    match timeout(options.tls_limit, secured).await {
        Ok(result) => {
            result.map_err(|cause| fail(ConnectStage::Tls, options.trust.explain(&server, cause)))
        }
        Err(_) => Err(fail(ConnectStage::Tls, Cause::TimedOut { after: options.tls_limit })),
    }
}

/// Returns the addresses of a host for datagrams, with this port.
///
/// # Errors
/// Fails with the cause.
pub async fn addresses_of(
    host: &str,
    port: u16,
    options: &Options,
) -> Result<Vec<SocketAddr>, Cause> {
    found(host, port, options.dns_limit).await
}

/// Looks up a host. If no resolver was reachable, the cause is the missing network.
pub(in crate::net) async fn found(
    host: &str,
    port: u16,
    limit: Duration,
) -> Result<Vec<SocketAddr>, Cause> {
    look_up(host, port, limit).await.map_err(|cause| {
        let asked = matches!(cause, Cause::LookupFailed(_) | Cause::TimedOut { .. });
        if asked && !network_changes::leads_anywhere() { Cause::NoNetwork } else { cause }
    })
}

async fn look_up(host: &str, port: u16, limit: Duration) -> Result<Vec<SocketAddr>, Cause> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let found = timeout(limit, lookup::resolve(host)).await;
    let mut found = in_turn(found.unwrap_or(Err(Cause::TimedOut { after: limit }))?);
    found.iter_mut().for_each(|address| address.set_port(port));
    if found.is_empty() { Err(Cause::NoSuchHost) } else { Ok(found) }
}

/// Alternates IPv6 and IPv4 addresses, and keeps at most [`MAX_ADDRESSES`]. The order within each
/// family is that of the resolver, and the first address stays first.
fn in_turn(found: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let six_first = found.first().is_some_and(SocketAddr::is_ipv6);
    let (first, second): (Vec<_>, Vec<_>) =
        found.into_iter().partition(|address| address.is_ipv6() == six_first);
    let (mut first, mut second) = (first.into_iter(), second.into_iter());
    let mut turns = Vec::new();
    while turns.len() < MAX_ADDRESSES {
        let pair = [first.next(), second.next()];
        if pair == [None, None] {
            break;
        }
        turns.extend(pair.into_iter().flatten());
    }
    turns.truncate(MAX_ADDRESSES);
    turns
}

async fn reach(
    mut addresses: Vec<SocketAddr>,
    bind: Option<&Bind>,
    limit: Duration,
) -> Result<TcpStream, Cause> {
    if let Some(bind) = bind {
        addresses.retain(|address| bind.fits(address));
        if addresses.is_empty() {
            let reason = problem!("net-bind-family");
            return Err(Cause::Bind { from: bind.to_string(), reason });
        }
    }
    let race = async {
        // Tasks of a `JoinSet` end when it is dropped, so nothing outlives the attempts.
        let mut tries = JoinSet::new();
        let mut waiting = addresses.into_iter();
        let mut last = Cause::HostUnreachable;
        loop {
            match waiting.next() {
                Some(address) => {
                    let bind = bind.cloned();
                    tries.spawn(async move {
                        match bind {
                            Some(bind) => bind.connect(address).await,
                            None => TcpStream::connect(address).await,
                        }
                    });
                }
                None if tries.is_empty() => return Err(last),
                None => {}
            }
            let stagger = if waiting.len() == 0 { Duration::MAX } else { CONNECTION_ATTEMPT_DELAY };
            match timeout(stagger, tries.join_next()).await {
                Ok(Some(Ok(Ok(socket)))) => return Ok(socket),
                Ok(Some(Ok(Err(error)))) if own_fault(&error) && bind.is_some() => {
                    let from = bind.map(ToString::to_string).unwrap_or_default();
                    let own = error.get_ref().and_then(|inner| inner.downcast_ref::<Problem>());
                    let reason = own.cloned().unwrap_or_else(|| error.to_string().into());
                    last = Cause::Bind { from, reason };
                }
                // A refused connection is a better cause than a missing route.
                Ok(Some(Ok(Err(error)))) if last != Cause::ConnectionRefused => {
                    last = Cause::from_io(&error);
                }
                _ => {}
            }
        }
    };
    timeout(limit, race).await.unwrap_or(Err(Cause::TimedOut { after: limit }))
}

/// Returns true if the local address or interface is unavailable or not permitted.
fn own_fault(error: &std::io::Error) -> bool {
    use std::io::ErrorKind as Kind;
    matches!(error.kind(), Kind::AddrNotAvailable | Kind::PermissionDenied)
}

impl Stream {
    /// Starts TLS as the client on a new TCP stream.
    async fn secure(self, host: &str, trust: Trust) -> Result<Self, Cause> {
        let config = tokio::task::spawn_blocking(move || trust.client()).await;
        let config = config.map_err(|error| Cause::Tls(error.to_string().into()))??;
        let name = rustls::pki_types::ServerName::try_from(host.to_owned())
            .map_err(|_| Cause::Tls(problem!("net-not-a-certificate-name", host = host)))?;
        let socket = self.into_socket().ok_or_else(|| Cause::Tls(problem!("net-tls-in-tls")))?;
        let stream = tokio_rustls::TlsConnector::from(config).connect(name, socket).await;
        stream.map(|stream| Self::tls(stream.into())).map_err(|error| tls::cause(&error, host))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::listener::Listener;
    use crate::net::runtime::Runtime;

    fn endpoint(host: &str, port: u16) -> Endpoint {
        Endpoint { host: host.into(), port, tls: false }
    }

    #[test]
    fn families_alternate() {
        let list: Vec<SocketAddr> =
            ["[::1]:1", "[::2]:1", "[::3]:1", "1.1.1.1:1"].map(|a| a.parse().unwrap()).to_vec();
        let turns: Vec<String> = in_turn(list).iter().map(ToString::to_string).collect();
        assert_eq!(turns, ["[::1]:1", "1.1.1.1:1", "[::2]:1", "[::3]:1"]);
    }

    /// Opens a port that never answers: its backlog is full, so the system drops connections.
    fn dead(address: &str) -> (socket2::Socket, Vec<std::net::TcpStream>, SocketAddr) {
        let address: SocketAddr = address.parse().unwrap();
        let domain = socket2::Domain::for_address(address);
        let socket = socket2::Socket::new(domain, socket2::Type::STREAM, None).unwrap();
        socket.bind(&address.into()).unwrap();
        socket.listen(0).unwrap();
        let address = socket.local_addr().unwrap().as_socket().unwrap();
        let mut callers = Vec::new();
        while let Ok(caller) =
            std::net::TcpStream::connect_timeout(&address, Duration::from_millis(300))
        {
            callers.push(caller);
            assert!(callers.len() < 64, "the queue of {address} is never full");
        }
        (socket, callers, address)
    }

    #[test]
    fn a_dead_address_is_overtaken_and_one_that_refuses_even_sooner() {
        let runtime = Runtime::start().unwrap();
        let listener = Listener::bind(runtime.handle(), "127.0.0.1:0".parse().unwrap()).unwrap();
        let alive = listener.local_addr();
        let (_six, _its, dead_six) = dead("[::1]:0");
        let (_four, _its, dead_four) = dead("127.0.0.1:0");
        let limit = Duration::from_secs(20);
        let alone = runtime.block_on(reach(vec![dead_six], None, Duration::from_millis(400)));
        assert!(matches!(alone, Err(Cause::TimedOut { .. })), "the address is not dead: {alone:?}");
        for addresses in [vec![dead_six, alive], vec![dead_six, dead_four, alive]] {
            let reached = runtime.block_on(reach(addresses, None, limit)).unwrap();
            assert_eq!(reached.peer_addr().unwrap(), alive);
        }
        let refusing = "[::1]:1".parse().unwrap();
        let reached = runtime.block_on(reach(vec![refusing, alive], None, limit)).unwrap();
        assert_eq!(reached.peer_addr().unwrap(), alive);
        let all =
            runtime.block_on(reach(vec![refusing, "127.0.0.1:1".parse().unwrap()], None, limit));
        assert_eq!(all.unwrap_err(), Cause::ConnectionRefused);
    }

    #[test]
    fn connections_leave_from_where_they_should() {
        let runtime = Runtime::start().unwrap();
        let listener = Listener::bind(runtime.handle(), "127.0.0.1:0".parse().unwrap()).unwrap();
        let alive = listener.local_addr();
        let from = |bind: &str| {
            let bind = bind.parse().unwrap();
            runtime.block_on(reach(vec![alive], Some(&bind), Duration::from_secs(5)))
        };
        let own = from("127.0.0.2").unwrap().local_addr().unwrap().ip();
        assert_eq!(own, IpAddr::from([127, 0, 0, 2]));
        for bad in ["192.0.2.7", "::1"] {
            assert!(matches!(from(bad), Err(Cause::Bind { .. })), "{bad}");
        }
        let absent = from("192.0.2.7").unwrap_err().to_string();
        assert!(absent.contains("this computer does not have this address"), "{absent}");
        {
            let none = from("none0").unwrap_err();
            assert!(matches!(none, Cause::Bind { .. }), "{none}");
            // The system's own words name only an error number.
            assert!(!none.to_string().contains("os error"), "{none}");
        }
    }

    #[test]
    fn a_proxy_is_not_blamed_for_a_server_that_does_not_answer() {
        let runtime = Runtime::start().unwrap();
        // It accepts connections, and never answers.
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = silent.local_addr().unwrap();
        let problem = |kind: &str| {
            let proxy = format!("{kind}://{address}").parse().ok();
            let proxy_limit = Duration::from_millis(50);
            let options = Options { proxy, proxy_limit, ..Options::default() };
            let server = endpoint("server.invalid", 1_935);
            match runtime.block_on(connect(&server, &options, &|_| {})).unwrap_err().cause {
                Cause::Proxy { problem, .. } => problem,
                cause => panic!("{cause}"),
            }
        };
        let late = Cause::TimedOut { after: Duration::from_millis(50) };
        assert_eq!(problem("http"), ProxyProblem::Refused((&late).into()));
        // The greeting, which is between onair and the proxy, has no answer.
        assert_eq!(problem("socks5"), ProxyProblem::Unreachable(Box::new(late)));
    }

    #[test]
    fn a_second_dns_server_has_time_to_answer() {
        assert!(Options::default().dns_limit > Duration::from_secs(10));
    }

    #[test]
    fn stages_and_causes_are_reported() {
        let runtime = Runtime::start().unwrap();
        let free = {
            let listener =
                Listener::bind(runtime.handle(), "127.0.0.1:0".parse().unwrap()).unwrap();
            listener.local_addr().port()
        };
        let stages = parking_lot::Mutex::new(Vec::new());
        let on_stage = |step: Step<'_>| match step {
            Step::Stage(stage) => stages.lock().push(stage),
            _ => panic!("{step:?}"),
        };
        let error = runtime
            .block_on(connect(&endpoint("127.0.0.1", free), &Options::default(), &on_stage))
            .unwrap_err();
        assert_eq!(
            (error.stage, error.cause.clone()),
            (ConnectStage::Tcp, Cause::ConnectionRefused)
        );
        assert_eq!(error.peer, format!("127.0.0.1:{free}"));
        assert_eq!(*stages.lock(), [ConnectStage::Dns, ConnectStage::Tcp]);

        let nowhere = endpoint("no-such-host.invalid", 1935);
        let error = runtime.block_on(connect(&nowhere, &Options::default(), &on_stage));
        assert_eq!(error.unwrap_err().stage, ConnectStage::Dns);
    }

    #[test]
    fn a_server_without_tls_is_distinguished_from_a_silent_one() {
        let runtime = Runtime::start().unwrap();
        let listener = Listener::bind(runtime.handle(), "127.0.0.1:0".parse().unwrap()).unwrap();
        let port = listener.local_addr().port();
        runtime.spawn(async move {
            use tokio::io::AsyncWriteExt;
            let mut held = Vec::new();
            for answer in [b"HTTP/1.1 400 Bad Request\r\n\r\n".as_slice(), b""] {
                let (mut stream, _) = listener.accept().await;
                let _ = stream.write_all(answer).await;
                held.push(stream);
            }
            std::future::pending::<()>().await;
        });
        let endpoint = Endpoint { host: "127.0.0.1".into(), port, tls: true };
        let options = Options { tls_limit: Duration::from_secs(30), ..Options::default() };
        let first = runtime.block_on(connect(&endpoint, &options, &|_| {})).unwrap_err();
        assert_eq!((first.stage, first.cause), (ConnectStage::Tls, Cause::NotTls));
        let options = Options { tls_limit: Duration::from_millis(200), ..options };
        let second = runtime.block_on(connect(&endpoint, &options, &|_| {})).unwrap_err();
        assert!(matches!(second.cause, Cause::TimedOut { .. }), "{second}");
    }
}
