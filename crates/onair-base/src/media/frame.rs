//! Frames: 8-bit YCbCr 4:2:0 on a [`Surface`]. Each source converts its pixels once, and all later
//! stages share them. The file is long because planes, surfaces and their orientation change together.

use std::fmt;
use std::sync::{Arc, OnceLock};

use crate::base::{Fresh, Pool, Pooled, Timestamp};
use crate::text::problem::{Problem, problem};

/// The number of rows that are rotated at a time, because a whole plane does not fit into the cache.
const ROTATED_ROWS: usize = 64;

/// Width and height in pixels.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Size {
    pub width: u32,
    pub height: u32,
}

impl Size {
    /// The maximum side length of a frame.
    pub const MAX_SIDE: u32 = 8192;

    /// Creates a size, which need not be valid; see [`Size::is_valid`].
    pub const fn new(width: u32, height: u32) -> Self {
        Self { width, height }
    }

    /// Returns the width divided by the height.
    pub fn aspect(self) -> f32 {
        self.width as f32 / (self.height as f32).max(1.0)
    }

    /// Returns true if frames of this size are possible, which means that both sides are even and
    /// from 2 to [`Size::MAX_SIDE`].
    pub const fn is_valid(self) -> bool {
        self.width >= 2
            && self.height >= 2
            && self.width <= Self::MAX_SIDE
            && self.height <= Self::MAX_SIDE
            && self.width.is_multiple_of(2)
            && self.height.is_multiple_of(2)
    }

    /// Returns the number of pixels in a frame.
    pub const fn pixels(self) -> usize {
        self.width as usize * self.height as usize
    }

    /// Returns the size of the chroma planes.
    pub const fn half(self) -> Self {
        Self::new(self.width / 2, self.height / 2)
    }

    /// Returns the number of macroblocks (16×16) in a frame, as H.264 levels count them.
    pub const fn macroblocks(self) -> u32 {
        self.width.div_ceil(16) * self.height.div_ceil(16)
    }

    /// Returns the largest even size of this aspect ratio that fits into `outer`, at least 2×2.
    pub fn fitted_into(self, outer: Self) -> Self {
        if self.width == 0 || self.height == 0 {
            return outer;
        }
        let (w, h) = (u64::from(self.width), u64::from(self.height));
        let (ow, oh) = (u64::from(outer.width), u64::from(outer.height));
        let (fw, fh) = if w * oh > ow * h { (ow, ow * h / w) } else { (oh * w / h, oh) };
        let even = |side: u64| u32::try_from(side & !1).unwrap_or(u32::MAX).max(2);
        Self { width: even(fw), height: even(fh) }
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.width, self.height)
    }
}

impl std::str::FromStr for Size {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fault = || problem!("choice-no-size", text = text);
        let (width, height) = text.split_once(['x', 'X', '×']).ok_or_else(fault)?;
        let size = Self {
            width: width.trim().parse().map_err(|_| fault())?,
            height: height.trim().parse().map_err(|_| fault())?,
        };
        if size.is_valid() {
            Ok(size)
        } else {
            Err(problem!("choice-odd-size", size = size.to_string(), most = Self::MAX_SIDE))
        }
    }
}

/// The clockwise rotation of a frame. Mirrored frames are first mirrored horizontally.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub enum Rotation {
    #[default]
    None,
    Right,
    Half,
    Left,
    Mirrored,
    MirroredRight,
    MirroredHalf,
    MirroredLeft,
}

impl Rotation {
    pub const ALL: [Self; 4] = [Self::None, Self::Right, Self::Half, Self::Left];
    pub const MIRRORED: [Self; 4] =
        [Self::Mirrored, Self::MirroredRight, Self::MirroredHalf, Self::MirroredLeft];

