//! Captures microphones, speaker outputs and applications. A thread finds, opens, watches and
//! reopens the device, and a feed passes its audio to the mixer with session timestamps.

#[cfg(any(test, feature = "test-support"))]
#[allow(
    clippy::unwrap_used,
    missing_debug_implementations,
    reason = "for tests, which fail by panicking"
)]
pub(in crate::audio) mod simulated;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;

use crate::audio::choice::is_application;
use crate::audio::device_clock::ClockAligner;
use crate::audio::device_rate::DeviceRate;
use crate::audio::source::{Context, DeviceInfo, Error, Source};
use crate::audio::system::{self, AudioSystem, Capture, CaptureMark, Direction, Fault, Stream};
use crate::base::{Stop, Timestamp, Worker};
use crate::media::source_status::{SourceFormat, SourceState, SourceStatus};
use crate::media::{AudioFeed, Pulled, Transport};
use crate::text::problem::{Value, problem};

/// Interval between checks of the device.
const DEVICE_CHECK_INTERVAL: Duration = Duration::from_millis(100);
/// Interval at which devices are listed to find a missing one.
const POLL_INTERVAL: Duration = Duration::from_secs(1);
/// The time without data after which a device counts as stalled.
const STALLED_AFTER: Duration = Duration::from_secs(2);
/// The time without data after which a device is reopened.
const DATA_TIMEOUT: Duration = Duration::from_secs(5);
/// Reserve for late callbacks.
const LATE_CALLBACK_MARGIN: Duration = Duration::from_millis(8);
/// The additional delay for each missed block.
const SLACK_STEP: Duration = Duration::from_millis(5);
/// The maximum additional delay.
const MAX_SLACK: Duration = Duration::from_millis(150);
/// The time after which the additional delay shrinks by a step, if all blocks would have been
/// complete without this step.
const SLACK_REDUCTION_INTERVAL: Duration = Duration::from_secs(60);
/// The reserve that a block needs to be complete without a step. Devices deliver 10 ms at once, so
/// a callback more can be missing in this step.
const MIN_SPARE: Duration = Duration::from_millis(10);

/// The input to open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum WantedInput {
    /// The microphone with this id, or the current default microphone of the system, which can
    /// change.
    Microphone(Option<String>),
    /// The output of the speaker with this id, or of the current default speaker of the system,
    /// which can change.
    Speakers(Option<String>),
    /// The audio of an application, identified by its own name or by the name of its program.
    Application(String),
}

impl WantedInput {
    fn id(&self) -> Option<&str> {
        match self {
            Self::Microphone(id) | Self::Speakers(id) => id.as_deref(),
            Self::Application(name) => Some(name),
        }
    }

    /// Returns the available devices of this kind.
    fn candidates(&self, system: &mut dyn AudioSystem) -> Result<Vec<DeviceInfo>, Fault> {
        match self {
            Self::Microphone(_) => system.devices(Direction::Input),
            Self::Speakers(_) => system.devices(Direction::Monitor),
            Self::Application(wanted) => {
                let found = system.applications()?.into_iter();
                let its = found.filter(|it| is_application(wanted, &it.name, &it.program));
                Ok(its
                    .map(|it| DeviceInfo { id: wanted.clone(), name: it.name, default: false })
                    .collect())
            }
        }
    }

    /// Returns true if `device`, which is one of the [`WantedInput::candidates`], is the wanted
    /// input.
    fn is(&self, device: &DeviceInfo) -> bool {
        match self {
            Self::Microphone(None) | Self::Speakers(None) => device.default,
            Self::Microphone(Some(id)) => device.id == *id,
            // Speakers are selected by their own id; the id of their monitor is derived from it.
            Self::Speakers(Some(id)) => {
                device.id == *id || device.id.strip_prefix(id.as_str()) == Some(".monitor")
            }
            Self::Application(_) => true,
        }
    }
}

/// The name of a microphone before its real name is known.
const INITIAL_MICROPHONE_NAME: &str = "Microphone";

