//! What waits for one viewer's task: datagrams that came from it, frames that go to it, and that it is over.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::server::whep::frame::Frame;

/// Datagrams that may wait; the newest is lost, as on any network.
const MAX_DATAGRAMS: usize = 256;
/// Frames that may wait: some seconds. Where there are more, pictures go up to the next keyframe.
const MAX_FRAMES: usize = 256;

/// The mailbox of a session, and its names.
#[derive(Debug)]
pub(super) struct Mailbox {
    /// Of the viewer.
    pub id: u64,
    /// The last part of the session's URL: known to the viewer only.
    pub resource: String,
    /// Its names within ICE, ours and theirs.
    pub ufrag: String,
    pub remote_ufrag: String,
    waiting: Mutex<Waiting>,
    news: Notify,
}

/// What waits.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    pub datagrams: VecDeque<(Vec<u8>, SocketAddr)>,
    pub frames: VecDeque<Arc<Frame>>,
    /// Why the session is over.
    pub end: Option<&'static str>,
    /// The publisher has gone (`false`), or is back.
    pub published: Option<bool>,
}

impl Mailbox {
    pub fn new(id: u64, resource: String, ufrag: String, remote_ufrag: String) -> Arc<Self> {
        let (waiting, news) = (Mutex::default(), Notify::new());
        Arc::new(Self { id, resource, ufrag, remote_ufrag, waiting, news })
    }

    /// Waits for something. One task waits.
    pub async fn news(&self) {
        self.news.notified().await;
    }

    /// Everything that waits.
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
            // Whoever takes the next one sees by its number that some are missing.
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

    /// The publisher has gone, or is back.
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
