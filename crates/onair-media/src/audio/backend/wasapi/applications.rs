//! The sound of one application on Windows: the applications that have opened speakers, and a capture of one of them
//! (process loopback, Windows 10 version 2004 and newer).

use std::time::{Duration, Instant};

use wasapi::{
    AudioClient, DeviceEnumerator, Direction, SampleType, SessionState, StreamMode, WasapiError,
    WaveFormat, initialize_mta,
};

use crate::audio::choice::is_application;
use crate::audio::source::ApplicationInfo;
use crate::audio::system::{Fault, Sink, Stream};
use crate::base::{Stop, Worker};
use crate::platform::process;

/// Maximum number of sessions that are read from one device.
const MAX_SESSIONS: i32 = 512;
/// Maximum length of a name.
const MAX_NAME_LENGTH: usize = 200;
/// The channels of the capture. Windows mixes the application's own channels.
const CHANNELS: u16 = 2;
/// The bytes of a sample.
const SAMPLE_BYTES: usize = size_of::<f32>();
/// Interval between looks for the application, which can start, end, or start again in another process.
const SEEK_INTERVAL: Duration = Duration::from_secs(2);
/// Time limit for the next block, after which the capture looks whether it is still wanted.
const BLOCK_TIMEOUT_MILLIS: u32 = 200;

#[allow(clippy::needless_pass_by_value, reason = "called by map_err")]
fn fault(error: WasapiError) -> Fault {
    Fault::Other(error.to_string())
}

/// An audio session: an application that has opened a speaker.
struct Session {
    process: u32,
    info: ApplicationInfo,
}

/// Returns the sessions of all speakers, except those of onair itself.
fn sessions() -> Result<Vec<Session>, Fault> {
    // Another apartment of this thread is as good.
    let _ = initialize_mta();
    let speakers =
        DeviceEnumerator::new().and_then(|all| all.get_device_collection(&Direction::Render));
    let speakers = speakers.map_err(fault)?;
    let mut found = Vec::new();
    for index in 0..speakers.get_nbr_devices().map_err(fault)? {
        // A device can be unplugged meanwhile.
        let device = speakers.get_device_at_index(index);
        let manager = device.and_then(|device| device.get_iaudiosessionmanager());
        let Ok(all) = manager.and_then(|manager| manager.get_audiosessionenumerator()) else {
            continue;
        };
        for index in 0..all.get_count().unwrap_or(0).min(MAX_SESSIONS) {
            let Ok(session) = all.get_session(index) else { continue };
            // The sounds of the system have the process 0.
            let process = session.get_process_id().unwrap_or(0);
            let Some(program) = process::name_of(process).filter(|_| process != std::process::id())
            else {
                continue;
            };
            // Some names are references to a text of a library.
            let name = session.get_display_name().ok();
            let name = name.filter(|name| !name.is_empty() && !name.starts_with('@'));
            let name = cleaned(&name.unwrap_or_else(|| program.clone()));
            let playing = matches!(session.get_state(), Ok(SessionState::Active));
            if !name.is_empty() {
                found.push(Session { process, info: ApplicationInfo { name, program, playing } });
            }
        }
    }
    Ok(found)
}

fn cleaned(name: &str) -> String {
    name.chars().filter(|sign| !sign.is_control()).take(MAX_NAME_LENGTH).collect()
}

/// Returns the applications, with the playing ones first.
pub(super) fn applications() -> Result<Vec<ApplicationInfo>, Fault> {
    Ok(ApplicationInfo::listed(sessions()?.into_iter().map(|session| session.info)))
}

/// Returns the process of the application with this name; one that plays has priority.
fn process_of(name: &str) -> Result<Option<u32>, Fault> {
    let mut found: Vec<Session> = sessions()?;
    found.retain(|session| is_application(name, &session.info.name, &session.info.program));
    found.sort_by_key(|session| !session.info.playing);
    Ok(found.first().map(|session| session.process))
}

/// A capture of an application, which ends when it is dropped.
struct ApplicationCapture {
    _worker: Worker,
}

impl Stream for ApplicationCapture {}

/// Captures all audio of the application with this name, also if it starts later or again.
pub(super) fn record(name: &str, rate: u32, mut sink: Sink) -> Result<Box<dyn Stream>, Fault> {
    let name = name.to_owned();
    let worker = Worker::spawn("onair-app-audio", move |stop| {
        let _ = initialize_mta();
        let state = sink.capture_state();
        while !stop.is_set() {
            let captured = match process_of(&name) {
                Ok(Some(process)) => capture(process, &name, rate, &mut sink, stop),
                Ok(None) => Ok(()),
                Err(fault) => Err(fault),
            };
            if let Err(fault) = captured {
                state.latch.set(|| fault.detail().to_owned());
                return;
            }
            if stop.wait(SEEK_INTERVAL) {
                return;
            }
        }
    });
    let worker = worker.map_err(|error| Fault::Other(error.to_string()))?;
    Ok(Box::new(ApplicationCapture { _worker: worker }))
}

/// Captures a process and those that it has started, until the application has another process or none.
fn capture(process: u32, name: &str, rate: u32, sink: &mut Sink, stop: &Stop) -> Result<(), Fault> {
    let bits = SAMPLE_BYTES * 8;
    let format =
        WaveFormat::new(bits, bits, &SampleType::Float, rate as usize, CHANNELS.into(), None);
    let mut client = AudioClient::new_application_loopback_client(process, true).map_err(fault)?;
    let mode = StreamMode::EventsShared { autoconvert: true, buffer_duration_hns: 0 };
    client.initialize_client(&format, &Direction::Capture, &mode).map_err(fault)?;
    let event = client.set_get_eventhandle().map_err(fault)?;
    let capture = client.get_audiocaptureclient().map_err(fault)?;
    client.start_stream().map_err(fault)?;
    let (mut bytes, mut samples) = (Vec::new(), Vec::new());
    let mut look_at = Instant::now() + SEEK_INTERVAL;
    while !stop.is_set() {
        // Without sound there may be no event.
        let _ = event.wait_for_event(BLOCK_TIMEOUT_MILLIS);
        while let Some(frames @ 1..) = capture.get_next_packet_size().map_err(fault)? {
            bytes.resize(frames as usize * SAMPLE_BYTES * usize::from(CHANNELS), 0);
            let (frames, _) = capture.read_from_device(&mut bytes).map_err(fault)?;
            let length = frames as usize * SAMPLE_BYTES * usize::from(CHANNELS);
            let all = bytes.get(..length).unwrap_or_default();
            samples.clear();
            samples.extend(all.as_chunks().0.iter().map(|sample| f32::from_le_bytes(*sample)));
            // The block has just been captured.
            let lasts_micros = i64::from(frames) * 1_000_000 / i64::from(rate.max(1));
            sink.push(&samples, CHANNELS, lasts_micros);
        }
        if Instant::now() >= look_at {
            if process_of(name)? != Some(process) {
                break;
            }
            look_at = Instant::now() + SEEK_INTERVAL;
        }
    }
    client.stop_stream().map_err(fault)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_no_control_characters() {
        assert_eq!(cleaned("Ga\u{7}me"), "Game");
    }
}
