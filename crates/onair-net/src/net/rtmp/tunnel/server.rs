//! Server side of tunnels. One HTTP connection or several consecutive ones can carry a session,
//! because proxies open and close connections as needed. The name of a session is its only key, so
//! the name contains 128 random bits.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::{Mutex, RwLock};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::time::{Instant, sleep, timeout};

use crate::net::random::random_hex;
use crate::net::stream::{Stream, pipe};
use crate::net::web::http::{Fault, Http};
use crate::wire::http::{self, Body};
use crate::wire::rtmp::tunnel;
use crate::wire::rtmp::tunnel::{Address, Request, TunnelCommand};

/// The time without a request after which a connection is closed.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
/// Time limit for the header and body of a request, and for passing its body to the session.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// Time limit for sending a response.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(20);
/// The time without a request after which a session ends.
const SESSION_TIMEOUT: Duration = Duration::from_secs(20);
/// The time after which a session without any connection ends.
const ORPHAN_TIMEOUT: Duration = Duration::from_secs(5);
/// The interval at which sessions are checked.
const SWEEP_INTERVAL: Duration = Duration::from_secs(1);
/// The time for which an idle request waits for data. Waiting reduces the number of requests, and
/// media is still sent immediately. Adobe's servers wait 512 ms by default.
const IDLE_HOLD: Duration = Duration::from_millis(250);
/// Number of initial requests. These requests carry commands, and are held until their replies are
/// ready, for at most [`COMMAND_HOLD`].
const COMMAND_REQUESTS: u32 = 32;
/// Maximum time for which an initial request is held.
const COMMAND_HOLD: Duration = Duration::from_millis(20);
/// Maximum size of the data in one response, in bytes.
const MAX_REPLY_BYTES: usize = pipe::MAX_BUFFERED_BYTES;
/// The first byte of the server's responses, which is the poll interval for the client. The client
/// should poll again soon, because the server holds requests if needed.
const POLL_INTERVAL_BYTE: u8 = 1;
/// Maximum number of bytes that are read of an unwanted body.
const MAX_DISCARDED_BYTES: usize = 4 << 10;

/// Accepts a new tunnel, which a request with these fields opens. Returns `false` if the server accepts no more tunnels.
pub type Welcome<'a> = dyn Fn(Stream, &http::Fields) -> bool + Send + Sync + 'a;

/// All tunnels of a server.
pub struct Gate {
    sessions: Mutex<HashMap<String, Arc<Session>>>,
    /// The host names by which clients may address the server, in addition to its addresses.
    names: RwLock<Vec<String>>,
    /// Time limit for sending a response.
    response_timeout: Duration,
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate").field("sessions", &self.sessions.lock().len()).finish()
    }
}

struct Session {
    end: tokio::sync::Mutex<End>,
    /// Time at which the session ends, unless a request arrives.
    until: Mutex<Instant>,
}

/// The server's end of the pipe inside a tunnel.
struct End {
    pipe: DuplexStream,
    order: TunnelCommand,
    requests: u32,
    /// True if the session has ended.
    over: bool,
}

/// The response to a request.
enum TunnelReply {
    Data(Vec<u8>),
    Refusal(u16, &'static str),
}

const UNKNOWN_SESSION_REPLY: TunnelReply = TunnelReply::Refusal(404, "There is no such session");

impl Gate {
    /// Creates the tunnels of a server with these names, in addition to its addresses and `localhost`.
    pub fn new(names: Vec<String>) -> Self {
        Self {
            sessions: Mutex::default(),
            names: RwLock::new(names),
            response_timeout: RESPONSE_TIMEOUT,
        }
    }

    /// Replaces the host names that the tunnel accepts.
    pub fn set_names(&self, names: Vec<String>) {
        *self.names.write() = names;
    }

    /// Returns true if the request comes from a web page of another origin, or uses another host name
    /// (DNS rebinding).
    fn is_foreign(&self, fields: &http::Fields) -> bool {
        let (host, origin) = (fields.get("host"), fields.get("origin"));
        !http::is_known_host(host, &self.names.read()) || !http::is_same_origin(origin, host)
    }

    /// Answers the requests of one HTTP connection until the connection ends, and passes new
    /// tunnels to `welcome`.
    pub async fn serve(self: &Arc<Self>, stream: Stream, welcome: &Welcome<'_>) {
        let mut last = None;
        self.converse(stream, welcome, &mut last).await;
        if let Some(session) = last.and_then(|name| self.sessions.lock().get(&name).cloned()) {
            let mut until = session.until.lock();
            *until = (*until).min(Instant::now() + ORPHAN_TIMEOUT);
        }
    }

