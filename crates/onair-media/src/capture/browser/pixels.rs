//! Converts Chromium's images to planes. The colors of a screencast are premultiplied by their
//! alpha; onair's are not.

use crate::capture::rgb;
use crate::media::{Planes, Size};
use yuv::{YuvConversionMode, YuvRange, YuvStandardMatrix};

/// Divides the colors by their alpha, in place.
pub(super) fn unpremultiply(rgba: &mut [u8]) {
    for pixel in rgba.chunks_exact_mut(4) {
        let [red, green, blue, alpha] = pixel else { continue };
        match *alpha {
            0 | 255 => {}
            alpha => {
                let alpha = u32::from(alpha);
                for color in [red, green, blue] {
                    *color = ((u32::from(*color) * 255 + alpha / 2) / alpha).min(255) as u8;
                }
            }
        }
    }
}

/// Converts `width × height` straight pixels to planes. The library converts the opaque and the
/// transparent parts; only the chroma at their edges is computed here, from the visible pixels.
pub(super) fn planes(rgba: &[u8], width: u32, height: u32) -> Planes {
    let size = Size::new(width, height);
    let is_even = width.is_multiple_of(2) && height.is_multiple_of(2);
    if !is_even || size.pixels() * 4 != rgba.len() || width < 2 || height < 2 {
        return rgb::planes(rgba, width, height);
    }
    let opaque = rgba.chunks_exact(4).all(|pixel| pixel.last() == Some(&255));
    let mut planes = Planes::black(size);
    let converted = yuv::rgba_to_yuv420(
        &mut rgb::target(&mut planes),
        rgba,
        width * 4,
        YuvRange::Limited,
        YuvStandardMatrix::Bt709,
        YuvConversionMode::Balanced,
    );
    if converted.is_err() {
        return rgb::planes(rgba, width, height);
    }
    if !opaque {
        planes.alpha = Some(rgba.chunks_exact(4).filter_map(|it| it.last().copied()).collect());
        mend_edges(rgba, width as usize, &mut planes);
    }
    planes
}

/// Replaces the chroma where the four pixels differ in alpha.
fn mend_edges(rgba: &[u8], width: usize, planes: &mut Planes) {
    let rows = rgba.chunks_exact(width * 8);
    let chroma = planes.u.chunks_exact_mut(width / 2).zip(planes.v.chunks_exact_mut(width / 2));
    for (rows, (us, vs)) in rows.zip(chroma) {
        let Some((upper, lower)) = rows.split_at_checked(width * 4) else { continue };
        let pairs = upper.chunks_exact(8).zip(lower.chunks_exact(8));
        for ((above, below), (u, v)) in pairs.zip(us.iter_mut().zip(vs)) {
            let (&[_, _, _, a, _, _, _, b], &[_, _, _, c, _, _, _, d]) = (above, below) else {
                continue;
            };
            if a != b || b != c || c != d {
                (*u, *v) = rgb::mean_chroma(above.iter().chain(below).copied());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colors_are_divided_by_their_alpha() {
        let mut pixels = [128, 0, 64, 128, 9, 9, 9, 0, 1, 2, 3, 255, 200, 0, 0, 100];
        unpremultiply(&mut pixels);
        assert_eq!(pixels, [255, 0, 128, 128, 9, 9, 9, 0, 1, 2, 3, 255, 255, 0, 0, 100]);
    }

    #[test]
    fn planes_are_those_of_the_exact_conversion() {
        let (width, height) = (32_u32, 8_u32);
        let pixels: Vec<u8> = (0..width * height)
            .flat_map(|at| match at % 37 {
                0..12 => [255, 0, 0, 255],
                12..20 => [0, 0, 0, 0],
                other => [other as u8 * 5, 200, 30, 128],
            })
            .collect();
        let (exact, fast) = (rgb::planes(&pixels, width, height), planes(&pixels, width, height));
        assert_eq!(exact.alpha, fast.alpha);
        let near = |a: &[u8], b: &[u8]| a.iter().zip(b).all(|(a, b)| a.abs_diff(*b) <= 2);
        assert!(near(&exact.y, &fast.y), "{:?} {:?}", exact.y, fast.y);
        assert!(near(&exact.u, &fast.u) && near(&exact.v, &fast.v), "{:?} {:?}", exact.u, fast.u);
        let opaque = planes(&[255; 32 * 8 * 4], width, height);
        assert!(opaque.alpha.is_none() && near(&opaque.y, &[235; 256]));
        assert_eq!(planes(&[255; 12], 3, 1).size(), Size::new(4, 2), "an odd size");
    }
}
