//! Converts messages of a stream to frames. The frame maker runs on a separate thread, because it
//! decodes audio.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use parking_lot::Mutex;

use crate::base::Clock;
use crate::media::{
    AudioConfig, EncodedPacket, StreamEvent, Track, TrackConfig, VideoCodec, VideoConfig,
};
use crate::server::stream::message::{Message, Takes};
use crate::server::stream::message_sink::Arrival;
use crate::server::webrtc::whep::frame::{Frame, FrameKind};
use crate::server::webrtc::whep::production::audio::{OpusSource, Pairing};
use crate::server::webrtc::whep::production::timeline::Timeline;
use crate::server::webrtc::whep::tracks::{Tracks, Unplayable, VideoFormat};
use crate::wire::codec::h264::{DecoderConfig, avcc_nals};
use crate::wire::container::flv::events::TagEvent;
use crate::wire::container::flv::reader::Reader;
use crate::wire::container::flv::{Tag, TagKind};
use crate::wire::container::mp4::live::is_live_video;
use crate::wire::webrtc::rtp::{self, av1, h264};

/// A frame of a stream, or a change of the stream.
#[derive(Debug)]
pub(super) enum ProductionEvent {
    Frame(Frame),
    /// The known tracks have changed.
    Tracks(Tracks),
    /// The cached frames for new viewers are no longer usable.
    CacheInvalid,
}

/// The number of listeners, as far as it matters to the audio.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Listeners {
    None,
    Few,
    Crowd,
}

/// Converts messages to frames.
pub(super) struct FrameMaker {
    clock: Clock,
    /// Number of the production.
    production: u64,
    reader: Reader,
    timeline: Arc<Mutex<Timeline>>,
    /// True for a rendition, whose frames follow the timeline of the stream.
    pub(super) is_rendition: bool,
    config: Option<(VideoConfig, PacketizerConfig)>,
    audio: AudioState,
    tracks: Tracks,
    /// DTS and PTS of the last frame, in the publisher's time.
    last_dts: i64,
    last_pts: i64,
    /// True until the next keyframe.
    broken: bool,
    /// The number of the next video frame.
    next_index: u64,
}

/// The config that keyframes need in addition to their packet.
enum PacketizerConfig {
    H264(DecoderConfig),
    /// The AV1 codec configuration record (AV1-ISOBMFF §2.3.3).
    Av1(Bytes),
}

/// State of the audio track.
#[derive(Default)]
enum AudioState {
    #[default]
    None,
    /// There is no listener, or no audio has arrived.
    Known(AudioConfig),
    Open(AudioConfig, OpusSource, Pairing),
    /// The audio cannot be decoded, which is reported once.
    Failed,
}

impl AudioState {
    /// Returns the config of audio that can be decoded.
    fn config(&self) -> Option<&AudioConfig> {
        match self {
            Self::Known(config) | Self::Open(config, ..) => Some(config),
            Self::None | Self::Failed => None,
        }
    }
}

impl FrameMaker {
    pub fn new(clock: Clock, production: u64, timeline: Arc<Mutex<Timeline>>) -> Self {
        Self {
            clock,
            production,
            reader: Reader::of_known_tracks(is_live_video),
            timeline,
            is_rendition: false,
            config: None,
            audio: AudioState::None,
            tracks: Tracks::default(),
            last_dts: i64::MIN,
            last_pts: i64::MIN,
            broken: true,
            next_index: 0,
        }
    }

    /// Handles an arrival.
    pub fn take(
        &mut self,
        arrival: &Arrival,
        now: Instant,
        listeners: Listeners,
        out: &mut Vec<ProductionEvent>,
    ) {
        match arrival {
            Arrival::Message(message) => self.message(message, now, listeners, out),
            // The stream informs its viewers itself.
            Arrival::Gone => {}
            Arrival::Back => {
                self.reader.restart();
                self.config = None;
                self.audio = AudioState::None;
                self.tracks = Tracks::default();
                self.interrupt(out);
            }
            Arrival::Lost { .. } => self.interrupt(out),
        }
    }

