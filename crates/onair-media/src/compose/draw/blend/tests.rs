//! Tests of blending in each mode, with different numbers of threads.

use super::*;
use crate::base::Pooled;
use crate::media::Size;
use std::sync::Arc;

fn image(yuv: [u8; 3], alpha: Option<u8>) -> Image {
    let size = Size::new(4, 4);
    let mut planes = Planes::black(size);
    let by = |value: u8| {
        alpha.map_or(value, |a| (f64::from(value) * f64::from(a) / 255.0).round() as u8)
    };
    planes.y.fill(by(yuv[0]));
    planes.u.fill(by(yuv[1]));
    planes.v.fill(by(yuv[2]));
    planes.alpha = alpha.map(|alpha| vec![alpha; 16]);
    let chroma_alpha = alpha.map(|alpha| Arc::new(Pooled::unpooled(vec![alpha; 4])));
    Image {
        rect: Rect { x: 2, y: 2, width: 4, height: 4 },
        planes: Arc::new(Pooled::unpooled(planes)),
        chroma_alpha,
    }
}

fn laid(image: &Image, strength: u16, mode: Blend, ground: [u8; 3]) -> [u8; 3] {
    let mut out = Planes::black(Size::new(8, 8));
    out.y.fill(ground[0]);
    out.u.fill(ground[1]);
    out.v.fill(ground[2]);
    lay(image, strength, mode, &mut out, &WorkerPool::alone());
    assert_eq!((out.y[0], out.u[0]), (ground[0], ground[1]), "outside");
    assert_eq!((out.y[2 * 8 + 1], out.y[2 * 8 + 6]), (ground[0], ground[0]), "beside");
    [out.y[2 * 8 + 2], out.u[4 + 1], out.v[4 + 1]]
}

#[test]
fn opacity_and_alpha_mix_by_their_product() {
    let ground = [50, 100, 150];
    let above = [210, 60, 200];
    assert_eq!(laid(&image(above, None), 256, Blend::Normal, ground), above);
    assert_eq!(laid(&image(above, None), 128, Blend::Normal, ground), [130, 80, 175]);
    assert_eq!(laid(&image(above, Some(255)), 256, Blend::Normal, ground), above);
    assert_eq!(laid(&image(above, Some(0)), 256, Blend::Normal, ground), ground);
    let near = |got: [u8; 3], want: [u8; 3]| {
        got.iter().zip(want).all(|(got, want)| got.abs_diff(want) <= 1)
    };
    assert!(near(laid(&image(above, Some(128)), 256, Blend::Normal, ground), [130, 80, 175]));
    assert!(near(laid(&image(above, Some(128)), 128, Blend::Normal, ground), [90, 90, 163]));
}

#[test]
fn modes_follow_their_formulas_in_rgb() {
    // Grays: luma = 16 + 219 · part.
    let grey = |part: f64| [(16.0 + 219.0 * part).round() as u8, 128, 128];
    for (mode, want) in [
        (Blend::Add, 0.7),
        (Blend::Subtract, 0.3),
        (Blend::Screen, 0.6),
        (Blend::Multiply, 0.1),
        (Blend::Lighten, 0.5),
        (Blend::Darken, 0.2),
    ] {
        let got = laid(&image(grey(0.2), None), 256, mode, grey(0.5));
        for (got, want) in got.iter().zip(grey(want)) {
            assert!(got.abs_diff(want) <= 1, "{mode:?}: {got} for {want}");
        }
    }
    // Pure red multiplied by pure green is black; added, it is yellow.
    let (red, green, yellow) = ([63, 102, 240], [173, 42, 26], [219, 16, 138]);
    let near = |got: [u8; 3], want: [u8; 3]| {
        got.iter().zip(want).all(|(got, want)| got.abs_diff(want) <= 2)
    };
    assert!(near(laid(&image(red, None), 256, Blend::Add, green), yellow));
    assert!(near(laid(&image(red, None), 256, Blend::Multiply, green), [16, 128, 128]));
    // The same layer at half the opacity.
    let half = laid(&image(grey(0.4), Some(128)), 256, Blend::Add, grey(0.4));
    assert!(half[0].abs_diff(grey(0.6)[0]) <= 1, "{half:?}");
}

/// Returns the result of two images that are grouped first and blended together.
fn together(
    images: [(&Image, u16, Blend); 2],
    (strength, mode): (u16, Blend),
    ground: [u8; 3],
) -> [u8; 3] {
    let size = Size::new(8, 8);
    let mut planes = Planes::transparent(size);
    planes.y.fill(0);
    planes.u.fill(0);
    planes.v.fill(0);
    let mut chroma_alpha = vec![0; 16];
    for (image, strength, mode) in images {
        gather(image, strength, mode, &mut planes, &mut chroma_alpha, &WorkerPool::alone());
    }
    let gathered = Image {
        rect: Rect::whole(size),
        planes: Arc::new(Pooled::unpooled(planes)),
        chroma_alpha: Some(Arc::new(Pooled::unpooled(chroma_alpha))),
    };
    laid(&gathered, strength, mode, ground)
}

fn near(got: [u8; 3], want: [u8; 3]) -> bool {
    got.iter().zip(want).all(|(got, want)| got.abs_diff(want) <= 2)
}

