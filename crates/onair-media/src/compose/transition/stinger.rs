//! Stingers, in which a clip plays over the program, and the scenes change behind it. This file
//! also defines the transparency of a clip without an alpha plane. A [`PlayingStinger`] runs on the
//! compositor's thread.

use std::path::PathBuf;
use std::time::Duration;

use crate::base::{Timestamp, WorkerPool};
use crate::compose::filter::{AssetSupply, Chain, Filter, Slot, WantedFilter, full_range};
use crate::media::frame::Range;
use crate::media::{ClipFeed, Moment, NumericSettings, PlanesPool, Size, VideoFrame};

/// Maximum duration of a stinger.
pub const MAX_STINGER_DURATION: Duration = Duration::from_secs(20);

/// Maximum time for which the scene change waits for a late clip.
pub(super) const LATE_CLIP_GRACE: Duration = Duration::from_millis(500);

/// Number of frames that the pool keeps for reuse.
const MAX_IDLE_FRAMES: usize = 3;

/// The source of a clip's transparency.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, Default)]
pub enum Matte {
    /// The clip's own alpha plane.
    #[default]
    Own,
    /// The clip's right half in grayscale, where white is opaque and black is transparent.
    Right,
    /// The clip's lower half in grayscale, where white is opaque and black is transparent.
    Below,
    /// A transparent color: red, green and blue.
    Color([u8; 3]),
    /// Dark areas are transparent.
    Dark,
}

/// A clip that plays over the program while the scenes change.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Stinger {
    /// A moving image, a folder of images, or a media file.
    pub file: PathBuf,
    /// The time of the scene change, counted from the beginning of the clip.
    pub cut: Duration,
    pub matte: Matte,
    /// True if the transparency is inverted.
    pub invert: bool,
    /// The volume of the clip's audio in the program, in percent.
    pub volume: u8,
}

impl Default for Stinger {
    fn default() -> Self {
        Self {
            file: PathBuf::new(),
            cut: Duration::from_millis(500),
            matte: Matte::Own,
            invert: false,
            volume: 100,
        }
    }
}

/// A stinger that is playing.
pub struct PlayingStinger {
    stinger: Stinger,
    /// The clip; `None` if it has ended or is missing. The scenes then still change at their time.
    feed: Option<Box<dyn ClipFeed>>,
    begun: Option<Timestamp>,
    changed: bool,
    seer: AlphaMaker,
}

/// The contribution of a stinger at one instant.
pub struct StingerFrame {
    /// True if the new scene is behind the clip.
    pub changed: bool,
    /// The frame of the clip, on top of everything.
    pub above: Option<VideoFrame>,
    /// True if this was the last instant of the stinger.
    pub over: bool,
}

impl PlayingStinger {
    pub fn new(stinger: &Stinger, feed: Option<Box<dyn ClipFeed>>) -> Self {
        let seer = AlphaMaker::new(stinger.matte, stinger.invert);
        Self { stinger: stinger.clone(), feed, begun: None, changed: false, seer }
    }

    /// Returns the state at the instant `at`. The instants increase from call to call. The worker
    /// pool shares the work.
    pub fn at(&mut self, at: Timestamp, workers: &WorkerPool) -> StingerFrame {
        let gone = at.since(*self.begun.get_or_insert(at));
        let cut = self.stinger.cut.min(MAX_STINGER_DURATION);
        let mut above = None;
        match self.feed.as_mut().map(|feed| feed.moment(at)) {
            Some(Moment::Frame(frame)) => {
                // The scene change follows the clip's own time: if the computer delays the clip,
                // the scene change is delayed as well.
                self.changed |=
                    frame.pts.since(Timestamp::ZERO) >= cut || gone >= cut + LATE_CLIP_GRACE;
                above = self.seer.see(&frame, workers);
            }
            Some(Moment::Waiting) => self.changed |= gone >= cut + LATE_CLIP_GRACE,
            Some(Moment::Over) => self.feed = None,
            None => {}
        }
        if self.feed.is_none() {
            self.changed |= gone >= cut;
        }
        let over = self.changed && (self.feed.is_none() || gone >= MAX_STINGER_DURATION);
        StingerFrame { changed: self.changed, above: above.filter(|_| !over), over }
    }
}

/// Adds alpha to the frames of a clip.
struct AlphaMaker {
    matte: Matte,
    invert: bool,
    key: Chain,
    pool: PlanesPool<MAX_IDLE_FRAMES>,
    /// The last frame and its result.
    made: Option<(VideoFrame, VideoFrame)>,
}

