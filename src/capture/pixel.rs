//! How cameras store pixels: the kinds that can be read.

/// How a camera stores pixels. The order is that of preference among equals.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Pixel {
    Yuyv,
    Uyvy,
    Yvyu,
    Vyuy,
    Nv12,
    Nv21,
    Nv16,
    Yu12,
    Yv12,
    Rgb24,
    Bgr24,
    Mjpeg,
    Jpeg,
    /// Pictures of H.264, each by itself as a stream of bytes (Annex B).
    H264,
    Grey,
}

impl Pixel {
    pub(super) const ALL: [Self; 15] = [
        Self::Yuyv,
        Self::Uyvy,
        Self::Yvyu,
        Self::Vyuy,
        Self::Nv12,
        Self::Nv21,
        Self::Nv16,
        Self::Yu12,
        Self::Yv12,
        Self::Rgb24,
        Self::Bgr24,
        Self::Mjpeg,
        Self::Jpeg,
        Self::H264,
        Self::Grey,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Yuyv => "YUYV",
            Self::Uyvy => "UYVY",
            Self::Yvyu => "YVYU",
            Self::Vyuy => "VYUY",
            Self::Nv12 => "NV12",
            Self::Nv21 => "NV21",
            Self::Nv16 => "NV16",
            Self::Yu12 => "YU12",
            Self::Yv12 => "YV12",
            Self::Rgb24 => "RGB24",
            Self::Bgr24 => "BGR24",
            Self::Mjpeg => "MJPEG",
            Self::Jpeg => "JPEG",
            Self::H264 => "H264",
            Self::Grey => "GREY",
        }
    }

    /// Video4Linux's name.
    pub(super) fn code(self) -> &'static [u8; 4] {
        match self {
            Self::Yuyv => b"YUYV",
            Self::Uyvy => b"UYVY",
            Self::Yvyu => b"YVYU",
            Self::Vyuy => b"VYUY",
            Self::Nv12 => b"NV12",
            Self::Nv21 => b"NV21",
            Self::Nv16 => b"NV16",
            Self::Yu12 => b"YU12",
            Self::Yv12 => b"YV12",
            Self::Rgb24 => b"RGB3",
            Self::Bgr24 => b"BGR3",
            Self::Mjpeg => b"MJPG",
            Self::Jpeg => b"JPEG",
            Self::H264 => b"H264",
            Self::Grey => b"GREY",
        }
    }

    pub(super) fn is_jpeg(self) -> bool {
        matches!(self, Self::Mjpeg | Self::Jpeg)
    }

    pub(super) fn is_rgb(self) -> bool {
        matches!(self, Self::Rgb24 | Self::Bgr24)
    }
}
