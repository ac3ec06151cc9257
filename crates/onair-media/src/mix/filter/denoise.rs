//! Suppresses noise with RNNoise, which processes 10 ms of one channel at 48 kHz. Audio at other
//! rates is resampled to 48 kHz and back.

use nnnoiseless::DenoiseState;
use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{
    Async, FixedAsync, Resampler, SincInterpolationParameters, SincInterpolationType,
    WindowFunction,
};

use crate::mix::block::{Shape, within};

const RNNOISE_SAMPLE_RATE_HZ: u32 = 48_000;
const RNNOISE_FRAME_SAMPLES: usize = DenoiseState::FRAME_SIZE;
/// Length of the resamplers' filter in input samples.
const RESAMPLER_TAPS: usize = 96;
/// Delay of a resampler in input samples: half of its filter, without the sample in the middle.
const RESAMPLER_DELAY_SAMPLES: usize = RESAMPLER_TAPS / 2 - 1;
/// Maximum number of samples by which the two resamplers output less than their average.
const RESAMPLER_JITTER_SAMPLES: usize = 8;
/// RNNoise's full scale.
const RNNOISE_FULL_SCALE: f32 = 32_768.0;

pub struct Denoise {
    amount: f32,
    rate: u32,
    channels: Vec<Channel>,
    /// One model per channel, or one for all channels while they are identical, as with most
    /// microphones.
    models: Vec<Box<DenoiseState<'static>>>,
}

/// The buffers of one channel: its input, its cleaned audio, and the original audio.
struct Channel {
    /// Resamplers to 48 kHz and back; `None` at 48 kHz.
    resamplers: Option<(Async<f32>, Async<f32>)>,
    /// Audio at the mixer's rate that waits until a frame is complete.
    waiting: Vec<f32>,
    /// Cleaned audio that waits for output.
    cleaned: Vec<f32>,
    /// The original audio with the same delay.
    plain: Vec<f32>,
    /// A scratch buffer at 48 kHz.
    at_48k: Vec<f32>,
    clean_48k: Vec<f32>,
    back: Vec<f32>,
}

impl Denoise {
    pub fn new(amount: f32, shape: Shape) -> Self {
        let channels = (0..shape.channels).map(|_| Channel::new(shape.rate)).collect();
        let models = vec![DenoiseState::new()];
        let mut denoise = Self { amount: 1.0, rate: shape.rate, channels, models };
        denoise.set_amount(amount);
        denoise
    }

    pub fn set_amount(&mut self, amount: f32) {
        self.amount = within(amount, 0.0, 1.0, 1.0);
    }

    /// Returns the latency: RNNoise's delay of one frame, the block that fills up, and the delay of
    /// the resamplers.
    pub fn latency(&self) -> usize {
        self.channels.first().map_or(0, |channel| channel.latency(self.rate))
    }

    /// Filters a block. If blocks are not whole frames, the rest is output with a later block.
    pub fn process(&mut self, block: &mut Vec<f32>) {
        let count = self.channels.len();
        for (index, channel) in self.channels.iter_mut().enumerate() {
            channel.take(block.iter().skip(index).step_by(count));
        }
        self.clean();
        let mut left = 0;
        for (index, channel) in self.channels.iter_mut().enumerate() {
            left = channel.give(block.iter_mut().skip(index).step_by(count), self.amount);
        }
        block.truncate(left * count);
    }

