//! The mailbox of a viewer's task: datagrams from the viewer, frames for the viewer, and the end of the
//! session.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use parking_lot::Mutex;
use tokio::sync::{Notify, oneshot};

use crate::net::random_bytes;
use crate::server::renditions::refusal::Refusal;
use crate::server::webrtc::path::Path;
use crate::server::webrtc::whep::frame::Frame;
use crate::text::Problem;
use crate::wire::webrtc::rtcp::{is_link_report, is_wanted_of_viewer};

/// Maximum number of waiting datagrams of each kind from a viewer. Further ones are lost, as on any network.
const MAX_DATAGRAMS: usize = 256;
/// The same for a publisher, whose keyframes have hundreds of datagrams.
const MAX_PUBLISHER_DATAGRAMS: usize = 2_048;
/// Maximum number of link reports that wait for a frame. Browsers send a report every 50 to 250 ms.
const MAX_HELD_REPORTS: usize = 4;
/// Maximum number of waiting frames, which last several seconds. Beyond this number, video frames
/// are dropped up to the next keyframe.
const MAX_FRAMES: usize = 256;
/// Maximum number of TCP connections of a session.
const MAX_CONNECTIONS: usize = 4;

/// The first bytes of the transactions of a session's checks, which identify the session in the answers.
pub(super) type CheckTag = [u8; 6];

/// The role of a session's peer.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Role {
    #[default]
    Viewer,
    Publisher,
}

/// The mailbox of a session, and its names.
#[derive(Debug, Default)]
pub(super) struct Mailbox {
    pub role: Role,
    /// Id of the viewer or publisher.
    pub id: u64,
    /// The last part of the session's URL, which only the peer knows.
    pub resource: String,
    pub check_tag: CheckTag,
    ice: Mutex<IceNames>,
    /// Bytes passed to the socket.
    sent: AtomicU64,
    connections: AtomicUsize,
    is_over: AtomicBool,
    /// True once the peer has answered a check.
    is_reached: AtomicBool,
    /// Wakes the TCP connections at the end of the session.
    over: Notify,
    waiting: Mutex<Waiting>,
    /// True if link reports wait for the next frame.
    holds_reports: AtomicBool,
    news: Notify,
}

/// The ICE user name fragments. A restart changes both.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct IceNames {
    pub local: String,
    pub remote: String,
}

impl IceNames {
    /// Returns the entity tag of the session's ICE state.
    pub fn tag(&self) -> String {
        format!("\"{}\"", self.local)
    }
}

/// A rendition that the viewer chooses.
#[derive(Debug)]
pub(super) struct ChosenRendition {
    /// The name; `None` means the best one for the link.
    pub rendition: Option<String>,
    pub answer: oneshot::Sender<Result<(), Refusal>>,
}

/// A restart of ICE that the viewer requests.
#[derive(Debug)]
pub(super) struct Restart {
    pub ufrag: String,
    pub password: String,
    /// The channel for the answer: the fragment with the new local credentials.
    pub answer: oneshot::Sender<String>,
}

/// Items that wait for the viewer's task.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    pub datagrams: VecDeque<(Vec<u8>, Path)>,
    /// Datagrams that only tell how the link is.
    pub link_reports: VecDeque<(Vec<u8>, Path)>,
    pub frames: VecDeque<Arc<Frame>>,
    /// The reason why the session ends.
    pub end: Option<Problem>,
    /// False if the publisher has left, true if it is back.
    pub published: Option<bool>,
    pub chosen: Option<ChosenRendition>,
    pub restart: Option<Restart>,
    /// Addresses at which the peer may be, behind the own router.
    pub reach: Vec<SocketAddr>,
    /// True if the task has been woken. Another signal would wake it once more, when nothing is waiting.
    pub is_woken: bool,
}

impl Waiting {
    fn add(&mut self, frame: &Arc<Frame>) {
        if self.frames.len() >= MAX_FRAMES {
            // The missing number in the next frame shows the loss.
            self.frames.retain(|frame| !frame.is_video());
            if self.frames.len() >= MAX_FRAMES {
                self.frames.pop_front();
            }
        }
        self.frames.push_back(Arc::clone(frame));
    }
}

