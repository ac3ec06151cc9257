//! The path to the speakers: the player's thread fills a ring, and the device's callback empties it
//! without locks, allocations or waits.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rtrb::Producer;

use crate::audio::mic::bury;
use crate::audio::source::{DeviceInfo, Error};
use crate::audio::speaker_watch::{self, WatchedOutput};
use crate::audio::system::{self, AudioSystem, Direction, Fault, Played, Stream};
use crate::base::{Clock, Timestamp, partial_debug};
use crate::text::Problem;

/// Capacity of the ring.
const RING_DURATION: Duration = Duration::from_millis(500);

/// How many times per second a device requests samples. Each request costs about the same
/// regardless of its size, because the library clears 1 MiB for each message from the server.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum SpeakerPace {
    Prompt = 100,
    /// The pace for samples that are written long before they are played.
    Calm = 50,
}

/// Open speakers. The player uses the speakers as its clock: a sample that is written now is
/// audible after [`SpeakerOutput::queued_time`].
pub struct SpeakerOutput {
    rate: u32,
    channels: u16,
    clock: Clock,
    samples: Producer<f32>,
    played: Arc<Played>,
    device: DeviceInfo,
    opened: Timestamp,
    stream: Option<Box<dyn Stream>>,
    watched: Option<Arc<WatchedOutput>>,
}

partial_debug!(SpeakerOutput { device });

impl SpeakerOutput {
    /// Opens the speakers with this id, or the system's default, for interleaved samples with this
    /// rate and channel count.
    ///
    /// # Errors
    /// Fails if the device does not exist, is busy or denied, or there is no audio system.
    pub fn open(
        device: Option<&str>,
        format: (u32, u16),
        pace: SpeakerPace,
        clock: Clock,
    ) -> Result<Self, Error> {
        let mut output =
            Self::open_on(&mut *crate::audio::backend::system(), device, format, pace, clock)
                .map_err(|fault| Error::Output(Problem::from(&fault)))?;
        let watched = WatchedOutput::new(device, &output.device, Arc::clone(&output.played));
        output.watched = Some(speaker_watch::watch(watched));
        Ok(output)
    }

    fn open_on(
        system: &mut dyn AudioSystem,
        id: Option<&str>,
        (rate, channels): (u32, u16),
        pace: SpeakerPace,
        clock: Clock,
    ) -> Result<Self, Fault> {
        if !(8_000..=192_000).contains(&rate) || !(1..=8).contains(&channels) {
            return Err(Fault::Format(format!("{rate} Hz, {channels} channels")));
        }
        let devices = system.devices(Direction::Output)?;
        let device = speaker_watch::find(&devices, id);
        let device = device.ok_or_else(|| Fault::Absent("no such speakers".to_owned()))?.clone();
        let room = rate as usize * RING_DURATION.as_millis() as usize / 1_000;
        let (samples, played, tap) = system::playback(clock, rate, channels, room);
        let stream = Some(system.play(&device.id, rate, pace as u32, tap)?);
        let (opened, watched) = (clock.now(), None);
        Ok(Self { rate, channels, clock, samples, played, device, opened, stream, watched })
    }

    /// Returns the id of the speakers in use.
    pub fn device_id(&self) -> &str {
        &self.device.id
    }

    /// Queues interleaved audio, and returns the number of frames (samples per channel) that fit.
    /// This function never waits.
    pub fn write(&mut self, samples: &[f32]) -> usize {
        let channels = usize::from(self.channels);
        let frames = (samples.len().min(self.samples.slots())) / channels;
        match self.samples.write_chunk_uninit(frames * channels) {
            Ok(chunk) => chunk.fill_from_iter(samples.iter().copied()) / channels,
            Err(_) => 0,
        }
    }

    /// Returns the number of frames that were written and that the device has not taken yet.
    pub fn waiting(&self) -> usize {
        let waiting = self.samples.buffer().capacity() - self.samples.slots();
        waiting / usize::from(self.channels)
    }

    /// Returns the number of frames that were written but not played yet, including the device's
    /// latency.
    pub fn queued(&self) -> usize {
        let until = self.played.playback_end.load(Ordering::Relaxed);
        let device = until.saturating_sub(self.clock.now().as_micros()).clamp(0, 5_000_000);
        self.waiting() + (device as u64 * u64::from(self.rate) / 1_000_000) as usize
    }

    /// Returns [`SpeakerOutput::waiting`] as a duration.
    pub fn waiting_time(&self) -> Duration {
        self.duration(self.waiting())
    }

