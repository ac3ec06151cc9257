//! The pre-flight check: checks everything that a broadcast needs, without going live. It reads the
//! current sources and levels, encodes one second of moving video, and connects to each target
//! without publishing. It sends data only to a service's test mode or, with the user's
//! consent, as a test stream to a custom server. It runs on a separate thread.

mod machine;
pub mod recommendation;
mod upload;

use std::time::Duration;

use crate::base::queue::{self, Full, Receiver, Sender};
use crate::base::{Clock, Stop, Timestamp, Worker};
use crate::broadcast::protocol::Request;
use crate::broadcast::publisher;
use crate::capture::{self, VideoChoice};
use crate::encode::VideoEncoder;
use crate::media::{FrameGrid, Size, VideoCodec};
use crate::studio::notices::Notice;
use crate::studio::targets::quality::Quality;

use crate::studio::notices::message::StudioMessage;
pub(super) use crate::studio::preflight::upload::{Plan, PlannedCheck, UploadTest};
use crate::text::Problem;

/// Maximum number of unread findings, which is more than can occur.
const MAX_UNREAD_FINDINGS: usize = 64;
/// The duration of the video that the encoder test encodes.
const ENCODER_TEST_DURATION: Duration = Duration::from_secs(1);
/// The time limit of the encoder test.
const ENCODER_TEST_TIMEOUT: Duration = Duration::from_secs(20);
/// The speed factor below which a computer drops frames sooner or later.
const MIN_SPEED_FACTOR: f64 = 1.3;

/// A check that is running or has ended.
#[derive(Debug)]
pub(super) struct Preflight {
    findings: Receiver<StudioMessage>,
    worker: Worker,
    pub found: Vec<Notice>,
}

impl Preflight {
    /// Begins with the known findings, and tests the rest.
    pub fn start(known: &[StudioMessage], plan: Plan) -> std::io::Result<Self> {
        let (sender, findings) = queue::bounded("findings", MAX_UNREAD_FINDINGS, Full::DropOldest);
        let worker = Worker::spawn("preflight", move |stop| check(&plan, &sender, stop))?;
        let mut preflight = Self { findings, worker, found: Vec::new() };
        known.iter().for_each(|found| preflight.add(found));
        Ok(preflight)
    }

    /// Returns a check that runs until it is stopped.
    #[cfg(test)]
    pub fn endless() -> std::io::Result<Self> {
        let (_, findings) = queue::bounded("findings", MAX_UNREAD_FINDINGS, Full::DropOldest);
        let worker = Worker::spawn("preflight", |stop| while !stop.wait(ENCODER_TEST_TIMEOUT) {})?;
        Ok(Self { findings, worker, found: Vec::new() })
    }

    fn add(&mut self, found: &StudioMessage) {
        self.found.push(found.notice(self.found.len() as u64, ""));
    }

    /// Takes new findings.
    pub fn poll(&mut self) {
        while let Ok(found) = self.findings.try_recv() {
            self.add(&found);
        }
    }

    /// Stops the check, and returns its thread.
    pub fn end(self) -> Worker {
        self.worker.stop();
        self.worker
    }

    /// Returns true if findings are still expected.
    pub fn is_running(&self) -> bool {
        !self.worker.is_finished() || !self.findings.is_empty()
    }
}

