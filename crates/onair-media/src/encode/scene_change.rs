//! Detects a scene change between frames: the means of small blocks, which are computed from a few
//! samples each, change nearly everywhere. Motion and grain change the means little, and a flash or
//! a title changes them only locally.

/// Distance between block centers in luma samples, in both directions.
const BLOCK_SPACING: usize = 32;
/// Distance between the samples of a block, in both directions.
const SAMPLE_SPACING: usize = 8;
/// The difference in the mean above which a block counts as changed.
const CHANGED_BLOCK_THRESHOLD: u32 = 10;
/// The share of changed blocks, in addition to the recent usual share, above which a frame begins a
/// new scene.
const SCENE_CHANGE_SHARE: f64 = 0.35;

/// Compares each frame with the previous one.
#[derive(Debug, Default)]
pub(super) struct SceneDetector {
    means: Vec<u8>,
    /// The usual share of changed blocks in recent frames.
    usual: f64,
}

impl SceneDetector {
    /// Checks a frame. Returns true if the frame begins a new scene, and false for the first frame.
    pub(super) fn is_new(&mut self, luma: &[u8], stride: usize) -> bool {
        let mut changed = 0_usize;
        let mut count = 0_usize;
        let first = self.means.is_empty();
        let rows = luma.chunks_exact(stride.max(1) * BLOCK_SPACING);
        for band in rows {
            for left in (0..stride.saturating_sub(BLOCK_SPACING - 1)).step_by(BLOCK_SPACING) {
                let mut sum = 0_u32;
                for down in 0..4 {
                    let start = (down * SAMPLE_SPACING + 4) * stride + left;
                    let line = band.get(start..start + BLOCK_SPACING).unwrap_or_default();
                    sum += line
                        .iter()
                        .step_by(SAMPLE_SPACING)
                        .map(|&luma| u32::from(luma))
                        .sum::<u32>();
                }
                let mean = sum / 16;
                match self.means.get_mut(count) {
                    Some(before) => {
                        changed += usize::from(
                            mean.abs_diff(u32::from(*before)) > CHANGED_BLOCK_THRESHOLD,
                        );
                        *before = mean as u8;
                    }
                    None => self.means.push(mean as u8),
                }
                count += 1;
            }
        }
        let part = changed as f64 / count.max(1) as f64;
        let new = !first && part > SCENE_CHANGE_SHARE + self.usual;
        if !new {
            self.usual += (part - self.usual) * 0.2;
        }
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME_WIDTH: usize = 640;

    /// Creates a wavy test frame, shifted by this many columns.
    fn luma(kind: f32, moved: usize) -> Vec<u8> {
        let luma = |at: usize| {
            let (x, y) = ((at % FRAME_WIDTH + moved) as f32, (at / FRAME_WIDTH) as f32);
            (120.0 + 60.0 * (x * 0.011 * kind + kind).sin() * (y * 0.017 + kind * 2.0).cos()) as u8
        };
        (0..FRAME_WIDTH * 360).map(luma).collect()
    }

    #[test]
    fn a_cut_is_distinguished_from_movement_and_a_flash() {
        let mut detector = SceneDetector::default();
        let mut new = |frame: &[u8]| detector.is_new(frame, FRAME_WIDTH);
        for n in 0..20 {
            assert!(!new(&luma(1.0, 8 * n)), "movement, {n}");
        }
        let mut flash = luma(1.0, 160);
        flash[..FRAME_WIDTH * 90].fill(235);
        assert!(!new(&flash) && !new(&luma(1.0, 168)));
        assert!(new(&luma(2.3, 0)));
        assert!(!new(&luma(2.3, 8)));
    }

    #[test]
    fn any_size_can_be_looked_at() {
        for (stride, rows) in [(0, 0), (2, 2), (16, 400), (33, 31), (400, 16)] {
            let luma = vec![90; stride * rows];
            let mut detector = SceneDetector::default();
            assert!(!detector.is_new(&luma, stride) && !detector.is_new(&luma, stride));
        }
    }
}
