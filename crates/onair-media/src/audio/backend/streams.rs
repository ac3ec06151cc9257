//! Streams of cpal, for the audio systems of all operating systems.

use std::sync::Arc;
use std::time::Duration;

use cpal::traits::DeviceTrait;
use cpal::{Device, ErrorKind, StreamConfig};

use crate::audio::system::{Fault, Sink, Stream, Tap};

/// Time limit for a device to open.
const OPEN_TIMEOUT: Duration = Duration::from_secs(3);
/// Maximum age or latency of an audio block in microseconds; a larger value is a device error.
const MAX_BLOCK_AGE_MICROS: i64 = 1_000_000;
/// Maximum age of captured audio in microseconds. The mixer waits for half a second at most, so
/// older audio would never be heard. Such audio is played late instead.
const MAX_CAPTURE_AGE_MICROS: i64 = 450_000;
/// Callbacks per second of a capture.
pub(super) const CALLBACKS_PER_SECOND: u32 = 100;

/// A stream, and the mark that its host is in use.
pub(super) struct Running {
    pub _stream: cpal::Stream,
    pub _open: Arc<()>,
}

impl Stream for Running {}

#[allow(clippy::needless_pass_by_value, reason = "called by map_err")]
pub(super) fn fault(error: cpal::Error) -> Fault {
    let detail = error.to_string();
    match error.kind() {
        ErrorKind::DeviceBusy => Fault::Busy(detail),
        ErrorKind::PermissionDenied => Fault::Refused(detail),
        ErrorKind::DeviceNotAvailable => Fault::Absent(detail),
        ErrorKind::UnsupportedConfig | ErrorKind::InvalidInput => Fault::Format(detail),
        _ => Fault::Other(detail),
    }
}

/// Returns true for errors that need no reaction: the stream continues.
fn harmless(error: &cpal::Error) -> bool {
    matches!(error.kind(), ErrorKind::DeviceChanged | ErrorKind::RealtimeDenied | ErrorKind::Xrun)
}

fn micros(duration: Option<Duration>) -> i64 {
    let micros = duration.map_or(0, |duration| duration.as_micros());
    i64::try_from(micros).unwrap_or(MAX_BLOCK_AGE_MICROS).min(MAX_BLOCK_AGE_MICROS)
}

/// Returns the age of the first frame of a buffer in microseconds. That frame is at least as old as
/// the duration of the buffer.
fn capture_age(latency: Option<Duration>, lasts: i64) -> i64 {
    micros(latency).min(MAX_CAPTURE_AGE_MICROS).max(lasts)
}

pub(super) fn record_f32(
    device: &Device,
    config: StreamConfig,
    mut sink: Sink,
) -> Result<cpal::Stream, Fault> {
    let state = sink.capture_state();
    let (channels, rate) = (config.channels, i64::from(config.sample_rate.max(1)));
    let data = move |samples: &[f32], info: &cpal::InputCallbackInfo| {
        let stamp = info.timestamp();
        let lasts = (samples.len() / usize::from(channels)) as i64 * 1_000_000 / rate;
        let age = capture_age(stamp.callback.checked_duration_since(stamp.capture), lasts);
        sink.push(samples, channels, age);
    };
    let error = move |error: cpal::Error| {
        if !harmless(&error) {
            state.latch.set(|| error.to_string());
        }
    };
    device.build_input_stream(config, data, error, Some(OPEN_TIMEOUT)).map_err(fault)
}

pub(super) fn play_f32(
    device: &Device,
    config: StreamConfig,
    mut tap: Tap,
) -> Result<cpal::Stream, Fault> {
    let played = tap.played();
    let data = move |out: &mut [f32], info: &cpal::OutputCallbackInfo| {
        let stamp = info.timestamp();
        let latency = micros(stamp.playback.checked_duration_since(stamp.callback));
        tap.fill(out, latency);
    };
    let error = move |error: cpal::Error| {
        if !harmless(&error) {
            played.latch.set(|| error.to_string());
        }
    };
    device.build_output_stream(config, data, error, Some(OPEN_TIMEOUT)).map_err(fault)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn audio_of_a_slow_device_is_not_older_than_the_mixer_waits() {
        let age = |millis: u64| capture_age(Some(Duration::from_millis(millis)), 10_000);
        assert_eq!([age(0), age(30), age(440)], [10_000, 30_000, 440_000]);
        assert_eq!([age(700), age(90_000)], [MAX_CAPTURE_AGE_MICROS; 2]);
        assert_eq!(capture_age(None, 10_000), 10_000);
    }
}