fn check(plan: &Plan, tell: &Sender<StudioMessage>, stop: &Stop) {
    let _ = tell.send(machine::clock(Clock::system_micros()));
    if let Some(folder) = &plan.folder {
        let _ = tell.send(machine::disk(folder, &plan.quality));
    }
    let _ = tell.send(try_encoder(plan, stop));
    let codec = plan.quality.codec();
    if codec != VideoCodec::H264 && plan.targets.iter().any(|asked| !asked.built_in) {
        let _ = tell.send(StudioMessage::FoundCodec { codec: codec.name().to_owned() });
    }
    let is_ordered = |asked: &&PlannedCheck| !asked.target.url.has_b_frames();
    if let Some(asked) = plan.targets.iter().find(is_ordered).filter(|_| plan.quality.b_frames > 0)
    {
        let _ = tell.send(StudioMessage::FoundBFrames { host: asked.host.clone() });
    }
    let mut is_measured = false;
    for asked in &plan.targets {
        if stop.is_set() {
            return;
        }
        let PlannedCheck { id, host, target, .. } = asked;
        let found = ask(plan, *id, host, target);
        let well = matches!(found, StudioMessage::FoundTarget { .. });
        let _ = tell.send(found);
        if well && !asked.built_in {
            let found = upload::try_upload(plan, asked, stop);
            is_measured |= matches!(
                found,
                StudioMessage::FoundUpload { .. } | StudioMessage::FoundUploadNarrow { .. }
            );
            let _ = tell.send(found);
        }
    }
    let count = plan.targets.iter().filter(|asked| !asked.built_in).count();
    if let Some(found) = together(count, &plan.quality).filter(|_| is_measured) {
        let _ = tell.send(found);
    }
}

/// Returns the finding about the upload to this number of targets, which the broadcast needs at the
/// same time, although the check measures one target after another.
fn together(count: usize, quality: &Quality) -> Option<StudioMessage> {
    let kbps = quality.bitrate() * count as u64 / 1_000;
    let (count, kbps) = ((count > 1).then(|| count.to_string())?, kbps.to_string());
    Some(StudioMessage::FoundUploadTotal { count, kbps })
}

fn try_encoder(plan: &Plan, stop: &Stop) -> StudioMessage {
    match measure_computer(plan, &plan.quality, stop) {
        Ok(times) => speed(times),
        Err(reason) => StudioMessage::FoundEncoderFailed { reason },
    }
}

/// Measures how fast this computer composes the present scene and encodes, relative to the needs of
/// this quality.
fn measure_computer(plan: &Plan, quality: &Quality, stop: &Stop) -> Result<f64, Problem> {
    let encoder = measure_encoder(plan.clock, quality, stop)?;
    let pixels = |size: Size| f64::from(size.width) * f64::from(size.height);
    let scale = pixels(quality.size) / pixels(plan.quality.size).max(1.0);
    let composing = plan.compose_time.as_secs_f64() * scale * quality.frame_rate.as_f64();
    Ok(with_composition(encoder, composing))
}

/// Returns the speed of an encoder and a compositor that share the CPU. `composing` is the share of
/// the time that the compositor needs.
fn with_composition(encoder: f64, composing: f64) -> f64 {
    1.0 / (1.0 / encoder.max(1e-6) + composing)
}

/// Measures how fast this computer encodes the moving test pattern while everything else runs,
/// relative to the needs of this quality.
fn measure_encoder(clock: Clock, quality: &Quality, stop: &Stop) -> Result<f64, Problem> {
    let Quality { size, frame_rate, .. } = *quality;
    let grid = FrameGrid { origin: Timestamp::ZERO, rate: frame_rate };
    let context = capture::Context { clock, grid, size };
    let mut source =
        capture::open(&VideoChoice::Test, &context).map_err(|error| Problem::from(&error))?;
    let (frames, waiting) = queue::bounded("tried frames", 4, Full::Block);
    let (packets, encoded) = queue::bounded("tried packets", 4, Full::DropOldest);
    let encoder = VideoEncoder::spawn(quality.video_config(), waiting, packets)
        .map_err(|error| Problem::from(&error))?;
    let count = (ENCODER_TEST_DURATION.as_secs_f64() * frame_rate.as_f64()).ceil() as i64;
    let begun = clock.now();
    for number in 0..count {
        let late = clock.now().since(begun) > ENCODER_TEST_TIMEOUT;
        let frame = source.feed.frame(grid.instant(number));
        let sent = frame.is_some_and(|frame| frames.send(frame).is_ok());
        if stop.is_set() || late || !sent {
            break;
        }
    }
    drop(frames);
    // The encoder has ended when its packets end.
    while encoded.recv_timeout(Duration::from_secs(1)).is_ok() {}
    let figures = encoder.figures();
    if let Some(error) = encoder.failed() {
        return Err(Problem::from(&error));
    }
    let needed = figures.encoded as f64 / frame_rate.as_f64();
    Ok(needed / figures.busy.as_secs_f64().max(1e-6))
}

