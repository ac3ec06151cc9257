//! The test pattern: markers for measuring latency and lip sync, a clock, and colored ribbons, some
//! of them woven from moving threads. Static parts are drawn once into every buffer of the pool,
//! and only moving parts are drawn per frame.
//!
//! The pattern must be at least as costly to encode as FFmpeg's `testsrc2`. The threads in a
//! seventh of the ribbons achieve that. The other ribbons are nearly free, so that the load of a
//! studio with this pattern is similar to the load with ordinary content.

use std::sync::Arc;

use crate::base::{Pool, SplitMix64, Timestamp};
use crate::capture::generated::dot_font;
use crate::media::markers::{self, Schedule};
use crate::media::{Color, Planes, Size, VideoFeed, VideoFrame};

const PATTERN_TITLE: &str = "onair test pattern";
/// Luma of the letters.
const LETTER_LUMA: u8 = 220;
/// Luma of the panel behind the letters.
const PANEL_LUMA: u8 = 28;
/// Height of a ribbon in rows. Ribbons fill whole macroblocks, so static ribbons cost nothing.
const RIBBON_ROWS: usize = 32;
/// One in this many ribbons is woven.
const WOVEN_RIBBON_PERIOD: usize = 7;
/// The index of the first woven ribbon. At 720p, the panel covers no woven ribbon.
const FIRST_WOVEN_RIBBON: usize = 1;
/// Height of a thread in a woven ribbon, in rows: one chroma row. No macroblock then moves as a
/// whole.
const THREAD_ROWS: usize = 2;
/// Amplitude of the threads' grain in luma. With this grain, a frame costs 1.03 times the bits of
/// `testsrc2` (720p30, x264 superfast zerolatency, CRF 26; OpenH264 at QP 30: 1.37), and 1.2 times
/// the time at 2,500 kbps.
const GRAIN_AMPLITUDE: f32 = 50.0;
/// Wavelengths of the light on a ribbon, in luma columns.
const LIGHT_WAVELENGTHS_COLUMNS: [f32; 5] = [220.0, 340.0, 500.0, 160.0, 420.0];
/// Chroma from the top to the bottom of the frame, from night blue through violet and coral to
/// gold.
const DUSK_CHROMA: [(f32, f32); 5] =
    [(158.0, 108.0), (150.0, 128.0), (132.0, 152.0), (112.0, 158.0), (100.0, 150.0)];

/// The feed of the test pattern.
pub(in crate::capture) struct TestPattern {
    schedule: Schedule,
    size: Size,
    pool: Pool<Planes>,
    ground: Arc<Planes>,
    weave: Weave,
    panel: Panel,
}

impl TestPattern {
    pub(in crate::capture) fn new(schedule: Schedule, size: Size) -> Self {
        let ground = Arc::new(ground(size));
        let its = Arc::clone(&ground);
        let pool = Pool::new(8, move || Planes::clone(&its));
        Self { schedule, size, pool, ground, weave: Weave::new(size), panel: Panel::new(size) }
    }

    fn render(&self, frame: i64) -> VideoFrame {
        // The buffer is new or was shown before: the static parts exist in both cases.
        let mut planes = self.pool.take();
        if planes.y.first() == Some(&markers::FLASH_LUMA) {
            let flash = (self.size.width as usize, flash_rows(self.size));
            planes.copy_rect(&self.ground, (0, 0), (0, 0), flash);
        }
        self.weave.draw(&mut planes, frame);
        let time_ms = self.schedule.time_ms(frame);
        self.panel.draw(&mut planes, time_ms);
        if self.schedule.is_flash(frame) {
            flash(&mut planes);
        }
        markers::draw_band(&mut planes, time_ms);
        let pts = self.schedule.grid().instant(frame);
        VideoFrame { pts, color: Color::PROGRAM, surface: Arc::new(planes).into() }
    }
}

impl VideoFeed for TestPattern {
    fn frame(&mut self, at: Timestamp) -> Option<VideoFrame> {
        debug_assert!(self.size.is_valid());
        Some(self.render(self.schedule.grid().index_at(at)))
    }
}

/// Returns the number of rows in the top quarter, rounded up to a whole chroma row.
fn flash_rows(size: Size) -> usize {
    (size.height as usize / 4).next_multiple_of(2)
}

