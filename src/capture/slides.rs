//! A slide show: the images of a folder, or of a list, one after the other, faded into each other. A
//! thread reads one ahead; which one is shown and how far the fade is follows from the time alone.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::board;
use super::dial::Dial;
use super::image::decode::{self, Opened};
use super::source::{Context, Error, Source};
use crate::base::queue::{self, Full, Receiver, Sender};
use crate::base::{Pool, Stop, Timestamp, Worker};
use crate::media::source::{Format, State, Status};
use crate::media::{Planes, Size, VideoFeed, VideoFrame};

/// Pictures of one folder that are looked at.
const MOST_SLIDES: usize = 10_000;
/// How long a folder without a readable picture is left alone.
const LOOK: Duration = Duration::from_secs(2);
/// What a slide's file is called.
const ENDINGS: [&str; 6] = ["png", "jpg", "jpeg", "webp", "gif", "apng"];

/// In which order slides come.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, Default)]
pub enum Order {
    /// By name, or as the list has them.
    #[default]
    Name,
    /// Drawn anew for each round.
    Shuffled,
}

/// How slides follow each other.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pace {
    /// How long each is shown, its fade not counted.
    pub time: Duration,
    /// How long one takes to become the next; zero: at once.
    pub fade: Duration,
    /// From the next round on.
    pub order: Order,
    /// After the last one comes the first again; else the last one stays.
    pub repeat: bool,
}

impl Default for Pace {
    /// Five seconds each, round and round.
    fn default() -> Self {
        Self {
            time: Duration::from_secs(5),
            fade: Duration::from_millis(700),
            order: Order::Name,
            repeat: true,
        }
    }
}

impl Pace {
    /// How short and how long a slide may be shown.
    pub const TIMES: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(3_600)];
    pub const MOST_FADE: Duration = Duration::from_secs(60);

    /// With every number where it may be.
    #[must_use]
    pub fn bounded(self) -> Self {
        let [least, most] = Self::TIMES;
        Self { time: self.time.clamp(least, most), fade: self.fade.min(Self::MOST_FADE), ..self }
    }
}

/// A slide show.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Slides {
    /// Image files, and folders whose image files are taken.
    pub paths: Vec<PathBuf>,
    pub pace: Pace,
    /// Of the picture into which all are fitted; `None`: the program's.
    pub size: Option<Size>,
}

impl Slides {
    /// The images of a folder, five seconds each.
    pub fn of(path: impl Into<PathBuf>) -> Self {
        Self { paths: vec![path.into()], pace: Pace::default(), size: None }
    }

    /// Opens it.
    ///
    /// # Errors
    /// Where there is no image at all.
    pub fn open(&self, context: &Context) -> Result<Source, Error> {
        self.open_by(Dial::new(self.pace), context)
    }

    /// Opens it; its pace is as the dial stands.
    pub(super) fn open_by(&self, dial: Dial<Pace>, context: &Context) -> Result<Source, Error> {
        let first = self.paths.first().cloned().unwrap_or_default();
        if let Err(reason) = self.listed() {
            return Err(Error::File { path: first, reason });
        }
        let size = self.size.filter(|size| size.is_valid()).unwrap_or(context.size);
        let status = Status::new("", first.file_name().unwrap_or_default().to_string_lossy());
        let (slides, ready) = queue::bounded("slides", 1, Full::Block);
        let reader = Reader {
            settings: self.clone(),
            dial: dial.clone(),
            size,
            fps: context.grid.rate.as_f64(),
            status: Arc::clone(&status),
            slides,
            seed: context.clock.wall_micros(context.clock.now()).cast_unsigned(),
        };
        let worker = Worker::spawn("slides", move |stop| reader.run(stop))?;
        let show = Show {
            pace: dial.get().bounded(),
            pool: Planes::alpha_pool(size, 4),
            now: None,
            next: None,
            blended: None,
        };
        Ok(Source { feed: Box::new(Feed { show, dial, ready, _worker: worker }), status })
    }

    /// The files as they are now, in order.
    fn listed(&self) -> Result<Vec<PathBuf>, String> {
        let mut files = Vec::new();
        for path in &self.paths {
            if path.is_dir() {
                let entries = std::fs::read_dir(path).map_err(|error| error.to_string())?;
                let entries = entries.take(MOST_SLIDES).filter_map(Result::ok);
                let mut found: Vec<PathBuf> =
                    entries.map(|entry| entry.path()).filter(|path| is_image(path)).collect();
                found.sort();
                files.append(&mut found);
            } else {
                files.push(path.clone());
            }
        }
        files.truncate(MOST_SLIDES);
        if files.is_empty() {
            return Err("there is no PNG, JPEG, WebP or GIF picture in it".to_owned());
        }
        Ok(files)
    }
}

