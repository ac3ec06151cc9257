//! Client side of a tunnel: a task that transfers bytes between an RTMP session and HTTP requests,
//! one at a time. If the server or a proxy closes the connection between two requests, the task
//! reconnects, and the session continues.

use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::time::{Instant, sleep_until, timeout};

use crate::net::connect;
use crate::net::connect::{Endpoint, Options};
use crate::net::error::{Cause, ConnectStage, Error, Step};
use crate::net::stream::pipe::TunnelBytes;
use crate::net::stream::{Stream, pipe};
use crate::net::web::http::{Fault, Http};
use crate::wire::http::{Body, Response};
use crate::wire::rtmp::tunnel;
use crate::wire::rtmp::tunnel::Client;

/// Time limit for the start of a response, and for each piece of it.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(15);
/// Maximum length of a response in bytes.
const MAX_RESPONSE_BYTES: usize = 16 << 20;
/// Maximum length of the response to the first request, in bytes.
const MAX_SESSION_NAME_BYTES: usize = 256;
/// The number of consecutive requests with data after which a stream counts as published. Requests
/// with data also fetch the server's data, so a published stream needs no idle requests. An idle
/// request that the server holds would delay the stream.
const MIN_PUBLISHING_REQUESTS: u32 = 8;
/// Time without data before an idle request.
const IDLE_REQUEST_DELAY: Duration = Duration::from_millis(500);
/// Time limit for the last request and its response.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// Opens a tunnel: connects, and requests a session. The returned stream is the inside of the
/// tunnel.
///
/// # Errors
/// Fails with the stage and the cause.
pub(in crate::net) async fn open(
    endpoint: &Endpoint,
    options: &Options,
    limit: Duration,
    on_step: &(dyn Fn(Step<'_>) + Send + Sync),
) -> Result<Stream, Error> {
    let stream = connect(endpoint, options, on_step).await?;
    on_step(Step::Stage(ConnectStage::Handshake));
    let secure = stream.is_tls();
    let mut http = Http::new(stream);
    let mut client = Client::new(endpoint.to_string());
    let fail = |cause| Error { stage: ConnectStage::Handshake, cause, peer: endpoint.to_string() };
    let opened = timeout(limit, ask_name(&mut http, &mut client)).await;
    let keep = opened.unwrap_or(Err(Cause::TimedOut { after: limit })).map_err(fail)?;
    let (near, far, carried) = pipe::pipe(secure);
    let task = Task {
        http: keep.then_some(http),
        client,
        far,
        carried: carried.clone(),
        endpoint: endpoint.clone(),
        options: options.clone(),
    };
    tokio::spawn(async move {
        if let Err(cause) = task.run().await {
            tracing::debug!(%cause, "a tunnel ended");
            carried.fail(cause);
        }
    });
    Ok(Stream::tunnel(near))
}

/// Requests a session. Returns true if the connection can be reused.
async fn ask_name(http: &mut Http, client: &mut Client) -> Result<bool, Cause> {
    let (response, mut body) = ask(http, &client.open()).await.map_err(|fault| fault.cause())?;
    let mut name = Vec::new();
    while let Some(piece) = http.piece(&mut body).await.map_err(|fault| fault.cause())? {
        name.extend_from_slice(&piece);
        if name.len() > MAX_SESSION_NAME_BYTES {
            break;
        }
    }
    client.opened(&name).map_err(|error| Cause::Protocol(error.to_string().into()))?;
    Ok(response.keep_alive && body.is_done())
}

/// Sends a request, and reads the header of the response, which must report success.
async fn ask(http: &mut Http, request: &[u8]) -> Result<(Response, Body), RequestFailure> {
    http.send(request).await.map_err(RequestFailure::NoResponse)?;
    loop {
        let head = http.head().await.map_err(|fault| match fault {
            Fault::Io(_) if http.is_clean() => RequestFailure::NoResponse(fault),
            fault => RequestFailure::Fault(fault),
        })?;
        let head = head.ok_or(RequestFailure::NoResponse(Fault::Closed))?;
        let response = Response::parse(&head).map_err(Fault::Http)?;
        let body = Body::of_response(response.status, &response.fields).map_err(Fault::Http)?;
        match response.status {
            // "100 Continue", which needs no action.
            100..=199 => {}
            200 => return Ok((response, body)),
            status => return Err(RequestFailure::Refused { status, reason: response.reason }),
        }
    }
}

/// The reason why a request failed.
enum RequestFailure {
    /// The connection ended before any part of a response arrived.
    NoResponse(Fault),
    Fault(Fault),
    Refused {
        status: u16,
        reason: String,
    },
}

impl From<Fault> for RequestFailure {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl RequestFailure {
    fn cause(&self) -> Cause {
        match self {
            Self::Fault(Fault::Http(_)) => Cause::Tunnel { status: 0, reason: String::new() },
            Self::NoResponse(fault) | Self::Fault(fault) => fault.cause(),
            Self::Refused { status, reason } => {
                Cause::Tunnel { status: *status, reason: reason.clone() }
            }
        }
    }
}

struct Task {
    /// The connection for the next request, if any.
    http: Option<Http>,
    client: Client,
    far: DuplexStream,
    carried: TunnelBytes,
    endpoint: Endpoint,
    options: Options,
}

impl Task {
    async fn run(mut self) -> Result<(), Cause> {
        let mut data = Vec::new();
        // Time of the next poll if there is no data.
        let mut next = Instant::now();
        let mut busy = 0_u32;
        loop {
            data.clear();
            if !self.read_session(&mut data, next).await {
                let request = self.client.close();
                let _ = timeout(CLOSE_TIMEOUT, self.answer(&request)).await;
                return Ok(());
            }
            let request = self.client.exchange(&data);
            let (interval, length) = self.answer(&request).await?;
            self.carried.delivered(data.len());
            busy = if data.is_empty() {
                busy / 2
            } else {
                (busy + 1).min(2 * MIN_PUBLISHING_REQUESTS)
            };
            next = Instant::now();
            if busy >= MIN_PUBLISHING_REQUESTS {
                next += IDLE_REQUEST_DELAY;
            } else if length == 0 {
                // After received data, more may be waiting.
                next += tunnel::interval(interval);
            }
        }
    }

    /// Waits until the session has data, but at most until `next`, and reads the data. Returns false if the session
    /// has ended.
    async fn read_session(&mut self, data: &mut Vec<u8>, next: Instant) -> bool {
        let mut block = [0; 16 << 10];
        let mut ready = false;
        while data.len() < pipe::MAX_BUFFERED_BYTES {
            let read = self.far.read(&mut block);
            let read = if ready {
                let Some(read) = read.now_or_never() else { break };
                read
            } else {
                tokio::select! {
                    biased;
                    read = read => read,
                    () = sleep_until(next) => return true,
                }
            };
            match read {
                Ok(0) | Err(_) if data.is_empty() => return false,
                // The end is detected again after the data before it.
                Ok(0) | Err(_) => break,
                Ok(count) => data.extend_from_slice(block.get(..count).unwrap_or_default()),
            }
            ready = true;
        }
        true
    }

    /// Sends a request, passes the response to the session, and returns the first byte and the
    /// length of the response.
    async fn answer(&mut self, request: &[u8]) -> Result<(u8, usize), Cause> {
        let reused = self.http.is_some();
        let first = self.try_once(request).await;
        match first {
            // Servers and proxies may close an idle connection.
            Err(RequestFailure::NoResponse(_)) if reused => {
                self.try_once(request).await.map_err(|asked| asked.cause())
            }
            other => other.map_err(|asked| asked.cause()),
        }
    }

    async fn try_once(&mut self, request: &[u8]) -> Result<(u8, usize), RequestFailure> {
        let mut http = match self.http.take() {
            Some(http) => http,
            None => {
                let stream = connect(&self.endpoint, &self.options, &|_| {}).await;
                Http::new(stream.map_err(|error| Fault::Io(std::io::Error::other(error.cause)))?)
            }
        };
        let asked = timeout(RESPONSE_TIMEOUT, ask(&mut http, request)).await;
        let (response, mut body) = asked.unwrap_or_else(|_| Err(late().into()))?;
        let (mut interval, mut length) = (None, 0);
        loop {
            let piece = timeout(RESPONSE_TIMEOUT, http.piece(&mut body)).await;
            let Some(piece) = piece.unwrap_or_else(|_| Err(late()))? else { break };
            let data = match (interval, piece.split_first()) {
                (None, Some((first, rest))) => {
                    interval = Some(*first);
                    rest
                }
                _ => &piece[..],
            };
            length += data.len();
            if length > MAX_RESPONSE_BYTES {
                return Err(Fault::Io(std::io::Error::other("an answer without end")).into());
            }
            // A session that does not read any more is detected as ended.
            let _ = self.far.write_all(data).await;
        }
        if response.keep_alive && body.is_done() && http.is_clean() {
            self.http = Some(http);
        }
        Ok((interval.unwrap_or(0), length))
    }
}

fn late() -> Fault {
    Fault::Io(std::io::Error::other(Cause::TimedOut { after: RESPONSE_TIMEOUT }))
}