#[test]
fn what_is_gathered_hides_what_is_in_it_before_it_is_laid_down() {
    let ground = [50, 100, 150];
    let (one, two) = (image([210, 60, 200], None), image([90, 130, 120], None));
    let plain = |image| (image, 256, Blend::Normal);
    // If each layer had half the strength, the lower layer would shine through the upper one.
    let got = together([plain(&one), plain(&two)], (128, Blend::Normal), ground);
    assert!(near(got, [70, 115, 135]), "{got:?}");
    let got = together([plain(&one), plain(&two)], (256, Blend::Normal), ground);
    assert!(near(got, [90, 130, 120]), "{got:?}");
    // Through a half-transparent upper layer, the lower layer is visible. Through both layers, the
    // ground is visible.
    let clear = image([90, 130, 120], Some(128));
    let got = together([plain(&one), plain(&clear)], (256, Blend::Normal), ground);
    assert!(near(got, [150, 95, 160]), "{got:?}");
    let half = (&one, 128, Blend::Normal);
    let got = together([half, plain(&clear)], (256, Blend::Normal), ground);
    assert!(near(got, [110, 105, 147]), "{got:?}");
}

#[test]
fn modes_within_what_is_gathered_see_only_what_is_in_it() {
    let grey = |part: f64| [(16.0 + 219.0 * part).round() as u8, 128, 128];
    let (low, high) = (image(grey(0.3), None), image(grey(0.4), None));
    let add = |image| (image, 256, Blend::Add);
    let got = together([(&low, 256, Blend::Normal), add(&high)], (256, Blend::Normal), grey(0.9));
    assert!(near(got, grey(0.7)), "{got:?}");
    // Nothing is below the first layer, so its mode has no effect.
    let got = together([add(&low), add(&high)], (128, Blend::Normal), grey(0.1));
    assert!(near(got, grey(0.4)), "{got:?}");
    // The whole group is blended with a separate mode.
    let plain = (&low, 256, Blend::Normal);
    let got = together([plain, plain], (256, Blend::Multiply), grey(0.5));
    assert!(near(got, grey(0.15)), "{got:?}");
}

#[test]
fn blend_modes_in_bands_on_a_worker_pool_give_the_same_frame_as_in_one_band() {
    let mut random = 3_u32;
    let mut noise = |plane: &mut [u8], most: &mut dyn FnMut(usize) -> u8| {
        for (index, value) in plane.iter_mut().enumerate() {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            *value = ((random >> 24) % (u32::from(most(index)) + 1)) as u8;
        }
    };
    let rect = Rect { x: 6, y: 10, width: 380, height: 360 };
    let mut frame = |size: Size, clear: bool| {
        let mut planes = Planes::transparent(size);
        let mut small = vec![255; planes.u.len()];
        if clear {
            noise(planes.alpha.as_mut().unwrap(), &mut |_| 255);
            noise(&mut small, &mut |_| 255);
        } else {
            planes.alpha = None;
        }
        // A premultiplied value is never greater than its alpha.
        let alpha = planes.alpha.clone().unwrap_or_else(|| vec![255; planes.y.len()]);
        noise(&mut planes.y, &mut |index| alpha[index]);
        noise(&mut planes.u, &mut |index| small[index]);
        noise(&mut planes.v, &mut |index| small[index]);
        (planes, small)
    };
    let (workers, size) = (WorkerPool::of("onair-test", 4), Size::new(400, 380));
    let grounds = (frame(size, false).0, frame(size, true));
    for clear in [false, true] {
        let (planes, small) = frame(rect.size(), clear);
        let image = Image {
            rect,
            planes: Arc::new(Pooled::unpooled(planes)),
            chroma_alpha: clear.then(|| Arc::new(Pooled::unpooled(small))),
        };
        assert!(rows_of(&image) < 180, "there are several bands");
        for strength in [200, 256] {
            let (mut bands, mut one) = (grounds.1.clone(), grounds.1.clone());
            gather(&image, strength, Blend::Normal, &mut bands.0, &mut bands.1, &workers);
            lay(&image, strength, Blend::Normal, &mut one.0, &WorkerPool::alone());
            let chroma = image.chroma_alpha.as_ref().map(|it| it.as_slice());
            let seen = one.0.alpha.as_mut().unwrap();
            covered(image.planes.alpha.as_deref(), rect, strength, seen, 400);
            covered(chroma, half(rect), strength, &mut one.1, 200);
            assert!(bands == one && one != grounds.1, "{strength}");
        }
        for mode in [Blend::Add, Blend::Subtract, Blend::Screen, Blend::Darken] {
            let (mut bands, mut one) = (grounds.0.clone(), grounds.0.clone());
            lay(&image, 200, mode, &mut bands, &workers);
            parts(&image, &mut one, None, 180).for_each(|part| mixed(part, 200, mode));
            assert!(bands == one && one != grounds.0, "{mode:?}");
            let (mut bands, mut one) = (grounds.1.clone(), grounds.1.clone());
            gather(&image, 200, mode, &mut bands.0, &mut bands.1, &workers);
            parts(&image, &mut one.0, Some(&mut one.1), 180)
                .for_each(|part| gathered(part, 200, mode));
            assert!(bands == one && one != grounds.1, "{mode:?}");
        }
    }
}
