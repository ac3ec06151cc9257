//! Formats numbers in the same way for texts and figures, in both languages.

/// Formats a whole number in groups of three digits, separated by non-breaking spaces (ISO 80000-1,
/// section 7.3.1).
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push('\u{a0}');
        }
        out.push(digit);
    }
    out
}
