//! Arithmetic on blocks of interleaved audio.

/// The sample format of the audio in a filter.
#[derive(Copy, Clone, Debug)]
pub struct Shape {
    /// Samples per second per channel.
    pub rate: u32,
    pub channels: usize,
}

impl Shape {
    /// Returns the fraction that remains after one sample, for a time constant of `ms`
    /// milliseconds.
    pub fn smoothing(self, ms: f32) -> f32 {
        let samples = ms.clamp(0.05, 60_000.0) / 1_000.0 * self.rate as f32;
        (-1.0 / samples).exp()
    }
}

/// The difference in decibels between a level and its double. Filters compute thousands of powers
/// and logarithms per second, and powers and logarithms to the base 2 are the cheapest.
const OCTAVE_DB: f32 = 20.0 * std::f32::consts::LOG10_2;

/// Converts decibels to a factor.
pub fn factor(db: f32) -> f32 {
    (db / OCTAVE_DB).exp2()
}

/// Converts a factor or a level to decibels. Zero gives −120 dB.
pub fn decibels(level: f32) -> f32 {
    if level > 1e-6 { level.log2() * OCTAVE_DB } else { -120.0 }
}

/// Clamps a value to a range. NaN becomes `otherwise`.
pub fn within(value: f32, low: f32, high: f32, otherwise: f32) -> f32 {
    if value.is_finite() { value.clamp(low, high) } else { otherwise }
}

/// Returns the level of the loudest channel of a frame.
pub fn loudest(frame: &[f32]) -> f32 {
    frame.iter().fold(0.0, |peak, sample| sample.abs().max(peak))
}

/// Clamps values to `most`. NaN and infinite values become 0, because they would stay in filters
/// forever.
pub fn bound(data: &mut [f32], most: f32) {
    for sample in data {
        *sample = if sample.is_finite() { sample.clamp(-most, most) } else { 0.0 };
    }
}

/// Clamps values to full scale, because encoders wrap around beyond full scale and at NaN.
pub fn limit(data: &mut [f32]) {
    for sample in data {
        *sample = if sample.is_nan() { 0.0 } else { sample.clamp(-1.0, 1.0) };
    }
}

/// Applies a factor to a block, with a ramp from `now` to `to`.
pub fn ramp(now: &mut f32, to: f32, channels: usize, data: &mut [f32]) {
    let from = std::mem::replace(now, to);
    if from == to {
        if to != 1.0 {
            data.iter_mut().for_each(|sample| *sample *= to);
        }
        return;
    }
    let channels = channels.max(1);
    let frames = (data.len() / channels).max(1) as f32;
    for (index, frame) in data.chunks_mut(channels).enumerate() {
        let factor = from + (to - from) * (index as f32 + 1.0) / frames;
        frame.iter_mut().for_each(|sample| *sample *= factor);
    }
}
