//! A connection over HTTP/2 (RFC 9113): many requests at once, with the limits and deadlines of HTTP/1.1. The library
//! limits resets, pings, settings and continuations of a client.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Response, StatusCode};
use axum::response::IntoResponse as _;
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::sync::watch::Receiver;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use crate::net::Stream;
use crate::server::access::admission::Spot;
use crate::server::access::limits::Limits;
use crate::server::http::caller::Caller;
use crate::server::http::connection::request::{self, MAX_HEADER_BYTES, TimedBody};
use crate::server::http::connection::watch::{Requests, Verdict, WatchedBody};
use crate::server::registry::ConnectionSlot;

/// Maximum number of requests at once. A page with a low-latency player needs about six.
const MAX_STREAMS: u32 = 64;
/// The data that a client may send before the server reads it, per request and per connection.
const STREAM_WINDOW_BYTES: u32 = 64 << 10;
const CONNECTION_WINDOW_BYTES: u32 = 256 << 10;
/// The data that waits in a connection for each response.
const MAX_SEND_BUFFER_BYTES: usize = 64 << 10;
/// Maximum number of requests that a client has reset before they were accepted (CVE-2023-44487), and of streams that
/// the server has reset because of a client's errors. More end the connection.
const MAX_RESETS: usize = 32;
/// A client that does not answer a ping in this time is gone.
const PING_INTERVAL: Duration = Duration::from_secs(15);
/// Interval between two checks of the deadlines.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);
/// The time in which a client must end the connection when asked.
const GOODBYE_TIMEOUT: Duration = Duration::from_secs(2);

/// Answers the requests of one connection.
pub(super) async fn converse(
    (stream, place): (Stream, ConnectionSlot),
    caller: Caller,
    router: TowerToHyperService<Router>,
    (mut close, limits): (Receiver<bool>, &Limits),
) {
    let requests = Arc::new(Requests::new(limits, Instant::now()));
    let (spot, limit) = (Arc::clone(&caller.spot), limits.request);
    let counted = Arc::clone(&requests);
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let place = counted.begin();
        let (caller, router, spot) = (caller.clone(), router.clone(), Arc::clone(&spot));
        async move {
            let response = match request::as_over_http1(request) {
                Ok(mut request) => {
                    request.extensions_mut().insert(ConnectInfo(caller));
                    let request = request.map(|body| Body::new(TimedBody::new(body, limit)));
                    answered(router.call(request), &spot, limit).await
                }
                Err(status) => status.into_response(),
            };
            Ok::<_, std::convert::Infallible>(response.map(|body| WatchedBody::new(body, place)))
        }
    });
    let mut settings = http2::Builder::new(TokioExecutor::new());
    settings
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .max_send_buf_size(MAX_SEND_BUFFER_BYTES)
        .max_header_list_size(MAX_HEADER_BYTES as u32)
        .max_pending_accept_reset_streams(MAX_RESETS)
        .max_local_error_reset_streams(MAX_RESETS)
        .keep_alive_interval(PING_INTERVAL)
        .keep_alive_timeout(PING_INTERVAL);
    let mut connection = pin!(settings.serve_connection(TokioIo::new(stream), service));
    let mut check = interval(CHECK_INTERVAL);
    check.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut is_closing, mut goodbye) = (false, None);
    loop {
        tokio::select! {
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::trace!(%error, "an HTTP/2 connection failed");
                }
                return;
            }
            () = place.evicted() => return,
            _ = close.wait_for(|close| *close), if !is_closing => {
                is_closing = true;
                connection.as_mut().graceful_shutdown();
            }
            now = check.tick() => match requests.verdict(now) {
                _ if goodbye.is_some_and(|until| now >= until) => return,
                Verdict::Idle if goodbye.is_none() => {
                    is_closing = true;
                    connection.as_mut().graceful_shutdown();
                    goodbye = Some(now + GOODBYE_TIMEOUT);
                }
                Verdict::Stalled => {
                    place.spot().note_stall();
                    return;
                }
                Verdict::Idle | Verdict::Busy => {}
            },
        }
    }
}

/// Waits for a response, as long as the request may take. A request that may take longer settles the connection's slot,
/// or waits for the decision of a callback.
async fn answered<E>(
    response: impl Future<Output = Result<Response<Body>, E>>,
    spot: &Spot,
    limit: Duration,
) -> Response<Body> {
    let mut response = pin!(response);
    loop {
        match timeout(limit, response.as_mut()).await {
            Ok(Ok(response)) => return response,
            Ok(Err(_)) => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
            Err(_) if spot.is_settled() || spot.is_deciding() => {}
            Err(_) => return StatusCode::REQUEST_TIMEOUT.into_response(),
        }
    }
}
