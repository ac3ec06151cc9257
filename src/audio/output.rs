//! The way to the speakers: a ring filled by the player's thread and emptied by the device's
//! callback, which neither locks, allocates nor waits.

use std::time::Duration;

use super::Error;
use crate::base::Clock;

/// Open speakers. The player uses them as its clock: what is queued will be heard in `queued`
/// frames' time.
#[derive(Debug)]
pub struct Output {
    rate: u32,
    channels: u16,
    _clock: Clock,
}

impl Output {
    /// Opens the speakers of this id, or the system's default, for interleaved sound.
    ///
    /// # Errors
    /// No such device, busy, refused, or no sound system at all.
    pub fn open(
        _device: Option<&str>,
        rate: u32,
        channels: u16,
        clock: Clock,
    ) -> Result<Self, Error> {
        let _ = Self { rate, channels, _clock: clock };
        Err(Error::Output("no sound system".to_owned()))
    }

    /// Samples a second and channel that it takes.
    pub fn rate(&self) -> u32 {
        self.rate
    }

    /// Channels that it takes, interleaved.
    pub fn channels(&self) -> u16 {
        self.channels
    }

    /// Queues interleaved sound; the frames (samples a channel) that found room. Never waits.
    pub fn write(&mut self, _sound: &[f32]) -> usize {
        0
    }

    /// Frames written and not yet heard, the device's latency included.
    pub fn queued(&self) -> usize {
        0
    }

    /// Queued frames as a time.
    pub fn queued_time(&self) -> Duration {
        Duration::ZERO
    }

    /// Throws away what is queued and not yet handed to the device.
    pub fn clear(&mut self) {}

    /// Loudness, 0…1, without a click.
    pub fn set_volume(&self, _volume: f32) {}

    /// Times the device asked for sound and there was none.
    pub fn underruns(&self) -> u64 {
        0
    }

    /// Why the device is gone, once it is; then open a new one.
    pub fn failed(&self) -> Option<String> {
        None
    }
}
