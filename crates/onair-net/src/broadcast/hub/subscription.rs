//! The subscription of one output: a named queue, bounded by time and bytes, that a thread or a
//! task reads. The hub never waits for the output.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use tokio::sync::Notify;

pub use crate::broadcast::hub::backlog::{Figures, Limits};

use crate::base::Timestamp;
use crate::broadcast::hub::backlog::Backlog;
use crate::broadcast::hub::shared_packet::SharedPacket;
use crate::broadcast::output::Sink;
use crate::media::{RenditionId, Track};

/// How much earlier than requested an output may begin, so that it need not wait for another
/// keyframe because of a frame that was drawn late.
const START_TOLERANCE: Duration = Duration::from_millis(100);

/// The result of a wait.
#[derive(Clone, Debug)]
pub enum NextPacket {
    /// The next packet.
    Tag(Arc<SharedPacket>),
    /// No packet arrived in time.
    Waiting,
    /// The stream has ended, and all packets were returned.
    Ended,
}

/// The reading end of a subscription. Dropping the value ends the subscription.
#[derive(Debug)]
pub struct Subscription {
    pub(in crate::broadcast) line: Arc<SubscriptionQueue>,
}

/// State that the hub and the reader share.
#[derive(Debug)]
pub(in crate::broadcast) struct SubscriptionQueue {
    name: String,
    extras: ExtraMedia,
    state: Mutex<State>,
    thread: Condvar,
    task: Notify,
}

/// What an output gets besides the video and the audio.
#[derive(Copy, Clone, Debug, Default)]
pub(in crate::broadcast) struct ExtraMedia {
    /// The extra audio tracks.
    pub tracks: bool,
    /// The further renditions.
    pub renditions: bool,
}

impl ExtraMedia {
    /// Returns true if the output gets the packets of this track.
    pub const fn has(self, track: Track) -> bool {
        match track {
            Track::Video | Track::Audio => true,
            Track::Extra(_) => self.tracks,
            Track::Rendition(_) => self.renditions,
        }
    }
}

#[derive(Debug)]
struct State {
    backlog: Backlog,
    video: WantedVideo,
    /// The time before which the output does not begin.
    begin_at: Option<Timestamp>,
    ended: bool,
}

/// The frames that an output gets.
#[derive(Copy, Clone, Debug)]
pub(in crate::broadcast) enum WantedVideo {
    /// Frames of all renditions.
    All,
    /// Frames of one rendition.
    Of {
        rendition_id: RenditionId,
        /// The rendition to switch to at its next keyframe.
        wanted: RenditionId,
        /// The DTS of the last frame.
        last: Option<Timestamp>,
    },
}

impl WantedVideo {
    /// Returns true if a frame is wanted. Another rendition begins with a keyframe later than the
    /// last frame.
    fn take(&mut self, tag: &SharedPacket) -> bool {
        let (Self::Of { rendition_id, wanted, last }, Some(its)) = (self, tag.rendition_id())
        else {
            return true;
        };
        if its != *rendition_id {
            let later = last.is_none_or(|last| tag.dts > last);
            if its != *wanted || !tag.starts_gop() || !later {
                return false;
            }
            *rendition_id = its;
        }
        *last = Some(tag.dts);
        true
    }
}

impl SubscriptionQueue {
    pub fn new(
        name: String,
        backlog: Backlog,
        video: WantedVideo,
        extras: ExtraMedia,
        ended: bool,
    ) -> Arc<Self> {
        let state = Mutex::new(State { backlog, video, begin_at: None, ended });
        Arc::new(Self { name, extras, state, thread: Condvar::new(), task: Notify::new() })
    }

    /// Makes the output begin with a keyframe of this time or later. An encoder that looks ahead
    /// still has earlier keyframes when the output subscribes.
    pub fn begin_at(&self, time: Option<Timestamp>) {
        self.state.lock().begin_at = time;
    }

    fn wake(&self) {
        self.thread.notify_one();
        self.task.notify_one();
    }
}

impl Sink for SubscriptionQueue {
    fn offer(&self, tag: &Arc<SharedPacket>) {
        if !self.extras.has(tag.track) {
            return;
        }
        {
            let mut state = self.state.lock();
            if tag.track == Track::Video && !state.video.take(tag) {
                return;
            }
            if state.is_too_early(tag) {
                return;
            }
            state.backlog.push(tag);
        }
        self.wake();
    }

    fn end(&self) {
        self.state.lock().ended = true;
        self.wake();
    }
}

impl State {
    /// Returns true if this packet is before the beginning of the output.
    fn is_too_early(&mut self, tag: &SharedPacket) -> bool {
        let Some(begin_at) = self.begin_at else { return false };
        if tag.starts_gop() && tag.pts + START_TOLERANCE >= begin_at {
            self.begin_at = None;
        }
        self.begin_at.is_some()
    }

    fn next(&mut self) -> NextPacket {
        match self.backlog.pop() {
            Some(tag) => NextPacket::Tag(tag),
            None if self.ended => NextPacket::Ended,
            None => NextPacket::Waiting,
        }
    }
}

impl Subscription {
    /// Returns the name given when subscribing.
    pub fn name(&self) -> &str {
        &self.line.name
    }

    /// Returns the next packet, if one is waiting.
    pub fn try_next(&self) -> NextPacket {
        self.line.state.lock().next()
    }

