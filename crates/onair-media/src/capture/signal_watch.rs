//! Watches the video of a camera or a remote stream. Black or frozen video raises an alarm in the
//! source's status. A source that is static by nature is not watched. A media file is watched only
//! if it has a fallback, or is the only visible source. The watch checks a few thousand pixels
//! twice per second, on the compositor's thread.

use std::sync::Arc;
use std::time::Duration;

use crate::base::Timestamp;
use crate::capture::properties::WatchedFile;
use crate::capture::source::Source;
use crate::media::frame::Range;
use crate::media::source_status::{SourceAlarm, SourceStatus};
use crate::media::{Size, VideoFeed, VideoFrame};

/// Maximum interval between compared checks. Checks that are further apart raise no alarm.
const MAX_CHECK_GAP: Duration = Duration::from_secs(3);

/// Interval between checks of the frame.
const CHECK_INTERVAL: Duration = Duration::from_millis(500);
/// Number of sampled points, horizontally and vertically.
const SAMPLE_GRID: (usize, usize) = (64, 36);
/// Maximum luma of black, in limited and in full range.
const MAX_BLACK_LUMA: (u8, u8) = (24, 10);
/// Durations of black or unchanged frames until the alarm, and the thresholds of the checks.
struct Limits {
    black: (Duration, SourceAlarm),
    frozen: (Duration, SourceAlarm),
}

const CAMERA_LIMITS: Limits = Limits {
    black: (Duration::from_secs(4), SourceAlarm::Black),
    frozen: (Duration::from_secs(10), SourceAlarm::Frozen),
};

/// Limits for remote streams. An encoder can repeat a frame of a nearly static scene, and a guest
/// can show a static page.
const STREAM_LIMITS: Limits = Limits {
    black: (Duration::from_secs(10), SourceAlarm::BlackStream),
    frozen: (Duration::from_secs(30), SourceAlarm::FrozenStream),
};

/// Limits for files, whose black or static content may be intentional.
const FILE_LIMITS: Limits = Limits {
    black: (Duration::from_secs(4), SourceAlarm::BlackFile),
    frozen: (Duration::from_secs(10), SourceAlarm::FrozenFile),
};

/// Adds the watch to a camera.
pub(super) fn over(source: Source) -> Source {
    by(source, &CAMERA_LIMITS, None)
}

/// Adds the watch to a remote stream.
pub fn over_stream(source: Source) -> Source {
    by(source, &STREAM_LIMITS, None)
}

/// Adds the watch to a media file, which is active while `wanted` has a reason.
pub fn over_file(source: Source, wanted: WatchedFile) -> Source {
    by(source, &FILE_LIMITS, Some(wanted))
}

fn by(source: Source, limits: &'static Limits, wanted: Option<WatchedFile>) -> Source {
    let Source { feed, status } = source;
    let watch = VideoWatch { limits, wanted, status: Arc::clone(&status), seen: None };
    Source { feed: Box::new(Watched { feed, watch }), status }
}

struct Watched {
    feed: Box<dyn VideoFeed>,
    watch: VideoWatch,
}

impl VideoFeed for Watched {
    fn set_displayed(&mut self, size: Option<Size>) {
        self.feed.set_displayed(size);
    }

    fn frame(&mut self, at: Timestamp) -> Option<VideoFrame> {
        let frame = self.feed.frame(at);
        self.watch.check_frame(at, frame.as_ref());
        frame
    }
}

struct VideoWatch {
    limits: &'static Limits,
    /// The reasons to watch the source; `None` means that it is always watched.
    wanted: Option<WatchedFile>,
    status: Arc<SourceStatus>,
    seen: Option<SeenFrame>,
}

/// The frame at the last check.
struct SeenFrame {
    looked: Timestamp,
    /// The frame itself, which is kept so that a new frame cannot reuse its planes.
    frame: VideoFrame,
    points: Vec<u8>,
    /// Last time at which the video was not black.
    lit: Timestamp,
    /// Last time at which the video changed.
    moved: Timestamp,
}

impl VideoWatch {
    fn check_frame(&mut self, at: Timestamp, frame: Option<&VideoFrame>) {
        let looks = self.wanted.as_ref().is_none_or(WatchedFile::is_wanted);
        let Some(frame) = frame.filter(|_| looks) else {
            // The source's state already reports the problem, or the watch is inactive.
            if self.seen.take().is_some() {
                self.tell(None);
            }
            return;
        };
        let due = self.seen.as_ref().is_none_or(|seen| at.since(seen.looked) >= CHECK_INTERVAL);
        let new = |seen: &SeenFrame| !seen.frame.is_same(frame);
        if !due || !self.seen.as_ref().is_none_or(new) {
            return;
        }
        let points = points(frame);
        let dark =
            if frame.color.range == Range::Full { MAX_BLACK_LUMA.1 } else { MAX_BLACK_LUMA.0 };
        let black = points.iter().all(|&point| point <= dark);
        // A pause is not frozen video: earlier checks no longer count.
        let before = self.seen.take().filter(|seen| at.since(seen.looked) < MAX_CHECK_GAP);
        let same = before.as_ref().is_some_and(|seen| seen.points == points);
        let since = |then: Option<Timestamp>, still: bool| then.filter(|_| still).unwrap_or(at);
        let lit = since(before.as_ref().map(|seen| seen.lit), black);
        let moved = since(before.as_ref().map(|seen| seen.moved), same);
        let ((black_after, is_black), (frozen_after, is_frozen)) =
            (self.limits.black, self.limits.frozen);
        self.tell(if black && at.since(lit) >= black_after {
            Some(is_black)
        } else if !black && same && at.since(moved) >= frozen_after {
            Some(is_frozen)
        } else {
            None
        });
        self.seen = Some(SeenFrame { looked: at, frame: frame.clone(), points, lit, moved });
    }

