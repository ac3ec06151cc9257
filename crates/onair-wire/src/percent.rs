//! Strict percent-decoding of names (RFC 3986 §2.1).

use percent_encoding::percent_decode_str;

/// Decodes a percent-encoded name. Returns `None` for an invalid escape or text.
pub fn decoded(text: &str) -> Option<String> {
    let is_escape = |after: &str| after.bytes().take(2).filter(u8::is_ascii_hexdigit).count() == 2;
    let whole = text.split('%').skip(1).all(is_escape);
    whole.then(|| percent_decode_str(text).decode_utf8().ok()).flatten().map(Into::into)
}