impl Mailbox {
    pub fn new(id: u64, resource: String, ice: IceNames) -> Arc<Self> {
        Arc::new(Self::unshared(id, resource, ice))
    }

    fn unshared(id: u64, resource: String, ice: IceNames) -> Self {
        Self {
            id,
            resource,
            // Without randomness, there are no checks.
            check_tag: random_bytes().unwrap_or_default(),
            ice: Mutex::new(ice),
            ..Self::default()
        }
    }

    /// Creates the mailbox of a publisher's session.
    pub fn of_publisher(id: u64, resource: String, ice: IceNames) -> Arc<Self> {
        Arc::new(Self { role: Role::Publisher, ..Self::unshared(id, resource, ice) })
    }

    /// Returns true if the session reads this datagram. Viewers send no media, so it is not decrypted.
    pub fn wants(&self, datagram: &[u8]) -> bool {
        match self.role {
            Role::Viewer => is_wanted_of_viewer(datagram),
            Role::Publisher => datagram.len() >= 2,
        }
    }

    /// Returns the ICE user name fragments.
    pub fn ice(&self) -> IceNames {
        self.ice.lock().clone()
    }

    /// Changes the ICE user name fragments, and returns the previous ones.
    pub fn set_ice(&self, ice: IceNames) -> IceNames {
        std::mem::replace(&mut *self.ice.lock(), ice)
    }

    /// Adds a TCP connection. Returns `None` if there are too many.
    pub fn connect(self: &Arc<Self>) -> Option<Connection> {
        let before = self.connections.fetch_add(1, Ordering::AcqRel);
        let connection = Connection { mailbox: Arc::clone(self), is_first: before == 0 };
        (before < MAX_CONNECTIONS).then_some(connection)
    }

    /// Records that the session has ended, and drops all waiting items.
    pub fn close(&self) {
        self.is_over.store(true, Ordering::Release);
        self.over.notify_waiters();
        drop(self.take());
    }

    /// Waits until the session has ended.
    pub async fn over(&self) {
        // This future is woken even if the session ends before the first poll.
        let over = self.over.notified();
        if !self.is_over() {
            over.await;
        }
    }

    /// Returns true if the session has ended.
    pub fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Acquire)
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

    /// Decides whether link reports wait for the next frame.
    pub fn hold_reports(&self, holds: bool) {
        self.holds_reports.store(holds, Ordering::Relaxed);
    }

    /// Adds a datagram, and wakes the task unless link reports wait. If no frame comes, only a few of them wait.
    pub fn datagram(&self, bytes: &[u8], from: Path) {
        let datagram = (bytes.to_vec(), from);
        let mut waiting = self.waiting.lock();
        let is_report = is_link_report(bytes);
        let queue = if is_report { &mut waiting.link_reports } else { &mut waiting.datagrams };
        let most = match self.role {
            Role::Viewer => MAX_DATAGRAMS,
            Role::Publisher => MAX_PUBLISHER_DATAGRAMS,
        };
        if queue.len() < most {
            queue.push_back(datagram);
        }
        let holds = is_report && self.holds_reports.load(Ordering::Relaxed);
        let is_held = holds && queue.len() <= MAX_HELD_REPORTS;
        drop(waiting);
        if !is_held {
            self.change(|_| ());
        }
    }

    /// Adds a frame, and wakes the task.
    pub fn frame(&self, frame: &Arc<Frame>) {
        self.change(|waiting| waiting.add(frame));
    }

    /// Adds a frame that waits for whatever wakes the task next.
    pub fn hold(&self, frame: &Arc<Frame>) {
        self.waiting.lock().add(frame);
    }

    /// Wakes the task if frames are waiting.
    pub fn wake(&self) {
        if !self.waiting.lock().frames.is_empty() {
            self.change(|_| ());
        }
    }

    /// Changes what is waiting, and wakes the task.
    fn change(&self, change: impl FnOnce(&mut Waiting)) {
        let mut waiting = self.waiting.lock();
        change(&mut waiting);
        let was_woken = std::mem::replace(&mut waiting.is_woken, true);
        drop(waiting);
        if !was_woken {
            self.news.notify_one();
        }
    }

    /// Ends the session.
    pub fn end(&self, reason: Problem) {
        self.change(|waiting| {
            waiting.end.get_or_insert(reason);
        });
    }

    /// Passes on a restart of ICE. It replaces a restart that is still waiting.
    pub fn restart(&self, restart: Restart) {
        self.change(|waiting| waiting.restart = Some(restart));
    }

    /// Passes on addresses at which the peer may be. They replace those that are still waiting.
    pub fn reach(&self, addresses: Vec<SocketAddr>) {
        self.change(|waiting| waiting.reach = addresses);
    }

    /// Records that the peer has answered a check.
    pub fn note_reached(&self) {
        self.is_reached.store(true, Ordering::Release);
    }

    pub fn is_reached(&self) -> bool {
        self.is_reached.load(Ordering::Acquire)
    }

    /// Passes on the viewer's choice. It replaces a choice that is still waiting.
    pub fn choose(&self, chosen: ChosenRendition) {
        self.change(|waiting| waiting.chosen = Some(chosen));
    }

    /// Records that the publisher has left or is back.
    pub fn published(&self, is_published: bool) {
        self.change(|waiting| waiting.published = Some(is_published));
    }
}

