//! Makes texts of other parties (servers, files, pages, titles) safe to display. Harmful characters
//! are control characters, which control a terminal, and characters that reverse or hide other
//! text. Every text of another party passes through this module before it is displayed.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Returns true if this character may be displayed. Joiners of letters and emoji are allowed.
pub fn is_harmless(sign: char) -> bool {
    !sign.is_control()
        && !matches!(sign,
            // Directional marks, embeddings, overrides and isolates.
            '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}'
            // Line and paragraph separators, deprecated controls, the byte order mark, annotation
            // characters.
            | '\u{2028}' | '\u{2029}' | '\u{206A}'..='\u{206F}' | '\u{FEFF}'
            | '\u{FFF9}'..='\u{FFFB}'
            // Invisible tags, and noncharacters.
            | '\u{E0000}'..='\u{E007F}' | '\u{FFFE}' | '\u{FFFF}')
}

/// Returns true if a character is visible. A name without any visible character counts as empty.
pub fn is_visible(sign: char) -> bool {
    is_harmless(sign)
        && !sign.is_whitespace()
        && !matches!(sign,
            // Soft hyphen, joiners, fillers, blanks, variation selectors, invisible operators, and
            // what else is ignored by default (Default_Ignorable_Code_Point, UAX #44).
            '\u{00AD}' | '\u{034F}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}'
            | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200D}' | '\u{2060}'..='\u{2065}'
            | '\u{2800}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FFA0}'
            | '\u{FFF0}'..='\u{FFF8}' | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}'
            | '\u{E0080}'..='\u{E0FFF}')
}

/// Prepares a text for display. Harmful characters become `�`; line breaks and tabs are kept.
pub fn sanitized(text: &str) -> Cow<'_, str> {
    let fits = |sign| matches!(sign, '\n' | '\t') || is_harmless(sign);
    if text.chars().all(fits) {
        return Cow::Borrowed(text);
    }
    let replaced = |sign| if fits(sign) { sign } else { char::REPLACEMENT_CHARACTER };
    Cow::Owned(text.chars().map(replaced).collect())
}

/// Escapes harmful characters in JSON. Such characters occur only in JSON strings, which contain no
/// characters below U+0020 (RFC 8259, section 7). Line breaks and tabs between values are kept.
pub fn sanitized_json(json: &str) -> Cow<'_, str> {
    let fits = |sign| matches!(sign, '\n' | '\t') || is_harmless(sign);
    if json.chars().all(fits) {
        return Cow::Borrowed(json);
    }
    let mut escaped = String::with_capacity(json.len() + 16);
    for sign in json.chars() {
        if fits(sign) {
            escaped.push(sign);
            continue;
        }
        for unit in sign.encode_utf16(&mut [0; 2]) {
            let _ = write!(escaped, "\\u{unit:04x}");
        }
    }
    Cow::Owned(escaped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_stay_and_orders_go() {
        assert!("Añ中文 עברית हिन्दी 👩\u{200D}🚀 ❤\u{FE0F}".chars().all(is_harmless));
        let orders = "\0\u{1B}\u{7F}\u{85}\u{9B}\u{202E}\u{2067}\u{FEFF}\n";
        assert!(orders.chars().all(|sign| !is_harmless(sign)));
        assert_eq!(sanitized("two\nlines\tof 中文"), "two\nlines\tof 中文");
        assert_eq!(sanitized("\u{1B}[31mred\u{9B}0m\u{202E}"), "�[31mred�0m�");
    }

    #[test]
    fn json_means_the_same_and_steers_nothing() {
        let value = serde_json::json!({"text": "\u{1B}]0;x\u{7}\u{9B}2J\u{202E}\u{E0041}é\n"});
        let plain = value.to_string();
        let escaped = sanitized_json(&plain);
        assert!(escaped.chars().all(is_harmless), "{escaped}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&escaped).unwrap(), value);
    }

    #[test]
    fn what_leaves_no_mark_is_no_name() {
        for name in [
            "",
            " ",
            "\u{200B}\u{2060}",
            "\u{3164}",
            "\u{2800}\u{00AD}",
            "\u{FE0F}\u{E0100}",
            "\u{1BCA0}\u{1BCA3}",
            "\u{FFF0}\u{FFF8}",
            "\u{E0080}\u{E00FF}\u{E01F0}\u{E0FFF}",
        ] {
            assert!(!name.chars().any(is_visible), "{name:?}");
        }
        assert!("小明".chars().all(is_visible));
    }
}
