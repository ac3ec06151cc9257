//! The format of a Video4Linux camera (VIDIOC_S_FMT), with what the driver says of rows and colours.
//! By hand, because the library leaves the matrix out and stops on numbers that it does not know.

use std::io;

use v4l::device::Handle;

use super::ioctl::Call;
use crate::capture::device::Layout;
use crate::capture::pixel::Pixel;
use crate::media::color::{Matrix, Range};
use crate::media::{Color, Size};

/// `V4L2_BUF_TYPE_VIDEO_CAPTURE`.
const CAPTURE: u32 = 1;
/// `V4L2_PIX_FMT_PRIV_MAGIC`: the fields behind it are meant.
const EXTENDED: u32 = 0xFEED_CAFE;

/// `V4L2_COLORSPACE_…`.
const SMPTE_240M: u32 = 2;
const REC_709: u32 = 3;
const JPEG: u32 = 7;
const BT_2020: u32 = 10;
const DCI_P3: u32 = 12;

/// `struct v4l2_format` with a `struct v4l2_pix_format` in it.
#[repr(C)]
#[derive(Copy, Clone)]
struct Format {
    kind: u32,
    /// The union behind it holds pointers too.
    _aligned: [usize; 0],
    told: Told,
    rest: [u8; 200 - size_of::<Told>()],
}

/// `struct v4l2_pix_format`: what a driver makes of a wish.
#[repr(C)]
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) code: u32,
    field: u32,
    stride: u32,
    length: u32,
    colorspace: u32,
    private: u32,
    flags: u32,
    encoding: u32,
    quantization: u32,
    transfer: u32,
}

/// `VIDIOC_S_FMT`.
const SET: Call<Format> = Call::new(5);

/// Asks for a size and a kind of pixels; the driver may choose others.
pub(super) fn set(handle: &Handle, size: Size, pixel: Pixel) -> io::Result<Told> {
    let told = Told {
        width: size.width,
        height: size.height,
        code: u32::from_le_bytes(*pixel.code()),
        private: EXTENDED,
        ..Told::default()
    };
    let rest = [0; 200 - size_of::<Told>()];
    let mut format = Format { kind: CAPTURE, _aligned: [], told, rest };
    SET.ask(handle.fd(), &mut format)?;
    Ok(format.told)
}

impl Told {
    pub(super) fn layout(&self, pixel: Pixel) -> Layout {
        Layout { stride: self.stride, color: self.color(pixel) }
    }

    /// What the numbers mean, by the kernel's rules where a driver leaves something to them
    /// (`V4L2_MAP_YCBCR_ENC_DEFAULT`, `V4L2_MAP_QUANTIZATION_DEFAULT`).
    fn color(&self, pixel: Pixel) -> Color {
        if pixel.is_jpeg() {
            // Whatever is said of them: their decoders and encoders know nothing else.
            return Color::JPEG;
        }
        let matrix = match self.encoding {
            // 601 and its twins: xvYCC 601, sYCC.
            1 | 3 | 5 => Matrix::Bt601,
            // 709, xvYCC 709; and those that are nearer to it: BT.2020, SMPTE 240M.
            2 | 4 | 6 | 7 | 8 => Matrix::Bt709,
            _ => match self.colorspace {
                REC_709 | DCI_P3 | BT_2020 | SMPTE_240M => Matrix::Bt709,
                _ => Matrix::Bt601,
            },
        };
        let range = match self.quantization {
            1 => Range::Full,
            2 => Range::Limited,
            _ if pixel.is_rgb() || self.colorspace == JPEG => Range::Full,
            _ => Range::Limited,
        };
        Color { matrix, range }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_structure_is_the_kernels() {
        let words = size_of::<usize>();
        assert_eq!(size_of::<Format>(), 200 + words);
        assert_eq!(std::mem::offset_of!(Format, told), words);
        // x86-64 and aarch64: 0xc0d05605.
        if words == 8 {
            assert_eq!(SET.0, 0xC0D0_5605);
        }
    }

    #[test]
    fn colours_are_what_the_driver_says_or_the_kernels_rules() {
        let told = |colorspace, encoding, quantization| Told {
            colorspace,
            encoding,
            quantization,
            ..Told::default()
        };
        let full = |matrix| Color { matrix, range: Range::Full };
        let limited = |matrix| Color { matrix, range: Range::Limited };
        let cases = [
            // Nothing said; SMPTE 170M; sRGB as webcams say; Rec. 709; Rec. 2020; SMPTE 240M.
            ((0, 0, 0), limited(Matrix::Bt601)),
            ((1, 0, 0), limited(Matrix::Bt601)),
            ((8, 0, 0), limited(Matrix::Bt601)),
            ((3, 0, 0), limited(Matrix::Bt709)),
            ((10, 0, 0), limited(Matrix::Bt709)),
            ((2, 0, 0), limited(Matrix::Bt709)),
            // JPEG is of full range by itself.
            ((7, 0, 0), full(Matrix::Bt601)),
            ((7, 0, 2), limited(Matrix::Bt601)),
            // What is said counts before what follows from the space.
            ((3, 1, 0), limited(Matrix::Bt601)),
            ((8, 2, 1), full(Matrix::Bt709)),
            ((1, 0, 1), full(Matrix::Bt601)),
            // Numbers that nobody knows.
            ((4, 99, 99), limited(Matrix::Bt601)),
        ];
        for ((colorspace, encoding, quantization), color) in cases {
            let told = told(colorspace, encoding, quantization);
            assert_eq!(told.color(Pixel::Yuyv), color, "{told:?}");
            assert_eq!(told.color(Pixel::Mjpeg), Color::JPEG);
        }
        assert_eq!(told(8, 0, 0).color(Pixel::Rgb24).range, Range::Full);
        assert_eq!(told(8, 0, 2).color(Pixel::Rgb24).range, Range::Limited);
    }
}
