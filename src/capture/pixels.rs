//! Turns what cameras deliver into I420, once.

use yuv::{
    BufferStoreMut, YuvConversionMode, YuvError, YuvPackedImage, YuvPlanarImageMut, YuvRange,
    YuvStandardMatrix, bgr_to_yuv420, rgb_to_yuv420, uyvy422_to_yuv420, vyuy422_to_yuv420,
    yuyv422_to_yuv420, yvyu422_to_yuv420,
};
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::device::Raw;
use super::pixel::Pixel;
use crate::media::color::Range;
use crate::media::{Color, Planes, Size};

/// Turns pictures of one camera.
#[derive(Default)]
pub(super) struct Turner {
    /// A decoded JPEG, or RGB of full range: three bytes a pixel.
    packed: Vec<u8>,
    /// A JPEG with the tables that it lacked.
    completed: Vec<u8>,
}

impl Turner {
    /// Fills `planes` with a picture. Anything wrong with it is an error in words.
    pub(super) fn turn(
        &mut self,
        pixel: Pixel,
        raw: Raw<'_>,
        planes: &mut Planes,
    ) -> Result<Color, String> {
        let Raw { data, layout, .. } = raw;
        let color = layout.color;
        let mut rows = Rows { rest: data, whole: data.len(), stride: layout.stride as usize };
        match pixel {
            Pixel::Yuyv => packed(&mut rows, planes, yuyv422_to_yuv420)?,
            Pixel::Uyvy => packed(&mut rows, planes, uyvy422_to_yuv420)?,
            Pixel::Yvyu => packed(&mut rows, planes, yvyu422_to_yuv420)?,
            Pixel::Vyuy => packed(&mut rows, planes, vyuy422_to_yuv420)?,
            Pixel::Nv12 | Pixel::Nv21 => pairs(&mut rows, planes, pixel == Pixel::Nv21)?,
            Pixel::Nv16 => tall_pairs(&mut rows, planes)?,
            Pixel::Yu12 | Pixel::Yv12 => planar(&mut rows, planes, pixel == Pixel::Yv12)?,
            Pixel::Grey => {
                luma(&mut rows, planes)?;
                colourless(planes);
            }
            Pixel::Rgb24 | Pixel::Bgr24 => {
                self.rgb(&mut rows, color.range, pixel == Pixel::Bgr24, planes)?;
                return Ok(Color::PROGRAM);
            }
            // Each hangs together with those before it.
            Pixel::H264 => return Err("H.264 without a decoder".to_owned()),
            Pixel::Mjpeg | Pixel::Jpeg => {
                self.jpeg(data, planes)?;
                return Ok(Color::JPEG);
            }
        }
        Ok(color)
    }

    /// RGB becomes what the program is, with its luma and chroma.
    fn rgb(
        &mut self,
        rows: &mut Rows<'_>,
        range: Range,
        blue_first: bool,
        planes: &mut Planes,
    ) -> Result<(), String> {
        let Size { width, height } = planes.size();
        let (data, mut stride) = rows.plane(width as usize * 3, height as usize)?;
        let mut data = data;
        if range == Range::Limited {
            // 16…235 as some capture cards pass it on.
            let whole = |x: &u8| (((i32::from(*x) - 16) * 255 + 109) / 219).clamp(0, 255) as u8;
            self.packed.clear();
            for row in data.chunks(stride).take(height as usize) {
                self.packed.extend(row.iter().take(width as usize * 3).map(whole));
            }
            (data, stride) = (&self.packed, width as usize * 3);
        }
        let turn = if blue_first { bgr_to_yuv420 } else { rgb_to_yuv420 };
        turn(
            &mut target(planes),
            data,
            stride as u32,
            YuvRange::Limited,
            YuvStandardMatrix::Bt709,
            YuvConversionMode::Balanced,
        )
        .map_err(|fault| fault.to_string())
    }

