//! The search for the frame of a seek: the newest one up to the position. This module is pure.

use std::time::Duration;

use crate::base::Timestamp;
use crate::media::VideoFrame;

/// Time limit of the search while frames may still arrive.
const SEARCH_TIMEOUT: Duration = Duration::from_secs(2);
/// Time limit of the search once the decoder has all data up to the position.
const COMPLETE_DATA_TIMEOUT: Duration = Duration::from_millis(200);
/// If the first frame is further ahead than this, it waits for its time.
const MAX_FIRST_FRAME_LEAD: Duration = Duration::from_secs(5);

/// See the module documentation.
#[derive(Debug)]
pub(super) struct SeekSearch {
    at: Timestamp,
    /// The newest frame up to the position.
    found: Option<VideoFrame>,
    /// True if an earlier frame was already shown.
    shown: bool,
    /// Time of the last decoded frame.
    alive: Timestamp,
}

/// The classification of a frame.
#[derive(Debug)]
pub(super) enum SearchStep {
    /// A frame up to the position; the previous one is `skipped`.
    Before { skipped: bool },
    /// The first frame past the position was decoded. `show` is the frame to show now, and `next`
    /// is kept for later.
    Beyond { show: Option<VideoFrame>, next: Option<VideoFrame> },
}

/// The state of the player in a round without new frames.
#[derive(Copy, Clone, Debug)]
pub(super) struct NoFrames {
    /// True if playback is paused.
    pub paused: bool,
    /// True if no more frames arrive.
    pub ended: bool,
    /// True if data past the position was read, and all of it has gone to the decoder.
    pub read: bool,
}

/// The next action of the search.
#[derive(Debug)]
pub(super) enum SearchAction {
    Waits,
    /// Shows the best frame so far, and continues the search.
    Meanwhile(VideoFrame),
    Over(Option<VideoFrame>),
}

impl SeekSearch {
    /// Creates a search for the frame at media time `at`.
    pub fn new(at: Timestamp, now: Timestamp) -> Self {
        Self { at, found: None, shown: false, alive: now }
    }

    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// Handles a decoded frame.
    pub fn take(&mut self, frame: VideoFrame, now: Timestamp) -> SearchStep {
        self.alive = now;
        if frame.pts <= self.at {
            return SearchStep::Before { skipped: self.found.replace(frame).is_some() };
        }
        let near = frame.pts.since(self.at) < MAX_FIRST_FRAME_LEAD;
        match self.found.take() {
            // The position is before the first frame, or in a file without frames, and this frame is from
            // the next file.
            None if !self.shown && near => SearchStep::Beyond { show: Some(frame), next: None },
            found => SearchStep::Beyond { show: found, next: Some(frame) },
        }
    }

    /// Handles a round without a frame. During playback, the search ends if no frame arrives in
    /// time. During a pause, it then shows the best frame so far and continues, because nothing
    /// else would show the position.
    pub fn lull(&mut self, now: Timestamp, lull: NoFrames) -> SearchAction {
        let patience = if lull.read { COMPLETE_DATA_TIMEOUT } else { SEARCH_TIMEOUT };
        if lull.ended || !lull.paused && now.since(self.alive) > patience {
            return SearchAction::Over(self.found.take());
        }
        if now.since(self.alive) > patience
            && let Some(found) = self.found.take()
        {
            self.shown = true;
            return SearchAction::Meanwhile(found);
        }
        SearchAction::Waits
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::base::{Clock, Pooled, queue};
    use crate::media::{Color, Planes, Size, Track};
    use crate::player::decode::video::Decoded;
    use crate::player::present::speaker::Speakers;
    use crate::player::present::{Presenter, Run};
    use crate::player::session::config::{Config, Source};
    use crate::player::session::shared::Shared;

    /// The position of the seek in milliseconds.
    const SEEK_POSITION_MS: i64 = 5_000;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millis(ms)
    }

    fn frame(ms: i64) -> VideoFrame {
        let planes = Arc::new(Pooled::unpooled(Planes::black(Size::new(2, 2))));
        VideoFrame { pts: at(ms), color: Color::PROGRAM, surface: planes.into() }
    }

    /// A presenter whose decoder is the test. It does not read any clock.
    struct Bench {
        run: Run,
        frames: queue::Sender<Decoded>,
    }

