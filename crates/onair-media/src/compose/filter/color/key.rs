//! Keys: chroma key with spill removal, color key and luma key. Each key derives alpha from the
//! color of a pixel. The chroma key uses only chroma, at the resolution of chroma. One table lookup
//! per chroma sample gives alpha and the chroma without spill, and alpha is upscaled to the size of
//! luma.

use crate::base::WorkerPool;
use crate::compose::draw::bands;
use crate::compose::draw::bands::bands;
use crate::compose::filter::alpha::{ChromaUpscaler, multiply, times_all};
use crate::compose::filter::step::Step;
use crate::media::{Planes, Size};

/// Converts sRGB to limited-range BT.709, with chroma centered at zero.
pub fn luma_chroma(rgb: [u8; 3]) -> [f32; 3] {
    luma_chroma_of(rgb.map(|it| f32::from(it) / 255.0))
}

/// Converts RGB in fractions of white to limited-range BT.709, with chroma centered at zero.
pub fn luma_chroma_of([r, g, b]: [f32; 3]) -> [f32; 3] {
    let y = 0.2126 * r + 0.7152 * g + 0.0722 * b;
    [16.0 + 219.0 * y, 224.0 * (b - y) / 1.8556, 224.0 * (r - y) / 1.5748]
}

/// Returns the visibility at a distance from the key: zero up to `similarity`, and full at
/// `similarity` plus `smoothness`.
fn seen(distance: f32, similarity: f32, smoothness: f32) -> u8 {
    let part = if smoothness > 1e-4 {
        ((distance - similarity) / smoothness).clamp(0.0, 1.0)
    } else if distance > similarity {
        1.0
    } else {
        0.0
    };
    (part * 255.0).round() as u8
}

/// The distance of a well-lit screen's chroma from gray. A more saturated key needs no larger
/// distances.
const VIVID_CHROMA_DISTANCE: f32 = 70.0;

/// The result for one chroma sample.
#[derive(Copy, Clone, Debug, Default)]
struct Keyed {
    alpha: u8,
    u: u8,
    v: u8,
}

/// The implementation of [`Filter::ChromaKey`](crate::compose::filter::Filter::ChromaKey).
pub struct ChromaKey {
    /// The results, indexed by U and then by V.
    table: Vec<[Keyed; 256]>,
    small: Vec<u8>,
    doubler: ChromaUpscaler,
}

impl ChromaKey {
    /// Creates the key. Distances are fractions of the chroma range. `protect` keeps colors that
    /// contain little of the key color, because a gray or dark color is close to a dull or dim
    /// screen.
    pub fn new(color: [u8; 3], similarity: f32, smoothness: f32, spill: f32, protect: f32) -> Self {
        let [_, key_u, key_v] = luma_chroma(color);
        let length = key_u.hypot(key_v);
        // Gray has no direction, so there is no spill.
        let (ku, kv) = if length > 1.0 { (key_u / length, key_v / length) } else { (0.0, 0.0) };
        let enough = length.min(VIVID_CHROMA_DISTANCE) * protect * 0.6;
        let byte = |value: f32| (value + 128.0).round().clamp(0.0, 255.0) as u8;
        let of = |u: u8, v: u8| {
            let (u, v) = (f32::from(u) - 128.0, f32::from(v) - 128.0);
            let distance = (u - key_u).hypot(v - key_v) / 224.0;
            let toward = u * ku + v * kv;
            let along = toward.max(0.0) * spill;
            // The component along the key hue, minus the component perpendicular to it.
            let own = toward - (u * kv - v * ku).abs();
            let kept =
                if enough > 0.0 { ((enough - own) / enough * 2.0).clamp(0.0, 1.0) } else { 0.0 };
            Keyed {
                alpha: seen(distance, similarity, smoothness).max((kept * 255.0).round() as u8),
                u: byte(u - along * ku),
                v: byte(v - along * kv),
            }
        };
        let table = (0..=255).map(|u| {
            let mut row = [Keyed::default(); 256];
            row.iter_mut().zip(0..=255).for_each(|(keyed, v)| *keyed = of(u, v));
            row
        });
        Self { table: table.collect(), small: Vec::new(), doubler: ChromaUpscaler::default() }
    }
}

