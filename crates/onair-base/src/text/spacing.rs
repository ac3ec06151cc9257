//! Removes superfluous spaces around values in Chinese texts. A Latin word or a number needs a
//! space on each side, but there is no space between Chinese characters. A value (such as the name
//! of a device) can be either, so the texts contain the spaces, and this module removes the spaces
//! between Chinese characters.

/// The mark that Fluent sets before a value.
pub const FIRST_STRONG_ISOLATE: char = '\u{2068}';
/// The mark that Fluent sets after a value.
pub const POP_DIRECTIONAL_ISOLATE: char = '\u{2069}';

/// Removes the marks around values, and the spaces beside values that are between two Chinese
/// characters. The values themselves stay unchanged.
pub fn closed_up(marked: &str) -> String {
    let mut out = String::with_capacity(marked.len());
    let mut last = None;
    let mut depth = 0_usize;
    // `after` is true right after a value. `held` is a space that is not written yet; its value is
    // true if the space is beside a value.
    let mut after = false;
    let mut held: Option<bool> = None;
    for now in marked.chars() {
        match now {
            FIRST_STRONG_ISOLATE => {
                depth += 1;
                held = held.map(|_| true);
            }
            POP_DIRECTIONAL_ISOLATE => {
                depth = depth.saturating_sub(1);
                after = true;
            }
            ' ' if depth == 0 && held.is_none() => held = Some(std::mem::take(&mut after)),
            _ => {
                if let Some(beside) = held.take()
                    && !(beside && last.is_some_and(is_chinese) && is_chinese(now))
                {
                    out.push(' ');
                }
                out.push(now);
                last = Some(now);
                after = false;
            }
        }
    }
    if held.is_some() {
        out.push(' ');
    }
    out
}

/// Returns true if the character is Chinese, or as wide as a Chinese one.
fn is_chinese(one: char) -> bool {
    matches!(one,
        '\u{3001}'..='\u{303F}'
        | '\u{3400}'..='\u{4DBF}'
        | '\u{4E00}'..='\u{9FFF}'
        | '\u{F900}'..='\u{FAFF}'
        | '\u{FF01}'..='\u{FF60}'
        | '\u{20000}'..='\u{323AF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_spaces_between_chinese_characters_at_a_value_are_taken_out() {
        for (marked, wanted) in [
            ("麦克风 \u{2068}桌上\u{2069} 已断开", "麦克风桌上已断开"),
            ("麦克风 \u{2068}Yeti\u{2069} 已断开", "麦克风 Yeti 已断开"),
            ("麦克风 \u{2068}Yeti 桌上\u{2069} 已断开", "麦克风 Yeti 桌上已断开"),
            // A name that the user chose stays unchanged.
            ("麦克风 \u{2068}桌 上\u{2069} 已断开", "麦克风桌 上已断开"),
            ("\u{2068}甲\u{2069} \u{2068}乙\u{2069}", "甲乙"),
            ("\u{2068}甲\u{2069} \u{2068}B\u{2069}", "甲 B"),
            // There is no superfluous space beside the value.
            ("甲 乙\u{2068}丙\u{2069}", "甲 乙丙"),
            ("（\u{2068}甲\u{2069} ）", "（甲）"),
            ("甲  \u{2068}乙\u{2069} ", "甲  乙 "),
            ("甲 \u{2068}\u{2069} 乙", "甲  乙"),
            ("\u{2069}\u{2069} \u{2068}\u{2068}x", " x"),
            ("", ""),
        ] {
            assert_eq!(closed_up(marked), wanted, "{marked:?}");
        }
    }
}
