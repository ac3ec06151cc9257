//! The format of a Video4Linux camera (VIDIOC_S_FMT), with what the driver says of rows and colours; the
//! kinds of pixels that it has, and its rate. By hand, because the library leaves the matrix out, stops on
//! numbers that it does not know, and knows nothing of devices of several planes.

use std::io;
use std::os::fd::RawFd;

use crate::capture::camera::backend::ioctl::Call;
use crate::capture::camera::driver::Layout;
use crate::capture::camera::pixel_format::Pixel;
use crate::media::frame::{Matrix, Range};
use crate::media::{Color, Size};

/// How a device hands out pictures: `V4L2_BUF_TYPE_VIDEO_CAPTURE…`.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Queue {
    /// In one memory each.
    Single,
    /// In a memory for each plane, also where there is only one.
    Several,
}

impl Queue {
    /// The kernel's number.
    pub(super) const fn number(self) -> u32 {
        match self {
            Self::Single => 1,
            Self::Several => 9,
        }
    }
}

/// `V4L2_PIX_FMT_PRIV_MAGIC`: the fields behind it are meant.
const EXTENDED: u32 = 0xFEED_CAFE;

/// `V4L2_COLORSPACE_…`.
const SMPTE_240M: u32 = 2;
const REC_709: u32 = 3;
const JPEG: u32 = 7;
const BT_2020: u32 = 10;
const DCI_P3: u32 = 12;

/// `struct v4l2_format` with one of its structures in it.
#[repr(C)]
#[derive(Copy, Clone)]
struct Format<T> {
    kind: u32,
    /// The union holds pointers too.
    _aligned: [usize; 0],
    told: T,
}

/// `struct v4l2_pix_format`, in the room of the union.
#[repr(C)]
#[derive(Copy, Clone)]
struct Single {
    width: u32,
    height: u32,
    code: u32,
    field: u32,
    stride: u32,
    length: u32,
    colorspace: u32,
    private: u32,
    flags: u32,
    encoding: u32,
    quantization: u32,
    transfer: u32,
    rest: [u8; 200 - 48],
}

/// `struct v4l2_pix_format_mplane`, in the room of the union.
#[repr(C)]
#[derive(Copy, Clone)]
struct Several {
    width: u32,
    height: u32,
    code: u32,
    field: u32,
    colorspace: u32,
    planes: [Plane; 8],
    count: u8,
    flags: u8,
    encoding: u8,
    quantization: u8,
    transfer: u8,
    rest: [u8; 200 - 185],
}

/// `struct v4l2_plane_pix_format`.
#[repr(C)]
#[derive(Copy, Clone, Default)]
struct Plane {
    length: u32,
    stride: u32,
    reserved: [u16; 6],
}

/// `VIDIOC_S_FMT`, for either.
const SET: Call<Format<Single>> = Call::new(5);
const SET_SEVERAL: Call<Format<Several>> = Call::new(5);

/// What a driver makes of a wish.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct DriverFormat {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) code: u32,
    /// Bytes from one row to the next, of the first plane and of those with memory of their own.
    pub(super) strides: [u32; 3],
    colorspace: u32,
    encoding: u32,
    quantization: u32,
}

/// Asks for a size and a kind of pixels; the driver may choose others.
pub(super) fn set(
    device: RawFd,
    queue: Queue,
    size: Size,
    pixel: Pixel,
) -> io::Result<DriverFormat> {
    let Size { width, height } = size;
    let (kind, code) = (queue.number(), u32::from_le_bytes(*pixel.code()));
    match queue {
        Queue::Single => {
            let told = Single {
                width,
                height,
                code,
                field: 0,
                stride: 0,
                length: 0,
                colorspace: 0,
                private: EXTENDED,
                flags: 0,
                encoding: 0,
                quantization: 0,
                transfer: 0,
                rest: [0; _],
            };
            let mut format = Format { kind, _aligned: [], told };
            SET.ask(device, &mut format)?;
            Ok(format.told.into())
        }
        Queue::Several => {
            let told = Several {
                width,
                height,
                code,
                field: 0,
                colorspace: 0,
                planes: [Plane::default(); 8],
                count: 0,
                flags: 0,
                encoding: 0,
                quantization: 0,
                transfer: 0,
                rest: [0; _],
            };
            let mut format = Format { kind, _aligned: [], told };
            SET_SEVERAL.ask(device, &mut format)?;
            Ok(format.told.into())
        }
    }
}

