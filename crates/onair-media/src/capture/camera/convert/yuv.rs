//! Converts luma and chroma of any layout to 4:2:0 planes. Finer chroma is averaged, except that
//! packed 4:2:2 uses every other row.

use yuv::{
    YuvError, YuvPackedImage, YuvPlanarImageMut, uyvy422_to_yuv420, vyuy422_to_yuv420,
    yuyv422_to_yuv420, yvyu422_to_yuv420,
};

use crate::capture::camera::convert::rows::Rows;
use crate::capture::camera::pixel_format::{
    Chroma, ChromaOrder, PackedOrder, Pixel, PlaneMemory, Samples,
};
use crate::capture::rgb::target;
use crate::media::{Planes, Size};

type Unpack = fn(&mut YuvPlanarImageMut<'_, u8>, &YuvPackedImage<'_, u8>) -> Result<(), YuvError>;

/// Converts packed 4:2:2, in which four bytes encode two pixels with shared chroma.
pub(super) fn quads(pixel: Pixel, rows: &mut Rows<'_>, planes: &mut Planes) -> Result<(), String> {
    let unpack: Unpack = match pixel {
        Pixel::Uyvy => uyvy422_to_yuv420,
        Pixel::Yvyu => yvyu422_to_yuv420,
        Pixel::Vyuy => vyuy422_to_yuv420,
        _ => yuyv422_to_yuv420,
    };
    let Size { width, height } = planes.size();
    let (across, down) = rows.size();
    let (yuy, stride) = rows.plane(across * 2, down)?;
    let yuy = yuy.get(..stride * height as usize).unwrap_or(yuy);
    let packed = YuvPackedImage { yuy, yuy_stride: stride as u32, width, height };
    unpack(&mut target(planes), &packed).map_err(|fault| fault.to_string())
}

pub(super) fn luma(
    samples: Samples,
    rows: &mut Rows<'_>,
    planes: &mut Planes,
) -> Result<(), String> {
    let width = planes.luma_stride();
    let (across, down) = rows.size();
    let from = rows.rows(samples.row(across), down)?;
    for (to, from) in planes.y.chunks_exact_mut(width).zip(from) {
        samples.high(from, to);
    }
    Ok(())
}

pub(super) fn colourless(planes: &mut Planes) {
    planes.u.fill(128);
    planes.v.fill(128);
}

/// Converts a luma plane and a plane of interleaved chroma.
pub(super) fn pairs(
    (chroma, first, memory): (Chroma, ChromaOrder, PlaneMemory),
    rows: &mut Rows<'_>,
    planes: &mut Planes,
) -> Result<(), String> {
    luma(Samples::Eight, rows, planes)?;
    if memory == PlaneMemory::Own {
        rows.turn_over();
    } else if chroma == Chroma::C444 {
        rows.stretch(2, 1);
    }
    let turn = match chroma {
        Chroma::C420 => |upper: &[u8], _: &[u8], a: &mut [u8], b: &mut [u8]| {
            for ((a, b), of) in a.iter_mut().zip(b).zip(upper.as_chunks::<2>().0) {
                [*a, *b] = *of;
            }
        },
        Chroma::C422 => |upper: &[u8], lower: &[u8], a: &mut [u8], b: &mut [u8]| {
            let of = upper.as_chunks::<2>().0.iter().zip(lower.as_chunks::<2>().0);
            for ((a, b), ([a0, b0], [a1, b1])) in a.iter_mut().zip(b).zip(of) {
                (*a, *b) = (mean2(*a0, *a1), mean2(*b0, *b1));
            }
        },
        Chroma::C444 => |upper: &[u8], lower: &[u8], a: &mut [u8], b: &mut [u8]| {
            let of = upper.as_chunks::<4>().0.iter().zip(lower.as_chunks::<4>().0);
            for ((a, b), ([a0, b0, a1, b1], [a2, b2, a3, b3])) in a.iter_mut().zip(b).zip(of) {
                (*a, *b) = (mean4(*a0, *a1, *a2, *a3), mean4(*b0, *b1, *b2, *b3));
            }
        },
    };
    let (width, _) = rows.size();
    let row = if chroma == Chroma::C444 { width * 2 } else { width.next_multiple_of(2) };
    paired(row, chroma == Chroma::C420, first, rows, planes, turn)
}

/// Converts a luma plane and a plane of interleaved 4:2:0 chroma, with the significant bits in the
/// high bits of 16-bit samples.
pub(super) fn wide_pairs(rows: &mut Rows<'_>, planes: &mut Planes) -> Result<(), String> {
    luma(Samples::Wide(16), rows, planes)?;
    let row = rows.size().0.next_multiple_of(2) * 2;
    paired(row, true, ChromaOrder::U, rows, planes, |from, _, us, vs| {
        for ((u, v), [_, high_u, _, high_v]) in us.iter_mut().zip(vs).zip(from.as_chunks::<4>().0) {
            (*u, *v) = (*high_u, *high_v);
        }
    })
}

