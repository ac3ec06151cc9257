//! The proxy through which a browser page reaches the network, in the page's process.
//!
//! A page of the web must not reach the computers of the local network, and a check of its addresses
//! is not enough: a name can lead anywhere, and to another place a moment later. So the proxy looks
//! the name up itself, and connects to an address that it has checked. Pages have no other way to the
//! network: WebSockets come through here too, and WebRTC cannot bypass a proxy. Encrypted connections
//! pass unread.

use std::io::{self, Read, Write};
use std::net::{
    IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpListener, TcpStream, ToSocketAddrs,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::Mutex;

use crate::base::{Stop, Worker};

/// Time limit for a connection to a server.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Time limit for the head of a request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// A connection over which nothing is sent for this long is closed. Chat can be silent for long.
const IDLE_TIMEOUT: Duration = Duration::from_secs(600);
/// Maximum length of a request's head.
const MAX_HEAD: usize = 64 << 10;
/// Maximum number of connections at a time. Chromium opens at most 256.
const MAX_CONNECTIONS: usize = 256;

/// The proxy. Dropping it ends its listener.
#[derive(Debug)]
pub struct PageGuard {
    port: u16,
    rules: Arc<Mutex<Rules>>,
    _listener: Worker,
}

#[derive(Debug, Default)]
struct Rules {
    local: bool,
    /// The host and port that is always allowed.
    chosen: String,
    refused: Option<String>,
}

impl PageGuard {
    /// Starts the proxy on a free port of this computer.
    ///
    /// # Errors
    /// Fails if the system has no port or no thread left.
    pub fn start() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = listener.local_addr()?.port();
        let rules = Arc::<Mutex<Rules>>::default();
        let (its_rules, count) = (Arc::clone(&rules), Arc::new(AtomicUsize::new(0)));
        let listener =
            Worker::spawn("page-proxy", move |stop| accept(&listener, &its_rules, &count, stop))?;
        Ok(Self { port, rules, _listener: listener })
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Sets whether all local addresses are allowed, and the host and port that is always allowed.
    pub fn allow(&self, local: bool, chosen: &str) {
        let mut rules = self.rules.lock();
        (rules.local, rules.chosen) = (local, chosen.to_ascii_lowercase());
    }

    /// Returns an address that was refused since the last call.
    pub fn refused(&self) -> Option<String> {
        self.rules.lock().refused.take()
    }
}

fn accept(
    listener: &TcpListener,
    rules: &Arc<Mutex<Rules>>,
    count: &Arc<AtomicUsize>,
    stop: &Stop,
) {
    for client in listener.incoming() {
        if stop.is_set() {
            return;
        }
        let Ok(client) = client else { continue };
        if count.fetch_add(1, Ordering::Relaxed) >= MAX_CONNECTIONS {
            count.fetch_sub(1, Ordering::Relaxed);
            continue;
        }
        let (rules, counted) = (Arc::clone(rules), Counted(Arc::clone(count)));
        let _ = Worker::spawn("page-link", move |_| {
            let _counted = counted;
            // The page sees that the connection ends.
            let _: io::Result<()> = serve(client, &rules);
        });
    }
}

struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A request to the proxy.
#[derive(Debug, PartialEq, Eq)]
struct ProxyRequest {
    /// The host and port.
    to: String,
    /// The head for the server; empty for a tunnel.
    head: Vec<u8>,
    /// The length of the body.
    body: u64,
}

/// Reads the head of a request. Returns `None` if it is not one for a proxy.
fn parse(head: &str) -> Option<ProxyRequest> {
    let mut lines = head.split("\r\n");
    let mut words = lines.next()?.split(' ');
    let (method, target, version) = (words.next()?, words.next()?, words.next()?);
    if words.next().is_some() || !version.starts_with("HTTP/1.") {
        return None;
    }
    if method == "CONNECT" {
        target.rsplit_once(':')?.1.parse::<u16>().ok()?;
        return Some(ProxyRequest { to: target.to_ascii_lowercase(), head: Vec::new(), body: 0 });
    }
    let rest = target.strip_prefix("http://")?;
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at_checked(end)?;
    let has_port = authority.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    let to = if has_port { authority.to_owned() } else { format!("{authority}:80") };
    let slash = if path.starts_with('/') { "" } else { "/" };
    let mut own = format!("{method} {slash}{path} HTTP/1.1\r\n");
    let mut body = 0;
    for line in lines.take_while(|line| !line.is_empty()) {
        let (name, value) = line.split_once(':')?;
        match name.trim().to_ascii_lowercase().as_str() {
            // One request for each connection, so that every request is checked.
            "connection" | "proxy-connection" | "keep-alive" | "upgrade" => continue,
            "content-length" => body = value.trim().parse().ok()?,
            // Only its end would show where the next request begins.
            "transfer-encoding" => return None,
            _ => {}
        }
        own.push_str(line);
        own.push_str("\r\n");
    }
    own.push_str("Connection: close\r\n\r\n");
    Some(ProxyRequest { to: to.to_ascii_lowercase(), head: own.into_bytes(), body })
}

fn serve(mut client: TcpStream, rules: &Mutex<Rules>) -> io::Result<()> {
    client.set_read_timeout(Some(HEAD_TIMEOUT))?;
    client.set_write_timeout(Some(HEAD_TIMEOUT))?;
    let mut bytes = Vec::new();
    let end = loop {
        let mut part = [0; 8 << 10];
        let read = client.read(&mut part)?;
        bytes.extend_from_slice(part.get(..read).unwrap_or_default());
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
        if read == 0 || bytes.len() > MAX_HEAD {
            return Ok(());
        }
    };
    let (head, early) = bytes.split_at_checked(end).unwrap_or_default();
    let Some(request) = std::str::from_utf8(head).ok().and_then(parse) else {
        return client.write_all(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
    };
    let server = match connect(&request.to, rules) {
        Ok(server) => server,
        Err(error) => {
            let status = match error.kind() {
                io::ErrorKind::PermissionDenied => "403 Forbidden",
                _ => "502 Bad Gateway",
            };
            let answer =
                format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            return client.write_all(answer.as_bytes());
        }
    };
    for stream in [&client, &server] {
        stream.set_read_timeout(Some(IDLE_TIMEOUT))?;
        stream.set_write_timeout(Some(HEAD_TIMEOUT))?;
        stream.set_nodelay(true)?;
    }
    let (mut to_server, from_client) = (server.try_clone()?, client.try_clone()?);
    let limit = match request.head.is_empty() {
        true => {
            client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
            u64::MAX
        }
        false => {
            to_server.write_all(&request.head)?;
            request.body
        }
    };
    let early = early.get(..early.len().min(usize::try_from(limit).unwrap_or(usize::MAX)));
    let early = early.unwrap_or_default();
    to_server.write_all(early)?;
    let left = limit.saturating_sub(early.len() as u64);
    let is_tunnel = request.head.is_empty();
    let upload = Worker::spawn("page-upload", move |_| {
        let copied = io::copy(&mut from_client.take(left), &mut to_server);
        if copied.is_err() || is_tunnel {
            let _: io::Result<()> = to_server.shutdown(Shutdown::Write);
        }
    })?;
    let (mut server, mut client) = (server, client);
    let done = io::copy(&mut server, &mut client).map(drop);
    // This ends the other direction too.
    let _: io::Result<()> = client.shutdown(Shutdown::Both);
    let _: io::Result<()> = server.shutdown(Shutdown::Both);
    drop(upload);
    done
}

/// Connects to an address of this host that is allowed.
fn connect(to: &str, rules: &Mutex<Rules>) -> io::Result<TcpStream> {
    let (may_local, is_chosen) = {
        let rules = rules.lock();
        (rules.local, !rules.chosen.is_empty() && rules.chosen == to)
    };
    let addresses: Vec<SocketAddr> = to.to_socket_addrs()?.collect();
    let mut failed = io::Error::from(io::ErrorKind::NotFound);
    for address in addresses {
        if !may_local && !is_chosen && is_local(address.ip()) {
            rules.lock().refused = Some(to.to_owned());
            failed = io::ErrorKind::PermissionDenied.into();
            continue;
        }
        match TcpStream::connect_timeout(&address, CONNECT_TIMEOUT) {
            Ok(stream) => return Ok(stream),
            Err(error) => failed = error,
        }
    }
    Err(failed)
}

/// Returns true for every address that is not one of the public internet.
fn is_local(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => is_local_v4(address),
        IpAddr::V6(address) => is_local_v6(address),
    }
}

fn is_local_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_broadcast()
        || address.is_multicast()
        || address.is_documentation()
        || a == 0
        || a >= 240
        // Carriers' own networks (RFC 6598), protocols (RFC 6890), measurements (RFC 2544).
        || (a == 100 && (64..128).contains(&b))
        || (a, b, c) == (192, 0, 0)
        || (a == 198 && (18..20).contains(&b))
}

