//! The video thread decodes packets to frames as fast as the presenter takes them. The file
//! is long because its tests follow the thread through every change of a stream.

use std::sync::Arc;
use std::time::Duration;

use crate::base::{Stop, Timestamp, queue};
use crate::media::{EncodedPacket, VideoConfig, VideoFrame};
use crate::player::buffer::decode_lag::{FrameDrop, Verdict};
use crate::player::buffer::packets::{BufferedPacket, Popped};
use crate::player::session::shared::Shared;
use crate::player::state::anomaly::Anomaly;
use crate::player::state::{Failure, FailureKind, Severity};
use crate::text::Problem;
use crate::text::problem::problem;
use onair_media::decode::{self, KEYFRAME_TIMEOUT, VideoBackend};

/// Maximum number of frames that wait to be shown, in addition to those in the decoder.
pub(crate) const MAX_WAITING_FRAMES: usize = 6;

/// The time after which a missing keyframe is reported.
const MISSING_KEYFRAME_TIMEOUT: Duration = Duration::from_secs(5);

/// A frame, and the number of playback restarts before it (`Packets::restart`).
#[derive(Debug)]
pub(crate) struct Decoded {
    pub(crate) generation: u32,
    pub(crate) frame: VideoFrame,
}

/// Decodes until the packets end or the presenter is gone.
pub(crate) fn run(shared: &Arc<Shared>, stop: &Stop, presenter: &queue::Sender<Decoded>) {
    let mut thread = Decoding::new(shared);
    while !stop.is_set() && !shared.lifetime.stop.is_set() {
        let (generation, popped) = shared.packets.video.pop(Duration::from_millis(100));
        if generation != thread.generation {
            // The packets are from another position of the stream: earlier frames are not needed.
            thread.generation = generation;
            thread.lag.forget();
            if let Some(decoder) = &mut thread.decoder {
                drop(decoder.flush());
                decoder.reset();
            }
        }
        let ready = match popped {
            Popped::Unit(unit) => thread.take(unit),
            Popped::Nothing => continue,
            Popped::Closed => {
                let rest = thread.decoder.as_mut().map(|decoder| decoder.flush());
                thread.send(rest.unwrap_or_default(), presenter);
                return;
            }
        };
        if !thread.send(ready, presenter) {
            return;
        }
    }
}

struct Decoding<'a> {
    shared: &'a Shared,
    decoder: Option<Box<dyn VideoBackend>>,
    config: Option<VideoConfig>,
    /// The last config, if it has no decoder. Streams repeat their configs.
    refused: Option<VideoConfig>,
    reported_damage: bool,
    /// Restart number of the packets in the decoder.
    generation: u32,
    waiting: KeyframeWait,
    lag: FrameDrop,
    /// True if packets were dropped since the last decoded one.
    has_dropped: bool,
    /// True if the decoder can begin at any frame.
    tolerant: bool,
    /// Earlier frames are only decoded.
    shown_from: Option<Timestamp>,
}

/// The wait for a frame at which decoding can begin.
#[derive(Debug, Default)]
struct KeyframeWait {
    since: Option<Timestamp>,
    /// True if decoding begins at any frame.
    anywhere: bool,
}

impl<'a> Decoding<'a> {
    fn new(shared: &'a Shared) -> Self {
        Self {
            shared,
            decoder: None,
            config: None,
            refused: None,
            reported_damage: false,
            generation: 0,
            waiting: KeyframeWait::default(),
            lag: FrameDrop::default(),
            has_dropped: false,
            tolerant: false,
            shown_from: None,
        }
    }

    fn take(&mut self, unit: BufferedPacket<VideoConfig>) -> Vec<VideoFrame> {
        match unit {
            BufferedPacket::Configure(config) => self.configure(config),
            BufferedPacket::Gap => self.break_off(),
            BufferedPacket::Seam(at) => {
                self.shown_from = Some(at);
                self.break_off()
            }
            BufferedPacket::Packet(packet) => {
                let mut frames = self.keep_up(&packet);
                frames.retain(|frame| !self.is_hidden(frame.pts));
                frames
            }
        }
    }

    /// Returns true if a frame with this time is only decoded.
    fn is_hidden(&self, pts: Timestamp) -> bool {
        self.shown_from.is_some_and(|from| pts < from)
    }

