//! Determines the sizes of sources in OBS's files, on which scenes depend, from the sources'
//! settings or the headers of their media files.

use std::path::Path;

use serde_json::Value;

use crate::capture::{self, Properties, VideoChoice};
use crate::files;
use crate::media::Size;
use crate::studio::settings::import::obs::json::{array, number, part, text, whole};
use crate::wire::container::Format;

/// Maximum number of slides whose headers are read.
const MAX_SLIDES: usize = 100;
/// Maximum size in bytes of a file that is read to determine its frame size, which can require
/// reading all of it.
const MAX_SCANNED_BYTES: u64 = 256 << 20;

/// The properties of a source that are known before it is opened.
#[derive(Copy, Clone, Debug, Default, PartialEq)]
pub struct SourceInfo {
    /// The width and height in pixels.
    pub size: Option<(f64, f64)>,
    /// True if the source has audio; `None` means not checked.
    pub has_audio: Option<bool>,
    /// True if the file has transparency in a separate stream.
    pub clear: bool,
}

/// Determines the properties of a source of this kind (without its version).
pub fn of(
    kind: &str,
    source: &Value,
    (choice, set): (&VideoChoice, &Properties),
    canvas: (f64, f64),
) -> SourceInfo {
    let settings = part(source, "settings");
    let own = || Some((number(settings, "width")?, number(settings, "height")?));
    let own = || own().filter(|(width, height)| *width >= 1.0 && *height >= 1.0);
    let pixels = |(width, height): (u32, u32)| (f64::from(width), f64::from(height));
    let program = Size::new(canvas.0 as u32, canvas.1 as u32);
    let size = match kind {
        "color_source" => own().or(match text(source, "versioned_id") {
            "color_source" => Some((400.0, 400.0)),
            "" => None,
            _ => Some((1_920.0, 1_080.0)),
        }),
        "v4l2_input" => {
            // Two numbers in one; -1 means unchanged.
            let packed = whole(settings, "resolution");
            let both = packed.map(|it| pixels(((it >> 16) as u32 & 0xFFFF, it as u32 & 0xFFFF)));
            both.filter(|(width, height)| *width >= 16.0 && *height >= 16.0)
        }
        "slideshow" => slides(settings),
        _ => match choice {
            VideoChoice::File(path) if !capture::shows(choice) => return media(path),
            _ => capture::extent(choice, set, program).map(pixels).or_else(own),
        },
    };
    // A file whose size was read here has only video.
    let silent = matches!(choice, VideoChoice::File(_)) && size.is_some();
    SourceInfo { size, has_audio: silent.then_some(false), clear: false }
}

/// Returns the width and height of a group in pixels, into which its members just fit.
pub fn of_group(source: &Value) -> Option<(f64, f64)> {
    let side = |key| number(part(source, "settings"), key).filter(|side| *side >= 1.0);
    Some((side("cx")?, side("cy")?))
}

/// Returns the size of OBS's slide show, which is that of the largest image unless it is
/// configured.
fn slides(settings: &Value) -> Option<(f64, f64)> {
    if let Ok(size) = text(settings, "use_custom_size").parse::<Size>() {
        return Some((size.width.into(), size.height.into()));
    }
    let files = array(settings, "files").into_iter().take(MAX_SLIDES);
    let sizes = files.filter_map(|file| {
        let choice = VideoChoice::Image(text(file, "value").into());
        capture::extent(&choice, &Properties::default(), Size::new(2, 2))
    });
    let largest = sizes.reduce(|one, other| (one.0.max(other.0), one.1.max(other.1)))?;
    Some((largest.0.into(), largest.1.into()))
}

/// Reads the properties from the file's header.
fn media(path: &Path) -> SourceInfo {
    let read = || {
        let mut disk = files::MediaFile::open(path).ok()?;
        let format = disk.format().ok()?;
        if format != Format::Mp4 && std::fs::metadata(path).ok()?.len() > MAX_SCANNED_BYTES {
            return None;
        }
        disk.index_to_play(format).ok()
    };
    let Some(index) = read() else { return SourceInfo::default() };
    let (tracks, clear) = (index.tracks, !index.alpha.is_empty());
    // OBS ignores the pixel aspect.
    let size = tracks.video.map(|it| it.rotation.size(it.size));
    let size = size.filter(|size| size.width > 0 && size.height > 0);
    let size = size.map(|size| (f64::from(size.width), f64::from(size.height)));
    SourceInfo { size, has_audio: Some(!tracks.audio.is_empty()), clear }
}
