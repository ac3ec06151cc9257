//! Names that look like other names: with letters of other alphabets (UTS #39 §4), in another case, or with
//! marks, spaces and invisible characters.

use unicode_security::skeleton;

use crate::wire::chat::blocked_words::fold;

/// The look of a name, in two forms. Two names look alike if they have a form in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameLook {
    /// The skeleton of the name in lower case, in which `I` is an `i`.
    lower: String,
    /// The skeleton of the name as it is written, in which `I` is an `l`. In some alphabets, only
    /// the capital letters look like Latin letters.
    written: String,
}

impl NameLook {
    pub fn of(name: &str) -> Self {
        let seen = |name: &str| skeleton(&fold(name).replace(' ', "")).collect::<String>();
        let written: String = skeleton(name).collect();
        // The second step removes the marks that the first one separates from their letters.
        let [lower, written] = [name, &written].map(|name| fold(&seen(name)));
        Self { lower, written }
    }

    /// Returns true if a reader may take one name for the other.
    pub fn is_like(&self, other: &Self) -> bool {
        self.lower == other.lower || self.written == other.written
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn are_alike(one: &str, other: &str) -> bool {
        NameLook::of(one).is_like(&NameLook::of(other))
    }

    #[test]
    fn names_are_alike_however_they_are_written() {
        for name in [
            "streamer",
            "STREAMER",
            "ＳＴＲＥＡＭＥＲ",
            " Stream er",
            "Str\u{200B}e\u{301}amer",
            "Str\u{e9}amer",
            // Cyrillic, Greek, mathematical letters, and two letters for one.
            "\u{405}treamer",
            "Str\u{435}\u{430}m\u{435}r",
            "S\u{3a4}REAMER",
            "\u{1d412}\u{1d42d}\u{1d42b}\u{1d41e}\u{1d41a}\u{1d426}\u{1d41e}\u{1d42b}",
            "Strearner",
        ] {
            assert!(are_alike(name, "Streamer"), "{name}");
        }
        // Capital letters of another alphabet only.
        assert!(are_alike("\u{412}\u{41e}\u{412}", "Bob"));
        assert!(are_alike("NIKKI", "nikki") && are_alike("N1kki", "NlkKi"));
        assert!(are_alike("Paypa1", "PAYPAL") && are_alike("0nair", "onair"));
    }

    #[test]
    fn other_names_are_not_alike() {
        for (one, other) in [
            ("Streamer's fan", "Streamer"),
            ("Streamer2", "Streamer"),
            ("Ann", "Anna"),
            ("主播的粉丝", "主播"),
            ("主人", "主播"),
            ("\u{411}\u{43e}\u{431}", "Bob"),
        ] {
            assert!(!are_alike(one, other), "{one}");
        }
    }
}
