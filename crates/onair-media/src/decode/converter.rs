//! Converts decoded audio to another sample rate and number of channels.

use std::time::Duration;

use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{
    Async, FixedAsync, Indexing, Resampler, SincInterpolationParameters, SincInterpolationType,
    WindowFunction,
};

use crate::base::partial_debug;

/// Number of frames that are resampled in one step.
const CHUNK_FRAMES: usize = 256;

/// The audio converter; see the module documentation.
pub struct Converter {
    from: (u32, usize),
    to: (u32, usize),
    resampler: Option<Async<f32>>,
    /// Samples with the output's number of channels that have not been resampled yet.
    waiting: Vec<f32>,
    made: Vec<f32>,
}

partial_debug! { Converter { from, to } }

impl Converter {
    /// Creates a converter. Both arguments consist of a rate and a channel count.
    pub fn new((rate, channels): (u32, u16), to: (u32, u16)) -> Result<Self, String> {
        let resampler = if rate == to.0 {
            None
        } else {
            let parameters = SincInterpolationParameters::new(96, WindowFunction::BlackmanHarris2)
                .oversampling_factor(128)
                .interpolation(SincInterpolationType::Cubic);
            let ratio = f64::from(to.0) / f64::from(rate.max(1));
            let (count, fixed) = (usize::from(to.1), FixedAsync::Input);
            let made = Async::new_sinc(ratio, 1.01, &parameters, CHUNK_FRAMES, count, fixed);
            Some(made.map_err(|error| error.to_string())?)
        };
        let from = (rate.max(1), usize::from(channels.max(1)));
        let to = (to.0, usize::from(to.1));
        Ok(Self { from, to, resampler, waiting: Vec::new(), made: Vec::new() })
    }

    /// Returns the duration of the input that has not been output yet.
    pub fn held(&self) -> Duration {
        let waiting = (self.waiting.len() / self.to.1.max(1)) as f64 / f64::from(self.from.0);
        Duration::from_secs_f64(waiting) + self.delay()
    }

    /// Returns the delay of the converter.
    pub fn delay(&self) -> Duration {
        let frames = self.resampler.as_ref().map_or(0, Resampler::output_delay);
        Duration::from_secs_f64(frames as f64 / f64::from(self.to.0.max(1)))
    }

    /// Converts these interleaved samples.
    pub fn convert(&mut self, data: &[f32]) -> &[f32] {
        let (channels, wanted) = (self.from.1, self.to.1);
        for frame in data.chunks_exact(channels) {
            for channel in 0..wanted {
                let sample = match (channels, wanted) {
                    (_, 1) => frame.iter().sum::<f32>() / channels as f32,
                    _ => frame.get(channel % channels).copied().unwrap_or(0.0),
                };
                self.waiting.push(if sample.is_finite() { sample.clamp(-4.0, 4.0) } else { 0.0 });
            }
        }
        self.resample();
        &self.made
    }

    fn resample(&mut self) {
        let channels = self.to.1;
        let Some(resampler) = &mut self.resampler else {
            std::mem::swap(&mut self.made, &mut self.waiting);
            self.waiting.clear();
            return;
        };
        self.made.clear();
        loop {
            let needed = resampler.input_frames_next();
            let Some(input) = self.waiting.get(..needed * channels) else { return };
            let room = resampler.output_frames_max();
            let begin = self.made.len();
            self.made.resize(begin + room * channels, 0.0);
            let Ok(input) = InterleavedSlice::new(input, channels, needed) else { return };
            let place = self.made.get_mut(begin..).unwrap_or_default();
            let Ok(mut output) = InterleavedSlice::new_mut(place, channels, room) else { return };
            let done = resampler.process_into_buffer(&input, &mut output, None::<&Indexing>);
            let Ok((taken, given)) = done else {
                self.made.truncate(begin);
                return;
            };
            self.made.truncate(begin + given * channels);
            self.waiting.drain(..taken * channels);
        }
    }
}
