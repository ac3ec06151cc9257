//! Floor 3: media files on the disk, read at any place, and names for new ones; what a disk has room for,
//! and what keeps files from being written. What is in them is told by `wire/`.

mod backend;
pub mod disk;
mod fresh;
mod source;
mod trouble;

pub use backend::space::free as free_space;
pub use fresh::{create, create_new};
pub use source::Source;
pub use trouble::Trouble;
