//! The pattern for the names of new recordings, such as `{scene} {date} {time}`. A pattern names a
//! file, never a folder: whatever a scene is called, the result is one plain name.

use std::path::{Path, PathBuf};

use jiff::Zoned;

use crate::media::Size;

/// The pattern of new settings.
pub const DEFAULT_PATTERN: &str = "onair {date} {time}";

/// Maximum length of a pattern in characters.
pub const MAX_PATTERN: usize = 200;

/// Maximum length of a name in bytes. The rest of what file systems allow is for the number of a
/// part and the extension.
const MAX_NAME_BYTES: usize = 180;

/// The placeholders, in the order of the documentation.
pub const PLACEHOLDERS: [&str; 11] =
    ["date", "time", "year", "month", "day", "hour", "minute", "second", "scene", "size", "fps"];

/// What a pattern can name in addition to the time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NameValues {
    pub scene: String,
    pub size: Option<Size>,
    pub fps: f64,
}

/// Returns the first placeholder of a pattern that does not exist.
pub fn unknown_placeholder(pattern: &str) -> Option<&str> {
    parts(pattern).find_map(|part| match part {
        Part::Placeholder(name) if !PLACEHOLDERS.contains(&name) => Some(name),
        Part::Placeholder(_) | Part::Text(_) => None,
    })
}

/// Returns the name that a pattern means now, without an extension. An unknown placeholder stays as
/// it is written.
pub fn named_by(pattern: &str, values: &NameValues) -> String {
    name_at(pattern, values, &Zoned::now())
}

/// Returns a path whose file name is a pattern with the placeholders replaced. A name without a
/// placeholder stays as it is.
pub fn path_by(path: &Path, values: &NameValues) -> PathBuf {
    let name = path.file_stem().and_then(|it| it.to_str()).unwrap_or_default();
    let is_known = |part| matches!(part, Part::Placeholder(it) if PLACEHOLDERS.contains(&it));
    if !parts(name).any(is_known) {
        return path.to_owned();
    }
    let mut name = named_by(name, values);
    if let Some(extension) = path.extension().and_then(|it| it.to_str()) {
        name = format!("{name}.{extension}");
    }
    path.with_file_name(name)
}

enum Part<'a> {
    Text(&'a str),
    /// The text between braces.
    Placeholder(&'a str),
}

fn parts(pattern: &str) -> impl Iterator<Item = Part<'_>> {
    let mut rest = pattern;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        if let Some(after) = rest.strip_prefix('{')
            && let Some((name, next)) = after.split_once('}')
            && !name.contains('{')
        {
            rest = next;
            return Some(Part::Placeholder(name));
        }
        let at = rest.char_indices().skip(1).find(|(_, it)| *it == '{');
        let (text, next) = rest.split_at(at.map_or(rest.len(), |(at, _)| at));
        rest = next;
        Some(Part::Text(text))
    })
}

fn name_at(pattern: &str, values: &NameValues, now: &Zoned) -> String {
    let pattern: String = pattern.chars().take(MAX_PATTERN).collect();
    let time = |format: &str| now.strftime(format).to_string();
    let mut name = String::new();
    for part in parts(&pattern) {
        match part {
            Part::Text(text) => name.push_str(text),
            Part::Placeholder(it) => name.push_str(&match it {
                "date" => time("%Y-%m-%d"),
                "time" => time("%H-%M-%S"),
                "year" => time("%Y"),
                "month" => time("%m"),
                "day" => time("%d"),
                "hour" => time("%H"),
                "minute" => time("%M"),
                "second" => time("%S"),
                "scene" => values.scene.clone(),
                "size" => values.size.map(|it| it.to_string()).unwrap_or_default(),
                "fps" => format!("{:.0}", values.fps),
                other => format!("{{{other}}}"),
            }),
        }
    }
    plain(&name)
}

/// Returns a name that every file system accepts, and that is no path.
fn plain(name: &str) -> String {
    let allowed = |it: char| match it {
        '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|' => '-',
        it if it.is_control() || is_invisible(it) => ' ',
        it => it,
    };
    let name: String = name.chars().map(allowed).collect();
    let mut end = 0;
    for (at, it) in name.char_indices() {
        if at + it.len_utf8() > MAX_NAME_BYTES {
            break;
        }
        end = at + it.len_utf8();
    }
    let name = name.get(..end).unwrap_or_default();
    // A leading dot hides a file, and Windows removes dots and spaces at the end.
    let name = name.trim_matches(|it: char| it == '.' || it.is_whitespace());
    if name.is_empty() { "onair".to_owned() } else { name.to_owned() }
}

/// Returns true for characters that change the direction of a text, or cannot be seen.
fn is_invisible(it: char) -> bool {
    matches!(it, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn values(scene: &str) -> NameValues {
        NameValues { scene: scene.into(), size: Some(Size::new(1280, 720)), fps: 30.0 }
    }

    fn name(pattern: &str, scene: &str) -> String {
        let now: Zoned = "2026-11-30T09:05:07[UTC]".parse().unwrap();
        name_at(pattern, &values(scene), &now)
    }

    #[test]
    fn a_pattern_names_the_time_and_the_scene() {
        assert_eq!(name(DEFAULT_PATTERN, "Talk"), "onair 2026-11-30 09-05-07");
        assert_eq!(
            name("{scene}_{year}{month}{day}-{hour}{minute}{second}", "采访"),
            "采访_20261130-090507"
        );
        assert_eq!(name("{size} {fps} fps {{x} {nope} {", ""), "1280x720 30 fps {{x} {nope} {");
        for placeholder in PLACEHOLDERS {
            assert_eq!(unknown_placeholder(&format!("a {{{placeholder}}}")), None);
        }
        assert_eq!(unknown_placeholder("{date} {titel}"), Some("titel"));
    }

    #[test]
    fn a_hostile_name_is_one_plain_name() {
        assert_eq!(name("../../{scene}", "/etc/passwd"), "-..--etc-passwd");
        assert_eq!(name("{scene}", ".."), "onair");
        assert_eq!(name("", ""), "onair");
        assert_eq!(name("a\n\u{202e}b. ", ""), "a  b");
        assert!(name(&"界".repeat(500), "").len() <= MAX_NAME_BYTES);
    }

    #[test]
    fn only_the_file_name_of_a_path_is_a_pattern() {
        let path = |text: &str| path_by(Path::new(text), &values("a/b"));
        assert_eq!(path("/v/{scene}/show.mp4"), Path::new("/v/{scene}/show.mp4"));
        assert_eq!(path("/v/{scene}.mp4"), Path::new("/v/a-b.mp4"));
        assert_eq!(path("/v/{mine}.mp4"), Path::new("/v/{mine}.mp4"), "as it was before");
    }

    proptest! {
        #[test]
        fn no_pattern_leaves_its_folder(pattern in ".*", scene in ".*") {
            let name = named_by(&pattern, &values(&scene));
            let path = Path::new("/v").join(&name);
            prop_assert_eq!(path.parent(), Some(Path::new("/v")));
            prop_assert!(!name.starts_with('.') && name.len() <= MAX_NAME_BYTES);
        }
    }
}