    /// Returns the rotations with and without a mirror: the eight orientations of a video.
    pub fn orientations() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().chain(Self::MIRRORED)
    }

    /// Returns true if the frame is mirrored.
    pub fn is_mirrored(self) -> bool {
        Self::MIRRORED.contains(&self)
    }

    /// Returns the number of quarter turns, 0 to 3.
    pub fn quarters(self) -> usize {
        let place = |all: [Self; 4]| all.iter().position(|it| *it == self);
        place(Self::ALL).or_else(|| place(Self::MIRRORED)).unwrap_or(0)
    }

    /// Returns the angle in degrees: 0, 90, 180 or 270.
    pub fn degrees(self) -> usize {
        self.quarters() * 90
    }

    /// Returns true if width and height are exchanged.
    pub fn is_sideways(self) -> bool {
        matches!(self, Self::Right | Self::Left | Self::MirroredRight | Self::MirroredLeft)
    }

    /// Returns the size of a rotated frame.
    pub fn size(self, size: Size) -> Size {
        if self.is_sideways() { Size::new(size.height, size.width) } else { size }
    }

    /// Returns the next quarter turn.
    pub fn next(self) -> Self {
        Self::ALL.get(self.quarters() + 1).copied().unwrap_or_default()
    }
}

/// The three planes of an I420 frame, with rows without padding: luma is `width × height`, each
/// chroma plane `width/2 × height/2`. Frames with transparent parts also have an alpha plane.
#[derive(Clone, PartialEq, Eq)]
pub struct Planes {
    size: Size,
    pub y: Vec<u8>,
    pub u: Vec<u8>,
    pub v: Vec<u8>,
    /// The opacity, `width × height` like luma, from 0 (transparent) to 255 (opaque), always in
    /// full range. The alpha is straight: the colors are not premultiplied. `None` means opaque
    /// everywhere. Chroma at an edge should be the mean of its opaque pixels.
    pub alpha: Option<Vec<u8>>,
}

impl fmt::Debug for Planes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Planes({})", self.size)
    }
}

impl Planes {
    /// Makes a black frame. An invalid size is rounded to a valid one.
    pub fn black(size: Size) -> Self {
        let size = Self::valid(size);
        let luma = size.pixels();
        let chroma = luma / 4;
        Self { size, y: vec![16; luma], u: vec![128; chroma], v: vec![128; chroma], alpha: None }
    }

    /// Makes a transparent frame: black, with an alpha plane of zeros.
    pub fn transparent(size: Size) -> Self {
        let black = Self::black(size);
        Self { alpha: Some(vec![0; black.y.len()]), ..black }
    }

    fn valid(size: Size) -> Size {
        let side = |side: u32| side.clamp(2, Size::MAX_SIDE) & !1;
        Size::new(side(size.width), side(size.height))
    }

    /// Converts the planes to interleaved 8-bit RGB, without alpha.
    ///
    /// # Errors
    /// Fails if a plane is too short for the size.
    pub fn to_rgb(&self, color: Color) -> Result<Vec<u8>, yuv::YuvError> {
        let Size { width, height } = self.size;
        let chroma = self.chroma_stride() as u32;
        let image = yuv::YuvPlanarImage {
            y_plane: &self.y,
            y_stride: self.luma_stride() as u32,
            u_plane: &self.u,
            u_stride: chroma,
            v_plane: &self.v,
            v_stride: chroma,
            width,
            height,
        };
        let matrix = match color.matrix {
            Matrix::Bt601 => yuv::YuvStandardMatrix::Bt601,
            Matrix::Bt709 => yuv::YuvStandardMatrix::Bt709,
        };
        let range = match color.range {
            Range::Limited => yuv::YuvRange::Limited,
            Range::Full => yuv::YuvRange::Full,
        };
        let mut rgb = vec![0; self.size.pixels() * 3];
        yuv::yuv420_to_rgb(&image, &mut rgb, width * 3, range, matrix)?;
        Ok(rgb)
    }

    /// Changes the size. The content is then undefined. Memory is allocated only for new planes.
    pub fn reshape(&mut self, size: Size) {
        let size = Self::valid(size);
        let luma = size.pixels();
        self.y.resize(luma, 16);
        self.u.resize(luma / 4, 128);
        self.v.resize(luma / 4, 128);
        if let Some(alpha) = &mut self.alpha {
            alpha.resize(luma, 0);
        }
        self.size = size;
    }

