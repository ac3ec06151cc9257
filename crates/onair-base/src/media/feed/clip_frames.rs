//! The frames of a clip that a thread decodes ahead. Each frame is shown at its time, counted from
//! the first request. The player of the clip's audio can read the start time.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use crate::base::Timestamp;
use crate::base::queue::{Empty, Receiver};
use crate::media::feed::{ClipFeed, Moment};
use crate::media::frame::VideoFrame;

/// A frame of a clip with its time in the clip, and its duration.
#[derive(Clone, Debug)]
pub struct ClipFrame {
    pub frame: VideoFrame,
    pub shown: Duration,
}

/// The start time of a clip, shared with the player of its audio or video.
#[derive(Clone, Debug)]
pub struct ClipStart(Arc<AtomicI64>);

impl Default for ClipStart {
    fn default() -> Self {
        Self(Arc::new(AtomicI64::new(i64::MIN)))
    }
}

impl ClipStart {
    /// Returns the start time, if the clip has begun.
    pub fn get(&self) -> Option<Timestamp> {
        let micros = self.0.load(Ordering::Acquire);
        (micros != i64::MIN).then(|| Timestamp::from_micros(micros))
    }

    fn set(&self, at: Timestamp) {
        self.0.store(at.as_micros(), Ordering::Release);
    }
}

/// The decoded frames of a clip that plays once. A value of the type `K`, such as the decoding
/// thread, is kept while the clip plays.
pub struct ClipFrames<K> {
    ready: Receiver<ClipFrame>,
    begun: ClipStart,
    now: Option<ClipFrame>,
    next: Option<ClipFrame>,
    closed: bool,
    _keep: K,
}

impl<K> std::fmt::Debug for ClipFrames<K> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClipFrames").field("begun", &self.begun).finish_non_exhaustive()
    }
}

impl<K> ClipFrames<K> {
    pub fn new(ready: Receiver<ClipFrame>, begun: ClipStart, keep: K) -> Self {
        Self { ready, begun, now: None, next: None, closed: false, _keep: keep }
    }
}

impl<K: Send> ClipFeed for ClipFrames<K> {
    fn moment(&mut self, at: Timestamp) -> Moment {
        let begun = self.begun.get().unwrap_or_else(|| {
            self.begun.set(at);
            at
        });
        let place = Timestamp::ZERO + at.since(begun);
        loop {
            if self.next.is_none() {
                match self.ready.try_recv() {
                    Ok(clip_frame) => self.next = Some(clip_frame),
                    Err(Empty::Waiting) => break,
                    Err(Empty::Closed) => {
                        self.closed = true;
                        break;
                    }
                }
            }
            match self.next.take_if(|next| next.frame.pts <= place || self.now.is_none()) {
                Some(due) => self.now = Some(due),
                None => break,
            }
        }
        match &self.now {
            None if self.closed => Moment::Over,
            None => Moment::Waiting,
            Some(clip_frame) if self.closed && place >= clip_frame.frame.pts + clip_frame.shown => {
                Moment::Over
            }
            Some(clip_frame) => Moment::Frame(clip_frame.frame.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Pooled;
    use crate::base::queue::{self, Full};
    use crate::media::frame::{Color, Planes, Size};

    fn clip_frame(ms: i64, luma: u8) -> ClipFrame {
        let mut planes = Planes::black(Size::new(2, 2));
        planes.y.fill(luma);
        let planes = Arc::new(Pooled::unpooled(planes));
        let frame = VideoFrame {
            pts: Timestamp::from_millis(ms),
            color: Color::PROGRAM,
            surface: planes.into(),
        };
        ClipFrame { frame, shown: Duration::from_millis(40) }
    }

    #[test]
    fn frames_come_at_their_time_from_when_it_is_first_asked() {
        let (clip_frames, ready) = queue::bounded("test", 8, Full::Block);
        let begun = ClipStart::default();
        let mut clip = ClipFrames::new(ready, begun.clone(), ());
        let mut at = |ms: i64| match clip.moment(Timestamp::from_millis(5_000 + ms)) {
            Moment::Waiting => "waiting".to_owned(),
            Moment::Over => "over".to_owned(),
            Moment::Frame(frame) => frame.planes().y[0].to_string(),
        };
        assert!(begun.get().is_none());
        assert_eq!(at(0), "waiting");
        assert_eq!(begun.get(), Some(Timestamp::from_millis(5_000)));
        for (ms, luma) in [(0, 1), (40, 2), (80, 3), (120, 4)] {
            clip_frames.send(clip_frame(ms, luma)).unwrap();
        }
        assert_eq!([at(10), at(39), at(40)], ["1", "1", "2"]);
        assert_eq!(at(125), "4", "what is late is left out");
        assert_eq!(at(500), "4", "more may come");
        drop(clip_frames);
        assert_eq!(at(510), "over");
    }

    #[test]
    fn one_without_frames_is_over_at_once() {
        let (clip_frames, ready) = queue::bounded::<ClipFrame>("test", 1, Full::Block);
        drop(clip_frames);
        let mut clip = ClipFrames::new(ready, ClipStart::default(), ());
        assert!(matches!(clip.moment(Timestamp::ZERO), Moment::Over));
    }
}
