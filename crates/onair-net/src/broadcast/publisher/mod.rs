//! Sends the stream to one target: connects, sends, detects a dead link, and reconnects. Each
//! publisher is a task on the network runtime; publishers are independent of each other.
//!
//! The publisher knows no protocol. It takes packets from its subscription only while the link has
//! little to send, so that the rest can still be dropped, decides by the counters of the link
//! whether the server still accepts data, and reports. What a connection is, which stages it has
//! and how packets look there is up to `broadcast::protocol`.

mod attempt;
mod early_closes;
mod layers;
mod link;
mod retry;
mod session;
mod state;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

use crate::base::queue::{self, Full, Receiver};
use crate::base::{Clock, Stop};
use crate::broadcast::hub::Hub;
use crate::broadcast::output::{LinkEstimate, Output, OutputState};
use crate::broadcast::publisher::state::Shared;
use crate::media::RenditionId;
use crate::net::{ConnectStage, Runtime};

pub use crate::broadcast::publisher::early_closes::RepeatedCloses;
pub use crate::broadcast::publisher::link::Flow;
pub use crate::broadcast::publisher::state::{
    Event, Figures, History, PacketTimes, Report, State, Target,
};

/// Maximum number of unread events. Beyond this number, the oldest events are dropped.
const MAX_UNREAD_EVENTS: usize = 256;

/// A running publisher. Dropping the value ends the publisher cleanly, without waiting.
#[derive(Debug)]
pub struct Publisher {
    shared: Arc<Shared>,
    /// The number of dropped audio packets of all connections.
    lost_audio: Arc<AtomicU64>,
    events: Receiver<Event>,
    task: JoinHandle<()>,
    done: Stop,
}

impl Publisher {
    /// Starts to publish the packets of the hub.
    pub fn start(runtime: &Runtime, target: Target, hub: &Hub, clock: Clock) -> Self {
        let (sender, events) =
            queue::bounded("publisher events", MAX_UNREAD_EVENTS, Full::DropOldest);
        let first = target.url.stages().first().copied().unwrap_or(ConnectStage::Dns);
        let report = Report::new(State::Connecting, first, None);
        let feed = hub.feed();
        let shared = Arc::new(Shared {
            clock,
            feed: feed.clone(),
            target,
            report: Mutex::new(report),
            tries: Mutex::default(),
            figures: Mutex::default(),
            frames_at_loss: Mutex::default(),
            events: sender,
            retry: Notify::new(),
            network_returned: Notify::new(),
            network: watch::Sender::new(0),
            stop: watch::Sender::new(None),
            rendition_id: watch::Sender::new(RenditionId::Main),
            unannounced: AtomicBool::new(false),
            extras_left_out: AtomicBool::new(false),
            renditions_left_out: AtomicBool::new(false),
            layers_left_out: AtomicBool::new(false),
            layers: watch::Sender::new(Vec::new()),
            taken_layers: AtomicU8::new(0),
            needs_h264: AtomicBool::new(false),
        });
        let done = Stop::new();
        let ended = EndOnDrop { done: done.clone(), shared: Arc::clone(&shared) };
        let lost_audio = feed.lost_audio();
        let limits = shared.target.limits;
        let whole = shared.target.whole;
        // Subscribes now, so that packets that arrive before the connection wait for it.
        let kept = whole.then(|| feed.subscribe("publisher", limits, None, RenditionId::Main));
        let task = retry::run(Arc::clone(&shared), feed, kept);
        let task = runtime.spawn(async move {
            let _ended = ended;
            task.await;
        });
        Self { shared, lost_audio, events, task, done }
    }

    /// Returns the current state and its reason, with the time that is left until the next attempt.
    pub fn report(&self) -> Report {
        let mut report = self.shared.report.lock().clone();
        let next = self.shared.tries.lock().next.filter(|_| report.retry_in.is_some());
        if let Some(next) = next {
            report.retry_in = Some(next.since(self.shared.clock.now()));
        }
        // A connection that lasts longer ends the pattern.
        let live_for = self.shared.clock.now().since(self.shared.tries.lock().progress);
        if report.state == State::Live {
            let goes_on = |it: &RepeatedCloses| live_for < it.after.mul_f64(1.5);
            report.history.closes = report.history.closes.filter(goes_on);
        }
        report
    }

    /// Returns the number of failed attempts since the target was last live.
    pub fn tries(&self) -> u32 {
        self.shared.tries.lock().failed
    }

    /// Returns the current state.
    pub fn state(&self) -> State {
        self.shared.report.lock().state
    }

    /// Returns the state of the target before a passthrough file starts. The start waits until each
    /// target is connected, has failed once, or has ended.
    pub(super) fn standing(&self) -> TargetReadiness {
        let report = self.shared.report.lock();
        match report.state {
            State::Live => TargetReadiness::There,
            state if state.is_over() => TargetReadiness::Missing,
            _ if report.stage == ConnectStage::Media && report.retry_in.is_none() => {
                TargetReadiness::There
            }
            _ if report.error.is_some() => TargetReadiness::Missing,
            _ => TargetReadiness::Coming,
        }
    }

    /// Returns the counters of the publisher.
    pub fn figures(&self) -> Figures {
        let dropped_audio = self.lost_audio.load(Ordering::Relaxed);
        let figures = self.shared.figures.lock().clone();
        let lost_frames = figures.lost_frames + self.shared.frames_of_outage();
        Figures { dropped_audio, lost_frames, ..figures }
    }

