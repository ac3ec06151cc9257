//! Compares frames, and detects black frames, by a coarse grid of mean luma. Finds the offset
//! between two audio signals by their loudness. onair uses this module to compare the viewers'
//! stream with the stream that onair sends. This module is pure.

use std::collections::VecDeque;

use crate::base::Timestamp;
use crate::media::frame::Size;
use crate::media::samples::SampleBlock;

/// Columns of the grid.
const GRID_COLUMNS: usize = 16;
/// Rows of the grid.
const GRID_ROWS: usize = 9;
/// Maximum luma of the cells of a black frame (in limited range, black is 16).
const MAX_BLACK_LUMA: u8 = 26;
/// Approximate number of pixels that are read per cell in each direction (up to twice as many in
/// small cells).
const CELL_SAMPLES_PER_SIDE: usize = 12;
/// The inverse of the maximum fraction of each side that counts as a bar.
const BAR_DIVISOR: usize = 3;

/// The coarse grid of a frame.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct FrameSimilarity {
    cells: [u8; GRID_COLUMNS * GRID_ROWS],
}

impl FrameSimilarity {
    /// Computes the grid of a luma plane with `stride` bytes per row.
    pub fn of(luma: &[u8], stride: usize, size: Size) -> Self {
        let (width, height) = (size.width as usize, size.height as usize);
        let mut cells = [0; GRID_COLUMNS * GRID_ROWS];
        for (index, cell) in cells.iter_mut().enumerate() {
            let (column, row) = (index % GRID_COLUMNS, index / GRID_COLUMNS);
            let (x0, x1) = (column * width / GRID_COLUMNS, (column + 1) * width / GRID_COLUMNS);
            let (y0, y1) = (row * height / GRID_ROWS, (row + 1) * height / GRID_ROWS);
            let (step_x, step_y) = (
                ((x1 - x0) / CELL_SAMPLES_PER_SIDE).max(1),
                ((y1 - y0) / CELL_SAMPLES_PER_SIDE).max(1),
            );
            let (mut sum, mut count) = (0_u64, 0_u64);
            for y in (y0..y1).step_by(step_y) {
                let pixels = luma.get(y * stride + x0..y * stride + x1).unwrap_or_default();
                for pixel in pixels.iter().step_by(step_x) {
                    sum += u64::from(*pixel);
                    count += 1;
                }
            }
            *cell = u8::try_from(sum / count.max(1)).unwrap_or(u8::MAX);
        }
        Self { cells }
    }

    /// Computes the grid of the area inside black bars, which a server can add or remove.
    pub fn inside_bars(luma: &[u8], stride: usize, size: Size) -> Self {
        let (width, height) = (size.width as usize, size.height as usize);
        let dark =
            |x: usize, y: usize| luma.get(y * stride + x).is_none_or(|it| *it <= MAX_BLACK_LUMA);
        let step = |length: usize| (length / (4 * CELL_SAMPLES_PER_SIDE)).max(1);
        let row = |y: usize| (0..width).step_by(step(width)).all(|x| dark(x, y));
        let column = |x: usize| (0..height).step_by(step(height)).all(|y| dark(x, y));
        let (tall, wide) = (height / BAR_DIVISOR, width / BAR_DIVISOR);
        let top = (0..tall).take_while(|y| row(*y)).count();
        let bottom = (0..tall).take_while(|y| row(height - 1 - y)).count();
        let left = (0..wide).take_while(|x| column(*x)).count();
        let right = (0..wide).take_while(|x| column(width - 1 - x)).count();
        let within = Size::new(
            size.width.saturating_sub((left + right) as u32),
            size.height.saturating_sub((top + bottom) as u32),
        );
        Self::of(luma.get(top * stride + left..).unwrap_or_default(), stride, within)
    }

    /// Returns the mean luma of each cell.
    pub fn cells(&self) -> &[u8] {
        &self.cells
    }

    /// Returns true if the frame is completely black.
    pub fn is_black(&self) -> bool {
        self.cells.iter().all(|cell| *cell <= MAX_BLACK_LUMA)
    }

    /// Returns the maximum difference of a cell, in steps of luma.
    pub fn difference(&self, other: &Self) -> u8 {
        let pairs = self.cells.iter().zip(&other.cells);
        pairs.map(|(one, other)| one.abs_diff(*other)).max().unwrap_or_default()
    }
}