    /// Copies the luma and chroma planes of a frame of the same size. The alpha plane of this frame
    /// stays.
    ///
    /// # Panics
    /// Panics if the sizes differ.
    pub fn copy_pixels(&mut self, from: &Self) {
        self.y.copy_from_slice(&from.y);
        self.u.copy_from_slice(&from.u);
        self.v.copy_from_slice(&from.v);
    }

    /// Copies a frame of the same size. If one of the frames has no alpha plane, the alpha of this
    /// frame stays.
    ///
    /// # Panics
    /// Panics if the sizes differ.
    pub fn copy(&mut self, from: &Self) {
        self.copy_pixels(from);
        self.copy_alpha(from);
    }

    /// Copies the alpha plane of a frame of the same size, if both frames have an alpha plane.
    ///
    /// # Panics
    /// Panics if the sizes differ.
    pub fn copy_alpha(&mut self, from: &Self) {
        if let (Some(own), Some(from)) = (&mut self.alpha, &from.alpha) {
            own.copy_from_slice(from);
        }
    }

    /// Copies a rectangle of another frame from `corner` to `place`, clipped to both frames, with
    /// alpha if both frames have it. All values are even.
    pub fn copy_rect(
        &mut self,
        from: &Self,
        corner: (usize, usize),
        place: (usize, usize),
        size: (usize, usize),
    ) {
        let half = |(x, y): (usize, usize)| (x / 2, y / 2);
        let fine = [(from.luma_stride(), 0), (self.luma_stride(), 0), corner, place, size];
        let (fine, coarse) = (fine, fine.map(half));
        let planes = [
            Some((&from.y, &mut self.y, fine)),
            Some((&from.u, &mut self.u, coarse)),
            Some((&from.v, &mut self.v, coarse)),
            from.alpha.as_ref().zip(self.alpha.as_mut()).map(|(from, own)| (from, own, fine)),
        ];
        for (from, own, [(stride, _), (own_stride, _), corner, place, size]) in
            planes.into_iter().flatten()
        {
            let room = (stride.saturating_sub(corner.0)).min(own_stride.saturating_sub(place.0));
            let width = size.0.min(room);
            let rows = from.chunks_exact(stride).skip(corner.1).take(size.1);
            for (from, own) in rows.zip(own.chunks_exact_mut(own_stride).skip(place.1)) {
                let from = from.get(corner.0..corner.0 + width);
                if let (Some(from), Some(own)) = (from, own.get_mut(place.0..place.0 + width)) {
                    own.copy_from_slice(from);
                }
            }
        }
    }

    /// Copies a frame, rotated. This frame has the size of the rotated frame. If one of the frames
    /// has no alpha plane, the alpha of this frame stays.
    pub fn copy_rotated(&mut self, from: &Self, rotation: Rotation) {
        let (width, half) = (from.luma_stride(), from.chroma_stride());
        rotate_plane(&from.y, width, rotation, &mut self.y);
        rotate_plane(&from.u, half, rotation, &mut self.u);
        rotate_plane(&from.v, half, rotation, &mut self.v);
        if let (Some(own), Some(from)) = (&mut self.alpha, &from.alpha) {
            rotate_plane(from, width, rotation, own);
        }
    }

    /// Returns true if the frame is opaque, which means that it has no alpha plane.
    pub fn is_opaque(&self) -> bool {
        self.alpha.is_none()
    }

    /// Returns the width and height of the luma plane.
    pub fn size(&self) -> Size {
        self.size
    }

    /// Returns the stride of the luma plane in bytes.
    pub fn luma_stride(&self) -> usize {
        self.size.width as usize
    }

    /// Returns the stride of the chroma planes in bytes.
    pub fn chroma_stride(&self) -> usize {
        self.size.width as usize / 2
    }

    /// Makes a pool of frames of one size.
    pub fn pool(size: Size, max_idle: usize) -> Pool<Self> {
        Pool::new(max_idle, move || Self::black(size))
    }

