//! The name of a recording in a URL. It names a media file directly in the folder, and nothing else.

use std::path::Path;

use crate::wire::container::Format;

/// The format of a file with this name; `None` if it leads elsewhere, is hidden, or is no media file.
pub(super) fn format_of(name: &str) -> Option<Format> {
    let is_plain = !name.starts_with('.')
        && name.chars().all(|it| !it.is_control() && !matches!(it, '/' | '\\' | ':'));
    Format::of_path(Path::new(name)).filter(|_| is_plain)
}

/// The media type of a format.
pub(super) fn media_type(format: Format) -> &'static str {
    match format {
        Format::Flv => "video/x-flv",
        Format::Mp4 => "video/mp4",
        Format::Mkv => "video/matroska",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_nowhere_else() {
        assert_eq!(format_of("live-show 2026-11-25 18-00-00.flv"), Some(Format::Flv));
        assert_eq!(format_of("直播-\u{1F600}.MP4"), Some(Format::Mp4));
        for bad in [
            "",
            ".",
            "..",
            ".flv",
            ".hidden.flv",
            "../a.flv",
            "a/../b.flv",
            "/etc/a.flv",
            "a\\b.flv",
            "C:a.flv",
            "a\0.flv",
            "a\n.flv",
            "a.flv/",
            "passwd",
            "a.flv.txt",
        ] {
            assert_eq!(format_of(bad), None, "{bad:?}");
        }
    }
}
