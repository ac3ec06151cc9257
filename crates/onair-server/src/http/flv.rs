//! HTTP-FLV: a stream as an endless FLV file, or the same file in binary WebSocket messages. Times
//! are those of the stream, from the last keyframe on.

use std::convert::Infallible;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::http::{HeaderMap, HeaderName, header};
use axum::response::{IntoResponse, Response};
use http_body::Frame;

use crate::base::Timestamp;
use crate::server::access::admission::Spot;
use crate::server::access::callback::calls::DoneCall;
use crate::server::access::grant::AdmittedViewer;
use crate::server::event::{Ended, NoRoom, Protocol};
use crate::server::http::caller::{Caller, query_pairs};
use crate::server::http::closing;
use crate::server::http::hls::slot::ActiveGuard;
use crate::server::http::refusals::{no_such_stream, too_many_viewers};
use crate::server::registry::Registry;
use crate::server::stream::Stream;
use crate::server::stream::flv_sink::FlvSink;
use crate::server::stream::sink::Sink;
use crate::text::problem::problem;

const RESPONSE_HEADERS: [(HeaderName, &str); 2] =
    [(header::CONTENT_TYPE, "video/x-flv"), (header::CACHE_CONTROL, "no-store")];

/// The first major version of FFmpeg's libavformat that reads Opus in FLV (FFmpeg 8).
const FIRST_LAVF_WITH_OPUS: u32 = 62;

/// Maximum size of a message from a viewer, in bytes. Viewers do not need to send any.
const MAX_VIEWER_MESSAGE_BYTES: usize = 4 << 10;

/// Returns true if a viewer takes Opus in FLV: it says so (`?audio=opus`), or it is onair or an FFmpeg that does. Others
/// get AAC, because most players of FLV do not know Opus, and there is no way to ask them.
pub(super) fn takes_opus(query: &str, headers: &HeaderMap) -> bool {
    if let Some((_, wanted)) = query_pairs(query).find(|(name, _)| *name == "audio") {
        return wanted == "opus";
    }
    let agent = headers.get(header::USER_AGENT).and_then(|it| it.to_str().ok()).unwrap_or_default();
    let version = agent.strip_prefix("Lavf/").and_then(|it| it.split('.').next()?.parse().ok());
    agent.starts_with("onair/") || version.is_some_and(|it: u32| it >= FIRST_LAVF_WITH_OPUS)
}

/// Makes the response: the stream, or an error if it does not exist.
pub(super) fn response(
    registry: Arc<Registry>,
    caller: (Caller, AdmittedViewer),
    (app, name): (&str, &str),
    takes_opus: bool,
) -> Response {
    match join(registry, caller, (app, name), (Protocol::HttpFlv, takes_opus)) {
        Ok(body) => (RESPONSE_HEADERS, Body::new(body)).into_response(),
        Err(no) => *no,
    }
}

/// Makes the response without the body, which has no length.
pub(super) fn head() -> Response {
    (RESPONSE_HEADERS, Body::new(UnknownLength)).into_response()
}

/// A body of unknown length.
struct UnknownLength;

impl http_body::Body for UnknownLength {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(None)
    }
}

/// Makes the response to a WebSocket request.
pub(super) fn upgraded(
    registry: Arc<Registry>,
    caller: (Caller, AdmittedViewer),
    (app, name): (&str, &str),
    takes_opus: bool,
    upgrade: WebSocketUpgrade,
) -> Response {
    match join(registry, caller, (app, name), (Protocol::WsFlv, takes_opus)) {
        Ok(body) => upgrade
            .max_message_size(MAX_VIEWER_MESSAGE_BYTES)
            .max_frame_size(MAX_VIEWER_MESSAGE_BYTES)
            .on_upgrade(move |socket| send(socket, body)),
        Err(no) => *no,
    }
}

