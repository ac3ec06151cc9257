//! The rules for which streams the server records, in which format, and how long it keeps the files. This
//! module is pure.

use std::time::Duration;

use crate::server::access::stream_pattern::matches;
use crate::wire::container::Format;

/// Maximum duration of a file that is not split otherwise, while old recordings are deleted. The server deletes only
/// complete files.
const MAX_KEPT_FILE_TIME: Duration = Duration::from_hours(12);
/// The maximum size of such a file is the total size divided by this.
const KEPT_FILE_DIVISOR: u64 = 4;

/// The rules for how a stream is recorded.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct FileRules {
    /// The format: FLV or MP4.
    pub format: Format,
    /// The next file begins at the first keyframe after this duration, or after this many bytes.
    pub split_time: Option<Duration>,
    pub split_bytes: Option<u64>,
}

impl Default for FileRules {
    fn default() -> Self {
        Self { format: Format::Flv, split_time: None, split_bytes: None }
    }
}

/// The rule for streams whose names match a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamRule {
    /// `APP/STREAM`, where `*` is any text without a slash, and `**` any text.
    pub streams: String,
    /// `None` means that these streams are not recorded.
    pub file: Option<FileRules>,
}

/// How long recordings are kept; `None` means no limit.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    pub time: Option<Duration>,
    /// Maximum total size of all recordings, in bytes.
    pub bytes: Option<u64>,
}

impl Retention {
    /// Returns the rules for a file. If the file's own rules never split the recording, the returned rules do, so that
    /// old parts of it can be deleted.
    fn split(self, file: FileRules) -> FileRules {
        let is_split = file.split_time.is_some() || file.split_bytes.is_some();
        if self == Self::default() || is_split {
            return file;
        }
        let time = self.time.map_or(MAX_KEPT_FILE_TIME, |time| time.min(MAX_KEPT_FILE_TIME));
        let split_bytes = self.bytes.map(|bytes| bytes / KEPT_FILE_DIVISOR);
        FileRules { split_time: Some(time), split_bytes, ..file }
    }
}

/// The rules of the server for its recordings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordingRules {
    /// The rules for streams without their own rule.
    pub others: FileRules,
    /// The rules for particular streams. The first rule that matches applies.
    pub streams: Vec<StreamRule>,
    pub keep: Retention,
    /// True if clients that may play a stream may also play its recordings.
    pub playback: bool,
}

impl Default for RecordingRules {
    fn default() -> Self {
        let (others, streams, keep) = (FileRules::default(), Vec::new(), Retention::default());
        Self { others, streams, keep, playback: true }
    }
}

impl RecordingRules {
    /// Returns the rules for recording a stream, or `None` if the stream is not recorded.
    pub fn of(&self, app: &str, stream: &str) -> Option<FileRules> {
        let name = format!("{app}/{stream}");
        let rule = self.streams.iter().find(|rule| matches(&rule.streams, &name));
        rule.map_or(Some(self.others), |rule| rule.file).map(|file| self.keep.split(file))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recordings_that_are_deleted_by_time_or_size_are_split() {
        let of = |others: FileRules, hours: Option<u64>, bytes| {
            let keep = Retention { time: hours.map(Duration::from_hours), bytes };
            RecordingRules { others, keep, ..RecordingRules::default() }.of("live", "show").unwrap()
        };
        let split = |hours, split_bytes| FileRules {
            split_time: Some(Duration::from_hours(hours)),
            split_bytes,
            ..FileRules::default()
        };
        let whole = FileRules::default();
        assert_eq!(of(whole, None, None), whole);
        assert_eq!(of(whole, Some(48), None), split(12, None));
        assert_eq!(of(whole, Some(2), Some(400)), split(2, Some(100)));
        assert_eq!(of(whole, None, Some(400)), split(12, Some(100)));
        for own in [split(24, None), FileRules { split_bytes: Some(300), ..whole }] {
            assert_eq!(of(own, Some(48), Some(400)), own);
        }
    }

    #[test]
    fn the_first_rule_that_matches_counts() {
        let mp4 = FileRules { format: Format::Mp4, ..FileRules::default() };
        let rule = |streams: &str, file| StreamRule { streams: streams.to_owned(), file };
        let rules = RecordingRules {
            streams: vec![rule("live/secret*", None), rule("live/*", Some(mp4))],
            ..RecordingRules::default()
        };
        assert_eq!(rules.of("live", "secret-show"), None);
        assert_eq!(rules.of("live", "show"), Some(mp4));
        assert_eq!(rules.of("live/deep", "show"), Some(FileRules::default()));
        assert_eq!(rules.of("other", "secret"), Some(FileRules::default()));
    }
}