    /// Marks missing frames: skips a number, so that viewers detect the loss.
    fn interrupt(&mut self, out: &mut Vec<ProductionEvent>) {
        self.broken = true;
        self.next_index += 1;
        out.push(ProductionEvent::CacheInvalid);
    }

    fn message(
        &mut self,
        message: &Message,
        now: Instant,
        listeners: Listeners,
        out: &mut Vec<ProductionEvent>,
    ) {
        let plain = message.for_viewer(Takes::ONE_TRACK).unwrap_or(message);
        let (kind, time_ms) = (plain.kind, plain.time_ms);
        if kind == TagKind::Script {
            return;
        }
        let read = self.reader.read(Tag { kind, time_ms, body: plain.body() });
        let before = self.tracks;
        for event in read.events.into_iter().flatten() {
            match event {
                TagEvent::Event(StreamEvent::Config(TrackConfig::Video(config))) => {
                    self.video_config(&config, out);
                }
                TagEvent::Event(StreamEvent::Config(TrackConfig::Audio(config))) => {
                    self.tracks.audio = true;
                    if self.audio.config() != Some(&config) {
                        self.audio = AudioState::Known(config);
                    }
                }
                TagEvent::Event(StreamEvent::Packet(packet)) => {
                    if !self.is_rendition {
                        self.timeline.lock().note(packet.dts.as_micros());
                    }
                    match packet.track {
                        Track::Video => self.video_packet(&packet, now, out),
                        Track::Audio => self.audio_packet(&packet, now, listeners, out),
                        Track::Extra(_) | Track::Rendition(_) => {}
                    }
                }
                TagEvent::UnsupportedVideo(_) => {
                    self.config = None;
                    self.tracks.refused = Some(Unplayable::Codec("one that onair does not know"));
                }
                _ => {}
            }
        }
        if self.tracks != before {
            out.push(ProductionEvent::Tracks(self.tracks));
        }
    }

    fn video_config(&mut self, config: &VideoConfig, out: &mut Vec<ProductionEvent>) {
        // Some relays repeat the config, after which the frames continue.
        if self.config.as_ref().is_some_and(|(known, _)| known.has_same_codec_config(config)) {
            return;
        }
        let parsed = match config.codec {
            VideoCodec::H264 => {
                DecoderConfig::parse(&config.codec_config).ok().map(PacketizerConfig::H264)
            }
            VideoCodec::Av1 => Some(PacketizerConfig::Av1(config.codec_config.clone())),
            _ => None,
        };
        self.interrupt(out);
        match &parsed {
            Some(PacketizerConfig::Av1(_)) => {
                self.tracks.video = Some(VideoFormat::Av1);
                self.tracks.refused = None;
            }
            Some(PacketizerConfig::H264(sets)) => {
                let [profile, constraints, level] =
                    [sets.profile_idc, sets.constraints, sets.level_idc];
                let id = u32::from_be_bytes([0, profile, constraints, level]);
                self.tracks.video = Some(VideoFormat::H264(id));
                self.tracks.refused = None;
            }
            None => self.tracks.refused = Some(Unplayable::Codec(config.codec.name())),
        }
        self.config = parsed.map(|parsed| (config.clone(), parsed));
    }

