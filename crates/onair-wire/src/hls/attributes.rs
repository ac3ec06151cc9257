//! Attribute lists (RFC 8216 §4.2).

/// Maximum number of attributes of a tag.
const MAX_ATTRIBUTES: usize = 64;

/// The attributes of a tag, without quotes.
#[derive(Debug, Default)]
pub(super) struct Attributes<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Attributes<'a> {
    /// Parses a list up to the first error.
    pub fn parse(list: &'a str) -> Self {
        let mut found = Vec::new();
        let mut rest = list;
        while let Some((name, after)) = rest.split_once('=')
            && found.len() < MAX_ATTRIBUTES
        {
            let (value, after) = match after.strip_prefix('"') {
                Some(quoted) => match quoted.split_once('"') {
                    Some((value, after)) => (value, after.strip_prefix(',').unwrap_or(after)),
                    None => break,
                },
                None => after.split_once(',').unwrap_or((after, "")),
            };
            found.push((name.trim(), value.trim()));
            rest = after;
        }
        Self(found)
    }

    /// Returns the value of an attribute.
    pub fn get(&self, name: &str) -> Option<&'a str> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }
}
