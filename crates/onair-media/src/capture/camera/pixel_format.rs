//! The pixel formats of cameras that onair can read.

use self::BayerOrder::{Bggr, Gbrg, Grbg, Rggb};
use self::Bytes::{Fourth, Skipped, Three};
use self::Chroma::{C420, C422, C444};
use self::ChromaOrder::{U, V};
use self::PixelLayout::{Bayer, Luma, Pairs, Planes, Rgb, Rgb16, Whole as All};
use self::PlaneMemory::{One, Own};
use self::RgbOrder::{Blue, Red};
use self::Samples::{Eight, High, Tens, Twelves, Wide};

/// The memory layout of a pixel format.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(in crate::capture) enum PixelLayout {
    /// Four bytes with the luma of two pixels and their shared chroma.
    Quads,
    /// Only luma.
    Luma(Samples),
    /// A luma plane, then a plane of interleaved chroma.
    Pairs(Chroma, ChromaOrder, PlaneMemory),
    /// A luma plane, then a plane of interleaved 4:2:0 chroma, with 16 bits per sample.
    WidePairs,
    /// Three planes.
    Planes(Chroma, ChromaOrder, PlaneMemory),
    /// Interleaved luma and chroma of each pixel.
    Whole(PackedOrder),
    /// Pixels with one byte each for red, green and blue.
    Rgb(Bytes, RgbOrder),
    /// Pixels of two bytes for all three colors.
    Rgb16(Bits),
    /// One color per pixel, according to the sensor's filter.
    Bayer(BayerOrder, Samples),
    Jpeg,
    /// H.264 frames, each a separate byte stream (Annex B).
    H264,
}

/// The size and position of a sample's bits.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(in crate::capture) enum Samples {
    Eight,
    /// This many bits (8 to 16): the low bits of two little-endian bytes.
    Wide(u32),
    /// 16 bits, big-endian.
    High,
    /// Four 10-bit samples in five bytes: the high byte of each sample, and then the remaining bits
    /// of all samples.
    Tens,
    /// Two 12-bit samples in three bytes, in the same form.
    Twelves,
}

/// The chroma subsampling.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(in crate::capture) enum Chroma {
    /// One sample for four pixels.
    C420,
    /// One sample for two pixels of a row.
    C422,
    /// One sample for every pixel.
    C444,
}

/// The chroma value that comes first.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(in crate::capture) enum ChromaOrder {
    U,
    V,
}

/// Whether planes are contiguous or in separate memory.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(in crate::capture) enum PlaneMemory {
    One,
    Own,
}

/// The order of interleaved luma and chroma, in which `X` is unused or alpha.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(in crate::capture) enum PackedOrder {
    Yuv,
    Yuvx,
    Xyuv,
    Vuyx,
}

/// The bytes of an RGB pixel: three, or four of which one is unused or alpha.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(in crate::capture) enum Bytes {
    Three,
    /// Four bytes, of which the last is unused or alpha.
    Fourth,
    /// Four bytes, of which the first is unused.
    Skipped,
}

/// The first color of an RGB pixel.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(in crate::capture) enum RgbOrder {
    Red,
    Blue,
}

/// Red in the high bits, then green, then blue.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(in crate::capture) enum Bits {
    B555,
    B565,
    /// Red, green and blue with five bits each, in big-endian order.
    B555High,
    B565High,
}

/// The colors of the first two pixels of a sensor's first two rows.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(in crate::capture) enum BayerOrder {
    Bggr,
    Gbrg,
    Grbg,
    Rggb,
}

/// Defines a variant with its name, its Video4Linux code and its layout.
macro_rules! kinds {
    ($($variant:ident $name:literal $code:literal $form:expr;)*) => {
        /// A camera's pixel format. The order of the variants is the preference among otherwise
        /// equal formats.
        #[derive(Copy, Clone, Debug, PartialEq, Eq)]
        pub(in crate::capture) enum Pixel { $($variant,)* }

        impl Pixel {
            pub(in crate::capture) const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Returns the name of the format, as in `onair devices`.
            pub(in crate::capture) const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// Returns the Video4Linux code.
            pub(in crate::capture) const fn code(self) -> &'static [u8; 4] {
                match self { $(Self::$variant => $code,)* }
            }

            pub(in crate::capture) const fn form(self) -> PixelLayout {
                match self { $(Self::$variant => $form,)* }
            }
        }
    };
}

