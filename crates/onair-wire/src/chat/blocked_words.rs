//! Words that block a chat message. Differences in case, marks, invisible characters and compatibility
//! forms (such as full-width letters) are ignored, because people use them to get around lists of blocked words.

use unicode_normalization::UnicodeNormalization;

use crate::base::sanitize::is_visible;

/// Maximum number of words.
pub const MAX_BLOCKED_WORDS: usize = 256;
/// Maximum number of characters of a word.
pub const MAX_BLOCKED_WORD_CHARS: usize = 64;

/// A list of blocked words, prepared for searches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BlockedWords {
    words: Vec<String>,
    folded: Vec<String>,
}

impl BlockedWords {
    /// Takes at most [`MAX_BLOCKED_WORDS`] of these words. Spaces around a word are removed, and
    /// words without a visible character are left out.
    pub fn new<T: AsRef<str>>(words: impl IntoIterator<Item = T>) -> Self {
        let mut list = Self::default();
        for word in words {
            let word: String = word.as_ref().trim().chars().take(MAX_BLOCKED_WORD_CHARS).collect();
            let folded = fold(&word);
            if list.words.len() < MAX_BLOCKED_WORDS
                && !folded.is_empty()
                && !list.folded.contains(&folded)
            {
                list.words.push(word);
                list.folded.push(folded);
            }
        }
        list
    }

    /// Returns the words as they were written.
    pub fn words(&self) -> &[String] {
        &self.words
    }

    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// Returns true if a text contains one of the words, even within a longer word, because Chinese
    /// has no spaces.
    pub fn are_in(&self, text: &str) -> bool {
        if self.is_empty() {
            return false;
        }
        let text = fold(text);
        self.folded.iter().any(|word| text.contains(word.as_str()))
    }
}

/// Returns a text in the form that is used for comparisons: in lower case (with the final sigma and
/// the sharp s as in Unicode's case folding), without compatibility forms (NFKD), the marks of
/// [`is_mark`] and invisible characters, and with single spaces. Other marks, and the parts of Hangul
/// syllables, are composed again (NFC), because they make another letter.
pub(super) fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for letter in text.nfkd() {
        if letter.is_whitespace() {
            if !folded.ends_with(' ') {
                folded.push(' ');
            }
            continue;
        }
        if !is_visible(letter) || is_mark(letter) {
            continue;
        }
        for lower in letter.to_lowercase() {
            match lower {
                'ς' => folded.push('σ'),
                'ß' => folded.push_str("ss"),
                'ı' => folded.push('i'),
                _ => folded.push(lower),
            }
        }
    }
    folded.trim().nfc().collect()
}

/// Returns true for the marks that are written over or under a letter.
fn is_mark(letter: char) -> bool {
    matches!(letter, '\u{0300}'..='\u{036f}' | '\u{0483}'..='\u{0489}' | '\u{1ab0}'..='\u{1aff}'
        | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_however_they_are_written() {
        let words = BlockedWords::new(["Spoiler", "剧透", " straße ", "ΟΔΟΣ", "bad word"]);
        for text in [
            "a SPOILER!",
            "spoilerbot",
            "s\u{200B}poi\u{0301}ler",
            "s\u{1BCA0}p\u{FFF0}o\u{E0080}i\u{E0FFF}l\u{FE20}er",
            "ＳＰＯＩＬＥＲ",
            "这是剧\u{2060}透",
            "STRASSE",
            "οδός?οδος",
            "Bad\u{3000} \u{A0}Word",
            "SPO\u{0130}LER",
        ] {
            assert!(words.are_in(text), "{text}");
        }
        for text in ["spoil er", "fine", "", "剧 透", "ba dword"] {
            assert!(!words.are_in(text), "{text}");
        }
        for (word, text) in [
            ("café", "CAFE\u{301}"),
            ("cafe", "caf\u{e9}"),
            ("spoiler", "𝐬𝐩𝐨𝐢𝐥𝐞𝐫"),
            ("バカ", "ハ\u{3099}カ"),
            ("バカ", "ﾊﾞｶ"),
            ("한국", "\u{1112}\u{1161}\u{11ab}\u{1100}\u{116e}\u{11a8}"),
        ] {
            assert!(BlockedWords::new([word]).are_in(text), "{word} in {text}");
            assert!(BlockedWords::new([text]).are_in(word), "{text} in {word}");
        }
        for (word, text) in [("가", "각"), ("ハ", "バ"), ("ハ", "ハ\u{3099}")] {
            assert!(!BlockedWords::new([word]).are_in(text), "{word} in {text}");
        }
        assert!(!BlockedWords::default().are_in("anything"));
    }

    #[test]
    fn lists_are_bounded_and_have_no_empty_words() {
        let many = (0..MAX_BLOCKED_WORDS + 50).map(|number| format!("word {number}"));
        assert_eq!(BlockedWords::new(many).words().len(), MAX_BLOCKED_WORDS);
        let odd = BlockedWords::new([" ", "\u{200B}", "\u{301}", "a", "A", &"x".repeat(999)]);
        let lengths: Vec<usize> = odd.words().iter().map(|it| it.chars().count()).collect();
        assert_eq!(lengths, [1, MAX_BLOCKED_WORD_CHARS]);
    }
}
