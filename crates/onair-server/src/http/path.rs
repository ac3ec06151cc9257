//! URLs: the application and stream in a path, escaping of names, and the values in a query.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use url::form_urlencoded;

use crate::wire::percent::decoded;

/// The characters that are escaped in the name of a stream: all but the unreserved ones (RFC 3986 §2.3).
const ESCAPED_IN_NAMES: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// The characters that are escaped in a path.
const ESCAPED_IN_PATHS: &AsciiSet = &ESCAPED_IN_NAMES.remove(b'/');

/// Returns the application and the stream in a path, percent-decoded. The application may contain
/// slashes.
pub(super) fn split(path: &str) -> Option<(String, String)> {
    let (app, stream) = path.rsplit_once('/')?;
    Some((decoded(app)?, decoded(stream)?))
        .filter(|(app, stream)| !app.is_empty() && !stream.is_empty())
}

/// Encodes a path. The slashes in an application's name stay.
pub(super) fn encode(text: &str) -> String {
    utf8_percent_encode(text, ESCAPED_IN_PATHS).to_string()
}

/// Encodes the name of a stream, without folders.
pub(super) fn encode_name(text: &str) -> String {
    utf8_percent_encode(text, ESCAPED_IN_NAMES).to_string()
}

/// Returns the first value of this name in a query, decoded.
pub(super) fn query_value(query: &str, name: &str) -> Option<String> {
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    pairs.find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_come_apart() {
        let pair = |app: &str, stream: &str| Some((app.to_owned(), stream.to_owned()));
        assert_eq!(split("live/onair"), pair("live", "onair"));
        assert_eq!(split("a/b/c%20d"), pair("a/b", "c d"));
        for bad in
            ["live", "live/", "/x", "live/%f", "live/%ff", "live/%zz", "live/%%41", "live/%+5"]
        {
            assert_eq!(split(bad), None, "{bad}");
        }
    }

    #[test]
    fn names_are_written_so_that_they_are_read_back() {
        assert_eq!(encode("a/b c\"<é"), "a/b%20c%22%3C%C3%A9");
        assert_eq!(encode_name("a/b:c?d"), "a%2Fb%3Ac%3Fd");
        assert_eq!(split(&format!("live/{}", encode_name("a/b:c?d"))).unwrap().1, "a/b:c?d");
    }
}