kinds! {
    Yuyv "YUYV" b"YUYV" PixelLayout::Quads;
    Uyvy "UYVY" b"UYVY" PixelLayout::Quads;
    Yvyu "YVYU" b"YVYU" PixelLayout::Quads;
    Vyuy "VYUY" b"VYUY" PixelLayout::Quads;
    Nv12 "NV12" b"NV12" Pairs(C420, U, One);
    Nv21 "NV21" b"NV21" Pairs(C420, V, One);
    Nv16 "NV16" b"NV16" Pairs(C422, U, One);
    Yu12 "YU12" b"YU12" Planes(C420, U, One);
    Yv12 "YV12" b"YV12" Planes(C420, V, One);
    // Separate memory for each plane.
    Nv12m "NV12M" b"NM12" Pairs(C420, U, Own);
    Nv21m "NV21M" b"NM21" Pairs(C420, V, Own);
    Nv16m "NV16M" b"NM16" Pairs(C422, U, Own);
    Nv61m "NV61M" b"NM61" Pairs(C422, V, Own);
    Yuv420m "YUV420M" b"YM12" Planes(C420, U, Own);
    Yvu420m "YVU420M" b"YM21" Planes(C420, V, Own);
    Yuv422m "YUV422M" b"YM16" Planes(C422, U, Own);
    Yvu422m "YVU422M" b"YM61" Planes(C422, V, Own);
    Yuv444m "YUV444M" b"YM24" Planes(C444, U, Own);
    Yvu444m "YVU444M" b"YM42" Planes(C444, V, Own);
    Nv61 "NV61" b"NV61" Pairs(C422, V, One);
    Yuv422p "YUV422P" b"422P" Planes(C422, U, One);
    Nv24 "NV24" b"NV24" Pairs(C444, U, One);
    Nv42 "NV42" b"NV42" Pairs(C444, V, One);
    Yuv24 "YUV24" b"YUV3" All(PackedOrder::Yuv);
    Yuv32 "YUV32" b"YUV4" All(PackedOrder::Xyuv);
    Ayuv32 "AYUV32" b"AYUV" All(PackedOrder::Xyuv);
    Xyuv32 "XYUV32" b"XYUV" All(PackedOrder::Xyuv);
    Vuya32 "VUYA32" b"VUYA" All(PackedOrder::Vuyx);
    Vuyx32 "VUYX32" b"VUYX" All(PackedOrder::Vuyx);
    Yuva32 "YUVA32" b"YUVA" All(PackedOrder::Yuvx);
    Yuvx32 "YUVX32" b"YUVX" All(PackedOrder::Yuvx);
    Rgb24 "RGB24" b"RGB3" Rgb(Three, Red);
    Bgr24 "BGR24" b"BGR3" Rgb(Three, Blue);
    // Some codes of Video4Linux state the order of the colors in a number; others state the order
    // of the bytes, which is the reverse.
    Xbgr32 "XBGR32" b"XR24" Rgb(Fourth, Blue);
    Abgr32 "ABGR32" b"AR24" Rgb(Fourth, Blue);
    Bgr32 "BGR32" b"BGR4" Rgb(Fourth, Blue);
    Rgbx32 "RGBX32" b"XB24" Rgb(Fourth, Red);
    Rgba32 "RGBA32" b"AB24" Rgb(Fourth, Red);
    Xrgb32 "XRGB32" b"BX24" Rgb(Skipped, Red);
    Argb32 "ARGB32" b"BA24" Rgb(Skipped, Red);
    Rgb32 "RGB32" b"RGB4" Rgb(Skipped, Red);
    Bgrx32 "BGRX32" b"RX24" Rgb(Skipped, Blue);
    Bgra32 "BGRA32" b"RA24" Rgb(Skipped, Blue);
    Rgb565 "RGB565" b"RGBP" Rgb16(Bits::B565);
    Rgb565x "RGB565X" b"RGBR" Rgb16(Bits::B565High);
    Rgb555 "RGB555" b"RGBO" Rgb16(Bits::B555);
    Xrgb555 "XRGB555" b"XR15" Rgb16(Bits::B555);
    Argb555 "ARGB555" b"AR15" Rgb16(Bits::B555);
    // The highest bit of the code means that the high byte comes first.
    Rgb555x "RGB555X" b"RGBQ" Rgb16(Bits::B555High);
    Xrgb555x "XRGB555X" b"XR1\xB5" Rgb16(Bits::B555High);
    Argb555x "ARGB555X" b"AR1\xB5" Rgb16(Bits::B555High);
    Mjpeg "MJPEG" b"MJPG" PixelLayout::Jpeg;
    Jpeg "JPEG" b"JPEG" PixelLayout::Jpeg;
    H264 "H264" b"H264" PixelLayout::H264;
    P010 "P010" b"P010" PixelLayout::WidePairs;
    Sbggr8 "SBGGR8" b"BA81" Bayer(Bggr, Eight);
    Sgbrg8 "SGBRG8" b"GBRG" Bayer(Gbrg, Eight);
    Sgrbg8 "SGRBG8" b"GRBG" Bayer(Grbg, Eight);
    Srggb8 "SRGGB8" b"RGGB" Bayer(Rggb, Eight);
    Sbggr10p "SBGGR10P" b"pBAA" Bayer(Bggr, Tens);
    Sgbrg10p "SGBRG10P" b"pGAA" Bayer(Gbrg, Tens);
    Sgrbg10p "SGRBG10P" b"pgAA" Bayer(Grbg, Tens);
    Srggb10p "SRGGB10P" b"pRAA" Bayer(Rggb, Tens);
    Sbggr12p "SBGGR12P" b"pBCC" Bayer(Bggr, Twelves);
    Sgbrg12p "SGBRG12P" b"pGCC" Bayer(Gbrg, Twelves);
    Sgrbg12p "SGRBG12P" b"pgCC" Bayer(Grbg, Twelves);
    Srggb12p "SRGGB12P" b"pRCC" Bayer(Rggb, Twelves);
    Sbggr10 "SBGGR10" b"BG10" Bayer(Bggr, Wide(10));
    Sgbrg10 "SGBRG10" b"GB10" Bayer(Gbrg, Wide(10));
    Sgrbg10 "SGRBG10" b"BA10" Bayer(Grbg, Wide(10));
    Srggb10 "SRGGB10" b"RG10" Bayer(Rggb, Wide(10));
    Sbggr12 "SBGGR12" b"BG12" Bayer(Bggr, Wide(12));
    Sgbrg12 "SGBRG12" b"GB12" Bayer(Gbrg, Wide(12));
    Sgrbg12 "SGRBG12" b"BA12" Bayer(Grbg, Wide(12));
    Srggb12 "SRGGB12" b"RG12" Bayer(Rggb, Wide(12));
    Sbggr14 "SBGGR14" b"BG14" Bayer(Bggr, Wide(14));
    Sgbrg14 "SGBRG14" b"GB14" Bayer(Gbrg, Wide(14));
    Sgrbg14 "SGRBG14" b"GR14" Bayer(Grbg, Wide(14));
    Srggb14 "SRGGB14" b"RG14" Bayer(Rggb, Wide(14));
    Sbggr16 "SBGGR16" b"BYR2" Bayer(Bggr, Wide(16));
    Sgbrg16 "SGBRG16" b"GB16" Bayer(Gbrg, Wide(16));
    Sgrbg16 "SGRBG16" b"GR16" Bayer(Grbg, Wide(16));
    Srggb16 "SRGGB16" b"RG16" Bayer(Rggb, Wide(16));
    Grey "GREY" b"GREY" Luma(Eight);
    Y10p "Y10P" b"Y10P" Luma(Tens);
    Y10 "Y10" b"Y10 " Luma(Wide(10));
    Y12 "Y12" b"Y12 " Luma(Wide(12));
    Y14 "Y14" b"Y14 " Luma(Wide(14));
    Y16 "Y16" b"Y16 " Luma(Wide(16));
    Y16Be "Y16_BE" b"Y16\xA0" Luma(High);
}