/// Opens a microphone, a speaker output or an application.
pub(super) fn open(
    system: Box<dyn AudioSystem>,
    wanted: WantedInput,
    context: &Context,
) -> Result<Source, Error> {
    let name = match &wanted {
        WantedInput::Microphone(_) => INITIAL_MICROPHONE_NAME,
        WantedInput::Speakers(_) => "System audio",
        WantedInput::Application(name) => name,
    };
    let status = SourceStatus::new(wanted.id().unwrap_or_default(), name);
    let shared = Arc::new(Shared::default());
    let mut watcher = MicWatcher {
        system,
        wanted,
        context: *context,
        status: Arc::clone(&status),
        shared: Arc::clone(&shared),
        was_open: false,
    };
    let worker = Worker::spawn("microphone", move |stop| watcher.run(stop))?;
    let feed = Box::new(MicFeed { shared, context: *context, link: None, _worker: worker });
    Ok(Source { feed, status, transport: Transport::default() })
}

/// Drops a stream on a separate thread, because dropping can hang if the device is gone.
pub(super) fn bury(stream: Box<dyn Stream>) {
    if let Err(fault) = Worker::spawn("audio-burial", move |_| drop(stream)) {
        tracing::warn!(%fault, "closing an audio stream failed");
    }
}

/// The data that the watcher and the feed share.
#[derive(Default)]
struct Shared {
    /// A new capture for the feed, and its rate.
    fresh: Mutex<Option<(Capture, u32)>>,
    /// The drift in parts per million, as the bits of an `f64`. Zero bits mean that the drift is
    /// unknown.
    drift: AtomicU64,
}

/// Watches the device.
struct MicWatcher {
    system: Box<dyn AudioSystem>,
    wanted: WantedInput,
    context: Context,
    status: Arc<SourceStatus>,
    shared: Arc<Shared>,
    was_open: bool,
}

/// The reason why a capture ended.
enum End {
    /// The feed is no longer needed.
    Stopped,
    /// The device is gone, with the system's reason.
    Lost(String),
    /// Another device is now the wanted one.
    Moved,
}

impl MicWatcher {
    fn run(&mut self, stop: &Stop) {
        while !stop.is_set() {
            match self
                .find()
                .and_then(|device| self.start(&device).map(|started| (device, started)))
            {
                Ok((device, (stream, state))) => {
                    let end = self.watch(&device, &state, stop);
                    bury(stream);
                    match end {
                        End::Stopped => return,
                        End::Moved => continue,
                        End::Lost(detail) => self.report_lost(&device.name, detail),
                    }
                }
                Err(fault) => self.report(&fault),
            }
            stop.wait(POLL_INTERVAL);
        }
    }

    fn find(&mut self) -> Result<DeviceInfo, Fault> {
        let devices = self.wanted.candidates(&mut *self.system)?;
        let position = devices.iter().position(|device| self.wanted.is(device));
        // Without a default, the first device is used.
        let position = if self.wanted.id().is_none() { position.or(Some(0)) } else { position };
        let found = position.and_then(|position| devices.into_iter().nth(position));
        found.ok_or_else(|| match self.wanted.id() {
            Some(id) => Fault::Absent(format!("no device {id}")),
            None => Fault::Absent("no device".to_owned()),
        })
    }

    fn start(&mut self, info: &DeviceInfo) -> Result<Started, Fault> {
        self.status.update(|report| {
            report.id.clone_from(&info.id);
            report.name.clone_from(&info.name);
        });
        let Context { clock, rate, channels, .. } = self.context;
        let mut rates = vec![rate, 48_000, 44_100];
        rates.dedup();
        let mut last = Fault::Format("no rate".to_owned());
        for rate in rates {
            let (mut sink, capture) = system::capture(clock, rate, channels);
            sink.has_speaker_layout = matches!(self.wanted, WantedInput::Speakers(_));
            let state = Arc::clone(&capture.state);
            let started = match &self.wanted {
                WantedInput::Application(name) => self.system.record_application(name, rate, sink),
                WantedInput::Microphone(_) | WantedInput::Speakers(_) => {
                    self.system.record(&info.id, rate, sink)
                }
            };
            match started {
                Ok(stream) => {
                    *self.shared.fresh.lock() = Some((capture, rate));
                    return Ok((stream, state));
                }
                Err(fault @ Fault::Format(_)) => last = fault,
                Err(fault) => return Err(fault),
            }
        }
        Err(last)
    }

