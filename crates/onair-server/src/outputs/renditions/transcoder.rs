//! Decodes a stream on a separate thread, and passes its frames to the encoders of its renditions.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::base::queue::{Full, Sender, bounded};
use crate::base::worker::Worker;
use crate::base::{Timestamp, sandbox};
use crate::decode::{self, KEYFRAME_TIMEOUT, VideoBackend};
use crate::media::{
    EncodedPacket, FrameRate, StreamEvent, Track, TrackConfig, VideoConfig, VideoFrame,
};
use crate::server::event::RenditionState;
use crate::server::outputs::renditions::encoding::{Job, encode};
use crate::server::outputs::renditions::missing_frames::{KeyframeDistances, MissingFrames};
use crate::server::outputs::renditions::news::tell;
use crate::server::registry::Registry;
use crate::server::renditions::refusal::Refusal;
use crate::server::renditions::running::RunningRendition;
use crate::server::renditions::transcoders::Transcoder;
use crate::server::stream::Incoming;
use crate::server::stream::message::{Message, Takes};
use crate::server::stream::message_sink::Arrival;
use crate::server::stream::sink::Sink as _;
use crate::text::problem::Problem;
use crate::wire::container::flv::events::TagEvent;
use crate::wire::container::flv::reader::Reader;
use crate::wire::container::flv::{Tag, TagKind};

/// Interval between checks for users.
const USER_CHECK_INTERVAL: Duration = Duration::from_millis(200);
/// Duration for which a rendition continues without users, for a viewer that reloads the page.
const RENDITION_IDLE_TIMEOUT: Duration = Duration::from_secs(2);
/// Maximum number of frames that wait for an encoder.
const MAX_WAITING_FRAMES: usize = 6;
/// Waiting messages that together last longer are dropped up to their last keyframe.
const MAX_LAG_MS: u32 = 2_000;
/// A stream that falls behind this often within [`OVERLOAD_WINDOW`] is too much for the CPU.
const MAX_OVERLOADS: usize = 3;
const OVERLOAD_WINDOW: Duration = Duration::from_secs(30);
/// Maximum number of pixels of a frame. Larger video is not decoded.
const MAX_PIXELS: usize = 4_096 * 2_304;
/// After this long without a frame, decoding begins anywhere, unless the keyframes are farther apart. After this long
/// without a frame again, the video cannot be decoded.
const FRAME_TIMEOUT: Duration = Duration::from_secs(10);
/// Maximum number of remembered keyframes that the decoder has not returned yet.
const MAX_PENDING_KEYFRAMES: usize = 64;

/// The encoder of a rendition.
struct Encoder {
    running: Arc<RunningRendition>,
    jobs: Sender<Job>,
    _worker: Worker,
    /// The time at which the rendition last had a user.
    used: Timestamp,
}