impl Pixel {
    pub(in crate::capture) const fn is_jpeg(self) -> bool {
        matches!(self.form(), PixelLayout::Jpeg)
    }

    /// Returns true if the format's values are red, green and blue.
    pub(in crate::capture) const fn is_rgb(self) -> bool {
        matches!(self.form(), Rgb(..) | Rgb16(..) | Bayer(..))
    }
}

impl Samples {
    /// Returns the number of bytes of a row.
    pub(in crate::capture) const fn row(self, width: usize) -> usize {
        match self {
            Self::Eight => width,
            Self::Wide(_) | Self::High => width * 2,
            Self::Tens => (width * 5).div_ceil(4),
            Self::Twelves => (width * 3).div_ceil(2),
        }
    }

    /// Extracts the high 8 bits of each sample of a row. The samples are rounded down, because
    /// wider samples extend 8-bit ones either with zeros or over the full range.
    pub(in crate::capture) fn high(self, from: &[u8], to: &mut [u8]) {
        match self {
            Self::Eight => {
                if let Some(from) = from.get(..to.len()) {
                    to.copy_from_slice(from);
                }
            }
            Self::Wide(bits) => {
                let spare = bits.saturating_sub(8);
                for (to, pair) in to.iter_mut().zip(from.as_chunks::<2>().0) {
                    // Unused high bits from a driver do not count.
                    *to = (u16::from_le_bytes(*pair) >> spare).min(255) as u8;
                }
            }
            Self::High => high_bytes::<1, 2>(from, to),
            Self::Tens => high_bytes::<4, 5>(from, to),
            Self::Twelves => high_bytes::<2, 3>(from, to),
        }
    }
}

