//! Downmixes more than two channels to stereo. The result does not exceed full scale.

use crate::media::samples::{stereo_gains, stereo_peak};

/// Appends `values` as stereo (interleaved, `channels` per frame in the order of `mask`, which is 0
/// if unknown).
pub(super) fn to_stereo(values: &[f32], channels: usize, mask: u64, out: &mut Vec<f32>) {
    let gains: Vec<(f32, f32)> = stereo_gains(channels, mask).collect();
    let most = stereo_peak(&gains);
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
    use crate::media::samples::{
        FRONT_CENTER, FRONT_LEFT, FRONT_RIGHT, LOW_FREQUENCY, SIDE_LEFT, SIDE_RIGHT,
    };

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