    /// Answers requests, and stores the session of the last request in `last`.
    async fn converse(
        self: &Arc<Self>,
        stream: Stream,
        welcome: &Welcome<'_>,
        last: &mut Option<String>,
    ) {
        let secure = stream.is_tls();
        let mut http = Http::new(stream);
        loop {
            let head = match timeout(IDLE_TIMEOUT, http.head()).await {
                Ok(Ok(Some(head))) => head,
                Ok(Err(Fault::Http(error))) => return self.refuse(&mut http, bad(error)).await,
                Ok(Ok(None) | Err(_)) | Err(_) => return,
            };
            let parsed = http::Request::parse(&head)
                .and_then(|request| Ok((Body::of_request(&request.fields)?, request)));
            let (mut body, request) = match parsed {
                Ok(parsed) => parsed,
                Err(error) => return self.refuse(&mut http, bad(error)).await,
            };
            let expects = request.fields.get("expect").is_some();
            if expects && !self.send(&mut http, b"HTTP/1.1 100 Continue\r\n\r\n").await {
                return;
            }
            if self.is_foreign(&request.fields) {
                let no = TunnelReply::Refusal(403, "This server is not known by that name");
                return self.refuse(&mut http, no).await;
            }
            let answer = match (request.method.as_str(), Request::parse(&request.target)) {
                ("POST", Some(tunnel_request)) => {
                    if let Request::Send(address) | Request::Idle(address) = &tunnel_request {
                        *last = Some(address.name.clone());
                    }
                    let opening = (secure, welcome, &request.fields);
                    self.handle(&mut http, &mut body, tunnel_request, opening).await
                }
                ("POST", None) => Ok(TunnelReply::Refusal(404, "Nothing here")),
                _ => Ok(TunnelReply::Refusal(405, "This is an RTMP server")),
            };
            let Ok(answer) = answer else { return };
            let keep = request.keep_alive && drain(&mut http, &mut body).await;
            if !self.send(&mut http, &answer.into_bytes(keep)).await || !keep {
                return;
            }
        }
    }

    /// Sends the last response of a connection.
    async fn refuse(&self, http: &mut Http, refusal: TunnelReply) {
        self.send(http, &refusal.into_bytes(false)).await;
    }

    /// Sends bytes. Returns `false` if the connection fails, or does not accept the bytes in time.
    async fn send(&self, http: &mut Http, bytes: &[u8]) -> bool {
        matches!(timeout(self.response_timeout, http.send(bytes)).await, Ok(Ok(())))
    }