    /// Waits for the next packet. Returns `None` at the end of the stream. This function is
    /// cancel-safe.
    pub async fn next(&self) -> Option<Arc<SharedPacket>> {
        loop {
            match self.try_next() {
                NextPacket::Tag(tag) => return Some(tag),
                NextPacket::Ended => return None,
                NextPacket::Waiting => self.line.task.notified().await,
            }
        }
    }

    /// Waits for the next audio packet up to `until`, regardless of the packets before it. At the
    /// end of the stream, waits forever. This function is cancel-safe.
    pub async fn next_audio(&self, until: Timestamp) -> Arc<SharedPacket> {
        loop {
            if let Some(tag) = self.line.state.lock().backlog.pop_audio(until) {
                return tag;
            }
            self.line.task.notified().await;
        }
    }

    /// Waits until a packet is available, without taking it. Returns false at the end of the
    /// stream. This function is cancel-safe.
    pub async fn ready(&self) -> bool {
        loop {
            {
                let state = self.line.state.lock();
                if state.backlog.peek().is_some() {
                    return true;
                }
                if state.ended {
                    return false;
                }
            }
            self.line.task.notified().await;
        }
    }

    /// Waits on a thread for the next packet, for at most `limit`.
    pub fn next_timeout(&self, limit: Duration) -> NextPacket {
        let until = Instant::now() + limit;
        let mut state = self.line.state.lock();
        loop {
            match state.next() {
                NextPacket::Waiting => {}
                other => return other,
            }
            if self.line.thread.wait_until(&mut state, until).timed_out() {
                return state.next();
            }
        }
    }

    /// Returns the next packet without taking it.
    pub fn peek(&self) -> Option<Arc<SharedPacket>> {
        self.line.state.lock().backlog.peek().cloned()
    }

    /// Restarts for a new connection with the backlog, at a keyframe if there is video.
    pub fn begin_anew(&self, has_video: bool) {
        self.line.state.lock().backlog.begin_anew(has_video);
    }

    /// Requests frames of this rendition. The current rendition continues until the next keyframe
    /// of the requested rendition.
    pub fn want(&self, rendition_id: RenditionId) {
        if let WantedVideo::Of { wanted, .. } = &mut self.line.state.lock().video {
            *wanted = rendition_id;
        }
    }

    /// Returns the rendition of the newest frame.
    pub fn rendition_id(&self) -> RenditionId {
        match self.line.state.lock().video {
            WantedVideo::All => RenditionId::Main,
            WantedVideo::Of { rendition_id, .. } => rendition_id,
        }
    }

    /// Returns the duration of the backlog, by DTS.
    pub fn queued(&self) -> Duration {
        self.line.state.lock().backlog.queued()
    }

    /// Returns the DTS of the oldest and of the newest waiting packet.
    pub fn span(&self) -> Option<(Timestamp, Timestamp)> {
        self.line.state.lock().backlog.span()
    }

    /// Returns the number of waiting packets.
    pub fn len(&self) -> usize {
        self.line.state.lock().backlog.len()
    }

    /// Returns the number of waiting frames.
    pub fn frames(&self) -> u64 {
        self.line.state.lock().backlog.frames() as u64
    }

    /// Returns true if no packet is waiting.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the counters of the subscription.
    pub fn figures(&self) -> Figures {
        self.line.state.lock().backlog.figures()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broadcast::hub::gop::tests::of_rendition;

    #[test]
    fn an_output_that_begins_later_skips_keyframes_that_an_encoder_still_had() {
        let backlog = Backlog::new(Limits::FILE, true, &[]);
        let line = SubscriptionQueue::new(
            "test".into(),
            backlog,
            WantedVideo::All,
            ExtraMedia::default(),
            false,
        );
        line.begin_at(Some(Timestamp::from_millis(3_000)));
        for dts in [2_000, 2_040, 4_000, 4_040] {
            line.offer(&Arc::new(SharedPacket::new(of_rendition(RenditionId::Main, dts))));
        }
        let subscription = Subscription { line };
        let taken: Vec<i64> = std::iter::from_fn(|| match subscription.try_next() {
            NextPacket::Tag(tag) => Some(tag.dts.as_millis()),
            _ => None,
        })
        .collect();
        assert_eq!(taken, [4_000, 4_040]);
    }

    #[test]
    fn another_rendition_begins_with_a_keyframe_later_than_the_last_frame() {
        let mut video = WantedVideo::Of {
            rendition_id: RenditionId::Main,
            wanted: RenditionId::Main,
            last: None,
        };
        let (main, second) = (RenditionId::Main, RenditionId::Second);
        let mut take =
            |rendition_id, dts| video.take(&SharedPacket::new(of_rendition(rendition_id, dts)));
        assert!(take(main, 0) && !take(second, 0));
        assert!(take(main, 40));
        if let WantedVideo::Of { wanted, .. } = &mut video {
            *wanted = second;
        }
        let mut take =
            |rendition_id, dts| video.take(&SharedPacket::new(of_rendition(rendition_id, dts)));
        assert!(!take(second, 40), "no keyframe");
        assert!(take(main, 2_000) && !take(second, 2_000), "of the same instant");
        assert!(take(main, 2_040));
        assert!(take(second, 4_000) && !take(main, 4_000) && !take(main, 4_040));
        assert!(take(second, 4_040));
        assert!(WantedVideo::All.take(&SharedPacket::new(of_rendition(second, 40))));
    }
}
