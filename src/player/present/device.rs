//! The real speaker behind [`Speaker`].

use crate::audio::speaker::{SpeakerOutput, SpeakerPace};
use crate::base::Clock;
use crate::player::decode::audio::Speaker;
use crate::player::present::upsample::{Upsampled, times};

/// Opens the speaker of this id, or the system's default.
pub(in crate::player) fn open(
    id: Option<&str>,
    rate: u32,
    channels: u16,
    clock: Clock,
) -> Result<Box<dyn Speaker>, String> {
    let times = times(rate);
    let output =
        SpeakerOutput::open(id, (rate.saturating_mul(times), channels), SpeakerPace::Calm, clock)
            .map_err(|error| error.to_string())?;
    let device = Device(output);
    Ok(if times > 1 {
        Box::new(Upsampled::new(device, times as usize, channels))
    } else {
        Box::new(device)
    })
}

struct Device(SpeakerOutput);

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