    fn video_packet(
        &mut self,
        packet: &EncodedPacket,
        now: Instant,
        out: &mut Vec<ProductionEvent>,
    ) {
        let (dts, pts) = (packet.dts.as_micros(), packet.pts.as_micros());
        let arrived = self.clock.at(now).as_micros();
        let Some((_, config)) = &self.config else { return self.follow(dts, arrived) };
        if packet.keyframe {
            self.broken = false;
        } else if pts < self.last_pts && dts >= self.last_dts {
            // If the DTS goes back too, the publisher's clock was set.
            self.tracks.refused = Some(Unplayable::BFrames);
        }
        (self.last_dts, self.last_pts) = (dts, pts);
        if self.broken || self.tracks.refused.is_some() {
            return self.follow(dts, arrived);
        }
        let (data, is_key) = (&packet.data, packet.keyframe);
        let payloads = match config {
            PacketizerConfig::H264(sets) => {
                let nals = avcc_nals(data, 4).map_while(Result::ok);
                let sets = is_key.then(|| sets.parameter_sets()).into_iter().flatten();
                h264::packetize(sets, nals, rtp::MAX_PAYLOAD_BYTES)
            }
            PacketizerConfig::Av1(record) => {
                av1::packetize(record, data, is_key, rtp::MAX_PAYLOAD_BYTES)
            }
        };
        if payloads.is_empty() {
            return;
        }
        let kind = if packet.keyframe { FrameKind::Key } else { FrameKind::Inter };
        let is_av1 = matches!(config, PacketizerConfig::Av1(_));
        let placed = {
            let mut timeline = self.timeline.lock();
            let at = match self.is_rendition {
                true => timeline.place_beside(pts, arrived),
                false => Some(timeline.place(pts, arrived)),
            };
            at.map(|at| (at, timeline.wallclock_instant(at, now, self.clock)))
        };
        let Some((at, wallclock)) = placed else {
            // The rendition continues with its next keyframe.
            return self.interrupt(out);
        };
        out.push(ProductionEvent::Frame(Frame {
            production: self.production,
            is_av1,
            kind,
            index: self.next_index,
            at,
            wallclock,
            arrived: now,
            payloads,
        }));
        self.next_index += 1;
    }

    /// Keeps the timeline in step with video that viewers get only as a rendition.
    fn follow(&self, dts: i64, arrived: i64) {
        if !self.is_rendition {
            self.timeline.lock().place(dts, arrived);
        }
    }

    fn audio_packet(
        &mut self,
        packet: &EncodedPacket,
        now: Instant,
        listeners: Listeners,
        out: &mut Vec<ProductionEvent>,
    ) {
        let has_listeners = listeners != Listeners::None;
        self.audio = match (std::mem::take(&mut self.audio), has_listeners) {
            (AudioState::Known(config), true) => match OpusSource::open(&config) {
                Ok(source) => AudioState::Open(config, source, Pairing::default()),
                Err(why) => {
                    tracing::warn!(%why, "converting the audio to Opus for WHEP failed");
                    AudioState::Failed
                }
            },
            (AudioState::Open(config, ..), false) => AudioState::Known(config),
            (other, _) => other,
        };
        let AudioState::Open(_, source, pairing) = &mut self.audio else { return };
        let joins = listeners == Listeners::Crowd;
        for packet in pairing.packets(joins, |each| source.packet(packet, each)) {
            let mut timeline = self.timeline.lock();
            let frame = audio_frame(self.production, &mut timeline, packet, now, self.clock);
            out.push(ProductionEvent::Frame(frame));
        }
    }
}