fn is_image(path: &Path) -> bool {
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase());
    ending.is_some_and(|ending| ENDINGS.contains(&ending.as_str())) && path.is_file()
}

/// The thread that reads ahead.
struct Reader {
    settings: Slides,
    dial: Dial<Pace>,
    size: Size,
    fps: f64,
    status: Arc<Status>,
    slides: Sender<VideoFrame>,
    seed: u64,
}

impl Reader {
    fn run(mut self, stop: &Stop) {
        while !stop.is_set() {
            let mut files = match self.settings.listed() {
                Ok(files) => files,
                Err(why) => {
                    self.status.down(State::Lost, "The slides are gone; the last one stays", why);
                    stop.wait(LOOK);
                    continue;
                }
            };
            if self.dial.get().order == Order::Shuffled {
                self.shuffle(&mut files);
            }
            let alone = files.len() == 1;
            let mut read = 0;
            let mut fault = String::new();
            for path in files {
                match decode::open(&path, Some(self.size)) {
                    Ok(opened) => {
                        let planes = match opened {
                            Opened::Still(planes) => Ok(Some(planes)),
                            // Of a moving image its first picture.
                            Opened::Moving(mut moving) => {
                                moving.next().map(|next| next.map(|(planes, _)| planes))
                            }
                        };
                        let Ok(Some(planes)) = planes else { continue };
                        let slide = board::frame(crate::base::Pooled::unpooled(centred(
                            &planes, self.size,
                        )));
                        read += 1;
                        self.status.open(Format::Video { size: self.size, fps: self.fps });
                        if self.slides.send(slide).is_err() {
                            return;
                        }
                    }
                    Err(why) => {
                        tracing::warn!(path = %path.display(), why, "a slide is left out");
                        fault = why;
                    }
                }
                if stop.is_set() {
                    return;
                }
            }
            if read == 0 {
                let reason = "None of the slides can be read; the last one stays";
                self.status.down(State::Failed, reason, fault);
            }
            if read == 0 || alone {
                stop.wait(LOOK);
            }
            while read > 0 && !self.dial.get().repeat && !stop.wait(LOOK) {}
        }
    }

    /// Fisher and Yates.
    fn shuffle(&mut self, files: &mut [PathBuf]) {
        for last in (1..files.len()).rev() {
            self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let draw = (self.seed >> 33) as usize % (last + 1);
            files.swap(last, draw);
        }
    }
}

/// A picture in the middle of a larger one through which one sees around it.
fn centred(picture: &Planes, size: Size) -> Planes {
    let inner = picture.size();
    if inner == size {
        return picture.clone();
    }
    let mut out = Planes::transparent(size);
    let side = |outer: u32, inner: u32| ((outer.saturating_sub(inner) / 2) & !1) as usize;
    let (left, top) = (side(size.width, inner.width), side(size.height, inner.height));
    let lay = |from: &[u8], stride: usize, to: &mut [u8], wide: usize, left: usize, top: usize| {
        for (from, to) in from.chunks_exact(stride).zip(to.chunks_exact_mut(wide).skip(top)) {
            let width = stride.min(wide.saturating_sub(left));
            if let (Some(to), Some(from)) = (to.get_mut(left..left + width), from.get(..width)) {
                to.copy_from_slice(from);
            }
        }
    };
    let (wide, half) = (out.luma_stride(), out.chroma_stride());
    let (luma, chroma) = (picture.luma_stride(), picture.chroma_stride());
    lay(&picture.y, luma, &mut out.y, wide, left, top);
    lay(&picture.u, chroma, &mut out.u, half, left / 2, top / 2);
    lay(&picture.v, chroma, &mut out.v, half, left / 2, top / 2);
    if let Some(alpha) = &mut out.alpha {
        match &picture.alpha {
            Some(from) => lay(from, luma, alpha, wide, left, top),
            None => lay(&vec![255; picture.y.len()], luma, alpha, wide, left, top),
        }
    }
    out
}

struct Feed {
    show: Show,
    dial: Dial<Pace>,
    ready: Receiver<VideoFrame>,
    _worker: Worker,
}

impl VideoFeed for Feed {
    fn picture(&mut self, at: Timestamp) -> Option<VideoFrame> {
        let ready = &self.ready;
        self.show.pace = self.dial.get().bounded();
        self.show.picture(at, || ready.try_recv().ok())
    }
}

/// Which slide is shown.
struct Show {
    pace: Pace,
    pool: Pool<Planes>,
    /// The slide that is shown and since when it is the only one.
    now: Option<(VideoFrame, Timestamp)>,
    /// The one that it fades into, and since when.
    next: Option<(VideoFrame, Timestamp)>,
    /// The last step of a fade.
    blended: Option<(u32, VideoFrame)>,
}