    /// Handles a gap: the next packet does not follow the previous one.
    fn break_off(&mut self) -> Vec<VideoFrame> {
        let Some(decoder) = &mut self.decoder else { return Vec::new() };
        let rest = decoder.flush();
        decoder.reset();
        rest
    }

    /// Decodes a packet, or skips it if decoding is too far behind playback.
    fn keep_up(&mut self, packet: &EncodedPacket) -> Vec<VideoFrame> {
        let shared = self.shared;
        let position = shared.timeline.position();
        let verdict = if self.is_hidden(packet.pts) {
            Verdict::Decode
        } else {
            self.lag.judge(packet, position, shared.timeline.begun(), &shared.packets.video)
        };
        if self.lag.has_recovered(position) {
            shared.report.is_over("player-too-slow");
        }
        let rest = match verdict {
            Verdict::Decode => {
                if std::mem::take(&mut self.has_dropped) {
                    // The skip was already a long enough wait for a keyframe.
                    self.waiting.since =
                        Some(packet.dts.offset(-(KEYFRAME_TIMEOUT.as_micros() as i64)));
                }
                let frames = self.decode(packet);
                return self.begin_anywhere(packet, frames);
            }
            Verdict::Leave => Vec::new(),
            Verdict::Break { slow } => {
                if slow {
                    shared.report.report_anomaly(&Anomaly::TooSlow);
                }
                self.has_dropped = true;
                self.break_off()
            }
        };
        shared.report.add_dropped(1);
        rest
    }

    fn decode(&mut self, packet: &EncodedPacket) -> Vec<VideoFrame> {
        let Some(decoder) = &mut self.decoder else { return Vec::new() };
        let began = self.shared.clock.now();
        match decoder.decode(packet) {
            Ok(frames) => {
                let took = self.shared.clock.now().since(began);
                let pixels = frames.iter().map(|frame| frame.size().pixels()).sum();
                if let Some(config) = &self.config {
                    self.shared.decode_budget.note(config.codec, pixels, took);
                }
                frames
            }
            Err(error) => {
                self.damaged(&error);
                Vec::new()
            }
        }
    }

    /// Begins decoding without an IDR frame, which streams with gradual refresh or with other kinds
    /// of keyframes never have. Decoding begins at another keyframe or, after a while, at any
    /// frame. If possible, it uses a decoder that detects complete frames.
    fn begin_anywhere(
        &mut self,
        packet: &EncodedPacket,
        frames: Vec<VideoFrame>,
    ) -> Vec<VideoFrame> {
        let Some(decoder) = &mut self.decoder else { return frames };
        if !frames.is_empty() {
            self.waiting = KeyframeWait::default();
            return frames;
        }
        let waits = decoder.is_waiting();
        if !waits && !self.waiting.anywhere {
            self.waiting.since = None;
            return frames;
        }
        let for_so_long = packet.dts.since(*self.waiting.since.get_or_insert(packet.dts));
        if for_so_long >= MISSING_KEYFRAME_TIMEOUT {
            self.shared.report.report_anomaly(&Anomaly::NoKeyframe);
        }
        if !waits || self.waiting.anywhere || !(packet.keyframe || for_so_long >= KEYFRAME_TIMEOUT)
        {
            return frames;
        }
        self.waiting.anywhere = true;
        let config = self.config.as_ref().filter(|_| !self.tolerant);
        if decode::begin_anywhere(decoder, config) {
            self.tolerant = true;
            decoder.name().clone_into(&mut self.shared.report.figures.lock().video);
        }
        self.decode(packet)
    }