/// Runs until there are no more renditions.
pub(super) fn transcode(registry: &Arc<Registry>, transcoder: &Arc<Transcoder>) {
    // This thread decodes video of untrusted clients. It also starts the encoders, which inherit
    // the sandbox.
    sandbox::video_decoder();
    let mut source = Source::new();
    let mut encoders: Vec<Encoder> = Vec::new();
    let mut overloads: VecDeque<Timestamp> = VecDeque::new();
    let mut is_first = true;
    while !registry.is_stopping() {
        transcoder.sink.wait(USER_CHECK_INTERVAL);
        let now = registry.clock.now();
        start_encoders(registry, transcoder, &source, (&mut encoders, now));
        let mut arrivals = transcoder.sink.take();
        // At first, the frames since the last keyframe arrive all together.
        let was_first = is_first && !arrivals.is_empty();
        is_first &= arrivals.is_empty();
        if !was_first && drop_late(&mut arrivals) {
            source.skip();
            overloads.push_back(now);
            overloads.retain(|at| now.since(*at) < OVERLOAD_WINDOW);
            if overloads.len() >= MAX_OVERLOADS {
                overloads.clear();
                transcoder.step_down();
            }
        }
        for arrival in arrivals {
            source.take(&arrival, &encoders);
        }
        if let Some(why) = source.refused.take() {
            transcoder.wanted.lock().iter().for_each(|running| running.end(why.clone()));
        }
        encoders.iter_mut().filter(|it| it.running.is_used()).for_each(|it| it.used = now);
        let is_over = |it: &Encoder| {
            it.running.ended().is_some() || now.since(it.used) >= RENDITION_IDLE_TIMEOUT
        };
        let over = encoders.iter().filter(|it| is_over(it)).map(|it| Arc::clone(&it.running));
        let early = ended_early(&transcoder.wanted.lock(), &encoders);
        let over: Vec<_> = over.chain(early).collect();
        for running in over {
            if registry.transcoders.remove(transcoder, &running, now) {
                let (name, why) = (running.rendition.name(), running.ended());
                tell(registry, &transcoder.stream, &name, RenditionState::Ended, why.as_ref());
                encoders.retain(|it| !Arc::ptr_eq(&it.running, &running));
            }
        }
        if encoders.is_empty() && registry.transcoders.end(transcoder) {
            break;
        }
    }
    transcoder.stream.leave(transcoder.sink.id());
    registry.tidy(&transcoder.stream);
}

/// Starts the encoders of new renditions.
fn start_encoders(
    registry: &Arc<Registry>,
    transcoder: &Transcoder,
    source: &Source,
    (encoders, now): (&mut Vec<Encoder>, Timestamp),
) {
    let wanted = transcoder.wanted.lock().clone();
    for running in wanted {
        let is_known = encoders.iter().any(|it| Arc::ptr_eq(&it.running, &running));
        if is_known || running.ended().is_some() {
            continue;
        }
        let (jobs, received) = bounded("rendition frames", MAX_WAITING_FRAMES, Full::Block);
        let (registry, its) = (Arc::clone(registry), Arc::clone(&running));
        let worker = Worker::spawn("rendition", move |_| encode(&registry, &its, &received));
        match worker {
            Ok(worker) => {
                if let Some(config) = source.audio_config() {
                    let _ = jobs.send(Job::AudioConfig(config));
                }
                encoders.push(Encoder { running, jobs, _worker: worker, used: now });
            }
            Err(error) => running.end(Refusal::Thread(error.to_string())),
        }
    }
}

/// Returns the renditions that have ended before their encoders started.
fn ended_early(
    wanted: &[Arc<RunningRendition>],
    encoders: &[Encoder],
) -> Vec<Arc<RunningRendition>> {
    let is_started = |it: &Arc<RunningRendition>| {
        encoders.iter().any(|encoder| Arc::ptr_eq(&encoder.running, it))
    };
    wanted.iter().filter(|it| it.ended().is_some() && !is_started(it)).cloned().collect()
}

/// If the waiting video is longer than [`MAX_LAG_MS`], drops the video messages before the last
/// keyframe, or all of them without a keyframe. Returns true if messages were dropped.
fn drop_late(arrivals: &mut Vec<Arrival>) -> bool {
    let video = |arrival: &Arrival| match arrival {
        Arrival::Message(message) if message.kind == TagKind::Video && message.mark.is_none() => {
            Some(message.time_ms)
        }
        _ => None,
    };
    let mut times = arrivals.iter().filter_map(video);
    let Some(first) = times.next() else { return false };
    let behind = times.next_back().map_or(0, |last| last.wrapping_sub(first));
    if behind <= MAX_LAG_MS || behind > u32::MAX / 2 {
        return false;
    }
    let is_key =
        |arrival: &Arrival| matches!(arrival, Arrival::Message(message) if message.is_keyframe());
    let keyframe = arrivals.iter().rposition(is_key).unwrap_or(arrivals.len());
    let mut index = 0;
    arrivals.retain(|arrival| {
        index += 1;
        index > keyframe || video(arrival).is_none()
    });
    true
}

