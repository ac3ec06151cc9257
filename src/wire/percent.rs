//! Percent-encoding (RFC 3986 §2.1), of paths, and taken back.

/// A text with its `%41` and the like made what they stand for; what is no such escape stays as it is.
pub fn percent_decoded(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    // A sign is no digit: numbers that are read may have one.
    let digit = |byte: u8| char::from(byte).to_digit(16);
    while let Some((first, after)) = rest.split_first() {
        let value = match (first, after) {
            (b'%', &[high, low, ..]) => digit(high).zip(digit(low)),
            _ => None,
        };
        match value {
            Some((high, low)) => {
                out.push((high << 4 | low) as u8);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                out.push(*first);
                rest = after;
            }
        }
    }
    out
}

/// The same as a text; what is none of it is replaced.
pub fn percent_decoded_text(text: &str) -> String {
    String::from_utf8_lossy(&percent_decoded(text)).into_owned()
}

/// A path as it stands in a URL: letters, digits, `-._~` and `/` as they are.
pub fn percent_encoded_path(path: &[u8]) -> String {
    let mut out = String::with_capacity(path.len());
    for &byte in path {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_path_comes_back() {
        let path = b"/a b/%41\xFF\n?#\xE4\xB8\xAD.mp4";
        let encoded = percent_encoded_path(path);
        assert_eq!(encoded, "/a%20b/%2541%FF%0A%3F%23%E4%B8%AD.mp4");
        assert_eq!(percent_decoded(&encoded), path);
    }

    #[test]
    fn escapes_are_taken_back_and_what_is_none_stays() {
        for (text, plain) in [
            ("pa%20ss", "pa ss"),
            ("%41%6a%6A%25", "Ajj%"),
            ("100%", "100%"),
            ("%4", "%4"),
            ("%zz%%41", "%zz%A"),
            ("%+5%-5% 5", "%+5%-5% 5"),
            ("%€", "%€"),
        ] {
            assert_eq!(percent_decoded_text(text), plain, "{text}");
        }
        assert_eq!(percent_decoded("%fFa"), b"\xFFa");
        assert_eq!(percent_decoded_text("%ff"), "\u{FFFD}");
    }
}
