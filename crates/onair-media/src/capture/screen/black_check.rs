//! Detects a display or window that shows nothing: every point is black, except under the pointer,
//! which is drawn over every capture. A failed capture (a window that bypasses the desktop,
//! protected video, a sleeping monitor) returns RGB zeros, so a point counts as black only if its
//! YUV value is that of RGB zeros, within rounding. A dark desktop with a small bright spot does
//! not count as black. Each frame is checked at most once, and at most two frames are checked per
//! second. A few points usually suffice.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use crate::base::Timestamp;
use crate::capture::screen::area::Area;
use crate::media::Planes;

/// Interval between checks of the frame.
const CHECK_INTERVAL: Duration = Duration::from_millis(500);

/// Maximum luma of black, with a margin for rounding.
const MAX_BLACK_LUMA: u8 = 17;
/// Range of the chroma of black, with a margin for rounding.
const BLACK_CHROMA_RANGE: (u8, u8) = (127, 129);

/// Step between rows, and between points of a row, in the quick first check.
const SPARSE_STEP_PIXELS: usize = 31;

/// Value for a frame that is not black.
const NOT_BLACK: i64 = i64::MAX;

/// Checks the captured pixels for black.
pub(super) struct BlackCheck {
    since: Arc<AtomicI64>,
    looked: Option<Timestamp>,
    /// True if there is a frame that was not checked.
    is_new: bool,
}

/// Result of the black check for the feed.
pub(super) struct BlackState(Arc<AtomicI64>);

impl BlackState {
    /// Returns the time since which the display has been black.
    pub(super) fn since(&self) -> Option<Timestamp> {
        let since = self.0.load(Ordering::Relaxed);
        (since != NOT_BLACK).then(|| Timestamp::from_micros(since))
    }
}

impl BlackCheck {
    pub(super) fn new() -> (Self, BlackState) {
        let since = Arc::new(AtomicI64::new(NOT_BLACK));
        (Self { since: Arc::clone(&since), looked: None, is_new: false }, BlackState(since))
    }

    /// Records a new frame.
    pub(super) fn changed(&mut self) {
        self.is_new = true;
    }

    /// Checks the newest frame if a check is due. `pointer` is the pointer's area.
    pub(super) fn check(&mut self, now: Timestamp, frame: &Planes, pointer: Option<Area>) {
        if !is_dark(frame, pointer) {
            self.since.store(NOT_BLACK, Ordering::Relaxed);
        } else if self.since.load(Ordering::Relaxed) == NOT_BLACK {
            self.since.store(now.as_micros(), Ordering::Relaxed);
        }
        (self.looked, self.is_new) = (Some(now), false);
    }

    /// Returns true if a check is due.
    pub(super) fn is_due(&self, now: Timestamp) -> bool {
        self.is_new && self.looked.is_none_or(|looked| now.since(looked) >= CHECK_INTERVAL)
    }

    /// Records that frames have stopped.
    pub(super) fn gone(&mut self) {
        (self.looked, self.is_new) = (None, false);
        self.since.store(NOT_BLACK, Ordering::Relaxed);
    }
}

fn is_dark(planes: &Planes, pointer: Option<Area>) -> bool {
    let luma = |row: &[u8]| row.iter().fold(0, |most, y| most.max(*y)) <= MAX_BLACK_LUMA;
    let chroma = |row: &[u8]| {
        let ends = |(least, most): (u8, u8), c: &u8| (least.min(*c), most.max(*c));
        let (least, most) = row.iter().fold((u8::MAX, 0), ends);
        least >= BLACK_CHROMA_RANGE.0 && most <= BLACK_CHROMA_RANGE.1
    };
    let half = pointer.map(|it| Area::new(it.x / 2, it.y / 2, it.width / 2, it.height / 2));
    let (wide, narrow) = (planes.luma_stride(), planes.chroma_stride());
    sparsely(&planes.y, wide, pointer)
        && all(&planes.y, wide, pointer, luma)
        && all(&planes.u, narrow, half, chroma)
        && all(&planes.v, narrow, half, chroma)
}

/// Returns true if all points of a sparse grid are dark.
fn sparsely(plane: &[u8], stride: usize, pointer: Option<Area>) -> bool {
    let rows = plane.chunks_exact(stride.max(1)).enumerate().step_by(SPARSE_STEP_PIXELS);
    let mut points = rows.flat_map(|(y, row)| {
        row.iter().enumerate().step_by(SPARSE_STEP_PIXELS).map(move |(x, point)| (x, y, *point))
    });
    points.all(|(x, y, point)| {
        point <= MAX_BLACK_LUMA || pointer.is_some_and(|it| contains(it, x, y))
    })
}