    fn jpeg(&mut self, data: &[u8], planes: &mut Planes) -> Result<(), String> {
        let size = planes.size();
        let options = DecoderOptions::default()
            .jpeg_set_out_colorspace(ColorSpace::YCbCr)
            .set_max_width(Size::MAX_SIDE as usize)
            .set_max_height(Size::MAX_SIDE as usize);
        let data = whole_jpeg(data);
        let data = if has_huffman_tables(data) {
            data
        } else {
            self.completed.clear();
            let parts = [START, STANDARD_TABLES, data.get(START.len()..).unwrap_or(&[])];
            parts.iter().for_each(|part| self.completed.extend_from_slice(part));
            &self.completed
        };
        let mut decoder = JpegDecoder::new_with_options(ZCursor::new(data), options);
        decoder.decode_headers().map_err(|fault| fault.to_string())?;
        let info = decoder.info().ok_or("no picture header")?;
        let found = Size::new(u32::from(info.width), u32::from(info.height));
        if found != size {
            return Err(format!("a picture of {found} instead of {size}"));
        }
        let grey = decoder.input_colorspace() == Some(ColorSpace::Luma);
        if grey {
            decoder.set_options(options.jpeg_set_out_colorspace(ColorSpace::Luma));
        }
        let length = decoder.output_buffer_size().ok_or("no picture header")?;
        let wanted = size.pixels() * if grey { 1 } else { 3 };
        if length != wanted {
            return Err(format!("{length} bytes of picture instead of {wanted}"));
        }
        if grey {
            colourless(planes);
            return decoder.decode_into(&mut planes.y).map_err(|fault| fault.to_string());
        }
        self.packed.resize(length, 0);
        decoder.decode_into(&mut self.packed).map_err(|fault| fault.to_string())?;
        unpack(&self.packed, planes);
        Ok(())
    }
}

/// The marker that a picture begins with.
const START: &[u8] = &[0xFF, 0xD8];
/// A segment that says: Motion JPEG as in AVI files, Huffman tables are the standard's.
const STANDARD_TABLES: &[u8] = b"\xFF\xE0\x00\x07AVI1\0";

/// Whether a picture brings its Huffman tables; many webcams leave them out.
fn has_huffman_tables(jpeg: &[u8]) -> bool {
    let mut rest = jpeg.get(START.len()..).unwrap_or(&[]);
    // Segments: a marker, a length that counts itself, as much content.
    while let &[0xFF, kind, high, low, ..] = rest {
        match kind {
            0xC4 => return true,
            // Here the picture itself begins.
            0xDA => return false,
            _ => {
                let length = usize::from(u16::from_be_bytes([high, low]));
                rest = rest.get(2 + length..).unwrap_or(&[]);
            }
        }
    }
    // Nothing that could be mended.
    true
}

/// The picture without what follows it: the whole buffer comes, however short the picture is.
fn whole_jpeg(data: &[u8]) -> &[u8] {
    // The marker cannot occur inside: entropy-coded bytes of 255 are followed by 0 or a restart.
    // From the end, because thumbnails in the header end with one too.
    let end = data.windows(2).rposition(|pair| pair == [0xFF, 0xD9]);
    end.and_then(|end| data.get(..end + 2)).unwrap_or(data)
}

/// Interleaved 4:4:4 to planar 4:2:0; chroma is the mean of four.
fn unpack(packed: &[u8], planes: &mut Planes) {
    let (stride, half) = (planes.luma_stride(), planes.chroma_stride());
    let Planes { y, u, v, .. } = planes;
    let chroma = u.chunks_exact_mut(half).zip(v.chunks_exact_mut(half));
    let lines = y.chunks_exact_mut(stride * 2).zip(packed.chunks_exact(stride * 6));
    for ((luma, packed), (us, vs)) in lines.zip(chroma) {
        for (y, pixel) in luma.iter_mut().zip(packed.chunks_exact(3)) {
            *y = pixel.first().copied().unwrap_or(0);
        }
        let (upper, lower) = packed.split_at(stride * 3);
        let pairs = upper.chunks_exact(6).zip(lower.chunks_exact(6));
        for ((u, v), (upper, lower)) in us.iter_mut().zip(vs).zip(pairs) {
            if let (&[_, u0, v0, _, u1, v1], &[_, u2, v2, _, u3, v3]) = (upper, lower) {
                let mean = |a: u8, b: u8, c: u8, d: u8| {
                    ((u16::from(a) + u16::from(b) + u16::from(c) + u16::from(d) + 2) / 4) as u8
                };
                *u = mean(u0, u1, u2, u3);
                *v = mean(v0, v1, v2, v3);
            }
        }
    }
}

