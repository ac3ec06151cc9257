//! Audio of the studio's program for browsers. It is encoded as Opus without the way through AAC, which would
//! delay it by about 50 ms, and video with it: browsers play both in sync.

use std::fmt::Display;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::base::queue::{Empty, Receiver};
use crate::base::{Clock, Stop, Timestamp, Worker};
use crate::media::SampleBlock;
use crate::server::registry::Registry;
use crate::server::webrtc::whep::production::audio::{OpusMaker, Pairing};
use crate::server::webrtc::whep::production::frame_maker::{
    Listeners, ProductionEvent, audio_frame,
};
use crate::server::webrtc::whep::production::productions::Production;
use crate::text::Problem;

/// Maximum time by which the audio may be ahead of the stream, or behind it. Audio that is further away does not
/// belong to this publication.
const MAX_DISTANCE: Duration = Duration::from_secs(3);
/// Interval at which the thread checks whether it should stop.
const STOP_POLL_INTERVAL: Duration = Duration::from_millis(50);

/// The audio of the studio's program, which the built-in server's own stream also contains.
#[derive(Debug)]
pub struct ProgramAudio {
    pub blocks: Receiver<SampleBlock>,
    /// The time of the program that is 0 in the RTMP times of the publisher.
    pub origin: Timestamp,
}

/// The need of the own stream's viewers for the program's audio.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum ProgramAudioNeed {
    /// Nobody listens over WebRTC, or encoding the audio has just failed.
    Unneeded,
    Needed,
    /// The viewers already get it.
    Served,
}

/// Returns the need for the program's audio.
pub(crate) fn need(registry: &Registry) -> ProgramAudioNeed {
    match own_production(registry) {
        Some(it) if it.listeners() == Listeners::None => ProgramAudioNeed::Unneeded,
        Some(it) if it.has_program_audio() => ProgramAudioNeed::Served,
        Some(it) if !it.has_failed_recently(Instant::now()) => ProgramAudioNeed::Needed,
        _ => ProgramAudioNeed::Unneeded,
    }
}

/// Starts to encode this audio for the viewers of the own stream, instead of the stream's own audio, until the
/// queue or the production ends.
pub(crate) fn serve(registry: &Registry, audio: ProgramAudio) {
    let Some(production) = own_production(registry) else { return };
    let (clock, its) = (registry.clock, Arc::clone(&production));
    let worker = Worker::spawn("whep audio", move |stop| {
        if let Err(why) = run(&its, clock, &audio, stop) {
            failed(&its, &why);
        }
    });
    match worker {
        Ok(worker) => production.set_program_audio(Some(worker)),
        Err(error) => failed(&production, &error),
    }
}

/// Delays the next attempt, and logs the first failure.
fn failed(production: &Production, why: &dyn Display) {
    if production.note_program_audio_failure(Instant::now()) {
        tracing::warn!(%why, "encoding the program's audio for WHEP failed");
    }
}

/// Returns the production of the studio's own stream.
fn own_production(registry: &Registry) -> Option<Arc<Production>> {
    registry.webrtc.productions.all.lock().values().find(|each| each.is_own).cloned()
}

/// Encodes until the queue ends or a stop is requested.
fn run(
    production: &Production,
    clock: Clock,
    audio: &ProgramAudio,
    stop: &Stop,
) -> Result<(), Problem> {
    let mut maker: Option<OpusMaker> = None;
    let mut pairing = Pairing::default();
    while !stop.is_set() {
        let block = match audio.blocks.recv_timeout(STOP_POLL_INTERVAL) {
            Ok(block) => block,
            Err(Empty::Waiting) => continue,
            Err(Empty::Closed) => break,
        };
        let maker = match &mut maker {
            Some(maker) => maker,
            none => none.insert(OpusMaker::open(block.channels)?),
        };
        let joins = production.listeners() == Listeners::Crowd;
        for (at, data) in pairing.packets(joins, |each| maker.block(&block, each)) {
            let since_origin = at - audio.origin.as_micros();
            let shift_ms = production.stream.shift_ms();
            let frame = {
                let mut timeline = production.timeline.lock();
                let at = stream_time(since_origin, shift_ms, timeline.newest_time());
                at.map(|at| {
                    let (id, now) = (production.id(), Instant::now());
                    audio_frame(id, &mut timeline, (at, data), now, clock)
                })
            };
            if let Some(frame) = frame {
                production.publish(ProductionEvent::Frame(frame), usize::MAX);
            }
        }
    }
    Ok(())
}

