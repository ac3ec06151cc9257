//! A microphone in simulated time for tests of the whole path (`studio/program/lip_sync_tests.rs`).
//! The mixer's side is real, and the test generates the callbacks.

use rtrb::{Producer, RingBuffer};

use super::*;
use crate::audio::system;

/// The driver's side of a simulated microphone.
#[derive(Debug)]
pub struct Microphone {
    samples: Producer<f32>,
    marks: Producer<CaptureMark>,
    state: Arc<system::CaptureState>,
    channels: usize,
    frame: i64,
}

impl Microphone {
    /// Creates a microphone with this nominal rate, and its source for the mixer.
    pub fn plug_in(context: &Context, rate: u32) -> (Self, Box<dyn AudioFeed>) {
        let channels = usize::from(context.channels);
        let (samples, audio_out) = RingBuffer::new(rate as usize * channels * 3 / 2);
        let (marks, marks_out) = RingBuffer::new(1_024);
        let state = Arc::new(system::CaptureState::default());
        let capture = Capture { samples: audio_out, marks: marks_out, state: Arc::clone(&state) };
        let shared = Arc::new(Shared::default());
        *shared.fresh.lock() = Some((capture, rate));
        let worker = Worker::spawn("microphone", |_| {}).unwrap();
        let feed = MicFeed { shared, context: *context, link: None, _worker: worker };
        (Self { samples, marks, state, channels, frame: 0 }, Box::new(feed))
    }

    /// Delivers a callback with this audio, captured at `at` according to the driver.
    pub fn hear(&mut self, at: Timestamp, samples: &[f32]) {
        self.marks.push(CaptureMark { frame: self.frame, at }).unwrap();
        for sample in samples {
            self.samples.push(*sample).unwrap();
        }
        let frames = samples.len() / self.channels;
        self.frame += frames as i64;
        self.state.frames.fetch_add(frames as u64, Ordering::Relaxed);
    }
}
