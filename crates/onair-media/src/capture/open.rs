//! Floor 3: video from devices, files and the test pattern, each behind a
//! [`VideoFeed`](crate::media::VideoFeed). A [`VideoChoice`] selects one of them.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use crate::base::{FileStamp, Timestamp};
use crate::capture::camera::control::CameraControl;
use crate::capture::camera::driver::OfferedCamera;
use crate::capture::choice::VideoChoice;
use crate::capture::generated::test_pattern::TestPattern;
use crate::capture::images::{self, decode};
use crate::capture::properties::{LiveProperties, Properties};
use crate::capture::screen::Target;
use crate::capture::screen::backend::screens as screens_of_session;
use crate::capture::screen::display::{ScreenInfo, Sharing, WindowInfo};
use crate::capture::signal_watch::over_file;
use crate::capture::source::{CameraInfo, Context, Error, Source};
use crate::capture::text::TextBoards;
use crate::capture::y4m::reader;
use crate::capture::{browser, camera, screen, signal_watch, text, y4m};
use crate::media::Size;
use crate::media::markers::Schedule;
use crate::media::source_status::{SourceFormat, SourceStatus};
use crate::text::Problem;

/// Returns the id of the camera at this device file, such as `/dev/video0`, or at a link to it.
pub fn camera_id_at(path: &Path) -> Option<String> {
    camera::backend::id_at(path)
}

/// Returns the cameras that are connected now.
pub fn cameras() -> Vec<CameraInfo> {
    let found = camera::backend::driver().cameras().into_iter();
    found
        .map(|camera| {
            let formats = camera.offers.iter().map(OfferedCamera::format);
            CameraInfo { formats: formats.collect(), id: camera.id, name: camera.name }
        })
        .collect()
}

/// Returns the controls of the camera with this id; empty if the camera cannot be queried.
pub fn controls(id: &str) -> Vec<CameraControl> {
    camera::backend::driver().controls(id).unwrap_or_default()
}

/// Returns the current displays, or why they cannot be captured.
pub fn screens() -> Result<Vec<ScreenInfo>, Problem> {
    screens_of_session().screens().map_err(|fault| Problem::from(&fault))
}

/// Returns the current windows, or why they cannot be captured.
pub fn windows() -> Result<Vec<WindowInfo>, Problem> {
    screens_of_session().windows().map_err(|fault| Problem::from(&fault))
}

/// Returns true in a Wayland session, where the desktop shows a sharing dialog.
pub fn in_wayland() -> bool {
    screen::target::is_wayland()
}

/// Returns the options of the desktop's sharing dialog, or why the dialog is unavailable; `None`
/// outside a Wayland session.
pub fn sharing() -> Option<Result<Sharing, Problem>> {
    screen::backend::sharing().map(|offered| offered.map_err(|fault| Problem::from(&fault)))
}

/// Returns true if [`open`] supports this source. The player opens other files and streams.
pub fn shows(choice: &VideoChoice) -> bool {
    match choice {
        VideoChoice::File(path) => y4m::is_y4m(path),
        VideoChoice::Stream(_) | VideoChoice::Guest(_) => false,
        _ => true,
    }
}

/// Opens a source for which [`shows`] returns true.
///
/// # Errors
/// Fails if the source cannot be opened, for example because its file cannot be played, or if the
/// choice is `none`.
pub fn open(choice: &VideoChoice, context: &Context) -> Result<Source, Error> {
    open_by(choice, &LiveProperties::default(), context)
}

