//! The compositor's side of a display capture: the newest frame, the state of the thread, and the
//! alarm for a display that stays black.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use crate::base::{Latest, Timestamp, Worker};
use crate::capture::screen::black_check::BlackState;
use crate::media::source_status::{SourceAlarm, SourceState, SourceStatus};
use crate::media::{VideoFeed, VideoFrame};
use crate::text::problem::problem;

/// A display that has not answered for this long counts as stalled.
pub(super) const STALLED_AFTER: Duration = Duration::from_secs(2);

/// How long the display must be black before the alarm: longer than an application takes to start,
/// or than a fade in a film.
pub(super) const BLACK_ALARM_AFTER: Duration = Duration::from_secs(10);

/// Time without frame requests after which the black time starts again.
const MAX_REQUEST_GAP: Duration = Duration::from_secs(3);

/// See the module documentation.
pub(super) struct ScreenFeed {
    latest: Latest<VideoFrame>,
    /// The last time at which the thread was not waiting for the display, in microseconds.
    alive: Arc<AtomicI64>,
    status: Arc<SourceStatus>,
    darkness: BlackState,
    /// The alarm for black.
    black: SourceAlarm,
    /// The time since which the program has shown the source, and the last time at which the source
    /// was shown.
    shown: Option<(Timestamp, Timestamp)>,
    /// The thread, which ends when the feed is dropped, and is abandoned if the display does not
    /// answer.
    _worker: Worker,
}

impl ScreenFeed {
    pub(super) fn new(
        latest: Latest<VideoFrame>,
        alive: Arc<AtomicI64>,
        status: Arc<SourceStatus>,
        (darkness, black): (BlackState, SourceAlarm),
        worker: Worker,
    ) -> Self {
        Self { latest, alive, status, darkness, black, shown: None, _worker: worker }
    }

    /// Raises or withdraws the alarm.
    fn watch(&mut self, at: Timestamp) {
        let since = match self.shown {
            Some((since, last)) if at.since(last) < MAX_REQUEST_GAP => since,
            _ => at,
        };
        self.shown = Some((since, at));
        let dark = self
            .darkness
            .since()
            .is_some_and(|dark| at.since(dark.max(since)) >= BLACK_ALARM_AFTER);
        let (state, alarm) = self.status.state_and_alarm();
        let wanted = (dark && state == SourceState::Open).then_some(self.black);
        if alarm != wanted {
            self.status.update(|report| {
                // The source may have failed meanwhile.
                report.alarm = wanted.filter(|_| report.state == SourceState::Open);
            });
        }
    }
}

impl VideoFeed for ScreenFeed {
    fn frame(&mut self, at: Timestamp) -> Option<VideoFrame> {
        let alive = Timestamp::from_micros(self.alive.load(Ordering::Relaxed));
        if at.since(alive) > STALLED_AFTER {
            if self.status.state() == SourceState::Open {
                let reason = problem!("display-silent");
                self.status.down(SourceState::Stalled, reason, "no answer for 2 s");
            }
            return None;
        }
        self.watch(at);
        self.latest.get().map(|frame| VideoFrame { pts: at, ..frame })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::screen::black_check::BlackCheck;
    use crate::media::source_status::SourceFormat;
    use crate::media::{Planes, Size};

    #[test]
    fn a_shown_source_that_is_black_for_long_is_reported_and_the_report_ends() {
        let (mut dark, darkness) = BlackCheck::new();
        let status = SourceStatus::new("", "Screen");
        let alive = Arc::new(AtomicI64::new(i64::MAX / 2));
        let worker = Worker::spawn("nobody", |_| {}).unwrap();
        let its = (darkness, SourceAlarm::BlackWindow);
        let mut feed = ScreenFeed::new(Latest::default(), alive, Arc::clone(&status), its, worker);
        let mut show = |from: i64, to: i64| {
            for tick in from * 10..to * 10 {
                feed.frame(Timestamp::from_millis(tick * 100));
            }
            status.report().alarm
        };
        let black = Planes::black(Size::new(32, 16));
        let mut lit = Planes::black(Size::new(32, 16));
        lit.y[40] = 90;
        let alarm = Some(SourceAlarm::BlackWindow);
        status.open(SourceFormat::Unknown);
        dark.check(Timestamp::ZERO, &black, None);
        assert_eq!((show(0, 10), show(10, 11)), (None, alarm));
        dark.check(Timestamp::from_millis(11_000), &lit, None);
        assert_eq!(show(11, 12), None);
        // The display was black while it was hidden: the black time starts when it is shown again.
        dark.check(Timestamp::from_millis(12_000), &black, None);
        assert_eq!((show(40, 50), show(50, 51)), (None, alarm));
        // A failed source has a separate reason.
        status.down(SourceState::Lost, "gone", "gone");
        assert_eq!(show(51, 52), None);
        status.open(SourceFormat::Unknown);
        dark.gone();
        assert_eq!(show(52, 70), None);
    }
}