/// Adds a viewer to the stream.
fn join(
    registry: Arc<Registry>,
    (caller, viewer): (Caller, AdmittedViewer),
    (app, name): (&str, &str),
    (protocol, takes_opus): (Protocol, bool),
) -> Result<FlvBody, Box<Response>> {
    if !registry.find(app, name).is_some_and(|stream| stream.is_published()) {
        return Err(Box::new(no_such_stream()));
    }
    let Caller { address: peer, spot, .. } = caller;
    let Some(active) = ActiveGuard::new(&registry, &spot) else {
        return Err(Box::new(too_many_viewers(NoRoom::Server)));
    };
    let limit = registry.config.limits.queue_bytes;
    let sink = match takes_opus {
        true => FlvSink::for_viewer(viewer.id, limit, protocol),
        false => FlvSink::for_viewer_without_opus(viewer.id, limit, protocol),
    };
    let joined = registry.join(app, name, (Arc::<FlvSink>::clone(&sink), viewer.expelled), peer);
    let stream = joined.map_err(|why| {
        // `join` has reported the viewer.
        let mut full = too_many_viewers(why);
        full.extensions_mut().remove::<NoRoom>();
        Box::new(full)
    })?;
    let since = registry.clock.now();
    Ok(FlvBody { sink, registry, stream, peer, spot, since, _done: viewer.done, _active: active })
}

/// Sends the file in messages until either end closes. Data that the socket does not take waits in
/// the viewer's queue.
async fn send(mut socket: WebSocket, mut body: FlvBody) {
    loop {
        let next = poll_fn(|cx| http_body::Body::poll_frame(Pin::new(&mut body), cx));
        tokio::select! {
            frame = next => {
                let Some(Ok(frame)) = frame else { break };
                let Ok(bytes) = frame.into_data() else { continue };
                if socket.send(Message::Binary(bytes)).await.is_err() {
                    return;
                }
            }
            received = socket.recv() => {
                if !matches!(received, Some(Ok(_))) {
                    return;
                }
            }
        }
    }
    // Closes properly; a client that does not answer is disconnected.
    let _ = socket.send(body.last_message()).await;
}

/// The body of a response. It is dropped when the viewer leaves.
struct FlvBody {
    sink: Arc<FlvSink>,
    registry: Arc<Registry>,
    stream: Arc<Stream>,
    peer: SocketAddr,
    spot: Arc<Spot>,
    since: Timestamp,
    /// When dropped, informs a callback that the viewer has finished.
    _done: Option<Box<DoneCall>>,
    _active: ActiveGuard,
}

impl FlvBody {
    /// Returns the message that ends a WebSocket.
    fn last_message(&self) -> Message {
        match self.sink.dismissed() {
            Some(reason) => closing::of_client(&reason.to_string()),
            None => {
                let names = (&*self.stream.app, &*self.stream.name);
                closing::of_stream(&self.registry, names, ".flv")
            }
        }
    }
}

impl http_body::Body for FlvBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.sink.poll_next(cx).map(|bytes| {
            let bytes = bytes?;
            let length = bytes.len() as u64;
            self.registry.totals.sent_bytes.fetch_add(length, Ordering::Relaxed);
            Some(Ok(Frame::data(bytes)))
        })
    }
}

impl Drop for FlvBody {
    fn drop(&mut self) {
        let (bytes, skipped) = (self.sink.sent(), self.sink.skipped());
        let stalled = self.sink.was_overrun() || self.spot.has_stalled();
        let ended = self.sink.has_ended();
        self.registry.totals.skipped_messages.fetch_add(skipped, Ordering::Relaxed);
        let reason = self.sink.dismissed().unwrap_or_else(|| match (stalled, ended) {
            (true, _) => problem!("left-stalled"),
            (false, true) => problem!("left-publisher-gone"),
            (false, false) => problem!("left-closed"),
        });
        let after = self.registry.clock.now().since(self.since);
        let ended = Ended { reason, after, bytes };
        self.registry.leave(&self.stream, self.sink.id(), self.peer, ended);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_viewers_that_are_known_to_take_opus_get_it() {
        let takes = |query: &str, agent: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::USER_AGENT, agent.parse().unwrap());
            takes_opus(query, &headers)
        };
        for (query, agent, expected) in [
            ("", "Lavf/59.27.100", false),
            ("", "Lavf/62.3.100", true),
            ("", "Lavf/", false),
            ("", "onair/0.1.0", true),
            ("", "Mozilla/5.0", false),
            ("token=x&audio=opus", "Mozilla/5.0", true),
            ("audio=aac", "Lavf/62.3.100", false),
        ] {
            assert_eq!(takes(query, agent), expected, "{query} {agent}");
        }
    }
}
