//! An image file as a source. A thread reads, animates and watches the file. A changed file is
//! reloaded. For a deleted or broken file, the last image stays, and the problem is reported.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::base::{Clock, FileStamp, Latest, Pooled, Stop, Timestamp, Worker};
use crate::capture::images::decode::{self, Animation, OpenedImage};
use crate::capture::source::{self, Context, Error, Source, StillFeed};
use crate::media::source_status::{SourceFormat, SourceState, SourceStatus};
use crate::media::{Planes, VideoFrame};
use crate::text::problem::{Problem, problem};

/// Interval between checks of the file.
const POLL_INTERVAL: Duration = Duration::from_millis(500);
/// Maximum size of an animation's images in memory, in bytes. A larger animation is decoded again
/// each time it repeats.
const MAX_STORED_BYTES: usize = 128 << 20;

/// Reads the image of a file, or the first image of an animation.
///
/// # Errors
/// Fails with the reason.
pub fn still(path: &Path) -> Result<Planes, Problem> {
    decode::open(path, None)?.first()
}

/// Opens a PNG, JPEG, WebP or GIF file.
///
/// # Errors
/// Fails if the file does not exist, or does not have the header of a supported image.
pub(in crate::capture) fn open(path: &Path, context: &Context) -> Result<Source, Error> {
    decode::dimensions(path).map_err(|reason| Error::File { path: path.to_owned(), reason })?;
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
    let status = SourceStatus::new("", name);
    let latest = Latest::default();
    let shower = ImageThread {
        path: path.to_owned(),
        clock: context.clock,
        fps: context.grid.rate.as_f64(),
        status: Arc::clone(&status),
        latest: latest.clone(),
    };
    let worker = Worker::spawn("image", move |stop| shower.run(stop))?;
    Ok(Source { feed: Box::new(StillFeed { latest, _worker: Some(worker) }), status })
}

/// The thread of an image file.
struct ImageThread {
    path: PathBuf,
    clock: Clock,
    fps: f64,
    status: Arc<SourceStatus>,
    latest: Latest<VideoFrame>,
}

/// The reason why the display of an image ended.
enum End {
    Stopped,
    /// The file has changed.
    Changed,
}

impl ImageThread {
    fn run(&self, stop: &Stop) {
        loop {
            let stamp = FileStamp::of(&self.path);
            let opened = match &stamp {
                Err(gone) => Err((SourceState::Lost, gone.clone())),
                Ok(_) => decode::open(&self.path, None).map_err(|why| (SourceState::Failed, why)),
            };
            let mut watch =
                FileWatch { shown: stamp.clone(), last: stamp, looked: self.clock.now() };
            let ended = match opened {
                Ok(OpenedImage::Animation(moving)) => self.play(moving, &mut watch, stop),
                Ok(OpenedImage::Still(planes)) => {
                    self.show(source::frame(Pooled::unpooled(planes)));
                    None
                }
                Err((state, why)) => {
                    self.down(state, &why);
                    None
                }
            };
            let ended = ended.or_else(|| self.wait(None, &mut watch, stop));
            if matches!(ended, Some(End::Stopped)) {
                return;
            }
        }
    }

    fn show(&self, frame: VideoFrame) {
        let size = frame.size();
        self.latest.publish(frame);
        if self.status.state() != SourceState::Open
            || self.status.report().format == SourceFormat::Unknown
        {
            tracing::debug!(path = %self.path.display(), %size, "image loaded");
        }
        self.status.open(SourceFormat::Video { size, fps: self.fps });
    }

    fn down(&self, state: SourceState, why: &Problem) {
        let file = file_name(&self.path);
        let reason = match state {
            SourceState::Lost => problem!("source-file-gone", file = file),
            _ => problem!("source-file-unreadable", file = file, reason = why),
        };
        self.status.down(state, reason, why.to_string());
    }

    /// Waits until this time (`None` means forever), or until the file changes and its writer
    /// pauses. Returns `None` when the time has come.
    fn wait(&self, until: Option<Timestamp>, watch: &mut FileWatch, stop: &Stop) -> Option<End> {
        loop {
            let now = self.clock.now();
            if now.since(watch.looked) >= POLL_INTERVAL {
                let found = FileStamp::of(&self.path);
                if found == watch.last && found != watch.shown {
                    return Some(End::Changed);
                }
                (watch.last, watch.looked) = (found, now);
            }
            let left = until.map(|until| until.since(now));
            if stop.wait(left.map_or(POLL_INTERVAL, |left| left.min(POLL_INTERVAL))) {
                return Some(End::Stopped);
            }
            if left.is_some_and(|left| left <= POLL_INTERVAL) {
                return None;
            }
        }
    }

