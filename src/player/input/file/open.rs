//! Files of the disk, opened, and what is said of those that are none that can be played.

use std::fs::File;
use std::path::Path;

use crate::player::demux::file_samples::unreadable;
use crate::player::state::{Failure, FailureKind};
use crate::wire::container::flv::Error;

/// Opens a regular file: a pipe or a device could keep us waiting for ever.
pub(in crate::player) fn open(path: &Path) -> Result<File, Failure> {
    let metadata = path.metadata().map_err(|error| unreadable(path, &error.to_string()))?;
    if !metadata.is_file() {
        return Err(unreadable(path, "it is no regular file"));
    }
    File::open(path).map_err(|error| unreadable(path, &error.to_string()))
}

pub(super) fn no_flv(path: &Path, error: &Error) -> Failure {
    Failure::new(
        FailureKind::File,
        format!("{} cannot be played: {error}", path.display()),
        "Give an FLV, MP4, MKV, WebM, MP3, FLAC, Ogg, AAC or WAV file; others can be converted, for example with ffmpeg.",
    )
}
