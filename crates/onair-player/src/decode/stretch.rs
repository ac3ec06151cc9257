//! Plays audio slightly faster or slower at constant pitch. This module occasionally cuts or
//! repeats a piece of about one pitch period, where the waveform matches itself best, with a
//! crossfade. At speed 1, audio passes unchanged.
//!
//! The module is pure. It runs on the presenter thread.

/// The shortest piece that is cut or repeated, in ms.
const MIN_PIECE_MS: usize = 5;
/// The longest piece that is cut or repeated, in ms.
const MAX_PIECE_MS: usize = 15;
/// Length of the crossfade in ms.
const FADE_MS: usize = 5;

/// See the module documentation.
#[derive(Debug)]
pub struct TimeStretch {
    channels: usize,
    shortest: usize,
    longest: usize,
    fade: usize,
    /// Frames that should have been cut (positive) or repeated (negative) by now.
    debt: f64,
}

impl TimeStretch {
    /// Creates a stretcher for interleaved audio of this rate and number of channels.
    pub fn new(rate: u32, channels: u16) -> Self {
        let frames = |ms: usize| (rate as usize * ms / 1_000).max(4);
        Self {
            channels: usize::from(channels.max(1)),
            shortest: frames(MIN_PIECE_MS),
            longest: frames(MAX_PIECE_MS),
            fade: frames(FADE_MS),
            debt: 0.0,
        }
    }

    /// Returns the number of extra input frames that a cut needs.
    pub fn look_ahead(&self) -> usize {
        self.longest + self.fade
    }

    /// Resets the debt: the audio does not continue from its previous position.
    pub fn reset(&mut self) {
        self.debt = 0.0;
    }

    /// Appends about `frames` frames to `out` from the front of `input`. The input should contain
    /// [`TimeStretch::look_ahead`] more frames. Returns the number of input frames used.
    pub fn process(
        &mut self,
        input: &[f32],
        frames: usize,
        speed: f64,
        out: &mut Vec<f32>,
    ) -> usize {
        let available = input.len() / self.channels;
        let frames = frames.min(available);
        // A cut shortens the output, and a repetition reduces the used input.
        let debt_per_frame = if speed >= 1.0 { speed - 1.0 } else { 1.0 - 1.0 / speed.max(0.5) };
        self.debt += frames as f64 * debt_per_frame;
        // At speed 1, a remaining debt shorter than a piece stays: it is inaudible.
        let room = available >= self.look_ahead() && frames >= self.fade;
        if room && self.debt >= self.shortest as f64 {
            let piece = self.best_piece(input);
            self.debt -= piece as f64;
            self.seam(input, 0, piece, out);
            let rest = frames.saturating_sub(self.fade).min(available - piece - self.fade);
            let from = piece + self.fade;
            self.copy(input, from, rest, out);
            from + rest
        } else if room && self.debt <= -(self.shortest as f64) {
            let piece = self.best_piece(input);
            self.debt += piece as f64;
            self.copy(input, 0, piece, out);
            self.seam(input, piece, 0, out);
            let rest = frames.saturating_sub(self.fade);
            self.copy(input, self.fade, rest, out);
            self.fade + rest
        } else {
            self.debt = self.debt.clamp(-2.0 * self.longest as f64, 2.0 * self.longest as f64);
            self.copy(input, 0, frames, out);
            frames
        }
    }

    fn copy(&self, input: &[f32], from: usize, frames: usize, out: &mut Vec<f32>) {
        let span = from * self.channels..(from + frames) * self.channels;
        out.extend_from_slice(input.get(span).unwrap_or_default());
    }

    /// Fades from the audio at `from` to the audio at `to`.
    fn seam(&self, input: &[f32], from: usize, to: usize, out: &mut Vec<f32>) {
        let span = |at: usize| at * self.channels..(at + self.fade) * self.channels;
        let (Some(old), Some(new)) = (input.get(span(from)), input.get(span(to))) else {
            return;
        };
        let step = 1.0 / self.fade as f32;
        for (index, (old, new)) in old.iter().zip(new).enumerate() {
            let part = ((index / self.channels) as f32 + 0.5) * step;
            out.push(old + (new - old) * part);
        }
    }