    /// Plays an animation in a loop. Returns the reason for its end, or `None` if there is no
    /// second image, or the animation cannot be decoded again.
    fn play(&self, mut moving: Animation, watch: &mut FileWatch, stop: &Stop) -> Option<End> {
        let mut kept: Option<Vec<(VideoFrame, Duration)>> = Some(Vec::new());
        let mut bytes = 0;
        let mut due = self.clock.now();
        let mut hold = |frame: VideoFrame, time: Duration| {
            self.show(frame);
            // Durations accumulate, but a slow computer does not try to catch up.
            due = (due + time).max(self.clock.now() - POLL_INTERVAL);
            self.wait(Some(due), watch, stop)
        };
        loop {
            // The first pass decodes the images.
            loop {
                let (planes, time) = match moving.next() {
                    Ok(Some(frame)) => frame,
                    Ok(None) => break,
                    Err(fault) => {
                        // The images that could be read continue to loop.
                        tracing::debug!(%fault, path = %self.path.display(), "animated image loaded");
                        break;
                    }
                };
                bytes += weight(&planes);
                let frame = source::frame(Pooled::unpooled(planes));
                match &mut kept {
                    Some(frames) if bytes <= MAX_STORED_BYTES => frames.push((frame.clone(), time)),
                    _ => kept = None,
                }
                if let Some(end) = hold(frame, time) {
                    return Some(end);
                }
            }
            if let Some(frames) = &kept {
                if frames.len() < 2 {
                    return None;
                }
                // Later passes use the stored images.
                for (frame, time) in frames.iter().cycle() {
                    if let Some(end) = hold(frame.clone(), *time) {
                        return Some(end);
                    }
                }
            }
            match decode::open(&self.path, None) {
                Ok(OpenedImage::Animation(again)) => moving = again,
                _ => return None,
            }
        }
    }
}

/// A file that is checked at intervals.
struct FileWatch {
    /// The file's stamp when it was read.
    shown: Result<FileStamp, Problem>,
    /// The file's stamp at the last check.
    last: Result<FileStamp, Problem>,
    looked: Timestamp,
}

