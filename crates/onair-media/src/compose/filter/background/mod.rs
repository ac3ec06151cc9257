//! Removes or blurs the background behind people, without a green screen. A network on a thread of its own looks
//! at a small picture of the frame and says where people are ([`network`]), at most fifteen times a second and never for
//! more than a sixth of the time. The compositor's thread refines the edges by the newest frame ([`edges`]), so that a
//! mask that is a few frames old does not show.
//!
//! What must never happen: a frame is shown with its background before the network has seen one; the compositor waits
//! for the network.

mod edges;
mod network;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::base::simd::wide;
use crate::base::{Stop, Worker, WorkerPool};
use crate::compose::filter::alpha;
use crate::compose::filter::background::edges::{EdgeFinder, Edges};
use crate::compose::filter::background::network::Network;
use crate::compose::filter::blur::Blur;
use crate::compose::filter::step::Step;
use crate::media::{Planes, Size};

/// The size of the network's picture.
const WIDTH: usize = 256;
const HEIGHT: usize = 144;
/// Interval between looks for a new picture.
const LOOK_INTERVAL: Duration = Duration::from_millis(8);
/// Shortest time between two pictures.
const PICTURE_INTERVAL: Duration = Duration::from_millis(66);
/// How often the network looks at a frame that stands still. Then the mask changes no more.
const MAX_OFFERS: u8 = 4;
/// The part of a new mask in the result, which keeps edges from trembling.
const NEW_PART: f32 = 0.7;
/// Values of the mask that are fully background, and fully a person.
const RANGE: (f32, f32) = (0.2, 0.75);

/// What becomes of the background.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum BackgroundMode {
    Transparent,
    Blur,
}

impl BackgroundMode {
    /// All values, with their names in settings.
    pub const ALL: [(&str, Self); 2] = [("transparent", Self::Transparent), ("blur", Self::Blur)];
}

/// A picture for the network.
#[derive(Debug, Default)]
struct Picture {
    rgb: Vec<f32>,
    luma: Vec<f32>,
}

/// What both threads share.
#[derive(Debug, Default)]
struct Shared {
    /// True if the network is ready for the next picture, which is then that of the newest frame.
    is_ready: AtomicBool,
    /// The picture that waits for the network.
    waiting: Mutex<Option<Picture>>,
    /// A picture whose memory can be used again.
    spare: Mutex<Option<Picture>>,
    edges: Mutex<Edges>,
    /// The number of masks so far.
    count: AtomicU64,
}

/// The implementation of [`Filter::Background`](super::Filter::Background).
#[derive(Debug)]
pub struct Background {
    mode: BackgroundMode,
    blur: Blur,
    shared: Arc<Shared>,
    /// The number of the mask in the last frame.
    used: u64,
    /// How often the network got the last frame.
    offers: u8,
    /// The mask.
    matte: Vec<u8>,
    /// The factors of each row of the network, in the width of the frame.
    slope: Vec<f32>,
    base: Vec<f32>,
    /// The column of the network and the part of the next one, for each column of the frame.
    columns: Vec<(usize, f32)>,
    _worker: Option<Worker>,
}

impl Background {
    /// Starts the network. Without a thread, the whole frame is background.
    pub fn new(mode: BackgroundMode, sigma: f32) -> Self {
        let shared = Arc::new(Shared::default());
        let with = Arc::clone(&shared);
        let worker = Worker::spawn("background", move |stop| look(&with, stop));
        if let Err(error) = &worker {
            tracing::warn!(%error, "no thread for background removal");
        }
        Self {
            mode,
            blur: Blur::new(sigma),
            shared,
            used: 0,
            offers: 0,
            matte: Vec::new(),
            slope: Vec::new(),
            base: Vec::new(),
            columns: Vec::new(),
            _worker: worker.ok(),
        }
    }

    /// Changes the amounts. The network goes on.
    pub fn set(&mut self, mode: BackgroundMode, sigma: f32) {
        (self.mode, self.blur) = (mode, Blur::new(sigma));
    }