    /// Returns the events. At most 256 events are kept; beyond that, the oldest ones are dropped.
    pub fn events(&self) -> &Receiver<Event> {
        &self.events
    }

    /// Returns the target of the publisher.
    pub fn target(&self) -> &Target {
        &self.shared.target
    }

    /// Ends the wait before the next attempt.
    pub fn retry_now(&self) {
        self.shared.retry.notify_waiters();
    }

    /// Begins the next attempt now. An attempt in progress that has not asked the server to publish
    /// begins again, because it may wait for an answer over the lost network.
    pub fn network_returned(&self) {
        self.shared.network_returned.notify_waiters();
        self.retry_now();
    }

    /// Returns true if the server takes H.264 but not the codec of the main rendition. It gets the
    /// second rendition, which must be H.264.
    pub fn needs_h264(&self) -> bool {
        self.shared.needs_h264.load(Ordering::Relaxed)
    }

    /// Sends the frames of this rendition, from its next keyframe on.
    pub fn set_rendition(&self, rendition_id: RenditionId) {
        let rendition_id = if self.needs_h264() { RenditionId::Second } else { rendition_id };
        self.shared
            .rendition_id
            .send_if_modified(|now| std::mem::replace(now, rendition_id) != rendition_id);
    }

    /// Returns the number of sizes in which the present server takes the video at once; 0 without a
    /// connection, and 1 if the server gets another codec than that of the stream.
    pub fn taken_layers(&self) -> u8 {
        self.shared.taken_layers.load(Ordering::Relaxed)
    }

    /// Sends the video of these hubs besides that of the stream, the largest size first. They have
    /// no other tracks. A server gets only the layers that it takes.
    pub fn set_layers(&self, hubs: &[&Hub]) {
        let feeds: Vec<_> = hubs.iter().map(|hub| hub.feed()).collect();
        self.shared.layers.send_if_modified(|now| {
            let is_same = now.len() == feeds.len()
                && now.iter().zip(&feeds).all(|(one, other)| one.is_same(other));
            if !is_same {
                *now = feeds;
            }
            !is_same
        });
    }

    /// Handles a change of the computer's network: reconnects immediately if the local address is
    /// gone, and otherwise checks that the connection still works.
    pub fn network_changed(&self) {
        self.shared.network.send_modify(|count| *count += 1);
    }

    /// Requests a clean end within `limit`: the publisher sends the backlog and unpublishes the
    /// stream. The call does not wait. Another request can only shorten the time.
    pub fn ask_to_stop(&self, limit: Duration) {
        let until = self.shared.clock.now() + limit;
        self.shared.stop.send_if_modified(|stop| {
            let is_sooner = stop.is_none_or(|known| until < known);
            if is_sooner {
                *stop = Some(until);
            }
            is_sooner
        });
    }

    /// Ends cleanly, and waits for at most `limit` (3 s is sufficient). After that, the publisher
    /// ends anyway. Do not call this function on the runtime's threads. Returns the final report.
    pub fn stop(&self, limit: Duration) -> Report {
        // A fifth of the limit is reserved for scheduling delays.
        self.ask_to_stop(limit.mul_f64(0.8));
        if !self.done.wait(limit) {
            self.task.abort();
            let mut report = self.shared.report.lock();
            if !report.state.is_over() {
                report.state = State::Stopped;
            }
        }
        self.report()
    }

    /// Waits for at most `limit` until the publisher has failed or the stream has ended. Returns
    /// true if that happened.
    pub fn wait(&self, limit: Duration) -> bool {
        self.done.wait(limit)
    }
}

impl Output for Publisher {
    fn state(&self) -> OutputState {
        match self.state() {
            State::Connecting => OutputState::Starting,
            State::Live => OutputState::Running,
            State::Reconnecting => OutputState::Recovering,
            State::Stopped => OutputState::Ended,
            State::Failed(_) => OutputState::Failed,
        }
    }

    fn estimate(&self) -> Option<LinkEstimate> {
        let figures = self.shared.figures.lock();
        let round_trip = figures.shortest_round_trip.unwrap_or_default();
        let misleading = figures.interrupted || figures.late;
        let (carried, silent) = (figures.carried, figures.silent);
        Some(LinkEstimate { carried, silent, round_trip, misleading })
    }

    fn backlog(&self) -> Duration {
        self.shared.figures.lock().queued
    }

    fn ask_to_stop(&self, limit: Duration) {
        self.ask_to_stop(limit);
    }

    fn stop(&mut self, limit: Duration) {
        Self::stop(self, limit);
    }
}

/// The state of a target for a stream that has not begun.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum TargetReadiness {
    /// The first attempt is in progress.
    Coming,
    /// The target is connected.
    There,
    /// The first attempt has failed, or the target has ended.
    Missing,
}

impl Drop for Publisher {
    fn drop(&mut self) {
        if self.shared.stop.borrow().is_none() {
            self.ask_to_stop(Duration::from_secs(2));
        }
    }
}

/// Sets the [`Stop`] when dropped, so that the task also counts as ended if it is aborted or
/// panics. A panic is a failure of the publisher.
struct EndOnDrop {
    done: Stop,
    shared: Arc<Shared>,
}

impl Drop for EndOnDrop {
    fn drop(&mut self) {
        if std::thread::panicking() {
            retry::crashed(&self.shared);
        }
        self.done.set();
    }
}