    fn configure(&mut self, config: VideoConfig) -> Vec<VideoFrame> {
        // Encoders repeat their config, which is not a change.
        if self.decoder.is_some()
            && self.config.as_ref().is_some_and(|known| {
                known.has_same_codec_config(&config)
                    && known.pixel_aspect == config.pixel_aspect
                    && known.rotation == config.rotation
            })
        {
            return Vec::new();
        }
        let rest = self.decoder.as_mut().map(|decoder| decoder.flush()).unwrap_or_default();
        let before = self.config.as_ref().map(|known| known.codec);
        self.waiting = KeyframeWait::default();
        match decode::open_preferred(&config, self.shared.prefer) {
            Ok(mut decoder) => {
                if self.config.is_none() {
                    // The first frame has usually not arrived yet, so there is time to prepare the
                    // decoder.
                    decoder.prepare();
                }
                if before.is_some_and(|before| before != config.codec) {
                    self.shared
                        .report
                        .report_anomaly(&Anomaly::ChangedCodec(decoder.name().to_owned()));
                }
                let mut figures = self.shared.report.figures.lock();
                decoder.name().clone_into(&mut figures.video);
                figures.decoder = Some(decoder.by());
                drop(figures);
                self.decoder = Some(decoder);
                self.tolerant = false;
                self.config = Some(config);
            }
            Err(error) if error.is_final() => self.unsupported(config, &error),
            Err(error) => {
                // The next config may be complete.
                self.decoder = None;
                self.damaged(&error);
            }
        }
        rest
    }

    /// Handles a config that has no decoder: playback ends, unless the stream is saved, which needs
    /// no decoder.
    fn unsupported(&mut self, config: VideoConfig, error: &decode::Error) {
        let reason = Problem::from(error);
        if !self.shared.requests.filing.lock().is_used() {
            let problem = problem!("play-video-not-shown", reason = reason);
            return self.shared.fail(Failure::new(FailureKind::Codec, problem));
        }
        self.decoder = None;
        if self.refused.as_ref() != Some(&config) {
            let words = reason.to_string();
            let problem = problem!("player-no-video-codec", detail = reason);
            self.shared.report.say(problem, Severity::Warning, words);
            self.refused = Some(config);
        }
    }

    fn damaged(&mut self, error: &decode::Error) {
        self.shared.report.figures.lock().damaged += 1;
        if !self.reported_damage {
            self.reported_damage = true;
            let problem = problem!("player-damaged-video");
            self.shared.report.say(problem, Severity::Warning, error.to_string());
        }
    }

