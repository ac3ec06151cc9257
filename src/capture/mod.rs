//! Floor 3: pictures from devices, files and the test source, each behind a
//! [`VideoFeed`](crate::media::VideoFeed). Each kind is a struct of plain settings that opens itself;
//! [`VideoChoice`] is what a few words can say of them.

mod backend;
mod board;
mod camera;
pub mod choice;
mod device;
mod file;
mod fill;
mod font;
mod image;
mod pixels;
mod rgb;
mod slides;
mod source;
mod test_picture;
mod y4m;

pub use choice::VideoChoice;
pub use fill::Fill;
pub use image::Image;
pub use rgb::Rgba;
pub use slides::{Order, Slides};
pub use source::{CameraFormat, CameraInfo, Context, Error, Source};

use crate::base::Timestamp;
use crate::media::markers::Schedule;
use crate::media::source::{Format, Status};

/// The cameras there are now.
pub fn cameras() -> Vec<CameraInfo> {
    let found = backend::driver().cameras().into_iter();
    found
        .map(|camera| {
            let formats = camera.offers.iter().map(|offer| CameraFormat {
                size: offer.size,
                fps: offer.fps(),
                pixel: offer.pixel.name(),
            });
            CameraInfo { formats: formats.collect(), id: camera.id, name: camera.name }
        })
        .collect()
}

/// Opens a source.
///
/// # Errors
/// A file that cannot be played, or nothing to open.
pub fn open(choice: &VideoChoice, context: &Context) -> Result<Source, Error> {
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
        VideoChoice::File(path) => file::open(path, context),
        VideoChoice::Camera(id) => camera::open(backend::driver(), id.clone(), context),
        VideoChoice::Image(path) => Image { path: path.clone() }.open(context),
        VideoChoice::Slides(path) => Slides::of(path).open(context),
        VideoChoice::Color(fill) => fill.open(context),
        VideoChoice::None => Err(Error::NoPicture),
    }
}
