//! Audio devices of Windows, through cpal. The sound of the computer is an output device that is opened for
//! capture: its id is that of the device, with a suffix.

mod applications;

use std::sync::Arc;

use cpal::traits::{DeviceTrait, HostTrait, StreamTrait};
use cpal::{BufferSize, Device, StreamConfig};

use crate::audio::backend::streams::{CALLBACKS_PER_SECOND, Running, fault, play_f32, record_f32};
use crate::audio::source::{ApplicationInfo, DeviceInfo};
use crate::audio::system::{AudioSystem, Direction, Fault, Sink, Stream, Tap};

/// The suffix of the ids of speakers whose output is captured.
const MONITOR_SUFFIX: &str = ".monitor";

/// The default host of cpal.
pub(super) struct Wasapi;

fn listed(direction: Direction) -> Result<Vec<(DeviceInfo, Device)>, Fault> {
    let host = cpal::default_host();
    let is_input = direction == Direction::Input;
    let suffix = if direction == Direction::Monitor { MONITOR_SUFFIX } else { "" };
    let first = match is_input {
        true => host.default_input_device(),
        false => host.default_output_device(),
    };
    let first = first.and_then(|device| device.id().ok());
    let mut found = Vec::new();
    for device in host.devices().map_err(fault)? {
        let Ok(id) = device.id() else { continue };
        let fits = if is_input { device.supports_input() } else { device.supports_output() };
        if !fits {
            continue;
        }
        let name = device.description().map(|description| description.name().to_owned());
        let info = DeviceInfo {
            default: first.as_ref() == Some(&id),
            id: format!("{id}{suffix}"),
            name: name.unwrap_or_else(|_| id.id().to_owned()),
        };
        found.push((info, device));
    }
    found.sort_by_key(|(info, _)| !info.default);
    Ok(found)
}

fn device(direction: Direction, id: &str) -> Result<Device, Fault> {
    let found = listed(direction)?.into_iter().find(|(info, _)| info.id == id);
    found.map(|(_, device)| device).ok_or_else(|| Fault::Absent(format!("no device {id}")))
}

fn running(stream: cpal::Stream) -> Result<Box<dyn Stream>, Fault> {
    stream.play().map_err(fault)?;
    Ok(Box::new(Running { _stream: stream, _open: Arc::new(()) }))
}

impl AudioSystem for Wasapi {
    fn devices(&mut self, direction: Direction) -> Result<Vec<DeviceInfo>, Fault> {
        Ok(listed(direction)?.into_iter().map(|(info, _)| info).collect())
    }

    fn applications(&mut self) -> Result<Vec<ApplicationInfo>, Fault> {
        applications::applications()
    }

    fn record_application(
        &mut self,
        name: &str,
        rate: u32,
        sink: Sink,
    ) -> Result<Box<dyn Stream>, Fault> {
        applications::record(name, rate, sink)
    }

    fn record(&mut self, id: &str, rate: u32, sink: Sink) -> Result<Box<dyn Stream>, Fault> {
        let is_monitor = id.ends_with(MONITOR_SUFFIX);
        let direction = if is_monitor { Direction::Monitor } else { Direction::Input };
        let device = device(direction, id)?;
        let usual = match is_monitor {
            true => device.default_output_config(),
            false => device.default_input_config(),
        };
        let channels = usual.map_err(fault)?.channels().clamp(1, 8);
        let buffer_size = BufferSize::Fixed(rate / CALLBACKS_PER_SECOND);
        let config = StreamConfig { channels, sample_rate: rate, buffer_size };
        running(record_f32(&device, config, sink)?)
    }

    fn play(
        &mut self,
        id: &str,
        rate: u32,
        callbacks: u32,
        tap: Tap,
    ) -> Result<Box<dyn Stream>, Fault> {
        let device = device(Direction::Output, id)?;
        let buffer_size = BufferSize::Fixed(rate / callbacks.max(1));
        let config = StreamConfig { channels: tap.channels(), sample_rate: rate, buffer_size };
        running(play_f32(&device, config, tap)?)
    }
}
