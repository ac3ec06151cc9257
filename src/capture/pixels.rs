//! Turns what cameras deliver into I420, once.

use yuv::{BufferStoreMut, YuvPackedImage, YuvPlanarImageMut, yuyv422_to_yuv420};
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::device::Pixel;
use crate::media::{Color, Planes, Size};

/// Turns pictures of one camera.
#[derive(Default)]
pub(super) struct Turner {
    /// A decoded JPEG, three bytes a pixel.
    packed: Vec<u8>,
}

impl Turner {
    /// Fills `planes` with the picture in `data`. Anything wrong with it is an error in words.
    pub(super) fn turn(
        &mut self,
        pixel: Pixel,
        data: &[u8],
        planes: &mut Planes,
    ) -> Result<Color, String> {
        match pixel {
            Pixel::Yuyv => yuyv(data, planes).map(|()| Color::WEBCAM),
            Pixel::Nv12 => nv12(data, planes).map(|()| Color::WEBCAM),
            Pixel::Mjpeg => self.jpeg(data, planes).map(|()| Color::JPEG),
        }
    }

    fn jpeg(&mut self, data: &[u8], planes: &mut Planes) -> Result<(), String> {
        let size = planes.size();
        let options = DecoderOptions::default()
            .jpeg_set_out_colorspace(ColorSpace::YCbCr)
            .set_max_width(Size::MAX_SIDE as usize)
            .set_max_height(Size::MAX_SIDE as usize);
        let data = whole_jpeg(data);
        let completed;
        let data = if has_huffman_tables(data) {
            data
        } else {
            completed = [START, STANDARD_TABLES, data.get(START.len()..).unwrap_or(&[])].concat();
            &completed
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
            planes.u.fill(128);
            planes.v.fill(128);
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

fn yuyv(data: &[u8], planes: &mut Planes) -> Result<(), String> {
    let Size { width, height } = planes.size();
    let wanted = planes.size().pixels() * 2;
    let yuy = data.get(..wanted).ok_or_else(|| short(data.len(), wanted))?;
    let packed = YuvPackedImage { yuy, yuy_stride: width * 2, width, height };
    let mut planar = YuvPlanarImageMut {
        y_plane: BufferStoreMut::Borrowed(&mut planes.y),
        y_stride: width,
        u_plane: BufferStoreMut::Borrowed(&mut planes.u),
        u_stride: width / 2,
        v_plane: BufferStoreMut::Borrowed(&mut planes.v),
        v_stride: width / 2,
        width,
        height,
    };
    yuyv422_to_yuv420(&mut planar, &packed).map_err(|fault| fault.to_string())
}

fn nv12(data: &[u8], planes: &mut Planes) -> Result<(), String> {
    let luma = planes.size().pixels();
    let wanted = luma * 3 / 2;
    let data = data.get(..wanted).ok_or_else(|| short(data.len(), wanted))?;
    let (y, uv) = data.split_at(luma);
    planes.y.copy_from_slice(y);
    let chroma = planes.u.iter_mut().zip(&mut planes.v);
    for ((u, v), pair) in chroma.zip(uv.chunks_exact(2)) {
        if let &[first, second] = pair {
            (*u, *v) = (first, second);
        }
    }
    Ok(())
}

fn short(length: usize, wanted: usize) -> String {
    format!("{length} bytes of picture instead of {wanted}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raw_formats_become_planes() {
        let size = Size::new(4, 2);
        let mut planes = Planes::black(size);
        let yuyv: Vec<u8> = [[10, 100, 20, 200], [30, 100, 40, 200]].concat().repeat(2);
        let color = Turner::default().turn(Pixel::Yuyv, &yuyv, &mut planes).unwrap();
        assert_eq!(color, Color::WEBCAM);
        assert_eq!(planes.y, [10, 20, 30, 40, 10, 20, 30, 40]);
        assert_eq!((planes.u.clone(), planes.v.clone()), (vec![100; 2], vec![200; 2]));
        let nv12 = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
        Turner::default().turn(Pixel::Nv12, &nv12, &mut planes).unwrap();
        assert_eq!((planes.y[7], planes.u[1], planes.v[0]), (8, 11, 10));
    }

    #[test]
    fn damaged_pictures_are_errors() {
        let mut planes = Planes::black(Size::new(64, 64));
        let mut turner = Turner::default();
        for data in [&b""[..], b"\xFF\xD8\xFF\xD9", &[0xFF; 300], &[0; 5]] {
            for pixel in [Pixel::Yuyv, Pixel::Nv12, Pixel::Mjpeg] {
                assert!(turner.turn(pixel, data, &mut planes).is_err(), "{pixel:?}");
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
            let color = Turner::default().turn(Pixel::Mjpeg, data, &mut planes).unwrap();
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
        assert!(Turner::default().turn(Pixel::Mjpeg, COLOR_JPEG, &mut planes).is_err());
    }

    #[test]
    fn grey_jpegs_become_planes_without_colour() {
        for data in [GREY_JPEG, &without_tables(GREY_JPEG)] {
            let mut planes = Planes::black(Size::new(16, 16));
            planes.u.fill(7);
            Turner::default().turn(Pixel::Mjpeg, data, &mut planes).unwrap();
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