    /// Watches the capture until it ends, and returns the reason.
    fn watch(&mut self, device: &DeviceInfo, state: &system::CaptureState, stop: &Stop) -> End {
        let Context { clock, rate, channels, .. } = self.context;
        let (mut frames, mut alive, mut looked) = (0, clock.now(), clock.now());
        loop {
            if stop.wait(DEVICE_CHECK_INTERVAL) {
                return End::Stopped;
            }
            if let Some(fault) = state.latch.get() {
                return End::Lost(fault);
            }
            let now = clock.now();
            let seen = state.frames.load(Ordering::Relaxed);
            if seen != frames {
                (frames, alive) = (seen, now);
                self.was_open = true;
                self.status.open(SourceFormat::Audio { rate, channels });
                let drift = self.shared.drift.load(Ordering::Relaxed);
                let drift = (drift != 0).then(|| f64::from_bits(drift));
                self.status.update(|report| report.drift_ppm = drift);
            } else if now.since(alive) > DATA_TIMEOUT {
                return End::Lost("no audio for 5 s".to_owned());
            } else if now.since(alive) > STALLED_AFTER
                && self.status.state() != SourceState::Stalled
            {
                let reason = problem!("device-no-audio", device = &device.name);
                self.status.down(SourceState::Stalled, reason, "no audio for 2 s");
            }
            if now.since(looked) > POLL_INTERVAL {
                looked = now;
                // Servers move streams without notice, so check that the device is still the wanted
                // device.
                match self.find() {
                    Ok(found) if found.id != device.id => return End::Moved,
                    Err(Fault::Absent(detail)) => return End::Lost(detail),
                    _ => {}
                }
            }
        }
    }

    /// Returns true if the sound server responds and has speakers.
    fn has_speakers(&mut self) -> bool {
        self.system.devices(Direction::Monitor).is_ok_and(|devices| !devices.is_empty())
    }

    fn report_lost(&self, name: &str, detail: String) {
        let reason = match self.wanted {
            WantedInput::Application(_) => problem!("device-application-closed", device = name),
            WantedInput::Microphone(_) | WantedInput::Speakers(_) => {
                problem!("device-gone", device = name)
            }
        };
        self.status.down(SourceState::Lost, reason, detail);
    }

    fn report(&mut self, fault: &Fault) {
        let name = self.status.report().name;
        if self.was_open && matches!(fault, Fault::Absent(_) | Fault::Other(_)) {
            if self.status.state() != SourceState::Lost {
                self.report_lost(&name, fault.detail().to_owned());
            }
            return;
        }
        let device = match self.wanted.id() {
            Some(id) if name == INITIAL_MICROPHONE_NAME => {
                Value::from(problem!("device-microphone", id = id))
            }
            _ => Value::from(name),
        };
        let reason = match fault {
            Fault::Absent(_) if self.wanted == WantedInput::Microphone(None) => {
                problem!("device-no-microphone")
            }
            Fault::Absent(_)
                if matches!(self.wanted, WantedInput::Speakers(_)) && !self.has_speakers() =>
            {
                problem!("device-no-system-audio")
            }
            Fault::Absent(_) if matches!(self.wanted, WantedInput::Application(_)) => {
                match self.system.applications() {
                    Ok(_) => problem!("device-not-running", device = device),
                    Err(_) => problem!("device-no-applications"),
                }
            }
            Fault::Absent(_) => problem!("device-absent", device = device),
            Fault::Busy(_) => problem!("device-busy", device = device),
            Fault::Refused(_) => problem!("device-audio-forbidden", device = device),
            Fault::Format(_) => problem!("device-audio-format", device = device),
            Fault::Other(_) => problem!("device-broken", device = device),
        };
        self.status.down(SourceState::Failed, reason, fault.detail());
    }
}

type Started = (Box<dyn Stream>, Arc<system::CaptureState>);

/// The mixer's side of the input.
struct MicFeed {
    shared: Arc<Shared>,
    context: Context,
    link: Option<Link>,
    /// The device's thread, which ends when the feed is dropped.
    _worker: Worker,
}