    /// Returns true if there is another mask than that in the last frame.
    pub fn has_news(&self) -> bool {
        self.shared.count.load(Ordering::Acquire) != self.used
    }

    /// Gives the network the picture of a frame, if it is ready. `again` says that the frame is the same as the last
    /// one.
    pub fn offer(&mut self, from: &Planes, again: bool) {
        self.offers = if again { self.offers } else { 0 };
        if self.offers < MAX_OFFERS && self.shared.is_ready.swap(false, Ordering::AcqRel) {
            self.offers += 1;
            let mut picture = self.shared.spare.lock().take().unwrap_or_default();
            reduced(from, &mut picture);
            *self.shared.waiting.lock() = Some(picture);
        }
    }

    /// Takes the newest factors, in the width of the frame.
    fn take_factors(&mut self, width: usize) {
        let count = self.shared.count.load(Ordering::Acquire);
        if self.columns.len() == width && self.used == count {
            return;
        }
        self.used = count;
        if self.columns.len() != width {
            self.columns = (0..width).map(|x| place(x, width, WIDTH)).collect();
        }
        let edges = self.shared.edges.lock();
        for (from, out) in [(&edges.slope, &mut self.slope), (&edges.base, &mut self.base)] {
            out.clear();
            for row in from.chunks_exact(WIDTH) {
                out.extend(self.columns.iter().map(|(x, part)| between(row, *x, *part)));
            }
        }
    }

    /// Computes the mask of a frame. Without any factors, everything is background.
    fn cut_out(&mut self, from: &Planes) {
        let size = from.size();
        let (width, height) = (size.width as usize, size.height as usize);
        self.take_factors(width);
        self.matte.resize(width * height, 0);
        if self.slope.is_empty() {
            self.matte.fill(0);
            return;
        }
        let rows = self.matte.chunks_exact_mut(width).zip(from.y.chunks_exact(width));
        for (y, (matte, luma)) in rows.enumerate() {
            let (row, part) = place(y, height, HEIGHT);
            let slope = two_rows(&self.slope, row, width);
            let base = two_rows(&self.base, row, width);
            wide(
                #[inline(always)]
                || matte_row(matte, luma, slope, base, part),
            );
        }
    }
}

impl Step for Background {
    fn shape(&self, size: Size, alpha: bool) -> (Size, bool) {
        (size, alpha || self.mode == BackgroundMode::Transparent)
    }

    fn run(&mut self, from: &Planes, out: &mut Planes, workers: &WorkerPool) {
        self.cut_out(from);
        let width = from.size().width as usize;
        match self.mode {
            BackgroundMode::Transparent => {
                out.copy_pixels(from);
                if let Some(out) = &mut out.alpha {
                    out.copy_from_slice(&self.matte);
                    alpha::multiply(out, from.alpha.as_ref());
                }
            }
            BackgroundMode::Blur => {
                self.blur.run(from, out, workers);
                out.copy_alpha(from);
                let Planes { y, u, v, .. } = out;
                wide(
                    #[inline(always)]
                    || covered(y, &from.y, &self.matte),
                );
                let (wide, chroma) = (width * 2, from.chroma_stride());
                for (row, matte) in self.matte.chunks_exact(wide).enumerate() {
                    let range = row * chroma..(row + 1) * chroma;
                    for (out, from) in [(&mut *u, &from.u), (&mut *v, &from.v)] {
                        let out = out.get_mut(range.clone()).unwrap_or_default();
                        let from = from.get(range.clone()).unwrap_or_default();
                        let (upper, _) = matte.split_at(width);
                        for ((out, from), matte) in out.iter_mut().zip(from).zip(upper.chunks(2)) {
                            *out = mix(*out, *from, matte.first().copied().unwrap_or_default());
                        }
                    }
                }
            }
        }
    }
}

