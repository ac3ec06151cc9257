//! HTTP-FLV: a stream as one endless FLV file, or the same file in the binary messages of a
//! WebSocket. Times are the stream's own, from the last keyframe on.

use std::convert::Infallible;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker};

use axum::body::{Body, Bytes};
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use http_body::Frame;
use parking_lot::Mutex;

use super::super::batch::Batch;
use super::super::event::Ended;
use super::super::message::Class;
use super::super::queue::Queue;
use super::super::registry::Registry;
use super::super::sink::Sink;
use super::super::stream::Stream;
use crate::base::Timestamp;
use crate::wire::flv::file_header;

pub(super) const CONTENT_TYPE: &str = "video/x-flv";

/// The longest message a viewer may send: they have nothing to say.
const MAX_SAID: usize = 4 << 10;

/// The answer: the stream, or that there is none.
pub(super) fn response(
    registry: Arc<Registry>,
    peer: SocketAddr,
    app: &str,
    name: &str,
) -> Response {
    let headers = [
        (header::CONTENT_TYPE, CONTENT_TYPE),
        (header::CACHE_CONTROL, "no-store"),
        // Players in web pages of other origins may read it.
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
    ];
    match join(registry, peer, app, name) {
        Ok(body) => (headers, Body::new(body)).into_response(),
        Err(no) => *no,
    }
}

/// The answer to who wants it as a WebSocket.
pub(super) fn upgraded(
    registry: Arc<Registry>,
    peer: SocketAddr,
    app: &str,
    name: &str,
    upgrade: WebSocketUpgrade,
) -> Response {
    match join(registry, peer, app, name) {
        Ok(body) => upgrade
            .max_message_size(MAX_SAID)
            .max_frame_size(MAX_SAID)
            .on_upgrade(move |socket| send(socket, body)),
        Err(no) => *no,
    }
}

/// A place among the stream's viewers.
fn join(
    registry: Arc<Registry>,
    peer: SocketAddr,
    app: &str,
    name: &str,
) -> Result<FlvBody, Box<Response>> {
    if !registry.find(app, name).is_some_and(|stream| stream.is_published()) {
        let none = (StatusCode::NOT_FOUND, "There is no such stream.\n").into_response();
        return Err(Box::new(none));
    }
    let sink = Arc::new(FlvSink::new(registry.next_id(), registry.config.limits.queue_bytes));
    let Some(stream) = registry.join(app, name, Arc::<FlvSink>::clone(&sink), peer) else {
        let full = "There are too many viewers.\n";
        return Err(Box::new((StatusCode::SERVICE_UNAVAILABLE, full).into_response()));
    };
    let since = registry.clock.now();
    Ok(FlvBody { sink, registry, stream, peer, since })
}

/// Sends the file in messages until either end has enough. What the socket does not take waits in
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
            said = socket.recv() => {
                if !matches!(said, Some(Ok(_))) {
                    return;
                }
            }
        }
    }
    // Closed in order; who does not answer is let go with the connection.
    let _ = socket.send(Message::Close(None)).await;
}

/// Where a stream puts what goes to one HTTP-FLV viewer.
#[derive(Debug)]
struct FlvSink {
    id: u64,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    queue: Queue,
    waker: Option<Waker>,
    ended: bool,
    /// Metadata were sent.
    titled: bool,
    sent: u64,
}

impl FlvSink {
    fn new(id: u64, limit: usize) -> Self {
        let mut queue = Queue::new(limit);
        queue.push_control(file_header(true, true));
        Self {
            id,
            inner: Mutex::new(Inner { queue, waker: None, ended: false, titled: false, sent: 0 }),
        }
    }
}

impl Sink for FlvSink {
    fn id(&self) -> u64 {
        self.id
    }

    fn deliver(&self, batch: &Batch<'_>) {
        let mut inner = self.inner.lock();
        // A file's reader cannot say what it takes.
        for message in batch.messages.iter().filter_map(|message| message.for_viewer(false)) {
            let script = message.kind == crate::wire::flv::TagKind::Script;
            // In a file a time code or the like is of no use, and metadata stand at its head: FFmpeg
            // takes later ones for subtitles.
            if script
                && (message.class == Class::Sound || std::mem::replace(&mut inner.titled, true))
            {
                continue;
            }
            inner.queue.push(message.class, message.flv());
        }
        inner.wake();
    }

    fn end(&self) {
        let mut inner = self.inner.lock();
        inner.ended = true;
        inner.wake();
    }

    /// A file ends with its publisher.
    fn resume(&self) {}
}

impl Inner {
    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

/// The body of the answer. Dropped when the viewer goes.
struct FlvBody {
    sink: Arc<FlvSink>,
    registry: Arc<Registry>,
    stream: Arc<Stream>,
    peer: SocketAddr,
    since: Timestamp,
}

impl http_body::Body for FlvBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let mut inner = self.sink.inner.lock();
        if let Some(bytes) = inner.queue.pop() {
            inner.sent += bytes.len() as u64;
            self.registry.totals.sent_bytes.fetch_add(bytes.len() as u64, Ordering::Relaxed);
            return Poll::Ready(Some(Ok(Frame::data(bytes))));
        }
        if inner.ended {
            return Poll::Ready(None);
        }
        inner.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl Drop for FlvBody {
    fn drop(&mut self) {
        let inner = self.sink.inner.lock();
        let (bytes, skipped, ended) = (inner.sent, inner.queue.skipped(), inner.ended);
        drop(inner);
        self.registry.totals.skipped_messages.fetch_add(skipped, Ordering::Relaxed);
        let reason = if ended { "the publisher has gone" } else { "closed by the peer" };
        let after = self.registry.clock.now().since(self.since);
        let ended = Ended { reason: reason.to_owned(), after, bytes };
        self.registry.leave(&self.stream, self.sink.id, self.peer, ended);
    }
}
