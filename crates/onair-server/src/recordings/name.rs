//! The name of a recording: the application, the stream and the time of its start. It names a file directly in
//! the folder, and nothing else. Publishers choose names freely, so characters that could escape the folder,
//! disturb a terminal or join the two names are percent-encoded, and the names can be read back.

use std::fmt::Write;
use std::path::Path;
use std::time::SystemTime;

use jiff::tz::TimeZone;

use crate::wire::container::Format;
use crate::wire::percent::decoded;

/// Maximum length of the application in a file name in bytes.
const MAX_APP_BYTES: usize = 80;
/// Maximum length of the application and the stream together. The file name, with a mark for each shortened name, a
/// number and an extension, then has at most 255 bytes.
const MAX_NAMES_BYTES: usize = 222;
/// The character that replaces the rest of a longer name. It is not a complete escape, so a
/// shortened name cannot be read back.
const TRUNCATION_MARK: char = '%';
/// The format of the time.
const TIME_FORMAT: &str = "%Y-%m-%d %H-%M-%S";
/// The same format, with a 0 for each digit.
const TIME_PATTERN: &str = "0000-00-00 00-00-00";
/// Maximum number of digits in the number after the time.
const MAX_NUMBER_DIGITS: usize = 4;

/// The stream in the name of a recording.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct RecordedStream {
    pub app: String,
    pub stream: String,
}

/// Returns the file name for a stream at this time, in microseconds since 1970.
pub(super) fn file_name(app: &str, stream: &str, wall_micros: i64, format: Format) -> String {
    let at = jiff::Timestamp::from_microsecond(wall_micros).unwrap_or_default();
    let at = at.to_zoned(TimeZone::system()).strftime(TIME_FORMAT).to_string();
    let app = encoded(app, "_.", MAX_APP_BYTES);
    let stream = encoded(stream, "_.-", MAX_NAMES_BYTES.saturating_sub(app.len()));
    format!("{app}-{stream} {at}.{}", format.extension())
}

fn encoded(name: &str, plain: &str, most: usize) -> String {
    let mut out = String::new();
    for (index, letter) in name.char_indices() {
        let before = out.len();
        // A dot at the start would hide the file.
        let is_plain = letter.is_alphanumeric() || plain.contains(letter);
        if is_plain && (index > 0 || letter != '.') {
            out.push(letter);
        } else {
            let mut bytes = [0; 4];
            for byte in letter.encode_utf8(&mut bytes).bytes() {
                let _ = write!(out, "%{byte:02X}");
            }
        }
        if out.len() > most {
            out.truncate(before);
            out.push(TRUNCATION_MARK);
            return out;
        }
    }
    out
}

/// Returns the stream of a recording with this name, which can include the extension. Returns `None` if
/// this is not the name of a recording, or if it does not contain the complete names of application and
/// stream.
pub(crate) fn stream_of(name: &str) -> Option<RecordedStream> {
    let (names, _) = split(stem(name))?;
    let (app, stream) = names.split_once('-')?;
    let (app, stream) = (decoded(app)?, decoded(stream)?);
    Some(RecordedStream { app, stream }).filter(|it| !it.app.is_empty() && !it.stream.is_empty())
}

/// Returns the time at which a recording with this name began, in microseconds since 1970. When daylight saving time
/// ends, local times occur twice; `created`, the creation time of the file, then decides.
pub(crate) fn began(name: &str, created: Option<SystemTime>) -> Option<i64> {
    began_in(name, created, &TimeZone::system())
}

fn began_in(name: &str, created: Option<SystemTime>, zone: &TimeZone) -> Option<i64> {
    let (_, time) = split(stem(name))?;
    let time =
        jiff::civil::DateTime::strptime(TIME_FORMAT, time.get(..TIME_PATTERN.len())?).ok()?;
    let at = zone.to_ambiguous_zoned(time);
    let first = at.clone().compatible().ok()?.timestamp().as_microsecond();
    let second = at.later().ok()?.timestamp().as_microsecond();
    let created = created.and_then(|it| Some(jiff::Timestamp::try_from(it).ok()?.as_microsecond()));
    // A copy of the file has a much later creation time.
    let is_second = created.is_some_and(|at| (at - second).abs() < (second - first) / 2);
    Some(if is_second { second } else { first })
}

/// Returns true if the server gives its recordings names of this form.
pub(crate) fn is_ours(file: &str) -> bool {
    matches!(format_of(file), Some(Format::Flv | Format::Mp4)) && split(stem(file)).is_some()
}

/// Returns the name without the extension of a recording.
pub(crate) fn stem(name: &str) -> &str {
    let cut = |extension: &str| name.strip_suffix(extension).and_then(|it| it.strip_suffix('.'));
    cut(Format::Mp4.extension()).or_else(|| cut(Format::Flv.extension())).unwrap_or(name)
}

/// Returns the names and the time in a stem. A number may follow the time, in the form of
/// [`crate::files::create_new`], or after a space as in earlier recordings.
fn split(stem: &str) -> Option<(&str, &str)> {
    let is_number = |text: &str| {
        (1..=MAX_NUMBER_DIGITS).contains(&text.len()) && text.bytes().all(|it| it.is_ascii_digit())
    };
    let of = |stem: &'_ str| -> Option<usize> {
        let at = stem.len().checked_sub(TIME_PATTERN.len() + 1)?;
        let time = stem.get(at..)?.strip_prefix(' ')?;
        let fits = |(byte, form): (u8, u8)| {
            if form == b'0' { byte.is_ascii_digit() } else { byte == form }
        };
        time.bytes().zip(TIME_PATTERN.bytes()).all(fits).then_some(at)
    };
    let unnumbered = || stem.rsplit_once([' ', '-']).filter(|(_, number)| is_number(number));
    let at = of(stem).or_else(|| of(unnumbered()?.0))?;
    let names = stem.get(..at).filter(|names| names.contains('-'))?;
    Some((names, stem.get(at + 1..)?))
}

