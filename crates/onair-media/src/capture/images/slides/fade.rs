//! Centering of slides in a larger image, and fades between slides.

use crate::media::{Planes, Size};

/// Number of steps of a fade. Finer steps are invisible.
pub(super) const FADE_STEPS: u32 = 256;

/// Centers an image in a larger transparent one.
pub(super) fn centred(mut frame: Planes, size: Size) -> Planes {
    let inner = frame.size();
    if inner == size {
        return frame;
    }
    let pixels = inner.pixels();
    frame.alpha.get_or_insert_with(|| vec![255; pixels]);
    let mut out = Planes::transparent(size);
    let side = |outer: u32, inner: u32| ((outer.saturating_sub(inner) / 2) & !1) as usize;
    let place = (side(size.width, inner.width), side(size.height, inner.height));
    out.copy_rect(&frame, (0, 0), place, (inner.width as usize, inner.height as usize));
    out
}

/// Blends two images of the same size, at `step`/[`FADE_STEPS`] of a fade.
pub(super) fn blend(from: &Planes, to: &Planes, step: u32, out: &mut Planes) {
    let (late, early) = (step, FADE_STEPS - step);
    let mix = |a: u8, b: u8| ((u32::from(a) * early + u32::from(b) * late + 128) >> 8) as u8;
    let plain = |a: &[u8], b: &[u8], out: &mut [u8]| {
        for ((a, b), out) in a.iter().zip(b).zip(out) {
            *out = mix(*a, *b);
        }
    };
    if from.is_opaque() && to.is_opaque() {
        plain(&from.y, &to.y, &mut out.y);
        plain(&from.u, &to.u, &mut out.u);
        plain(&from.v, &to.v, &mut out.v);
        if let Some(alpha) = &mut out.alpha {
            alpha.fill(255);
        }
        return;
    }
    // With straight alpha, a color is weighted by its opacity.
    let stride = out.luma_stride();
    let half = out.chroma_stride();
    let seen = |planes: &Planes, index: usize| {
        planes.alpha.as_ref().map_or(255, |alpha| alpha.get(index).copied().unwrap_or(0))
    };
    let weighed = |a: u8, b: u8, wa: u32, wb: u32, none: u8| {
        let (wa, wb) = (wa * early, wb * late);
        match wa + wb {
            0 => none,
            sum => ((u32::from(a) * wa + u32::from(b) * wb + sum / 2) / sum) as u8,
        }
    };
    let pairs = from.y.iter().zip(&to.y).zip(&mut out.y).enumerate();
    for (index, ((a, b), out)) in pairs {
        *out = weighed(*a, *b, seen(from, index).into(), seen(to, index).into(), 16);
    }
    let mean = |planes: &Planes, index: usize| -> u32 {
        let corner = index / half * 2 * stride + index % half * 2;
        let four = [corner, corner + 1, corner + stride, corner + stride + 1];
        four.into_iter().map(|place| u32::from(seen(planes, place))).sum::<u32>() / 4
    };
    let chroma = from.u.iter().zip(&from.v).zip(to.u.iter().zip(&to.v));
    let outs = out.u.iter_mut().zip(&mut out.v);
    for (index, (((au, av), (bu, bv)), (u, v))) in chroma.zip(outs).enumerate() {
        let (wa, wb) = (mean(from, index), mean(to, index));
        *u = weighed(*au, *bu, wa, wb, 128);
        *v = weighed(*av, *bv, wa, wb, 128);
    }
    if let Some(alpha) = &mut out.alpha {
        for (index, out) in alpha.iter_mut().enumerate() {
            *out = mix(seen(from, index), seen(to, index));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_does_not_colour_a_fade() {
        let size = Size::new(2, 2);
        let mut red = Planes::black(size);
        red.y.fill(63);
        red.v.fill(240);
        let clear = Planes::transparent(size);
        let mut out = Planes::transparent(size);
        blend(&red, &clear, 128, &mut out);
        assert_eq!((out.y[0], out.v[0]), (63, 240), "the colour stays while it goes");
        assert_eq!(out.alpha.unwrap()[0], 128);
    }
}
