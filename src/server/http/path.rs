//! URL paths: the application and stream in them, and escaping of names.

use std::borrow::Cow;
use std::fmt::Write;

use percent_encoding::percent_decode_str;

/// Returns the application and the stream in a path, percent-decoded. The application may contain
/// slashes.
pub(super) fn split(path: &str) -> Option<(String, String)> {
    let (app, stream) = path.rsplit_once('/')?;
    Some((decode(app)?, decode(stream)?))
        .filter(|(app, stream)| !app.is_empty() && !stream.is_empty())
}

/// Decodes a text. Returns `None` for an invalid escape or text.
fn decode(text: &str) -> Option<String> {
    let is_escape = |after: &str| after.bytes().take(2).filter(u8::is_ascii_hexdigit).count() == 2;
    let escapes = text.split('%').skip(1).all(is_escape);
    let text = escapes.then(|| percent_decode_str(text).decode_utf8())?;
    text.ok().map(Cow::into_owned)
}

/// Encodes a path. The slashes in an application's name stay.
pub(super) fn encode(text: &str) -> String {
    encode_but(text, b"-._~/")
}

/// Encodes the name of a stream, without folders.
pub(super) fn encode_name(text: &str) -> String {
    encode_but(text, b"-._~")
}

fn encode_but(text: &str, plain: &[u8]) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || plain.contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
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
