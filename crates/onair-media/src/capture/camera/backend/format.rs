//! The format of a Video4Linux camera (VIDIOC_S_FMT) with strides and color space, its pixel
//! formats, and its rate. This module calls the driver directly, because the library drops the
//! color matrix, stops at unknown numbers, and does not support multi-planar devices.

#![allow(unsafe_code)]

use std::io;
use std::os::fd::RawFd;

use v4l::v4l_sys::{v4l2_fmtdesc, v4l2_format, v4l2_fract, v4l2_streamparm};

use crate::capture::camera::backend::ioctl::{Call, IoctlData as _, Queue};
use crate::capture::camera::driver::Layout;
use crate::capture::camera::pixel_format::Pixel;
use crate::media::frame::{Matrix, Range};
use crate::media::{Color, Size};

/// `V4L2_PIX_FMT_PRIV_MAGIC`, which means that the fields after it are valid.
const PIX_FMT_PRIV_MAGIC: u32 = 0xFEED_CAFE;

/// `V4L2_COLORSPACE_…`.
const COLORSPACE_SMPTE240M: u32 = 2;
const COLORSPACE_REC709: u32 = 3;
const COLORSPACE_JPEG: u32 = 7;
const COLORSPACE_BT2020: u32 = 10;
const COLORSPACE_DCI_P3: u32 = 12;

/// `VIDIOC_G_FMT`.
const GET_FORMAT: Call<v4l2_format> = Call::new(4);
/// `VIDIOC_S_FMT`.
const SET_FORMAT: Call<v4l2_format> = Call::new(5);

/// The driver's format for a request.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct DriverFormat {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) code: u32,
    /// Strides in bytes of the first plane, and of planes in separate memory.
    pub(super) strides: [u32; 3],
    colorspace: u32,
    encoding: u32,
    quantization: u32,
}

/// Requests a size and a pixel format; the driver may choose others.
pub(super) fn set(
    device: RawFd,
    queue: Queue,
    size: Size,
    pixel: Pixel,
) -> io::Result<DriverFormat> {
    let Size { width, height } = size;
    let code = u32::from_le_bytes(*pixel.code());
    let mut format = v4l2_format::blank();
    format.type_ = queue.number();
    match queue {
        Queue::Single => {
            let pix = &mut format.fmt;
            (pix.pix.width, pix.pix.height) = (width, height);
            (pix.pix.pixelformat, pix.pix.priv_) = (code, PIX_FMT_PRIV_MAGIC);
        }
        Queue::Several => {
            let pix = &mut format.fmt;
            (pix.pix_mp.width, pix.pix_mp.height) = (width, height);
            pix.pix_mp.pixelformat = code;
        }
    }
    SET_FORMAT.ask(device, &mut format)?;
    Ok(DriverFormat::of(&format, queue))
}

/// Returns the current format.
pub(super) fn current(device: RawFd, queue: Queue) -> io::Result<DriverFormat> {
    let mut format = v4l2_format { type_: queue.number(), ..v4l2_format::blank() };
    GET_FORMAT.ask(device, &mut format)?;
    Ok(DriverFormat::of(&format, queue))
}

impl DriverFormat {
    fn of(format: &v4l2_format, queue: Queue) -> Self {
        // SAFETY: all members of the union are plain numbers; the kind tells which one the driver
        // filled in.
        match queue {
            Queue::Single => unsafe {
                let pix = format.fmt.pix;
                Self {
                    width: pix.width,
                    height: pix.height,
                    code: pix.pixelformat,
                    strides: [pix.bytesperline, 0, 0],
                    colorspace: pix.colorspace,
                    encoding: pix.__bindgen_anon_1.ycbcr_enc,
                    quantization: pix.quantization,
                }
            },
            Queue::Several => unsafe {
                let pix = format.fmt.pix_mp;
                let [first, second, third, ..] = pix.plane_fmt;
                Self {
                    width: pix.width,
                    height: pix.height,
                    code: pix.pixelformat,
                    strides: [first.bytesperline, second.bytesperline, third.bytesperline],
                    colorspace: pix.colorspace,
                    encoding: pix.__bindgen_anon_1.ycbcr_enc.into(),
                    quantization: pix.quantization.into(),
                }
            },
        }
    }

    pub(super) fn layout(&self, pixel: Pixel) -> Layout {
        let [stride, ..] = self.strides;
        Layout { stride, color: self.color(pixel) }
    }

    /// Returns the color space, according to the kernel's rules for defaults
    /// (`V4L2_MAP_YCBCR_ENC_DEFAULT`, `V4L2_MAP_QUANTIZATION_DEFAULT`).
    fn color(&self, pixel: Pixel) -> Color {
        if pixel.is_jpeg() {
            // JPEG and H.264 always use this color space in cameras, whatever the driver reports.
            return Color::JPEG;
        }
        let matrix = match self.encoding {
            // BT.601 and its variants: xvYCC 601, sYCC.
            1 | 3 | 5 => Matrix::Bt601,
            // BT.709, xvYCC 709, and the similar BT.2020 and SMPTE 240M.
            2 | 4 | 6 | 7 | 8 => Matrix::Bt709,
            _ => match self.colorspace {
                COLORSPACE_REC709 | COLORSPACE_DCI_P3 | COLORSPACE_BT2020
                | COLORSPACE_SMPTE240M => Matrix::Bt709,
                _ => Matrix::Bt601,
            },
        };
        let range = match self.quantization {
            1 => Range::Full,
            2 => Range::Limited,
            _ if pixel.is_rgb() || self.colorspace == COLORSPACE_JPEG => Range::Full,
            _ => Range::Limited,
        };
        Color { matrix, range }
    }
}