/// One capture on its way to the mixer.
struct Link {
    capture: Capture,
    pace: DeviceRate,
    aligner: ClockAligner,
    rate: u32,
    /// Number of the next frame in the ring.
    next: i64,
    /// Frames received at the last check.
    received: u64,
    /// Maximum recent age of the audio at its callback, in microseconds.
    age: f64,
    /// The extra delay that late blocks cause.
    slack: Duration,
    /// The first block since which all blocks were complete with a reserve.
    spare_since: Option<Timestamp>,
    buffer: Vec<f32>,
}

impl AudioFeed for MicFeed {
    fn pull(&mut self, at: Timestamp, out: &mut [f32]) -> Pulled {
        let fresh = self.shared.fresh.try_lock().and_then(|mut fresh| fresh.take());
        if let Some((capture, rate)) = fresh {
            self.link = Link::new(capture, rate, &self.context);
        }
        let Some(link) = &mut self.link else {
            out.fill(0.0);
            return Pulled::Silence;
        };
        link.take(self.context.channels);
        let drift = link.pace.drift_ppm().map_or(0, |ppm| {
            // Zero bits mean "not known".
            if ppm == 0.0 { f64::MIN_POSITIVE.to_bits() } else { ppm.to_bits() }
        });
        self.shared.drift.store(drift, Ordering::Relaxed);
        let pulled = link.aligner.pull(&link.pace, at, out);
        match pulled {
            Pulled::Audio => link.on_time(at),
            Pulled::Silence => link.late(),
        }
        pulled
    }

    fn delay(&self) -> Duration {
        self.link.as_ref().map_or(Duration::from_millis(30), Link::delay)
    }
}

impl Link {
    fn new(capture: Capture, rate: u32, context: &Context) -> Option<Self> {
        Some(Self {
            capture,
            pace: DeviceRate::new(rate),
            aligner: ClockAligner::new(rate, context.rate, context.channels)?,
            rate,
            next: 0,
            received: 0,
            age: 0.0,
            slack: Duration::ZERO,
            spare_since: None,
            buffer: Vec::new(),
        })
    }

    /// Reads the received audio.
    fn take(&mut self, channels: u16) {
        while let Ok(CaptureMark { frame, at }) = self.capture.marks.pop() {
            self.pace.observe(frame, at);
        }
        // The value falls by a tenth in about a second, and rises immediately.
        let age = self.capture.state.age_micros.load(Ordering::Relaxed) as f64;
        self.age = age.max(self.age * 0.999);
        let channels = usize::from(channels.max(1));
        let frames = self.capture.samples.slots() / channels;
        let Ok(chunk) = self.capture.samples.read_chunk(frames * channels) else { return };
        self.buffer.clear();
        let (first, second) = chunk.as_slices();
        self.buffer.extend_from_slice(first);
        self.buffer.extend_from_slice(second);
        chunk.commit_all();
        self.aligner.push(self.next, &self.buffer);
        self.next += frames as i64;
    }

    /// Increases the delay after a missing block, unless the device sends no audio at all.
    fn late(&mut self) {
        let received = self.capture.state.frames.load(Ordering::Relaxed);
        if received != self.received && self.received != 0 {
            self.slack = (self.slack + SLACK_STEP).min(MAX_SLACK);
        }
        self.received = received;
        self.spare_since = None;
    }

    /// Reduces the extra delay by a step if it has not been needed for a while. The audio keeps its
    /// times, and the mixer only requests it earlier.
    fn on_time(&mut self, at: Timestamp) {
        let spare = self.aligner.spare() as f64 / f64::from(self.rate);
        if spare < MIN_SPARE.as_secs_f64() {
            self.spare_since = None;
            return;
        }
        let since = *self.spare_since.get_or_insert(at);
        if at.since(since) >= SLACK_REDUCTION_INTERVAL {
            self.slack = self.slack.saturating_sub(SLACK_STEP);
            self.spare_since = None;
        }
    }

    fn delay(&self) -> Duration {
        let ahead = self.aligner.lookahead() as f64 / f64::from(self.rate);
        Duration::from_micros(self.age as u64)
            + Duration::from_secs_f64(ahead)
            + LATE_CALLBACK_MARGIN
            + self.slack
    }
}
