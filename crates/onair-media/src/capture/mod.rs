//! Floor 3: video from devices, files and the test pattern. Each source is behind a video feed.

pub mod browser;
pub mod camera;
pub mod choice;
mod fallback;
mod generated;
pub mod images;
mod open;
mod properties;
mod rgb;
pub mod screen;
mod signal_watch;
mod source;
pub mod text;
mod y4m;

pub use crate::capture::browser::BrowserPage;
pub use crate::capture::camera::control::{CameraControl, CameraControls};
pub use crate::capture::camera::mode::{CameraChoice, Mode};
pub use crate::capture::camera::virtual_camera::{
    VirtualCamera, VirtualCameraFormat, VirtualCameraState,
};
pub use crate::capture::choice::VideoChoice;
pub use crate::capture::fallback::VideoFallback;
pub use crate::capture::generated::color_source::ColorSource;
pub use crate::capture::images::image::still;
pub use crate::capture::images::slides::{Order, Pace, names_image};
pub use crate::capture::properties::{LiveProperties, Properties, UsedProperties, WhenHidden};
pub use crate::capture::rgb::Rgba;
pub use crate::capture::screen::area::Area;
pub use crate::capture::screen::display::{ScreenInfo, Sharing, WindowInfo};
pub use crate::capture::screen::permission::Permissions;
pub use crate::capture::screen::sharing;
pub use crate::capture::screen::target::DisplayTarget;
pub use crate::capture::signal_watch::{over_file, over_stream};
pub use crate::capture::source::{CameraFormat, CameraInfo, Context, Error, Source};
pub use crate::capture::text::nameplate;
pub use open::{
    camera_id_at, cameras, controls, extent, in_wayland, open, open_by, screens, sharing, shows,
    windows,
};