    /// Sends frames to the presenter. Returns false if the presenter is gone.
    fn send(&self, frames: Vec<VideoFrame>, presenter: &queue::Sender<Decoded>) -> bool {
        if frames.is_empty() {
            return true;
        }
        let mut figures = self.shared.report.figures.lock();
        figures.decoded += frames.len() as u64;
        // HDR conversion and hardware decoding are known only once the first frames are decoded.
        if let Some(decoder) = &self.decoder {
            figures.decoder = Some(decoder.by());
            if figures.video != decoder.name() {
                decoder.name().clone_into(&mut figures.video);
            }
        }
        drop(figures);
        let generation = self.generation;
        frames.into_iter().all(|frame| presenter.send(Decoded { generation, frame }).is_ok())
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::sync::atomic::{AtomicI64, Ordering};

    use bytes::Bytes;
    use parking_lot::Mutex;

    use super::*;
    use crate::base::{Clock, Pooled};
    use crate::media::{Color, Planes, Size, Track, VideoCodec};
    use crate::player::session::config::{Config, Source};
    use crate::player::state::Event;
    use crate::wire::codec::h264::DecoderConfig;
    use crate::wire::container::track_config::{bare_video_config, video_config};
    use onair_media::decode::DecoderInfo;

    /// Milliseconds between frames.
    const FRAME_INTERVAL_MS: i64 = 40;
    /// Milliseconds between keyframes.
    const KEYFRAME_INTERVAL_MS: i64 = 2_000;
    /// How far the received data of a broadcast is ahead of playback, in milliseconds.
    const BUFFER_LENGTH_MS: i64 = 300;
    /// Duration of the frames that are decoded ahead, in milliseconds.
    const DECODE_AHEAD_MS: i64 = MAX_WAITING_FRAMES as i64 * FRAME_INTERVAL_MS;

    /// A decoder that needs `takes` milliseconds of playback for each frame.
    struct Slow {
        shared: Arc<Shared>,
        takes: Arc<AtomicI64>,
        /// The decoded frames, and the delay of each.
        decoded: Arc<Mutex<Vec<(i64, i64)>>>,
        /// True if the decoder returns nothing for its input.
        waits: bool,
    }

    impl VideoBackend for Slow {
        fn prepare(&mut self) {}

        fn decode(&mut self, packet: &EncodedPacket) -> Result<Vec<VideoFrame>, decode::Error> {
            // The decoder waits until there is room for its output.
            let position =
                self.shared.timeline.position().max(packet.pts.offset(-DECODE_AHEAD_MS * 1_000));
            let position = position.offset(self.takes.load(Ordering::Relaxed) * 1_000);
            self.shared.timeline.set_position(position);
            let late = position.micros_since(packet.pts) / 1_000;
            if self.waits {
                return Ok(Vec::new());
            }
            self.decoded.lock().push((packet.pts.as_millis(), late));
            let planes = Arc::new(Pooled::unpooled(Planes::black(Size::new(2, 2))));
            Ok(vec![VideoFrame { pts: packet.pts, color: Color::PROGRAM, surface: planes.into() }])
        }

        fn flush(&mut self) -> Vec<VideoFrame> {
            Vec::new()
        }

        fn reset(&mut self) {
            self.waits = true;
        }

        fn is_waiting(&self) -> bool {
            self.waits
        }

        fn begin_anywhere(&mut self) {
            self.waits = false;
        }

        fn name(&self) -> &str {
            "slow"
        }

        fn by(&self) -> DecoderInfo {
            DecoderInfo { library: "a test", hardware: None }
        }
    }

    fn packet_at(ms: i64, group: i64) -> BufferedPacket<VideoConfig> {
        let (at, keyframe) = (Timestamp::from_millis(ms), ms % group == 0);
        let data = Bytes::from_static(b"picture");
        BufferedPacket::Packet(EncodedPacket::received(Track::Video, (at, at), keyframe, data))
    }

    /// A player with a decoder of a given speed. It does not read any clock.
    struct Bench {
        shared: Arc<Shared>,
        events: queue::Receiver<Event>,
        takes: Arc<AtomicI64>,
        decoded: Arc<Mutex<Vec<(i64, i64)>>>,
        lag: FrameDrop,
        /// Presentation time of the next frame.
        next: i64,
        /// Number of waiting frames.
        waiting: usize,
        group: i64,
    }

    impl Bench {
        fn new(source: Source) -> Self {
            let (shared, events) = Shared::new(&Config::new(source), Clock::start());
            let (takes, decoded) = (Arc::default(), Arc::default());
            let shared = Arc::new(shared);
            shared.timeline.begin_at(Timestamp::ZERO);
            let (lag, next, waiting) = (FrameDrop::default(), 0, 0);
            Self { shared, events, takes, decoded, lag, next, waiting, group: KEYFRAME_INTERVAL_MS }
        }

        fn live() -> Self {
            Self::new(Source::Url("rtmp://host/app/name".into()))
        }

        fn position(&self) -> i64 {
            self.shared.timeline.position().as_millis()
        }

        /// Adds the next frame.
        fn feed(&mut self) {
            self.shared.packets.video.push(packet_at(self.next, self.group));
            self.next += FRAME_INTERVAL_MS;
            self.waiting += 1;
        }

        /// Takes a frame. Returns false if none waits.
        fn take(&mut self) -> bool {
            let (_, Popped::Unit(unit)) = self.shared.packets.video.pop(Duration::ZERO) else {
                return false;
            };
            self.waiting -= 1;
            let (shared, takes, decoded) = (&self.shared, &self.takes, &self.decoded);
            let (shared, takes) = (Arc::clone(shared), Arc::clone(takes));
            let slow = Slow { shared, takes, decoded: Arc::clone(decoded), waits: false };
            let mut decoding = Decoding::new(&self.shared);
            decoding.decoder = Some(Box::new(slow));
            std::mem::swap(&mut decoding.lag, &mut self.lag);
            decoding.take(unit);
            std::mem::swap(&mut decoding.lag, &mut self.lag);
            true
        }

        /// Plays a broadcast for this many seconds. Decoding each frame takes `takes` milliseconds.
        /// Returns the decoded frames.
        fn watch(&mut self, seconds: i64, takes: i64) -> Vec<(i64, i64)> {
            self.takes.store(takes, Ordering::Relaxed);
            let until = self.position() + seconds * 1_000;
            while self.position() < until {
                while self.next <= self.position() + BUFFER_LENGTH_MS {
                    self.feed();
                }
                if !self.take() {
                    self.shared.timeline.set_position(
                        self.shared.timeline.position().offset(FRAME_INTERVAL_MS * 1_000),
                    );
                }
            }
            std::mem::take(&mut *self.decoded.lock())
        }

        fn slow_reports(&self) -> usize {
            let is_slow = |event: &Event| match event {
                Event::Message(message) => message.key() == "player-too-slow",
                _ => false,
            };
            self.events.waiting().filter(is_slow).count()
        }
    }

    fn latest(decoded: &[(i64, i64)]) -> i64 {
        decoded.iter().map(|&(_, late)| late).max().unwrap()
    }

    #[test]
    fn frames_before_the_start_of_a_file_are_only_decoded() {
        let bench = Bench::new(Source::File(PathBuf::new()));
        let (shared, takes) = (Arc::clone(&bench.shared), Arc::clone(&bench.takes));
        let slow = Slow { shared, takes, decoded: Arc::clone(&bench.decoded), waits: false };
        let mut decoding = Decoding::new(&bench.shared);
        assert!(decoding.take(BufferedPacket::Seam(Timestamp::from_millis(80))).is_empty());
        decoding.decoder = Some(Box::new(slow));
        let mut shown = Vec::new();
        for ms in [0, 40, 80, 120] {
            let frames = decoding.take(packet_at(ms, KEYFRAME_INTERVAL_MS));
            shown.extend(frames.iter().map(|frame| frame.pts.as_millis()));
        }
        assert_eq!((shown, bench.decoded.lock().len()), (vec![80, 120], 4));
    }

    #[test]
    fn a_decoder_that_is_too_slow_leaves_frames_out_and_stays_with_the_audio() {
        let mut bench = Bench::live();
        let decoded = bench.watch(20, 36);
        assert!(
            latest(&decoded) <= FRAME_INTERVAL_MS && bench.shared.report.dropped() == 0,
            "{}",
            latest(&decoded)
        );
        // A decoder that is 10 % too slow, for ten minutes.
        let decoded = bench.watch(600, 44);
        let dropped = bench.shared.report.dropped();
        assert!(latest(&decoded) < 1_200, "{}", latest(&decoded));
        assert!(decoded.len() > 9_000 && dropped > 1_000, "{} {dropped}", decoded.len());
        assert_eq!(bench.slow_reports(), 1);
        // The decoder keeps up again for more than a minute, and then falls behind.
        let decoded = bench.watch(70, 30);
        assert!(latest(&decoded[200..]) <= FRAME_INTERVAL_MS, "{}", latest(&decoded[200..]));
        let before = bench.shared.report.dropped();
        let decoded = bench.watch(60, 120);
        assert!(bench.shared.report.dropped() > before && latest(&decoded) < 1_200);
        assert!(decoded.len() > 200, "{}", decoded.len());
        assert_eq!(bench.slow_reports(), 1, "said once more");
    }

    #[test]
    fn the_audio_of_a_file_is_read_in_time_beside_a_decoder_that_is_too_slow() {
        const FILE_QUEUE_PACKETS: usize = 250;
        let mut bench = Bench::new(Source::File(PathBuf::from("film.flv")));
        bench.takes.store(60, Ordering::Relaxed);
        while bench.position() < 120_000 {
            // Video and audio are read interleaved until the queues are full.
            while bench.waiting < FILE_QUEUE_PACKETS {
                bench.feed();
            }
            let read = bench.next;
            assert!(read > bench.position() + 1_000, "{read} {}", bench.position());
            bench.take();
        }
        assert!(bench.shared.report.dropped() > 500, "{}", bench.shared.report.dropped());
        assert_eq!(bench.slow_reports(), 1);
    }

    #[test]
    fn who_jumps_ahead_goes_on_at_the_last_keyframe_and_is_not_called_slow() {
        let mut bench = Bench::live();
        bench.watch(4, 4);
        // A minute of waiting packets is no longer needed.
        while bench.next < 64_000 {
            bench.feed();
        }
        bench.shared.timeline.begin_at(Timestamp::from_millis(63_000));
        let decoded = bench.watch(5, 4);
        let (begun, _) = *decoded.iter().find(|&&(at, _)| at > 40_000).unwrap();
        assert!(begun >= 62_000 && begun % KEYFRAME_INTERVAL_MS == 0, "{begun}");
        assert!(decoded.last().unwrap().1 <= FRAME_INTERVAL_MS);
        assert_eq!(bench.slow_reports(), 0);
        // A small delay: the decoder catches up and skips nothing.
        let before = bench.shared.report.dropped();
        bench.shared.timeline.begin_at(Timestamp::from_millis(bench.position() + 1_500));
        bench.watch(5, 4);
        assert_eq!((bench.shared.report.dropped(), bench.slow_reports()), (before, 0));
    }

    #[test]
    fn frames_that_come_late_are_nobodys_slowness_and_some_have_no_keyframes() {
        let mut bench = Bench::live();
        bench.takes.store(4, Ordering::Relaxed);
        for _ in 0..500 {
            bench.feed();
            // The audio plays 3 s before each frame arrives.
            bench.shared.timeline.set_position(Timestamp::from_millis(bench.next + 3_000));
            assert!(bench.take());
        }
        assert_eq!((bench.shared.report.dropped(), bench.slow_reports()), (0, 0));
        let mut bench = Bench::live();
        bench.group = i64::MAX;
        let decoded = bench.watch(60, 60);
        assert!(decoded.last().unwrap().0 > 45_000, "it goes on where none comes: {decoded:?}");
        assert_eq!(bench.slow_reports(), 1);
    }

    #[test]
    fn frames_dropped_from_a_stream_without_keyframes_were_waited_for_already() {
        let mut bench = Bench::live();
        bench.group = i64::MAX;
        let (shared, takes) = (Arc::clone(&bench.shared), Arc::new(AtomicI64::new(60)));
        let decoded = Arc::clone(&bench.decoded);
        let mut decoding = Decoding::new(&shared);
        let slow = Slow { shared: Arc::clone(&shared), takes, decoded, waits: false };
        decoding.decoder = Some(Box::new(slow));
        // The decoder can begin anywhere: no other decoder is needed.
        decoding.tolerant = true;
        let sets = [
            &b"\x67\x64\0\x20\xac\xd9\x40\xc0\x29\xb0\x11\0\0\x03\0\x01\0\0\x03\0\x32\x0f\x18\x31\x96"[..],
            b"\x68\xEB\xE3\xCB\x22\xC0",
        ];
        let config = DecoderConfig::new(sets[0].into(), sets[1].into()).unwrap();
        decoding.config = video_config(VideoCodec::H264, config.build().unwrap());
        assert!(decoding.config.is_some());
        while bench.position() < 60_000 {
            while bench.next <= bench.position() + BUFFER_LENGTH_MS {
                bench.feed();
            }
            match shared.packets.video.pop(Duration::ZERO) {
                (_, Popped::Unit(unit)) => drop(decoding.take(unit)),
                _ => shared
                    .timeline
                    .set_position(shared.timeline.position().offset(FRAME_INTERVAL_MS * 1_000)),
            }
        }
        let seen = bench.decoded.lock();
        let gaps = seen
            .windows(2)
            .map(|pair| pair[1].0 - pair[0].0)
            .filter(|gap| *gap > FRAME_INTERVAL_MS);
        let gaps: Vec<i64> = gaps.collect();
        // Ten seconds, plus the decoder's delay.
        assert!(
            gaps.len() >= 3 && gaps.iter().all(|gap| (10_000..12_000).contains(gap)),
            "{gaps:?}"
        );
        let none = |event| matches!(event, Event::Message(it) if it.key() == "player-no-keyframe");
        assert!(!bench.events.waiting().any(none));
    }

    #[test]
    fn saving_goes_on_without_a_decoder() {
        let error = decode::Error::Unsupported("H.264 High 4:2:2".into());
        let config = bare_video_config(VideoCodec::H264, Bytes::new(), &[]);
        for saved in [false, true] {
            let Bench { shared, events, .. } = Bench::live();
            if saved {
                let mut filing = shared.requests.filing.lock();
                filing.begin("a.flv".as_ref());
                filing.end("a.flv".as_ref());
            }
            let mut thread = Decoding::new(&shared);
            thread.unsupported(config.clone(), &error);
            thread.unsupported(config.clone(), &error);
            assert_eq!(shared.lifetime.stop.is_set(), !saved);
            let messages = events.waiting().filter(|it| matches!(it, Event::Message(_))).count();
            assert_eq!(messages, usize::from(saved));
        }
    }
}
