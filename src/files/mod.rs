//! Floor 3: media files on the disk, read at any place, and names for new ones. What is in them is told by `wire/`.

mod fresh;
mod source;

pub use fresh::{create_new, free_name};
pub use source::Source;
