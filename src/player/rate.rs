//! How many pictures a second a stream has, out of their times. Pure.

use std::collections::VecDeque;

/// Pictures a second: over the whole where that is even, else by the median distance. Wire times
/// are rounded to milliseconds: common rates are recognised.
pub(super) fn frame_rate(times: &VecDeque<i64>) -> Option<f64> {
    let mut sorted: Vec<i64> = times.iter().copied().collect();
    sorted.sort_unstable();
    sorted.dedup();
    let (first, last) = (sorted.first()?, sorted.last()?);
    let mut steps: Vec<i64> =
        sorted.iter().zip(sorted.iter().skip(1)).map(|(a, b)| b - a).collect();
    steps.sort_unstable();
    let median = *steps.get(steps.len() / 2)? as f64;
    // Holes (dropped pictures) do not count.
    let even: Vec<i64> =
        steps.iter().copied().filter(|step| (*step as f64) < median * 1.5).collect();
    if median <= 0.0 || last == first || even.is_empty() {
        return None;
    }
    let mean = even.iter().sum::<i64>() as f64 / even.len() as f64;
    let rate = 1e6 / mean;
    const COMMON: [f64; 13] = [
        12.0,
        15.0,
        20.0,
        24_000.0 / 1_001.0,
        24.0,
        25.0,
        30_000.0 / 1_001.0,
        30.0,
        48.0,
        50.0,
        60_000.0 / 1_001.0,
        60.0,
        120.0,
    ];
    // The whole is off by a millisecond at most: believe a common rate that is as near as that.
    let slack = rate * (1_500.0 / (mean * even.len() as f64)).max(0.000_4);
    let nearest =
        COMMON.iter().copied().min_by(|a, b| (a - rate).abs().total_cmp(&(b - rate).abs()));
    let rate = nearest.filter(|common| (common - rate).abs() <= slack).unwrap_or(rate);
    Some((rate * 1_000.0).round() / 1_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(rate: f64, pictures: i64) -> Option<f64> {
        // As wire times: rounded to milliseconds.
        frame_rate(&(0..pictures).map(|n| (n as f64 * 1e3 / rate).round() as i64 * 1_000).collect())
    }

    #[test]
    fn rates_are_recognised_through_rounded_times() {
        for (rate, shown) in
            [(30.0, 30.0), (30_000.0 / 1_001.0, 29.97), (25.0, 25.0), (60.0, 60.0), (17.0, 17.0)]
        {
            let found = measured(rate, 600).unwrap();
            assert!((found - shown).abs() < 0.02, "{rate}: {found}");
        }
        assert_eq!(measured(30.0, 1), None);
        // Every tenth picture is missing.
        let holes = (0..300).filter(|n| n % 10 != 5).map(|n| n * 40_000).collect();
        assert_eq!(frame_rate(&holes), Some(25.0));
    }
}