/// Returns the finding for this relative speed of the encoder.
fn speed(factor: f64) -> StudioMessage {
    let times = format!("{factor:.1}");
    match factor {
        _ if factor < 1.0 => StudioMessage::FoundEncoderTooSlow { times: format!("{factor:.2}") },
        _ if factor < MIN_SPEED_FACTOR => StudioMessage::FoundEncoderSlow { times },
        _ => StudioMessage::FoundEncoder { times },
    }
}

/// Connects to a target without publishing.
fn ask(plan: &Plan, id: u32, host: &str, target: &publisher::Target) -> StudioMessage {
    let begun = plan.clock.now();
    let request = Request {
        head: None,
        home: &target.url,
        options: &target.options,
        bitrate: None,
        layers: 1,
        clock: plan.clock,
        on_step: &|_| {},
    };
    let asked = target.url.check(request);
    let host = host.to_owned();
    match plan.runtime.block_on(asked) {
        Ok(()) => {
            let ms = plan.clock.now().since(begun).as_millis().to_string();
            StudioMessage::FoundTarget { host, ms }
        }
        Err(error) => upload::failed(id, host, &error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::Runtime;
    use crate::studio::notices::Level;

    #[test]
    fn a_scene_that_takes_long_to_compose_leaves_less_to_the_encoder() {
        assert!((with_composition(3.0, 0.0) - 3.0).abs() < 1e-9, "nothing to compose");
        // Encoding takes half of the time, and composing as much.
        assert!((with_composition(2.0, 0.5) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn the_clock_of_the_system_is_checked() {
        // The system's clock was set after the start.
        let (runtime, clock) = (Runtime::start().unwrap(), Clock::start_at(0));
        let (quality, targets) = (Quality::default(), Vec::new());
        let plan =
            Plan { runtime, clock, quality, compose_time: Duration::ZERO, folder: None, targets };
        let (sender, found) = queue::bounded("findings", MAX_UNREAD_FINDINGS, Full::DropOldest);
        let stop = Stop::new();
        stop.set();
        check(&plan, &sender, &stop);
        let found = found.try_recv().unwrap();
        let is_clock = matches!(
            found,
            StudioMessage::FoundClock { .. } | StudioMessage::FoundClockAlone { .. }
        );
        assert!(is_clock, "{found:?}");
    }

    #[test]
    fn several_targets_need_their_upload_at_the_same_time() {
        let quality = Quality::default();
        assert_eq!([0, 1].map(|count| together(count, &quality)), [None, None]);
        let found = together(3, &quality).unwrap();
        // 3 × (2,500 + 128) kbit/s.
        let (count, kbps) = ("3".to_owned(), "7884".to_owned());
        assert_eq!(found, StudioMessage::FoundUploadTotal { count, kbps });
        // The connection to each target is fast enough, so the check can still pass.
        assert_eq!(found.level(), Level::Info);
    }

    #[test]
    fn a_computer_that_is_slower_than_the_video_is_an_error() {
        let level = |factor| speed(factor).notice(0, "").level;
        assert_eq!([0.4, 0.99].map(level), [Level::Error; 2]);
        assert_eq!([1.0, 1.29].map(level), [Level::Warning; 2]);
        assert_eq!(level(1.3), Level::Info);
        assert!(speed(0.4).notice(0, "").summary().contains("too slow"));
    }
}
