//! The syntax of values of `onair serve`, on the command line and in the file of `--config`.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use crate::cli::flags::value::bytes;
pub(super) use crate::cli::flags::value::within;
use crate::text::Problem;
use crate::text::problem::problem;
use crate::wire::container::Format;

/// Takes the path of an invalid value in the configuration, and the reason.
pub(super) type Note<'a> = &'a mut dyn FnMut(&str, &Problem);

/// The range of a file's duration.
pub(super) const SPLIT_TIME_RANGE: (Duration, Duration) =
    (Duration::from_secs(1), Duration::from_hours(7 * 24));
/// The range of the time for which files are kept.
pub(super) const KEEP_TIME_RANGE: (Duration, Duration) =
    (Duration::from_mins(1), Duration::from_hours(366 * 24));

/// Maximum number of rules of one kind for streams.
pub(super) const MAX_STREAM_RULES: usize = 256;
/// Maximum length of a pattern of stream names in bytes.
const MAX_PATTERN_BYTES: usize = 512;

/// The range of the maximum number of connections.
pub(super) const MAX_CONNECTIONS_RANGE: (usize, usize) = (64, 65_536);
/// The range of the maximum number of connections per address.
pub(super) const MAX_PER_ADDRESS_RANGE: (usize, usize) = (1, 65_536);
/// The range of the maximum number of streams.
pub(super) const MAX_STREAMS_RANGE: (usize, usize) = (1, 4_096);

/// Parses a number within limits.
///
/// # Errors
/// Fails with the limits.
pub(super) fn number(text: &str, (least, most): (usize, usize)) -> Result<usize, Problem> {
    let number = text.parse().ok().filter(|it| (least..=most).contains(it));
    number.ok_or_else(|| problem!("serve-number-within", least = least, most = most))
}

/// Returns a parsed value, if one is given and valid. `note` gets the reason why a value is invalid.
pub(super) fn valid<T>(
    parsed: Option<Result<T, Problem>>,
    name: &str,
    note: Note<'_>,
) -> Option<T> {
    parsed?.inspect_err(|why| note(name, why)).ok()
}

/// Parses an address with a port.
///
/// # Errors
/// Fails with a sentence that shows the syntax.
pub(super) fn address(text: &str) -> Result<SocketAddr, Problem> {
    text.parse().map_err(|_| problem!("serve-address"))
}

/// Parses an IP address.
///
/// # Errors
/// Fails with a sentence that shows the syntax.
pub(super) fn ip(text: &str) -> Result<IpAddr, Problem> {
    text.parse().map_err(|_| problem!("serve-ip"))
}

/// Checks a pattern of stream names.
///
/// # Errors
/// Fails if the pattern is empty or too long.
pub(super) fn check_pattern(streams: &str) -> Result<(), Problem> {
    let is_fair = (1..=MAX_PATTERN_BYTES).contains(&streams.len());
    is_fair.then_some(()).ok_or_else(|| problem!("serve-rule-streams", most = MAX_PATTERN_BYTES))
}

/// Parses the streams of a token: `APP/STREAM`, or a pattern.
///
/// # Errors
/// Fails if the text has no application or no stream.
pub(super) fn subject(text: &str) -> Result<String, Problem> {
    let has_both =
        text.rsplit_once('/').is_some_and(|(app, name)| !app.is_empty() && !name.is_empty());
    let is_subject = has_both || text.contains("**");
    is_subject.then(|| text.to_owned()).ok_or_else(|| problem!("relay-streams"))
}

/// A rule for the recordings of some streams. A missing value is taken from the flags.
#[derive(Clone, Debug, Default)]
pub(super) struct RuleValues {
    pub streams: String,
    pub record: bool,
    pub format: Option<Format>,
    pub split_time: Option<Duration>,
    pub split_bytes: Option<u64>,
}

/// Parses the format of recordings.
///
/// # Errors
/// Fails if the server does not write this format.
pub(super) fn format(text: &str) -> Result<Format, Problem> {
    match text.parse() {
        Ok(format @ (Format::Flv | Format::Mp4)) => Ok(format),
        _ => Err(problem!("value-none-of", known = "flv, mp4")),
    }
}

/// Parses `on` or `off`.
///
/// # Errors
/// Fails if the text is neither on nor off.
pub(super) fn switch(text: &str) -> Result<bool, Problem> {
    match text {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err(problem!("value-none-of", known = "on, off")),
    }
}

/// Parses a number of bytes.
///
/// # Errors
/// Fails with a sentence that shows the syntax.
pub(super) fn size(text: &str) -> Result<u64, Problem> {
    bytes(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_for_an_application_and_a_stream() {
        for text in ["live/show", "live/*", "a/b/show", "**", "live**"] {
            assert_eq!(subject(text).unwrap(), text);
        }
        for text in ["", "tok", "*", "/tok", "live/", "/"] {
            let why = subject(text).unwrap_err().to_string();
            assert_eq!(why, "use APP/STREAM, or a pattern such as live/*", "{text}");
        }
    }
}
