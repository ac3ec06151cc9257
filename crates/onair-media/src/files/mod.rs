//! Floor 3: media files on the disk with random access, names for new files, free space, and
//! reasons for file errors. `wire/` parses the content of media files.

pub mod disk_space;
pub mod flv_tags;
mod media_file;
pub mod name_pattern;
mod new_file;
pub mod samples;
mod trouble;

pub use crate::platform::disk::{free as free_space, free_files, free_for as free_space_for};
pub use media_file::MediaFile;
pub use new_file::{
    create, create_new, new_path, numbered_names, remove_abandoned, rename_new, rename_numbered,
};
pub use trouble::{Trouble, change_error};
