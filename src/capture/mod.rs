//! Floor 3: pictures from devices, files and the test source, each behind a
//! [`VideoFeed`](crate::media::VideoFeed).

pub mod choice;

pub use choice::VideoChoice;