/// Steps of a fade: finer ones cannot be seen.
const STEPS: u32 = 256;

impl Show {
    fn picture(
        &mut self,
        at: Timestamp,
        mut ready: impl FnMut() -> Option<VideoFrame>,
    ) -> Option<VideoFrame> {
        let Some((now, since)) = &self.now else {
            let first = ready()?;
            self.now = Some((first.clone(), at));
            return Some(VideoFrame { pts: at, ..first });
        };
        if self.next.is_none() && at.since(*since) >= self.pace.time {
            self.next = ready().map(|next| (next, at));
        }
        let Some((next, begun)) = &self.next else {
            return Some(VideoFrame { pts: at, ..now.clone() });
        };
        let gone = at.since(*begun);
        if gone >= self.pace.fade {
            let next = next.clone();
            self.now = Some((next.clone(), at));
            (self.next, self.blended) = (None, None);
            return Some(VideoFrame { pts: at, ..next });
        }
        let step = (gone.as_secs_f64() / self.pace.fade.as_secs_f64() * f64::from(STEPS)) as u32;
        if self.blended.as_ref().is_none_or(|(before, _)| *before != step) {
            let mut out = self.pool.take();
            blend(&now.planes, &next.planes, step, &mut out);
            self.blended = Some((step, board::frame(out)));
        }
        self.blended.as_ref().map(|(_, frame)| VideoFrame { pts: at, ..frame.clone() })
    }
}

