//! A web server with a player page. It forwards WHEP requests to onair, so that the page and the
//! streams have the same origin, as with the viewer page.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::Value;

use crate::peers::LIMIT;

/// Returns the HTML page, with the script that reads the code band.
fn page() -> String {
    include_str!("page.html").replace("// CODE BAND", include_str!("code_band.js"))
}

/// An offer as Chromium writes it, shortened.
pub const OFFER: &str = "v=0\r\no=- 46117317 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n\
    a=group:BUNDLE 0 1\r\na=msid-semantic: WMS\r\n\
    m=video 9 UDP/TLS/RTP/SAVPF 106 107\r\nc=IN IP4 0.0.0.0\r\na=ice-ufrag:EsAw\r\n\
    a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\na=fingerprint:sha-256 0F:74:31:25:CB:A2:13:EC:28:6F:6D:2C:\
    61:FF:5D:C2:BC:B9:DB:3D:98:14:8D:1A:BB:EA:33:0C:A4:60:A8:8E\r\na=setup:actpass\r\na=mid:0\r\n\
    a=recvonly\r\na=rtcp-mux\r\na=rtpmap:106 H264/90000\r\na=rtcp-fb:106 nack pli\r\n\
    a=fmtp:106 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f\r\n\
    a=rtpmap:107 rtx/90000\r\na=fmtp:107 apt=106\r\n\
    m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=ice-ufrag:EsAw\r\n\
    a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\na=setup:actpass\r\na=mid:1\r\na=recvonly\r\n\
    a=rtcp-mux\r\na=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10;useinbandfec=1\r\n";

/// A server for the page. It also relays requests to onair.
pub struct PageServer {
    address: SocketAddr,
    log: RelayLog,
}

/// What has passed through the server.
#[derive(Clone, Default)]
struct RelayLog {
    reports: Arc<Mutex<Vec<Arc<Value>>>>,
    /// The offers of the page, with the answers of onair.
    offers: Arc<Mutex<Vec<(String, String)>>>,
}

impl PageServer {
    /// Starts a server that relays requests to this address.
    pub fn start(onair: SocketAddr) -> Self {
        Self::start_behind(onair, None)
    }

    /// Works like [`PageServer::start`], but replaces the second WebRTC port by the first one in
    /// the answers.
    pub fn start_behind(onair: SocketAddr, ports: Option<(u16, u16)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let log = RelayLog::default();
        let shared = log.clone();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let log = shared.clone();
                thread::spawn(move || answer(stream, (onair, ports), &log));
            }
        });
        Self { address, log }
    }

    /// Returns the URL of a page that plays this path.
    pub fn url(&self, endpoint: &str) -> String {
        format!("http://{}/?endpoint={endpoint}", self.address)
    }

    /// Returns all reports of the page so far.
    pub fn reports(&self) -> Vec<Arc<Value>> {
        self.log.reports.lock().unwrap().clone()
    }

    /// Returns the user name of the page's ICE requests (RFC 8445 §7.2.2), once the page plays.
    pub fn ice_name(&self) -> String {
        let offers = self.log.offers.lock().unwrap();
        let (offer, answer) = offers.first().expect("an offer");
        let of = |sdp: &str| {
            let mut lines = sdp.lines().map(str::trim_end);
            lines.find_map(|line| Some(line.strip_prefix("a=ice-ufrag:")?.to_owned())).unwrap()
        };
        format!("{}:{}", of(answer), of(offer))
    }
}

/// Answers one request.
fn answer(
    mut stream: TcpStream,
    (onair, ports): (SocketAddr, Option<(u16, u16)>),
    log: &RelayLog,
) -> Option<()> {
    stream.set_read_timeout(Some(LIMIT)).ok()?;
    let mut bytes = Vec::new();
    let end = loop {
        let mut buffer = [0; 4_096];
        let length = stream.read(&mut buffer).ok().filter(|length| *length > 0)?;
        bytes.extend_from_slice(&buffer[..length]);
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end + 4;
        }
    };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let header = |wanted: &str| {
        head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case(wanted).then(|| value.trim())
        })
    };
    let length = header("content-length").and_then(|length| length.parse::<usize>().ok());
    let mut body = bytes.split_off(end);
    while body.len() < length.unwrap_or(0) {
        let mut buffer = [0; 4_096];
        let read = stream.read(&mut buffer).ok().filter(|read| *read > 0)?;
        body.extend_from_slice(&buffer[..read]);
    }
    let (method, path) = head
        .split_once(' ')
        .map(|(method, rest)| (method, rest.split(' ').next().unwrap_or_default()))?;
    if path.starts_with("/?") {
        let page = page();
        let length = page.len();
        let kind = "Content-Type: text/html; charset=utf-8\r\nConnection: close";
        return write!(
            stream,
            "HTTP/1.1 200 OK\r\n{kind}\r\nContent-Length: {length}\r\n\r\n{page}"
        )
        .ok();
    }
    if path == "/report" {
        if let Ok(report) = serde_json::from_slice(&body) {
            log.reports.lock().unwrap().push(Arc::new(report));
        }
        return write!(stream, "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n").ok();
    }
    let mut to = TcpStream::connect(onair).ok()?;
    let length = body.len();
    let kind = header("content-type").unwrap_or("text/plain");
    let tag = header("if-match").map(|tag| format!("If-Match: {tag}\r\n")).unwrap_or_default();
    write!(
        to,
        "{method} {path} HTTP/1.1\r\nHost: {onair}\r\nConnection: close\r\n\
         {tag}Content-Type: {kind}\r\nContent-Length: {length}\r\n\r\n"
    )
    .ok()?;
    to.write_all(&body).ok()?;
    let mut answer = Vec::new();
    to.read_to_end(&mut answer).ok()?;
    if kind == "application/sdp" {
        let [offer, answer] = [&body, &answer].map(|it| String::from_utf8_lossy(it).into_owned());
        log.offers.lock().unwrap().push((offer, answer));
    }
    if let Some((ours, theirs)) = ports {
        // Both ports have five digits, so the length stays the same.
        let text = String::from_utf8(answer).ok()?;
        let [ours, theirs] = [ours, theirs].map(|port| format!(" {port} typ host"));
        answer = text.replace(&theirs, &ours).into_bytes();
    }
    stream.write_all(&answer).ok()
}
