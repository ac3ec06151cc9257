//! Decodes JPEG frames of cameras, after adding missing tables and trimming the data.

use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use crate::capture::camera::convert::rows::Rows;
use crate::capture::camera::convert::yuv::{self, colourless};
use crate::capture::camera::pixel_format::{PackedOrder, Samples};
use crate::media::{Planes, Size};

/// Buffers for decoded frames.
#[derive(Default)]
pub(super) struct Jpegs {
    /// The decoded pixels, with three bytes each.
    packed: Vec<u8>,
    /// A frame with the added tables.
    completed: Vec<u8>,
}

impl Jpegs {
    /// Decodes a frame into `planes`.
    pub(super) fn turn(
        &mut self,
        data: &[u8],
        size: Size,
        planes: &mut Planes,
    ) -> Result<(), String> {
        let options = DecoderOptions::default()
            .jpeg_set_out_colorspace(ColorSpace::YCbCr)
            .set_max_width(Size::MAX_SIDE as usize)
            .set_max_height(Size::MAX_SIDE as usize);
        let data = whole_jpeg(data);
        let data = if has_huffman_tables(data) {
            data
        } else {
            self.completed.clear();
            let parts = [SOI_MARKER, AVI1_SEGMENT, data.get(SOI_MARKER.len()..).unwrap_or(&[])];
            parts.iter().for_each(|part| self.completed.extend_from_slice(part));
            &self.completed
        };
        let mut decoder = JpegDecoder::new_with_options(ZCursor::new(data), options);
        decoder.decode_headers().map_err(|fault| fault.to_string())?;
        let info = decoder.info().ok_or("no frame header")?;
        let found = Size::new(u32::from(info.width), u32::from(info.height));
        if found != size {
            return Err(format!("a frame of {found} instead of {size}"));
        }
        let grey = decoder.input_colorspace() == Some(ColorSpace::Luma);
        if grey {
            decoder.set_options(options.jpeg_set_out_colorspace(ColorSpace::Luma));
        }
        let length = decoder.output_buffer_size().ok_or("no frame header")?;
        let wanted = size.pixels() * if grey { 1 } else { 3 };
        if length != wanted {
            return Err(format!("{length} bytes in a frame instead of {wanted}"));
        }
        if grey {
            colourless(planes);
            if size == planes.size() {
                return decoder.decode_into(&mut planes.y).map_err(|fault| fault.to_string());
            }
        }
        self.packed.resize(length, 0);
        decoder.decode_into(&mut self.packed).map_err(|fault| fault.to_string())?;
        let rows = &mut Rows::tight(&self.packed, size);
        if grey {
            yuv::luma(Samples::Eight, rows, planes)
        } else {
            yuv::whole(PackedOrder::Yuv, rows, planes)
        }
    }
}

/// The marker at the beginning of a JPEG frame.
const SOI_MARKER: &[u8] = &[0xFF, 0xD8];
/// An AVI1 segment, which selects the standard Huffman tables of Motion JPEG in AVI files.
const AVI1_SEGMENT: &[u8] = b"\xFF\xE0\x00\x07AVI1\0";

/// Returns true if a frame contains its Huffman tables, which many webcams omit, and also if the
/// frame is damaged.
fn has_huffman_tables(jpeg: &[u8]) -> bool {
    let mut rest = jpeg.get(SOI_MARKER.len()..).unwrap_or(&[]);
    // Segments have a marker, a length that includes itself, and the content.
    while let &[0xFF, kind, high, low, ..] = rest {
        match kind {
            0xC4 => return true,
            // The scan data begins here.
            0xDA => return false,
            _ => {
                let length = usize::from(u16::from_be_bytes([high, low]));
                rest = rest.get(2 + length..).unwrap_or(&[]);
            }
        }
    }
    // The data cannot be repaired.
    true
}

/// Returns the frame without trailing data, because cameras may deliver the whole buffer.
fn whole_jpeg(data: &[u8]) -> &[u8] {
    // The marker cannot occur inside the data: in entropy-coded data, a zero or a restart marker
    // follows each byte of 255. Search from the end, because thumbnails in the header have an end
    // marker too.
    let end = data.windows(2).rposition(|pair| pair == [0xFF, 0xD9]);
    end.and_then(|end| data.get(..end + 2)).unwrap_or(data)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turn(data: &[u8], planes: &mut Planes) -> Result<(), String> {
        Jpegs::default().turn(data, planes.size(), planes)
    }

    const COLOR_JPEG: &[u8] = include_bytes!("../../../../../../tests/data/jpeg/red-blue-422.jpg");
    const GRAY_JPEG: &[u8] = include_bytes!("../../../../../../tests/data/jpeg/grey.jpg");

    /// Removes the Huffman tables, which many webcams omit.
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
            turn(data, &mut planes).unwrap();
            // Chroma is smoothed at color boundaries.
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
        // The camera announced another size.
        let mut planes = Planes::black(Size::new(16, 16));
        assert!(turn(COLOR_JPEG, &mut planes).is_err());
    }

    #[test]
    fn grey_jpegs_become_planes_without_colour() {
        for data in [GRAY_JPEG, &without_tables(GRAY_JPEG)] {
            let mut planes = Planes::black(Size::new(16, 16));
            planes.u.fill(7);
            turn(data, &mut planes).unwrap();
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
