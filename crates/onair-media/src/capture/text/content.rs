//! The content of a text at one moment, from a fixed text, a file, the time of day, a countdown or
//! a stopwatch. The content is always limited in length and free of harmful characters.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::base::FileStamp;
use crate::base::sanitize::is_harmless;
use crate::text::Problem;

/// Maximum number of characters.
pub(super) const MAX_CHARACTERS: usize = 4_000;
/// Maximum number of bytes that are read from a file.
const MAX_FILE_BYTES: u64 = 64 << 10;
/// Interval between checks of a file.
const POLL_INTERVAL: Duration = Duration::from_millis(500);
/// Interval between looks at the chat and at names.
const CHAT_INTERVAL: Duration = Duration::from_millis(100);

/// The source of a text.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Content {
    /// A fixed text.
    Words(String),
    /// The text of a file in UTF-8, which is watched.
    File(PathBuf),
    /// The time of day in a `strftime` format. If the format is empty or invalid, `%H:%M:%S` is
    /// used.
    Clock(String),
    /// A countdown of this duration, from the opening of the source.
    Countdown(Duration),
    /// The time since the opening of the source.
    Stopwatch,
    /// This number of the newest messages in the chat.
    Chat(u8),
    /// The name of the guest with this ID.
    GuestName(String),
}

impl Content {
    /// Returns the display name.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Words(words) => clean(words).chars().take(40).collect(),
            Self::File(path) => {
                path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
            }
            Self::Clock(_) => "Clock".to_owned(),
            Self::Countdown(_) => "Countdown".to_owned(),
            Self::Stopwatch => "Stopwatch".to_owned(),
            Self::Chat(_) => "Chat".to_owned(),
            Self::GuestName(_) => "Name tag".to_owned(),
        }
    }

    /// Returns the content at this time after the opening and at this wall-clock time (in
    /// microseconds of Unix time). Returns `None` for a file: use [`read`] instead. Only the boards know the messages of
    /// the chat and the names of guests.
    pub(super) fn words(&self, since: Duration, wall_micros: i64) -> Option<String> {
        match self {
            Self::Words(words) => Some(clean(words)),
            Self::File(_) | Self::Chat(_) | Self::GuestName(_) => None,
            Self::Clock(format) => Some(clean(&clock(format, wall_micros))),
            // A second is displayed until it has ended.
            Self::Countdown(from) => {
                let left = from.saturating_sub(since);
                Some(count(left.as_secs() + u64::from(left.subsec_nanos() > 0)))
            }
            Self::Stopwatch => Some(count(since.as_secs())),
        }
    }

    /// Returns the duration for which the content stays the same.
    pub(super) fn stands(&self, since: Duration, wall_micros: i64) -> Duration {
        let second = Duration::from_secs(1);
        let to_next = |micros: u64| Duration::from_micros(1_000_000 - micros % 1_000_000);
        match self {
            Self::Words(_) => Duration::from_secs(3_600),
            Self::File(_) => POLL_INTERVAL,
            Self::Chat(_) | Self::GuestName(_) => CHAT_INTERVAL,
            Self::Clock(format) if has_fraction(format) => second / 30,
            Self::Clock(_) => to_next(wall_micros.rem_euclid(1_000_000).unsigned_abs()),
            Self::Countdown(_) | Self::Stopwatch => {
                to_next(u64::try_from(since.as_micros()).unwrap_or(0))
            }
        }
    }
}

/// Returns true if a clock shows parts of a second: `%f` or `%N`, possibly with a point and a number
/// of digits.
fn has_fraction(format: &str) -> bool {
    let is_digit_or_point = |c: char| c == '.' || c.is_ascii_digit();
    let directives = format.split('%').skip(1);
    directives
        .map(|it| it.trim_start_matches(is_digit_or_point))
        .any(|it| it.starts_with(['f', 'N']))
}