/// Returns true if all rows of a plane match `is` outside the pointer's area.
fn all(plane: &[u8], stride: usize, pointer: Option<Area>, is: impl Fn(&[u8]) -> bool) -> bool {
    plane.chunks_exact(stride.max(1)).enumerate().all(|(y, row)| {
        let Some(area) = pointer.filter(|it| contains(*it, it.x as usize, y)) else {
            return is(row);
        };
        let (left, right) = (area.x as usize, area.x as usize + area.width as usize);
        row.get(..left).is_none_or(&is) && row.get(right..).is_none_or(&is)
    })
}

fn contains(area: Area, x: usize, y: usize) -> bool {
    let along = |start: u32, length: u32, at: usize| {
        (start as usize..start as usize + length as usize).contains(&at)
    };
    along(area.x, area.width, x) && along(area.y, area.height, y)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::Size;

    const FRAME_SIZE: Size = Size::new(640, 480);
    const POINTER_AREA: Option<Area> = Some(Area::new(100, 60, 24, 24));

    fn with(luma: u8, spot: (usize, usize)) -> Planes {
        let mut planes = Planes::black(FRAME_SIZE);
        planes.y[spot.1 * 640 + spot.0] = luma;
        planes
    }

    #[test]
    fn black_is_what_has_no_light_thing_beside_the_pointer() {
        let black = Planes::black(FRAME_SIZE);
        assert!(is_dark(&black, None) && is_dark(&black, POINTER_AREA));
        // Black within rounding.
        let mut nearly = Planes::black(FRAME_SIZE);
        (nearly.y[5], nearly.u[7], nearly.v[9]) = (17, 127, 129);
        assert!(is_dark(&nearly, None));
        // One slightly brighter point at any position.
        for spot in [(0, 0), (639, 479), (99, 70), (124, 70), (110, 59), (110, 84), (333, 251)] {
            assert!(!is_dark(&with(18, spot), None), "{spot:?}");
            assert!(!is_dark(&with(18, spot), POINTER_AREA), "{spot:?}");
        }
        // Dark blue has hardly any luma.
        let mut blue = Planes::black(FRAME_SIZE);
        (blue.u[1_000], blue.y[4_000]) = (134, 17);
        assert!(!is_dark(&blue, POINTER_AREA));
    }

    #[test]
    fn the_pointer_is_no_content() {
        for spot in [(100, 60), (123, 83), (124, 62)] {
            let planes = with(235, spot);
            assert!(!is_dark(&planes, None), "{spot:?}");
            assert_eq!(is_dark(&planes, POINTER_AREA), spot.0 < 124, "{spot:?}");
        }
        // The pointer extends beyond the right edge, because frames may shrink.
        assert!(is_dark(&Planes::black(FRAME_SIZE), Some(Area::new(630, 470, 24, 24))));
        assert!(is_dark(&Planes::black(Size::new(2, 2)), Some(Area::new(630, 470, 24, 24))));
    }

    #[test]
    fn frames_are_checked_twice_a_second_and_the_newest_is_not_skipped() {
        let (mut dark, darkness) = BlackCheck::new();
        let ms = Timestamp::from_millis;
        let (black, lit) = (Planes::black(FRAME_SIZE), with(200, (300, 200)));
        assert!(!dark.is_due(ms(0)), "there is none");
        dark.changed();
        assert!(dark.is_due(ms(100)));
        dark.check(ms(100), &black, None);
        assert_eq!(darkness.since(), Some(ms(100)));
        assert!(!dark.is_due(ms(9_000)), "a still one is looked at once");
        dark.changed();
        assert!(dark.is_due(ms(600)) && !dark.is_due(ms(599)));
        dark.check(ms(600), &black, None);
        assert_eq!(darkness.since(), Some(ms(100)), "as long as before");
        dark.changed();
        assert!(!dark.is_due(ms(700)) && dark.is_due(ms(1_100)));
        dark.check(ms(1_100), &lit, None);
        assert_eq!(darkness.since(), None);
        dark.changed();
        dark.check(ms(2_000), &black, None);
        assert_eq!(darkness.since(), Some(ms(2_000)));
        dark.gone();
        assert_eq!((darkness.since(), dark.is_due(ms(9_000))), (None, false));
    }
}
