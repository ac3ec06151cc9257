//! Floor 3: media files on the disk, read at any place, and names for new ones; what a disk has room for,
//! and what keeps files from being written. What is in them is told by `wire/`.

pub mod backend;
pub mod disk_space;
pub mod flv_tags;
mod media_file;
mod new_file;
pub mod samples;
mod trouble;

pub use backend::space::free as free_space;
pub use media_file::MediaFile;
pub use new_file::{create, create_new};
pub use trouble::Trouble;
