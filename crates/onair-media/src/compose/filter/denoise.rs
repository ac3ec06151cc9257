//! Reduces noise in space by the mean of similar neighbors, and in time by a slow adaptation, which
//! is slower for smaller changes. Moving parts stay sharp, because large differences count as
//! detail.

use crate::base::WorkerPool;
use crate::compose::draw::bands;
use crate::compose::draw::bands::strips;
use crate::compose::filter::step::Step;
use crate::media::{Planes, Size};

/// The implementation of [`Filter::Denoise`](super::Filter::Denoise).
#[derive(Debug)]
pub struct Denoise {
    /// Limit below which differences within a frame are noise.
    place: i16,
    /// Limit below which differences between frames are noise.
    time: i32,
    /// The state of each plane, in 128ths of a level.
    past: [Vec<i16>; 3],
    size: Option<Size>,
}

impl Denoise {
    /// Creates the filter. Both strengths are from 0 to 1.
    pub fn new(spatial: f32, temporal: f32) -> Self {
        let level = |amount: f32, most: f32| (amount * most).round() as i32;
        Self {
            place: level(spatial, 24.0) as i16,
            time: level(temporal, 20.0),
            past: Default::default(),
            size: None,
        }
    }

    /// Sets the strength. The state is kept.
    pub fn set(&mut self, spatial: f32, temporal: f32) {
        let now = Self::new(spatial, temporal);
        // While temporal reduction was off, the stored state became outdated.
        let size = self.size.filter(|_| self.time > 0);
        (self.place, self.time, self.size) = (now.place, now.time, size);
    }
}

impl Step for Denoise {
    fn run(&mut self, from: &Planes, out: &mut Planes, workers: &WorkerPool) {
        out.copy_alpha(from);
        let fresh = self.size != Some(from.size());
        self.size = Some(from.size());
        let (stride, chroma) = (from.luma_stride(), from.chroma_stride());
        let Planes { y, u, v, .. } = out;
        let planes = [(&from.y, y, stride), (&from.u, u, chroma), (&from.v, v, chroma)];
        let (place, time) = (self.place, self.time);
        for ((whole, out, width), past) in planes.into_iter().zip(&mut self.past) {
            if time > 0 && past.len() != whole.len() {
                past.clear();
                past.resize(whole.len(), 0);
            }
            let length = bands::height(whole.len() / width, width) * width;
            // No state, if temporal reduction is off.
            let pasts = past.chunks_mut(length).map(Some).chain(std::iter::repeat_with(|| None));
            workers.each(
                strips(whole, out, width).zip(pasts),
                #[inline(always)]
                |(strip, past)| {
                    if place > 0 {
                        in_place(whole, strip.first, strip.out, width, place);
                    } else {
                        strip.out.copy_from_slice(strip.from);
                    }
                    if let Some(past) = past.filter(|_| time > 0) {
                        in_time(strip.out, past, time, fresh);
                    }
                },
            );
        }
    }
}

/// Returns the part of a difference that counts as noise: all of a small difference, and nothing of
/// one above `most`.
#[inline(always)]
fn soft(difference: i16, most: i16) -> i16 {
    // The result rises up to half of `most`, and falls to zero at `most`.
    let size = difference.abs();
    let kept = size.min((most - size).max(0));
    if difference < 0 { -kept } else { kept }
}

/// Reduces noise within a frame, in the rows of a plane from index `first` on.
#[inline(always)]
fn in_place(from: &[u8], first: usize, out: &mut [u8], width: usize, most: i16) {
    let row = |index| bands::row(from, width, index);
    for (index, out) in (first..).zip(out.chunks_exact_mut(width)) {
        let (up, here, down) = (row(index.saturating_sub(1)), row(index), row(index + 1));
        out.copy_from_slice(here);
        let rows = up.windows(3).zip(here.windows(3)).zip(down.windows(3));
        for (out, ((up, here), down)) in out.iter_mut().skip(1).zip(rows) {
            let (&[a, b, c], &[d, e, f], &[g, h, i]) = (up, here, down) else { continue };
            let middle = i16::from(e);
            let off = |value: u8| soft(i16::from(value) - middle, most);
            let sum = 2 * (off(b) + off(d) + off(f) + off(h)) + off(a) + off(c) + off(g) + off(i);
            // The weights are 2 and 1 for the eight neighbors, and 4 for the pixel itself.
            *out = (middle + ((sum + 8) >> 4)).clamp(0, 255) as u8;
        }
    }
}

#[inline(always)]
fn in_time(out: &mut [u8], past: &mut [i16], most: i32, fresh: bool) {
    if fresh {
        past.iter_mut().zip(out).for_each(|(past, value)| *past = i16::from(*value) << 7);
        return;
    }
    // In 256ths: the adaptation at a difference of zero, and the increase per level of difference.
    let (slow, steeper) = (32, 224 / most.max(1));
    for (value, past) in out.iter_mut().zip(past) {
        let off = (i32::from(*value) << 7) - i32::from(*past);
        let follow = (slow + (off.abs() >> 7) * steeper).min(256);
        let now = i32::from(*past) + ((off * follow) >> 8);
        *past = now as i16;
        *value = ((now + 64) >> 7).clamp(0, 255) as u8;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noisy(seed: u32) -> Planes {
        let mut random = seed;
        let mut planes = Planes::black(Size::new(64, 36));
        for (index, value) in planes.y.iter_mut().enumerate() {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let base: i32 = if index % 64 < 32 { 60 } else { 180 };
            *value = (base + (random >> 29) as i32 - 4) as u8;
        }
        planes
    }

    /// Returns the mean squared difference from the clean frame.
    fn error(planes: &Planes) -> f64 {
        let clean = |index: usize| if index % 64 < 32 { 59.5 } else { 179.5 };
        let values = planes.y.iter().enumerate();
        values.map(|(index, y)| (f64::from(*y) - clean(index)).powi(2)).sum::<f64>() / 2304.0
    }

    #[test]
    fn noise_falls_and_edges_stay() {
        let before = error(&noisy(1));
        let mut out = Planes::black(Size::new(64, 36));
        let mut place = Denoise::new(0.6, 0.0);
        place.run(&noisy(1), &mut out, &WorkerPool::alone());
        assert!(error(&out) < before / 2.5, "{} of {before}", error(&out));
        let mut time = Denoise::new(0.0, 0.6);
        for seed in 1..30 {
            time.run(&noisy(seed), &mut out, &WorkerPool::alone());
        }
        assert!(error(&out) < before / 3.0, "{} of {before}", error(&out));
        assert!(out.y.chunks_exact(64).all(|line| line[31] < 66 && line[32] > 173));
    }

    #[test]
    fn what_moves_is_followed_at_once_and_nothing_sticks() {
        let mut denoise = Denoise::new(0.0, 1.0);
        let flat = |luma: u8| {
            let mut planes = Planes::black(Size::new(4, 4));
            planes.y.fill(luma);
            planes
        };
        let mut out = flat(0);
        denoise.run(&flat(40), &mut out, &WorkerPool::alone());
        denoise.run(&flat(200), &mut out, &WorkerPool::alone());
        assert_eq!(out.y[0], 200);
        for _ in 0..60 {
            denoise.run(&flat(203), &mut out, &WorkerPool::alone());
        }
        assert_eq!(out.y[0], 203);
        Denoise::new(0.0, 0.0).run(
            &noisy(3),
            &mut Planes::black(Size::new(64, 36)),
            &WorkerPool::alone(),
        );
    }
}
