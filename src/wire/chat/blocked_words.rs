//! Words that block a chat message. Differences in case, marks, invisible characters and full-width
//! forms are ignored, because people use them to get around lists of blocked words.

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
/// the sharp s as in Unicode's case folding), without combining marks and invisible characters,
/// with ASCII for full-width forms, and with single spaces.
pub(super) fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter.is_whitespace() {
            if !folded.ends_with(' ') {
                folded.push(' ');
            }
            continue;
        }
        if !is_visible(letter) || is_mark(letter) {
            continue;
        }
        let narrow = match u32::from(letter) {
            wide @ 0xFF01..=0xFF5E => char::from_u32(wide - 0xFEE0).unwrap_or(letter),
            _ => letter,
        };
        for lower in narrow.to_lowercase().filter(|lower| !is_mark(*lower)) {
            match lower {
                'ς' => folded.push('σ'),
                'ß' => folded.push_str("ss"),
                'ı' => folded.push('i'),
                _ => folded.push(lower),
            }
        }
    }
    folded.trim().to_owned()
}

/// Returns true for the marks that are written over or under a letter.
pub(super) fn is_mark(letter: char) -> bool {
    matches!(letter, '\u{0300}'..='\u{036f}' | '\u{0483}'..='\u{0489}' | '\u{1ab0}'..='\u{1aff}'
        | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}')
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