fn flash(planes: &mut Planes) {
    let rows = flash_rows(planes.size());
    let (luma, chroma) = (rows * planes.luma_stride(), rows / 2 * planes.chroma_stride());
    for (plane, length, value) in [
        (&mut planes.y, luma, markers::FLASH_LUMA),
        (&mut planes.u, chroma, 128),
        (&mut planes.v, chroma, 128),
    ] {
        if let Some(rows) = plane.get_mut(..length) {
            rows.fill(value);
        }
    }
}

/// Draws the static ribbons (and, as a base, the woven ones).
fn ground(size: Size) -> Planes {
    let mut planes = Planes::black(size);
    let (luma, chroma) = (planes.luma_stride(), planes.chroma_stride());
    for (row, line) in planes.y.chunks_exact_mut(luma).enumerate() {
        for (column, value) in line.iter_mut().enumerate() {
            *value = light(size, column, row, 0.0);
        }
    }
    let lines = planes.u.chunks_exact_mut(chroma).zip(planes.v.chunks_exact_mut(chroma));
    for (row, (u, v)) in lines.enumerate() {
        for (column, (u, v)) in u.iter_mut().zip(v).enumerate() {
            (*u, *v) = tint(size, column, row);
        }
    }
    planes
}

/// Returns the luma of a ribbon at a position.
fn light(size: Size, column: usize, row: usize, grain: f32) -> u8 {
    let ribbon = row / RIBBON_ROWS;
    // The top must stay well below the brightness of the flash.
    let is_dark = ribbon * RIBBON_ROWS < flash_rows(size);
    let (foot, span, most) = if is_dark { (22.0, 62.0, 96.0) } else { (48.0, 120.0, 230.0) };
    let across = 2.0 * (row % RIBBON_ROWS) as f32 / RIBBON_ROWS as f32 - 1.0;
    let round = 0.35 + 0.65 * (1.0 - across * across);
    let wave = LIGHT_WAVELENGTHS_COLUMNS
        .get(ribbon % LIGHT_WAVELENGTHS_COLUMNS.len())
        .copied()
        .unwrap_or(340.0);
    let along = swell(column as f32 / wave + ribbon as f32 * 0.37);
    (foot + span * (0.25 + 0.75 * along) * round + grain).clamp(16.0, most) as u8
}

/// Returns the chroma of a ribbon, by chroma column and row.
fn tint(size: Size, column: usize, row: usize) -> (u8, u8) {
    let ribbon = (2 * row / RIBBON_ROWS) as f32;
    let ribbons = size.height as f32 / RIBBON_ROWS as f32;
    let along = swell(2.0 * column as f32 / 700.0 + ribbon * 0.21);
    let (u, v) = dusk(ribbon / ribbons + 0.12 * along);
    (u as u8, v as u8)
}

/// The woven ribbons, wider than the frame, so that each thread can run at its own pace.
struct Weave {
    ribbons: Vec<Pattern>,
    /// Luma columns beyond the frame's width, an even number.
    spare: usize,
    size: Size,
}

struct Pattern {
    /// The first luma row, an even number.
    top: usize,
    y: Vec<u8>,
    u: Vec<u8>,
    v: Vec<u8>,
}

impl Weave {
    fn new(size: Size) -> Self {
        let spare = (size.width as usize / 2).next_multiple_of(2).max(64);
        let (width, height) = (size.width as usize + spare, size.height as usize);
        let ribbons = (FIRST_WOVEN_RIBBON..height.div_ceil(RIBBON_ROWS))
            .step_by(WOVEN_RIBBON_PERIOD)
            .map(|ribbon| {
                let rows = ribbon * RIBBON_ROWS..((ribbon + 1) * RIBBON_ROWS).min(height);
                let grain = |x, y| (noise(x, y, 3, 5) + noise(x, y, 11, 6) * 0.6) * GRAIN_AMPLITUDE;
                let luma = |row| (0..width).map(move |x| light(size, x, row, grain(x, row)));
                let tints = |row| (0..width / 2).map(move |column| tint(size, column, row));
                let (u, v) = (rows.start / 2..rows.end / 2).flat_map(tints).unzip();
                Pattern { top: rows.start, y: rows.flat_map(luma).collect(), u, v }
            });
        Self { ribbons: ribbons.collect(), spare, size }
    }