impl AlphaMaker {
    fn new(matte: Matte, invert: bool) -> Self {
        let mut key = Chain::default();
        let filter = match matte {
            Matte::Color(color) => Filter::of_kind("chroma-key").map(|mut filter| {
                if let Some(of) = filter.color() {
                    *of = color;
                }
                // The clip is drawn graphics, so there is no uneven light to compensate for.
                for (name, value) in [("similarity", 0.35), ("smoothness", 0.1), ("protect", 0.0)] {
                    filter.set(name, value);
                }
                filter
            }),
            Matte::Dark => Filter::of_kind("luma-key"),
            Matte::Own | Matte::Right | Matte::Below => None,
        };
        let wanted = filter
            .map(|filter| Slot { enabled: true, filter })
            .map(|slot| WantedFilter { slot, material: AssetSupply::Nothing })
            .into_iter();
        key.set(&wanted.collect::<Vec<_>>());
        Self { matte, invert, key, pool: PlanesPool::default(), made: None }
    }

    /// Returns the frame with its alpha, or `None` if the frame would be invisible.
    fn see(&mut self, frame: &VideoFrame, workers: &WorkerPool) -> Option<VideoFrame> {
        if let Some((from, made)) = &self.made
            && from.is_same(frame)
        {
            return Some(made.clone());
        }
        let seen = match self.matte {
            Matte::Own => frame.clone(),
            Matte::Right | Matte::Below => self.split(frame)?,
            Matte::Color(_) | Matte::Dark => self.key.apply(frame, frame.pts, false, workers),
        };
        let made = if self.invert && !matches!(self.matte, Matte::Right | Matte::Below) {
            self.inverted(&seen)
        } else {
            seen
        };
        self.made = Some((frame.clone(), made.clone()));
        Some(made)
    }

    /// Returns one half of the frame with the other half as its alpha.
    fn split(&mut self, frame: &VideoFrame) -> Option<VideoFrame> {
        let from = frame.planes();
        let whole = from.size();
        let size = match self.matte {
            Matte::Right => Size::new((whole.width / 2) & !1, whole.height),
            _ => Size::new(whole.width, (whole.height / 2) & !1),
        };
        if !size.is_valid() {
            return None;
        }
        let invert = self.invert;
        let full_range = frame.color.range == Range::Full;
        let mut out = self.pool.fresh(size, true);
        let (width, height) = (size.width as usize, size.height as usize);
        let stride = from.luma_stride();
        let (aside, below) = match self.matte {
            Matte::Right => (width, 0),
            _ => (0, height),
        };
        let corner = (0, 0);
        out.copy_rect(from, corner, corner, (width, height));
        let table = levels(full_range, invert);
        if let Some(alpha) = &mut out.alpha {
            let rows = from.y.chunks_exact(stride.max(1)).skip(below);
            for (row, line) in rows.zip(alpha.chunks_exact_mut(width)) {
                let grey = row.get(aside..aside + width).unwrap_or_default();
                for (alpha, grey) in line.iter_mut().zip(grey) {
                    *alpha = table.get(usize::from(*grey)).copied().unwrap_or(255);
                }
            }
        }
        Some(VideoFrame { surface: out.share().into(), ..*frame })
    }

    fn inverted(&mut self, frame: &VideoFrame) -> VideoFrame {
        let from = frame.planes();
        let mut out = self.pool.fresh(from.size(), true);
        out.copy_pixels(from);
        if let Some(alpha) = &mut out.alpha {
            match &from.alpha {
                Some(from) => alpha.iter_mut().zip(from).for_each(|(out, from)| *out = 255 - from),
                None => alpha.fill(0),
            }
        }
        VideoFrame { surface: out.share().into(), ..*frame }
    }
}