/// The duration of a value of a [`LoudnessCurve`].
pub const LOUDNESS_STEP_MICROS: i64 = 20_000;
/// The level of silence in dBFS.
pub const SILENCE_DBFS: f32 = -90.0;
/// The number of values that are compared.
const COMPARED_VALUES: usize = 400;
/// The minimum variation (standard deviation in dB) of a curve that can be located.
const MIN_VARIATION_DB: f64 = 3.0;
/// The minimum similarity, as a correlation.
const MIN_CORRELATION: f64 = 0.8;
/// The minimum lead of a match over other positions, as a correlation.
const MIN_CORRELATION_LEAD: f64 = 0.15;
/// Minimum distance, in steps, between a match and the positions that are compared with it.
const MIN_RIVAL_DISTANCE_STEPS: i64 = 15;
/// The similarity below which, at all positions, the audio counts as different.
const MAX_DIFFERENT_CORRELATION: f64 = 0.65;

/// The result of searching one audio in another.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum CurveMatch {
    /// The audio occurs: its times are ahead by this many microseconds.
    At(i64),
    /// The audio does not occur.
    Nowhere,
    /// The loudness hardly varies, so a search is impossible.
    Flat,
    /// The audio occurs at several positions, because it repeats.
    Periodic,
    /// The result is unclear: there is too little audio so far, or no position is similar enough.
    Unclear,
}

/// The loudness of audio over time: its RMS in dBFS, one value per 20 ms of media time.
#[derive(Clone, Debug)]
pub struct LoudnessCurve {
    /// The number of the first value, in steps from media time zero.
    first: i64,
    values: VecDeque<f32>,
    most: usize,
    /// The incomplete last step.
    open: Option<(i64, f64, u32)>,
}

impl LoudnessCurve {
    /// Creates a curve that keeps this many of the newest values.
    pub fn new(most: usize) -> Self {
        Self { first: 0, values: VecDeque::new(), most: most.max(1), open: None }
    }

    /// Adds the next block.
    pub fn push(&mut self, samples: &SampleBlock) {
        let channels = usize::from(samples.channels.max(1));
        for (index, frame) in samples.data.chunks_exact(channels).enumerate() {
            let micros = index as i64 * 1_000_000 / i64::from(samples.rate.max(1));
            let step = samples.pts.offset(micros).as_micros().div_euclid(LOUDNESS_STEP_MICROS);
            let power: f64 = frame.iter().map(|value| f64::from(*value).powi(2)).sum();
            let power = if power.is_finite() { power / channels as f64 } else { 0.0 };
            match &mut self.open {
                Some((open, sum, count)) if *open == step => {
                    *sum += power;
                    *count += 1;
                }
                _ => {
                    self.close();
                    self.open = Some((step, power, 1));
                }
            }
        }
    }

    fn close(&mut self) {
        let Some((step, sum, count)) = self.open.take() else { return };
        let dbfs = (10.0 * (sum / f64::from(count.max(1))).max(1e-12).log10()) as f32;
        let missing = step - self.end();
        if self.values.is_empty() || missing < 0 || missing > self.most as i64 {
            // The stream started again.
            self.values.clear();
            self.first = step;
        } else {
            self.values.extend(std::iter::repeat_n(SILENCE_DBFS, missing as usize));
        }
        self.values.push_back(dbfs.max(SILENCE_DBFS));
        while self.values.len() > self.most {
            self.values.pop_front();
            self.first += 1;
        }
    }

    /// Returns the number of the next value.
    fn end(&self) -> i64 {
        self.first + self.values.len() as i64
    }

    /// Returns the media time after the last value.
    pub fn until(&self) -> Option<Timestamp> {
        let some = !self.values.is_empty();
        some.then(|| Timestamp::from_micros(self.end() * LOUDNESS_STEP_MICROS))
    }

