//! Measures the frame rate from presentation times that are rounded, as in FLV and Matroska
//! (milliseconds). A straight line through all times distinguishes 60 from 59.94 fps, which the
//! distance between two times cannot. This module has no I/O.

use crate::media::FrameRate;

/// Common frame rates of encoders and cameras.
const COMMON_FRAME_RATES: [(u32, u32); 17] = [
    (10, 1),
    (12, 1),
    (15, 1),
    (20, 1),
    (24_000, 1_001),
    (24, 1),
    (25, 1),
    (30_000, 1_001),
    (30, 1),
    (48_000, 1_001),
    (48, 1),
    (50, 1),
    (60_000, 1_001),
    (60, 1),
    (100, 1),
    (120_000, 1_001),
    (120, 1),
];
/// Relative tolerance for a common rate: a fifth of the distance between 60 and 59.94.
const RATE_TOLERANCE: f64 = 0.000_2;
/// Maximum number of standard errors by which a matching common rate may differ from the
/// measurement.
const MAX_STANDARD_ERRORS: f64 = 4.0;
/// Maximum number of frames from which the frame rate is measured, because files declare it roughly
/// or not at all.
const MAX_MEASURED_FRAMES: usize = 10_000;

/// Returns the frame rate of frames with these times in microseconds, in any order. If the
/// measurement is too short to tell common rates apart, returns `announced` if given, or else the
/// nearest rate.
pub fn frame_rate(times: impl IntoIterator<Item = i64>, announced: Option<f64>) -> Option<f64> {
    let mut times: Vec<i64> = times.into_iter().collect();
    times.sort_unstable();
    times.dedup();
    let (rate, error) = line(&times)?;
    let slack = (MAX_STANDARD_ERRORS * error).max(RATE_TOLERANCE);
    let near = |other: f64| (other - rate).abs() <= slack * rate;
    let common = COMMON_FRAME_RATES.iter().map(|(num, den)| f64::from(*num) / f64::from(*den));
    let mut common: Vec<f64> = common.filter(|common| near(*common)).collect();
    common.sort_by(|a, b| (a - rate).abs().total_cmp(&(b - rate).abs()));
    // Announced rates are written with two or three decimals.
    let nearest =
        announced.and_then(|announced| common.iter().find(|it| (*it - announced).abs() < 0.01));
    Some(nearest.or(common.first()).copied().unwrap_or(rate))
}

/// Returns the frame rate of a file whose first frames have these times in microseconds, or
/// `declared` if it cannot be measured.
pub fn measured_rate(times: impl IntoIterator<Item = i64>, declared: FrameRate) -> FrameRate {
    let times = times.into_iter().take(MAX_MEASURED_FRAMES);
    frame_rate(times, Some(declared.as_f64())).and_then(fraction).unwrap_or(declared)
}

/// Returns the frame rate as a fraction.
pub fn fraction(rate: f64) -> Option<FrameRate> {
    let same = |(num, den): &&(u32, u32)| {
        (f64::from(*num) / f64::from(*den) - rate).abs() < rate * RATE_TOLERANCE / 2.0
    };
    match COMMON_FRAME_RATES.iter().find(same) {
        Some((num, den)) => FrameRate::new(*num, *den),
        None if (rate - rate.round()).abs() < 0.001 => FrameRate::new(rate.round() as u32, 1),
        None => FrameRate::new((rate * 1_000.0).round() as u32, 1_000),
    }
}