/// Reads messages and decodes the video.
struct Source {
    reader: Reader,
    rate: FrameRate,
    /// The decoder, and the config for which it was opened.
    decoder: Option<(VideoConfig, Box<dyn VideoBackend>)>,
    /// Time and body of the last audio config, for encoders that start later.
    audio_config: Option<(u32, Bytes)>,
    /// Times of keyframes that the decoder has not returned yet.
    keys: VecDeque<Timestamp>,
    /// True until the next keyframe arrives.
    waits: bool,
    /// True if the decoder can begin at any frame.
    is_tolerant: bool,
    distances: KeyframeDistances,
    missing: MissingFrames,
    refused: Option<Refusal>,
}

impl Source {
    fn new() -> Self {
        Self {
            reader: Reader::of_known_tracks(|_| true),
            rate: FrameRate::FPS_30,
            decoder: None,
            audio_config: None,
            keys: VecDeque::new(),
            waits: true,
            is_tolerant: false,
            distances: KeyframeDistances::default(),
            missing: MissingFrames::default(),
            refused: None,
        }
    }

    fn audio_config(&self) -> Option<Incoming> {
        let (time_ms, body) = self.audio_config.clone()?;
        Some(Incoming { kind: TagKind::Audio, time_ms, body, metadata: false })
    }

    /// Handles missing frames: continues with the next keyframe.
    fn skip(&mut self) {
        self.waits = true;
        self.missing.is_anywhere = false;
        self.keys.clear();
        if let Some((_, decoder)) = &mut self.decoder {
            decoder.reset();
        }
    }

    fn take(&mut self, arrival: &Arrival, encoders: &[Encoder]) {
        let job: fn() -> Job = match arrival {
            Arrival::Message(message) => return self.message(message, encoders),
            Arrival::Lost { .. } => return self.skip(),
            Arrival::Gone => || Job::Gone,
            Arrival::Back => {
                self.reader.restart();
                self.decoder = None;
                self.is_tolerant = false;
                self.audio_config = None;
                self.skip();
                || Job::Back
            }
        };
        // An encoder that has ended accepts no jobs.
        for encoder in encoders {
            let _ = encoder.jobs.send(job());
        }
    }

    fn message(&mut self, message: &Message, encoders: &[Encoder]) {
        let plain = message.for_viewer(Takes::ONE_TRACK).unwrap_or(message);
        let (kind, time_ms, body) = (plain.kind, plain.time_ms, plain.body());
        // The reader gets all messages, because it counts their times and reads the frame rate.
        let read = self.reader.read(Tag { kind, time_ms, body: body.clone() });
        if kind == TagKind::Audio {
            let is_config = message.mark.is_some();
            if is_config {
                self.audio_config = Some((time_ms, body.clone()));
            }
            for encoder in encoders {
                let message = Incoming { kind, time_ms, body: body.clone(), metadata: false };
                let job = if is_config { Job::AudioConfig } else { Job::Audio };
                let _ = encoder.jobs.send(job(message));
            }
            return;
        }
        for event in read.events.into_iter().flatten() {
            match event {
                TagEvent::Event(StreamEvent::Config(TrackConfig::Video(config))) => {
                    self.config(&config);
                }
                TagEvent::Event(StreamEvent::Packet(packet)) if packet.track == Track::Video => {
                    self.packet(&packet, encoders);
                }
                _ => {}
            }
        }
    }

    fn config(&mut self, config: &VideoConfig) {
        self.rate = config.frame_rate;
        // Some relays repeat the config, after which the frames continue.
        if self.decoder.as_ref().is_some_and(|(known, _)| known.has_same_codec_config(config)) {
            return;
        }
        self.skip();
        self.is_tolerant = false;
        self.missing = MissingFrames::default();
        self.distances = KeyframeDistances::default();
        let size = config.displayed_size();
        let opened = match size.pixels() <= MAX_PIXELS {
            true => decode::open_video(config).map_err(|why| Problem::from(&why)),
            false => Err(Problem::words(size.to_string())),
        };
        match opened {
            Ok(decoder) => self.decoder = Some((config.clone(), decoder)),
            Err(why) => {
                self.decoder = None;
                self.refused = Some(Refusal::Decoder(why));
            }
        }
    }

