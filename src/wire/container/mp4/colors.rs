//! The colors of a visual sample entry: `colr`, `mdcv` and `clli` (ISO/IEC 14496-12 §12.1.5 to
//! §12.1.8).

use bytes::{BufMut, BytesMut};

use crate::wire::codec::{Colors, hdr};
use crate::wire::container::mp4::boxes::{Fields, boxes, child, put_box};

/// The code point "unspecified".
const UNSPECIFIED_CODE_POINT: u8 = 2;

/// Reads the colors of the first `stsd` entry, which is visual.
pub(super) fn colors(stsd: &[u8]) -> Option<Colors> {
    let mut fields = Fields(stsd);
    fields.full()?;
    fields.u32()?;
    let inner = boxes(fields.0).next()?.content.get(78..)?;
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
    use crate::media::Rotation;
    use crate::wire::codec::Light;
    use crate::wire::container::mp4::live::tracks;
    use crate::wire::container::mp4::{Writer, index};
    use crate::wire::container::track_config::tests::rotated_video;
    use crate::wire::container::{Muxer, Timing};

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