    fn tell(&self, alarm: Option<SourceAlarm>) {
        let current = self.status.report().alarm;
        // The camera itself raised this alarm, and withdraws it.
        let theirs = current == Some(SourceAlarm::OtherFormat) && alarm.is_none();
        if current != alarm && !theirs {
            self.status.update(|report| report.alarm = alarm);
        }
    }
}

/// Samples luma on a grid.
fn points(frame: &VideoFrame) -> Vec<u8> {
    let size = frame.size();
    let (width, height) = (size.width as usize, size.height as usize);
    let mut points = Vec::with_capacity(SAMPLE_GRID.0 * SAMPLE_GRID.1);
    for row in 0..SAMPLE_GRID.1 {
        let y = (row * 2 + 1) * height / (SAMPLE_GRID.1 * 2);
        for column in 0..SAMPLE_GRID.0 {
            let x = (column * 2 + 1) * width / (SAMPLE_GRID.0 * 2);
            points.push(frame.planes().y.get(y * width + x).copied().unwrap_or(0));
        }
    }
    points
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Pooled;
    use crate::capture::LiveProperties;
    use crate::capture::source;
    use crate::media::source_status::SourceFormat;
    use crate::media::{Planes, Size};

    fn luma_frame(luma: u8, spot: u8) -> VideoFrame {
        let mut planes = Planes::black(Size::new(64, 36));
        planes.y.fill(luma);
        planes.y[64 * 18 + 32] = spot;
        source::frame(Pooled::unpooled(planes))
    }

    /// Returns the alarm after each second of a camera at 30 fps.
    fn alarms(seconds: u32, of: impl Fn(u32) -> Option<VideoFrame>) -> Vec<Option<SourceAlarm>> {
        alarms_by(&CAMERA_LIMITS, seconds, of)
    }

    fn alarms_by(
        limits: &'static Limits,
        seconds: u32,
        of: impl Fn(u32) -> Option<VideoFrame>,
    ) -> Vec<Option<SourceAlarm>> {
        let status = SourceStatus::new("", "Camera");
        status.open(SourceFormat::Unknown);
        let mut watch =
            VideoWatch { limits, wanted: None, status: Arc::clone(&status), seen: None };
        let mut found = Vec::new();
        for tick in 0..seconds * 30 {
            let at = Timestamp::from_micros(i64::from(tick) * 33_333);
            watch.check_frame(at, of(tick).as_ref());
            if tick % 30 == 29 {
                found.push(status.report().alarm);
            }
        }
        found
    }

    #[test]
    fn black_comes_and_goes() {
        let found = alarms(9, |tick| {
            let luma = if tick < 180 { 16 } else { 90 };
            Some(luma_frame(luma, luma + (tick % 7) as u8))
        });
        assert_eq!(found[..3], [None; 3]);
        assert_eq!(found[5], Some(SourceAlarm::Black));
        assert_eq!(found[7..], [None; 2]);
    }

    #[test]
    fn streams_have_more_time_and_their_own_alarms() {
        let black = alarms_by(&STREAM_LIMITS, 16, |tick| {
            let luma = if tick < 13 * 30 { 16 } else { 90 };
            Some(luma_frame(luma, luma + (tick % 7) as u8))
        });
        assert_eq!((black[8], black[11], black[15]), (None, Some(SourceAlarm::BlackStream), None));
        let frozen = alarms_by(&STREAM_LIMITS, 36, |tick| {
            Some(luma_frame(90, if tick < 34 * 30 { 90 } else { 91 }))
        });
        let alarm = Some(SourceAlarm::FrozenStream);
        assert_eq!((frozen[28], frozen[32], frozen[35]), (None, alarm, None));
    }

    #[test]
    fn a_file_is_looked_at_only_while_that_is_wanted() {
        let status = SourceStatus::new("", "Clip");
        status.open(SourceFormat::Unknown);
        let properties = LiveProperties::default();
        let wanted = properties.watched();
        let its = Arc::clone(&status);
        let mut watch =
            VideoWatch { limits: &FILE_LIMITS, wanted: Some(wanted), status: its, seen: None };
        let mut second = 0;
        let mut after = |seconds: i64| {
            for _ in 0..seconds * 2 {
                watch.check_frame(Timestamp::from_millis(second * 500), Some(&luma_frame(16, 16)));
                second += 1;
            }
            status.report().alarm
        };
        assert_eq!(after(20), None);
        for wants in [LiveProperties::set_fallback, LiveProperties::set_alone] {
            wants(&properties, true);
            assert_eq!((after(3), after(3)), (None, Some(SourceAlarm::BlackFile)));
            wants(&properties, false);
            assert_eq!(after(1), None, "taken back");
        }
    }

    #[test]
    fn a_frozen_video_is_reported_and_noise_is_not() {
        let frozen = alarms(14, |_| Some(luma_frame(90, 90)));
        assert_eq!((frozen[8], frozen[12]), (None, Some(SourceAlarm::Frozen)));
        let noise = alarms(14, |tick| Some(luma_frame(90, 90 + (tick / 15 % 2) as u8)));
        assert_eq!(noise, [None; 14]);
        // If a frame object is only repeated, the source's state reports that.
        let held = luma_frame(90, 90);
        assert_eq!(alarms(14, |_| Some(held.clone())), [None; 14]);
        let gone = alarms(16, |tick| (tick < 390).then(|| luma_frame(90, 90)));
        assert_eq!((gone[12], gone[13]), (Some(SourceAlarm::Frozen), None));
    }
}