/// Returns the format of a file with this name, or `None` if the name contains a path, is hidden, or is not a
/// media file.
pub(crate) fn format_of(name: &str) -> Option<Format> {
    let is_plain = !name.starts_with('.')
        && name.chars().all(|it| !it.is_control() && !matches!(it, '/' | '\\' | ':'));
    Format::of_path(Path::new(name)).filter(|_| is_plain)
}

/// Returns the media type of a format.
pub(crate) fn media_type(format: Format) -> &'static str {
    match format {
        Format::Flv => "video/x-flv",
        Format::Mp4 => "video/mp4",
        Format::Mkv => "video/matroska",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_nowhere_else_and_are_read_back() {
        for (app, stream) in [
            ("live", "show"),
            ("my-app", "my-show"),
            ("a/b", "c d"),
            ("../..", "/etc/passwd"),
            ("a\n", ".\u{1b}[2J"),
            ("-rf", "-"),
            ("..", "%41"),
            ("直播", "\u{1F600}"),
        ] {
            for format in [Format::Flv, Format::Mp4] {
                let name = file_name(app, stream, 0, format);
                let is_bad = |it: char| it.is_control() || "/\\:".contains(it);
                assert!(!name.contains(is_bad) && !name.starts_with(['.', '-']), "{name}");
                assert_eq!(format_of(&name), Some(format), "{name}");
                assert_eq!(began(&name, None), Some(0), "{name}");
                assert_eq!(Path::new(&name).components().count(), 1);
                let found = Some(RecordedStream { app: app.into(), stream: stream.into() });
                assert_eq!(stream_of(&name), found, "{name}");
                assert_eq!(stream_of(stem(&name)), found, "{name}");
                for number in ["-1", "-9999", " 12"] {
                    let numbered = format!("{}{number}", stem(&name));
                    assert_eq!(stream_of(&numbered), found, "{numbered}");
                    assert!(is_ours(&format!("{numbered}.flv")), "{numbered}");
                }
                assert!(is_ours(&name), "{name}");
            }
        }
        assert!(file_name("live", "show", 0, Format::Flv).starts_with("live-show 19"));
        let long = file_name(&"x".repeat(5_000), &"\u{4e2d}".repeat(5_000), 0, Format::Mp4);
        assert!(long.len() <= 250 && is_ours(&long) && stream_of(&long).is_none(), "{long}");
        for (app, stream) in [("live", "x".repeat(218)), ("live", "\u{4e2d}".repeat(72))] {
            let name = file_name(app, &stream, 0, Format::Mp4);
            assert_eq!(stream_of(&name).map(|it| it.stream), Some(stream), "{name}");
        }
        // Different names never share a file.
        let names = [("a-b", "c"), ("a", "b-c")].map(|(a, b)| file_name(a, b, 0, Format::Flv));
        assert_ne!(names[0], names[1]);
    }

    #[test]
    fn a_local_time_that_occurs_twice_is_read_back() {
        let zone = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        let name = "live-show 2026-10-25 02-30-00.flv";
        let at = |text: &str| text.parse::<jiff::Timestamp>().unwrap();
        let [first, second] = ["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"].map(at);
        let copied = at("2026-10-26T08:00:00Z");
        for (created, expected) in
            [(None, first), (Some(first), first), (Some(second), second), (Some(copied), first)]
        {
            let found = began_in(name, created.map(SystemTime::from), &zone);
            assert_eq!(found, Some(expected.as_microsecond()), "{created:?}");
        }
        let once = began_in("live-show 2026-10-25 03-30-00.flv", Some(second.into()), &zone);
        assert_eq!(once, Some(at("2026-10-25T02:30:00Z").as_microsecond()));
    }

    #[test]
    fn other_files_are_not_ours() {
        for name in [
            "show.flv",
            "live-show.mp4",
            "live-show 2026-11-25.flv",
            "live 2026-11-25 18-00-00.flv",
            "live-show 2026-11-25 18-00-0x.flv",
            "live-show 2026-11-25 18-00-00-12345.flv",
            "live-show 2026-11-25 18-00-00.mkv",
            "live-show 2026-11-25 18-00-00.flv.txt",
            ".live-show 2026-11-25 18-00-00.flv",
            "../live-show 2026-11-25 18-00-00.flv",
            "",
            " ",
            "-",
        ] {
            assert!(!is_ours(name), "{name}");
        }
        assert_eq!(stream_of("live%-show 2026-11-25 18-00-00"), None);
        assert_eq!(stream_of("live%ff-show 2026-11-25 18-00-00"), None);
        assert_eq!(stream_of("-show 2026-11-25 18-00-00"), None);
    }

    #[test]
    fn only_plain_media_files_have_a_format() {
        assert_eq!(format_of("live-show 2026-11-25 18-00-00.flv"), Some(Format::Flv));
        assert_eq!(format_of("直播-\u{1F600}.MP4"), Some(Format::Mp4));
        for bad in [
            "",
            ".",
            "..",
            ".flv",
            ".hidden.flv",
            "../a.flv",
            "a/../b.flv",
            "/etc/a.flv",
            "a\\b.flv",
            "C:a.flv",
            "a\0.flv",
            "a\n.flv",
            "a.flv/",
            "passwd",
            "a.flv.txt",
        ] {
            assert_eq!(format_of(bad), None, "{bad:?}");
        }
    }
}
