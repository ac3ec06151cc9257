//! The FLV reader: converts an FLV file or stream, or the messages of an RTMP stream, to stream
//! events, tag by tag. The bytes may be split at any position. This module has no I/O.

use super::events::{BodyReader, TagEvent};
use super::normalize::Normalizer;
use super::tag_content::TagContent;
use super::video::{VideoPacket, VideoTag};
use super::{AudioTag, Demuxer, Error, FrameType, Tag, TagKind, WireTime};
use super::{metadata, parse_audio, parse_video};
use crate::base::Timestamp;
use crate::media::{EncodedPacket, Metadata, Priority, StreamEvent, VideoCodec};
use crate::wire::codec::four_cc::VideoFormat;

/// A tag or RTMP message that was read.
#[derive(Clone, Debug)]
pub struct ReadTag {
    /// The unchanged tag, for receivers that store it.
    pub tag: Tag,
    pub content: TagContent,
    /// DTS without wrap-around; zero for script data.
    pub dts: Timestamp,
    /// PTS; zero for script data.
    pub pts: Timestamp,
    /// Drop priority of video. Audio can begin anywhere.
    pub priority: Priority,
    /// At most a config and its first packet, of the first track of each kind.
    pub events: [Option<TagEvent>; 2],
    /// Number of earlier tags that turned out to be damage.
    pub strays: u32,
    /// A format without a decoder that arrived a few times, without a frame of another format.
    pub suspect: Option<VideoFormat>,
}

impl ReadTag {
    /// Returns true if decoding may start at this tag.
    pub fn is_keyframe(&self) -> bool {
        self.tag.kind == TagKind::Video && self.priority == Priority::Key
    }

    /// Returns the packet of the tag.
    pub fn packet(&self) -> Option<&EncodedPacket> {
        self.events.iter().flatten().find_map(|event| match event {
            TagEvent::Event(StreamEvent::Packet(packet)) => Some(packet),
            _ => None,
        })
    }

    /// Returns the tag with its times moved later by this many microseconds.
    pub fn later(mut self, micros: i64) -> Self {
        (self.dts, self.pts) = (self.dts.offset(micros), self.pts.offset(micros));
        for event in self.events.iter_mut().flatten() {
            if let TagEvent::Event(StreamEvent::Packet(packet)) = event {
                (packet.dts, packet.pts) = (packet.dts.offset(micros), packet.pts.offset(micros));
            }
        }
        self
    }
}

/// Reads streams one after another.
#[derive(Debug)]
pub struct Reader {
    demuxer: Demuxer,
    time: WireTime,
    bodies: BodyReader,
    /// Completes what a sender left out, if the events are to be played.
    normalizer: Option<Normalizer>,
}

impl Reader {
    /// Creates a reader. `decodable` is true for video codecs that the receiver of the events can
    /// decode.
    pub fn new(decodable: fn(VideoCodec) -> bool) -> Self {
        let (demuxer, time) = (Demuxer::new(), WireTime::default());
        Self { demuxer, time, bodies: BodyReader::new(decodable), normalizer: None }
    }

    /// Creates a reader for a player: the configs of a sender that omits them come from its frames,
    /// and Annex B is converted. The tags are unchanged.
    pub fn of_player(decodable: fn(VideoCodec) -> bool) -> Self {
        Self { normalizer: Some(Normalizer::default()), ..Self::new(decodable) }
    }

    /// Creates a reader for outputs that describe each track at their beginning: a track whose codec needs a config
    /// begins with this config.
    pub fn of_known_tracks(decodable: fn(VideoCodec) -> bool) -> Self {
        let reader = Self::new(decodable);
        Self { bodies: reader.bodies.complete(), ..reader }
    }

    /// Creates a reader of the audio track with this id, instead of the first one.
    pub fn of_audio_track(track: u8) -> Self {
        let mut reader = Self::new(|_| false);
        reader.bodies.choose_audio(track);
        reader
    }

    /// Returns the id of the audio track that is read, once it is known.
    pub fn audio_track(&self) -> Option<u8> {
        self.bodies.audio_track()
    }

    /// Starts a new connection or file, which earlier configs do not describe.
    pub fn restart(&mut self) {
        self.demuxer = Demuxer::new();
        self.bodies.restart();
        if let Some(normalizer) = &mut self.normalizer {
            *normalizer = Normalizer::default();
        }
    }