impl Step for ChromaKey {
    fn shape(&self, size: Size, _: bool) -> (Size, bool) {
        (size, true)
    }

    fn run(&mut self, from: &Planes, out: &mut Planes, workers: &WorkerPool) {
        let (width, table) = (from.chroma_stride(), &self.table);
        self.small.resize(from.u.len(), 0);
        let rows = bands::height(from.u.len() / width.max(1), width);
        let smalls = self.small.chunks_mut(rows * width.max(1));
        workers.each(
            bands(from, out).zip(smalls),
            #[inline(always)]
            |(band, small)| {
                band.y.out.copy_from_slice(band.y.from);
                let chroma = band.u.from.iter().zip(band.v.from);
                let results = small.iter_mut().zip(band.u.out.iter_mut().zip(band.v.out));
                for ((u, v), (alpha, (out_u, out_v))) in chroma.zip(results) {
                    let row = table.get(usize::from(*u));
                    let keyed =
                        row.and_then(|row| row.get(usize::from(*v))).copied().unwrap_or_default();
                    (*alpha, *out_u, *out_v) = (keyed.alpha, keyed.u, keyed.v);
                }
            },
        );
        if let Some(alpha) = &mut out.alpha {
            self.doubler.double(&self.small, width, alpha, workers);
            multiply(alpha, from.alpha.as_ref());
        }
    }
}

/// The implementation of [`Filter::ColorKey`](crate::compose::filter::Filter::ColorKey). Distances
/// are fractions of the distance from black to white, in RGB.
pub struct ColorKey {
    /// The RGB values of the key, 0…255.
    key: [i32; 3],
    /// Alpha, indexed by the square of the distance divided by 64.
    table: Vec<u8>,
    /// Chroma's contribution to red, green and blue, for one chroma row of each band.
    add: [Vec<[i32; 3]>; bands::MAX_BANDS],
}

/// The square of the distance from black to white, divided by 64.
const MAX_DISTANCE_INDEX: usize = 255 * 255 * 3 / 64;

impl ColorKey {
    pub fn new(color: [u8; 3], similarity: f32, smoothness: f32) -> Self {
        let most = (255.0_f32 * 255.0 * 3.0).sqrt();
        let table = (0..=MAX_DISTANCE_INDEX).map(|square| {
            let distance = (square as f32 * 64.0).sqrt() / most;
            seen(distance, similarity, smoothness)
        });
        Self { key: color.map(i32::from), table: table.collect(), add: Default::default() }
    }
}

impl Step for ColorKey {
    fn shape(&self, size: Size, _: bool) -> (Size, bool) {
        (size, true)
    }

