//! Detects when a connection is so slow that frames are dropped, and when the drops end.

use std::time::Duration;

use crate::base::Timestamp;
use crate::broadcast::publisher::{Figures, State};
use crate::studio::notices::message::StudioMessage;

/// The drops have ended after this long without dropped frames.
const DROPS_END_DELAY: Duration = Duration::from_secs(10);
/// Frames dropped within this time after a reconnect belong to the connection loss, which has its
/// own messages.
const RECONNECT_GRACE: Duration = Duration::from_secs(2);
/// The lowest video bitrate that a message advises, in kbit/s.
const MIN_ADVISED_KBPS: u32 = 300;

/// Dropped and sent frames so far.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
struct Counts {
    dropped: u64,
    dropped_audio: u64,
    total: u64,
}

#[derive(Debug)]
struct DropEpisode {
    began: Timestamp,
    last: Timestamp,
    /// The counters when the drops began.
    before: Counts,
    /// The counters at the last drop.
    after: Counts,
    /// True if this computer was too busy when the drops began.
    late: bool,
}

/// Follows the counters of one target.
#[derive(Debug, Default)]
pub struct DroppedFrames {
    /// True for passthrough, during which a lost connection also drops frames.
    whole_file: bool,
    counts: Counts,
    live_since: Option<Timestamp>,
    episode: Option<DropEpisode>,
}

/// A change of the drop state.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum DropNews {
    Begun {
        /// True if this computer is too busy to send in time; false if the link is too slow.
        late: bool,
    },
    Over {
        dropped: u64,
        total: u64,
        lasted: Duration,
    },
}

impl DroppedFrames {
    /// Creates the state for a target of a passthrough.
    pub fn of_file() -> Self {
        Self { whole_file: true, ..Self::default() }
    }

    /// Checks the counters again.
    pub fn update(&mut self, now: Timestamp, state: State, figures: &Figures) -> Option<DropNews> {
        let counts = Counts {
            dropped: figures.dropped_frames,
            dropped_audio: figures.dropped_audio,
            total: figures.total_frames,
        };
        let before = std::mem::replace(&mut self.counts, counts);
        let more = counts.dropped > before.dropped || counts.dropped_audio > before.dropped_audio;
        let live = state == State::Live;
        let since = self.live_since.filter(|_| live).unwrap_or(now);
        self.live_since = live.then_some(since);
        let counted = self.whole_file || (live && now.since(since) >= RECONNECT_GRACE);
        match &mut self.episode {
            None if more && counted => {
                let late = figures.late && !self.whole_file;
                self.episode =
                    Some(DropEpisode { began: now, last: now, before, after: counts, late });
                Some(DropNews::Begun { late })
            }
            Some(episode) if more && counted && episode.late && !figures.late => {
                // The computer keeps up again, and the link is too slow.
                (episode.last, episode.after, episode.late) = (now, counts, false);
                Some(DropNews::Begun { late: false })
            }
            Some(episode) if more && counted => {
                (episode.last, episode.after) = (now, counts);
                None
            }
            Some(episode) if now.since(episode.last) >= DROPS_END_DELAY || state.is_over() => {
                let over = self.over();
                self.episode = None;
                over
            }
            _ => None,
        }
    }

    /// Returns the total of dropped frames, if frames are still being dropped.
    pub fn over(&self) -> Option<DropNews> {
        let DropEpisode { began, last, before, after, .. } = self.episode.as_ref()?;
        let lasted = last.since(*began).max(Duration::from_secs(1));
        let (dropped, total) = (after.dropped - before.dropped, after.total - before.total);
        Some(DropNews::Over { dropped, total, lasted })
    }

    /// Returns the message about the dropped frames of the target with this name.
    pub fn message(&self, news: DropNews, id: u32, host: &str, bitrate: u64) -> StudioMessage {
        let host = host.to_owned();
        match news {
            DropNews::Begun { .. } if self.whole_file => {
                StudioMessage::PassthroughLeftOut { id, host }
            }
            DropNews::Begun { late: true } => StudioMessage::FramesLate { id, host },
            DropNews::Begun { late: false } => {
                StudioMessage::FramesDropped { id, host, kbps: fitting(bitrate) }
            }
            DropNews::Over { dropped, total, lasted } => StudioMessage::FramesDroppedOver {
                id,
                host,
                dropped: dropped.to_string(),
                total: total.to_string(),
                seconds: format!("{:.0}", lasted.as_secs_f64()),
            },
        }
    }
}

