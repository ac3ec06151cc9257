//! The markers of the test pattern and the test tone, for measuring latency and lip sync through
//! any server, player and scaling. The test pattern and the test tone write the markers, and the
//! player reads them. Both halves are pure, and take the time as an argument.
//!
//! - **Code band**: the bottom sixteenth of the frame, 48 cells: `1 0`, 36 bits of wall-clock
//!   milliseconds, 8 bits of checksum, `0 1`.
//! - **Flash**: the top quarter is white in the first two frames of each second.
//! - **Tone**: 1 kHz from the instant of the first frame of each second, for two frame periods; a
//!   quiet 220 Hz otherwise.

mod measure;

use std::f64::consts::TAU;

use crate::media::frame::{Planes, Size};
use crate::media::frame_grid::FrameGrid;

pub use measure::{FlashReader, LipSync, OnsetReader};

/// Number of cells in the code band.
pub const CODE_BAND_CELLS: usize = 48;
/// The luma of the flash.
pub const FLASH_LUMA: u8 = 235;
/// Maximum luma of the top quarter outside the flash.
pub const MAX_IDLE_LUMA: u8 = 100;

/// The modulus of times in milliseconds (about two years).
const TIME_MODULUS: u64 = 1 << 36;
const ONE_BIT_LUMA: u8 = 235;
const ZERO_BIT_LUMA: u8 = 16;
const CELL_THRESHOLD: u64 = 126;
/// The threshold halfway between the luma of the flash and the brightest luma outside the flash.
const FLASH_THRESHOLD: u64 = 167;

const BEEP_HZ: f64 = 1_000.0;
/// Level of the beep, −6 dBFS.
const BEEP_LEVEL: f64 = 0.501_187_233_627_272_2;
const HUM_HZ: f64 = 220.0;
/// Level of the hum, −40 dBFS.
const HUM_LEVEL: f64 = 0.01;

/// Returns the number of rows of the code band in a frame of this height: a sixteenth, rounded up
/// to an even number.
pub const fn band_height(height: u32) -> u32 {
    height.div_ceil(32) * 2
}

/// Returns the 48 cells for a time, the first cell in the highest bit.
pub const fn encode(time_ms: u64) -> u64 {
    let time = time_ms % TIME_MODULUS;
    (0b10 << 46) | (time << 10) | ((checksum(time) as u64) << 2) | 0b01
}

/// Returns the time that 48 cells contain, or `None` if the guards or the checksum are wrong.
pub const fn decode(cells: u64) -> Option<u64> {
    let time = (cells >> 10) % TIME_MODULUS;
    let is_valid = cells >> 46 == 0b10 && cells & 0b11 == 0b01;
    if is_valid && (cells >> 2) as u8 == checksum(time) { Some(time) } else { None }
}

/// Returns the sum of the five bytes of the time.
const fn checksum(time: u64) -> u8 {
    let [.., a, b, c, d, e] = time.to_be_bytes();
    a.wrapping_add(b).wrapping_add(c).wrapping_add(d).wrapping_add(e)
}

/// Returns the milliseconds between the time in a band and the current wall clock, across the
/// wrap-around. The result is negative if the reader's clock is behind.
pub const fn age_ms(read: u64, wall_ms: i64) -> i64 {
    let now = wall_ms.rem_euclid(TIME_MODULUS as i64) as u64;
    let age = (now + TIME_MODULUS - read % TIME_MODULUS) % TIME_MODULUS;
    if age > TIME_MODULUS / 2 { age as i64 - TIME_MODULUS as i64 } else { age as i64 }
}

/// Draws the code band, including its chroma, over the bottom of the frame.
pub fn draw_band(planes: &mut Planes, time_ms: u64) {
    let size = planes.size();
    let (width, stride) = (size.width as usize, planes.luma_stride());
    let band = band_height(size.height).min(size.height) as usize;
    let cells = encode(time_ms);
    let top = (size.height as usize - band) * stride;
    let row = planes.y.get_mut(top..top + stride).unwrap_or_default();
    for cell in 0..CODE_BAND_CELLS {
        let span = cell * width / CODE_BAND_CELLS..(cell + 1) * width / CODE_BAND_CELLS;
        let one = cells >> (CODE_BAND_CELLS - 1 - cell) & 1 == 1;
        if let Some(cell) = row.get_mut(span) {
            cell.fill(if one { ONE_BIT_LUMA } else { ZERO_BIT_LUMA });
        }
    }
    if let Some(rows) = planes.y.get_mut(top..)
        && rows.len() >= stride
    {
        for row in 1..rows.len() / stride {
            rows.copy_within(..stride, row * stride);
        }
    }
    let chroma_top = (size.height as usize - band) / 2 * planes.chroma_stride();
    for plane in [&mut planes.u, &mut planes.v] {
        if let Some(rows) = plane.get_mut(chroma_top..) {
            rows.fill(128);
        }
    }
}

