//! The upload test of the pre-flight check. It sends a few seconds of the test pattern as on air,
//! but invisible to viewers: in a service's test mode or, with the user's consent, to a custom
//! server as a test stream with a random name. Nothing is sent to services without a test mode,
//! where a test stream could become public or count against the account, so their upload remains
//! unknown.

use std::path::PathBuf;
use std::time::Duration;

use crate::base::queue::{self, Full, Sender};
use crate::base::{Clock, Stop, Timestamp};
use crate::broadcast::{Hub, Limits, Publisher, publisher};
use crate::capture::{self, VideoChoice};
use crate::encode::VideoEncoder;
use crate::media::{BitsPerSecond, FrameGrid, StreamConfig, VideoFrame};
use crate::net::{Cause, ConnectStage, Runtime, random_hex};
use crate::studio::notices::message::StudioMessage;
use crate::studio::targets::address;
use crate::studio::targets::quality::Quality;
use crate::studio::targets::services::Service;
use crate::text::Problem;

/// The duration of the test.
const TEST_DURATION: Duration = Duration::from_secs(6);
/// Time limit for connecting.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
/// The backlog at the end of the test above which the bandwidth is too low.
const MAX_FINAL_BACKLOG: Duration = Duration::from_millis(700);
/// Time limit for closing the connection.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);
/// The beginning of the names of test streams, by which the server's operator recognizes them.
const TEST_STREAM_PREFIX: &str = "onair-test-";

/// A way to measure the upload to a target.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum UploadTest {
    /// There is none: the service has no test mode, or the protocol has no names of streams.
    Unavailable,
    /// The service's test mode, with its query.
    TestMode(&'static str),
    /// A test stream, if the user agrees.
    NeedsConsent,
    /// A test stream, to which the user has agreed.
    TestStream,
}

impl UploadTest {
    /// Returns the way for a target of this service with this server; a custom server has no
    /// service. `test_stream` is true if the user agrees to test streams.
    pub fn of(service: Option<&Service>, server: &str, test_stream: bool) -> Self {
        match service {
            // Another server would show viewers the test stream, which has the actual stream key.
            Some(service) if !service.has_server(server) => Self::Unavailable,
            Some(service) => service.test_query.map_or(Self::Unavailable, Self::TestMode),
            // Whoever receives at this address would see the test pattern.
            None if !address::has_test_streams(server) => Self::Unavailable,
            None if test_stream => Self::TestStream,
            None => Self::NeedsConsent,
        }
    }
}

/// Returns the target with its test mode enabled. Returns `None` if its protocol has no queries.
fn in_test_mode(target: &publisher::Target, query: &str) -> Option<publisher::Target> {
    let mut target = target.clone();
    target.url = target.url.with_query(query)?;
    // One attempt is sufficient.
    target.retry_for = Some(Duration::ZERO);
    Some(target)
}

/// Returns the target with a random name instead of the stream key. Returns `None` if the system
/// has no randomness, or the protocol has no names.
fn as_test_stream(target: &publisher::Target) -> Option<publisher::Target> {
    let name = format!("{TEST_STREAM_PREFIX}{}", random_hex()?);
    let mut target = target.clone();
    target.url = target.url.with_stream(&name)?;
    target.retry_for = Some(Duration::ZERO);
    Some(target)
}

/// Sends for some seconds, and returns the measured upload.
pub fn try_upload(plan: &Plan, asked: &PlannedCheck, stop: &Stop) -> StudioMessage {
    let wanted = plan.quality.video_bitrate.as_kbps().to_string();
    let (id, host) = (asked.id, asked.host.clone());
    match measure(plan, &plan.quality, asked, stop) {
        Ok(Some(UploadResult { rate, complete: true })) => {
            StudioMessage::FoundUpload { host, kbps: rate.as_kbps().to_string() }
        }
        Ok(Some(UploadResult { rate, complete: false })) => {
            let kbps = rate.as_kbps().to_string();
            StudioMessage::FoundUploadNarrow { id, host, kbps, wanted }
        }
        Ok(None) => StudioMessage::FoundNotMeasured { host },
        Err(found) => *found,
    }
}

/// The result of the upload test.
pub struct UploadResult {
    pub rate: BitsPerSecond,
    /// True if all data was sent in time.
    pub complete: bool,
}

