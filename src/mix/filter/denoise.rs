//! Noise suppression by RNNoise. It works on 10 ms of one channel at 48 kHz; sound of another rate
//! goes there and back again.

use nnnoiseless::DenoiseState;
use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{Fft, FixedSync, Resampler};

use crate::mix::block::{Shape, within};

const RATE: u32 = 48_000;
const FRAME: usize = DenoiseState::FRAME_SIZE;
/// What RNNoise takes for full scale.
const FULL: f32 = 32_768.0;

pub(super) struct Denoise {
    amount: f32,
    rate: u32,
    channels: Vec<Channel>,
}

/// One channel on its way: in, through the model, out; with the sound as it was beside it.
struct Channel {
    state: Box<DenoiseState<'static>>,
    /// To 48 kHz and back; `None` where the sound is there already.
    resamplers: Option<(Fft<f32>, Fft<f32>)>,
    /// What waits for a whole frame at the session's rate.
    waiting: Vec<f32>,
    /// Cleaned sound that waits to be taken, and the sound it was made of, equally late.
    cleaned: Line,
    plain: Line,
    /// Scratch.
    at_48k: Vec<f32>,
    clean_48k: Vec<f32>,
    back: Vec<f32>,
}

/// A queue of samples.
type Line = std::collections::VecDeque<f32>;

impl Denoise {
    pub(super) fn new(amount: f32, shape: Shape) -> Self {
        let channels = (0..shape.channels).map(|_| Channel::new(shape.rate)).collect();
        let mut denoise = Self { amount: 1.0, rate: shape.rate, channels };
        denoise.set_amount(amount);
        denoise
    }

    pub(super) fn set_amount(&mut self, amount: f32) {
        self.amount = within(amount, 0.0, 1.0, 1.0);
    }

    /// RNNoise's own frame of delay, the block that fills up, and the resamplers.
    pub(super) fn latency(&self) -> usize {
        self.channels.first().map_or(0, |channel| channel.latency(self.rate))
    }

    pub(super) fn process(&mut self, block: &mut [f32]) {
        let count = self.channels.len();
        for (index, channel) in self.channels.iter_mut().enumerate() {
            for sample in block.iter().skip(index).step_by(count) {
                channel.push(*sample);
            }
            for sample in block.iter_mut().skip(index).step_by(count) {
                let clean = channel.cleaned.pop_front().unwrap_or(0.0);
                let plain = channel.plain.pop_front().unwrap_or(0.0);
                *sample = plain + (clean - plain) * self.amount;
            }
        }
    }
}

impl Channel {
    fn new(rate: u32) -> Self {
        let resampler = |from: u32, to: u32, chunk: usize| {
            Fft::<f32>::new(from as usize, to as usize, chunk, 1, FixedSync::Both).ok()
        };
        let resamplers = if rate == RATE {
            None
        } else {
            resampler(rate, RATE, rate as usize / 100).zip(resampler(RATE, rate, FRAME))
        };
        let mut channel = Self {
            state: DenoiseState::new(),
            resamplers,
            waiting: Vec::with_capacity(FRAME * 4),
            cleaned: Line::with_capacity(FRAME * 8),
            plain: Line::with_capacity(FRAME * 8),
            at_48k: Vec::with_capacity(FRAME * 8),
            clean_48k: Vec::with_capacity(FRAME * 8),
            back: vec![0.0; FRAME * 8],
        };
        // So that a sample can always be taken for one given.
        let fill = channel.fill(rate);
        channel.cleaned.extend(std::iter::repeat_n(0.0, fill));
        let late = channel.latency(rate);
        channel.plain.extend(std::iter::repeat_n(0.0, late));
        channel
    }

    /// Samples that may be on their way in at once: a frame, where blocks are no whole frames.
    fn fill(&self, rate: u32) -> usize {
        match &self.resamplers {
            None => 0,
            Some((into, _)) => into.input_frames_max() + rate as usize / 50,
        }
    }

    fn latency(&self, rate: u32) -> usize {
        let model = FRAME * rate as usize / RATE as usize;
        match &self.resamplers {
            None => FRAME,
            Some((into, from)) => {
                let there = into.output_delay() * rate as usize / RATE as usize;
                self.fill(rate) + model + there + from.output_delay()
            }
        }
    }

    fn push(&mut self, sample: f32) {
        self.plain.push_back(sample);
        self.waiting.push(sample);
        match &mut self.resamplers {
            None => {
                if self.waiting.len() >= FRAME {
                    self.at_48k.append(&mut self.waiting);
                    self.clean();
                    self.cleaned.extend(self.clean_48k.drain(..));
                }
            }
            Some((into, _)) => {
                if self.waiting.len() >= into.input_frames_next() {
                    self.there_and_back();
                }
            }
        }
    }

    /// Cleans the whole frames at 48 kHz.
    fn clean(&mut self) {
        let mut input = [0.0; FRAME];
        let mut output = [0.0; FRAME];
        let whole = self.at_48k.len() / FRAME * FRAME;
        for frame in self.at_48k.get(..whole).unwrap_or_default().chunks_exact(FRAME) {
            for (to, from) in input.iter_mut().zip(frame) {
                *to = from * FULL;
            }
            self.state.process_frame(&mut output, &input);
            self.clean_48k.extend(output.iter().map(|sample| sample / FULL));
        }
        self.at_48k.drain(..whole);
    }

    fn there_and_back(&mut self) {
        if let Some((into, _)) = &mut self.resamplers {
            resample(into, &mut self.waiting, &mut self.back);
            self.at_48k.append(&mut self.back);
        }
        self.clean();
        if let Some((_, from)) = &mut self.resamplers {
            while self.clean_48k.len() >= from.input_frames_next() {
                let rest = self.clean_48k.split_off(from.input_frames_next());
                resample(from, &mut self.clean_48k, &mut self.back);
                self.cleaned.extend(self.back.drain(..));
                self.clean_48k = rest;
            }
        }
    }
}

/// All of `input`, which is what the resampler asks for, into `output`.
fn resample(resampler: &mut Fft<f32>, input: &mut Vec<f32>, output: &mut Vec<f32>) {
    output.clear();
    output.resize(resampler.output_frames_max(), 0.0);
    let (frames_in, frames_out) = (input.len(), output.len());
    let made = InterleavedSlice::new(input, 1, frames_in)
        .ok()
        .zip(InterleavedSlice::new_mut(output, 1, frames_out).ok())
        .and_then(|(from, mut to)| resampler.process_into_buffer(&from, &mut to, None).ok());
    output.truncate(made.map_or(0, |(_, made)| made));
    input.clear();
}
