//! Limits for playlists, and their errors.

use std::time::Duration;

use crate::text::Problem;
use crate::text::problem::{problem, problem_error};

/// The longest accepted playlist in bytes.
pub const MAX_PLAYLIST_BYTES: usize = 4 << 20;
/// Maximum number of variants and renditions.
pub(super) const MAX_VARIANTS: usize = 200;
/// Maximum number of segments.
pub const MAX_SEGMENTS: usize = 100_000;
/// Maximum duration of a segment and of a hold-back, in seconds.
const MAX_SEGMENT_SECONDS: f64 = 86_400.0;

/// The reason why a text is not a playable playlist.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Error {
    NotPlaylist,
    TooLong,
    TooMany(usize),
    Tag(&'static str),
    NoTargetDuration,
    Empty,
    Skipped,
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::NotPlaylist => problem!("hls-not-a-playlist"),
            Error::TooLong => problem!("hls-too-long", mib = MAX_PLAYLIST_BYTES >> 20),
            Error::TooMany(count) => problem!("hls-too-many", count = count),
            Error::Tag(tag) => problem!("hls-tag", tag = tag),
            Error::NoTargetDuration => problem!("hls-no-target-duration"),
            Error::Empty => problem!("hls-empty"),
            Error::Skipped => problem!("hls-skipped"),
        }
    }
}

problem_error!(*Error);

/// Parses seconds in a playlist.
pub(super) fn seconds(text: &str) -> Option<Duration> {
    let seconds: f64 = text.trim().parse().ok()?;
    (0.0..=MAX_SEGMENT_SECONDS).contains(&seconds).then(|| Duration::from_secs_f64(seconds))
}