    fn packet(&mut self, packet: &EncodedPacket, encoders: &[Encoder]) {
        for frame in self.decode(packet) {
            let mut key = false;
            while self.keys.front().is_some_and(|at| *at <= frame.pts) {
                self.keys.pop_front();
                key = true;
            }
            for encoder in encoders {
                let job = Job::Frame { frame: frame.clone(), key, rate: self.rate };
                let _ = encoder.jobs.send(job);
            }
        }
    }

    /// Decodes a packet. Some streams have no IDR frames after the first one, but other keyframes or a gradual refresh.
    /// If no frame follows, decoding begins there, if possible with a decoder that detects complete frames.
    fn decode(&mut self, packet: &EncodedPacket) -> Vec<VideoFrame> {
        let Some((config, _)) = &self.decoder else { return Vec::new() };
        let codec = config.codec;
        self.distances.note(packet.keyframe);
        self.missing.packets = self.missing.packets.saturating_add(1);
        // After a skip, the next keyframe may be this far away. One of two keyframes may be damaged.
        let farthest = self.distances.longest.unwrap_or_default().saturating_mul(2);
        let mut is_overdue = self.missing.last(KEYFRAME_TIMEOUT, self.rate)
            && self.distances.may_lack_keyframes(codec);
        if self.missing.last(FRAME_TIMEOUT, self.rate)
            && (self.missing.is_late || self.missing.packets >= farthest)
        {
            let attempt = self.missing.begin_last_attempt();
            is_overdue = attempt.is_ok();
            if let Err(why) = attempt {
                self.refused = Some(Refusal::Decoder(why));
            }
            self.skip();
        }
        if self.waits && !packet.keyframe && !is_overdue {
            return Vec::new();
        }
        self.waits = false;
        if packet.keyframe {
            self.expect_key(packet.pts);
        }
        // After an error, another decoder would be no better.
        let Some(frames) = self.run(packet) else { return Vec::new() };
        let is_waiting = self.decoder.as_ref().is_some_and(|(_, decoder)| decoder.is_waiting());
        if !frames.is_empty() || !is_waiting || self.missing.is_anywhere {
            return frames;
        }
        if !packet.keyframe {
            if !is_overdue {
                return frames;
            }
            self.expect_key(packet.pts);
        }
        self.missing.is_anywhere = true;
        if let Some((config, decoder)) = &mut self.decoder {
            let config = Some(&*config).filter(|_| !self.is_tolerant);
            self.is_tolerant |= decode::begin_anywhere(decoder, config);
        }
        self.run(packet).unwrap_or_default()
    }

    /// Remembers that the frame with this time is a keyframe of the renditions.
    fn expect_key(&mut self, pts: Timestamp) {
        if self.keys.len() >= MAX_PENDING_KEYFRAMES {
            self.keys.pop_front();
        }
        self.keys.push_back(pts);
    }

