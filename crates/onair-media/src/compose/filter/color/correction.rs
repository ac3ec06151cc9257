//! Color correction. A table, or a multiplication if that suffices, corrects luma. Chroma is
//! rotated and scaled in fixed point. Gain and contrast affect chroma and luma equally, as in RGB,
//! and gamma affects only luma.

use crate::base::WorkerPool;
use crate::compose::draw::bands::bands;
use crate::compose::filter::alpha::times;
use crate::compose::filter::step::Step;
use crate::media::{Planes, Size};

const FRACTION_BITS: i32 = 12;
const ROUNDING_HALF: i32 = 1 << (FRACTION_BITS - 1);

/// The parameters of color correction.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct Correction {
    /// Factor for all colors.
    pub gain: f32,
    /// Value that is added to luma, in fractions of white.
    pub brightness: f32,
    /// Factor for the distance from middle gray.
    pub contrast: f32,
    /// Exponent for luma.
    pub gamma: f32,
    /// Factor for chroma.
    pub saturation: f32,
    /// Rotation of the hue in degrees.
    pub hue_degrees: f32,
    /// Opacity of the source.
    pub opacity: f32,
}

impl Correction {
    /// The correction that changes nothing.
    pub const NO_CHANGE: Self = Self {
        gain: 1.0,
        brightness: 0.0,
        contrast: 1.0,
        gamma: 1.0,
        saturation: 1.0,
        hue_degrees: 0.0,
        opacity: 1.0,
    };
}

#[derive(Debug)]
pub struct ColorCorrection {
    luma: Luma,
    /// `u' = straight·u - across·v`, `v' = across·u + straight·v`.
    straight: i32,
    across: i32,
    opacity: u8,
}

#[derive(Debug)]
enum Luma {
    Same,
    /// `(y · by + add) >> FRACTION_BITS`.
    Line {
        by: i32,
        add: i32,
    },
    Curve(Box<[u8; 256]>),
}

impl ColorCorrection {
    pub fn new(it: Correction) -> Self {
        // (((y·gain + brightness) - 1/2)·contrast + 1/2), with y from 0 to 1 above black.
        let by = it.gain * it.contrast;
        let add = (it.brightness - 0.5) * it.contrast + 0.5;
        let luma = if (it.gamma - 1.0).abs() < 1e-4 {
            let by = (by * (1 << FRACTION_BITS) as f32).round() as i32;
            let foot =
                ((16.0 + 219.0 * add) * (1 << FRACTION_BITS) as f32).round() as i32 - 16 * by;
            if by == 1 << FRACTION_BITS && foot == 0 {
                Luma::Same
            } else {
                Luma::Line { by, add: foot + ROUNDING_HALF }
            }
        } else {
            let mut table = [0; 256];
            for (value, y) in table.iter_mut().zip(0_u16..) {
                let y = (f32::from(y) - 16.0) / 219.0 * by + add;
                let bent = if y > 0.0 { y.powf(1.0 / it.gamma) } else { y };
                *value = (16.0 + 219.0 * bent).round().clamp(0.0, 255.0) as u8;
            }
            Luma::Curve(Box::new(table))
        };
        let strength = by * it.saturation * (1 << FRACTION_BITS) as f32;
        let (sin, cos) = it.hue_degrees.to_radians().sin_cos();
        Self {
            luma,
            straight: (strength * cos).round() as i32,
            across: (strength * sin).round() as i32,
            opacity: (it.opacity * 255.0).round().clamp(0.0, 255.0) as u8,
        }
    }
}

impl Step for ColorCorrection {
    fn shape(&self, size: Size, alpha: bool) -> (Size, bool) {
        (size, alpha || self.opacity < 255)
    }

