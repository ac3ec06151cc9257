//! How much of a playlist is read, and what is wrong with one.

use std::time::Duration;

/// The longest playlist that is read.
pub const MAX_TEXT: usize = 4 << 20;
/// The most variants and renditions.
pub(super) const MAX_VARIANTS: usize = 200;
/// The most segments.
pub const MAX_SEGMENTS: usize = 100_000;
/// No segment lasts longer, and no list is held back further.
const MAX_SECONDS: f64 = 86_400.0;

/// Why a text is no playlist that can be played.
#[derive(Copy, Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("it does not begin with #EXTM3U")]
    NotPlaylist,
    #[error("it is longer than {} MiB", MAX_TEXT >> 20)]
    TooLong,
    #[error("it has more than {0} entries")]
    TooMany(usize),
    #[error("its tag {0} cannot be read")]
    Tag(&'static str),
    #[error("it has no target duration")]
    NoTargetDuration,
    #[error("it lists nothing")]
    Empty,
    #[error("it leaves out what was never told")]
    Skipped,
}

/// Seconds as playlists write them.
pub(super) fn seconds(text: &str) -> Option<Duration> {
    let seconds: f64 = text.trim().parse().ok()?;
    (0.0..=MAX_SECONDS).contains(&seconds).then(|| Duration::from_secs_f64(seconds))
}