/// `step`/[`STEPS`] of the way from one picture to another of the same size.
fn blend(from: &Planes, to: &Planes, step: u32, out: &mut Planes) {
    let (late, early) = (step, STEPS - step);
    let mix = |a: u8, b: u8| ((u32::from(a) * early + u32::from(b) * late + 128) >> 8) as u8;
    let plain = |a: &[u8], b: &[u8], out: &mut [u8]| {
        for ((a, b), out) in a.iter().zip(b).zip(out) {
            *out = mix(*a, *b);
        }
    };
    if from.is_opaque() && to.is_opaque() {
        plain(&from.y, &to.y, &mut out.y);
        plain(&from.u, &to.u, &mut out.u);
        plain(&from.v, &to.v, &mut out.v);
        if let Some(alpha) = &mut out.alpha {
            alpha.fill(255);
        }
        return;
    }
    // Straight alpha: a colour counts by how much of it is seen.
    let stride = out.luma_stride();
    let half = out.chroma_stride();
    let seen = |planes: &Planes, index: usize| {
        planes.alpha.as_ref().map_or(255, |alpha| alpha.get(index).copied().unwrap_or(0))
    };
    let weighed = |a: u8, b: u8, wa: u32, wb: u32, none: u8| {
        let (wa, wb) = (wa * early, wb * late);
        match wa + wb {
            0 => none,
            sum => ((u32::from(a) * wa + u32::from(b) * wb + sum / 2) / sum) as u8,
        }
    };
    let pairs = from.y.iter().zip(&to.y).zip(&mut out.y).enumerate();
    for (index, ((a, b), out)) in pairs {
        *out = weighed(*a, *b, seen(from, index).into(), seen(to, index).into(), 16);
    }
    let mean = |planes: &Planes, index: usize| -> u32 {
        let corner = index / half * 2 * stride + index % half * 2;
        let four = [corner, corner + 1, corner + stride, corner + stride + 1];
        four.into_iter().map(|place| u32::from(seen(planes, place))).sum::<u32>() / 4
    };
    let chroma = from.u.iter().zip(&from.v).zip(to.u.iter().zip(&to.v));
    let outs = out.u.iter_mut().zip(&mut out.v);
    for (index, (((au, av), (bu, bv)), (u, v))) in chroma.zip(outs).enumerate() {
        let (wa, wb) = (mean(from, index), mean(to, index));
        *u = weighed(*au, *bu, wa, wb, 128);
        *v = weighed(*av, *bv, wa, wb, 128);
    }
    if let Some(alpha) = &mut out.alpha {
        for (index, out) in alpha.iter_mut().enumerate() {
            *out = mix(seen(from, index), seen(to, index));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use image::{Rgba as Pixel, RgbaImage};

    use super::*;
    use crate::base::{Clock, Pooled};
    use crate::media::{FrameGrid, FrameRate};

    fn slide(luma: u8) -> VideoFrame {
        let mut planes = Planes::black(Size::new(4, 2));
        planes.y.fill(luma);
        board::frame(Pooled::unpooled(planes))
    }

    #[test]
    fn slides_stand_and_fade_by_the_time() {
        let mut show = Show {
            pace: Pace {
                time: Duration::from_secs(2),
                fade: Duration::from_secs(1),
                ..Pace::default()
            },
            pool: Planes::alpha_pool(Size::new(4, 2), 4),
            now: None,
            next: None,
            blended: None,
        };
        let mut slides = vec![slide(50), slide(200), slide(100)];
        let mut luma = |millis: i64| {
            let next = || slides.pop();
            show.picture(Timestamp::from_millis(millis), next).map(|frame| frame.planes.y[0])
        };
        let seen: Vec<_> =
            [0, 1_999, 2_000, 2_500, 2_999, 3_000, 4_999, 5_000, 5_500, 6_000, 60_000]
                .into_iter()
                .map(|at| luma(at).unwrap())
                .collect();
        assert_eq!(seen, [100, 100, 100, 150, 200, 200, 200, 200, 125, 50, 50]);
    }

    #[test]
    fn what_cannot_be_seen_does_not_colour_a_fade() {
        let size = Size::new(2, 2);
        let mut red = Planes::black(size);
        red.y.fill(63);
        red.v.fill(240);
        let clear = Planes::transparent(size);
        let mut out = Planes::transparent(size);
        blend(&red, &clear, 128, &mut out);
        assert_eq!((out.y[0], out.v[0]), (63, 240), "the colour stays while it goes");
        assert_eq!(out.alpha.unwrap()[0], 128);
    }

    #[test]
    fn a_folder_is_shown_in_order_and_what_is_broken_is_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let save = |name: &str, grey: u8, width: u32| {
            let pixel = Pixel([grey, grey, grey, 255]);
            RgbaImage::from_pixel(width, 36, pixel).save(folder.path().join(name)).unwrap();
        };
        save("b.png", 255, 64);
        save("a.png", 0, 36);
        fs::write(folder.path().join("ab.png"), b"broken").unwrap();
        fs::write(folder.path().join("notes.txt"), b"no picture").unwrap();
        let grid = FrameGrid { origin: Timestamp::ZERO, rate: FrameRate::FPS_30 };
        let context = Context { clock: Clock::start(), grid, size: Size::new(64, 36) };
        let fade = Duration::ZERO;
        let pace = Pace { fade, ..Pace::default() };
        let mut source = Slides { pace, ..Slides::of(folder.path()) }.open(&context).unwrap();
        let mut at = Timestamp::ZERO;
        for luma in [16, 235, 16, 235] {
            let found = (0..4_000).any(|_| {
                at += Duration::from_millis(5_000);
                let frame = source.feed.picture(at);
                if frame.as_ref().is_none_or(|frame| frame.planes.y[32] != luma) {
                    Stop::new().wait(Duration::from_millis(2));
                    return false;
                }
                true
            });
            assert!(found, "{luma}");
            let frame = source.feed.picture(at).unwrap();
            assert_eq!(frame.size(), context.size);
            if luma == 16 {
                // 36 of 64 columns, in the middle.
                let alpha = frame.planes.alpha.as_ref().unwrap();
                assert_eq!(
                    (alpha[0], alpha[13], alpha[14], alpha[49], alpha[50]),
                    (0, 0, 255, 255, 0)
                );
            }
        }
        // Once only: after the last one nothing comes, until it is to go round again.
        let dial = Dial::new(Pace { repeat: false, ..pace });
        let mut source = Slides::of(folder.path()).open_by(dial.clone(), &context).unwrap();
        let mut luma = |at: &mut Timestamp| {
            *at += Duration::from_secs(5);
            source.feed.picture(*at).map(|frame| frame.planes.y[32])
        };
        let mut await_luma = |wanted: u8, at: &mut Timestamp| {
            for _ in 0..4_000 {
                if luma(at) == Some(wanted) {
                    return;
                }
                Stop::new().wait(Duration::from_millis(2));
            }
            panic!("never {wanted}");
        };
        await_luma(16, &mut at);
        await_luma(235, &mut at);
        for _ in 0..200 {
            await_luma(235, &mut at);
        }
        dial.set(pace);
        await_luma(16, &mut at);
        let empty = tempfile::tempdir().unwrap();
        assert!(Slides::of(empty.path()).open(&context).is_err());
    }

    #[test]
    fn shuffling_keeps_every_slide() {
        let (slides, _ready) = queue::bounded("test", 1, Full::Block);
        let status = Status::new("", "");
        let settings = Slides::of("x");
        let dial = Dial::default();
        let size = Size::new(2, 2);
        let mut reader = Reader { settings, dial, size, fps: 30.0, status, slides, seed: 3 };
        let files: Vec<PathBuf> = (0..20).map(|n| format!("{n:02}").into()).collect();
        let mut drawn = files.clone();
        reader.shuffle(&mut drawn);
        assert_ne!(drawn, files);
        drawn.sort();
        assert_eq!(drawn, files);
    }
}