/// Measures the upload to a target in this quality. Returns `None` if there is neither a
/// measurement nor an error, for example because the test was stopped or the target was not live in
/// time.
pub fn measure(
    plan: &Plan,
    quality: &Quality,
    asked: &PlannedCheck,
    stop: &Stop,
) -> Result<Option<UploadResult>, Box<StudioMessage>> {
    let target = match asked.upload_test {
        UploadTest::Unavailable => None,
        UploadTest::TestMode(query) => in_test_mode(&asked.target, query),
        UploadTest::NeedsConsent => {
            let host = asked.host.clone();
            return Err(Box::new(StudioMessage::FoundNeedsTestStream { host }));
        }
        UploadTest::TestStream => as_test_stream(&asked.target),
    };
    let target = target.filter(|_| !stop.is_set());
    target.map_or(Ok(None), |target| send(plan, quality, asked, target, stop))
}

/// Sends to this target for some seconds.
fn send(
    plan: &Plan,
    quality: &Quality,
    asked: &PlannedCheck,
    target: publisher::Target,
    stop: &Stop,
) -> Result<Option<UploadResult>, Box<StudioMessage>> {
    let Quality { size, frame_rate, .. } = *quality;
    let broken = |reason: Problem| Box::new(StudioMessage::FoundEncoderFailed { reason });
    let grid = FrameGrid { origin: plan.clock.now(), rate: frame_rate };
    let context = capture::Context { clock: plan.clock, grid, size };
    let mut source =
        capture::open(&VideoChoice::Test, &context).map_err(|error| broken((&error).into()))?;
    let (frames, waiting) = queue::bounded("test frames", 4, Full::DropOldest);
    let (packets, input) = queue::bounded("test packets", 64, Full::Block);
    let encoder = VideoEncoder::spawn(quality.video_config(), waiting, packets)
        .map_err(|error| broken((&error).into()))?;
    let parameters = StreamConfig { video: Some(encoder.config().clone()), audio: None };
    let hub = Hub::spawn(parameters, input).map_err(|error| broken(error.into()))?;
    hub.on_keyframe_wanted(encoder.keyframe_request());
    // Dropping frames would leave a slow link idle, and hide that it is too slow.
    let target = publisher::Target { limits: Limits::PASSTHROUGH_LIMITS, ..target };
    let sent = Publisher::start(&plan.runtime, target, &hub, plan.clock);
    let mut number = 0;
    let mut live_since: Option<(Timestamp, u64)> = None;
    let mut carried = None;
    let begun = plan.clock.now();
    loop {
        let now = plan.clock.now();
        if stop.is_set() {
            break;
        }
        feed(source.feed.as_mut(), &frames, grid, now, &mut number);
        let (report, figures) = (sent.report(), sent.figures());
        match live_since {
            _ if report.state.is_over() || report.error.is_some() => break,
            None if report.state == publisher::State::Live => {
                live_since = Some((now, figures.sent_bytes));
            }
            None if now.since(begun) > CONNECT_TIMEOUT => break,
            Some((since, bytes)) if now.since(since) >= TEST_DURATION => {
                let bits = figures.sent_bytes.saturating_sub(bytes) as f64 * 8.0;
                // The memory limit of the backlog may still have dropped frames of a high bitrate.
                let complete = figures.queued <= MAX_FINAL_BACKLOG && figures.dropped_frames == 0;
                carried = Some((bits / now.since(since).as_secs_f64(), complete));
                break;
            }
            _ => {}
        }
        if stop.wait(Duration::from_millis(5)) {
            break;
        }
    }
    let report = sent.report();
    drop(frames);
    sent.stop(CLOSE_TIMEOUT);
    match (carried, report.error) {
        (Some((rate, complete)), _) => {
            let rate = BitsPerSecond(rate.clamp(0.0, f64::from(u32::MAX)) as u32);
            Ok(Some(UploadResult { rate, complete }))
        }
        (None, Some(error)) => Err(Box::new(asked.failed(&error))),
        (None, None) => Ok(None),
    }
}

/// Returns true if the server does not accept the stream. Some servers accept every stream, and
/// close the connection when they have checked the name.
fn is_refused(error: &crate::net::Error) -> bool {
    match error.stage {
        ConnectStage::Publish => true,
        ConnectStage::Media => {
            matches!(
                error.cause,
                Cause::Status { .. }
                    | Cause::Closed
                    | Cause::Reset
                    | Cause::AcceptedThenClosed { .. }
                    | Cause::ClosedEachTime { .. }
            )
        }
        _ => false,
    }
}