/// Reads the code band of a luma plane of any size, with rows of `stride` bytes. Returns `None` if
/// the band is missing or damaged.
pub fn read_band(luma: &[u8], stride: usize, size: Size) -> Option<u64> {
    let (width, height) = (size.width as usize, size.height as usize);
    let band = band_height(size.height) as usize;
    if width < CODE_BAND_CELLS || height < 2 * band {
        return None;
    }
    let mut cells = 0;
    // Use only the central half of the band's rows: scaling and deblocking blur its upper edge.
    let rows = height - band + band / 4..height - band / 4;
    for cell in 0..CODE_BAND_CELLS {
        let (left, right) = (cell * width / CODE_BAND_CELLS, (cell + 1) * width / CODE_BAND_CELLS);
        let quarter = (right - left) / 4;
        let mean = mean(luma, stride, rows.clone(), left + quarter..right - quarter)?;
        cells = cells << 1 | u64::from(mean >= CELL_THRESHOLD);
    }
    decode(cells)
}

/// Returns true if the top quarter of the frame is white.
pub fn is_flash(luma: &[u8], stride: usize, size: Size) -> bool {
    let (width, quarter) = (size.width as usize, size.height as usize / 4);
    // Use only the upper three quarters of that area, away from the blurred edge.
    let rows = 0..(quarter * 3 / 4).max(1);
    mean(luma, stride, rows, width / 8..width - width / 8).is_some_and(|m| m >= FLASH_THRESHOLD)
}

/// Returns the mean luma of a rectangle, from at most about 16 rows.
fn mean(
    luma: &[u8],
    stride: usize,
    rows: std::ops::Range<usize>,
    columns: std::ops::Range<usize>,
) -> Option<u64> {
    let step = (rows.len() / 16).max(1);
    let (mut sum, mut count) = (0_u64, 0_u64);
    for row in rows.step_by(step) {
        let line = luma.get(row * stride..)?.get(columns.clone())?;
        sum += line.iter().map(|&value| u64::from(value)).sum::<u64>();
        count += line.len() as u64;
    }
    sum.checked_div(count)
}

/// The times of the markers, which are equal for video and audio.
#[derive(Copy, Clone, Debug)]
pub struct Schedule {
    grid: FrameGrid,
    /// Wall-clock microseconds at `Timestamp::ZERO`.
    wall_zero_micros: i64,
}

impl Schedule {
    /// Creates a schedule for frames on `grid`. `wall_zero_micros` is the wall clock at
    /// `Timestamp::ZERO`.
    pub fn new(grid: FrameGrid, wall_zero_micros: i64) -> Self {
        Self { grid, wall_zero_micros }
    }

    /// Returns the frame grid of the test pattern.
    pub fn grid(&self) -> FrameGrid {
        self.grid
    }

    /// Returns the wall-clock milliseconds at the frame's time, as in the band (before the
    /// modulus).
    pub fn time_ms(&self, frame: i64) -> u64 {
        u64::try_from(self.wall_micros(frame).div_euclid(1_000)).unwrap_or(0)
    }

    /// Returns true if the frame is the first one in a new full second.
    pub fn flash_starts(&self, frame: i64) -> bool {
        self.second(frame) != self.second(frame.saturating_sub(1))
    }

    /// Returns true if the top quarter is white in this frame.
    pub fn is_flash(&self, frame: i64) -> bool {
        self.flash_starts(frame) || self.flash_starts(frame.saturating_sub(1))
    }