    /// Cleans the complete frames at 48 kHz. All channels have the same number of frames.
    fn clean(&mut self) {
        let count = self.channels.len();
        let whole = self
            .channels
            .first()
            .map_or(0, |first| first.at_48k.len() / RNNOISE_FRAME_SAMPLES * RNNOISE_FRAME_SAMPLES);
        for begin in (0..whole).step_by(RNNOISE_FRAME_SAMPLES) {
            let Some((first, others)) = self.channels.split_first_mut() else { return };
            let differs = |other: &Channel| other.frame(begin) != first.frame(begin);
            if self.models.len() < count && others.iter().any(differs) {
                let model = self.models.first().cloned();
                self.models.resize_with(count, || model.clone().unwrap_or_else(DenoiseState::new));
            }
            let mut models = self.models.iter_mut();
            if let Some(model) = models.next() {
                first.clean(begin, model);
            }
            for other in others {
                match models.next() {
                    Some(model) => other.clean(begin, model),
                    None => {
                        let done = first.clean_48k.len() - RNNOISE_FRAME_SAMPLES;
                        let same = first.clean_48k.get(done..).unwrap_or_default();
                        other.clean_48k.extend_from_slice(same);
                    }
                }
            }
        }
        for channel in &mut self.channels {
            channel.at_48k.drain(..whole);
        }
    }
}

impl Channel {
    fn new(rate: u32) -> Self {
        let resamplers = if rate == RNNOISE_SAMPLE_RATE_HZ {
            None
        } else {
            resampler(rate, RNNOISE_SAMPLE_RATE_HZ, FixedAsync::Output).zip(resampler(
                RNNOISE_SAMPLE_RATE_HZ,
                rate,
                FixedAsync::Input,
            ))
        };
        let mut channel = Self {
            resamplers,
            waiting: Vec::with_capacity(RNNOISE_FRAME_SAMPLES * 4),
            cleaned: Vec::with_capacity(RNNOISE_FRAME_SAMPLES * 8),
            plain: Vec::with_capacity(RNNOISE_FRAME_SAMPLES * 8),
            at_48k: Vec::with_capacity(RNNOISE_FRAME_SAMPLES * 8),
            clean_48k: Vec::with_capacity(RNNOISE_FRAME_SAMPLES * 8),
            back: vec![0.0; RNNOISE_FRAME_SAMPLES * 8],
        };
        // Ensures that a sample can be output for each input sample.
        channel.cleaned.resize(channel.fill(rate), 0.0);
        channel.plain.resize(channel.latency(rate), 0.0);
        channel
    }

    /// Returns the number of samples that can wait at the input: a frame if blocks are not whole
    /// frames.
    fn fill(&self, rate: u32) -> usize {
        match &self.resamplers {
            None => 0,
            Some((into, _)) => {
                into.input_frames_max() + rate as usize / 50 + RESAMPLER_JITTER_SAMPLES
            }
        }
    }

    fn latency(&self, rate: u32) -> usize {
        match &self.resamplers {
            None => RNNOISE_FRAME_SAMPLES,
            Some(_) => {
                let at_48k = RNNOISE_FRAME_SAMPLES + RESAMPLER_DELAY_SAMPLES;
                let after = at_48k * rate as usize / RNNOISE_SAMPLE_RATE_HZ as usize;
                self.fill(rate) + RESAMPLER_DELAY_SAMPLES + after
            }
        }
    }

    /// Adds audio, and resamples it to 48 kHz.
    fn take<'a>(&mut self, samples: impl Iterator<Item = &'a f32>) {
        let known = self.waiting.len();
        self.waiting.extend(samples);
        self.plain.extend_from_slice(self.waiting.get(known..).unwrap_or_default());
        match &mut self.resamplers {
            None => self.at_48k.append(&mut self.waiting),
            Some((into, _)) => {
                while resample(into, &mut self.waiting, &mut self.back) {
                    self.at_48k.append(&mut self.back);
                }
            }
        }
    }

    /// Returns the frame at 48 kHz that begins at `begin`.
    fn frame(&self, begin: usize) -> &[f32] {
        self.at_48k.get(begin..begin + RNNOISE_FRAME_SAMPLES).unwrap_or_default()
    }

    fn clean(&mut self, begin: usize, model: &mut DenoiseState<'static>) {
        let mut input = [0.0; RNNOISE_FRAME_SAMPLES];
        let mut output = [0.0; RNNOISE_FRAME_SAMPLES];
        for (to, from) in input.iter_mut().zip(self.frame(begin)) {
            *to = from * RNNOISE_FULL_SCALE;
        }
        model.process_frame(&mut output, &input);
        self.clean_48k.extend(output.iter().map(|sample| sample / RNNOISE_FULL_SCALE));
    }

    /// Resamples cleaned audio to the mixer's rate, and outputs as many samples as were added.
    fn give<'a>(
        &mut self,
        samples: impl ExactSizeIterator<Item = &'a mut f32>,
        amount: f32,
    ) -> usize {
        match &mut self.resamplers {
            None => self.cleaned.append(&mut self.clean_48k),
            Some((_, from)) => {
                while resample(from, &mut self.clean_48k, &mut self.back) {
                    self.cleaned.append(&mut self.back);
                }
            }
        }
        let frames = samples.len().min(self.cleaned.len()).min(self.plain.len());
        for ((sample, clean), plain) in samples.zip(&self.cleaned).zip(&self.plain) {
            *sample = plain + (clean - plain) * amount;
        }
        for line in [&mut self.cleaned, &mut self.plain] {
            line.drain(..frames);
        }
        frames
    }
}