/// Converts microseconds since the publisher's first packet to the time in the stream, whose RTMP times wrap around
/// and are shifted by `shift_ms`. Returns `None` if the result is too far from the stream's newest time.
fn stream_time(since_origin: i64, shift_ms: u32, newest: i64) -> Option<i64> {
    let (millis, rest) = (since_origin.div_euclid(1_000), since_origin.rem_euclid(1_000));
    // RTMP times are modulo 2^32, so only their distance from the newest time is known.
    let rtmp_ms = (millis as u32).wrapping_add(shift_ms);
    let newest_ms = newest.div_euclid(1_000);
    let distance = i64::from(rtmp_ms.wrapping_sub(newest_ms as u32).cast_signed());
    let is_near = distance.unsigned_abs() <= MAX_DISTANCE.as_millis() as u64;
    is_near.then(|| (newest_ms + distance) * 1_000 + rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::queue;
    use crate::net::Runtime;
    use crate::server::registry::PublishRight;
    use crate::server::registry::config::Config;
    use crate::server::stream::message_sink::MessageSink;
    use crate::server::webrtc::whep::production::productions::{ProductionKey, WantedTracks};
    use crate::wire::rtmp::stream_name::StreamName;

    #[test]
    fn after_a_failure_the_studio_is_not_asked_again_at_once() {
        let runtime = Runtime::start().unwrap();
        let (sender, _events) = queue::bounded("test", 16, queue::Full::DropOldest);
        let registry = Registry::new(Config::default(), Clock::start(), sender, runtime.handle());
        let name = StreamName::resolve("rtmp://localhost/live", "live", "show");
        let right = PublishRight { proven: true, relayed: false, limits: Default::default() };
        let peer = "127.0.0.1:9".parse().unwrap();
        let publication = registry.publish(1, peer, &name, right).unwrap();
        let key = ProductionKey::of(&publication.stream, String::new());
        let source = (Arc::clone(&publication.stream), MessageSink::new(2, 1 << 20));
        let production = Arc::new(Production::new(key.clone(), source, Arc::default(), true));
        registry.webrtc.productions.all.lock().insert(key, Arc::clone(&production));
        assert_eq!(need(&registry), ProgramAudioNeed::Unneeded);
        let _listener = production.used(WantedTracks { video: false, audio: true }, None);
        assert_eq!(need(&registry), ProgramAudioNeed::Needed);
        failed(&production, &"no memory");
        assert_eq!(need(&registry), ProgramAudioNeed::Unneeded);
        // Much later, another attempt is possible, and its failure is not logged again.
        let later = Instant::now() + Duration::from_secs(60);
        assert!(!production.has_failed_recently(later));
        assert!(!production.note_program_audio_failure(later));
    }

    #[test]
    fn program_times_become_times_of_the_stream() {
        // The publisher's times are the stream's times.
        assert_eq!(stream_time(5_020_250, 0, 5_000_000), Some(5_020_250));
        // The stream goes on from an earlier publication.
        assert_eq!(stream_time(20_250, 7_000, 7_000_000), Some(7_020_250));
        // Forty-nine days later, RTMP times wrap around, and those of the stream do not.
        let wrapped = i64::from(u32::MAX) * 1_000;
        assert_eq!(stream_time(wrapped + 41_000, 0, wrapped), Some(wrapped + 41_000));
        // Before the publisher's first packet.
        assert_eq!(stream_time(-6_500, 0, 0), Some(-6_500));
        // Another publication: its times say nothing.
        assert_eq!(stream_time(900_000_000, 0, 5_000_000), None);
    }
}