/// Maps gray to alpha.
fn levels(is_full: bool, invert: bool) -> [u8; 256] {
    let mut table = [0; 256];
    for (grey, alpha) in (0..=255).zip(&mut table) {
        let level = if is_full { grey } else { full_range(grey) };
        *alpha = if invert { 255 - level } else { level };
    }
    table
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::base::Pooled;
    use crate::media::{Color, Planes};

    fn frame(size: Size, millis: i64, luma: impl Fn(usize, usize) -> u8) -> VideoFrame {
        let mut planes = Planes::black(size);
        let width = size.width as usize;
        for (index, y) in planes.y.iter_mut().enumerate() {
            *y = luma(index % width, index / width);
        }
        let planes = Arc::new(Pooled::unpooled(planes));
        VideoFrame {
            pts: Timestamp::from_millis(millis),
            color: Color::PROGRAM,
            surface: planes.into(),
        }
    }

    /// A feed that returns these frames, one per call, and the last one forever.
    struct Scripted(Vec<Option<VideoFrame>>, bool);

    impl ClipFeed for Scripted {
        fn moment(&mut self, _: Timestamp) -> Moment {
            if self.0.is_empty() {
                return if self.1 { Moment::Over } else { Moment::Waiting };
            }
            self.0.remove(0).map_or(Moment::Waiting, Moment::Frame)
        }
    }

    fn run(mut running: PlayingStinger, millis: &[i64]) -> Vec<(bool, bool, bool)> {
        let now = |running: &mut PlayingStinger, ms: &i64| {
            let now = running.at(Timestamp::from_millis(1_000 + ms), &WorkerPool::alone());
            (now.changed, now.above.is_some(), now.over)
        };
        millis.iter().map(|ms| now(&mut running, ms)).collect()
    }

    fn stinger(cut: u64) -> Stinger {
        Stinger { cut: Duration::from_millis(cut), ..Stinger::default() }
    }

    #[test]
    fn the_scenes_change_by_the_clips_own_time() {
        let size = Size::new(8, 8);
        let clip_frame = |ms| Some(frame(size, ms, |_, _| 90));
        // The clip begins 100 ms late and ends 200 ms after its start.
        let clip = Scripted(vec![None, clip_frame(0), clip_frame(100), clip_frame(200)], true);
        let seen =
            run(PlayingStinger::new(&stinger(100), Some(Box::new(clip))), &[0, 100, 200, 300, 400]);
        let (no, yes) = (false, true);
        assert_eq!(
            seen,
            [(no, no, no), (no, yes, no), (yes, yes, no), (yes, yes, no), (yes, no, yes)]
        );
    }

    #[test]
    fn without_a_clip_it_is_a_cut_at_the_right_time() {
        let seen = run(PlayingStinger::new(&stinger(200), None), &[0, 100, 199, 200]);
        assert_eq!(seen.iter().map(|it| it.0).collect::<Vec<_>>(), [false, false, false, true]);
        assert!(seen[3].2 && !seen[2].2);
        // The program does not wait much longer for a clip that never delivers a frame.
        let never = Scripted(Vec::new(), false);
        let running = PlayingStinger::new(&stinger(200), Some(Box::new(never)));
        let seen = run(running, &[0, 200, 690, 710, 20_100]);
        let changed: Vec<bool> = seen.iter().map(|it| it.0).collect();
        assert_eq!(changed, [false, false, false, true, true]);
        assert!(seen[4].2, "and not for ever");
        // A clip that ends before the scene change.
        let broken = Scripted(vec![Some(frame(Size::new(8, 8), 0, |_, _| 90))], true);
        let seen = run(PlayingStinger::new(&stinger(200), Some(Box::new(broken))), &[0, 100, 200]);
        assert_eq!(seen.iter().map(|it| it.0).collect::<Vec<_>>(), [false, false, true]);
    }

    #[test]
    fn halves_become_frame_and_alpha() {
        for (matte, whole) in [(Matte::Right, Size::new(16, 8)), (Matte::Below, Size::new(8, 16))] {
            let size = Size::new(8, 8);
            let given = frame(whole, 0, |x, y| match (x < 8 && y < 8, x % 8 < 4) {
                (true, _) => 120,
                (false, true) => 235,
                (false, false) => 16,
            });
            for invert in [false, true] {
                let seen =
                    AlphaMaker::new(matte, invert).see(&given, &WorkerPool::alone()).unwrap();
                assert_eq!((seen.size(), seen.planes().y[9]), (size, 120));
                let alpha = seen.planes().alpha.as_ref().unwrap();
                let want = if invert { (0, 255) } else { (255, 0) };
                assert_eq!((alpha[0], alpha[7]), want, "{matte:?}");
            }
        }
        let thin = frame(Size::new(2, 2), 0, |_, _| 50);
        assert!(AlphaMaker::new(Matte::Right, false).see(&thin, &WorkerPool::alone()).is_none());
    }

    #[test]
    fn keys_make_what_is_dark_or_of_a_colour_invisible() {
        let size = Size::new(16, 16);
        let given = frame(size, 0, |x, _| if x < 8 { 16 } else { 200 });
        let alpha = |matte, invert| {
            let seen = AlphaMaker::new(matte, invert).see(&given, &WorkerPool::alone()).unwrap();
            let alpha = seen.planes().alpha.as_ref().unwrap();
            (alpha[8 * 16 + 1], alpha[8 * 16 + 14])
        };
        assert_eq!(alpha(Matte::Dark, false), (0, 255));
        assert_eq!(alpha(Matte::Dark, true), (255, 0));
        let mut green = Planes::black(size);
        green.y.fill(173);
        green.u.fill(42);
        green.v.fill(26);
        let planes = Arc::new(Pooled::unpooled(green));
        let green = VideoFrame { surface: planes.into(), ..given };
        let seen = AlphaMaker::new(Matte::Color([0, 255, 0]), false)
            .see(&green, &WorkerPool::alone())
            .unwrap();
        assert_eq!(seen.planes().alpha.as_ref().unwrap()[40], 0);
        let own = AlphaMaker::new(Matte::Own, false).see(&green, &WorkerPool::alone()).unwrap();
        assert!(own.is_same(&green));
    }
}
