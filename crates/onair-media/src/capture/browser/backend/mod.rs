//! The process of a page: starts Chromium, loads the page, and sends its frames to onair. Also the
//! socket between the two. One thread waits for onair, Chromium and the next deadline.

mod cdp;
mod child;
mod chromium;
mod connection;
mod frame_image;
mod host;
mod input;
mod memory;
mod session;
mod supervisor;

pub use child::run;
pub use host::PageHost;
pub(in crate::capture) use supervisor::open;