/// Passes the due frames to the encoder.
fn feed(
    source: &mut dyn crate::media::VideoFeed,
    frames: &Sender<VideoFrame>,
    grid: FrameGrid,
    now: Timestamp,
    number: &mut i64,
) {
    while grid.instant(*number) <= now {
        if let Some(frame) = source.frame(grid.instant(*number)) {
            // The encoder's queue drops the frame if the computer is too slow.
            let _ = frames.send(frame);
        }
        *number += 1;
    }
}

/// The plan of the tests.
pub struct Plan {
    pub runtime: Runtime,
    pub clock: Clock,
    pub quality: Quality,
    /// The time to compose a frame of the present scene at the size of `quality`, if there is a
    /// program.
    pub compose_time: Duration,
    /// The folder of recordings, if any.
    pub folder: Option<PathBuf>,
    pub targets: Vec<PlannedCheck>,
}

/// An enabled target.
pub struct PlannedCheck {
    pub id: u32,
    pub host: String,
    /// The target in the form that a publisher needs.
    pub target: publisher::Target,
    pub upload_test: UploadTest,
    /// True for the built-in server, for which there is no upload to measure.
    pub built_in: bool,
}

impl PlannedCheck {
    /// Returns the finding for an upload test that failed with this error.
    fn failed(&self, error: &crate::net::Error) -> StudioMessage {
        let host = self.host.clone();
        // The server may still accept the stream key.
        if self.upload_test == UploadTest::TestStream && is_refused(error) {
            return StudioMessage::FoundTestStreamRefused { host };
        }
        failed(self.id, host, error)
    }
}