    fn run(&mut self, from: &Planes, out: &mut Planes, workers: &WorkerPool) {
        let (straight, across, opacity) = (self.straight, self.across, self.opacity);
        workers.each(
            bands(from, out),
            #[inline(always)]
            |band| {
                let luma = band.y.out.iter_mut().zip(band.y.from);
                match &self.luma {
                    Luma::Same => luma.for_each(|(out, y)| *out = *y),
                    &Luma::Line { by, add } => {
                        for (out, y) in luma {
                            *out =
                                ((i32::from(*y) * by + add) >> FRACTION_BITS).clamp(0, 255) as u8;
                        }
                    }
                    Luma::Curve(table) => {
                        for (out, y) in luma {
                            *out = table.get(usize::from(*y)).copied().unwrap_or(0);
                        }
                    }
                }
                let chroma = band.u.from.iter().zip(band.v.from);
                let results = band.u.out.iter_mut().zip(band.v.out);
                for ((u, v), (from_u, from_v)) in results.zip(chroma) {
                    let (du, dv) = (i32::from(*from_u) - 128, i32::from(*from_v) - 128);
                    let turned = [straight * du - across * dv, across * du + straight * dv];
                    let [new_u, new_v] = turned.map(|it| {
                        (((it + ROUNDING_HALF) >> FRACTION_BITS) + 128).clamp(0, 255) as u8
                    });
                    (*u, *v) = (new_u, new_v);
                }
                match band.alpha {
                    (_, None) => {}
                    (None, Some(out)) => out.fill(opacity),
                    (Some(alpha), Some(out)) => {
                        for (out, alpha) in out.iter_mut().zip(alpha) {
                            *out = times(*alpha, opacity);
                        }
                    }
                }
            },
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NO_CORRECTION: Correction = Correction::NO_CHANGE;

    /// Corrects one pixel of luma and chroma.
    fn one(correction: Correction, [y, u, v]: [u8; 3]) -> [u8; 3] {
        let mut tone = ColorCorrection::new(correction);
        let mut from = Planes::black(Size::new(2, 2));
        (from.y, from.u, from.v) = (vec![y; 4], vec![u], vec![v]);
        let (size, alpha) = tone.shape(from.size(), false);
        assert!(!alpha);
        let mut out = Planes::black(size);
        tone.run(&from, &mut out, &WorkerPool::alone());
        [out.y[3], out.u[0], out.v[0]]
    }

    #[test]
    fn each_number_does_what_it_says() {
        for y in 0..=255 {
            assert_eq!(one(NO_CORRECTION, [y, y, 255 - y]), [y, y, 255 - y], "nothing");
        }
        let gain = Correction { gain: 2.0, ..NO_CORRECTION };
        assert_eq!(one(gain, [66, 138, 108]), [116, 148, 88]);
        let brighter = Correction { brightness: 0.1, ..NO_CORRECTION };
        assert_eq!(one(brighter, [100, 90, 160]), [122, 90, 160]);
        let contrast = Correction { contrast: 1.5, ..NO_CORRECTION };
        assert_eq!(one(contrast, [126, 148, 128])[1..], [158, 128]);
        assert_eq!(one(contrast, [16, 128, 128])[0], 0, "from 16 to -38");
        let gamma = Correction { gamma: 2.0, ..NO_CORRECTION };
        // A quarter of white becomes half of white.
        assert_eq!(one(gamma, [71, 128, 128])[0], 126);
        assert_eq!((one(gamma, [16, 1, 2])[0], one(gamma, [235, 1, 2])[0]), (16, 235));
        let grey = Correction { saturation: 0.0, ..NO_CORRECTION };
        assert_eq!(one(grey, [90, 20, 230]), [90, 128, 128]);
        let turned = Correction { hue_degrees: 90.0, ..NO_CORRECTION };
        assert_eq!(one(turned, [90, 148, 128]), [90, 128, 148]);
    }

    #[test]
    fn opacity_multiplies_what_is_there() {
        let mut tone = ColorCorrection::new(Correction { opacity: 0.5, ..NO_CORRECTION });
        let mut from = Planes::transparent(Size::new(2, 2));
        from.alpha = Some(vec![255, 128, 1, 0]);
        assert_eq!(tone.shape(from.size(), false), (from.size(), true));
        let mut out = Planes::transparent(from.size());
        tone.run(&from, &mut out, &WorkerPool::alone());
        assert_eq!(out.alpha, Some(vec![128, 64, 1, 0]));
    }
}
