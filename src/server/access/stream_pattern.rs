//! Patterns of stream names, for tokens and for the rules of recordings, relays and renditions.

/// Returns true if a name matches a pattern: `*` is any text without a slash, and `**` any text.
pub(in crate::server) fn matches(pattern: &str, name: &str) -> bool {
    // The states of the pattern that the text so far can reach. The time is proportional to the
    // product of both lengths.
    let mut tokens = Vec::new();
    let mut rest = pattern;
    while let Some(first) = rest.chars().next() {
        let (token, length) = match (rest.starts_with("**"), first) {
            (true, _) => (PatternToken::Any, 2),
            (false, '*') => (PatternToken::AnyButSlash, 1),
            (false, other) => (PatternToken::Letter(other), other.len_utf8()),
        };
        tokens.push(token);
        rest = rest.get(length..).unwrap_or_default();
    }
    let mut reached = vec![false; tokens.len() + 1];
    if let Some(first) = reached.first_mut() {
        *first = true;
    }
    skip_stars(&tokens, &mut reached);
    for letter in name.chars() {
        let mut next = vec![false; reached.len()];
        for (at, token) in tokens.iter().enumerate() {
            if !reached.get(at).copied().unwrap_or_default() {
                continue;
            }
            let to = match token {
                PatternToken::Letter(own) if *own == letter => at + 1,
                PatternToken::Any => at,
                PatternToken::AnyButSlash if letter != '/' => at,
                _ => continue,
            };
            if let Some(to) = next.get_mut(to) {
                *to = true;
            }
        }
        skip_stars(&tokens, &mut next);
        reached = next;
    }
    reached.last().copied().unwrap_or_default()
}

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum PatternToken {
    Letter(char),
    AnyButSlash,
    Any,
}

/// Marks the states after stars as reached too, because a star can match an empty text.
fn skip_stars(tokens: &[PatternToken], reached: &mut [bool]) {
    for (at, token) in tokens.iter().enumerate() {
        let is_reached = reached.get(at).copied().unwrap_or_default();
        if is_reached
            && !matches!(token, PatternToken::Letter(_))
            && let Some(next) = reached.get_mut(at + 1)
        {
            *next = true;
        }
    }
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