    impl Bench {
        /// Creates a seek in a file that was read to one second after the position. No packets are
        /// queued.
        fn new(paused: bool) -> Self {
            let source = Source::File("film.mp4".into());
            let (shared, _events) = Shared::new(&Config::new(source), Clock::start());
            let (frames, receiver) = queue::bounded("test frames", 8, queue::Full::Block);
            let shared = Arc::new(shared);
            shared.timeline.set_position(at(SEEK_POSITION_MS));
            shared.requests.set_paused(paused);
            shared.move_exactly();
            let mut run = Run::new(Presenter {
                shared: Arc::clone(&shared),
                frames: receiver,
                screen: crate::base::Latest::default(),
                speakers: Speakers::new(None, Clock::start()),
                measure: None,
                dump: None,
            });
            run.follow_feed(at(0));
            shared.reception.lock().arrived(Track::Audio, at(SEEK_POSITION_MS + 1_000), at(0));
            Self { run, frames }
        }

        fn decode(&self, ms: i64) {
            let generation = self.run.generation;
            self.frames.send(Decoded { generation, frame: frame(ms) }).unwrap();
        }

        /// Runs the presenter at `now`. Returns whether the search continues, and the number of
        /// shown frames.
        fn round(&mut self, now: i64) -> (bool, u64) {
            if self.run.sought.is_some() {
                self.run.seek_on(at(now));
            }
            (self.run.sought.is_some(), self.run.counts.shown)
        }

        fn next(&self) -> Option<i64> {
            self.run.next.as_ref().map(|next| next.pts.as_millis())
        }
    }

    #[test]
    fn in_a_pause_a_decoder_that_gets_no_processor_is_waited_for() {
        let mut bench = Bench::new(true);
        for now in [0, 190, 210, 2_100, 60_000] {
            assert_eq!(bench.round(now), (true, 0), "{now}");
        }
        bench.decode(SEEK_POSITION_MS - 40);
        bench.decode(SEEK_POSITION_MS);
        bench.decode(SEEK_POSITION_MS + 40);
        assert_eq!((bench.round(60_100), bench.next()), ((false, 1), Some(SEEK_POSITION_MS + 40)));
        assert_eq!(bench.run.counts.skipped, 1);
    }

    #[test]
    fn what_is_found_first_is_seen_until_a_better_one_is() {
        let mut bench = Bench::new(true);
        bench.decode(SEEK_POSITION_MS - 80);
        assert_eq!((bench.round(100), bench.round(290)), ((true, 0), (true, 0)));
        assert_eq!((bench.round(310), bench.round(9_000)), ((true, 1), (true, 1)));
        // A better frame arrives much later.
        bench.decode(SEEK_POSITION_MS - 40);
        assert_eq!((bench.round(9_100), bench.round(9_400)), ((true, 1), (true, 2)));
        // That was the last frame before the position, so the following frame does not replace it.
        bench.decode(SEEK_POSITION_MS + 1);
        assert_eq!((bench.round(9_500), bench.next()), ((false, 2), Some(SEEK_POSITION_MS + 1)));
    }

    #[test]
    fn a_first_frame_that_is_far_ahead_waits_for_its_time() {
        for (ahead, shown) in [(40, 1), (4_990, 1), (5_010, 0), (40_000, 0)] {
            let mut bench = Bench::new(true);
            bench.decode(SEEK_POSITION_MS + ahead);
            assert_eq!(bench.round(100), (false, shown), "{ahead}");
            assert_eq!(bench.next(), (shown == 0).then_some(SEEK_POSITION_MS + ahead), "{ahead}");
        }
    }

    #[test]
    fn the_search_ends_with_the_frames_and_with_the_pause() {
        let mut bench = Bench::new(true);
        assert_eq!(bench.round(3_000), (true, 0));
        bench.run.presenter.shared.requests.set_paused(false);
        assert_eq!(bench.round(3_010), (false, 0));
        for (found, shown) in [(None, 0), (Some(SEEK_POSITION_MS - 40), 1)] {
            let mut bench = Bench::new(true);
            found.into_iter().for_each(|ms| bench.decode(ms));
            drop(std::mem::replace(&mut bench.frames, queue::bounded("", 1, queue::Full::Block).0));
            assert_eq!(bench.round(10), (false, shown));
        }
        // During playback, other frames follow.
        let mut bench = Bench::new(false);
        assert_eq!((bench.round(190), bench.round(210)), ((true, 0), (false, 0)));
        // For a position before the first frame, the first frame is shown.
        let mut bench = Bench::new(true);
        bench.decode(SEEK_POSITION_MS + 700);
        assert_eq!((bench.round(10), bench.next()), ((false, 1), None));
    }
}