    fn draw(&self, planes: &mut Planes, frame: i64) {
        let width = self.size.width as usize;
        let full = width + self.spare;
        for Pattern { top, y, u, v } in &self.ribbons {
            for thread in 0..y.len() / full / THREAD_ROWS {
                let shift = self.shift(top / THREAD_ROWS + thread, frame);
                let rows = thread * THREAD_ROWS..(thread + 1) * THREAD_ROWS;
                copy_rows(&mut planes.y, *top, y, (width, full), rows.clone(), shift);
                let rows = rows.start / 2..rows.end / 2;
                let (sides, shift) = ((width / 2, full / 2), shift / 2);
                copy_rows(&mut planes.u, top / 2, u, sides, rows.clone(), shift);
                copy_rows(&mut planes.v, top / 2, v, sides, rows, shift);
            }
        }
    }

    /// Returns the offset of a thread in its ribbon at a frame, in luma columns (an even number).
    fn shift(&self, thread: usize, frame: i64) -> usize {
        let spare = self.spare as u64;
        let step = frame.unsigned_abs();
        // Threads move back and forth at 2, 4, 6 … pixels per frame; neighbors move in opposite
        // directions.
        let pace = 2 + 2 * (thread as u64 * 7 % 5);
        let travelled = (step.wrapping_mul(pace)).wrapping_add(thread as u64 * 130) % (2 * spare);
        let there = if travelled < spare { travelled } else { 2 * spare - 1 - travelled };
        let shift = if thread.is_multiple_of(2) { there } else { spare - 1 - there };
        shift as usize & !1
    }
}

/// Copies rows of a ribbon, from a column on, to the ribbon's position in the frame. `sides`
/// contains the widths of the frame and the ribbon.
fn copy_rows(
    to: &mut [u8],
    top: usize,
    from: &[u8],
    (width, full): (usize, usize),
    rows: std::ops::Range<usize>,
    shift: usize,
) {
    let lines = to.chunks_exact_mut(width).skip(top + rows.start).take(rows.len());
    for (line, source) in lines.zip(from.chunks_exact(full).skip(rows.start)) {
        if let Some(source) = source.get(shift..shift + width) {
            line.copy_from_slice(source);
        }
    }
}

/// Returns a smooth oscillation between 0 and 1 with a period of 1.
fn swell(t: f32) -> f32 {
    let t = 1.0 - (2.0 * t.rem_euclid(1.0) - 1.0).abs();
    t * t * (3.0 - 2.0 * t)
}

/// Returns the chroma at a height, 0 (top) to 1 (bottom).
fn dusk(at: f32) -> (f32, f32) {
    let at = at.clamp(0.0, 0.999) * (DUSK_CHROMA.len() - 1) as f32;
    let (index, part) = (at as usize, at.fract());
    let pair = DUSK_CHROMA.get(index).zip(DUSK_CHROMA.get(index + 1));
    pair.map_or((128.0, 128.0), |(from, to)| {
        (from.0 + (to.0 - from.0) * part, from.1 + (to.1 - from.1) * part)
    })
}

/// Computes value noise of one scale, in −1…1.
fn noise(x: usize, y: usize, scale: usize, seed: u64) -> f32 {
    let (cx, cy) = (x / scale, y / scale);
    let part = |at: usize| (at % scale) as f32 / scale as f32;
    let (fx, fy) = (part(x), part(y));
    let corner = |dx: usize, dy: usize| {
        let place = ((cx + dx) as u64) << 32 | (cy + dy) as u64;
        (SplitMix64::new(place ^ seed << 56).number() & 0xFFFF) as f32 / 32_768.0 - 1.0
    };
    let top = corner(0, 0) * (1.0 - fx) + corner(1, 0) * fx;
    let bottom = corner(0, 1) * (1.0 - fx) + corner(1, 1) * fx;
    top * (1.0 - fy) + bottom * fy
}

/// The panel in the middle, with the title and the wall clock (UTC).
struct Panel {
    left: usize,
    top: usize,
    width: usize,
    height: usize,
    /// Pixels per dot of the clock. The title has half as many.
    scale: usize,
}

