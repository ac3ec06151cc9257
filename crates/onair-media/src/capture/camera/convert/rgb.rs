//! Converts RGB to the program's format, two rows at a time.

use yuv::{bgr_to_yuv420, bgra_to_yuv420, rgb_to_yuv420, rgba_to_yuv420};

use crate::capture::camera::convert::rows::Rows;
use crate::capture::camera::pixel_format::{Bits, Bytes, RgbOrder};
use crate::capture::rgb::{RgbConversion, target, three_planes, turned};
use crate::media::frame::Range;
use crate::media::{Planes, Size};

/// Converts pixels with one byte per color. `scratch` holds two rows of three bytes per pixel.
pub(super) fn bytes(
    (bytes, ends, range): (Bytes, RgbOrder, Range),
    rows: &mut Rows<'_>,
    scratch: &mut Vec<u8>,
    planes: &mut Planes,
) -> Result<(), String> {
    let (across, down) = rows.size();
    let row = across * if bytes == Bytes::Three { 3 } else { 4 };
    if range == Range::Full && bytes != Bytes::Skipped {
        let (data, stride) = rows.plane(row, down)?;
        let data = data.get(..stride * planes.size().height as usize).unwrap_or(data);
        let turn: RgbConversion = match (bytes, ends) {
            (Bytes::Three, RgbOrder::Red) => rgb_to_yuv420,
            (Bytes::Three, RgbOrder::Blue) => bgr_to_yuv420,
            (_, RgbOrder::Red) => rgba_to_yuv420,
            (_, RgbOrder::Blue) => bgra_to_yuv420,
        };
        return turned(turn, data, stride, &mut target(planes));
    }
    let mut from = rows.rows(row, down)?;
    by_rows((ends, range), scratch, planes, |_, to| {
        let from = from.next().unwrap_or(&[]);
        let to = to.as_chunks_mut::<3>().0.iter_mut();
        match bytes {
            Bytes::Three => to.zip(from.as_chunks::<3>().0).for_each(|(to, of)| *to = *of),
            Bytes::Fourth => to.zip(from.as_chunks::<4>().0).for_each(|(to, [a, b, c, _])| {
                *to = [*a, *b, *c];
            }),
            Bytes::Skipped => to.zip(from.as_chunks::<4>().0).for_each(|(to, [_, a, b, c])| {
                *to = [*a, *b, *c];
            }),
        }
    })
}

/// Converts pixels with two bytes for all three colors.
pub(super) fn bits(
    (bits, range): (Bits, Range),
    rows: &mut Rows<'_>,
    scratch: &mut Vec<u8>,
    planes: &mut Planes,
) -> Result<(), String> {
    let (across, down) = rows.size();
    let mut from = rows.rows(across * 2, down)?;
    // Expands to 0…255: the high bits are repeated below the low ones.
    let five = |x: u16| ((x & 31) << 3 | (x & 31) >> 2) as u8;
    let six = |x: u16| ((x & 63) << 2 | (x & 63) >> 4) as u8;
    let b565 = move |x: u16| [five(x >> 11), six(x >> 5), five(x)];
    let b555 = move |x: u16| [five(x >> 10), five(x >> 5), five(x)];
    by_rows((RgbOrder::Red, range), scratch, planes, |_, to| {
        let to = to.as_chunks_mut::<3>().0.iter_mut();
        let both = to.zip(from.next().unwrap_or(&[]).as_chunks::<2>().0);
        match bits {
            Bits::B565 => both.for_each(|(to, x)| *to = b565(u16::from_le_bytes(*x))),
            Bits::B565High => both.for_each(|(to, x)| *to = b565(u16::from_be_bytes(*x))),
            Bits::B555 => both.for_each(|(to, x)| *to = b555(u16::from_le_bytes(*x))),
            Bits::B555High => both.for_each(|(to, x)| *to = b555(u16::from_be_bytes(*x))),
        }
    })
}

/// Converts each row that `fill` writes with three bytes per pixel. Two rows are processed at a
/// time, so that both are still in the cache during the conversion to luma and chroma.
pub(super) fn by_rows(
    (ends, range): (RgbOrder, Range),
    scratch: &mut Vec<u8>,
    planes: &mut Planes,
    mut fill: impl FnMut(usize, &mut [u8]),
) -> Result<(), String> {
    let Size { width, .. } = planes.size();
    let (luma, half) = (width as usize, width as usize / 2);
    let turn: RgbConversion = if ends == RgbOrder::Blue { bgr_to_yuv420 } else { rgb_to_yuv420 };
    scratch.resize(luma * 6, 0);
    let Planes { y, u, v, .. } = planes;
    let chroma = u.chunks_exact_mut(half).zip(v.chunks_exact_mut(half));
    for (pair, (y, (u, v))) in y.chunks_exact_mut(luma * 2).zip(chroma).enumerate() {
        for (line, row) in scratch.chunks_exact_mut(luma * 3).enumerate() {
            fill(pair * 2 + line, row);
        }
        if range == Range::Limited {
            // Some capture cards use the range 16…235.
            let whole = |x: u8| (((i32::from(x) - 16) * 255 + 109) / 219).clamp(0, 255) as u8;
            scratch.iter_mut().for_each(|x| *x = whole(*x));
        }
        let mut target = three_planes(Size::new(width, 2), [y, u, v]);
        turned(turn, scratch, luma * 3, &mut target)?;
    }
    Ok(())
}
