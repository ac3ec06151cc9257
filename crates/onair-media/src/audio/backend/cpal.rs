//! Real audio devices, through cpal. The backend uses the PulseAudio protocol (which PipeWire also
//! supports) if a server answers, because the server has readable names, converts formats, and
//! reports a lost device once. Otherwise, the backend uses ALSA until the device is opened again.
//! Buffers always have a fixed size, because the servers' default is two seconds.

use std::sync::{Arc, Weak};

use cpal::traits::{DeviceTrait, HostTrait, StreamTrait};
use cpal::{BufferSize, Device, Host, HostId, StreamConfig};

use crate::audio::backend::pulse::{self, PolledLink};
use crate::audio::backend::streams::{CALLBACKS_PER_SECOND, Running, fault, play_f32, record_f32};
use crate::audio::source::{ApplicationInfo, DeviceInfo};
use crate::audio::system::{AudioSystem, Direction, Fault, Sink, Stream, Tap};

/// The suffix of the server's names for monitors of speakers.
const MONITOR_SUFFIX: &str = ".monitor";
/// cpal with one host that stays open.
#[derive(Default)]
pub(super) struct Cpal {
    host: Option<Host>,
    /// Valid as long as a device of this host is open.
    open: Weak<()>,
    /// The connection for lists of applications, because cpal cannot list applications.
    looking: PolledLink,
}

impl Cpal {
    fn host(&mut self) -> Result<&Host, Fault> {
        if self.host.is_none() {
            crate::audio::backend::cookie::provide();
            let pulse = cpal::available_hosts().into_iter().find(|id| *id == HostId::PulseAudio);
            let pulse = pulse.and_then(|id| cpal::host_from_id(id).ok());
            let host = match pulse.filter(|host| host.devices().is_ok()) {
                Some(pulse) => pulse,
                None => cpal::host_from_id(HostId::Alsa).map_err(fault)?,
            };
            self.host = Some(host);
        }
        self.host.as_ref().ok_or_else(|| Fault::Other("this system has no audio".to_owned()))
    }

    /// Returns true if ALSA replaces PulseAudio, and no open device needs ALSA any more.
    fn may_leave_alsa(&self) -> bool {
        self.host.as_ref().is_some_and(|host| host.id() == HostId::Alsa)
            && self.open.strong_count() == 0
    }

    fn running(&mut self, stream: cpal::Stream) -> Box<dyn Stream> {
        let open = Arc::new(());
        self.open = Arc::downgrade(&open);
        Box::new(Running { _stream: stream, _open: open })
    }

    fn listed(&mut self, direction: Direction) -> Result<Vec<(DeviceInfo, Device)>, Fault> {
        let host = self.host()?;
        if direction == Direction::Monitor && host.id() != HostId::PulseAudio {
            return Err(Fault::Absent("neither PulseAudio nor PipeWire answers".to_owned()));
        }
        let first = match direction {
            Direction::Input => host.default_input_device(),
            Direction::Output | Direction::Monitor => host.default_output_device(),
        };
        let default = first.as_ref().and_then(|device| device.id().ok());
        let default = default.map(|id| match direction {
            Direction::Monitor => format!("{id}{MONITOR_SUFFIX}"),
            Direction::Input | Direction::Output => id.to_string(),
        });
        let mut found: Vec<(DeviceInfo, Device)> = Vec::new();
        for device in host.devices().map_err(fault)? {
            let Ok(id) = device.id() else { continue };
            let fits = match direction {
                Direction::Monitor => id.id().ends_with(MONITOR_SUFFIX),
                Direction::Input | Direction::Output => is_real(id.host(), id.id()),
            };
            if !fits {
                continue;
            }
            // ALSA takes the direction from its list of devices. For the formats, it would have to
            // open the device.
            let fits = match direction {
                Direction::Input | Direction::Monitor => device.supports_input(),
                Direction::Output => device.supports_output(),
            };
            if !fits {
                continue;
            }
            let name = device.description().map(|description| description.name().to_owned());
            let name = name.unwrap_or_else(|_| id.id().to_owned());
            let info = DeviceInfo {
                default: default.as_deref() == Some(id.to_string().as_str()),
                id: id.to_string(),
                name: name.replace('\n', ", "),
            };
            if found.iter().all(|(other, _)| other.id != info.id) {
                found.push((info, device));
            }
        }
        found.sort_by_key(|(info, _)| !info.default);
        Ok(found)
    }