    /// Makes a pool of frames of one size with an alpha plane.
    pub fn alpha_pool(size: Size, max_idle: usize) -> Pool<Self> {
        Pool::new(max_idle, move || Self::transparent(size))
    }
}

/// Copies a plane, rotated. `width` is the row length of the original.
fn rotate_plane(from: &[u8], width: usize, rotation: Rotation, out: &mut [u8]) {
    match rotation {
        Rotation::None => out.iter_mut().zip(from).for_each(|(out, value)| *out = *value),
        Rotation::Half => out.iter_mut().zip(from.iter().rev()).for_each(|(out, it)| *out = *it),
        Rotation::Mirrored | Rotation::MirroredHalf => {
            let width = width.max(1);
            let rows = out.chunks_exact_mut(width);
            if rotation == Rotation::Mirrored {
                for (out, row) in rows.zip(from.chunks_exact(width)) {
                    out.iter_mut().zip(row.iter().rev()).for_each(|(out, it)| *out = *it);
                }
            } else {
                rows.zip(from.chunks_exact(width).rev())
                    .for_each(|(out, row)| out.copy_from_slice(row));
            }
        }
        Rotation::Right | Rotation::Left | Rotation::MirroredRight | Rotation::MirroredLeft => {
            let is_forward = matches!(rotation, Rotation::Right | Rotation::MirroredLeft);
            let is_upward = matches!(rotation, Rotation::Right | Rotation::MirroredRight);
            let width = width.max(1);
            let height = (from.len() / width).max(1);
            for (band, rows) in from.chunks(width * ROTATED_ROWS).enumerate() {
                for (index, line) in out.chunks_exact_mut(height).take(width).enumerate() {
                    // A row of the result is a column of the original.
                    let first = if is_forward { index } else { width - 1 - index };
                    let column = rows.iter().skip(first).step_by(width);
                    if is_upward {
                        let places = line.iter_mut().rev().skip(band * ROTATED_ROWS);
                        places.zip(column).for_each(|(out, value)| *out = *value);
                    } else {
                        let places = line.iter_mut().skip(band * ROTATED_ROWS);
                        places.zip(column).for_each(|(out, value)| *out = *value);
                    }
                }
            }
        }
    }
}

/// A pool for frames of the last requested shape, which keeps at most `MAX_IDLE` frames for reuse.
#[derive(Debug, Default)]
pub struct PlanesPool<const MAX_IDLE: usize>(Option<((Size, bool), Pool<Planes>)>);

impl<const MAX_IDLE: usize> PlanesPool<MAX_IDLE> {
    /// Returns a frame of this size, with or without an alpha plane, with arbitrary old content.
    pub fn fresh(&mut self, size: Size, alpha: bool) -> Fresh<Planes> {
        if let Some((_, pool)) = self.0.as_ref().filter(|(shape, _)| *shape == (size, alpha)) {
            return pool.fresh();
        }
        let make = if alpha { Planes::alpha_pool } else { Planes::pool };
        self.0.insert(((size, alpha), make(size, MAX_IDLE))).1.fresh()
    }
}

/// A frame and its capture time. Cloning shares the pixels.
#[derive(Clone, Debug)]
pub struct VideoFrame {
    /// The capture time; for a program frame, its time on the frame grid.
    pub pts: Timestamp,
    /// The color space.
    pub color: Color,
    /// The pixels.
    pub surface: Surface,
}

impl VideoFrame {
    /// Returns the width and height.
    pub fn size(&self) -> Size {
        match &self.surface {
            Surface::I420(planes) => planes.size(),
            Surface::Nv12(nv12) => nv12.size(),
        }
    }

    /// Returns the pixels as I420.
    pub fn planes(&self) -> &Planes {
        self.shared()
    }

    /// Returns the pixels as I420 in a shared buffer.
    pub fn shared(&self) -> &Arc<Pooled<Planes>> {
        match &self.surface {
            Surface::I420(planes) => planes,
            Surface::Nv12(nv12) => nv12.as_i420(),
        }
    }