/// Converts interleaved chroma. `row` is the number of bytes of a row, and one or two rows become
/// one row of the planes.
fn paired(
    row: usize,
    single: bool,
    first: ChromaOrder,
    rows: &mut Rows<'_>,
    planes: &mut Planes,
    turn: impl Fn(&[u8], &[u8], &mut [u8], &mut [u8]),
) -> Result<(), String> {
    let half = planes.chroma_stride();
    let count = rows.size().1.div_ceil(if single { 2 } else { 1 });
    let mut from = rows.rows(row, count)?;
    let chroma = planes.u.chunks_exact_mut(half).zip(planes.v.chunks_exact_mut(half));
    for (us, vs) in chroma {
        let Some(upper) = from.next() else { break };
        let lower = if single { upper } else { from.next().unwrap_or(upper) };
        match first {
            ChromaOrder::U => turn(upper, lower, us, vs),
            ChromaOrder::V => turn(upper, lower, vs, us),
        }
    }
    Ok(())
}

/// Converts three planes.
pub(super) fn planar(
    (chroma, first, memory): (Chroma, ChromaOrder, PlaneMemory),
    rows: &mut Rows<'_>,
    planes: &mut Planes,
) -> Result<(), String> {
    luma(Samples::Eight, rows, planes)?;
    let ((width, height), half) = (rows.size(), planes.chroma_stride());
    let row = width.div_ceil(2);
    if memory == PlaneMemory::One && chroma != Chroma::C444 {
        rows.stretch(1, 2);
    }
    let Planes { u, v, .. } = planes;
    for plane in if first == ChromaOrder::V { [v, u] } else { [u, v] } {
        if memory == PlaneMemory::Own {
            rows.turn_over();
        }
        let lines = plane.chunks_exact_mut(half);
        match chroma {
            Chroma::C420 => {
                for (to, from) in lines.zip(rows.rows(row, height.div_ceil(2))?) {
                    if let Some(from) = from.get(..half) {
                        to.copy_from_slice(from);
                    }
                }
            }
            Chroma::C422 => {
                let mut from = rows.rows(row, height)?;
                for to in lines {
                    let (Some(upper), Some(lower)) = (from.next(), from.next()) else { break };
                    for (to, (upper, lower)) in to.iter_mut().zip(upper.iter().zip(lower)) {
                        *to = mean2(*upper, *lower);
                    }
                }
            }
            Chroma::C444 => {
                let mut from = rows.rows(width, height)?;
                for to in lines {
                    let (Some(upper), Some(lower)) = (from.next(), from.next()) else { break };
                    let of = upper.as_chunks::<2>().0.iter().zip(lower.as_chunks::<2>().0);
                    for (to, ([a, b], [c, d])) in to.iter_mut().zip(of) {
                        *to = mean4(*a, *b, *c, *d);
                    }
                }
            }
        }
    }
    Ok(())
}

/// Converts interleaved luma and chroma of each pixel.
pub(super) fn whole(
    order: PackedOrder,
    rows: &mut Rows<'_>,
    planes: &mut Planes,
) -> Result<(), String> {
    match order {
        PackedOrder::Yuv => side_by_side::<3, 0, 1, 2>(rows, planes),
        PackedOrder::Yuvx => side_by_side::<4, 0, 1, 2>(rows, planes),
        PackedOrder::Xyuv => side_by_side::<4, 1, 2, 3>(rows, planes),
        PackedOrder::Vuyx => side_by_side::<4, 2, 1, 0>(rows, planes),
    }
}

/// Converts pixels of `N` bytes with luma and chroma.
fn side_by_side<const N: usize, const Y: usize, const U: usize, const V: usize>(
    rows: &mut Rows<'_>,
    planes: &mut Planes,
) -> Result<(), String> {
    let width = planes.luma_stride();
    let (across, down) = rows.size();
    let mut from = rows.rows(across * N, down)?;
    let byte = |pixel: &[u8; N], at: usize| pixel.get(at).copied().unwrap_or(0);
    let Planes { y, u, v, .. } = planes;
    let chroma = u.chunks_exact_mut(width / 2).zip(v.chunks_exact_mut(width / 2));
    for (lumas, (us, vs)) in y.chunks_exact_mut(width * 2).zip(chroma) {
        let (Some(upper), Some(lower)) = (from.next(), from.next()) else { break };
        let (upper, lower) = (upper.as_chunks::<N>().0, lower.as_chunks::<N>().0);
        for (luma, pixel) in lumas.iter_mut().zip(upper.iter().take(width).chain(lower)) {
            *luma = byte(pixel, Y);
        }
        let pairs = upper.as_chunks::<2>().0.iter().zip(lower.as_chunks::<2>().0);
        for ((u, v), ([a, b], [c, d])) in us.iter_mut().zip(vs).zip(pairs) {
            *u = mean4(byte(a, U), byte(b, U), byte(c, U), byte(d, U));
            *v = mean4(byte(a, V), byte(b, V), byte(c, V), byte(d, V));
        }
    }
    Ok(())
}

pub(super) fn mean2(a: u8, b: u8) -> u8 {
    (u16::from(a) + u16::from(b)).div_ceil(2) as u8
}

pub(super) fn mean4(a: u8, b: u8, c: u8, d: u8) -> u8 {
    ((u16::from(a) + u16::from(b) + u16::from(c) + u16::from(d) + 2) / 4) as u8
}
