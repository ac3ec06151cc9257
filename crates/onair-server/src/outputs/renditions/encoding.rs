//! Encodes the frames of one rendition on a separate thread.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::base::queue::{Empty, Receiver};
use crate::compose::filter::FrameWatermarks;
use crate::encode::FrameEncoder;
use crate::media::{
    Codec, EncodedPacket, FrameRate, Size, TrackConfig, VideoCodec, VideoConfig, VideoFrame,
};
use crate::server::access::rules::AppLimits;
use crate::server::event::Protocol;
use crate::server::registry::Registry;
use crate::server::renditions::refusal::Refusal;
use crate::server::renditions::running::RunningRendition;
use crate::server::stream::{Claim, Incoming};
use crate::text::Problem;
use crate::wire::container::flv::{TagKind, config_body, packet_body};

/// How often to check for the end.
const END_CHECK_INTERVAL: Duration = Duration::from_millis(200);

/// The work of the thread, in the order of the source.
#[derive(Debug)]
pub(super) enum Job {
    Frame {
        frame: VideoFrame,
        key: bool,
        rate: FrameRate,
    },
    /// Audio, which is passed on after the first keyframe.
    Audio(Incoming),
    AudioConfig(Incoming),
    /// The publisher has left.
    Gone,
    /// A publisher is back, possibly another one.
    Back,
}

/// The encoder for frames of one size.
struct OpenEncoder {
    encoder: FrameEncoder,
    of: (Size, FrameRate),
}

/// Encodes until there are no more jobs.
pub(super) fn encode(registry: &Registry, running: &Arc<RunningRendition>, jobs: &Receiver<Job>) {
    let mut open: Option<OpenEncoder> = None;
    let mut watermarks = FrameWatermarks::new(running.watermarks.iter().cloned());
    publish(registry, running);
    while !registry.is_stopping() {
        let job = match jobs.recv_timeout(END_CHECK_INTERVAL) {
            Ok(job) => job,
            Err(Empty::Waiting) => continue,
            Err(Empty::Closed) => break,
        };
        match job {
            Job::Frame { frame, key, rate } => {
                let frame = (&frame, key, rate);
                let done = frame_job(registry, running, (&mut open, &mut watermarks), frame);
                if let Err(why) = done {
                    running.end(why);
                    break;
                }
            }
            // Audio before the video would look like a stream without video.
            Job::Audio(_) if open.is_none() => {}
            Job::Audio(message) | Job::AudioConfig(message) => {
                running.stream.take(running.id, &mut vec![message], registry.clock.now());
                running.stream.finish();
            }
            Job::Gone => {
                running.stream.unpublish(running.id);
            }
            Job::Back => {
                open = None;
                publish(registry, running);
            }
        }
    }
    running.stream.unpublish(running.id);
}

fn publish(registry: &Registry, running: &RunningRendition) {
    let address = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
    let limits = AppLimits::default();
    let claim = Claim {
        id: running.id,
        protocol: Protocol::Rtmp,
        address,
        credentials: "",
        proven: true,
        relayed: false,
        limits,
    };
    running.stream.publish(claim, registry.clock.now());
}

fn frame_job(
    registry: &Registry,
    running: &RunningRendition,
    (open, watermarks): (&mut Option<OpenEncoder>, &mut FrameWatermarks),
    (frame, key, rate): (&VideoFrame, bool, FrameRate),
) -> Result<(), Refusal> {
    let of = (frame.size(), rate);
    let mut out = Vec::new();
    if open.as_ref().is_none_or(|open| open.of != of) {
        if !key {
            return Ok(());
        }
        let Some(settings) = running.rendition.settings(frame.size(), rate) else {
            return Err(Refusal::Absent);
        };
        let encoder = FrameEncoder::open(&settings, running.rendition.profile);
        let encoder = encoder.map_err(|why| Refusal::Encoder(Problem::from(&why)))?;
        out.extend(config_message(encoder.config(), frame));
        *open = Some(OpenEncoder { encoder, of });
    }
    let Some(OpenEncoder { encoder, .. }) = open else { return Ok(()) };
    let begun = Instant::now();
    let encoded = encoder.encode(frame, key, &mut |frame| watermarks.draw(frame), &mut |packet| {
        out.extend(packet_message(&packet));
    });
    encoded.map_err(|why| Refusal::Encoder(Problem::from(&why)))?;
    let (size, took) = (encoder.config().size, begun.elapsed());
    running.counters.note(size, took);
    registry.transcoders.load.note(size, took);
    running.stream.take(running.id, &mut out, registry.clock.now());
    running.stream.finish();
    Ok(())
}

/// Returns the time of a message in milliseconds, which wrap around.
fn time_ms(millis: i64) -> u32 {
    millis as u32
}

fn config_message(config: &VideoConfig, frame: &VideoFrame) -> Option<Incoming> {
    let body = config_body(&TrackConfig::Video(config.clone()))?;
    let time_ms = time_ms(frame.pts.as_millis());
    Some(Incoming { kind: TagKind::Video, time_ms, body, metadata: false })
}

fn packet_message(packet: &EncodedPacket) -> Option<Incoming> {
    let body = packet_body(Codec::Video(VideoCodec::H264), packet)?;
    let time_ms = time_ms(packet.dts.as_millis());
    Some(Incoming { kind: TagKind::Video, time_ms, body, metadata: false })
}
