//! Seeking in a broadcast within the server's playlist (HLS): the range of the playlist, and
//! whether the viewer has gone back. The packets stay on the server; seeking works as in a
//! recording.
//!
//! This module is pure: time is an argument. The feed thread fills the window, and the presenter
//! reads it.

use std::time::Duration;

use parking_lot::Mutex;

use crate::base::Timestamp;
use crate::player::buffer::pace::LiveDistance;
use crate::player::state::TimeShiftState;

/// A position closer to the live edge than this counts as live.
const LIVE_EDGE_TOLERANCE: Duration = Duration::from_millis(500);

/// The destination of a seek.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum SeekTarget {
    /// A position behind the live edge.
    Back(Duration),
    /// The live edge, at this `distance` from the end of the playlist.
    Live { place: Duration, distance: LiveDistance },
}

/// The range of a playlist, as positions from the first known segment.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) struct WindowRange {
    pub from: Duration,
    pub until: Duration,
    /// True until the broadcast has ended.
    pub grows: bool,
    /// True if the first segments leave the playlist when others are added.
    pub slides: bool,
}

/// The DVR window of a playlist.
#[derive(Debug, Default)]
pub(crate) struct DvrWindow {
    list: Mutex<Option<List>>,
}

#[derive(Copy, Clone, Debug)]
struct List {
    seen: Timestamp,
    range: WindowRange,
    distance: LiveDistance,
    behind: bool,
}

impl List {
    /// Returns the position of a viewer who has not gone back.
    fn live(&self, now: Timestamp) -> Duration {
        let elapsed = now.since(self.seen);
        // In a playlist that is read, the live position advances by at most its distance from the
        // end.
        let limit = self.distance.hold_back;
        let grown = if self.grows_unread() { elapsed } else { elapsed.min(limit) };
        (self.range.until + grown).saturating_sub(self.distance.hold_back).max(self.oldest(now))
    }

    /// Returns true if the playlist can grow unread: the feed of a viewer who is behind reads no
    /// playlist while it waits for room.
    fn grows_unread(&self) -> bool {
        self.behind && self.range.grows
    }

    /// Returns the oldest position in the playlist. If the playlist slides, it advances as the live
    /// position does.
    fn oldest(&self, now: Timestamp) -> Duration {
        let advances = self.grows_unread() && self.range.slides;
        self.range.from + if advances { now.since(self.seen) } else { Duration::ZERO }
    }
}

impl DvrWindow {
    /// Records that the playlist covered this range at `seen`.
    pub(crate) fn see(&self, seen: Timestamp, range: WindowRange, distance: LiveDistance) {
        let mut list = self.list.lock();
        let behind = list.is_some_and(|list| list.behind);
        *list = Some(List { seen, range, distance, behind });
    }

    /// Resets the window for another playlist, which has other positions. The viewer is live again.
    pub(crate) fn forget(&self) {
        *self.list.lock() = None;
    }

    /// Returns true if the viewer has gone back.
    pub(crate) fn is_behind(&self) -> bool {
        self.list.lock().is_some_and(|list| list.behind)
    }

    /// Goes this far behind the live edge, and returns the target. Returns `None` if there is no
    /// playlist.
    pub(crate) fn seek_behind_live(&self, behind: Duration, now: Timestamp) -> Option<SeekTarget> {
        let mut list = self.list.lock();
        let list = list.as_mut()?;
        let (live, distance, range) = (list.live(now), list.distance, list.range);
        list.behind = behind >= LIVE_EDGE_TOLERANCE;
        Some(if list.behind {
            // The loader reads the playlist again, and goes to its oldest segment at most.
            SeekTarget::Back(live.saturating_sub(behind).max(range.from))
        } else {
            // The playlist is not read during a long pause, and rarely far from its end.
            let end = range.until + now.since(list.seen);
            SeekTarget::Live {
                place: end.saturating_sub(distance.hold_back).max(range.from),
                distance,
            }
        })
    }

    /// Records that the viewer pauses while the broadcast continues. Returns false if there is no
    /// playlist, or if the viewer was already behind.
    pub(crate) fn hold(&self) -> bool {
        let mut list = self.list.lock();
        list.as_mut().is_some_and(|list| !std::mem::replace(&mut list.behind, true))
    }

