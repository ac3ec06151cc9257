//! The upload test of the pre-flight check for a service with a test mode. It sends a few seconds
//! of the test pattern as on air, but invisible to viewers. Nothing is sent to services without a
//! test mode, so their upload remains unknown.

use std::path::PathBuf;
use std::time::Duration;

use crate::base::queue::{self, Full, Sender};
use crate::base::{Clock, Stop, Timestamp};
use crate::broadcast::{Hub, Publisher, publisher};
use crate::capture::{self, VideoChoice};
use crate::encode::VideoEncoder;
use crate::media::{BitsPerSecond, FrameGrid, StreamConfig, VideoFrame};
use crate::net::Runtime;
use crate::studio::notices::message::StudioMessage;
use crate::studio::targets::quality::Quality;
use crate::text::Problem;

/// The duration of the test.
const TEST_DURATION: Duration = Duration::from_secs(6);
/// Time limit for connecting.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
/// The backlog at the end of the test above which the bandwidth is too low.
const MAX_FINAL_BACKLOG: Duration = Duration::from_millis(700);
/// Time limit for closing the connection.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// Returns the target with its test mode enabled.
pub(super) fn in_test_mode(target: &publisher::Target, query: &str) -> publisher::Target {
    let mut target = target.clone();
    target.url = target.url.with_query(query);
    // One attempt is sufficient.
    target.retry_for = Some(Duration::ZERO);
    target
}

