//! The names that Windows does not give to files. Some of them do not fail, but mean something else: `nul.mp4` is a
//! device that swallows a recording, `show:1.mp4` is hidden in a file `show`, and `show.mp4.` is `show.mp4`.

use std::path::Path;

/// Windows does not allow a file of this name.
#[derive(Copy, Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Windows allows no file of this name")]
pub struct ForbiddenName;

/// Returns true if Windows does not allow this file name.
#[cfg_attr(
    not(any(windows, test)),
    allow(dead_code, reason = "for Windows, and tested everywhere")
)]
pub(crate) fn is_forbidden(path: &Path) -> bool {
    let Some(name) = path.file_name() else { return false };
    let name = name.to_string_lossy();
    let is_sign =
        |sign: char| matches!(sign, '<' | '>' | ':' | '"' | '|' | '?' | '*') || sign < ' ';
    name.contains(is_sign) || name.ends_with(['.', ' ']) || is_device(&name)
}

/// A device has its name in every folder, with any extension.
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_ascii_uppercase();
    let numbered = ["COM", "LPT"].iter().find_map(|device| stem.strip_prefix(device));
    matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$")
        || numbered.is_some_and(|number| {
            let mut digits = number.chars();
            let digit = digits.next();
            digit.is_some_and(|it| matches!(it, '0'..='9' | '¹' | '²' | '³'))
                && digits.next().is_none()
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_devices_and_hidden_streams_are_no_files() {
        for name in [
            "CON",
            "nul.mp4",
            "Aux.tar.gz",
            "com1.flv",
            "LPT¹",
            "prn .mkv",
            "show:1.mp4",
            "a?.mp4",
            "show.mp4.",
            "show ",
            "a\tb",
            "conout$",
        ] {
            assert!(is_forbidden(Path::new(name)), "{name}");
            assert!(is_forbidden(&Path::new("folder").join(name)), "{name}");
        }
        for name in
            ["console.mp4", "com.flv", "com10.flv", "lptx", "节目 1.mp4", ".hidden", "a.b", ".."]
        {
            assert!(!is_forbidden(Path::new(name)), "{name}");
        }
    }
}