    /// Fills `out` (interleaved) with the tone. `first` is the index of the first sample, counted
    /// from the grid's origin at `rate` samples per second.
    pub fn tone(&self, first: i64, rate: u32, channels: u16, out: &mut [f32]) {
        let rate = i64::from(rate.max(1));
        let mut beep = Beep { start: 0, end: i64::MIN, until: i64::MIN };
        for (index, frame) in (first..).zip(out.chunks_mut(usize::from(channels.max(1)))) {
            if index >= beep.until {
                beep = self.beep_at(index, rate);
            }
            let value = if index >= beep.start && index < beep.end {
                let phase = (index - beep.start) as f64 * BEEP_HZ / rate as f64;
                BEEP_LEVEL * (TAU * phase.fract()).sin()
            } else {
                // The phase repeats every second, so that it stays exact for days.
                let phase = index.rem_euclid(rate) as f64 * HUM_HZ / rate as f64;
                HUM_LEVEL * (TAU * phase.fract()).sin()
            };
            frame.fill(value as f32);
        }
    }

    /// Returns the beep at a sample, if any, and the range of samples for which this result is
    /// valid.
    fn beep_at(&self, index: i64, rate: i64) -> Beep {
        let frame = self.frame_of(index, rate);
        let until = self.first_sample(frame.saturating_add(1), rate);
        let start = match frame {
            _ if self.flash_starts(frame) => frame,
            _ if self.flash_starts(frame - 1) => frame - 1,
            _ => return Beep { start: 0, end: i64::MIN, until },
        };
        let (first, end) = (self.first_sample(start, rate), self.first_sample(start + 2, rate));
        Beep { start: first, end, until }
    }

    /// Returns the frame at the time of the sample.
    fn frame_of(&self, index: i64, rate: i64) -> i64 {
        let micros = (i128::from(index) * 1_000_000).div_euclid(i128::from(rate));
        let at = self.grid.origin.offset(i64::try_from(micros).unwrap_or(i64::MAX - 1));
        let frame = self.grid.index_at(at);
        // Rounding to microseconds may hide that the sample is just before the next frame.
        if self.first_sample(frame + 1, rate) <= index { frame + 1 } else { frame }
    }

    /// Returns the first sample that is not before the frame's time.
    fn first_sample(&self, frame: i64, rate: i64) -> i64 {
        let micros = self.grid.instant(frame).micros_since(self.grid.origin);
        let samples = -(-i128::from(micros) * i128::from(rate)).div_euclid(1_000_000);
        i64::try_from(samples).unwrap_or(i64::MAX)
    }

    fn wall_micros(&self, frame: i64) -> i64 {
        self.wall_zero_micros.saturating_add(self.grid.instant(frame).as_micros())
    }

    fn second(&self, frame: i64) -> i64 {
        self.wall_micros(frame).div_euclid(1_000_000)
    }
}

/// A beep in the samples `start..end`. The value is valid for samples before `until`.
struct Beep {
    start: i64,
    end: i64,
    until: i64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Timestamp;

    const WALL_CLOCK_MICROS: i64 = 1_790_000_000_123_456;

    pub(super) fn schedule(rate: &str) -> Schedule {
        let origin = Timestamp::from_micros(777_777);
        Schedule::new(FrameGrid { origin, rate: rate.parse().unwrap() }, WALL_CLOCK_MICROS)
    }

    /// Returns deterministic noise in `-range..=range`.
    pub(super) fn noise(seed: &mut u64, range: i32) -> i32 {
        *seed =
            seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (*seed >> 33) as i32 % (2 * range + 1) - range
    }

    /// Scales the luma plane by nearest neighbor, as the simplest player does.
    fn scaled(planes: &Planes, to: Size) -> Vec<u8> {
        let from = planes.size();
        let mut out = Vec::new();
        for y in 0..to.height {
            for x in 0..to.width {
                let (sx, sy) = (x * from.width / to.width, y * from.height / to.height);
                out.push(planes.y[(sy * from.width + sx) as usize]);
            }
        }
        out
    }

    #[test]
    fn the_code_has_the_layout_that_was_agreed_on() {
        // 1 0 | 36 bits | 8 bits | 0 1, most significant first.
        assert_eq!(encode(0), 0b10 << 46 | 0b01);
        let time = 0x1_0203_0405;
        assert_eq!(encode(time), 0b10 << 46 | time << 10 | 15 << 2 | 0b01);
        assert_eq!(decode(encode(time)), Some(time));
        assert_eq!(decode(encode((1 << 36) + 5)), Some(5));
        for bit in 0..48 {
            assert_ne!(decode(encode(time) ^ 1 << bit), Some(time), "bit {bit}");
        }
        assert_eq!(decode(0), None);
        assert_eq!((band_height(720), band_height(1080), band_height(480)), (46, 68, 30));
    }