/// What is left of a picture's memory, plane after plane.
struct Rows<'a> {
    rest: &'a [u8],
    whole: usize,
    stride: usize,
}

impl<'a> Rows<'a> {
    /// The next plane: `height` rows of so many bytes, and how far apart they are.
    fn plane(&mut self, row: usize, height: usize) -> Result<(&'a [u8], usize), String> {
        let stride = self.stride.max(row);
        let used = self.whole - self.rest.len();
        let wanted = stride.saturating_mul(height);
        match self.rest.split_at_checked(wanted) {
            Some((plane, rest)) => {
                self.rest = rest;
                Ok((plane, stride))
            }
            None => Err(short(self.whole, used.saturating_add(wanted))),
        }
    }

    /// The same, row by row.
    fn rows(
        &mut self,
        row: usize,
        height: usize,
    ) -> Result<impl Iterator<Item = &'a [u8]> + use<'a>, String> {
        let (plane, stride) = self.plane(row, height)?;
        Ok(plane.chunks_exact(stride).map(move |line| line.get(..row).unwrap_or(line)))
    }
}

fn short(length: usize, wanted: usize) -> String {
    format!("{length} bytes of picture instead of {wanted}")
}

fn target(planes: &mut Planes) -> YuvPlanarImageMut<'_, u8> {
    let Size { width, height } = planes.size();
    YuvPlanarImageMut {
        y_plane: BufferStoreMut::Borrowed(&mut planes.y),
        y_stride: width,
        u_plane: BufferStoreMut::Borrowed(&mut planes.u),
        u_stride: width / 2,
        v_plane: BufferStoreMut::Borrowed(&mut planes.v),
        v_stride: width / 2,
        width,
        height,
    }
}

type Unpack = fn(&mut YuvPlanarImageMut<'_, u8>, &YuvPackedImage<'_, u8>) -> Result<(), YuvError>;

/// Two pixels with one colour in four bytes; chroma is that of every other row.
fn packed(rows: &mut Rows<'_>, planes: &mut Planes, unpack: Unpack) -> Result<(), String> {
    let Size { width, height } = planes.size();
    let (yuy, stride) = rows.plane(width as usize * 2, height as usize)?;
    let packed = YuvPackedImage { yuy, yuy_stride: stride as u32, width, height };
    unpack(&mut target(planes), &packed).map_err(|fault| fault.to_string())
}

fn luma(rows: &mut Rows<'_>, planes: &mut Planes) -> Result<(), String> {
    let Size { width, height } = planes.size();
    let from = rows.rows(width as usize, height as usize)?;
    for (to, from) in planes.y.chunks_exact_mut(width as usize).zip(from) {
        to.copy_from_slice(from);
    }
    Ok(())
}

fn colourless(planes: &mut Planes) {
    planes.u.fill(128);
    planes.v.fill(128);
}

/// Luma, then chroma in pairs.
fn pairs(rows: &mut Rows<'_>, planes: &mut Planes, v_first: bool) -> Result<(), String> {
    luma(rows, planes)?;
    let Size { width, height } = planes.size();
    let half = width as usize / 2;
    let from = rows.rows(width as usize, height as usize / 2)?;
    let chroma = planes.u.chunks_exact_mut(half).zip(planes.v.chunks_exact_mut(half));
    for ((us, vs), from) in chroma.zip(from) {
        let (firsts, seconds) = if v_first { (vs, us) } else { (us, vs) };
        for ((first, second), pair) in firsts.iter_mut().zip(seconds).zip(from.chunks_exact(2)) {
            if let &[a, b] = pair {
                (*first, *second) = (a, b);
            }
        }
    }
    Ok(())
}