impl Panel {
    fn new(size: Size) -> Self {
        let scale = (size.height as usize / 90).max(1);
        let width = (dot_font::width("00:00:00.000", scale) + 8 * scale).next_multiple_of(2);
        let height = (dot_font::GLYPH_HEIGHT_DOTS * 2 * scale + 4 * scale).next_multiple_of(2);
        let side = |outer: u32, inner: usize| ((outer as usize).saturating_sub(inner) / 2) & !1;
        let (left, top) = (side(size.width, width), side(size.height, height));
        Self { left, top, width, height, scale }
    }

    fn draw(&self, planes: &mut Planes, time_ms: u64) {
        let strides = [planes.luma_stride(), planes.chroma_stride(), planes.chroma_stride()];
        let each =
            [(&mut planes.y, 1, PANEL_LUMA), (&mut planes.u, 2, 132), (&mut planes.v, 2, 125)];
        for ((plane, scale, value), stride) in each.into_iter().zip(strides) {
            let rows = plane.chunks_exact_mut(stride).skip(self.top / scale);
            for line in rows.take(self.height / scale) {
                let columns = self.left / scale..(self.left + self.width) / scale;
                if let Some(line) = line.get_mut(columns) {
                    line.fill(value);
                }
            }
        }
        let small = (self.scale / 2).max(1);
        let seconds = time_ms / 1_000;
        let clock = format!(
            "{:02}:{:02}:{:02}.{:03}",
            seconds / 3_600 % 24,
            seconds / 60 % 60,
            seconds % 60,
            time_ms % 1_000
        );
        let middle = |width: usize| self.left + self.width.saturating_sub(width) / 2;
        let title = (middle(dot_font::width(PATTERN_TITLE, small)), self.top + 2 * self.scale);
        dot_font::draw(planes, PATTERN_TITLE, title, small, LETTER_LUMA);
        let below = title.1 + dot_font::GLYPH_HEIGHT_DOTS * small + 3 * self.scale;
        let digits = (middle(dot_font::width(&clock, self.scale)), below);
        dot_font::draw(planes, &clock, digits, self.scale, LETTER_LUMA);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::FrameGrid;

    fn feed(size: Size) -> TestPattern {
        let grid = FrameGrid { origin: Timestamp::from_micros(5), rate: "30".parse().unwrap() };
        TestPattern::new(Schedule::new(grid, 1_790_000_000_123_456), size)
    }

    #[test]
    fn each_frame_carries_its_time_and_flashes_in_its_second() {
        for size in [Size::new(1280, 720), Size::new(480, 270), Size::new(854, 480)] {
            let mut feed = feed(size);
            let schedule = feed.schedule;
            let mut lit = 0;
            for frame in 0..31 {
                let at = schedule.grid().instant(frame);
                let drawn = feed.frame(at).unwrap();
                let planes = drawn.planes();
                assert_eq!((drawn.pts, drawn.size()), (at, size));
                let read = markers::read_band(&planes.y, planes.luma_stride(), size);
                assert_eq!(read, Some(schedule.time_ms(frame) % (1 << 36)));
                let flash = markers::is_flash(&planes.y, planes.luma_stride(), size);
                assert_eq!(flash, schedule.is_flash(frame));
                lit += usize::from(flash);
                if !flash {
                    let quarter = size.height as usize / 4 * planes.luma_stride();
                    assert!(planes.y[..quarter].iter().all(|&y| y <= markers::MAX_IDLE_LUMA));
                }
            }
            assert_eq!(lit, 2);
        }
    }

    #[test]
    fn a_reused_frame_is_what_a_new_one_would_be() {
        let size = Size::new(640, 360);
        let mut feed = feed(size);
        for frame in 0..40 {
            let at = feed.schedule.grid().instant(frame);
            let reused = feed.frame(at).unwrap();
            let fresh = TestPattern::new(feed.schedule, size).frame(at).unwrap();
            assert!(reused.planes().y == fresh.planes().y, "frame {frame}");
            assert!(reused.planes().u == fresh.planes().u && reused.planes().v == fresh.planes().v);
        }
    }

    #[test]
    fn frames_are_reused_and_any_size_can_be_drawn() {
        let mut feed = feed(Size::new(640, 360));
        for frame in 0..20 {
            drop(feed.frame(Timestamp::from_millis(frame * 33)));
        }
        assert_eq!(feed.pool.idle(), 1);
        for size in [Size::new(2, 2), Size::new(16, 400), Size::new(400, 16)] {
            assert!(self::feed(size).frame(Timestamp::ZERO).is_some());
        }
    }
}