/// Places an Opus packet with its time, in the publisher's time, on the timeline.
pub(super) fn audio_frame(
    production: u64,
    timeline: &mut Timeline,
    (pts, data): (i64, Bytes),
    now: Instant,
    clock: Clock,
) -> Frame {
    let at = timeline.place(pts, clock.at(now).as_micros());
    Frame {
        production,
        is_av1: false,
        kind: FrameKind::Audio,
        index: 0,
        at,
        wallclock: timeline.wallclock_instant(at, now, clock),
        arrived: now,
        payloads: vec![Arc::from(&*data)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::stream::message::Class;

    /// High profile, level 3.2.
    const HIGH_PROFILE_CONFIG: &[u8] =
        b"\x17\0\0\0\0\x01\x64\0\x20\xff\xe1\0\x19\x67\x64\0\x20\xac\xd9\x40\xc0\x29\xb0\x11\0\0\x03\0\x01\
        \0\0\x03\0\x32\x0f\x18\x31\x96\x01\0\x06\x68\xeb\xe3\xcb\x22\xc0";

    fn message(body: &[u8], time_ms: u32) -> Arrival {
        let body = Bytes::copy_from_slice(body);
        Arrival::Message(Arc::new(Message::new(TagKind::Video, Class::Inter, time_ms, &body)))
    }

    /// Returns a frame with this composition time in milliseconds.
    fn frame(first: u8, time_ms: u32, composition: u8) -> Arrival {
        let nal = if first == 0x17 { 0x65 } else { 0x41 };
        message(&[first, 1, 0, 0, composition, 0, 0, 0, 2, nal, 0x88], time_ms)
    }

    fn take(maker: &mut FrameMaker, arrivals: &[Arrival]) -> Vec<ProductionEvent> {
        let mut out = Vec::new();
        arrivals
            .iter()
            .for_each(|arrival| maker.take(arrival, Instant::now(), Listeners::Few, &mut out));
        out
    }

    fn frames(events: &[ProductionEvent]) -> Vec<(FrameKind, u64, i64, usize)> {
        events
            .iter()
            .filter_map(|event| match event {
                ProductionEvent::Frame(it) => Some((it.kind, it.index, it.at, it.payloads.len())),
                _ => None,
            })
            .collect()
    }

    #[test]
    fn frames_begin_at_a_keyframe_that_brings_its_parameter_sets() {
        let mut maker = FrameMaker::new(Clock::start(), 1, Arc::default());
        let events = take(
            &mut maker,
            &[
                message(HIGH_PROFILE_CONFIG, 0),
                frame(0x27, 0, 0),
                frame(0x17, 40, 0),
                frame(0x27, 80, 0),
            ],
        );
        let expected = [(FrameKind::Key, 1, 40_000, 1), (FrameKind::Inter, 2, 80_000, 1)];
        assert_eq!(frames(&events), expected);
        let known = events.iter().find_map(|event| match event {
            ProductionEvent::Tracks(tracks) => tracks.video,
            _ => None,
        });
        assert_eq!(known, Some(VideoFormat::H264(0x64_00_20)));
        // A missing number shows the loss.
        let events = take(
            &mut maker,
            &[Arrival::Lost { frames: 1 }, frame(0x27, 120, 0), frame(0x17, 160, 0)],
        );
        assert_eq!(frames(&events), [(FrameKind::Key, 4, 160_000, 1)]);
    }

    #[test]
    fn a_repeated_video_config_changes_nothing() {
        let mut maker = FrameMaker::new(Clock::start(), 1, Arc::default());
        let config = |time_ms| message(HIGH_PROFILE_CONFIG, time_ms);
        let invalid = |events: &[ProductionEvent]| {
            events.iter().filter(|event| matches!(event, ProductionEvent::CacheInvalid)).count()
        };
        let events = take(
            &mut maker,
            &[config(0), frame(0x17, 0, 0), frame(0x27, 40, 0), config(60), frame(0x27, 80, 0)],
        );
        let expected = [
            (FrameKind::Key, 1, 0, 1),
            (FrameKind::Inter, 2, 40_000, 1),
            (FrameKind::Inter, 3, 80_000, 1),
        ];
        assert_eq!((frames(&events).as_slice(), invalid(&events)), (&expected[..], 1));
        // The config of the next publisher counts, even if it is the same.
        let events = take(&mut maker, &[Arrival::Back, config(0), frame(0x17, 120, 0)]);
        assert_eq!((frames(&events).len(), invalid(&events)), (1, 2));
        let known = events.iter().find_map(|event| match event {
            ProductionEvent::Tracks(tracks) => tracks.video,
            _ => None,
        });
        assert_eq!(known, Some(VideoFormat::H264(0x64_00_20)));
    }

    #[test]
    fn a_repeated_audio_config_keeps_the_decoder() {
        let mut maker = FrameMaker::new(Clock::start(), 1, Arc::default());
        let audio = |body: &'static [u8]| {
            let body = Bytes::from_static(body);
            Arrival::Message(Arc::new(Message::new(TagKind::Audio, Class::Audio, 0, &body)))
        };
        // AAC-LC with two channels, at 44.1 and at 48 kHz.
        let (config, other): (&[u8], &[u8]) = (b"\xaf\0\x12\x10", b"\xaf\0\x11\x90");
        take(&mut maker, &[audio(config), audio(b"\xaf\x01\x21\0"), audio(config)]);
        assert!(matches!(maker.audio, AudioState::Open(..)));
        take(&mut maker, &[audio(other)]);
        assert!(matches!(maker.audio, AudioState::Known(_)));
    }

    #[test]
    fn b_frames_are_refused() {
        let mut maker = FrameMaker::new(Clock::start(), 1, Arc::default());
        let events = take(
            &mut maker,
            &[
                message(HIGH_PROFILE_CONFIG, 0),
                frame(0x17, 0, 80),
                frame(0x27, 40, 120),
                frame(0x27, 80, 0),
            ],
        );
        assert_eq!(frames(&events).len(), 2);
        let refused = events.iter().any(|event| {
            matches!(event, ProductionEvent::Tracks(tracks) if tracks.refused == Some(Unplayable::BFrames))
        });
        assert!(refused);
    }

    #[test]
    fn a_rendition_keeps_to_the_timeline_of_a_stream_with_b_frames() {
        let (clock, timeline) = (Clock::start(), Arc::<Mutex<Timeline>>::default());
        let mut main = FrameMaker::new(clock, 1, Arc::clone(&timeline));
        let mut rendition = FrameMaker::new(clock, 2, timeline);
        rendition.is_rendition = true;
        // The publisher's times jump after the B-frames were found.
        let all = [
            message(HIGH_PROFILE_CONFIG, 0),
            frame(0x17, 0, 80),
            frame(0x27, 40, 120),
            frame(0x27, 80, 0),
            frame(0x27, 90_000, 0),
        ];
        assert_eq!(frames(&take(&mut main, &all)).len(), 2);
        // The frames since the stream's last keyframe arrive first.
        let old = [message(HIGH_PROFILE_CONFIG, 82_000), frame(0x17, 82_000, 0)];
        assert_eq!(frames(&take(&mut rendition, &old)), []);
        let new = [frame(0x27, 89_900, 0), frame(0x17, 90_000, 0), frame(0x27, 90_040, 0)];
        let new = frames(&take(&mut rendition, &new));
        assert!(matches!(&new[..], [(_, _, at, _), (_, _, next, _)] if next - at == 40_000));
    }

    #[test]
    fn times_that_jump_back_are_no_b_frames() {
        let mut maker = FrameMaker::new(Clock::start(), 1, Arc::default());
        let events = take(
            &mut maker,
            &[
                message(HIGH_PROFILE_CONFIG, 5_000),
                frame(0x17, 5_000, 0),
                frame(0x27, 5_040, 0),
                frame(0x27, 4_500, 0),
                frame(0x27, 4_540, 0),
            ],
        );
        assert_eq!(frames(&events).len(), 4);
        let refused = events.iter().any(
            |event| matches!(event, ProductionEvent::Tracks(tracks) if tracks.refused.is_some()),
        );
        assert!(!refused);
    }

    #[test]
    fn other_codecs_are_refused_by_name() {
        let mut maker = FrameMaker::new(Clock::start(), 1, Arc::default());
        let hevc = b"\x90hvc1\x01\x01\x60\0\0\0\x90\0\0\0\0\0\x3c\xf0\0\xfc\xfd\xf8\xf8\0\0\x0f\0";
        let events = take(&mut maker, &[message(hevc, 0)]);
        let refused = events.iter().find_map(|event| match event {
            ProductionEvent::Tracks(tracks) => tracks.refused,
            _ => None,
        });
        assert_eq!(refused, Some(Unplayable::Codec("HEVC")));
    }
}
