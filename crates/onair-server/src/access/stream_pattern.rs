//! Patterns of stream names, for tokens and for the rules of recordings, relays and renditions.

/// Returns true if a name matches a pattern: `*` is any text without a slash, and `**` any text.
pub(crate) fn matches(pattern: &str, name: &str) -> bool {
    let letters: Vec<char> = name.chars().collect();
    // For each beginning of the name, the shortest one first: true if the pattern so far matches it. The time is
    // proportional to the product of both lengths.
    let mut matched = vec![false; letters.len()];
    matched.insert(0, true);
    let mut pattern = pattern.chars().peekable();
    while let Some(own) = pattern.next() {
        let is_star = own == '*';
        let passes_slash = is_star && pattern.next_if_eq(&'*').is_some();
        // A star also matches an empty text.
        let mut reached = is_star && matched.first() == Some(&true);
        let mut next = vec![reached];
        for ((letter, before), here) in letters.iter().zip(&matched).zip(matched.iter().skip(1)) {
            reached = match is_star {
                true => *here || reached && (passes_slash || *letter != '/'),
                false => *before && *letter == own,
            };
            next.push(reached);
        }
        matched = next;
    }
    matched.last() == Some(&true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_whole_names() {
        for (pattern, name, expected) in [
            ("live/show", "live/show", true),
            ("live/show", "live/show2", false),
            ("live/*", "live/show", true),
            ("live/*", "live/a/b", false),
            ("live/**", "live/a/b", true),
            ("*/show", "live/show", true),
            ("*", "live/show", false),
            ("**", "live/show", true),
            ("live/cam-*", "live/cam-", true),
            ("live/cam-*", "live/cam", false),
            ("live/*-*", "live/a-b-c", true),
            ("", "live/show", false),
            ("live/é*", "live/éa", true),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
        let long = "*a".repeat(500);
        assert!(!matches(&long, &"a".repeat(499)), "and it takes no time");
    }
}