    /// Returns true if both frames share the same pixels.
    pub fn is_same(&self, other: &Self) -> bool {
        match (&self.surface, &other.surface) {
            (Surface::I420(one), Surface::I420(other)) => Arc::ptr_eq(one, other),
            (Surface::Nv12(one), Surface::Nv12(other)) => Arc::ptr_eq(one, other),
            _ => false,
        }
    }
}

/// The storage of the pixels of a frame.
#[derive(Clone, Debug)]
pub enum Surface {
    /// Three planes in memory.
    I420(Arc<Pooled<Planes>>),
    /// Luma and interleaved chroma in memory.
    Nv12(Arc<Nv12>),
}

impl From<Arc<Pooled<Planes>>> for Surface {
    fn from(planes: Arc<Pooled<Planes>>) -> Self {
        Self::I420(planes)
    }
}

/// An NV12 frame. The first consumer that needs I420 converts the frame, once for all consumers
/// that share it.
#[derive(Debug)]
pub struct Nv12 {
    size: Size,
    /// Rows of luma without padding.
    pub y: Vec<u8>,
    /// Interleaved bytes of Cb and Cr: rows as long as those of luma, but half as many.
    pub uv: Vec<u8>,
    /// The pool for converted I420 planes.
    pool: Pool<Planes>,
    i420: OnceLock<Arc<Pooled<Planes>>>,
}

impl Nv12 {
    /// Creates a frame from these pixels, which are cropped or padded with black to the size. `pool`
    /// provides the planes for the conversion.
    pub fn new(size: Size, (mut y, mut uv): (Vec<u8>, Vec<u8>), pool: Pool<Planes>) -> Self {
        let size = Planes::valid(size);
        y.resize(size.pixels(), 16);
        uv.resize(size.pixels() / 2, 128);
        Self { size, y, uv, pool, i420: OnceLock::new() }
    }

    /// Returns the width and height.
    pub const fn size(&self) -> Size {
        self.size
    }

    fn as_i420(&self) -> &Arc<Pooled<Planes>> {
        self.i420.get_or_init(|| {
            let mut planes = self.pool.take();
            planes.reshape(self.size);
            let Planes { y, u, v, .. } = &mut *planes;
            y.copy_from_slice(&self.y);
            let chroma = u.iter_mut().zip(v).zip(self.uv.chunks_exact(2));
            for ((u, v), pair) in chroma {
                if let [cb, cr] = *pair {
                    (*u, *v) = (cb, cr);
                }
            }
            Arc::new(planes)
        })
    }
}

/// The matrix between RGB and YCbCr.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, Default)]
pub enum Matrix {
    /// BT.601 (standard definition, most webcams).
    Bt601,
    /// BT.709 (high definition, the program).
    #[default]
    Bt709,
}

/// The used part of the range 0…255.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, Default)]
pub enum Range {
    /// 16…235 for luma, 16…240 for chroma.
    #[default]
    Limited,
    /// 0…255 (JPEG).
    Full,
}

/// The color description of a frame.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct Color {
    /// The matrix between RGB and YCbCr.
    pub matrix: Matrix,
    /// Limited or full range.
    pub range: Range,
}

impl Color {
    /// The color description of the program: BT.709, limited.
    pub const PROGRAM: Self = Self { matrix: Matrix::Bt709, range: Range::Limited };
    /// Color space of JPEG: BT.601 with full range.
    pub const JPEG: Self = Self { matrix: Matrix::Bt601, range: Range::Full };
    /// The default of an uncompressed webcam: BT.601, limited.
    pub const WEBCAM: Self = Self { matrix: Matrix::Bt601, range: Range::Limited };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_parse_and_bad_ones_say_why() {
        assert_eq!("1280x720".parse(), Ok(Size::new(1280, 720)));
        for bad in ["", "1280", "1280x", "x720", "-2x4", "1281x720", "0x0", "9000x2", "1e3x4"] {
            assert!(bad.parse::<Size>().is_err(), "{bad}");
        }
    }