impl From<Single> for DriverFormat {
    fn from(told: Single) -> Self {
        let Single { width, height, code, colorspace, encoding, quantization, .. } = told;
        let strides = [told.stride, 0, 0];
        Self { width, height, code, strides, colorspace, encoding, quantization }
    }
}

impl From<Several> for DriverFormat {
    fn from(told: Several) -> Self {
        let Several { width, height, code, colorspace, .. } = told;
        let [first, second, third, ..] = told.planes.map(|plane| plane.stride);
        let strides = [first, second, third];
        let (encoding, quantization) = (told.encoding.into(), told.quantization.into());
        Self { width, height, code, strides, colorspace, encoding, quantization }
    }
}

impl DriverFormat {
    pub(super) fn layout(&self, pixel: Pixel) -> Layout {
        let [stride, ..] = self.strides;
        Layout { stride, color: self.color(pixel) }
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

/// `struct v4l2_fmtdesc`.
#[repr(C)]
#[derive(Copy, Clone)]
struct Listed {
    index: u32,
    kind: u32,
    flags: u32,
    name: [u8; 32],
    code: [u8; 4],
    rest: [u32; 4],
}

/// `VIDIOC_ENUM_FMT`.
const LIST: Call<Listed> = Call::new(2);
/// Kinds of pixels looked at: a driver may list without end.
const MAX_LISTED: u32 = 256;

/// Video4Linux's names of the kinds of pixels that a device has.
pub(super) fn list(device: RawFd, queue: Queue) -> Vec<[u8; 4]> {
    let one = |index| {
        let kind = queue.number();
        let mut listed =
            Listed { index, kind, flags: 0, name: [0; 32], code: [0; 4], rest: [0; 4] };
        LIST.ask(device, &mut listed).ok().map(|()| listed.code)
    };
    (0..MAX_LISTED).map_while(one).collect()
}

/// `struct v4l2_streamparm` with a `struct v4l2_captureparm` in it.
#[repr(C)]
#[derive(Copy, Clone)]
struct Parameters {
    kind: u32,
    ability: u32,
    mode: u32,
    numerator: u32,
    denominator: u32,
    extended: u32,
    buffers: u32,
    rest: [u8; 200 - 24],
}

/// `VIDIOC_S_PARM`.
const SET_RATE: Call<Parameters> = Call::new(22);

/// Asks for so many pictures a second, a fraction; the driver takes the nearest.
pub(super) fn set_rate(device: RawFd, queue: Queue, rate: (u32, u32)) -> io::Result<()> {
    let mut parameters = Parameters {
        kind: queue.number(),
        ability: 0,
        mode: 0,
        numerator: rate.1,
        denominator: rate.0,
        extended: 0,
        buffers: 0,
        rest: [0; _],
    };
    SET_RATE.ask(device, &mut parameters)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_structures_are_the_kernels() {
        let words = size_of::<usize>();
        assert_eq!(size_of::<Format<Single>>(), 200 + words);
        assert_eq!(size_of::<Format<Several>>(), 200 + words);
        assert_eq!(std::mem::offset_of!(Format<Several>, told), words);
        assert_eq!(size_of::<Plane>(), 20);
        assert_eq!(std::mem::offset_of!(Several, count), 180);
        assert_eq!(std::mem::offset_of!(Several, quantization), 183);
        // x86-64 and aarch64.
        if words == 8 {
            assert_eq!((SET.0, SET_SEVERAL.0), (0xC0D0_5605, 0xC0D0_5605));
        }
        assert_eq!(LIST.0, 0xC040_5602);
        assert_eq!(SET_RATE.0, 0xC0CC_5616);
    }

    #[test]
    fn colours_are_what_the_driver_says_or_the_kernels_rules() {
        let told = |colorspace, encoding, quantization| DriverFormat {
            colorspace,
            encoding,
            quantization,
            ..DriverFormat::default()
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
        for pixel in [Pixel::Rgb24, Pixel::Xbgr32, Pixel::Rgb565, Pixel::Sbggr8, Pixel::Sgrbg16] {
            assert_eq!(told(8, 0, 0).color(pixel).range, Range::Full);
            assert_eq!(told(8, 0, 2).color(pixel).range, Range::Limited);
        }
        for pixel in [Pixel::Grey, Pixel::Y16, Pixel::P010, Pixel::Yuv32, Pixel::Nv12m] {
            assert_eq!(told(8, 0, 0).color(pixel).range, Range::Limited);
        }
    }
}