    /// Returns the length of the piece after which the audio is most similar to the beginning of
    /// the piece.
    fn best_piece(&self, input: &[f32]) -> usize {
        let mono = |at: usize| {
            input
                .get(at * self.channels..(at + 1) * self.channels)
                .map_or(0.0, |frame| frame.iter().sum::<f32>())
        };
        let wave: Vec<f32> = (0..self.look_ahead()).map(mono).collect();
        let start = wave.get(..self.fade).unwrap_or_default();
        let mut best = (f32::NEG_INFINITY, self.shortest);
        for piece in self.shortest..=self.longest {
            let there = wave.get(piece..piece + self.fade).unwrap_or_default();
            let (mut product, mut energy) = (0.0_f32, 1e-9_f32);
            for (a, b) in start.iter().zip(there) {
                product += a * b;
                energy += b * b;
            }
            let likeness = product / energy.sqrt();
            if likeness > best.0 {
                best = (likeness, piece);
            }
        }
        best.1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE_RATE_HZ: u32 = 48_000;

    fn tone(hz: f64, frames: usize) -> Vec<f32> {
        (0..frames)
            .flat_map(|n| {
                let value =
                    (n as f64 * hz * std::f64::consts::TAU / f64::from(SAMPLE_RATE_HZ)).sin() * 0.5;
                [value as f32, value as f32]
            })
            .collect()
    }

    /// Plays all of `input` in blocks of 10 ms. Returns the output and the frames used.
    fn play(input: &[f32], speed: f64) -> (Vec<f32>, usize) {
        let mut stretch = TimeStretch::new(SAMPLE_RATE_HZ, 2);
        let (mut out, mut used) = (Vec::new(), 0);
        while input.len() / 2 - used >= 480 + stretch.look_ahead() {
            let ahead = &input[used * 2..(used + 480 + stretch.look_ahead()) * 2];
            used += stretch.process(ahead, 480, speed, &mut out);
        }
        (out, used)
    }

    #[test]
    fn speed_one_changes_nothing() {
        let input = tone(317.0, 48_000);
        let (out, used) = play(&input, 1.0);
        assert_eq!(out[..], input[..used * 2]);
    }

    #[test]
    fn other_speeds_take_as_long_as_they_should_and_keep_the_pitch() {
        for (speed, hz) in [(1.05, 440.0), (0.95, 440.0), (1.01, 1_000.0), (1.0002, 220.0)] {
            let input = tone(hz, 10 * 48_000);
            let (out, used) = play(&input, speed);
            let real = used as f64 / (out.len() / 2) as f64;
            assert!((real - speed).abs() < 0.002, "{speed}: {real}");
            let crossings = out.chunks(2).zip(out.chunks(2).skip(1));
            let crossings = crossings.filter(|(a, b)| a[0] < 0.0 && b[0] >= 0.0).count();
            let frequency = crossings as f64 * f64::from(SAMPLE_RATE_HZ) / (out.len() / 2) as f64;
            assert!((frequency - hz).abs() < hz * 0.005, "{speed}: {frequency} Hz");
            // There are no clicks: no step is larger than the steepest slope of the wave.
            let steepest = 0.5 * std::f64::consts::TAU * hz / f64::from(SAMPLE_RATE_HZ) * 1.5;
            let step = out.chunks(2).zip(out.chunks(2).skip(1)).map(|(a, b)| (a[0] - b[0]).abs());
            assert!(f64::from(step.fold(0.0, f32::max)) < steepest, "{speed}");
        }
    }

    #[test]
    fn short_and_empty_input_is_passed_on() {
        let mut stretch = TimeStretch::new(SAMPLE_RATE_HZ, 2);
        let mut out = Vec::new();
        assert_eq!(stretch.process(&[], 480, 1.05, &mut out), 0);
        assert_eq!(stretch.process(&[0.5; 20], 480, 1.05, &mut out), 10);
        assert_eq!(out.len(), 20);
    }
}