/// Copies the first `N` bytes of each group of `GROUP` bytes.
fn high_bytes<const N: usize, const GROUP: usize>(from: &[u8], to: &mut [u8]) {
    for (to, group) in to.chunks_mut(N).zip(from.chunks(GROUP)) {
        if let Some(group) = group.get(..to.len()) {
            to.copy_from_slice(group);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_kind_has_its_own_names() {
        let names: HashSet<_> = Pixel::ALL.iter().map(|pixel| pixel.name()).collect();
        let codes: HashSet<_> = Pixel::ALL.iter().map(|pixel| pixel.code()).collect();
        assert_eq!((names.len(), codes.len()), (Pixel::ALL.len(), Pixel::ALL.len()));
        for name in names {
            // The name is used between commas, next to a size and a rate.
            assert!(name.parse::<f64>().is_err() && !name.contains(','), "{name}");
            assert!(name.parse::<crate::media::Size>().is_err(), "{name}");
        }
    }

    #[test]
    fn samples_of_more_bits_become_bytes() {
        let bytes = |samples: Samples, from: &[u8], count: usize| {
            let mut to = vec![0; count];
            samples.high(from, &mut to);
            to
        };
        assert_eq!(bytes(Eight, &[1, 2, 3], 2), [1, 2]);
        assert_eq!(bytes(Wide(10), &[0xFF, 3, 4, 0, 3, 0], 3), [255, 1, 0]);
        assert_eq!(bytes(Wide(10), &[0, 0xFC], 1), [255], "bits above are not wrapped around");
        assert_eq!(bytes(Wide(12), &[0xFF, 0xF, 0x10, 0], 2), [255, 1]);
        assert_eq!(bytes(Wide(14), &[0xFF, 0x3F, 0x40, 0], 2), [255, 1]);
        assert_eq!(bytes(Wide(16), &[9, 200, 255, 255], 2), [200, 255]);
        assert_eq!(bytes(High, &[200, 9, 255, 255], 2), [200, 255]);
        assert_eq!(bytes(Tens, &[1, 2, 3, 4, 0xFF, 5, 6, 0xFF], 6), [1, 2, 3, 4, 5, 6]);
        assert_eq!(bytes(Twelves, &[1, 2, 0xFF, 3, 4, 0xFF], 4), [1, 2, 3, 4]);
        for samples in [Eight, Wide(10), High, Tens, Twelves] {
            assert_eq!(bytes(samples, &[], 3), [0; 3], "too little is no fault");
        }
    }
}