/// The same with chroma for each row: that of two is averaged.
fn tall_pairs(rows: &mut Rows<'_>, planes: &mut Planes) -> Result<(), String> {
    luma(rows, planes)?;
    let Size { width, height } = planes.size();
    let half = width as usize / 2;
    let mut from = rows.rows(width as usize, height as usize)?;
    let chroma = planes.u.chunks_exact_mut(half).zip(planes.v.chunks_exact_mut(half));
    for (us, vs) in chroma {
        let (Some(upper), Some(lower)) = (from.next(), from.next()) else { break };
        let both = upper.chunks_exact(2).zip(lower.chunks_exact(2));
        for ((u, v), (upper, lower)) in us.iter_mut().zip(vs).zip(both) {
            if let (&[u0, v0], &[u1, v1]) = (upper, lower) {
                let mean = |a: u8, b: u8| (u16::from(a) + u16::from(b)).div_ceil(2) as u8;
                (*u, *v) = (mean(u0, u1), mean(v0, v1));
            }
        }
    }
    Ok(())
}

/// Three planes; those of chroma have rows of half the length.
fn planar(rows: &mut Rows<'_>, planes: &mut Planes, v_first: bool) -> Result<(), String> {
    luma(rows, planes)?;
    let Size { width, height } = planes.size();
    let half = width as usize / 2;
    rows.stride /= 2;
    let Planes { u, v, .. } = planes;
    for plane in if v_first { [v, u] } else { [u, v] } {
        let from = rows.rows(half, height as usize / 2)?;
        for (to, from) in plane.chunks_exact_mut(half).zip(from) {
            to.copy_from_slice(from);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::device::Layout;
    use super::*;

    fn raw(data: &[u8], stride: u32, color: Color) -> Raw<'_> {
        Raw { data, age: Duration::ZERO, layout: Layout { stride, color } }
    }

    /// A webcam's picture, rows without padding.
    fn turn(pixel: Pixel, data: &[u8], planes: &mut Planes) -> Result<Color, String> {
        Turner::default().turn(pixel, raw(data, 0, Color::WEBCAM), planes)
    }

    /// Luma 1…8 of 4×2 pixels, chroma of (20, 70) left and (30, 80) right above, 10 more each below.
    fn sample(pixel: Pixel) -> (Vec<u8>, usize, [u8; 2], [u8; 2]) {
        let mean = ([25, 35], [75, 85]);
        let upper = ([20, 30], [70, 80]);
        let (bytes, row): (&[u8], usize) = match pixel {
            Pixel::Yuyv => (&[1, 20, 2, 70, 3, 30, 4, 80, 5, 30, 6, 80, 7, 40, 8, 90], 8),
            Pixel::Uyvy => (&[20, 1, 70, 2, 30, 3, 80, 4, 30, 5, 80, 6, 40, 7, 90, 8], 8),
            Pixel::Yvyu => (&[1, 70, 2, 20, 3, 80, 4, 30, 5, 80, 6, 30, 7, 90, 8, 40], 8),
            Pixel::Vyuy => (&[70, 1, 20, 2, 80, 3, 30, 4, 80, 5, 30, 6, 90, 7, 40, 8], 8),
            Pixel::Nv16 => (&[1, 2, 3, 4, 5, 6, 7, 8, 20, 70, 30, 80, 30, 80, 40, 90], 4),
            Pixel::Nv12 => (&[1, 2, 3, 4, 5, 6, 7, 8, 25, 75, 35, 85], 4),
            Pixel::Nv21 => (&[1, 2, 3, 4, 5, 6, 7, 8, 75, 25, 85, 35], 4),
            Pixel::Yu12 => (&[1, 2, 3, 4, 5, 6, 7, 8, 25, 35, 75, 85], 4),
            Pixel::Yv12 => (&[1, 2, 3, 4, 5, 6, 7, 8, 75, 85, 25, 35], 4),
            Pixel::Grey => return (vec![1, 2, 3, 4, 5, 6, 7, 8], 4, [128; 2], [128; 2]),
            _ => panic!("{pixel:?} has no planes of its own"),
        };
        let (u, v) = if row == 8 { upper } else { mean };
        (bytes.to_vec(), row, u, v)
    }

    const OF_YUV: [Pixel; 10] = [
        Pixel::Yuyv,
        Pixel::Uyvy,
        Pixel::Yvyu,
        Pixel::Vyuy,
        Pixel::Nv12,
        Pixel::Nv21,
        Pixel::Nv16,
        Pixel::Yu12,
        Pixel::Yv12,
        Pixel::Grey,
    ];

    #[test]
    fn every_kind_of_pixels_becomes_the_same_planes() {
        for pixel in OF_YUV {
            let (bytes, row, u, v) = sample(pixel);
            let is_so = |data: &[u8], stride| {
                let mut planes = Planes::black(Size::new(4, 2));
                planes.u.fill(7);
                let color = Color { range: Range::Full, ..Color::PROGRAM };
                let turned = Turner::default().turn(pixel, raw(data, stride, color), &mut planes);
                assert_eq!(turned, Ok(color), "{pixel:?}, as the driver says");
                assert_eq!(planes.y, [1, 2, 3, 4, 5, 6, 7, 8], "{pixel:?}");
                assert_eq!((&planes.u[..], &planes.v[..]), (&u[..], &v[..]), "{pixel:?}");
            };
            is_so(&bytes, 0);
            is_so(&[&bytes[..], &[99; 50]].concat(), row as u32);
            // Rows that end in padding: half of it where chroma has a plane of its own.
            let planar = matches!(pixel, Pixel::Yu12 | Pixel::Yv12);
            let (luma, chroma) = bytes.split_at(if row == 4 { 8 } else { 16 });
            let chroma_row = if planar { 2 } else { 4 };
            let mut padded = Vec::new();
            for line in luma.chunks(row) {
                padded.extend_from_slice(line);
                padded.extend([99; 4]);
            }
            for line in chroma.chunks(chroma_row) {
                padded.extend_from_slice(line);
                padded.extend(vec![99; chroma_row]);
            }
            is_so(&padded, row as u32 + 4);
            let mut planes = Planes::black(Size::new(4, 2));
            assert!(turn(pixel, &bytes[..bytes.len() - 1], &mut planes).is_err(), "{pixel:?}");
        }
    }

    #[test]
    fn rgb_becomes_what_the_program_is() {
        // BT.709: white, black, pure red, and grey of half.
        let cases = [
            ([255, 255, 255], [235, 128, 128]),
            ([0, 0, 0], [16, 128, 128]),
            ([255, 0, 0], [63, 102, 240]),
            ([0, 0, 255], [32, 240, 118]),
            ([128, 128, 128], [126, 128, 128]),
        ];
        for ([r, g, b], want) in cases {
            let limited = |x: u8| (f64::from(x) * 219.0 / 255.0 + 16.0).round() as u8;
            let narrow = Color { range: Range::Limited, ..Color::PROGRAM };
            let whole = Color { range: Range::Full, ..Color::PROGRAM };
            let (r1, g1, b1) = (limited(r), limited(g), limited(b));
            for (pixel, one, color) in [
                (Pixel::Rgb24, [r, g, b], whole),
                (Pixel::Bgr24, [b, g, r], whole),
                (Pixel::Rgb24, [r1, g1, b1], narrow),
                (Pixel::Bgr24, [b1, g1, r1], narrow),
            ] {
                let mut data = Vec::new();
                for _ in 0..2 {
                    data.extend(one.repeat(4));
                    data.extend([77; 3]);
                }
                let mut planes = Planes::black(Size::new(4, 2));
                let turned = Turner::default().turn(pixel, raw(&data, 15, color), &mut planes);
                assert_eq!(turned, Ok(Color::PROGRAM));
                let near = |plane: &[u8], want: u8| plane.iter().all(|x| x.abs_diff(want) <= 1);
                let is = near(&planes.y, want[0])
                    && near(&planes.u, want[1])
                    && near(&planes.v, want[2]);
                assert!(is, "{pixel:?} {one:?}: {:?} {:?} {:?}", planes.y, planes.u, planes.v);
            }
        }
    }

    #[test]
    fn damaged_pictures_are_errors() {
        let mut planes = Planes::black(Size::new(64, 64));
        for data in [&b""[..], b"\xFF\xD8\xFF\xD9", &[0xFF; 300], &[0; 5]] {
            for pixel in Pixel::ALL {
                assert!(turn(pixel, data, &mut planes).is_err(), "{pixel:?}");
                let absurd = raw(data, u32::MAX, Color::WEBCAM);
                assert!(Turner::default().turn(pixel, absurd, &mut planes).is_err(), "{pixel:?}");
            }
        }
    }

    const COLOR_JPEG: &[u8] = include_bytes!("../../tests/data/jpeg/red-blue-422.jpg");
    const GREY_JPEG: &[u8] = include_bytes!("../../tests/data/jpeg/grey.jpg");

    /// Without its Huffman tables, which many webcams leave out.
    fn without_tables(jpeg: &[u8]) -> Vec<u8> {
        let mut rest = &jpeg[2..];
        let mut kept = jpeg[..2].to_vec();
        while rest[1] != 0xDA {
            let length = 2 + usize::from(u16::from_be_bytes([rest[2], rest[3]]));
            let (segment, after) = rest.split_at(length);
            if segment[1] != 0xC4 {
                kept.extend_from_slice(segment);
            }
            rest = after;
        }
        assert!(kept.len() + rest.len() < jpeg.len(), "there were tables");
        [&kept, rest].concat()
    }

    #[test]
    fn colour_jpegs_become_planes() {
        let padded = [COLOR_JPEG, &[0; 100]].concat();
        for data in [COLOR_JPEG, &padded, &without_tables(COLOR_JPEG)] {
            let mut planes = Planes::black(Size::new(32, 16));
            let color = turn(Pixel::Mjpeg, data, &mut planes).unwrap();
            assert_eq!(color, Color::JPEG);
            // Chroma is made smooth where the colours meet.
            let near = |plane: &[u8], half: usize, left: u8, right: u8| {
                plane.chunks_exact(half * 2).all(|line| {
                    let (l, r) = (&line[..half - 1], &line[half + 1..]);
                    let all = |part: &[u8], of: u8| part.iter().all(|x| x.abs_diff(of) < 3);
                    all(l, left) && all(r, right)
                })
            };
            assert!(near(&planes.y, 16, 76, 29), "{:?}", planes.y);
            assert!(near(&planes.u, 8, 85, 255), "{:?}", planes.u);
            assert!(near(&planes.v, 8, 255, 107), "{:?}", planes.v);
        }
        // The size is the camera's promise.
        let mut planes = Planes::black(Size::new(16, 16));
        assert!(turn(Pixel::Mjpeg, COLOR_JPEG, &mut planes).is_err());
    }

    #[test]
    fn grey_jpegs_become_planes_without_colour() {
        for data in [GREY_JPEG, &without_tables(GREY_JPEG)] {
            let mut planes = Planes::black(Size::new(16, 16));
            planes.u.fill(7);
            turn(Pixel::Mjpeg, data, &mut planes).unwrap();
            assert!(planes.y.iter().all(|y| y.abs_diff(140) < 3), "{:?}", planes.y);
            assert!(planes.u.iter().chain(&planes.v).all(|&c| c == 128));
        }
    }

    #[test]
    fn a_jpeg_is_cut_at_its_end() {
        let padded = [0xFF, 0xD8, 1, 2, 0xFF, 0xD9, 0, 0, 0];
        assert_eq!(whole_jpeg(&padded), &padded[..6]);
        assert_eq!(whole_jpeg(&padded[..4]), &padded[..4]);
    }
}