    async fn handle(
        self: &Arc<Self>,
        http: &mut Http,
        body: &mut Body,
        request: Request,
        opening: (bool, &Welcome<'_>, &http::Fields),
    ) -> Result<TunnelReply, Fault> {
        match request {
            Request::Open => {
                drain(http, body).await;
                Ok(self.open(opening))
            }
            Request::Close(address) => {
                drain(http, body).await;
                self.sessions.lock().remove(&address.name);
                Ok(TunnelReply::Data(vec![0]))
            }
            Request::Send(address) => {
                self.exchange(&address, Some((http, body)), Duration::ZERO).await
            }
            Request::Idle(address) => {
                drain(http, body).await;
                self.exchange(&address, None, IDLE_HOLD).await
            }
        }
    }

    fn open(
        self: &Arc<Self>,
        (secure, welcome, fields): (bool, &Welcome<'_>, &http::Fields),
    ) -> TunnelReply {
        let Some(name) = random_hex() else {
            return TunnelReply::Refusal(500, "Out of randomness");
        };
        let (near, far, _carried) = pipe::pipe(secure);
        let end = End { pipe: far, order: TunnelCommand::default(), requests: 0, over: false };
        let end = tokio::sync::Mutex::new(end);
        let session =
            Arc::new(Session { end, until: Mutex::new(Instant::now() + SESSION_TIMEOUT) });
        if !welcome(Stream::tunnel(near), fields) {
            return TunnelReply::Refusal(503, "Too many connections");
        }
        let body = format!("{name}\n").into_bytes();
        tokio::spawn(forget(Arc::downgrade(self), name.clone(), Arc::downgrade(&session)));
        self.sessions.lock().insert(name, session);
        TunnelReply::Data(body)
    }

    /// Passes data to a session, and returns the session's data for the response. If the session
    /// has no data yet, the call waits for at most `hold`.
    async fn exchange(
        &self,
        address: &Address,
        body: Option<(&mut Http, &mut Body)>,
        mut hold: Duration,
    ) -> Result<TunnelReply, Fault> {
        let Some(session) = self.sessions.lock().get(&address.name).cloned() else {
            return Ok(UNKNOWN_SESSION_REPLY);
        };
        session.touch();
        let Ok(mut end) = timeout(REQUEST_TIMEOUT, session.end.lock()).await else {
            return Ok(UNKNOWN_SESSION_REPLY);
        };
        let end = &mut *end;
        let mut over = end.over || end.order.take(address.number).is_err();
        end.requests = end.requests.saturating_add(1);
        if let Some((http, body)) = body
            && !over
        {
            if end.requests <= COMMAND_REQUESTS {
                hold = COMMAND_HOLD;
            }
            match timeout(REQUEST_TIMEOUT, end.fill(http, body)).await {
                Ok(Ok(())) => {}
                Ok(Err(fault)) => {
                    // The body was incomplete, so the data after it would be invalid.
                    self.sessions.lock().remove(&address.name);
                    return Err(fault);
                }
                Err(_) => over = true,
            }
        }
        let mut data = vec![POLL_INTERVAL_BYTE];
        if !over {
            over = !end.take(&mut data, hold).await;
        }
        session.touch();
        if over && data.len() == 1 {
            self.sessions.lock().remove(&address.name);
            return Ok(UNKNOWN_SESSION_REPLY);
        }
        end.over = over;
        Ok(TunnelReply::Data(data))
    }
}

impl TunnelReply {
    /// Returns the HTTP response. `keep` is true if the connection continues after it.
    fn into_bytes(self, keep: bool) -> Vec<u8> {
        match self {
            Self::Data(data) => tunnel::answer(&data, keep),
            Self::Refusal(status, reason) => tunnel::refusal(status, reason, keep),
        }
    }
}

impl Session {
    fn touch(&self) {
        *self.until.lock() = Instant::now() + SESSION_TIMEOUT;
    }
}

impl End {
    /// Passes a body to the session as the body arrives. If the session has ended, the rest of the
    /// body is skipped, so that the client can still fetch the session's last data.
    async fn fill(&mut self, http: &mut Http, body: &mut Body) -> Result<(), Fault> {
        while let Some(piece) = http.piece(body).await? {
            let _ = self.pipe.write_all(&piece).await;
        }
        Ok(())
    }

    /// Reads the session's data, and waits at most `hold` for the first part. Returns `false` if
    /// the session has ended.
    async fn take(&mut self, data: &mut Vec<u8>, hold: Duration) -> bool {
        let mut block = [0; 16 << 10];
        let deadline = Instant::now() + hold;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let wait = if data.len() > 1 { Duration::ZERO } else { left };
            match timeout(wait, self.pipe.read(&mut block)).await {
                Err(_) => return true,
                Ok(Ok(0) | Err(_)) => return false,
                Ok(Ok(count)) => data.extend_from_slice(block.get(..count).unwrap_or_default()),
            }
            if data.len() > MAX_REPLY_BYTES {
                return true;
            }
        }
    }
}

/// Ends a session that gets no more requests.
async fn forget(gate: Weak<Gate>, name: String, session: Weak<Session>) {
    loop {
        sleep(SWEEP_INTERVAL).await;
        let (Some(gate), Some(session)) = (gate.upgrade(), session.upgrade()) else { return };
        if Instant::now() >= *session.until.lock() {
            tracing::debug!("a tunnel timed out");
            gate.sessions.lock().remove(&name);
            return;
        }
    }
}

/// Skips the rest of a body. Returns `false` if the rest is too long or too late, or the connection
/// fails.
async fn drain(http: &mut Http, body: &mut Body) -> bool {
    let mut seen = 0;
    let reading = async {
        while let Ok(Some(piece)) = http.piece(body).await {
            seen += piece.len();
            if seen > MAX_DISCARDED_BYTES {
                break;
            }
        }
    };
    let _ = timeout(REQUEST_TIMEOUT, reading).await;
    body.is_done()
}

fn bad(error: http::Error) -> TunnelReply {
    tracing::debug!(%error, "invalid HTTP request");
    TunnelReply::Refusal(400, "Bad Request")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::runtime::Runtime;

    #[test]
    fn a_connection_that_accepts_no_response_ends_despite_further_requests() {
        let runtime = Runtime::start().unwrap();
        for expect in ["", "Expect: 100-continue\r\n"] {
            let limit = Duration::from_millis(10);
            let gate = Arc::new(Gate { response_timeout: limit, ..Gate::new(Vec::new()) });
            let (mut near, mut client, _carried) = pipe::pipe(false);
            let request = format!("POST /idle HTTP/1.1\r\nHost: localhost\r\n{expect}\r\n");
            runtime.block_on(async {
                // The client never reads, so no more bytes fit.
                near.write_all(&vec![0_u8; pipe::MAX_BUFFERED_BYTES]).await.unwrap();
                client.write_all(request.repeat(2).as_bytes()).await.unwrap();
                let stream = Stream::tunnel(near);
                let ended = timeout(IDLE_TIMEOUT / 2, gate.serve(stream, &|_, _| false)).await;
                assert!(ended.is_ok(), "the connection remains open: {request}");
            });
        }
    }
}