/// Returns the frame rate by the least-squares line through all times, and its relative standard
/// error. Missing frames are counted.
fn line(times: &[i64]) -> Option<(f64, f64)> {
    let steps = || times.iter().zip(times.iter().skip(1)).map(|(a, b)| b - a);
    let mut sorted: Vec<i64> = steps().collect();
    sorted.sort_unstable();
    let median = *sorted.get(sorted.len() / 2)? as f64;
    let even = steps().filter(|step| (*step as f64) < median * 1.5);
    let (sum, count) = even.fold((0, 0_u32), |(sum, count), step| (sum + step, count + 1));
    if median <= 0.0 || count == 0 {
        return None;
    }
    let usual = sum as f64 / f64::from(count);
    let first = *times.first()?;
    let mut place = 0.0;
    let mut points: Vec<(f64, f64)> = vec![(0.0, 0.0)];
    for (step, at) in steps().zip(times.iter().skip(1)) {
        place += (step as f64 / usual).round().max(1.0);
        points.push((place, (at - first) as f64));
    }
    let number = points.len() as f64;
    let (mean_x, mean_y) =
        points.iter().fold((0.0, 0.0), |(x, y), point| (x + point.0, y + point.1));
    let (mean_x, mean_y) = (mean_x / number, mean_y / number);
    let spread: f64 = points.iter().map(|(x, _)| (x - mean_x).powi(2)).sum();
    let both: f64 = points.iter().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
    let period = both / spread;
    if !period.is_finite() || period <= 0.0 {
        return None;
    }
    let off = |(x, y): &(f64, f64)| (y - mean_y - period * (x - mean_x)).powi(2);
    let scatter = points.iter().map(off).sum::<f64>() / (number - 2.0).max(1.0);
    // With few times, which may be exactly on a line, assume at least the rounding error.
    let scatter = scatter.max(if number < 8.0 { 1e3_f64.powi(2) / 12.0 } else { 0.0 });
    Some((1e6 / period, (scatter / spread).sqrt() / period))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Simulates wire times: milliseconds, rounded or truncated.
    fn measured(rate: f64, frames: i64, round: f64) -> f64 {
        let at = |n: i64| (n as f64 * 1e3 / rate + 217.3 + round).floor() as i64 * 1_000;
        frame_rate((0..frames).map(at), None).unwrap()
    }

    #[test]
    fn rates_are_distinguished_despite_milliseconds() {
        for (num, den) in COMMON_FRAME_RATES {
            let rate = f64::from(num) / f64::from(den);
            for round in [0.0, 0.5] {
                // From 1.5 s, the shortest probe of a stream.
                for seconds in [1.5, 4.0, 30.0] {
                    let found = measured(rate, (rate * seconds) as i64, round);
                    assert!((found - rate).abs() < 1e-9, "{rate} in {seconds} s: {found}");
                }
            }
        }
        for odd in [17.0, 59.0, 61.0, 14.4] {
            let found = measured(odd, (odd * 10.0) as i64, 0.5);
            assert!((found - odd).abs() < 0.002 && found != 60.0, "{odd}: {found}");
        }
        assert_eq!(frame_rate([0], None), None);
        assert_eq!(frame_rate([0, 0], None), None);
    }

    #[test]
    fn holes_are_counted_and_do_not_shift_the_rate() {
        let holes = (0..300).filter(|n| n % 10 != 5).map(|n| n * 40_000);
        assert_eq!(frame_rate(holes, None), Some(25.0));
        // 60 fps in milliseconds, with a second missing.
        let at = |n: i64| (n as f64 * 1e3 / 60.0).round() as i64 * 1_000;
        let gap = (0..300).filter(|n| !(100..160).contains(n)).map(at);
        assert_eq!(frame_rate(gap, None), Some(60.0));
    }

    #[test]
    fn where_too_little_is_seen_the_stream_is_believed() {
        let at = |n: i64| (n as f64 * 1e3 / 60.0).round() as i64 * 1_000;
        for announced in [60.0, 59.94] {
            let rate = frame_rate((0..10).map(at), Some(announced)).unwrap();
            assert!((rate - announced).abs() < 0.001, "{announced}: {rate}");
        }
        // An announced rate never overrules a clear measurement.
        assert_eq!(frame_rate((0..600).map(at), Some(59.94)), Some(60.0));
        assert_eq!(frame_rate((0..600).map(at), Some(30.0)), Some(60.0));
    }

    #[test]
    fn fractions_are_exact() {
        for (num, den) in COMMON_FRAME_RATES {
            assert_eq!(fraction(f64::from(num) / f64::from(den)), FrameRate::new(num, den));
        }
        assert_eq!(fraction(17.0), FrameRate::new(17, 1));
        assert_eq!(fraction(12.5), FrameRate::new(12_500, 1_000));
        assert_eq!(fraction(0.1), None);
    }
}
