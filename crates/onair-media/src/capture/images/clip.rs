//! An animated image, or a folder of images with one image per frame, as a clip that plays once: a
//! stinger. A thread decodes a few images ahead and then waits, so memory use does not depend on
//! the length.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::base::queue::{self, Full, Sender};
use crate::base::{Pooled, Stop, Timestamp, Worker};
use crate::capture::images::decode::{self, Animation, OpenedImage};
use crate::capture::images::slides::{images_in, is_image};
use crate::capture::source::{self, Context, Error};
use crate::media::feed::clip_frames::{ClipFrame, ClipStart};
use crate::media::{ClipFeed, ClipFrames, Planes, Size};
use crate::text::problem::{Problem, problem};

/// Number of images decoded ahead.
const READ_AHEAD_FRAMES: usize = 8;
/// Maximum number of images of a clip. The rest is ignored.
const MAX_FRAMES: usize = 3_000;

/// Returns true if [`open`] plays this as a clip: a folder, or a file with the name of an image.
pub fn plays(path: &Path) -> bool {
    path.is_dir() || is_image(path)
}

/// Opens a clip, whose images are limited to the size of the program.
///
/// # Errors
/// Fails if there is no image, with the reason.
pub fn open(path: &Path, context: &Context) -> Result<Box<dyn ClipFeed>, Error> {
    let fault = |reason| Error::File { path: path.to_owned(), reason };
    let size = context.size;
    let source = if path.is_dir() {
        let rate = context.grid.rate;
        ClipDecoder::Folder { files: listed(path).map_err(fault)?, period: rate.period() }
    } else {
        // The decoder stays on its thread: this call only checks whether it opens.
        drop(decode::open(path, Some(size)).map_err(fault)?);
        ClipDecoder::File(path.to_owned())
    };
    let (frames, ready) = queue::bounded("clip-frames", READ_AHEAD_FRAMES, Full::Block);
    let worker = Worker::spawn("clip", move |stop| source.run(size, &frames, stop))?;
    Ok(Box::new(ClipFrames::new(ready, ClipStart::default(), worker)))
}

/// Returns the images of a folder sorted by name, with `shot9_a` before `shot10_a`.
fn listed(folder: &Path) -> Result<Vec<PathBuf>, Problem> {
    let files = images_in(folder, MAX_FRAMES, natural)?;
    if files.is_empty() {
        return Err(problem!("image-none-in-folder"));
    }
    Ok(files)
}

/// Returns the sort key of a name: its texts, each with the number after it. A number of any size is
/// compared by its length without leading zeros, and then by its digits.
fn natural(path: &Path) -> (Vec<(String, usize, String)>, PathBuf) {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let (mut parts, mut rest) = (Vec::new(), &*stem);
    while !rest.is_empty() {
        let from_number = rest.trim_start_matches(|c: char| !c.is_ascii_digit());
        let after = from_number.trim_start_matches(|c: char| c.is_ascii_digit());
        let text = rest.strip_suffix(from_number).unwrap_or_default();
        let digits = from_number.strip_suffix(after).unwrap_or_default().trim_start_matches('0');
        parts.push((text.to_owned(), digits.len(), digits.to_owned()));
        rest = after;
    }
    (parts, path.to_owned())
}

enum ClipDecoder {
    Folder { files: Vec<PathBuf>, period: Duration },
    File(PathBuf),
}

/// Display time of a static image.
const STATIC_DURATION: Duration = Duration::from_secs(1);