fn is_local_v6(address: Ipv6Addr) -> bool {
    let [a, b, ..] = address.segments();
    // Only 2000::/3 is public. It contains gateways to IPv4 (6to4 and Teredo) and documentation.
    if a & 0xe000 != 0x2000 {
        // NAT64 leads to an IPv4 address.
        let [.., high, low] = address.segments();
        let is_nat64 = (a, b) == (0x64, 0xff9b);
        let [c, d] = high.to_be_bytes();
        let [e, f] = low.to_be_bytes();
        return !is_nat64 || is_local_v4(Ipv4Addr::new(c, d, e, f));
    }
    a == 0x2002 || (a, b) == (0x2001, 0) || (a, b) == (0x2001, 0xdb8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_the_public_internet_are_not_local() {
        for local in [
            "127.0.0.1",
            "10.1.2.3",
            "192.168.1.1",
            "172.16.0.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "255.255.255.255",
            "224.0.0.1",
            "198.18.0.1",
            "::1",
            "::",
            "fe80::1",
            "fd00::1",
            "::ffff:10.0.0.1",
            "ff02::1",
            "2002:7f00:1::",
            "64:ff9b::10.0.0.1",
        ] {
            assert!(is_local(local.parse().unwrap()), "{local}");
        }
        for public in
            ["1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "64:ff9b::1.1.1.1"]
        {
            assert!(!is_local(public.parse().unwrap()), "{public}");
        }
    }

    #[test]
    fn requests_are_rewritten_for_their_server() {
        let request = parse(
            "POST http://Host.example?a=1 HTTP/1.1\r\nHost: host.example\r\n\
             Proxy-Connection: keep-alive\r\nContent-Length: 3\r\n\r\n",
        )
        .unwrap();
        assert_eq!((request.to.as_str(), request.body), ("host.example:80", 3));
        let head = "POST /?a=1 HTTP/1.1\r\nHost: host.example\r\nContent-Length: 3\r\n\
                    Connection: close\r\n\r\n";
        assert_eq!(String::from_utf8(request.head).unwrap(), head);
        let tunnel = parse("CONNECT H:443 HTTP/1.1\r\n\r\n").unwrap();
        assert_eq!(tunnel, ProxyRequest { to: "h:443".into(), head: Vec::new(), body: 0 });
        for bad in [
            "GET / HTTP/1.1\r\n\r\n",
            "CONNECT h HTTP/1.1\r\n\r\n",
            "GET ftp://h/ HTTP/1.1\r\n\r\n",
            "POST http://h/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
            "GET http://h/ a HTTP/1.1\r\n\r\n",
            "",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    fn ask(guard: &PageGuard, request: &str) -> String {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, guard.port())).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    #[test]
    fn a_server_of_this_computer_is_reached_only_where_it_is_allowed() {
        let server = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let host = server.local_addr().unwrap().to_string();
        let _worker = Worker::spawn("server", move |_| {
            for stream in server.incoming().take(2) {
                let mut stream = stream.unwrap();
                let mut head = [0; 4_096];
                let length = stream.read(&mut head).unwrap();
                let is_own = head[..length].starts_with(b"GET /x HTTP/1.1\r\n");
                let status = if is_own { "204 Yes" } else { "400 No" };
                write!(stream, "HTTP/1.1 {status}\r\nConnection: close\r\n\r\n").unwrap();
            }
        });
        let guard = PageGuard::start().unwrap();
        let plain = format!("GET http://{host}/x HTTP/1.1\r\nHost: {host}\r\n\r\n");
        assert!(ask(&guard, &plain).starts_with("HTTP/1.1 403"));
        let tunnel = format!("CONNECT {host} HTTP/1.1\r\n\r\n");
        assert!(ask(&guard, &tunnel).starts_with("HTTP/1.1 403"));
        assert_eq!(guard.refused().as_deref(), Some(host.as_str()));
        assert_eq!(guard.refused(), None);
        guard.allow(false, "127.0.0.1:1");
        assert!(ask(&guard, &plain).starts_with("HTTP/1.1 403"), "another port");
        guard.allow(false, &host);
        assert!(ask(&guard, &plain).starts_with("HTTP/1.1 204"));
        guard.allow(true, "");
        assert!(ask(&guard, &plain).starts_with("HTTP/1.1 204"));
    }
}