    /// Runs the decoder. Returns `None` after an error.
    fn run(&mut self, packet: &EncodedPacket) -> Option<Vec<VideoFrame>> {
        let (_, decoder) = self.decoder.as_mut()?;
        match decoder.decode(packet) {
            Ok(frames) => {
                if !frames.is_empty() {
                    self.missing = MissingFrames::default();
                }
                Some(frames)
            }
            Err(error) => {
                tracing::debug!(%error, "a frame that cannot be decoded");
                self.missing.error = Some(Problem::from(&error));
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Pooled;
    use crate::decode::DecoderInfo;
    use crate::media::{Color, Planes, Size, VideoCodec};
    use crate::server::access::limits::Limits;
    use crate::server::renditions::ladder::Ladder;
    use crate::server::stream::Stream;
    use crate::server::stream::message::Class;
    use crate::text::problem::problem;
    use crate::wire::amf0::Value;
    use crate::wire::codec::h264::DecoderConfig;
    use crate::wire::container::flv::metadata_body;
    use crate::wire::container::track_config::bare_video_config;

    /// A decoder of a stream whose keyframes are IDR frames if `has_idr`.
    #[derive(Default)]
    struct FakeDecoder {
        begun: bool,
        has_idr: bool,
        fails: bool,
        /// The number of packets that cause an error.
        damaged: u32,
    }

    impl VideoBackend for FakeDecoder {
        fn prepare(&mut self) {}

        fn decode(&mut self, packet: &EncodedPacket) -> Result<Vec<VideoFrame>, decode::Error> {
            if self.damaged > 0 {
                self.damaged -= 1;
                return Err(decode::Error::Damaged {
                    codec: "test",
                    reason: problem!("decode-no-frame"),
                });
            }
            self.begun |= self.has_idr && packet.keyframe;
            let planes = Arc::new(Pooled::unpooled(Planes::black(Size::new(2, 2))));
            let frame =
                VideoFrame { pts: packet.pts, color: Color::PROGRAM, surface: planes.into() };
            Ok((self.begun && !self.fails).then_some(frame).into_iter().collect())
        }

        fn flush(&mut self) -> Vec<VideoFrame> {
            Vec::new()
        }

        fn reset(&mut self) {
            self.begun = false;
        }

        fn is_waiting(&self) -> bool {
            !self.begun
        }

        fn begin_anywhere(&mut self) {
            self.begun = true;
        }

        fn name(&self) -> &str {
            "fake"
        }

        fn by(&self) -> DecoderInfo {
            DecoderInfo { library: "test", hardware: None }
        }
    }

    /// Returns the index of the first packet, of this many, from which a frame comes.
    fn first_frame(source: &mut Source, count: u32, keyframe: bool) -> Option<u32> {
        (0..count).find(|index| {
            let at = Timestamp::from_millis(i64::from(*index) * 33);
            let packet = EncodedPacket::received(Track::Video, (at, at), keyframe, Bytes::new());
            !source.decode(&packet).is_empty()
        })
    }

    /// Returns a source with this decoder.
    fn source_with(decoder: FakeDecoder) -> Source {
        let mut source = Source::new();
        let config = bare_video_config(VideoCodec::Hevc, Bytes::new(), &[]);
        source.decoder = Some((config, Box::new(decoder)));
        source
    }

    #[test]
    fn a_stream_with_distant_keyframes_continues_at_the_next_one() {
        let mut source = source_with(FakeDecoder { has_idr: true, ..FakeDecoder::default() });
        assert_eq!(first_frame(&mut source, 1, true), Some(0));
        source.skip();
        // Other decoders than that of H.264 would return damaged frames.
        assert_eq!(first_frame(&mut source, 90, false), None);
        assert_eq!(first_frame(&mut source, 1, true), Some(0));
        // The keyframes are 20 seconds apart.
        for _ in 0..599 {
            assert_eq!(first_frame(&mut source, 1, false), Some(0));
        }
        assert_eq!(first_frame(&mut source, 1, true), Some(0));
        source.skip();
        assert_eq!(first_frame(&mut source, 599, false), None);
        assert_eq!(source.refused, None);
        assert_eq!(first_frame(&mut source, 1, true), Some(0));
        // No keyframe follows.
        source.skip();
        assert_eq!(first_frame(&mut source, 1_200, false), Some(1_199));
        assert_eq!(source.refused, None);
    }

    #[test]
    fn a_loss_before_the_second_keyframe_ends_with_a_late_beginning() {
        for fails in [false, true] {
            let mut source = source_with(FakeDecoder { has_idr: true, ..FakeDecoder::default() });
            assert_eq!(first_frame(&mut source, 1, true), Some(0));
            let decoder = FakeDecoder { has_idr: true, fails, ..FakeDecoder::default() };
            source.decoder = source_with(decoder).decoder;
            source.skip();
            assert_eq!(first_frame(&mut source, 300, false), (!fails).then_some(299));
            // Another loss does not prolong the last attempt.
            source.skip();
            assert_eq!(first_frame(&mut source, 299, false), None);
            assert_eq!(source.refused, None);
            first_frame(&mut source, 1, false);
            assert_eq!(source.refused.is_some(), fails);
        }
    }

    #[test]
    fn a_damaged_keyframe_does_not_make_the_decoder_begin_anywhere() {
        let decoder = FakeDecoder { has_idr: true, damaged: 1, ..FakeDecoder::default() };
        let mut source = source_with(decoder);
        assert_eq!(first_frame(&mut source, 1, true), None);
        assert!(!source.missing.is_anywhere);
        assert_eq!(first_frame(&mut source, 9, false), None);
        assert_eq!(first_frame(&mut source, 1, true), Some(0));
    }

    #[test]
    fn a_stream_without_idr_frames_is_decoded_or_refused() {
        let source = |fails| source_with(FakeDecoder { fails, ..FakeDecoder::default() });
        // Keyframes of another kind, and a gradual refresh.
        for (keyframe, expected) in [(true, 0), (false, 59)] {
            let mut source = source(false);
            assert_eq!(first_frame(&mut source, 100, keyframe), Some(expected));
            // The encoders begin there.
            assert_eq!(source.keys, [Timestamp::from_millis(i64::from(expected) * 33)]);
            assert_eq!(source.refused, None);
        }
        for keyframe in [true, false] {
            let mut source = source(true);
            assert_eq!(first_frame(&mut source, 299, keyframe), None);
            assert_eq!(source.refused, None);
            assert_eq!(first_frame(&mut source, 1, keyframe), None);
            assert_eq!(source.refused, Some(Refusal::Decoder(problem!("decode-no-frame"))));
        }
    }

    /// Returns a video message with a config without VUI.
    fn config() -> Bytes {
        let (sps, pps) = ([0x67, 66, 0xc0, 10, 0xda, 0x0a, 0x1f, 0x90], [0x68, 0xce, 0x38, 0x80]);
        let [sps, pps] = [&sps[..], &pps].map(Bytes::copy_from_slice);
        let config = DecoderConfig::new(sps, pps).unwrap().build().unwrap();
        Bytes::from([b"\x17\0\0\0\0", &config[..]].concat())
    }

    #[test]
    fn a_repeated_config_keeps_the_decoder() {
        let mut source = Source::new();
        let message =
            || Arrival::Message(Arc::new(Message::new(TagKind::Video, Class::Vital, 0, &config())));
        source.take(&message(), &[]);
        assert!(source.decoder.is_some());
        // A keyframe has arrived.
        source.waits = false;
        source.take(&message(), &[]);
        assert!(source.decoder.is_some() && !source.waits);
        source.take(&Arrival::Back, &[]);
        assert!(source.decoder.is_none() && source.waits);
    }

    #[test]
    fn the_frame_rate_is_that_of_the_metadata_if_the_config_has_none() {
        let metadata = Value::ecma_array([("framerate", Value::Number(60.0))]);
        let mut source = Source::new();
        for (kind, body) in
            [(TagKind::Script, metadata_body(&metadata)), (TagKind::Video, config())]
        {
            source.message(&Message::new(kind, Class::Vital, 0, &body), &[]);
        }
        assert_eq!(Some(source.rate), FrameRate::new(60, 1));
    }

    #[test]
    fn a_rendition_that_ends_before_its_encoder_starts_does_not_stay() {
        let home = [127, 0, 0, 1].into();
        let stream = Stream::new("live".into(), "show".into(), home, Limits::default());
        let rendition = "480p".parse::<Ladder>().unwrap().video[0];
        let running = RunningRendition::new(rendition, Arc::new(stream), 1, Vec::new());
        let wanted = [Arc::new(running)];
        assert!(ended_early(&wanted, &[]).is_empty(), "its encoder starts soon");
        // The publisher has changed to a codec that the server does not decode.
        wanted[0].end(Refusal::Decoder("HEVC".into()));
        let early = ended_early(&wanted, &[]);
        assert!(matches!(&early[..], [it] if Arc::ptr_eq(it, &wanted[0])));
    }
}