/// Draws the frame over its blurred copy.
#[inline(always)]
fn covered(out: &mut [u8], from: &[u8], matte: &[u8]) {
    for ((out, from), matte) in out.iter_mut().zip(from).zip(matte) {
        *out = mix(*out, *from, *matte);
    }
}

#[inline(always)]
fn mix(below: u8, above: u8, part: u8) -> u8 {
    let (below, above, part) = (u32::from(below), u32::from(above), u32::from(part));
    ((below * (255 - part) + above * part + 127) / 255) as u8
}

/// Returns the index of a pixel in the smaller picture, and the part of the next one.
fn place(at: usize, side: usize, small: usize) -> (usize, f32) {
    let at = ((at as f32 + 0.5) * small as f32 / side.max(1) as f32 - 0.5).max(0.0);
    let index = (at as usize).min(small.saturating_sub(2));
    (index, (at - index as f32).min(1.0))
}

/// Returns a row and the next one.
fn two_rows(factors: &[f32], row: usize, width: usize) -> (&[f32], &[f32]) {
    let rows = factors.get(row * width..(row + 2) * width).unwrap_or_default();
    rows.split_at_checked(width).unwrap_or_default()
}

/// Computes a row of the mask. The factors are between two rows of the network.
#[inline(always)]
fn matte_row(
    matte: &mut [u8],
    luma: &[u8],
    slope: (&[f32], &[f32]),
    base: (&[f32], &[f32]),
    part: f32,
) {
    let scale = 255.0 / (RANGE.1 - RANGE.0);
    let slopes = slope.0.iter().zip(slope.1);
    let factors = slopes.zip(base.0.iter().zip(base.1));
    for ((matte, luma), (slope, base)) in matte.iter_mut().zip(luma).zip(factors) {
        let luma = (f32::from(*luma) - 16.0) / 219.0;
        let slope = slope.0 + (slope.1 - slope.0) * part;
        let base = base.0 + (base.1 - base.0) * part;
        let value = (slope * luma + base - RANGE.0) * scale + 0.5;
        *matte = value.clamp(0.0, 255.0) as u8;
    }
}

fn between(row: &[f32], index: usize, part: f32) -> f32 {
    match row.get(index..index + 2) {
        Some([a, b]) => a + (b - a) * part,
        _ => 0.0,
    }
}

/// Writes a frame in the size of the network.
fn reduced(from: &Planes, out: &mut Picture) {
    let size = from.size();
    let (width, height) = (size.width as usize, size.height as usize);
    out.rgb.clear();
    out.luma.clear();
    for row in 0..HEIGHT {
        let y = (row * 2 + 1) * height / (HEIGHT * 2);
        for column in 0..WIDTH {
            let x = (column * 2 + 1) * width / (WIDTH * 2);
            let value = |plane: &[u8], at: usize, middle: f32, range: f32| {
                (f32::from(plane.get(at).copied().unwrap_or_default()) - middle) / range
            };
            let luma = value(&from.y, y * width + x, 16.0, 219.0);
            let chroma = y / 2 * (width / 2) + x / 2;
            let u = value(&from.u, chroma, 128.0, 224.0);
            let v = value(&from.v, chroma, 128.0, 224.0);
            // BT.709
            let rgb = [luma + 1.5748 * v, luma - 0.1873 * u - 0.4681 * v, luma + 1.8556 * u];
            out.rgb.extend(rgb.map(|it| it.clamp(0.0, 1.0)));
            out.luma.push(luma);
        }
    }
}