    /// Returns the values from this media time on, with their times.
    pub fn since(&self, from: Timestamp) -> impl Iterator<Item = (Timestamp, f32)> + '_ {
        let first = from.as_micros().div_euclid(LOUDNESS_STEP_MICROS).max(self.first);
        let skipped = usize::try_from(first - self.first).unwrap_or(0);
        let values = self.values.iter().skip(skipped).zip(first..);
        values.map(|(value, step)| (Timestamp::from_micros(step * LOUDNESS_STEP_MICROS), *value))
    }

    fn get(&self, step: i64) -> Option<f32> {
        self.values.get(usize::try_from(step - self.first).ok()?).copied()
    }

    /// Returns true if the loudness varies anywhere from this media time on.
    pub fn varies(&self, from: Timestamp) -> bool {
        let values: Vec<f64> = self.since(from).map(|(_, value)| audible(value)).collect();
        values.chunks(COMPARED_VALUES).any(|part| centred(part).is_some())
    }

    /// Searches this curve for the newest part of `copy`. The times of `copy` can be ahead by
    /// `least` to `most` microseconds.
    pub fn find(&self, copy: &Self, least: i64, most: i64) -> CurveMatch {
        let end = copy.end();
        let begin = end - COMPARED_VALUES as i64;
        if begin < copy.first {
            return CurveMatch::Unclear;
        }
        let wanted: Vec<f64> =
            (begin..end).filter_map(|step| copy.get(step)).map(audible).collect();
        let Some((wanted, power)) = centred(&wanted) else { return CurveMatch::Flat };
        let (least, most) =
            (least.div_euclid(LOUDNESS_STEP_MICROS), most.div_euclid(LOUDNESS_STEP_MICROS));
        // Offsets at which all values exist.
        let lags = least.max(end - self.end())..=most.min(begin - self.first);
        let from = (begin - *lags.end()).max(self.first);
        let there: Vec<f64> =
            (from..self.end()).filter_map(|step| self.get(step)).map(audible).collect();
        let alike: Vec<(i64, f64)> = lags
            .filter_map(|lag| {
                let first = usize::try_from(begin - lag - from).ok()?;
                let there = there.get(first..first + COMPARED_VALUES)?;
                // A constant signal is not similar to a varying one.
                let its = spread(there).map_or(f64::INFINITY, |its| power * its);
                // The mean of `wanted` is zero, so the other mean does not have to be subtracted.
                let product: f64 = wanted.iter().zip(there).map(|(a, b)| a * b).sum();
                Some((lag, product / its))
            })
            .collect();
        let best = alike.iter().copied().max_by(|a, b| a.1.total_cmp(&b.1));
        let Some((lag, best)) = best else { return CurveMatch::Unclear };
        let elsewhere =
            alike.iter().filter(|(other, _)| (other - lag).abs() > MIN_RIVAL_DISTANCE_STEPS);
        let second = elsewhere.map(|(_, value)| *value).fold(0.0, f64::max);
        match best {
            _ if best >= MIN_CORRELATION && best - second >= MIN_CORRELATION_LEAD => {
                CurveMatch::At(lag * LOUDNESS_STEP_MICROS)
            }
            _ if best >= MIN_CORRELATION => CurveMatch::Periodic,
            _ if best < MAX_DIFFERENT_CORRELATION => CurveMatch::Nowhere,
            _ => CurveMatch::Unclear,
        }
    }
}

/// Returns the relevant part of a loudness value, because codecs differ below −60 dBFS.
fn audible(dbfs: f32) -> f64 {
    f64::from(dbfs).clamp(-60.0, 0.0)
}

/// Returns the values minus their mean, and the norm of the result, or `None` if the values hardly
/// vary.
fn centred(values: &[f64]) -> Option<(Vec<f64>, f64)> {
    let length = spread(values)?;
    let mean = values.iter().sum::<f64>() / (values.len() as f64).max(1.0);
    Some((values.iter().map(|value| value - mean).collect(), length))
}

