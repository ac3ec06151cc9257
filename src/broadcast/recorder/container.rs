//! Which writer writes which format.

use crate::wire::container::{Format, Muxer, Timing, Tracks};
use crate::wire::{flv, mkv, mp4};

/// The writer of a file of this format with these tracks.
pub(super) fn muxer(format: Format, tracks: Tracks) -> Box<dyn Muxer> {
    match format {
        Format::Flv => Box::new(flv::Recording::new(tracks)),
        Format::Mp4 => Box::new(mp4::Writer::new(tracks)),
        Format::Mkv => Box::new(mkv::Writer::new(tracks)),
    }
}

/// The writer of a copy of a file, whose times are these.
pub(super) fn copier(format: Format, tracks: Tracks, timing: &Timing) -> Box<dyn Muxer> {
    match format {
        Format::Flv => Box::new(flv::Recording::new(tracks)),
        Format::Mp4 => Box::new(mp4::Writer::copying(tracks, timing)),
        Format::Mkv => Box::new(mkv::Writer::copying(tracks, timing)),
    }
}
