//! Signs of texts that come from elsewhere (titles, files): those that are obeyed instead of shown
//! are left out.

/// Whether a sign of a text from elsewhere may be laid out: no control characters, nothing that
/// turns the direction of what follows or hides it. What joins letters and emoji stays.
pub(super) fn harmless(sign: char) -> bool {
    !sign.is_control()
        && !matches!(sign,
            // Marks, embeddings, overrides and isolates of direction.
            '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}'
            // Line and paragraph separators, deprecated controls, the byte order mark, notes.
            | '\u{2028}' | '\u{2029}' | '\u{206A}'..='\u{206F}' | '\u{FEFF}'
            | '\u{FFF9}'..='\u{FFFB}'
            // Invisible tags, and what is no character.
            | '\u{E0000}'..='\u{E007F}' | '\u{FFFE}' | '\u{FFFF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_stay_and_orders_go() {
        assert!("Añ中文 עברית हिन्दी 👩\u{200D}🚀 ❤\u{FE0F}".chars().all(harmless));
        assert!(
            "\0\u{1B}\u{7F}\u{85}\u{202E}\u{2067}\u{FEFF}\n".chars().all(|sign| !harmless(sign))
        );
    }
}
