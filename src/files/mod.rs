//! Floor 3: media files on the disk, read at any place. What is in them is told by `wire/`.

mod source;

pub use source::Source;