/// Creates a resampler of which one side has whole frames of RNNoise.
fn resampler(from: u32, to: u32, frames: FixedAsync) -> Option<Async<f32>> {
    // The resamplers based on FFT would add the code of a large library for this purpose alone.
    let parameters =
        SincInterpolationParameters::new(RESAMPLER_TAPS, WindowFunction::BlackmanHarris2)
            .oversampling_factor(128)
            .interpolation(SincInterpolationType::Cubic);
    let ratio = f64::from(to) / f64::from(from.max(1));
    Async::new_sinc(ratio, 1.01, &parameters, RNNOISE_FRAME_SAMPLES, 1, frames).ok()
}

/// Resamples as much of `input` as the resampler needs, and replaces the contents of `output` with
/// the result. Returns true if there was enough input.
fn resample(resampler: &mut Async<f32>, input: &mut Vec<f32>, output: &mut Vec<f32>) -> bool {
    let wanted = resampler.input_frames_next();
    output.clear();
    let Some(front) = input.get(..wanted).filter(|front| !front.is_empty()) else { return false };
    output.resize(resampler.output_frames_max(), 0.0);
    let frames_out = output.len();
    let made = InterleavedSlice::new(front, 1, wanted)
        .ok()
        .zip(InterleavedSlice::new_mut(output, 1, frames_out).ok())
        .and_then(|(from, mut to)| resampler.process_into_buffer(&from, &mut to, None).ok());
    output.truncate(made.map_or(0, |(_, made)| made));
    input.drain(..wanted);
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tests that sharing a model is inaudible. Channels share a model while they are identical.
    #[test]
    fn channels_come_out_as_if_each_always_had_its_own_model() {
        for rate in [48_000, 44_100] {
            let shape = |channels| Shape { rate, channels };
            let mut both = Denoise::new(0.9, shape(2));
            let mut each = [0, 1].map(|_| Denoise::new(0.9, shape(1)));
            let mut seed = 7_u32;
            for index in 0..120 {
                // The right channel differs from the middle of a block on.
                let mut block = Vec::new();
                for at in 0..rate / 100 {
                    seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    let left = 0.1 * ((seed >> 8) as f32 / 8_388_608.0 - 1.0);
                    let differs = index > 60 || (index == 60 && at > 200);
                    block.extend([left, if differs { 0.3 - left } else { left }]);
                }
                let side = |side| block.iter().skip(side).step_by(2).copied().collect::<Vec<_>>();
                let mut sides = [side(0), side(1)];
                both.process(&mut block);
                match index {
                    0..60 => assert_eq!(both.models.len(), 1, "block {index}"),
                    70.. => assert_eq!(both.models.len(), 2, "block {index}"),
                    _ => {}
                }
                for (side, (alone, samples)) in each.iter_mut().zip(&mut sides).enumerate() {
                    alone.process(samples);
                    let output = block.iter().skip(side).step_by(2);
                    assert!(output.eq(samples.iter()), "{rate} Hz, block {index}, side {side}");
                }
            }
        }
    }
}