fn weight(planes: &Planes) -> usize {
    planes.y.len() + planes.u.len() * 2 + planes.alpha.as_ref().map_or(0, Vec::len)
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use image::{Frame, Rgba as Pixel, RgbaImage};

    use super::*;
    use crate::base::queue::Receiver;
    use crate::capture::rgb::{Rgba, numbers};
    use crate::media::source_status::SourceReport;
    use crate::media::{FrameGrid, FrameRate, Size};

    fn context() -> Context {
        let grid = FrameGrid { origin: Timestamp::ZERO, rate: FrameRate::FPS_30 };
        Context { clock: Clock::start(), grid, size: Size::new(64, 36) }
    }

    fn open(path: &Path) -> (Source, Receiver<SourceReport>) {
        let source = super::open(path, &context()).unwrap();
        let changes = source.status.changes().unwrap();
        (source, changes)
    }

    fn await_state(changes: &Receiver<SourceReport>, state: SourceState) -> SourceReport {
        loop {
            let report = changes.recv_timeout(Duration::from_secs(30)).unwrap();
            if report.state == state {
                return report;
            }
        }
    }

    /// Waits until the image begins with this color.
    fn await_color(source: &mut Source, color: Rgba) -> VideoFrame {
        let (y, ..) = numbers(color);
        for _ in 0..6_000 {
            if let Some(frame) = source.feed.frame(Timestamp::ZERO)
                && frame.planes().y[0].abs_diff(y) <= 2
            {
                return frame;
            }
            Stop::new().wait(Duration::from_millis(5));
        }
        panic!("never {color}");
    }

    const RED: Rgba = Rgba::opaque(255, 0, 0);
    const GREEN: Rgba = Rgba::opaque(0, 255, 0);

    fn flat(color: Rgba, width: u32, height: u32) -> RgbaImage {
        RgbaImage::from_pixel(width, height, Pixel(color.channels()))
    }

    #[test]
    fn formats_are_shown_with_their_colours() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a.png", "a.jpg", "a.webp", "a.gif"] {
            let path = folder.path().join(name);
            let large = DynamicImage::from(flat(RED, 31, 16));
            if name.ends_with("jpg") {
                large.to_rgb8().save(&path).unwrap();
            } else {
                large.save(&path).unwrap();
            }
            let (mut source, changes) = open(&path);
            await_state(&changes, SourceState::Open);
            let frame = source.feed.frame(Timestamp::from_millis(40)).unwrap();
            assert_eq!((frame.size(), frame.pts), (Size::new(32, 16), Timestamp::from_millis(40)));
            let (y, u, v) = numbers(RED);
            let near = |a: u8, b: u8| a.abs_diff(b) <= 2;
            let planes = frame.planes();
            let found = (planes.y[200], planes.u[50], planes.v[50]);
            assert!(near(found.0, y) && near(found.1, u) && near(found.2, v), "{name} {found:?}");
            assert!(planes.is_opaque(), "{name}");
        }
        use image::DynamicImage;
        let path = folder.path().join("clear.png");
        flat(Rgba { alpha: 64, ..GREEN }, 8, 8).save(&path).unwrap();
        let (mut source, changes) = open(&path);
        await_state(&changes, SourceState::Open);
        let frame = source.feed.frame(Timestamp::ZERO).unwrap();
        assert_eq!(frame.planes().alpha.as_deref(), Some(&[64; 64][..]));
        assert_eq!(frame.planes().y[0], numbers(GREEN).0, "straight");
    }

    #[test]
    fn a_file_that_changes_is_shown_and_one_that_vanishes_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.png");
        flat(RED, 8, 8).save(&path).unwrap();
        let (mut source, changes) = open(&path);
        await_color(&mut source, RED);
        flat(GREEN, 10, 8).save(&path).unwrap();
        assert_eq!(await_color(&mut source, GREEN).size(), Size::new(10, 8));
        fs::remove_file(&path).unwrap();
        let lost = await_state(&changes, SourceState::Lost);
        assert_eq!(lost.reason.to_string(), "a.png no longer exists");
        await_color(&mut source, GREEN);
        fs::write(&path, b"\x89PNG\r\n\x1a\nnonsense").unwrap();
        let broken = await_state(&changes, SourceState::Failed);
        assert_eq!(broken.reason.id(), "source-file-unreadable");
        await_color(&mut source, GREEN);
        flat(RED, 8, 8).save(&path).unwrap();
        await_state(&changes, SourceState::Open);
        await_color(&mut source, RED);
    }

    #[test]
    fn a_gif_moves_in_its_own_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.gif");
        let delay = |millis| image::Delay::from_numer_denom_ms(millis, 1);
        let frames = [(RED, 120), (GREEN, 360)]
            .map(|(color, millis)| Frame::from_parts(flat(color, 8, 8), 0, 0, delay(millis)));
        let file = fs::File::create(&path).unwrap();
        image::codecs::gif::GifEncoder::new(file).encode_frames(frames).unwrap();
        let mut opened = match decode::open(&path, None).unwrap() {
            OpenedImage::Animation(moving) => moving,
            OpenedImage::Still(_) => panic!("it moves"),
        };
        let times: Vec<_> = std::iter::from_fn(|| opened.next().unwrap())
            .map(|(planes, time)| (planes.y[0], time.as_millis()))
            .collect();
        let (red, green) = (numbers(RED).0, numbers(GREEN).0);
        assert!(times.len() == 2 && times[0].0.abs_diff(red) < 3 && times[1].0.abs_diff(green) < 3);
        assert_eq!((times[0].1, times[1].1), (120, 360));
        let (mut source, _changes) = open(&path);
        // The animation loops.
        for color in [RED, GREEN, RED, GREEN, RED] {
            await_color(&mut source, color);
        }
    }

    /// Makes a PNG that announces a size and has no data.
    fn claimed(width: u32, height: u32) -> Vec<u8> {
        let mut header = b"IHDR".to_vec();
        header.extend(width.to_be_bytes());
        header.extend(height.to_be_bytes());
        header.extend([8, 6, 0, 0, 0]);
        let crc = header.iter().fold(!0_u32, |crc, byte| {
            (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
                if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 }
            })
        });
        let length = 13_u32.to_be_bytes();
        let end = *b"\0\0\0\0IDAT\x35\xAF\x06\x1E\0\0\0\0IEND\xAE\x42\x60\x82";
        [&b"\x89PNG\r\n\x1a\n"[..], &length, &header, &(!crc).to_be_bytes(), &end].concat()
    }

    #[test]
    fn absurd_and_broken_files_say_why() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.png");
        let fault = |data: &[u8]| {
            fs::write(&path, data).unwrap();
            let opened = super::open(&path, &context());
            opened.err().map(|error| error.to_string())
        };
        let message = fault(&claimed(60_000, 60_000)).unwrap();
        assert!(message.contains("60000×60000") && message.contains("16384 per side"), "{message}");
        assert!(fault(&claimed(16_000, 16_000)).unwrap().contains("67 million"));
        assert!(fault(b"GIF89a\xFF\xFF\xFF\xFF\0\0\0").is_some());
        assert!(fault(b"").unwrap().contains("not a PNG"));
        assert!(fault(b"RIFF\xFF\xFF\xFF\xFFWEBPVP8X").is_some());
        assert!(fault(b"BM nothing that we read").is_some());
        // The header is valid, but the data is missing. The source itself reports that.
        assert_eq!(fault(&claimed(16, 16)), None);
        let (_source, changes) = open(&path);
        await_state(&changes, SourceState::Failed);
        for path in ["/nonexistent.png", "/", "/dev/zero"] {
            let opened = super::open(Path::new(path), &context());
            assert!(opened.unwrap_err().to_string().contains(path));
        }
    }

    #[test]
    fn large_images_are_kept_smaller() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.png");
        flat(RED, 5_000, 10).save(&path).unwrap();
        let OpenedImage::Still(planes) = decode::open(&path, None).unwrap() else { panic!() };
        assert_eq!(planes.size(), Size::new(4_096, 8));
        assert!(planes.y.iter().all(|y| y.abs_diff(numbers(RED).0) <= 1));
    }
}