    /// Continues at the start of a file.
    pub fn rewind(&mut self) {
        self.time = WireTime::default();
        self.go_to(0);
    }

    /// Continues at this position of the same file, at the start of a tag.
    pub fn go_to(&mut self, at: u64) {
        self.demuxer = Demuxer::new();
        if at > 0 {
            self.demuxer.push(&super::file_header(true, true));
            // The header contains no tag.
            let _ = self.demuxer.next_tag();
        }
    }

    /// Continues at this position of the same file, at the start of a tag with about this DTS.
    pub fn resume(&mut self, at: u64, dts: Timestamp) {
        self.go_to(at);
        self.time = WireTime::after(dts.as_millis());
    }

    /// Returns the position of the next tag after `received` bytes.
    pub fn next_tag_at(&self, received: u64) -> u64 {
        let returned = received.saturating_sub(self.demuxer.pending() as u64);
        returned.saturating_add(self.demuxer.skip() as u64)
    }

    /// Sets the time near which the next tag is. Returns this time without wrap-around, in
    /// microseconds.
    pub fn set_time(&mut self, time_ms: u32) -> i64 {
        self.time.micros(time_ms)
    }

    /// Adds received bytes; [`Reader::next_tag`] returns the tags.
    pub fn push(&mut self, bytes: &[u8]) {
        self.demuxer.push(bytes);
    }

    /// Returns the next tag, or `None` if more bytes are needed.
    ///
    /// # Errors
    /// Fails if the data is not FLV.
    pub fn next_tag(&mut self) -> Result<Option<ReadTag>, Error> {
        Ok(self.demuxer.next_tag()?.map(|tag| self.read(tag)))
    }

    /// Returns the number of received bytes that are not returned yet.
    pub fn pending(&self) -> usize {
        self.demuxer.pending()
    }

    /// Converts a tag or an RTMP message.
    pub fn read(&mut self, tag: Tag) -> ReadTag {
        let time_before = self.time;
        let dts = match tag.kind {
            TagKind::Script => Timestamp::ZERO,
            _ => Timestamp::from_micros(self.time.micros(tag.time_ms)),
        };
        let (mut pts, mut priority) = (dts, Priority::Key);
        let (content, events) = match tag.kind {
            TagKind::Script => {
                let script = StreamEvent::Metadata(Metadata::Script(tag.body.clone()));
                let content = TagContent::of(TagKind::Script, &tag.body);
                if content == TagContent::Metadata
                    && let Some(frame_rate) = metadata::frame_rate(&tag.body)
                {
                    self.bodies.declare_frame_rate(frame_rate);
                }
                if let Some(normalizer) = &mut self.normalizer
                    && content == TagContent::Metadata
                    && let Ok(Some(value)) = metadata::parse_script(&tag.body)
                {
                    normalizer.metadata(&super::Metadata::from_value(&value));
                }
                (content, [Some(TagEvent::Event(script)), None])
            }
            TagKind::Video => {
                let parsed = parse_video(&tag.body).ok();
                if let Some(VideoTag { track, .. }) = &parsed
                    && let VideoPacket::Frame { composition_ms, .. } = track.packet
                {
                    pts = dts.offset(i64::from(composition_ms) * 1_000);
                }
                priority = parsed.as_ref().map_or(Priority::Inter, priority_of);
                let content = parsed.as_ref().map_or(TagContent::Unreadable, TagContent::of_video);
                (content, self.video(&tag, parsed, dts))
            }
            TagKind::Audio => {
                let parsed = parse_audio(&tag.body).ok();
                let content = parsed.as_ref().map_or(TagContent::Unreadable, TagContent::of_audio);
                (content, self.audio(&tag, parsed, dts))
            }
        };
        if content.is_header() {
            // Configs often have the time 0, more than half of the 32-bit range before the frames.
            self.time = time_before;
        }
        let (strays, suspect) = (self.bodies.take_strays(), self.bodies.suspect());
        ReadTag { tag, content, dts, pts, priority, events, strays, suspect }
    }