    fn device(&mut self, direction: Direction, id: &str) -> Result<Device, Fault> {
        let found = self.listed(direction)?.into_iter().find(|(info, _)| info.id == id);
        found.map(|(_, device)| device).ok_or_else(|| Fault::Absent(format!("no device {id}")))
    }
}

/// Returns true if the id belongs to a physical device, and not to an ALSA plugin, an alias, or the
/// monitor of an output.
fn is_real(host: HostId, id: &str) -> bool {
    if host == HostId::Alsa {
        let by_name = id.strip_prefix("plughw:CARD=");
        id == "default"
            || by_name.is_some_and(|card| !card.starts_with(|c: char| c.is_ascii_digit()))
    } else {
        !id.ends_with(MONITOR_SUFFIX)
    }
}

impl AudioSystem for Cpal {
    fn devices(&mut self, direction: Direction) -> Result<Vec<DeviceInfo>, Fault> {
        if self.may_leave_alsa() && pulse::answers() {
            self.host = None;
        }
        let listed = self.listed(direction);
        if listed.is_err() {
            // The server may have been restarted.
            self.host = None;
        }
        Ok(listed?.into_iter().map(|(info, _)| info).collect())
    }

    fn applications(&mut self) -> Result<Vec<ApplicationInfo>, Fault> {
        self.looking.applications()
    }

    fn record_application(
        &mut self,
        name: &str,
        rate: u32,
        sink: Sink,
    ) -> Result<Box<dyn Stream>, Fault> {
        pulse::record(name, rate, sink)
    }

    fn record(&mut self, id: &str, rate: u32, sink: Sink) -> Result<Box<dyn Stream>, Fault> {
        let monitor = id.ends_with(MONITOR_SUFFIX);
        let direction = if monitor { Direction::Monitor } else { Direction::Input };
        let device = self.device(direction, id)?;
        let usual = device.default_input_config().map_err(fault)?;
        let channels = usual.channels().clamp(1, 8);
        let buffer_size = BufferSize::Fixed(rate / CALLBACKS_PER_SECOND);
        let config = StreamConfig { channels, sample_rate: rate, buffer_size };
        // Servers and the plug layer of ALSA convert to floats.
        let stream = record_f32(&device, config, sink)?;
        stream.play().map_err(fault)?;
        Ok(self.running(stream))
    }

    fn play(
        &mut self,
        id: &str,
        rate: u32,
        callbacks: u32,
        tap: Tap,
    ) -> Result<Box<dyn Stream>, Fault> {
        let device = self.device(Direction::Output, id)?;
        let usual = device.default_output_config().map_err(fault)?;
        tracing::debug!(id, format = %usual.sample_format(), "opening a speaker");
        let buffer_size = BufferSize::Fixed(rate / callbacks.max(1));
        let config = StreamConfig { channels: tap.channels(), sample_rate: rate, buffer_size };
        let stream = play_f32(&device, config, tap)?;
        stream.play().map_err(fault)?;
        Ok(self.running(stream))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pseudo_devices_are_left_out() {
        for id in ["default", "plughw:CARD=Loopback,DEV=0"] {
            assert!(is_real(HostId::Alsa, id), "{id}");
        }
        for id in ["null", "pulse", "hw:CARD=0,DEV=0", "plughw:CARD=0,DEV=0", "front:CARD=PCH"] {
            assert!(!is_real(HostId::Alsa, id), "{id}");
        }
        assert!(is_real(HostId::PulseAudio, "alsa_input.usb-046d_C920"));
        assert!(!is_real(HostId::PulseAudio, "speakers.monitor"));
    }

    #[test]
    fn alsa_is_left_only_while_none_of_its_devices_is_open() {
        assert!(!Cpal::default().may_leave_alsa(), "no host is chosen yet");
        let device = Arc::new(());
        let host = cpal::host_from_id(HostId::Alsa).unwrap();
        let open = Arc::downgrade(&device);
        let system = Cpal { host: Some(host), open, ..Cpal::default() };
        assert!(!system.may_leave_alsa());
        drop(device);
        assert!(system.may_leave_alsa());
    }
}
