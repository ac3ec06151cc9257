//! Creates names for new files.

use std::path::{Path, PathBuf};

/// Returns the path of a new file in `folder`, named after the local time.
pub fn new_path(folder: &Path, what: &str, extension: &str) -> PathBuf {
    let time = jiff::Zoned::now().strftime("%Y-%m-%d %H-%M-%S").to_string();
    folder.join(format!("{what} {time}.{extension}"))
}