    fn video(&mut self, tag: &Tag, parsed: Option<VideoTag>, dts: Timestamp) -> TwoEvents {
        let Some(normalizer) = &mut self.normalizer else {
            return self.bodies.video(dts, parsed, &tag.body);
        };
        let (config, body) = normalizer.take(TagKind::Video, tag.time_ms, tag.body.clone());
        let before = config.map(|it| self.bodies.video(dts, parse_video(&it).ok(), &it));
        let parsed = if body == tag.body { parsed } else { parse_video(&body).ok() };
        joined(before, self.bodies.video(dts, parsed, &body))
    }

    fn audio(&mut self, tag: &Tag, parsed: Option<AudioTag>, dts: Timestamp) -> TwoEvents {
        let Some(normalizer) = &mut self.normalizer else {
            return self.bodies.audio(dts, parsed, &tag.body);
        };
        let (config, body) = normalizer.take(TagKind::Audio, tag.time_ms, tag.body.clone());
        let before = config.map(|it| self.bodies.audio(dts, parse_audio(&it).ok(), &it));
        joined(before, self.bodies.audio(dts, parsed, &body))
    }
}

/// The events of a tag.
type TwoEvents = [Option<TagEvent>; 2];

/// Returns the events of a config and of the frame after it.
fn joined(config: Option<TwoEvents>, frame: TwoEvents) -> TwoEvents {
    let Some(config) = config else { return frame };
    let mut all = config.into_iter().chain(frame).flatten();
    [all.next(), all.next()]
}

