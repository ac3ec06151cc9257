//! A stream as one endless FLV file, for a viewer over HTTP or a file on the disk. Times are those
//! of the stream, from the last keyframe on.

use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use parking_lot::Mutex;

use crate::server::event::Protocol;
use crate::server::stream::message::{Batch, Class, Message, Takes};
use crate::server::stream::sink::Sink;
use crate::server::stream::viewer_queue::Queue;
use crate::text::Problem;
use crate::wire::container::flv::{TagKind, file_header};

/// How long the file header waits for the other track. Players wait for each declared track, some of them for ever.
const MAX_TRACK_WAIT_MS: u32 = 1_000;
/// Maximum number of messages that wait with the file header.
const MAX_WAITING_MESSAGES: u32 = 200;

/// The queue of one reader of a stream.
#[derive(Debug)]
pub(crate) struct FlvSink {
    id: u64,
    /// The viewer's protocol, for counting, or `None` for a file. Viewers may not support
    /// additional tracks.
    viewer: Option<Protocol>,
    takes: Takes,
    /// The limit in bytes; undroppable data may use the same amount again.
    limit: usize,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    queue: Queue,
    waker: Option<Waker>,
    ended: bool,
    /// True if the queue was too long even after dropping, and has ended.
    overrun: bool,
    /// The reason for a disconnection by the operator.
    dismissed: Option<Problem>,
    /// True if metadata was sent.
    titled: bool,
    /// The tracks that the file header declares.
    tracks: SeenTracks,
    /// Number of bytes that the response has got.
    sent: u64,
}

impl FlvSink {
    /// Creates a queue for a viewer. At most `limit` bytes wait in the queue.
    pub fn for_viewer(id: u64, limit: usize, protocol: Protocol) -> Arc<Self> {
        Self::new(id, limit, Some(protocol), Takes::ONE_TRACK)
    }

    /// Creates a queue for a viewer that gets AAC instead of Opus.
    pub fn for_viewer_without_opus(id: u64, limit: usize, protocol: Protocol) -> Arc<Self> {
        Self::new(id, limit, Some(protocol), Takes { opus: false, ..Takes::ONE_TRACK })
    }

    /// Creates a queue for a file, which gets everything unchanged.
    pub fn for_file(id: u64, limit: usize) -> Arc<Self> {
        Self::new(id, limit, None, Takes::EVERYTHING)
    }

    fn new(id: u64, limit: usize, viewer: Option<Protocol>, takes: Takes) -> Arc<Self> {
        let mut inner = Inner { queue: Queue::new(limit), ..Inner::default() };
        if viewer.is_none() {
            // Each file has its own header.
            inner.tracks.is_declared = true;
        }
        let inner = Mutex::new(inner);
        Arc::new(Self { id, viewer, takes, limit, inner })
    }

    /// Returns the next bytes, or `None` after the stream has ended and the queue is empty.
    pub fn poll_next(&self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let mut inner = self.inner.lock();
        if let Some(bytes) = inner.pop() {
            return Poll::Ready(Some(bytes));
        }
        if inner.ended {
            return Poll::Ready(None);
        }
        inner.waker = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Returns the current content of the queue.
    pub fn waiting(&self) -> Vec<Bytes> {
        let mut inner = self.inner.lock();
        std::iter::from_fn(|| inner.pop()).collect()
    }

    /// Returns the number of messages for which there was no room.
    pub fn skipped(&self) -> u64 {
        self.inner.lock().queue.skipped()
    }

    /// Returns true if the queue had to end because its reader was too slow.
    pub fn was_overrun(&self) -> bool {
        self.inner.lock().overrun
    }

    /// Returns the reason for a disconnection by the operator.
    pub fn dismissed(&self) -> Option<Problem> {
        self.inner.lock().dismissed.clone()
    }

    /// Returns true if the publisher has left.
    pub fn has_ended(&self) -> bool {
        self.inner.lock().ended
    }
}

impl Sink for FlvSink {
    fn id(&self) -> u64 {
        self.id
    }

    fn is_viewer(&self) -> bool {
        self.viewer.is_some()
    }