    /// Returns how far a viewer at `place` can go back, and how far behind the viewer is.
    pub(crate) fn state_at(&self, place: Duration, now: Timestamp) -> Option<TimeShiftState> {
        let list = (*self.list.lock())?;
        let live = list.live(now);
        let behind = if list.behind { live.saturating_sub(place) } else { Duration::ZERO };
        let range = live.saturating_sub(list.oldest(now)).max(behind);
        Some(TimeShiftState { range, behind, bytes: 0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// Returns the range of a running broadcast whose playlist slides.
    const fn range(from: u64, until: u64) -> WindowRange {
        let (from, until) = (seconds(from), seconds(until));
        WindowRange { from, until, grows: true, slides: true }
    }

    #[test]
    fn positions_count_from_the_live_edge_which_moves() {
        let (window, at) = (DvrWindow::default(), Timestamp::from_millis);
        assert_eq!((window.seek_behind_live(seconds(5), at(0)), window.hold()), (None, false));
        let distance = LiveDistance { hold_back: seconds(6), least: seconds(6), at_once: false };
        window.see(at(10_000), range(40, 100), distance);
        let now = at(12_000);
        let time_shift = window.state_at(seconds(96), now).unwrap();
        assert_eq!((time_shift.range, time_shift.behind), (seconds(56), Duration::ZERO));
        assert!(!window.is_behind());
        assert_eq!(window.seek_behind_live(seconds(20), now), Some(SeekTarget::Back(seconds(76))));
        assert!(window.is_behind());
        assert_eq!(window.state_at(seconds(76), now).unwrap().behind, seconds(20));
        // The list grows, and the viewer stays behind.
        window.see(at(14_000), range(44, 104), distance);
        assert_eq!(window.state_at(seconds(78), at(14_000)).unwrap().behind, seconds(20));
        assert_eq!(
            window.seek_behind_live(seconds(500), at(14_000)),
            Some(SeekTarget::Back(seconds(44)))
        );
        let live = SeekTarget::Live { place: seconds(98), distance };
        assert_eq!(window.seek_behind_live(Duration::ZERO, at(14_000)), Some(live));
        assert_eq!(window.state_at(seconds(98), at(15_000)).unwrap().behind, Duration::ZERO);
        // A pause.
        assert!(window.hold() && !window.hold());
        assert_eq!(window.state_at(seconds(98), at(17_000)).unwrap().behind, seconds(3));
        // In a pause, the list is not updated.
        assert_eq!(window.state_at(seconds(98), at(900_000)).unwrap().behind, seconds(886));
    }

    #[test]
    fn a_list_that_is_not_read_in_a_pause_moves_on() {
        let (window, at) = (DvrWindow::default(), Timestamp::from_millis);
        let distance = LiveDistance { hold_back: seconds(6), least: seconds(6), at_once: false };
        window.see(at(0), range(0, 120), distance);
        assert!(window.hold());
        for (now, behind, range) in [(0, 0, 114), (90, 90, 114), (3_600, 3_600, 3_600)] {
            let time_shift = window.state_at(seconds(114), at(now * 1_000)).unwrap();
            let expected = (seconds(behind), seconds(range));
            assert_eq!((time_shift.behind, time_shift.range), expected, "{now}");
        }
        // A step back from there. The oldest segment of a newer list is unknown.
        let back =
            |behind, now: i64| window.seek_behind_live(seconds(behind), at(now * 1_000)).unwrap();
        assert_eq!(back(95, 90), SeekTarget::Back(seconds(109)));
        assert_eq!(back(500, 90), SeekTarget::Back(seconds(0)));
        // A list that keeps all segments, and a broadcast that has ended.
        let (keeps_all, ended) = (
            WindowRange { slides: false, ..range(0, 120) },
            WindowRange { grows: false, ..range(0, 120) },
        );
        for (range, behind, whole) in [(keeps_all, 3_600, 3_714), (ended, 6, 120)] {
            window.see(at(0), range, distance);
            let time_shift = window.state_at(seconds(114), at(3_600_000)).unwrap();
            let expected = (seconds(behind), seconds(whole));
            assert_eq!((time_shift.behind, time_shift.range), expected, "{range:?}");
            assert_eq!(back(behind + 10, 3_600), SeekTarget::Back(seconds(104)), "{range:?}");
        }
        // Without a pause, the live edge moves at most to the end of the list.
        window.forget();
        window.see(at(0), range(0, 120), distance);
        assert_eq!(window.state_at(seconds(114), at(900_000)).unwrap().range, seconds(120));
    }

    #[test]
    fn the_live_end_is_where_it_is_now_after_a_long_pause() {
        let (window, at) = (DvrWindow::default(), Timestamp::from_millis);
        let distance = LiveDistance { hold_back: seconds(6), least: seconds(6), at_once: false };
        window.see(at(10_000), range(40, 100), distance);
        assert!(window.hold());
        let live = SeekTarget::Live { place: seconds(694), distance };
        assert_eq!(window.seek_behind_live(Duration::ZERO, at(610_000)), Some(live));
        // A position behind counts from the known end, as its distance does.
        assert_eq!(
            window.seek_behind_live(seconds(20), at(610_000)),
            Some(SeekTarget::Back(seconds(80)))
        );
    }
}