impl ClipDecoder {
    fn run(self, size: Size, frames: &Sender<ClipFrame>, stop: &Stop) {
        let mut at = Timestamp::ZERO;
        let mut send = |planes, shown: Duration| {
            let mut frame = source::frame(Pooled::unpooled(planes));
            frame.pts = at;
            at += shown;
            frames.send(ClipFrame { frame, shown }).is_ok() && !stop.is_set()
        };
        match self {
            Self::Folder { files, period } => {
                for path in files {
                    let opened = decode::open(&path, Some(size)).and_then(OpenedImage::first);
                    // An unreadable image is replaced by a transparent one, so the other images
                    // keep their times.
                    let planes = opened.unwrap_or_else(|why| {
                        tracing::warn!(path = %path.display(), %why, "skipped part of a clip");
                        Planes::transparent(Size::new(2, 2))
                    });
                    if !send(planes, period) {
                        return;
                    }
                }
            }
            Self::File(path) => match decode::open(&path, Some(size)) {
                // A static image covers the scene change for its display time.
                Ok(OpenedImage::Still(planes)) => {
                    send(planes, STATIC_DURATION);
                }
                Ok(OpenedImage::Animation(moving)) => {
                    if let Err(why) = each(moving, &mut send) {
                        tracing::warn!(%why, "a clip ends early");
                    }
                }
                Err(why) => tracing::warn!(%why, "a clip cannot be read anymore"),
            },
        }
    }
}

/// Passes on the images of an animation until the receiver is gone.
fn each(
    mut moving: Animation,
    send: &mut impl FnMut(Planes, Duration) -> bool,
) -> Result<(), Problem> {
    for _ in 0..MAX_FRAMES {
        let Some((planes, shown)) = moving.next()? else { break };
        if !send(planes, shown) {
            break;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Clock;
    use crate::media::{FrameGrid, FrameRate, Moment};

    fn context() -> Context {
        let grid = FrameGrid { origin: Timestamp::ZERO, rate: FrameRate::FPS_30 };
        Context { clock: Clock::start(), grid, size: Size::new(64, 36) }
    }

    fn png(path: &Path, alpha: u8) {
        let pixel = image::Rgba([255, 255, 255, alpha]);
        image::RgbaImage::from_pixel(64, 36, pixel).save(path).unwrap();
    }

    /// Waits until the clip has this alpha at a time.
    fn alpha(feed: &mut dyn ClipFeed, at: Timestamp, want: u8) {
        let found = (0..30_000).any(|_| {
            let seen = match feed.moment(at) {
                Moment::Frame(frame) => frame.planes().alpha.as_ref().map_or(255, |it| it[0]),
                Moment::Waiting => 0,
                Moment::Over => panic!("over at {at:?}"),
            };
            if seen != want {
                // The decoder runs on a separate thread.
                Stop::new().wait(Duration::from_millis(1));
            }
            seen == want
        });
        assert!(found, "{want} at {at:?}");
    }

    #[test]
    fn names_are_sorted_by_every_number() {
        let sorted = [
            "shot2.png",
            "shot9_a.png",
            "shot009_b.png",
            "shot10_a.png",
            "shot20260101000000000000.png",
            "title.png",
        ];
        let mut names: Vec<_> = sorted.iter().rev().map(Path::new).collect();
        names.sort_by_cached_key(|path| natural(path));
        assert_eq!(names, sorted.map(Path::new));
    }

    #[test]
    fn a_folder_is_played_once_in_the_order_of_its_numbers() {
        let folder = tempfile::tempdir().unwrap();
        for number in 1..=12_u8 {
            png(&folder.path().join(format!("frame{number}.png")), number * 10);
        }
        std::fs::write(folder.path().join("readme.txt"), "no picture").unwrap();
        assert!(plays(folder.path()));
        let mut feed = open(folder.path(), &context()).unwrap();
        let grid = context().grid;
        for number in 1..=12_u8 {
            alpha(&mut *feed, grid.instant(i64::from(number) + 99), number * 10);
        }
        let over = (0..30_000).any(|_| {
            Stop::new().wait(Duration::from_millis(1));
            matches!(feed.moment(grid.instant(140)), Moment::Over)
        });
        assert!(over);
    }

    #[test]
    fn what_is_no_clip_says_why() {
        let folder = tempfile::tempdir().unwrap();
        let bad = folder.path().join("bad.gif");
        std::fs::write(&bad, b"GIF89a and nothing behind it").unwrap();
        for (path, why) in [(folder.path().join("absent.webp"), "absent"), (bad, "bad.gif")] {
            let fault = open(&path, &context()).err().unwrap().to_string();
            assert!(fault.contains(why), "{fault}");
        }
        let empty = tempfile::tempdir().unwrap();
        assert!(open(empty.path(), &context()).is_err());
    }
}
