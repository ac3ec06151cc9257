//! Converts RGB frames (images, text, fills) in one step, from straight 8-bit sRGB to limited-range
//! BT.709, with an alpha plane if needed.

use yuv::{
    BufferStoreMut, YuvConversionMode, YuvError, YuvPlanarImageMut, YuvRange, YuvStandardMatrix,
};

use crate::media::{Planes, Size};
use crate::text::problem::{Problem, problem};

/// A straight sRGB color with its opacity.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub struct Rgba {
    pub red: u8,
    pub green: u8,
    pub blue: u8,
    /// Opacity: 0 is transparent, 255 is opaque.
    pub alpha: u8,
}

impl Rgba {
    pub const BLACK: Self = Self::opaque(0, 0, 0);
    pub const WHITE: Self = Self::opaque(255, 255, 255);

    /// Creates an opaque color.
    pub const fn opaque(red: u8, green: u8, blue: u8) -> Self {
        Self { red, green, blue, alpha: 255 }
    }

    /// Returns red, green, blue and alpha, in this order.
    pub const fn channels(self) -> [u8; 4] {
        [self.red, self.green, self.blue, self.alpha]
    }

    /// Mixes with another color by `share` (0…1).
    pub fn mix(self, other: Self, share: f32) -> Self {
        let share = share.clamp(0.0, 1.0);
        let one = |a: u8, b: u8| (f32::from(a) + (f32::from(b) - f32::from(a)) * share).round();
        Self {
            red: one(self.red, other.red) as u8,
            green: one(self.green, other.green) as u8,
            blue: one(self.blue, other.blue) as u8,
            alpha: one(self.alpha, other.alpha) as u8,
        }
    }
}

impl std::fmt::Display for Rgba {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "#{:02x}{:02x}{:02x}", self.red, self.green, self.blue)?;
        if self.alpha == 255 { Ok(()) } else { write!(f, "{:02x}", self.alpha) }
    }
}

impl std::str::FromStr for Rgba {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fault = || problem!("choice-no-color", text = text);
        let digits = text.strip_prefix('#').ok_or_else(fault)?;
        if !matches!(digits.len(), 6 | 8) || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(fault());
        }
        let number = u32::from_str_radix(digits, 16).map_err(|_| fault())?;
        let number = if digits.len() == 6 { number << 8 | 0xFF } else { number };
        let [red, green, blue, alpha] = number.to_be_bytes();
        Ok(Self { red, green, blue, alpha })
    }
}

const FRACTION_BITS: i32 = 16;
const ROUNDING_HALF: i32 = 1 << (FRACTION_BITS - 1);

/// Luma coefficients for limited-range BT.709 from 8-bit RGB. Luma has 219 steps from 16, and
/// chroma has 224 around 128.
const Y_COEFFICIENTS: [i32; 3] = [11_966, 40_254, 4_064];
/// Coefficients for the blue-difference chroma.
const U_COEFFICIENTS: [i32; 3] = [-6_596, -22_188, 28_784];
/// Coefficients for the red-difference chroma.
const V_COEFFICIENTS: [i32; 3] = [28_784, -26_145, -2_639];

fn weigh(by: [i32; 3], [r, g, b]: [i32; 3], foot: i32) -> u8 {
    let [wr, wg, wb] = by;
    ((wr * r + wg * g + wb * b + ROUNDING_HALF + (foot << FRACTION_BITS)) >> FRACTION_BITS)
        .clamp(0, 255) as u8
}

/// Returns the even size that contains a frame of this size. If the width or height is odd, the
/// last column or row is repeated.
pub(super) fn even(width: u32, height: u32) -> Size {
    let side = |side: u32| side.clamp(1, Size::MAX_SIDE).next_multiple_of(2);
    Size::new(side(width), side(height))
}

/// Converts `width × height` pixels of four bytes (red, green, blue, alpha; straight) to planes of
/// the [`even`] size. The frame has an alpha plane if any pixel is not opaque.
pub(super) fn planes(rgba: &[u8], width: u32, height: u32) -> Planes {
    let size = even(width, height);
    let opaque = rgba.chunks_exact(4).all(|pixel| pixel.last() == Some(&255));
    let mut planes = if opaque { Planes::black(size) } else { Planes::transparent(size) };
    fill(rgba, width, height, &mut planes);
    planes
}