    fn protocol(&self) -> Protocol {
        self.viewer.unwrap_or(Protocol::HttpFlv)
    }

    fn takes_opus(&self) -> bool {
        self.takes.opus
    }

    /// Returns the number of bytes that the response has got.
    fn sent(&self) -> u64 {
        self.inner.lock().sent
    }

    fn dismiss(&self, reason: Problem) {
        let mut inner = self.inner.lock();
        inner.queue.clear_media();
        (inner.ended, inner.dismissed) = (true, Some(reason));
        inner.wake();
    }

    /// Does nothing for a file, which gets everything unchanged.
    fn skip_to_keyframe(&self) {
        if self.viewer.is_some() {
            self.inner.lock().queue.skip_to_keyframe();
        }
    }

    fn deliver(&self, batch: &Batch<'_>) {
        let mut inner = self.inner.lock();
        if inner.ended {
            return;
        }
        let messages = batch.messages.iter();
        for message in messages.filter_map(|message| message.for_viewer(self.takes)) {
            // In a file, time codes and similar messages are useless. Metadata is only at the start
            // of a file, because FFmpeg interprets later metadata as subtitles.
            if message.kind == TagKind::Script
                && (message.class == Class::Audio || std::mem::replace(&mut inner.titled, true))
            {
                continue;
            }
            inner.tracks.note(message);
            let tag = match self.viewer {
                Some(_) => message.flv(),
                None => message.recorded_flv(),
            };
            inner.queue.push(message.class, message.mark, tag);
        }
        if inner.queue.is_overrun() || inner.queue.waiting_bytes() > 2 * self.limit {
            (inner.ended, inner.overrun) = (true, true);
        }
        inner.wake();
    }

    fn end(&self) {
        let mut inner = self.inner.lock();
        inner.ended = true;
        inner.wake();
    }

    /// Does nothing, because a file ends when its publisher leaves.
    fn resume(&self) {}
}

/// The tracks that have arrived so far, for the file header.
#[derive(Debug, Default)]
struct SeenTracks {
    video: bool,
    audio: bool,
    /// The time of the first media.
    since_ms: Option<u32>,
    is_due: bool,
    messages: u32,
    is_declared: bool,
}

impl SeenTracks {
    /// Notes a message. A track whose codec needs a config counts from its config on, because metadata can announce a
    /// track that never comes.
    fn note(&mut self, message: &Message) {
        if self.is_declared {
            return;
        }
        self.messages += 1;
        let is_config = message.mark.is_some();
        match (message.kind, self.video, self.audio) {
            (TagKind::Video, false, _) => self.video = is_config || !needs_config(message),
            (TagKind::Audio, _, false) => self.audio = is_config || !needs_config(message),
            _ => {}
        }
        if !is_config && message.kind != TagKind::Script {
            let since = *self.since_ms.get_or_insert(message.time_ms);
            let waited = message.time_ms.wrapping_sub(since);
            self.is_due |= waited.min(waited.wrapping_neg()) >= MAX_TRACK_WAIT_MS;
        }
    }

    /// Returns the file header once, when the tracks are known.
    fn header(&mut self, ends: bool) -> Option<Bytes> {
        let known = self.video && self.audio;
        let is_due = known || self.is_due || self.messages >= MAX_WAITING_MESSAGES || ends;
        if self.is_declared || !is_due {
            return None;
        }
        self.is_declared = true;
        Some(file_header(self.audio, self.video))
    }
}

/// Returns true for a legacy body of H.264 or AAC.
fn needs_config(message: &Message) -> bool {
    let first = message.body().first().copied().unwrap_or_default();
    match message.kind {
        TagKind::Video => first & 0x8F == 0x07,
        _ => first >> 4 == 10,
    }
}

impl Inner {
    fn pop(&mut self) -> Option<Bytes> {
        let header = self.tracks.header(self.ended);
        if header.is_none() && !self.tracks.is_declared {
            return None;
        }
        header.or_else(|| self.queue.pop()).inspect(|bytes| self.sent += bytes.len() as u64)
    }

    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}
