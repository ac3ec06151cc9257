//! Floor 3: pictures from devices, files and the test source, each behind a
//! [`VideoFeed`](crate::media::VideoFeed). Each kind is a struct of plain settings that opens itself;
//! [`VideoChoice`] is what a few words can say of them.

mod area;
mod backend;
mod board;
mod camera;
mod canvas;
pub mod choice;
pub mod clip;
pub mod control;
mod device;
mod dial;
mod display;
mod extent;
mod file;
mod fill;
mod font;
mod image;
mod instead;
mod mode;
pub mod permission;
mod pixel;
mod pixels;
mod planar;
mod properties;
mod rgb;
mod screen;
pub mod sharing;
mod slides;
mod source;
mod target;
mod test_picture;
pub mod text;
mod watch;
mod y4m;

pub use area::Area;
pub use choice::VideoChoice;
pub use control::{CameraControl, ControlBoard};
pub use display::{ScreenInfo, Sharing, WindowInfo};
pub use extent::extent;
pub use fill::Fill;
pub use image::{Image, still};
pub use instead::Instead;
pub use mode::{CameraChoice, Mode};
pub use permission::Permissions;
pub use properties::{Dials, Heeds, Hidden, Properties};
pub use rgb::Rgba;
pub use slides::{Order, Pace, Slides, names_image};
pub use source::{CameraFormat, CameraInfo, Context, Error, Source};
pub use target::{Screen, Window};
pub use text::{Text, nameplate};
pub use watch::{over_file, over_stream};

use crate::base::Timestamp;
use crate::media::markers::Schedule;
use crate::media::source::{Format, Status};

/// The cameras there are now.
pub fn cameras() -> Vec<CameraInfo> {
    let found = backend::driver().cameras().into_iter();
    found
        .map(|camera| {
            let formats = camera.offers.iter().map(device::Offer::format);
            CameraInfo { formats: formats.collect(), id: camera.id, name: camera.name }
        })
        .collect()
}

/// What a camera's driver lets be set, by its id; nothing where it cannot be asked.
pub fn controls(id: &str) -> Vec<CameraControl> {
    backend::driver().controls(id).unwrap_or_default()
}

/// The screens there are now; the error is a sentence that says why they cannot be shown.
pub fn screens() -> Result<Vec<ScreenInfo>, String> {
    backend::screens().screens().map_err(|fault| fault.to_string())
}

/// The windows there are now; the error is a sentence that says why they cannot be shown.
pub fn windows() -> Result<Vec<WindowInfo>, String> {
    backend::screens().windows().map_err(|fault| fault.to_string())
}

/// Whether this is a session of Wayland, whose screens the desktop is asked for.
pub fn in_wayland() -> bool {
    target::is_wayland()
}

/// What the desktop's own dialog gives where it is asked for screens and windows, or a sentence that
/// says why it gives nothing; `None` where this is no session of Wayland.
pub fn sharing() -> Option<Result<Sharing, String>> {
    backend::sharing().map(|offered| offered.map_err(|fault| fault.to_string()))
}

impl Screen {
    /// Opens it. A screen that is not there is taken when it comes.
    ///
    /// # Errors
    /// Where the system gives no thread.
    pub fn open(&self, context: &Context) -> Result<Source, Error> {
        screen::open(backend::screens(), screen::Target::Screen(self.clone()), context)
    }
}

impl Window {
    /// Opens it. A window that is not there is taken when it comes.
    ///
    /// # Errors
    /// Where the system gives no thread.
    pub fn open(&self, context: &Context) -> Result<Source, Error> {
        screen::open(backend::screens(), screen::Target::Window(self.clone()), context)
    }
}

/// Whether [`open`] shows this source; other files and streams are for the player.
pub fn shows(choice: &VideoChoice) -> bool {
    match choice {
        VideoChoice::File(path) => file::is_y4m(path),
        VideoChoice::Stream(_) => false,
        _ => true,
    }
}

/// Opens a source that it [`shows`].
///
/// # Errors
/// A file that cannot be played, or nothing to open.
pub fn open(choice: &VideoChoice, context: &Context) -> Result<Source, Error> {
    open_by(choice, &Dials::default(), context)
}

/// The same; it has the properties that the dials have, also when they are turned.
///
/// # Errors
/// As [`open`].
pub fn open_by(choice: &VideoChoice, dials: &Dials, context: &Context) -> Result<Source, Error> {
    let pointer = || (dials.without_pointer.clone(), dials.permissions());
    match choice {
        VideoChoice::Test => {
            let zero = context.clock.wall_micros(Timestamp::ZERO);
            let schedule = Schedule::new(context.grid, zero);
            let status = Status::new("", "Test picture");
            let fps = context.grid.rate.as_f64();
            status.open(Format::Video { size: context.size, fps });
            let feed = Box::new(test_picture::TestPicture::new(schedule, context.size));
            Ok(Source { feed, status })
        }
        VideoChoice::File(path) => file::open(path, dials.transport(), context)
            .map(|source| over_file(source, dials.watched())),
        // Floor 4 plays these: the studio asks there.
        VideoChoice::Stream(_) => Err(Error::NoPicture),
        VideoChoice::Camera(choice) => {
            let driver = backend::driver();
            camera::open(driver, choice.clone(), (dials.controls(), dials.unpacker()), context)
                .map(watch::over)
        }
        VideoChoice::Screen(screen) => {
            let target = screen::Target::Screen(screen.clone());
            screen::open_by(backend::screens(), target, pointer(), context)
        }
        VideoChoice::Window(id) => {
            let window = Window { id: id.clone(), without_pointer: false };
            let target = screen::Target::Window(window);
            screen::open_by(backend::screens(), target, pointer(), context)
        }
        VideoChoice::Text(content) => {
            Text::of(content.clone()).open_by(dials.text.clone(), context)
        }
        VideoChoice::Image(path) => Image { path: path.clone() }.open(context),
        VideoChoice::Slides(path) => {
            Slides::of(path).open_by(dials.slides.clone(), dials.transport(), context)
        }
        VideoChoice::Color(fill) => fill.open(context),
        VideoChoice::None => Err(Error::NoPicture),
    }
}
