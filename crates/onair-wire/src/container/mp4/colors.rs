//! The pixel aspect and the colors of a visual sample entry: `pasp`, `colr`, `mdcv` and `clli`
//! (ISO/IEC 14496-12 §12.1.4 to §12.1.8).

use bytes::{BufMut, BytesMut};

use crate::media::PixelAspect;
use crate::wire::codec::{Colors, hdr};
use crate::wire::container::mp4::boxes::{Fields, boxes, child, put_box};

/// The code point "unspecified".
const UNSPECIFIED_CODE_POINT: u8 = 2;

/// Returns the boxes in the first `stsd` entry, which is visual.
fn inner(stsd: &[u8]) -> Option<&[u8]> {
    let mut fields = Fields::after_version(stsd)?;
    fields.u32()?;
    boxes(fields.0).next()?.content.get(78..)
}

/// Reads the pixel aspect from the first `stsd` entry, if it declares one.
pub(super) fn pixel_aspect(stsd: &[u8]) -> Option<PixelAspect> {
    let mut fields = Fields(child(inner(stsd)?, *b"pasp")?);
    let (width, height) = (fields.u32()?, fields.u32()?);
    let aspect = PixelAspect::new(width.into(), height.into());
    (width > 0 && height > 0).then(|| aspect.unwrap_or(PixelAspect::SQUARE))
}

/// Writes the pixel aspect. The box of square pixels overrides another aspect in the codec config.
pub(super) fn put_pixel_aspect(out: &mut BytesMut, aspect: Option<PixelAspect>) {
    if let Some((width, height)) = aspect.map(PixelAspect::sides) {
        put_box(out, *b"pasp", |out| {
            out.put_u32(width);
            out.put_u32(height);
        });
    }
}

/// Reads the colors of the first `stsd` entry.
pub(super) fn colors(stsd: &[u8]) -> Option<Colors> {
    let inner = inner(stsd)?;
    let mut colors = child(inner, *b"colr").and_then(coded).unwrap_or_default();
    let levels = child(inner, *b"clli").and_then(hdr::levels).unwrap_or_default();
    let display = child(inner, *b"mdcv").and_then(hdr::display_volume).unwrap_or_default();
    colors.light = levels.or(display);
    Some(colors)
}

/// Reads the code points of a `colr` box.
fn coded(colr: &[u8]) -> Option<Colors> {
    let mut fields = Fields(colr);
    let kind = fields.bytes(4)?;
    if !matches!(kind, b"nclx" | b"nclc") {
        return None;
    }
    let mut code = || fields.u16().map(|code| u8::try_from(code).unwrap_or(2));
    let colors = Colors::of(code()?, code()?, code()?);
    // QuickTime's box contains no range.
    let full_range = fields.u8().filter(|_| kind == b"nclx").map(|flags| flags & 0x80 != 0);
    Some(Colors { full_range, ..colors })
}

/// Writes the known colors of a visual sample entry. A mastering display is left out, because its
/// primaries are not known.
pub(super) fn put_colors(out: &mut BytesMut, colors: &Colors) {
    let codes = [colors.primaries, colors.transfer, colors.matrix];
    if codes.iter().any(Option::is_some) || colors.full_range == Some(true) {
        put_box(out, *b"colr", |out| {
            out.put_slice(b"nclx");
            for code in codes {
                out.put_u16(code.unwrap_or(UNSPECIFIED_CODE_POINT).into());
            }
            out.put_u8(if colors.full_range == Some(true) { 0x80 } else { 0 });
        });
    }
    let levels = [colors.light.max_content, colors.light.max_average];
    if levels.iter().any(Option::is_some) {
        put_box(out, *b"clli", |out| {
            for level in levels {
                // The `as` conversion saturates.
                out.put_u16(level.unwrap_or(0.0) as u16);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::{Rotation, VideoConfig};
    use crate::wire::codec::Light;
    use crate::wire::container::mp4::live::tracks;
    use crate::wire::container::mp4::{Writer, index};
    use crate::wire::container::track_config::tests::{anamorphic_video, rotated_video};
    use crate::wire::container::{Muxer, Timing};

    #[test]
    fn a_copy_keeps_the_pixel_aspect() {
        let video = anamorphic_video();
        let [wide, high] = [PixelAspect::new(12, 11), PixelAspect::new(8, 9)];
        let square = Some(PixelAspect::SQUARE);
        for pixel_aspect in [wide, high, square, video.pixel_aspect] {
            let video = VideoConfig { pixel_aspect, ..video.clone() };
            let file = Writer::new(tracks(Some(&video), None)).begin();
            let read = index(&mut &file[..]).unwrap().tracks.video.unwrap();
            assert_eq!((read.pixel_aspect, read.size), (pixel_aspect, video.size));
        }
        // Only a file without a box has the aspect of the parameter set.
        let mut file = Writer::new(tracks(Some(&video), None)).begin().to_vec();
        let pasp = file.windows(4).position(|name| name == b"pasp").unwrap();
        let read = |file: &[u8]| index(&mut &file[..]).unwrap().tracks.video.unwrap().pixel_aspect;
        file[pasp + 4..pasp + 12].copy_from_slice(&[0, 0, 0, 1, 0, 0, 0, 1]);
        assert_eq!(read(&file), square);
        file[pasp..pasp + 4].copy_from_slice(b"free");
        assert_eq!(read(&file), video.pixel_aspect);
    }

    #[test]
    fn the_header_of_a_track_has_the_displayed_size() {
        let file = Writer::new(tracks(Some(&anamorphic_video()), None)).begin();
        let tkhd = file.windows(4).position(|name| name == b"tkhd").unwrap() - 4;
        let length = u32::from_be_bytes(*file[tkhd..].first_chunk().unwrap());
        let end = tkhd + length as usize;
        // 1024×576 in 16.16 fixed point.
        assert_eq!(file[end - 8..end], [0x04, 0, 0, 0, 0x02, 0x40, 0, 0]);
    }

    #[test]
    fn a_copy_keeps_the_colors_of_the_file() {
        let light = Light::levels(1_000, 400);
        let known = Colors { full_range: Some(true), light, ..Colors::of(9, 16, 9) };
        for colors in [known, Colors::default()] {
            let tracks = tracks(Some(&rotated_video(Rotation::None)), None);
            let file = Writer::copying(tracks, &Timing::default(), colors).begin();
            assert_eq!(index(&mut &file[..]).unwrap().colors, colors);
        }
    }
}