/// Returns the norm of the values minus their mean, or `None` if the values hardly vary.
fn spread(values: &[f64]) -> Option<f64> {
    let count = (values.len() as f64).max(1.0);
    let (sum, squares) =
        values.iter().fold((0.0, 0.0), |(sum, squares), it| (sum + it, squares + it * it));
    let power = (squares - sum * sum / count).max(0.0);
    ((power / count).sqrt() >= MIN_VARIATION_DB).then(|| power.sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn black_and_changed_frames_are_recognized() {
        let size = Size::new(64, 36);
        let mut luma = vec![16; size.pixels()];
        let black = FrameSimilarity::of(&luma, 64, size);
        assert!(black.is_black());
        // One cell of 4×4 pixels becomes bright.
        for y in 0..4 {
            luma[y * 64..y * 64 + 4].fill(216);
        }
        let lit = FrameSimilarity::of(&luma, 64, size);
        assert!(!lit.is_black());
        assert_eq!(lit.difference(&black), 200);
        // A plane shorter than its size must not cause a panic.
        assert!(FrameSimilarity::of(&[], 64, size).is_black());
        assert!(FrameSimilarity::of(&luma, 64, Size::new(2, 2)).difference(&lit) > 0);
    }

    #[test]
    fn what_bars_surround_looks_as_without_them() {
        let plain = |x: usize, y: usize| (60 + x * 2 + y * 3) as u8;
        let size = Size::new(64, 36);
        let whole: Vec<u8> = (0..64 * 36).map(|index| plain(index % 64, index / 64)).collect();
        // The same frame between bars above and below, as 16:9 in 4:3.
        let tall = Size::new(64, 48);
        let mut barred = vec![16; tall.pixels()];
        barred[6 * 64..42 * 64].copy_from_slice(&whole);
        let bare = FrameSimilarity::of(&whole, 64, size);
        assert!(FrameSimilarity::inside_bars(&barred, 64, tall).difference(&bare) <= 1);
        assert_eq!(FrameSimilarity::inside_bars(&whole, 64, size), bare);
        assert!(FrameSimilarity::of(&barred, 64, tall).difference(&bare) > 20);
        assert!(FrameSimilarity::inside_bars(&[], 64, size).is_black());
    }

    /// Creates noise whose level changes from step to step, in blocks of 1,024 samples as in AAC.
    fn speech(seed: u64, seconds: usize, offset_micros: i64, loud: f32) -> Vec<SampleBlock> {
        let rate = 48_000;
        let mut state = seed;
        let mut level = 0.1;
        let all: Vec<f32> = (0..rate * seconds)
            .map(|index| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                if index % 4_800 == 0 {
                    level = 10_f32.powf(-2.5 * ((state >> 40) as f32 / 16_777_216.0));
                }
                level * loud * (if state >> 63 == 0 { 1.0 } else { -1.0 })
            })
            .collect();
        let block = |(index, data): (usize, &[f32])| SampleBlock {
            pts: Timestamp::from_micros(index as i64 * 1_024 * 1_000_000 / rate as i64)
                .offset(offset_micros),
            rate: rate as u32,
            channels: 1,
            data: data.to_vec().into(),
        };
        all.chunks(1_024).enumerate().map(block).collect()
    }

    #[test]
    fn audio_is_found_again_in_another_time() {
        let mut sent = LoudnessCurve::new(3_000);
        speech(7, 30, 0, 1.0).iter().for_each(|block| sent.push(block));
        // The same audio, softer and on another clock: the audio of 20 s ago is 5 s ahead.
        let mut copy = LoudnessCurve::new(1_000);
        for block in speech(7, 10, 5_000_000, 0.5) {
            copy.push(&block);
        }
        let found = sent.find(&copy, -20_000_000, 20_000_000);
        let CurveMatch::At(lead) = found else { panic!("{found:?}") };
        assert!((lead - 5_000_000).abs() <= LOUDNESS_STEP_MICROS, "{lead}");
        // The audio is not found outside the search range, in other audio or in a tone.
        assert_eq!(sent.find(&copy, 6_000_000, 20_000_000), CurveMatch::Nowhere);
        let mut other = LoudnessCurve::new(1_000);
        speech(8, 10, 0, 1.0).iter().for_each(|block| other.push(block));
        assert_eq!(sent.find(&other, -20_000_000, 20_000_000), CurveMatch::Nowhere);
        let mut tone = LoudnessCurve::new(1_000);
        tone.push(&SampleBlock {
            pts: Timestamp::ZERO,
            rate: 48_000,
            channels: 1,
            data: vec![0.5; 480_000].into(),
        });
        assert_eq!(sent.find(&tone, -20_000_000, 20_000_000), CurveMatch::Flat);
        assert!(sent.varies(Timestamp::ZERO) && !tone.varies(Timestamp::ZERO));
        // Varying audio does not occur in constant audio; too little audio gives no result.
        assert_eq!(tone.find(&copy, -20_000_000, 20_000_000), CurveMatch::Nowhere);
        assert_eq!(sent.find(&LoudnessCurve::new(10), 0, 1), CurveMatch::Unclear);
        // The same ten seconds, three times.
        let mut repeated = LoudnessCurve::new(3_000);
        for offset in [0, 10_000_000, 20_000_000] {
            speech(7, 10, offset, 1.0).iter().for_each(|block| repeated.push(block));
        }
        assert_eq!(repeated.find(&copy, -20_000_000, 20_000_000), CurveMatch::Periodic);
    }

    #[test]
    fn gaps_are_silence_and_jumps_start_a_new_loudness_curve() {
        let block = |ms: i64| SampleBlock {
            pts: Timestamp::from_millis(ms),
            rate: 48_000,
            channels: 2,
            data: vec![0.1; 2 * 960].into(),
        };
        let mut course = LoudnessCurve::new(10);
        course.push(&block(0));
        course.push(&block(60));
        course.push(&block(80));
        let values: Vec<_> =
            course.since(Timestamp::ZERO).map(|(_, value)| value.round()).collect();
        assert_eq!(values, [-20.0, -90.0, -90.0, -20.0]);
        assert_eq!(course.until(), Some(Timestamp::from_millis(80)));
        course.push(&block(100_000));
        course.push(&block(100_020));
        assert_eq!(course.since(Timestamp::ZERO).count(), 1);
        for number in 0..100 {
            course.push(&block(100_040 + 20 * number));
        }
        assert_eq!(course.since(Timestamp::ZERO).count(), 10);
    }
}