/// Returns the finding for a target that does not reply correctly.
pub fn failed(id: u32, host: String, error: &crate::net::Error) -> StudioMessage {
    let pin = error.pin_to_offer();
    StudioMessage::FoundTargetFailed { id, host, cause: error.problem(), pin }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::stall_guard::in_real_time;
    use crate::base::{Clock, Secret};
    use crate::media::Size;
    use crate::net::Runtime;
    use crate::server::config::Listen;
    use crate::server::{self, Server};
    use crate::studio::targets::services::{KNOWN_SERVICES, ServiceList};
    use crate::wire::rtmp::url::Url;

    fn asked(url: &str, upload_test: UploadTest) -> PlannedCheck {
        let target = publisher::Target::new(Url::parse(url).unwrap());
        PlannedCheck { id: 1, host: "h".to_owned(), target, upload_test, built_in: false }
    }

    #[test]
    fn a_test_stream_goes_only_to_a_custom_server_and_only_with_consent() {
        for service in KNOWN_SERVICES {
            let way = service.test_query.map_or(UploadTest::Unavailable, UploadTest::TestMode);
            let of = |server, consent| UploadTest::of(Some(service), server, consent);
            let own = service.servers.first().map_or("rtmp://h/app", |server| &**server);
            assert_eq!([false, true].map(|consent| of(own, consent)), [way; 2]);
            // The user has replaced the server, and the target still has the stream key.
            for other in ["rtmp://127.0.0.1/app", "rtmp://relay.example/app", ""] {
                assert_eq!(of(other, true), UploadTest::Unavailable, "{other}");
            }
        }
        // The user has entered the address of a service as that of a custom server.
        let services = ServiceList::default();
        for (server, way) in [
            ("rtmp://live.twitch.tv/app", UploadTest::TestMode("bandwidthtest=true")),
            ("rtmp://sendtc3.douyu.com/live", UploadTest::Unavailable),
        ] {
            assert_eq!(UploadTest::of(services.of_server(server), server, true), way, "{server}");
        }
        assert_eq!(UploadTest::of(None, "udp://h:5000", true), UploadTest::Unavailable);
        let of_custom = |consent| UploadTest::of(None, "rtmp://h/app", consent);
        assert_eq!(of_custom(false), UploadTest::NeedsConsent);
        assert_eq!(of_custom(true), UploadTest::TestStream);
    }

    #[test]
    fn the_name_of_a_test_stream_is_random_and_contains_nothing_of_the_key() {
        let url = Url::parse("rtmps://h/app/more/Key7?token=Secret8").unwrap();
        let target = publisher::Target::new(url);
        let names = [(); 2].map(|()| {
            let test = as_test_stream(&target).unwrap();
            assert_eq!(test.retry_for, Some(Duration::ZERO));
            assert_eq!(test.url.to_string(), "rtmps://h/app/more/***");
            test.url.as_rtmp().unwrap().stream.expose().to_owned()
        });
        assert_ne!(names[0], names[1]);
        for name in names {
            let random = name.strip_prefix("onair-test-").unwrap();
            assert_eq!(random.len(), 32, "{name}");
            assert!(random.bytes().all(|byte| byte.is_ascii_hexdigit()), "{name}");
        }
    }

    #[test]
    fn the_test_mode_is_asked_for_beside_what_the_key_says() {
        let named = |url: &str| {
            let target = publisher::Target::new(Url::parse(url).unwrap());
            let test = in_test_mode(&target, "bandwidthtest=true").unwrap();
            test.url.as_rtmp().unwrap().stream.expose().to_owned()
        };
        assert_eq!(named("rtmp://h/app/key"), "key?bandwidthtest=true");
        assert_eq!(named("rtmp://h/app/key?a=b"), "key?a=b&bandwidthtest=true");
    }

    fn config() -> server::Config {
        server::Config {
            rtmp: Listen::exactly(([127, 0, 0, 1], 0).into()),
            http: None,
            ..server::Config::default()
        }
    }

    #[test]
    fn a_link_that_is_too_slow_is_found_although_its_backlog_would_be_dropped() {
        let (runtime, clock) = (Runtime::start().unwrap(), Clock::start());
        let faults = vec!["throttle@media:400k".parse().unwrap()];
        let server = Server::start(&runtime, clock, server::Config { faults, ..config() }).unwrap();
        let quality = Quality {
            size: Size::new(480, 270),
            video_bitrate: BitsPerSecond(1_500_000),
            // After dropped frames, the stream would continue after the end of the test.
            keyframe_interval: Duration::from_secs(20),
            ..Quality::default()
        };
        let plan = Plan {
            runtime,
            clock,
            quality,
            compose_time: Duration::ZERO,
            folder: None,
            targets: Vec::new(),
        };
        let url = format!("rtmp://127.0.0.1:{}/live/k", server.addresses().rtmp.port());
        in_real_time(|| {
            let found = try_upload(&plan, &asked(&url, UploadTest::TestStream), &Stop::new());
            assert!(matches!(found, StudioMessage::FoundUploadNarrow { .. }), "{found:?}");
        });
        server.shutdown(Duration::from_secs(1));
    }

    #[test]
    fn the_upload_to_a_server_is_measured_and_its_rejection_is_reported() {
        let (runtime, clock) = (Runtime::start().unwrap(), Clock::start());
        let config = config();
        let keyed = server::Config { publish_keys: vec![Secret::new("right")], ..config.clone() };
        let server = Server::start(&runtime, clock, config).unwrap();
        let keyed = Server::start(&runtime, clock, keyed).unwrap();
        let quality = Quality {
            size: Size::new(480, 270),
            video_bitrate: BitsPerSecond(500_000),
            ..Quality::default()
        };
        let plan = Plan {
            runtime,
            clock,
            quality,
            compose_time: Duration::ZERO,
            folder: None,
            targets: Vec::new(),
        };
        let found = |port: u16, upload_test: UploadTest| {
            let url = format!("rtmp://127.0.0.1:{port}/live/k?key=right");
            try_upload(&plan, &asked(&url, upload_test), &Stop::new())
        };
        let (open, keyed_port) = (server.addresses().rtmp.port(), keyed.addresses().rtmp.port());
        for test in [UploadTest::TestMode("bandwidthtest=true"), UploadTest::TestStream] {
            in_real_time(|| {
                let found = found(open, test);
                let StudioMessage::FoundUpload { kbps, .. } = &found else { panic!("{found:?}") };
                assert!((200.0..1_500.0).contains(&kbps.parse::<f64>().unwrap()), "{kbps}");
            });
        }
        // The server would accept the key, which a test stream does not have.
        let refused = found(keyed_port, UploadTest::TestStream);
        assert!(matches!(refused, StudioMessage::FoundTestStreamRefused { .. }), "{refused:?}");
        let unasked = found(open, UploadTest::NeedsConsent);
        assert!(matches!(unasked, StudioMessage::FoundNeedsTestStream { .. }), "{unasked:?}");
        server.shutdown(Duration::from_secs(1));
        keyed.shutdown(Duration::from_secs(1));
        for test in [UploadTest::TestMode("x=y"), UploadTest::TestStream] {
            let gone = found(9, test);
            assert!(matches!(gone, StudioMessage::FoundTargetFailed { id: 1, .. }), "{gone:?}");
        }
    }
}
