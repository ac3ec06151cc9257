//! Frame rate out of presentation times. Pure.

use std::collections::VecDeque;

use crate::wire::codec::cadence;

/// Frames a second, to three decimals; `told` is what the stream says of itself.
pub(in crate::player) fn frame_rate(times: &VecDeque<i64>, told: Option<f64>) -> Option<f64> {
    let rate = cadence::frame_rate(times.iter().copied(), told)?;
    Some((rate * 1_000.0).round() / 1_000.0)
}