/// Returns a video bitrate in kbit/s with a margin below the link's bandwidth, or `None` if the
/// bandwidth is too low.
fn fitting(bitrate: u64) -> Option<u32> {
    let kbps = bitrate * 8 / 10 / 1_000 / 100 * 100;
    u32::try_from(kbps).ok().filter(|kbps| *kbps >= MIN_ADVISED_KBPS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::error::Class;

    /// A simulated target that is checked every 100 ms: its counters, and the time since the start.
    struct Line {
        drops: DroppedFrames,
        figures: Figures,
        millis: i64,
    }

    impl Line {
        fn new(drops: DroppedFrames) -> Self {
            Self { drops, figures: Figures::default(), millis: 0 }
        }

        fn run(&mut self, seconds: i64, state: State, sent: u64, dropped: u64) -> Vec<DropNews> {
            let mut news = Vec::new();
            for _ in 0..seconds * 10 {
                self.millis += 100;
                self.figures.total_frames += sent + dropped;
                self.figures.dropped_frames += dropped;
                let now = Timestamp::from_millis(self.millis);
                news.extend(self.drops.update(now, state, &self.figures));
            }
            news
        }
    }

    #[test]
    fn a_slow_connection_is_reported_when_it_begins_and_when_it_ends() {
        let mut line = Line::new(DroppedFrames::default());
        assert_eq!(line.run(5, State::Live, 3, 0), []);
        assert_eq!(line.run(5, State::Live, 2, 1), [DropNews::Begun { late: false }]);
        // A moment without drops does not end the state.
        assert_eq!(line.run(8, State::Live, 3, 0), []);
        assert_eq!(line.run(2, State::Live, 0, 3), []);
        let over = line.run(30, State::Live, 3, 0);
        let [DropNews::Over { dropped, total, lasted }] = over[..] else { panic!("{over:?}") };
        assert_eq!((dropped, lasted.as_millis()), (50 + 60, 14_900));
        assert_eq!(total, 50 * 3 + 80 * 3 + 20 * 3);
        assert_eq!(line.drops.over(), None);
    }

    #[test]
    fn what_a_lost_connection_costs_is_the_losss() {
        let mut line = Line::new(DroppedFrames::default());
        assert_eq!(line.run(5, State::Live, 3, 0), []);
        assert_eq!(line.run(20, State::Reconnecting, 0, 3), []);
        assert_eq!(line.run(1, State::Live, 0, 3), []);
        assert_eq!(line.run(20, State::Live, 3, 0), []);
        // No frames of a file should be lost.
        let mut file = Line::new(DroppedFrames::of_file());
        assert_eq!(file.run(5, State::Reconnecting, 0, 3), [DropNews::Begun { late: false }]);
    }

    #[test]
    fn a_busy_computer_is_not_a_slow_line() {
        let mut line = Line::new(DroppedFrames::default());
        assert_eq!(line.run(5, State::Live, 3, 0), []);
        line.figures.late = true;
        assert_eq!(line.run(5, State::Live, 2, 1), [DropNews::Begun { late: true }]);
        let begun = DropNews::Begun { late: true };
        let message = line.drops.message(begun, 1, "h:1", 2_000_000);
        assert_eq!(message, StudioMessage::FramesLate { id: 1, host: "h:1".into() });
        line.figures.late = false;
        assert_eq!(line.run(5, State::Live, 2, 1), [DropNews::Begun { late: false }]);
    }

    #[test]
    fn the_end_of_a_target_also_ends_its_report_of_dropped_frames() {
        let mut line = Line::new(DroppedFrames::default());
        assert_eq!(line.run(5, State::Live, 2, 1), [DropNews::Begun { late: false }]);
        assert!(matches!(line.drops.over(), Some(DropNews::Over { .. })));
        let news = line.run(1, State::Failed(Class::Lost), 0, 0);
        assert!(matches!(news[..], [DropNews::Over { .. }]), "{news:?}");
        assert_eq!(line.drops.over(), None);
    }
}
