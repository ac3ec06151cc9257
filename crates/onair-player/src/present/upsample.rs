//! Upsamples audio whose rate is too low for devices (5.5 kHz in old FLV) by linear interpolation.
//! The interpolation adds only frequencies above the band of this audio.

use crate::player::decode::audio::Speaker;

/// The minimum sample rate of devices in Hz.
const MIN_DEVICE_RATE_HZ: u32 = 8_000;
/// The minimum valid sample rate of audio in Hz.
const MIN_AUDIO_RATE_HZ: u32 = 1_000;
/// Maximum number of frames per step.
const MAX_FRAMES: usize = 4_096;

/// Returns the upsampling factor.
pub(crate) fn times(rate: u32) -> u32 {
    if (MIN_AUDIO_RATE_HZ..MIN_DEVICE_RATE_HZ).contains(&rate) {
        MIN_DEVICE_RATE_HZ.div_ceil(rate)
    } else {
        1
    }
}

/// A speaker at a multiple of its input rate.
pub(crate) struct Upsampled<S> {
    inner: S,
    times: usize,
    channels: usize,
    /// The last input frame.
    last: Vec<f32>,
    /// Output that did not fit, at most the output of one call.
    waiting: Vec<f32>,
}

impl<S: Speaker> Upsampled<S> {
    pub(crate) fn new(inner: S, times: usize, channels: u16) -> Self {
        let channels = usize::from(channels).max(1);
        let (last, waiting) = (vec![0.0; channels], Vec::new());
        Self { inner, times: times.max(1), channels, last, waiting }
    }

    /// Passes on the waiting output. Returns true if all of it fit.
    fn pass(&mut self) -> bool {
        let taken = self.inner.write(&self.waiting) * self.channels;
        self.waiting.drain(..taken.min(self.waiting.len()));
        self.waiting.is_empty()
    }
}

impl<S: Speaker> Speaker for Upsampled<S> {
    fn write(&mut self, data: &[f32]) -> usize {
        if !self.pass() {
            return 0;
        }
        let mut taken = 0;
        for frame in data.chunks_exact(self.channels).take(MAX_FRAMES) {
            for step in 1..=self.times {
                let share = step as f32 / self.times as f32;
                let between = |(&from, &to): (&f32, &f32)| from + (to - from) * share;
                self.waiting.extend(self.last.iter().zip(frame).map(between));
            }
            self.last.copy_from_slice(frame);
            taken += 1;
        }
        self.pass();
        taken
    }

    fn queued(&self) -> usize {
        (self.inner.queued() + self.waiting.len() / self.channels).div_ceil(self.times)
    }

    fn waiting(&self) -> usize {
        (self.inner.waiting() + self.waiting.len() / self.channels).div_ceil(self.times)
    }

    fn set_volume(&mut self, volume: f32) {
        self.inner.set_volume(volume);
    }

    fn underruns(&self) -> u64 {
        self.inner.underruns()
    }

    fn failed(&self) -> Option<String> {
        self.inner.failed()
    }

    fn has_moved(&self) -> bool {
        self.inner.has_moved()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A device with room for this many frames of two channels.
    struct Small {
        samples: Vec<f32>,
        room: usize,
    }

    impl Speaker for Small {
        fn write(&mut self, data: &[f32]) -> usize {
            let frames = (data.len() / 2).min(self.room - self.queued());
            self.samples.extend(&data[..frames * 2]);
            frames
        }

        fn queued(&self) -> usize {
            self.samples.len() / 2
        }

        fn set_volume(&mut self, _: f32) {}

        fn underruns(&self) -> u64 {
            0
        }

        fn failed(&self) -> Option<String> {
            None
        }
    }

    #[test]
    fn audio_of_too_few_samples_a_second_is_played_as_twice_as_many() {
        assert_eq!([0, 5_512, 7_999, 8_000, 48_000].map(times), [1, 2, 2, 1, 1]);
        assert!(5_512 * times(5_512) >= MIN_DEVICE_RATE_HZ && times(1_000) == 8);
        let mut speaker = Upsampled::new(Small { samples: Vec::new(), room: 5 }, 2, 2);
        // Left rises, right falls.
        assert_eq!(speaker.write(&[0.5, -0.5, 1.0, -1.0, 0.0, 0.0]), 3);
        let five = [0.25, -0.25, 0.5, -0.5, 0.75, -0.75, 1.0, -1.0, 0.5, -0.5];
        assert_eq!(speaker.inner.samples, five);
        // One frame waits and counts as queued; no more input is accepted until it is gone.
        assert_eq!((speaker.queued(), speaker.write(&[1.0, 1.0])), (3, 0));
        speaker.inner.room = 10;
        assert_eq!(speaker.write(&[1.0, 1.0]), 1);
        assert_eq!(speaker.inner.samples[10..], [0.0, 0.0, 0.5, 0.5, 1.0, 1.0]);
        assert_eq!(speaker.queued(), 4);
    }
}