    /// Returns [`SpeakerOutput::queued`] as a duration.
    pub fn queued_time(&self) -> Duration {
        self.duration(self.queued())
    }

    fn duration(&self, frames: usize) -> Duration {
        Duration::from_micros(frames as u64 * 1_000_000 / u64::from(self.rate))
    }

    /// Sets the volume, 0…1, without a click.
    pub fn set_volume(&self, volume: f32) {
        let volume = if volume.is_finite() { volume.clamp(0.0, 1.0) } else { 1.0 };
        self.played.volume.store(volume.to_bits(), Ordering::Relaxed);
    }

    /// Returns the number of callbacks with too little audio since the first audio.
    pub fn underruns(&self) -> u64 {
        self.played.underruns.load(Ordering::Relaxed)
    }

    /// Returns true if this output was opened for the system's default device, and another device
    /// is now the default. The caller should then drop this output and open a new one.
    pub fn has_moved(&self) -> bool {
        self.watched.as_ref().is_some_and(|watched| watched.has_moved())
    }

    /// Returns the reason why the device failed: the device's error, no device with the requested
    /// id, or no request for 2 s. The caller should then drop this output and open a new one.
    pub fn failed(&self) -> Option<String> {
        if let Some(fault) = self.played.latch.get() {
            return Some(fault);
        }
        let last = self.played.playback_end.load(Ordering::Relaxed).max(self.opened.as_micros());
        let silent = self.clock.now().as_micros().saturating_sub(last);
        (silent > 2_000_000).then(|| "the device no longer asks for audio".to_owned())
    }
}

impl Drop for SpeakerOutput {
    fn drop(&mut self) {
        if let Some(stream) = self.stream.take() {
            bury(stream);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::backend::fake::Fake;

    #[test]
    fn plays_what_is_written_and_knows_what_is_queued() {
        let (mut system, bench) = Fake::new();
        bench.plug(Direction::Output, "speakers");
        let clock = Clock::start();
        let mut output =
            SpeakerOutput::open_on(&mut system, None, (48_000, 2), SpeakerPace::Prompt, clock)
                .unwrap();
        assert_eq!((output.device.id.as_str(), output.queued()), ("speakers", 0));
        assert_eq!(output.write(&vec![0.5; 2_000]), 1_000);
        assert_eq!(output.queued(), 1_000);
        let mut out = vec![0.0; 960];
        bench.ask("speakers", &mut out, 50_000);
        assert!(out.iter().all(|&s| s == 0.5));
        let queued = output.queued();
        assert!(queued > 520 + 480 && queued <= 520 + 480 + 2_400, "{queued}");
        assert_eq!(output.write(&vec![0.5; 100_000]), 24_000 - 520);
        assert_eq!(output.failed(), None);
        bench.unplug("speakers");
        assert!(output.failed().is_some());
    }

    #[test]
    fn the_latency_of_a_device_is_no_waiting_audio() {
        let (mut system, bench) = Fake::new();
        bench.plug(Direction::Output, "headphones");
        let clock = Clock::start();
        let mut output =
            SpeakerOutput::open_on(&mut system, None, (48_000, 2), SpeakerPace::Prompt, clock)
                .unwrap();
        // Bluetooth headphones request 10 ms at a time, 200 ms before these are audible.
        for _ in 0..100 {
            assert_eq!(output.waiting_time(), Duration::ZERO);
            assert_eq!(output.write(&[0.5; 960]), 480);
            assert_eq!(output.waiting_time(), Duration::from_millis(10));
            let mut out = [0.0; 960];
            bench.ask("headphones", &mut out, 200_000);
            assert_eq!(out, [0.5; 960]);
        }
        assert!(output.queued() > 0);
    }

    #[test]
    fn says_why_there_are_no_speakers() {
        let (mut system, bench) = Fake::new();
        let clock = Clock::start();
        let none =
            SpeakerOutput::open_on(&mut system, None, (48_000, 2), SpeakerPace::Prompt, clock);
        assert!(matches!(none, Err(Fault::Absent(_))));
        bench.plug(Direction::Output, "speakers");
        bench.refuse("speakers", Some(Fault::Busy("EBUSY".into())));
        let busy = SpeakerOutput::open_on(
            &mut system,
            Some("speakers"),
            (48_000, 2),
            SpeakerPace::Prompt,
            clock,
        );
        assert!(matches!(busy, Err(Fault::Busy(_))));
        let odd = SpeakerOutput::open_on(&mut system, None, (0, 0), SpeakerPace::Prompt, clock);
        assert!(matches!(odd, Err(Fault::Format(_))));
    }
}