/// The thread of the network.
fn look(shared: &Shared, stop: &Stop) {
    let Some(mut network) = Network::new() else {
        tracing::error!("the model of background removal is damaged");
        return;
    };
    let (mut finder, mut edges, mut mask) = (EdgeFinder::default(), Edges::default(), Vec::new());
    shared.is_ready.store(true, Ordering::Release);
    while !stop.wait(LOOK_INTERVAL) {
        let Some(picture) = shared.waiting.lock().take() else { continue };
        let began = Instant::now();
        let seen = network.run(&picture.rgb);
        if mask.len() == seen.len() {
            for (mask, seen) in mask.iter_mut().zip(seen) {
                *mask += (seen - *mask) * NEW_PART;
            }
        } else {
            mask = seen.to_vec();
        }
        finder.find(&picture.luma, &mask, WIDTH, &mut edges);
        std::mem::swap(&mut *shared.edges.lock(), &mut edges);
        shared.count.fetch_add(1, Ordering::Release);
        *shared.spare.lock() = Some(picture);
        let spent = began.elapsed();
        if stop.wait((spent * 5).max(PICTURE_INTERVAL.saturating_sub(spent))) {
            return;
        }
        shared.is_ready.store(true, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(filter: &mut Background, from: &Planes, alpha: bool) -> Planes {
        let mut out =
            if alpha { Planes::transparent(from.size()) } else { Planes::black(from.size()) };
        filter.run(from, &mut out, &WorkerPool::alone());
        out
    }

    #[test]
    fn nothing_of_a_frame_is_seen_before_the_network_has_looked() {
        let size = Size::new(320, 180);
        let mut from = Planes::black(size);
        from.y.iter_mut().enumerate().for_each(|(at, y)| *y = (at % 200) as u8 + 20);
        let mut filter = Background::new(BackgroundMode::Transparent, 8.0);
        filter._worker = None;
        let out = run(&mut filter, &from, true);
        assert!(out.alpha.unwrap().iter().all(|it| *it == 0));
        let mut filter = Background::new(BackgroundMode::Blur, 8.0);
        filter._worker = None;
        let out = run(&mut filter, &from, false);
        assert_ne!(out.y, from.y);
    }

    #[test]
    fn what_the_network_marks_stays_and_the_rest_goes() {
        let size = Size::new(512, 288);
        let from = Planes::black(size);
        for mode in [BackgroundMode::Transparent, BackgroundMode::Blur] {
            let mut filter = Background::new(mode, 8.0);
            filter._worker = None;
            // The left half is a person.
            let base = |at: usize| if at % WIDTH < WIDTH / 2 { 1.0 } else { 0.0 };
            let base: Vec<f32> = (0..WIDTH * HEIGHT).map(base).collect();
            *filter.shared.edges.lock() = Edges { slope: vec![0.0; base.len()], base };
            filter.shared.count.store(1, Ordering::Relaxed);
            assert!(filter.has_news());
            let out = run(&mut filter, &from, mode == BackgroundMode::Transparent);
            assert!(!filter.has_news());
            let row = |x: usize| 100 * 512 + x;
            if let Some(alpha) = &out.alpha {
                assert_eq!((alpha[row(100)], alpha[row(400)]), (255, 0));
            }
            assert_eq!(out.size(), from.size());
        }
    }

    #[test]
    fn the_network_analyzes_a_still_frame_only_a_few_times() {
        let from = Planes::black(Size::new(64, 36));
        let mut filter = Background::new(BackgroundMode::Transparent, 8.0);
        filter._worker = None;
        let looks = |again: bool| {
            filter.shared.is_ready.store(true, Ordering::Release);
            filter.offer(&from, again);
            filter.shared.waiting.lock().take().is_some()
        };
        let looked = [false, true, true, true, true, true, false].map(looks);
        assert_eq!(looked, [true, true, true, true, false, false, true]);
    }

    #[test]
    fn the_thread_answers_with_a_mask() {
        let from = Planes::black(Size::new(640, 360));
        let mut filter = Background::new(BackgroundMode::Transparent, 8.0);
        let until = Instant::now() + Duration::from_secs(60);
        while !filter.has_news() {
            assert!(Instant::now() < until, "no mask");
            filter.offer(&from, true);
            Stop::new().wait(Duration::from_millis(5));
        }
        let out = run(&mut filter, &from, true);
        // There is nobody in a black picture.
        let alpha = out.alpha.unwrap();
        let opaque = alpha.iter().filter(|it| **it > 128).count();
        assert!(opaque < alpha.len() / 10, "{opaque}");
    }
}