/// Sends for some seconds, and returns the measured upload.
pub(super) fn try_upload(
    plan: &Plan,
    id: u32,
    host: &str,
    target: publisher::Target,
    stop: &Stop,
) -> StudioMessage {
    let wanted = plan.quality.video_bitrate.as_kbps().to_string();
    let sent = send(plan, &plan.quality, id, host, target, stop);
    let host = host.to_owned();
    match sent {
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
pub(super) struct UploadResult {
    pub rate: BitsPerSecond,
    /// True if all data was sent in time.
    pub complete: bool,
}

/// Sends for some seconds in this quality. Returns `None` if there is neither a measurement nor an
/// error, for example because the test was stopped or the target was not live in time.
pub(super) fn send(
    plan: &Plan,
    quality: &Quality,
    id: u32,
    host: &str,
    target: publisher::Target,
    stop: &Stop,
) -> Result<Option<UploadResult>, Box<StudioMessage>> {
    let Quality { size, frame_rate, .. } = *quality;
    let broken = |reason: Problem| Box::new(StudioMessage::FoundEncoderFailed { reason });
    let grid = FrameGrid { origin: plan.clock.now(), rate: frame_rate };
    let context = capture::Context { clock: plan.clock, grid, size };
    let mut source =
        capture::open(&VideoChoice::Test, &context).map_err(|error| broken((&error).into()))?;
    let (pictures, waiting) = queue::bounded("test pictures", 4, Full::DropOldest);
    let (packets, input) = queue::bounded("test packets", 64, Full::Block);
    let encoder = VideoEncoder::spawn(quality.video_config(), waiting, packets)
        .map_err(|error| broken((&error).into()))?;
    let parameters = StreamConfig { video: Some(encoder.parameters().clone()), audio: None };
    let hub = Hub::spawn(parameters, input).map_err(|error| broken(error.into()))?;
    hub.on_keyframe_wanted(encoder.keyframe_request());
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
        feed(source.feed.as_mut(), &pictures, grid, now, &mut number);
        let (report, figures) = (sent.report(), sent.figures());
        match live_since {
            _ if report.state.is_over() || report.error.is_some() => break,
            None if report.state == publisher::State::Live => {
                live_since = Some((now, figures.sent_bytes));
            }
            None if now.since(begun) > CONNECT_TIMEOUT => break,
            Some((since, bytes)) if now.since(since) >= TEST_DURATION => {
                let bits = figures.sent_bytes.saturating_sub(bytes) as f64 * 8.0;
                carried = Some((bits / now.since(since).as_secs_f64(), figures.queued));
                break;
            }
            _ => {}
        }
        if stop.wait(Duration::from_millis(5)) {
            break;
        }
    }
    let report = sent.report();
    drop(pictures);
    sent.stop(CLOSE_TIMEOUT);
    match (carried, report.error) {
        (Some((rate, queued)), _) => {
            let rate = BitsPerSecond(rate.clamp(0.0, f64::from(u32::MAX)) as u32);
            Ok(Some(UploadResult { rate, complete: queued <= MAX_FINAL_BACKLOG }))
        }
        (None, Some(error)) => Err(Box::new(failed(id, host.to_owned(), &error))),
        (None, None) => Ok(None),
    }
}

/// Passes the due frames to the encoder.
fn feed(
    source: &mut dyn crate::media::VideoFeed,
    pictures: &Sender<VideoFrame>,
    grid: FrameGrid,
    now: Timestamp,
    number: &mut i64,
) {
    while grid.instant(*number) <= now {
        if let Some(picture) = source.frame(grid.instant(*number)) {
            // The encoder's queue drops the frame if the computer is too slow.
            let _ = pictures.send(picture);
        }
        *number += 1;
    }
}

/// The plan of the tests.
pub(in crate::studio) struct Plan {
    pub runtime: Runtime,
    pub clock: Clock,
    pub quality: Quality,
    /// The folder of recordings, if any.
    pub folder: Option<PathBuf>,
    pub targets: Vec<PlannedCheck>,
}

/// An enabled target.
pub(in crate::studio) struct PlannedCheck {
    pub id: u32,
    pub host: String,
    /// The target in the form that a publisher needs.
    pub target: publisher::Target,
    /// The query of the service's test mode, if any.
    pub test_query: Option<&'static str>,
    /// True for the built-in server, for which there is no upload to measure.
    pub built_in: bool,
}

/// Returns the finding for a target that does not reply correctly.
pub(super) fn failed(id: u32, host: String, error: &crate::net::Error) -> StudioMessage {
    let pin = error.pin_to_offer();
    StudioMessage::FoundTargetFailed { id, host, cause: error.problem(), pin }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Clock;
    use crate::base::stall_guard::in_real_time;
    use crate::broadcast::TargetUrl;
    use crate::media::Size;
    use crate::net::Runtime;
    use crate::server::config::Listen;
    use crate::server::{self, Server};
    use crate::wire::rtmp::url::Url;

    #[test]
    fn the_test_mode_is_asked_for_beside_what_the_key_says() {
        let named = |url: &str| {
            let target = publisher::Target::new(Url::parse(url).unwrap());
            let TargetUrl::Rtmp(url) = in_test_mode(&target, "bandwidthtest=true").url;
            url.stream.expose().to_owned()
        };
        assert_eq!(named("rtmp://h/app/key"), "key?bandwidthtest=true");
        assert_eq!(named("rtmp://h/app/key?a=b"), "key?a=b&bandwidthtest=true");
    }

    #[test]
    fn what_a_server_takes_is_measured_and_what_it_refuses_is_told() {
        let (runtime, clock) = (Runtime::start().unwrap(), Clock::start());
        let config = server::Config {
            rtmp: Listen::exactly(([127, 0, 0, 1], 0).into()),
            http: None,
            ..server::Config::default()
        };
        let server = Server::start(&runtime, clock, config).unwrap();
        let quality = Quality {
            size: Size::new(480, 270),
            video_bitrate: BitsPerSecond(500_000),
            ..Quality::default()
        };
        let plan = Plan { runtime, clock, quality, folder: None, targets: Vec::new() };
        let url = |port: u16| Url::parse(&format!("rtmp://127.0.0.1:{port}/live/k")).unwrap();
        let target = publisher::Target::new(url(server.addresses().rtmp.port()));
        let target = in_test_mode(&target, "bandwidthtest=true");
        in_real_time(|| {
            let found = try_upload(&plan, 1, "h", target.clone(), &Stop::new());
            let StudioMessage::FoundUpload { kbps, .. } = &found else { panic!("{found:?}") };
            assert!((200.0..1_500.0).contains(&kbps.parse::<f64>().unwrap()), "{kbps}");
        });
        server.shutdown(Duration::from_secs(1));
        let gone = in_test_mode(&publisher::Target::new(url(9)), "x=y");
        let found = try_upload(&plan, 1, "h", gone, &Stop::new());
        assert!(matches!(found, StudioMessage::FoundTargetFailed { id: 1, .. }), "{found:?}");
    }
}
