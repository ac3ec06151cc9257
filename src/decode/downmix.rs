//! Downmixes more than two channels to stereo (ITU-R BS.775-3 table 2): front channels stay on
//! their sides, center and surround are 3 dB lower, the LFE channel is dropped, and the result does
//! not exceed full scale.

/// The bits of the channels in a channel mask, in the order of FFmpeg and WAVE_FORMAT_EXTENSIBLE,
/// from the front left channel on.
const FRONT_LEFT: u64 = 1;
const FRONT_RIGHT: u64 = 1 << 1;
const FRONT_CENTER: u64 = 1 << 2;
const LOW_FREQUENCY: u64 = 1 << 3;
const BACK_LEFT: u64 = 1 << 4;
const BACK_RIGHT: u64 = 1 << 5;
const BACK_CENTER: u64 = 1 << 8;
const SIDE_LEFT: u64 = 1 << 9;
const SIDE_RIGHT: u64 = 1 << 10;

/// A gain of −3 dB.
const MINUS_3_DB: f32 = std::f32::consts::FRAC_1_SQRT_2;

/// Returns the gain of a channel for each side.
fn gain(channel: u64) -> (f32, f32) {
    match channel {
        FRONT_LEFT => (1.0, 0.0),
        FRONT_RIGHT => (0.0, 1.0),
        FRONT_CENTER | BACK_CENTER => (MINUS_3_DB, MINUS_3_DB),
        LOW_FREQUENCY => (0.0, 0.0),
        BACK_LEFT | SIDE_LEFT => (MINUS_3_DB, 0.0),
        BACK_RIGHT | SIDE_RIGHT => (0.0, MINUS_3_DB),
        _ => (0.5, 0.5),
    }
}

/// Returns the usual mask for this many channels, for streams that declare no mask.
fn usual(channels: usize) -> u64 {
    let front = FRONT_LEFT | FRONT_RIGHT;
    match channels {
        3 => front | FRONT_CENTER,
        4 => front | BACK_LEFT | BACK_RIGHT,
        5 => front | FRONT_CENTER | BACK_LEFT | BACK_RIGHT,
        6 => front | FRONT_CENTER | LOW_FREQUENCY | BACK_LEFT | BACK_RIGHT,
        _ => front | FRONT_CENTER | LOW_FREQUENCY | BACK_LEFT | BACK_RIGHT | SIDE_LEFT | SIDE_RIGHT,
    }
}

/// Appends `values` as stereo (interleaved, `channels` per frame in the order of `mask`, which is 0
/// if unknown).
pub(super) fn to_stereo(values: &[f32], channels: usize, mask: u64, out: &mut Vec<f32>) {
    let known = mask.count_ones() as usize == channels;
    let mask = if known { mask } else { usual(channels) };
    let places = (0..64).map(|bit| 1_u64 << bit).filter(|bit| mask & bit != 0);
    let mut gains: Vec<(f32, f32)> = places.map(gain).take(channels).collect();
    gains.resize(channels, (0.0, 0.0));
    let (left, right) = gains.iter().fold((0.0, 0.0), |sum, gain| (sum.0 + gain.0, sum.1 + gain.1));
    let most = f32::max(left, right).max(1.0);
    out.reserve(values.len() / channels.max(1) * 2);
    for frame in values.chunks_exact(channels.max(1)) {
        let (mut left, mut right) = (0.0, 0.0);
        for (value, gain) in frame.iter().zip(&gains) {
            left += value * gain.0;
            right += value * gain.1;
        }
        out.extend([left / most, right / most]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mixed(values: &[f32], mask: u64) -> Vec<f32> {
        let mut out = Vec::new();
        to_stereo(values, values.len(), mask, &mut out);
        out
    }

    #[test]
    fn sides_stay_sides_and_nothing_clips() {
        let five_one =
            FRONT_LEFT | FRONT_RIGHT | FRONT_CENTER | LOW_FREQUENCY | SIDE_LEFT | SIDE_RIGHT;
        let all = mixed(&[1.0; 6], five_one);
        assert!(all.iter().all(|value| (value - 1.0).abs() < 1e-6), "{all:?}");
        let left = mixed(&[1.0, 0.0, 0.0, 0.0, 0.0, 0.0], five_one);
        assert!(left[0] > 0.4 && left[1] == 0.0, "{left:?}");
        let surround = mixed(&[0.0, 0.0, 0.0, 0.0, 0.0, 1.0], five_one);
        assert!(surround[0] == 0.0 && surround[1] > 0.25, "{surround:?}");
        let centre = mixed(&[0.0, 0.0, 1.0, 0.0, 0.0, 0.0], five_one);
        assert!((centre[0] - centre[1]).abs() < 1e-6 && centre[0] > 0.25, "{centre:?}");
        assert_eq!(mixed(&[0.0, 0.0, 0.0, 1.0, 0.0, 0.0], five_one), [0.0, 0.0]);
        // A mask that does not match the channel count is ignored.
        assert_eq!(mixed(&[0.0, 0.0, 0.0, 1.0, 0.0, 0.0], 7), [0.0, 0.0]);
        assert_eq!(mixed(&[1.0; 16], 0).len(), 2);
    }
}