/// A TCP connection of a session.
#[derive(Debug)]
pub(super) struct Connection {
    mailbox: Arc<Mailbox>,
    /// True if the session had no other connection when this one began.
    pub is_first: bool,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.mailbox.connections.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::server::webrtc::whep::frame::FrameKind;

    #[test]
    fn a_few_link_reports_wake_nobody() {
        let ice = IceNames { local: "u".into(), remote: "t".into() };
        let mailbox = Mailbox::new(1, "r".into(), ice);
        let from = || Path::Udp(SocketAddr::from(([127, 0, 0, 1], 1)).into());
        let report = [0x8F, 205, 0, 1];
        mailbox.datagram(&report, from());
        assert!(mailbox.take().is_woken, "the link may be slow");
        mailbox.hold_reports(true);
        (0..MAX_HELD_REPORTS).for_each(|_| mailbox.datagram(&report, from()));
        let waiting = mailbox.take();
        assert_eq!((waiting.link_reports.len(), waiting.is_woken), (MAX_HELD_REPORTS, false));
        (0..=MAX_HELD_REPORTS).for_each(|_| mailbox.datagram(&report, from()));
        let waiting = mailbox.take();
        assert_eq!(waiting.link_reports.len(), MAX_HELD_REPORTS + 1);
        assert!(waiting.is_woken, "no frame comes");
        // A request to send packets again waits for nothing.
        mailbox.datagram(&[0x81, 205, 0, 1], from());
        assert!(mailbox.take().is_woken);
    }

    #[test]
    fn a_task_that_does_not_come_keeps_a_bounded_number() {
        let ice = IceNames { local: "u".into(), remote: "t".into() };
        let mailbox = Mailbox::new(1, "r".into(), ice);
        let places: Vec<_> = std::iter::from_fn(|| mailbox.connect()).collect();
        assert_eq!(places.len(), MAX_CONNECTIONS);
        drop(places);
        assert!(mailbox.connect().is_some());
        let now = Instant::now();
        for index in 0..1_000 {
            let kind = if index % 2 == 0 { FrameKind::Inter } else { FrameKind::Audio };
            let payloads = Vec::new();
            let frame = Frame {
                production: 1,
                is_av1: false,
                kind,
                index,
                at: 0,
                wallclock: now,
                arrived: now,
                payloads,
            };
            mailbox.frame(&Arc::new(frame));
            mailbox.datagram(&[1], Path::Udp(SocketAddr::from(([127, 0, 0, 1], 1)).into()));
        }
        mailbox.end("first".into());
        mailbox.end("second".into());
        let waiting = mailbox.take();
        assert!(waiting.is_woken && !mailbox.take().is_woken);
        assert!(waiting.frames.len() <= MAX_FRAMES && waiting.frames.back().unwrap().index == 999);
        assert_eq!((waiting.datagrams.len(), waiting.end), (MAX_DATAGRAMS, Some("first".into())));
    }
}