/// Fills `planes` (of the [`even`] size) with a frame.
pub(super) fn fill(rgba: &[u8], width: u32, height: u32, planes: &mut Planes) {
    let (stride, half) = (planes.luma_stride(), planes.chroma_stride());
    let row_bytes = width as usize * 4;
    let row = |number: usize| {
        let number = number.min((height as usize).saturating_sub(1));
        rgba.get(number * row_bytes..(number + 1) * row_bytes).unwrap_or(&[])
    };
    let pixel = |row: &[u8], column: usize| -> [i32; 4] {
        let column = column.min((width as usize).saturating_sub(1));
        match row.get(column * 4..column * 4 + 4) {
            Some(&[r, g, b, a]) => [r.into(), g.into(), b.into(), a.into()],
            _ => [0; 4],
        }
    };
    let Planes { y, u, v, alpha, .. } = planes;
    let chroma = u.chunks_exact_mut(half).zip(v.chunks_exact_mut(half));
    let mut alphas = alpha.as_mut().map(|alpha| alpha.chunks_exact_mut(stride * 2));
    let lumas = y.chunks_exact_mut(stride * 2);
    for (pair, (lumas, (us, vs))) in lumas.zip(chroma).enumerate() {
        let rows = [row(pair * 2), row(pair * 2 + 1)];
        let mut alphas = alphas.as_mut().and_then(Iterator::next);
        for (column, (u, v)) in us.iter_mut().zip(vs).enumerate() {
            let mut sum = [0_i32; 3];
            let mut weight = 0;
            for (line, row) in rows.iter().enumerate() {
                for x in [column * 2, column * 2 + 1] {
                    let [r, g, b, a] = pixel(row, x);
                    // A transparent pixel has no color.
                    let [r, g, b] = if a == 0 { [0; 3] } else { [r, g, b] };
                    let place = line * stride + x;
                    if let Some(luma) = lumas.get_mut(place) {
                        *luma = weigh(Y_COEFFICIENTS, [r, g, b], 16);
                    }
                    if let Some(alpha) = alphas.as_mut().and_then(|alpha| alpha.get_mut(place)) {
                        *alpha = a as u8;
                    }
                    // At an edge, the chroma is that of the visible pixels.
                    sum = [sum[0] + r * a, sum[1] + g * a, sum[2] + b * a];
                    weight += a;
                }
            }
            if weight == 0 {
                (*u, *v) = (128, 128);
            } else {
                let mean = sum.map(|sum| (sum + weight / 2) / weight);
                (*u, *v) = (weigh(U_COEFFICIENTS, mean, 128), weigh(V_COEFFICIENTS, mean, 128));
            }
        }
    }
}

/// Returns the chroma of these pixels (straight, four bytes each), weighted by their alpha.
pub(super) fn mean_chroma(pixels: impl Iterator<Item = u8>) -> (u8, u8) {
    let (mut sum, mut weight, mut pixel) = ([0_i32; 3], 0, [0_i32; 4]);
    for (place, byte) in pixels.enumerate() {
        pixel = [pixel[1], pixel[2], pixel[3], byte.into()];
        if place % 4 == 3 {
            let [r, g, b, a] = pixel;
            sum = [sum[0] + r * a, sum[1] + g * a, sum[2] + b * a];
            weight += a;
        }
    }
    if weight == 0 {
        return (128, 128);
    }
    let mean = sum.map(|sum| (sum + weight / 2) / weight);
    (weigh(U_COEFFICIENTS, mean, 128), weigh(V_COEFFICIENTS, mean, 128))
}

#[cfg(test)]
pub(super) fn numbers(color: Rgba) -> (u8, u8, u8) {
    let [r, g, b] = [color.red, color.green, color.blue].map(i32::from);
    (
        weigh(Y_COEFFICIENTS, [r, g, b], 16),
        weigh(U_COEFFICIENTS, [r, g, b], 128),
        weigh(V_COEFFICIENTS, [r, g, b], 128),
    )
}

/// A conversion function of the library.
pub(super) type RgbConversion = fn(
    &mut YuvPlanarImageMut<'_, u8>,
    &[u8],
    u32,
    YuvRange,
    YuvStandardMatrix,
    YuvConversionMode,
) -> Result<(), YuvError>;

