//! The mailbox of a viewer's task: datagrams from the viewer, frames for the viewer, and the end of the
//! session.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::server::whep::frame::Frame;

/// Maximum number of waiting datagrams. Further ones are lost, as on any network.
const MAX_DATAGRAMS: usize = 256;
/// Maximum number of waiting frames, which last several seconds. Beyond it, video frames are dropped
/// up to the next keyframe.
const MAX_FRAMES: usize = 256;

/// The mailbox of a session, and its names.
#[derive(Debug)]
pub(super) struct Mailbox {
    /// Id of the viewer.
    pub id: u64,
    /// The last part of the session's URL, which only the viewer knows.
    pub resource: String,
    /// The local ICE user name fragment; `remote_ufrag` is the viewer's.
    pub ufrag: String,
    pub remote_ufrag: String,
    /// Number of bytes passed to the socket.
    sent: AtomicU64,
    waiting: Mutex<Waiting>,
    news: Notify,
}

/// Items that wait for the viewer's task.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    pub datagrams: VecDeque<(Vec<u8>, SocketAddr)>,
    pub frames: VecDeque<Arc<Frame>>,
    /// The reason why the session ends.
    pub end: Option<&'static str>,
    /// False if the publisher has left, true if it is back.
    pub published: Option<bool>,
}

impl Mailbox {
    pub fn new(id: u64, resource: String, ufrag: String, remote_ufrag: String) -> Arc<Self> {
        let (waiting, news) = (Mutex::default(), Notify::new());
        let sent = AtomicU64::new(0);
        Arc::new(Self { id, resource, ufrag, remote_ufrag, sent, waiting, news })
    }

    /// Counts bytes that were passed to the socket.
    pub fn count(&self, bytes: u64) {
        self.sent.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Returns the number of bytes passed to the socket.
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Waits for an item. Only one task may wait.
    pub async fn news(&self) {
        self.news.notified().await;
    }

    /// Takes all waiting items.
    pub fn take(&self) -> Waiting {
        std::mem::take(&mut *self.waiting.lock())
    }

    pub fn datagram(&self, bytes: &[u8], from: SocketAddr) {
        let mut waiting = self.waiting.lock();
        if waiting.datagrams.len() < MAX_DATAGRAMS {
            waiting.datagrams.push_back((bytes.to_vec(), from));
        }
        drop(waiting);
        self.news.notify_one();
    }

    pub fn frame(&self, frame: &Arc<Frame>) {
        let mut waiting = self.waiting.lock();
        if waiting.frames.len() >= MAX_FRAMES {
            // The missing number in the next frame shows the loss.
            waiting.frames.retain(|frame| !frame.is_video());
            if waiting.frames.len() >= MAX_FRAMES {
                waiting.frames.pop_front();
            }
        }
        waiting.frames.push_back(Arc::clone(frame));
        drop(waiting);
        self.news.notify_one();
    }

    /// Ends the session.
    pub fn end(&self, reason: &'static str) {
        self.waiting.lock().end.get_or_insert(reason);
        self.news.notify_one();
    }

    /// Records that the publisher has gone or is back.
    pub fn published(&self, is_published: bool) {
        self.waiting.lock().published = Some(is_published);
        self.news.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::server::whep::frame::FrameKind;

    #[test]
    fn a_task_that_does_not_come_keeps_a_bounded_number() {
        let mailbox = Mailbox::new(1, "r".into(), "u".into(), "t".into());
        let now = Instant::now();
        for index in 0..1_000 {
            let kind = if index % 2 == 0 { FrameKind::Inter } else { FrameKind::Sound };
            let payloads = Vec::new();
            let frame = Frame { kind, index, at: 0, wallclock: now, arrived: now, payloads };
            mailbox.frame(&Arc::new(frame));
            mailbox.datagram(&[1], "127.0.0.1:1".parse().unwrap());
        }
        mailbox.end("first");
        mailbox.end("second");
        let waiting = mailbox.take();
        assert!(waiting.frames.len() <= MAX_FRAMES && waiting.frames.back().unwrap().index == 999);
        assert_eq!((waiting.datagrams.len(), waiting.end), (MAX_DATAGRAMS, Some("first")));
    }
}