    #[test]
    fn an_alpha_plane_is_there_where_it_was_asked_for() {
        let size = Size::new(64, 36);
        assert!(Planes::black(size).is_opaque());
        let clear = Planes::alpha_pool(size, 1).take();
        assert_eq!(clear.alpha.as_deref(), Some(&vec![0; size.pixels()][..]));
        assert!(!clear.is_opaque());
    }

    #[test]
    fn another_shape_is_as_if_made_so() {
        let mut planes = Planes::transparent(Size::new(64, 36));
        for size in [Size::new(16, 8), Size::new(65, 37), Size::new(128, 2)] {
            planes.reshape(size);
            let want = Planes::transparent(size);
            let lengths = |of: &Planes| [of.y.len(), of.u.len(), of.v.len()];
            assert_eq!((planes.size(), lengths(&planes)), (want.size(), lengths(&want)));
            assert_eq!(planes.alpha.as_ref().map(Vec::len), want.alpha.map(|it| it.len()));
        }
    }

    #[test]
    fn rotated_frames_have_every_pixel_in_its_place() {
        // The chroma planes have odd sides, and the luma plane has more than one band of rows.
        let size = Size::new(6, 134);
        let mut from = Planes::transparent(size);
        let fill = |plane: &mut Vec<u8>| (0..).zip(plane).for_each(|(n, it)| *it = (n * 7) as u8);
        fill(&mut from.y);
        fill(&mut from.u);
        fill(&mut from.v);
        from.alpha.iter_mut().for_each(fill);
        for rotation in Rotation::orientations() {
            let mut out = Planes::transparent(rotation.size(size));
            out.copy_rotated(&from, rotation);
            let (alpha, out_alpha) = (from.alpha.as_ref().unwrap(), out.alpha.as_ref().unwrap());
            for (from, out, width) in [
                (&from.y, &out.y, 6),
                (&from.u, &out.u, 3),
                (&from.v, &out.v, 3),
                (alpha, out_alpha, 6),
            ] {
                let height = from.len() / width;
                for (y, x) in (0..height).flat_map(|y| (0..width).map(move |x| (y, x))) {
                    let from_x = if rotation.is_mirrored() { width - 1 - x } else { x };
                    let (to_x, to_y, to_width) = match Rotation::ALL[rotation.quarters()] {
                        Rotation::None => (x, y, width),
                        Rotation::Right => (height - 1 - y, x, height),
                        Rotation::Half => (width - 1 - x, height - 1 - y, width),
                        _ => (y, width - 1 - x, height),
                    };
                    let (to, from) = (out[to_y * to_width + to_x], from[y * width + from_x]);
                    assert_eq!(to, from, "{rotation:?}");
                }
            }
        }
    }

    #[test]
    fn nv12_becomes_i420_once_for_all_that_share_it() {
        let size = Size::new(4, 2);
        let pool = Planes::pool(size, 1);
        let pixels = ((0..8).collect(), vec![100, 200, 101, 201]);
        let surface = Surface::Nv12(Arc::new(Nv12::new(size, pixels, pool)));
        let frame = VideoFrame { pts: Timestamp::ZERO, color: Color::PROGRAM, surface };
        let later = VideoFrame { pts: Timestamp::from_millis(40), ..frame.clone() };
        assert_eq!(frame.size(), size);
        let planes = frame.planes();
        assert_eq!((&planes.u[..], &planes.v[..]), (&[100, 101][..], &[200, 201][..]));
        assert_eq!(planes.y, (0..8).collect::<Vec<u8>>());
        assert!(later.is_same(&frame) && Arc::ptr_eq(frame.shared(), later.shared()));
    }

    #[test]
    fn fitting_keeps_the_shape() {
        let hd = Size::new(1280, 720);
        assert_eq!(Size::new(640, 480).fitted_into(hd), Size::new(960, 720));
        assert_eq!(Size::new(3840, 1080).fitted_into(hd), Size::new(1280, 360));
        assert_eq!(Size::new(1920, 1080).fitted_into(hd), hd);
        assert_eq!(Size::new(1, 8000).fitted_into(hd), Size::new(2, 720));
    }
}
