//! The places, sizes and names of recordings of single sources. This module is pure.

use std::path::{Path, PathBuf};

use crate::media::source_status::{SourceFormat, SourceReport};
use crate::media::{ExtraTrack, MAX_TRACKS, ProgramId, Size};

/// Maximum number of sources that are recorded at once. Each has its own encoder.
pub const MAX_SOURCE_RECORDINGS: u8 = 8;

/// The first program that is a source. Programs before it are those on other canvases.
const FIRST_PROGRAM: u8 = 16;

/// Maximum width and height of a recorded source. A larger source is scaled down.
const MAX_SIDE: u32 = 3_840;

/// Minimum width and height that all encoders support.
const MIN_SIDE: u32 = 32;

/// The place of a source's recording among all recordings of sources.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SourcePlace(u8);

impl SourcePlace {
    /// Returns all places.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..MAX_SOURCE_RECORDINGS).map(Self)
    }

    /// Returns the program that shows the source alone.
    pub const fn program(self) -> ProgramId {
        ProgramId(FIRST_PROGRAM.saturating_add(self.0))
    }

    /// Returns the audio track of the source alone. It is not one of the tracks of the user.
    pub const fn track(self) -> ExtraTrack {
        ExtraTrack::behind_first(MAX_TRACKS.saturating_add(self.0))
    }
}

/// Returns the size of a source's recording: that of the source, with even sides, or that of the
/// program while the source has not told its size.
pub fn size_of(report: &SourceReport, program: Size) -> Size {
    let SourceFormat::Video { size, .. } = report.format else { return program };
    let largest = size.width.max(size.height);
    if largest == 0 {
        return program;
    }
    let side = |side: u32| match largest {
        ..=MAX_SIDE => side,
        _ => (u64::from(side) * u64::from(MAX_SIDE) / u64::from(largest)) as u32,
    };
    let even = |length: u32| (side(length) & !1).max(MIN_SIDE);
    Size::new(even(size.width), even(size.height))
}

/// Returns the file of a source beside the file of the program: `show - Camera.mp4`.
pub fn path_beside(program: &Path, source: &str) -> PathBuf {
    let stem = program.file_stem().map(|stem| stem.to_string_lossy()).unwrap_or_default();
    let allowed = |letter: char| !letter.is_control() && !"/\\:*?\"<>|".contains(letter);
    let source: String = source.chars().map(|it| if allowed(it) { it } else { '_' }).collect();
    let extension = program.extension().map(|it| it.to_string_lossy()).unwrap_or_default();
    program.with_file_name(format!("{stem} - {}.{extension}", source.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_recorded_at_its_own_size_with_even_sides() {
        let program = Size::new(1_280, 720);
        let of = |format| size_of(&SourceReport { format, ..SourceReport::default() }, program);
        let video =
            |width, height| SourceFormat::Video { size: Size::new(width, height), fps: 30.0 };
        assert_eq!(of(video(641, 359)), Size::new(640, 358));
        assert_eq!(of(video(7_680, 4_320)), Size::new(3_840, 2_160));
        assert_eq!(of(SourceFormat::Unknown), program);
    }

    #[test]
    fn a_file_is_named_after_its_source_whatever_its_name() {
        let of = |name| path_beside(Path::new("/shows/show 1.mkv"), name);
        assert_eq!(of("Camera"), Path::new("/shows/show 1 - Camera.mkv"));
        assert_eq!(of("../a\nb: 摄像头"), Path::new("/shows/show 1 - .._a_b_ 摄像头.mkv"));
    }

    #[test]
    fn places_share_no_program_and_no_track() {
        let all: Vec<_> = SourcePlace::all().map(|it| (it.program(), it.track())).collect();
        for (index, (program, track)) in all.iter().enumerate() {
            let rest = &all[index + 1..];
            assert!(rest.iter().all(|(other, its)| other != program && its != track));
            assert!(ExtraTrack::new(track.number()).is_none(), "a track of the user");
        }
    }
}