    fn run(&mut self, from: &Planes, out: &mut Planes, workers: &WorkerPool) {
        let (stride, chroma_stride) = (from.luma_stride(), from.chroma_stride());
        let (table, [kr, kg, kb]) = (&self.table, self.key);
        workers.each(
            bands(from, out).zip(&mut self.add),
            #[inline(always)]
            |(mut band, adds)| {
                band.keep();
                let (below, Some(alpha)) = band.alpha else { return };
                adds.resize(chroma_stride, [0; 3]);
                let pairs =
                    band.y.from.chunks_exact(stride * 2).zip(alpha.chunks_exact_mut(stride * 2));
                let chroma = band.u.from.chunks_exact(chroma_stride);
                let chroma = chroma.zip(band.v.from.chunks_exact(chroma_stride));
                for ((lines, alphas), (us, vs)) in pairs.zip(chroma) {
                    for ((add, u), v) in adds.iter_mut().zip(us).zip(vs) {
                        let (u, v) = (i32::from(*u) - 128, i32::from(*v) - 128);
                        *add = [29_372 * v, -3_494 * u - 8_731 * v, 34_610 * u];
                    }
                    let rows = lines.chunks_exact(stride).zip(alphas.chunks_exact_mut(stride));
                    for (line, alphas) in rows {
                        let pixels = line.chunks_exact(2).zip(alphas.chunks_exact_mut(2));
                        for ((ys, alphas), [r, g, b]) in pixels.zip(adds.iter()) {
                            for (y, alpha) in ys.iter().zip(alphas) {
                                let y = (i32::from(*y) - 16) * 19_077 + 8_192;
                                let off =
                                    |add: i32, key: i32| ((y + add) >> 14).clamp(0, 255) - key;
                                let (r, g, b) = (off(*r, kr), off(*g, kg), off(*b, kb));
                                let square = (r * r + g * g + b * b) as usize / 64;
                                *alpha = table.get(square).copied().unwrap_or(255);
                            }
                        }
                    }
                }
                if let Some(below) = below {
                    times_all(alpha, below);
                }
            },
        );
    }
}

/// The implementation of [`Filter::LumaKey`](crate::compose::filter::Filter::LumaKey).
pub struct LumaKey {
    table: [u8; 256],
}

impl LumaKey {
    /// Creates the key. All values are fractions of the range from black to white.
    pub fn new(low: f32, low_smooth: f32, high: f32, high_smooth: f32) -> Self {
        let step = |over: f32, smooth: f32| {
            if smooth > 1e-4 {
                (over / smooth + 1.0).clamp(0.0, 1.0)
            } else if over >= 0.0 {
                1.0
            } else {
                0.0
            }
        };
        let mut table = [0; 256];
        for (alpha, y) in table.iter_mut().zip(0_u16..) {
            // Black and below become 0, and white and above become 1.
            let y = ((f32::from(y) - 16.0) / 219.0).clamp(0.0, 1.0);
            let part = step(y - low, low_smooth) * step(high - y, high_smooth);
            *alpha = (part * 255.0).round() as u8;
        }
        Self { table }
    }
}

impl Step for LumaKey {
    fn shape(&self, size: Size, _: bool) -> (Size, bool) {
        (size, true)
    }