/// `VIDIOC_ENUM_FMT`.
const ENUM_FORMATS: Call<v4l2_fmtdesc> = Call::new(2);
/// Maximum number of pixel formats, because the list of a driver may never end.
const MAX_PIXEL_FORMATS: u32 = 256;

/// Returns the Video4Linux codes of a device's pixel formats.
pub(super) fn list(device: RawFd, queue: Queue) -> Vec<[u8; 4]> {
    let one = |index| {
        let mut listed = v4l2_fmtdesc { index, type_: queue.number(), ..v4l2_fmtdesc::blank() };
        ENUM_FORMATS.ask(device, &mut listed).ok().map(|()| listed.pixelformat.to_le_bytes())
    };
    (0..MAX_PIXEL_FORMATS).map_while(one).collect()
}

/// `VIDIOC_G_PARM`.
const GET_RATE: Call<v4l2_streamparm> = Call::new(21);
/// `VIDIOC_S_PARM`.
const SET_RATE: Call<v4l2_streamparm> = Call::new(22);

/// Requests this frame rate (a fraction). The driver uses the nearest rate that it supports.
pub(super) fn set_rate(device: RawFd, queue: Queue, rate: (u32, u32)) -> io::Result<()> {
    let mut parameters = v4l2_streamparm::blank();
    parameters.type_ = queue.number();
    parameters.parm.capture.timeperframe = v4l2_fract { numerator: rate.1, denominator: rate.0 };
    SET_RATE.ask(device, &mut parameters)
}

/// Returns the current frame rate (a fraction).
pub(super) fn current_rate(device: RawFd, queue: Queue) -> io::Result<(u32, u32)> {
    let mut parameters = v4l2_streamparm { type_: queue.number(), ..v4l2_streamparm::blank() };
    GET_RATE.ask(device, &mut parameters)?;
    // SAFETY: all members of the union are plain numbers, and the driver filled in this one.
    let interval = unsafe { parameters.parm.capture.timeperframe };
    Ok((interval.denominator, interval.numerator))
}

#[cfg(test)]
mod tests {
    use v4l::v4l_sys::{v4l2_pix_format_mplane, v4l2_plane_pix_format};

    use super::*;

    #[test]
    fn the_structures_are_the_kernels() {
        let words = size_of::<usize>();
        assert_eq!(size_of::<v4l2_format>(), 200 + words);
        assert_eq!(std::mem::offset_of!(v4l2_format, fmt), words);
        assert_eq!(size_of::<v4l2_plane_pix_format>(), 20);
        assert_eq!(std::mem::offset_of!(v4l2_pix_format_mplane, num_planes), 180);
        assert_eq!(std::mem::offset_of!(v4l2_pix_format_mplane, quantization), 183);
        // Values for x86-64 and aarch64.
        if words == 8 {
            assert_eq!((GET_FORMAT.0, SET_FORMAT.0), (0xC0D0_5604, 0xC0D0_5605));
        }
        assert_eq!(ENUM_FORMATS.0, 0xC040_5602);
        assert_eq!((GET_RATE.0, SET_RATE.0), (0xC0CC_5615, 0xC0CC_5616));
    }

    #[test]
    fn colours_are_what_the_driver_says_or_the_kernels_rules() {
        let format = |colorspace, encoding, quantization| DriverFormat {
            colorspace,
            encoding,
            quantization,
            ..DriverFormat::default()
        };
        let full = |matrix| Color { matrix, range: Range::Full };
        let limited = |matrix| Color { matrix, range: Range::Limited };
        let cases = [
            // Unspecified; SMPTE 170M; sRGB as webcams report it; Rec. 709; Rec. 2020; SMPTE 240M.
            ((0, 0, 0), limited(Matrix::Bt601)),
            ((1, 0, 0), limited(Matrix::Bt601)),
            ((8, 0, 0), limited(Matrix::Bt601)),
            ((3, 0, 0), limited(Matrix::Bt709)),
            ((10, 0, 0), limited(Matrix::Bt709)),
            ((2, 0, 0), limited(Matrix::Bt709)),
            // JPEG has full range by default.
            ((7, 0, 0), full(Matrix::Bt601)),
            ((7, 0, 2), limited(Matrix::Bt601)),
            // Explicit values override the defaults of the color space.
            ((3, 1, 0), limited(Matrix::Bt601)),
            ((8, 2, 1), full(Matrix::Bt709)),
            ((1, 0, 1), full(Matrix::Bt601)),
            // Unknown numbers.
            ((4, 99, 99), limited(Matrix::Bt601)),
        ];
        for ((colorspace, encoding, quantization), color) in cases {
            let format = format(colorspace, encoding, quantization);
            assert_eq!(format.color(Pixel::Yuyv), color, "{format:?}");
            assert_eq!(format.color(Pixel::Mjpeg), Color::JPEG);
        }
        for pixel in [Pixel::Rgb24, Pixel::Xbgr32, Pixel::Rgb565, Pixel::Sbggr8, Pixel::Sgrbg16] {
            assert_eq!(format(8, 0, 0).color(pixel).range, Range::Full);
            assert_eq!(format(8, 0, 2).color(pixel).range, Range::Limited);
        }
        for pixel in [Pixel::Grey, Pixel::Y16, Pixel::P010, Pixel::Yuv32, Pixel::Nv12m] {
            assert_eq!(format(8, 0, 0).color(pixel).range, Range::Limited);
        }
    }
}