/// Returns three 4:2:0 planes of this size, without padding, in the form that the library needs.
pub(super) fn three_planes<'a>(
    Size { width, height }: Size,
    [y, u, v]: [&'a mut [u8]; 3],
) -> YuvPlanarImageMut<'a, u8> {
    YuvPlanarImageMut {
        y_plane: BufferStoreMut::Borrowed(y),
        y_stride: width,
        u_plane: BufferStoreMut::Borrowed(u),
        u_stride: width / 2,
        v_plane: BufferStoreMut::Borrowed(v),
        v_stride: width / 2,
        width,
        height,
    }
}

/// Returns the planes of a frame in the form that the library needs.
pub(super) fn target(planes: &mut Planes) -> YuvPlanarImageMut<'_, u8> {
    let size = planes.size();
    three_planes(size, [&mut planes.y, &mut planes.u, &mut planes.v])
}

/// Converts full-range RGB with rows of `stride` bytes to limited-range BT.709.
pub(super) fn turned(
    turn: RgbConversion,
    data: &[u8],
    stride: usize,
    planes: &mut YuvPlanarImageMut<'_, u8>,
) -> Result<(), String> {
    let (range, matrix) = (YuvRange::Limited, YuvStandardMatrix::Bt709);
    turn(planes, data, stride as u32, range, matrix, YuvConversionMode::Balanced)
        .map_err(|fault| fault.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the exact values of a color as defined by ITU-T H.273.
    fn exact(color: Rgba) -> (u8, u8, u8) {
        let [r, g, b] = [color.red, color.green, color.blue].map(|c| f64::from(c) / 255.0);
        let y = 0.2126 * r + 0.7152 * g + 0.0722 * b;
        let (u, v) = ((b - y) / 1.8556, (r - y) / 1.5748);
        let byte = |value: f64| value.round() as u8;
        (byte(16.0 + 219.0 * y), byte(128.0 + 224.0 * u), byte(128.0 + 224.0 * v))
    }

    #[test]
    fn colours_are_bt709_in_limited_range() {
        let near = |a: (u8, u8, u8), b: (u8, u8, u8)| {
            a.0.abs_diff(b.0) <= 1 && a.1.abs_diff(b.1) <= 1 && a.2.abs_diff(b.2) <= 1
        };
        let mut seed = 7_u32;
        for _ in 0..2_000 {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let [red, green, blue, _] = seed.to_be_bytes();
            let color = Rgba::opaque(red, green, blue);
            assert!(near(numbers(color), exact(color)), "{color}");
        }
        assert_eq!(numbers(Rgba::WHITE), (235, 128, 128));
        assert_eq!(numbers(Rgba::BLACK), (16, 128, 128));
        assert_eq!(numbers(Rgba::opaque(255, 0, 0)), (63, 102, 240));
        assert_eq!(numbers(Rgba::opaque(0, 0, 255)), (32, 240, 118));
    }

    #[test]
    fn odd_sides_and_edges_keep_their_colors() {
        // 3×1: red, red, transparent (with invisible blue).
        let rgba = [255, 0, 0, 255, 255, 0, 0, 128, 0, 0, 255, 0];
        let planes = planes(&rgba, 3, 1);
        assert_eq!(planes.size(), Size::new(4, 2));
        let red = numbers(Rgba::opaque(255, 0, 0));
        assert_eq!(&planes.y[..4], [red.0, red.0, 16, 16]);
        assert_eq!(planes.y[..4], planes.y[4..]);
        assert_eq!((planes.u[0], planes.v[0]), (red.1, red.2));
        assert_eq!((planes.u[1], planes.v[1]), (128, 128), "no blue fringe");
        assert_eq!(planes.alpha.as_deref(), Some(&[255, 128, 0, 0, 255, 128, 0, 0][..]));
        assert!(super::planes(&[9, 9, 9, 255], 1, 1).is_opaque());
    }

    #[test]
    fn colours_read_back_as_written() {
        for text in ["#102030", "#ff00ff80"] {
            assert_eq!(text.parse::<Rgba>().unwrap().to_string(), text);
        }
        for bad in ["", "#", "red", "#12345", "#12345g", "#1234567890", "#+12345", "#é1234"] {
            assert!(bad.parse::<Rgba>().is_err(), "{bad}");
        }
        assert_eq!(Rgba::BLACK.mix(Rgba::WHITE, 0.5), Rgba::opaque(128, 128, 128));
    }
}
