//! Limits for playlists, and their errors.

use std::time::Duration;

/// The longest accepted playlist in bytes.
pub const MAX_PLAYLIST_BYTES: usize = 4 << 20;
/// Maximum number of variants and renditions.
pub(super) const MAX_VARIANTS: usize = 200;
/// Maximum number of segments.
pub const MAX_SEGMENTS: usize = 100_000;
/// Maximum duration of a segment and of a hold-back, in seconds.
const MAX_SEGMENT_SECONDS: f64 = 86_400.0;

/// The reason why a text is not a playable playlist.
#[derive(Copy, Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("the first line does not begin with #EXTM3U")]
    NotPlaylist,
    #[error("the size exceeds {} MiB", MAX_PLAYLIST_BYTES >> 20)]
    TooLong,
    #[error("the number of entries exceeds {0}")]
    TooMany(usize),
    #[error("the tag {0} cannot be read")]
    Tag(&'static str),
    #[error("the target duration is missing")]
    NoTargetDuration,
    #[error("no entries were found")]
    Empty,
    #[error("some skipped entries were never received")]
    Skipped,
}

/// Parses seconds in a playlist.
pub(super) fn seconds(text: &str) -> Option<Duration> {
    let seconds: f64 = text.trim().parse().ok()?;
    (0.0..=MAX_SEGMENT_SECONDS).contains(&seconds).then(|| Duration::from_secs_f64(seconds))
}
