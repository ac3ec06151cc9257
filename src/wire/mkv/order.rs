//! Matroska tells when a picture is shown and not when it is decoded; the order of the file is that
//! of decoding. This gives the pictures decoding times again: the times at which pictures are
//! shown, in order, as much earlier as the deepest reordering needs.

use std::time::Duration;

use crate::base::Timestamp;

/// The deepest reordering that a decoder allows (H.264 Annex A).
const MAX_DEPTH: usize = 16;

/// Decoding times for pictures that are shown at these times, given in the order of decoding.
pub fn decoding_times(shown: &[Timestamp], period: Duration) -> Vec<Timestamp> {
    let mut sorted = shown.to_vec();
    sorted.sort_unstable();
    let depth = shown
        .iter()
        .enumerate()
        .map(|(place, at)| {
            let not_later = sorted.partition_point(|other| other <= at);
            (place + 1).saturating_sub(not_later)
        })
        .max()
        .unwrap_or(0)
        .min(MAX_DEPTH);
    let first = sorted.first().copied().unwrap_or_default();
    let early = (1..=depth)
        .rev()
        .map(|steps| first - period.saturating_mul(u32::try_from(steps).unwrap_or(u32::MAX)));
    let times = early.chain(sorted.iter().copied());
    times.zip(shown).map(|(time, shown)| time.min(*shown)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(shown: &[i64], expected: &[i64]) {
        let shown: Vec<_> = shown.iter().map(|at| Timestamp::from_millis(*at)).collect();
        let times = decoding_times(&shown, Duration::from_millis(10));
        let times: Vec<_> = times.iter().map(|at| at.as_millis()).collect();
        assert_eq!(times, expected);
    }

    #[test]
    fn decoding_comes_before_showing_and_in_order() {
        check(&[0, 10, 20], &[0, 10, 20]);
        // I P B B P B B, with the offset that x264 gives them.
        check(&[20, 50, 30, 40, 80, 60, 70], &[10, 20, 30, 40, 50, 60, 70]);
        // A pyramid needs two.
        check(&[20, 60, 40, 30, 50], &[0, 10, 20, 30, 40]);
        check(&[], &[]);
    }
}