    #[test]
    fn the_band_survives_scaling_and_noise() {
        let times =
            [0, 1, (1 << 36) - 1, 0xA_AAAA_AAAA, (WALL_CLOCK_MICROS / 1_000) as u64 % (1 << 36)];
        for size in [Size::new(480, 270), Size::new(1280, 720), Size::new(1918, 1080)] {
            for time in times {
                let mut planes = Planes::black(size);
                planes.y.fill(90);
                draw_band(&mut planes, time);
                assert_eq!(read_band(&planes.y, planes.luma_stride(), size), Some(time));
                for to in [Size::new(320, 180), Size::new(640, 360), Size::new(1920, 1080)] {
                    let mut luma = scaled(&planes, to);
                    let mut seed = time;
                    for value in &mut luma {
                        *value = (i32::from(*value) + noise(&mut seed, 60)).clamp(0, 255) as u8;
                    }
                    assert_eq!(read_band(&luma, to.width as usize, to), Some(time), "{size}>{to}");
                }
            }
        }
    }

    #[test]
    fn frames_without_a_band_are_unread() {
        let mut seed = 1;
        let size = Size::new(640, 360);
        let luma: Vec<u8> =
            (0..size.pixels()).map(|_| (128 + noise(&mut seed, 127)) as u8).collect();
        assert_eq!(read_band(&luma, 640, size), None);
        assert_eq!(read_band(&luma, 640, Size::new(640, 8_000)), None);
        assert_eq!(read_band(&[], 0, Size::new(0, 0)), None);
        assert!(!is_flash(&[], 640, size));
        assert!(!is_flash(&luma, 640, size));
    }

    #[test]
    fn ages_cross_the_wrap_around() {
        assert_eq!(age_ms(10, 25), 15);
        assert_eq!(age_ms(25, 10), -15);
        assert_eq!(age_ms((1 << 36) - 5, 1 << 36), 5);
        assert_eq!(age_ms(3, (7 << 36) - 4), -7);
    }

    #[test]
    fn two_frames_flash_each_second() {
        for rate in ["30", "29.97", "60", "24", "7"] {
            let schedule = schedule(rate);
            let frames = (schedule.grid().rate.as_f64() * 20.0) as i64;
            let starts: Vec<i64> = (0..frames).filter(|&f| schedule.flash_starts(f)).collect();
            assert!((19..=21).contains(&starts.len()), "{rate}: {starts:?}");
            for start in starts {
                let period = schedule.grid().rate.period().as_millis() as u64;
                assert!(schedule.time_ms(start) % 1_000 <= period);
                assert!(schedule.is_flash(start) && schedule.is_flash(start + 1));
                assert!(!schedule.is_flash(start - 1) && !schedule.is_flash(start + 2));
            }
        }
    }

    #[test]
    fn the_tone_begins_with_the_flash_in_any_blocks() {
        let schedule = schedule("29.97");
        let mut whole = vec![0.0; 48_000 * 2 * 2];
        schedule.tone(1_000, 48_000, 2, &mut whole);
        let mut blocks = vec![0.0; whole.len()];
        for (n, block) in blocks.chunks_mut(2 * 441).enumerate() {
            schedule.tone(1_000 + n as i64 * 441, 48_000, 2, block);
        }
        assert_eq!(whole, blocks);
        let start = (1..40).find(|&f| schedule.flash_starts(f)).unwrap();
        let at = schedule.grid().instant(start).micros_since(schedule.grid().origin);
        let first = (at * 48_000 + 999_999) / 1_000_000 - 1_000;
        let left = |n: i64| whole[n as usize * 2];
        assert!(left(first - 1).abs() <= 0.0101 && left(first) == 0.0);
        assert!((left(first + 12) - 0.501).abs() < 0.001);
        let end = (2.0 * 1.001 / 30.0 * 48_000.0) as i64;
        assert!((1..48).any(|n| left(first + end - n).abs() > 0.4));
        assert!((0..48).all(|n| left(first + end + 2 + n).abs() <= 0.0101));
    }
}
