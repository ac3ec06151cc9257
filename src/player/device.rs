//! The real speaker behind [`Speaker`].

use crate::audio::output::Output;
use crate::base::Clock;
use crate::player::sound::Speaker;

/// Opens the speaker of this id, or the system's default.
pub(super) fn open(
    id: Option<&str>,
    rate: u32,
    channels: u16,
    clock: Clock,
) -> Result<Box<dyn Speaker>, String> {
    match Output::open_calm(id, rate, channels, clock) {
        Ok(output) => Ok(Box::new(Device(output))),
        Err(error) => Err(error.to_string()),
    }
}

struct Device(Output);

impl Speaker for Device {
    fn write(&mut self, data: &[f32]) -> usize {
        self.0.write(data)
    }

    fn queued(&self) -> usize {
        self.0.queued()
    }

    fn set_volume(&mut self, volume: f32) {
        self.0.set_volume(volume);
    }

    fn underruns(&self) -> u64 {
        self.0.underruns()
    }

    fn failed(&self) -> Option<String> {
        self.0.failed()
    }
}