/// Formats the time of day in the system's time zone.
fn clock(format: &str, wall_micros: i64) -> String {
    let Ok(at) = jiff::Timestamp::from_microsecond(wall_micros) else { return String::new() };
    let at = at.to_zoned(jiff::tz::TimeZone::system());
    let plain = "%H:%M:%S";
    let format = if format.is_empty() { plain } else { format };
    let written = jiff::fmt::strtime::format(format, &at);
    written.or_else(|_| jiff::fmt::strtime::format(plain, &at)).unwrap_or_default()
}

/// Formats seconds as `MM:SS` or `H:MM:SS`.
fn count(seconds: u64) -> String {
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes:02}:{seconds:02}")
    }
}

/// Reads the text of a file, with its stamp at that time.
pub(super) fn read(path: &Path) -> (Result<FileStamp, Problem>, Result<String, Problem>) {
    let stamp = FileStamp::of(path);
    let words = stamp.clone().and_then(|_| {
        let file = File::open(path)?;
        let mut bytes = Vec::new();
        file.take(MAX_FILE_BYTES).read_to_end(&mut bytes)?;
        Ok(clean(&String::from_utf8_lossy(&bytes)))
    });
    (stamp, words)
}

/// Keeps lines, replaces tabs with spaces, removes control characters, and limits the length.
pub(super) fn clean(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\t', "    ");
    let signs = text.trim_end().chars().filter(|&sign| sign == '\n' || is_harmless(sign));
    signs.take(MAX_CHARACTERS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_made_harmless_and_bounded() {
        assert_eq!(clean("a\tb\r\nc\u{202E}d\0\u{1B}[31m\n\n"), "a    b\ncd[31m");
        assert_eq!(clean(&"字".repeat(9_999)).chars().count(), MAX_CHARACTERS);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("score.txt");
        std::fs::write(&path, b"3 : 2\xFF").unwrap();
        assert_eq!(read(&path).1.unwrap(), "3 : 2\u{FFFD}");
        std::fs::write(&path, vec![b'x'; 1 << 20]).unwrap();
        assert_eq!(read(&path).1.unwrap().len(), MAX_CHARACTERS);
        for path in ["/", "/dev/zero", "/nonexistent"] {
            assert!(read(Path::new(path)).1.is_err(), "{path}");
        }
    }

    #[test]
    fn times_are_written() {
        let at = |content: &Content, millis: u64| {
            content.words(Duration::from_millis(millis), 0).unwrap()
        };
        let down = Content::Countdown(Duration::from_secs(3_601));
        assert_eq!(at(&down, 0), "1:00:01");
        assert_eq!(at(&down, 999), "1:00:01");
        assert_eq!(at(&down, 1_000), "1:00:00");
        assert_eq!(at(&down, 1_001), "1:00:00");
        assert_eq!(at(&down, 2_000), "59:59");
        assert_eq!(at(&down, 9_999_999), "00:00");
        assert_eq!(at(&Content::Stopwatch, 61_900), "01:01");
        assert_eq!(Content::Stopwatch.stands(Duration::from_millis(61_900), 0).as_millis(), 100);
        let year = Content::Clock("%Y".to_owned()).words(Duration::ZERO, 1_790_000_000_000_000);
        assert_eq!(year.unwrap(), "2026");
        let odd = Content::Clock("%".to_owned()).words(Duration::ZERO, 0).unwrap();
        assert!(odd.ends_with(":00"), "{odd}");
        let clock = Content::Clock(String::new());
        assert_eq!(clock.stands(Duration::ZERO, 5_250_000).as_millis(), 750);
        for (format, millis) in [("%S.%3f", 33), ("%S%.f", 33), ("%S.%3N", 33), ("%d.%m", 750)] {
            let clock = Content::Clock(format.to_owned());
            assert_eq!(clock.stands(Duration::ZERO, 5_250_000).as_millis(), millis, "{format}");
        }
    }
}
