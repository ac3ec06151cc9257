//! Detects B-frames by the times of the frames.

/// Number of frames with times that go back, after which the video has B-frames.
const MAX_REORDERED_FRAMES: u32 = 3;
/// A longer step back in µs is another clock, not a B-frame.
const MAX_STEP_BACK_MICROS: i64 = 1_000_000;
/// Number of frames in order after which earlier steps back no longer count.
const MIN_ORDERED_FRAMES: u32 = 300;

/// The order of the frames so far.
#[derive(Debug, Default)]
pub(super) struct Reordering {
    /// The last frame's time by the clock of its track, in µs.
    last: Option<i64>,
    reordered: u32,
    /// Frames in order since the last step back.
    ordered: u32,
}

impl Reordering {
    /// Takes the time of a frame in µs. Returns true if the video certainly has B-frames.
    pub fn is_certain_after(&mut self, time: i64) -> bool {
        let back = self.last.replace(time).map_or(0, |last| last.saturating_sub(time));
        if (1..MAX_STEP_BACK_MICROS).contains(&back) {
            (self.reordered, self.ordered) = (self.reordered + 1, 0);
        } else {
            self.ordered += 1;
            if self.ordered >= MIN_ORDERED_FRAMES {
                (self.reordered, self.ordered) = (0, 0);
            }
        }
        self.reordered >= MAX_REORDERED_FRAMES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b_frames_are_certain_after_three_steps_back_and_other_clocks_are_not() {
        let is_certain = |times: &[i64]| {
            let mut reordering = Reordering::default();
            times.iter().any(|time| reordering.is_certain_after(time * 1_000))
        };
        assert!(is_certain(&[0, 120, 40, 80, 240, 160, 200, 360, 280, 320]));
        assert!(!is_certain(&[5_000, 0, 9_000, 40, 20_000, 80, 120]), "other clocks");
        let rare: Vec<i64> =
            (0..4).flat_map(|n| (0..400).chain([398]).map(move |it| n * 500 + it)).collect();
        assert!(!is_certain(&rare), "one step back in many frames");
    }
}