/// Works like [`open`], but with live properties, which can change later.
///
/// # Errors
/// Fails with the same errors as [`open`].
pub fn open_by(
    choice: &VideoChoice,
    dials: &LiveProperties,
    context: &Context,
) -> Result<Source, Error> {
    let grab = |target| {
        dials.set_region(choice);
        let (pointer, region) = (dials.without_pointer.clone(), dials.region.clone());
        let live = (pointer, region, dials.permissions.get());
        screen::open(screens_of_session(), target, live, context)
    };
    match choice {
        VideoChoice::Test => {
            let zero = context.clock.wall_micros(Timestamp::ZERO);
            let schedule = Schedule::new(context.grid, zero);
            let status = SourceStatus::new("", "Test pattern");
            let fps = context.grid.rate.as_f64();
            status.open(SourceFormat::Video { size: context.size, fps });
            let feed = Box::new(TestPattern::new(schedule, context.size));
            Ok(Source { feed, status })
        }
        VideoChoice::File(path) => y4m::open(path, dials.transport(), context)
            .map(|source| over_file(source, dials.watched())),
        // The player on floor 4 opens these sources for the studio.
        VideoChoice::Stream(_) | VideoChoice::Guest(_) => Err(Error::NoVideo),
        VideoChoice::Camera(choice) => {
            let live = (dials.controls.get(), dials.decoder.get());
            camera::open(camera::backend::driver(), choice.clone(), live, context)
                .map(signal_watch::over)
        }
        VideoChoice::Screen(screen) => grab(Target::Screen(screen.clone())),
        VideoChoice::Window(id) => grab(Target::Window(id.clone())),
        VideoChoice::Text(content) => {
            let (chat, guests) = (dials.chat.get(), dials.guest_names.get());
            text::open(content, dials.text.clone(), TextBoards { chat, guests }, context)
        }
        VideoChoice::Image(path) => images::image::open(path, context),
        VideoChoice::Slides(path) => {
            images::slides::open(path, dials.slides.clone(), dials.transport(), context)
        }
        VideoChoice::Color(fill) => fill.open(context),
        VideoChoice::Browser(page) => browser::open(
            page,
            dials.page.clone(),
            (dials.page_refreshes.clone(), dials.page_inputs.clone(), dials.studio.get()),
            context,
        ),
        VideoChoice::None => Err(Error::NoVideo),
    }
}

/// Returns the size in pixels of an image, a text or a Y4M clip in a program of this size, or
/// `None` for other sources and unreadable files.
pub fn extent(choice: &VideoChoice, set: &Properties, program: Size) -> Option<(u32, u32)> {
    match choice {
        VideoChoice::Image(path) => decode::dimensions(path).ok(),
        VideoChoice::File(path) if y4m::is_y4m(path) => {
            FileStamp::of(path).ok()?;
            let size = reader::Reader::open(BufReader::new(File::open(path).ok()?)).ok()?.size();
            Some((size.width, size.height))
        }
        VideoChoice::Text(content) => {
            text::extent(content, &set.text, program).map(|size| (size.width, size.height))
        }
        VideoChoice::Browser(_) => {
            let size = set.page.size.unwrap_or(program);
            Some((size.width, size.height))
        }
        _ => None,
    }
}

#[cfg(test)]
mod extent_tests {
    use image::ImageEncoder as _;
    use image::codecs::jpeg::JpegEncoder;

    use super::*;

    #[test]
    fn a_photo_that_is_shown_turned_is_as_large_as_it_is_shown() {
        let folder = tempfile::tempdir().unwrap();
        let photo = folder.path().join("photo.jpg");
        let mut encoder = JpegEncoder::new(File::create(&photo).unwrap());
        // One Exif field: the orientation 6, "turn by 90 degrees".
        let exif = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0";
        encoder.set_exif_metadata(exif.to_vec()).unwrap();
        image::RgbImage::new(200, 100).write_with_encoder(encoder).unwrap();
        let choice = format!("image:{}", photo.display()).parse().unwrap();
        let size = extent(&choice, &Properties::default(), Size::new(1280, 720));
        assert_eq!(size, Some((100, 200)));
        let shown = decode::open(&photo, None).and_then(decode::OpenedImage::first);
        assert_eq!(shown.unwrap().size(), Size::new(100, 200));
    }

    #[test]
    fn files_and_texts_tell_how_large_they_are() {
        let folder = tempfile::tempdir().unwrap();
        let program = Size::new(1280, 720);
        let of = |word: &str| extent(&word.parse().unwrap(), &Properties::default(), program);
        let logo = folder.path().join("logo.png");
        image::RgbaImage::new(201, 100).save(&logo).unwrap();
        assert_eq!(of(&format!("image:{}", logo.display())), Some((201, 100)));
        let clip = folder.path().join("clip.y4m");
        std::fs::write(&clip, b"YUV4MPEG2 W4 H2 F30:1\nFRAME\n\0\0\0\0\0\0\0\0\0\0\0\0").unwrap();
        assert_eq!(of(&format!("file:{}", clip.display())), Some((4, 2)));
        let (short, long) = (of("text:I").unwrap(), of("text:I I I I").unwrap());
        assert!(short.0 < long.0 && short.1 == long.1 && long.0 < 1_280);
        let words = folder.path().join("words.txt");
        std::fs::write(&words, "I").unwrap();
        assert_eq!(of(&format!("text-file:{}", words.display())), Some(short));
        for none in ["text-file:/none", "image:/none.png", "file:/none.y4m", "camera", "test"] {
            assert_eq!(of(none), None, "{none}");
        }
    }
}