    fn run(&mut self, from: &Planes, out: &mut Planes, workers: &WorkerPool) {
        let table = &self.table;
        workers.each(
            bands(from, out),
            #[inline(always)]
            |mut band| {
                band.keep();
                let (below, Some(alpha)) = band.alpha else { return };
                for (alpha, y) in alpha.iter_mut().zip(band.y.from) {
                    *alpha = table.get(usize::from(*y)).copied().unwrap_or(255);
                }
                if let Some(below) = below {
                    times_all(alpha, below);
                }
            },
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flat(rgb: [u8; 3]) -> Planes {
        let [y, u, v] = luma_chroma(rgb);
        let mut planes = Planes::black(Size::new(4, 4));
        planes.y.fill(y.round() as u8);
        planes.u.fill((u + 128.0).round() as u8);
        planes.v.fill((v + 128.0).round() as u8);
        planes
    }

    fn keyed(step: &mut dyn Step, from: &Planes) -> Planes {
        let (size, alpha) = step.shape(from.size(), !from.is_opaque());
        assert!(alpha);
        let mut out = Planes::transparent(size);
        step.run(from, &mut out, &WorkerPool::alone());
        out
    }

    #[test]
    fn the_screen_goes_and_people_stay() {
        let mut key = ChromaKey::new([0, 255, 0], 0.35, 0.1, 0.8, 0.0);
        let alpha = |out: Planes| out.alpha.unwrap()[5];
        for screen in [[0, 255, 0], [20, 200, 40], [40, 180, 60]] {
            assert_eq!(alpha(keyed(&mut key, &flat(screen))), 0, "{screen:?}");
        }
        for kept in [[224, 172, 140], [80, 50, 40], [255; 3], [0; 3], [30, 60, 200]] {
            let from = flat(kept);
            let out = keyed(&mut key, &from);
            let colours = (out.y[0], out.u[0], out.v[0]);
            assert_eq!(colours, (from.y[0], from.u[0], from.v[0]), "{kept:?} keeps its colour");
            assert_eq!(alpha(out), 255, "{kept:?}");
        }
        // Hair with some green light becomes less green, but not transparent.
        let from = flat([110, 130, 100]);
        let out = keyed(&mut key, &from);
        assert!(out.u[0].abs_diff(128) <= from.u[0].abs_diff(128));
        assert!(out.v[0].abs_diff(128) < from.v[0].abs_diff(128));
        assert_eq!(alpha(out), 255);
    }

    /// Paints a head with dark hair that reflects light of an unevenly lit screen. Also returns the
    /// class of each pixel: 0 screen, 1 hair, 2 skin, 3 clothes.
    fn presenter(size: Size) -> (Planes, Vec<u8>) {
        let (width, height) = (size.width as usize, size.height as usize);
        let mut planes = Planes::black(size);
        let mut kinds = vec![0; size.pixels()];
        let mut seed = 7_u32;
        let mut random = move || {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 8) as f32 / 16_777_216.0
        };
        const SCREEN_RGB: [f32; 3] = [30.0, 185.0, 65.0];
        const HAIR_RGB: [[f32; 3]; 4] =
            [[28.0, 24.0, 22.0], [52.0, 40.0, 32.0], [70.0, 56.0, 44.0], [18.0, 18.0, 20.0]];
        const CLOTHES_RGB: [[f32; 3]; 4] =
            [[60.0, 90.0, 160.0], [90.0, 95.0, 80.0], [230.0, 230.0, 230.0], [200.0, 180.0, 60.0]];
        for block in 0..(width / 2) * (height / 2) {
            let (column, row) = (block % (width / 2), block / (width / 2));
            let (x, y) =
                (column as f32 / (width / 2) as f32 - 0.5, row as f32 / (height / 2) as f32 - 0.5);
            let (head, face) = ((x * 1.6).hypot(y + 0.05), (x * 1.9).hypot(y));
            let (kind, color, light, spilt) = if y > 0.25 && x.abs() < 0.4 {
                (3, CLOTHES_RGB[column / 8 % 4], 0.6 + 0.5 * random(), 0.0)
            } else if face < 0.2 {
                (2, [[224.0, 172.0, 140.0], [80.0, 50.0, 40.0]][row % 2], 0.6 + 0.5 * random(), 0.0)
            } else if head < 0.33 {
                // The reflection is stronger towards the edge.
                let edge = ((head - 0.2) / 0.13).clamp(0.0, 1.0);
                (1, HAIR_RGB[block % 4], 0.6 + 0.9 * random(), 0.2 * edge * edge)
            } else {
                (0, SCREEN_RGB, 1.1 - 0.75 * (x.abs() + y.abs()).min(1.0), 0.0)
            };
            let noise = random() * 8.0 - 4.0;
            let rgb: [f32; 3] = std::array::from_fn(|it| {
                color[it].mul_add(light, SCREEN_RGB[it].mul_add(spilt, noise)).clamp(0.0, 255.0)
            });
            let [luma, u, v] = luma_chroma(rgb.map(|it| it as u8));
            for at in [0, 1, width, width + 1].map(|it| row * 2 * width + column * 2 + it) {
                planes.y[at] = luma.round() as u8;
                kinds[at] = kind;
            }
            planes.u[block] = (u + 128.0).round() as u8;
            planes.v[block] = (v + 128.0).round() as u8;
        }
        (planes, kinds)
    }

    /// Returns the visible shares of the screen, hair, skin and clothes.
    fn shares(planes: &Planes, kinds: &[u8]) -> [f32; 4] {
        let alpha = planes.alpha.as_ref().unwrap();
        [0, 1, 2, 3].map(|kind| {
            let of = || kinds.iter().zip(alpha).filter(move |(its, _)| **its == kind);
            of().map(|(_, alpha)| f32::from(*alpha) / 255.0).sum::<f32>() / of().count() as f32
        })
    }

    #[test]
    fn dark_hair_before_an_uneven_screen_stays_by_the_first_values() {
        let size = Size::new(320, 240);
        let (from, kinds) = presenter(size);
        let first = crate::compose::filter::Filter::of_kind("chroma-key").unwrap();
        let crate::compose::filter::Filter::ChromaKey {
            similarity,
            smoothness,
            spill,
            protect,
            ..
        } = first
        else {
            panic!("{first:?}")
        };
        // The default key color, and screen colors picked from the frame in a bright and in a dim
        // area.
        for color in [[0, 255, 0], [30, 185, 65], [24, 140, 50]] {
            let mut key = ChromaKey::new(color, similarity, smoothness, spill, protect);
            let out = keyed(&mut key, &from);
            let [screen, hair, skin, clothes] = shares(&out, &kinds);
            // The green that remains in the hair, as a fraction of the original green.
            let green = |planes: &Planes| {
                let of = (0..planes.u.len()).filter(|it| kinds[it / 160 * 640 + it % 160 * 2] == 1);
                of.map(|it| 256.0 - f32::from(planes.u[it]) - f32::from(planes.v[it]))
                    .map(|it| it.max(0.0))
                    .sum::<f32>()
            };
            let left = green(&out) / green(&from);
            let mut bare = ChromaKey::new(color, 0.35, 0.1, spill, 0.0);
            let before = shares(&keyed(&mut bare, &from), &kinds);
            eprintln!(
                "{color:?}: screen {screen:.3}, hair {hair:.3}, skin {skin:.3}, clothes {clothes:.3}, \
                 spill left {left:.2}; by the distance alone, 0.35 and 0.1: {before:.3?}"
            );
            assert!(screen < 0.02, "{color:?} {screen}");
            assert!(hair > 0.94, "{color:?} {hair}");
            assert!(skin > 0.99 && clothes > 0.99, "{color:?} {skin} {clothes}");
            assert!(left < 0.4, "{color:?} {left}");
        }
    }

    #[test]
    fn a_key_multiplies_the_alpha_that_is_there() {
        let mut from = flat([255; 3]);
        from.alpha = Some(vec![100; 16]);
        let keys: [&mut dyn Step; 3] = [
            &mut ChromaKey::new([0, 255, 0], 0.3, 0.1, 0.5, 0.5),
            &mut ColorKey::new([0, 255, 0], 0.3, 0.1),
            &mut LumaKey::new(0.2, 0.1, 1.0, 0.0),
        ];
        for key in keys {
            assert_eq!(keyed(key, &from).alpha, Some(vec![100; 16]));
        }
    }

    #[test]
    fn the_colour_key_knows_light_from_dark() {
        let mut key = ColorKey::new([0, 0, 255], 0.1, 0.1);
        let alpha = |key: &mut ColorKey, rgb| keyed(key, &flat(rgb)).alpha.unwrap()[0];
        assert_eq!(alpha(&mut key, [0, 0, 255]), 0);
        assert_eq!(alpha(&mut key, [0, 0, 100]), 255, "darker");
        // A distance of 0.15 lies in the middle of the step: 66 of 255 in one channel.
        assert!(alpha(&mut key, [0, 0, 189]).abs_diff(128) < 12);
    }

    #[test]
    fn the_luma_key_has_a_soft_step_at_either_end() {
        let key = LumaKey::new(0.5, 0.2, 0.9, 0.0);
        let at = |part: f32| key.table[(16.0 + 219.0 * part).round() as usize];
        assert_eq!((at(0.0), at(0.29), at(0.51), at(0.89), at(0.92)), (0, 0, 255, 255, 0));
        assert!(at(0.4).abs_diff(128) < 4);
    }
}