fn priority_of(tag: &VideoTag) -> Priority {
    match tag.frame_type {
        _ if tag.is_keyframe() => Priority::Key,
        FrameType::Disposable => Priority::Disposable,
        _ => Priority::Inter,
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::media::TrackConfig;
    use crate::wire::amf0::Value;
    use crate::wire::codec::h264::DecoderConfig;
    use crate::wire::container::flv::metadata_body;

    #[test]
    fn a_player_gets_the_config_that_is_only_within_frames_and_the_tag_unchanged() {
        let nals: [&[u8]; 3] = [
            &[0x67, 66, 0xc0, 10, 0xda, 0x0a, 0x1f, 0x90],
            &[0x68, 0xce, 0x38, 0x80],
            &[0x65, 0x88, 0x80, 0x40],
        ];
        let annexb: Vec<u8> = nals.iter().flat_map(|nal| [b"\0\0\0\x01", *nal].concat()).collect();
        let body = Bytes::from([b"\x17\x01\0\0\0", &annexb[..]].concat());
        let tag = Tag { kind: TagKind::Video, time_ms: 40, body };
        let read = Reader::of_player(|_| true).read(tag.clone());
        assert_eq!(read.tag, tag);
        let [Some(TagEvent::Event(config)), Some(TagEvent::Event(packet))] = read.events else {
            panic!("{:?}", read.events)
        };
        assert!(matches!(config, StreamEvent::Config(TrackConfig::Video(_))), "{config:?}");
        let StreamEvent::Packet(packet) = packet else { panic!("{packet:?}") };
        assert_eq!(&packet.data[..4], [0, 0, 0, 8], "with lengths");
        let plain = Reader::new(|_| true).read(tag);
        assert_eq!(plain.packet().map(|packet| &packet.data[..4]), Some(&[0, 0, 0, 1][..]));
    }

    #[test]
    fn a_config_without_a_frame_rate_has_that_of_the_metadata() {
        // Without VUI.
        let (sps, pps) = ([0x67, 66, 0xc0, 10, 0xda, 0x0a, 0x1f, 0x90], [0x68, 0xce, 0x38, 0x80]);
        let [sps, pps] = [&sps[..], &pps].map(Bytes::copy_from_slice);
        let h264 = DecoderConfig::new(sps, pps).unwrap().build().unwrap();
        let h264 = [b"\x17\0\0\0\0", &h264[..]].concat();
        let body = metadata_body(&Value::ecma_array([("framerate", Value::Number(50.0))]));
        let metadata = Tag { kind: TagKind::Script, time_ms: 0, body };
        for body in [&h264[..], b"\x90hvc1config", b"\x90av01config", b"\x91vp09picture"] {
            let tag = Tag { kind: TagKind::Video, time_ms: 0, body: Bytes::copy_from_slice(body) };
            let rate = |reader: &mut Reader| {
                let mut events = reader.read(tag.clone()).events.into_iter().flatten();
                events.find_map(|event| match event {
                    TagEvent::Event(StreamEvent::Config(TrackConfig::Video(config))) => {
                        Some(config.frame_rate.as_f64())
                    }
                    _ => None,
                })
            };
            let mut reader = Reader::new(|_| true);
            assert_eq!(rate(&mut reader), Some(30.0), "{body:?}");
            reader.restart();
            reader.read(metadata.clone());
            assert_eq!(rate(&mut reader), Some(50.0), "{body:?}");
            reader.restart();
            assert_eq!(rate(&mut reader), Some(30.0), "another stream: {body:?}");
        }
    }

    #[test]
    fn the_time_of_a_config_does_not_change_the_times_of_frames() {
        // A stream is on air for more than 2^31 ms. A new viewer gets the config at its own time.
        const MONTH_MS: u32 = 2_200_000_000;
        let mut reader = Reader::new(|_| true);
        let config = Bytes::from_static(b"\x17\0\0\0\0\x01d");
        let frame = Bytes::from_static(b"\x17\x01\0\0\0\0\0\0\x01e");
        let mut millis = |time_ms, body: &Bytes| {
            let tag = Tag { kind: TagKind::Video, time_ms, body: body.clone() };
            reader.read(tag).dts.as_millis()
        };
        assert_eq!((millis(0, &config), millis(MONTH_MS, &frame)), (0, i64::from(MONTH_MS)));
        millis(0, &config);
        assert_eq!(millis(MONTH_MS + 40, &frame), i64::from(MONTH_MS) + 40);
    }

    #[test]
    fn only_what_is_decoded_is_a_frame() {
        use TagContent::{
            ChannelLayout, Command, Config, Empty, Frame, Script, SequenceEnd, Unreadable,
        };
        for (kind, body, content) in [
            (TagKind::Script, &b"\x02\0\x0aonMetaData"[..], TagContent::Metadata),
            (TagKind::Script, b"\x02\0\x0aonTextData", Script),
            (TagKind::Video, b"\x17\0\0\0\0\x01d", Config),
            (TagKind::Video, b"\x17\x01\0\0\0\0\0\0\x01e", Frame),
            (TagKind::Video, b"\x17\x01\0\0\0", Empty),
            (TagKind::Video, b"\x57\0", Command),
            (TagKind::Video, b"\x17\x02\0\0\0", SequenceEnd),
            (TagKind::Video, b"\x94hvc1\x02\0\x09colorInfo", TagContent::ColorInfo),
            (TagKind::Video, b"\xD4hvc1\x02\0\x09colorInfo", TagContent::ColorInfo),
            (TagKind::Video, b"", Unreadable),
            (TagKind::Audio, b"\xAF\0\x11\x90", Config),
            (TagKind::Audio, b"\x94Opus\x01\x02\0\0\0\x03", ChannelLayout),
            (TagKind::Audio, b"\xAF\x01abc", Frame),
            (TagKind::Audio, b"\xAF\x01", Empty),
            (TagKind::Audio, b"\xAF\0", Empty),
            (TagKind::Audio, b"", Unreadable),
        ] {
            let body = Bytes::from_static(body);
            assert_eq!(TagContent::of(kind, &body), content, "{kind:?} {body:?}");
            let read = Reader::new(|_| true).read(Tag { kind, time_ms: 0, body });
            assert_eq!(read.content, content);
        }
    }

    #[test]
    fn times_do_not_wrap_and_tags_are_moved_with_their_packets() {
        let mut reader = Reader::new(|_| true);
        let mut read = |time_ms| {
            let body = Bytes::from_static(b"\x17\x01\0\0\x28\0\0\0\x01e");
            reader.read(Tag { kind: TagKind::Video, time_ms, body })
        };
        let last = read(u32::MAX).dts;
        let tag = read(39).later(-last.as_micros());
        let packet = tag.packet().unwrap();
        assert_eq!((packet.dts.as_millis(), packet.pts.as_millis()), (40, 80));
        assert_eq!((tag.dts, tag.pts, tag.is_keyframe()), (packet.dts, packet.pts, true));
    }
}
